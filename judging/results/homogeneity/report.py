"""How alike the responses of a study's pool are: within and between sources, by category, parameter and date."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Count

from annotate.models import Prompt, Study
from judging.frames import pool, taxonomy
from judging.frames import tables as frames
from judging.models import ScoreRun
from judging.results.homogeneity.human import Humans, humans, same_idea
from judging.stats import (
    Estimate,
    Overlap,
    PairSimilarity,
    PromptSimilarity,
    RandomPairs,
    SourceMatrix,
    Threshold,
    cosine_matrix,
    ideas,
    means_over_prompts,
    means_within,
    overlap,
    pair_similarity,
    prompt_similarity,
    random_pairs,
    rarefied_count,
    rarefied_vendi,
    source_codes,
    source_matrix,
    trend,
)
from judging.stats.core.over_prompts import chance_of, column_means
from judging.stats.similarity.diversity import vendi_by_source
from judging.stats.similarity.homogeneity import THRESHOLDS

TEXTS_UP_TO = 20_000
"""Responses up to which a page compares words; beyond it only the command does, and takes minutes."""

USUAL_THRESHOLD = 0.8
"""Cosine of one idea where no answers of people say better: the paper's, for another embedder."""

FULL = 0.8
"""Share of the cells that must reach the number of responses at which sets are compared."""

Progress = Callable[[int, int], None]
Floats = npt.NDArray[np.float64]


class HomogeneityError(ValueError):
    """Why homogeneity cannot be measured, and what would change that."""


@dataclass(frozen=True, slots=True)
class Source:
    """One source's responses. Estimates are over prompts."""

    name: str
    human: bool
    n_responses: int
    within: Estimate
    to_others: Estimate
    inflated: float | None
    vendi: Estimate
    ideas: Estimate
    longest_run: Estimate
    shared_grams: Estimate
    duplicates: Estimate
    self_repetition: Estimate
    released: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Some prompts, or some of the responses: a category, or a value of a sampling parameter."""

    name: str
    within: Estimate
    between: Estimate | None = None
    n_prompts: int = 0


@dataclass(frozen=True, slots=True)
class PromptRow:
    """One prompt, for the list from most to least alike."""

    pk: int
    key: str
    text: str
    n: int
    n_sources: int
    mean: float | None
    within: float | None
    between: float | None
    vendi: float | None
    ideas: float | None
    effective_ideas: float | None
    compression: float | None
    duplicates: float | None
    runs: tuple[tuple[int, str, int, int], ...]  # words, text, responses, sources
    histogram: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Homogeneity:
    embedder: str
    n_prompts: int
    n_responses: int
    n_missing: int
    n_blank: int
    truncated: int
    unknown_languages: tuple[str, ...]
    sources: tuple[Source, ...]
    all: PairSimilarity
    machines: PairSimilarity | None
    people: Estimate
    machines_less_people: Estimate
    matrix: SourceMatrix
    random: RandomPairs
    threshold: float
    calibrated: Threshold | None
    equal_n: int
    pool_n: int
    mixed_vendi: Estimate
    mixed_ideas: Estimate
    pool_vendi: Estimate
    pool_ideas: Estimate
    categories: tuple[Group, ...]
    parameters: tuple[Group, ...]
    trend: Estimate
    prompts: tuple[PromptRow, ...]
    humans: tuple[Humans, ...]
    words_left_out: str

    @property
    def names(self) -> list[str]:
        return [s.name for s in self.sources]


@dataclass(slots=True)
class _Gathered:
    """Per-prompt results, in the order of the prompts."""

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


def homogeneity(
    study: Study, *, words: bool | None = None, progress: Progress = lambda done, total: None
) -> Homogeneity:
    """Everything the page and the command show, one prompt in memory at a time.

    `words`: whether to compare words too; None, if the pool is small enough for a page.
    """
    run = frames.embedding_run(study)
    if run is None:
        raise HomogeneityError(
            "Nothing is known yet of how alike the responses are: "
            f"run `manage.py score {study.slug} --scorer minilm` first."
        )
    n_responses = study.responses.count()
    small = n_responses <= TEXTS_UP_TO
    with_words = small if words is None else words
    names = pool.source_names(study)
    calibrated = same_idea(study, run)
    level = calibrated.cosine if calibrated else USUAL_THRESHOLD
    equal_n, pool_n, n_embedded = _sizes(run)
    found = _measured(study, run, names, level, (equal_n, pool_n), with_words, progress)
    return _summary(study, run, names, found, calibrated, (equal_n, pool_n), n_responses - n_embedded)


def _sizes(run: ScoreRun) -> tuple[int, int, int]:
    """Responses at which cells, and pools, are compared: what four of five of them reach, at least two; and all."""
    cells = run.embeddings.values_list("response__prompt_id", "response__source").annotate(n=Count("pk"))
    counts: dict[int, list[int]] = {}
    for prompt, _, n in cells.order_by():
        counts.setdefault(prompt, []).append(n)
    several = [n for sizes in counts.values() for n in sizes if n > 1]
    pools = [sum(sizes) for sizes in counts.values() if sum(sizes) > 1]
    return _reached(several), _reached(pools), sum(map(sum, counts.values()))


def _reached(sizes: Sequence[int]) -> int:
    """The largest number that a share FULL of the sizes reach."""
    if not sizes:
        return 2
    ordered = sorted(sizes, reverse=True)
    return max(2, ordered[max(0, math.ceil(FULL * len(ordered)) - 1)])


def _measured(
    study: Study,
    run: ScoreRun,
    names: list[str],
    level: float,
    sizes: tuple[int, int],
    words: bool,
    progress: Progress,
) -> _Gathered:
    found = _Gathered()
    total = study.prompts.count()
    for done, part in enumerate(pool.embedded(run), 1):
        codes = source_codes(part.sources, names)
        result = prompt_similarity(part.vectors, codes, len(names))
        found.similarity.append(result)
        found.prompt_ids.append(part.prompt_id)
        found.prompt_keys.append(part.prompt_key)
        _diversity(found, part.vectors, codes, len(names), level, sizes, chance_of(part.prompt_key))
        found.parameters.append(_by_parameter(part))
        for name, params in zip(part.sources, part.params, strict=True):
            if found.released.get(name) is None:
                found.released[name] = pool.release(name, params)
        progress(done, total)
    found.sort()
    if words:
        for texts in pool.texts(study):
            codes = source_codes(texts.sources, names)
            found.overlaps[texts.prompt_id] = overlap(texts.texts, codes), codes
    return found


def _diversity(
    found: _Gathered,
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
    found.vendi.append(vendi)
    found.ideas.append(counts)
    found.effective.append(clusters.effective)


def _by_parameter(part: pool.PromptPool) -> dict[str, list[float]]:
    """Per value of a sampling parameter, the mean cosine of each source's responses made with it."""
    found: dict[str, list[float]] = {}
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
                found.setdefault(value, []).append(float(mean))
    return found


def _summary(
    study: Study,
    run: ScoreRun,
    names: list[str],
    found: _Gathered,
    calibrated: Threshold | None,
    sizes: tuple[int, int],
    n_missing: int,
) -> Homogeneity:
    machine = np.array([not pool.is_human(name) for name in names])
    prompts = {p.pk: p for p in study.prompts.all()}
    everything = pair_similarity(found.similarity)
    machines = pair_similarity(found.similarity, among=machine) if 0 < machine.sum() < len(names) else None
    people, difference = _people(found.similarity, machine)
    vendi, counted = means_over_prompts(np.array(found.vendi)), means_over_prompts(np.array(found.ideas))
    dates = [found.released.get(name) for name in names]
    return Homogeneity(
        embedder=str(run),
        n_prompts=len(found.similarity),
        n_responses=study.responses.count(),
        n_missing=n_missing,
        n_blank=study.responses.n_blank(),
        truncated=run.embeddings.filter(truncated=True).count(),
        unknown_languages=tuple(run.unknown_languages()),
        sources=_sources(names, found, vendi, counted),
        all=everything,
        machines=machines,
        people=people,
        machines_less_people=difference,
        matrix=source_matrix(found.similarity),
        random=random_pairs(found.similarity),
        threshold=calibrated.cosine if calibrated else USUAL_THRESHOLD,
        calibrated=calibrated,
        equal_n=sizes[0],
        pool_n=sizes[1],
        mixed_vendi=vendi[-2],
        mixed_ideas=counted[-2],
        pool_vendi=vendi[-1],
        pool_ideas=counted[-1],
        categories=_categories(found, prompts),
        parameters=_parameters(found),
        trend=trend(found.similarity, [pool.year(d) if d else np.nan for d in dates]),
        prompts=_ranked(found, prompts),
        humans=humans(study, run),
        words_left_out=""
        if found.overlaps
        else f"Words are compared on this page in pools of up to {TEXTS_UP_TO:,} responses; "
        f"`manage.py homogeneity {study.slug} --words` compares those of any pool.",
    )


def _people(prompts: Sequence[PromptSimilarity], machine: npt.NDArray[np.bool_]) -> tuple[Estimate, Estimate]:
    """Mean cosine of two people's responses; and of two machines' less that, over the prompts that have both."""
    why = "The pool has no two responses written by people to one prompt."
    rows = []
    for prompt in prompts:
        human = prompt.pairs[np.ix_(~machine, ~machine)].sum()
        people = prompt.total[np.ix_(~machine, ~machine)].sum() / human if human else np.nan
        between = prompt.means[np.ix_(machine, machine)][np.triu_indices(int(machine.sum()), 1)]
        rows.append((people, np.nanmean(between) if np.isfinite(between).any() else np.nan))
    table = np.array(rows).reshape(-1, 2)
    found = means_over_prompts(np.c_[table[:, 0], table[:, 1] - table[:, 0]], undefined=why)
    return found[0], found[1]


def _sources(
    names: list[str], found: _Gathered, vendi: list[Estimate], counted: list[Estimate]
) -> tuple[Source, ...]:
    within = means_over_prompts(
        np.array([np.diag(p.means) for p in found.similarity]), undefined="Never two responses to a prompt."
    )
    others = means_over_prompts(np.array([_to_others(p) for p in found.similarity]))
    inflated = column_means(np.array([p.inflated_diagonal for p in found.similarity]))
    words = {name: _words(found, len(names), read) for name, read in _WORDS.items()}
    n = np.sum([p.counts for p in found.similarity], axis=0)
    return tuple(
        Source(
            name=name,
            human=pool.is_human(name),
            n_responses=int(n[code]),
            within=within[code],
            to_others=others[code],
            inflated=_known(inflated[code]),
            vendi=vendi[code],
            ideas=counted[code],
            released=str(found.released[name]) if found.released.get(name) else None,
            **{key: columns[code] for key, columns in words.items()},
        )
        for code, name in enumerate(names)
    )


def _to_others(prompt: PromptSimilarity) -> Floats:
    """Each source's mean cosine to the responses of other sources."""
    total = prompt.total.sum(axis=1) - np.diag(prompt.total)
    pairs = prompt.pairs.sum(axis=1) - np.diag(prompt.pairs)
    return np.asarray(np.divide(total, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0))


_WORDS: dict[str, Callable[[Overlap], Floats]] = {
    "longest_run": lambda o: o.longest.astype(np.float64),
    "shared_grams": lambda o: o.shared_grams,
    "duplicates": lambda o: o.duplicate.astype(np.float64),
    "self_repetition": lambda o: o.self_repetition,
}


def _words(found: _Gathered, n_sources: int, read: Callable[[Overlap], Floats]) -> list[Estimate]:
    """A number of each response, averaged within sources and prompts, then over prompts."""
    rows = [_by_source(read(o), codes, n_sources) for o, codes in found.overlaps.values()]
    table = np.array(rows) if rows else np.full((1, n_sources), np.nan)
    return means_over_prompts(table, undefined="Not compared.")


def _by_source(values: Floats, codes: npt.NDArray[np.int64], n_sources: int) -> Floats:
    given = np.isfinite(values)
    n = np.bincount(codes[given], minlength=n_sources)
    total = np.bincount(codes[given], values[given], minlength=n_sources)
    return np.asarray(np.divide(total, n, out=np.full(n_sources, np.nan), where=n > 0))


def _categories(found: _Gathered, prompts: Mapping[int, Prompt]) -> tuple[Group, ...]:
    members: dict[str, list[PromptSimilarity]] = {}
    for pk, result in zip(found.prompt_ids, found.similarity, strict=True):
        for label in taxonomy.labels(prompts[pk].category):
            members.setdefault(label, []).append(result)
    rows = []
    for name in sorted(members):
        one = pair_similarity(members[name])
        rows.append(Group(name, one.within, one.between, len(members[name])))
    return tuple(rows)


def _parameters(found: _Gathered) -> tuple[Group, ...]:
    values = sorted({value for prompt in found.parameters for value in prompt})
    if not values:
        return ()
    table = np.array(
        [[np.mean(p[value]) if value in p else np.nan for value in values] for p in found.parameters]
    )
    return tuple(
        Group(value, estimate, n_prompts=estimate.n)
        for value, estimate in zip(values, means_over_prompts(table), strict=True)
    )


def _ranked(found: _Gathered, prompts: Mapping[int, Prompt]) -> tuple[PromptRow, ...]:
    """From most to least alike; a prompt with one response comes last."""
    rows = [_prompt_row(found, place, prompts[pk]) for place, pk in enumerate(found.prompt_ids)]
    return tuple(sorted(rows, key=lambda r: (r.mean is None, -(r.mean or 0.0), r.key)))


def _prompt_row(found: _Gathered, place: int, prompt: Prompt) -> PromptRow:
    result = found.similarity[place]
    own, other = np.diag(result.means), result.means[np.triu_indices(len(result.counts), 1)]
    words = found.overlaps.get(prompt.pk)
    return PromptRow(
        pk=prompt.pk,
        key=prompt.key,
        text=prompt.text,
        n=int(result.counts.sum()),
        n_sources=int((result.counts > 0).sum()),
        mean=_known(result.mean),
        within=_finite_mean(own),
        between=_finite_mean(other),
        vendi=_known(found.vendi[place][-1]),
        ideas=_known(found.ideas[place][-1]),
        effective_ideas=_known(found.effective[place]),
        compression=_known(words[0].compression) if words else None,
        duplicates=float(words[0].duplicate.mean()) if words else None,
        runs=tuple((r.words, r.text, r.n_responses, r.n_sources) for r in words[0].runs) if words else (),
        histogram=tuple(int(n) for n in result.within + result.between),
    )


def _finite_mean(values: Floats) -> float | None:
    given = values[np.isfinite(values)]
    return float(given.mean()) if given.size else None


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


__all__ = ["THRESHOLDS", "Homogeneity", "HomogeneityError", "homogeneity"]
