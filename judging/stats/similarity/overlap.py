"""What responses share word for word: runs of words, 4-grams, whole texts; and how well they compress."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from judging.stats.core.estimate import FloatArray, IntArray

WORD = re.compile(r"\w+(?:['’]\w+)*")
"""A word: letters, digits and inner apostrophes; case and punctuation do not count."""

GRAM = 4
"""Words in the n-grams that are counted."""

_LEVELS = 10  # Runs are told apart up to 2^10 = 1024 words.


@dataclass(frozen=True, slots=True)
class SharedRun:
    """A run of words that responses of different sources share.

    Parameters
    ----------
    words : int
        Length.
    text : str
        The words as compared: lower case, single spaces.
    n_responses, n_sources : int
        Responses and sources that have it.
    """

    words: int
    text: str
    n_responses: int
    n_sources: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """What one prompt's responses share word for word. Arrays have one entry a response, in the order given.

    Parameters
    ----------
    words : ndarray of int, shape (n,)
        Words of each response.
    longest : ndarray of int, shape (n,)
        Words of the longest run that a response of another source has too; 0 if there is none.
    shared_grams : ndarray, shape (n,)
        Share of the response's distinct 4-grams that a response of another source has too; NaN for fewer than
        four words.
    repeated_grams : ndarray of int, shape (n,)
        Occurrences of 4-grams in the response that any other response, of its source too, has as well.
    own_grams : ndarray of int, shape (n,)
        Occurrences of 4-grams in the response that another response of the same source has as well.
    duplicate : ndarray of bool, shape (n,)
        Whether a response of another source is the same but for case, punctuation and spaces. An empty one has no
        duplicate.
    compression : float
        Bytes of all texts over bytes of their gzip: the higher, the more repetitive. NaN without text.
    runs : tuple of SharedRun
        Longest shared runs, none inside another one listed.
    """

    words: IntArray
    longest: IntArray
    shared_grams: FloatArray
    repeated_grams: IntArray
    own_grams: IntArray
    duplicate: npt.NDArray[np.bool_]
    compression: float
    runs: tuple[SharedRun, ...]

    @property
    def self_repetition(self) -> FloatArray:
        """ln(1 + own 4-grams) of each response; a source's self-repetition is its mean."""
        return np.asarray(np.log1p(self.own_grams))


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are compared.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        Lower case, with straight apostrophes.
    """
    return WORD.findall(text.casefold().replace("’", "'"))


def overlap(texts: Sequence[str], source: npt.ArrayLike, *, most: int = 5, least: int = 4) -> Overlap:
    """Return what the responses to one prompt share word for word.

    Parameters
    ----------
    texts : sequence of str, length n
    source : array_like of int, shape (n,)
        Source of each response.
    most : int
        Number of shared runs to list.
    least : int
        Words of the shortest run worth listing.

    Returns
    -------
    Overlap

    Raises
    ------
    ValueError
        If lengths differ.

    Notes
    -----
    All responses in a row make a suffix array by prefix doubling (Manber and Myers): level k numbers the runs of
    2^k words, so the common prefix of two suffixes is found by comparing numbers from the longest level down.
    The longest run that the suffix at i shares with another source begins at the nearest neighbor of another
    source in the sorted order. O(N log L) for N words and runs of at most L = 1024 words; longer ones count as
    1,024 or a little more.

    self_repetition and compression are those of Shaib et al.; words are those of `words_of`.

    References
    ----------
    Manber and Myers (1993), SIAM Journal on Computing 22:935-948. Shaib et al. (2024), Standardizing the
    Measurement of Text Diversity, arXiv 2403.00553. Salkar et al. (2022), Self-Repetition in Abstractive
    Summarization, for ln(1 + repeated n-grams).
    """
    owners = np.asarray(source, dtype=np.int64)
    if owners.shape != (len(texts),):
        raise ValueError(f"{len(texts)} texts and sources of shape {owners.shape}.")
    split = [words_of(text) for text in texts]
    lengths = np.array([len(w) for w in split], dtype=np.int64)
    corpus = _Corpus.of(split, lengths, owners)
    reach = corpus.shared_with_other_source()
    longest = np.zeros(len(texts), dtype=np.int64)
    np.maximum.at(longest, corpus.response, reach)
    shared, repeated, own = _grams(corpus, len(texts))
    return Overlap(
        words=lengths,
        longest=longest,
        shared_grams=shared,
        repeated_grams=repeated,
        own_grams=own,
        duplicate=_duplicates(split, owners),
        compression=compression_ratio(texts),
        runs=_runs(corpus, split, reach, most, least),
    )


def compression_ratio(texts: Sequence[str]) -> float:
    """Return how many times smaller gzip makes the texts.

    Parameters
    ----------
    texts : sequence of str
        Joined by a space, encoded as UTF-8.

    Returns
    -------
    float
        Bytes before over bytes after, level 9; NaN for no text. Grows with the amount of text: compare equal
        amounts.

    References
    ----------
    Shaib et al. (2024), arXiv 2403.00553.
    """
    raw = " ".join(texts).encode()
    return len(raw) / len(gzip.compress(raw, mtime=0)) if raw.strip() else float("nan")


@dataclass(frozen=True, slots=True)
class _Corpus:
    """All words in a row, with a separator of its own after each response, and ranks of runs of 2^k words."""

    response: IntArray  # of each position
    source: IntArray
    left: IntArray  # words to the end of the response, from here
    ranks: tuple[IntArray, ...]
    order: IntArray  # positions sorted by the run that begins there

    @classmethod
    def of(cls, split: Sequence[Sequence[str]], lengths: IntArray, owners: IntArray) -> _Corpus:
        vocabulary: dict[str, int] = {}
        ids = [vocabulary.setdefault(word, len(vocabulary)) for words in split for word in words]
        response = np.repeat(np.arange(len(lengths)), lengths)
        ends = np.cumsum(lengths)
        to_end = ends[response] - np.arange(len(ids)) if ids else np.zeros(0, dtype=np.int64)
        ranks = _ranks(np.array(ids, dtype=np.int64), to_end)
        return cls(response, owners[response], to_end, ranks, np.argsort(ranks[-1], kind="stable"))

    def shared_with_other_source(self) -> IntArray:
        """Return, for each position, the words of the longest run from there that another source has too."""
        n = len(self.order)
        reach = np.zeros(n, dtype=np.int64)
        if n == 0:
            return reach
        sources = self.source[self.order]
        starts = np.flatnonzero(np.r_[True, sources[1:] != sources[:-1]])
        block = np.cumsum(np.r_[True, sources[1:] != sources[:-1]]) - 1
        before, after = starts[block] - 1, np.r_[starts[1:], n][block]
        for neighbor in (before, after):
            usable = (neighbor >= 0) & (neighbor < n)
            here, there = self.order[usable], self.order[neighbor[usable]]
            np.maximum.at(reach, here, self.common(here, there))
        return reach

    def common(self, first: IntArray, second: IntArray) -> IntArray:
        """Return the words that the runs from two positions have in common."""
        length = np.zeros(len(first), dtype=np.int64)
        most = np.minimum(self.left[first], self.left[second])
        for level in range(len(self.ranks) - 1, -1, -1):
            step, rank = 1 << level, self.ranks[level]
            fits = np.flatnonzero(length + step <= most)
            equal = rank[first[fits] + length[fits]] == rank[second[fits] + length[fits]]
            length[fits[equal]] += step
        return length


def _ranks(ids: IntArray, to_end: IntArray) -> tuple[IntArray, ...]:
    """Return numbers that tell runs of 1, 2, 4, ... words apart and sort them; a run that would leave its response
    is told from all others by how much is left."""
    ranks = [ids]
    n = len(ids)
    for level in range(_LEVELS):
        step = 1 << level
        second = np.full(n, -1, dtype=np.int64)
        fits = np.flatnonzero(to_end > step)
        second[fits] = ranks[-1][fits + step]
        _, rank = np.unique(ranks[-1] * (n + 1) + second + 1, return_inverse=True)
        ranks.append(rank.astype(np.int64))
        if n == 0 or rank.max() == ranks[-2].max() or rank.max() == n - 1:
            break
    return tuple(ranks)


def _grams(corpus: _Corpus, n: int) -> tuple[FloatArray, IntArray, IntArray]:
    """Return each response's share of distinct 4-grams that another source has, and occurrences of those that any
    other response has, and of those that another one of its source has."""
    whole = np.flatnonzero(corpus.left >= GRAM)
    shared, repeated = np.full(n, np.nan), np.zeros(n, dtype=np.int64)
    own = np.zeros(n, dtype=np.int64)
    if whole.size == 0:
        return shared, repeated, own
    gram = _numbered(corpus, whole)
    response, source = corpus.response[whole], corpus.source[whole]
    n_responses, n_sources = _distinct(gram, response), _distinct(gram, source)
    np.add.at(repeated, response, (n_responses[gram] > 1).astype(np.int64))
    of_source = gram * np.int64(int(source.max()) + 1) + source
    _, place = np.unique(of_source, return_inverse=True)
    np.add.at(own, response, (_distinct(place, response)[place] > 1).astype(np.int64))
    once = _once(gram * np.int64(n) + response)
    of_gram, of_response = once // n, once % n
    total = np.bincount(of_response, minlength=n)
    hits = np.bincount(of_response, n_sources[of_gram] > 1, minlength=n)
    np.divide(hits, total, out=shared, where=total > 0)
    return shared, repeated, own


def _numbered(corpus: _Corpus, whole: IntArray) -> IntArray:
    """Return a number for the 4-gram that begins at each position; equal grams, equal numbers."""
    # Ranks stop at the level that tells all runs apart; from there on no gram occurs twice.
    deepest = min(2, len(corpus.ranks) - 1)
    if deepest == 2:
        return np.unique(corpus.ranks[2][whole], return_inverse=True)[1].astype(np.int64)
    words = np.stack([corpus.ranks[0][whole + k] for k in range(GRAM)])
    return np.unique(words, axis=1, return_inverse=True)[1].ravel().astype(np.int64)


def _distinct(gram: IntArray, label: IntArray) -> IntArray:
    """Return how many distinct labels each gram has."""
    size = int(label.max()) + 1
    return np.bincount(_once(gram * np.int64(size) + label) // size)


def _once(values: IntArray) -> IntArray:
    """Return sorted distinct values; faster here than `numpy.unique`, which hashes."""
    ordered = np.sort(values)
    return ordered[np.r_[True, ordered[1:] != ordered[:-1]]] if ordered.size else ordered


def _duplicates(split: Sequence[Sequence[str]], owners: IntArray) -> npt.NDArray[np.bool_]:
    """Return whether another source has the same words."""
    sources: dict[tuple[str, ...], set[int]] = {}
    keys = [tuple(words) for words in split]
    for key, owner in zip(keys, owners, strict=True):
        sources.setdefault(key, set()).add(int(owner))
    return np.array([bool(key) and len(sources[key]) > 1 for key in keys], dtype=bool)


def _runs(
    corpus: _Corpus, split: Sequence[Sequence[str]], reach: IntArray, most: int, least: int
) -> tuple[SharedRun, ...]:
    """Return the longest runs that sources share, the longest first, none inside another."""
    offsets = np.cumsum([0, *(len(w) for w in split)])
    runs: list[SharedRun] = []
    for place in np.lexsort((np.arange(len(reach)), -reach)):
        if len(runs) == most or reach[place] < least:
            break
        response = int(corpus.response[place])
        start = int(place - offsets[response])
        text = " ".join(split[response][start : start + int(reach[place])])
        if not any(f" {text} " in f" {run.text} " for run in runs):
            runs.append(_described(corpus, int(place), int(reach[place]), text))
    return tuple(runs)


def _described(corpus: _Corpus, place: int, words: int, text: str) -> SharedRun:
    """Return a shared run with the responses and sources that have it."""
    every = np.arange(len(corpus.response))
    has = corpus.common(np.full(len(every), place, dtype=np.int64), every) >= words
    has[place] = True
    return SharedRun(words, text, len(_once(corpus.response[has])), len(_once(corpus.source[has])))
