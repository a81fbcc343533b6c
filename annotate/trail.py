"""The trail of a study: whoever changes, excludes, exports or lets in leaves an entry, in the same transaction.

Functions that act call `record`. Who is acting is known from the request, which the middleware `Acting` names; without
one it is somebody at the command line.
"""

import getpass
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model
from django.db.transaction import TransactionManagementError
from django.http import HttpRequest

from annotate.models import Action, Study, TrailEntry

Via = TrailEntry.Via
LONGEST = 2_000

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


@contextmanager
def acting(request: HttpRequest) -> Iterator[None]:
    """Attribute everything done inside to this request."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def record(study: Study, action: Action, about: str = "", **details: Any) -> TrailEntry:
    """Add an entry. Only within a transaction: the action and its entry are stored together, or neither is."""
    if not transaction.get_connection().in_atomic_block:
        raise TransactionManagementError("an action and its trail entry belong in one transaction")
    user, name, via = _who()
    return TrailEntry.objects.create(
        study=study,
        study_slug=study.slug,
        by=user,
        by_name=name[:200],
        via=via,
        action=action,
        about=about[:300],
        details=_short(details),
    )


def note(study: Study, action: Action, about: str = "", **details: Any) -> None:
    """An entry for an action that changes nothing in the database: an export, a download."""
    with transaction.atomic():
        record(study, action, about, **details)


def _who() -> tuple[User | None, str, TrailEntry.Via]:
    request = _request.get()
    if request is None:
        return None, f"{_system_user()}: {_command()}", Via.COMMAND
    via = Via.API if request.path_info.startswith("/api/") else Via.PAGE
    user = request.user
    return (user, user.get_username(), via) if user.is_authenticated else (None, "somebody unknown", via)


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may have no name for its user.
        return "nobody by name"


def _command() -> str:
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]]) if sys.argv else "python"


def _short(value: Any) -> Any:
    """What a person reads: a long text is cut, and says so."""
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]}… ({len(value):,} characters)"
    if isinstance(value, Mapping):
        return {str(key): _short(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_short(inner) for inner in value]
    return value


def differences(before: Model, after: Model) -> dict[str, list[Any]]:
    """Fields of a row that were changed: as they were, and as they are."""
    changes = {}
    for field in before._meta.concrete_fields:
        old, new = field.value_from_object(before), field.value_from_object(after)
        if old != new:
            changes[field.name] = [old, new]
    return changes
