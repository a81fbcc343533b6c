"""The page of homogeneity: its figures and tables, of the study's own responses and of pools on disk."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from annotate.models import Study
from judging.results.cache import cached
from judging.results.figures import Figure
from judging.results.homogeneity import charts
from judging.results.homogeneity.external_pool import ExternalPool, external_pools
from judging.results.homogeneity.human import Humans
from judging.results.homogeneity.over_prompts import Group, Homogeneity, PromptRow, Source
from judging.results.result import Options
from judging.results.table import Cell, Column, Link, Table
from judging.stats import Estimate
from judging.stats.similarity.homogeneity import NEIGHBORS, THRESHOLDS

SHARES_TITLE = "Share above a cosine of this embedder"
RUNS = 2
"""Runs of words that responses to a prompt share, shown below it."""


def context(request: HttpRequest, study: Study, options: Options, report: Homogeneity) -> dict[str, Any]:
    lone = [g for g in report.categories if g.n_prompts == 1]
    return {
        "figures": cached(study, "homogeneity-figures", lambda: _figures(report)),
        "tables": {table.key: table for table in tables(report)},
        "lone_categories": Table.of("lone_categories", LONE_TITLE, LONE, lone) if lone else None,
        "prompts": Table.of("prompts", "", _prompt_columns(study), report.prompts),
    }


def page_beside(study: Study) -> dict[str, Any]:
    pools = cached(study, "external-pools", lambda: [(p, _pool_figures(p)) for p in external_pools(study)])
    return {"pools": [_pool(pool) | figures for pool, figures in pools]}


def _pool_figures(pool: ExternalPool) -> dict[str, Figure]:
    figures = {"cosines": charts.external_histograms(pool), "sources": charts.external_heat_map(pool)}
    return {name: figure.drawn() for name, figure in figures.items()}


def _pool(pool: ExternalPool) -> dict[str, Any]:
    shares = [
        ("pairs, same source", *pool.pairs_within),
        ("pairs, different sources", *pool.pairs_between),
        ("(source, prompt) means", *pool.cells),
    ]
    vendi: Column[Any] = Column("vendi", f"Vendi score of {pool.vendi_n}", itemgetter(3))
    return {
        "pool": pool,
        "head": (
            f"Whole pool, {pool.n_responses:,} responses to {pool.n_prompts:,} prompts by {len(pool.names)} sources, "
            f"on disk, computed {pool.computed_at:%Y-%m-%d}"
        ),
        "shares": _shares(f"pool{pool.pk}_shares", pool.thresholds, shares),
        "mixing": Table.of(f"pool{pool.pk}_mixing", MIXING_TITLE, MIXING[:3], pool.mixing_rows),
        "source_table": Table.of(f"pool{pool.pk}_sources", "", [*POOL_SOURCES, vendi], pool.sources),
        "prompts": Table.of(f"pool{pool.pk}_prompts", "", POOL_PROMPTS, pool.most_alike),
    }


def _figures(report: Homogeneity) -> dict[str, Figure]:
    figures = {"cosines": charts.histograms(report), "sources": charts.heat_map(report)}
    generations = charts.generations(report)
    if generations is not None:
        figures["generations"] = generations
    return {name: figure.drawn() for name, figure in figures.items()}


def tables(report: Homogeneity) -> list[Table]:
    shares = [
        ("pairs, same source", *report.all.pairs_within),
        ("pairs, different sources", *report.all.pairs_between),
        ("pairs, different prompts", *report.random.above),
        ("(source, prompt) means", *report.all.cells),
    ]
    mixing = list(
        zip(
            NEIGHBORS,
            report.all.distinct,
            report.all.distinct_expected,
            report.all.same,
            report.all.same_expected,
            strict=True,
        )
    )
    several = [g for g in report.categories if g.n_prompts > 1]
    every = [
        _shares("shares", THRESHOLDS, shares),
        Table.of("mixing", MIXING_TITLE, MIXING, mixing),
        _sources(report),
        Table.of("humans", HUMANS_TITLE, HUMANS, report.humans),
        Table.of("parameters", "Sampling parameters", PARAMETERS, report.parameters),
        Table.of("categories", "Categories of prompts", CATEGORIES, several),
    ]
    return [table for table in every if table.rows]


def _shares(key: str, thresholds: Sequence[float], rows: Sequence[tuple[Any, ...]]) -> Table:
    columns: list[Column[Any]] = [
        Column("of", "Of", itemgetter(0)),
        *(
            Column(f"above_{t:g}", f"above {t:g}", itemgetter(n), style="percent")
            for n, t in enumerate(thresholds, 1)
        ),
    ]
    return Table.of(key, SHARES_TITLE, columns, rows)


def _sources(report: Homogeneity) -> Table:
    """Each source; and, for comparison, as many responses drawn from all, and the pool."""
    n = report.equal_n
    columns: list[Column[Any]] = [
        Column("source", "Source", itemgetter(0)),
        Column("n_responses", "Responses", itemgetter(1)),
        Column("within", "Among themselves", itemgetter(2)),
        Column("to_others", "To other sources", itemgetter(3)),
        Column("vendi", f"Vendi score of {n}", itemgetter(4)),
        Column("ideas", f"Ideas in {n}", itemgetter(5)),
        Column("longest_run", "Longest shared run", itemgetter(6), "words"),
        Column("shared_grams", "4-grams that others have", itemgetter(7), style="percent"),
        Column("duplicates", "Duplicates elsewhere", itemgetter(8), style="percent"),
        Column("self_repetition", "Self-repetition", itemgetter(9)),
        Column("with_self_pairs", "With self-pairs", itemgetter(10), digits=3),
    ]
    rows = [_source(s) for s in report.sources]
    none: list[Cell] = [None] * 5
    rows.append(
        [f"{n} drawn from all sources", None, None, None, report.mixed_vendi, report.mixed_ideas, *none]
    )
    rows.append(
        [f"the pool, {report.pool_n} drawn", None, None, None, report.pool_vendi, report.pool_ideas, *none]
    )
    return Table("sources", _sources_title(report), columns, rows)


def _sources_title(report: Homogeneity) -> str:
    c = report.calibrated
    if c is None:
        why = ": a convention, not calibrated, because nobody has sorted responses into groups"
    else:
        why = (
            f", where the embedder agrees best with people’s groups (it puts together {c.sensitivity:.0%} of "
            f"{c.n_same:,} pairs that people put together, and separates {c.specificity:.0%} of {c.n_other:,})"
        )
    return (
        f"Vendi score and ideas are of {report.equal_n} responses to a prompt, so that sources with more do not look "
        f"more diverse. Ideas: clusters at a mean cosine of {report.threshold:.2f}{why}."
    )


def _source(s: Source) -> list[Cell]:
    note = ", ".join(filter(None, ("people" if s.human else "", s.released or "")))
    return [
        Link(s.name, note=note), s.n_responses, s.within, s.to_others, s.vendi, s.ideas, s.longest_run,
        s.shared_grams, s.duplicates, s.self_repetition, s.with_self_pairs,
    ]  # fmt: skip


def _prompt_columns(study: Study) -> list[Column[PromptRow]]:
    def link(p: PromptRow) -> Link:
        runs = (
            f"“{_cut(text, 110)}” {words} words, {n} responses by {sources} sources"
            for words, text, n, sources in p.runs[:RUNS]
        )
        return Link(_cut(p.text, 140), reverse("prompt-map", args=[study.slug, p.pk]), "; ".join(runs))

    return [
        Column("prompt", "Prompt, and what responses share word for word", link),
        Column("mean", "All pairs", lambda p: p.mean),
        Column("within", "Same source", lambda p: p.within),
        Column("between", "Different sources", lambda p: p.between),
        Column("effective_ideas", "Ideas, effective", lambda p: p.effective_ideas, digits=1),
        Column("compression", "Compression", lambda p: p.compression, digits=1),
        Column("n", "Responses", lambda p: p.n),
    ]


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _known(e: Estimate | None) -> Cell:
    return None if e is None else e.estimate


MIXING_TITLE = "Sources among the nearest N responses, and what chance would give"
MIXING: list[Column[Any]] = [
    Column("n", "N", itemgetter(0)),
    Column("distinct", "Distinct sources", itemgetter(1)),
    Column("distinct_expected", "by chance", itemgetter(2)),
    Column("same", "Share of the same source", itemgetter(3), style="percent"),
    Column("same_expected", "by chance", itemgetter(4), style="percent"),
]
HUMANS_TITLE = "The same pairs and sets, judged by people and by the embedder"
HUMANS: list[Column[Humans]] = [
    Column("criterion", "Criterion", lambda h: Link(h.criterion, note=h.unit)),
    Column("within", "People: same source", lambda h: h.within),
    Column("between", "People: different sources", lambda h: h.between),
    Column("cosine_within", "Cosine: same source", lambda h: h.cosine_within),
    Column("cosine_between", "Cosine: different sources", lambda h: h.cosine_between),
    Column("groups", "Groups people made of a set", lambda h: h.groups),
    Column("ideas", "Clusters of the embedder", lambda h: h.ideas),
    Column("n_pairs", "Pairs", lambda h: h.n_pairs),
]
PARAMETERS: list[Column[Group]] = [
    Column("value", "Set to", lambda g: g.name),
    Column("within", "Same source, same value", lambda g: g.within, help="n: prompts"),
]
CATEGORIES: list[Column[Group]] = [
    Column("category", "Category", lambda g: g.name),
    Column("within", "Same source", lambda g: g.within, help="n: prompts"),
    Column("between", "Different sources", lambda g: g.between, help="n: prompts"),
]
LONE_TITLE = "Without intervals: one prompt tells nothing about others of its kind."
LONE: list[Column[Group]] = [
    Column("category", "Category", lambda g: g.name),
    Column("within", "Same source", lambda g: _known(g.within)),
    Column("between", "Different sources", lambda g: _known(g.between)),
]
POOL_SOURCES: list[Column[Any]] = [
    Column("source", "Source", itemgetter(0)),
    Column("within", "Among themselves", itemgetter(1)),
    Column("to_others", "To other sources", itemgetter(2)),
]
POOL_PROMPTS: list[Column[Any]] = [
    Column("prompt", "Prompt", lambda p: _cut(p.text or p.key, 140)),
    Column("mean", "All pairs", lambda p: p.mean),
    Column("n", "Responses", lambda p: p.n),
]
