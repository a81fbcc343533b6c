"""Whether machines underrate unusual answers: the result's JSON, text and page."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from django.http import Http404, HttpRequest
from pydantic import Field

from annotate.models import Response, Study
from judging.results.audit import report as audits
from judging.results.audit import tables
from judging.results.audit.charts import forest
from judging.results.audit.contrasts import ContrastRow
from judging.results.audit.headline import headline
from judging.results.audit.options import COSINE, AuditOptions
from judging.results.audit.report import Audit, ControlRow, Row
from judging.results.cache import cached
from judging.results.figures import Figure
from judging.results.json import EstimateRecord, Record, ResultRecord
from judging.results.result import Result
from judging.results.table import Table
from judging.stats import Estimate, Scope

TO_READ = 8


class UnderratingRecord(EstimateRecord):
    p: float | None
    """Two-sided."""


class CovariateRecord(Record):
    """The score's rise with what is held constant."""

    covariate: str
    estimate: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None


class DivisiveRecord(Record):
    """How the score follows human quality where people disagree more, and less."""

    slope_high: EstimateRecord
    slope_low: EstimateRecord
    difference: EstimateRecord
    p: float | None
    divisive_unusual: EstimateRecord
    reason: str


class EndsRecord(Record):
    low: float
    high: float


class ShapesRecord(Record):
    """The slope when score and quality are no straight line, and among good and bad answers."""

    by_prompt: EstimateRecord
    curved: EstimateRecord
    curvature: EstimateRecord
    prompts: EstimateRecord
    good: EstimateRecord
    bad: EstimateRecord
    interaction: EstimateRecord
    curved_good: EstimateRecord
    curved_interaction: EstimateRecord


class ScopeRecord(Record):
    """What holds for the people of this study, annotators taken as they are."""

    people: str
    underrating: EstimateRecord
    p: float | None
    p_one_sided: float | None
    robust: EndsRecord | None
    decisive: EndsRecord | None
    strength: float | None
    smallest_detectable: float | None
    shapes: ShapesRecord
    flags: list[str]
    tipping_point: float | None
    verdict: str
    reason: str


class ScorerRecord(Record):
    """One scorer against one criterion."""

    scorer: str
    criterion: str
    outcome: str
    n_prompts: int
    n_responses: int
    n_annotators: int
    n_ratings: int
    n_scored: int
    n_pool: int
    underrating: UnderratingRecord
    p_one_sided: float | None
    p_adjusted: float | None
    discovery: bool | None
    naive: EstimateRecord
    raw: EstimateRecord
    total: EstimateRecord
    human: EstimateRecord
    human_raw: EstimateRecord
    reliability: float | None
    correlation: float | None
    predicted_naive_bias: float | None
    length_coefficient: float | None
    covariates: list[CovariateRecord]
    smallest_detectable: float | None
    strength: float | None
    borderline: bool
    effective_annotators: float | None
    unusualness: str
    measure: str
    split_instruments: EstimateRecord
    pigeonhole: EstimateRecord
    divisive: DivisiveRecord
    robust: EndsRecord | None
    verdict: str
    reason: str
    notes: list[str]
    decisive: EndsRecord | None
    shapes: ShapesRecord
    flags: list[str]
    tipping_point: float | None
    selection: float | None
    these_people: ScopeRecord


class ControlRecord(Record):
    """A scorer whose truth is known, audited in the same way."""

    control: str
    criterion: str
    planted: float
    underrating: EstimateRecord
    naive: EstimateRecord
    strength: float | None
    n_prompts: int
    n_responses: int
    n_annotators: int
    passed: bool | None
    reason: str


class ContrastRecord(Record):
    """One scorer’s gap between a kind of source and the others, beside people’s."""

    scorer: str
    criterion: str
    group: str
    n_group: int
    n_others: int
    n_prompts: int
    n_annotators: int
    n_ratings: int
    scorer_gap: EstimateRecord
    scorer_gap_raw: EstimateRecord
    human_gap: EstimateRecord
    human_gap_raw: EstimateRecord
    contrast: EstimateRecord
    contrast_raw: EstimateRecord
    at_equal_quality: EstimateRecord
    p: float | None
    p_adjusted: float | None
    strength: float | None
    df: float | None
    reason: str


class AuditRecord(ResultRecord):
    scorers: list[ScorerRecord] = Field(default_factory=list)
    controls: list[ControlRecord] = Field(default_factory=list)
    measures: list[str] = Field(default_factory=list)
    embedder: str | None = None
    embedders: list[str] = Field(default_factory=list)
    unknown_languages: list[str] = Field(default_factory=list)
    groups: str | None = None
    groupings: list[str] = Field(default_factory=list)
    contrasts: list[ContrastRecord] = Field(default_factory=list)


def _to_record(study: Study, report: Audit) -> Mapping[str, Any]:
    grouping = report.contrasts.grouping
    return {
        "scorers": [_scorer(row) for row in report.rows],
        "controls": [_control(row) for row in report.controls],
        "measures": [u.name for u in report.available],
        "embedder": report.named,
        "embedders": [str(run) for run in report.embedders],
        "unknown_languages": report.unknown_languages,
        "groups": grouping.name if grouping else None,
        "groupings": [g.name for g in report.contrasts.available],
        "contrasts": [_contrast(row) for row in report.contrasts.rows],
    }


def _fields(record: type[Record], source: object) -> dict[str, Any]:
    """What an object has of a record’s fields."""
    return {name: getattr(source, name) for name in record.model_fields if hasattr(source, name)}


def _values(e: Estimate) -> dict[str, Any]:
    return _fields(EstimateRecord, e)


def _scorer(row: Row) -> dict[str, Any]:
    r, d = row.result, row.divisive
    return {
        **_fields(ScorerRecord, r),
        **_fields(ScorerRecord, row),
        "criterion": row.criterion.key,
        "underrating": {**_values(r.underrating), "p": r.p},
        "length_coefficient": row.length.estimate if row.length else None,
        "covariates": [{"covariate": name, **_values(e)} for name, e in r.covariate_coefficients.items()],
        "divisive": {**_fields(DivisiveRecord, d), "divisive_unusual": d.correlation},
        "verdict": r.verdict_text,
        **_ends(r),
        "these_people": {
            **_fields(ScopeRecord, r.these_people),
            "verdict": r.these_people.verdict_text,
            **_ends(r.these_people),
        },
    }


def _ends(scope: Scope) -> dict[str, dict[str, float] | None]:
    ends = {"robust": scope.robust, "decisive": scope.decisive}
    return {name: None if e is None else {"low": e[0], "high": e[1]} for name, e in ends.items()}


def _control(row: ControlRow) -> dict[str, Any]:
    return {
        **_fields(ControlRecord, row.control.result),
        **_fields(ControlRecord, row.control),
        "control": row.name,
        "criterion": row.criterion.key,
    }


def _contrast(row: ContrastRow) -> dict[str, Any]:
    return _fields(ContrastRecord, row.gaps) | _fields(ContrastRecord, row)


def _lines(report: Audit) -> Iterator[str]:
    yield f"Unusualness: {report.unusual.words} ({report.unusual.by})."
    yield from map(_scorer_line, report.rows)
    yield from map(_control_line, report.controls)
    yield from map(_contrast_line, report.contrasts.rows)
    if report.unknown_languages:
        yield f"{report.named} does not know these languages: {', '.join(report.unknown_languages)}."
    if report.truncated:
        yield f"Read only in part by {report.named}: {report.truncated:,} responses."


def _scorer_line(row: Row) -> str:
    r = row.result
    sizes = tables.sizes(row)
    strength = "undefined" if r.strength is None else f"{r.strength:.1f}"
    adjusted = "" if row.p_adjusted is None else f"; p {row.p_adjusted:.3g} among all scorers, one-sided"
    checks = f"split annotators {_signed(row.split_instruments)}; bootstrap {_signed(row.pigeonhole)}"
    return "\n    ".join(
        [
            f"{row.scorer} on {row.criterion.key}: {r.verdict_text}. Underrating {_signed(r.underrating)} "
            f"({sizes}); naive {_signed(r.naive)}",
            r.reason,
            f"Strength {strength}; effect on people’s own ratings {_signed(r.human)}; checks: {checks}{adjusted}",
            f"Slope on quality where people disagree less where they agree: {_signed(row.divisive.difference)}. "
            f"{row.divisive.reason}",
            *r.notes,
        ]
    )


def _control_line(row: ControlRow) -> str:
    outcome = {True: "passed", False: "NOT passed", None: "can't tell"}[row.control.passed]
    return (
        f"Control, {row.name} on {row.criterion.key}: {outcome}. {_signed(row.control.underrating)}; "
        f"naive {_signed(row.control.result.naive)}\n    {row.control.reason}"
    )


def _contrast_line(row: ContrastRow) -> str:
    c = row.gaps
    who = f"{c.group} against the others, {row.scorer} on {row.criterion}"
    if c.scorer_gap.estimate is None:
        return f"{who}: can't tell. {c.reason}"
    gaps = [f"scorer’s gap {_signed(c.scorer_gap)} SD"]
    if c.contrast.estimate is not None:
        gaps.append(f"people’s {_signed(c.human_gap)} SD, scorer minus people {_signed(c.contrast)} SD")
    gaps.append(f"people’s gap {_signed(c.human_gap_raw)} points")
    if c.contrast_raw.estimate is not None:
        gaps.append(
            f"scorer’s {_signed(c.scorer_gap_raw)}, scorer minus people {_signed(c.contrast_raw)} points"
        )
    return f"{who}: {'; '.join(gaps)} ({tables.contrast_sizes(row)})\n    {c.reason}"


def _signed(e: Estimate) -> str:
    if e.estimate is None:
        return "undefined"
    return f"{e.estimate:+.3f}" + ("" if e.low is None else f" [{e.low:+.3f}, {e.high:+.3f}]")


def _context(request: HttpRequest, study: Study, options: AuditOptions, report: Audit) -> dict[str, Any]:
    chosen = _chosen(report.rows, request.GET.get("scorer", ""))
    query = _query(report)
    to_read = quote(f"to-read:{options.key}:{chosen.scorer}:{chosen.criterion.pk}")
    return {
        "conclusion": headline(report.rows),
        "chosen": chosen,
        "query": query,
        "figures": cached(study, f"audit-figures:{options.key}", lambda: _figures(report.rows)),
        "scorers": tables.scorers(report.rows, query),
        "controls": tables.controls(report.controls),
        "contrasts": tables.contrasts(report.contrasts.rows),
        "verdicts": tables.verdicts(chosen),
        "checks": tables.checks(chosen),
        "divisive": tables.divisive(chosen),
        "to_read": cached(study, to_read, lambda: _to_read(study, chosen, options)),
    }


def _query(report: Audit) -> str:
    """What the reader chose, for the links of the page; what goes without saying is left out."""
    chosen = {} if report.unusual.name == COSINE else {"unusualness": report.unusual.name}
    if len(report.embedders) > 1:
        chosen["embedder"] = report.named
    if report.contrasts.grouping is not None and len(report.contrasts.available) > 1:
        chosen["groups"] = report.contrasts.grouping.name
    return urlencode(chosen)


def _chosen(rows: list[Row], scorer: str) -> Row:
    """The row that the query names, else a scorer's with the largest estimate: the one to look at first."""
    named = [r for r in rows if r.scorer == scorer]
    if scorer and not named:
        raise Http404(f"no scores by {scorer}")
    return min(
        named or rows, key=lambda r: (r.is_baseline, r.in_sets, -(r.result.underrating.estimate or -9.0))
    )


def _figures(rows: list[Row]) -> list[Figure]:
    """One a criterion."""
    by: dict[str, list[Row]] = {}
    for row in rows:
        by.setdefault(row.criterion.key, []).append(row)
    return [
        forest(own, "scorers" if n == 0 else f"scorers-{key}").drawn()
        for n, (key, own) in enumerate(by.items())
    ]


def _to_read(study: Study, row: Row, options: AuditOptions) -> list[dict[str, Any]]:
    frame = audits.to_read(study, row.scorer, row.criterion, TO_READ, options)
    responses = Response.objects.select_related("prompt").in_bulk([int(i) for i in frame["response_id"]])
    return [
        {str(k): v for k, v in record.items()} | {"response": responses[int(record["response_id"])]}
        for record in frame.to_dict("records")
    ]


def _tables(report: Audit) -> list[Table]:
    return [
        tables.scorers(report.rows),
        tables.controls(report.controls),
        tables.contrasts(report.contrasts.rows),
    ]


RESULT = Result(
    name="audit",
    summary="Whether the scorers of a study underrate unusual answers.",
    options=AuditOptions,
    compute=audits.compute,
    record=AuditRecord,
    to_record=_to_record,
    lines=_lines,
    context=_context,
    tables=_tables,
)
