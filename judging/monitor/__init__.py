"""A running study: progress, agreement so far, and how each annotator works."""
