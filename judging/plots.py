"""Charts: one Altair specification, drawn as SVG."""

import re
from collections.abc import Sequence
from typing import cast

import altair as alt
import pandas as pd
import vl_convert

from judging.audit import Row
from judging.planning import Point

TITLE = "SDs of the score per SD of unusualness, at equal human quality"
INK, ACCENT, WARN, SOFT = "#1d2226", "#009e73", "#d55e00", "#80868b"
_COLORS = {
    "UNDERRATES": WARN,
    "OVERRATES": WARN,
    "NO_UNDERRATING": ACCENT,
    "UNDERPOWERED": SOFT,
    "CANT_TELL": SOFT,
}


def underrating_chart(rows: Sequence[Row]) -> alt.LayerChart:
    """Estimates with intervals, one line a scorer; hollow marks are the naive slopes, which mislead."""
    several = len({row.criterion.key for row in rows}) > 1
    data = pd.DataFrame([_point(row, several) for row in rows])
    scale = alt.Scale(domain=list(_COLORS), range=list(_COLORS.values()))
    color = alt.Color("verdict:N", scale=scale, legend=None)
    lines = alt.Y("scorer:N", sort=list(data["scorer"]), title=None)
    axis = alt.X("estimate:Q", title=TITLE, axis=alt.Axis(tickCount=8, format="+.1f"))
    base = alt.Chart(data)
    zero = alt.Chart(pd.DataFrame({"x": [0.0]})).mark_rule(color=SOFT).encode(x="x:Q")
    interval = base.mark_rule(strokeWidth=3).encode(
        x=alt.X("low:Q", title=TITLE), x2="high:Q", y=lines, color=color
    )
    point = base.mark_point(filled=True, size=90, opacity=1).encode(x=axis, y=lines, color=color)
    naive = base.mark_point(shape="diamond", size=60, color=SOFT, strokeWidth=1.5).encode(
        x="naive:Q", y=lines
    )
    chart: alt.LayerChart = (
        alt.layer(zero, interval, naive, point)
        .properties(
            width=800,
            height=alt.Step(34),
            background="transparent",
            # The reader's font may be wider than the one that labels were measured in.
            padding={"left": 48, "right": 12, "top": 5, "bottom": 5},
        )
        .configure_view(strokeWidth=0)
        .configure_axis(
            labelColor=SOFT, titleColor=SOFT, gridColor="#8883", domainColor="#8886", labelFontSize=13
        )
        .configure_axisY(labelLimit=260)
    )
    return chart


def _point(row: Row, several: bool) -> dict[str, object]:
    e = row.result.underrating
    return {
        "scorer": f"{row.scorer}, {row.criterion.key}" if several else row.scorer,
        "estimate": e.estimate,
        "low": e.low,
        "high": e.high,
        "naive": row.result.naive.estimate,
        "verdict": row.result.verdict.name,
    }


def planning_charts(points: Sequence[Point]) -> list[alt.LayerChart]:
    """Reliability of the mean of k, with its interval; and how wide two intervals are."""
    columns = ["k", "reliability", "low", "high", "of alpha", "of an item’s mean"]
    rows = [
        (p.k, p.reliability.estimate, p.reliability.low, p.reliability.high, p.alpha_width, p.mean_width)
        for p in points
    ]
    frame = pd.DataFrame(rows, columns=columns).astype(float)
    return [_plain(_reliability_of(frame)), _plain(_widths_of(frame))]


_K = alt.X("k:Q", title="annotators an item", axis=alt.Axis(tickMinStep=1))


def _reliability_of(frame: pd.DataFrame) -> alt.LayerChart:
    least = min(0.0, float(frame[["low", "reliability"]].min().min()))
    scale, title = alt.Scale(domain=[least, 1.0]), "reliability of the mean"
    base = alt.Chart(frame)
    band = base.mark_area(color=ACCENT, opacity=0.18).encode(
        x=_K, y=alt.Y("low:Q", title=title, scale=scale), y2="high:Q"
    )
    line = base.mark_line(color=ACCENT, point=alt.OverlayMarkDef(color=ACCENT)).encode(
        x=_K, y=alt.Y("reliability:Q", title=title, scale=scale)
    )
    return cast(alt.LayerChart, alt.layer(band, line))


def _widths_of(frame: pd.DataFrame) -> alt.LayerChart:
    names = ["of alpha", "of an item’s mean"]
    widths = frame.melt("k", names, "interval", "width").dropna()
    color = alt.Color(
        "interval:N",
        title=None,
        scale=alt.Scale(domain=names, range=[ACCENT, WARN]),
        legend=alt.Legend(orient="top"),
    )
    y = alt.Y("width:Q", title="width of the 95 % interval", scale=alt.Scale(zero=True))
    lines = alt.Chart(widths).mark_line(point=True).encode(x=_K, y=y, color=color)
    return cast(alt.LayerChart, alt.layer(lines))


def _plain(chart: alt.LayerChart) -> alt.LayerChart:
    found: alt.LayerChart = (
        chart.properties(background="transparent", width=390, height=230)
        .configure_view(strokeWidth=0)
        .configure_axis(labelColor=SOFT, titleColor=SOFT, gridColor="#8883", domainColor="#8886")
        .configure_legend(labelColor=SOFT)
    )
    return found


def svg(chart: alt.LayerChart, title: str) -> str:
    """The chart as an SVG element for a page; it scales with its container."""
    drawn = str(vl_convert.vegalite_to_svg(chart.to_json()))
    label = title.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return re.sub(r"<svg ", f'<svg role="img" aria-label="{label}" ', drawn, count=1)
