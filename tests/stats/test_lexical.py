"""Against scikit-learn's cosine_similarity, pair by pair."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from judging.stats import length_ratio, lexical_unusualness, token_jaccard

TEXTS = [
    "Time is a river that carries us all.",
    "Time is a river, always flowing.",
    "A weaver at the loom of days.",
    "Only here once",
    "Die Zeit ist ein Fluss",
    "Время — река",
]


def test_it_is_the_mean_over_pairs() -> None:
    found = lexical_unusualness(TEXTS, ["p"] * len(TEXTS))
    cosines = cosine_similarity(TfidfVectorizer().fit_transform(TEXTS))
    np.fill_diagonal(cosines, np.nan)
    np.testing.assert_allclose(found, 1 - np.nanmean(cosines, axis=1))
    assert found.argmin() in (0, 1)


def test_prompts_are_apart_and_order_is_kept() -> None:
    texts = [TEXTS[0], "something else", TEXTS[1], "something else"]
    found = lexical_unusualness(texts, ["a", "b", "a", "b"])
    assert found[[0, 2]] == pytest.approx(lexical_unusualness(TEXTS[:2], ["a", "a"]))
    assert found[[1, 3]] == pytest.approx([0, 0])


def test_what_has_no_words_and_what_stands_alone() -> None:
    assert lexical_unusualness(["", "a !", "…"], [1, 1, 1]).tolist() == [1, 1, 1]
    assert lexical_unusualness(["", "two words", "two words"], [1, 1, 1])[0] == 1
    assert np.isnan(lexical_unusualness(["alone"], [1])).all()
    assert lexical_unusualness([], []).shape == (0,)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="one label a text"):
        lexical_unusualness(["a", "b"], [1])
    with pytest.raises(ValueError, match="missing"):
        lexical_unusualness(["a", "b"], np.array([1, None], dtype=object))


def test_a_text_for_a_list_of_texts_is_refused_and_not_taken_for_its_letters() -> None:
    for measure in (token_jaccard, length_ratio):
        with pytest.raises(ValueError, match="a list of texts"):
            measure("ab cd", "ab cd")
    with pytest.raises(ValueError, match="a list of texts"):
        lexical_unusualness("ab", ["p", "p"])
    assert token_jaccard(["ab cd"], ["AB ef"]).tolist() == pytest.approx([1 / 3])
