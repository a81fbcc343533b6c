"""The summary of all partitions: one small object, built a partition at a time."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from judging.corpus import homogeneity
from judging.corpus.pool import Pool
from judging.stats import Estimate, PromptSimilarity, means_over_prompts
from judging.stats.similarity.homogeneity import BINS, NEIGHBORS, THRESHOLDS
from judging.stats.similarity.pair_similarity import PromptPairs, pair_similarity_of, prompt_pairs

Floats = npt.NDArray[np.float64]
LISTED = 50
"""Prompts listed, most similar first."""


@dataclass(slots=True)
class _Sums:
    """Running sums over prompts; of each prompt it stores one row of numbers."""

    n: int
    total: Floats = field(init=False)
    squares: Floats = field(init=False)
    counts: npt.NDArray[np.int64] = field(init=False)
    vendi: list[Floats] = field(default_factory=list)
    vectors: list[Floats] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    means: list[tuple[float, str, int]] = field(default_factory=list)
    pairs_of_prompts: list[PromptPairs] = field(default_factory=list)
    truncated: int = 0

    def __post_init__(self) -> None:
        self.total, self.squares = np.zeros((self.n, self.n)), np.zeros((self.n, self.n))
        self.counts = np.zeros((self.n, self.n), np.int64)

    def add(self, row: dict[str, Any], prompt: PromptSimilarity) -> None:
        means = prompt.means
        known = np.isfinite(means)
        self.total += np.where(known, means, 0)
        self.squares += np.where(known, means**2, 0)
        self.counts += known
        self.pairs_of_prompts.append(prompt_pairs(prompt))
        self.vendi.append(np.array(row["vendi"], dtype=float))
        self.vectors.append(prompt.vector_sum)
        self.sizes.append(row["n"])
        self.means.append((prompt.mean, row["prompt_id"], row["n"]))
        self.truncated += row["truncated"]


def summary(pool: Pool, paths: list[str], sources: tuple[str, ...], equal: int) -> dict[str, Any]:
    """Homogeneity of the whole pool: numbers with intervals over prompts, as JSON holds them."""
    sums = _Sums(len(sources))
    for row, prompt in homogeneity.prompts(pool, paths, len(sources)):
        sums.add(row, prompt)
    # By prompt, so that intervals do not depend on how prompts lie in partitions.
    order = sorted(range(len(sums.means)), key=lambda i: sums.means[i][1])
    pooled = pair_similarity_of([sums.pairs_of_prompts[i] for i in order])
    vendi = means_over_prompts(np.array([sums.vendi[i] for i in order]))
    listed = sorted((m for m in sums.means if np.isfinite(m[0])), reverse=True)[:LISTED]
    return {
        "n_prompts": len(sums.sizes),
        "n_responses": sum(sums.sizes),
        "n_pairs": pooled.n_pairs,
        "truncated": sums.truncated,
        "within": _json(pooled.within),
        "between": _json(pooled.between),
        "inflated": _json(pooled.inflated),
        "excess": _json(pooled.excess),
        "thresholds": list(THRESHOLDS),
        "pairs_within": [_json(e) for e in pooled.pairs_within],
        "pairs_between": [_json(e) for e in pooled.pairs_between],
        "cells": [_json(e) for e in pooled.cells],
        "neighbors": list(NEIGHBORS),
        "distinct": [_json(e) for e in pooled.distinct],
        "distinct_expected": list(pooled.distinct_expected),
        "random": _json(_random(np.array(sums.vectors), np.array(sums.sizes, dtype=float))),
        "vendi_n": equal,
        "vendi_pool": _json(vendi[-1]),
        "sources": [
            {"source": name, "vendi": _json(v)} | _matrix_row(sums, i)
            for i, (name, v) in enumerate(zip(sources, vendi[:-1], strict=True))
        ],
        "bins": BINS.tolist(),
        "histogram_within": pooled.histogram_within.tolist(),
        "histogram_between": pooled.histogram_between.tolist(),
        "most_alike": [{"prompt_id": key, "mean": mean, "n": n} for mean, key, n in listed],
    }


def _json(estimate: Estimate) -> dict[str, Any]:
    return asdict(estimate)


def _matrix_row(sums: _Sums, i: int) -> dict[str, Any]:
    """Mean cosine to every source, with standard errors over prompts: resampling would need all prompts at once."""
    n = sums.counts[i]
    mean = np.divide(sums.total[i], n, out=np.full(sums.n, np.nan), where=n > 0)
    spread = np.maximum(sums.squares[i] - n * np.nan_to_num(mean) ** 2, 0)
    error = np.sqrt(np.divide(spread, n * (n - 1), out=np.full(sums.n, np.nan), where=n > 1))
    return {"to": _nulls(mean), "standard_error": _nulls(error), "n": n.tolist()}


def _nulls(values: Floats) -> list[float | None]:
    return [float(v) if np.isfinite(v) else None for v in values]


def _random(sums: Floats, sizes: Floats) -> Estimate:
    """Mean cosine of two responses to different prompts, exactly; its interval by leaving out one prompt at a time.

    (|sum s_p|^2 - sum |s_p|^2) / ((sum n_p)^2 - sum n_p^2), as judging.stats.random_pairs, without its P x P matrix.
    """
    n = len(sizes)
    if n < 2:
        return Estimate.undefined("Pairs across prompts need two prompts.", n, 0.95)
    total, own, size = sums.sum(axis=0), (sums**2).sum(axis=1), sizes.sum()
    top, bottom = total @ total - own.sum(), size**2 - (sizes**2).sum()
    if n < 3:
        return Estimate(top / bottom, None, None, n, "No interval: only two prompts.", 0.95)
    # Without prompt p both lose its pairs with all others, counted in both orders.
    without = (top - 2 * (sums @ total - own)) / (bottom - 2 * sizes * (size - sizes))
    error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    half = float(stats.t.ppf(0.975, n - 1)) * error
    point = float(top / bottom)
    return Estimate(point, point - half, point + half, n, None, 0.95)
