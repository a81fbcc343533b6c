"""Every rule about seats, in transactions: who may sit where, what a submission does, what comes back."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from annotate import design, offer, visits
from annotate.kinds import Value
from annotate.models import Annotator, Answer, Assignment, Criterion, Draft, Item, Judgment
from annotate.models.assignment import FIRST_HOLD, HOLD, AssignmentQuerySet

# Why a judgment without answers does not count: its annotator passed the item over.
SKIPPED = "skipped"
# Held seats come back HOLD after the annotator's last sign of life, or a minute less.
RENEWAL = dt.timedelta(minutes=1)
CLAIM_TRIES = 20


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
    return _opened(next(iter(_held(annotator)[:1]), None) or _claim_block(annotator))


def following(annotator: Annotator, assignment_id: int) -> Assignment | None:
    """The seat after the one at hand, for a page made ahead: held already, or claimed now."""
    held = list(_held(annotator)[:2])
    if [s.pk for s in held] == [assignment_id]:
        _claim_block(annotator)
        held = list(_held(annotator)[:2])
    return next((s for s in held if s.pk != assignment_id), None)


def next_practice(annotator: Annotator) -> Assignment | None:
    """The practice item to show now; every annotator has a seat at each."""
    with transaction.atomic():
        Annotator.objects.select_for_update().get(pk=annotator.pk)
        items = [] if _held(annotator).exists() else offer.practice(annotator)
        if items:
            _hold(annotator, [_extra_seat(item) for item in items])
    return _opened(_held(annotator).filter(item__role=Item.Role.PRACTICE).first())


def _held(annotator: Annotator) -> AssignmentQuerySet:
    own = Assignment.objects.for_annotator(annotator).held()
    return own.select_related("item__prompt", "draft").order_by("turn", "pk")


def _claim_block(annotator: Annotator) -> Assignment | None:
    """Hold the annotator's next block of seats, gold items and repeats mixed in; return the first."""
    release_expired(annotator.study_id)
    # A claim fails only where somebody else, or another tab, takes the very seats in between; there are others then.
    for _ in range(CLAIM_TRIES):
        held = _held(annotator).count()
        space = visits.room(annotator) - held
        block = offer.next_block(annotator, min(space, offer.MOST)) if space > 0 else []
        extra = offer.attention_items(annotator, block) if space > 0 else []
        if not block and not extra:
            break
        if _take(annotator, held, block, extra):
            visits.count_items(annotator)
            break
    return _held(annotator).first()


def _take(annotator: Annotator, held: int, block: Sequence[Assignment], extra: Sequence[Item]) -> int:
    """Hold what was found without a lock; nothing where another tab of the annotator's was faster."""
    items = [*(seat.item_id for seat in block), *(item.pk for item in extra)]
    with transaction.atomic():
        # Tabs of one annotator take one after the other.
        Annotator.objects.select_for_update().get(pk=annotator.pk)
        seated = Assignment.objects.for_annotator(annotator).filter(item__in=items)
        if _held(annotator).count() != held or seated.exists():
            return 0
        return _hold(annotator, _mixed(annotator, block, [_extra_seat(item) for item in extra]))


def _extra_seat(item: Item) -> Assignment:
    """A seat beyond those asked for: practice, gold and repeats are for everybody who comes."""
    Item.objects.select_for_update().get(pk=item.pk)
    given_back = item.assignments.free().first()
    return given_back or new_seat(item)


def new_seat(item: Item) -> Assignment:
    last = item.assignments.aggregate(last=Max("number"))["last"] or 0
    rank = design.seat_rank(last + 1, item.prompt_place)
    return Assignment.objects.create(study_id=item.study_id, item=item, number=last + 1, rank=rank)


def _mixed(
    annotator: Annotator, block: Sequence[Assignment], extra: Sequence[Assignment]
) -> list[Assignment]:
    line = list(block)
    for seat in extra:
        place = design.fraction(annotator.study.seed, annotator.pk, seat.item_id)
        line.insert(1 + int(place * len(line)), seat)
    return line


def _hold(annotator: Annotator, seats: Sequence[Assignment]) -> int:
    last_turn = Assignment.objects.for_annotator(annotator).aggregate(last=Max("turn"))["last"] or 0
    orders = offer.shown_orders(seats) | offer.swapped(annotator, seats)
    expires = timezone.now() + (HOLD if last_turn else FIRST_HOLD)
    turns = {seat.pk: turn for turn, seat in enumerate(seats, last_turn + 1)}
    # In one order for everybody, so that two claims can't wait for each other.
    return sum(
        Assignment.objects.free()
        .filter(pk=pk)
        .update(
            status=Assignment.Status.HELD,
            annotator=annotator,
            turn=turns[pk],
            shown=orders[pk],
            expires_at=expires,
        )
        for pk in sorted(turns)
    )


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
    active_ms: int | None = None
    first_ms: int | None = None
    changes: int | None = None
    looked: dict[str, int] | None = None
    read_to_end: list[int] | None = None
    flag: str = ""
    comment: str = ""
    skipped: bool = False


def in_hand(annotator: Annotator, assignment_id: int) -> tuple[Assignment | None, Assignment | None]:
    """The seat that a page speaks of, whoever has it by now, and the one the annotator holds next."""
    held = list(_held(annotator)[:2])
    next_held = next((s for s in held if s.pk != assignment_id), None)
    seat = next((s for s in held if s.pk == assignment_id), None)
    if seat is None:
        seats = Assignment.objects.filter(study=annotator.study_id).select_related("item__prompt")
        seat = seats.filter(pk=assignment_id).first()
    return seat, next_held


def submit(
    annotator: Annotator, seat: Assignment, submission: Submission, next_held: Assignment | None = None
) -> Assignment | None:
    """Store a judgment and return the next seat: `next_held`, where the annotator holds one already.

    The same token again stores nothing. A page that knew of fewer judgments than there are is a stale tab
    (StaleSeatError).
    """
    try:
        with transaction.atomic():
            # The ordinary case costs no look: the seat is still held, and nobody else can fill it any more.
            if submission.revision == 0 and _fill(annotator, seat):
                _store(seat, submission)
                _renew(annotator, next_held)
            elif not _stored(annotator, seat, submission):
                _store(_seat_for_update(annotator, seat, submission), submission)
    except IntegrityError as error:
        if Judgment.objects.filter(client_token=submission.token).exists():
            # The token of a page sent before, at another seat.
            raise StaleSeatError from error
        raise
    return next_held or next_assignment(annotator)


def _fill(annotator: Annotator, seat: Assignment) -> bool:
    held = Assignment.objects.for_annotator(annotator).held().filter(pk=seat.pk)
    return bool(held.update(status=Assignment.Status.SUBMITTED, expires_at=None))


def _stored(annotator: Annotator, seat: Assignment, submission: Submission) -> bool:
    """Whether this very submission came before. The same token with other answers is a stale page."""
    # Asked with the annotator locked: a double click waits for the first and then finds it stored.
    Annotator.objects.select_for_update().get(pk=annotator.pk)
    before = Judgment.objects.filter(client_token=submission.token).first()
    if before is None:
        return False
    columns = ("criterion_id", "response_id", "other_id", "value", "label", "text")
    stored = set(before.answers.values_list(*columns))
    sent = {(c.pk, v.response, v.other, v.value, v.label, v.text) for c, v in submission.rows}
    if before.assignment.annotator_id != annotator.pk or stored != sent:
        raise StaleSeatError
    return True


def _seat_for_update(annotator: Annotator, seat: Assignment, submission: Submission) -> Assignment:
    """The annotator's seat at the item; one that ran out meanwhile is taken again, or another free one."""
    seats = Assignment.objects.select_for_update().filter(item=seat.item_id)
    own = seats.for_annotator(annotator).first()
    if own is None:
        return _taken_again(annotator, seat, submission)
    if own.judgments.count() != submission.revision or not may_change(annotator, own):
        raise StaleSeatError
    if own.status == Assignment.Status.HELD:
        # The old page of a seat that ran out; meanwhile the annotator holds another at the same item.
        _fill_with(own, annotator, seat)
    return own


def may_change(annotator: Annotator, seat: Assignment) -> bool:
    """Whether the last judgment at the annotator's seat may still be revised."""
    last = seat.judgments.order_by("-revision").first()
    if last is None or last.excluded or last.submitted_at is None:
        return last is None
    window = dt.timedelta(minutes=annotator.study.edit_minutes)
    return seat.item.role == Item.Role.PRACTICE or timezone.now() - last.submitted_at <= window


def earlier(annotator: Annotator, before: Assignment | None = None) -> Assignment | None:
    """The annotator's last submitted seat, or the last before another, that may still be changed."""
    own = visits.worked(annotator).submitted().select_related("item__prompt").order_by("-turn", "-pk")
    if before is not None:
        own = own.filter(turn__lt=before.turn)
    seat = own.first()
    return seat if seat is not None and may_change(annotator, seat) else None


def save_draft(annotator: Annotator, assignment_id: int, revision: int, fields: dict[str, str]) -> bool:
    """Keep what is entered on a page, as a sign of life; False for a page that is out of date."""
    with transaction.atomic():
        own = Assignment.objects.select_for_update().for_annotator(annotator)
        seat = own.filter(pk=assignment_id).exclude(status=Assignment.Status.FREE).first()
        if seat is None or seat.judgments.count() != revision:
            return False
        Draft.objects.update_or_create(assignment=seat, defaults={"fields": fields})
    held = Assignment.objects.for_annotator(annotator).held()
    held.update(expires_at=timezone.now() + HOLD)
    return True


def _taken_again(annotator: Annotator, lost: Assignment, submission: Submission) -> Assignment:
    free = Assignment.objects.select_for_update().free().filter(item=lost.item_id).order_by("number").first()
    if free is None or submission.revision:
        raise StaleSeatError
    _fill_with(free, annotator, lost)
    return free


def _fill_with(seat: Assignment, annotator: Annotator, lost: Assignment) -> None:
    # What was shown is what the lost seat shows: its order follows from its number.
    seat.shown = lost.shown or offer.shown_orders([lost])[lost.pk]
    seat.status, seat.annotator, seat.expires_at = Assignment.Status.SUBMITTED, annotator, None
    seat.save(update_fields=["status", "annotator", "shown", "expires_at"])


def _store(seat: Assignment, submission: Submission) -> None:
    judgment = Judgment.objects.create(
        assignment=seat,
        revision=submission.revision + 1,
        client_token=submission.token,
        opened_at=seat.opened_at,
        submitted_at=timezone.now(),
        active_ms=submission.active_ms,
        first_ms=submission.first_ms,
        changes=submission.changes,
        looked=submission.looked,
        read_to_end=submission.read_to_end,
        flag=submission.flag,
        comment=submission.comment,
        excluded=SKIPPED if submission.skipped else "",
    )
    Draft.objects.filter(assignment=seat).delete()
    if submission.skipped and seat.item.role == Item.Role.MAIN:
        new_seat(seat.item)
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


def _renew(annotator: Annotator, next_held: Assignment | None) -> None:
    """A sign of life: the next page is open from now, and what the annotator holds is kept longer."""
    if next_held is None:
        return
    now = timezone.now()
    held = Assignment.objects.for_annotator(annotator).held()
    if next_held.opened_at is None:
        next_held.opened_at = now
        held.filter(pk=next_held.pk).update(opened_at=now)
    # Not with every item: it writes the whole block anew.
    if next_held.expires_at is None or next_held.expires_at < now + HOLD - RENEWAL:
        held.update(expires_at=now + HOLD)


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
    return _give_back(Assignment.objects.for_annotator(annotator).held())


def release_expired(study_id: int) -> int:
    return _give_back(Assignment.objects.expired().filter(study_id=study_id))


def _give_back(held: AssignmentQuerySet) -> int:
    with transaction.atomic():
        # Whoever locks one of them now is renewing or filling it; waiting in turn could end in a deadlock.
        rows = held.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
        return held.filter(pk__in=list(rows.values_list("pk", flat=True)), judgments=None).update(**_RELEASED)


def outlook(annotator: Annotator) -> Outlook:
    """Why there is nothing to do now, for the page at the end."""
    others = Assignment.objects.held().filter(study=annotator.study_id).exclude(annotator=annotator)
    possible = others.exclude(item__in=Assignment.objects.for_annotator(annotator).values("item"))
    return Outlook(
        submitted=visits.done(annotator),
        free=offer.open_items(annotator.study_id, to=annotator).count(),
        held_by_others=possible.values("item").distinct().count(),
        next_release=possible.aggregate(soonest=Min("expires_at"))["soonest"],
    )
