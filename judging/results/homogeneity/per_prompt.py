"""What is measured of each prompt, one prompt in memory at a time."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from annotate.models import Study
from judging.frames import pool
from judging.models import ScoreRun
from judging.stats import (
    Overlap,
    PromptSimilarity,
    cosine_matrix,
    ideas,
    means_within,
    overlap,
    prompt_similarity,
    rarefied_count,
    rarefied_vendi,
    source_codes,
)
from judging.stats.core.over_prompts import chance_of
from judging.stats.similarity.diversity import vendi_by_source

Progress = Callable[[int, int], None]
Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class PerPrompt:
    """What was measured of each prompt, in the order of the prompts."""

    similarity: list[PromptSimilarity] = field(default_factory=list)
    vendi: list[Floats] = field(default_factory=list)  # each source, all mixed, pool
    ideas: list[Floats] = field(default_factory=list)
    effective: list[float] = field(default_factory=list)
    parameters: list[dict[str, list[float]]] = field(default_factory=list)
    prompt_ids: list[int] = field(default_factory=list)
    prompt_keys: list[str] = field(default_factory=list)
    overlaps: dict[int, tuple[Overlap, npt.NDArray[np.int64]]] = field(default_factory=dict)
    released: dict[str, Any] = field(default_factory=dict)

    def sort(self) -> None:
        """By the prompts' keys, so that resamples draw the same prompts whatever order they were loaded in."""
        order = sorted(range(len(self.prompt_keys)), key=self.prompt_keys.__getitem__)
        lists: list[list[Any]] = [self.similarity, self.vendi, self.ideas, self.effective, self.parameters]
        for rows in (*lists, self.prompt_ids):
            rows[:] = [rows[i] for i in order]
        self.prompt_keys.sort()


def measure(
    study: Study,
    run: ScoreRun,
    names: list[str],
    level: float,
    sizes: tuple[int, int],
    words: bool,
    progress: Progress,
) -> PerPrompt:
    measured = PerPrompt()
    total = study.prompts.in_pool().count()
    for done, part in enumerate(pool.embedded(run), 1):
        codes = source_codes(part.sources, names)
        result = prompt_similarity(part.vectors, codes, len(names))
        measured.similarity.append(result)
        measured.prompt_ids.append(part.prompt_id)
        measured.prompt_keys.append(part.prompt_key)
        _diversity(measured, part.vectors, codes, len(names), level, sizes, chance_of(part.prompt_key))
        measured.parameters.append(_by_parameter(part))
        for name, params in zip(part.sources, part.params, strict=True):
            if measured.released.get(name) is None:
                measured.released[name] = pool.release(name, params)
        progress(done, total)
    measured.sort()
    if words:
        for texts in pool.texts(study):
            codes = source_codes(texts.sources, names)
            measured.overlaps[texts.prompt_id] = overlap(texts.texts, codes), codes
    return measured


def _diversity(
    measured: PerPrompt,
    vectors: npt.NDArray[np.float32],
    codes: npt.NDArray[np.int64],
    n_sources: int,
    level: float,
    sizes: tuple[int, int],
    rng: np.random.Generator,
) -> None:
    """Vendi scores and ideas of each source, of as many responses of all sources, and of the pool."""
    equal_n, pool_n = sizes
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    clusters = ideas(cosine_matrix(unit), [level])[0]
    counts = np.full(n_sources + 2, np.nan)
    for code in np.unique(codes):
        counts[code] = rarefied_count(np.bincount(clusters.labels[codes == code]), equal_n)
    of_sources = vendi_by_source(unit, codes, n_sources, equal_n, rng=rng)
    vendi = np.array([*of_sources, rarefied_vendi(unit, pool_n, rng=rng)])
    counts[-2], counts[-1] = (rarefied_count(clusters.sizes, n) for n in (equal_n, pool_n))
    measured.vendi.append(vendi)
    measured.ideas.append(counts)
    measured.effective.append(clusters.effective)


def _by_parameter(part: pool.PromptPool) -> dict[str, list[float]]:
    """Per value of a sampling parameter, the mean cosine of each source's responses made with it."""
    means_of: dict[str, list[float]] = {}
    for name in sorted({key for params in part.params for key in params if key != pool.RELEASED}):
        labels = [
            (s, f"{name} = {p[name]}") for s, p in zip(part.sources, part.params, strict=True) if name in p
        ]
        rows = [i for i, p in enumerate(part.params) if name in p]
        order = sorted(set(labels))
        place = {label: code for code, label in enumerate(order)}
        means = means_within(part.vectors[rows], [place[label] for label in labels], len(order))
        for (_, value), mean in zip(order, means, strict=True):
            if math.isfinite(mean):
                means_of.setdefault(value, []).append(float(mean))
    return means_of
