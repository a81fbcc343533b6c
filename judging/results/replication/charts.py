"""The figure of the replication panel: correlations in subsets beside what selection alone gives."""

import altair as alt
import pandas as pd

from judging.results.figures import BLUE, GREY, ORANGE, Cell, Figure, rounded
from judging.results.replication.report import Panel
from judging.stats import Family, Reading
from judging.stats.similarity.association import Method

COLUMNS = [
    "subsets", "subset", "over", "correlation", "low", "high", "selection alone", "null low", "null high", "n", "reads",
]  # fmt: skip
NAMES = {
    Family.SIMILAR: "people find them of similar quality",
    Family.DISAGREED: "people disagree on them",
}
SCOPES = {"pooled": "all prompts together", "within": "within prompts"}
_COLORS = {
    Reading.EXPLAINED.value: BLUE,
    Reading.BELOW.value: ORANGE,
    Reading.ABOVE.value: "#009E73",
    Reading.UNDEFINED.value: GREY,
}


def replication(panel: Panel, method: Method) -> Figure:
    """Both ways of selecting side by side, pooled above, within prompts below."""
    cells = _cells(panel, method)
    frame = pd.DataFrame(cells, columns=COLUMNS)
    numbers = ["correlation", "low", "high", "selection alone", "null low", "null high"]
    frame = frame.astype(dict.fromkeys(numbers, float)).rename(columns={"selection alone": "null"})
    readings = [reading for reading in _COLORS if reading in set(frame["reads"])]
    color = alt.Color(
        "reads:N", title=None, legend=alt.Legend(orient="top"),
        scale=alt.Scale(domain=readings, range=[_COLORS[r] for r in readings]),
    )  # fmt: skip
    shape = alt.Shape(
        "reads:N", title=None, legend=alt.Legend(orient="top"),
        scale=alt.Scale(domain=readings, range=["circle", "square", "diamond", "cross"][: len(readings)]),
    )  # fmt: skip
    x = alt.X(
        "subset:O", sort=list(dict.fromkeys(frame["subset"])), title=None, axis=alt.Axis(labelAngle=-50)
    )
    title = f"{method.capitalize()}’s correlation"
    base = alt.Chart()
    band = base.mark_bar(size=15, color=GREY, opacity=0.35).encode(
        x=x, y=alt.Y("null low:Q", title=title), y2="null high:Q"
    )
    expected = base.mark_tick(color="currentColor", size=15, thickness=2).encode(x=x, y="null:Q")
    bars = base.mark_rule(strokeWidth=2).encode(x=x, y="low:Q", y2="high:Q", color=color)
    tips = [
        "subset",
        *[alt.Tooltip(f"{c}:Q", format="+.2f") for c in ("correlation", "low", "high", "null")],
        "n",
        "reads",
    ]
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=x, y="correlation:Q", color=color, shape=shape, tooltip=tips
    )
    chart = (
        alt.layer(band, expected, bars, dots, data=frame)
        .properties(width=310, height=180)
        .facet(
            column=alt.Column("subsets:N", title=None, sort=list(NAMES.values())),
            row=alt.Row("over:N", title=None, sort=list(SCOPES.values())),
        )
        .resolve_scale(x="independent")
    )
    counts = panel.readings
    return Figure(
        "replication",
        f"Does {panel.scorer} follow people less where they find responses alike, or disagree?",
        f"{method.capitalize()}’s correlation with people on {panel.criterion.key} in everything and in ever narrower "
        "subsets, with 95 % intervals over prompts. Grey bars: the central 95 % of what the same selection does to "
        "made-up scorers that follow people by one straight line everywhere, their mean as a stroke. A dot within its "
        "bar has fallen as far as selection alone makes it fall.",
        "; ".join(f"{c[1]}, {c[2]}: {_text(c[3])}, selection alone {_text(c[6])}" for c in cells) + ". "
        f"Of all cells of the panel {counts[Reading.BELOW]} are lower and {counts[Reading.ABOVE]} higher than that.",
        chart,
        COLUMNS,
        cells,
    )


def _cells(panel: Panel, method: Method) -> list[tuple[Cell, ...]]:
    """The full set begins both ways of selecting."""
    return [
        (
            NAMES[family], c.label, SCOPES[c.scope],
            *(rounded(v) for v in (c.found.estimate, c.found.low, c.found.high)),
            *(rounded(v) for v in (c.null.estimate, c.null.low, c.null.high)),
            c.found.n, c.reading.value,
        )
        for family in NAMES
        for c in panel.cells
        if c.method == method and c.family in (Family.FULL, family)
    ]  # fmt: skip


def _text(value: Cell) -> str:
    return f"{value:+.2f}" if isinstance(value, float) else "undefined"
