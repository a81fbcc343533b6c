"""The headline: how far annotators agree on each criterion, at each level of measurement that makes sense for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotate.models import Criterion, Study
from judging.results.agreement.units import MOST_VALUES, Units, units
from judging.stats import (
    Estimate,
    Level,
    krippendorff_alpha,
    krippendorff_alpha_new_annotators,
    percent_agreement,
    reliability_of_mean,
)

SEED = 20250301
RESAMPLES = 1000
# Resampling annotators touches every value of every unit: large studies, whose intervals are narrow, get fewer.
FEWEST, CELLS = 200, 10_000_000
TOO_MANY = f"More than {MOST_VALUES} different numbers were given, so they are not counted one by one."


@dataclass(frozen=True, slots=True)
class SoFar:
    """One criterion's agreement at its first level, for a page that is looked at while answers come in."""

    criterion: Criterion
    level: str
    n_items: int
    n_answers: int
    alpha: Estimate


@dataclass(frozen=True, slots=True)
class Brief:
    """One criterion's agreement at one level, for the report."""

    criterion: Criterion
    level: str
    n_items: int
    n_annotators: int
    n_answers: int
    alpha: Estimate
    reliability_of_mean: Estimate


@dataclass(frozen=True, slots=True)
class Entry:
    criterion: Criterion
    level: str
    n_items: int
    n_annotators: int
    n_answers: int
    alpha: Estimate
    alpha_new_annotators: Estimate
    percent_agreement: Estimate
    reliability_of_mean: Estimate


def chance() -> np.random.Generator:
    """The same for every statistic, so that a page shows the same interval twice."""
    return np.random.default_rng(SEED)


def so_far(study: Study) -> list[SoFar]:
    rows = []
    for criterion in study.criteria.all():
        values = units(criterion)
        if values is None:
            continue
        counts, clusters = values.counted()
        level, given = values.levels[0], values.given
        alpha = krippendorff_alpha(counts, values.domain, level, clusters=clusters, rng=chance())
        rows.append(SoFar(criterion, level, given["item_id"].nunique(), len(given), alpha))
    return rows


def entries(criterion: Criterion, values: Units) -> Sequence[Entry]:
    """One entry a level."""
    given = values.given
    counts, clusters = values.counted()
    share = percent_agreement(counts, clusters=clusters, rng=chance())
    mean = reliability_of_mean(*values.long, rng=chance())
    return [
        Entry(
            criterion=criterion,
            level=level,
            n_items=given["item_id"].nunique(),
            n_annotators=given["annotator_id"].nunique(),
            n_answers=values.n_answers,
            alpha=krippendorff_alpha(counts, values.domain, level, clusters=clusters, rng=chance()),
            alpha_new_annotators=_for_new_annotators(values, level),
            percent_agreement=share,
            reliability_of_mean=mean,
        )
        for level in values.levels
    ]


def briefs(criterion: Criterion, values: Units) -> Sequence[Brief]:
    """One a level, with the same numbers as `entries`."""
    given = values.given
    counts, clusters = values.counted()
    mean = reliability_of_mean(*values.long, rng=chance())
    return [
        Brief(
            criterion=criterion,
            level=level,
            n_items=given["item_id"].nunique(),
            n_annotators=given["annotator_id"].nunique(),
            n_answers=values.n_answers,
            alpha=krippendorff_alpha(counts, values.domain, level, clusters=clusters, rng=chance()),
            reliability_of_mean=mean,
        )
        for level in values.levels
    ]


def _for_new_annotators(values: Units, level: Level) -> Estimate:
    if not values.countable:
        return Estimate.undefined(TOO_MANY, values.given["item_id"].nunique())
    cells = values.given["unit"].nunique() * len(values.domain)
    return krippendorff_alpha_new_annotators(
        *values.long,
        values.domain,
        level,
        clusters=values.given["item_id"].to_numpy() if values.clustered else None,
        resamples=max(FEWEST, min(RESAMPLES, CELLS // max(1, cells))),
        rng=chance(),
    )
