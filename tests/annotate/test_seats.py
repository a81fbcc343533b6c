import datetime as dt
import uuid
from collections import Counter
from itertools import groupby
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotate import exclusions, offer, seats
from annotate.kinds import Value
from annotate.models import Answer, Assignment, Item, Judgment, Study
from tests.annotate.working import expire_all, rows_for, submit, work_through
from tests.factories import make_annotator, make_study

pytestmark = pytest.mark.django_db


def test_an_annotator_sees_every_item_once_and_the_study_ends_full() -> None:
    study = make_study(seats=3)
    items = study.items.count()
    for n in range(3):
        done = work_through(make_annotator(study, f"ann{n}"))
        assert Counter(s.item_id for s in done).most_common(1)[0][1] == 1
        assert len(done) == items
    late = make_annotator(study, "late")
    assert seats.next_assignment(late) is None
    assert Assignment.objects.filter(study=study).submitted().count() == 3 * items
    assert seats.outlook(late).held_by_others == 0


def test_a_block_stays_with_its_prompt_singles_first() -> None:
    study = make_study(prompts=3)
    done = work_through(make_annotator(study))
    assert [s.item.prompt_id for s in done[:6]] == [done[0].item.prompt_id] * 6
    assert [s.item.kind for s in done[:6]] == ["single"] * 4 + ["pair", "set"]


def test_two_annotators_start_at_different_prompts() -> None:
    study = make_study(prompts=2)
    first, second = (seats.next_assignment(make_annotator(study, k)) for k in "ab")
    assert first is not None
    assert second is not None
    assert first.item.prompt_id != second.item.prompt_id


def test_reloading_shows_the_same_seat_in_the_same_order() -> None:
    annotator = make_annotator(make_study())
    first, again = seats.next_assignment(annotator), seats.next_assignment(annotator)
    assert first is not None
    assert again is not None
    assert (first.pk, first.shown) == (again.pk, again.shown)


def test_sides_are_balanced_within_the_item_and_within_the_annotator() -> None:
    study = make_study(prompts=12, seats=9, kinds=["pair"])
    canonical = dict(
        study.items.filter(item_responses__position=0).values_list("pk", "item_responses__response_id")
    )
    by_item: Counter[int] = Counter()
    for n in range(9):
        seen = work_through(make_annotator(study, f"ann{n}"))
        firsts = [int(s.shown[0] == canonical[s.item_id]) for s in seen if s.shown]
        # The last to come take what is left; everybody before sees both sides equally often.
        assert sum(firsts) == 6 or n >= 6
        by_item.update(s.item_id for s, first in zip(seen, firsts, strict=True) if first)
    assert {abs(count - 4.5) for count in by_item.values()} == {0.5}


def test_a_set_shows_each_response_in_each_place_equally_often() -> None:
    study = make_study(prompts=1, responses=4, seats=8, kinds=["set"])
    shown = [work_through(make_annotator(study, f"a{n}"))[0].shown for n in range(8)]
    for place in range(4):
        assert set(Counter(s[place] for s in shown if s).values()) == {2}


def test_the_same_token_stores_once() -> None:
    annotator = make_annotator(make_study())
    seat = seats.next_assignment(annotator)
    assert seat is not None
    token = uuid.uuid4()
    following = submit(annotator, seat, token=token)
    again = submit(annotator, seat, token=token)
    assert following is not None
    assert again is not None
    assert following.pk == again.pk
    assert Judgment.objects.count() == 1
    assert Answer.objects.count() == 1


def test_a_correction_is_a_new_revision_and_the_old_one_stays() -> None:
    annotator = make_annotator(make_study())
    seat = seats.next_assignment(annotator)
    assert seat is not None
    submit(annotator, seat)
    submit(annotator, seat, revision=1)
    assert [j.revision for j in seat.judgments.order_by("revision")] == [1, 2]
    assert Judgment.objects.counted().get(assignment=seat).revision == 2


def test_a_tab_that_was_slower_takes_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    annotator = make_annotator(make_study(prompts=4, responses=6, kinds=["single"]))
    looked, others = offer.attention_items, []

    def meanwhile(*args: Any) -> list[Item]:
        monkeypatch.setattr(offer, "attention_items", looked)
        others.append(seats.next_assignment(annotator))
        return looked(*args)

    monkeypatch.setattr(offer, "attention_items", meanwhile)
    found = seats.next_assignment(annotator)
    held = Assignment.objects.for_annotator(annotator).held()
    assert found == others[0] == held.order_by("turn").first()
    assert held.count() == held.values("item").distinct().count() <= offer.MOST


@pytest.mark.parametrize(
    ("responses", "kinds", "first", "prompts"),
    [(2, ["pair"], 10, 10), (10, ["single"], 10, 1), (3, ["single"], 12, 4), (30, ["single"], 20, 1)],
    ids=["one pair a prompt", "ten singles a prompt", "three singles a prompt", "more than anybody holds"],
)
def test_a_block_has_its_length_whatever_the_prompts(
    responses: int, kinds: list[str], first: int, prompts: int
) -> None:
    annotator = make_annotator(make_study(prompts=12, responses=responses, kinds=kinds))
    seat = seats.next_assignment(annotator)
    assert seat is not None
    held = Assignment.objects.for_annotator(annotator).held().order_by("turn")
    assert held.count() == first
    in_turn = [item for item, _ in groupby(held.values_list("item__prompt", flat=True))]
    assert len(in_turn) == len(set(in_turn)) == prompts, "a prompt's responses come together"


def test_there_is_always_a_page_to_make_ahead() -> None:
    """One pair a prompt: every prompt used to be a block of its own, so nothing was made ahead."""
    annotator = make_annotator(make_study(prompts=12, responses=2, kinds=["pair"]))
    seat = seats.next_assignment(annotator)
    claims = 0
    while seat is not None:
        with CaptureQueriesContext(connection) as captured:
            ahead = seats.following(annotator, seat.pk)
        claims += len(captured) > 2
        submit(annotator, seat)
        seat = seats.next_assignment(annotator)
        assert ahead == seat
    assert Judgment.objects.count() == 12
    assert claims == 2, "after ten, and where there are no more"


def test_a_stale_tab_cannot_overwrite() -> None:
    annotator = make_annotator(make_study())
    seat = seats.next_assignment(annotator)
    assert seat is not None
    submit(annotator, seat)
    with pytest.raises(seats.StaleSeatError):
        submit(annotator, seat, revision=0)
    assert Judgment.objects.count() == 1


def test_an_expired_seat_comes_back_for_others() -> None:
    study = make_study(prompts=1, seats=1)
    slow, quick = make_annotator(study, "slow"), make_annotator(study, "quick")
    seats.next_assignment(slow)
    assert seats.next_assignment(quick) is None
    assert seats.outlook(quick).held_by_others == study.items.count()
    expire_all(study)
    assert seats.next_assignment(quick) is not None


def test_an_expired_seat_that_nobody_took_still_takes_the_judgment() -> None:
    study = make_study(prompts=1, seats=1)
    slow = make_annotator(study, "slow")
    seat = seats.next_assignment(slow)
    assert seat is not None
    expire_all(study)
    seats.release_expired(study.pk)
    submit(slow, seat)
    seat.refresh_from_db()
    assert (seat.status, seat.annotator_id) == ("submitted", slow.pk)
    assert seat.shown


def test_a_seat_given_on_after_expiry_is_not_filled_twice() -> None:
    study = make_study(prompts=1, seats=1, kinds=["single"])
    slow, quick = make_annotator(study, "slow"), make_annotator(study, "quick")
    seat = seats.next_assignment(slow)
    assert seat is not None
    expire_all(study)
    work_through(quick)
    with pytest.raises(seats.StaleSeatError):
        submit(slow, seat)
    assert Judgment.objects.in_study(study).count() == study.items.count()


def test_leaving_frees_what_is_held_and_keeps_what_was_given() -> None:
    study = make_study()
    annotator = make_annotator(study)
    seat = seats.next_assignment(annotator)
    assert seat is not None
    submit(annotator, seat)
    held = Assignment.objects.filter(study=study).held().count()
    assert seats.release(annotator) == held > 0
    assert Assignment.objects.filter(study=study).held().count() == 0
    assert Judgment.objects.count() == 1


def test_an_excluded_judgment_frees_a_new_seat_that_its_annotator_cannot_take() -> None:
    study = make_study(prompts=1, seats=1, kinds=["pair"])
    annotator = make_annotator(study)
    (seat,) = work_through(annotator)
    exclusions.exclude(seat.judgments.get(), "answered in 200 ms")
    assert Judgment.objects.counted().count() == 0
    assert Judgment.objects.count() == 1
    assert seats.next_assignment(annotator) is None
    new = seats.next_assignment(make_annotator(study, "other"))
    assert new is not None
    assert new.number == 2


def test_an_exclusion_can_be_undone() -> None:
    study = make_study(prompts=1, seats=1)
    annotator = make_annotator(study)
    work_through(annotator)
    items = study.items.count()
    exclusions.exclude_annotator(annotator, "a robot")
    annotator.refresh_from_db()
    assert Judgment.objects.counted().count() == 0
    assert Assignment.objects.filter(study=study).free().count() == items
    assert seats.next_assignment(annotator) is None
    exclusions.readmit_annotator(annotator)
    assert Judgment.objects.counted().count() == items
    assert Assignment.objects.filter(study=study).free().count() == 0


def test_a_visit_ends_after_its_items_and_another_goes_on() -> None:
    make_study(prompts=2, responses=4, seats=1, kinds=["single"])
    Study.objects.update(session_items=3)
    annotator = make_annotator(Study.objects.get())
    assert len(work_through(annotator)) == 3
    annotator.session_start = 3
    assert len(work_through(annotator)) == 3


@pytest.mark.parametrize("status", ["draft", "paused", "closed"])
def test_a_study_that_is_not_open_gives_no_seats(status: str) -> None:
    make_study()
    Study.objects.update(status=status)
    assert seats.next_assignment(make_annotator(Study.objects.get())) is None


def test_a_skipped_item_goes_to_somebody_else() -> None:
    study = make_study(prompts=1, seats=1, kinds=["pair"])
    annotator = make_annotator(study)
    seat = seats.next_assignment(annotator)
    assert seat is not None
    skip = seats.Submission([], uuid.uuid4(), 0, comment="not in my language", skipped=True)
    assert seats.submit(annotator, seat, skip) is None
    assert Judgment.objects.counted().count() == 0
    assert seats.next_assignment(make_annotator(study, "other")) is not None


def test_an_answer_may_be_changed_for_a_while() -> None:
    study = make_study(prompts=1, kinds=["single"])
    annotator = make_annotator(study)
    first = seats.next_assignment(annotator)
    assert first is not None
    submit(annotator, first)
    found = seats.earlier(annotator)
    assert found is not None
    assert found.pk == first.pk
    submit(annotator, found, revision=1)
    Judgment.objects.update(submitted_at=timezone.now() - dt.timedelta(minutes=11))
    assert seats.earlier(annotator) is None
    with pytest.raises(seats.StaleSeatError):
        submit(annotator, found, revision=2)


def test_the_next_page_can_be_made_ahead_across_blocks() -> None:
    study = make_study(prompts=2, responses=1, kinds=["single"])
    annotator = make_annotator(study)
    seat = seats.next_assignment(annotator)
    assert seat is not None
    ahead = seats.following(annotator, seat.pk)
    assert ahead is not None
    assert ahead.item.prompt_id != seat.item.prompt_id
    assert submit(annotator, seat) == ahead


@pytest.mark.parametrize(
    "change",
    [
        {"status": "free"},
        {"status": "held", "expires_at": None},
        {"status": "submitted", "annotator": None},
        {"status": "lost"},
        {"number": 2},
    ],
)
def test_the_database_refuses_a_broken_seat(change: dict[str, object]) -> None:
    annotator = make_annotator(make_study())
    seat = seats.next_assignment(annotator)
    assert seat is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.filter(pk=seat.pk).update(**change)


def test_the_database_refuses_an_annotator_twice_on_an_item() -> None:
    annotator = make_annotator(make_study())
    seat = seats.next_assignment(annotator)
    assert seat is not None
    another = Assignment.objects.filter(item=seat.item_id).free()[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.filter(pk=another.pk).update(status="submitted", annotator=annotator)


def test_an_old_page_fills_the_seat_that_its_annotator_holds_by_now() -> None:
    """The seat ran out and went to somebody; back in another tab, the annotator got another at the same item."""
    study = make_study(prompts=1, responses=2, seats=2, kinds=["pair"])
    slow, quick = make_annotator(study, "slow"), make_annotator(study, "quick")
    old = seats.next_assignment(slow)
    assert old is not None
    expire_all(study)
    seats.release_expired(study.pk)
    seats.next_assignment(quick)
    new = seats.next_assignment(slow)
    assert new is not None
    assert new.pk != old.pk
    submit(slow, old)
    new.refresh_from_db()
    assert (new.status, new.annotator_id, new.shown) == ("submitted", slow.pk, old.shown)
    assert seats.next_assignment(slow) is None
    assert Assignment.objects.get(pk=old.pk).annotator_id == quick.pk


def test_a_seat_with_a_judgment_is_never_given_back() -> None:
    annotator = make_annotator(make_study())
    seat = seats.next_assignment(annotator)
    assert seat is not None
    submit(annotator, seat)
    past = timezone.now() - dt.timedelta(minutes=1)
    Assignment.objects.filter(pk=seat.pk).update(status="held", expires_at=past)
    seats.release_expired(seat.study_id)
    seat.refresh_from_db()
    assert seat.annotator_id == annotator.pk


def test_the_token_of_another_page_makes_a_stale_one() -> None:
    annotator = make_annotator(make_study(kinds=["single"]))
    first = seats.next_assignment(annotator)
    assert first is not None
    token = uuid.uuid4()
    second = submit(annotator, first, token=token)
    assert second is not None
    with pytest.raises(seats.StaleSeatError):
        submit(annotator, second, token=token)
    assert Judgment.objects.count() == 1


def test_the_same_token_with_other_answers_is_told() -> None:
    annotator = make_annotator(make_study(kinds=["single"]))
    seat = seats.next_assignment(annotator)
    assert seat is not None
    token = uuid.uuid4()
    submit(annotator, seat, token=token)
    other = [(criterion, Value(response=value.response, value=4)) for criterion, value in rows_for(seat)]
    with pytest.raises(seats.StaleSeatError):
        seats.submit(annotator, seat, seats.Submission(other, token, 0))
