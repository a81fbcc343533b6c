"""A server's clock that jumps: seats that were taken meanwhile come back, and nothing that was said is lost."""

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from annotate import seats
from annotate.kinds import Value
from annotate.models import Annotator, Assignment, Judgment
from judging.models import ScoringTask
from judging.runs import work as scoring
from tests.factories import make_study

pytestmark = pytest.mark.django_db

YEAR = dt.timedelta(days=365)


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.off, real = dt.timedelta(), timezone.now
        monkeypatch.setattr(timezone, "now", lambda: real() + self.off)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def person(key: str) -> Annotator:
    from annotate.models import Study

    study = Study.objects.filter(slug="tiny").first() or make_study(
        prompts=1, responses=3, seats=1, kinds=["single"]
    )
    return Annotator.objects.create(study=study, key=key, stage=Annotator.Stage.WORK)


def submit(annotator: Annotator, seat: Assignment) -> None:
    criterion = annotator.study.criteria.get()
    shown = seat.item.item_responses.get()
    row = (criterion, Value(response=shown.response_id, value=3))
    seats.submit(annotator, seat, seats.Submission([row], uuid.uuid4(), 0))


def test_seats_taken_while_the_clock_was_ahead_come_back_when_it_is_right(clock: Clock) -> None:
    clock.off = YEAR
    gone = seats.next_assignment(person("gone"))
    assert gone is not None
    clock.off = dt.timedelta()
    later = person("later")
    seat = seats.next_assignment(later)
    assert seat is not None
    assert seat.expires_at is not None
    assert seat.expires_at < timezone.now() + dt.timedelta(hours=1)


def test_who_works_while_the_clock_is_put_right_loses_nothing(clock: Clock) -> None:
    clock.off = YEAR
    here = person("here")
    seat = seats.next_assignment(here)
    assert seat is not None
    clock.off = dt.timedelta()
    # The seat is given back as one that nobody can have, and taken again by the page that shows it.
    seats.release_expired(here.study_id)
    submit(here, seat)
    assert Judgment.objects.get().assignment.annotator == here
    assert seats.next_assignment(here) is not None


@pytest.mark.parametrize("off", [-YEAR, YEAR])
def test_a_jump_makes_no_second_seat_and_no_surplus(clock: Clock, off: dt.timedelta) -> None:
    people = [person("a"), person("b")]
    first = seats.next_assignment(people[0])
    assert first is not None
    clock.off = off
    for annotator in people[::-1]:
        while (seat := seats.next_assignment(annotator)) is not None:
            submit(annotator, seat)
    clock.off = dt.timedelta()
    assert Assignment.objects.count() == 3
    assert Assignment.objects.submitted().count() <= 3
    for annotator in people:
        while (seat := seats.next_assignment(annotator)) is not None:
            submit(annotator, seat)
    assert Assignment.objects.submitted().count() == Judgment.objects.count() == 3


def test_a_worker_with_a_wrong_clock_loses_its_run_when_it_is_silent(clock: Clock) -> None:
    order = scoring.order(person("a").study, "length")
    clock.off = YEAR
    assert order.claim()
    clock.off = dt.timedelta()
    heir = ScoringTask.objects.get()
    assert heir.claim()
    scoring.perform(heir)
    assert ScoringTask.objects.get().status == ScoringTask.Status.DONE
