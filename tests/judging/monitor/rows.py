"""Annotators who answer, for tests of the monitor."""

import uuid

from annotate import seats
from annotate.kinds import Value
from annotate.models import Annotator, Assignment, Criterion, Response, Study
from tests.factories import make_annotator, make_study


def rows_for(seat: Assignment, points: dict[int, int]) -> list[tuple[Criterion, Value]]:
    """The rating of each response by `points` (else 1); the first shown slightly better; one pile."""
    shown: list[int] = seat.shown or []
    rows: list[tuple[Criterion, Value]] = []
    for c in Criterion.objects.filter(study=seat.study_id, on=seat.item.kind):
        match c.kind:
            case "rating":
                rows += [(c, Value(response=r, value=points.get(r, 1))) for r in shown]
            case "grouping":
                rows += [(c, Value(response=r, value=1)) for r in shown]
            case "preference":
                rows.append((c, Value(response=shown[0], value=1)))
            case "similarity":
                rows.append((c, Value(response=shown[0], other=shown[1], value=points.get(0, 0))))
    return rows


def work(annotator: Annotator, points: dict[int, int] | None = None, **said: object) -> list[Assignment]:
    done: list[Assignment] = []
    seat = seats.next_assignment(annotator)
    while seat is not None:
        rows = [] if said.get("skipped") else rows_for(seat, points or {})
        submission = seats.Submission(rows, uuid.uuid4(), 0, 1500, **said)  # type: ignore[arg-type]
        done.append(seat)
        seat = seats.submit(annotator, seat, submission)
    return done


def worked(people: int = 3, *, prompts: int = 2, responses: int = 4) -> Study:
    study = make_study(seats=people, prompts=prompts, responses=responses)
    pool = list(Response.objects.filter(study=study).order_by("pk").values_list("pk", flat=True))
    for n in range(people):
        work(make_annotator(study, f"ann{n}"), {r: (i + n * (i % 2)) % 5 + 1 for i, r in enumerate(pool)})
    return study
