"""Verbatim overlap against plain loops over words."""

from __future__ import annotations

import gzip
import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judging.stats import compression_ratio, overlap, words_of


def runs_of(words: list[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def by_loops(texts: list[str], source: list[int]) -> tuple[list[int], list[float], list[int], list[bool]]:
    split = [text.split() for text in texts]
    longest, shared, repeated, duplicate = [], [], [], []
    for i, words in enumerate(split):
        others = [split[j] for j in range(len(split)) if source[j] != source[i]]
        most = 0
        while most < len(words) and any(runs_of(words, most + 1) & runs_of(o, most + 1) for o in others):
            most += 1
        longest.append(most)
        mine, theirs = runs_of(words, 4), set().union(*(runs_of(o, 4) for o in others))
        shared.append(len(mine & theirs) / len(mine) if mine else math.nan)
        rest = set().union(*(runs_of(split[j], 4) for j in range(len(split)) if j != i))
        repeated.append(sum(tuple(words[k : k + 4]) in rest for k in range(len(words) - 3)))
        duplicate.append(bool(words) and words in others)
    return longest, shared, repeated, duplicate


TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=14).map(" ".join), min_size=1, max_size=7)


@settings(max_examples=150, deadline=None)
@given(texts=TEXTS, data=st.data())
def test_equals_loops_over_words(texts: list[str], data: st.DataObject) -> None:
    source = data.draw(st.lists(st.integers(0, 2), min_size=len(texts), max_size=len(texts)))
    found = overlap(texts, source, least=1)
    longest, shared, repeated, duplicate = by_loops(texts, source)
    assert found.longest.tolist() == longest
    assert found.shared_grams == pytest.approx(np.array(shared), nan_ok=True)
    assert found.repeated_grams.tolist() == repeated
    assert found.duplicate.tolist() == duplicate
    for s in set(source):
        mine = [i for i in range(len(texts)) if source[i] == s]
        # Alone, everything that repeats is the source's own.
        alone = by_loops([texts[i] for i in mine], [0] * len(mine))[2]
        assert found.own_grams[mine].tolist() == alone
        assert found.self_repetition[mine] == pytest.approx(np.log(np.array(alone) + 1.0))
    assert (found.runs[0].words if found.runs else 0) == max(longest)


@settings(max_examples=60, deadline=None)
@given(texts=TEXTS)
def test_a_listed_run_says_truly_who_has_it(texts: list[str]) -> None:
    source = [i % 2 for i in range(len(texts))]
    for run in overlap(texts, source, least=2).runs:
        owners = defaultdict(set)
        for i, text in enumerate(texts):
            if f" {run.text} " in f" {text} ":
                owners[source[i]].add(i)
        assert run.n_sources == len(owners) == 2
        assert run.n_responses == sum(len(o) for o in owners.values())


def test_the_paper_s_example_is_found() -> None:
    """The iPhone-case responses of the paper share these runs (hivemind.md, section 2, verbatim)."""
    texts = [
        "Elevate your iPhone with our minimal case: sleek, without compromising protection.",
        "Elevate your iPhone with our leather, sleek, without compromising style.",
    ]
    found = overlap(texts, [0, 1], least=3)
    assert [r.text for r in found.runs] == ["elevate your iphone with our", "sleek without compromising"]
    motto = "Empower Your Journey: Unlock Success, Build Wealth, Transform Yourself."
    assert overlap([motto, motto.upper()], [0, 1]).duplicate.all()
    # One source that repeats itself is no overlap between sources.
    assert not overlap([motto, motto], [0, 0]).duplicate.any()
    assert overlap([motto, motto], [0, 0]).longest.tolist() == [0, 0]
    assert overlap([motto, motto], [0, 0]).repeated_grams.tolist() == [6, 6]


def test_long_runs_are_measured_in_full() -> None:
    words = [f"w{n}" for n in range(900)]
    found = overlap([" ".join(words), "x " + " ".join(words[100:800]), ""], [0, 1, 2])
    assert found.longest.tolist() == [700, 700, 0]
    assert found.words.tolist() == [900, 701, 0]


def test_words_and_compression() -> None:
    assert words_of("Don’t STOP, 'now' — eh?") == ["don't", "stop", "now", "eh"]
    assert words_of("Жить-то надо") == ["жить", "то", "надо"]
    texts = ["the same again"] * 50
    raw = " ".join(texts).encode()
    assert compression_ratio(texts) == len(raw) / len(gzip.compress(raw, 9))
    assert compression_ratio(texts) > 5
    assert math.isnan(compression_ratio(["", " "]))
    with pytest.raises(ValueError, match="2 texts"):
        overlap(["a", "b"], [0])
