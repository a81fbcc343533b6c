"""The Artificial Hivemind's panel: the result's JSON, text, tables and page."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast, get_args
from urllib.parse import quote, urlencode

from django.http import Http404, HttpRequest
from pydantic import Field

from annotate.models import Study
from judging.results.cache import cached
from judging.results.figures import Figure
from judging.results.json import EstimateRecord, Reason, Record, ResultRecord
from judging.results.replication import charts
from judging.results.replication.report import Panel, compute, scorers_by_criterion
from judging.results.result import Options, Result
from judging.results.table import Cell, Column, Link, Table
from judging.stats import Cell as Correlation
from judging.stats import Estimate, Family, Reading
from judging.stats.similarity.association import Method, Scope

READINGS = {
    Reading.EXPLAINED: "as selection gives",
    Reading.BELOW: "lower",
    Reading.ABOVE: "higher",
    Reading.UNDEFINED: "",
}
SUBSETS = {Family.FULL: "everything", Family.SIMILAR: "similar, ", Family.DISAGREED: "disagreed, "}


class ReplicationOptions(Options):
    scorer: str = Field(default="", description="only this scorer")
    criterion: str = Field(default="", description="only this criterion")


class CorrelationRecord(Record):
    """A correlation with people in one subset, and what selecting that subset alone gives."""

    family: str
    setting: int | float | None
    subset: str
    method: str
    scope: str
    found: EstimateRecord
    null: EstimateRecord
    reading: str


class PanelRecord(Record):
    """One scorer against one criterion."""

    scorer: str
    criterion: str
    kind: str
    n_judged: int
    n_left_out: int
    cells: list[CorrelationRecord]
    reason: Reason = None


class ReplicationRecord(ResultRecord):
    panels: list[PanelRecord] = Field(default_factory=list)


def _to_record(study: Study, panels: list[Panel]) -> Mapping[str, Any]:
    return {"panels": [_panel(p) for p in panels]}


def _panel(panel: Panel) -> dict[str, Any]:
    criterion = panel.criterion
    return {
        "scorer": panel.scorer,
        "criterion": criterion.key,
        "kind": criterion.kind,
        "n_judged": panel.n_judged,
        "n_left_out": panel.n_left_out,
        "cells": [_correlation(c) for c in panel.cells],
        "reason": panel.reason,
    }


def _correlation(c: Correlation) -> dict[str, Any]:
    where = {"family": c.family.value, "setting": c.setting, "subset": c.label}
    numbers = {"found": c.found, "null": c.null, "reading": c.reading.value}
    return where | {"method": c.method, "scope": c.scope} | numbers


def _lines(panels: list[Panel]) -> Iterator[str]:
    for panel in panels:
        left_out = f", {panel.n_left_out:,} judged without a number" if panel.n_left_out else ""
        head = f"{panel.scorer} on {panel.criterion.key} ({panel.n_judged:,} judged{left_out})"
        if panel.reason:
            yield f"{head}: undefined. {panel.reason}"
            continue
        readings = ", ".join(f"{n} {reading}" for reading, n in panel.by_frequency)
        subsets = [panel.cells[n : n + 4] for n in range(0, len(panel.cells), 4)]
        titles = [f"{c.method.capitalize()} {c.scope} | selection alone" for c in subsets[0]]
        yield f"{head}. Of the subsets' cells {readings}."
        yield _row("subset", titles)
        for cells in subsets:
            label = f"{cells[0].family.value} {cells[0].label if cells[0].setting else ''}"
            yield _row(label, [f"{_short(c.found)} n={c.found.n:,} | {_short(c.null)}" for c in cells])


def _row(label: str, cells: Sequence[str]) -> str:
    return "  ".join([f"  {label:20}", *[f"{c:53}" for c in cells]]).rstrip()


def _short(e: Estimate) -> str:
    if e.estimate is None:
        return "undefined"
    return f"{e.estimate:+.2f}" + ("" if e.low is None else f" [{e.low:+.2f}, {e.high:+.2f}]")


def _first(request: HttpRequest, study: Study, options: ReplicationOptions) -> ReplicationOptions:
    """A page shows one panel, which takes a second; all of them, of which there may be many, only in the overview."""
    if "overview" in request.GET:
        return options
    scorers = _scorers(study)
    pairs = [(scorer, key) for key, names in scorers.items() for scorer in names]
    matching = [p for p in pairs if options.scorer in ("", p[0]) and options.criterion in ("", p[1])]
    if not matching:
        raise Http404(f"no panel of {options.scorer} and {options.criterion}")
    return ReplicationOptions(scorer=matching[0][0], criterion=matching[0][1])


def _scorers(study: Study) -> dict[str, list[str]]:
    return cached(study, "replication-scorers", lambda: scorers_by_criterion(study))


def _context(
    request: HttpRequest, study: Study, options: ReplicationOptions, panels: list[Panel]
) -> dict[str, Any]:
    if "overview" in request.GET:
        return {"overview": _overview(panels)}
    (panel,), method, scorers = panels, _method(request), _scorers(study)
    return {
        "conclusion": panel.conclusion,
        "panel": panel,
        "method": method,
        "methods": get_args(Method),
        "criteria": list(scorers),
        "scorers": scorers[panel.criterion.key],
        "figure": None if panel.reason else _figure(study, panel, method),
        "correlations": _of_method(panel, method),
    }


def _method(request: HttpRequest) -> Method:
    name = request.GET.get("method", "spearman")
    if name not in get_args(Method):
        raise Http404(f"no correlation called {name}")
    return cast(Method, name)


def _figure(study: Study, panel: Panel, method: Method) -> Figure:
    key = quote(f"replication-figure:{panel.criterion.pk}:{panel.scorer}:{method}")
    return cached(study, key, lambda: charts.replication(panel, method).drawn())


def _of_method(panel: Panel, method: Method) -> Table:
    """One row a subset: pooled, then within prompts."""
    scopes: dict[Scope, list[Correlation]] = {
        scope: [c for c in panel.cells if (c.method, c.scope) == (method, scope)] for scope in get_args(Scope)
    }
    columns: list[Column[tuple[Correlation, ...]]] = [
        Column("subset", "Subset", lambda row: _subset(row[0])),
        *_scope_columns(0, "pooled", "All prompts together"),
        *_scope_columns(1, "within", "Within prompts"),
    ]
    judged = "responses" if panel.rated else "pairs"
    title = f"{method.capitalize()}’s correlation of {panel.scorer} with people’s mean; n counts {judged}"
    return Table.of("correlations", title, columns, list(zip(*scopes.values(), strict=True)))


def _scope_columns(place: int, key: str, title: str) -> list[Column[tuple[Correlation, ...]]]:
    return [
        Column(key, title, lambda row: row[place].found, sign="+", help="95 % interval over prompts"),
        Column(
            f"{key}_null",
            "Selection alone",
            lambda row: _null(row[place]),
            sign="+",
            help="mean and central 95 % of scorers that follow people equally well everywhere",
        ),
        Column(f"{key}_reading", "Against it", lambda row: _reading(row[place])),
    ]


def _subset(c: Correlation) -> str:
    return SUBSETS[c.family] + ("" if c.family is Family.FULL else c.label)


def _null(c: Correlation) -> Cell:
    """Selecting everything selects nothing."""
    return None if c.family is Family.FULL or c.found.estimate is None else c.null


def _reading(c: Correlation) -> str:
    return "" if c.family is Family.FULL else READINGS[c.reading]


def _overview(panels: list[Panel]) -> list[Table]:
    """All scorers in the widest and the strictest subsets; ratings and preferences have other subsets."""
    return [
        _overview_of(kind, [p for p in panels if p.criterion.kind == kind])
        for kind in dict.fromkeys(p.criterion.kind for p in panels)
    ]


def _overview_of(kind: str, panels: list[Panel]) -> Table:
    most = max((p.headline for p in panels), key=len)
    columns: list[Column[Panel]] = [Column("scorer", "Scorer", _link)]
    for place, cell in enumerate(most):
        columns.append(
            Column(f"in_{place}", _subset(cell), partial(_headline, place=place, null=False), sign="+")
        )
        if cell.family is not Family.FULL:
            null = partial(_headline, place=place, null=True)
            columns.append(Column(f"null_{place}", "Selection alone", null, sign="+"))
    columns += [
        Column("lower", "Cells lower", lambda p: p.readings[Reading.BELOW]),
        Column("higher", "Cells higher", lambda p: p.readings[Reading.ABOVE]),
        Column("cells", "Of", lambda p: p.n_cells),
    ]
    title = f"Spearman’s correlation with people’s {kind}s, all prompts together, as in the paper’s tables"
    return Table.of(f"overview-{kind}", title, columns, panels)


def _link(panel: Panel) -> Link:
    query = urlencode({"scorer": panel.scorer, "criterion": panel.criterion.key})
    return Link(panel.scorer, f"?{query}", panel.criterion.key)


def _headline(panel: Panel, place: int, *, null: bool) -> Cell:
    if place >= len(panel.headline):
        return panel.reason or None
    cell = panel.headline[place]
    return _null(cell) if null else cell.found


def _tables(panels: list[Panel]) -> list[Table]:
    rows = [(p, c) for p in panels for c in p.cells]
    return [Table.of("replication", "Correlations in subsets, and what selection alone gives", ALL, rows)]


ALL: list[Column[tuple[Panel, Correlation]]] = [
    Column("scorer", "Scorer", lambda row: row[0].scorer),
    Column("criterion", "Criterion", lambda row: row[0].criterion.key),
    Column("family", "Subsets", lambda row: row[1].family.value),
    Column("subset", "Subset", lambda row: row[1].label),
    Column("method", "Correlation", lambda row: row[1].method),
    Column("scope", "Scope", lambda row: row[1].scope),
    Column("correlation", "Estimate", lambda row: row[1].found, sign="+"),
    Column("null", "Selection alone", lambda row: row[1].null, sign="+"),
    Column("reading", "Reading", lambda row: row[1].reading.value),
]

RESULT = Result(
    name="replication",
    summary=(
        "The subset correlations of the Artificial Hivemind paper on this study, each beside what selecting the subset "
        "alone would give."
    ),
    options=ReplicationOptions,
    compute=lambda study, options: compute(study, options.scorer, options.criterion),
    record=ReplicationRecord,
    to_record=_to_record,
    lines=_lines,
    narrowed=_first,
    context=_context,
    tables=_tables,
)
