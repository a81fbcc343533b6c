"""Beside the headline: further coefficients, variance components, order, sources. One entry a criterion."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast, get_args

import numpy as np
import pandas as pd

from annotate.kinds import ItemKind, Measure, Trait, kind_of, names_of
from annotate.models import Criterion
from judging.frames import tables as frames
from judging.results.agreement.headline import chance
from judging.results.agreement.tables import DividedItem, most_divided, people
from judging.results.agreement.units import Units, signed_preference
from judging.stats import (
    BradleyTerry,
    Estimate,
    IccKind,
    Weighting,
    adjusted_rand,
    bradley_terry,
    brennan_prediger,
    choice_consistency,
    conger_kappa,
    fleiss_kappa,
    gwet_ac,
    icc,
    kendall_w_of_sets,
    one_way_icc,
    percent_agreement,
    transitivity,
    value_counts,
    variance_components,
)

WEIGHTINGS: tuple[Weighting, ...] = get_args(Weighting)
ICCS: tuple[IccKind, ...] = get_args(IccKind)
_ICC_KEYS = {kind.lower() for kind in ICCS}


@dataclass(frozen=True, slots=True)
class Statistic:
    """One number with its interval; `key` names it in JSON and on the methods page."""

    key: str
    label: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Chance-corrected agreement under one weighting of differences."""

    weights: str
    statistics: list[Statistic]


@dataclass(frozen=True, slots=True)
class Source:
    """One source's place in the order that preferences make."""

    source: str
    strength: Estimate
    worth: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Details:
    criterion: Criterion
    answers_per_unit: int
    statistics: list[Statistic]
    coefficients: list[Coefficients]
    sources: list[Source] = field(default_factory=list)
    no_sources: str = ""  # why a preference has no order of sources
    divided: list[DividedItem] = field(default_factory=list)
    people: list[dict[str, Any]] = field(default_factory=list)

    @property
    def orders_sources(self) -> bool:
        return kind_of(self.criterion).prefers

    @property
    def heading(self) -> str:
        """What the statistics are about."""
        return kind_of(self.criterion).first_of(_HEADINGS) or "Order and grouping"

    @property
    def brief(self) -> list[Statistic]:
        """For a page: six intraclass correlations that are missing for one reason are one line."""
        complete = [s for s in self.statistics if s.key in _ICC_KEYS]
        if not complete or any(s.estimate.estimate is not None for s in complete):
            return self.statistics
        rest = [s for s in self.statistics if s not in complete]
        return [*rest, Statistic("icc", "ICC of a complete table, all six", complete[0].estimate)]


def details(criterion: Criterion, values: Units) -> Details:
    sizes = values.given.groupby("unit").size()
    typical = int(sizes.median()) if len(sizes) else 0
    compute = kind_of(criterion).first_of(_STATISTICS)
    statistics = compute(criterion, values, max(1, typical)) if compute else []
    whole = Details(
        criterion,
        typical,
        statistics,
        _coefficients(values),
        divided=most_divided(criterion, values),
        people=_records(people(criterion, values)),
    )
    return _with_sources(whole) if whole.orders_sources else whole


def _records(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Rows with None for what is undefined."""
    if table is None:
        return []
    return [{str(k): None if pd.isna(v) else v for k, v in row.items()} for row in table.to_dict("records")]


def _coefficients(values: Units) -> list[Coefficients]:
    if not values.countable:
        return []
    counts, clusters = values.counted()
    domain, unit, annotator, value = values.domain, *values.long
    coefficients = []
    for weights in WEIGHTINGS if values.numeric else WEIGHTINGS[:1]:
        ac = gwet_ac(counts, domain, weights, clusters=clusters)
        kappa = fleiss_kappa(counts, domain, weights, clusters=clusters)
        even = brennan_prediger(counts, domain, weights, clusters=clusters)
        statistics = [
            Statistic("gwet_ac", "Gwet’s AC1" if weights == "identity" else "Gwet’s AC2", ac),
            Statistic("fleiss_kappa", "Fleiss’ kappa", kappa),
            Statistic("brennan_prediger", "Brennan and Prediger", even),
        ]
        if clusters is None:  # Conger's error takes units to be independent
            conger = conger_kappa(unit, annotator, value, domain, weights)
            statistics.append(Statistic("conger_kappa", "Conger’s kappa", conger))
        coefficients.append(Coefficients(weights, statistics))
    return coefficients


def _spread(criterion: Criterion, values: Units, k: int) -> list[Statistic]:
    """Where the variance lies, and what a mean is worth."""
    unit, annotator, value = values.long
    parts = variance_components(unit, annotator, value)
    statistics = [
        Statistic("variance_item", "Variance between items", parts.item),
        Statistic("variance_annotator", "Variance of severity", parts.annotator),
        Statistic("variance_residual", "Variance of the rest", parts.residual),
        Statistic(
            "dependability_absolute", f"Dependability of a mean of {k}, level", _dependable(parts, k, True)
        ),
        Statistic(
            "dependability_relative", f"Dependability of a mean of {k}, order", _dependable(parts, k, False)
        ),
        Statistic("icc_one_way", "ICC, one-way, one answer", one_way_icc(unit, value)),
        Statistic("icc_one_way_of_mean", f"ICC, one-way, mean of {k}", one_way_icc(unit, value, k=k)),
    ]
    return statistics + _complete(values)


def _dependable(parts: Any, k: int, absolute: bool) -> Estimate:
    return cast(Estimate, parts.dependability(k, absolute=absolute))


def _complete(values: Units) -> list[Statistic]:
    """The six intraclass correlations, where all annotators answered everything that is used."""
    unit, annotator, value = values.long
    rows, columns = (pd.factorize(x, sort=True)[0] for x in (unit, annotator))
    table = np.full((rows.max(initial=-1) + 1, columns.max(initial=-1) + 1), np.nan)
    table[rows, columns] = value
    n = int((~np.isnan(table).any(axis=1)).sum())
    if n < 2 or table.shape[1] < 2:
        undefined = Estimate.undefined(
            f"They need items that every annotator answered; of such there {'is' if n == 1 else 'are'} {n}.",
            n,
        )
        return [Statistic(kind.lower(), _ICC_LABELS[kind], undefined) for kind in ICCS]
    return [Statistic(kind.lower(), _ICC_LABELS[kind], icc(table, kind)) for kind in ICCS]


_ICC_LABELS = {
    "ICC1": "ICC(1,1), other annotators for each item",
    "ICC2": "ICC(2,1), all annotators on all items, level",
    "ICC3": "ICC(3,1), these annotators, order",
    "ICC1k": "ICC(1,k), of the mean",
    "ICC2k": "ICC(2,k), of the mean",
    "ICC3k": "ICC(3,k), of the mean",
}


def _rated(criterion: Criterion, values: Units, k: int) -> list[Statistic]:
    return [*_spread(criterion, values, k), _order_within(values, "prompt_id")]


def _order_within(values: Units, sets: str) -> Statistic:
    """Whether annotators put what is in one prompt, or one item, in the same order."""
    given = values.given
    w = kendall_w_of_sets(
        given[sets].to_numpy(),
        given["annotator_id"].to_numpy(),
        given["unit"].to_numpy(),
        given["value"].to_numpy(),
        rng=chance(),
    )
    where = "prompts" if sets == "prompt_id" else "sets"
    return Statistic("kendall_w", f"Kendall’s W within {where}", w)


def _ranked(criterion: Criterion, values: Units, k: int) -> list[Statistic]:
    return [_order_within(values, "item_id")]


def _grouped(criterion: Criterion, values: Units, k: int) -> list[Statistic]:
    answers = frames.answers(criterion).dropna(subset=["value"])
    index = adjusted_rand(
        answers["item_id"].to_numpy(),
        answers["annotator_id"].to_numpy(),
        answers["response_id"].to_numpy(dtype=np.int64),
        answers["value"].to_numpy(),
        rng=chance(),
    )
    return [Statistic("adjusted_rand", "Adjusted Rand index", index)]


def _odd(criterion: Criterion, values: Units, k: int) -> list[Statistic]:
    """How often two annotators choose the same response: the headline counts responses one by one."""
    chosen = values.given[values.given["value"] == 1]
    place = chosen.groupby("item_id")["response_id"].transform(lambda r: pd.factorize(r)[0]).astype(float)
    domain = [float(n) for n in range(int(place.max()) + 1)] if len(place) else [0.0]
    counts, _ = value_counts(chosen["item_id"].to_numpy(), place.to_numpy(), domain)
    return [Statistic("same_choice", "Same response chosen", percent_agreement(counts, rng=chance()))]


def _preferred(criterion: Criterion, values: Units, k: int) -> list[Statistic]:
    answers = frames.answers(criterion)
    pairs = _compared(criterion, answers)
    triads = transitivity(*(pairs[name].to_numpy() for name in _COMPARED), rng=chance())
    return [
        Statistic("transitive_within", "Transitive triads of one annotator", triads.within),
        Statistic("transitive_majority", "Transitive triads of the majority", triads.majority),
        *_as_rated(criterion, pairs),
    ]


_COMPARED = ["annotator_id", "first", "second", "preference"]


def _compared(criterion: Criterion, answers: pd.DataFrame) -> pd.DataFrame:
    """One row a preference: prompt_id, annotator_id, first and second response, signed preference."""
    shown = frames.item_responses(criterion.study).pivot(
        index="item_id", columns="position", values="response_id"
    )
    pairs = answers[["item_id", "prompt_id", "annotator_id"]].assign(
        first=answers["item_id"].map(shown[0]),
        second=answers["item_id"].map(shown[1]),
        preference=signed_preference(answers, shown[0]),
    )
    return pairs


def _as_rated(criterion: Criterion, pairs: pd.DataFrame) -> list[Statistic]:
    """Whether choices between two responses go with the same person's own ratings of them."""
    return [
        Statistic(
            "choice_consistency",
            f"Choices that go with own ratings ({rated.key})",
            choice_consistency(frames.answers(rated), pairs, rng=chance()),
        )
        for rated in _rating_criteria(criterion)
    ][:1]


def _rating_criteria(criterion: Criterion) -> list[Criterion]:
    """Ratings that measure what the preference measures, quality where it does not say."""
    measures = criterion.measures or Measure.QUALITY
    every = criterion.study.criteria.filter(kind__in=names_of("rates"), measures=measures)
    return sorted(every, key=lambda c: c.on != ItemKind.SINGLE)


def _with_sources(whole: Details) -> Details:
    criterion = whole.criterion
    pairs = _compared(criterion, frames.answers(criterion))
    source_of = frames.source_of(criterion.study)
    pairs["first"], pairs["second"] = pairs["first"].map(source_of), pairs["second"].map(source_of)
    pairs = pairs[pairs["first"] != pairs["second"]].dropna(subset=["preference"])
    fitted = bradley_terry(
        pairs["first"].to_numpy(),
        pairs["second"].to_numpy(),
        pairs["preference"].to_numpy(),
        clusters=pairs["prompt_id"].to_numpy(),
    )
    tie = Statistic("tie", "Ties, Davidson’s ν", fitted.tie)
    return replace(
        whole,
        statistics=[*whole.statistics, tie],
        sources=_ranking(fitted),
        no_sources="" if fitted.strengths["strength"].notna().any() else fitted.reason or "",
    )


def _ranking(fitted: BradleyTerry) -> list[Source]:
    order = fitted.strengths.sort_values(["strength", "response"], ascending=[False, True])
    return [_source(row, fitted) for row in order.to_dict("records")]


def _source(row: Mapping[Any, Any], fitted: BradleyTerry) -> Source:
    n, defined = round(float(row["n"])), np.isfinite(row["strength"])
    why = fitted.reason or "No interval."
    if not defined:
        return Source(str(row["response"]), Estimate.undefined(why, n), None, n)
    ends = (row["low"], row["high"])
    bounded = all(np.isfinite(ends))
    low, high = (float(e) if bounded else None for e in ends)
    strength = Estimate(float(row["strength"]), low, high, n, None if bounded else why)
    return Source(str(row["response"]), strength, float(row["worth"]), n)


_STATISTICS: dict[Trait, Callable[[Criterion, Units, int], list[Statistic]]] = {
    "scaled": _rated,
    "prefers": _preferred,
    "ranks": _ranked,
    "groups": _grouped,
    "picks": _odd,
    "numeric": _spread,
}
_HEADINGS: dict[Trait, str] = {
    "prefers": "Transitivity, ties and consistency",
    "numeric": "Where the variance lies, and how dependable a mean is",
}
