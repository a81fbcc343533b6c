"""Studies drawn from a stated model, so that their truth is known: for tests, plans and the proof of the audit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from judging.stats.audit.twists import Twist
from judging.stats.core.estimate import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class StudyModel:
    """What a simulated study is drawn from.

    Parameters
    ----------
    prompts, responses : int
        Number of prompts, and of responses to each.
    annotators, ratings : int
        Number of annotators, and how many of them rate each response.
    correlation : float
        Of true quality and unusualness, within prompts.
    validity : float
        Slope of the score on true quality at equal unusualness, in SDs.
    quality, severity, taste, noise : float
        In points of the rating scale: SD of true quality; of an annotator's level; of what an annotator adds for
        each SD of unusualness; and of the rest of one rating.
    by_item : bool
        Annotators are drawn anew for each response; otherwise whoever rates a prompt rates all its responses.
    heavy : int
        The first so many annotators give `heavy_share` of all ratings; only with `by_item`.
    heavy_share : float
        Share of the ratings they give.
    cut : bool
        Ratings are rounded and cut to 1 to 5.
    twist : Twist
        What breaks the straight line, the independence of annotators, or the sample.
    length_effect : float
        Rise of the score per SD of log length, in SDs.
    length_correlation : float
        Of log length and unusualness, within prompts.

    Raises
    ------
    ValueError
        If no study can be drawn from it.

    Notes
    -----
    Within a prompt, quality q, unusualness u and log length l are standard normal; u = rho q + sqrt(1 - rho^2) z.
    A rating of response i by annotator j is 3 + quality q_i + s_j + t_j u_i + noise e_ij, with s_j and t_j
    normal. A score is validity q - effect u + length_effect l + error, of unit variance.
    """

    prompts: int = 50
    responses: int = 15
    annotators: int = 60
    ratings: int = 25
    correlation: float = -0.4
    validity: float = 0.5
    quality: float = 0.4
    severity: float = 0.45
    taste: float = 0.2
    noise: float = 1.0
    by_item: bool = False
    heavy: int = 0
    heavy_share: float = 0.0
    cut: bool = True
    length_effect: float = 0.0
    length_correlation: float = 0.0
    twist: Twist = field(default_factory=Twist)

    def __post_init__(self) -> None:
        """Refuse what can't be drawn."""
        if min(self.prompts, self.responses, self.ratings) < 1 or self.annotators < self.ratings:
            raise ValueError("Need a prompt, a response and a rating, and no more ratings than annotators.")
        if abs(self.correlation) >= 1 or abs(self.length_correlation) >= 1:
            raise ValueError("Correlations must be between -1 and 1.")
        if min(self.quality, self.severity, self.taste, self.noise) < 0:
            raise ValueError("Standard deviations must not be negative.")
        if self.heavy and not (
            self.by_item and self.ratings <= min(self.heavy, self.annotators - self.heavy)
        ):
            raise ValueError("heavy needs by_item, and as many annotators of both sorts as ratings.")
        if not 0 <= self.heavy_share <= 1:
            raise ValueError("heavy_share must be between 0 and 1.")

    def score_noise(self, effect: float) -> float:
        """Return the SD of a score's error when `effect` is planted; ValueError if the score has no room."""
        a, b, c = self.validity, -effect, self.length_effect
        rho, of_length = self.correlation, self.length_correlation
        # l depends on u alone: corr(q, l) = rho times corr(l, u).
        explained = a * a + b * b + c * c + 2 * (a * b * rho + b * c * of_length + a * c * rho * of_length)
        if explained > 1:
            raise ValueError(f"validity and effects explain {explained:.2f} of a score's variance of 1.")
        return math.sqrt(1 - explained)


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated study.

    Parameters
    ----------
    ratings : DataFrame
        prompt_id, response_id, annotator_id (integers), value.
    responses : DataFrame
        prompt_id, response_id, unusualness, log_length, and a column for each scorer.
    scorers : list of str
        Names of the scorers' columns, in the order of the effects.
    mean_taste : float
        Mean of the annotators' tastes for the unusual, in points: what their ratings rise by for each SD of it.
    """

    ratings: pd.DataFrame
    responses: pd.DataFrame
    scorers: list[str]
    mean_taste: float = 0.0


def simulated_study(model: StudyModel, effects: Sequence[float], rng: np.random.Generator) -> Simulated:
    """Return a study with one scorer for each planted effect.

    Parameters
    ----------
    model : StudyModel
        What it is drawn from.
    effects : sequence of float
        Underrating planted in each scorer, in SDs of the score per SD of unusualness at equal quality.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    Simulated

    Raises
    ------
    ValueError
        If an effect leaves the score no room for an error.

    Notes
    -----
    With v validity, g the effect and l `length_effect`: score = v quality - g unusualness + l log length + error; a
    rating = 3 + `quality` quality + severity and taste * unusualness of the annotator + noise, rounded and cut to 1
    to 5 if `cut`. Quality, unusualness and log length have variance 1.
    """
    shape, of_length, twist = (model.prompts, model.responses), model.length_correlation, model.twist
    quality = rng.normal(size=shape)
    rho = twist.correlations(model.correlation, model.prompts)
    unusual = twist.unusual(quality, rho, rng)
    length = of_length * unusual + math.sqrt(1 - of_length**2) * rng.normal(size=shape)
    scores = {}
    for i, effect in enumerate(effects):
        error = twist.score_errors(model.score_noise(effect), shape, rng)
        meant = twist.valid(model.validity, quality, rho, model.correlation)
        meant = meant - twist.penalty(effect, quality, unusual) + model.length_effect * length
        scores[f"scorer {i + 1}"] = (meant + error).ravel()
    severity, taste = (rng.normal(0, sd, model.annotators) for sd in (model.severity, model.taste))
    taste = taste + twist.camp_tastes(model.annotators)
    who = twist.assigned(model.annotators, model.ratings, taste, unusual, rng)
    who = _assigned(model, rng) if who is None else who
    rating: FloatArray = (
        3 + model.quality * quality[..., None] + severity[who] + taste[who] * unusual[..., None]
    )
    rating = rating + twist.rating_errors(model.noise, who, rng)
    if model.cut:
        rating = np.asarray(np.clip(np.round(rating), 1, 5))
    given = twist.given(rating, unusual, rng)
    measured = twist.measured(unusual, rng)
    prompt, response, _ = np.indices(who.shape)
    number = prompt * model.responses + response
    ratings = pd.DataFrame(
        {
            "prompt_id": np.ravel(prompt),
            "response_id": np.ravel(number),
            "annotator_id": np.ravel(who),
            "value": np.ravel(rating),
        }
    )[np.ravel(given)].reset_index(drop=True)
    responses = pd.DataFrame(
        {
            "prompt_id": np.repeat(np.arange(model.prompts), model.responses),
            "response_id": np.arange(model.prompts * model.responses),
            "unusualness": measured[0].ravel(),
            "log_length": length.ravel(),
            **({"second": measured[1].ravel()} if len(measured) > 1 else {}),
            **scores,
        }
    )
    return Simulated(ratings, responses, list(scores), float(taste.mean()))


def _assigned(model: StudyModel, rng: np.random.Generator) -> IntArray:
    """Return who gives each rating, shape (prompts, responses, ratings)."""
    shape = (model.prompts, model.responses)
    if not model.heavy:
        draws = shape if model.by_item else (model.prompts, 1)
        who = np.argsort(rng.random((*draws, model.annotators)), axis=2)[:, :, : model.ratings]
        return np.broadcast_to(who, (*shape, model.ratings)).astype(np.int64)
    often = rng.binomial(model.ratings, model.heavy_share, shape)[..., None]
    # Who comes first of each sort; then the first `often` of the one and the rest of the other.
    first = np.argsort(_keys(rng, shape, model.heavy), axis=2)[:, :, : model.ratings]
    rest = np.argsort(_keys(rng, shape, model.annotators - model.heavy), axis=2)[:, :, : model.ratings]
    place = np.arange(model.ratings)
    return np.where(place < often, first, model.heavy + rest).astype(np.int64)


def _keys(rng: np.random.Generator, shape: tuple[int, int], people: int) -> FloatArray:
    return rng.random((*shape, people))
