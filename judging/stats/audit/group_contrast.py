"""Gaps between kinds of source, the machine's beside people's: no single response needs a reliable mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd

from judging.stats.audit.group_gaps import GroupContrast, described
from judging.stats.audit.moments import Moments, cross_rater_moments
from judging.stats.audit.slopes import p_values, solved
from judging.stats.audit.verdict import WEAK
from judging.stats.core.columns import TINY, beside_unusualness, prepared
from judging.stats.core.estimate import Estimate, FloatArray, IntArray, check_confidence, unbounded_t_interval
from judging.stats.core.jackknife import jackknife_variance
from judging.stats.core.panel import Panel
from judging.stats.core.sample import effective_number, require, sample_of, scored_alike


def group_contrasts(
    ratings: pd.DataFrame,
    responses: pd.DataFrame,
    scorers: Sequence[str] = ("score",),
    *,
    covariates: Sequence[str] = ("log_length",),
    same_scale: Collection[str] = (),
    confidence: float = 0.95,
) -> dict[str, list[GroupContrast]]:
    """Return for each scorer how far it sets each kind of source apart from the others, beside how far people do.

    Parameters
    ----------
    ratings : DataFrame
        Columns prompt_id, response_id, annotator_id, value, as for `underrating`.
    responses : DataFrame
        Columns prompt_id, response_id, group (text, which kind of source wrote it; empty or missing is left out), the
        covariates, and a column for each scorer. One row a response.
    scorers : sequence of str
        Columns of the scorers.
    covariates : sequence of str
        Held constant in `at_equal_quality` only: a gap may well come from length.
    same_scale : collection of str
        Scorers that give points on the annotators' scale: their gap and people's are compared in points too.
    confidence : float
        Level of the intervals.

    Returns
    -------
    dict of str to list of GroupContrast
        By scorer, an entry for each kind in order of name; of two kinds only the first, since the other mirrors it.
        An empty list where there are fewer than two kinds.

    Raises
    ------
    ValueError
        As `underratings`, or if responses lacks the column group.

    Notes
    -----
    With g = 1 for the kind and 0 for others, all centered within prompts, and sums over prompts that have both:
    scorer gap = sum(g m) / sum(g g) / SD(m), the least-squares gap with prompts as fixed effects; human gap =
    sum(g q) / sum(g g) / SD(q). A mean over many ratings has little error, so neither gap needs a reliable mean of
    one response. SD(q) = sqrt(A_qq / sum(K_p - 1)) with A_qq of `cross_rater_moments`: the SD of observed means
    holds noise, which would shrink people's gap. `contrast` and `human_gap` are undefined while A_qq over its jackknife
    standard error is below 3.2.

    Which contrast accuses: a fair scorer whose scores follow quality with noise has a gap of r times people's, r its
    validity below 1. So a gap beyond people's, or one against theirs, is the scorer's own; one that falls short
    of theirs may be nothing but noise, and only `at_equal_quality` tells: the coefficient of g beside true quality
    and covariates, from the same errors-in-variables equations as `underrating`, in SDs of the score.

    Intervals: two-way jackknife as in `underrating`, recomputing SD(q) in each replicate, and Student's t with
    min(prompts, effective annotators) - 1 degrees of freedom.

    References
    ----------
    judging/stats/README.md, section 4.5, for moments and jackknife.
    """
    check_confidence(confidence)
    require(responses, ["group"], "responses")
    table = responses.assign(unusualness=np.nan)
    beside_unusualness(covariates, scorers)
    group = table["group"].astype(object).where(table["group"].notna(), "").astype(str)
    table, group = table[group != ""], group[group != ""]
    rated = group[table["response_id"].isin(ratings["response_id"])]
    kinds = sorted(set(rated), key=str.casefold)
    if len(kinds) == 2:
        kinds = kinds[:1]
    contrasts: dict[str, list[GroupContrast]] = {name: [] for name in scorers}
    for kind in kinds if len(set(rated)) > 1 else []:
        chosen = table.assign(unusualness=(group == kind).astype(float))
        for some in scored_alike(chosen, scorers):
            for name, result in _of_kind(
                ratings, chosen, some, kind, tuple(covariates), same_scale, confidence
            ).items():
                contrasts[name].append(result)
    return contrasts


def _of_kind(
    ratings: pd.DataFrame,
    table: pd.DataFrame,
    scorers: Sequence[str],
    kind: str,
    covariates: tuple[str, ...],
    same_scale: Collection[str],
    confidence: float,
) -> dict[str, GroupContrast]:
    """Return the contrasts of one kind, of scorers that scored the same responses."""
    kept = _with_both(ratings, table, scorers, covariates)
    known = ratings["prompt_id"].isin(kept["prompt_id"])
    sample = sample_of(ratings[known], kept, covariates, tuple(scorers))
    panel, n = sample.panel, len(sample.kept)
    count = int(panel.columns[:, 0].sum()) if n else 0
    none = Estimate.undefined("Not estimated.", n, confidence)
    blank = GroupContrast(
        group=kind, n_group=count, n_others=n - count, n_prompts=panel.n_prompts if n else 0,
        n_annotators=panel.n_annotators if n else 0, n_ratings=len(panel.value), scorer_gap=none,
        scorer_gap_raw=none, human_gap=none, human_gap_raw=none, contrast=none, contrast_raw=none, p=None,
        at_equal_quality=none, strength=None, reason="",
    )  # fmt: skip
    if n == 0:
        why = "No prompt has responses of this kind and of others with two ratings each."
        return dict.fromkeys(scorers, _undefined(blank, why))
    ready = prepared(sample, covariates, scorers)
    if ready.panel is None or ready.scales is None:
        why = ready.why_not.replace("Unusualness", "The kind of source")
        return dict.fromkeys(scorers, _undefined(blank, why))
    flat = _undefined(blank, "The scorer gives all responses to a prompt the same score.")
    contrasts = dict.fromkeys(scorers, flat)
    whole = _replicated(ready.panel, confidence)
    for i, (name, scale) in enumerate(ready.scales.items()):
        own = [*range(1 + ready.n_beside), 1 + ready.n_beside + i]
        units = _Units(_step(panel), scale, ready.spread)
        contrasts[name] = _estimated(blank, whole.only(own), units, points=name in same_scale)
    return contrasts


def _with_both(
    ratings: pd.DataFrame, table: pd.DataFrame, scorers: Sequence[str], covariates: Sequence[str]
) -> pd.DataFrame:
    """Return the responses that can be used, of prompts in which such responses are of both sorts."""
    if not {*scorers, *covariates} <= set(table):
        return table  # sample_of says what is missing
    given = ratings.dropna(subset=["value"])["response_id"].value_counts()
    usable = table["response_id"].map(given).fillna(0) >= 2
    usable &= table[[*scorers, *covariates]].notna().all(axis=1)
    kept = table[usable]
    both = kept.groupby("prompt_id")["unusualness"].transform("nunique") == 2
    return kept[both]


def _undefined(result: GroupContrast, reason: str) -> GroupContrast:
    """Return the result with the reason on every estimate that is missing."""
    names = (
        "scorer_gap",
        "scorer_gap_raw",
        "human_gap",
        "human_gap_raw",
        "contrast",
        "contrast_raw",
        "at_equal_quality",
    )
    given: dict[str, Estimate] = {name: getattr(result, name) for name in names}
    reasons = {name: replace(e, reason=reason) for name, e in given.items() if e.low is None}
    return replace(result, **reasons, reason=reason)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _Replicated:
    """Moments of all data and of every replicate, with the degrees of freedom within prompts of each."""

    total: FloatArray
    freedom: float
    parts: tuple[tuple[FloatArray, FloatArray], ...]
    df: float
    n: int
    confidence: float

    def only(self, columns: Sequence[int]) -> Self:
        """Return the same of some of the columns."""
        pick = np.ix_(columns, columns)
        parts = tuple((moments[:, pick[0], pick[1]], freedom) for moments, freedom in self.parts)
        return replace(self, total=self.total[pick], parts=parts)

    def estimate(
        self, statistic: Callable[[FloatArray, FloatArray], FloatArray]
    ) -> tuple[Estimate, float | None]:
        """Return a statistic of moments and freedom with its interval, and its standard error."""
        point = float(statistic(self.total, np.array(self.freedom)))
        if not math.isfinite(point):
            return Estimate.undefined("The equations are singular.", self.n, self.confidence), None
        variance = jackknife_variance([statistic(moments, freedom) for moments, freedom in self.parts])
        if variance is None or self.df < 1:
            why = "No interval: " + self._why_none(statistic)
            return Estimate(point, None, None, self.n, why, self.confidence), None
        error = math.sqrt(variance.total)
        return unbounded_t_interval(point, error, self.df, self.n, self.confidence), error

    def _why_none(self, statistic: Callable[[FloatArray, FloatArray], FloatArray]) -> str:
        names = ("prompts", "annotators", "annotators' ratings of a prompt")
        for name, part in zip(names, self.parts, strict=True):
            if not np.isfinite(statistic(*part)).all():
                return f"the result hangs on one of the {name}; without it there is none."
        return "there are too few prompts or annotators."


@dataclass(frozen=True, slots=True)
class _Units:
    """The SD of the column of kinds, which has unit SD in the moments while a gap is a step from 0 to 1; of scores and
    of ratings."""

    step: float
    score: float
    rating: float


def _replicated(panel: Panel, confidence: float) -> _Replicated:
    """Return the moments of a panel and of its replicates."""
    moments = cross_rater_moments(panel)
    df = min(panel.n_prompts, effective_number(panel.annotator)) - 1
    parts = zip(moments.replicates(), _freedoms(panel, moments), strict=True)
    freedom = float(len(panel.prompt) - panel.n_prompts)
    return _Replicated(moments.total, freedom, tuple(parts), df, len(panel.prompt), confidence)


def _estimated(blank: GroupContrast, of: _Replicated, units: _Units, *, points: bool) -> GroupContrast:
    """Return the result with every gap."""
    step = units.step

    def scorer(m: FloatArray, _: FloatArray) -> FloatArray:
        return np.asarray(_over(m[..., 1, -1], m[..., 1, 1]) / step)

    def rated(m: FloatArray, _: FloatArray) -> FloatArray:
        return np.asarray(_over(m[..., 0, 1], m[..., 1, 1]) / step)

    def human(m: FloatArray, f: FloatArray) -> FloatArray:
        return np.asarray(rated(m, f) * np.sqrt(_over(f, m[..., 0, 0])))

    scorer_gap, _ = of.estimate(scorer)
    result = replace(
        blank,
        df=of.df if of.df >= 1 else None,
        scorer_gap=scorer_gap,
        scorer_gap_raw=of.estimate(lambda m, f: units.score * scorer(m, f))[0],
        human_gap_raw=of.estimate(lambda m, f: units.rating * rated(m, f))[0],
    )
    own = Estimate.undefined("The scorer has a scale of its own.", of.n, of.confidence)
    raw, raw_error = own, None
    if points:
        raw, raw_error = of.estimate(
            lambda m, f: np.asarray(units.score * scorer(m, f) - units.rating * rated(m, f))
        )
    result = replace(result, contrast_raw=raw, p=_p(raw, raw_error, of.df))
    quality, error = of.estimate(lambda m, _: np.asarray(m[..., 0, 0]))
    if quality.estimate is None or not error or quality.estimate / error < WEAK:
        why = "People's ratings don't say how far true quality varies, so their gap can't be put in its SDs."
        none = Estimate.undefined(why, of.n, of.confidence)
        return described(replace(result, human_gap=none, contrast=none, at_equal_quality=none))
    contrast, error = of.estimate(lambda m, f: np.asarray(scorer(m, f) - human(m, f)))
    left, strength = _at_equal_quality(of, step)
    return described(
        replace(
            result, human_gap=of.estimate(human)[0], contrast=contrast, p=_p(contrast, error, of.df),
            at_equal_quality=left,
            strength=strength,
        )
    )  # fmt: skip


def _p(e: Estimate, error: float | None, df: float) -> float | None:
    """Return the two-sided p of zero."""
    return None if e.estimate is None or error is None else p_values(e.estimate, error, df)[0]


def _at_equal_quality(of: _Replicated, step: float) -> tuple[Estimate, float | None]:
    """Return the gap left beside true quality and covariates, and its identification strength."""
    left, error = of.estimate(lambda m, _: solved(m).left)
    strength = None if left.estimate is None or not error else left.estimate / error
    if strength is None or strength < WEAK:
        why = "The ratings do not pin true quality down well enough within the kinds."
        return Estimate.undefined(why, of.n, of.confidence), strength
    return of.estimate(lambda m, _: np.asarray(solved(m).unusual / step))[0], strength


def _over(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return a / b, NaN where b is not positive."""
    return np.asarray(np.divide(a, b, out=np.full(np.shape(b), np.nan), where=b > TINY))


def _step(raw: Panel) -> float:
    """Return the pooled within-prompt SD of the column of kinds, which is 0 or 1."""
    kind, size = raw.columns[:, 0], np.bincount(raw.prompt)
    mean = (np.bincount(raw.prompt, kind) / size)[raw.prompt]
    return math.sqrt(float(((kind - mean) ** 2).sum()) / (len(kind) - len(size)))


def _freedoms(panel: Panel, moments: Moments) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the degrees of freedom within prompts that are left without each prompt, annotator and cell."""
    sizes = np.bincount(panel.prompt)
    total = float((sizes - 1).sum())
    # A response with two ratings drops out with either of them.
    thin = np.bincount(panel.response)[panel.response] == 2
    key = panel.prompt[panel.response] * panel.n_annotators + panel.annotator
    own = moments.cell_prompt * panel.n_annotators + moments.cell_annotator
    dropped = np.bincount(np.searchsorted(own, key[thin]), minlength=len(own))
    lost: IntArray = np.minimum(dropped, sizes[moments.cell_prompt] - 1)
    by_annotator = np.bincount(moments.cell_annotator, lost, minlength=panel.n_annotators)
    by_prompt = np.asarray(total - (sizes - 1.0))
    return by_prompt, np.asarray(total - by_annotator), total - lost.astype(np.float64)
