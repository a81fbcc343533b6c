"""Human similarity judgments against embedding similarity: the result's JSON, text, tables and page."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from django.http import Http404, HttpRequest
from pydantic import Field

from annotate.models import Study
from judging.results.cache import cached
from judging.results.figures import Figure
from judging.results.json import EstimateRecord, MaybeFloat, Reason, Record, ResultRecord
from judging.results.result import Options, Result
from judging.results.similarity import report as similarity
from judging.results.similarity.charts import calibration
from judging.results.similarity.report import Comparison, Row, Similarity
from judging.results.table import Cell, Column, Link, Table
from judging.results.text import text
from judging.stats import Estimate


class PromptsRecord(Record):
    """How the prompts' own correlations lie: lowest quarter, middle, highest quarter."""

    n_prompts: int
    quartiles: tuple[float, float, float] | None


class CurvePoint(Record):
    """The mean of people that a value of the measure lets expect."""

    measure: MaybeFloat
    expected: MaybeFloat
    low: MaybeFloat
    high: MaybeFloat


class CalibrationRecord(Record):
    mae: float | None
    rmse: float | None
    rmse_constant: float | None
    noise_floor: float | None
    curve: list[CurvePoint]
    reason: Reason = None


class PairRecord(Record):
    """A pair on which a measure and people part."""

    item: str
    human_mean: float
    standard_error: float | None
    n: int
    measure: float
    expected: float


class MeasureRecord(Record):
    """One measure of similarity against one criterion."""

    criterion: str
    measure: str
    n_pairs: int
    n_prompts: int
    n_annotators: int
    n_left_out: int
    spearman: EstimateRecord
    pearson: EstimateRecord
    within_spearman: EstimateRecord
    within_pearson: EstimateRecord
    half: EstimateRecord
    reliability: EstimateRecord
    ceiling: EstimateRecord
    corrected: EstimateRecord
    corrected_pearson: EstimateRecord
    given_lexical: EstimateRecord
    lexical_given: EstimateRecord
    prompts: PromptsRecord
    calibration: CalibrationRecord
    overstatement: EstimateRecord
    false_alike: list[PairRecord]
    false_different: list[PairRecord]


class ComparisonRecord(Record):
    """Two measures on the same pairs: the difference of their correlations with people."""

    criterion: str
    first: str
    second: str
    difference: EstimateRecord
    p: float | None
    p_adjusted: float | None


class SimilarityRecord(ResultRecord):
    measures: list[MeasureRecord] = Field(default_factory=list)
    comparisons: list[ComparisonRecord] = Field(default_factory=list)


CORRELATIONS = {
    "spearman": "Spearman, all pairs",
    "pearson": "Pearson, all pairs",
    "within_spearman": "Spearman, within prompts",
    "within_pearson": "Pearson, within prompts",
    "half": "One half of the annotators against the other",
    "reliability": "Reliability of people’s mean",
    "ceiling": "Ceiling",
    "corrected": "Spearman, corrected",
    "corrected_pearson": "Pearson, corrected",
    "given_lexical": "Measure given word overlap and lengths",
    "lexical_given": "Word overlap given the measure and lengths",
}


def _to_record(study: Study, report: Similarity) -> Mapping[str, Any]:
    return {
        "measures": [_measure(row) for row in report.rows],
        "comparisons": [_comparison(c) for c in report.comparisons],
    }


def _measure(row: Row) -> dict[str, Any]:
    r, c = row.result, row.calibration
    counts = ("n_pairs", "n_prompts", "n_annotators", "n_left_out")
    return {
        "criterion": row.criterion.key,
        "measure": row.measure,
        **{name: getattr(r, name) for name in (*counts, *CORRELATIONS)},
        "prompts": {"n_prompts": len(r.prompts), "quartiles": row.prompts_between},
        "calibration": {
            "mae": c.mae,
            "rmse": c.rmse,
            "rmse_constant": c.rmse_constant,
            "noise_floor": c.noise_floor,
            "curve": c.curve.to_dict("records"),
            "reason": c.reason,
        },
        "overstatement": c.overstatement,
        **{side: [_pair(pair) for pair in pairs] for side, pairs in similarity.to_read(row).items()},
    }


def _pair(pair: similarity.Apart) -> dict[str, Any]:
    numbers = ("human_mean", "standard_error", "n", "measure", "expected")
    return {"item": pair.item.key, **{name: getattr(pair, name) for name in numbers}}


def _comparison(c: Comparison) -> dict[str, Any]:
    difference = {"difference": c.result.difference, "p": c.result.p, "p_adjusted": c.p_adjusted}
    return {"criterion": c.criterion.key, "first": c.first, "second": c.second, **difference}


def _lines(report: Similarity) -> Iterator[str]:
    for row in report.rows:
        r, c = row.result, row.calibration
        yield (
            f"{row.measure} against {row.criterion.key}: Spearman {text(r.spearman)}, within prompts "
            f"{text(r.within_spearman)}; ceiling {text(r.ceiling)}, corrected {text(r.corrected)}; given words "
            f"{text(r.given_lexical)}; overstatement of unusual pairs {text(c.overstatement)}; "
            f"{r.n_pairs:,} pairs, {r.n_prompts:,} prompts, {r.n_annotators:,} annotators"
        )
    for comparison in report.comparisons:
        p = "" if comparison.p_adjusted is None else f", p adjusted {comparison.p_adjusted:.3f}"
        yield (
            f"{comparison.first} minus {comparison.second} on {comparison.criterion.key}: "
            f"{text(comparison.result.difference)}{p}"
        )


def _context(request: HttpRequest, study: Study, options: Options, report: Similarity) -> dict[str, Any]:
    chosen = _chosen(report.rows, request.GET.get("measure", ""), request.GET.get("criterion", ""))
    return {
        "tables": {table.key: table for table in _tables(report)},
        "chosen": chosen,
        "correlations": _correlations(chosen),
        "figure": _figure(study, chosen),
        "apart": similarity.to_read(chosen),
    }


def _chosen(rows: list[Row], measure: str, criterion: str) -> Row:
    """The row that the query names, else the first."""
    matching = [r for r in rows if measure in ("", r.measure) and criterion in ("", r.criterion.key)]
    if not matching:
        raise Http404(f"no measure {measure} of {criterion}")
    return matching[0]


def _figure(study: Study, row: Row) -> Figure | None:
    if row.calibration.reason:
        return None
    name = f"calibration:{quote(row.measure)}:{row.criterion.pk}"
    return cached(study, name, lambda: calibration(row).drawn())


def _tables(report: Similarity) -> list[Table]:
    measures = Table.of("measures", "", MEASURES, report.rows)
    title = "Spearman’s correlation with people, first minus second, on the same pairs and resamples"
    comparisons = Table.of("comparisons", title, COMPARISONS, report.comparisons)
    return [measures, comparisons]


def _correlations(row: Row) -> Table:
    titles = list(CORRELATIONS.items())
    columns: list[Column[tuple[str, str]]] = [
        Column("correlation", "Correlation", lambda c: c[1]),
        Column("estimate", "Estimate", lambda c: getattr(row.result, c[0])),
    ]
    return Table.of("correlations", "", columns, titles)


def _name(row: Row) -> Link:
    href = f"?{urlencode({'measure': row.measure, 'criterion': row.criterion.key})}#measure"
    baseline = ", baseline" if row.is_baseline else ""
    return Link(row.measure, href, f"{row.criterion.key}{baseline}")


def _beyond_words(row: Row, value: Estimate) -> Cell:
    """The baseline is word overlap itself."""
    return None if row.is_baseline else value


def _remarks(row: Row) -> str:
    parts = [f"{row.result.n_annotators:,} annotators"]
    if row.result.n_left_out:
        parts.append(f"{row.result.n_left_out:,} pairs left out, not measured")
    if row.truncated:
        parts.append(f"{row.truncated:,} text{'s' if row.truncated > 1 else ''} read only in part")
    if row.unknown_languages:
        parts.append(f"prompts in {', '.join(row.unknown_languages)}, which it does not know")
    return "; ".join(parts)


MEASURES: list[Column[Row]] = [
    Column("measure", "Measure", _name),
    Column("spearman", "Spearman", lambda r: r.result.spearman, help="all pairs together"),
    Column("within_spearman", "Spearman within prompts", lambda r: r.result.within_spearman),
    Column("ceiling", "Ceiling", lambda r: r.result.ceiling, help="what a perfect measure would reach"),
    Column("corrected", "Corrected", lambda r: r.result.corrected, help="with very many annotators"),
    Column(
        "given_lexical", "Given word overlap", lambda r: _beyond_words(r, r.result.given_lexical), sign="+"
    ),
    Column(
        "overstatement",
        "Unusual pairs overstated",
        lambda r: _beyond_words(r, r.calibration.overstatement),
        sign="+",
    ),
    Column("remarks", "Based on", _remarks),
]

COMPARISONS: list[Column[Comparison]] = [
    Column("first", "First", lambda c: Link(c.first, note=c.criterion.key)),
    Column("second", "Second", lambda c: c.second),
    Column("difference", "Difference", lambda c: c.result.difference, sign="+"),
    Column("p", "p", lambda c: c.result.p, style="p"),
    Column("p_adjusted", "p, adjusted", lambda c: c.p_adjusted, style="p"),
]

RESULT = Result(
    name="similarity",
    summary="How alike people find two responses, against the similarity of their embeddings.",
    options=Options,
    compute=lambda study, _: similarity.compute(study),
    record=SimilarityRecord,
    to_record=_to_record,
    lines=_lines,
    context=_context,
    tables=_tables,
)
