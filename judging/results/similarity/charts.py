"""The figure of the embedding honesty page: a measure of likeness against people."""

import altair as alt
import pandas as pd

from annotate.models import Item
from judging.results.figures import BLUE, ORANGE, WIDTH, Cell, Figure, rounded
from judging.results.similarity.report import Row

MOST_POINTS = 2000


def calibration(row: Row) -> Figure:
    """Pairs as dots, the expected mean as a line with its band; where dots lie below it the measure overstates."""
    fit, criterion = row.calibration, row.criterion
    pairs = fit.pairs.sort_values("pair_id")
    if len(pairs) > MOST_POINTS:
        pairs = pairs.sample(MOST_POINTS, random_state=0)
    keys = dict(Item.objects.filter(pk__in=[int(pk) for pk in pairs["pair_id"]]).values_list("pk", "key"))
    rows: list[tuple[Cell, ...]] = [
        (keys[int(p["pair_id"])], rounded(p["measure"]), rounded(p["human_mean"]), None, None, int(p["n"]))
        for p in pairs.to_dict("records")
    ]
    rows += [
        ("expected", *(rounded(float(c[k])) for k in ("measure", "expected", "low", "high")), None)
        for c in fit.curve.to_dict("records")
    ]
    columns = ["pair", "measure", "people", "low", "high", "annotators"]
    frame = pd.DataFrame(rows, columns=columns)
    frame[columns[1:]] = frame[columns[1:]].astype(float)
    curve, dots = (part for _, part in frame.groupby(frame["pair"] != "expected"))
    low, high = criterion.scale_low, criterion.scale_high
    scale = alt.Scale(domain=[low, high]) if low is not None and high is not None else alt.Scale(zero=False)
    x = alt.X("measure:Q", title=row.measure, scale=alt.Scale(zero=False))
    y = alt.Y("people:Q", title=f"people’s mean, {criterion.key}", scale=scale)
    numbers = [alt.Tooltip(f"{name}:Q", format=".2f") for name in ("measure", "people")]
    lines = alt.Chart(curve)
    layers = alt.layer(
        lines.mark_area(color=BLUE, opacity=0.2).encode(x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q"),
        lines.mark_line(color=BLUE, strokeWidth=2.5).encode(x=x, y=y),
        alt.Chart(dots)
        .mark_point(filled=True, size=34, color=ORANGE, opacity=0.65)
        .encode(x=x, y=y, tooltip=["pair", *numbers, alt.Tooltip("annotators:Q")]),
    )
    shown = (
        f"{len(dots):,} of {len(fit.pairs):,} pairs, drawn at random"
        if len(dots) < len(fit.pairs)
        else "a pair"
    )
    return Figure(
        "calibration",
        f"What people say where {row.measure} says so.",
        f"Each dot is {shown}: across, {row.measure}; upwards, the mean of the annotators. The line is the mean that "
        f"{row.measure} lets expect, with a 95 % band. A dot far below it is a pair that the measure makes too alike.",
        f"{len(dots):,} pairs by {row.measure} and by people’s mean of {criterion.key}; Spearman’s correlation "
        + ("undefined." if row.result.spearman.estimate is None else f"{row.result.spearman.estimate:.2f}."),
        layers.properties(width=WIDTH, height=320),
        [*columns[:1], row.measure, f"people’s mean, {criterion.key}", *columns[3:]],
        rows,
    )
