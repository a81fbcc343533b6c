"""The figures of the planning page."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from judging.results.figures import BLUE, ORANGE, Cell, Figure, rounded
from judging.results.planning.report import Point

_K = alt.X("k:Q", title="annotators an item", axis=alt.Axis(tickMinStep=1))
_SIZE = {"width": 420, "height": 230}


def reliabilities(points: Sequence[Point]) -> Figure:
    """Reliability of the mean of k annotators, with its interval."""
    rows: list[tuple[Cell, ...]] = [
        (p.k, *(rounded(v) for v in (p.reliability.estimate, p.reliability.low, p.reliability.high)))
        for p in points
    ]
    columns = ["k", "reliability", "low", "high"]
    frame = pd.DataFrame(rows, columns=columns).astype(float)
    least = min(0.0, float(frame[["low", "reliability"]].min().min()))
    scale, title = alt.Scale(domain=[least, 1.0]), "reliability of the mean"
    base = alt.Chart(frame)
    band = base.mark_area(color=BLUE, opacity=0.2).encode(
        x=_K, y=alt.Y("low:Q", title=title, scale=scale), y2="high:Q"
    )
    line = base.mark_line(color=BLUE, point=alt.OverlayMarkDef(color=BLUE)).encode(
        x=_K, y=alt.Y("reliability:Q", title=title, scale=scale), tooltip=_numbers(columns)
    )
    last = rows[-1]
    return Figure(
        "reliability",
        "What the mean of more annotators is worth.",
        "Reliability of the mean of the annotators of an item, by how many there are, with its 95 % interval.",
        f"Reliability by number of annotators, from {points[0].k} to {last[0]}.",
        alt.layer(band, line).properties(**_SIZE),
        ["annotators an item", *columns[1:]],
        rows,
    )


def widths(points: Sequence[Point]) -> Figure:
    """How wide two intervals are."""
    rows: list[tuple[Cell, ...]] = [
        (p.k, name, rounded(width))
        for name, of in (("of alpha", "alpha_width"), ("of an item’s mean", "mean_width"))
        for p in points
        if (width := getattr(p, of)) is not None
    ]
    frame = pd.DataFrame(rows, columns=["k", "interval", "width"])
    names = list(dict.fromkeys(frame["interval"]))
    legend = alt.Legend(orient="top", title=None)
    colors, shapes = (
        alt.Scale(domain=names, range=marks) for marks in ([BLUE, ORANGE], ["circle", "square"])
    )
    base = alt.Chart(frame).encode(
        x=_K,
        y=alt.Y("width:Q", title="width of the 95 % interval", scale=alt.Scale(zero=True)),
        color=alt.Color("interval:N", legend=legend, scale=colors),
    )
    dots = base.mark_point(filled=True, size=40, opacity=1).encode(
        shape=alt.Shape("interval:N", legend=legend, scale=shapes),
        tooltip=["interval", *_numbers(["k", "width"])],
    )
    return Figure(
        "widths",
        "How much narrower intervals become.",
        "Width of the 95 % interval of alpha, and of one item’s mean in points of the scale, by annotators an item.",
        f"Widths of intervals by number of annotators, from {points[0].k} to {points[-1].k}.",
        alt.layer(base.mark_line(), dots).properties(**_SIZE),
        ["annotators an item", "interval", "width"],
        rows,
    )


def _numbers(columns: Sequence[str]) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{c}:Q", format="d" if c == "k" else ".2f") for c in columns]
