"""How far annotators agree: the result's JSON, text, tables and page."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from pydantic import Field

from annotate.models import Role, Study
from judging.results.agreement.charts import alphas
from judging.results.agreement.details import Coefficients, Details, Source, Statistic
from judging.results.agreement.headline import Entry
from judging.results.agreement.report import Agreement, compute
from judging.results.cache import cached
from judging.results.figures import Figure
from judging.results.json import EstimateRecord, Reason, Record, ResultRecord
from judging.results.methods import address_of
from judging.results.result import Options, Result
from judging.results.table import Cell, Column, Link, Table
from judging.results.text import text
from judging.stats import Estimate
from judging.templatetags.figures import number


class CriterionRecord(Record):
    """The headline of one criterion at one level of measurement."""

    criterion: str
    kind: str
    level: str
    n_items: int
    n_annotators: int
    n_answers: int
    alpha: EstimateRecord
    alpha_new_annotators: EstimateRecord
    percent_agreement: float | None
    percent_agreement_interval: EstimateRecord
    reliability_of_mean: float | None
    reliability_of_mean_interval: EstimateRecord


class CoefficientsRecord(Record):
    """Chance-corrected agreement under one weighting of differences. Conger's needs independent units."""

    weights: str
    gwet_ac: EstimateRecord
    fleiss_kappa: EstimateRecord
    brennan_prediger: EstimateRecord
    conger_kappa: EstimateRecord | None = Field(None, exclude_if=lambda kappa: kappa is None)


class SourceRecord(Record):
    """A source's place in the order that preferences make."""

    source: str
    strength: EstimateRecord
    worth: float | None
    n: int


class DetailsRecord(Record):
    """Further statistics of one criterion; `sources` for preferences."""

    criterion: str
    kind: str
    answers_per_unit: int
    figures: dict[str, EstimateRecord]
    coefficients: list[CoefficientsRecord]
    sources: list[SourceRecord] | None = Field(None, exclude_if=lambda sources: sources is None)
    reason: Reason = None


class AgreementRecord(ResultRecord):
    criteria: list[CriterionRecord] = Field(default_factory=list)
    details: list[DetailsRecord] = Field(default_factory=list)


def _to_record(study: Study, report: Agreement) -> Mapping[str, Any]:
    return {
        "criteria": [_criterion(entry) for entry in report.entries],
        "details": [_details(d) for d in report.details],
    }


def _criterion(entry: Entry) -> dict[str, Any]:
    names = ("level", "n_items", "n_annotators", "n_answers", "alpha", "alpha_new_annotators")
    share, mean = entry.percent_agreement, entry.reliability_of_mean
    return {
        "criterion": entry.criterion.key,
        "kind": entry.criterion.kind,
        **{name: getattr(entry, name) for name in names},
        "percent_agreement": share.estimate,
        "percent_agreement_interval": share,
        "reliability_of_mean": mean.estimate,
        "reliability_of_mean_interval": mean,
    }


def _details(d: Details) -> dict[str, Any]:
    return {
        "criterion": d.criterion.key,
        "kind": d.criterion.kind,
        "answers_per_unit": d.answers_per_unit,
        "figures": _by_key(d.statistics),
        "coefficients": [{"weights": c.weights, **_by_key(c.statistics)} for c in d.coefficients],
        "sources": d.sources if d.orders_sources else None,
        "reason": d.no_sources,
    }


def _by_key(statistics: list[Statistic]) -> dict[str, Estimate]:
    return {s.key: s.estimate for s in statistics}


def _lines(report: Agreement) -> Iterator[str]:
    for e in report.entries:
        yield (
            f"{e.criterion.key} ({e.criterion.kind}, {e.level}): alpha {text(e.alpha)}, for new annotators too "
            f"{text(e.alpha_new_annotators)}; percent agreement {text(e.percent_agreement)}; reliability of the mean "
            f"{text(e.reliability_of_mean)}; {e.n_items:,} items, {e.n_annotators:,} annotators, "
            f"{e.n_answers:,} answers"
        )
    for d in report.details:
        yield f"{d.criterion.key}, further:"
        for s in d.statistics:
            yield f"  {s.label}: {text(s.estimate)}, n = {s.estimate.n:,}"
        for c in d.coefficients:
            yield from (f"  {s.label}, {c.weights} weights: {text(s.estimate)}" for s in c.statistics)
        yield from (f"  {s.source}: strength {text(s.strength)} from {s.n:,} preferences" for s in d.sources)
        if d.no_sources:
            yield f"  No order of sources: {d.no_sources}"


def _context(request: HttpRequest, study: Study, options: Options, report: Agreement) -> dict[str, Any]:
    for_researchers = Role(study.your_role).includes(Role.RESEARCHER)
    return {
        "conclusion": conclusion(report.entries),
        "figure": cached(study, "agreement-figure", lambda: _figure(report)),
        "headline": _headline(report),
        "parts": [(d, _parts(d, for_researchers=for_researchers)) for d in report.details],
    }


def conclusion(entries: Sequence[Entry]) -> str:
    """On which criterion annotators agree most, and on which least; empty where alpha is undefined."""
    first = {entry.criterion.key: entry for entry in reversed(entries)}
    known = sorted(
        ((e.alpha.estimate, key) for key, e in first.items() if e.alpha.estimate is not None), reverse=True
    )
    if not known:
        return ""
    (most, key), (least, last) = known[0], known[-1]
    if len(known) == 1:
        return f"On {key} annotators agree with an alpha of {number(most, 2)}: 0 is chance, 1 is always"
    return (
        f"Annotators agree most on {key} (alpha {number(most, 2)}) and least on {last} ({number(least, 2)})"
    )


def _figure(report: Agreement) -> Figure | None:
    figure = alphas(report.entries)
    return figure.drawn() if figure else None


def _headline(report: Agreement) -> Table:
    return Table.of("headline", "", HEADLINE, report.entries)


def _parts(d: Details, *, for_researchers: bool) -> dict[str, Table]:
    """The tables of one criterion; those without rows stay out."""
    key = d.criterion.key
    tables = {
        "sources": Table.of(f"sources-{key}", SOURCES_TITLE, SOURCES, [] if d.no_sources else d.sources),
        "statistics": Table.of(f"statistics-{key}", "", STATISTICS, d.brief),
        "coefficients": Table.of(f"coefficients-{key}", "", _coefficient_columns(d), d.coefficients),
        "people": Table.of(f"people-{key}", PEOPLE_TITLE, PEOPLE, d.people if for_researchers else []),
    }
    return {name: table for name, table in tables.items() if table.rows}


def _tables(report: Agreement) -> list[Table]:
    statistics = [(d, s) for d in report.details for s in d.statistics]
    coefficients = [(d, c, s) for d in report.details for c in d.coefficients for s in c.statistics]
    sources = [(d, s) for d in report.details for s in d.sources]
    return [
        Table.of("headline", "Agreement", HEADLINE, report.entries),
        Table.of("statistics", "Further statistics of agreement", ALL_STATISTICS, statistics),
        Table.of("coefficients", "Coefficients of agreement", ALL_COEFFICIENTS, coefficients),
        Table.of("sources", "Order of sources", ALL_SOURCES, sources),
    ]


def _criterion_link(entry: Entry) -> Link:
    c = entry.criterion
    return Link(c.key, f"#{c.key}", "" if c.key == c.kind else c.get_kind_display())


def _coefficient_columns(d: Details) -> list[Column[Coefficients]]:
    labels = [s.label for s in d.coefficients[0].statistics] if d.coefficients else []
    columns: list[Column[Coefficients]] = [Column("weights", "Weights", lambda c: c.weights)]
    for n, label in enumerate(labels):
        title = "Gwet’s AC1, AC2" if n == 0 and len(d.coefficients) > 1 else label
        columns.append(Column(f"in_{n}", title, _coefficient(n)))
    return columns


def _coefficient(place: int) -> Callable[[Coefficients], Cell]:
    return lambda c: c.statistics[place].estimate


def _with_interval(name: str) -> Callable[[Mapping[str, Any]], Cell]:
    """A number of an annotator that has an interval where enough items are shared with others."""

    def value(row: Mapping[str, Any]) -> Cell:
        number, low, high = (row[key] for key in (name, f"{name}_low", f"{name}_high"))
        if number is None or low is None or high is None:
            return None if number is None else float(number)
        return Estimate(number, low, high, int(row["n_shared"]))

    return value


def _repeats(row: Mapping[str, Any]) -> str | None:
    if not row["n_repeats"]:
        return None
    return f"{row['repeat_agreement']:.0%} of {row['n_repeats']}"


HEADLINE: list[Column[Entry]] = [
    Column("criterion", "Criterion", _criterion_link),
    Column("level", "Level", lambda e: e.level),
    Column("alpha", "Krippendorff’s alpha", lambda e: e.alpha, help="interval for other items"),
    Column(
        "alpha_new_annotators",
        "Alpha, for new annotators too",
        lambda e: e.alpha_new_annotators,
        help="interval for other items and other annotators",
    ),
    Column("percent_agreement", "Percent agreement", lambda e: e.percent_agreement),
    Column("reliability_of_mean", "Reliability of the mean", lambda e: e.reliability_of_mean),
    Column("n_items", "Items", lambda e: e.n_items),
    Column("n_annotators", "Annotators", lambda e: e.n_annotators),
    Column("n_answers", "Answers", lambda e: e.n_answers),
]

STATISTICS: list[Column[Statistic]] = [
    Column("statistic", "Statistic", lambda s: Link(s.label, address_of(s.key))),
    Column("estimate", "Estimate", lambda s: s.estimate),
]

SOURCES_TITLE = (
    "Bradley and Terry’s model, ties by Davidson: log odds of being preferred, mean 0. The intervals allow for "
    "correlated preferences about one prompt."
)
SOURCES: list[Column[Source]] = [
    Column("source", "Source", lambda s: s.source),
    Column("strength", "Strength", lambda s: s.strength, sign="+"),
    Column("worth", "Share of the total worth", lambda s: s.worth, style="percent", digits=0),
    Column("n", "Preferences", lambda s: s.n),
]

PEOPLE_TITLE = "Evidence, not verdicts. Severity in points of the scale, negative: stricter."
PEOPLE: list[Column[Mapping[str, Any]]] = [
    Column("annotator", "Annotator", lambda p: p["annotator"]),
    Column("n", "Answers", lambda p: int(p["n"])),
    Column("correlation", "Correlation with the others", _with_interval("correlation")),
    Column("severity", "Severity", _with_interval("severity"), sign="+"),
    Column("mean", "Mean", lambda p: p["mean"]),
    Column("sd", "SD", lambda p: p["sd"]),
    Column("range_used", "Scale used", lambda p: p["range_used"], style="percent", digits=0),
    Column("modal_share", "Most frequent answer", lambda p: p["modal_share"], style="percent", digits=0),
    Column("repeats", "Repeats answered alike", _repeats),
]

ALL_STATISTICS: list[Column[tuple[Details, Statistic]]] = [
    Column("criterion", "Criterion", lambda row: row[0].criterion.key),
    Column("statistic", "Statistic", lambda row: row[1].label),
    Column("estimate", "Estimate", lambda row: row[1].estimate),
]
ALL_COEFFICIENTS: list[Column[tuple[Details, Coefficients, Statistic]]] = [
    Column("criterion", "Criterion", lambda row: row[0].criterion.key),
    Column("weights", "Weights", lambda row: row[1].weights),
    Column("coefficient", "Coefficient", lambda row: row[2].label),
    Column("estimate", "Estimate", lambda row: row[2].estimate),
]
ALL_SOURCES: list[Column[tuple[Details, Source]]] = [
    Column("criterion", "Criterion", lambda row: row[0].criterion.key),
    Column("source", "Source", lambda row: row[1].source),
    Column("strength", "Strength", lambda row: row[1].strength, sign="+"),
    Column("worth", "Worth", lambda row: row[1].worth),
    Column("n", "Preferences", lambda row: row[1].n),
]

RESULT = Result(
    name="agreement",
    summary="How far annotators agree on each criterion of a study.",
    options=Options,
    compute=lambda study, _: compute(study),
    record=AgreementRecord,
    to_record=_to_record,
    lines=_lines,
    context=_context,
    tables=_tables,
)
