"""Tables, figures and sentences of the chapters, computed from the records of the zoo. Chapters import them."""
