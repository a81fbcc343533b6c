"""The figure of agreement: every criterion with its interval."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from judging.results.agreement.headline import Entry
from judging.results.figures import BLUE, WIDTH, Cell, Figure, rounded
from judging.stats import Estimate


def alphas(entries: Sequence[Entry]) -> Figure | None:
    """Krippendorff's alpha of every criterion at its first level; none where none is defined."""
    first = {entry.criterion.key: entry for entry in reversed(entries)}
    ordered = [entry for entry in entries if first[entry.criterion.key] is entry]
    rows: list[tuple[Cell, ...]] = [
        (f"{e.criterion.key}, {e.level}", *_three(e.alpha), e.n_items, e.n_annotators) for e in ordered
    ]
    frame = pd.DataFrame(rows, columns=["criterion", "alpha", "low", "high", "items", "annotators"])
    frame[["alpha", "low", "high"]] = frame[["alpha", "low", "high"]].astype(float)
    if frame["alpha"].isna().all():
        return None
    y = alt.Y("criterion:N", sort=list(frame["criterion"]), title=None)
    x = alt.X(
        "low:Q",
        title="Krippendorff’s alpha (0: as often as by chance, 1: always)",
        axis=alt.Axis(tickCount=6),
        scale=alt.Scale(domain=[min(0.0, float(frame[["alpha", "low"]].min().min())), 1.0]),
    )
    base = alt.Chart(frame)
    bars = base.mark_rule(strokeWidth=2.5, color=BLUE).encode(x=x, x2="high:Q", y=y)
    dots = base.mark_point(filled=True, size=110, opacity=1, color=BLUE).encode(
        x=alt.X("alpha:Q"), y=y,
        tooltip=["criterion", *[alt.Tooltip(f"{n}:Q", format=".2f") for n in ("alpha", "low", "high")], "items"],
    )  # fmt: skip
    return Figure(
        "alphas",
        "How far annotators agree, beyond chance.",
        "Krippendorff’s alpha with 95 % intervals for other items of the same kind. Low agreement on open questions is "
        "a finding, not a fault: people’s tastes differ.",
        "; ".join(f"{row[0]}: {_words(row[1])}" for row in rows) + ".",
        alt.layer(bars, dots).properties(width=WIDTH, height=alt.Step(26)),
        ["criterion", "alpha", "low", "high", "items", "annotators"],
        rows,
    )


def _three(e: Estimate) -> tuple[float | None, float | None, float | None]:
    return rounded(e.estimate), rounded(e.low), rounded(e.high)


def _words(value: Cell) -> str:
    return f"{value:.2f}" if isinstance(value, float) else "undefined"
