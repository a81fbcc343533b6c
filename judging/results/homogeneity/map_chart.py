"""The map of one prompt's responses."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import numpy.typing as npt
import pandas as pd

from judging.results.figures import WIDTH, Cell, Figure, marks_of, rounded


@dataclass(frozen=True, slots=True)
class Point:
    pk: int
    key: str
    source: str
    quality: float | None
    n_ratings: int


def projected(vectors: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float64], list[float]]:
    """Two principal components, shape (n, 2), and the share of the variance along each.

    A component's sign is free: the response that lies furthest along it is on the positive side.
    """
    centered = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    # Of 1,250 vectors the eigenvectors of the covariances come several times as fast as singular values do.
    spread, axes = np.linalg.eigh(centered.T @ centered)
    spread, axes = spread[::-1].clip(min=0), axes[:, ::-1]
    points = np.zeros((len(vectors), 2))
    n = min(2, len(spread))
    points[:, :n] = centered @ axes[:, :n]
    furthest = np.abs(points).argmax(axis=0)
    points *= np.where(points[furthest, [0, 1]] < 0, -1.0, 1.0)
    total = float(spread.sum())
    return points, [float(s / total) if total > 0 else 0.0 for s in [*spread[:2], 0.0, 0.0][:2]]


def map_of(prompt: str, points: Sequence[Point], vectors: npt.NDArray[np.float32], embedder: str) -> Figure:
    """One prompt's responses in the plane in which they differ most; `pk` tells the page's script which is which."""
    places, shares = projected(vectors)
    rows: list[tuple[Cell, ...]] = [
        (p.key, p.source, _short(x), _short(y), rounded(p.quality), p.n_ratings)
        for p, (x, y) in zip(points, places.tolist(), strict=True)
    ]
    names = sorted({p.source for p in points})
    colors, shapes = marks_of(names)
    legend = alt.Legend(
        title="source (click to single out)", symbolOpacity=1, columns=1 if len(names) <= 26 else 2
    )
    picked = alt.selection_point(name="picked", fields=["source"], bind="legend")
    rated = any(p.n_ratings for p in points)
    sizes = alt.Scale(range=[25, 260], zero=False)
    size = (
        alt.Size("quality:Q", scale=sizes, title="human mean", legend=alt.Legend(tickCount=4))
        if rated
        else alt.value(60)
    )
    frame = pd.DataFrame(
        [(p.pk, *row[1:]) for p, row in zip(points, rows, strict=True)],
        columns=["pk", "source", "x", "y", "quality", "ratings"],
    ).astype({"quality": float})
    chart = (
        alt.Chart(frame)
        .mark_point(filled=True, stroke="currentColor", strokeWidth=0.4)
        .encode(
            x=alt.X("x:Q", title=f"first component, {shares[0]:.0%} of the variance"),
            y=alt.Y("y:Q", title=f"second component, {shares[1]:.0%}"),
            color=alt.Color("source:N", scale=colors, legend=legend),
            shape=alt.Shape("source:N", scale=shapes, legend=legend),
            size=size,
            opacity=alt.condition(picked, alt.value(0.8), alt.value(0.08)),
        )
        .add_params(picked)
        .properties(width=WIDTH - 40, height=460)
    )
    return Figure(
        "map",
        f"The responses to “{prompt if len(prompt) <= 90 else prompt[:89] + '…'}”",
        f"Each mark is a response; near ones say alike things to {embedder}. The two axes hold "
        f"{sum(shares):.0%} of the variance: what looks near may differ along others."
        + (" Larger: people like it better; unrated ones are left small." if rated else ""),
        f"Map of {len(rows):,} responses of {len(names)} sources in two principal components.",
        chart,
        ["response", "source", "first component", "second component", "human mean", "ratings"],
        rows,
    )


def _short(value: float) -> float:
    """Three digits: no eye sees more, and a page of thousands is short."""
    return float(f"{value:.3g}")
