"""What the prompts say together: homogeneity, with intervals over prompts."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotate.models import Prompt, Study
from judging.frames import pool, taxonomy
from judging.models import ScoreRun
from judging.results.homogeneity.human import Humans, humans
from judging.results.homogeneity.per_prompt import Floats, PerPrompt
from judging.stats import (
    Estimate,
    Overlap,
    PairSimilarity,
    PromptSimilarity,
    RandomPairs,
    SourceMatrix,
    Threshold,
    means_over_prompts,
    pair_similarity,
    random_pairs,
    source_matrix,
    trend,
)
from judging.stats.core.over_prompts import column_means

TEXTS_UP_TO = 20_000
"""Responses up to which a page compares words; beyond it only the command does, and takes minutes."""

TYPICAL_THRESHOLD = 0.8
"""Cosine of one idea where no answers of people say better: the paper's, for another embedder."""


@dataclass(frozen=True, slots=True)
class Source:
    """One source's responses. Estimates are over prompts."""

    name: str
    human: bool
    n_responses: int
    within: Estimate
    to_others: Estimate
    with_self_pairs: float | None
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


def summarize(
    study: Study,
    run: ScoreRun,
    names: list[str],
    measured: PerPrompt,
    calibrated: Threshold | None,
    sizes: tuple[int, int],
    n_missing: int,
) -> Homogeneity:
    machine = np.array([not pool.is_human(name) for name in names])
    prompts = {p.pk: p for p in study.prompts.in_pool()}
    everything = pair_similarity(measured.similarity)
    machines = pair_similarity(measured.similarity, among=machine) if 0 < machine.sum() < len(names) else None
    people, difference = _people(measured.similarity, machine)
    vendi, counted = (
        means_over_prompts(np.array(measured.vendi)),
        means_over_prompts(np.array(measured.ideas)),
    )
    dates = [measured.released.get(name) for name in names]
    return Homogeneity(
        embedder=str(run),
        n_prompts=len(measured.similarity),
        n_responses=study.responses.in_pool().count(),
        n_missing=n_missing,
        n_blank=study.responses.in_pool().n_blank(),
        truncated=run.embeddings.in_pool().filter(truncated=True).count(),
        unknown_languages=tuple(run.unknown_languages()),
        sources=_sources(names, measured, vendi, counted),
        all=everything,
        machines=machines,
        people=people,
        machines_less_people=difference,
        matrix=source_matrix(measured.similarity),
        random=random_pairs(measured.similarity),
        threshold=calibrated.cosine if calibrated else TYPICAL_THRESHOLD,
        calibrated=calibrated,
        equal_n=sizes[0],
        pool_n=sizes[1],
        mixed_vendi=vendi[-2],
        mixed_ideas=counted[-2],
        pool_vendi=vendi[-1],
        pool_ideas=counted[-1],
        categories=_categories(measured, prompts),
        parameters=_parameters(measured),
        trend=trend(measured.similarity, [pool.year(d) if d else np.nan for d in dates]),
        prompts=_ranked(measured, prompts),
        humans=humans(study, run),
        words_left_out=""
        if measured.overlaps
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
    people, difference = means_over_prompts(np.c_[table[:, 0], table[:, 1] - table[:, 0]], undefined=why)
    return people, difference


def _sources(
    names: list[str], measured: PerPrompt, vendi: list[Estimate], counted: list[Estimate]
) -> tuple[Source, ...]:
    within = means_over_prompts(
        np.array([np.diag(p.means) for p in measured.similarity]),
        undefined="Never two responses to a prompt.",
    )
    others = means_over_prompts(np.array([_to_others(p) for p in measured.similarity]))
    with_self_pairs = column_means(np.array([p.inflated_diagonal for p in measured.similarity]))
    words = {name: _words(measured, len(names), read) for name, read in _WORDS.items()}
    n = np.sum([p.counts for p in measured.similarity], axis=0)
    return tuple(
        Source(
            name=name,
            human=pool.is_human(name),
            n_responses=int(n[code]),
            within=within[code],
            to_others=others[code],
            with_self_pairs=_known(with_self_pairs[code]),
            vendi=vendi[code],
            ideas=counted[code],
            released=str(measured.released[name]) if measured.released.get(name) else None,
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


def _words(measured: PerPrompt, n_sources: int, read: Callable[[Overlap], Floats]) -> list[Estimate]:
    """A number of each response, averaged within sources and prompts, then over prompts."""
    rows = [_by_source(read(o), codes, n_sources) for o, codes in measured.overlaps.values()]
    table = np.array(rows) if rows else np.full((1, n_sources), np.nan)
    return means_over_prompts(table, undefined="Not compared.")


def _by_source(values: Floats, codes: npt.NDArray[np.int64], n_sources: int) -> Floats:
    given = np.isfinite(values)
    n = np.bincount(codes[given], minlength=n_sources)
    total = np.bincount(codes[given], values[given], minlength=n_sources)
    return np.asarray(np.divide(total, n, out=np.full(n_sources, np.nan), where=n > 0))


def _categories(measured: PerPrompt, prompts: Mapping[int, Prompt]) -> tuple[Group, ...]:
    members: dict[str, list[PromptSimilarity]] = {}
    for pk, result in zip(measured.prompt_ids, measured.similarity, strict=True):
        for label in taxonomy.labels(prompts[pk].category):
            members.setdefault(label, []).append(result)
    rows = []
    for name in sorted(members):
        one = pair_similarity(members[name])
        rows.append(Group(name, one.within, one.between, len(members[name])))
    return tuple(rows)


def _parameters(measured: PerPrompt) -> tuple[Group, ...]:
    values = sorted({value for prompt in measured.parameters for value in prompt})
    if not values:
        return ()
    table = np.array(
        [[np.mean(p[value]) if value in p else np.nan for value in values] for p in measured.parameters]
    )
    return tuple(
        Group(value, estimate, n_prompts=estimate.n)
        for value, estimate in zip(values, means_over_prompts(table), strict=True)
    )


def _ranked(measured: PerPrompt, prompts: Mapping[int, Prompt]) -> tuple[PromptRow, ...]:
    """From most to least alike; a prompt with one response comes last."""
    rows = [_prompt_row(measured, place, prompts[pk]) for place, pk in enumerate(measured.prompt_ids)]
    return tuple(sorted(rows, key=lambda r: (r.mean is None, -(r.mean or 0.0), r.key)))


def _prompt_row(measured: PerPrompt, place: int, prompt: Prompt) -> PromptRow:
    result = measured.similarity[place]
    own, other = np.diag(result.means), result.means[np.triu_indices(len(result.counts), 1)]
    words = measured.overlaps.get(prompt.pk)
    return PromptRow(
        pk=prompt.pk,
        key=prompt.key,
        text=prompt.text,
        n=int(result.counts.sum()),
        n_sources=int((result.counts > 0).sum()),
        mean=_known(result.mean),
        within=_finite_mean(own),
        between=_finite_mean(other),
        vendi=_known(measured.vendi[place][-1]),
        ideas=_known(measured.ideas[place][-1]),
        effective_ideas=_known(measured.effective[place]),
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
