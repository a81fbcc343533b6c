"""Whether machines underrate unusual answers: each scorer against each quality criterion."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from annotate.kinds import kind_of
from annotate.models import Criterion, Study
from judging.models import PoolSummary, ScoreRun
from judging.results.audit.contrasts import Contrasts, contrasts
from judging.results.audit.inputs import (
    Sources,
    Unusual,
    pool_sources,
    scored_pool,
    second_measures,
    wide_scores,
)
from judging.results.audit.options import DEFAULTS, AuditOptions
from judging.results.audit.outcomes import Outcome, in_sets, outcome_of, outcomes
from judging.results.result import NotComputable
from judging.scorers.length import NAME as LENGTH
from judging.stats import (
    Control,
    Divisive,
    Estimate,
    Scope,
    Underrating,
    Verdict,
    benjamini_hochberg,
    corroborated,
    divisive_slopes,
    held_out_control,
    most_underrated,
    pigeonhole,
    split_instruments,
    underratings,
)
from judging.stats.audit.controls import PLANTED
from judging.stats.core.sample import scored_alike

RATE = 0.05  # of false discoveries among all scorers that are said to underrate
AT_ONCE = 10  # scorers resampled together: their moments grow with the square
SEED = 20261122  # of splits and resamples: a page shows the same numbers twice


@dataclass(frozen=True, slots=True)
class Row:
    """One scorer against one criterion."""

    scorer: str
    criterion: Criterion
    unusualness: str
    measure: str
    result: Underrating
    n_scored: int
    n_pool: int
    split_instruments: Estimate
    pigeonhole: Estimate
    divisive: Divisive
    p_adjusted: float | None = None

    @property
    def is_baseline(self) -> bool:
        return self.scorer == LENGTH

    @property
    def in_sets(self) -> bool:
        """Whether people ordered or rated the responses of sets."""
        return in_sets(self.criterion)

    @property
    def outcome(self) -> str:
        """What people gave."""
        if not self.in_sets:
            return "ratings"
        return "orders of sets" if kind_of(self.criterion).ranks else f"ratings inside {self.criterion.on}s"

    @property
    def length(self) -> Estimate | None:
        """The score's rise with length, where that is held constant."""
        return self.result.covariate_coefficients.get("log_length")

    @property
    def discovery(self) -> bool | None:
        """Whether it underrates and still does, all scorers of the criterion considered; None for the baseline."""
        if self.p_adjusted is None:
            return None
        return self.result.verdict is Verdict.UNDERRATES and self.p_adjusted <= RATE


@dataclass(frozen=True, slots=True)
class ControlRow:
    """People held out as if they were a machine, judged on one criterion."""

    criterion: Criterion
    control: Control

    @property
    def name(self) -> str:
        return "planted penalty" if self.control.planted else "held-out people"


@dataclass(frozen=True, slots=True)
class Audit:
    """A whole audit: every scorer against every criterion, and what runs beside it."""

    rows: list[Row]
    controls: list[ControlRow]
    unusual: Unusual
    available: list[Unusual]
    embedder: ScoreRun | PoolSummary
    embedders: list[ScoreRun | PoolSummary]
    unknown_languages: list[str]
    truncated: int
    contrasts: Contrasts

    @property
    def named(self) -> str:
        return str(self.embedder)


def compute(study: Study, options: AuditOptions) -> Audit:
    """The length of the response comes last among the scorers of a criterion, as a baseline."""
    held = outcomes(study)
    inputs = pool_sources(study, options)
    if options.scorer and options.scorer not in inputs.scorers:
        raise NotComputable(
            f"no scores by {options.scorer!r} in {study.slug}; there are {', '.join(inputs.scorers)}"
        )
    names = [options.scorer] if options.scorer else inputs.scorers
    rows, controls = [], []
    try:
        for outcome in held:
            rows += _adjusted(list(_rows(inputs, outcome, names)))
            controls += [ControlRow(outcome.criterion, c) for c in _controls(inputs, outcome)]
        single = {outcome.criterion: outcome.ratings for outcome in held if outcome.places is None}
        groups = contrasts(inputs, options.groups, names, single)
    except NotComputable:
        raise
    except ValueError as error:
        raise NotComputable(f"This audit can't be computed. {error}") from error
    return Audit(
        rows=rows,
        controls=controls,
        unusual=inputs.unusual,
        available=inputs.available,
        embedder=inputs.embedder,
        embedders=inputs.embedders,
        unknown_languages=inputs.embedder.unknown_languages(),
        truncated=inputs.truncated,
        contrasts=groups,
    )


def _rows(inputs: Sources, outcome: Outcome, names: Sequence[str]) -> Iterator[Row]:
    wide, columns = wide_scores(inputs, [name for name in names if name != LENGTH])
    yield from _rows_of(inputs, outcome, wide, columns, inputs.covariates)
    if LENGTH in names:
        # Length held constant, the length of a response says nothing: the baseline goes without covariates.
        yield from _rows_of(inputs, outcome, scored_pool(inputs, LENGTH), {"score": LENGTH}, ())


def _rows_of(
    inputs: Sources, outcome: Outcome, wide: pd.DataFrame, columns: dict[str, str], covariates: Sequence[str]
) -> Iterator[Row]:
    results = audited(inputs, outcome, wide, list(columns), covariates)
    checks = _checks(inputs, outcome, wide, list(columns), covariates)
    for column, name in columns.items():
        yield _row(inputs, outcome.criterion, name, results[column], checks[column], wide[column])


def audited(
    inputs: Sources, outcome: Outcome, wide: pd.DataFrame, columns: Sequence[str], covariates: Sequence[str]
) -> dict[str, Underrating]:
    """What the audit says of scorers, with what people's own measures of unusualness say beside it."""
    ratings, table = outcome.ratings, outcome.laid_out(wide)
    results = underratings(ratings, table, columns, covariates=covariates, second=inputs.second)
    twos = {
        name: underratings(
            ratings, outcome.laid_out(wide.assign(second=second.to_numpy())), columns, covariates=covariates,
            second="second",
        )
        for name, second in second_measures(inputs).items()
    }  # fmt: skip
    if not twos:
        return results
    return {
        column: corroborated(result, {name: two[column] for name, two in twos.items()})
        for column, result in results.items()
    }


def _row(
    inputs: Sources,
    criterion: Criterion,
    name: str,
    result: Underrating,
    checks: "Checks",
    score: pd.Series,
) -> Row:
    return Row(
        scorer=name, criterion=criterion, unusualness=inputs.unusual.by, measure=inputs.unusual.name, result=result,
        n_scored=int(score.notna().sum()), n_pool=len(score), split_instruments=checks[0], pigeonhole=checks[1],
        divisive=checks[2],
    )  # fmt: skip


Checks = tuple[Estimate, Estimate, Divisive]


NESTED = "Not checked in this way: sets of one prompt are not independent of each other."


def _checks(
    inputs: Sources, outcome: Outcome, wide: pd.DataFrame, columns: Sequence[str], covariates: Sequence[str]
) -> dict[str, Checks]:
    """The slope by two other ways, and the other axis, for scorers that scored the same responses a few at a time."""
    if outcome.nested:
        none = Estimate.undefined(NESTED, 0)
        return dict.fromkeys(columns, (none, none, Divisive.undefined(NESTED)))
    checks: dict[str, Checks] = {}
    ratings, table = outcome.ratings, outcome.laid_out(wide)
    for group in scored_alike(table, columns):
        for start in range(0, len(group), AT_ONCE):
            some = group[start : start + AT_ONCE]
            how: dict[str, Any] = {"covariates": covariates}
            axis = divisive_slopes(ratings, table, some, rng=np.random.default_rng(SEED), **how)
            if inputs.second is None:
                split, drawn = (
                    way(ratings, table, some, rng=np.random.default_rng(SEED), **how)
                    for way in (split_instruments, pigeonhole)
                )
            else:
                none = Estimate.undefined("Two measures that correct each other have no such check.", 0)
                split = drawn = dict.fromkeys(some, none)
            checks |= {column: (split[column], drawn[column], axis[column]) for column in some}
    return checks


def _adjusted(rows: list[Row]) -> list[Row]:
    adjusted = adjusted_p([row.result for row in rows], [row.is_baseline for row in rows])
    return [replace(row, p_adjusted=x) for row, x in zip(rows, adjusted, strict=True)]


def adjusted_p(results: Sequence[Scope], baseline: Sequence[bool]) -> list[float | None]:
    """The one-sided p of no underrating, adjusted for the number of scorers of a criterion.

    The baseline and what can't be told are no tests. Overrating has none: it rests on its two-sided interval.
    """
    testable = [
        np.nan if is_baseline or r.p_one_sided is None or r.verdict is Verdict.CANT_TELL else r.p_one_sided
        for r, is_baseline in zip(results, baseline, strict=True)
    ]
    return [None if np.isnan(x) else float(x) for x in benjamini_hochberg(testable)]


def _controls(inputs: Sources, outcome: Outcome) -> list[Control]:
    return [
        held_out_control(
            outcome.ratings,
            outcome.laid_out(inputs.pool),
            planted=planted,
            covariates=inputs.covariates,
            rng=np.random.default_rng(SEED),
        )
        for planted in (0.0, PLANTED)
    ]


def to_read(
    study: Study, scorer: str, criterion: Criterion, n: int = 10, options: AuditOptions = DEFAULTS
) -> pd.DataFrame:
    """The responses that the scorer underrates most; see judging.stats.audit.most_underrated."""
    outcome = outcome_of(criterion)
    table = outcome.laid_out(scored_pool(pool_sources(study, options), scorer))
    listed = most_underrated(outcome.ratings, table, n if outcome.places is None else len(table))
    listed["response_id"] = outcome.response_of(listed["response_id"])
    return listed.drop_duplicates("response_id").head(n)
