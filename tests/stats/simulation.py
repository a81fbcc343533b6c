"""Made-up studies whose truth is known, and the estimator of judging/stats/README.md 4.5 written out slowly."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from judging.stats.audit.simulation import StudyModel, simulated_study

Floats = NDArray[np.float64]


def simulate(
    seed: int,
    *,
    prompts: int = 30,
    size: int = 10,
    seats: int = 10,
    annotators: int = 30,
    rho: float = -0.4,
    effect: float = 0.0,
    itemwise: bool = False,
    length_effect: float = 0.0,
    noise: float = 1.6,
    taste: float = 0.2,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return ratings and responses; quality and unusualness correlate by rho, the score falls by `effect`."""
    sd = float(np.sqrt(score_sd(effect, rho) ** 2 + length_effect**2))
    model = StudyModel(
        prompts=prompts, responses=size, annotators=annotators, ratings=seats, correlation=rho,
        validity=0.5 / sd, quality=0.8, noise=noise, taste=taste, by_item=itemwise, length_effect=length_effect / sd,
    )  # fmt: skip
    study = simulated_study(model, [effect / sd], np.random.default_rng(seed))
    ratings, responses = study.ratings, study.responses.rename(columns={"scorer 1": "score"})
    for frame in (ratings, responses):
        frame["prompt_id"] = "p" + frame["prompt_id"].astype(str)
        frame["response_id"] = "r" + frame["response_id"].astype(str)
    ratings["annotator_id"] = "w" + ratings["annotator_id"].astype(str)
    responses["score"] *= sd
    return ratings, responses


def score_sd(effect: float, rho: float = -0.4) -> float:
    """Return the population SD of the simulated score without a length effect."""
    return float(np.sqrt(1 + effect**2 - effect * rho))


def slow_prompt(rows: pd.DataFrame, columns: dict[str, Floats]) -> Floats:
    """Return one prompt's moments by loops over pairs of responses; `columns` maps response to (u, .., m)."""
    said: dict[str, dict[str, float]] = {}
    triples = zip(rows["response_id"], rows["annotator_id"], rows["value"], strict=True)
    for response, annotator, value in triples:
        said.setdefault(response, {})[annotator] = value
    said = {response: votes for response, votes in said.items() if len(votes) >= 2}
    names = list(said)
    depth = 1 + len(next(iter(columns.values())))
    if not names:
        return np.zeros((depth, depth))
    middle = np.mean([np.mean(list(said[r].values())) for r in names])
    centered = {r: {j: y - middle for j, y in said[r].items()} for r in names}
    between = np.zeros((len(names), len(names)))
    for i, first in enumerate(names):
        for k, second in enumerate(names):
            products = [
                y * z for j, y in centered[first].items() for h, z in centered[second].items() if j != h
            ]
            between[i, k] = np.sum(products) / len(products)
    design = np.array([[np.mean(list(centered[r].values())), *columns[r]] for r in names])
    design = design - design.mean(axis=0)
    moments = design.T @ design
    moments[0, 0] = np.trace(between) - between.sum() / len(names)
    return np.asarray(moments)


def slow_moments(ratings: pd.DataFrame, columns: dict[str, Floats]) -> Floats:
    """Return the moments summed over prompts."""
    return np.asarray(sum(slow_prompt(rows, columns) for _, rows in ratings.groupby("prompt_id")))


def slow_slope(moments: Floats) -> float:
    """Return the underrating of a moment matrix."""
    return -float(np.linalg.solve(moments[:-1, :-1], moments[:-1, -1])[1])


def slow_left(moments: Floats) -> float:
    """Return the Schur complement of A_qq."""
    rest = moments[1:-1, 1:-1]
    return float(moments[0, 0] - moments[0, 1:-1] @ np.linalg.solve(rest, moments[1:-1, 0]))


def slow_variance(parts: list[list[float]]) -> float:
    """Return the two-way jackknife variance of replicates without a prompt, an annotator, a cell."""
    v = [(len(p) - 1) / len(p) * float(np.sum((np.array(p) - np.mean(p)) ** 2)) for p in parts]
    return max(v[0] + v[1] - v[2], v[0])


def slow_underrating(
    ratings: pd.DataFrame, responses: pd.DataFrame, covariates: list[str]
) -> dict[str, float | list[list[float]]]:
    """Return estimate, replicates, interval and strength, every replicate computed from its own ratings.

    Every response must have two ratings and every prompt two such responses.
    """
    names = ["unusualness", *covariates, "score"]
    deviation = responses[names] - responses.groupby("prompt_id")[names].transform("mean")
    sd = np.sqrt((deviation**2).sum() / (len(responses) - responses["prompt_id"].nunique()))
    scaled = (responses[names] / sd).to_numpy()
    columns = dict(zip(responses["response_id"], scaled, strict=True))
    prompts, people = ratings["prompt_id"], ratings["annotator_id"]
    kept = [
        [ratings[prompts != p] for p in prompts.unique()],
        [ratings[people != w] for w in people.unique()],
        [ratings[~((prompts == p) & (people == w))] for p, w in set(zip(prompts, people, strict=True))],
    ]
    moments = [[slow_moments(frame, columns) for frame in frames] for frames in kept]
    whole = slow_moments(ratings, columns)
    slopes = [[slow_slope(m) for m in part] for part in moments]
    left = [[slow_left(m) for m in part] for part in moments]
    error = np.sqrt(slow_variance(slopes))
    shares = people.value_counts(normalize=True)
    reach = float(stats.t.ppf(0.975, min(prompts.nunique(), 1 / (shares**2).sum()) - 1)) * error
    estimate = slow_slope(whole)
    return {
        "estimate": estimate,
        "standard_error": float(error),
        "low": estimate - reach,
        "high": estimate + reach,
        "strength": slow_left(whole) / float(np.sqrt(slow_variance(left))),
        "replicates": [sorted(part) for part in slopes],
    }
