"""What people say of pairs with a given cosine, and where they say something else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import isotonic_regression

from judging.stats.core.estimate import Estimate, FloatArray, IntArray, check_confidence
from judging.stats.similarity.pair_panel import PairPanel, pair_panel

_FEWEST = 10
_ROUNDING = 1e-3
"""Share of an SD below which what a line and a square leave is what float16 or float32 vectors round off."""

_POINTS = 25
_FEW = f"Fewer than {_FEWEST} pairs were judged and measured."
_ONE_PROMPT = "All pairs are of one prompt, so there is no other to learn from."
_FLAT = "The measure does not vary."


@dataclass(frozen=True, slots=True)
class SimilarityCalibration:
    """What `similarity_calibration` found; all in points of the scale people answered on.

    Parameters
    ----------
    curve : DataFrame
        measure, expected, low, high: people's mean that a measure lets expect, fitted to all pairs.
    mae, rmse : float or None
        Mean absolute and root mean squared difference of people's mean and what the measure lets expect,
        learnt from other prompts.
    rmse_constant : float or None
        The same where the mean of the other prompts is expected of all pairs: without any measure.
    noise_floor : float or None
        Root mean squared error of people's means themselves: what a perfect measure would leave.
    overstatement : Estimate
        How much more alike than people find them the measure lets expect pairs to be, per SD of their
        unusualness, at an equal measure. Above 0: it makes unusual pairs too alike.
    pairs : DataFrame
        One row a pair: pair_id, prompt_id, human_mean, n, standard_error, measure, expected, gap (expected less
        human mean).
    n_pairs, n_prompts, n_annotators : int
        What it rests on.
    reason : str or None
        Why there is nothing.
    """

    curve: pd.DataFrame
    mae: float | None
    rmse: float | None
    rmse_constant: float | None
    noise_floor: float | None
    overstatement: Estimate
    pairs: pd.DataFrame
    n_pairs: int
    n_prompts: int
    n_annotators: int
    reason: str | None


def similarity_calibration(
    answers: pd.DataFrame,
    pairs: pd.DataFrame,
    measure: str,
    *,
    unusualness: str | None = None,
    folds: int = 10,
    resamples: int = 100,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> SimilarityCalibration:
    """Return what a measure of likeness lets expect of people, and where they say otherwise.

    Parameters
    ----------
    answers, pairs : DataFrame
        As for `human_similarity`.
    measure : str
        Column of the measure; higher is more alike.
    unusualness : str, optional
        Column of how unusual the pair's responses are, for `overstatement`.
    folds : int
        Number of groups of prompts; each is judged by what the others teach. At most one a prompt.
    resamples : int
        Number of resamples for the band of the curve and the interval.
    rng : numpy.random.Generator, optional
        Source of chance, also of the folds; a generator with seed 0 by default.
    confidence : float
        Level of the band and the interval.

    Returns
    -------
    SimilarityCalibration
        With a reason and nothing else for fewer than ten pairs, one prompt, or a constant measure.

    Raises
    ------
    ValueError
        As `human_similarity`, or if `folds` is less than two.

    Notes
    -----
    Isotonic regression of people's mean on the measure, equal measures pooled, straight lines between; beyond the
    ends of what was learnt the end's value. Noise floor sqrt(mean(s^2 / n)), s^2 the variance of all answers about
    their pairs' means. Overstatement: slope of the gap on what unusualness leaves after a line and a square in
    the measure, times the SD of unusualness; people's noise is in the outcome here, so it does not bias the
    slope. Its interval is t on the SD of draws of prompts and annotators, calibrated anew in each.
    Where unusualness comes from the same embedding, a high cosine of the pair lowers it; holding the measure
    constant takes that out as far as it is a smooth function.

    References
    ----------
    Barlow, Bartholomew, Bremner and Brunk (1972), Statistical Inference under Order Restrictions, for isotonic
    regression; Owen and Eckles (2012), Annals of Applied Statistics 6:895-927, for drawing both.
    """
    check_confidence(confidence)
    if folds < 2:
        raise ValueError(f"folds must be at least 2, got {folds}.")
    names = [measure] if unusualness is None else [measure, unusualness]
    panel = pair_panel(answers, pairs, names)
    reason = _why_not(panel)
    if reason:
        return _nothing(panel, reason, confidence)
    generator = rng if rng is not None else np.random.default_rng(0)
    fold = generator.permutation(panel.n_prompts)[panel.prompt] % min(folds, panel.n_prompts)
    x, once = panel.columns[:, 0], np.ones(panel.n)
    mean, error = _means(panel)
    expected = _out_of_fold(x, mean, once, fold)
    constant = _out_of_fold(np.zeros(panel.n), mean, once, fold)
    drawn = _drawn(panel, fold, resamples, generator)
    grid = np.quantile(x, np.linspace(0, 1, _POINTS))
    table = pd.DataFrame(
        {
            "pair_id": panel.pair,
            "prompt_id": panel.prompts[panel.prompt],
            "human_mean": mean,
            "n": panel.present.sum(axis=1).astype(np.int64),
            "standard_error": error,
            "measure": x,
            "expected": expected,
            "gap": expected - mean,
        }
    )
    return SimilarityCalibration(
        curve=_curve(grid, isotonic(x, mean, once, grid), drawn, confidence),
        mae=float(np.abs(expected - mean).mean()),
        rmse=_root_mean_square(expected - mean),
        rmse_constant=_root_mean_square(constant - mean),
        noise_floor=_root_mean_square(error) if np.isfinite(error).all() else None,
        overstatement=_overstatement(panel, expected - mean, drawn, confidence),
        pairs=table,
        n_pairs=panel.n,
        n_prompts=panel.n_prompts,
        n_annotators=panel.n_annotators,
        reason=None,
    )


def isotonic(x: FloatArray, y: FloatArray, weights: FloatArray, at: FloatArray) -> FloatArray:
    """Return the rising function of x that is nearest to y, at given places.

    Parameters
    ----------
    x, y, weights : ndarray, shape (n,)
        Numbers and how often each counts; some weight must be positive.
    at : ndarray, shape (m,)
        Where to read it.

    Returns
    -------
    ndarray, shape (m,)
        Straight lines between values of x, the end's value beyond them.
    """
    weighty = weights > 0
    places, code = np.unique(x[weighty], return_inverse=True)
    size = np.bincount(code, weights[weighty])
    height = np.bincount(code, weights[weighty] * y[weighty]) / size
    return np.asarray(np.interp(at, places, isotonic_regression(height, weights=size).x))


def _why_not(panel: PairPanel) -> str | None:
    """Return why nothing can be calibrated, or None."""
    if panel.n < _FEWEST:
        return _FEW
    if panel.n_prompts < 2:
        return _ONE_PROMPT
    return _FLAT if np.ptp(panel.columns[:, 0]) == 0 else None


def _nothing(panel: PairPanel, reason: str, confidence: float) -> SimilarityCalibration:
    """Return the empty result."""
    names = ["pair_id", "prompt_id", "human_mean", "n", "standard_error", "measure", "expected", "gap"]
    return SimilarityCalibration(
        pd.DataFrame(columns=["measure", "expected", "low", "high"], dtype=np.float64),
        None, None, None, None,
        Estimate.undefined(reason, panel.n, confidence),
        pd.DataFrame(columns=names),
        panel.n, panel.n_prompts, panel.n_annotators, reason,
    )  # fmt: skip


def _means(panel: PairPanel) -> tuple[FloatArray, FloatArray]:
    """Return each pair's mean answer and its standard error by the pooled variance; NaN where none is known."""
    count = panel.present.sum(axis=1)
    mean = panel.values.sum(axis=1) / count
    away = ((panel.values - mean[:, None]) * panel.present) ** 2
    freedom = float((count - 1).sum())
    variance = float(away.sum()) / freedom if freedom > 0 else np.nan
    return mean, np.sqrt(variance / count)


def _root_mean_square(values: FloatArray) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt((values**2).mean()))


def _out_of_fold(x: FloatArray, y: FloatArray, weights: FloatArray, fold: IntArray) -> FloatArray:
    """Return what the other folds let expect of each pair; NaN where they hold nothing."""
    predicted = np.full(len(x), np.nan)
    for k in range(int(fold.max()) + 1):
        inside, others = fold == k, (fold != k) & (weights > 0)
        if inside.any() and others.any():
            predicted[inside] = isotonic(x[others], y[others], weights[others], x[inside])
    return predicted


@dataclass(frozen=True, slots=True)
class _Resample:
    """How often each pair counts in one resample, its gap, and the curve's points."""

    weights: FloatArray
    gap: FloatArray
    curve: FloatArray


def _drawn(panel: PairPanel, fold: IntArray, resamples: int, rng: np.random.Generator) -> list[_Resample]:
    """Return resamples of prompts and annotators, calibrated anew."""
    x = panel.columns[:, 0]
    grid = np.quantile(x, np.linspace(0, 1, _POINTS))
    drawn = []
    for times, people in panel.resampled(resamples, rng):
        human, answered = panel.means(people)
        for weights, y in zip(times * answered, human, strict=True):
            if (weights > 0).sum() > 1:
                gap = _out_of_fold(x, y, weights, fold) - y
                drawn.append(_Resample(weights, gap, isotonic(x, y, weights, grid)))
    return drawn


def _curve(grid: FloatArray, fitted: FloatArray, drawn: list[_Resample], confidence: float) -> pd.DataFrame:
    """Return the curve with its band."""
    frame = pd.DataFrame({"measure": grid, "expected": fitted})
    tail = (1 - confidence) / 2
    ends = (
        np.quantile([r.curve for r in drawn], [tail, 1 - tail], axis=0)
        if drawn
        else np.full((2, len(grid)), np.nan)
    )
    return frame.assign(low=ends[0], high=ends[1]).drop_duplicates("measure").reset_index(drop=True)


def _overstatement(panel: PairPanel, gap: FloatArray, drawn: list[_Resample], confidence: float) -> Estimate:
    """Return the slope of the gap on unusualness at an equal measure, with its interval."""
    if panel.columns.shape[1] < 2:
        return Estimate.undefined("Unusualness was not given.", panel.n, confidence)
    x, u = panel.columns.T
    point = _slope(x, u, gap, np.ones(panel.n))
    if not np.isfinite(point):
        return Estimate.undefined("Unusualness does not vary at an equal measure.", panel.n, confidence)
    slopes = np.array([_slope(x, u, r.gap, r.weights) for r in drawn])
    slopes = slopes[np.isfinite(slopes)]
    if len(slopes) < 2 or len(slopes) < 0.95 * len(drawn):
        return Estimate(point, None, None, panel.n, "No interval: too few resamples define it.", confidence)
    error = float(slopes.std(ddof=1))
    reach = float(stats.t.ppf((1 + confidence) / 2, panel.df)) * error
    return Estimate(point, point - reach, point + reach, panel.n, None, confidence, error)


def _slope(x: FloatArray, u: FloatArray, gap: FloatArray, weights: FloatArray) -> float:
    """Return the slope of the gap on what u leaves after x and its square, per SD of u; NaN if nothing is left."""
    usable = (weights > 0) & np.isfinite(gap)
    if usable.sum() < _FEWEST // 2:
        return float("nan")
    x, u, gap, w = x[usable], u[usable], gap[usable], weights[usable]
    x = (x - np.average(x, weights=w)) / max(float(np.ptp(x)), 1e-12)
    root = np.sqrt(w)[:, None]
    design = np.column_stack([np.ones(len(x)), x, x**2])
    residual = u - design @ np.linalg.lstsq(design * root, u * root[:, 0], rcond=None)[0]
    spread = float(np.average((u - np.average(u, weights=w)) ** 2, weights=w)) ** 0.5
    square = float((w * residual**2).sum())
    if square <= _ROUNDING**2 * float(w.sum()) * max(spread**2, 1e-300):
        return float("nan")
    return float(float((w * residual * gap).sum()) / square * spread)
