"""What a lecturer makes of the chapters: assignments and slides. All of it is derived from them."""
