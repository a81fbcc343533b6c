"""A pool on disk: the summary that `corpus` wrote, as estimates and arrays."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from annotate.models import Prompt, Study
from judging.models import PoolSummary
from judging.stats import Estimate, SourceMatrix

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mixing:
    """Sources among the nearest N responses, and what chance would give."""

    n: int
    distinct: Estimate
    distinct_expected: float | None


@dataclass(frozen=True, slots=True)
class AlikePrompt:
    """One of the prompts whose responses are most alike; with its text where the study has the prompt."""

    key: str
    text: str
    n: int
    mean: float


@dataclass(frozen=True, slots=True)
class ExternalPool:
    pk: int
    name: str
    computed_at: dt.datetime
    n_responses: int
    n_prompts: int
    n_pairs: int
    truncated: int
    within: Estimate
    between: Estimate
    inflated: Estimate
    random: Estimate
    thresholds: tuple[float, ...]
    pairs_within: tuple[Estimate, ...]
    pairs_between: tuple[Estimate, ...]
    cells: tuple[Estimate, ...]
    mixing: tuple[Mixing, ...]
    names: tuple[str, ...]
    matrix: SourceMatrix
    own: tuple[Estimate, ...]
    """Of each source, how alike its own responses are."""
    vendi: tuple[Estimate, ...]
    vendi_n: int
    mixed_vendi: Estimate
    histogram_within: npt.NDArray[np.int64]
    histogram_between: npt.NDArray[np.int64]
    most_alike: tuple[AlikePrompt, ...]

    @property
    def to_others(self) -> Floats:
        """Each source's mean of its means to the others; NaN where there is none."""
        means = np.where(np.eye(len(self.names), dtype=bool), np.nan, self.matrix.mean)
        known = np.isfinite(means).sum(axis=1)
        mean: Floats = np.full(len(known), np.nan)
        return np.asarray(np.divide(np.nansum(means, axis=1), known, out=mean, where=known > 0))

    @property
    def mixing_rows(self) -> list[tuple[int, Estimate, float | None]]:
        return [(m.n, m.distinct, m.distinct_expected) for m in self.mixing]

    @property
    def sources(self) -> list[tuple[str, Estimate, float | None, Estimate]]:
        """Name, similarity within, mean similarity to the others, Vendi score."""
        others = [float(v) if np.isfinite(v) else None for v in self.to_others]
        return list(zip(self.names, self.own, others, self.vendi, strict=True))


def external_pools(study: Study) -> list[ExternalPool]:
    """Every pool on disk whose homogeneity was measured, the latest first."""
    pools = PoolSummary.objects.filter(study=study).order_by("-computed_at", "-pk")
    return [_read(pool, pool.homogeneity) for pool in pools if pool.homogeneity]


def _read(pool: PoolSummary, summary: Mapping[str, Any]) -> ExternalPool:
    matrix = _matrix(summary["sources"])
    return ExternalPool(
        pk=pool.pk,
        name=pool.name,
        computed_at=pool.computed_at,
        n_responses=pool.n_responses,
        n_prompts=summary["n_prompts"],
        n_pairs=summary["n_pairs"],
        truncated=summary["truncated"],
        within=_estimate(summary["within"]),
        between=_estimate(summary["between"]),
        inflated=_estimate(summary["inflated"]),
        random=_estimate(summary["random"]),
        pairs_within=_estimates(summary["pairs_within"]),
        pairs_between=_estimates(summary["pairs_between"]),
        cells=_estimates(summary["cells"]),
        thresholds=tuple(summary["thresholds"]),
        mixing=tuple(
            Mixing(n, _estimate(d), e)
            for n, d, e in zip(
                summary["neighbors"], summary["distinct"], summary["distinct_expected"], strict=True
            )
        ),
        names=tuple(s["source"] for s in summary["sources"]),
        matrix=matrix,
        own=tuple(_own(matrix, i) for i in range(len(summary["sources"]))),
        vendi=_estimates([s["vendi"] for s in summary["sources"]]),
        vendi_n=summary["vendi_n"],
        mixed_vendi=_estimate(summary["vendi_pool"]),
        histogram_within=np.array(summary["histogram_within"], dtype=np.int64),
        histogram_between=np.array(summary["histogram_between"], dtype=np.int64),
        most_alike=_prompts(pool, summary["most_alike"]),
    )


def _estimate(summary: Mapping[str, Any]) -> Estimate:
    return Estimate(**summary)


def _estimates(summary: Sequence[Mapping[str, Any]]) -> tuple[Estimate, ...]:
    return tuple(_estimate(one) for one in summary)


def _matrix(sources: Sequence[Mapping[str, Any]]) -> SourceMatrix:
    """Intervals are Student's, from standard errors over prompts: resampling would need all prompts at once."""
    mean, error = (
        np.array([s[name] for s in sources], dtype=np.float64).reshape(len(sources), -1)
        for name in ("to", "standard_error")
    )
    n = np.array([s["n"] for s in sources], dtype=np.int64).reshape(len(sources), -1)
    half = error * stats.t.ppf(0.975, np.maximum(n - 1, 1))
    return SourceMatrix(
        mean=mean, low=mean - half, high=mean + half, n=n, inflated=np.full(len(sources), np.nan)
    )


def _own(matrix: SourceMatrix, i: int) -> Estimate:
    n, point = int(matrix.n[i, i]), matrix.mean[i, i]
    if not n:
        return Estimate.undefined("Never two responses to a prompt.", 0, 0.95)
    if not np.isfinite(matrix.low[i, i]):
        return Estimate(float(point), None, None, n, "Only one prompt.", 0.95)
    return Estimate(float(point), float(matrix.low[i, i]), float(matrix.high[i, i]), n)


def _prompts(pool: PoolSummary, summary: Sequence[Mapping[str, Any]]) -> tuple[AlikePrompt, ...]:
    stored = Prompt.objects.filter(study=pool.study_id, key__in=[row["prompt_id"] for row in summary])
    texts = dict(stored.values_list("key", "text"))
    return tuple(
        AlikePrompt(row["prompt_id"], texts.get(row["prompt_id"], ""), row["n"], row["mean"])
        for row in summary
    )


def as_records(study: Study) -> list[dict[str, Any]]:
    """As `corpus` wrote them, each with the pool it is of."""
    pools = PoolSummary.objects.filter(study=study).order_by("-computed_at", "-pk")
    return [
        {
            "embedder": pool.name,
            "identity": pool.identity,
            "n_responses": pool.n_responses,
            "computed_at": pool.computed_at.isoformat().replace("+00:00", "Z"),
            "digest": pool.digest,
            "homogeneity": pool.homogeneity,
        }
        for pool in pools
    ]
