"""The headline: how far annotators agree on each criterion, at each level of measurement that makes sense for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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

    def as_json(self) -> dict[str, Any]:
        return {
            "criterion": self.criterion.key,
            "kind": self.criterion.kind,
            "level": self.level,
            "n_items": self.n_items,
            "n_annotators": self.n_annotators,
            "n_answers": self.n_answers,
            "alpha": interval(self.alpha),
            "alpha_new_annotators": interval(self.alpha_new_annotators),
            "percent_agreement": self.percent_agreement.estimate,
            "percent_agreement_interval": interval(self.percent_agreement),
            "reliability_of_mean": self.reliability_of_mean.estimate,
            "reliability_of_mean_interval": interval(self.reliability_of_mean),
        }


def interval(e: Estimate) -> dict[str, Any]:
    row: dict[str, Any] = {"estimate": e.estimate, "low": e.low, "high": e.high, "n": e.n}
    return row | ({"reason": e.reason} if e.reason else {})


def chance() -> np.random.Generator:
    """The same for every statistic, so that a page shows the same interval twice."""
    return np.random.default_rng(SEED)


def so_far(study: Study) -> list[SoFar]:
    found = []
    for criterion in study.criteria.all():
        asked = units(criterion)
        if asked is None:
            continue
        counts, clusters = asked.counted()
        level, given = asked.levels[0], asked.given
        alpha = krippendorff_alpha(counts, asked.domain, level, clusters=clusters, rng=chance())
        found.append(SoFar(criterion, level, given["item_id"].nunique(), len(given), alpha))
    return found


def entries(criterion: Criterion, asked: Units) -> Sequence[Entry]:
    """One entry a level."""
    given = asked.given
    counts, clusters = asked.counted()
    share = percent_agreement(counts, clusters=clusters, rng=chance())
    mean = reliability_of_mean(*asked.long, rng=chance())
    return [
        Entry(
            criterion=criterion,
            level=level,
            n_items=given["item_id"].nunique(),
            n_annotators=given["annotator_id"].nunique(),
            n_answers=asked.n_answers,
            alpha=krippendorff_alpha(counts, asked.domain, level, clusters=clusters, rng=chance()),
            alpha_new_annotators=_for_new_annotators(asked, level),
            percent_agreement=share,
            reliability_of_mean=mean,
        )
        for level in asked.levels
    ]


def briefs(criterion: Criterion, asked: Units) -> Sequence[Brief]:
    """One a level, with the same numbers as `entries`."""
    given = asked.given
    counts, clusters = asked.counted()
    mean = reliability_of_mean(*asked.long, rng=chance())
    return [
        Brief(
            criterion=criterion,
            level=level,
            n_items=given["item_id"].nunique(),
            n_annotators=given["annotator_id"].nunique(),
            n_answers=asked.n_answers,
            alpha=krippendorff_alpha(counts, asked.domain, level, clusters=clusters, rng=chance()),
            reliability_of_mean=mean,
        )
        for level in asked.levels
    ]


def _for_new_annotators(asked: Units, level: Level) -> Estimate:
    if not asked.countable:
        return Estimate.undefined(TOO_MANY, asked.given["item_id"].nunique())
    cells = asked.given["unit"].nunique() * len(asked.domain)
    return krippendorff_alpha_new_annotators(
        *asked.long,
        asked.domain,
        level,
        clusters=asked.given["item_id"].to_numpy() if asked.clustered else None,
        resamples=max(FEWEST, min(RESAMPLES, CELLS // max(1, cells))),
        rng=chance(),
    )
