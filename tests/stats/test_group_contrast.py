"""Gaps between kinds of source against least squares, a slow jackknife, and studies whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from judging.stats import GroupContrast, group_contrasts
from tests.stats.simulation import slow_moments, slow_variance

Frames = tuple[pd.DataFrame, pd.DataFrame]


def study(
    seed: int,
    *,
    gap: float = 0.0,
    favor: float = 0.0,
    prompts: int = 30,
    size: int = 8,
    seats: int = 10,
    annotators: int = 25,
    human: int = 3,
    noise: float = 1.0,
    validity: float = 0.6,
) -> Frames:
    """Some responses of each prompt are human; true quality has SD 1 within kinds, human ones lie `gap` higher.

    The score follows quality by `validity` and adds `favor` to human ones, beside noise of SD .8.
    """
    rng = np.random.default_rng(seed)
    kind = np.tile(np.arange(size) < human, (prompts, 1)).astype(float)
    quality = rng.normal(size=kind.shape) + gap * kind
    score = validity * quality + favor * kind + rng.normal(0, 0.8, kind.shape)
    who = np.argsort(rng.random((prompts, 1, annotators)), axis=2)[..., :seats]
    who = np.broadcast_to(who, (prompts, size, seats))
    severity, taste = rng.normal(0, 0.5, annotators), rng.normal(0, 0.2, annotators)
    value = (
        quality[..., None] + severity[who] + taste[who] * kind[..., None] + rng.normal(0, noise, who.shape)
    )
    prompt, place, _ = np.indices(who.shape)
    ratings = pd.DataFrame(
        {
            "prompt_id": prompt.ravel(),
            "response_id": (prompt * size + place).ravel(),
            "annotator_id": who.ravel(),
            "value": value.ravel(),
        }
    )
    responses = pd.DataFrame(
        {
            "prompt_id": np.repeat(np.arange(prompts), size),
            "response_id": np.arange(prompts * size),
            "group": np.where(kind.ravel() > 0, "human", "LLM"),
            "log_length": rng.normal(size=prompts * size),
            "score": score.ravel(),
        }
    )
    return ratings, responses


def only(data: Frames, **options: object) -> GroupContrast:
    (found,) = group_contrasts(*data, **options)["score"]  # type: ignore[arg-type]
    return found


def within(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    return frame[names] - frame.groupby("prompt_id")[names].transform("mean")


def test_gaps_equal_least_squares_with_prompts_as_fixed_effects() -> None:
    models = pytest.importorskip("statsmodels.formula.api")
    ratings, responses = study(1, gap=0.5, favor=0.3)
    found = only((ratings, responses))
    mean = ratings.groupby("response_id")["value"].mean()
    table = responses.assign(mean=responses["response_id"].map(mean), kind=responses["group"] == "human")
    table["kind"] = table["kind"].astype(float)

    def gap(outcome: str) -> float:
        return float(models.ols(f"{outcome} ~ kind + C(prompt_id)", table).fit().params["kind"])

    freedom = len(table) - 30
    sd = float(np.sqrt((within(table, ["score"]) ** 2).sum().iloc[0] / freedom))
    assert found.group == "human"
    assert (found.n_group, found.n_others, found.n_prompts, found.n_annotators) == (90, 150, 30, 25)
    assert found.scorer_gap_raw.estimate == pytest.approx(gap("score"))
    assert found.scorer_gap.estimate == pytest.approx(gap("score") / sd)
    assert found.human_gap_raw.estimate == pytest.approx(gap("mean"))
    # True variance, without the noise of means: half of the annotators of a prompt against the other half.
    rng, squares = np.random.default_rng(0), []
    for _ in range(400):
        place = ratings.assign(turn=rng.random(len(ratings)))
        first = place.groupby(["prompt_id", "annotator_id"])["turn"].transform("first")
        half = first > first.groupby(ratings["prompt_id"]).transform("median")
        halves = [ratings[h].groupby("response_id")["value"].mean() for h in (half, ~half)]
        both = responses.assign(
            a=responses["response_id"].map(halves[0]), b=responses["response_id"].map(halves[1])
        )
        d = within(both.dropna(), ["a", "b"])
        squares.append(float((d["a"] * d["b"]).sum()))
    true_sd = float(np.sqrt(np.mean(squares) / freedom))
    assert found.human_gap.estimate == pytest.approx(gap("mean") / true_sd, rel=0.01)
    assert found.contrast.estimate == pytest.approx(gap("score") / sd - (found.human_gap.estimate or 0))


@pytest.mark.parametrize("thin", [False, True])
def test_intervals_equal_a_slow_jackknife(thin: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every replicate from its own ratings; where responses have two ratings, they drop out with either."""
    monkeypatch.setattr("judging.stats.audit.group_contrast.WEAK", 0.0)
    ratings, responses = study(2, gap=0.6, prompts=6, size=6, seats=4, annotators=6, noise=0.3)
    if thin:
        few = ratings["response_id"].isin([1, 9, 20])
        ratings = ratings[~few | (ratings.groupby("response_id").cumcount() < 2)]
    found = only((ratings, responses), covariates=())
    table = responses.assign(kind=(responses["group"] == "human").astype(float))
    sd = np.sqrt((within(table, ["score"]) ** 2).sum().iloc[0] / (36 - 6))
    columns = dict(zip(table["response_id"], table[["kind", "score"]].to_numpy() / [1, sd], strict=True))

    def contrast(rows: pd.DataFrame) -> float:
        counts = rows["response_id"].value_counts()
        kept = rows[rows["response_id"].isin(counts.index[counts >= 2])]
        m = slow_moments(rows, columns)
        freedom = kept["response_id"].nunique() - kept["prompt_id"].nunique()
        return float(m[1, 2] / m[1, 1] - m[0, 1] / m[1, 1] / np.sqrt(m[0, 0] / freedom))

    prompts, people = ratings["prompt_id"], ratings["annotator_id"]
    left_out = [
        [prompts == p for p in prompts.unique()],
        [people == w for w in people.unique()],
        [(prompts == p) & (people == w) for p, w in set(zip(prompts, people, strict=True))],
    ]
    error = np.sqrt(slow_variance([[contrast(ratings[~out]) for out in way] for way in left_out]))
    df = min(6, 1 / (people.value_counts(normalize=True) ** 2).sum()) - 1
    reach = scipy_stats.t.ppf(0.975, df) * error
    assert found.contrast.estimate == pytest.approx(contrast(ratings))
    assert found.contrast.high == pytest.approx(contrast(ratings) + reach)


@pytest.mark.parametrize(("gap", "favor"), [(0.0, 0.0), (0.5, 0.0), (-0.4, 0.5)])
def test_truth_is_covered(gap: float, favor: float) -> None:
    """Spread of quality and of the score within prompts: that within kinds, and what the gap adds."""
    share = 3 / 8 * 5 / 8 * 8 / 7
    true_sd = np.sqrt(1 + share * gap**2)
    scorer = 0.6 * gap + favor
    score_sd = np.sqrt(0.36 + 0.64 + share * scorer**2)
    truth = scorer / score_sd - gap / true_sd
    found = [only(study(seed, gap=gap, favor=favor)) for seed in range(60)]
    errors = np.array([(r.contrast.estimate or 0) - truth for r in found])
    assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(60) + 0.005
    assert np.mean([(r.contrast.low or 0) <= truth <= (r.contrast.high or 0) for r in found]) >= 0.88
    left = [r.at_equal_quality for r in found]
    covered = [(e.low or 0) <= favor / score_sd <= (e.high or 0) for e in left]
    assert np.mean(covered) >= 0.88
    if gap and not favor:
        # A fair scorer with noise falls short of people's gap: the contrast sees that, and equal quality does not.
        assert np.mean([(r.contrast.high or 0) < 0 for r in found]) > 0.2
        assert all("measures quality with noise" in r.reason for r in found if (r.contrast.high or 0) < 0)
        assert not any(r.beyond_people for r in found if (r.contrast.high or 0) < 0)


def test_a_favored_kind_is_found_and_named() -> None:
    found = only(study(3, gap=0.0, favor=0.8))
    assert found.beyond_people
    assert found.p is not None
    assert found.p < 0.01
    assert "sets human" in found.reason
    assert "further above the others than people do" in found.reason
    against = only(study(4, gap=1.0, favor=-1.4))
    assert against.opposed
    assert against.reason.startswith("The scorer sets human below the others, people set it above them.")


def test_few_annotators_leave_the_gaps_and_no_contrast() -> None:
    """The gaps need no reliable mean; how large an SD of true quality is does."""
    found = only(study(5, gap=0.3, prompts=12, size=8, seats=3, annotators=4, noise=3.0))
    assert found.scorer_gap.low is not None
    assert found.human_gap_raw.low is not None
    assert found.contrast.estimate is None
    assert found.human_gap.reason == found.contrast.reason == found.reason
    assert "how far true quality varies" in found.reason


def test_names_order_and_units_change_nothing() -> None:
    ratings, responses = study(6, gap=0.3)
    found = only((ratings, responses))
    shuffled = ratings.sample(frac=1, random_state=1).assign(
        value=10 * ratings["value"] + 3, annotator_id="a" + ratings["annotator_id"].astype(str)
    )
    other = only(
        (shuffled, responses.sample(frac=1, random_state=2).assign(score=-3 + 5 * responses["score"]))
    )
    for name in ("scorer_gap", "human_gap", "contrast", "at_equal_quality"):
        for end in ("estimate", "low", "high"):
            assert getattr(getattr(other, name), end) == pytest.approx(getattr(getattr(found, name), end))
    assert other.human_gap_raw.estimate == pytest.approx(10 * (found.human_gap_raw.estimate or 0))
    assert other.scorer_gap_raw.estimate == pytest.approx(5 * (found.scorer_gap_raw.estimate or 0))
    mirrored = responses.assign(group=responses["group"].map({"human": "z", "LLM": "a"}))
    assert only((ratings, mirrored)).contrast.estimate == pytest.approx(-(found.contrast.estimate or 0))


def test_several_kinds_and_scorers_at_once() -> None:
    ratings, responses = study(7, gap=0.3)
    place = responses["response_id"] % 8
    several = responses.assign(group=np.where(place < 3, "human", np.where(place < 5, "b", "a")))
    gaps = several["score"].where(several["response_id"] % 11 > 0)
    table = several.assign(other=gaps, flat=1.0)
    found = group_contrasts(ratings, table, ["score", "other", "flat"])
    assert [r.group for r in found["score"]] == ["a", "b", "human"]
    alone = group_contrasts(ratings, table, ["other"])["other"]
    assert [r.contrast for r in found["other"]] == [r.contrast for r in alone]
    assert all("same score" in r.reason for r in found["flat"])
    assert found["flat"][0].contrast.estimate is None
    whole = only((ratings, responses))
    assert found["score"][2].contrast.estimate == pytest.approx(whole.contrast.estimate)


def test_what_cannot_be_contrasted_says_why() -> None:
    ratings, responses = study(8)
    assert group_contrasts(ratings, responses.assign(group="LLM"))["score"] == []
    assert group_contrasts(ratings, responses.assign(group=None))["score"] == []
    apart = responses.assign(group=np.where(responses["prompt_id"] < 15, "a", "b"))
    assert "No prompt has responses of this kind and of others" in only((ratings, apart)).reason
    with pytest.raises(ValueError, match="lacks the column"):
        group_contrasts(ratings, responses.drop(columns="group"))
    with pytest.raises(ValueError, match="lacks the column"):
        group_contrasts(ratings, responses, ["nobody"])
    with pytest.raises(ValueError, match="infinite"):
        group_contrasts(ratings, responses.assign(score=np.inf))
    same = only((ratings.assign(value=3.0), responses))
    assert "All ratings are the same" in same.reason


def test_points_are_compared_whatever_qualitys_reliability() -> None:
    """Two ratings by noisy people: no SD of quality, and still a contrast in points where the scale is one."""
    data = study(31, gap=0.6, favor=-1.0, seats=2, noise=6.0, prompts=25)
    plain, same = only(data), only(data, same_scale=["score"])
    assert plain.contrast.estimate is None
    assert plain.contrast_raw.reason == "The scorer has a scale of its own."
    gaps = same.scorer_gap_raw.estimate, same.human_gap_raw.estimate
    assert None not in gaps
    assert same.contrast_raw.estimate == pytest.approx(gaps[0] - gaps[1])  # type: ignore[operator]
    assert same.contrast_raw.low is not None
    assert same.p is not None
    assert "points" in same.reason


def test_the_interval_in_points_is_a_two_way_jackknife_over_data_really_left_out() -> None:
    """Five prompts, four annotators (df 3): gaps from means by least squares, each replicate from fewer rows."""
    ratings, table = study(7, gap=0.4, favor=-0.5, prompts=5, annotators=4, seats=4)
    c = only((ratings, table), same_scale=["score"])

    def gaps(rows: pd.DataFrame) -> np.ndarray:
        """Scorer's gap and people's, in points: kind beside prompts, over responses with two ratings."""
        means = rows.groupby("response_id")["value"].agg(["mean", "size"])
        used = table[table["response_id"].isin(means.index[means["size"] >= 2])]
        both = used.groupby("prompt_id")["group"].transform("nunique") == 2
        used = used[both]
        y = np.column_stack([used["score"], means.loc[used["response_id"], "mean"]])
        x = pd.get_dummies(used["prompt_id"]).to_numpy(dtype=float)
        kind = (used["group"] == c.group).to_numpy(dtype=float)[:, None]
        return np.asarray(np.linalg.lstsq(np.hstack([kind, x]), y, rcond=None)[0][0])

    def spread(parts: list[np.ndarray]) -> np.ndarray:
        values = np.array([(*p, p[0] - p[1]) for p in parts])
        return np.asarray((len(values) - 1) / len(values) * ((values - values.mean(axis=0)) ** 2).sum(axis=0))

    prompts, people = ratings["prompt_id"].unique(), ratings["annotator_id"].unique()
    v_prompt = spread([gaps(ratings[ratings["prompt_id"] != p]) for p in prompts])
    v_person = spread([gaps(ratings[ratings["annotator_id"] != a]) for a in people])
    cells = ratings[["prompt_id", "annotator_id"]].drop_duplicates().to_numpy()
    v_cell = spread(
        [gaps(ratings[(ratings["prompt_id"] != p) | (ratings["annotator_id"] != a)]) for p, a in cells]
    )
    whole, error = gaps(ratings), np.sqrt(np.maximum(v_prompt + v_person - v_cell, v_prompt))
    assert c.df == pytest.approx(3)
    reach = scipy_stats.t.ppf(0.975, 3) * error
    for e, point, r in zip(
        (c.scorer_gap_raw, c.human_gap_raw, c.contrast_raw), (*whole, whole[0] - whole[1]), reach, strict=True
    ):
        assert e.estimate == pytest.approx(point)
        assert e.low == pytest.approx(point - r)
        assert e.high == pytest.approx(point + r)


def test_the_contrast_in_points_covers_the_truth() -> None:
    """Scores .6 q - .5 for human ones, people q + .4: the truth is .6 * .4 - .5 - .4 = -.66. 60 studies, seeded."""
    covered = 0
    for seed in range(60):
        e = only(study(seed, gap=0.4, favor=-0.5, prompts=20), same_scale=["score"]).contrast_raw
        assert e.low is not None
        assert e.high is not None
        covered += e.low <= 0.6 * 0.4 - 0.5 - 0.4 <= e.high
    assert covered >= 53
