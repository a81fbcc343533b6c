"""Whether a scorer marks unusual responses down at equal true human quality, and whether the data can say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import pandas as pd
from scipy import stats

from judging.stats.estimate import Estimate, FloatArray, IntArray, check_confidence
from judging.stats.moments import Moments, Panel, cross_rater_moments
from judging.stats.sample import Sample, centered, sample_of, why_undefined

WEAK = 3.2
"""Identification strength below which nothing is said: its square is below 10, the bar for instruments."""

BORDERLINE = 6.0
"""Identification strength below which coverage is nearer .9 than .95 among studies that pass `WEAK`."""

_TINY = 1e-10


class Verdict(StrEnum):
    """What the data allow to say about a scorer."""

    UNDERRATES = "underrates"
    OVERRATES = "overrates"
    NO_UNDERRATING = "no underrating of x or more"
    UNDERPOWERED = "underpowered"
    CANT_TELL = "can't tell"


@dataclass(frozen=True, slots=True)
class Underrating:
    """What `underrating` found. Standardized means pooled within-prompt SDs; positive means marked down.

    Parameters
    ----------
    underrating : Estimate
        Fall of the score, in SDs, per SD of unusualness at equal true human quality. `n` counts responses.
    p, p_one_sided : float or None
        Of no effect, two-sided; and of no underrating, one-sided.
    standard_error : float or None
        Two-way (prompts and annotators), in the units of `underrating`.
    raw : Estimate
        The same fall in the scorer's own units per pooled within-prompt SD of unusualness.
    naive : Estimate
        The same slope with the human mean taken for true quality and a prompt-clustered interval: biased,
        shown for comparison.
    reliability : float or None
        Within-prompt reliability of the human mean, A_qq over the sum of its squares; negative when
        annotators agree less than by chance.
    correlation : float or None
        Within-prompt correlation of true quality and unusualness, disattenuated; None when quality is not
        identified well enough for it to lie between -1 and 1.
    predicted_naive_bias : float or None
        How far above the truth `naive` is expected to lie if there is no underrating; without covariates.
    covariate_coefficients : mapping of str to float
        SDs of the score per SD of each covariate that was kept.
    strength : float or None
        Identification strength: true-quality variation left after unusualness and covariates, over its SE.
    effective_annotators : float or None
        1 / sum of squared shares of the ratings used.
    smallest_detectable : float or None
        Effect found with 80 % power at this standard error, in the units of `underrating`.
    n_prompts, n_responses, n_annotators, n_ratings : int
        What the estimate rests on.
    verdict : Verdict
        One of five.
    reason : str
        Why, and what would help, in plain sentences.
    borderline : bool
        Whether the strength is at least 3.2 but below 6.
    smallest_effect : float
        The effect that matters, as asked.
    n_incomplete, n_thin : int
        Responses left out for want of a score, unusualness or covariate; and for want of two ratings of
        theirs or of another response to the prompt.
    notes : tuple of str
        What was left out, in words.
    """

    underrating: Estimate
    p: float | None
    p_one_sided: float | None
    standard_error: float | None
    raw: Estimate
    naive: Estimate
    reliability: float | None
    correlation: float | None
    predicted_naive_bias: float | None
    covariate_coefficients: Mapping[str, float]
    strength: float | None
    effective_annotators: float | None
    smallest_detectable: float | None
    n_prompts: int
    n_responses: int
    n_annotators: int
    n_ratings: int
    verdict: Verdict
    reason: str
    borderline: bool
    smallest_effect: float
    n_incomplete: int = 0
    n_thin: int = 0
    notes: tuple[str, ...] = ()

    @property
    def excluded_effect(self) -> float | None:
        """Smallest underrating the data speak against: the larger of detectable effect and upper end."""
        if self.smallest_detectable is None or self.underrating.high is None:
            return None
        return max(self.smallest_detectable, self.underrating.high)

    @property
    def verdict_text(self) -> str:
        """The verdict in words, with its number, rounded up, where it has one."""
        if self.verdict is Verdict.NO_UNDERRATING and self.excluded_effect is not None:
            return f"no underrating of {_round_up(self.excluded_effect):.2f} or more"
        return str(self.verdict)


def underrating(
    ratings: pd.DataFrame,
    responses: pd.DataFrame,
    *,
    covariates: Sequence[str] = ("log_length",),
    smallest_effect: float = 0.3,
    confidence: float = 0.95,
) -> Underrating:
    """Return how far a scorer marks unusual responses down at equal true human quality.

    Parameters
    ----------
    ratings : DataFrame
        Columns prompt_id, response_id, annotator_id, value: one row a rating, higher is better; NaN is
        missing. Any assignment of annotators to responses.
    responses : DataFrame
        Columns prompt_id, response_id, score, unusualness and the covariates: one row a response. A response
        with a missing number is left out and counted.
    covariates : sequence of str
        Columns held constant beside quality. One that does not vary within prompts, or that the covariates
        before it determine, is left out with a note.
    smallest_effect : float
        Effect that matters, in SDs of the score per SD of unusualness.
    confidence : float
        Level of the intervals.

    Returns
    -------
    Underrating
        With the verdict "can't tell" and a reason whenever the data do not define the slope or its interval.

    Raises
    ------
    ValueError
        If a column is missing, a number is infinite, an id is missing or repeated, an annotator rated a
        response twice, the two frames put a response under different prompts, or `smallest_effect` is not
        positive.

    Notes
    -----
    Model, all centered within prompt: m = beta q + gamma u + lambda l + e with true quality q; the result is
    -gamma. theta = A^-1 b with the moments of `cross_rater_moments`, which replace the sum of squares of the
    human mean by products of different annotators only.

    V = V_prompt + V_annotator - V_cell, never below V_prompt; each is (n - 1)/n times the sum of squared
    deviations, from their mean, of theta_u with one prompt, annotator or prompt-annotator cell left out.
    Interval by t with min(P, M) - 1 degrees of freedom. Replicates center anew but keep the full
    sample's scales; scaling anew changes no coverage (300 simulated data sets in each of six cells: equal
    to .006).

    Strength is the Schur complement of A_qq over its SE by the same jackknife. Deviations from the
    full-sample value instead of the replicates' mean would put the drop of the sum itself into its SE.

    Verdict: strength below 3.2 or an undefined interval is "can't tell"; else an interval above 0 is
    "underrates", below 0 "overrates"; else, with x the larger of smallest detectable effect and upper end,
    "no underrating of x or more" if x is at most `smallest_effect`, and "underpowered" if not.

    predicted_naive_bias = -r rho s / ((1 - rho^2) + s) with s = 1/reliability - 1, r = corr(m, q),
    rho = corr(q, u): exact when gamma is 0 and there are no covariates.

    A response with missing ratings from one annotator is fine; one with fewer than two ratings drops out.

    References
    ----------
    The project's statistics.md, sections 4.1, 4.2 and 4.5. Owen (2007), Annals of Applied Statistics
    1:386, for variance over two crossed factors. Westfall and Yarkoni (2016), PLoS ONE 11(3), for the
    naive estimator.
    """
    check_confidence(confidence)
    if not smallest_effect > 0:
        raise ValueError(f"smallest_effect must be positive, got {smallest_effect}.")
    names = _checked_names(covariates)
    sample = sample_of(ratings, responses, names)
    blank = _blank(sample, smallest_effect, confidence)
    why_not = why_undefined(sample)
    if why_not:
        return _cannot(blank, why_not)
    scales = _scales(sample.panel)
    why_not = _why_constant(sample, scales)
    if why_not:
        return _cannot(blank, why_not)
    varies = scales > 0
    columns = sample.panel.columns[:, varies] / scales[varies]
    kept = [name for name, good in zip(names, varies[1:-1], strict=True) if good]
    blank = _noted(blank, names, kept, "does not vary within prompts")
    columns, independent, confounded = _independent(columns, sample.panel.prompt, kept)
    blank = _noted(blank, kept, independent, "follows from the other covariates")
    if confounded:
        return _cannot(
            blank, f"Unusualness and {confounded} rise and fall together; nothing can tell them apart."
        )
    # The slope does not depend on the ratings' units; unit spread keeps sums of fourth powers in range.
    value = (sample.panel.value - sample.panel.value.mean()) / sample.panel.value.std()
    moments = cross_rater_moments(replace(sample.panel, columns=columns, value=value))
    spread = _spread(moments)
    return _judged(_estimated(blank, moments, spread, independent, float(scales[-1])), spread)


def most_underrated(ratings: pd.DataFrame, responses: pd.DataFrame, n: int = 10) -> pd.DataFrame:
    """Return the unusual responses whose score lies furthest below what their human quality suggests.

    These are illustrations to read, not tests: a single response has few ratings, and whoever stands at
    the top of a list of residuals stands there partly by chance. The finding is the slope of
    `underrating`.

    Parameters
    ----------
    ratings : DataFrame
        As for `underrating`.
    responses : DataFrame
        Columns prompt_id, response_id, score, unusualness.
    n : int
        Number of responses wanted.

    Returns
    -------
    DataFrame
        At most `n` rows, largest gap first, with columns response_id, prompt_id, human_mean (rating units),
        n_ratings, score (its own units), unusualness, gap (SDs of the residual). Empty when the human
        means hold no reliable quality to compare with.

    Raises
    ------
    ValueError
        As `underrating`, or if `n` is negative.

    Notes
    -----
    With q_i the human mean centered within prompt and v_q, v_e the cross-rater variances of true quality
    and of one rating's error, shrunken quality is s_i = q_i v_q / (v_q + v_e / n_i) (Kelley). The score
    m, centered within prompt, is regressed on s, the slope b never below 0; gap = (b s - m) / SD(b s -
    m), with SD pooled within prompts. Listed are responses with gap > 0 and unusualness at or above their
    prompt's median.

    References
    ----------
    Kelley (1947), Fundamentals of Statistics, for the shrunken mean.
    """
    if n < 0:
        raise ValueError(f"n must not be negative, got {n}.")
    sample = sample_of(ratings, responses, ())
    table = _described(sample, responses)
    if table.empty or why_undefined(sample):
        return table.iloc[:0]
    panel = sample.panel
    counts = table["n_ratings"].to_numpy(dtype=np.float64)
    quality = centered(table["human_mean"].to_numpy(dtype=np.float64), panel.prompt)
    score = centered(panel.columns[:, -1], panel.prompt)
    shrunken = _shrunken(quality, counts, panel)
    if shrunken is None or not (shrunken**2).sum() > 0:
        return table.iloc[:0]
    slope = max(0.0, float(shrunken @ score / (shrunken @ shrunken)))
    residual = centered(slope * shrunken - score, panel.prompt)
    spread = math.sqrt(float((residual**2).sum()) / (len(score) - panel.n_prompts))
    if spread <= _TINY * float(np.abs(panel.columns[:, -1]).max()):
        return table.iloc[:0]
    middle = table.groupby("prompt_id")["unusualness"].transform("median")
    listed = table.assign(gap=residual / spread)
    listed = listed[(listed["unusualness"] >= middle) & (listed["gap"] > 0)]
    return listed.sort_values(["gap", "response_id"], ascending=[False, True]).head(n).reset_index(drop=True)


def _checked_names(covariates: Sequence[str]) -> tuple[str, ...]:
    """Return the covariate names as a tuple."""
    if isinstance(covariates, str):
        raise ValueError(f"covariates must be a sequence of names, not the string {covariates!r}.")  # noqa: TRY004
    names = tuple(covariates)
    taken = {"prompt_id", "response_id", "score", "unusualness"}
    if len(set(names)) != len(names) or taken & set(names):
        raise ValueError(f"covariates must be distinct columns of their own, got {list(names)}.")
    return names


def _blank(sample: Sample, smallest_effect: float, confidence: float) -> Underrating:
    """Return the result before anything is estimated."""
    panel, n = sample.panel, len(sample.kept)
    ratings = len(panel.value)
    shares = np.bincount(panel.annotator) / ratings if ratings else np.zeros(1)
    none = Estimate.undefined("Not estimated.", n, confidence)
    return Underrating(
        underrating=none, p=None, p_one_sided=None, standard_error=None, raw=none, naive=none,
        reliability=None, correlation=None, predicted_naive_bias=None, covariate_coefficients={},
        strength=None, effective_annotators=float(1 / (shares**2).sum()) if ratings else None,
        smallest_detectable=None, n_prompts=panel.n_prompts if n else 0, n_responses=n,
        n_annotators=panel.n_annotators if ratings else 0, n_ratings=ratings, verdict=Verdict.CANT_TELL,
        reason="Not estimated.", borderline=False, smallest_effect=smallest_effect,
        n_incomplete=sample.n_incomplete, n_thin=sample.n_thin, notes=sample.notes,
    )  # fmt: skip


def _cannot(result: Underrating, reason: str) -> Underrating:
    """Return the result with the verdict "can't tell" and the reason on every estimate that is missing."""
    found, raw, naive = (
        replace(estimate, reason=reason) if estimate.low is None else estimate
        for estimate in (result.underrating, result.raw, result.naive)
    )
    return replace(
        result,
        underrating=found,
        raw=raw,
        naive=naive,
        verdict=Verdict.CANT_TELL,
        reason=reason,
        borderline=False,
    )


def _noted(result: Underrating, before: Sequence[str], after: Sequence[str], why: str) -> Underrating:
    """Return the result with a note for each covariate that fell out."""
    notes = tuple(f"Covariate {name} left out: it {why}." for name in before if name not in after)
    return replace(result, notes=result.notes + notes)


def _scales(panel: Panel) -> FloatArray:
    """Return the pooled within-prompt SD of each column, 0 for one that is constant up to rounding."""
    away = centered(panel.columns, panel.prompt)
    scale = np.sqrt((away**2).sum(axis=0) / (len(away) - panel.n_prompts))
    return np.where(scale > _TINY * np.abs(panel.columns).max(axis=0), scale, 0.0)


def _why_constant(sample: Sample, scales: FloatArray) -> str | None:
    """Return why scores, unusualness or ratings do not vary enough for a slope, or None."""
    panel = sample.panel
    if scales[0] == 0:
        return "Unusualness does not vary between the responses to a prompt."
    if scales[-1] == 0:
        return "The scorer gives all responses to a prompt the same score."
    if np.ptp(panel.value) == 0:
        return "All ratings are the same, so they say nothing about quality."
    return None


def _independent(
    columns: FloatArray, prompt: IntArray, names: Sequence[str]
) -> tuple[FloatArray, list[str], str | None]:
    """Return the columns without redundant covariates, the names kept, and what unusualness follows from."""
    away = centered(columns, prompt)
    basis = np.empty((len(away), 0))
    kept: list[int] = []
    for index in range(1, len(names) + 1):
        if _unexplained(away[:, index], basis) > _TINY:
            kept.append(index)
            basis = away[:, kept]
    confounded = None
    if _unexplained(away[:, 0], basis) <= _TINY:
        confounded = " and ".join(names[index - 1] for index in kept)
    chosen = [0, *kept, columns.shape[1] - 1]
    return columns[:, chosen], [names[index - 1] for index in kept], confounded


def _unexplained(column: FloatArray, basis: FloatArray) -> float:
    """Return the share of a column's sum of squares that the basis does not reproduce."""
    if basis.shape[1] == 0:
        return 1.0
    fitted = basis @ np.linalg.lstsq(basis, column, rcond=None)[0]
    return float(((column - fitted) ** 2).sum() / (column**2).sum())


def _slopes(moments: FloatArray) -> FloatArray:
    """Return theta for each moment matrix, shape (..., D - 1); NaN where the equations are singular."""
    matrix, target = moments[..., :-1, :-1], moments[..., :-1, -1]
    size = np.sqrt(np.abs(np.diagonal(matrix, axis1=-2, axis2=-1)))
    safe = np.where(size > 0, size, 1.0)
    scaled = matrix / (safe[..., :, None] * safe[..., None, :])
    regular = np.abs(np.linalg.det(scaled)) > _TINY
    filled = np.where(regular[..., None, None], scaled, np.eye(matrix.shape[-1]))
    theta = np.linalg.solve(filled, (target / safe)[..., None])[..., 0] / safe
    return np.asarray(np.where(regular[..., None], theta, np.nan))


def _left_quality(moments: FloatArray) -> FloatArray:
    """Return the Schur complement of A_qq, the true quality the others leave; NaN where singular."""
    equations = np.concatenate([moments[..., 1:-1, 1:-1], moments[..., 1:-1, :1]], axis=-1)
    square = np.concatenate([equations, np.zeros_like(equations[..., :1, :])], axis=-2)
    slopes = _slopes(square)
    return np.asarray(moments[..., 0, 0] - (moments[..., 0, 1:-1] * slopes).sum(axis=-1))


@dataclass(frozen=True, slots=True)
class _Variance:
    """Two-way jackknife variance and its parts."""

    total: float
    prompts: float
    annotators: float

    @property
    def remedy(self) -> str:
        """What there should be more of to make it smaller."""
        return "prompts" if self.prompts > self.annotators else "annotators"


def _two_way(replicates: Sequence[FloatArray]) -> _Variance | None:
    """Return V_prompt + V_annotator - V_cell, never below V_prompt; None if a replicate is undefined."""
    if any(len(part) < 2 or not np.isfinite(part).all() for part in replicates):
        return None
    by_prompt, by_annotator, by_cell = (
        float((len(part) - 1) / len(part) * ((part - part.mean()) ** 2).sum()) for part in replicates
    )
    return _Variance(max(by_prompt + by_annotator - by_cell, by_prompt), by_prompt, by_annotator - by_cell)


_Spread = tuple[_Variance | None, _Variance | None]


def _spread(moments: Moments) -> _Spread:
    """Return the variances of the underrating and of the quality that is left."""
    parts = moments.replicates()
    return _two_way([-_slopes(part)[:, 1] for part in parts]), _two_way([_left_quality(p) for p in parts])


def _degrees(result: Underrating) -> int:
    """Return the degrees of freedom of the two-way interval."""
    return min(result.n_prompts, result.n_annotators) - 1


def _estimated(
    blank: Underrating, moments: Moments, spread: _Spread, names: Sequence[str], score_sd: float
) -> Underrating:
    """Return the result with every number but the verdict."""
    total = moments.total
    theta = _slopes(total)
    reliability, correlation, bias = _diagnostics(total, moments)
    found = replace(
        blank,
        naive=_naive(moments, blank),
        reliability=reliability,
        correlation=correlation,
        predicted_naive_bias=bias,
    )
    if not np.isfinite(theta).all():
        return found
    confidence, n = blank.underrating.confidence, blank.n_responses
    point = -float(theta[1])
    coefficients = {name: float(slope) for name, slope in zip(names, theta[2:], strict=True)}
    variance, quality = spread
    left = float(_left_quality(total))
    strength = left / math.sqrt(quality.total) if quality is not None and quality.total > 0 else None
    found = replace(found, covariate_coefficients=coefficients, strength=strength)
    if variance is None:
        bare = Estimate(point, None, None, n, "No interval.", confidence)
        raw = replace(bare, estimate=point * score_sd)
        return replace(found, underrating=bare, raw=raw)
    error, df = math.sqrt(variance.total), _degrees(blank)
    inside = _t_interval(point, error, df, n, confidence)
    raw = _t_interval(point * score_sd, error * score_sd, df, n, confidence)
    two_sided, one_sided = _p_values(point, error, df)
    reach = float(stats.t.ppf((1 + confidence) / 2, df) + stats.t.ppf(0.8, df)) * error
    return replace(
        found, underrating=inside, raw=raw, p=two_sided, p_one_sided=one_sided, standard_error=error,
        smallest_detectable=reach,
    )  # fmt: skip


def _t_interval(point: float, error: float, df: int, n: int, confidence: float) -> Estimate:
    """Return the estimate with its t interval."""
    reach = float(stats.t.ppf((1 + confidence) / 2, df)) * error
    return Estimate(point, point - reach, point + reach, n, None, confidence)


def _p_values(point: float, error: float, df: int) -> tuple[float, float]:
    """Return the two-sided p of no effect and the one-sided p of no underrating."""
    if error == 0:
        return (1.0 if point == 0 else 0.0), (0.0 if point > 0 else 1.0)
    t = point / error
    return float(2 * stats.t.sf(abs(t), df)), float(stats.t.sf(t, df))


def _naive(moments: Moments, blank: Underrating) -> Estimate:
    """Return minus the OLS slope of unusualness beside the human mean, with a prompt-clustered interval."""
    confidence, n = blank.naive.confidence, blank.n_responses
    parts = moments.naive
    total = parts.sum(axis=0)
    theta = _slopes(total)
    if not np.isfinite(theta).all():
        return Estimate.undefined("The human means do not vary on their own within prompts.", n, confidence)
    clusters = len(parts)
    if clusters < 2:
        return Estimate(-float(theta[1]), None, None, n, "No interval: there is only one prompt.", confidence)
    leaning = parts[:, :-1, -1] - parts[:, :-1, :-1] @ theta
    weight = np.linalg.solve(total[:-1, :-1], np.eye(len(theta))[1])
    error = math.sqrt(float(((leaning @ weight) ** 2).sum()) * clusters / (clusters - 1))
    return _t_interval(-float(theta[1]), error, clusters - 1, n, confidence)


def _diagnostics(total: FloatArray, moments: Moments) -> tuple[float | None, float | None, float | None]:
    """Return reliability, correlation of quality and unusualness, and the naive bias they predict."""
    observed = float(moments.mean_square.sum())
    quality, unusual, score = float(total[0, 0]), float(total[1, 1]), float(total[-1, -1])
    reliability = quality / observed if observed > 0 else None
    if reliability is None or reliability <= 0:
        return reliability, None, None
    rho = float(total[0, 1]) / math.sqrt(quality * unusual)
    r = float(total[0, -1]) / math.sqrt(quality * score)
    if abs(rho) >= 1:
        return reliability, None, None
    noise = 1 / reliability - 1
    # By chance reliability may come out above 1; then there is no noise that could predict a bias.
    left = (1 - rho**2) + noise
    bias = -r * rho * noise / left if abs(r) < 1 and left > _TINY else None
    return reliability, rho, bias


def _judged(result: Underrating, spread: _Spread) -> Underrating:
    """Return the result with its verdict and reason."""
    if result.underrating.low is None or result.strength is None:
        return _cannot(result, _why_no_interval(result))
    variance, quality = spread
    if result.strength < WEAK:
        return _cannot(result, _weak_words(result, quality.remedy if quality else "annotators"))
    verdict = _rule(result)
    result = replace(result, verdict=verdict, borderline=result.strength < BORDERLINE)
    return replace(result, reason=_words(result, variance.remedy if variance else "annotators"))


def _rule(result: Underrating) -> Verdict:
    """Return the verdict of a result that is identified and has an interval."""
    low, high, x = result.underrating.low, result.underrating.high, result.excluded_effect
    if low is None or high is None or x is None:
        return Verdict.CANT_TELL
    if low > 0:
        return Verdict.UNDERRATES
    if high < 0:
        return Verdict.OVERRATES
    return Verdict.NO_UNDERRATING if x <= result.smallest_effect else Verdict.UNDERPOWERED


def _round_up(x: float) -> float:
    """Return x rounded up to two decimals, forgiving rounding error in the ninth."""
    return math.ceil(x * 100 - 1e-7) / 100


def _why_no_interval(result: Underrating) -> str:
    """Return why a result has no interval or no strength."""
    if result.n_prompts < 2:
        return "Only one prompt: nothing shows how the result varies from prompt to prompt. Add prompts."
    if result.n_annotators < 3:
        return (
            "Only two annotators: without one of them no rating error can be seen, so there is no interval. "
            "Add annotators."
        )
    if result.underrating.estimate is None:
        return "Quality, unusualness and covariates can't be told apart here. Add annotators and prompts."
    return (
        "The result hangs on a single prompt or annotator: without it there is none, so no honest interval. "
        "Spread the ratings over more annotators and prompts."
    )


def _weak_words(result: Underrating, remedy: str) -> str:
    """Return the reason when identification is too weak."""
    return (
        "The ratings do not pin true quality down well enough: "
        f"strength of identification {result.strength:.1f}, and {WEAK} is needed "
        f"({result.effective_annotators:.1f} annotators in effect, {result.n_prompts} prompts). "
        f"More {remedy} would help most."
    )


def _words(result: Underrating, remedy: str) -> str:
    """Return the reason of a verdict other than "can't tell"."""
    found = result.underrating
    if found.estimate is None or found.low is None or found.high is None or result.excluded_effect is None:
        return _why_no_interval(result)
    interval = f"{found.confidence * 100:g} % interval {found.low:.2f} to {found.high:.2f}"
    detectable = f"{_round_up(result.smallest_detectable or 0.0):.2f}"
    if result.verdict in (Verdict.UNDERRATES, Verdict.OVERRATES):
        way = "below" if result.verdict is Verdict.UNDERRATES else "above"
        text = (
            f"At equal human quality, a response one SD more unusual scores "
            f"{abs(found.estimate):.2f} SD {way} the others ({interval})."
        )
    elif result.verdict is Verdict.NO_UNDERRATING:
        text = (
            f"The interval includes zero ({interval}), and an underrating of "
            f"{_round_up(result.excluded_effect):.2f} SD or more would most likely have shown."
        )
    else:
        text = (
            f"The interval includes zero ({interval}), but these data would reliably find "
            f"only an effect of {detectable} SD or more, and {result.smallest_effect:g} matters. "
            f"More {remedy} would help most."
        )
    if result.borderline:
        text += (
            f" Identification is borderline (strength {result.strength:.1f}); "
            "more annotators would make it firmer."
        )
    return text


def _described(sample: Sample, responses: pd.DataFrame) -> pd.DataFrame:
    """Return the analyzed responses with their human mean and number of ratings, gap still missing."""
    panel, kept = sample.panel, sample.kept
    counts = np.bincount(panel.response, minlength=len(kept))
    sums = np.bincount(panel.response, panel.value, minlength=len(kept))
    return pd.DataFrame(
        {
            "response_id": responses["response_id"].to_numpy()[kept],
            "prompt_id": responses["prompt_id"].to_numpy()[kept],
            "human_mean": sums / np.maximum(counts, 1),
            "n_ratings": counts,
            "score": panel.columns[:, -1],
            "unusualness": panel.columns[:, 0],
            "gap": np.zeros(len(kept)),
        }
    )


def _shrunken(quality: FloatArray, counts: FloatArray, panel: Panel) -> FloatArray | None:
    """Return Kelley's shrunken quality of each response, or None when no true quality shows."""
    moments = cross_rater_moments(panel)
    true, observed = float(moments.total[0, 0]), float(moments.mean_square.sum())
    if true <= _TINY * observed or observed == 0:
        return None
    sizes = np.bincount(panel.prompt)[panel.prompt]
    of_quality = true / (len(quality) - panel.n_prompts)
    of_error = max(0.0, (observed - true) / float(((1 - 1 / sizes) / counts).sum()))
    return np.asarray(quality * of_quality / (of_quality + of_error / counts))
