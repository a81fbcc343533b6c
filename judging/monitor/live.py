"""How a study is going: a handful of queries whatever its size, since a page is updated every ten seconds."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from annotate import invites
from annotate.models import Annotator, Assignment, Item, Judgment, Study
from annotate.models.assignment import held_too_long
from annotate.seats import SKIPPED
from judging.monitor.annotator_quality import WHOLE, AnnotatorQuality, annotator_quality
from judging.monitor.concerns import with_concerns
from judging.results.agreement import SoFar, so_far
from judging.results.cache import Dated, cached_a_minute, exclusions, unless_large

HOUR = dt.timedelta(hours=1)
FEW = 5  # judgments below which a pace says nothing
MOST = 50  # rows of a list that can grow


@dataclass(frozen=True, slots=True)
class Seats:
    """Seats of one role: those that count, those that somebody sits at, those still open."""

    role: str
    filled: int
    set_aside: int  # filled, but the judgment does not count
    held: int
    ran_out: int  # of those held: free again with the next claim
    idle: int  # of those held: by people who have done nothing yet
    free: int
    withheld: int  # open seats at items that are held back

    @property
    def left(self) -> int:
        return self.held + self.free


@dataclass(frozen=True, slots=True)
class Pace:
    last_hour: float | None  # judgments an hour
    n_last_hour: int
    overall: float | None
    n: int
    words: str


@dataclass(frozen=True, slots=True)
class Listed:
    """The latest rows, and how many there are in all."""

    rows: Sequence[Any]
    n: int


@dataclass(frozen=True, slots=True)
class Live:
    at: dt.datetime
    main: Seats
    others: list[Seats]
    pace: Pace
    people: list[tuple[str, int]]
    n_people: int
    idle_seats: int  # held by people who have done nothing yet
    turned_away: int  # visitors whom the panel's link did not name
    agreement: Dated[list[SoFar]]
    remarks: Listed
    skipped: Listed


def live(study: Study) -> Live:
    return unless_large(study, "live", lambda: _live(study))


def _live(study: Study) -> Live:
    now = timezone.now()
    seats = _seats(study, now)
    main = seats.pop(Item.Role.MAIN)
    people = _people(study)
    return Live(
        at=now,
        main=main,
        others=[s for s in seats.values() if s.filled + s.set_aside + s.left + s.withheld],
        pace=_pace(study, main.left, now),
        people=people,
        n_people=sum(n for _, n in people),
        idle_seats=sum(s.idle for s in [main, *seats.values()]),
        turned_away=invites.turned_away(study),
        agreement=cached_a_minute(study, "so-far", lambda: so_far(study), exclusions(study)),
        remarks=_remarks(study),
        skipped=_skipped(study),
    )


def _seats(study: Study, now: dt.datetime) -> dict[Item.Role, Seats]:
    """By role; one query for the seats and one for what of them does not count."""
    gone = held_too_long(now)
    own = Assignment.objects.submitted().filter(study=study, annotator=OuterRef("annotator"))
    untouched = Q(status=Assignment.Status.HELD, draft=None) & ~Exists(own)
    rows = (
        Assignment.objects.filter(study=study)
        .values_list("item__role", "item__withheld", "status")
        .annotate(n=Count("pk"), ran_out=Count("pk", filter=gone), idle=Count("pk", filter=untouched))
        .order_by()
    )
    n: dict[tuple[str, bool, str], int] = {}
    ran_out: Counter[str] = Counter()
    idle: Counter[str] = Counter()
    for role, withheld, status, count, late, waiting in rows:
        n[role, withheld, status] = count
        ran_out[role] += late
        idle[role] += waiting
    aside = dict(
        Judgment.objects.in_study(study)
        .exclude(excluded="")
        .current()
        .values_list("assignment__item__role")
        .annotate(n=Count("pk"))
        .order_by()
    )

    def of(role: Item.Role) -> Seats:
        submitted = n.get((role, False, "submitted"), 0) + n.get((role, True, "submitted"), 0)
        return Seats(
            role=str(role.label).lower(),
            filled=submitted - aside.get(role, 0),
            set_aside=aside.get(role, 0),
            held=n.get((role, False, "held"), 0) + n.get((role, True, "held"), 0),
            ran_out=ran_out[role],
            idle=idle[role],
            free=n.get((role, False, "free"), 0),
            withheld=n.get((role, True, "free"), 0),
        )

    return {role: of(role) for role in (Item.Role.MAIN, Item.Role.GOLD, Item.Role.REPEAT, Item.Role.PRACTICE)}


def _pace(study: Study, seats_left: int, now: dt.datetime) -> Pace:
    """How fast main seats are filled here; a folder's judgments were made elsewhere and have no pace."""
    first = Judgment.objects.in_study(study).made_here().filter(revision=1)
    first_last = first.filter(assignment__item__role=Item.Role.MAIN).aggregate(
        n=Count("pk"), recent=Count("pk", filter=Q(submitted_at__gte=now - HOUR)), start=Min("submitted_at")
    )
    n, recent, start = first_last["n"], first_last["recent"], first_last["start"]
    if start is None:
        return Pace(None, 0, None, 0, _finish(seats_left, None, ""))
    since = max(now - start, dt.timedelta(minutes=1))
    hour = recent / (min(since, HOUR) / HOUR) if recent >= FEW else None
    overall = n / (since / HOUR) if n >= FEW else None
    at_pace = "at the last hour’s pace" if hour else "at the overall pace"
    return Pace(hour, recent, overall, n, _finish(seats_left, hour or overall, at_pace))


def _finish(seats_left: int, an_hour: float | None, at_pace: str) -> str:
    if seats_left == 0:
        return "every seat is filled"
    if an_hour is None:
        return f"not known yet: fewer than {FEW} judgments so far"
    return f"about {duration(seats_left / an_hour)} more {at_pace}"


def duration(hours: float) -> str:
    """A duration in words, rounded to the precision of an estimate."""
    for size, unit in ((24 * 7, "week"), (24, "day"), (1, "hour")):
        if hours >= 2 * size:
            return f"{round(hours / size):,} {unit}s"
    minutes = max(1, round(hours * 60))
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def _people(study: Study) -> list[tuple[str, int]]:
    """Annotators by stage, in the order of stages."""
    gave = Exists(Assignment.objects.submitted().filter(annotator=OuterRef("pk")))
    loaded = Q(stage=Annotator.Stage.CONSENT, consented_at=None) & Q(gave=True)
    rows = (
        Annotator.objects.filter(study=study)
        .annotate(gave=gave)
        .values_list("stage", "outcome")
        .annotate(n=Count("pk"), loaded=Count("pk", filter=loaded))
        .order_by()
    )
    counts = {(stage, outcome): n - loaded for stage, outcome, n, loaded in rows}
    n_loaded = sum(loaded for *_, loaded in rows)
    stages = [(s.value, s.label) for s in Annotator.Stage if s is not Annotator.Stage.ENDED]
    ways = [(n_loaded, "imported with their answers")]
    ways += [(counts.pop((value, ""), 0), f"at {label.lower()}") for value, label in stages]
    for outcome in Annotator.Outcome:
        ways.append((counts.pop((Annotator.Stage.ENDED, outcome.value), 0), str(outcome.label).lower()))
    ways.append((sum(counts.values()), "ended otherwise"))
    return [(label, n) for n, label in ways if n]


def _current(study: Study) -> QuerySet[Judgment]:
    rows = Judgment.objects.in_study(study).current()
    return rows.select_related("assignment__item", "assignment__annotator")


def _remarks(study: Study) -> Listed:
    rows = _current(study).exclude(flag="", comment="").order_by("-submitted_at", "-pk")
    return _listed(rows)


def _listed(rows: QuerySet[Judgment]) -> Listed:
    """Counted only where there are more than are shown."""
    listed = list(rows[: MOST + 1])
    return Listed(listed[:MOST], len(listed) if len(listed) <= MOST else rows.count())


def _skipped(study: Study) -> Listed:
    """Skipped items, most often first."""
    rows = list(
        Judgment.objects.in_study(study)
        .filter(excluded=SKIPPED)
        .current()
        .values_list("assignment__item__key")
        .annotate(n=Count("pk"))
        .order_by("-n", "assignment__item__key")
    )
    return Listed(rows[:MOST], sum(n for _, n in rows))


@dataclass(frozen=True, slots=True)
class Excluded:
    annotators: list[Annotator]
    judgments: Listed


def excluded(study: Study) -> Excluded:
    """Annotators and judgments excluded by hand; skipped items are not exclusions."""
    one_by_one = _current(study).exclude(excluded="").exclude(excluded=SKIPPED)
    return Excluded(
        list(Annotator.objects.filter(study=study).exclude(excluded="").order_by("key")),
        _listed(one_by_one.exclude(excluded__startswith=WHOLE).order_by("-pk")),
    )


# Columns of the table of annotators: what the link says, what it sorts by.
COLUMNS = {
    "annotator": "Annotator",
    "concern": "Worth a look",
    "items": "Items",
    "active": "Active time",
    "wall": "Wall time",
    "gold": "Gold met",
    "exact": "Repeats: same",
    "near": "Within one point",
    "first": "Chose the first one shown",
    "turned": "Same response when swapped",
    "rest": "Correlation with the rest",
    "severity": "Severity",
    "again": "Same as previous screen",
    "fast": "Fast",
}


def known_columns(rows: Sequence[AnnotatorQuality]) -> list[str]:
    """The columns in which anybody has a number."""
    return [
        name
        for name in COLUMNS
        if name == "annotator" or any(sort_value(row, name) is not None for row in rows)
    ]


def people_table(study: Study, sort: str) -> Dated[list[AnnotatorQuality]]:
    """The evidence on every annotator, at most a minute old, in the order asked for."""
    qualities = cached_a_minute(
        study, "evidence", lambda: with_concerns(annotator_quality(study)), exclusions(study)
    )
    return Dated(qualities.at, ordered(qualities.value, sort))


def ordered(rows: Sequence[AnnotatorQuality], sort: str) -> list[AnnotatorQuality]:
    """Sorted by a column, descending with a minus before its name; missing numbers come last."""
    name = sort.removeprefix("-")
    if name not in COLUMNS or name == "annotator":
        return sorted(rows, key=lambda r: r.annotator.key, reverse=sort == "-annotator")
    known = [r for r in rows if sort_value(r, name) is not None]
    known.sort(key=lambda r: sort_value(r, name) or 0.0, reverse=sort.startswith("-"))
    return [*known, *(r for r in rows if sort_value(r, name) is None)]


def sort_value(row: AnnotatorQuality, name: str) -> float | None:
    return {
        "concern": len(row.concerns) or None,
        "items": row.items,
        "active": row.active_s,
        "wall": row.wall_s,
        "gold": row.gold_share,
        "exact": row.exact.estimate,
        "near": row.within_one.estimate,
        "first": row.first_side.estimate,
        "turned": row.same_response.estimate,
        "rest": row.rest.estimate,
        "severity": row.severity.estimate,
        "again": row.same_again.estimate,
        "fast": row.fast.estimate,
    }[name]
