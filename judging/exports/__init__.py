"""Export a study in other tools' formats: at once or by a worker, with resumable downloads."""

from annotate.navigation import RESEARCHER, Page

TABS = (Page("exports", "Export", "Export", RESEARCHER, needs_judgments=True),)
