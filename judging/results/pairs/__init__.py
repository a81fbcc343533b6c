"""Pairs and lists: equally good pairs, missed good responses, margins beside people's votes."""
