"""How much of what people agree on may be error that they share before a verdict turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from judging.stats.audit.curved_moments import CurvedMoments, Sums
from judging.stats.audit.shapes import ShapeReplicates, curved_slope, slope_by_prompt
from judging.stats.audit.slopes import fieller
from judging.stats.audit.verdict import Scope, Verdict
from judging.stats.core.estimate import FloatArray
from judging.stats.core.jackknife import jackknife_interval

STEP, FINE = 0.1, 0.01
"""Shares are looked at in steps, then between the last that the verdict withstands and the next, as finely as said."""


@dataclass(frozen=True, slots=True)
class SharedError:
    """The slopes of one scorer when a share of the variance of quality is error common to all annotators.

    Parameters
    ----------
    shapes : ShapeReplicates
        With the moments they come from.
    scorer : int
        Which column.
    n_parts : int
        1 for these people, 3 for people like these.
    df, confidence : float
        Of the intervals.
    """

    shapes: ShapeReplicates
    scorer: int
    n_parts: int
    df: float
    confidence: float

    def tipping_point(self, scope: Scope) -> float | None:
        """Return the least share, to `FINE`, at which the verdict of a scope is another; None if there is none.

        Parameters
        ----------
        scope : Scope
            With its verdict.

        Returns
        -------
        float or None

        Notes
        -----
        An error that all annotators share survives in products of different annotators. If it makes up a share s of the
        variance of what they agree on, A_qq is (1 - s) of what it seems; all slopes and their intervals are computed
        with it, and the verdict holds while all lie where it says. Underrating among good answers alone is not
        followed. Cinelli and Hazlett (2020), Journal of the Royal Statistical Society B 82:39, for such sensitivity.
        """
        side = {Verdict.UNDERRATES: 1, Verdict.OVERRATES: -1, Verdict.NO_UNDERRATING: 0}.get(scope.verdict)
        if side is None or scope.good_alone:
            return None
        steps = (float(s) for s in np.arange(STEP, 0.999, STEP))
        turns = next((s for s in steps if not self._stands(s, side, scope.smallest_effect)), None)
        if turns is None:
            return None
        stands = turns - STEP
        while turns - stands > FINE:
            middle = (stands + turns) / 2
            if self._stands(middle, side, scope.smallest_effect):
                stands = middle
            else:
                turns = middle
        return round(turns, 3)

    def _stands(self, share: float, side: int, limit: float) -> bool:
        """Whether all slopes lie on a side of zero, 0 for both with nothing above the limit, given a share."""

        def fits(ends: tuple[float, float]) -> bool:
            if side == 0:
                return ends[0] <= 0 <= ends[1] <= limit
            return min(side * ends[0], side * ends[1]) > 0

        pooled = self._pooled(share)
        if pooled is None or not fits(pooled):
            return False
        return all(ends is None or fits(ends) for ends in self._others(share))

    def _others(self, share: float) -> Iterator[tuple[float, float] | None]:
        yield self._by_prompt(share)
        yield self._curved(share)

    def _pooled(self, share: float) -> tuple[float, float] | None:
        whole, *parts = self._each(self.shapes.moments, share, _cross_and_left)
        pairs = [(part[0], part[1]) for part in parts]
        return fieller((float(whole[0]), float(whole[1])), pairs, self.df, self.confidence)

    def _by_prompt(self, share: float) -> tuple[float, float] | None:
        return self._interval(self._each(self.shapes.moments, share, slope_by_prompt))

    def _curved(self, share: float) -> tuple[float, float] | None:
        if self.shapes.quartic is None or self.shapes.why_no_curve(self.scorer, self.n_parts):
            return None
        return self._interval(self._each(self.shapes.quartic, share, curved_slope))

    def _interval(self, slopes: Sequence[FloatArray]) -> tuple[float, float] | None:
        whole, *parts = (s[..., 0] for s in slopes)
        if not np.isfinite(whole):
            return None
        e = jackknife_interval(float(whole), parts, self.df, self.shapes.n, self.confidence)
        return None if e.low is None or e.high is None else (e.low, e.high)

    def _each(
        self, moments: CurvedMoments, share: float, of: Callable[[Sums], FloatArray]
    ) -> list[FloatArray]:
        """Return a function of the sums of all data and of each replicate, given a share."""
        sums = (moments.whole, *moments.parts[: self.n_parts])
        return [of(s.of_score(self.scorer).less_shared_error(share)) for s in sums]


def _cross_and_left(sums: Sums) -> FloatArray:
    """Return quality left beside unusualness, first times the slope and then alone, shape (2, ...)."""
    u, m = sums.own[..., 0, :], sums.own[..., 1, :]
    square = np.where(u[..., 1] > 0, u[..., 1], np.nan)
    cross = (sums.common[..., 0] * m[..., 1] - u[..., 0] * m[..., 0]) / square
    return np.stack([cross, sums.common[..., 0] - u[..., 0] ** 2 / square])
