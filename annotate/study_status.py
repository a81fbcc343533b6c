"""A study's status: draft, open, paused, closed."""

from django.db import transaction

from annotate import trail
from annotate.models import Action, Study
from annotate.readiness import leaking, open_issues

_ACTIONS = {
    Study.Status.OPEN: Action.OPENED,
    Study.Status.PAUSED: Action.PAUSED,
    Study.Status.CLOSED: Action.CLOSED,
}
# Where a study may go from where it is, and what the button says.
MOVES: dict[str, list[tuple[Study.Status, str]]] = {
    Study.Status.DRAFT: [(Study.Status.OPEN, "Open")],
    Study.Status.OPEN: [(Study.Status.PAUSED, "Pause"), (Study.Status.CLOSED, "Close")],
    Study.Status.PAUSED: [(Study.Status.OPEN, "Resume"), (Study.Status.CLOSED, "Close")],
    Study.Status.CLOSED: [(Study.Status.OPEN, "Reopen")],
}


class MoveError(Exception):
    """Why the study's status stays as it is."""


class LeaksError(MoveError):
    """Responses name their makers; opening the draft needs confirmation."""


def check_move(study: Study, status: str, *, anyway: bool = False) -> None:
    """Raise if the study may not change to this status: one with open issues is not opened."""
    if status not in [to for to, _ in MOVES[study.status]]:
        raise MoveError(f"A study that is {study.status} can't become “{status[:20]}”.")
    if status == Study.Status.OPEN and any(issue.stops for issue in open_issues(study)):
        raise MoveError("The study can't be opened yet.")
    unseen = study.status == Study.Status.DRAFT and not anyway
    if n := sum(1 for _ in leaking(study)) if unseen else 0:
        texts = "response names" if n == 1 else "responses name"
        raise LeaksError(f"{n:,} {texts} a model or its maker.")


def move(study: Study, to: Study.Status) -> bool:
    """Change the status; False if someone else has changed it meanwhile."""
    with transaction.atomic():
        moved = Study.objects.filter(pk=study.pk, status=study.status).update(status=to)
        if moved:
            trail.record(study, _ACTIONS[to], was=study.status)
    return bool(moved)
