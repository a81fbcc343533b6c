"""Judges tested for consistency: the result's JSON, text, tables and page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from pydantic import Field

from annotate.models import Study
from judging.results.json import MaybeFloat, Record, ResultRecord
from judging.results.judges.forms import ProbeForm
from judging.results.judges.report import Judge, compute, judges
from judging.results.result import Options, Result
from judging.results.table import Column, Table
from judging.results.text import text
from judging.stats import Estimate


class JudgeEstimate(Record):
    """A number with its 95 % interval and standard error; null with a reason where there is none."""

    estimate: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None
    confidence: float
    standard_error: float | None


class JudgeIcc(JudgeEstimate):
    """An intraclass correlation with the F test that it is zero."""

    f: MaybeFloat
    df1: float | None
    df2: float | None
    p: float | None


class SteadinessRecord(Record):
    same: JudgeEstimate
    spread: JudgeEstimate
    icc: JudgeIcc


class WordingRecord(Record):
    wording: str
    shift: JudgeEstimate
    agreement: JudgeIcc


class PositionRecord(Record):
    consistent: JudgeEstimate
    first: JudgeEstimate
    pull: JudgeEstimate = Field(validation_alias="bias")


class JudgeRecord(Record):
    """One judge. What it was not tested for is null."""

    scorer: str
    pairwise: bool
    n: int
    failed: int
    steadiness: SteadinessRecord | None
    wordings: list[WordingRecord]
    position: PositionRecord | None
    longer: JudgeEstimate | None


class JudgesRecord(ResultRecord):
    judges: list[JudgeRecord] = Field(default_factory=list)


def _to_record(study: Study, report: list[Judge]) -> Mapping[str, Any]:
    return {"judges": [_judge(judge) for judge in report]}


def _judge(judge: Judge) -> dict[str, Any]:
    names = ("scorer", "pairwise", "n", "failed", "position", "longer")
    wordings = [{"wording": name, "shift": w.shift, "agreement": w.agreement} for name, w in judge.wordings]
    numbers = {name: getattr(judge, name) for name in names}
    return numbers | {"steadiness": judge.test_retest, "wordings": wordings}


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of a judge's table: `fair` is what a judge without the fault has."""

    title: str
    estimate: Estimate
    fair: str
    judge: str = ""


def _measures(judge: Judge) -> Iterator[Measure]:
    if t := judge.test_retest:
        yield Measure("Same answer every time", t.same, "1")
        yield Measure("Standard deviation of repeated answers", t.spread, "0")
        yield Measure("Intraclass correlation of one answer", t.icc, "1")
    for name, w in judge.wordings:
        yield Measure(f"{name.capitalize()}: shift", w.shift, "0")
        yield Measure(f"{name.capitalize()}: same order of responses (ICC3)", w.agreement, "1")
    if p := judge.position:
        yield Measure("Same winner in both orders", p.consistent, "1")
        yield Measure("Chooses what is shown first", p.first, "0.5")
        yield Measure("Position bias", p.bias, "0")
    if judge.longer:
        yield Measure("Longer response wins", judge.longer, "0.5, or people’s share")


MEASURES: list[Column[Measure]] = [
    Column("measure", "Measure", lambda m: m.title),
    Column("estimate", "Estimate", lambda m: m.estimate),
    Column("fair", "A perfect judge", lambda m: m.fair),
]


def _lines(report: list[Judge]) -> Iterator[str]:
    for judge in report:
        what = "pairs" if judge.pairwise else "responses"
        yield f"{judge.scorer}: {judge.n:,} {what}, {judge.failed:,} of them without an answer"
        for m in _measures(judge):
            yield f"    {m.title}: {text(m.estimate)}, n = {m.estimate.n:,} (a perfect judge: {m.fair})"


def _context(request: HttpRequest, study: Study, options: Options, report: list[Judge]) -> dict[str, Any]:
    parts = [
        (judge, Table.of(f"judge-{n}", "", MEASURES, list(_measures(judge))))
        for n, judge in enumerate(report)
    ]
    return {"parts": parts}


def _tables(report: list[Judge]) -> list[Table]:
    rows = [Measure(m.title, m.estimate, m.fair, judge.scorer) for judge in report for m in _measures(judge)]
    columns: list[Column[Measure]] = [Column("judge", "Judge", lambda m: m.judge), *MEASURES]
    return [Table.of("judges", "Consistency of judges", columns, rows)]


def _page_beside(study: Study) -> dict[str, Any]:
    return {"form": ProbeForm(), "names": judges()}


RESULT = Result(
    name="judges",
    summary="How consistent LLM judges are: asked again, in other words, and shown two responses in either order.",
    options=Options,
    compute=lambda study, _: compute(study),
    record=JudgesRecord,
    to_record=_to_record,
    lines=_lines,
    context=_context,
    page_beside=_page_beside,
    tables=_tables,
)
