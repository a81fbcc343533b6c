"""HANNA, where three people gave 79 % of the ratings: nothing can be said, and the audit says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from judging.stats import Verdict, underrating, unusualness

HANNA = Path(__file__).parents[2].parent / "shared" / "data" / "hanna"


@pytest.fixture(scope="module")
def hanna() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return answers, responses with unusualness and length, and scores (one column a scorer)."""
    if not HANNA.exists():
        pytest.skip(f"{HANNA} is not here")
    text = pytest.importorskip("sklearn.feature_extraction.text")
    answers = pd.read_json(HANNA / "answers.jsonl.gz", lines=True)
    responses = pd.read_json(HANNA / "responses.jsonl.gz", lines=True)
    scores = pd.read_json(HANNA / "scores.jsonl.gz", lines=True)
    vectors = text.TfidfVectorizer(max_features=3000, sublinear_tf=True).fit_transform(responses["text"])
    responses["unusualness"] = unusualness(vectors.toarray(), responses["prompt_id"])
    responses["log_length"] = np.log(responses["text"].str.len())
    answers = answers.merge(responses[["response_id", "prompt_id"]], on="response_id")
    return answers, responses, scores.pivot_table(index="response_id", columns="scorer", values="value")


def test_no_criterion_and_no_scorer_gets_a_verdict(
    hanna: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
) -> None:
    answers, responses, scores = hanna
    naive_alarms = 0
    for _, ratings in answers.groupby("criterion"):
        for scorer in scores.columns:
            scored = responses.assign(score=responses["response_id"].map(scores[scorer]))
            found = underrating(ratings, scored)
            assert found.verdict is Verdict.CANT_TELL, (scorer, found.strength)
            assert found.strength is not None
            assert found.effective_annotators == pytest.approx(4.5, abs=0.3)
            naive_alarms += (found.naive.low or 0) > 0
    assert naive_alarms > 10
