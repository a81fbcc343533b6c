"""Stop counting judgments, one by one or all of an annotator's, and count them again. In transactions."""

from django.db import transaction

from annotate import trail
from annotate.models import Action, Annotator, Assignment, Item, Judgment
from annotate.seats import new_seat, release


def exclude(judgment: Judgment, reason: str) -> None:
    """Stop counting a judgment; it stays, marked, and its item gets a new seat."""
    with transaction.atomic():
        if _exclude(judgment, reason):
            seat = judgment.assignment
            trail.record(seat.study, Action.EXCLUDED, _named(seat), reason=reason)


def _named(seat: Assignment) -> str:
    return f"judgment of {seat.item} by {seat.annotator}"


def _exclude(judgment: Judgment, reason: str) -> bool:
    seat = Assignment.objects.select_for_update().select_related("item").get(pk=judgment.assignment_id)
    done = bool(seat.judgments.filter(excluded="").update(excluded=reason))
    if done and seat.item.role == Item.Role.MAIN:
        new_seat(seat.item)
    return done


def readmit(judgment: Judgment) -> None:
    """Count an excluded judgment again; the seat that stood in for it goes, if nobody took it."""
    with transaction.atomic():
        if _readmit(judgment):
            seat = judgment.assignment
            trail.record(seat.study, Action.READMITTED, _named(seat), was=judgment.excluded)


def _readmit(judgment: Judgment) -> bool:
    seat = Assignment.objects.select_for_update().select_related("item").get(pk=judgment.assignment_id)
    done = bool(seat.judgments.exclude(excluded="").update(excluded=""))
    if done and seat.item.role == Item.Role.MAIN:
        spare = seat.item.assignments.free().order_by("-number").first()
        if spare is not None:
            spare.delete()
    return done


def exclude_annotator(annotator: Annotator, reason: str) -> None:
    """Stop counting all that an annotator gave, and give back what is held."""
    with transaction.atomic():
        if not Annotator.objects.filter(pk=annotator.pk, excluded="").update(excluded=reason):
            return
        release(annotator)
        own = Judgment.objects.current().filter(assignment__annotator=annotator, excluded="")
        n = sum(_exclude(judgment, f"annotator: {reason}") for judgment in own)
        trail.record(annotator.study, Action.EXCLUDED, f"annotator {annotator}", reason=reason, judgments=n)


def readmit_annotator(annotator: Annotator) -> None:
    """Undo `exclude_annotator`; judgments excluded one by one stay so."""
    with transaction.atomic():
        Annotator.objects.filter(pk=annotator.pk).update(excluded="")
        whole = f"annotator: {annotator.excluded}"
        own = Judgment.objects.current().filter(assignment__annotator=annotator, excluded=whole)
        n = sum(_readmit(judgment) for judgment in own)
        was = annotator.excluded
        trail.record(annotator.study, Action.READMITTED, f"annotator {annotator}", was=was, judgments=n)
