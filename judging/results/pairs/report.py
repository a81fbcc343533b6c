"""Pairs and lists: equally good pairs, good responses that a scorer misses, and margins beside people's votes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from annotate.models import Criterion, Response, Study
from judging.frames import preferences
from judging.frames.preferences import Margins, Order, Voted
from judging.results.agreement import interval
from judging.results.audit import (
    COSINE,
    Asked,
    AuditError,
    Sources,
    Unusual,
    named_ratings,
    scored_pool,
    sources,
)
from judging.results.cache import kept
from judging.scorers.length import NAME as LENGTH
from judging.stats import (
    Calibrated,
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
TO_READ = 8
ORDERS = {
    "both": "both orders together",
    "straight": "first response shown first",
    "swapped": "first response shown last",
    None: "",
}


class PairsError(ValueError):
    """Why nothing can be said of a study's pairs and lists."""


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

    def matched_json(self) -> dict[str, Any]:
        p = self.pairs
        return self._who() | {
            "usual_preferred": interval(p.usual_preferred),
            "p": p.p,
            "held_out_gap": interval(p.held_out_gap),
            "naive_usual_preferred": interval(p.naive_usual_preferred),
            "naive_held_out_gap": interval(p.naive_held_out_gap),
            "distance": p.distance,
            "n_pairs": p.n_pairs,
            "n_prompts": p.n_prompts,
            "n_annotators": p.n_annotators,
            "strength": p.strength,
            **({"reason": p.reason} if p.reason else {}),
        }

    def missed_json(self, keys: dict[int, str]) -> dict[str, Any]:
        m = self.missed
        return self._who() | {
            "missed_unusual": interval(m.unusual),
            "missed_usual": interval(m.usual),
            "missed_ratio": interval(m.ratio),
            "fair_unusual": m.fair_unusual,
            "fair_usual": m.fair_usual,
            "fair_ratio": m.fair_ratio,
            "strength": m.strength,
            "responses": [
                {"response": keys[int(r["response_id"])]} | {c: r[c] for c in ("quality", "unusualness", "score")}
                for r in m.missed.head(TO_READ).to_dict("records")
            ],
            **({"reason": m.reason} if m.reason else {}),
        }  # fmt: skip

    def _who(self) -> dict[str, Any]:
        return {"scorer": self.scorer, "criterion": self.criterion.key}


@dataclass(frozen=True, slots=True)
class Margin:
    """A scorer's margins, or a judge's choices in one order, beside people's votes on the same pairs."""

    scorer: str
    criterion: Criterion
    order: Order
    n_left_out: int  # judged pairs that it said nothing of
    found: PairCalibration

    @property
    def order_text(self) -> str:
        return ORDERS[self.order]

    @property
    def is_baseline(self) -> bool:
        return self.scorer == LENGTH

    def as_json(self) -> dict[str, Any]:
        f = self.found
        whole = [f.everywhere] if f.everywhere else []
        return {
            "scorer": self.scorer,
            "criterion": self.criterion.key,
            "order": self.order,
            "n_prompts": f.n_prompts,
            "n_left_out": self.n_left_out,
            "accuracy": interval(f.accuracy),
            "temperature": f.temperature,
            "brier_of_half": f.brier_of_half,
            "brier_of_people": f.brier_of_people,
            "strata": [_stratum(c) for c in [*whole, *f.strata]],
            **({"reason": f.reason} if f.reason else {}),
        }


def _stratum(c: Calibrated) -> dict[str, Any]:
    return {
        "stratum": c.name,
        "n_pairs": c.n_pairs,
        "brier": interval(c.brier),
        "log_loss": interval(c.log_loss),
        "ece": interval(c.ece),
        "ece_if_calibrated": c.ece_if_calibrated,
        "boldness": c.confidence,
        "boldness_of_people": c.people,
        "bins": [{"predicted": b.predicted, "observed": interval(b.share)} for b in c.bins],
    }


@dataclass(frozen=True, slots=True)
class Leaning:
    """What the choices of a scorer hang on besides the responses. `position` is missing without both orders."""

    scorer: str
    criterion: Criterion
    pairwise: bool
    position: Position | None
    length: Verbosity

    def as_json(self) -> dict[str, Any]:
        p, v = self.position, self.length
        return {
            "scorer": self.scorer,
            "criterion": self.criterion.key,
            "consistent": None if p is None else interval(p.consistent),
            "shown_first": None if p is None else interval(p.first),
            "pull": None if p is None else interval(p.pull),
            "longer": interval(v.judge),
            "longer_by_people": interval(v.people),
            "verbosity": interval(v.excess),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What the study has: `no_ratings` and `no_votes` say why a part is missing."""

    rated: list[Rated]
    margins: list[Margin]
    leanings: list[Leaning]
    unusual: Unusual | None
    available: list[Unusual]
    no_ratings: str
    no_votes: str


def report(study: Study, measure: str = COSINE, scorer: str | None = None) -> Report:
    """Every scorer of single responses against every rating of quality, and everybody against every preference."""
    found, rated, why = None, [], ""
    try:
        found = sources(study, Asked(measure))
        rated = list(_rated(found, scorer))
    except (AuditError, ValueError) as error:
        why = str(error)
    margins, leanings, why_not = _compared(study, scorer)
    if scorer is not None and not rated and not margins:
        raise PairsError(
            f"nothing by {scorer!r} in {study.slug} to hold against people: {why} {why_not}".rstrip()
        )
    available = [u for u in found.available if len(u.measures) == 1] if found else []
    return Report(rated, margins, leanings, found.unusual if found else None, available, why, why_not)


def _rated(found: Sources, scorer: str | None) -> Iterator[Rated]:
    if found.second is not None:
        raise PairsError("Two measures that correct each other match no pairs: ask for one.")
    names = found.scorers if scorer is None else [n for n in found.scorers if n == scorer]
    for criterion in found.criteria:
        ratings = named_ratings(criterion)
        for name in names:
            yield _one(found, criterion, ratings, name)


def _one(found: Sources, criterion: Criterion, ratings: pd.DataFrame, name: str) -> Rated:
    table = scored_pool(found, name)
    # Length held constant, the length of a response says nothing: the baseline goes without covariates.
    covariates = () if name == LENGTH else found.covariates
    return Rated(
        name,
        criterion,
        matched_pairs(ratings, table, covariates=covariates, rng=_chance()),
        false_negatives(ratings, table, covariates=covariates, rng=_chance()),
    )


def _compared(study: Study, scorer: str | None) -> tuple[list[Margin], list[Leaning], str]:
    asked = preferences.criteria(study)
    if not asked:
        return [], [], (
            "No criterion of this study asks which of two responses is better. In study.toml: on = “pair”, kind = "
            "“preference”."
        )  # fmt: skip
    pairs = preferences.shown_pairs(study)
    said = [m for m in preferences.margins(study, pairs) if scorer in (None, m.scorer)]
    margins: list[Margin] = []
    leanings: list[Leaning] = []
    for criterion in asked:
        voted = preferences.voted(criterion, pairs)
        if len(voted.pairs):
            margins += [_margin(m, voted) for m in said]
            leanings += list(_leanings(said, voted))
    return margins, leanings, "" if margins or not said else "Nobody has compared two responses yet."


def _margin(said: Margins, voted: Voted) -> Margin:
    values = said.of(voted)
    found = pair_calibration(*voted.thirds, voted.prompt, values, rng=_chance())
    return Margin(said.scorer, voted.criterion, said.order, int(np.isnan(values).sum()), found)


def _leanings(said: list[Margins], voted: Voted) -> Iterator[Leaning]:
    by_order = {(m.scorer, m.order): m.of(voted) for m in said}
    one, two = (voted.pairs[f"{side}_length"].to_numpy(dtype=np.float64) for side in ("first", "second"))
    for m in said:
        if m.order in ("straight", "swapped"):
            continue
        position = None
        if m.order == "both":
            orders = by_order[m.scorer, "straight"], by_order[m.scorer, "swapped"]
            position = position_bias(*orders, voted.prompt)
        lengths = verbosity(by_order[m.scorer, m.order], voted.share, one, two, voted.prompt)
        yield Leaning(m.scorer, voted.criterion, m.pairwise, position, lengths)


def _chance() -> np.random.Generator:
    return np.random.default_rng(SEED)


def as_json(study: Study, found: Report) -> dict[str, Any]:
    """What `pairs --json` and the page's JSON say; what is missing is an empty list, with the reason."""
    named = [int(pk) for row in found.rated for pk in row.missed.missed["response_id"].head(TO_READ)]
    keys = dict(Response.objects.filter(pk__in=named).values_list("pk", "key"))
    reasons = [why for why in (found.no_ratings, found.no_votes) if why]
    return {
        "study": study.slug,
        "simulated": study.simulated,
        "unusualness": found.unusual.name if found.unusual else None,
        "matched": [r.matched_json() for r in found.rated],
        "missed": [r.missed_json(keys) for r in found.rated],
        "margins": [m.as_json() for m in found.margins],
        "leanings": [one.as_json() for one in found.leanings],
        **({"reason": " ".join(reasons)} if reasons else {}),
    }


def kept_report(study: Study, measure: str = COSINE) -> Report:
    return kept(study, f"pairs:{measure}", lambda: report(study, measure))


def kept_json(study: Study, measure: str = COSINE) -> dict[str, Any]:
    return kept(study, f"pairs-json:{measure}", lambda: as_json(study, kept_report(study, measure)))
