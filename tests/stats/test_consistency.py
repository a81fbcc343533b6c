"""Choices against the same person's ratings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from judging.stats import choice_consistency


def frames(
    rows: list[tuple[str, str, float]], chosen: list[tuple[str, str, str, float]]
) -> list[pd.DataFrame]:
    return [
        pd.DataFrame(rows, columns=["annotator_id", "response_id", "value"]),
        pd.DataFrame(chosen, columns=["annotator_id", "first", "second", "preference"]),
    ]


def test_counted_by_hand() -> None:
    rated: list[tuple[str, str, float]] = [
        ("x", "a", 5),
        ("x", "b", 2),
        ("x", "c", 2),
        ("y", "a", 1),
        ("y", "b", 4),
        ("y", "b", 2),
        ("z", "a", 3),
    ]
    chosen = [
        ("x", "a", "b", 2.0),  # agrees
        ("x", "c", "a", 1.0),  # does not
        ("x", "b", "c", 1.0),  # rated equal
        ("x", "a", "c", 0.0),  # a tie
        ("y", "a", "b", -1.0),  # agrees: b is 3 on average
        ("z", "a", "b", 1.0),  # rated one of them
        ("y", "a", "b", float("nan")),
    ]
    found = choice_consistency(*frames(rated, chosen))
    assert found.estimate == pytest.approx(2 / 3)
    assert found.n == 3


def test_coin_tosses_are_half_and_the_interval_covers_it() -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(60):
        rated = pd.DataFrame(
            [(w, r, rng.normal()) for w in range(20) for r in range(6)],
            columns=["annotator_id", "response_id", "value"],
        )
        chosen = pd.DataFrame(
            [(w, r, (r + 1) % 6, rng.choice([-1.0, 1.0])) for w in range(20) for r in range(6)],
            columns=["annotator_id", "first", "second", "preference"],
        )
        found = choice_consistency(rated, chosen, resamples=200, rng=rng)
        assert found.low is not None
        assert found.high is not None
        covered.append(found.low <= 0.5 <= found.high)
    assert np.mean(covered) > 0.85


def test_what_is_missing_is_said() -> None:
    nothing = choice_consistency(*frames([("x", "a", 1)], [("x", "a", "b", 1.0)]))
    assert nothing.estimate is None
    assert nothing.n == 0
    assert nothing.reason
    alone = choice_consistency(*frames([("x", "a", 1), ("x", "b", 2)], [("x", "a", "b", -1.0)]))
    assert alone.estimate == 1
    assert alone.low is None
    assert alone.reason
    with pytest.raises(ValueError, match="preference are missing"):
        choice_consistency(frames([], [])[0], pd.DataFrame(columns=["annotator_id", "first", "second"]))
