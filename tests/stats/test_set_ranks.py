"""Orders within sets as an outcome: against counted pairs, and in studies whose truth is known."""

import numpy as np
import pandas as pd
import pytest

from judging.stats import Verdict, set_ranks, underratings
from judging.stats.audit.moments import cross_rater_moments
from judging.stats.core.sample import sample_of


def test_it_is_the_share_of_the_others_that_a_response_beats() -> None:
    """Counted pair by pair."""
    rng = np.random.default_rng(1)
    rows = [
        {"item_id": item, "annotator_id": who, "response_id": r, "value": float(rng.integers(1, 5))}
        for item, size in ((1, 5), (2, 3), (3, 1))
        for who in range(4)
        for r in range(size)
    ]
    answers = pd.DataFrame(rows)
    answers.loc[[2, 7], "value"] = np.nan
    value = dict(zip(answers.index, answers["value"], strict=True))
    for best_first in (True, False):
        ranks = set_ranks(answers, best_first=best_first)
        assert set(ranks["item_id"]) == {1, 2}
        assert not ranks.index.isin([2, 7]).any()
        for at, row in ranks.iterrows():
            alike = (answers["item_id"] == row["item_id"]) & (answers["annotator_id"] == row["annotator_id"])
            others = answers[alike & (answers.index != at)]["value"].dropna()
            better = value[at] < others if best_first else value[at] > others
            wins = better.sum() + (others == value[at]).sum() / 2
            assert row["value"] == pytest.approx(wins / len(others))
    with pytest.raises(ValueError, match="placed a response twice"):
        set_ranks(pd.concat([answers, answers]), best_first=True)


def study(
    rng: np.random.Generator, *, planted: float, prompts: int = 40, people: int = 30, orders: int = 6
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two sets of six from each prompt's ten responses, each put in order by six people."""
    placed, rows = [], []
    for p in range(prompts):
        u = rng.normal(size=10)
        q = -0.4 * u + np.sqrt(0.84) * rng.normal(size=10)
        score = 0.5 * q + rng.normal(scale=0.8, size=10) - planted * u
        for s in range(2):
            for r in rng.permutation(10)[:6]:
                place = {"prompt_id": 2 * p + s, "response_id": 20 * p + 10 * s + r, "cluster_id": p}
                rows.append(
                    place | {"unusualness": u[r], "log_length": rng.normal(), "score": score[r], "q": q[r]}
                )
            members = pd.DataFrame(rows[-6:])
            for who in rng.permutation(people)[:orders]:
                latent = members["q"] + rng.normal(scale=0.2) * members["unusualness"] + rng.normal(size=6)
                order = {"item_id": 2 * p + s, "annotator_id": who, "value": latent.rank(ascending=False)}
                placed.append(members[["prompt_id", "response_id"]].assign(**order))
    ranks = set_ranks(pd.concat(placed, ignore_index=True), best_first=True)
    return ranks, pd.DataFrame(rows).drop(columns="q")


def test_sets_of_a_prompt_are_left_out_together() -> None:
    """The replicates' moments against the same data with the rows really removed."""
    ranks, table = study(np.random.default_rng(2), planted=0.0, prompts=5, people=8)
    panel = sample_of(ranks, table, (), clustered=True).panel
    assert (panel.n_prompts, panel.n_clusters) == (10, 5)
    prompts, _, cells = cross_rater_moments(panel).replicates()
    assert len(prompts) == 5
    for p in range(5):
        rest = table[table["cluster_id"] != p]
        left = sample_of(ranks[ranks["response_id"].isin(rest["response_id"])], rest, ()).panel
        assert prompts[p] == pytest.approx(cross_rater_moments(left).total)
    in_prompt = ranks["prompt_id"] // 2
    kept = sorted({(p, who) for p, who in zip(in_prompt, ranks["annotator_id"], strict=True)})
    assert len(cells) == len(kept)
    # Codes of annotators are in order of appearance; every real deletion has its replicate.
    totals = [
        cross_rater_moments(
            sample_of(ranks[~((in_prompt == p) & (ranks["annotator_id"] == who))], table, ()).panel
        ).total
        for p, who in kept
    ]
    assert np.sort([m[0, 0] for m in totals]) == pytest.approx(np.sort(cells[:, 0, 0]))
    result = underratings(ranks, table, ["score"], covariates=())["score"]
    assert (result.n_prompts, result.n_responses) == (5, 60)


def test_one_set_a_prompt_needs_no_cluster() -> None:
    ranks, table = study(np.random.default_rng(3), planted=0.2, prompts=12)
    first = ranks["prompt_id"] % 2 == 0
    plain, named = (
        underratings(ranks[first], t[t["prompt_id"] % 2 == 0], ["score"])["score"]
        for t in (table.drop(columns="cluster_id"), table)
    )
    assert plain == named
    with pytest.raises(ValueError, match="two cluster_ids"):
        underratings(ranks, table.assign(cluster_id=np.arange(len(table))), ["score"])


@pytest.mark.parametrize(("planted", "least"), [(0.0, 0), (0.3, 13)])
def test_intervals_cover_what_was_planted(planted: float, least: int) -> None:
    """16 studies, seeded: 13 of them is three standard errors below 95 %."""
    rng = np.random.default_rng(4)
    covered, accused = 0, 0
    for _ in range(16):
        ranks, table = study(rng, planted=planted)
        result = underratings(ranks, table, ["score"])["score"]
        within = table.groupby("prompt_id")[["unusualness", "score"]].transform(lambda x: x - x.mean())
        truth = planted * np.sqrt((within["unusualness"] ** 2).sum() / (within["score"] ** 2).sum())
        assert result.robust is not None
        covered += result.robust[0] <= truth <= result.robust[1]
        accused += result.verdict is Verdict.UNDERRATES
    assert covered >= 13
    assert accused >= least if planted else accused <= 3
