"""The life of a study: draft, open, paused, closed."""

from django.db import transaction

from annotate import trail
from annotate.models import Action, Study

_ACTIONS = {
    Study.Status.OPEN: Action.OPENED,
    Study.Status.PAUSED: Action.PAUSED,
    Study.Status.CLOSED: Action.CLOSED,
}


def move(study: Study, to: Study.Status) -> bool:
    """From the status that `study` has to another; False where somebody else has moved it meanwhile."""
    with transaction.atomic():
        moved = Study.objects.filter(pk=study.pk, status=study.status).update(status=to)
        if moved:
            trail.record(study, _ACTIONS[to], was=study.status)
    return bool(moved)
