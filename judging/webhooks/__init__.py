"""Messages to other services about a study: queued, signed, delivered and retried."""

from annotate.navigation import RESEARCHER, Page

# Tasks queued under their old path.
from judging.webhooks.outbox import deliver, look

__all__ = ["TABS", "deliver", "look"]

TABS = (Page("webhooks", "Webhooks", "Export", RESEARCHER, needs_judgments=True),)
