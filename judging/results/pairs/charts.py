"""The figures of pairs and lists."""

from collections.abc import Sequence
from typing import cast

import altair as alt
import pandas as pd

from judging.results.audit.charts import AXIS, TICKS, in_words, signed
from judging.results.figures import BLUE, ORANGE, WIDTH, Cell, Figure, marks_of, rounded
from judging.results.pairs.report import Margin, Rated
from judging.results.pairs.votes import VoteRow
from judging.stats import Estimate
from judging.stats.audit.verdict import LIKE_THESE, THESE

_SHARE = alt.Axis(format="%", tickCount=6)


def _three(e: Estimate) -> tuple[float | None, float | None, float | None]:
    return rounded(e.estimate), rounded(e.low), rounded(e.high)


def _frame(rows: Sequence[Sequence[Cell]], columns: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(columns)).astype(dict.fromkeys(numbers, float))


def _rule(value: float) -> alt.Chart:
    """A line where a fair scorer would be."""
    data = pd.DataFrame({"x": [value]})
    return cast(alt.Chart, alt.Chart(data).mark_rule(color="currentColor", opacity=0.6).encode(x="x:Q"))


def _name(row: Rated | VoteRow, several: bool) -> str:
    return f"{row.scorer}, {row.criterion.key}" if several else row.scorer


def preferred(rows: Sequence[Rated]) -> Figure | None:
    """How often each scorer prefers the usual one of two equally good responses; None where nothing is defined."""
    defined = [r for r in rows if r.pairs.usual_preferred.estimate is not None]
    if not defined:
        return None
    several = len({r.criterion.pk for r in defined}) > 1
    cells: list[tuple[Cell, ...]] = [
        (
            _name(r, several),
            *_three(r.pairs.usual_preferred),
            rounded(r.pairs.naive_usual_preferred.estimate),
            r.pairs.n_pairs,
        )
        for r in defined
    ]
    frame = _frame(
        cells,
        ["scorer", "share", "low", "high", "naive", "pairs"],
        ["share", "low", "high", "naive"],
    )
    y = alt.Y("scorer:N", sort=list(frame["scorer"]), title=None)
    scale = alt.Scale(domain=[0, 1])
    title = "usual one preferred"
    x = alt.X("share:Q", title=title, axis=_SHARE, scale=scale)
    base = alt.Chart(frame)
    bars = base.mark_rule(strokeWidth=2.5, color=BLUE).encode(
        x=alt.X("low:Q", title=title, scale=scale), x2="high:Q", y=y
    )
    dots = base.mark_point(filled=True, size=100, color=BLUE, opacity=1).encode(
        x=x, y=y, tooltip=["scorer", *_percents("share", "low", "high", "naive"), "pairs"]
    )
    naive = base.mark_point(shape="stroke", angle=90, size=110, color="currentColor", opacity=0.55)
    return Figure(
        "preferred",
        "Of two equally good responses, is the usual one preferred?",
        "Share of pairs of equally good responses to a prompt in which the scorer puts the usual one above the unusual "
        "one, with 95 % intervals over prompts and annotators. One half is fair. Upright strokes: pairs matched on the "
        "annotators’ mean alone, which are not equally good.",
        "; ".join(f"{c[0]}: {_percent(c[1])} of {c[5]} pairs" for c in cells) + ".",
        alt.layer(_rule(0.5), bars, naive.encode(x="naive:Q", y=y), dots).properties(
            width=WIDTH, height=alt.Step(28)
        ),
        ["scorer", "usual preferred", "low", "high", "matched on the mean alone", "pairs"],
        cells,
    )


def forest_of_votes(rows: Sequence[VoteRow]) -> Figure:
    """Every scorer's underrating by votes, with its interval for people like these and for the people of the study."""
    several = len({r.criterion.pk for r in rows}) > 1
    cells: list[tuple[Cell, ...]] = [
        (_name(r, several), scope.people, *_three(scope.underrating), scope.verdict_text, r.result.n_pairs)
        for r in rows
        for scope in (r.result, r.result.these_people)
    ]
    frame = _frame(
        cells,
        ["scorer", "for", "estimate", "low", "high", "verdict", "pairs"],
        ["estimate", "low", "high"],
    ).dropna(subset=["estimate"])
    kinds = [LIKE_THESE, THESE]
    colors, shapes = marks_of(kinds)
    legend = alt.Legend(orient="top", title=None)
    y = alt.Y("scorer:N", sort=list(dict.fromkeys(frame["scorer"])), title=None)
    offset = alt.YOffset("for:N", sort=kinds)
    color = alt.Color("for:N", scale=colors, legend=legend)
    x = alt.X("estimate:Q", title=AXIS, axis=TICKS)
    base = alt.Chart(frame)
    bars = base.mark_rule(strokeWidth=2.5).encode(
        x=alt.X("low:Q", title=AXIS, axis=TICKS), x2="high:Q", y=y, yOffset=offset, color=color
    )
    dots = base.mark_point(filled=True, size=85, opacity=1).encode(
        x=x, y=y, yOffset=offset, color=color, shape=alt.Shape("for:N", scale=shapes, legend=legend),
        tooltip=["scorer", "for", "verdict", *signed("estimate", "low", "high"), "pairs"],
    )  # fmt: skip
    return Figure(
        "votes",
        "Underrating by votes alone.",
        "Fall of the margin, in SDs, per SD of difference in unusualness between responses that people like equally "
        "well, with 95 % intervals. Right of zero: the unusual one is marked down.",
        "; ".join(f"{c[0]}, {c[1]}: {in_words(c[2])}, {c[5]}" for c in cells) + ".",
        alt.layer(_rule(0.0), bars, dots).properties(width=WIDTH, height=alt.Step(22)),
        ["scorer", "for", "underrating", "low", "high", "verdict", "pairs"],
        cells,
    )


def missed(rows: Sequence[Rated]) -> Figure | None:
    """How many good responses end at a scorer's bottom, unusual and usual ones."""
    defined = [
        r for r in rows if r.missed.unusual.estimate is not None or r.missed.usual.estimate is not None
    ]
    if not defined:
        return None
    several = len({r.criterion.pk for r in defined}) > 1
    kinds = ("unusual", "usual")
    cells: list[tuple[Cell, ...]] = [
        (_name(r, several), kind, *_three(e), rounded(fair), e.n)
        for r in defined
        for kind, e, fair in (
            (kinds[0], r.missed.unusual, r.missed.fair_unusual),
            (kinds[1], r.missed.usual, r.missed.fair_usual),
        )
    ]
    frame = _frame(
        cells,
        ["scorer", "response", "missed", "low", "high", "fair", "n"],
        ["missed", "low", "high", "fair"],
    )
    legend = alt.Legend(orient="top", title=None)
    scale = alt.Scale(domain=list(kinds), range=[ORANGE, BLUE])
    shapes = alt.Scale(domain=list(kinds), range=["square", "circle"])
    y = alt.Y("scorer:N", sort=list(dict.fromkeys(frame["scorer"])), title=None)
    offset = alt.YOffset("response:N", sort=list(kinds))
    color = alt.Color("response:N", scale=scale, legend=legend)
    title = "good ones in its bottom third"
    domain = alt.Scale(domain=[0, max(0.4, float(frame[["high", "missed"]].max().max()))])
    base = alt.Chart(frame)
    bars = base.mark_rule(strokeWidth=2.5).encode(
        x=alt.X("low:Q", title=title, axis=_SHARE, scale=domain),
        x2="high:Q",
        y=y,
        yOffset=offset,
        color=color,
    )
    dots = base.mark_point(filled=True, size=85, opacity=1).encode(
        x="missed:Q", y=y, yOffset=offset, color=color,
        shape=alt.Shape("response:N", scale=shapes, legend=legend),
        tooltip=["scorer", "response", *_percents("missed", "low", "high", "fair"), "n"],
    )  # fmt: skip
    fair = base.mark_point(shape="stroke", angle=90, size=110, color="currentColor", opacity=0.55).encode(
        x="fair:Q", y=y, yOffset=offset
    )
    return Figure(
        "missed",
        "Good responses that a scorer misses.",
        "Share of the responses in people’s top third of a prompt that the scorer puts in its bottom third, with 95 % "
        "intervals over prompts and annotators. Upright strokes: a scorer that follows quality as closely and has no "
        "eye for unusualness.",
        "; ".join(f"{c[0]}, {c[1]}: {_percent(c[2])} of {c[6]}" for c in cells) + ".",
        alt.layer(bars, fair, dots).properties(width=WIDTH, height=alt.Step(40)),
        ["scorer", "response", "missed", "low", "high", "fair scorer", "good responses"],
        cells,
    )


def reliability(rows: Sequence[Margin]) -> Figure | None:
    """Predicted against observed shares of one scorer, once for each order its choices are known in."""
    defined = [(r, r.calibration.everywhere) for r in rows if r.calibration.everywhere is not None]
    if not defined:
        return None
    names = [r.order_text or r.scorer for r, _ in defined]
    cells: list[tuple[Cell, ...]] = [
        (name, rounded(b.predicted), *_three(b.share), b.share.n)
        for name, (_, whole) in zip(names, defined, strict=True)
        for b in whole.bins
    ]
    columns = ["choices", "predicted", "observed", "low", "high", "pairs"]
    frame = _frame(cells, columns, columns[1:5])
    colors, shapes = marks_of(names)
    legend = alt.Legend(orient="top", title=None) if len(names) > 1 else None
    color = alt.Color("choices:N", scale=colors, legend=legend)
    x = alt.X(
        "predicted:Q", title="share for the scorer’s favorite, by its margins", axis=_SHARE,
        scale=alt.Scale(domain=[0.5, 1]),
    )  # fmt: skip
    least = min(0.4, float(frame[["low", "observed"]].min().min()))
    scale = alt.Scale(domain=[max(0.0, least), 1])
    title = "share of people for it"
    y = alt.Y("observed:Q", title=title, axis=_SHARE, scale=scale)
    base = alt.Chart(frame)
    ideal = alt.Chart(pd.DataFrame({"predicted": [0.5, 1.0], "observed": [0.5, 1.0]})).mark_line(
        color="currentColor", opacity=0.6, strokeDash=[5, 4], strokeWidth=1.5
    )
    line = base.mark_line(strokeWidth=1.5, opacity=0.5).encode(x=x, y=y, color=color)
    bars = base.mark_rule(strokeWidth=2).encode(
        x=x, y=alt.Y("low:Q", title=title, scale=scale), y2="high:Q", color=color
    )
    dots = base.mark_point(filled=True, size=95, opacity=1).encode(
        x=x, y=y, color=color, shape=alt.Shape("choices:N", scale=shapes, legend=legend),
        tooltip=["choices", *_percents("predicted", "observed", "low", "high"), "pairs"],
    )  # fmt: skip
    first = defined[0][0]
    return Figure(
        "reliability",
        f"Do {first.scorer}’s margins say how many people prefer a response?",
        "Pairs turned so that the scorer’s favorite comes first, in bins of the share of people that its margins let "
        f"expect; people’s share on {first.criterion.key}, with 95 % intervals over prompts. On the dashed line "
        "margins say what people say; below it they are too sure.",
        "; ".join(
            f"{c[0]}: predicted {_percent(c[1])}, observed {_percent(c[2])} of {c[5]} pairs" for c in cells
        )
        + ".",
        alt.layer(ideal.encode(x=x, y=y), line, bars, dots).properties(width=WIDTH - 160, height=330),
        columns,
        cells,
    )


def _percents(*columns: str) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{column}:Q", format=".0%") for column in columns]


def _percent(value: Cell) -> str:
    return f"{value:.0%}" if isinstance(value, float) else "undefined"
