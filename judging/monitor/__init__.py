"""A running study: progress, agreement so far, and how each annotator works."""

from annotate.navigation import RESEARCHER, Page

TABS = (Page("monitor", "Monitor", "Collect", RESEARCHER, place=-1, in_list=True, needs_judgments=True),)
