"""Every response with its ratings, neighbors and scores."""
