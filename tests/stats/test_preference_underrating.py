"""Underrating from votes: against the sums written out, under relabelings, and in studies whose truth is known."""

from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from judging.stats import Verdict, preference_underrating
from judging.stats.audit.preference_underrating import PreferenceUnderrating


def study(
    rng: np.random.Generator,
    *,
    prompts: int = 60,
    each: int = 4,
    people: int = 30,
    votes: int = 8,
    rho: float = -0.4,
    planted: float = 0.0,
    clarity: float = 0.8,
    taste: float = 0.2,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Votes follow the difference of quality and each person's taste; the margin is linear in the mean vote."""
    n = prompts * each
    u = rng.normal(size=n)
    q = rho * u + np.sqrt(1 - rho**2) * rng.normal(size=n)
    liking = rng.normal(scale=taste, size=people)
    who = np.argsort(rng.random((n, people)), axis=1)[:, :votes]
    latent = clarity * q[:, None] + liking[who] * u[:, None] + rng.normal(size=(n, votes))
    expected = 2 * norm.cdf(clarity * q / np.sqrt(1 + (taste * u) ** 2)) - 1
    margin = expected + rng.normal(scale=0.6, size=n)
    margin = margin / margin.std() - planted * u
    length = rng.normal(size=n)
    pairs = pd.DataFrame(
        {"pair_id": np.arange(n), "prompt_id": np.repeat(np.arange(prompts), each), "unusualness": u,
         "log_length": length, "margin": margin}
    )  # fmt: skip
    given = pd.DataFrame(
        {"pair_id": np.repeat(np.arange(n), votes), "annotator_id": who.ravel(),
         "value": np.sign(latent).ravel()}
    )  # fmt: skip
    return given, pairs


def slow_slope(votes: pd.DataFrame, pairs: pd.DataFrame) -> float:
    """Minus theta_u of statistics 4.7, pair by pair and vote by vote."""
    sums = np.zeros((4, 4))
    scale = {c: np.sqrt((pairs[c] ** 2).mean()) for c in ("unusualness", "log_length", "margin")}
    for _, pair in pairs.iterrows():
        v = votes.loc[votes["pair_id"] == pair["pair_id"], "value"].to_numpy()
        row = np.array([v.mean(), *(pair[c] / scale[c] for c in scale)])
        own = np.outer(row, row)
        own[0, 0] = sum(a * b for i, a in enumerate(v) for j, b in enumerate(v) if i != j) / (
            len(v) * (len(v) - 1)
        )
        sums += own
    return -float(np.linalg.solve(sums[:3, :3], sums[:3, 3])[1])


def same(one: PreferenceUnderrating, other: PreferenceUnderrating) -> None:
    for a, b in zip(astuple(one), astuple(other), strict=True):
        if isinstance(a, tuple):
            assert a[:3] == pytest.approx(b[:3], abs=1e-9)
        else:
            assert a == (pytest.approx(b, abs=1e-9) if isinstance(b, float) else b)


def test_it_is_the_sum_written_out() -> None:
    votes, pairs = study(np.random.default_rng(1), prompts=6, each=3, people=7, votes=4)
    assert preference_underrating(votes, pairs).underrating.estimate == pytest.approx(
        slow_slope(votes, pairs), abs=1e-10
    )


def test_neither_the_order_of_rows_nor_of_a_pairs_responses_matters() -> None:
    rng = np.random.default_rng(2)
    votes, pairs = study(rng, prompts=12)
    plain = preference_underrating(votes, pairs)
    same(
        plain,
        preference_underrating(votes.sample(frac=1, random_state=1), pairs.sample(frac=1, random_state=2)),
    )
    turned = rng.random(len(pairs)) < 0.5
    sign = np.where(turned, -1.0, 1.0)
    other = pairs.assign(**{c: pairs[c] * sign for c in ("unusualness", "log_length", "margin")})
    swapped = votes.assign(value=votes["value"] * sign[votes["pair_id"]])
    same(plain, preference_underrating(swapped, other))


def test_replicates_without_an_annotator_are_the_data_without_them() -> None:
    """The jackknife's moments against the same data with the votes really removed."""
    from judging.stats.audit.preference_underrating import _coded, _moments

    votes, pairs = study(np.random.default_rng(3), prompts=5, each=2, people=6, votes=3)
    coded, _ = _coded(votes, pairs, ("log_length",))
    _, (_, without, _) = _moments(coded)
    for person in range(6):
        kept = votes[votes["annotator_id"] != person]
        smaller, _ = _coded(kept, pairs, ("log_length",))
        scale = [np.sqrt((pairs[c] ** 2).mean()) for c in ("unusualness", "log_length", "margin")]
        rows = pairs["pair_id"].isin(kept["pair_id"].value_counts().loc[lambda s: s >= 2].index)
        raw = pairs.loc[rows, ["unusualness", "log_length", "margin"]].to_numpy() / scale
        moments = _moments(type(coded)(smaller.pair, smaller.annotator, smaller.value, smaller.prompt, raw))[
            0
        ]
        assert without[person] == pytest.approx(moments.sum(axis=0), abs=1e-10)


# A design, and how many of 120 studies find .3 planted at the least.
DESIGNS: list[tuple[dict[str, float], int]] = [
    ({}, 100),
    ({"each": 1, "prompts": 150, "votes": 3}, 30),
    ({"prompts": 40, "each": 6, "people": 12, "votes": 6}, 100),
    ({"taste": 0.0}, 100),
]


@pytest.mark.parametrize(("design", "power"), DESIGNS)
@pytest.mark.parametrize("planted", [0.0, 0.3])
def test_intervals_cover_what_was_planted(design: dict[str, float], power: int, planted: float) -> None:
    """120 studies a design, seeded: coverage at least .90 (three standard errors below .95 is .89)."""
    rng = np.random.default_rng(4)
    covered, alarms, naive = [], 0, []
    for _ in range(120):
        votes, pairs = study(rng, planted=planted, **design)  # type: ignore[arg-type]
        truth = planted / np.sqrt((pairs["margin"] ** 2).mean()) * np.sqrt((pairs["unusualness"] ** 2).mean())
        result = preference_underrating(votes, pairs)
        naive.append((result.naive or 0.0) - truth)
        if result.underrating.low is not None and result.underrating.high is not None:
            covered.append(result.underrating.low <= truth <= result.underrating.high)
            alarms += result.verdict is Verdict.UNDERRATES
    assert len(covered) >= 100
    assert np.mean(covered) >= 0.90
    assert np.mean(naive) > 0.02  # what it is for: the naive slope convicts
    assert alarms >= power if planted else alarms <= 8


def test_too_little_says_why() -> None:
    votes, pairs = study(np.random.default_rng(5), prompts=1)
    result = preference_underrating(votes, pairs)
    assert (result.underrating.estimate, result.verdict) == (None, Verdict.CANT_TELL)
    votes, pairs = study(np.random.default_rng(5), prompts=5)
    alone = votes.drop_duplicates("pair_id")
    assert preference_underrating(alone, pairs).n_thin == len(pairs)
    with pytest.raises(ValueError, match="votes twice"):
        preference_underrating(pd.concat([votes, votes]), pairs)
    with pytest.raises(ValueError, match="Missing columns: margin"):
        preference_underrating(votes, pairs.drop(columns="margin"))
