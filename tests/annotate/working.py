"""An annotator who works through seats."""

import datetime as dt
import uuid

from django.utils import timezone

from annotate import seats
from annotate.kinds import Value
from annotate.models import Annotator, Assignment, Criterion, Study


def rows_for(seat: Assignment) -> list[tuple[Criterion, Value]]:
    """An admissible judgment: the lowest point, the first pile, the first response slightly better."""
    shown: list[int] = seat.shown or []
    rows = []
    for criterion in Criterion.objects.filter(study=seat.study_id, on=seat.item.kind):
        match criterion.kind:
            case "rating":
                rows += [(criterion, Value(response=r, value=1)) for r in shown]
            case "grouping":
                rows += [(criterion, Value(response=r, value=1)) for r in shown]
            case "preference":
                rows.append((criterion, Value(response=shown[0], value=1)))
            case "similarity":
                rows.append((criterion, Value(response=shown[0], other=shown[1], value=0)))
    return rows


def submit(
    annotator: Annotator, seat: Assignment, *, token: uuid.UUID | None = None, revision: int = 0
) -> Assignment | None:
    submission = seats.Submission(rows_for(seat), token or uuid.uuid4(), revision, 1500)
    return seats.submit(annotator, seat, submission)


def work_through(annotator: Annotator) -> list[Assignment]:
    done = []
    seat = seats.next_assignment(annotator)
    while seat is not None:
        done.append(seat)
        seat = submit(annotator, seat)
    return done


def expire_all(study: Study) -> None:
    past = timezone.now() - dt.timedelta(minutes=1)
    Assignment.objects.filter(study=study).held().update(expires_at=past)
