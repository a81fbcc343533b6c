"""Ids of people: which of them name nobody, which are a panel's, and the pseudonyms that stand for those.

A pseudonym is a hash under a key that is kept apart from the data: without PSEUDONYM_KEY nobody can tell from an
export, or from the database, who a participant is.
"""

import hashlib
import hmac
import re
from urllib.parse import unquote

from django.conf import settings

from annotate.texts import trimmed

# Fields of a template that nobody filled in: {{%PROLIFIC_PID%}}, ${workerId}, [ID], <id>, %ID%, |ID|, @@ID@@, $ID.
_TEMPLATE = re.compile(
    r"\$?\{.*\}|\[.*\]|<.*>|([%|#@~^*!])\1*.+\1|\$[A-Za-z_]\w*|__.+__|\w+_NOT_AVAILABLE", re.DOTALL
)
# What programs write for a value that they don't have, and what the field itself is called.
_NOBODY = {
    "undefined",
    "null",
    "none",
    "nil",
    "nan",
    "na",
    "false",
    "true",
    "anonymous",
    "unknown",
    "objectobject",
}
# What Prolific puts in place of whoever withdrew.
_NOBODY |= {"consentrevoked", "dataexpired"}
_NOBODY |= {"id", "pid", "uid", "userid", "yourid", "participant", "participantid", "worker", "workerid"}
_NOBODY |= {"prolificpid", "prolificid", "subjectid", "respondentid", "panelid", "aid", "rid"}

_PANEL_IDS = [
    r".*@.*",  # an e-mail address
    r"[0-9a-fA-F]{24}",  # Prolific
    r"A[0-9A-Z]{9,20}",  # Mechanical Turk
    r"[0-9a-fA-F]{32}",  # CloudResearch Connect, Toloka
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",  # Cint, Lucid and other exchanges of panels
    r"R_[0-9A-Za-z]{13,20}",  # Qualtrics
]
_PANEL_ID = re.compile("|".join(_PANEL_IDS))


def is_template(name: str) -> bool:
    """Whether an id is the placeholder of a template, such as {{%PROLIFIC_PID%}}."""
    # Some tools escape the field's name instead of filling it in.
    return bool(_TEMPLATE.fullmatch(trimmed(name)) or _TEMPLATE.fullmatch(trimmed(unquote(name))))


def is_unfilled(name: str) -> bool:
    """Whether an id in a file is a placeholder, or what a script writes for a parameter that it did not get.

    Other words for nothing, such as NA, may be somebody's name there.
    """
    return is_template(name) or trimmed(name) in ("undefined", "null")


def names_nobody(name: str) -> bool:
    """Whether what a link gives as a person's id is empty, a placeholder, or a program's word for nothing."""
    letters = re.sub(r"[\W_]", "", name).casefold()
    broken = re.search(r"[{}\[\]<>]|^x+$|^0{2,}$", trimmed(name), re.IGNORECASE)
    return not letters or letters in _NOBODY or bool(broken) or is_template(name)


def is_panel_id(name: str) -> bool:
    """Whether a name is an id by which somebody else, a panel or a mail server, knows who this is."""
    return bool(_PANEL_ID.fullmatch(trimmed(name)))


def participant(study_slug: str, panel_id: str) -> str:
    """Key of the annotator who is this participant; another one in every study."""
    return f"p-{_keyed('participant', study_slug, panel_id)}"


def visit(study_slug: str, panel_id: str) -> str:
    """Name of a visit, which the panel knows by an id of its own."""
    return "" if names_nobody(panel_id) else f"v-{_keyed('visit', study_slug, panel_id)}"


def key_of_rows(study_slug: str, table: str) -> str:
    """Under which a table's rows get numbers that tell nothing of when, or after which other, they were made."""
    return _digest("rows", study_slug, table)


def _keyed(*parts: str) -> str:
    return _digest(*parts)[:16]


def _digest(*parts: str) -> str:
    message = "\x1f".join(map(trimmed, parts)).encode()
    return hmac.new(settings.PSEUDONYM_KEY.encode(), message, hashlib.sha256).hexdigest()
