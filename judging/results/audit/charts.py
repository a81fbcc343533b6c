"""The figure of underrating: every scorer with its interval."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from judging.results.audit.report import Row
from judging.results.figures import BLUE, COLORS, GREY, ORANGE, WIDTH, Cell, Figure, rounded

AXIS = "SDs of the score per SD of unusualness (right: marked down)"
TICKS = alt.Axis(tickCount=7, format="+.2~f")
_LOOKS = {
    "underrates": (ORANGE, "square"),
    "overrates": (COLORS[3], "diamond"),
    "no underrating seen": (BLUE, "circle"),
    "undecided": (GREY, "cross"),
}


def look_of(row: Row) -> str:
    """The verdict in the words of the legend."""
    name = row.result.verdict.name
    words = {"UNDERRATES": "underrates", "OVERRATES": "overrates", "NO_UNDERRATING": "no underrating seen"}
    return words.get(name, "undecided")


def forest(scorers: Sequence[Row], key: str = "scorers") -> Figure:
    """Every scorer's underrating with its interval; a star where Benjamini and Hochberg's procedure finds it."""
    ordered = sorted(scorers, key=lambda f: -(f.result.underrating.estimate or -99.0))
    rows: list[tuple[Cell, ...]] = []
    for f in ordered:
        e, naive = f.result.underrating, f.result.naive.estimate
        name = f"{f.scorer} ★" if f.discovery else f.scorer
        rows.append(
            (
                name,
                *(rounded(v) for v in (e.estimate, e.low, e.high, naive, f.p_adjusted)),
                look_of(f),
                f.result.n_responses,
            )
        )
    frame = pd.DataFrame(rows, columns=["scorer", "estimate", "low", "high", "naive", "p", "verdict", "n"])
    frame[["estimate", "low", "high", "naive", "p"]] = frame[
        ["estimate", "low", "high", "naive", "p"]
    ].astype(float)
    there = [v for v in _LOOKS if v in set(frame["verdict"])]
    legend = alt.Legend(orient="top", title=None)
    color = alt.Color(
        "verdict:N", legend=legend, scale=alt.Scale(domain=there, range=[_LOOKS[v][0] for v in there])
    )
    shape = alt.Shape(
        "verdict:N", legend=legend, scale=alt.Scale(domain=there, range=[_LOOKS[v][1] for v in there])
    )
    y = alt.Y("scorer:N", sort=list(frame["scorer"]), title=None)
    base = alt.Chart(frame)
    zero = alt.Chart(pd.DataFrame({"x": [0.0]})).mark_rule(color="currentColor", opacity=0.6).encode(x="x:Q")
    bars = base.mark_rule(strokeWidth=2.5).encode(
        x=alt.X("low:Q", title=AXIS, axis=TICKS), x2="high:Q", y=y, color=color
    )
    upright = base.mark_point(shape="stroke", angle=90, size=110, color="currentColor", opacity=0.55)
    naive_marks = upright.encode(x="naive:Q", y=y)
    dots = base.mark_point(filled=True, size=110, opacity=1).encode(
        x="estimate:Q", y=y, color=color, shape=shape,
        tooltip=["scorer", "verdict", *signed("estimate", "low", "high", "naive")],
    )  # fmt: skip
    prompts, people = (max(getattr(f.result, n) for f in ordered) for n in ("n_prompts", "n_annotators"))
    return Figure(
        key,
        "How far each scorer marks unusual answers down.",
        f"Fall of the score, in SDs, per SD of unusualness among answers that people find equally good, with 95 % "
        f"intervals over {prompts} prompts and {people} annotators. Right of zero: marked down. ★: found "
        "among all scorers at a false discovery rate of 5 %. Upright strokes: the naive slope, which takes the mean of "
        "the annotators for the true quality and is misled by its noise.",
        "; ".join(f"{r[0]}: {in_words(r[1])}, {r[6]}" for r in rows) + ".",
        alt.layer(zero, bars, naive_marks, dots).properties(width=WIDTH, height=alt.Step(26)),
        ["scorer", "underrating", "low", "high", "naive slope", "adjusted p", "verdict", "responses"],
        rows,
    )


def signed(*columns: str) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{column}:Q", format="+.2f") for column in columns]


def in_words(value: Cell) -> str:
    return f"{value:+.2f}" if isinstance(value, float) else "undefined"
