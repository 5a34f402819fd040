"""A pre-trained text model, from its files to its answers."""
