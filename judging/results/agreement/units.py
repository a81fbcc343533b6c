"""A criterion's answers as units that annotators give values to, by the criterion's kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from annotate.kinds import NoPreference, Trait, kind_of, strengths
from annotate.models import Criterion
from judging.frames import tables as frames
from judging.stats import Level, co_membership, value_counts

MOST_VALUES = 50  # numbers may be anything; beyond so many different ones they are not counted one by one
ABOUT = ["item_id", "prompt_id", "response_id", "other_id", "annotator_id"]

Column = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Units:
    """A criterion's answers as units that annotators give values to."""

    given: pd.DataFrame  # unit, item_id, prompt_id, response_id, other_id, annotator_id, value; none missing
    domain: list[float]
    levels: tuple[Level, ...]
    clustered: bool = False  # several units of one item are not independent
    numeric: bool = True  # values have a mean that says something
    n_answers: int = 0  # of the criterion, which may be fewer than values of units

    @property
    def long(self) -> tuple[Column, Column, Column]:
        """Unit, annotator and value of each value."""
        unit, annotator, value = (self.given[name].to_numpy() for name in ("unit", "annotator_id", "value"))
        return unit, annotator, value

    @property
    def countable(self) -> bool:
        """Whether values are few enough to be counted one by one."""
        return len(self.domain) <= MOST_VALUES

    def counted(self) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, Any] | None]:
        """How many annotators gave each value to each unit, and the item of each where that matters."""
        given = self.given
        counts, names = value_counts(given["unit"].to_numpy(), given["value"].to_numpy(), self.domain)
        if not self.clustered:
            return counts, None
        item_of = given.drop_duplicates("unit").set_index("unit")["item_id"]
        return counts, item_of.loc[list(names)].to_numpy()


def has_units(criterion: Criterion) -> bool:
    """Whether agreement can be computed for such a criterion: words have none."""
    return kind_of(criterion).first_of(_UNITS) is not None


def units(criterion: Criterion, *, repeats: bool = False) -> Units | None:
    """The units of a criterion that agreement can be computed for; with repeats as further answers to their items."""
    make = kind_of(criterion).first_of(_UNITS)
    if make is None:
        return None
    answers = frames.answers(criterion, repeats=repeats)
    made = make(criterion, answers)
    return replace(
        made, given=made.given.dropna(subset=["value"]), n_answers=int(answers["value"].notna().sum())
    )


def _units(answers: pd.DataFrame, keys: Sequence[str], value: pd.Series) -> pd.DataFrame:
    """The answers with a unit, which is what the key columns tell apart, and the value."""
    unit = answers.groupby(list(keys)).ngroup()
    return answers[ABOUT].assign(unit=unit, value=value.astype(float))


def _rated(criterion: Criterion, answers: pd.DataFrame) -> Units:
    frame = _units(answers, ["item_id", "response_id"], answers["value"])
    return Units(
        frame, [float(p) for p in criterion.points], ("ordinal", "interval"), criterion.on != "single"
    )


def _alike(criterion: Criterion, answers: pd.DataFrame) -> Units:
    frame = _units(answers, ["item_id"], answers["value"])
    return Units(frame, [float(p) for p in criterion.points], ("ordinal", "interval"))


def _preferred(criterion: Criterion, answers: pd.DataFrame) -> Units:
    """Signed strength: positive for the item's first response, negative for its second."""
    signed = signed_preference(answers, frames.first_responses(criterion.study))
    return Units(_units(answers, ["item_id"], signed), levels(criterion), ("nominal", "ordinal"))


def levels(criterion: Criterion) -> list[float]:
    """The points of a preference, from the second response much better to the first much better."""
    most = strengths(criterion)[-1]
    return [float(point) for point in range(-most, most + 1)]


def signed_preference(answers: pd.DataFrame, first: pd.Series) -> pd.Series:
    """Strength, positive for the item's first response and negative for its second."""
    is_first = (answers["response_id"] == answers["item_id"].map(first)).fillna(False).to_numpy(dtype=bool)
    signed = answers["value"] * np.where(is_first, 1.0, -1.0)
    # Whoever cannot tell expresses no preference, not even for neither.
    return signed.where(answers["label"] != NoPreference.CANNOT_TELL) + 0.0


def _ranked(criterion: Criterion, answers: pd.DataFrame) -> Units:
    most = int(answers["value"].max()) if answers["value"].notna().any() else 1
    frame = _units(answers, ["item_id", "response_id"], answers["value"])
    return Units(frame, [float(r) for r in range(1, most + 1)], ("ordinal",), clustered=True)


def _grouped(criterion: Criterion, answers: pd.DataFrame) -> Units:
    given = answers.dropna(subset=["value"])
    frame = co_membership(
        given["item_id"].to_numpy(),
        given["annotator_id"].to_numpy(),
        given["response_id"].to_numpy(dtype=np.int64),
        given["value"].to_numpy(),
    )
    named = frame.rename(columns={"response": "response_id", "other": "other_id"})
    prompt_of = given.drop_duplicates("item_id").set_index("item_id")["prompt_id"]
    named["prompt_id"] = named["item_id"].map(prompt_of)
    return Units(named.astype({"value": float}), [0.0, 1.0], ("nominal",), clustered=True, numeric=False)


def _odd(criterion: Criterion, answers: pd.DataFrame) -> Units:
    """Each response of a set is either the odd one or not."""
    given = answers.dropna(subset=["response_id"])
    shown = frames.item_responses(criterion.study)
    every = given.rename(columns={"response_id": "chosen"}).merge(shown, on="item_id")
    odd = (every["chosen"] == every["response_id"]).astype(float)
    frame = _units(every, ["item_id", "response_id"], odd)
    return Units(frame, [0.0, 1.0], ("nominal",), clustered=True, numeric=False)


def _counted(criterion: Criterion, answers: pd.DataFrame) -> Units:
    domain = sorted(float(v) for v in answers["value"].dropna().unique())
    keys = ["item_id", "response_id"] if kind_of(criterion).per_response else ["item_id"]
    return Units(_units(answers, keys, answers["value"]), domain or [0.0], ("interval",))


_UNITS: dict[Trait, Callable[[Criterion, pd.DataFrame], Units]] = {
    "rates": _rated,
    "compares": _alike,
    "prefers": _preferred,
    "ranks": _ranked,
    "groups": _grouped,
    "picks": _odd,
    "numeric": _counted,
}
