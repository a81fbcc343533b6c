"""A figure: one Altair chart with a caption that can be read alone, a text alternative and its data as a table."""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import altair as alt
import vl_convert
from django.utils.html import escape

from annotate.cells import in_one_row

# Okabe and Ito's colours, told apart by the colour-blind; without their yellow, which paper swallows.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
BLUE, ORANGE, GREY = COLORS[0], COLORS[1], "#808488"
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
WIDTH = 680
# Pixels: letters, and what they are measured as in a picture. Whoever opens it may have a wider font than the one it
# was measured with.
LETTERS, MEASURED = 12, 14

Chart = alt.Chart | alt.LayerChart | alt.FacetChart
Cell = str | float | int | None


class Head(NamedTuple):
    """The head of a column, and whether the column holds plain numbers."""

    name: str
    number: bool

    @classmethod
    def of(cls, name: str, values: Sequence[Cell]) -> "Head":
        return cls(name, all(isinstance(value, int | float | None) for value in values))


@dataclass(frozen=True)
class Figure:
    """`columns` and `rows` hold everything that the chart shows; `key` names its files."""

    key: str
    title: str
    caption: str
    description: str
    chart: Chart
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    @property
    def heads(self) -> list[Head]:
        return [Head.of(name, [row[n] for row in self.rows]) for n, name in enumerate(self.columns)]

    @cached_property
    def spec(self) -> dict[str, Any]:
        """The Vega-Lite specification, complete with its data."""
        spec: dict[str, Any] = themed(self.chart).to_dict()
        return spec | {"description": self.description}

    @cached_property
    def svg(self) -> str:
        """For a page: it scales with what holds it and takes the colour of the text around it."""
        drawn = self._picture(self.spec)
        return re.sub(r"<svg ", f'<svg role="img" aria-label="{escape(self.description)}" ', drawn, count=1)

    def drawn(self) -> "Figure":
        """With its picture, so that it is drawn once where the figure is kept."""
        self.svg  # noqa: B018
        return self

    @property
    def svg_file(self) -> str:
        """For a file of its own: black on white."""
        drawn = self._picture(self.spec | {"background": "white"})
        return drawn.replace("currentColor", "#1d2226")

    def _picture(self, spec: dict[str, Any]) -> str:
        """Vega counts its ids on through a process; here they are the figure's own, the same every time."""
        drawn = str(vl_convert.vegalite_to_svg(json.dumps(_with_room(spec))))
        drawn = drawn.replace(f'font-size="{MEASURED}px"', f'font-size="{LETTERS}px"')
        ids = list(dict.fromkeys(re.findall(r"\b(?:gradient_|clip)\d+\b", drawn)))
        for place, name in enumerate(ids):
            drawn = re.sub(rf"\b{name}\b", f"{self.key}-id-{place}", drawn)
        return drawn

    @property
    def png(self) -> bytes:
        printed = json.dumps(self.spec | {"background": "white"}).replace("currentColor", "#1d2226")
        return bytes(vl_convert.vegalite_to_png(printed, scale=2))

    @property
    def csv(self) -> str:
        return csv_of(self.columns, self.rows)


def _with_room(spec: dict[str, Any]) -> dict[str, Any]:
    """As if its letters were larger."""
    sizes = {"labelFontSize": MEASURED, "titleFontSize": MEASURED}
    config = spec.get("config", {})
    larger = {part: config.get(part, {}) | sizes for part in ("axis", "legend", "header")}
    return spec | {"config": config | larger}


def csv_of(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([in_one_row(column) for column in columns])
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return out.getvalue()


def _cell(value: Cell) -> str:
    """A number so that rounding hides what differs between two machines' last bits."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(in_one_row(value))


def rounded(value: float | None) -> float | None:
    """Six significant digits: what a chart is drawn from is the same on every machine."""
    return None if value is None else float(f"{value:.6g}")


def themed(chart: Chart) -> Chart:
    """Light or dark, on screen or on paper: lines and letters take the colour of the text around the chart."""
    themed_chart: Chart = (
        chart.properties(background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor="currentColor",
            titleColor="currentColor",
            gridColor="currentColor",
            gridOpacity=0.14,
            domainColor="currentColor",
            domainOpacity=0.4,
            tickColor="currentColor",
            tickOpacity=0.4,
            labelFontSize=LETTERS,
            titleFontSize=LETTERS,
            titleFontWeight="normal",
            labelLimit=260,
        )
        .configure_legend(
            labelColor="currentColor",
            titleColor="currentColor",
            labelFontSize=LETTERS,
            titleFontSize=LETTERS,
            labelLimit=220,
        )
        .configure_title(color="currentColor")
        .configure_header(
            labelColor="currentColor",
            titleColor="currentColor",
            labelFontSize=LETTERS,
            titleFontSize=LETTERS,
        )
    )
    return themed_chart


def marks_of(names: Sequence[str]) -> tuple[alt.Scale, alt.Scale]:
    """Colours and shapes by name: six colours times six shapes tell 36 apart."""
    colors = [COLORS[n % len(COLORS)] for n in range(len(names))]
    shapes = [SHAPES[n // len(COLORS) % len(SHAPES)] for n in range(len(names))]
    # With few names shapes change with every name too: colour is never the only difference.
    if len(names) <= len(COLORS):
        shapes = [SHAPES[n % len(SHAPES)] for n in range(len(names))]
    return alt.Scale(domain=list(names), range=colors), alt.Scale(domain=list(names), range=shapes)
