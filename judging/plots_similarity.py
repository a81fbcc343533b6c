"""The calibration of a measure of likeness, drawn."""

from typing import cast

import altair as alt
import pandas as pd

from judging.plots import ACCENT, SOFT, WARN
from judging.similarity import Row

MOST_POINTS = 2000


def calibration_chart(row: Row) -> alt.LayerChart:
    """Pairs as dots, the expected mean as a line with its band; where dots lie below it the measure overstates."""
    found, criterion = row.calibration, row.criterion
    dots = found.pairs[["measure", "human_mean"]].astype(float)
    if len(dots) > MOST_POINTS:
        dots = dots.sample(MOST_POINTS, random_state=0)
    across = alt.X("measure:Q", title=row.measure, scale=alt.Scale(zero=False))
    low, high = criterion.scale_low, criterion.scale_high
    scale = alt.Scale(domain=[low, high]) if low is not None and high is not None else alt.Scale(zero=False)
    title = f"people’s mean, {criterion.key}"
    curve = alt.Chart(pd.DataFrame(found.curve).astype(float))
    band = curve.mark_area(color=ACCENT, opacity=0.18).encode(
        x=across, y=alt.Y("low:Q", title=title, scale=scale), y2="high:Q"
    )
    line = curve.mark_line(color=ACCENT, strokeWidth=2.5).encode(x=across, y="expected:Q")
    points = (
        alt.Chart(dots)
        .mark_circle(size=22, color=WARN, opacity=0.55)
        .encode(x=across, y=alt.Y("human_mean:Q", title=title, scale=scale))
    )
    chart = (
        alt.layer(points, band, line)
        .properties(width=760, height=320, background="transparent")
        .configure_view(strokeWidth=0)
        .configure_axis(labelColor=SOFT, titleColor=SOFT, gridColor="#8883", domainColor="#8886")
    )
    return cast(alt.LayerChart, chart)
