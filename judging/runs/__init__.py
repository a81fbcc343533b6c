"""Scorers at work: what is missing is scored in batches by a worker, watched, cancelled and resumed."""

from annotate.navigation import Page

TABS = (Page("runs", "Runs", "Audit", needs_judgments=True),)
