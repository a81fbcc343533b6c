"""Controls that run with every audit: people held out as if they were a machine, with and without a planted penalty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from judging.stats.audit.checks import ready_for
from judging.stats.audit.moments import cross_rater_moments
from judging.stats.audit.underrating import underrating
from judging.stats.audit.verdict import WEAK, Underrating
from judging.stats.core.columns import TINY
from judging.stats.core.estimate import BoolArray, Estimate, FloatArray, unbounded_t_interval
from judging.stats.core.jackknife import jackknife_variance
from judging.stats.core.sample import effective_number, numbers

PLANTED = 0.3


@dataclass(frozen=True, slots=True)
class Control:
    """What the audit says of a scorer whose truth is known.

    Parameters
    ----------
    planted : float
        What should be found.
    underrating : Estimate
        As of `Underrating`, its interval over the annotators of both halves too.
    result : Underrating
        The audit of it, with the people's half taken for people and the other for the machine.
    passed : bool or None
        Whether the interval is where it should be: around 0 where nothing is planted, above 0 where something is. None
        where the data can't tell, as where the interval holds both zero and what is planted.
    reason : str
        In words.
    """

    planted: float
    underrating: Estimate
    result: Underrating
    passed: bool | None
    reason: str


def held_out_control(
    ratings: pd.DataFrame,
    responses: pd.DataFrame,
    *,
    planted: float = 0.0,
    covariates: Sequence[str] = ("log_length",),
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> Control:
    """Return the audit of half the annotators as if their mean were a machine's score.

    People value quality as people do, so there is nothing to find; a study in which something is found either is
    the one in twenty, or breaks what the audit assumes. With a planted penalty there is something to find.

    Parameters
    ----------
    ratings, responses, covariates, confidence
        As for `underrating`; score is not needed.
    planted : float
        Penalty, in SDs of the resulting score per SD of unusualness.
    rng : numpy.random.Generator
        Source of chance: which annotators are held out.

    Returns
    -------
    Control
        Undefined, with a reason, where half the annotators are too few.

    Raises
    ------
    ValueError
        As `underrating`, or if `planted` is not between -1 and 1.

    Notes
    -----
    Annotators are paired by how much they rated, and one of each pair is held out. The score of a response is the
    mean m of its held-out ratings, less k u with k such that the penalty is `planted` SDs of the result.

    The usual two-way variance takes the score as given. Here it rests on annotators too, so that of the held-out
    half is added: V_annotator - V_cell over held-out annotators j, with the score recomputed without j, in all prompts
    or in one. Student's t with the least of prompts and effective annotators of a half, minus 1.
    """
    if not -1 < planted < 1:
        raise ValueError(f"planted must be between -1 and 1, got {planted}.")
    # Halves are taken before the audit looks at the numbers, and infinity spoils what is made of them.
    numbers(ratings, ["value"])
    numbers(responses, ["unusualness", *covariates])
    machine = _held_out(ratings, rng)
    people = ratings[~machine]
    versions, names = _scores(ratings[machine], responses, planted)
    result = underrating(
        people, versions.assign(score=versions[names[0]]), covariates=covariates, confidence=confidence
    )
    e = result.underrating
    if e.low is None or e.estimate is None or result.standard_error is None:
        why = f"Half the annotators are too few for a control. {result.reason}"
        nothing = Estimate(e.estimate, None, None, e.n, why, confidence)
        return Control(planted, nothing, result, None, why)
    extra = _variance_of_score(people, versions, names, covariates, confidence)
    error = math.sqrt(result.standard_error**2 + extra)
    held_out = effective_number(
        pd.factorize(ratings.loc[machine & ratings["value"].notna(), "annotator_id"], sort=True)[0]
    )
    df = min(result.n_prompts, result.effective_annotators or 0.0, held_out) - 1
    if df < 1:
        why = "Too few annotators are held out for a control."
        return Control(planted, Estimate(e.estimate, None, None, e.n, why, confidence), result, None, why)
    found = unbounded_t_interval(e.estimate, error, df, e.n, confidence)
    return _said(planted, found, result)


def _held_out(ratings: pd.DataFrame, rng: np.random.Generator) -> BoolArray:
    """Return which ratings are of annotators held out: one of each two who rated about as much."""
    code, people = pd.factorize(ratings["annotator_id"], sort=True)
    given = np.bincount(code[ratings["value"].notna()], minlength=len(people))
    order = np.lexsort((rng.random(len(people)), -given))
    first = rng.random(len(people) // 2 + 1) < 0.5
    place = np.empty(len(people), dtype=np.int64)
    place[order] = np.arange(len(people))
    return np.asarray((place % 2 == 0) == first[place // 2])[code]


def _scores(held: pd.DataFrame, responses: pd.DataFrame, planted: float) -> tuple[pd.DataFrame, list[str]]:
    """Return the responses with the held-out score, first of all and then without each held-out annotator."""
    row = pd.Index(responses["response_id"]).get_indexer(pd.Index(held["response_id"]))
    use = (row >= 0) & held["value"].notna().to_numpy()
    row, value = row[use], held["value"].to_numpy(dtype=np.float64)[use]
    code, people = pd.factorize(held["annotator_id"].to_numpy()[use], sort=True)
    size = len(responses)
    count, total = np.bincount(row, minlength=size), np.bincount(row, value, minlength=size)
    own = np.zeros((len(people) + 1, size))
    less = np.zeros((len(people) + 1, size))
    own[code + 1, row], less[code + 1, row] = value, 1.0
    left = count - less
    mean = np.divide(total - own, left, out=np.full(own.shape, np.nan), where=left > 0)
    # Without the only one who rated it a response keeps the mean it had: nothing is known instead.
    mean = np.where(np.isnan(mean), mean[:1], mean)
    unusual = responses["unusualness"].to_numpy(dtype=np.float64)
    penalty = _penalty(mean[0], unusual, responses["prompt_id"], planted) * unusual
    names = [f"held out {i}" for i in range(len(mean))]
    frame = pd.DataFrame((mean - penalty).T, columns=names, index=responses.index)
    return pd.concat([responses.drop(columns="score", errors="ignore"), frame], axis=1), names


def _penalty(mean: FloatArray, unusual: FloatArray, prompt: pd.Series, planted: float) -> float:
    """Return k such that m - k u loses `planted` of its SDs for each SD of u: k SD(u) = planted SD(m - k u)."""
    if planted == 0:
        return 0.0
    both = pd.DataFrame({"m": mean, "u": unusual, "prompt": prompt.to_numpy()}).dropna()
    values = both[["m", "u"]]
    within = (values - values.groupby(both["prompt"]).transform("mean")).to_numpy()
    (mm, mu), (_, uu) = within.T @ within
    if uu == 0:
        return 0.0
    # (1 - p^2) uu k^2 + 2 p^2 mu k - p^2 mm = 0, the root with the sign of p.
    p = planted * planted
    root = math.sqrt(max(0.0, (p * mu) ** 2 + (1 - p) * uu * p * mm))
    return float((-p * mu + math.copysign(root, planted)) / ((1 - p) * uu))


def _variance_of_score(
    people: pd.DataFrame,
    versions: pd.DataFrame,
    names: Sequence[str],
    covariates: Sequence[str],
    confidence: float,
) -> float:
    """Return the variance that the slope has from the choice of the held-out annotators, never below 0."""
    ready, _ = ready_for(people, versions, names, covariates, confidence)
    if ready.panel is None or ready.scales is None or len(ready.scales) < len(names):
        return 0.0
    moments = cross_rater_moments(ready.panel).prompt
    first = 1 + ready.n_beside
    unit = np.array(list(ready.scales.values())) / ready.scales[names[0]]
    target = moments[:, :first, first:] * unit
    weight = np.linalg.solve(moments.sum(axis=0)[:first, :first], np.eye(first)[:, 1])
    # The slope is linear in the score: shape (prompts, held-out annotators).
    moved = -np.einsum("r,prs->ps", weight, target[:, :, 1:] - target[:, :, :1])
    # Which cells moved must not hang on rounding, which follows the order of the rows.
    by_annotator, cells = moved.sum(axis=0), moved[np.abs(moved) > TINY * np.abs(moved).max(initial=0.0)]
    if len(by_annotator) < 2 or len(cells) < 2:
        return 0.0
    found = jackknife_variance([np.zeros(2), by_annotator, cells])
    return 0.0 if found is None else max(0.0, found.annotators)


def _said(planted: float, found: Estimate, result: Underrating) -> Control:
    """Return the control with whether it is as it should be, and that in words."""
    if result.strength is None or result.strength < WEAK or found.low is None or found.high is None:
        why = "With half the annotators the ratings do not pin true quality down, so this control can't tell."
        return Control(planted, replace(found, reason=why), result, None, why)
    passed: bool | None
    if planted == 0:
        passed = found.low <= 0 <= found.high
        why = (
            "People held out as if they were a machine: nothing is found, as it should be."
            if passed
            else "People held out as if they were a machine seem biased. By chance that happens once in twenty "
            "studies; else the annotators' errors are not independent, and no verdict here is to be trusted."
        )
    else:
        passed, why = _planted(planted, found.low, found.high)
    return Control(planted, found, result, passed, why)


def _planted(planted: float, low: float, high: float) -> tuple[bool | None, str]:
    """Return whether a planted penalty is found, None where there is too little to find it with, and that in words."""
    if (low > 0) if planted > 0 else (high < 0):
        return True, f"A planted penalty of {planted:g} SD is found, as it should be."
    if low <= planted <= high:
        return (
            None,
            f"Half these annotators are too few to find a planted penalty of {planted:g} SD: this can't tell.",
        )
    return False, (
        f"A planted penalty of {planted:g} SD is not found, and the interval speaks against one of that size: the "
        "audit would miss it."
    )
