"""What one annotator answered, beside the mean of everybody else's answers to the same question."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce

from annotate.kinds import kind_of
from annotate.models import Annotator, Answer, Criterion, Judgment

_ITEM = Coalesce(F("judgment__assignment__item__repeat_of"), F("judgment__assignment__item"))
_Question = tuple[int, int, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Beside:
    """An answer with a number; `others` is the mean of the n other annotators, None without any."""

    criterion: Criterion
    about: str
    value: float
    others: float | None
    n: int


def beside_others(person: Annotator, judgments: Iterable[Judgment]) -> dict[int, list[Beside]]:
    """By judgment, in two queries."""
    own = list(
        Answer.objects.filter(judgment__in=[j.pk for j in judgments], value__isnull=False)
        .select_related("criterion", "response", "other")
        .annotate(item=_ITEM)
        .order_by("criterion__position", "pk")
    )
    own = [answer for answer in own if _has_mean(answer.criterion)]
    sums = _others(person, {answer.item for answer in own})
    rows: dict[int, list[Beside]] = defaultdict(list)
    for a in own:
        total, n = sums.get(_question(a.item, a.criterion_id, a.response_id, a.other_id), (0.0, 0))
        about = " and ".join(r.key for r in (a.response, a.other) if r is not None)
        rows[a.judgment_id].append(
            Beside(a.criterion, about, float(a.value or 0), total / n if n else None, n)
        )
    return rows


def _has_mean(criterion: Criterion) -> bool:
    """Preferences name what was chosen: their numbers alone say nothing."""
    kind = kind_of(criterion)
    return kind.numeric and not kind.prefers


def _others(person: Annotator, items: set[int]) -> dict[_Question, tuple[float, int]]:
    rows = (
        Answer.objects.filter(judgment__in=Judgment.objects.in_study(person.study).counted())
        .exclude(judgment__assignment__annotator=person)
        .annotate(item=_ITEM)
        .filter(item__in=items, value__isnull=False)
        .values_list("item", "criterion_id", "response_id", "other_id")
        .annotate(total=Sum("value"), n=Count("pk"))
        .order_by()
    )
    sums: dict[_Question, tuple[float, int]] = {}
    for item, criterion, response, other, total, n in rows:
        key = _question(item, criterion, response, other)
        before = sums.get(key, (0.0, 0))
        sums[key] = (before[0] + float(total), before[1] + n)
    return sums


def _question(item: int, criterion: int, response: int | None, other: int | None) -> _Question:
    """Two responses in whatever order they were shown."""
    if response is not None and other is not None:
        response, other = sorted((response, other))
    return item, criterion, response, other
