"""Counting who said what: how many annotators gave each value to each unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from judging.stats.core.estimate import FloatArray, IntArray, check_confidence

Level = Literal["nominal", "ordinal", "interval", "ratio"]
Domain = Sequence[float] | Sequence[str]

NO_PAIRS = "No unit has two or more values, so there is nobody to agree with."
ONE_UNIT = "No interval: it comes from the differences between units, and there is only one."


def value_counts(
    unit: npt.ArrayLike, value: npt.ArrayLike, domain: Domain
) -> tuple[IntArray, npt.NDArray[np.object_]]:
    """Count how many annotators gave each admissible value to each unit.

    Parameters
    ----------
    unit : array_like, shape (n,)
        Label of the unit each value belongs to; no missing labels.
    value : array_like, shape (n,)
        The values, one an annotator and unit. NaN and None are missing and are not counted.
    domain : sequence, length V
        Admissible values, strictly increasing.

    Returns
    -------
    counts : ndarray of int, shape (n_units, V)
        Number of annotators who gave that value. A unit with missing values only has a row of zeros.
    units : ndarray, shape (n_units,)
        Labels of the rows, sorted.

    Raises
    ------
    ValueError
        If lengths differ, a unit label is missing, the domain is not strictly increasing, or a value is
        outside the domain.
    """
    admissible = checked_domain(domain)
    units, values = pd.Series(np.asarray(unit)), pd.Series(np.asarray(value))
    if len(units) != len(values):
        raise ValueError(f"unit and value differ in length: {len(units)} and {len(values)}.")
    if bool(units.isna().any()):
        raise ValueError("Some unit labels are missing.")
    row, labels = pd.factorize(units, sort=True)
    known = values.notna().to_numpy()
    column = admissible.get_indexer(pd.Index(values[known]))
    if (column < 0).any():
        outside = values[known].to_numpy()[column < 0][0]
        raise ValueError(f"Value {outside!r} is outside the domain {list(domain)}.")
    cell = row[known] * len(admissible) + column
    counts = np.bincount(cell, minlength=len(labels) * len(admissible))
    return counts.reshape(len(labels), len(admissible)).astype(np.int64), np.asarray(labels)


def checked_domain(domain: Domain) -> pd.Index:
    """Return the admissible values as an index, strictly increasing."""
    admissible: pd.Index = pd.Index(np.asarray(domain))
    if len(admissible) == 0:
        raise ValueError("The domain is empty.")
    if admissible.dtype.kind == "f" and bool(np.isinf(admissible.to_numpy()).any()):
        raise ValueError("The domain holds an infinite value.")
    if bool(admissible.isna().any()) or not (admissible.is_monotonic_increasing and admissible.is_unique):
        raise ValueError(f"The domain must be strictly increasing, got {list(domain)}.")
    return admissible


def checked_counts(
    counts: npt.ArrayLike,
    domain: Domain | None,
    level: Level,
    clusters: npt.ArrayLike | None,
    confidence: float,
    least: int = 2,
) -> tuple[FloatArray, npt.NDArray[np.generic], IntArray]:
    """Return the rows with at least so many values, the domain, and a group number a row.

    Counts are floats: products of large integers would run over without a word.
    """
    check_confidence(confidence)
    table = np.asarray(counts)
    if table.ndim != 2:
        raise ValueError(f"counts must have two dimensions, got {table.ndim}.")
    whole = np.isfinite(table) & (table >= 0) & (table == np.floor(table))
    if not bool(whole.all()):
        raise ValueError("counts must be whole numbers, none negative.")
    if level not in get_args(Level):
        raise ValueError(f"Unknown level {level!r}; use one of {', '.join(get_args(Level))}.")
    values = np.arange(table.shape[1]) if domain is None else checked_domain(domain).to_numpy()
    if len(values) != table.shape[1]:
        raise ValueError(f"counts has {table.shape[1]} columns but the domain has {len(values)} values.")
    if level != "nominal" and values.dtype.kind not in "iuf":
        raise ValueError(f"Level {level} needs a domain of numbers.")
    enough = table.sum(axis=1) >= least
    labels = np.arange(table.shape[0]) if clusters is None else np.asarray(clusters)
    if labels.shape != (table.shape[0],):
        raise ValueError(f"clusters must have one label a unit, got shape {labels.shape}.")
    groups = pd.factorize(labels[enough], sort=True, use_na_sentinel=False)[0]
    return table[enough].astype(np.float64), np.asarray(values), groups.astype(np.int64)


def sum_by(groups: IntArray, rows: FloatArray) -> FloatArray:
    """Return the sums of rows over groups 0 to G - 1, none of them empty, shape (G, columns)."""
    if len(groups) == int(groups.max(initial=-1)) + 1 and bool((groups == np.arange(len(groups))).all()):
        return rows
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    return np.asarray(np.add.reduceat(rows[order], starts, axis=0))
