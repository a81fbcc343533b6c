"""What people gave a study, counted, and what the results say of it beside the audit of ratings."""

from dataclasses import dataclass

from django.db.models import Count

from annotate.kinds import ItemKind
from annotate.models import Annotator, Item, ItemResponse, Judgment, Study
from judging.frames import preferences
from judging.frames.criteria import quality_ratings
from judging.results.homogeneity.over_prompts import Homogeneity
from judging.results.homogeneity.result import RESULT as HOMOGENEITY
from judging.results.homogeneity.result import HomogeneityOptions
from judging.results.pairs.report import Pairs
from judging.results.pairs.result import RESULT as PAIRS
from judging.results.pairs.result import PairsOptions
from judging.results.result import NotComputable, Options
from judging.results.similarity.report import Similarity
from judging.results.similarity.result import RESULT as SIMILARITY


@dataclass(frozen=True, slots=True)
class Given:
    """Judgments of items that show one response, a pair or a set; units: the responses, pairs or sets."""

    name: str
    unit: str
    judgments: int
    units: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What the study has, whatever a scorer scored. `named`: whether it is known who gave it."""

    people: int
    named: bool
    prompts: int
    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    counts: Counts
    pairs: Pairs | None
    similarity: Similarity | None
    alike: Homogeneity | None


def answers(study: Study) -> Answers:
    pairs = PAIRS.cached(study, PairsOptions.from_query({})) if preferences.criteria(study) else None
    try:
        similarity: Similarity | None = SIMILARITY.cached(study, Options())
    except NotComputable:
        similarity = None
    try:
        alike: Homogeneity | None = HOMOGENEITY.cached(study, HomogeneityOptions())
    except NotComputable:
        alike = None
    return Answers(counts(study), pairs, similarity, alike)


_UNITS = {
    ItemKind.SINGLE: ("ratings", "response"),
    ItemKind.PAIR: ("judgments", "pair"),
    ItemKind.SET: ("judgments", "set"),
}


def counts(study: Study) -> Counts:
    counted = (
        Judgment.objects.in_study(study)
        .counted()
        .filter(assignment__item__role=Item.Role.MAIN, assignment__item__withheld=False)
    )
    whole = counted.aggregate(
        people=Count("assignment__annotator", distinct=True),
        prompts=Count("assignment__item__prompt", distinct=True),
    )
    slots = Annotator.objects.slots().filter(study=study).values("pk")
    named = counted.exclude(assignment__annotator__in=slots).exists()
    rated = bool(quality_ratings(study))
    given = []
    for kind, (name, unit) in _UNITS.items():
        own = counted.filter(assignment__item__kind=kind)
        items = own.values("assignment__item")
        units = items.distinct().count()
        if kind is ItemKind.SINGLE:
            shown = ItemResponse.objects.filter(item__in=items)
            units = shown.values("response").distinct().count()
            name = name if rated else "judgments"
        if units:
            given.append(Given(name, unit, own.count(), units))
    return Counts(whole["people"], named, whole["prompts"], tuple(given))
