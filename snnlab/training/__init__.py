"""Ways to find the weights of a network."""
