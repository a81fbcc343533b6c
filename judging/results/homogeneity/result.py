"""Homogeneity of the whole pool: the result's options, JSON and text; its page and tables are in `page`."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from annotate.models import Study
from judging.results.homogeneity import external_pool
from judging.results.homogeneity.external_pool import ExternalPool
from judging.results.homogeneity.over_prompts import Homogeneity
from judging.results.homogeneity.page import context, page_beside, tables
from judging.results.homogeneity.report import compute
from judging.results.json import EstimateRecord, Floats, Ints, MaybeFloat, Record, ResultRecord
from judging.results.result import Options, Result
from judging.stats import Estimate
from judging.stats.similarity.homogeneity import BINS, NEIGHBORS, THRESHOLDS


class HomogeneityOptions(Options):
    words: bool = Field(default=False, description="compare words in a large pool too")


class PoolSimilarityRecord(Record):
    """How similar responses to one prompt are, within and between sources."""

    within: EstimateRecord
    between: EstimateRecord
    inflated: EstimateRecord
    excess: EstimateRecord
    pairs_within: list[EstimateRecord]
    pairs_between: list[EstimateRecord]
    cells: list[EstimateRecord]
    distinct: list[EstimateRecord]
    distinct_expected: list[MaybeFloat]
    same: list[EstimateRecord]
    same_expected: list[MaybeFloat]
    histogram_within: Ints
    histogram_between: Ints
    n_pairs: int
    neighbors: list[int] = Field(default_factory=lambda: list(NEIGHBORS))


class PoolSourceRecord(Record):
    name: str
    human: bool
    n_responses: int
    within: EstimateRecord
    to_others: EstimateRecord
    inflated: MaybeFloat = Field(validation_alias="with_self_pairs")
    vendi: EstimateRecord
    ideas: EstimateRecord
    longest_run: EstimateRecord
    shared_grams: EstimateRecord
    duplicates: EstimateRecord
    self_repetition: EstimateRecord
    released: str | None


class MatrixRecord(Record):
    """Mean cosines between sources, with intervals."""

    mean: list[list[MaybeFloat]]
    low: list[list[MaybeFloat]]
    high: list[list[MaybeFloat]]
    n: list[list[int]]
    inflated: list[MaybeFloat]


class RandomPairsRecord(Record):
    """Pairs of responses to different prompts."""

    mean: EstimateRecord
    above: list[EstimateRecord]
    histogram: Ints
    n_sampled: int


class ThresholdRecord(Record):
    """The cosine that agrees best with people's groups."""

    cosine: float
    sensitivity: float
    specificity: float
    n_same: int
    n_other: int


class GroupRecord(Record):
    """A category of prompts, or a value of a sampling parameter."""

    name: str
    within: EstimateRecord
    between: EstimateRecord | None
    n_prompts: int


class PromptRecord(Record):
    pk: int
    key: str
    text: str
    n: int
    n_sources: int
    mean: MaybeFloat
    within: MaybeFloat
    between: MaybeFloat
    vendi: MaybeFloat
    ideas: MaybeFloat
    effective_ideas: MaybeFloat
    compression: MaybeFloat
    duplicates: MaybeFloat
    runs: list[tuple[int, str, int, int]]
    histogram: Ints


class HumansRecord(Record):
    """People's similarity judgments or groups, and the embedder's of the same pairs and sets."""

    criterion: str
    kind: str
    unit: str
    n_pairs: int
    within: EstimateRecord
    between: EstimateRecord
    cosine_within: EstimateRecord
    cosine_between: EstimateRecord
    piles: EstimateRecord | None = Field(validation_alias="groups")
    ideas: EstimateRecord | None


class PoolRecord(Record):
    """A pool on disk, as `corpus` measured it."""

    embedder: str
    identity: Any
    n_responses: int
    computed_at: str
    digest: str
    homogeneity: Any


class HomogeneityRecord(ResultRecord):
    thresholds: list[float] = Field(default_factory=lambda: list(THRESHOLDS))
    bins: Floats = Field(default_factory=BINS.tolist)
    all: PoolSimilarityRecord | None = None
    machines: PoolSimilarityRecord | None = None
    embedder: str | None = None
    n_prompts: int = 0
    n_responses: int = 0
    n_missing: int = 0
    n_blank: int = 0
    truncated: int = 0
    unknown_languages: list[str] = Field(default_factory=list)
    sources: list[PoolSourceRecord] = Field(default_factory=list)
    people: EstimateRecord | None = None
    machines_less_people: EstimateRecord | None = None
    matrix: MatrixRecord | None = None
    random: RandomPairsRecord | None = None
    threshold: float | None = None
    calibrated: ThresholdRecord | None = None
    equal_n: int | None = None
    pool_n: int | None = None
    mixed_vendi: EstimateRecord | None = None
    mixed_ideas: EstimateRecord | None = None
    pool_vendi: EstimateRecord | None = None
    pool_ideas: EstimateRecord | None = None
    categories: list[GroupRecord] = Field(default_factory=list)
    parameters: list[GroupRecord] = Field(default_factory=list)
    trend: EstimateRecord | None = None
    prompts: list[PromptRecord] = Field(default_factory=list)
    humans: list[HumansRecord] = Field(default_factory=list)
    words_left_out: str = ""
    pools: list[PoolRecord] = Field(default_factory=list)


def _to_record(study: Study, report: Homogeneity) -> Mapping[str, Any]:
    fields = {field.name: getattr(report, field.name) for field in dataclasses.fields(report)}
    matrix = {f.name: getattr(report.matrix, f.name).tolist() for f in dataclasses.fields(report.matrix)}
    return fields | {"matrix": matrix}


def _json_beside(study: Study) -> dict[str, Any]:
    return {"pools": external_pool.as_records(study)}


def _lines(report: Homogeneity) -> Iterator[str]:
    yield (
        f"{report.n_responses:,} responses to {report.n_prompts:,} prompts by {len(report.sources)} sources; "
        f"cosines of {report.embedder}, which mean nothing beside another embedder's."
    )
    yield f"Same source:       {_text(report.all.within)}"
    yield f"Different sources: {_text(report.all.between)}"
    yield f"Different prompts: {_text(report.random.mean)}"
    shares = (f"above {t:g}: {_text(e, 2)}" for t, e in zip(THRESHOLDS, report.all.cells, strict=True))
    yield f"Share of (source, prompt) cells {', '.join(shares)}"
    if report.machines is not None:
        yield f"Two machines:      {_text(report.machines.between)}"
        yield f"Two people:        {_text(report.people)}"
    for source in report.sources:
        yield f"{source.name}: {_text(source.within)} ({source.n_responses:,} responses)"
    if report.unknown_languages:
        yield f"The embedder does not know languages of prompts: {', '.join(report.unknown_languages)}."
    if report.n_missing:
        yield f"Not embedded, and left out: {report.n_missing:,} responses."
    if report.n_blank:
        yield (
            f"Without a text, and similar to the embedder whoever wrote them: {report.n_blank:,} responses; they count."
        )
    if report.words_left_out:
        yield report.words_left_out


def _lines_beside(study: Study) -> Iterator[str]:
    for pool in external_pool.external_pools(study):
        yield from _pool(pool)


def _pool(pool: ExternalPool) -> Iterator[str]:
    yield (
        f"Whole pool on disk, computed {pool.computed_at:%Y-%m-%d} by corpus: {pool.n_responses:,} responses to "
        f"{pool.n_prompts:,} prompts by {len(pool.names)} sources; cosines of {pool.name}."
    )
    yield f"Same source:       {_text(pool.within)}"
    yield f"Different sources: {_text(pool.between)}"
    yield f"Different prompts: {_text(pool.random)}"


def _text(e: Estimate, digits: int = 3) -> str:
    if e.estimate is None:
        return f"undefined: {e.reason}"
    interval = f" [{e.low:.{digits}f}, {e.high:.{digits}f}]" if e.low is not None else f" ({e.reason})"
    return f"{e.estimate:.{digits}f}{interval}, n = {e.n:,} prompt{'s' if e.n != 1 else ''}"


RESULT = Result(
    name="homogeneity",
    summary="How similar the responses of a study's whole pool are, within and between sources.",
    options=HomogeneityOptions,
    compute=lambda study, options: compute(study, words=options.words or None),
    record=HomogeneityRecord,
    to_record=_to_record,
    lines=_lines,
    context=context,
    page_beside=page_beside,
    json_beside=_json_beside,
    lines_beside=_lines_beside,
    tables=tables,
)
