"""The tables of the audit: the scorers, one scorer’s checks, the controls and the kinds of source."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from judging.results.audit.contrasts import ContrastRow
from judging.results.audit.report import ControlRow, Row
from judging.results.table import Cell, Column, Link, Table
from judging.stats import Estimate, Scope
from judging.templatetags.figures import p_value


def scorers(rows: Sequence[Row], query: str = "") -> Table:
    """`query`: what the page’s reader chose, for the links."""

    def name(row: Row) -> Link:
        href = "?" + "&".join(filter(None, (urlencode({"scorer": row.scorer}), query))) + "#chosen"
        return Link(row.scorer, href, _judged_by(row) + (", baseline" if row.is_baseline else ""))

    return Table.of("scorers", "", [Column("scorer", "Scorer", name), *SCORERS], rows)


def _judged_by(row: Row) -> str:
    return f"{row.criterion.key}, {row.outcome}" if row.in_sets else row.criterion.key


def sizes(row: Row) -> str:
    r = row.result
    what = "places in sets" if row.in_sets else "responses"
    return f"{r.n_prompts:,} prompts, {r.n_responses:,} {what}, {r.n_annotators:,} annotators"


SCORERS: list[Column[Row]] = [
    Column("underrating", "Underrating", lambda r: r.result.underrating, unit="SDs", sign="+"),
    Column("p_one_sided", "p", lambda r: r.result.p_one_sided, help="of no underrating, one-sided", style="p"),
    Column("p_adjusted", "p among all", lambda r: r.p_adjusted, help="Benjamini-Hochberg", style="p"),
    Column("human", "Effect on people’s own ratings", lambda r: r.result.human, unit="SDs", sign="+"),
    Column("naive", "Naive slope", lambda r: r.result.naive, sign="+"),
    Column("length", "Effect of length", lambda r: r.length, sign="+"),
    Column("smallest_detectable", "Smallest detectable", lambda r: r.result.smallest_detectable),
    Column(
        "strength", "Strength", lambda r: r.result.strength, help="of identification: weak below 3.2",
        digits=1,
    ),
    Column("sizes", "Based on", sizes, style="why"),
]  # fmt: skip


def checks(row: Row) -> Table:
    """The same slope by other ways, and in other units."""
    r = row.result
    cells: list[tuple[str, Cell]] = [
        ("Annotators split, each half the other’s instrument", row.split_instruments),
        ("Pigeonhole bootstrap", row.pigeonhole),
        ("Interval that needs no identification (Fieller), which decides", _ends(r.robust)),
        ("Whatever the quality", r.total),
        ("In the scorer’s own units", r.raw),
        ("Effect on people’s own ratings, in points", r.human_raw),
        *((f"Effect of {name}", e) for name, e in r.covariate_coefficients.items()),
    ]
    return _listed("checks", "Slope", cells)


def divisive(row: Row) -> Table:
    d = row.divisive
    cells: list[tuple[str, Cell]] = [
        ("where people disagree more", d.slope_high),
        ("where they disagree less", d.slope_low),
        ("difference", d.difference),
        ("p of no difference", p_value(d.p)),
        ("correlation of divisive and unusual", d.correlation),
    ]
    table = _listed("divisive", f"Rise of {row.scorer}, in SDs, per point of human quality", cells)
    # The page says in words above the table what came out.
    return replace(table, notes=[note for note in table.notes if note != d.reason])


def _listed(key: str, title: str, cells: Sequence[tuple[str, Cell]]) -> Table:
    columns: list[Column[tuple[str, Cell]]] = [
        Column("what", title, lambda c: c[0]),
        Column("estimate", "Estimate", lambda c: c[1], sign="+"),
    ]
    known = [(name, _known(cell)) for name, cell in cells]
    return Table.of(key, "", columns, known, _reasons(cell for _, cell in cells))


def _reasons(cells: Iterable[Cell]) -> list[str]:
    """Why numbers are missing, each reason once."""
    missing = (cell.reason for cell in cells if isinstance(cell, Estimate) and cell.estimate is None)
    return list(dict.fromkeys(reason for reason in missing if reason))


def verdicts(row: Row) -> Table:
    """The verdict and the slopes it rests on, for people like these and for the people of the study."""
    scopes = (row.result, row.result.these_people)
    columns: list[Column[tuple[str, list[Cell]]]] = [
        Column("what", "Underrating, SDs", lambda c: c[0]),
        Column("like_these", "People like these", lambda c: c[1][0], sign="+"),
        Column("these", "The people of this study", lambda c: c[1][1], sign="+"),
    ]
    ways: list[tuple[str, Callable[[Scope], Cell]]] = [
        ("Verdict", lambda s: s.verdict_text),
        ("One straight line for all prompts", lambda s: s.underrating),
        ("The interval that decides", lambda s: _ends(s.decisive)),
        ("A line for each prompt", lambda s: s.shapes.by_prompt),
        ("Beside a curve in quality", lambda s: s.shapes.curved),
        ("Among good responses", lambda s: s.shapes.good),
        ("Among bad responses", lambda s: s.shapes.bad),
        ("Flags", lambda s: ", ".join(s.flags) or "none"),
    ]
    rows = [(name, [way(s) for s in scopes]) for name, way in ways]
    notes = _reasons(cell for _, cells in rows for cell in cells)
    return Table.of(
        "verdicts", "", columns, [(name, [_known(c) for c in cells]) for name, cells in rows], notes
    )


def _ends(ends: tuple[float, float] | None) -> Cell:
    return f"[{ends[0]:+.2f}, {ends[1]:+.2f}]" if ends else "has no ends: the data rule nothing out"


def controls(rows: Sequence[ControlRow]) -> Table:
    return Table.of("controls", "", CONTROLS, rows)


PASSED = {True: "yes", False: "no", None: "can’t tell"}
CONTROLS: list[Column[ControlRow]] = [
    Column(
        "control",
        "Control",
        lambda c: Link(c.name, note=f"{c.criterion.key}, planted {c.control.planted:.1f}"),
    ),
    Column("underrating", "Underrating", lambda c: c.control.underrating, unit="SDs", sign="+"),
    Column("naive", "Naive slope", lambda c: c.control.result.naive, sign="+"),
    Column("passed", "As it should be", lambda c: PASSED[c.control.passed], style="state"),
    Column("reason", "In words", lambda c: c.control.reason, style="why"),
]


def contrasts(rows: Sequence[ContrastRow]) -> Table:
    return Table.of("contrasts", "", CONTRASTS, rows)


def _contrasted(row: ContrastRow) -> Link:
    baseline = ", baseline" if row.is_baseline else ""
    return Link(row.scorer, note=f"{row.criterion}{baseline}; {row.gaps.group} minus the others")


def _shared(row: ContrastRow, e: Estimate) -> Cell:
    """A scorer's own units are no points of the annotators' scale."""
    return e if row.gaps.contrast_raw.estimate is not None else None


def _known(cell: Cell) -> Cell:
    """A sentence beside or below says why there is none."""
    return None if isinstance(cell, Estimate) and cell.estimate is None else cell


def contrast_sizes(row: ContrastRow) -> str:
    c = row.gaps
    counts = (
        f"{c.n_prompts:,} prompts, {c.n_group:,} and {c.n_others:,} responses, {c.n_annotators:,} annotators"
    )
    return counts if c.df is None else f"{counts}; t with {c.df:.1f} df"


def _contrast_in_words(row: ContrastRow) -> Link:
    return Link(row.gaps.reason, note=contrast_sizes(row))


CONTRASTS: list[Column[ContrastRow]] = [
    Column("scorer", "Scorer", _contrasted),
    Column("scorer_gap", "Scorer’s gap", lambda r: _known(r.gaps.scorer_gap), unit="SDs", sign="+"),
    Column("human_gap", "People’s gap", lambda r: _known(r.gaps.human_gap), unit="SDs", sign="+"),
    Column(
        "scorer_gap_raw", "Scorer’s gap", lambda r: _shared(r, r.gaps.scorer_gap_raw), unit="points", sign="+"
    ),
    Column("human_gap_raw", "People’s gap", lambda r: _known(r.gaps.human_gap_raw), unit="points", sign="+"),
    Column("contrast", "Contrast", lambda r: _known(r.gaps.contrast), unit="SDs", sign="+"),
    Column("contrast_raw", "Contrast", lambda r: _known(r.gaps.contrast_raw), unit="points", sign="+"),
    Column("p_adjusted", "p among all", lambda r: r.p_adjusted, style="p"),
    Column(
        "at_equal_quality",
        "Gap at equal quality",
        lambda r: _known(r.gaps.at_equal_quality),
        unit="SDs",
        sign="+",
    ),
    Column("reason", "In words", _contrast_in_words, style="why"),
]
