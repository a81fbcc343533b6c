"""What must hold for every study's rows: each invariant is a query for the rows that break it."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models import Case, Count, Exists, F, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, When
from django.utils import timezone

from annotate.counting import counted
from annotate.folder.study_toml import wrong_scale
from annotate.kinds import KINDS, AnswerError, ItemKind, Kind, Value, kind_of
from annotate.models import (
    Answer,
    Assignment,
    Criterion,
    Draft,
    Item,
    ItemResponse,
    Judgment,
    Response,
    Study,
)
from annotate.models.assignment import HOLD
from annotate.models.judgment import JudgmentQuerySet

SHOWN_IDS = 20
# Clocks of servers may differ by so much.
LEEWAY = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Invariant:
    """`broken` are the rows, or their ids, that the sentence is true of; a doubt is no proof that anything is wrong."""

    says: str
    table: str
    broken: Callable[[Study], QuerySet[Any] | Iterable[int]]
    doubt: bool = False


@dataclass
class Fault:
    says: str
    table: str
    doubt: bool
    n: int = 0
    ids: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        more = ", …" if self.n > len(self.ids) else ""
        sort = "doubt" if self.doubt else "wrong"
        return f"{sort}: {self.says}: {self.n:,} ({self.table} {', '.join(map(str, self.ids))}{more})"


def faults(study: Study, invariants: Iterable[Invariant]) -> Iterator[Fault]:
    for invariant in invariants:
        fault = Fault(invariant.says, invariant.table, invariant.doubt)
        rows = invariant.broken(study)
        for pk in (
            rows.order_by("pk").values_list("pk", flat=True).iterator()
            if isinstance(rows, QuerySet)
            else rows
        ):
            fault.n += 1
            if len(fault.ids) < SHOWN_IDS:
                fault.ids.append(pk)
        if fault.n:
            yield fault


def database_faults() -> Iterator[Fault]:
    """Damage that SQLite finds in its file, and dangling rows. PostgreSQL prevents both."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        for (message,) in cursor.execute("PRAGMA integrity_check(20)").fetchall():
            if message != "ok":
                yield Fault(f"the file of the database: {message}", "database", doubt=False, n=1)
        dangling: dict[tuple[str, str], Fault] = {}
        for table, row, parent, _ in cursor.execute("PRAGMA foreign_key_check").fetchall():
            fault = dangling.setdefault(
                (table, parent), Fault(f"row without its {parent}", table, doubt=False)
            )
            fault.n += 1
            if row is not None and len(fault.ids) < SHOWN_IDS:
                fault.ids.append(row)
        yield from dangling.values()


def _seats(study: Study) -> QuerySet[Assignment]:
    return Assignment.objects.filter(study=study)


def _main(study: Study) -> QuerySet[Any]:
    """Main items with the number of their seats that count: all but those whose last judgment is excluded."""
    later = Judgment.objects.filter(assignment=OuterRef("assignment"), revision__gt=OuterRef("revision"))
    excluded = Judgment.objects.filter(~Q(excluded=""), ~Exists(later), assignment=OuterRef("pk"))
    seats = Assignment.objects
    return study.items.filter(role=Item.Role.MAIN).annotate(
        counted=counted(seats.filter(~Exists(excluded)), "item"),
        spare=counted(seats.free(), "item"),
    )


def _wrong_number_of_responses(study: Study) -> QuerySet[Item]:
    fits = Q(*[Q(kind=k.value, n__gte=k.sizes.start, n__lt=k.sizes.stop) for k in ItemKind], _connector=Q.OR)
    return study.items.annotate(n=Count("item_responses")).exclude(fits)


def _other_repeats(study: Study) -> QuerySet[Item]:
    """Repeats that show another response than their original, or one fewer."""
    original = ItemResponse.objects.filter(item=OuterRef("item__repeat_of"), response=OuterRef("response"))
    strange = ItemResponse.objects.filter(~Exists(original), item=OuterRef("pk"))
    repeats = study.items.filter(role=Item.Role.REPEAT).annotate(
        n=Count("item_responses", distinct=True), n_before=Count("repeat_of__item_responses", distinct=True)
    )
    return repeats.filter(Q(Exists(strange)) | ~Q(n=F("n_before")) | ~Q(repeat_of__study=study))


def _withheld_otherwise(study: Study) -> QuerySet[Item]:
    held_back = ItemResponse.objects.filter(item=OuterRef("pk")).exclude(response__held_back="")
    return study.items.filter(
        Q(Exists(held_back), withheld=False) | (~Q(Exists(held_back)) & Q(withheld=True))
    )


def _shown_otherwise(study: Study) -> Iterator[int]:
    """Seats whose stored order is not a permutation of the item's responses."""
    shows: dict[int, list[int]] = {}
    rows = ItemResponse.objects.filter(item__study=study).order_by("item").values_list("item", "response")
    for item, group in groupby(rows.iterator(), key=itemgetter(0)):
        shows[item] = sorted(response for _, response in group)
    seats = _seats(study).filter(shown__isnull=False).order_by("pk").values_list("pk", "item", "shown")
    for pk, item, order in seats.iterator():
        if not isinstance(order, list) or sorted(order, key=str) != sorted(shows.get(item, []), key=str):
            yield pk


def _judgments(study: Study) -> QuerySet[Judgment]:
    return Judgment.objects.in_study(study)


def _counted(study: Study) -> JudgmentQuerySet:
    return Judgment.objects.counted().in_study(study)


def _broken_chain(study: Study) -> QuerySet[Assignment]:
    """Revisions that don't count from one without a gap."""
    chain_ = _seats(study).annotate(n=Count("judgments"), last=Max("judgments__revision"))
    return chain_.filter(n__gt=0).exclude(n=F("last"))


def _known(study: Study) -> QuerySet[Criterion]:
    return study.criteria.filter(kind__in=KINDS)


def _has_wrong_scale(criterion: Criterion, kind: Kind) -> bool:
    scale = [end for end in (criterion.scale_low, criterion.scale_high) if end is not None]
    return bool(wrong_scale(kind, scale))


def _misfit(study: Study) -> Iterator[int]:
    """Criteria of an unknown kind, on items that can't ask it, or with a scale where the kind has none."""
    for criterion in study.criteria.all():
        kind = KINDS.get(criterion.kind)
        if kind is None or criterion.on not in kind.item_kinds or _has_wrong_scale(criterion, kind):
            yield criterion.pk


def _incomplete(study: Study) -> Iterator[int]:
    """Judgments made here that lack an answer to a question that must be answered."""
    for criterion in _known(study).filter(required=True):
        own = Answer.objects.filter(judgment=OuterRef("pk"), criterion=criterion)
        due = _counted(study).made_here().filter(assignment__item__kind=criterion.on)
        if not kind_of(criterion).per_response:
            yield from due.filter(~Exists(own)).values_list("pk", flat=True).iterator()
            continue
        # From the judgment, to a response of its item, to the answer about it.
        about = Answer.objects.filter(
            criterion=criterion, judgment=OuterRef(OuterRef("pk")), response=OuterRef("response")
        )
        left_out = ItemResponse.objects.filter(~Exists(about), item=OuterRef("assignment__item"))
        yield from due.filter(Exists(left_out)).values_list("pk", flat=True).iterator()


def _answers(study: Study) -> QuerySet[Answer]:
    return Answer.objects.filter(criterion__study=study)


def _not_shown(column: str) -> Callable[[Study], QuerySet[Answer]]:
    def broken(study: Study) -> QuerySet[Answer]:
        links = ItemResponse.objects.filter(
            item=OuterRef("judgment__assignment__item"), response=OuterRef(f"{column}_id")
        )
        return _answers(study).filter(~Exists(links), **{f"{column}__isnull": False})

    return broken


def _not_admitted(study: Study) -> Iterator[int]:
    """Answers that their criterion does not admit, as `Kind.check` says: asked once for each different answer."""
    for criterion in _known(study):
        columns = _shape(criterion)
        own = Answer.objects.filter(criterion=criterion).annotate(**columns).order_by()
        names = ["value", "label", *columns]
        for row in own.values_list(*names).distinct().iterator():
            values = dict(zip(names, row, strict=True))
            if not _admits(criterion, values):
                yield from own.filter(**_exactly(values)).values_list("pk", flat=True)


def _shape(criterion: Criterion) -> dict[str, Any]:
    """What of an answer decides, beside value and label, whether it is admitted."""

    def is_there(condition: Q) -> Case:
        return Case(When(condition, then=1), default=0, output_field=IntegerField())

    shape: dict[str, Any] = {
        "with_text": is_there(~Q(text="")),
        "with_response": is_there(Q(response__isnull=False)),
        "with_other": is_there(Q(other__isnull=False)),
    }
    if criterion.on == ItemKind.SET:
        links = (
            ItemResponse.objects.filter(item=OuterRef("judgment__assignment__item")).order_by().values("item")
        )
        shape["size"] = Subquery(links.annotate(n=Count("pk")).values("n"))
    return shape


def _admits(criterion: Criterion, answer: dict[str, Any]) -> bool:
    size = answer.get("size", ItemKind(criterion.on).sizes.start) or 0
    value = Value(
        response=1 if answer["with_response"] else None,
        other=2 if answer["with_other"] else None,
        value=answer["value"],
        label=answer["label"],
        text="x" if answer["with_text"] else "",
    )
    try:
        kind_of(criterion).check(criterion, value, range(1, size + 1))
    except AnswerError:
        return False
    return True


def _exactly(columns: dict[str, Any]) -> dict[str, Any]:
    return {f"{name}__isnull" if v is None else name: True if v is None else v for name, v in columns.items()}


def _future(study: Study) -> QuerySet[Judgment]:
    return _judgments(study).filter(submitted_at__gt=timezone.now() + LEEWAY)


S = Assignment.Status
INVARIANTS: list[Invariant] = [
    Invariant("response whose prompt is of another study", "Response",
              lambda s: Response.objects.filter(study=s).exclude(prompt__study=s)),
    Invariant("item whose prompt is of another study", "Item", lambda s: s.items.exclude(prompt__study=s)),
    Invariant("item that shows a response to another prompt", "ItemResponse",
              lambda s: ItemResponse.objects.filter(item__study=s).exclude(response__prompt=F("item__prompt"))),
    Invariant("item with another number of responses than its kind shows", "Item", _wrong_number_of_responses),
    Invariant("item whose responses are not numbered 0, 1, 2, …", "Item",
              lambda s: s.items.annotate(n=Count("item_responses"), last=Max("item_responses__position"))
              .filter(n__gt=0).exclude(n=F("last") + 1)),
    Invariant("repeat that shows something else than its original", "Item", _other_repeats),
    Invariant("gold item that no answer is expected of", "Item",
              lambda s: s.items.filter(role=Item.Role.GOLD, expected__isnull=True)),
    Invariant("item withheld though nothing of it is held back, or shown though something is", "Item",
              _withheld_otherwise),
    Invariant("seat of another study than its item", "Assignment", lambda s: _seats(s).exclude(item__study=s)),
    Invariant("seat whose annotator is of another study", "Assignment",
              lambda s: _seats(s).filter(annotator__isnull=False).exclude(annotator__study=s)),
    Invariant("item with fewer seats than the study wants", "Item", lambda s: _main(s).filter(counted__lt=s.seats)),
    Invariant("item that offers seats beyond what the study wants", "Item",
              lambda s: _main(s).filter(counted__gt=s.seats, spare__gt=0)),
    Invariant("item with more judgments than the study wants (loaded so, or judgments were readmitted)", "Item",
              lambda s: _main(s).filter(counted__gt=s.seats, spare=0), doubt=True),
    Invariant("submitted seat without a judgment", "Assignment",
              lambda s: _seats(s).filter(status=S.SUBMITTED, judgments=None)),
    Invariant("seat with a judgment that is not submitted", "Assignment",
              lambda s: _seats(s).exclude(status=S.SUBMITTED).filter(judgments__isnull=False).distinct()),
    Invariant("criterion whose kind, item and scale don't fit each other", "Criterion", _misfit),
    Invariant("free seat that remembers an annotator's visit", "Assignment",
              lambda s: _seats(s).filter(status=S.FREE).filter(Q(shown__isnull=False) | ~Q(turn=0))),
    Invariant("seat held for longer than seats are held: a clock was wrong", "Assignment",
              lambda s: _seats(s).filter(status=S.HELD, expires_at__gt=timezone.now() + HOLD + LEEWAY)),
    Invariant("seat that shows other responses than its item", "Assignment", _shown_otherwise),
    Invariant("draft of a seat that nobody has", "Draft",
              lambda s: Draft.objects.filter(assignment__study=s, assignment__status=S.FREE)),
    Invariant("seat whose revisions don't count 1, 2, 3, …", "Assignment", _broken_chain),
    Invariant("judgment from the future: a clock was wrong", "Judgment", _future),
    Invariant("excluded annotator who holds a seat", "Assignment",
              lambda s: _seats(s).filter(status=S.HELD).exclude(annotator__excluded="")),
    Invariant("judgment of an excluded annotator that is counted", "Judgment",
              lambda s: _counted(s).exclude(assignment__annotator__excluded="")),
    Invariant("counted judgment without any answer", "Judgment", lambda s: _counted(s).filter(answers=None)),
    Invariant("judgment that lacks an answer to a required question", "Judgment", _incomplete),
    Invariant("answer to a question of another study", "Answer",
              lambda s: _answers(s).exclude(judgment__assignment__study=s)),
    Invariant("answer to a question that its item does not ask", "Answer",
              lambda s: _answers(s).exclude(judgment__assignment__item__kind=F("criterion__on"))),
    Invariant("answer about a response that its item does not show", "Answer", _not_shown("response")),
    Invariant("answer that compares with a response that its item does not show", "Answer", _not_shown("other")),
    Invariant("answer that its question does not admit", "Answer", _not_admitted),
]  # fmt: skip
