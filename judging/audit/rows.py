"""Whether machines underrate unusual answers: each scorer against each quality criterion."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from annotate.models import Criterion, Study
from judging.audit.sources import (
    COSINE,
    AuditError,
    Sources,
    Unusual,
    ratings_of,
    scored_pool,
    sources,
)
from judging.scorers.length import NAME as LENGTH
from judging.stats import (
    Control,
    Estimate,
    Underrating,
    Verdict,
    benjamini_hochberg,
    held_out_control,
    most_underrated,
    pigeonhole,
    split_instruments,
    underratings,
)
from judging.stats.controls import PLANTED

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
    p_adjusted: float | None = None

    @property
    def is_baseline(self) -> bool:
        return self.scorer == LENGTH

    @property
    def discovery(self) -> bool | None:
        """Whether it still underrates, all scorers of the criterion considered."""
        return None if self.p_adjusted is None else self.p_adjusted <= RATE

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
            "length_coefficient": _point(r.covariate_coefficients.get("log_length")),
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
            "robust": None if r.robust is None else {"low": r.robust[0], "high": r.robust[1]},
            "verdict": r.verdict_text,
            "reason": r.reason,
            "notes": list(r.notes),
        }


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
    embedder: str
    truncated: int


def report(study: Study, measure: str = COSINE, scorer: str | None = None) -> Report:
    """The length of the response comes last among the scorers of a criterion, as a baseline."""
    found = sources(study, measure)
    if scorer is not None and scorer not in found.scorers:
        raise AuditError(f"no scores by {scorer!r} in {study.slug}; there are {', '.join(found.scorers)}")
    names = found.scorers if scorer is None else [scorer]
    rows, controls = [], []
    try:
        for criterion in found.criteria:
            ratings = ratings_of(criterion)
            rows += _adjusted(list(_rows(found, criterion, ratings, names)))
            controls += [ControlRow(criterion, c) for c in _controls(found, ratings)]
    except ValueError as error:
        raise AuditError(f"This audit can't be computed. {error}") from error
    return Report(rows, controls, found.unusual, found.available, found.by, found.truncated)


def audit(study: Study, scorer: str | None = None, measure: str = COSINE) -> list[Row]:
    """One row a scorer and quality criterion."""
    return report(study, measure, scorer).rows


def _rows(found: Sources, criterion: Criterion, ratings: pd.DataFrame, names: Sequence[str]) -> Iterator[Row]:
    scored = [name for name in names if name != LENGTH]
    wide, columns = _wide(found, scored)
    results = underratings(ratings, wide, list(columns), covariates=found.covariates, second=found.second)
    checks = _checks(found, ratings, wide, list(columns), found.covariates)
    for column, name in columns.items():
        yield _row(found, criterion, name, results[column], *checks[column], wide[column])
    if LENGTH in names:
        # Length held constant, the length of a response says nothing: the baseline goes without covariates.
        table = scored_pool(found, LENGTH)
        result = underratings(ratings, table, ["score"], covariates=(), second=found.second)["score"]
        check = _checks(found, ratings, table, ["score"], ())["score"]
        yield _row(found, criterion, LENGTH, result, *check, table["score"])


def _wide(found: Sources, names: Sequence[str]) -> tuple[pd.DataFrame, dict[str, str]]:
    """The pool with a column for each scorer, and which scorer each column is: names may be anything."""
    columns = {f"scorer {i}": name for i, name in enumerate(names)}
    scores = found.scores.pivot(index="response_id", columns="scorer", values="score")
    values = {column: found.pool["response_id"].map(scores[name]) for column, name in columns.items()}
    return found.pool.assign(**values), columns


def _row(
    found: Sources,
    criterion: Criterion,
    name: str,
    result: Underrating,
    split: Estimate,
    drawn: Estimate,
    score: pd.Series,
) -> Row:
    return Row(
        scorer=name, criterion=criterion, unusualness=found.unusual.by, measure=found.unusual.name, result=result,
        n_scored=int(score.notna().sum()), n_pool=len(score), split_instruments=split, pigeonhole=drawn,
    )  # fmt: skip


def _checks(
    of: Sources, ratings: pd.DataFrame, wide: pd.DataFrame, columns: Sequence[str], covariates: Sequence[str]
) -> dict[str, tuple[Estimate, Estimate]]:
    """The slope by two other ways, for scorers that scored the same responses a few at a time."""
    if of.second is not None:
        none = Estimate.undefined("Two measures that correct each other have no such check.", 0)
        return dict.fromkeys(columns, (none, none))
    found: dict[str, tuple[Estimate, Estimate]] = {}
    groups: dict[bytes, list[str]] = {}
    for column in columns:
        groups.setdefault(wide[column].notna().to_numpy().tobytes(), []).append(column)
    for group in groups.values():
        for start in range(0, len(group), AT_ONCE):
            some = group[start : start + AT_ONCE]
            split, drawn = (
                way(ratings, wide, some, covariates=covariates, rng=np.random.default_rng(SEED))
                for way in (split_instruments, pigeonhole)
            )
            found |= {column: (split[column], drawn[column]) for column in some}
    return found


def _adjusted(rows: list[Row]) -> list[Row]:
    """The rows of a criterion with p adjusted for their number; the baseline and what can't be told are no tests."""
    p = [
        r.result.p_one_sided if r.result.verdict is not Verdict.CANT_TELL and not r.is_baseline else None
        for r in rows
    ]
    adjusted = benjamini_hochberg([np.nan if x is None else x for x in p])
    return [
        replace(row, p_adjusted=None if np.isnan(x) else float(x))
        for row, x in zip(rows, adjusted, strict=True)
    ]


def _controls(found: Sources, ratings: pd.DataFrame) -> list[Control]:
    return [
        held_out_control(
            ratings, found.pool, planted=planted, covariates=found.covariates, rng=np.random.default_rng(SEED)
        )
        for planted in (0.0, PLANTED)
    ]


def to_read(
    study: Study, scorer: str, criterion: Criterion, n: int = 10, measure: str = COSINE
) -> pd.DataFrame:
    """The responses that the scorer underrates most; see judging.stats.most_underrated."""
    return most_underrated(ratings_of(criterion), scored_pool(sources(study, measure), scorer), n)


def as_json(study: Study, scorer: str | None = None, measure: str = COSINE) -> dict[str, Any]:
    """What `audit --json` and the page's JSON say; without an audit an empty list, and the reason."""
    found: dict[str, Any] = {"study": study.slug, "simulated": study.simulated, "scorers": []}
    try:
        whole = report(study, measure, scorer)
    except AuditError as error:
        return found | {"reason": str(error)}
    return found | json_of(whole)


def json_of(whole: Report) -> dict[str, Any]:
    return {
        "scorers": [row.as_json() for row in whole.rows],
        "controls": [row.as_json() for row in whole.controls],
        "measures": [u.name for u in whole.available],
    }
