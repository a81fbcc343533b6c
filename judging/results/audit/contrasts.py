"""Gaps between kinds of source: each scorer's beside people's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from annotate.models import Criterion, Study
from judging.frames.pool import is_human
from judging.results.audit.inputs import Sources, wide_scores
from judging.results.result import NotComputable
from judging.scorers.length import NAME as LENGTH
from judging.stats import GroupContrast, benjamini_hochberg, group_contrasts

WRITTEN, SOURCE = "written", "source"
PEOPLE, LLM = "human", "LLM"
MOST_KINDS = 12
MOST_GRADES = 72
"""Grades that a judge's score may be the mean of: three answers for each of six criteria and more."""
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Grouping:
    """A way to sort responses by who or what wrote them."""

    name: str
    kinds: tuple[str, ...]

    @property
    def words(self) -> str:
        if self.name == WRITTEN:
            return "written by people or by an LLM"
        return "source" if self.name == SOURCE else f"params: {self.name}"


@dataclass(frozen=True, slots=True)
class ContrastRow:
    """One scorer, criterion and kind of source."""

    scorer: str
    criterion: str
    gaps: GroupContrast
    p_adjusted: float | None = None

    @property
    def is_baseline(self) -> bool:
        return self.scorer == LENGTH


@dataclass(frozen=True, slots=True)
class Contrasts:
    """The contrasts of one grouping, and which groupings there are; none where all responses are of one kind."""

    grouping: Grouping | None
    available: list[Grouping]
    rows: list[ContrastRow]


def contrasts(
    inputs: Sources, name: str, scorers: Sequence[str], ratings_by: Mapping[Criterion, pd.DataFrame]
) -> Contrasts:
    """Raises NotComputable where the study has no such grouping."""
    labels = _labels(inputs.study)
    available = [
        Grouping(n, tuple(sorted(set(kinds[kinds != ""]), key=str.casefold))) for n, kinds in labels.items()
    ]
    if not available and not name:
        return Contrasts(None, [], [])
    chosen = next((g for g in available if name in ("", g.name)), None)
    if chosen is None:
        names = ", ".join(g.name for g in available) or "none"
        raise NotComputable(f"no kinds of source by {name!r} in {inputs.study.slug}; there are: {names}")
    pool = inputs.pool.assign(group=inputs.pool["response_id"].map(labels[chosen.name]).fillna(""))
    rows = [
        row
        for criterion, ratings in ratings_by.items()
        for row in _adjusted(list(_rows(inputs, pool, criterion, ratings, scorers)))
    ]
    return Contrasts(chosen, available, rows)


def _rows(
    inputs: Sources, pool: pd.DataFrame, criterion: Criterion, ratings: pd.DataFrame, scorers: Sequence[str]
) -> Iterator[ContrastRow]:
    table, columns = wide_scores(replace(inputs, pool=pool), [n for n in scorers if n != LENGTH])
    same_scale = [column for column in columns if _gives_points(table[column], criterion)]
    by_column = group_contrasts(
        ratings, table, list(columns), covariates=inputs.covariates, same_scale=same_scale
    )
    for column, name in columns.items():
        yield from (ContrastRow(name, criterion.key, c) for c in by_column[column])
    if LENGTH in scorers:
        lengths = pool.assign(score=pool["log_length"])
        for c in group_contrasts(ratings, lengths, covariates=())["score"]:
            yield ContrastRow(LENGTH, criterion.key, c)


def _gives_points(scores: "pd.Series[float]", criterion: Criterion) -> bool:
    """Whether every score is a mean of points of the annotators' scale: a judge's grades, no reward model's numbers."""
    values = scores.dropna().unique().astype(float)
    if not len(values) or values.min() < criterion.points[0] or values.max() > criterion.points[-1]:
        return False
    sums = values[:, None] * np.arange(1, MOST_GRADES + 1)
    whole = np.abs(sums - np.round(sums)) <= ROUNDING * np.arange(1, MOST_GRADES + 1)
    return bool(whole.any(axis=1).all())


def _adjusted(rows: list[ContrastRow]) -> list[ContrastRow]:
    """The rows of a criterion with their two-sided p adjusted for their number; the baseline is no test."""
    p = [np.nan if row.gaps.p is None or row.is_baseline else row.gaps.p for row in rows]
    return [
        replace(row, p_adjusted=None if np.isnan(x) else float(x))
        for row, x in zip(rows, benjamini_hochberg(p), strict=True)
    ]


def _labels(study: Study) -> dict[str, pd.Series]:
    """The kind of every response by each grouping that has two kinds or more; empty where it is not known."""
    rows = list(study.responses.in_pool().values_list("pk", "source", "params"))
    pks = [pk for pk, _, _ in rows]
    kinds_by = {
        WRITTEN: [PEOPLE if is_human(source) else LLM for _, source, _ in rows],
        SOURCE: [source for _, source, _ in rows],
    }
    names = {key for _, _, params in rows if isinstance(params, dict) for key in params} - set(kinds_by)
    for key in sorted(names):
        values = [(params or {}).get(key) for _, _, params in rows]
        kinds_by[key] = ["" if v is None or isinstance(v, (dict, list)) else f"{key} {v}" for v in values]
    return {
        name: pd.Series(kinds, index=pks, dtype=object)
        for name, kinds in kinds_by.items()
        if 2 <= len(set(kinds) - {""}) <= (MOST_KINDS if name in names else len(rows))
    }
