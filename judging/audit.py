"""Whether machines underrate unusual answers: each scorer against each quality criterion."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from annotate.kinds import ItemKind, Kind, Measure
from annotate.models import Criterion, Study
from judging import frames
from judging.models import ScoreRun
from judging.scorers.length import NAME as LENGTH
from judging.stats import Estimate, Underrating, most_underrated, underrating


class AuditError(ValueError):
    """Why a study cannot be audited, and what would change that."""


@dataclass(frozen=True, slots=True)
class Row:
    """One scorer against one criterion."""

    scorer: str
    criterion: Criterion
    unusualness: str
    result: Underrating
    n_scored: int
    n_pool: int

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
            "underrating": {
                "estimate": r.underrating.estimate,
                "low": r.underrating.low,
                "high": r.underrating.high,
                "p": r.p,
            },
            "naive": {"estimate": r.naive.estimate, "low": r.naive.low, "high": r.naive.high},
            "raw": {"estimate": r.raw.estimate, "low": r.raw.low, "high": r.raw.high},
            "reliability": r.reliability,
            "correlation": r.correlation,
            "predicted_naive_bias": r.predicted_naive_bias,
            "length_coefficient": _point(r.covariate_coefficients.get("log_length")),
            "smallest_detectable": r.smallest_detectable,
            "strength": r.strength,
            "borderline": r.borderline,
            "effective_annotators": r.effective_annotators,
            "unusualness": self.unusualness,
            "verdict": r.verdict_text,
            "reason": r.reason,
            "notes": list(r.notes),
        }


def _point(e: Estimate | None) -> float | None:
    return None if e is None else e.estimate


@dataclass(frozen=True, slots=True)
class Sources:
    """What an audit rests on, fetched once for all scorers."""

    study: Study
    criteria: list[Criterion]
    pool: pd.DataFrame
    scores: pd.DataFrame
    embedder: ScoreRun

    @property
    def truncated(self) -> int:
        """Responses longer than the embedder reads."""
        return self.embedder.embeddings.filter(truncated=True).count()

    @property
    def scorers(self) -> list[str]:
        return [*sorted(set(self.scores["scorer"])), LENGTH]


def sources(study: Study) -> Sources:
    criteria = [
        c
        for c in study.criteria.all()
        if (c.kind, c.on, c.measures) == (Kind.RATING, ItemKind.SINGLE, Measure.QUALITY)
    ]
    if not criteria:
        raise AuditError(
            "No criterion of this study rates single responses and measures quality, so there is no human "
            'quality to hold a scorer against. In study.toml: on = "single", kind = "rating", measures = "quality".'
        )
    embedder = frames.embedding_run(study)
    if embedder is None:
        raise AuditError(
            "How unusual the responses are is not known yet: "
            f"run `manage.py score {study.slug} --scorer minilm` first."
        )
    scores = frames.scores(study)
    pool = frames.responses(study)
    missing = study.responses.count() - embedder.embeddings.count()
    if missing:
        # Unusualness against a part of the pool is another number, and may tell another story.
        raise AuditError(
            f"{missing:,} of {len(pool):,} responses are not embedded yet, and unusualness is against the whole "
            f"pool: run `manage.py score {study.slug} --scorer {embedder.scorer}` again."
        )
    # The baseline is always computed; numbers stored under its name are another scorer's.
    scores["scorer"] = scores["scorer"].replace(LENGTH, f"{LENGTH} (stored)")
    return Sources(study, criteria, pool, scores, embedder)


def audit(study: Study, scorer: str | None = None) -> list[Row]:
    """One row a scorer and quality criterion; the length of the response comes last, as a baseline."""
    found = sources(study)
    if scorer is not None and scorer not in found.scorers:
        raise AuditError(f"no scores by {scorer!r} in {study.slug}; there are {', '.join(found.scorers)}")
    names = found.scorers if scorer is None else [scorer]
    return [row for criterion in found.criteria for row in _rows(found, criterion, names)]


def _rows(found: Sources, criterion: Criterion, names: Iterable[str]) -> Iterable[Row]:
    # Who met a response in two items judged it twice; only the first look is independent.
    ratings = frames.answers(criterion).drop_duplicates(["annotator_id", "response_id"])
    for name in names:
        scored = scored_pool(found, name)
        # Length held constant, the length of a response says nothing: the baseline goes without it.
        covariates = () if name == LENGTH else ("log_length",)
        yield Row(
            scorer=name,
            criterion=criterion,
            unusualness=found.embedder.scorer,
            result=underrating(ratings, scored, covariates=covariates),
            n_scored=int(scored["score"].notna().sum()),
            n_pool=len(scored),
        )


def scored_pool(found: Sources, scorer: str) -> pd.DataFrame:
    """The pool with one scorer's numbers: response_id, prompt_id, log_length, unusualness, score."""
    if scorer == LENGTH:
        return found.pool.assign(score=found.pool["log_length"])
    given = found.scores.loc[found.scores["scorer"] == scorer, ["response_id", "score"]]
    return found.pool.merge(given, how="left", on="response_id")


def to_read(study: Study, scorer: str, criterion: Criterion, n: int = 10) -> pd.DataFrame:
    """The responses that the scorer underrates most; see judging.stats.most_underrated."""
    found = sources(study)
    ratings = frames.answers(criterion).drop_duplicates(["annotator_id", "response_id"])
    return most_underrated(ratings, scored_pool(found, scorer), n)


def as_json(study: Study, scorer: str | None = None) -> dict[str, Any]:
    """What `audit --json` and the page's JSON say; without an audit an empty list, and the reason."""
    found: dict[str, Any] = {"study": study.slug, "simulated": study.simulated, "scorers": []}
    try:
        rows = audit(study, scorer)
    except AuditError as error:
        return found | {"reason": str(error)}
    return found | {"scorers": [row.as_json() for row in rows]}
