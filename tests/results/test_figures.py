"""Figures: the same picture whatever the process drew before, and numbers that can be read."""

import re

import altair as alt
import pandas as pd
import pytest

from judging.results.figures import Figure
from judging.results.planning.charts import reliabilities, widths
from judging.results.planning.report import Point
from judging.results.summary.sheet import ENDS, Ranged, Sheet
from judging.stats import Estimate
from judging.templatetags.figures import cell, cell_class

pytestmark = pytest.mark.any_database("computed from frames, which test_results.py reads from both databases")


def heat(key: str) -> Figure:
    """A figure that clips its marks and has a gradient in its legend: what Vega names by counting."""
    frame = pd.DataFrame({"x": [1, 2, 3], "y": [2.0, 3.0, 1.0]})
    chart = alt.Chart(frame).mark_bar(clip=True).encode(x="x:Q", y="y:Q", color="y:Q")
    return Figure(key, "A title", "A caption.", "A description.", chart, ["x", "y"], [])


def planned(n: int) -> list[Figure]:
    points = [Point(k, 10, 0.3, 1.5 / k, Estimate(0.5, 0.4, 0.6, 10, None)) for k in range(2, n)]
    return [reliabilities(points), widths(points)]


def test_a_picture_is_the_same_whatever_was_drawn_before() -> None:
    first = [f.svg for f in [heat("one"), *planned(6)]]
    for _ in range(3):
        heat("another").svg_file  # noqa: B018 - drawn for what drawing leaves behind
    assert [f.svg for f in [heat("one"), *planned(6)]] == first
    ids = re.findall(r'\bid="([^"]+)"', first[0])
    assert len(ids) > 1
    assert all(name.startswith("one-id-") for name in ids)
    assert set(re.findall(r"url\(#([^)]+)\)", first[0])) <= set(ids)
    assert heat("one").png == heat("one").png
    # Two figures of one page share no id.
    assert not set(ids) & set(re.findall(r'\bid="([^"]+)"', heat("two").svg))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.28219, "0.282"),
        (-0.04831, "−0.048"),
        (10.214, "10.2"),
        (1234.6, "1,235"),
        (5.911e-05, "0.00006"),
        (2e-09, "< 0.00001"),
        (0.0, "0.000"),
        (3840, "3,840"),
        (None, "–"),
        ("−x", "−x"),
        (Ranged(0.5, None, None), "0.500"),
        (Ranged(None, None, None), "–"),
        (Ranged(0.5, -0.25, 1.0), '0.500 <span class="ci">[−0.250, 1.00]</span>'),
    ],
)
def test_cells_are_short_and_typeset(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_words_of_a_cell_are_escaped_and_get_room() -> None:
    assert cell_class("x" * 61) == ' class="why"'
    assert cell_class(3) == ' class="n"'
    assert cell_class(Ranged(1.0, 0.0, 2.0)) == cell_class("short") == ""
    assert cell(Ranged("<b>", 0.1, 0.2)).startswith("&lt;b&gt;")


def test_a_sheet_shows_intervals_with_their_estimates_and_keeps_its_columns() -> None:
    sheet = Sheet(
        "k", "T", "C", ("who", "mean", *ENDS, "n"), (("a", 0.5, 0.4, 0.6, 3), ("b", None, None, None, 0))
    )
    assert [tuple(h) for h in sheet.heads] == [("who", False), ("mean", True), ("n", True)]
    assert sheet.shown == [["a", Ranged(0.5, 0.4, 0.6), 3], ["b", Ranged(None, None, None), 0]]
