"""A reader of each foreign format: what its files say, as records of the package."""
