"""A study leaves in the shapes of other tools: made at once or by a worker, downloaded in ranges."""

from annotate.navigation import RESEARCHER, Page

TABS = (Page("exports", "Export", "Export", RESEARCHER),)
