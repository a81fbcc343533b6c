"""A straight line through a predictor that was measured with error."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from judging.stats.core.estimate import Estimate, check_confidence, unbounded_t_interval


def errors_in_variables_slope(
    x: npt.ArrayLike, y: npt.ArrayLike, error_variance: float, *, confidence: float = 0.95
) -> Estimate:
    """Return the slope of y on the true x when the variance of x's measurement error is known.

    Parameters
    ----------
    x, y : array_like of float, shape (n,)
        Measured predictor and outcome; pairs with a missing number (NaN) are left out.
    error_variance : float
        Variance of the measurement error of x, in squared units of x; 0 gives ordinary least squares.
    confidence : float
        Level of the t interval with n - 2 degrees of freedom.

    Returns
    -------
    Estimate
        In units of y per unit of x; `n` pairs. Undefined with fewer than three pairs, and when x varies no
        more than its error does.

    Raises
    ------
    ValueError
        If lengths differ, a number is infinite, or the error variance is negative.

    Notes
    -----
    b = m_xy / (m_xx - s2), the sample moments over n - 1. Its variance is
    (m_xx s_vv + b^2 s2^2) / ((n - 1) (m_xx - s2)^2), s_vv the residual mean square over n - 2; without error
    that of least squares. It takes x and its error to be normal.

    References
    ----------
    Fuller (1987), Measurement Error Models, section 1.2.
    """
    check_confidence(confidence)
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError("x and y must be one-dimensional and equally long.")
    if not math.isfinite(error_variance) or error_variance < 0:
        raise ValueError(f"error_variance must not be negative, got {error_variance}.")
    if np.isinf(a).any() or np.isinf(b).any():
        raise ValueError("Some numbers are infinite.")
    known = ~np.isnan(a) & ~np.isnan(b)
    a, b = a[known] - a[known].mean() if known.any() else a[known], b[known]
    n = len(a)
    if n < 3:
        return Estimate.undefined(f"Only {n} pairs; three are needed.", n, confidence)
    b = b - b.mean()
    observed = float(a @ a) / (n - 1)
    true = observed - error_variance
    if true <= 1e-12 * observed:
        return Estimate.undefined("x varies no more than its measurement error does.", n, confidence)
    slope = float(a @ b) / (n - 1) / true
    residual = float(((b - slope * a) ** 2).sum()) / (n - 2)
    error = math.sqrt((observed * residual + (slope * error_variance) ** 2) / ((n - 1) * true**2))
    return unbounded_t_interval(slope, error, n - 2, n, confidence)
