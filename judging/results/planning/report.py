"""How many annotators a study needs: from those that are there, and before there are any."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from annotate.models import Criterion
from judging.results.agreement import SEED, units
from judging.stats import Estimate, raters_needed, underrating
from judging.stats.audit.simulation import StudyModel, simulated_study

TARGET = 0.8
SMALL_GAIN = 0.02  # in reliability, by twice the annotators: not worth them


@dataclass(frozen=True, slots=True)
class Point:
    """What k annotators an item would have given."""

    k: int
    n_units: int
    alpha_width: float | None
    mean_width: float
    reliability: Estimate


@dataclass(frozen=True, slots=True)
class Curve:
    criterion: Criterion
    level: str
    points: list[Point]
    n_annotators: int
    reason: str = ""  # why there are no points


def curve(criterion: Criterion) -> Curve:
    """Agreement and reliability with k = 2 … of the annotators that are there, kept together across items."""
    values = units(criterion)
    if values is None:
        return Curve(criterion, "", [], 0, "Words have no agreement.")
    given = values.given
    rows = raters_needed(
        given["unit"].to_numpy(), given["annotator_id"].to_numpy(), given["value"].to_numpy(), values.domain,
        values.levels[0], clusters=given["item_id"].to_numpy() if values.clustered else None,
        rng=np.random.default_rng(SEED),
    )  # fmt: skip
    n = int(given["annotator_id"].nunique())
    points = [_point(row) for row in rows.to_dict("records")]
    reason = "" if points else "Most items have fewer than two answers so far."
    return Curve(criterion, values.levels[0], points, n, reason)


def _point(row: dict[Hashable, Any]) -> Point:
    numbers = [row[name] for name in ("reliability", "reliability_low", "reliability_high", "alpha_width")]
    reliability, low, high, width = (None if math.isnan(x) else float(x) for x in numbers)
    n = int(row["n_items"])
    return Point(
        k=int(row["k"]), n_units=n, alpha_width=width, mean_width=float(row["mean_width"]),
        reliability=Estimate(reliability, low, high, n, row["reason"] or None),
    )  # fmt: skip


def stepped(reliability: float, times: float) -> float:
    """Spearman and Brown: the reliability of a mean of `times` as many."""
    return times * reliability / (1 + (times - 1) * reliability)


def times_needed(reliability: float, wanted: float) -> float:
    """How many times as many annotators a wanted reliability takes."""
    return wanted * (1 - reliability) / (reliability * (1 - wanted))


def _first_small_gain() -> float:
    """The reliability r from which doubling adds less than SMALL_GAIN: r (1 - r) = SMALL_GAIN (1 + r)."""
    half = (1 - SMALL_GAIN) / 2
    return half + math.sqrt(half * half - SMALL_GAIN)


@dataclass(frozen=True, slots=True)
class Stop:
    """The number of annotators an item, and whether it lies beyond those that are there."""

    k: int
    extrapolated: bool


def stop_at_target(points: Sequence[Point], target: float) -> Stop | None:
    return _first(points, lambda p: (p.reliability.estimate or 0.0) >= target, target)


def stop_at_small_gain(points: Sequence[Point]) -> Stop | None:
    measured = {p.k: p.reliability.estimate for p in points}

    def gain(p: Point) -> float:
        r = p.reliability.estimate or 0.0
        return (measured.get(2 * p.k) or stepped(r, 2)) - r if r > 0 else math.inf

    return _first(points, lambda p: gain(p) < SMALL_GAIN, _first_small_gain())


def _first(points: Sequence[Point], enough: Any, wanted: float) -> Stop | None:
    k = next((p.k for p in points if enough(p)), None)
    if k is not None:
        return Stop(k, extrapolated=False)
    last = points[-1].reliability.estimate if points else None
    if last is None or last <= 0:
        return None
    return Stop(
        max(points[-1].k + 1, math.ceil(points[-1].k * times_needed(last, wanted))), extrapolated=True
    )


def sentence(curve: Curve, target: float) -> str:
    """Where the study could stop, in one sentence."""
    at, idle = stop_at_target(curve.points, target), stop_at_small_gain(curve.points)
    if at is None or idle is None:
        return (
            "With these annotators the means of items do not repeat themselves at all, so more of the same "
            "would not help: look at the question first."
        )
    if at.extrapolated:
        most = curve.points[-1].k
        reach = (
            f"{most} annotators an item do not reach a reliability of {target:.2f}; about {at.k:,} would, "
            "if the others are like these"
        )
    else:
        reach = f"{at.k} annotators an item reach a reliability of {target:.2f}: the study could stop there"
    about = "about " if idle.extrapolated else ""
    return f"{reach}; twice as many would add less than {SMALL_GAIN:.2f} from {about}{idle.k:,} on."


# Before a study: data sets from a stated model, audited as a real study is.
QUALITY_SD, TASTE_SD = 0.4, 0.2  # in points of a five-point scale
MOST_RATINGS = 100_000
RATINGS_IN_ALL = 900_000


class PlanError(ValueError):
    """A design that cannot be simulated: which number, what was expected, what was found."""

    def __init__(self, field: str, expected: str, value: object) -> None:
        super().__init__(f"{field}: expected {expected}, found {value}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Design:
    prompts: int
    responses: int  # of each prompt
    annotators: int
    ratings: int  # of each response
    correlation: float = -0.4  # of quality and unusualness, within prompts
    reliability: float = 0.12  # of one rating, within prompts

    def __post_init__(self) -> None:
        for field, low, high in (
            ("prompts", 2, 1000),
            ("responses", 2, 200),
            ("annotators", 3, 2000),
            ("ratings", 2, self.annotators),
        ):
            if not low <= getattr(self, field) <= high:
                raise PlanError(field, f"{low} to {high:,}", f"{getattr(self, field):,}")
        for field, least, most in (("correlation", -0.9, 0.9), ("reliability", 0.01, 0.9)):
            if not least <= getattr(self, field) <= most:
                raise PlanError(field, f"{least:g} to {most:g}", f"{getattr(self, field):g}")
        if self.n_ratings > MOST_RATINGS:
            raise PlanError(
                "prompts × responses × ratings", f"at most {MOST_RATINGS:,}", f"{self.n_ratings:,}"
            )

    @property
    def n_ratings(self) -> int:
        return self.prompts * self.responses * self.ratings

    @property
    def reliability_of_mean(self) -> float:
        return stepped(self.reliability, self.ratings)


@dataclass(frozen=True, slots=True)
class Plan:
    design: Design
    smallest_detectable: float | None
    simulation_error: float | None
    n_simulated: int
    n_identified: int
    strength: float | None
    reason: str

    def as_json(self) -> dict[str, Any]:
        fields = asdict(self)
        design: dict[str, Any] = fields.pop("design")
        return design | {"reliability_of_mean": self.design.reliability_of_mean} | fields


def plan(design: Design) -> Plan:
    """The smallest underrating the design finds with 80 % power: the mean over simulated data sets."""
    n = max(8, min(60, RATINGS_IN_ALL // design.n_ratings))
    audits = [underrating(*_simulated(design, seed), covariates=("log_length",)) for seed in range(n)]
    sizes = np.array([r.smallest_detectable for r in audits if r.smallest_detectable is not None])
    strengths = [r.strength for r in audits if r.strength is not None]
    identified = sum(r.verdict.name != "CANT_TELL" for r in audits)
    strength = float(np.median(strengths)) if strengths else None
    if identified <= n / 2 or len(sizes) < n / 2:
        reason = (
            f"In {n - identified} of {n} simulated studies the ratings did not pin true quality down, and the "
            "verdict would be “can’t tell”, whatever the effect. More annotators, and more ratings of each "
            "response, would help."
        )
        return Plan(design, None, None, n, identified, strength, reason)
    error = float(sizes.std(ddof=1) / math.sqrt(len(sizes)))
    reason = f"Identified in {identified} of {n} simulated studies."
    return Plan(design, float(sizes.mean()), error, n, identified, strength, reason)


def _simulated(design: Design, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ratings and responses without underrating; whoever rates a prompt rates all its responses."""
    # One rating's error beside its true part, so that its reliability is the design's.
    error = max(0.0, QUALITY_SD**2 * (1 / design.reliability - 1) - TASTE_SD**2)
    model = StudyModel(
        design.prompts, design.responses, design.annotators, design.ratings, design.correlation,
        quality=QUALITY_SD, taste=TASTE_SD, noise=math.sqrt(error), cut=False,
    )  # fmt: skip
    study = simulated_study(model, [0.0], np.random.default_rng([SEED, seed]))
    return study.ratings, study.responses.rename(columns={study.scorers[0]: "score"})
