"""Where migration 0004 finds what moved to judging.models.webhooks."""

from judging.models.webhooks import new_secret

__all__ = ["new_secret"]
