"""What can be analyzed: responses with a score and at least two ratings, checked and coded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from judging.stats.core.estimate import BoolArray, FloatArray, IntArray
from judging.stats.core.longform import order_of
from judging.stats.core.panel import Panel

_HUGE = 1e100


@dataclass(frozen=True, slots=True)
class Sample:
    """The panel, which rows of the responses it kept, and what was left out.

    Parameters
    ----------
    panel : Panel
        Columns: unusualness, covariates, scores.
    kept : ndarray of int
        Rows of the responses that are in the panel, in its order: by prompt, then by id.
    ids : Index
        All response ids.
    n_rated, people : int
        Complete responses with a rating, and annotators who gave one.
    n_incomplete, n_thin : int
        Rated responses left out for want of a number, and of a second rating.
    notes : tuple of str
        What was left out, in words.
    selection : float or None
        z of the within-prompt covariance of unusualness with the number of ratings; of passing over, with its sign
        turned, where responses say how often that happened and it is further from 0.
    """

    panel: Panel
    kept: IntArray
    ids: pd.Index
    n_rated: int
    people: int
    n_incomplete: int
    n_thin: int
    notes: tuple[str, ...] = field(default=())
    selection: float | None = None


def require(frame: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Raise if a column is missing or an id is."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(f"{name} lacks the column(s) {', '.join(missing)}.")
    for column in columns:
        if column.endswith("_id") and bool(frame[column].isna().any()):
            raise ValueError(f"{name} has a missing {column}.")


def numbers(frame: pd.DataFrame, columns: Sequence[str]) -> FloatArray:
    """Return columns as floats, shape (rows, columns), NaN where missing; raise ValueError on infinity."""
    try:
        table = frame[list(columns)].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Columns {', '.join(columns)} must hold numbers.") from error
    for name, column in zip(columns, table.T, strict=True):
        if bool((np.abs(column[~np.isnan(column)]) > _HUGE).any()):
            raise ValueError(f"{name} holds a value that is infinite or too large to square.")
    return np.asarray(table)


def scored_alike(table: pd.DataFrame, scorers: Sequence[str]) -> list[list[str]]:
    """Return the scorers in groups that scored the same responses; a column that is missing scored none."""
    groups: dict[bytes, list[str]] = {}
    for name in scorers:
        scored = table[name].notna().to_numpy() if name in table else np.zeros(0)
        groups.setdefault(scored.tobytes(), []).append(name)
    return list(groups.values())


def sample_of(
    ratings: pd.DataFrame,
    responses: pd.DataFrame,
    covariates: tuple[str, ...],
    scorers: tuple[str, ...] = ("score",),
    *,
    clustered: bool = False,
) -> Sample:
    """Return what can be analyzed: complete responses with two ratings, two of them to a prompt.

    Parameters
    ----------
    ratings, responses : DataFrame
        As for `underrating`.
    covariates : tuple of str
        Further columns of the responses.
    scorers : tuple of str
        Columns of the scores, which must all be given.
    clustered : bool
        Whether to heed the responses' cluster_id, if there is one.

    Returns
    -------
    Sample
        With an empty panel when nothing can be analyzed; `why_undefined` says why.

    Raises
    ------
    ValueError
        As `underrating`.
    """
    require(ratings, ["prompt_id", "response_id", "annotator_id", "value"], "ratings")
    names = ["unusualness", *covariates, *scorers]
    require(responses, ["prompt_id", "response_id", *names], "responses")
    order = order_of(responses["prompt_id"], responses["response_id"])
    all_ids, responses = pd.Index(responses["response_id"]), responses.iloc[order]
    ratings = ratings.iloc[order_of(ratings["response_id"], ratings["annotator_id"])]
    ids = pd.Index(responses["response_id"])
    repeated = responses["response_id"].duplicated()
    if repeated.any():
        raise ValueError(f"responses lists {responses.loc[repeated, 'response_id'].iloc[0]!r} twice.")
    columns = numbers(responses, names)
    value = numbers(ratings, ["value"])[:, 0]
    row = ids.get_indexer(pd.Index(ratings["response_id"])).astype(np.int64)
    known: BoolArray = np.asarray(row >= 0)
    _check_prompts(ratings, responses, row, known)
    annotator = pd.factorize(ratings["annotator_id"], sort=True)[0].astype(np.int64)
    prompt = pd.factorize(responses["prompt_id"], sort=True)[0].astype(np.int64)
    complete: BoolArray = np.asarray(~np.isnan(columns).any(axis=1))
    valued: BoolArray = np.asarray(known & ~np.isnan(value))
    rated = np.zeros(len(ids), dtype=bool)
    rated[row[valued]] = True
    use = valued.copy()
    use[valued] = complete[row[valued]]
    _check_repeats(row[valued], annotator[valued])
    keeps = _enough(np.bincount(row[use], minlength=len(ids)), prompt)
    use[use] = keeps[row[use]]
    rows = np.flatnonzero(keeps)
    renumber = np.cumsum(keeps) - 1
    panel = Panel(
        _contiguous(prompt[rows]), columns[rows], renumber[row[use]], _contiguous(annotator[use]), value[use],
        _clusters(responses, prompt, rows) if clustered and "cluster_id" in responses else None,
    )  # fmt: skip
    lost = int((rated & ~complete).sum())
    thin = int((rated & complete).sum()) - len(rows)
    people = int(np.count_nonzero(np.bincount(annotator[valued])))
    notes = _left_out(lost, thin, int((~known).sum()))
    counts = np.bincount(row[valued], minlength=len(ids)).astype(np.float64)
    selection = _selection(responses, columns[:, 0], prompt, rated & complete, counts)
    return Sample(
        panel, order[rows], all_ids, int((rated & complete).sum()), people, lost, thin, notes, selection
    )


def _clusters(responses: pd.DataFrame, prompt: IntArray, rows: IntArray) -> IntArray:
    """Return the cluster of each prompt that is kept; raise if a prompt is in two."""
    require(responses, ["cluster_id"], "responses")
    cluster = pd.factorize(responses["cluster_id"], sort=True)[0].astype(np.int64)
    pairs = np.unique(np.column_stack([prompt, cluster]), axis=0)
    if len(pairs) > len(np.unique(prompt)):
        raise ValueError("A prompt_id belongs to two cluster_ids.")
    first = np.unique(prompt[rows], return_index=True)[1]
    return _contiguous(cluster[rows[first]])


def _selection(
    responses: pd.DataFrame, unusual: FloatArray, prompt: IntArray, use: BoolArray, counts: FloatArray
) -> float | None:
    """Return the z that is further from 0 of how often responses were rated, or were not passed over."""
    tables = [counts]
    if "skips" in responses:
        tables.append(-np.nan_to_num(numbers(responses, ["skips"])[:, 0]))
    found = [clustered_z(unusual[use], table[use], prompt[use]) for table in tables]
    known = [z for z in found if z is not None]
    return max(known, key=abs, default=None)


def clustered_z(one: FloatArray, two: FloatArray, prompt: IntArray) -> float | None:
    """Return the z of a within-prompt covariance, its variance that of its sums over prompts.

    Parameters
    ----------
    one, two : ndarray, shape (n,)
        What may go together.
    prompt : ndarray of int, shape (n,)
        Prompt of each.

    Returns
    -------
    float or None
        sum_p T_p / sqrt(sum_p T_p^2), T_p the sum of products of deviations; None where all T_p are 0.
    """
    if not len(one):
        return None
    codes = _contiguous(prompt)
    products = np.bincount(codes, centered(one, codes) * centered(two, codes))
    error = float(np.sqrt((products**2).sum()))
    scale = float(np.abs(one).max() * np.abs(two).max())
    return float(products.sum()) / error if error > 1e-9 * scale else None


def _check_prompts(ratings: pd.DataFrame, responses: pd.DataFrame, row: IntArray, known: BoolArray) -> None:
    """Raise if a rating puts its response under another prompt than the responses do."""
    stated = ratings["prompt_id"].to_numpy(dtype=object)[known]
    actual = responses["prompt_id"].to_numpy(dtype=object)[row[known]]
    differ = np.flatnonzero(stated != actual)
    if differ.size:
        where = ratings["response_id"].to_numpy(dtype=object)[known][differ[0]]
        raise ValueError(f"ratings and responses put response {where!r} under different prompts.")


def _check_repeats(row: IntArray, annotator: IntArray) -> None:
    """Raise if an annotator rated a response twice, rows in order: his errors would not be independent."""
    if bool(((row[1:] == row[:-1]) & (annotator[1:] == annotator[:-1])).any()):
        raise ValueError("An annotator rated the same response twice; keep one of the ratings.")


def effective_number(code: IntArray) -> float:
    """Return how many equally busy people would be as many as these: 1 over the sum of their squared shares.

    Parameters
    ----------
    code : ndarray of int, shape (n,)
        Who gave each rating, from 0.

    Returns
    -------
    float
        Between 1 and the number of people; 0 without ratings.
    """
    if not len(code):
        return 0.0
    shares = np.bincount(code) / len(code)
    return float(1 / (shares**2).sum())


def _enough(counts: IntArray, prompt: IntArray) -> BoolArray:
    """Return which responses have two ratings and another such response to their prompt."""
    twice = counts >= 2
    fellows = np.bincount(prompt[twice], minlength=int(prompt.max(initial=0)) + 1)
    return np.asarray(twice & (fellows[prompt] >= 2))


def _contiguous(codes: IntArray) -> IntArray:
    """Return codes renumbered from 0 without gaps, in the same order."""
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _left_out(incomplete: int, thin: int, unknown: int) -> tuple[str, ...]:
    """Return what was left out, in words."""
    reasons = (
        (incomplete, "rated response(s) left out: no score, unusualness or covariate."),
        (thin, "rated response(s) left out: fewer than two ratings, or alone in their prompt to have two."),
        (unknown, "rating(s) left out: their response is not among the responses."),
    )
    return tuple(f"{count} {words}" for count, words in reasons if count)


def why_undefined(sample: Sample) -> str | None:
    """Return in words why no slope can be computed from such a sample, or None."""
    if sample.n_rated == 0:
        return "No response has a rating as well as a score, an unusualness and all covariates."
    if len(sample.kept):
        return None
    if sample.people < 2:
        return (
            "Only one annotator: the error of a rating can't be told from quality. "
            "Have at least two annotators rate every response."
        )
    return (
        "No prompt has two responses with two ratings each, so quality can't be told from rating error. "
        "Have at least two annotators rate every response."
    )


def centered(values: FloatArray, prompt: IntArray) -> FloatArray:
    """Return values, shape (n,) or (n, F), minus their prompt's mean."""
    table = values.reshape(len(values), -1)
    sizes = np.bincount(prompt)
    means = np.column_stack([np.bincount(prompt, column) / sizes for column in table.T])
    return np.asarray((table - means[prompt]).reshape(values.shape))
