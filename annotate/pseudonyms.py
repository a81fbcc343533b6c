"""Pseudonyms of panel participants: a hash under a key that is kept apart from the data.

Without PSEUDONYM_KEY nobody can tell from an export, or from the database, who a participant is.
"""

import hashlib
import hmac

from django.conf import settings


def participant(study_slug: str, panel_id: str) -> str:
    """Key of the annotator who is this participant; another one in every study."""
    return f"p-{_keyed('participant', study_slug, panel_id)}"


def visit(study_slug: str, panel_id: str) -> str:
    """Name of a visit, which the panel knows by an id of its own."""
    return f"v-{_keyed('visit', study_slug, panel_id)}" if panel_id else ""


def _keyed(*parts: str) -> str:
    message = "\x1f".join(part.strip() for part in parts).encode()
    return hmac.new(settings.PSEUDONYM_KEY.encode(), message, hashlib.sha256).hexdigest()[:16]
