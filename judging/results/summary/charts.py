"""Figures of the report: scorers by measures of unusualness and by categories."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from judging.results.audit.charts import AXIS, TICKS, in_words, signed
from judging.results.figures import COLORS, SHAPES, WIDTH, Cell, Figure, rounded
from judging.results.summary.findings import Compared


def side_by_side(compared: Sequence[Compared], key: str, title: str, caption: str) -> Figure:
    """Estimates of the scorers, once for each measure or category."""
    rows: list[tuple[Cell, ...]] = []
    for c in compared:
        e = c.result.underrating
        identified = c.result.verdict.name != "CANT_TELL"
        rows.append(
            (
                c.scorer,
                c.name,
                *(rounded(v) for v in (e.estimate, e.low, e.high)),
                "yes" if identified else "no",
                c.result.n_responses,
            )
        )
    frame = pd.DataFrame(rows, columns=["scorer", "by", "estimate", "low", "high", "identified", "n"])
    frame[["estimate", "low", "high"]] = frame[["estimate", "low", "high"]].astype(float)
    frame = frame.dropna(subset=["estimate"])
    names, scorers = (
        list(dict.fromkeys(c.name for c in compared)),
        list(dict.fromkeys(c.scorer for c in compared)),
    )
    scale = alt.Scale(domain=scorers, range=[COLORS[i % len(COLORS)] for i in range(len(scorers))])
    shapes = alt.Scale(domain=scorers, range=[SHAPES[i % len(SHAPES)] for i in range(len(scorers))])
    legend = alt.Legend(orient="top", title=None)
    y, offset = alt.Y("by:N", sort=names, title=None), alt.YOffset("scorer:N", sort=scorers)
    base = alt.Chart(frame)
    faint = alt.condition("datum.identified == 'yes'", alt.value(1.0), alt.value(0.35))
    color = alt.Color("scorer:N", scale=scale, legend=legend)
    zero = alt.Chart(pd.DataFrame({"x": [0.0]})).mark_rule(color="currentColor", opacity=0.6).encode(x="x:Q")
    bars = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=AXIS, axis=TICKS),
        x2="high:Q",
        y=y,
        yOffset=offset,
        color=color,
        opacity=faint,
    )
    dots = base.mark_point(filled=True, size=65).encode(
        x="estimate:Q", y=y, yOffset=offset, color=color, opacity=faint,
        shape=alt.Shape("scorer:N", scale=shapes, legend=legend),
        tooltip=["scorer", "by", *signed("estimate", "low", "high"), "identified"],
    )  # fmt: skip
    return Figure(
        key, title, caption,
        "; ".join(f"{r[0]}, {r[1]}: {in_words(r[2])}" for r in rows[:24]) + ".",
        alt.layer(zero, bars, dots).properties(width=WIDTH - 60, height=alt.Step(15)),
        ["scorer", "by", "underrating", "low", "high", "identified", "responses"],
        rows,
    )  # fmt: skip
