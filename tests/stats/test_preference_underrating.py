"""Underrating from votes: against the sums written out, under relabelings, and in studies whose truth is known."""

from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t

from judging.stats import Verdict, preference_underrating


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


COLUMNS = ("unusualness", "log_length", "margin")


def scales(pairs: pd.DataFrame) -> dict[str, float]:
    return {c: float(np.sqrt((pairs[c] ** 2).mean())) for c in COLUMNS}


def slow_slope(votes: pd.DataFrame, pairs: pd.DataFrame) -> float:
    """Minus theta_u of statistics 4.7."""
    sums = slow_sums(votes, pairs, scales(pairs))
    return -float(np.linalg.solve(sums[:3, :3], sums[:3, 3])[1])


def slow_sums(votes: pd.DataFrame, pairs: pd.DataFrame, scale: dict[str, float]) -> np.ndarray:
    """The moments of statistics 4.7, pair by pair and vote by vote."""
    sums = np.zeros((4, 4))
    for _, pair in pairs.iterrows():
        v = votes.loc[votes["pair_id"] == pair["pair_id"], "value"].to_numpy()
        row = np.array([v.mean(), *(pair[c] / scale[c] for c in scale)])
        own = np.outer(row, row)
        own[0, 0] = sum(a * b for i, a in enumerate(v) for j, b in enumerate(v) if i != j) / (
            len(v) * (len(v) - 1)
        )
        sums += own
    return sums


def same(one: object, other: object) -> None:
    if isinstance(one, tuple) and isinstance(other, tuple):
        for a, b in zip(one, other, strict=True):
            same(a, b)
    else:
        assert one == (pytest.approx(other, abs=1e-9) if isinstance(other, float) else other)


def test_it_is_the_sum_written_out() -> None:
    votes, pairs = study(np.random.default_rng(1), prompts=6, each=3, people=7, votes=4)
    assert preference_underrating(votes, pairs).underrating.estimate == pytest.approx(
        slow_slope(votes, pairs), abs=1e-10
    )


def test_neither_the_order_of_rows_nor_of_a_pairs_responses_matters() -> None:
    rng = np.random.default_rng(2)
    votes, pairs = study(rng, prompts=12)
    plain = preference_underrating(votes, pairs)
    shuffled = votes.sample(frac=1, random_state=1), pairs.sample(frac=1, random_state=2)
    same(astuple(plain), astuple(preference_underrating(*shuffled)))
    turned = rng.random(len(pairs)) < 0.5
    sign = np.where(turned, -1.0, 1.0)
    other = pairs.assign(**{c: pairs[c] * sign for c in ("unusualness", "log_length", "margin")})
    swapped = votes.assign(value=votes["value"] * sign[votes["pair_id"]])
    same(astuple(plain), astuple(preference_underrating(swapped, other)))


def test_replicates_without_an_annotator_are_the_data_without_them() -> None:
    """The jackknife's moments against the same data with the votes really removed."""
    from judging.stats.audit.preference_underrating import _coded, _moments

    votes, pairs = study(np.random.default_rng(3), prompts=5, each=2, people=6, votes=3)
    coded, *_ = _coded(votes, pairs, ("log_length",))
    _, (_, without, _) = _moments(coded)
    for person in range(6):
        kept = votes[votes["annotator_id"] != person]
        smaller, *_ = _coded(kept, pairs, ("log_length",))
        scale = [np.sqrt((pairs[c] ** 2).mean()) for c in ("unusualness", "log_length", "margin")]
        rows = pairs["pair_id"].isin(kept["pair_id"].value_counts().loc[lambda s: s >= 2].index)
        raw = pairs.loc[rows, ["unusualness", "log_length", "margin"]].to_numpy() / scale
        moments = _moments(type(coded)(smaller.pair, smaller.annotator, smaller.value, smaller.prompt, raw))[
            0
        ]
        assert without[person] == pytest.approx(moments.sum(axis=0), abs=1e-10)


def test_for_these_people_prompts_alone_vary() -> None:
    """Fieller's set by a search: the slopes x at which the score minus x times unusualness does not refute zero."""
    votes, pairs = study(np.random.default_rng(8), prompts=40, people=3, votes=3)
    result = preference_underrating(votes, pairs)
    scale = scales(pairs)

    def products(some: pd.DataFrame) -> tuple[float, float]:
        """Quality left beside unusualness and length, and that times the slope of unusualness."""
        sums = slow_sums(votes, some, scale)
        theta = np.linalg.solve(sums[:3, :3], sums[:3, 3])
        left = sums[0, 0] - sums[0, 1:3] @ np.linalg.solve(sums[1:3, 1:3], sums[1:3, 0])
        return float(left), float(left * theta[1])

    left, cross = products(pairs)
    parts = np.array([products(pairs[pairs["prompt_id"] != p]) for p in range(40)])

    def refuted(x: float) -> bool:
        values = parts[:, 1] + x * parts[:, 0]
        error = np.sqrt(39 / 40 * ((values - values.mean()) ** 2).sum())
        return bool(abs(cross + x * left) > t.ppf(0.975, 39) * error)

    these = result.these_people
    assert these.people == "the people of this study"
    assert these.underrating.estimate == pytest.approx(-cross / left)
    assert these.decisive is not None
    low, high = these.decisive
    assert [refuted(x) for x in (low - 1e-6, low + 1e-6, high - 1e-6, high + 1e-6)] == [
        True,
        False,
        False,
        True,
    ]
    assert (these.underrating.low, these.underrating.high) == these.decisive


def test_a_covariate_of_one_prompt_voids_nothing() -> None:
    votes, pairs = study(np.random.default_rng(6), prompts=20)
    plain = preference_underrating(votes, pairs)
    one_header = pairs.assign(headers=(pairs.index == 0).astype(float), lists=0.0)
    guarded = preference_underrating(votes, one_header, covariates=("log_length", "headers", "lists"))
    same(astuple(plain)[:-1], astuple(guarded)[:-1])
    assert guarded.notes == (
        "Covariate headers left out: it differs in pairs of 1 prompt, and 5 are needed.",
    )
    twins = pairs.assign(again=2 * pairs["log_length"])
    doubled = preference_underrating(votes, twins, covariates=("log_length", "again"))
    assert doubled.underrating.low == pytest.approx(plain.underrating.low)
    assert "again left out" in doubled.notes[0]


def test_votes_that_saturate_convict_nobody() -> None:
    """A fair scorer that follows quality itself, and votes that follow it nearly without error."""
    rng = np.random.default_rng(9)
    verdicts = []
    for _ in range(12):
        n = 400
        u = rng.normal(size=n)
        q = -0.4 * u + np.sqrt(0.84) * rng.normal(size=n)
        who = np.argsort(rng.random((n, 30)), axis=1)[:, :6]
        value = np.sign(6 * q[:, None] + rng.normal(size=(n, 6)))
        pairs = pd.DataFrame(
            {"pair_id": np.arange(n), "prompt_id": np.arange(n) // 5, "unusualness": u,
             "log_length": rng.normal(size=n), "margin": q + rng.normal(scale=0.6, size=n)}
        )  # fmt: skip
        votes = pd.DataFrame(
            {"pair_id": np.repeat(np.arange(n), 6), "annotator_id": who.ravel(), "value": value.ravel()}
        )
        result = preference_underrating(votes, pairs)
        products = [
            np.mean([a * b for i, a in enumerate(v) for j, b in enumerate(v) if i != j]) for v in value
        ]
        assert result.vote_agreement == pytest.approx(np.mean(products))
        verdicts.append(result.verdict)
    assert verdicts.count(Verdict.DEPENDS) >= 6
    assert set(verdicts) <= {Verdict.DEPENDS, Verdict.UNDERPOWERED}
    assert "Have responses rated" in result.reason or verdicts[-1] is Verdict.UNDERPOWERED


def test_two_people_speak_for_themselves_alone() -> None:
    votes, pairs = study(np.random.default_rng(7), prompts=40, people=2, votes=2)
    result = preference_underrating(votes, pairs)
    assert (result.verdict, result.underrating.low) == (Verdict.CANT_TELL, None)
    assert "Only two annotators" in (result.underrating.reason or "")
    assert result.these_people.underrating.low is not None
    assert "For the people of this study, annotators taken as they are:" in result.reason


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
    thin = preference_underrating(alone, pairs)
    assert (thin.n_thin, thin.n_pairs) == (len(pairs), 0)
    assert f"Of the {len(pairs)} pairs with a margin none was compared by two people" in thin.reason
    assert "All margins are zero" in preference_underrating(votes, pairs.assign(margin=0.0)).reason
    alike = preference_underrating(votes, pairs.assign(unusualness=0.0))
    assert "the same for both responses of every pair" in alike.reason
    assert "no margin" in preference_underrating(votes, pairs.assign(margin=np.nan)).reason
    with pytest.raises(ValueError, match="votes twice"):
        preference_underrating(pd.concat([votes, votes]), pairs)
    with pytest.raises(ValueError, match="Missing columns: margin"):
        preference_underrating(votes, pairs.drop(columns="margin"))
