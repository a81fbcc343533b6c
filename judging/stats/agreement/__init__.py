"""Agreement between annotators and the reliability of their means."""
