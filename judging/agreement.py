"""How far annotators agree: one entry for each criterion and level of measurement that makes sense for its kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from annotate.kinds import Kind, NoPreference
from annotate.models import Criterion, Study
from judging import frames
from judging.stats import (
    Estimate,
    co_membership,
    krippendorff_alpha,
    percent_agreement,
    reliability_of_mean,
    value_counts,
)
from judging.stats.agreement import Level

SEED = 20250301


@dataclass(frozen=True, slots=True)
class Units:
    """A criterion's answers as units that annotators give values to."""

    frame: pd.DataFrame  # unit, item_id, annotator_id, value
    domain: list[float]
    levels: tuple[Level, ...]
    clustered: bool = False  # several units of one item are not independent

    @property
    def given(self) -> pd.DataFrame:
        return self.frame.dropna(subset=["value"])

    def counted(self) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, Any] | None]:
        """How many annotators gave each value to each unit, and the item of each where that matters."""
        given = self.given
        counts, names = value_counts(given["unit"].to_numpy(), given["value"].to_numpy(), self.domain)
        if not self.clustered:
            return counts, None
        item_of = given.drop_duplicates("unit").set_index("unit")["item_id"]
        return counts, item_of.loc[list(names)].to_numpy()


@dataclass(frozen=True, slots=True)
class SoFar:
    """One criterion's agreement at its first level, for a page that is looked at while answers come in."""

    criterion: Criterion
    level: str
    n_items: int
    n_answers: int
    alpha: Estimate


@dataclass(frozen=True, slots=True)
class Entry:
    criterion: Criterion
    level: str
    n_items: int
    n_annotators: int
    n_answers: int
    alpha: Estimate
    percent_agreement: Estimate
    reliability_of_mean: Estimate

    def as_json(self) -> dict[str, Any]:
        return {
            "criterion": self.criterion.key,
            "kind": self.criterion.kind,
            "level": self.level,
            "n_items": self.n_items,
            "n_annotators": self.n_annotators,
            "n_answers": self.n_answers,
            "alpha": _interval(self.alpha),
            "percent_agreement": self.percent_agreement.estimate,
            "percent_agreement_interval": _interval(self.percent_agreement),
            "reliability_of_mean": self.reliability_of_mean.estimate,
            "reliability_of_mean_interval": _interval(self.reliability_of_mean),
        }


def _interval(e: Estimate) -> dict[str, Any]:
    row: dict[str, Any] = {"estimate": e.estimate, "low": e.low, "high": e.high, "n": e.n}
    return row | ({"reason": e.reason} if e.reason else {})


def agreement(study: Study) -> list[Entry]:
    return [entry for criterion in study.criteria.all() for entry in _entries(criterion)]


def has_units(criterion: Criterion) -> bool:
    """Whether agreement can be computed for such a criterion: words have none."""
    return Kind(criterion.kind) in _UNITS


def units(criterion: Criterion) -> Units | None:
    """The units of a criterion that agreement can be computed for."""
    make = _UNITS.get(Kind(criterion.kind))
    return None if make is None else make(criterion, frames.answers(criterion))


def so_far(study: Study) -> list[SoFar]:
    found = []
    for criterion in study.criteria.all():
        asked = units(criterion)
        if asked is None:
            continue
        counts, clusters = asked.counted()
        level, given = asked.levels[0], asked.given
        alpha = krippendorff_alpha(
            counts, asked.domain, level, clusters=clusters, rng=np.random.default_rng(SEED)
        )
        found.append(SoFar(criterion, level, given["item_id"].nunique(), len(given), alpha))
    return found


def as_json(study: Study, entries: Sequence[Entry]) -> dict[str, Any]:
    criteria = [e.as_json() for e in entries]
    return {"study": study.slug, "simulated": study.simulated, "criteria": criteria}


def _entries(criterion: Criterion) -> list[Entry]:
    make = _UNITS.get(Kind(criterion.kind))
    if make is None:  # words have no agreement
        return []
    answers = frames.answers(criterion)
    units = make(criterion, answers)
    given = units.given
    counts, clusters = units.counted()
    share = percent_agreement(counts, clusters=clusters, rng=np.random.default_rng(SEED))
    mean = reliability_of_mean(
        given["unit"].to_numpy(), given["annotator_id"].to_numpy(), given["value"].to_numpy(),
        rng=np.random.default_rng(SEED),
    )  # fmt: skip
    return [
        Entry(
            criterion=criterion,
            level=level,
            n_items=given["item_id"].nunique(),
            n_annotators=given["annotator_id"].nunique(),
            n_answers=int(answers["value"].notna().sum()),
            alpha=krippendorff_alpha(
                counts,
                units.domain,
                level,
                clusters=clusters,
                rng=np.random.default_rng(SEED),
            ),
            percent_agreement=share,
            reliability_of_mean=mean,
        )
        for level in units.levels
    ]


def _units(answers: pd.DataFrame, keys: Sequence[str], value: pd.Series) -> pd.DataFrame:
    """Rows unit, item_id, annotator_id, value; a unit is what the key columns tell apart."""
    return pd.DataFrame(
        {
            "unit": answers.groupby(list(keys), sort=False).ngroup(),
            "item_id": answers["item_id"],
            "annotator_id": answers["annotator_id"],
            "value": value.astype(float),
        }
    )


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
    first = frames.item_responses(criterion.study).query("position == 0").set_index("item_id")["response_id"]
    is_first = (answers["response_id"] == answers["item_id"].map(first)).fillna(False).to_numpy(dtype=bool)
    sign = np.where(is_first, 1.0, -1.0)
    signed = answers["value"] * sign
    # Whoever cannot tell expresses no preference, not even for neither.
    signed = signed.where(answers["label"] != NoPreference.CANNOT_TELL)
    return Units(
        _units(answers, ["item_id"], signed + 0.0), [-2.0, -1.0, 0.0, 1.0, 2.0], ("nominal", "ordinal")
    )


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
    return Units(frame.astype({"value": float}), [0.0, 1.0], ("nominal",), clustered=True)


def _odd(criterion: Criterion, answers: pd.DataFrame) -> Units:
    """Each response of a set is either the odd one or not."""
    given = answers.dropna(subset=["response_id"])
    shown = frames.item_responses(criterion.study)
    every = given[["item_id", "annotator_id", "response_id"]].merge(
        shown, on="item_id", suffixes=("", "_shown")
    )
    odd = (every["response_id"] == every["response_id_shown"]).astype(float)
    return Units(
        _units(every, ["item_id", "response_id_shown"], odd), [0.0, 1.0], ("nominal",), clustered=True
    )


def _counted(criterion: Criterion, answers: pd.DataFrame) -> Units:
    domain = sorted(float(v) for v in answers["value"].dropna().unique())
    return Units(_units(answers, ["item_id"], answers["value"]), domain or [0.0], ("interval",))


_UNITS: dict[Kind, Callable[[Criterion, pd.DataFrame], Units]] = {
    Kind.RATING: _rated,
    Kind.SIMILARITY: _alike,
    Kind.PREFERENCE: _preferred,
    Kind.RANKING: _ranked,
    Kind.GROUPING: _grouped,
    Kind.ODD_ONE_OUT: _odd,
    Kind.NUMBER: _counted,
}
