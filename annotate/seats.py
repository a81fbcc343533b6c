"""Every rule about seats, in transactions: who may sit where, what a submission does, what comes back."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, Count, DateTimeField, F, Max, Min, When
from django.db.models import Value as Constant
from django.utils import timezone

from annotate import design
from annotate.kinds import ItemKind, Value
from annotate.models import Annotator, Answer, Assignment, Criterion, Item, ItemResponse, Judgment, Study

# Held seats come back this long after the annotator's last sign of life.
HOLD = dt.timedelta(minutes=30)
# An annotator takes this many seats of one prompt at once: a prompt's responses are best rated by the same people.
BLOCK = 20

CLAIM_TRIES = 5

_KIND_ORDER = [ItemKind.SINGLE, ItemKind.PAIR, ItemKind.SET]


class StaleSeatError(Exception):
    """The seat is not the annotator's any more, or was submitted from another tab meanwhile."""


@dataclass(frozen=True, slots=True)
class Outlook:
    submitted: int
    free: int
    held_by_others: int
    next_release: dt.datetime | None


def next_assignment(annotator: Annotator) -> Assignment | None:
    """The seat to show now: one the annotator holds already, else the first of a newly claimed block."""
    return _opened(_first_held(annotator) or _claim_block(annotator))


def _first_held(annotator: Annotator) -> Assignment | None:
    return (
        Assignment.objects.for_annotator(annotator)
        .held()
        .select_related("item__prompt")
        .order_by("turn", "pk")
        .first()
    )


def _claim_block(annotator: Annotator) -> Assignment | None:
    """Hold the annotator's next block of seats: the rest of the prompt at hand, else of the least covered one."""
    with transaction.atomic():
        # Two tabs of one annotator claim one after the other.
        Annotator.objects.select_for_update().get(pk=annotator.pk)
        release_expired(annotator.study_id)
        # A claim fails only where somebody else takes the very seats in between; there are others then.
        for _ in range(CLAIM_TRIES):
            held = _first_held(annotator)
            seats = [] if held else _block_in_hand(annotator) or _next_block(annotator)
            if not seats:
                return held
            _hold(annotator, seats)
        return _first_held(annotator)


def _block_in_hand(annotator: Annotator) -> list[Assignment]:
    own = Assignment.objects.for_annotator(annotator).submitted()
    last = own.select_related("item").order_by("-turn", "-pk").first()
    return [] if last is None else _block_of(annotator, last.item.prompt_id)


def _next_block(annotator: Annotator) -> list[Assignment]:
    first = Assignment.objects.open_to(annotator).select_related("item").order_by("rank").first()
    return [] if first is None else _block_of(annotator, first.item.prompt_id)


def _block_of(annotator: Annotator, prompt_id: int) -> list[Assignment]:
    """One free seat for each item of the prompt that is open to the annotator, in the order of showing."""
    seats = Assignment.objects.open_to(annotator).filter(item__prompt_id=prompt_id).select_related("item")
    by_item: dict[int, list[Assignment]] = {}
    for seat in seats.order_by("number"):
        by_item.setdefault(seat.item_id, []).append(seat)
    items = sorted(by_item.values(), key=lambda free: _turn_key(annotator, free[0].item))[:BLOCK]
    return _balanced(annotator, items)


def _turn_key(annotator: Annotator, item: Item) -> tuple[int, float]:
    """Singles before pairs before sets, each in the annotator's own seeded order."""
    return (_KIND_ORDER.index(ItemKind(item.kind)), design.fraction(item.place, annotator.pk, item.pk))


def _balanced(annotator: Annotator, items: Sequence[Sequence[Assignment]]) -> list[Assignment]:
    """The lowest free seat of each item; of a pair, the lowest on the side that the annotator saw less often."""
    if not any(free[0].item.kind == ItemKind.PAIR for free in items):
        return [free[0] for free in items]
    own = Assignment.objects.for_annotator(annotator).filter(item__kind=ItemKind.PAIR)
    turned = [design.is_turned(place, number) for place, number in own.values_list("item__place", "number")]
    lead = 2 * sum(turned) - len(turned)
    chosen = []
    for free in items:
        seat = free[0]
        if seat.item.kind == ItemKind.PAIR:
            wanted = lead < 0 if lead else design.is_turned(seat.item.place, seat.number)
            seat = next((s for s in free if design.is_turned(s.item.place, s.number) == wanted), seat)
            lead += 1 if design.is_turned(seat.item.place, seat.number) else -1
        chosen.append(seat)
    return chosen


def _hold(annotator: Annotator, seats: Sequence[Assignment]) -> None:
    last_turn = Assignment.objects.for_annotator(annotator).aggregate(last=Max("turn"))["last"] or 0
    orders = _shown_orders(seats)
    expires = timezone.now() + HOLD
    turns = {seat.pk: turn for turn, seat in enumerate(seats, last_turn + 1)}
    # In one order for everybody, so that two claims can't wait for each other.
    for pk in sorted(turns):
        Assignment.objects.free().filter(pk=pk).update(
            status=Assignment.Status.HELD,
            annotator=annotator,
            turn=turns[pk],
            shown=orders[pk],
            expires_at=expires,
        )


def _shown_orders(seats: Sequence[Assignment]) -> dict[int, list[int]]:
    responses: dict[int, list[int]] = {}
    rows = ItemResponse.objects.filter(item__in=[s.item_id for s in seats]).order_by("item", "position")
    for item_id, response_id in rows.values_list("item_id", "response_id"):
        responses.setdefault(item_id, []).append(response_id)
    return {s.pk: design.shown_order(responses[s.item_id], s.item.place, s.number) for s in seats}


def _opened(seat: Assignment | None) -> Assignment | None:
    """Note when the seat's page was first made."""
    if seat is not None and seat.opened_at is None:
        seat.opened_at = timezone.now()
        Assignment.objects.filter(pk=seat.pk).update(opened_at=seat.opened_at)
    return seat


@dataclass(frozen=True, slots=True)
class Submission:
    """What a task page sends. `revision` is the number of judgments of the seat that the page knew of."""

    rows: Sequence[tuple[Criterion, Value]]
    token: uuid.UUID
    revision: int
    active_ms: int | None


def in_hand(annotator: Annotator, assignment_id: int) -> tuple[Assignment | None, Assignment | None]:
    """The seat that a page speaks of, whoever has it by now, and the one the annotator holds next."""
    held = list(
        Assignment.objects.for_annotator(annotator)
        .held()
        .select_related("item__prompt")
        .order_by("turn", "pk")[:2]
    )
    following = next((s for s in held if s.pk != assignment_id), None)
    seat = next((s for s in held if s.pk == assignment_id), None)
    if seat is None:
        seats = Assignment.objects.filter(study=annotator.study_id).select_related("item__prompt")
        seat = seats.filter(pk=assignment_id).first()
    return seat, following


def submit(
    annotator: Annotator, seat: Assignment, submission: Submission, following: Assignment | None = None
) -> Assignment | None:
    """Store a judgment and return the next seat: `following`, where the annotator holds one already.

    The same token again stores nothing. A page that knew of fewer judgments than there are is a stale tab
    (StaleSeatError).
    """
    with transaction.atomic():
        # The ordinary case costs no look: the seat is still held, and nobody else can fill it any more.
        if submission.revision == 0 and _fill(annotator, seat):
            _store(seat, submission)
            _renew(annotator, following)
        elif not _stored(annotator, seat, submission):
            _store(_seat_for_update(annotator, seat, submission), submission)
    return following or next_assignment(annotator)


def _fill(annotator: Annotator, seat: Assignment) -> bool:
    held = Assignment.objects.for_annotator(annotator).held().filter(pk=seat.pk)
    return bool(held.update(status=Assignment.Status.SUBMITTED, expires_at=None))


def _stored(annotator: Annotator, seat: Assignment, submission: Submission) -> bool:
    # Asked with the annotator locked: a double click waits for the first and then finds it stored.
    Annotator.objects.select_for_update().get(pk=annotator.pk)
    return Judgment.objects.filter(client_token=submission.token).exists()


def _seat_for_update(annotator: Annotator, seat: Assignment, submission: Submission) -> Assignment:
    """The annotator's seat at the item; one that ran out meanwhile is taken again, or another free one."""
    seats = Assignment.objects.select_for_update().filter(item=seat.item_id)
    own = seats.for_annotator(annotator).first()
    if own is None:
        return _taken_again(annotator, seat)
    if own.judgments.count() != submission.revision:
        raise StaleSeatError
    return own


def _taken_again(annotator: Annotator, lost: Assignment) -> Assignment:
    free = Assignment.objects.select_for_update().free().filter(item=lost.item_id).order_by("number").first()
    if free is None:
        raise StaleSeatError
    # What was shown is what the lost seat shows: its order follows from its number.
    free.status, free.annotator, free.shown = (
        Assignment.Status.SUBMITTED,
        annotator,
        _shown_orders([lost])[lost.pk],
    )
    free.save(update_fields=["status", "annotator", "shown"])
    return free


def _store(seat: Assignment, submission: Submission) -> None:
    judgment = Judgment.objects.create(
        assignment=seat,
        revision=submission.revision + 1,
        client_token=submission.token,
        opened_at=seat.opened_at,
        submitted_at=timezone.now(),
        active_ms=submission.active_ms,
    )
    Answer.objects.bulk_create(
        Answer(
            judgment=judgment,
            criterion=criterion,
            response_id=value.response,
            other_id=value.other,
            value=value.value,
            label=value.label,
            text=value.text,
        )
        for criterion, value in submission.rows
    )


def _renew(annotator: Annotator, following: Assignment | None) -> None:
    """A sign of life: what the annotator holds is kept longer, and the next page is open from now."""
    if following is None:
        return
    now = timezone.now()
    following.opened_at = following.opened_at or now
    opened = Case(
        When(pk=following.pk, then=Constant(following.opened_at, DateTimeField())), default=F("opened_at")
    )
    held = Assignment.objects.for_annotator(annotator).held()
    held.update(expires_at=now + HOLD, opened_at=opened)


_RELEASED = {
    "status": Assignment.Status.FREE,
    "annotator": None,
    "expires_at": None,
    "opened_at": None,
    "shown": None,
    "turn": 0,
}


def release(annotator: Annotator) -> int:
    """Give back what the annotator holds (leaving early); what was submitted stays."""
    return Assignment.objects.for_annotator(annotator).held().update(**_RELEASED)


def release_expired(study_id: int) -> int:
    return Assignment.objects.expired().filter(study_id=study_id).update(**_RELEASED)


def exclude(judgment: Judgment, reason: str) -> Assignment:
    """Stop counting a judgment; it stays, marked, and its item gets a new seat."""
    with transaction.atomic():
        Judgment.objects.filter(assignment=judgment.assignment_id).update(excluded=reason)
        item = Item.objects.select_for_update().get(pk=judgment.assignment.item_id)
        number = item.assignments.aggregate(last=Max("number"))["last"] + 1
        return Assignment.objects.create(
            study_id=item.study_id, item=item, number=number, rank=design.seat_rank(number, item.prompt_place)
        )


def own_counts(annotator: Annotator) -> dict[str, int]:
    """How many seats the annotator has submitted and holds."""
    rows = Assignment.objects.for_annotator(annotator).values_list("status").annotate(n=Count("pk"))
    counts = dict(rows)
    return {"submitted": counts.get("submitted", 0), "held": counts.get("held", 0)}


def outlook(annotator: Annotator) -> Outlook:
    """Why there is nothing to do now, for the page at the end."""
    others = Assignment.objects.held().filter(study=annotator.study_id).exclude(annotator=annotator)
    possible = others.exclude(item__in=Assignment.objects.for_annotator(annotator).values("item"))
    return Outlook(
        submitted=own_counts(annotator)["submitted"],
        free=Assignment.objects.open_to(annotator).values("item").distinct().count(),
        held_by_others=possible.values("item").distinct().count(),
        next_release=possible.aggregate(soonest=Min("expires_at"))["soonest"],
    )


def free_seats(study: Study) -> int:
    return Assignment.objects.filter(study=study).free().count()
