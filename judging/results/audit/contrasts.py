"""Gaps between kinds of source: each scorer's beside people's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from annotate.models import Criterion, Response, Study
from judging.results.audit.inputs import AuditError, Sources, wide_scores
from judging.scorers.length import NAME as LENGTH
from judging.stats import Estimate, GroupContrast, benjamini_hochberg, group_contrasts

WRITTEN, SOURCE = "written", "source"
HUMAN = "human"  # how a study folder names people among the sources
MOST_KINDS = 12


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
    found: GroupContrast
    p_adjusted: float | None = None

    @property
    def is_baseline(self) -> bool:
        return self.scorer == LENGTH

    def as_json(self) -> dict[str, Any]:
        c = self.found
        gaps = {
            name: told(getattr(c, name))
            for name in (
                "scorer_gap", "scorer_gap_raw", "human_gap", "human_gap_raw", "contrast", "at_equal_quality",
            )
        }  # fmt: skip
        counts = {
            name: getattr(c, name)
            for name in ("n_group", "n_others", "n_prompts", "n_annotators", "n_ratings")
        }
        rest = {"p": c.p, "p_adjusted": self.p_adjusted, "strength": c.strength, "reason": c.reason}
        return {"scorer": self.scorer, "criterion": self.criterion, "group": c.group} | counts | gaps | rest


def told(e: Estimate) -> dict[str, Any]:
    """An estimate as JSON, with the reason where it or its interval is missing."""
    return {"estimate": e.estimate, "low": e.low, "high": e.high, "reason": e.reason}


@dataclass(frozen=True, slots=True)
class Contrasts:
    """The contrasts of one grouping, and which groupings there are; none where all responses are of one kind."""

    grouping: Grouping | None
    available: list[Grouping]
    rows: list[ContrastRow]


def contrasts(
    found: Sources, name: str, scorers: Sequence[str], ratings_by: Mapping[Criterion, pd.DataFrame]
) -> Contrasts:
    """Raises AuditError where the study has no such grouping."""
    labels = _labels(found.study)
    available = [
        Grouping(n, tuple(sorted(set(kinds[kinds != ""]), key=str.casefold))) for n, kinds in labels.items()
    ]
    if not available and not name:
        return Contrasts(None, [], [])
    chosen = next((g for g in available if name in ("", g.name)), None)
    if chosen is None:
        names = ", ".join(g.name for g in available) or "none"
        raise AuditError(f"no kinds of source by {name!r} in {found.study.slug}; there are: {names}")
    pool = found.pool.assign(group=found.pool["response_id"].map(labels[chosen.name]).fillna(""))
    rows = [
        row
        for criterion, ratings in ratings_by.items()
        for row in _adjusted(list(_rows(found, pool, criterion.key, ratings, scorers)))
    ]
    return Contrasts(chosen, available, rows)


def _rows(
    found: Sources, pool: pd.DataFrame, key: str, ratings: pd.DataFrame, wanted: Sequence[str]
) -> Iterator[ContrastRow]:
    table, columns = wide_scores(replace(found, pool=pool), [n for n in wanted if n != LENGTH])
    by_column = group_contrasts(ratings, table, list(columns), covariates=found.covariates)
    for column, name in columns.items():
        yield from (ContrastRow(name, key, c) for c in by_column[column])
    if LENGTH in wanted:
        lengths = pool.assign(score=pool["log_length"])
        for c in group_contrasts(ratings, lengths, covariates=())["score"]:
            yield ContrastRow(LENGTH, key, c)


def _adjusted(rows: list[ContrastRow]) -> list[ContrastRow]:
    """The rows of a criterion with their two-sided p adjusted for their number; the baseline is no test."""
    p = [np.nan if row.found.p is None or row.is_baseline else row.found.p for row in rows]
    return [
        replace(row, p_adjusted=None if np.isnan(x) else float(x))
        for row, x in zip(rows, benjamini_hochberg(p), strict=True)
    ]


def _labels(study: Study) -> dict[str, pd.Series]:
    """The kind of every response by each grouping that has two kinds or more; empty where it is not known."""
    rows = list(Response.objects.filter(study=study).values_list("pk", "source", "params"))
    pks = [pk for pk, _, _ in rows]
    people = [source.casefold() == HUMAN for _, source, _ in rows]
    found = {
        WRITTEN: [HUMAN if is_human else "LLM" for is_human in people],
        SOURCE: [source for _, source, _ in rows],
    }
    names = {key for _, _, params in rows if isinstance(params, dict) for key in params} - set(found)
    for key in sorted(names):
        values = [(params or {}).get(key) for _, _, params in rows]
        found[key] = ["" if v is None or isinstance(v, (dict, list)) else f"{key} {v}" for v in values]
    return {
        name: pd.Series(kinds, index=pks, dtype=object)
        for name, kinds in found.items()
        if 2 <= len(set(kinds) - {""}) <= (MOST_KINDS if name in names else len(rows))
    }
