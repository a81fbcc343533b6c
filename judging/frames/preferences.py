"""Pairs as people and machines compare them: votes for each response, and scorers' preferences."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotate.kinds import Measure, kind_of
from annotate.models import Criterion, Study
from judging.frames import tables as frames
from judging.results.agreement.units import levels, signed_preference
from judging.results.judges.report import choices
from judging.scorers.length import NAME as LENGTH
from judging.stats import value_counts

# A pairwise judge's choices: both orders taken together, with the item's first response shown first, or shown last.
# None: a scorer of single responses, or a judge whose file does not say what it chose in each order.
Order = Literal["both", "original", "reversed"] | None


@dataclass(frozen=True, slots=True)
class Voted:
    """The pairs that people compared by one criterion, in one order; each has a vote."""

    criterion: Criterion
    pairs: pd.DataFrame  # pair_id, prompt_id, first, second, first_length, second_length
    counts: npt.NDArray[np.int64]  # (n, 3, 5 or 7), from the second much better to the first much better

    @property
    def prompt(self) -> npt.NDArray[np.int64]:
        return np.asarray(self.pairs["prompt_id"], dtype=np.int64)

    @property
    def thirds(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Votes for the first response, for the second, and for neither."""
        middle = self.counts.shape[1] // 2
        first, second = self.counts[:, middle + 1 :], self.counts[:, :middle]
        return first.sum(axis=1), second.sum(axis=1), self.counts[:, middle]

    @property
    def share(self) -> npt.NDArray[np.float64]:
        """Share of votes for the first response, a tie as a half."""
        first, _, neither = self.thirds
        return np.asarray((first + neither / 2) / self.counts.sum(axis=1))


@dataclass(frozen=True, slots=True)
class Margins:
    """A scorer's preference in each pair: above 0 for the first response, below for the second; NaN if none."""

    scorer: str
    order: Order
    values: "pd.Series[float]"  # by pair_id
    pairwise: bool = False

    def of(self, voted: Voted) -> npt.NDArray[np.float64]:
        return np.asarray(voted.pairs["pair_id"].map(self.values), dtype=np.float64)


def criteria(study: Study) -> list[Criterion]:
    """The study's questions which response is better."""
    good = ("", Measure.QUALITY)
    return [c for c in study.criteria.all() if kind_of(c).prefers and c.measures in good]


def shown_pairs(study: Study) -> pd.DataFrame:
    """Every pair: pair_id, prompt_id, first, second, first_length, second_length."""
    pairs = frames.pairs(study)
    for side in ("first", "second"):
        pairs[f"{side}_length"] = pairs.pop(f"{side}_text").str.len().astype(float)
    return pairs


def voted(criterion: Criterion, pairs: pd.DataFrame) -> Voted:
    """“Cannot tell” is no vote."""
    answers = frames.answers(criterion)
    first = pairs.set_index("pair_id")["first"]
    signed = signed_preference(answers, first)
    counts, items = value_counts(answers["item_id"].to_numpy(), signed.to_numpy(), levels(criterion))
    some = counts.sum(axis=1) > 0
    chosen = pairs.set_index("pair_id").loc[items[some]].reset_index()
    return Voted(criterion, chosen, counts[some])


def votes(criterion: Criterion, pairs: pd.DataFrame) -> pd.DataFrame:
    """One row a vote: pair_id, annotator_id, and value, above 0 for the pair's first response, below for its second."""
    answers = frames.answers(criterion)
    value = signed_preference(answers, pairs.set_index("pair_id")["first"])
    given = answers[["annotator_id"]].assign(pair_id=answers["item_id"], value=value)
    return given.dropna(subset=["value"])


def margins(study: Study, pairs: pd.DataFrame) -> list[Margins]:
    """Of every scorer of single responses, of every pairwise judge, and of the lengths, the baseline, last."""
    return [*_of_scores(study, pairs), *_of_judges(study), _of_lengths(pairs)]


def _of_scores(study: Study, pairs: pd.DataFrame) -> Iterator[Margins]:
    scores = frames.scores(study)
    for name, rows in scores.groupby("scorer", sort=True):
        known = rows.set_index("response_id")["score"]
        difference = pairs["first"].map(known) - pairs["second"].map(known)
        yield Margins(stored_name(str(name)), None, _by_pair(pairs, difference))


def stored_name(scorer: str) -> str:
    """The baseline is always computed; numbers stored under its name are another scorer's."""
    return f"{LENGTH} (stored)" if scorer == LENGTH else scorer


def _of_judges(study: Study) -> Iterator[Margins]:
    rows = choices(study)
    for name, chosen in rows[rows["probe"] == ""].groupby("scorer", sort=True):
        known = chosen.set_index("of")[["value", "original_order", "reversed_order"]].astype(float)
        if not known["original_order"].notna().any():
            yield Margins(str(name), None, known["value"], True)
            continue
        yield Margins(str(name), "both", known["value"], True)
        yield Margins(str(name), "original", known["original_order"], True)
        yield Margins(str(name), "reversed", known["reversed_order"], True)


def _of_lengths(pairs: pd.DataFrame) -> Margins:
    # log_length of texts is that of their lengths.
    logs = [np.log1p(pairs[side].to_numpy(dtype=np.float64)) for side in ("first_length", "second_length")]
    return Margins(LENGTH, None, _by_pair(pairs, pd.Series(logs[0] - logs[1])))


def _by_pair(pairs: pd.DataFrame, values: "pd.Series[float]") -> "pd.Series[float]":
    return pd.Series(values.to_numpy(dtype=np.float64), index=pairs["pair_id"].to_numpy())
