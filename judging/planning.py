"""How many annotators a study needs: from those that are there, and before there are any."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from annotate.models import Criterion
from judging.agreement import SEED, Units, units
from judging.stats import Estimate, krippendorff_alpha, underrating, value_counts
from judging.stats.estimate import bootstrap_weights, percentile_interval
from judging.stats.simulation import StudyModel, simulated_study

TARGET = 0.8
SMALL_GAIN = 0.02  # in reliability, by twice the annotators: not worth them
DRAWS = 5
RESAMPLES = 200
EVERY_K = 30  # up to here each k is tried, then every few
Z = 1.959964


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
    asked = units(criterion)
    if asked is None:
        return Curve(criterion, "", [], 0, "Words have no agreement.")
    given, most = _well_covered(asked.given)
    n = int(given["annotator_id"].nunique())
    if most < 2:
        return Curve(criterion, asked.levels[0], [], n, "Most items have fewer than two answers so far.")
    rng = np.random.default_rng(SEED)
    drawn = [_in_drawn_order(given, rng) for _ in range(DRAWS)]
    points = [_point(asked, drawn, k) for k in _ks(most)]
    return Curve(criterion, asked.levels[0], points, n)


def _well_covered(given: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The units that have at least as many answers as half of them, and how many that is: the same for every k."""
    sizes = given.groupby("unit")["value"].transform("size")
    each = given.groupby("unit").size()
    most = int(np.floor(each.median())) if len(each) else 0
    return given[sizes >= most], most


def _ks(most: int) -> list[int]:
    if most <= EVERY_K:
        return list(range(2, most + 1))
    further = np.linspace(EVERY_K, most, min(7, most - EVERY_K + 1)).round().astype(int)
    return sorted({*range(2, EVERY_K + 1), *map(int, further)})


def _in_drawn_order(given: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Each unit's answers in one random order of annotators: `turn` 0, 1, …; the first k are a study with k."""
    people = given["annotator_id"].unique()
    place = dict(zip(people, rng.permutation(len(people)), strict=True))
    ordered = given.assign(place=given["annotator_id"].map(place)).sort_values(["unit", "place"])
    return ordered.assign(turn=ordered.groupby("unit").cumcount())


def _point(asked: Units, drawn: Sequence[pd.DataFrame], k: int) -> Point:
    found = [_once(asked, frame[frame["turn"] < k], k) for frame in drawn]
    widths = [w for w, _, _ in found if w is not None]
    return Point(
        k=k,
        n_units=int(drawn[0]["unit"].nunique()),
        alpha_width=float(np.mean(widths)) if len(widths) == len(found) else None,
        mean_width=float(np.mean([w for _, w, _ in found])),
        reliability=_averaged([r for _, _, r in found]),
    )


def _once(asked: Units, frame: pd.DataFrame, k: int) -> tuple[float | None, float, Estimate]:
    """The width of alpha's interval, that of an item's mean, and the reliability of the mean, in one draw."""
    counts, names = value_counts(frame["unit"].to_numpy(), frame["value"].to_numpy(), asked.domain)
    item_of = frame.drop_duplicates("unit").set_index("unit")["item_id"].loc[list(names)].to_numpy()
    alpha = krippendorff_alpha(
        counts, asked.domain, asked.levels[0], clusters=item_of if asked.clustered else None,
        resamples=RESAMPLES, rng=np.random.default_rng(SEED),
    )  # fmt: skip
    width = None if alpha.low is None or alpha.high is None else alpha.high - alpha.low
    table = frame.groupby("unit")["value"].agg(["mean", "var"]).loc[list(names)]
    within = float(table["var"].mean())
    reliability = one_way(table["mean"].to_numpy(), table["var"].to_numpy(), k, item_of)
    return width, 2 * Z * math.sqrt(within / k), reliability


Floats = np.ndarray[Any, np.dtype[np.float64]]


def one_way(means: Floats, variances: Floats, k: int, items: np.ndarray[Any, Any]) -> Estimate:
    """The reliability of the mean of k from the variance between and within units, items resampled.

    1 - MS within / MS between, which is ICC(1, k). Annotators may differ from unit to unit, so their severity counts
    as noise.
    """
    codes, labels = pd.factorize(items)
    if len(labels) < 3:
        return Estimate.undefined(f"only {len(labels)} items; three are needed", len(labels))
    drawn = bootstrap_weights(len(labels), RESAMPLES, np.random.default_rng(SEED))
    weights = np.vstack([np.ones(len(means)), drawn[:, codes]])
    n = weights.sum(axis=1)
    centered = means - means.mean()
    square = (weights @ centered**2 - (weights @ centered) ** 2 / n) / np.maximum(n - 1, 1)
    within = weights @ variances / n
    varied = square > 1e-12
    draws = np.where(varied, 1 - within / (k * np.where(varied, square, 1.0)), np.nan)
    if not varied[0]:
        return Estimate.undefined("the means do not vary between items", len(labels))
    return percentile_interval(draws[1:], float(draws[0]), len(labels), 0.95)


def _averaged(found: Sequence[Estimate]) -> Estimate:
    """The mean of the draws' estimates and of the ends of their intervals."""
    missing = next((e for e in found if e.estimate is None), None)
    if missing is not None:
        return missing
    point = float(np.mean([e.estimate for e in found if e.estimate is not None]))
    lows = [e.low for e in found if e.low is not None]
    highs = [e.high for e in found if e.high is not None]
    if len(lows) < len(found):
        return Estimate(point, None, None, found[0].n, "no interval in some of the draws")
    low, high = float(np.mean(lows)), float(np.mean(highs))
    return Estimate(point, min(low, point), max(high, point), found[0].n)


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
    found = next((p.k for p in points if enough(p)), None)
    if found is not None:
        return Stop(found, extrapolated=False)
    last = points[-1].reliability.estimate if points else None
    if last is None or last <= 0:
        return None
    return Stop(
        max(points[-1].k + 1, math.ceil(points[-1].k * times_needed(last, wanted))), extrapolated=True
    )


def sentence(found: Curve, target: float) -> str:
    """Where the study could stop, in one sentence."""
    at, idle = stop_at_target(found.points, target), stop_at_small_gain(found.points)
    if at is None or idle is None:
        return (
            "With these annotators the means of items do not repeat themselves at all, so more of the same "
            "would not help: look at the question first."
        )
    if at.extrapolated:
        most = found.points[-1].k
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

    def __init__(self, field: str, expected: str, found: object) -> None:
        super().__init__(f"{field}: expected {expected}, found {found}")
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
        found = asdict(self)
        design: dict[str, Any] = found.pop("design")
        return design | {"reliability_of_mean": self.design.reliability_of_mean} | found


def plan(design: Design) -> Plan:
    """The smallest underrating the design finds with 80 % power: the mean over simulated data sets."""
    n = max(8, min(60, RATINGS_IN_ALL // design.n_ratings))
    found = [underrating(*_simulated(design, seed), covariates=("log_length",)) for seed in range(n)]
    sizes = np.array([r.smallest_detectable for r in found if r.smallest_detectable is not None])
    strengths = [r.strength for r in found if r.strength is not None]
    identified = sum(r.verdict.name != "CANT_TELL" for r in found)
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
    # One rating's error beside its true part, so that its reliability is the one asked for.
    error = max(0.0, QUALITY_SD**2 * (1 / design.reliability - 1) - TASTE_SD**2)
    model = StudyModel(
        design.prompts, design.responses, design.annotators, design.ratings, design.correlation,
        quality=QUALITY_SD, taste=TASTE_SD, noise=math.sqrt(error), cut=False,
    )  # fmt: skip
    study = simulated_study(model, [0.0], np.random.default_rng([SEED, seed]))
    return study.ratings, study.responses.rename(columns={study.scorers[0]: "score"})
