"""Messages to other services about a study: queued, signed, delivered and retried."""

# Tasks queued under their old path.
from judging.webhooks.outbox import deliver, look

__all__ = ["deliver", "look"]
