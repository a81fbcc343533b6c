"""One visit of an annotator: how many items it holds, how many are left, and which of them a page shows."""

from dataclasses import dataclass

from django.db.models import Count, Q

from annotate import offer
from annotate.models import Annotator, Assignment, Item, Study
from annotate.models.assignment import AssignmentQuerySet


def worked(annotator: Annotator) -> AssignmentQuerySet:
    """The annotator's seats without practice."""
    return Assignment.objects.for_annotator(annotator).exclude(item__role=Item.Role.PRACTICE)


def practiced(annotator: Annotator) -> AssignmentQuerySet:
    return Assignment.objects.for_annotator(annotator).filter(item__role=Item.Role.PRACTICE)


def done(annotator: Annotator) -> int:
    """Items that the annotator has submitted, without practice."""
    return worked(annotator).submitted().count()


def done_in_visit(annotator: Annotator) -> int:
    return max(0, done(annotator) - annotator.session_start)


def room(annotator: Annotator) -> int:
    """How many more items the annotator's visit may take."""
    study = annotator.study
    if study.status != Study.Status.OPEN or annotator.excluded:
        return 0
    if not study.session_items:
        return offer.MOST
    return max(0, annotator.session_start + study.session_items - done(annotator))


def items_left(annotator: Annotator) -> int:
    """Items left in this visit, as things stand."""
    there = worked(annotator).held().count() + offer.open_items(annotator.study, to=annotator).count()
    return min(there, room(annotator)) if annotator.study.session_items else there


def count_items(annotator: Annotator) -> None:
    """Note how many items this visit holds: with every block of seats, since counting takes long in a large study."""
    annotator.visit_items = done_in_visit(annotator) + items_left(annotator)
    annotator.save(update_fields=["visit_items"])


@dataclass(frozen=True, slots=True)
class Progress:
    """Which item of how many a page shows."""

    number: int
    total: int
    is_practice: bool

    @property
    def before(self) -> int:
        return self.number - 1


def progress(annotator: Annotator, seat: Assignment) -> Progress:
    """By the seat's own turn, so that pages made ahead and earlier ones say what is theirs."""
    is_practice = seat.item.role == Item.Role.PRACTICE
    own = practiced(annotator) if is_practice else worked(annotator)
    counts = own.aggregate(total=Count("pk"), before=Count("pk", filter=Q(turn__lt=seat.turn)))
    start = 0 if is_practice else annotator.session_start
    number = max(1, counts["before"] - start + 1)
    total = max(number, counts["total"] - start, 0 if is_practice else annotator.visit_items)
    return Progress(number, total, is_practice)
