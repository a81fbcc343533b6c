"""The figures of homogeneity."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt
import pandas as pd

from judging.results.figures import BLUE, GREY, ORANGE, WIDTH, Cell, Chart, Figure, rounded
from judging.results.homogeneity.external_pool import ExternalPool
from judging.results.homogeneity.over_prompts import Homogeneity
from judging.stats import SourceMatrix
from judging.stats.similarity.homogeneity import BINS

# Colour and dashes of pairs of one source, of two, and of different prompts.
_LOOKS = [(BLUE, [1, 0]), (ORANGE, [7, 3]), (GREY, [2, 2])]

WRITTEN_IN = 12
"""Sources up to which a heat map has its numbers written in."""


def heat_map(report: Homogeneity) -> Figure:
    """Sources, from the most to the least alike with the rest."""
    to_others = [s.to_others.estimate for s in report.sources]
    within, between = report.all.within.estimate, report.all.between.estimate
    return _heat_map("sources", report.names, report.matrix, to_others, within, between, report.embedder)


def external_heat_map(pool: ExternalPool) -> Figure:
    to_others = [_number(column) for column in pool.to_others]
    within, between = pool.within.estimate, pool.between.estimate
    return _heat_map(
        f"sources-on-disk-{pool.pk}", pool.names, pool.matrix, to_others, within, between, pool.name
    )


def _heat_map(
    key: str,
    names: Sequence[str],
    matrix: SourceMatrix,
    to_others: Sequence[float | None],
    within: float | None,
    between: float | None,
    embedder: str,
) -> Figure:
    means = matrix.mean
    by_others = sorted(range(len(names)), key=lambda i: -(to_others[i] or -1.0))
    order = [names[i] for i in by_others]
    rows: list[tuple[Cell, ...]] = [
        (names[i], names[j], *(_number(m[i, j]) for m in (means, matrix.low, matrix.high)), int(matrix.n[i, j]))
        for i in by_others for j in by_others
    ]  # fmt: skip
    columns = ["source", "other", "mean cosine", "low", "high", "prompts"]
    frame = pd.DataFrame(rows, columns=["source", "other", "mean", "low", "high", "prompts"])
    size = min(28 * len(order) + 20, 560) if len(order) > WRITTEN_IN else 48 * len(order)
    axis = alt.Axis(labelAngle=-40, labelOverlap=False)
    x = alt.X("other:N", sort=order, title=None, axis=axis)
    y = alt.Y("source:N", sort=order, title=None)
    base = alt.Chart(frame)
    scale = alt.Scale(scheme="viridis")
    cells = base.mark_rect().encode(
        x=x, y=y, color=alt.Color("mean:Q", scale=scale, title="mean cosine"),
        tooltip=["source", "other", alt.Tooltip("mean:Q", format=".3f"), alt.Tooltip("low:Q", format=".3f"),
                 alt.Tooltip("high:Q", format=".3f"), "prompts"],
    )  # fmt: skip
    chart: Chart = cells
    if len(order) <= WRITTEN_IN:
        middle = float(np.nanmean([np.nanmin(means), np.nanmax(means)])) if np.isfinite(means).any() else 0.0
        dark = alt.condition(f"datum.mean > {middle:.6g}", alt.value("#10151a"), alt.value("#ffffff"))
        chart = alt.layer(
            cells,
            base.mark_text(fontSize=11).encode(x=x, y=y, text=alt.Text("mean:Q", format=".2f"), color=dark),
        )
    return Figure(
        key,
        "Which sources answer alike.",
        f"Mean cosine of two different responses to the same prompt, averaged over prompts; on the diagonal both are "
        f"by one source. No response is paired with itself. Cosines of {embedder}.",
        f"Heat map of {len(order)} by {len(order)} sources. Mean within a source {_text(within)}, "
        f"between two {_text(between)}.",
        chart.properties(width=size, height=size),
        columns,
        rows,
    )


def histograms(report: Homogeneity) -> Figure:
    """Shares of pairs by cosine: of one source, of two, and of different prompts."""
    kinds = [
        ("same source, same prompt", report.all.histogram_within),
        ("different sources, same prompt", report.all.histogram_between),
        ("different prompts", report.random.histogram),
    ]
    floor = f"; and to different prompts, which is the floor that {report.embedder}’s cosines stand on."
    return _histograms("cosines", kinds, floor)


def external_histograms(pool: ExternalPool) -> Figure:
    kinds = [
        ("same source, same prompt", pool.histogram_within),
        ("different sources, same prompt", pool.histogram_between),
    ]
    return _histograms(f"cosines-on-disk-{pool.pk}", kinds, f". Cosines of {pool.name}.")


def _histograms(key: str, kinds: Sequence[tuple[str, npt.NDArray[np.int64]]], rest: str) -> Figure:
    rows = []
    for name, counts in kinds:
        total = int(counts.sum())
        rows += [
            (name, rounded(float(low)), rounded(float(high)), int(n), rounded(float(n) / total))
            for low, high, n in zip(BINS[:-1], BINS[1:], counts, strict=True)
            if n
        ]
    frame = pd.DataFrame(_stepped(rows), columns=["pairs", "cosine", "share"])
    names = [name for name, counts in kinds if counts.sum()]
    legend, looks = (
        alt.Legend(
            orient="top",
            title=None,
            symbolType="stroke",
            symbolSize=500,
            symbolOpacity=1,
            symbolStrokeWidth=2,
        ),
        zip(*_LOOKS, strict=True),
    )
    colors, dashes = (alt.Scale(domain=names, range=list(look)[: len(names)]) for look in looks)
    across = alt.X("cosine:Q", title="cosine", axis=alt.Axis(format=".2~f"))
    base = alt.Chart(frame).encode(
        x=across, color=alt.Color("pairs:N", sort=names, legend=legend, scale=colors)
    )
    share = alt.Y("share:Q", stack=None, title="share of pairs", axis=alt.Axis(format="%"))
    lines = base.mark_line(strokeWidth=2).encode(
        y=share, strokeDash=alt.StrokeDash("pairs:N", sort=names, legend=legend, scale=dashes)
    )
    data = alt.Chart(pd.DataFrame(rows, columns=["pairs", "low", "high", "n", "share"]))
    under = data.mark_bar(opacity=0).encode(
        x=alt.X("low:Q", bin="binned"), x2="high:Q", y=alt.Y("share:Q", stack=None),
        tooltip=["pairs", "low", "high", "n", alt.Tooltip("share:Q", format=".1%")],
    )  # fmt: skip
    chart = alt.layer(base.mark_area(opacity=0.13).encode(y=share), lines, under).properties(
        width=WIDTH, height=240
    )
    return Figure(
        key,
        "How alike two responses are.",
        f"Pairs of responses by their cosine: of one source and of two, to the same prompt{rest}",
        "Histogram of cosines of "
        + "; ".join(f"{int(c.sum()):,} pairs of {n}" for n, c in kinds if c.sum())
        + ".",
        chart,
        ["pairs", "from", "to", "number", "share"],
        rows,
    )


def _stepped(rows: Sequence[tuple[Any, ...]]) -> list[tuple[str, float, float]]:
    """The outline of each histogram, from zero to zero; a bin without pairs is at zero."""
    width, points = float(BINS[1] - BINS[0]), []
    for name, group in groupby(rows, key=itemgetter(0)):
        end = None
        for _, low, high, _, share in group:
            if end is None or low - end > width / 2:
                points += [(name, end, 0.0)] * (end is not None) + [(name, low, 0.0)]
            points += [(name, low, share), (name, high, share)]
            end = high
        points.append((name, end, 0.0))
    return points


def generations(report: Homogeneity) -> Figure | None:
    """Sources by the day they came out; None with fewer than two dated ones."""
    dated = [s for s in report.sources if s.released and s.within.estimate is not None]
    if len(dated) < 2:
        return None
    rows = [
        (s.name, s.released, *(rounded(v) for v in (s.within.estimate, s.within.low, s.within.high)))
        for s in sorted(dated, key=lambda s: str(s.released))
    ]
    frame = pd.DataFrame(rows, columns=["source", "released", "mean", "low", "high"])
    base = alt.Chart(frame).encode(x=alt.X("released:T", title="released"))
    title = "mean cosine within the source"
    bars = base.mark_rule(color=BLUE).encode(
        y=alt.Y("low:Q", title=title, scale=alt.Scale(zero=False)), y2="high:Q"
    )
    dots = base.mark_point(filled=True, size=70, color=BLUE, opacity=1).encode(
        y=alt.Y("mean:Q", title=title, scale=alt.Scale(zero=False)),
        tooltip=["source", "released", alt.Tooltip("mean:Q", format=".3f")],
    )
    names = base.mark_text(align="left", dx=7, dy=-6, fontSize=11, color="currentColor").encode(
        y="mean:Q", text="source:N"
    )
    return Figure(
        "generations",
        "Do later sources repeat themselves more?",
        "Mean cosine of two responses of one source to one prompt, by the day the source came out, with 95 % "
        "intervals over prompts.",
        f"{len(rows)} dated sources, from {rows[0][1]} to {rows[-1][1]}.",
        alt.layer(bars, dots, names).properties(width=WIDTH, height=260),
        ["source", "released", "mean cosine", "low", "high"],
        rows,
    )


def _number(value: float) -> float | None:
    return rounded(float(value)) if np.isfinite(value) else None


def _text(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"
