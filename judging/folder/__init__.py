"""Judging's tables of a study folder (scores, pools), loading and exporting the whole folder, and its invariants."""
