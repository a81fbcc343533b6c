"""How long a visit takes: as the study says, else estimated from its texts and questions. And what a design costs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from django.db.models import Avg, Count, Sum
from django.db.models.functions import Length

from annotate.kinds import kind_of
from annotate.models import Item, ItemResponse, Study

CHARACTERS_A_MINUTE = 1300
SECONDS_A_QUESTION = 5
SAMPLE = 2000


def minutes(study: Study, n_items: int) -> int:
    """Of a visit of so many items."""
    if study.minutes:
        return study.minutes
    # By their seeded places: of very many items a fair sample says as much as all of them.
    items = study.items.filter(role=Item.Role.MAIN, withheld=False).order_by("place", "pk")[:SAMPLE]
    links = ItemResponse.objects.filter(item__in=items.values("pk")).order_by()
    kinds = links.values_list("item__kind").annotate(Count("item", distinct=True), Count("pk"))
    n_all = sum(items for _, items, _ in kinds)
    if not n_all:
        return 1
    questions = sum(_questions(study, kind, items, responses) for kind, items, responses in kinds)
    characters = links.aggregate(n=Sum(Length("response__text")))["n"] or 0
    prompts = study.prompts.filter(pk__in=items.values("prompt"))
    characters += prompts.aggregate(n=Sum(Length("text")))["n"] or 0
    seconds = 60 * characters / CHARACTERS_A_MINUTE + SECONDS_A_QUESTION * questions
    return _rounded(seconds / 60 * n_items / n_all)


def _questions(study: Study, kind: str, items: int, responses: int) -> int:
    counts = Counter(kind_of(c).per_response for c in study.criteria.all() if c.on == kind)
    return counts[True] * responses + counts[False] * items


def _rounded(value: float) -> int:
    """Rounded to the precision of an estimate."""
    step = 1 if value < 10 else 5 if value < 60 else 10
    return max(1, step * ceil(value / step))


@dataclass(frozen=True)
class Workload:
    """What a design asks of people, before any item of it is made."""

    items: int
    judgments: int
    hours: float
    people: int
    visit_minutes: int
    cost: float

    @property
    def visit_items(self) -> int:
        return ceil(self.judgments / self.people)


def workload(study: Study, items: Mapping[str, tuple[int, int]], seats: int, pay: float) -> Workload | None:
    """Of items by kind, each so many of so many responses; `pay` is an hour's. None without items."""
    n_items = sum(n for n, _ in items.values())
    if not n_items:
        return None
    response = study.responses.in_pool().aggregate(n=Avg(Length("text")))["n"] or 0
    prompt = study.prompts.aggregate(n=Avg(Length("text")))["n"] or 0
    seconds = 0.0
    for kind, (n, size) in items.items():
        reading = 60 * (size * response + prompt) / CHARACTERS_A_MINUTE
        seconds += n * (reading + SECONDS_A_QUESTION * _questions(study, kind, 1, size))
    judgments, hours = n_items * seats, seconds * seats / 3600
    # Nobody judges an item twice, so there are as many people as seats at least.
    people = max(seats, ceil(judgments / study.session_items) if study.session_items else 0)
    return Workload(n_items, judgments, hours, people, _rounded(60 * hours / people), hours * pay)
