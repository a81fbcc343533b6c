"""What the report says of scorers: the audit, and the same slope by other measures of unusualness and by category."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from annotate.models import Criterion, Study
from judging.frames import tables as frames
from judging.frames import taxonomy
from judging.models import PoolSummary, ScoreRun
from judging.results import audit
from judging.results.audit.contrasts import Contrasts
from judging.results.audit.options import DEFAULTS
from judging.results.audit.outcomes import Outcome, outcome_of
from judging.results.audit.report import Row
from judging.results.audit.result import RESULT as AUDIT
from judging.stats import (
    Underrating,
    Verdict,
    cluster_unusualness,
    neighbor_unusualness,
    underratings,
)
from judging.stats.core.estimate import FloatArray, IntArray

COMPARED = 6
"""Scorers, those with the largest estimates, that measures and categories are compared for."""

LEAST_PROMPTS = 3
"""Prompts of a category from which on it is looked at on its own."""

MAIN = "mean distance to the pool"


@dataclass(frozen=True, slots=True)
class Compared:
    scorer: str
    name: str
    result: Underrating


@dataclass(frozen=True, slots=True)
class Findings:
    criteria: list[Criterion]
    rows: list[Row]
    measures: list[Compared]
    categories: list[Compared]
    embedder: ScoreRun | PoolSummary
    truncated: int
    contrasts: Contrasts

    def of(self, criterion: Criterion) -> list[Row]:
        return [r for r in self.rows if r.criterion == criterion]

    def ordered(self, criterion: Criterion) -> list[Row]:
        """Those that underrate first, those that do not next, then the undecided; the baseline last."""
        order = {Verdict.UNDERRATES: 0, Verdict.OVERRATES: 1, Verdict.NO_UNDERRATING: 2}
        return sorted(
            self.of(criterion),
            key=lambda f: (
                f.is_baseline,
                order.get(f.result.verdict, 3),
                -(f.result.underrating.estimate or -99.0),
                f.scorer,
            ),
        )

    @property
    def main(self) -> list[Row]:
        """Of the first criterion: what the report's first page is about."""
        return self.of(self.criteria[0])

    @property
    def worst(self) -> Row:
        """The scorer to look at first: a found underrating, the largest, else the largest estimate."""
        scorers = [f for f in self.main if not f.is_baseline] or self.main
        return max(
            scorers,
            key=lambda f: (f.result.verdict is Verdict.UNDERRATES, f.result.underrating.estimate or -99),
        )


def gather(study: Study) -> Findings:
    """Raises NotComputable where there is nothing to hold a scorer against."""
    whole = AUDIT.cached(study, DEFAULTS)
    inputs = audit.pool_sources(study)
    wide = _wide(inputs)
    criteria = list(dict.fromkeys(row.criterion for row in whole.rows))
    first = [row for row in whole.rows if row.criterion == criteria[0]]
    names = _largest(first)
    outcome = outcome_of(criteria[0])
    return Findings(
        criteria=criteria,
        rows=whole.rows,
        measures=list(_by_measure(inputs, outcome, wide, names, first)),
        categories=list(_by_category(study, outcome, wide, names, inputs.covariates)),
        embedder=inputs.embedder,
        truncated=inputs.truncated,
        contrasts=whole.contrasts,
    )


def _wide(inputs: audit.Sources) -> pd.DataFrame:
    """The pool with a column a scorer."""
    wide = inputs.pool.copy()
    for name in inputs.scorers:
        wide[_column(name)] = audit.scored_pool(inputs, name)["score"].to_numpy(dtype=float)
    return wide


def _column(scorer: str) -> str:
    """A scorer may be called as a column is."""
    return f"scorer:{scorer}"


def _audited(
    outcome: Outcome, wide: pd.DataFrame, names: Sequence[str], covariates: Sequence[str]
) -> dict[str, Underrating]:
    """By scorer; length and markdown are held constant."""
    if not names:
        return {}
    table = outcome.laid_out(wide)
    given = outcome.ratings[outcome.ratings["prompt_id"].isin(table["prompt_id"])]
    results = underratings(given, table, [_column(n) for n in names], covariates=covariates)
    return {name: results[_column(name)] for name in names}


def _largest(rows: Sequence[Row]) -> list[str]:
    machines = [r for r in rows if not r.is_baseline]
    ordered = sorted(machines, key=lambda r: -(r.result.underrating.estimate or -99.0))
    return [r.scorer for r in ordered[:COMPARED]]


def _by_measure(
    inputs: audit.Sources,
    outcome: Outcome,
    wide: pd.DataFrame,
    names: list[str],
    first: Sequence[Row],
) -> Iterator[Compared]:
    """The same question with unusualness measured otherwise; the first measure is not computed again."""
    for row in first:
        if row.scorer in names:
            yield Compared(row.scorer, MAIN, row.result)
    for name, values in (_by_vectors(inputs) | {"words, no embedder": audit.by_words(inputs.study)}).items():
        table = wide.assign(unusualness=wide["response_id"].map(values))
        for scorer, result in _audited(outcome, table, names, inputs.covariates).items():
            yield Compared(scorer, name, result)


def _by_vectors(inputs: audit.Sources) -> dict[str, pd.Series]:
    """What needs the vectors themselves: nothing, where they lie with a pool on disk."""
    if inputs.run is None:
        return {}
    frame, vectors = frames.vectors(inputs.run)
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
    study: Study, outcome: Outcome, wide: pd.DataFrame, names: list[str], covariates: Sequence[str]
) -> Iterator[Compared]:
    members: dict[str, list[int]] = {}
    for pk, category in study.prompts.in_pool().order_by("pk").values_list("pk", "category"):
        for label in taxonomy.labels(category):
            members.setdefault(label, []).append(pk)
    for name in sorted(members):
        if LEAST_PROMPTS <= len(members[name]) < wide["prompt_id"].nunique():
            part = wide[wide["prompt_id"].isin(members[name])]
            for scorer, result in _audited(outcome, part, names, covariates).items():
                yield Compared(scorer, name, result)
