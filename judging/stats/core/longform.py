"""Ratings in long form, checked and coded once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from judging.stats.core.estimate import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Ratings:
    """Ratings that are not missing, units and annotators as contiguous codes in the order of their labels.

    Parameters
    ----------
    unit, annotator : ndarray of int, shape (n,)
        Codes from 0.
    value : ndarray, shape (n,)
        The ratings, finite.
    units, annotators : ndarray
        Labels of the codes, sorted.
    """

    unit: IntArray
    annotator: IntArray
    value: FloatArray
    units: npt.NDArray[np.generic]
    annotators: npt.NDArray[np.generic]

    @property
    def n_units(self) -> int:
        """Number of units with a rating."""
        return len(self.units)

    @property
    def n_annotators(self) -> int:
        """Number of annotators with a rating."""
        return len(self.annotators)


def ratings_of(
    unit: npt.ArrayLike, annotator: npt.ArrayLike, value: npt.ArrayLike, *, repeats: bool = False
) -> Ratings:
    """Return the ratings of a long table.

    Parameters
    ----------
    unit, annotator : array_like, shape (n,)
        Which unit each value belongs to and who gave it.
    value : array_like of float, shape (n,)
        Ratings; NaN is missing.
    repeats : bool
        Whether an annotator may rate a unit more than once.

    Returns
    -------
    Ratings
        In the order of the rows.

    Raises
    ------
    ValueError
        If lengths differ, a label is missing, a value is infinite, or a unit was rated twice by the same
        annotator and may not be.
    """
    units, people = np.asarray(unit), np.asarray(annotator)
    values = np.asarray(value, dtype=np.float64)
    if not units.shape == people.shape == values.shape or values.ndim != 1:
        raise ValueError("unit, annotator and value must be one-dimensional and equally long.")
    if pd.isna(units).any() or pd.isna(people).any():
        raise ValueError("Some unit or annotator labels are missing.")
    if np.isinf(values).any():
        raise ValueError("Some values are infinite.")
    known = ~np.isnan(values)
    row, unit_labels = pd.factorize(units[known], sort=True)
    column, people_labels = pd.factorize(people[known], sort=True)
    cells = row.astype(np.int64) * max(1, len(people_labels)) + column
    if not repeats and len(pd.unique(cells)) != len(cells):
        raise ValueError("An annotator rated the same item twice.")
    return Ratings(
        row.astype(np.int64),
        column.astype(np.int64),
        values[known],
        np.asarray(unit_labels),
        np.asarray(people_labels),
    )


def order_of(*labels: npt.ArrayLike) -> IntArray:
    """Return the order that sorts rows by labels, the first label first, so that chance meets rows in one order.

    Parameters
    ----------
    labels : array_like, shape (n,) each
        Of any type that pandas can sort, numbers and texts mixed too.

    Returns
    -------
    ndarray of int, shape (n,)
        Rows with equal labels keep their order.
    """
    codes = [pd.factorize(np.asarray(label), sort=True)[0] for label in labels]
    return np.lexsort(codes[::-1]).astype(np.int64)
