"""Repeats, gold and practice: who meets them, when, and that they are apart from work."""

import pytest

from annotate import seats
from annotate.models import Assignment, Item, Study
from tests.annotate.working import submit, work_through
from tests.factories import make_annotator, make_study

pytestmark = pytest.mark.django_db


def with_role(study: Study, place: int, **role: object) -> Item:
    """The study's item at a place, made a practice, gold or repeat item: it loses its waiting seats."""
    item = list(study.items.order_by("pk"))[place]
    Assignment.objects.filter(item=item).delete()
    Item.objects.filter(pk=item.pk).update(**role)
    return item


def test_a_repeat_comes_later_and_with_sides_swapped() -> None:
    study = make_study(prompts=3, responses=2, seats=2, kinds=["pair"])
    (original, *_), other = study.items.order_by("pk"), 2
    repeat = with_role(study, other, role="repeat", repeat_of=original)
    repeat.item_responses.all().delete()
    for row in original.item_responses.all():
        repeat.item_responses.create(response=row.response, position=row.position)
    done = work_through(make_annotator(study))
    order = [s.item_id for s in done]
    assert order.index(original.pk) < order.index(repeat.pk)
    shown = {s.item_id: s.shown for s in done}
    assert shown[repeat.pk] == (shown[original.pk] or [])[::-1]


def test_everybody_meets_the_gold_items() -> None:
    study = make_study(prompts=2, responses=3, seats=1, kinds=["single"])
    gold = with_role(study, 0, role="gold")
    for key in "abc":
        assert gold.pk in [s.item_id for s in work_through(make_annotator(study, key))]
    assert gold.assignments.submitted().count() == 3


def test_practice_is_for_everybody_and_apart_from_work() -> None:
    study = make_study(prompts=1, responses=3, seats=1, kinds=["single"])
    practice = with_role(study, 0, role="practice")
    for key in "ab":
        annotator = make_annotator(study, key)
        seat = seats.next_practice(annotator)
        assert seat is not None
        assert seat.item_id == practice.pk
        submit(annotator, seat)
        assert seats.next_practice(annotator) is None
    assert practice.pk not in [s.item_id for s in work_through(make_annotator(study, "c"))]
