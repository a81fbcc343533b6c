"""Pairs and lists: equally good pairs, good responses that a scorer misses, and margins beside people's votes."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from annotate.models import Criterion, Study
from judging.frames import preferences
from judging.frames.criteria import quality_ratings
from judging.frames.preferences import Margins, Order, Voted
from judging.results.audit import (
    COSINE,
    AuditOptions,
    Sources,
    Unusual,
    named_ratings,
    pool_sources,
    scored_pool,
)
from judging.results.audit.inputs import NO_QUALITY
from judging.results.pairs.votes import VoteRow, vote_rows
from judging.results.result import NotComputable
from judging.scorers.length import NAME as LENGTH
from judging.stats import (
    FalseNegatives,
    MatchedPairs,
    PairCalibration,
    Position,
    Verbosity,
    false_negatives,
    matched_pairs,
    pair_calibration,
    position_bias,
    verbosity,
)

SEED = 20261123  # of splits, folds and resamples: a page shows the same numbers twice
ORDERS = {
    "both": "both orders together",
    "original": "first response shown first",
    "reversed": "first response shown last",
    None: "",
}


@dataclass(frozen=True, slots=True)
class Rated:
    """A scorer against one rating of quality: equally good pairs, and good responses at its bottom."""

    scorer: str
    criterion: Criterion
    pairs: MatchedPairs
    missed: FalseNegatives

    @property
    def is_baseline(self) -> bool:
        return self.scorer == LENGTH


@dataclass(frozen=True, slots=True)
class Margin:
    """A scorer's margins, or a judge's choices in one order, beside people's votes on the same pairs."""

    scorer: str
    criterion: Criterion
    order: Order
    n_left_out: int  # judged pairs without its margin
    calibration: PairCalibration

    @property
    def order_text(self) -> str:
        return ORDERS[self.order]

    @property
    def is_baseline(self) -> bool:
        return self.scorer == LENGTH


@dataclass(frozen=True, slots=True)
class JudgeBias:
    """What a scorer's choices depend on besides quality. `position` is missing without both orders."""

    scorer: str
    criterion: Criterion
    pairwise: bool
    position: Position | None
    length: Verbosity


@dataclass(frozen=True, slots=True)
class Pairs:
    """What the study has: `no_ratings`, `no_votes` and `no_slope` say why a part is missing."""

    votes: list[VoteRow]
    rated: list[Rated]
    margins: list[Margin]
    biases: list[JudgeBias]
    unusual: Unusual | None
    available: list[Unusual]
    no_ratings: str
    no_votes: str
    no_slope: str


def compute(study: Study, measure: str = COSINE, scorer: str = "") -> Pairs:
    """Every scorer of single responses against every rating of quality, and everybody against every preference."""
    inputs, no_pool = _inputs(study, measure)
    rated, no_ratings = _held_against_ratings(study, inputs, scorer)
    compared = _compared(study, inputs, scorer)
    if scorer and not rated and not compared.margins:
        raise NotComputable(
            f"{study.slug} has nothing by {scorer!r} to compare with people: {no_ratings or no_pool} "
            f"{compared.no_votes}".rstrip()
        )
    return Pairs(
        votes=compared.votes, rated=rated, margins=compared.margins, biases=compared.biases,
        unusual=inputs.unusual if inputs else None,
        available=[u for u in inputs.available if len(u.measures) == 1] if inputs else [],
        no_ratings=no_ratings or no_pool, no_votes=compared.no_votes,
        no_slope=compared.no_votes or no_pool or compared.no_slope,
    )  # fmt: skip


def _inputs(study: Study, measure: str) -> tuple[Sources | None, str]:
    """The pool with its unusualness, or why there is none."""
    try:
        inputs = pool_sources(study, AuditOptions(unusualness=measure))
    except ValueError as error:
        return None, str(error)
    if inputs.second is not None:
        return None, "Two measures that correct each other compare no pairs: choose one."
    return inputs, ""


def _held_against_ratings(study: Study, inputs: Sources | None, scorer: str) -> tuple[list[Rated], str]:
    criteria = quality_ratings(study)
    if not criteria:
        return [], NO_QUALITY
    if inputs is None:
        return [], ""
    try:
        return list(_rated(replace(inputs, criteria=criteria), scorer)), ""
    except ValueError as error:
        return [], str(error)


def _rated(inputs: Sources, scorer: str) -> Iterator[Rated]:
    names = [n for n in inputs.scorers if scorer in ("", n)]
    for criterion in inputs.criteria:
        ratings = named_ratings(criterion)
        for name in names:
            yield _one(inputs, criterion, ratings, name)


def _one(inputs: Sources, criterion: Criterion, ratings: pd.DataFrame, name: str) -> Rated:
    table = scored_pool(inputs, name)
    # Length held constant, the length of a response says nothing: the baseline goes without covariates.
    covariates = () if name == LENGTH else inputs.covariates
    return Rated(
        name,
        criterion,
        matched_pairs(ratings, table, covariates=covariates, rng=_rng()),
        false_negatives(ratings, table, covariates=covariates, rng=_rng()),
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """What people's votes say, and why they say nothing."""

    votes: list[VoteRow] = field(default_factory=list)
    margins: list[Margin] = field(default_factory=list)
    biases: list[JudgeBias] = field(default_factory=list)
    no_votes: str = ""
    no_slope: str = ""


def _compared(study: Study, inputs: Sources | None, scorer: str) -> Compared:
    criteria = preferences.criteria(study)
    if not criteria:
        return Compared(no_votes="No criterion of this study asks which of two responses is better.")
    pairs = preferences.shown_pairs(study)
    everybody = [m for m in preferences.margins(study, pairs) if scorer in ("", m.scorer)]
    margins: list[Margin] = []
    biases: list[JudgeBias] = []
    for criterion in criteria:
        voted = preferences.voted(criterion, pairs)
        if len(voted.pairs):
            margins += [_margin(m, voted) for m in everybody]
            biases += list(_biases(everybody, voted))
    no_votes = "" if margins or not everybody else "Nobody has compared two responses yet."
    votes, no_slope = vote_rows(inputs, pairs, everybody, criteria) if inputs else ([], "")
    return Compared(votes, margins, biases, no_votes, no_slope)


def _margin(margins: Margins, voted: Voted) -> Margin:
    values = margins.of(voted)
    calibration = pair_calibration(*voted.thirds, voted.prompt, values, rng=_rng())
    return Margin(margins.scorer, voted.criterion, margins.order, int(np.isnan(values).sum()), calibration)


def _biases(everybody: list[Margins], voted: Voted) -> Iterator[JudgeBias]:
    by_order = {(m.scorer, m.order): m.of(voted) for m in everybody}
    one, two = (voted.pairs[f"{side}_length"].to_numpy(dtype=np.float64) for side in ("first", "second"))
    for m in everybody:
        if m.order in ("original", "reversed"):
            continue
        position = None
        if m.order == "both":
            orders = by_order[m.scorer, "original"], by_order[m.scorer, "reversed"]
            position = position_bias(*orders, voted.prompt)
        lengths = verbosity(by_order[m.scorer, m.order], voted.share, one, two, voted.prompt)
        yield JudgeBias(m.scorer, voted.criterion, m.pairwise, position, lengths)


def _rng() -> np.random.Generator:
    return np.random.default_rng(SEED)
