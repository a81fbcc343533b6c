"""Underrating from preferences alone: votes on pairs take the place of ratings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd

from judging.stats.audit.moments import summed_by
from judging.stats.audit.scopes import blank_scope, measured
from judging.stats.audit.shapes import Shapes
from judging.stats.audit.slopes import Jackknifed, Parts, jackknifed, solved
from judging.stats.audit.verdict import LIKE_THESE, THESE, Scope, Verdict, rule
from judging.stats.audit.vote_words import explained, no_interval, saturated, together
from judging.stats.core.columns import TINY, VARIED, regular_covariates
from judging.stats.core.estimate import Estimate, FloatArray, IntArray, check_confidence
from judging.stats.core.sample import effective_number

SMALLEST = 0.3

SATURATED = 0.45
"""Mean product of two votes from which on they say which response is better and no longer by how much."""

NO_SHAPES = "Preferences alone have no such slope."

S = TypeVar("S", bound=Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceUnderrating(Scope):
    """What preferences say of one scorer's underrating: for people like these, and in `these_people` for the study's.

    `underrating` is the fall of the scorer's margin, in SDs, per SD of the difference in unusualness at equal true
    preference; in both scopes its interval is Fieller's set, and without ends there is none. `n` counts pairs.

    Parameters
    ----------
    these_people : Scope
        The same with the annotators fixed: prompts alone vary.
    total, human : Estimate
        The same whatever people prefer; and people's own fall, in votes.
    naive : float or None
        The slope that takes the mean vote for the true preference; it misleads.
    n_pairs, n_prompts, n_annotators, n_votes : int
        What it rests on: pairs with a margin and two votes or more.
    n_thin : int
        Pairs with a margin that fewer than two people judged, left out.
    effective_annotators : float or None
        1 / sum of squared shares of the votes used.
    vote_agreement : float or None
        Mean product of two people's votes on a pair: 1 where all agree, 0 by chance. Above `SATURATED` no slope
        convicts.
    notes : tuple of str
        Which covariates were left out, and why.
    """

    these_people: Scope
    total: Estimate
    human: Estimate
    naive: float | None
    n_pairs: int
    n_prompts: int
    n_annotators: int
    n_votes: int
    n_thin: int
    effective_annotators: float | None
    vote_agreement: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Votes:
    """Coded votes on pairs: one row a vote, and the columns of each pair."""

    pair: IntArray
    annotator: IntArray
    value: FloatArray
    prompt: IntArray  # of each pair
    columns: FloatArray  # (pairs, F): unusualness, covariates, margin, each with mean square 1
    covariates: tuple[str, ...] = ()


def preference_underrating(
    votes: pd.DataFrame,
    pairs: pd.DataFrame,
    *,
    covariates: Sequence[str] = ("log_length",),
    smallest_effect: float = SMALLEST,
    confidence: float = 0.95,
) -> PreferenceUnderrating:
    """Return whether a scorer's margins fall with unusualness at equal true preference.

    Parameters
    ----------
    votes : DataFrame
        One row a vote: pair_id, annotator_id, and value, above 0 for the pair's first response, below for its
        second, 0 for neither. Only the sign counts.
    pairs : DataFrame
        One row a pair: pair_id, prompt_id, and first minus second of unusualness, of each covariate, and of the
        score (margin). A judge's margin is its choice, 1, 0 or -1, in both orders.
    covariates : sequence of str
        Columns of `pairs` that are held constant. One that does not vary is left out.
    smallest_effect : float
        Effect, in SDs, that would matter; positive.
    confidence : float
        Level of intervals.

    Returns
    -------
    PreferenceUnderrating

    Raises
    ------
    ValueError
        If a column is missing, a pair stands twice, an annotator votes twice on a pair, or a number is not finite.

    Notes
    -----
    Over pairs i with votes v_ij in {-1, 0, 1}, d the differences first minus second, without intercept or centering, so
    that the order of a pair's responses does not matter:

        A_qq = sum_i [(sum_j v_ij)^2 - sum_j v_ij^2] / (n_i (n_i - 1)),  A_qu = sum_i du_i mean_j(v_ij), ...

    and theta = A^-1 b as for ratings; underrating = -theta_u. Prompts and annotators are jackknifed as for
    ratings, t has min(P, M') - 1 degrees of freedom with M' the effective number of annotators, and Fieller's set
    is the interval. Nearly unanimous votes saturate: of 400 pairs with quality and unusualness correlated by -.4 and
    a margin that follows quality itself, 3 % of fair scorers are convicted at a mean product of .37, 9 % at .49 and
    50 % at .71 (100 studies each). Hence above `SATURATED` a slope off zero "depends on the shape".

    References
    ----------
    judging/stats/README.md, sections 4.5 to 4.7. Fieller (1954), Journal of the Royal Statistical Society B 16:175.
    """
    check_confidence(confidence)
    if not smallest_effect > 0:
        raise ValueError(f"smallest_effect must be positive, got {smallest_effect}.")
    coded, n_thin, notes = _coded(votes, pairs, covariates)
    blank = _blank(coded, n_thin, notes, smallest_effect, confidence)
    why_not = _why_undefined(coded, blank)
    if why_not:
        return _cannot_at_all(blank, why_not)
    prompt, parts = _moments(coded)
    total = prompt.sum(axis=0)
    kept = regular_covariates([total[None], *parts], len(coded.covariates))
    lost = [name for i, name in enumerate(coded.covariates) if i not in kept]
    notes = tuple(
        f"Covariate {name} left out: it says nothing of its own without one of the prompts or annotators."
        for name in lost
    )
    columns = [0, 1, *(2 + i for i in kept), 2 + len(coded.covariates)]
    one, two, three = (_square(part, columns) for part in parts)
    slopes = jackknifed(
        _square(total, columns), (one, two, three),
        df=min(blank.n_prompts, blank.effective_annotators or 0.0) - 1, n=blank.n_pairs, confidence=confidence,
    )  # fmt: skip
    blank = replace(
        blank, vote_agreement=float(total[0, 0]) / blank.n_pairs,
        total=slopes.estimate("total", -1.0), human=slopes.estimate("human", -1.0), naive=_naive(coded, kept),
        notes=blank.notes + notes,
    )  # fmt: skip
    if not np.isfinite(slopes.whole.unusual):
        return _cannot_at_all(blank, "True preference, unusualness and covariates can't be told apart here.")
    if (blank.vote_agreement or 0.0) > SATURATED:
        blank = replace(blank, notes=(*blank.notes, saturated(blank.vote_agreement or 0.0)))
    whole = _judged(blank, measured(blank, slopes), slopes)
    these = _judged(blank, measured(blank.these_people, slopes.of_these_people(blank.n_prompts)), slopes)
    return replace(whole, these_people=these, reason=together(whole, these))


def _judged(blank: PreferenceUnderrating, scope: S, slopes: Jackknifed) -> S:
    """Return a scope with its interval, verdict and reason."""
    e, ends = scope.underrating, scope.decisive
    if ends is None or scope.smallest_detectable is None:
        why = no_interval(blank, scope)
        slope = Estimate(e.estimate, None, None, e.n, why, e.confidence)
        return replace(scope, underrating=slope, verdict=Verdict.CANT_TELL, reason=why)
    # One measure of unusualness, of unknown reliability, acquits nobody.
    verdict, _ = rule(scope, can_acquit=False)
    if verdict is not Verdict.UNDERPOWERED and (blank.vote_agreement or 0.0) > SATURATED:
        verdict = Verdict.DEPENDS
    scope = replace(scope, underrating=Estimate(e.estimate, *ends, e.n, None, e.confidence), verdict=verdict)
    return replace(scope, reason=explained(scope, slopes.variance("unusual"), blank.vote_agreement))


def _coded(
    votes: pd.DataFrame, pairs: pd.DataFrame, covariates: Sequence[str]
) -> tuple[_Votes, int, tuple[str, ...]]:
    """Return votes on pairs with a margin and two votes or more, how many pairs have fewer, and notes."""
    names = ["unusualness", *covariates, "margin"]
    _check(votes, pairs, names)
    scored = pairs[pairs["margin"].notna() & pairs["unusualness"].notna()]
    given = votes[votes["pair_id"].isin(scored["pair_id"])].dropna(subset=["value"])
    n = given.groupby("pair_id")["annotator_id"].size().reindex(scored["pair_id"]).fillna(0)
    enough = scored[n.to_numpy() >= 2].reset_index(drop=True)
    given = given[given["pair_id"].isin(enough["pair_id"])]
    varied, notes = _varied(enough, covariates)
    chosen = ["unusualness", *varied, "margin"]
    raw = enough[chosen].to_numpy(dtype=np.float64).reshape(len(enough), len(chosen))
    scale = np.sqrt((raw**2).mean(axis=0)) if len(raw) else np.ones(len(chosen))
    coded = _Votes(
        pair=pd.Index(enough["pair_id"]).get_indexer(given["pair_id"]).astype(np.int64),
        annotator=pd.factorize(given["annotator_id"], sort=True)[0].astype(np.int64),
        value=np.sign(given["value"].to_numpy(dtype=np.float64)),
        prompt=pd.factorize(enough["prompt_id"], sort=True)[0].astype(np.int64),
        columns=raw / np.where(scale > TINY, scale, np.nan),
        covariates=tuple(varied),
    )
    return coded, len(scored) - len(enough), notes


def _varied(pairs: pd.DataFrame, covariates: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the covariates that differ within pairs of enough prompts: a text or two must not decide."""
    needed = min(VARIED, pairs["prompt_id"].nunique())
    counts = {name: int(pairs.loc[pairs[name] != 0, "prompt_id"].nunique()) for name in covariates}
    notes = tuple(
        f"Covariate {name} left out: it differs in pairs of {n} prompt{'s' if n > 1 else ''}, and {needed} are needed."
        for name, n in counts.items()
        if 0 < n < needed
    )
    return [name for name, n in counts.items() if n and n >= needed], notes


def _blank(
    votes: _Votes, n_thin: int, notes: tuple[str, ...], smallest_effect: float, confidence: float
) -> PreferenceUnderrating:
    n = len(votes.prompt)
    none = Estimate.undefined("Not estimated.", n, confidence)
    shapes = Shapes.undefined(NO_SHAPES, n, confidence)
    these = Scope(**blank_scope(THESE, n, smallest_effect, confidence) | {"shapes": shapes})
    return PreferenceUnderrating(
        **blank_scope(LIKE_THESE, n, smallest_effect, confidence) | {"shapes": shapes},
        these_people=these, total=none, human=none, naive=None, n_pairs=n, n_prompts=len(np.unique(votes.prompt)),
        n_annotators=len(np.unique(votes.annotator)), n_votes=len(votes.value), n_thin=n_thin,
        effective_annotators=effective_number(votes.annotator) if n else None, notes=notes,
    )  # fmt: skip


def _why_undefined(votes: _Votes, blank: PreferenceUnderrating) -> str:
    """Return why there is no slope, empty where there may be one."""
    if not blank.n_pairs:
        if not blank.n_thin:
            return "The scorer has no margin, or unusualness is not known, in any pair that people compared."
        return (
            f"Of the {blank.n_thin:,} pairs with a margin none was compared by two people: without a second vote "
            "nothing shows how far a vote follows true preference."
        )
    if blank.n_prompts < 2:
        return "Only one prompt: nothing shows how the result varies from prompt to prompt. Add prompts."
    if not np.isfinite(votes.columns[:, 0]).all():
        return (
            "Unusualness is the same for both responses of every pair, as it is where a prompt has no others: "
            "measured against two, each is as far from the other."
        )
    if not np.isfinite(votes.columns[:, -1]).all():
        return "All margins are zero."
    return ""


def _cannot_at_all(result: PreferenceUnderrating, why: str) -> PreferenceUnderrating:
    none = Estimate.undefined(why, result.n_pairs, result.underrating.confidence)
    these = replace(result.these_people, underrating=none, reason=why)
    total, human = (none if e.estimate is None else e for e in (result.total, result.human))
    return replace(result, underrating=none, these_people=these, reason=why, total=total, human=human)


def _check(votes: pd.DataFrame, pairs: pd.DataFrame, names: Sequence[str]) -> None:
    for frame, needed in (
        (votes, ["pair_id", "annotator_id", "value"]),
        (pairs, ["pair_id", "prompt_id", *names]),
    ):
        if missing := [name for name in needed if name not in frame]:
            raise ValueError(f"Missing columns: {', '.join(missing)}.")
    if pairs["pair_id"].duplicated().any():
        raise ValueError("A pair stands twice.")
    if votes.duplicated(["pair_id", "annotator_id"]).any():
        raise ValueError("An annotator votes twice on a pair.")
    numbers = pairs[list(names)].to_numpy(dtype=np.float64)
    if np.isinf(numbers).any() or np.isinf(votes["value"].to_numpy(dtype=np.float64)).any():
        raise ValueError("Numbers must be finite.")


def _square(moments: FloatArray, columns: Sequence[int]) -> FloatArray:
    return np.asarray(moments[..., columns, :][..., columns])


def _moments(votes: _Votes) -> tuple[FloatArray, Parts]:
    """Return moments by prompt, shape (P, D, D), and totals without each prompt, annotator and cell."""
    n_pairs = len(votes.prompt)
    n, total, square = (
        np.bincount(votes.pair, weights, n_pairs).astype(np.float64)
        for weights in (None, votes.value, votes.value**2)
    )
    whole = _of_pairs(n, total, square, votes.columns)
    # The pair of each vote without that vote; a pair left with one vote drops out.
    at, v = votes.pair, votes.value
    change = _of_pairs(n[at] - 1, total[at] - v, square[at] - v**2, votes.columns[at]) - whole[at]
    prompt = summed_by(whole, votes.prompt)
    cell = votes.prompt[at] * (int(votes.annotator.max()) + 1) + votes.annotator
    everything = prompt.sum(axis=0)
    by_annotator = everything + summed_by(change, votes.annotator)
    by_cell = everything + summed_by(change, np.unique(cell, return_inverse=True)[1])
    one, two, three = (_rounded(part, n_pairs) for part in (everything - prompt, by_annotator, by_cell))
    return prompt, (one, two, three)


def _rounded(moments: FloatArray, n_pairs: int) -> FloatArray:
    """Return moments with zero for what rounding leaves where no pair is left; columns have mean square 1."""
    return np.where(np.abs(moments) > TINY * n_pairs, moments, 0.0)


def _of_pairs(n: FloatArray, total: FloatArray, square: FloatArray, columns: FloatArray) -> FloatArray:
    """Return the moment matrix of each pair, shape (pairs, D, D); zero where there are fewer than two votes."""
    stays = (n >= 2).astype(np.float64)
    mean = total / np.maximum(n, 1)
    design = np.column_stack([mean, columns]) * stays[:, None]
    moments = design[:, :, None] * design[:, None, :]
    moments[:, 0, 0] = stays * (total**2 - square) / np.maximum(n * (n - 1), 1)
    return np.asarray(moments)


def _naive(votes: _Votes, kept: Sequence[int]) -> float | None:
    n, total = (np.bincount(votes.pair, weights, len(votes.prompt)) for weights in (None, votes.value))
    columns = votes.columns[:, [0, *(1 + i for i in kept), -1]]
    design = np.column_stack([total / n, columns])
    slope = float(solved(design.T @ design).unusual)
    return -slope if math.isfinite(slope) else None
