"""Dawid and Skene's model of one true class an item and a confusion matrix an annotator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from judging.stats.core.counts import Domain, checked_domain
from judging.stats.core.estimate import FloatArray, IntArray

_FLOOR = 1e-300


@dataclass(frozen=True, slots=True)
class DawidSkene:
    """The fitted model; V classes in the order of the domain.

    Parameters
    ----------
    prevalence : ndarray, shape (V,)
        Share of each true class.
    error_rates : ndarray, shape (n_annotators, V, V)
        [j, t, v]: chance that annotator j says v of an item of true class t. NaN for a class that no item of his has.
    posterior : ndarray, shape (n_items, V)
        Chance of each true class for each item; rows sum to 1.
    labels : ndarray, shape (n_items,)
        The most likely class, the first of the domain in a tie.
    items, annotators : ndarray
        Labels of the rows, sorted.
    log_likelihood : float
        Of the values given, in nats.
    converged : bool
        Whether the gain fell below the tolerance before the steps ran out.
    """

    prevalence: FloatArray
    error_rates: FloatArray
    posterior: FloatArray
    labels: npt.NDArray[np.generic]
    items: npt.NDArray[np.generic]
    annotators: npt.NDArray[np.generic]
    log_likelihood: float
    converged: bool


def dawid_skene(
    item: npt.ArrayLike,
    annotator: npt.ArrayLike,
    value: npt.ArrayLike,
    domain: Domain,
    *,
    steps: int = 2000,
    tolerance: float = 1e-10,
) -> DawidSkene:
    """Return the maximum-likelihood true classes, prevalence and error rates by expectation-maximization.

    **Not for ratings, preferences or anything else on which people may differ in good faith**: the model has one
    true class an item and takes all other answers to be errors, so it turns a minority's taste into a fault.
    On made-up 1-5 ratings its labels still moved for a fifth of the items after other programs' default
    stop. Use means, soft labels and `variance_components` there.

    Parameters
    ----------
    item, annotator : array_like, shape (n,)
        Whose value of what each row is; an annotator may have several values for an item.
    value : array_like, shape (n,)
        The values; NaN and None are missing.
    domain : sequence, length V
        Admissible values, strictly increasing.
    steps : int
        Most steps to take.
    tolerance : float
        Stop when a step adds less than this share to the log-likelihood.

    Returns
    -------
    DawidSkene
        From the start at each item's shares of values; the likelihood may have other maxima.

    Raises
    ------
    ValueError
        If lengths differ, a label is missing, a value is outside the domain, or there is no value.

    Notes
    -----
    E: P(class t of item i) proportional to p_t prod_j prod_v e_jtv^n_ijv. M: p and e are the shares expected
    under these. Observations given the class are taken to be independent.

    References
    ----------
    Dawid and Skene (1979), Applied Statistics 28:20-28.
    """
    admissible = checked_domain(domain)
    (row, items), (person, people), code = _coded(item, annotator, value, admissible)
    shape = (len(items), len(people), len(admissible))
    cell = (row * shape[1] + person) * shape[2] + code
    cells, times = np.unique(cell, return_counts=True)
    entries = (*np.unravel_index(cells, shape), times.astype(np.float64))
    posterior = np.zeros((shape[0], shape[2]))
    np.add.at(posterior, (row, code), 1.0)
    posterior /= posterior.sum(axis=1, keepdims=True)
    before, converged = -np.inf, False
    for _ in range(max(1, steps)):
        prevalence, errors = _maximized(posterior, entries, shape)
        posterior, log_likelihood = _expected(prevalence, errors, entries, shape)
        converged = log_likelihood - before <= tolerance * abs(log_likelihood)
        if converged:
            break
        before = log_likelihood
    labels = np.asarray(admissible)[posterior.argmax(axis=1)]
    return DawidSkene(prevalence, errors, posterior, labels, items, people, log_likelihood, bool(converged))


def _coded(
    item: npt.ArrayLike, annotator: npt.ArrayLike, value: npt.ArrayLike, admissible: pd.Index
) -> tuple[tuple[IntArray, npt.NDArray[np.generic]], tuple[IntArray, npt.NDArray[np.generic]], IntArray]:
    """Return items and annotators as codes with their labels, and values as codes, missing ones left out."""
    frame = pd.DataFrame({"item": np.asarray(item), "who": np.asarray(annotator), "value": np.asarray(value)})
    if bool(frame[["item", "who"]].isna().any(axis=None)):
        raise ValueError("Some item or annotator labels are missing.")
    frame = frame.dropna()
    if frame.empty:
        raise ValueError("There is no value.")
    code = admissible.get_indexer(pd.Index(frame["value"]))
    if (code < 0).any():
        raise ValueError(f"Value {frame['value'].to_numpy()[code < 0][0]!r} is outside the domain.")
    row, items = pd.factorize(frame["item"], sort=True)
    person, people = pd.factorize(frame["who"], sort=True)
    return (
        (row.astype(np.int64), np.asarray(items)),
        (person.astype(np.int64), np.asarray(people)),
        code.astype(np.int64),
    )


_Entries = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp], FloatArray]


def _maximized(
    posterior: FloatArray, entries: _Entries, shape: tuple[int, int, int]
) -> tuple[FloatArray, FloatArray]:
    """Return prevalence and error rates that the posterior makes most likely."""
    row, person, code, times = entries
    # [annotator, said, true] while adding up.
    tallies = np.zeros((shape[1], shape[2], shape[2]))
    np.add.at(tallies, (person, code), posterior[row] * times[:, None])
    errors = tallies.transpose(0, 2, 1)
    total = errors.sum(axis=2, keepdims=True)
    rates = np.divide(errors, total, out=np.full_like(errors, np.nan), where=total > 0)
    return posterior.mean(axis=0), rates


def _expected(
    prevalence: FloatArray, errors: FloatArray, entries: _Entries, shape: tuple[int, int, int]
) -> tuple[FloatArray, float]:
    """Return the posterior of each item's class and the log-likelihood."""
    row, person, code, times = entries
    logs = np.log(np.maximum(np.nan_to_num(errors), _FLOOR))
    joint = np.tile(np.log(np.maximum(prevalence, _FLOOR)), (shape[0], 1))
    np.add.at(joint, row, logs[person, :, code] * times[:, None])
    top = joint.max(axis=1, keepdims=True)
    weights = np.exp(joint - top)
    total = weights.sum(axis=1, keepdims=True)
    return weights / total, float((np.log(total) + top).sum())
