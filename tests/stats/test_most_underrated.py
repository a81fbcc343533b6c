"""The most underrated responses."""

from __future__ import annotations

import numpy as np
import pytest

from judging.stats import (
    most_underrated,
)
from tests.stats.simulation import simulate


def test_most_underrated_follows_its_formula() -> None:
    ratings, responses = simulate(6, prompts=20, effect=0.4)
    found = most_underrated(ratings, responses, n=5)
    assert found.columns.tolist() == [
        "response_id", "prompt_id", "human_mean", "n_ratings", "score", "unusualness", "gap"
    ]  # fmt: skip
    assert len(found) == 5
    assert found["gap"].is_monotonic_decreasing
    mean = ratings.groupby("response_id")["value"].mean().loc[responses["response_id"]].to_numpy()
    table = responses.assign(human=mean)
    middle = table.groupby("prompt_id")["unusualness"].transform("median")
    centered = table[["human", "score"]] - table.groupby("prompt_id")[["human", "score"]].transform("mean")
    # With equally many ratings shrinking only rescales, and the gap is the residual on the human mean.
    slope = (centered["human"] * centered["score"]).sum() / (centered["human"] ** 2).sum()
    residual = slope * centered["human"] - centered["score"]
    gap = (residual / np.sqrt((residual**2).sum() / (len(table) - 20)))[table["unusualness"] >= middle]
    best = gap.sort_values(ascending=False).head(5)
    assert found["response_id"].tolist() == table.loc[best.index, "response_id"].tolist()
    assert found["gap"].to_numpy() == pytest.approx(best.to_numpy())
