"""Whether machines underrate unusual answers: each scorer against each quality criterion."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from annotate.models import Criterion, Study
from judging.models import PoolSummary, ScoreRun
from judging.results.audit.contrasts import Contrasts, contrasts, told
from judging.results.audit.inputs import (
    USUAL,
    Asked,
    AuditError,
    Sources,
    Unusual,
    named_ratings,
    scored_pool,
    sources,
    wide_scores,
)
from judging.scorers.length import NAME as LENGTH
from judging.stats import (
    Control,
    Divisive,
    Estimate,
    Underrating,
    Verdict,
    benjamini_hochberg,
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
    def length(self) -> Estimate | None:
        """The score's rise with length, where that is held constant."""
        return self.result.covariate_coefficients.get("log_length")

    @property
    def discovery(self) -> bool | None:
        """Whether it underrates and still does, all scorers of the criterion considered."""
        if self.p_adjusted is None:
            return None
        return self.result.verdict is Verdict.UNDERRATES and self.p_adjusted <= RATE

    @property
    def naive_misleads(self) -> bool:
        """Whether the naive slope says something that the audit does not."""
        naive, found = self.result.naive, self.result.verdict
        if naive.low is None or naive.high is None or found is Verdict.CANT_TELL:
            return False
        return (naive.low > 0 and found is not Verdict.UNDERRATES) or (
            naive.high < 0 and found is not Verdict.OVERRATES
        )

    def as_json(self) -> dict[str, Any]:
        r = self.result
        return {
            "scorer": self.scorer,
            "criterion": self.criterion.key,
            "n_prompts": r.n_prompts,
            "n_responses": r.n_responses,
            "n_annotators": r.n_annotators,
            "n_ratings": r.n_ratings,
            "n_scored": self.n_scored,
            "n_pool": self.n_pool,
            "underrating": _interval(r.underrating) | {"p": r.p},
            "p_one_sided": r.p_one_sided,
            "p_adjusted": self.p_adjusted,
            "discovery": self.discovery,
            "naive": _interval(r.naive),
            "raw": _interval(r.raw),
            "total": _interval(r.total),
            "human": _interval(r.human),
            "human_raw": _interval(r.human_raw),
            "reliability": r.reliability,
            "correlation": r.correlation,
            "predicted_naive_bias": r.predicted_naive_bias,
            "length_coefficient": _point(self.length),
            "covariates": [
                {"covariate": name} | _interval(e) for name, e in r.covariate_coefficients.items()
            ],
            "smallest_detectable": r.smallest_detectable,
            "strength": r.strength,
            "borderline": r.borderline,
            "effective_annotators": r.effective_annotators,
            "unusualness": self.unusualness,
            "measure": self.measure,
            "split_instruments": _interval(self.split_instruments),
            "pigeonhole": _interval(self.pigeonhole),
            "divisive": _divisive(self.divisive),
            "robust": None if r.robust is None else {"low": r.robust[0], "high": r.robust[1]},
            "verdict": r.verdict_text,
            "reason": r.reason,
            "notes": list(r.notes),
        }


def _divisive(d: Divisive) -> dict[str, Any]:
    estimates = {name: told(getattr(d, name)) for name in ("slope_high", "slope_low", "difference")}
    return estimates | {"p": d.p, "divisive_unusual": told(d.correlation), "reason": d.reason}


def _point(e: Estimate | None) -> float | None:
    return None if e is None else e.estimate


def _interval(e: Estimate) -> dict[str, Any]:
    return {"estimate": e.estimate, "low": e.low, "high": e.high}


@dataclass(frozen=True, slots=True)
class ControlRow:
    """People held out as if they were a machine, judged on one criterion."""

    criterion: Criterion
    control: Control

    @property
    def name(self) -> str:
        return "planted penalty" if self.control.planted else "held-out people"

    def as_json(self) -> dict[str, Any]:
        c = self.control
        return {
            "control": self.name,
            "criterion": self.criterion.key,
            "planted": c.planted,
            "underrating": _interval(c.underrating),
            "naive": _interval(c.result.naive),
            "strength": c.result.strength,
            "n_prompts": c.result.n_prompts,
            "n_responses": c.result.n_responses,
            "n_annotators": c.result.n_annotators,
            "passed": c.passed,
            "reason": c.reason,
        }


@dataclass(frozen=True, slots=True)
class Report:
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


def report(study: Study, asked: Asked = USUAL, scorer: str | None = None) -> Report:
    """The length of the response comes last among the scorers of a criterion, as a baseline."""
    found = sources(study, asked)
    if scorer is not None and scorer not in found.scorers:
        raise AuditError(f"no scores by {scorer!r} in {study.slug}; there are {', '.join(found.scorers)}")
    names = found.scorers if scorer is None else [scorer]
    ratings_by = {criterion: named_ratings(criterion) for criterion in found.criteria}
    rows, controls = [], []
    try:
        for criterion, ratings in ratings_by.items():
            rows += _adjusted(list(_rows(found, criterion, ratings, names)))
            controls += [ControlRow(criterion, c) for c in _controls(found, ratings)]
        groups = contrasts(found, asked.groups, names, ratings_by)
    except AuditError:
        raise
    except ValueError as error:
        raise AuditError(f"This audit can't be computed. {error}") from error
    return Report(
        rows=rows,
        controls=controls,
        unusual=found.unusual,
        available=found.available,
        embedder=found.embedder,
        embedders=found.embedders,
        unknown_languages=found.embedder.unknown_languages(),
        truncated=found.truncated,
        contrasts=groups,
    )


def audit(study: Study, scorer: str | None = None, asked: Asked = USUAL) -> list[Row]:
    """One row a scorer and quality criterion."""
    return report(study, asked, scorer).rows


def _rows(found: Sources, criterion: Criterion, ratings: pd.DataFrame, names: Sequence[str]) -> Iterator[Row]:
    scored = [name for name in names if name != LENGTH]
    wide, columns = wide_scores(found, scored)
    results = underratings(ratings, wide, list(columns), covariates=found.covariates, second=found.second)
    checks = _checks(found, ratings, wide, list(columns), found.covariates)
    for column, name in columns.items():
        yield _row(found, criterion, name, results[column], checks[column], wide[column])
    if LENGTH in names:
        # Length held constant, the length of a response says nothing: the baseline goes without covariates.
        table = scored_pool(found, LENGTH)
        result = underratings(ratings, table, ["score"], covariates=(), second=found.second)["score"]
        check = _checks(found, ratings, table, ["score"], ())["score"]
        yield _row(found, criterion, LENGTH, result, check, table["score"])


def _row(
    found: Sources,
    criterion: Criterion,
    name: str,
    result: Underrating,
    checks: "Checks",
    score: pd.Series,
) -> Row:
    return Row(
        scorer=name, criterion=criterion, unusualness=found.unusual.by, measure=found.unusual.name, result=result,
        n_scored=int(score.notna().sum()), n_pool=len(score), split_instruments=checks[0], pigeonhole=checks[1],
        divisive=checks[2],
    )  # fmt: skip


Checks = tuple[Estimate, Estimate, Divisive]


def _checks(
    of: Sources, ratings: pd.DataFrame, wide: pd.DataFrame, columns: Sequence[str], covariates: Sequence[str]
) -> dict[str, Checks]:
    """The slope by two other ways, and the other axis, for scorers that scored the same responses a few at a time."""
    found: dict[str, Checks] = {}
    for group in scored_alike(wide, columns):
        for start in range(0, len(group), AT_ONCE):
            some = group[start : start + AT_ONCE]
            how: dict[str, Any] = {"covariates": covariates}
            axis = divisive_slopes(ratings, wide, some, rng=np.random.default_rng(SEED), **how)
            if of.second is None:
                split, drawn = (
                    way(ratings, wide, some, rng=np.random.default_rng(SEED), **how)
                    for way in (split_instruments, pigeonhole)
                )
            else:
                none = Estimate.undefined("Two measures that correct each other have no such check.", 0)
                split = drawn = dict.fromkeys(some, none)
            found |= {column: (split[column], drawn[column], axis[column]) for column in some}
    return found


def _adjusted(rows: list[Row]) -> list[Row]:
    adjusted = adjusted_p([row.result for row in rows], [row.is_baseline for row in rows])
    return [replace(row, p_adjusted=x) for row, x in zip(rows, adjusted, strict=True)]


def adjusted_p(results: Sequence[Underrating], baseline: Sequence[bool]) -> list[float | None]:
    """The one-sided p of no underrating, adjusted for the number of scorers of a criterion.

    The baseline and what can't be told are no tests. Overrating has none: it rests on its two-sided interval.
    """
    told_of = [
        np.nan if is_baseline or r.p_one_sided is None or r.verdict is Verdict.CANT_TELL else r.p_one_sided
        for r, is_baseline in zip(results, baseline, strict=True)
    ]
    return [None if np.isnan(x) else float(x) for x in benjamini_hochberg(told_of)]


def _controls(found: Sources, ratings: pd.DataFrame) -> list[Control]:
    return [
        held_out_control(
            ratings, found.pool, planted=planted, covariates=found.covariates, rng=np.random.default_rng(SEED)
        )
        for planted in (0.0, PLANTED)
    ]


def to_read(
    study: Study, scorer: str, criterion: Criterion, n: int = 10, asked: Asked = USUAL
) -> pd.DataFrame:
    """The responses that the scorer underrates most; see judging.stats.audit.most_underrated."""
    return most_underrated(named_ratings(criterion), scored_pool(sources(study, asked), scorer), n)


def as_json(study: Study, scorer: str | None = None, asked: Asked = USUAL) -> dict[str, Any]:
    """What `audit --json` and the page's JSON say; without an audit an empty list, and the reason."""
    found: dict[str, Any] = {"study": study.slug, "simulated": study.simulated, "scorers": []}
    try:
        whole = report(study, asked, scorer)
    except AuditError as error:
        return found | {"reason": str(error)}
    return found | json_of(whole)


def json_of(whole: Report) -> dict[str, Any]:
    return {
        "scorers": [row.as_json() for row in whole.rows],
        "controls": [row.as_json() for row in whole.controls],
        "measures": [u.name for u in whole.available],
        "embedder": whole.named,
        "embedders": [str(run) for run in whole.embedders],
        "unknown_languages": whole.unknown_languages,
        "groups": whole.contrasts.grouping.name if whole.contrasts.grouping else None,
        "groupings": [g.name for g in whole.contrasts.available],
        "contrasts": [row.as_json() for row in whole.contrasts.rows],
    }
