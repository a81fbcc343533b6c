"""How alike the responses of a pool are, and the map of one prompt."""
