"""What the report says of scorers: each against people, by several measures of unusualness, and by category."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from annotate.models import Criterion, Study
from judging.frames import tables as frames
from judging.models import PoolSummary, ScoreRun
from judging.results import audit
from judging.results.summary import taxonomy
from judging.scorers.length import NAME as LENGTH
from judging.stats import (
    Underrating,
    Verdict,
    cluster_unusualness,
    neighbor_unusualness,
    underratings,
)
from judging.stats.core.estimate import FloatArray, IntArray

FDR = 0.05
COMPARED = 6
"""Scorers, those with the largest estimates, that measures and categories are compared for."""

LEAST_PROMPTS = 3
"""Prompts of a category from which on it is looked at on its own."""

MAIN = "mean distance to the pool"


@dataclass(frozen=True, slots=True)
class Finding:
    """One scorer against one criterion. `p_adjusted`: one-sided p of no underrating among all of them."""

    scorer: str
    criterion: Criterion
    result: Underrating
    p_adjusted: float | None
    n_scored: int
    n_pool: int

    @property
    def discovery(self) -> bool:
        """Whether it underrates and still does, all scorers considered."""
        told = self.result.verdict is Verdict.UNDERRATES
        return told and self.p_adjusted is not None and self.p_adjusted <= FDR

    @property
    def baseline(self) -> bool:
        return self.scorer == LENGTH


@dataclass(frozen=True, slots=True)
class Compared:
    scorer: str
    name: str
    result: Underrating


@dataclass(frozen=True, slots=True)
class Findings:
    criteria: list[Criterion]
    rows: list[Finding]
    measures: list[Compared]
    categories: list[Compared]
    embedder: ScoreRun | PoolSummary
    truncated: int

    def of(self, criterion: Criterion) -> list[Finding]:
        return [r for r in self.rows if r.criterion == criterion]

    def ordered(self, criterion: Criterion) -> list[Finding]:
        """The accused first, the acquitted next, then what can't be told; the baseline last."""
        order = {Verdict.UNDERRATES: 0, Verdict.OVERRATES: 1, Verdict.NO_UNDERRATING: 2}
        return sorted(
            self.of(criterion),
            key=lambda f: (
                f.baseline,
                order.get(f.result.verdict, 3),
                -(f.result.underrating.estimate or -99.0),
                f.scorer,
            ),
        )

    @property
    def main(self) -> list[Finding]:
        """Of the first criterion: what the report's first page is about."""
        return self.of(self.criteria[0])

    @property
    def worst(self) -> Finding:
        """The scorer to look at first: a found underrating, the largest, else the largest estimate."""
        scorers = [f for f in self.main if not f.baseline] or self.main
        return max(
            scorers,
            key=lambda f: (f.result.verdict is Verdict.UNDERRATES, f.result.underrating.estimate or -99),
        )


def findings(study: Study) -> Findings:
    """Raises AuditError where there is nothing to hold a scorer against."""
    found = audit.sources(study)
    wide = _wide(found)
    rows = [row for criterion in found.criteria for row in _of_criterion(found, criterion, wide)]
    first = [row for row in rows if row.criterion == found.criteria[0]]
    chosen = _chosen(first)
    ratings = audit.named_ratings(found.criteria[0])
    return Findings(
        criteria=found.criteria,
        rows=rows,
        measures=list(_by_measure(found, ratings, wide, chosen, first)),
        categories=list(_by_category(study, ratings, wide, chosen, found.covariates)),
        embedder=found.embedder,
        truncated=found.truncated,
    )


def _wide(found: audit.Sources) -> pd.DataFrame:
    """The pool with a column a scorer."""
    wide = found.pool.copy()
    for name in found.scorers:
        wide[_column(name)] = audit.scored_pool(found, name)["score"].to_numpy(dtype=float)
    return wide


def _column(scorer: str) -> str:
    """A scorer may be called as a column is."""
    return f"scorer:{scorer}"


def _audited(
    ratings: pd.DataFrame, wide: pd.DataFrame, names: Sequence[str], covariates: Sequence[str]
) -> dict[str, Underrating]:
    """Length and markdown are held constant, but for the length of a response, which would say nothing then."""
    machines = [_column(n) for n in names if n != LENGTH]
    found = underratings(ratings, wide, machines, covariates=covariates) if machines else {}
    if LENGTH in names:
        found |= underratings(ratings, wide, [_column(LENGTH)], covariates=())
    return {name: found[_column(name)] for name in names}


def _of_criterion(found: audit.Sources, criterion: Criterion, wide: pd.DataFrame) -> list[Finding]:
    results = _audited(audit.named_ratings(criterion), wide, found.scorers, found.covariates)
    adjusted = audit.adjusted_p(list(results.values()), [name == LENGTH for name in results])
    return [
        Finding(
            scorer=name,
            criterion=criterion,
            result=result,
            p_adjusted=p,
            n_scored=int(wide[_column(name)].notna().sum()),
            n_pool=len(wide),
        )
        for (name, result), p in zip(results.items(), adjusted, strict=True)
    ]


def _chosen(rows: Sequence[Finding]) -> list[str]:
    machines = [r for r in rows if not r.baseline]
    ordered = sorted(machines, key=lambda r: -(r.result.underrating.estimate or -99.0))
    return [r.scorer for r in ordered[:COMPARED]]


def _by_measure(
    found: audit.Sources,
    ratings: pd.DataFrame,
    wide: pd.DataFrame,
    names: list[str],
    first: Sequence[Finding],
) -> Iterator[Compared]:
    """The same question with unusualness measured otherwise; the first measure is not computed again."""
    for row in first:
        if row.scorer in names:
            yield Compared(row.scorer, MAIN, row.result)
    for name, values in (_by_vectors(found) | {"words, no embedder": audit.by_words(found.study)}).items():
        table = wide.assign(unusualness=wide["response_id"].map(values))
        for scorer, result in _audited(ratings, table, names, found.covariates).items():
            yield Compared(scorer, name, result)


def _by_vectors(found: audit.Sources) -> dict[str, pd.Series]:
    """What needs the vectors themselves: nothing, where they lie with a pool on disk."""
    if found.run is None:
        return {}
    frame, vectors = frames.vectors(found.run)
    prompts = frame["prompt_id"].to_numpy()
    others: dict[str, Callable[[FloatArray, IntArray], FloatArray]] = {
        "distance to the nearest responses": neighbor_unusualness,
        "rarity of its cluster": cluster_unusualness,
    }
    return {
        name: pd.Series(measure(vectors.astype(np.float64), prompts), index=frame["response_id"])
        for name, measure in others.items()
    }


def _by_category(
    study: Study, ratings: pd.DataFrame, wide: pd.DataFrame, names: list[str], covariates: Sequence[str]
) -> Iterator[Compared]:
    members: dict[str, list[int]] = {}
    for pk, category in study.prompts.order_by("pk").values_list("pk", "category"):
        for label in taxonomy.labels(category):
            members.setdefault(label, []).append(pk)
    for name in sorted(members):
        if LEAST_PROMPTS <= len(members[name]) < wide["prompt_id"].nunique():
            part = wide[wide["prompt_id"].isin(members[name])]
            given = ratings[ratings["prompt_id"].isin(members[name])]
            for scorer, result in _audited(given, part, names, covariates).items():
                yield Compared(scorer, name, result)
