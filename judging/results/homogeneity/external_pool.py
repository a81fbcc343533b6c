"""A pool on disk as pages and JSON tell of it: the summary that `corpus` wrote, as estimates and arrays."""

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
class OnDisk:
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
        found: Floats = np.full(len(known), np.nan)
        return np.asarray(np.divide(np.nansum(means, axis=1), known, out=found, where=known > 0))

    @property
    def sources(self) -> list[tuple[str, Estimate, float | None, Estimate]]:
        """Name, likeness within, mean likeness to the others, Vendi score."""
        others = [float(v) if np.isfinite(v) else None for v in self.to_others]
        return list(zip(self.names, self.own, others, self.vendi, strict=True))


def on_disk(study: Study) -> list[OnDisk]:
    """Every pool on disk whose homogeneity was measured, the latest first."""
    pools = PoolSummary.objects.filter(study=study).order_by("-computed_at", "-pk")
    return [_told(pool, pool.homogeneity) for pool in pools if pool.homogeneity]


def _told(pool: PoolSummary, said: Mapping[str, Any]) -> OnDisk:
    matrix = _matrix(said["sources"])
    return OnDisk(
        pk=pool.pk,
        name=pool.name,
        computed_at=pool.computed_at,
        n_responses=pool.n_responses,
        n_prompts=said["n_prompts"],
        n_pairs=said["n_pairs"],
        truncated=said["truncated"],
        within=_estimate(said["within"]),
        between=_estimate(said["between"]),
        inflated=_estimate(said["inflated"]),
        random=_estimate(said["random"]),
        pairs_within=_estimates(said["pairs_within"]),
        pairs_between=_estimates(said["pairs_between"]),
        cells=_estimates(said["cells"]),
        thresholds=tuple(said["thresholds"]),
        mixing=tuple(
            Mixing(n, _estimate(d), e)
            for n, d, e in zip(said["neighbors"], said["distinct"], said["distinct_expected"], strict=True)
        ),
        names=tuple(s["source"] for s in said["sources"]),
        matrix=matrix,
        own=tuple(_own(matrix, i) for i in range(len(said["sources"]))),
        vendi=_estimates([s["vendi"] for s in said["sources"]]),
        vendi_n=said["vendi_n"],
        mixed_vendi=_estimate(said["vendi_pool"]),
        histogram_within=np.array(said["histogram_within"], dtype=np.int64),
        histogram_between=np.array(said["histogram_between"], dtype=np.int64),
        most_alike=_prompts(pool, said["most_alike"]),
    )


def _estimate(said: Mapping[str, Any]) -> Estimate:
    return Estimate(**said)


def _estimates(said: Sequence[Mapping[str, Any]]) -> tuple[Estimate, ...]:
    return tuple(_estimate(one) for one in said)


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


def _prompts(pool: PoolSummary, said: Sequence[Mapping[str, Any]]) -> tuple[AlikePrompt, ...]:
    stored = Prompt.objects.filter(study=pool.study_id, key__in=[row["prompt_id"] for row in said])
    texts = dict(stored.values_list("key", "text"))
    return tuple(
        AlikePrompt(row["prompt_id"], texts.get(row["prompt_id"], ""), row["n"], row["mean"]) for row in said
    )


def without(study: Study, why: str) -> dict[str, Any]:
    """The JSON of a study whose own responses say nothing."""
    return {"study": study.slug, "simulated": study.simulated, "reason": why, "pools": as_json(study)}


def as_json(study: Study) -> list[dict[str, Any]]:
    """As `corpus` told it, with which pool it is of."""
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
