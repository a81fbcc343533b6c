"""What breaks a simulated study: curves, camps, shared error, self-selection, weak measures, heavy tails."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from judging.stats.core.estimate import BoolArray, FloatArray, IntArray

Curve = Literal["straight", "flat above average", "only the best told apart", "concave"]
Follows = Literal["straight", "high only for bad", "high only for the best", "u-shaped"]

_SIDE = math.sqrt(0.5 - 1 / (2 * math.pi))  # SD of max(0, q), q standard normal
_BEND = 0.7
_CONCAVE = math.sqrt(math.exp(2 * _BEND**2) - math.exp(_BEND**2))  # SD of exp(-_BEND q)
_CURVES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "straight": lambda q: q,
    "flat above average": lambda q: (np.minimum(q, 0) + 1 / math.sqrt(2 * math.pi)) / _SIDE,
    "only the best told apart": lambda q: (np.maximum(q, 0) - 1 / math.sqrt(2 * math.pi)) / _SIDE,
    "concave": lambda q: (math.exp(_BEND**2 / 2) - np.exp(-_BEND * q)) / _CONCAVE,
    "high only for bad": lambda q: (np.maximum(-q, 0) - 1 / math.sqrt(2 * math.pi)) / _SIDE,
    "high only for the best": lambda q: (np.maximum(q, 0) - 1 / math.sqrt(2 * math.pi)) / _SIDE,
    "u-shaped": lambda q: (q**2 - 1) / math.sqrt(2),
}
"""Of standard normal quality, each with mean 0 and variance 1."""


@dataclass(frozen=True, slots=True)
class Twist:
    """How a study departs from the plain model; by default not at all.

    Parameters
    ----------
    curve : str
        Shape of the score's expectation given quality.
    follows : str
        Shape of unusualness' expectation given quality; else they correlate by .5, u-shaped by .4.
    varying : float
        Half the range of the correlation of quality and unusualness over prompts; where it is lower, the score
        follows quality by as much more.
    shared_error : float
        SD, in points, of an error of all annotators of a response.
    huddle : float
        SD, in points, of an error that three annotators of a response share.
    camps : float
        Annotators are of two camps whose taste for the unusual is so much above or below; one rates a prompt.
    choosy : float
        How strongly annotators choose items by their taste; each item still gets all its ratings.
    passing : float
        Chance that an annotator passes over a response that is unusual and that he would rate below 3.
    reliability : float
        Of the measure of unusualness; below 1 there is a second one, as noisy.
    tails : float
        Degrees of freedom of the score's errors, Student's t; 0 for normal ones.
    interaction : float
        Further underrating for each SD of quality, in SDs of the score.
    """

    curve: Curve = "straight"
    follows: Follows = "straight"
    varying: float = 0.0
    shared_error: float = 0.0
    huddle: float = 0.0
    camps: float = 0.0
    choosy: float = 0.0
    passing: float = 0.0
    reliability: float = 1.0
    tails: float = 0.0
    interaction: float = 0.0

    def correlations(self, correlation: float, prompts: int) -> FloatArray:
        """Return the correlation of quality and unusualness in each prompt, shape (prompts, 1)."""
        return np.asarray((correlation + self.varying * np.linspace(-1, 1, prompts))[:, None])

    def unusual(self, quality: FloatArray, rho: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return unusualness of unit variance."""
        weight, expected = rho, quality
        if self.follows != "straight":
            strength = 0.4 if self.follows == "u-shaped" else 0.5
            weight, expected = np.full_like(rho, strength), _CURVES[self.follows](quality)
        return np.asarray(weight * expected + np.sqrt(1 - weight**2) * rng.normal(size=quality.shape))

    def valid(self, validity: float, quality: FloatArray, rho: FloatArray, middle: float) -> FloatArray:
        """Return the part of the score that is quality."""
        slope = validity - (rho - middle if self.varying else 0.0)
        return np.asarray(slope * _CURVES[self.curve](quality))

    def penalty(self, effect: float, quality: FloatArray, unusual: FloatArray) -> FloatArray:
        """Return what the score loses for unusualness."""
        return np.asarray(
            (effect + self.interaction * quality) * unusual if self.interaction else effect * unusual
        )

    def score_errors(self, sd: float, shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
        """Return the rest of the score; Student's t scaled to the interquartile range of the normal."""
        if not self.tails:
            return np.asarray(sd * rng.normal(size=shape))
        return np.asarray(sd * rng.standard_t(self.tails, size=shape))

    def camp_tastes(self, annotators: int) -> FloatArray:
        """Return what each annotator's camp adds to his taste."""
        return np.where(np.arange(annotators) % 2 == 0, self.camps, -self.camps)

    def assigned(
        self, annotators: int, ratings: int, taste: FloatArray, unusual: FloatArray, rng: np.random.Generator
    ) -> IntArray | None:
        """Return who gives each rating, shape (prompts, responses, ratings), or None for the usual way."""
        if self.choosy:
            wish = self.choosy * taste / (float(taste.std()) or 1.0) * unusual[..., None]
            keys = rng.gumbel(size=(*unusual.shape, annotators)) + wish
            return np.asarray(np.argsort(-keys, axis=2)[:, :, :ratings])
        if self.camps:
            keys = rng.random((len(unusual), 1, annotators))
            keys += (np.arange(annotators) % 2 != rng.integers(0, 2, (len(unusual), 1, 1))) * 2.0
            who = np.argsort(keys, axis=2)[:, :, :ratings]
            return np.broadcast_to(who, (*unusual.shape, ratings)).astype(np.int64)
        return None

    def rating_errors(self, noise: float, who: IntArray, rng: np.random.Generator) -> FloatArray:
        """Return the errors of ratings, of shape (prompts, responses, ratings)."""
        if not self.huddle:
            errors = rng.normal(0, noise, who.shape)
        else:
            shared = rng.normal(0, self.huddle, (*who.shape[:2], -(-who.shape[2] // 3)))
            own = rng.normal(0, math.sqrt(noise**2 - self.huddle**2), who.shape)
            errors = own + np.repeat(shared, 3, axis=2)[:, :, : who.shape[2]]
        if self.shared_error:
            errors = errors + rng.normal(0, self.shared_error, who.shape[:2])[..., None]
        return np.asarray(errors)

    def given(self, ratings: FloatArray, unusual: FloatArray, rng: np.random.Generator) -> BoolArray:
        """Return which ratings are given, not passed over."""
        if not self.passing:
            return np.ones(ratings.shape, dtype=bool)
        tempting = (unusual[..., None] > 0) & (ratings < 3)
        return np.asarray(~(tempting & (rng.random(ratings.shape) < self.passing)))

    def measured(self, unusual: FloatArray, rng: np.random.Generator) -> list[FloatArray]:
        """Return what measures of unusualness say: one without noise, or two with."""
        if self.reliability == 1:
            return [unusual]
        signal, noise = math.sqrt(self.reliability), math.sqrt(1 - self.reliability)
        return [signal * unusual + noise * rng.normal(size=unusual.shape) for _ in range(2)]
