"""Figures of networks, images and records."""
