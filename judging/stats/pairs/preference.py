"""Strengths of responses from preferences between pairs: Bradley-Terry, with ties and a side that helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse, stats
from scipy.sparse.csgraph import connected_components
from scipy.special import softmax

from judging.stats.core.estimate import Estimate, FloatArray, IntArray, check_confidence

Ties = Literal["davidson", "half", "drop"]

_STEPS = 100
_LARGEST = 25.0
_RUNS_AWAY = "Strengths and the advantage of the first can't be told apart, or one of them has no limit."
_ABILITY_COLUMNS = ["response", "strength", "low", "high", "standard_error", "worth", "n"]


@dataclass(frozen=True, slots=True)
class BradleyTerry:
    """Strengths on the log-odds scale.

    Parameters
    ----------
    strengths : DataFrame
        One row a response: response, strength (log odds, mean 0), low, high and standard_error of it, worth
        (exp(strength), sum 1), n (its preferences). Missing numbers when the model has no maximum.
    first : Estimate
        Log odds by which the first shown (the home side) wins over an equal; undefined unless asked for.
    tie : Estimate
        Davidson's nu: P(tie) / sqrt(P(i wins) P(j wins)), at least 0; undefined unless ties are modeled.
    log_likelihood : float or None
        At the maximum, in nats.
    n : int
        Number of preferences used.
    reason : str or None
        Why there are no strengths, or no intervals.
    confidence : float
        Level of the intervals.
    """

    strengths: pd.DataFrame
    first: Estimate
    tie: Estimate
    log_likelihood: float | None
    n: int
    reason: str | None
    confidence: float


@dataclass(frozen=True, slots=True)
class _Games:
    """Preferences as codes; outcome 0 first wins, 1 tie, 2 second wins."""

    first: IntArray
    second: IntArray
    outcome: IntArray
    weight: FloatArray
    cluster: IntArray | None
    labels: npt.NDArray[np.generic]


def bradley_terry(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    preference: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    ties: Ties = "davidson",
    first_matters: bool = False,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> BradleyTerry:
    """Return the maximum-likelihood strengths of a Bradley-Terry model with intervals.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        The two responses of each comparison, in the order they were shown.
    preference : array_like of float, shape (n,)
        Above 0 the first is preferred, below 0 the second, 0 is a tie, NaN is missing; only the sign counts.
    weight : array_like of float, shape (n,), optional
        How often each row occurred; once by default.
    ties : {"davidson", "half", "drop"}
        Model ties, count them as half a preference for each, or leave them out. Without a tie in the data
        all three are the same.
    first_matters : bool
        Whether to estimate an advantage of being shown first (the home side).
    clusters : array_like, shape (n,), optional
        Annotators or items; preferences with the same label may depend on each other and the intervals allow
        for it. Without them each preference is taken to be independent.
    confidence : float
        Level of the intervals.

    Returns
    -------
    BradleyTerry
        Without strengths, and with a reason, when no maximum exists: with a response, or set of responses,
        that never loses to the rest or is never compared with them.

    Raises
    ------
    ValueError
        If lengths differ, a label is missing, a response is compared with itself, a weight is negative, or
        `ties` is unknown.

    Notes
    -----
    With strengths l, an advantage h and nu, for i shown before j: P(i) : P(tie) : P(j) =
    exp((l_i - l_j + h) / 2) : nu : exp(-(l_i - l_j + h) / 2), so log(P(i) / P(j)) = l_i - l_j + h. Newton's
    method with halved steps on a concave likelihood. Standard errors from the inverse information under
    sum(l) = 0, or the sandwich over clusters times G / (G - 1); normal intervals. Strengths of responses to
    different prompts compare only if such responses were compared.

    References
    ----------
    Bradley and Terry (1952), Biometrika 39:324-345; Davidson (1970), JASA 65:317-328; Davidson and Beaver
    (1977), Biometrics 33:693-702; Ford (1957), American Mathematical Monthly 64(8):28-33, for existence.
    """
    check_confidence(confidence)
    if ties not in get_args(Ties):
        raise ValueError(f"Unknown ties {ties!r}; use one of {', '.join(get_args(Ties))}.")
    games = _games(first, second, preference, weight, clusters, ties)
    missing = _no_maximum(games, first_matters)
    if missing:
        return _empty(games, missing, confidence)
    with_ties = bool((games.outcome == 1).any())
    design, offsets = _design(games, first_matters, with_ties)
    theta = _maximum(design, offsets, games)
    if theta is None:
        return _empty(games, _RUNS_AWAY, confidence)
    return _result(games, theta, design, offsets, (first_matters, with_ties), confidence)


def _games(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    preference: npt.ArrayLike,
    weight: npt.ArrayLike | None,
    clusters: npt.ArrayLike | None,
    ties: Ties,
) -> _Games:
    """Return the checked preferences as codes, ties treated as asked."""
    one, other, sign = np.asarray(first), np.asarray(second), np.asarray(preference, dtype=np.float64)
    size = np.ones(len(sign)) if weight is None else np.asarray(weight, dtype=np.float64)
    group = np.zeros(len(sign)) if clusters is None else np.asarray(clusters)
    if sign.ndim != 1 or not one.shape == other.shape == sign.shape == size.shape == group.shape:
        raise ValueError("first, second, preference, weight and clusters must be equally long.")
    if pd.isna(one).any() or pd.isna(other).any() or pd.isna(group).any():
        raise ValueError("Some labels are missing.")
    if not np.isfinite(size).all() or (size < 0).any():
        raise ValueError("Weights must be finite and not negative.")
    if (one == other).any():
        raise ValueError("A response is compared with itself.")
    usable = ~np.isnan(sign) & (size > 0)
    if ties == "drop":
        usable &= sign != 0
    one, other, sign, size, group = (
        one[usable],
        other[usable],
        np.sign(sign[usable]),
        size[usable],
        group[usable],
    )
    if ties == "half":
        tied = sign == 0
        sign = np.concatenate([np.where(tied, 1.0, sign), np.full(int(tied.sum()), -1.0)])
        one, other, group = (np.concatenate([x, x[tied]]) for x in (one, other, group))
        size = np.concatenate([np.where(tied, size / 2, size), size[tied] / 2])
    codes, labels = pd.factorize(np.concatenate([one, other]), sort=True)
    a, b = np.split(codes.astype(np.int64), 2)
    cluster = None if clusters is None else pd.factorize(group, sort=True)[0].astype(np.int64)
    return _Games(a, b, (1 - sign).astype(np.int64), size, cluster, np.asarray(labels))


def _no_maximum(games: _Games, first_matters: bool) -> str | None:
    """Return why the likelihood has no finite maximum, or None."""
    if len(games.first) == 0:
        return "There is no preference to learn from."
    size = len(games.labels)
    won, lost, tied = (games.outcome == x for x in (0, 2, 1))
    if not (won | lost).any():
        return "All preferences are ties."
    winner = np.concatenate([games.first[won | tied], games.second[lost | tied]])
    loser = np.concatenate([games.second[won | tied], games.first[lost | tied]])
    beats = sparse.csr_array((np.ones(len(winner)), (winner, loser)), shape=(size, size))
    if connected_components(beats, connection="weak")[0] > 1:
        return "Some responses were never compared with the others, not even by way of third ones."
    if connected_components(beats, connection="strong")[0] > 1:
        return "Some responses never lost to the others, so their lead has no limit. More comparisons would help."
    if first_matters and (not won.any() or not lost.any()):
        return "The same side won every time, so its advantage has no limit."
    return None


def _design(games: _Games, first_matters: bool, with_ties: bool) -> tuple[sparse.csr_array, FloatArray]:
    """Return half the strength difference as a design matrix, and which columns sum to zero."""
    n, size = len(games.first), len(games.labels)
    rows = np.tile(np.arange(n), 2)
    columns = np.concatenate([games.first, games.second])
    entries = np.repeat([0.5, -0.5], n)
    width = size + first_matters + with_ties
    if first_matters:
        rows, columns = np.append(rows, np.arange(n)), np.append(columns, np.full(n, size))
        entries = np.append(entries, np.full(n, 0.5))
    balance = np.zeros(width)
    balance[:size] = 1.0
    return sparse.csr_array((entries, (rows, columns)), shape=(n, width)), balance


def _chances(theta: FloatArray, design: sparse.csr_array, with_ties: bool) -> FloatArray:
    """Return the log-linear terms of the three outcomes, shape (n, 3)."""
    half = np.asarray(design @ theta)
    middle = np.full(len(half), theta[-1] if with_ties else -np.inf)
    return np.column_stack([half, middle, -half])


def _pieces(
    theta: FloatArray, design: sparse.csr_array, games: _Games
) -> tuple[float, FloatArray, FloatArray, FloatArray]:
    """Return log-likelihood, gradient, information, and (d half, d tie) of each preference."""
    with_ties = bool((games.outcome == 1).any())
    terms = _chances(theta, design, with_ties)
    p = softmax(terms, axis=1)
    rows = np.arange(len(terms))
    top = terms.max(axis=1)
    log = terms[rows, games.outcome] - top - np.log(np.exp(terms - top[:, None]).sum(axis=1))
    mean = p[:, 0] - p[:, 2]
    lean = games.weight * ((1 - games.outcome) - mean)
    tie = games.weight * ((games.outcome == 1) - p[:, 1])
    gradient = np.asarray(design.T @ lean)
    curvature = games.weight * (p[:, 0] + p[:, 2] - mean**2)
    information = np.asarray((design.T @ sparse.diags_array(curvature) @ design).todense())
    if with_ties:
        gradient[-1] = tie.sum()
        information[-1, -1] = (games.weight * p[:, 1] * (1 - p[:, 1])).sum()
        cross = np.asarray(design.T @ (-games.weight * mean * p[:, 1]))
        cross[-1] = 0.0
        information[-1] += cross
        information[:, -1] += cross
    return float(games.weight @ log), gradient, information, np.column_stack([lean, tie])


def _maximum(design: sparse.csr_array, balance: FloatArray, games: _Games) -> FloatArray | None:
    """Return the maximum-likelihood parameters, or None if they run away."""
    theta = np.zeros(design.shape[1])
    value, gradient, information, _ = _pieces(theta, design, games)
    if np.linalg.matrix_rank(information + np.outer(balance, balance), hermitian=True) < len(theta):
        return None
    for _ in range(_STEPS):
        # The sum of the strengths is free; this pins it to zero without changing anything else.
        step = np.linalg.solve(information + np.outer(balance, balance), gradient)
        scale = 1.0
        while True:
            again = _pieces(theta + scale * step, design, games)
            if again[0] >= value - 1e-12 * abs(value) or scale < 1e-6:
                break
            scale /= 2
        theta = theta + scale * step
        value, gradient, information, _ = again
        if np.abs(theta).max() > _LARGEST:
            return None
        if np.abs(scale * step).max() < 1e-9:
            return theta
    return None


def _result(
    games: _Games,
    theta: FloatArray,
    design: sparse.csr_array,
    balance: FloatArray,
    models: tuple[bool, bool],
    confidence: float,
) -> BradleyTerry:
    """Return strengths and intervals at the maximum."""
    first_matters, with_ties = models
    size = len(games.labels)
    value, _, information, lean = _pieces(theta, design, games)
    error, why = _errors(information, balance, design, games, lean, with_ties)
    z = float(stats.norm.ppf((1 + confidence) / 2))
    strengths, reach = theta[:size], z * error
    worth = softmax(strengths)
    played = np.bincount(games.first, games.weight, size) + np.bincount(games.second, games.weight, size)
    columns = (
        games.labels,
        strengths,
        strengths - reach[:size],
        strengths + reach[:size],
        error[:size],
        worth,
    )
    frame = pd.DataFrame(dict(zip(_ABILITY_COLUMNS, (*columns, played), strict=True)))
    n = round(float(games.weight.sum()))
    first, tie = _empty_estimates(n, confidence)
    if first_matters:
        first = _wald(theta[size], float(error[size]), z, n, confidence, why)
    if with_ties:
        log = _wald(theta[-1], float(error[-1]), z, n, confidence, why)
        tie = _exponential(log)
    return BradleyTerry(frame, first, tie, value, n, why, confidence)


def _errors(
    information: FloatArray,
    balance: FloatArray,
    design: sparse.csr_array,
    games: _Games,
    lean: FloatArray,
    with_ties: bool,
) -> tuple[FloatArray, str | None]:
    """Return the standard errors under sum(strength) = 0, NaN with a reason where there are none."""
    pin = np.outer(balance, balance)
    # The inverse has 1 / (balance' balance)^2 along the pinned direction, which is no uncertainty.
    covariance = np.linalg.inv(information + pin) - pin / float(balance.sum()) ** 2
    if games.cluster is not None:
        n = int(games.cluster.max()) + 1
        if n < 2:
            return np.full(len(covariance), np.nan), "No intervals: there is only one cluster."
        rows = np.arange(len(lean))
        member = sparse.csr_array((np.ones(len(lean)), (games.cluster, rows)), shape=(n, len(lean)))
        scores = np.asarray((member @ sparse.diags_array(lean[:, 0]) @ design).todense())
        if with_ties:
            scores[:, -1] = member @ lean[:, 1]
        covariance = covariance @ (scores.T @ scores) @ covariance * n / (n - 1)
    return np.sqrt(np.maximum(np.diag(covariance), 0.0)), None


def _wald(point: float, error: float, z: float, n: int, confidence: float, why: str | None) -> Estimate:
    """Return a normal interval."""
    if not np.isfinite(error):
        return Estimate(float(point), None, None, n, why or "No interval.", confidence)
    return Estimate(
        float(point), float(point - z * error), float(point + z * error), n, None, confidence, error
    )


def _exponential(log: Estimate) -> Estimate:
    """Return the estimate and its ends on the scale of nu."""
    low, high = (None if x is None else float(np.exp(x)) for x in (log.low, log.high))
    point = None if log.estimate is None else float(np.exp(log.estimate))
    return Estimate(point, low, high, log.n, log.reason, log.confidence)


def _empty_estimates(n: int, confidence: float) -> tuple[Estimate, Estimate]:
    """Return what stands where no advantage and no ties are modeled."""
    return (
        Estimate.undefined("An advantage of the first was not asked for.", n, confidence),
        Estimate.undefined("No ties were modeled.", n, confidence),
    )


def _empty(games: _Games, reason: str, confidence: float) -> BradleyTerry:
    """Return the result without a maximum."""
    size, n = len(games.labels), round(float(games.weight.sum()))
    frame = pd.DataFrame({name: np.full(size, np.nan) for name in _ABILITY_COLUMNS})
    frame["response"] = games.labels
    frame["n"] = np.bincount(games.first, games.weight, size) + np.bincount(games.second, games.weight, size)
    missing = Estimate.undefined(reason, n, confidence)
    return BradleyTerry(frame, missing, missing, None, n, reason, confidence)
