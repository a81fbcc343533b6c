"""Pairs and lists: the result's options, JSON and text; its page and tables are in `page`."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field, field_validator

from annotate.models import Response, Study
from judging.results.audit import COSINE, NAMES
from judging.results.json import EstimateRecord, Reason, Record, ResultRecord
from judging.results.pairs.page import TO_READ, context, margin_sizes, tables, vote_sizes
from judging.results.pairs.report import JudgeBias, Margin, Pairs, Rated, compute
from judging.results.pairs.votes import VoteRow
from judging.results.result import Options, Result
from judging.results.text import text
from judging.stats import Position
from judging.stats.pairs.pair_calibration import Calibrated

# How the database and the JSON call the orders in which a judge saw a pair.
ORDERS = {"both": "both", "original": "straight", "reversed": "swapped", None: None}


class PairsOptions(Options):
    not_on_page: ClassVar[frozenset[str]] = frozenset({"scorer"})

    scorer: str = Field(default="", description="only this scorer")
    unusualness: str = Field(
        COSINE,
        description=f"how to measure unusualness: {', '.join(NAMES)}",
        json_schema_extra={"enum": list(NAMES)},
    )

    @field_validator("unusualness")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in NAMES:
            raise ValueError(f"One of {', '.join(NAMES)}.")
        return value


class MatchedRecord(Record):
    """Equally good pairs of which one is more unusual."""

    scorer: str
    criterion: str
    usual_preferred: EstimateRecord
    p: float | None
    held_out_gap: EstimateRecord
    naive_usual_preferred: EstimateRecord
    naive_held_out_gap: EstimateRecord
    distance: float | None
    n_pairs: int
    n_prompts: int
    n_annotators: int
    strength: float | None
    reason: Reason = None


class MissedResponse(Record):
    response: str
    quality: float
    unusualness: float
    score: float


class MissedRecord(Record):
    """Good responses that the scorer puts in its bottom third."""

    scorer: str
    criterion: str
    missed_unusual: EstimateRecord
    missed_usual: EstimateRecord
    missed_ratio: EstimateRecord
    fair_unusual: float | None
    fair_usual: float | None
    fair_ratio: float | None
    strength: float | None
    responses: list[MissedResponse]
    reason: Reason = None


class BinRecord(Record):
    predicted: float
    observed: EstimateRecord


class StratumRecord(Record):
    """Predicted and observed shares, over all pairs or over those that divide people equally."""

    stratum: str
    n_pairs: int
    brier: EstimateRecord
    log_loss: EstimateRecord
    ece: EstimateRecord
    ece_if_calibrated: float | None
    boldness: float | None
    boldness_of_people: float | None
    bins: list[BinRecord]


class MarginRecord(Record):
    """A scorer's margins, or a judge's choices in one order, beside people's votes."""

    scorer: str
    criterion: str
    order: str | None
    n_prompts: int
    n_left_out: int
    accuracy: EstimateRecord
    temperature: float | None
    brier_of_half: float | None
    brier_of_people: float | None
    strata: list[StratumRecord]
    reason: Reason = None


class BiasRecord(Record):
    """Position bias and verbosity."""

    scorer: str
    criterion: str
    consistent: EstimateRecord | None
    shown_first: EstimateRecord | None
    pull: EstimateRecord | None
    longer: EstimateRecord
    longer_by_people: EstimateRecord
    verbosity: EstimateRecord


class VoteScopeRecord(Record):
    """What holds for the people of this study, annotators taken as they are."""

    people: str
    underrating: EstimateRecord
    p_one_sided: float | None
    strength: float | None
    smallest_detectable: float | None
    verdict: str
    reason: str


class VoteUnderratingRecord(Record):
    """A scorer's margins, or a judge's choices in both orders: underrating by people's votes alone."""

    scorer: str
    criterion: str
    n_pairs: int
    n_prompts: int
    n_annotators: int
    n_votes: int
    n_thin: int
    underrating: EstimateRecord
    p_one_sided: float | None
    p_adjusted: float | None
    discovery: bool | None
    total: EstimateRecord
    human: EstimateRecord
    naive: float | None
    strength: float | None
    smallest_detectable: float | None
    effective_annotators: float | None
    vote_agreement: float | None
    verdict: str
    reason: str
    notes: list[str]
    these_people: VoteScopeRecord


class PairsRecord(ResultRecord):
    unusualness: str | None = None
    preference_underrating: list[VoteUnderratingRecord] = Field(default_factory=list)
    matched: list[MatchedRecord] = Field(default_factory=list)
    missed: list[MissedRecord] = Field(default_factory=list)
    margins: list[MarginRecord] = Field(default_factory=list)
    leanings: list[BiasRecord] = Field(default_factory=list)


def _to_record(study: Study, report: Pairs) -> Mapping[str, Any]:
    pks = [int(pk) for row in report.rated for pk in row.missed.missed["response_id"].head(TO_READ)]
    keys = dict(Response.objects.filter(pk__in=pks).values_list("pk", "key"))
    return {
        "unusualness": report.unusual.name if report.unusual else None,
        "preference_underrating": [_votes(row) for row in report.votes],
        "matched": [_matched(row) for row in report.rated],
        "missed": [_missed(row, keys) for row in report.rated],
        "margins": [_margin(m) for m in report.margins],
        "leanings": [_bias(b) for b in report.biases],
        "reason": " ".join(dict.fromkeys(filter(None, _missing(report)))),
    }


def _votes(row: VoteRow) -> dict[str, Any]:
    r, these = row.result, row.result.these_people
    names = VoteUnderratingRecord.model_fields.keys()
    own = {name: getattr(r, name) for name in names if hasattr(r, name)}
    scope = {name: getattr(these, name) for name in VoteScopeRecord.model_fields}
    return {
        **own,
        **_scorer(row),
        "p_adjusted": row.p_adjusted,
        "discovery": row.discovery,
        "verdict": r.verdict_text,
        "these_people": scope | {"verdict": these.verdict_text},
    }


def _matched(row: Rated) -> dict[str, Any]:
    names = MatchedRecord.model_fields.keys() - {"scorer", "criterion"}
    return _scorer(row) | {name: getattr(row.pairs, name) for name in names}


def _missed(row: Rated, keys: dict[int, str]) -> dict[str, Any]:
    m = row.missed
    responses = [
        {"response": keys[int(r["response_id"])], **r} for r in m.missed.head(TO_READ).to_dict("records")
    ]
    rates = {"missed_unusual": m.unusual, "missed_usual": m.usual, "missed_ratio": m.ratio}
    fair = {name: getattr(m, name) for name in ("fair_unusual", "fair_usual", "fair_ratio", "strength")}
    return _scorer(row) | rates | fair | {"responses": responses, "reason": m.reason}


def _margin(row: Margin) -> dict[str, Any]:
    c = row.calibration
    names = ("n_prompts", "accuracy", "temperature", "brier_of_half", "brier_of_people", "reason")
    return {
        **_scorer(row),
        "order": ORDERS[row.order],
        "n_left_out": row.n_left_out,
        **{name: getattr(c, name) for name in names},
        "strata": [_stratum(s) for s in ([c.everywhere] if c.everywhere else []) + [*c.strata]],
    }


def _stratum(c: Calibrated) -> dict[str, Any]:
    names = ("n_pairs", "brier", "log_loss", "ece", "ece_if_calibrated")
    return {
        "stratum": c.name,
        **{name: getattr(c, name) for name in names},
        "boldness": c.confidence,
        "boldness_of_people": c.people,
        "bins": [{"predicted": b.predicted, "observed": b.share} for b in c.bins],
    }


def _bias(row: JudgeBias) -> dict[str, Any]:
    p, v = row.position, row.length
    position = {"consistent": p and p.consistent, "shown_first": p and p.first, "pull": p and p.bias}
    length = {"longer": v.judge, "longer_by_people": v.people, "verbosity": v.excess}
    return _scorer(row) | position | length


def _scorer(row: Rated | Margin | JudgeBias | VoteRow) -> dict[str, Any]:
    return {"scorer": row.scorer, "criterion": row.criterion.key}


def _missing(report: Pairs) -> tuple[str, str, str]:
    return report.no_ratings, report.no_votes, report.no_slope


def _lines(report: Pairs) -> Iterator[str]:
    if report.unusual and (report.votes or report.rated):
        yield f"Unusualness: {report.unusual.words} ({report.unusual.by})."
    yield from map(_vote_line, report.votes)
    yield from map(_rated_line, report.rated)
    yield from map(_margin_line, report.margins)
    yield from map(_bias_line, report.biases)
    yield from (f"Not here: {why}" for why in dict.fromkeys(_missing(report)) if why)


def _vote_line(row: VoteRow) -> str:
    r = row.result
    adjusted = "" if row.p_adjusted is None else f"; p {row.p_adjusted:.3g} among all scorers, one-sided"
    return "\n    ".join(
        [
            f"{row.scorer} against votes on {row.criterion.key}: {r.verdict_text}. Underrating {text(r.underrating)} "
            f"({vote_sizes(row)}); naive {_number(r.naive)}",
            r.reason,
            f"Strength {_number(r.strength, 1)}; effect on people’s own choices {text(r.human)} votes{adjusted}",
            *r.notes,
        ]
    )


def _rated_line(row: Rated) -> str:
    p, m = row.pairs, row.missed
    who = f"{row.scorer} on {row.criterion.key}"
    if p.reason and m.reason:
        return f"{who}: can't tell. {p.reason}"
    return (
        f"{who}: of {p.n_pairs:,} equally good pairs the usual one is preferred in {text(p.usual_preferred)}; "
        f"held-out gap {text(p.held_out_gap)}\n    missed of good responses: unusual {text(m.unusual)}, "
        f"n = {m.unusual.n:,}; usual {text(m.usual)}, n = {m.usual.n:,}; ratio {text(m.ratio)}, "
        f"a fair scorer's {_number(m.fair_ratio, 2)}"
    )


def _margin_line(row: Margin) -> str:
    order = f", {row.order_text}" if row.order_text else ""
    who = f"{row.scorer}{order}, on {row.criterion.key}"
    c, everywhere = row.calibration, row.calibration.everywhere
    if everywhere is None:
        return f"{who}: undefined ({c.reason})"
    return (
        f"{who}: agrees with the majority {text(c.accuracy)}; Brier {text(everywhere.brier)} (one half "
        f"{_number(c.brier_of_half)}, other people {_number(c.brier_of_people)}); log-loss "
        f"{text(everywhere.log_loss)}; ECE {text(everywhere.ece)} (right predictions "
        f"{everywhere.ece_if_calibrated:.3f}); {margin_sizes(row)}"
    )


def _bias_line(row: JudgeBias) -> str:
    v = row.length
    return (
        f"{row.scorer} on {row.criterion.key}: {_position(row.position)}longer wins {text(v.judge)}, by people "
        f"{text(v.people)}, beyond them {text(v.excess)}, n = {v.excess.n:,}"
    )


def _position(p: Position | None) -> str:
    if p is None:
        return ""
    return (
        f"same winner in both orders {text(p.consistent)}, shown first {text(p.first)}, "
        f"position bias {text(p.bias)}, n = {p.bias.n:,}; "
    )


def _number(value: float | None, digits: int = 3) -> str:
    return "undefined" if value is None else f"{value:.{digits}f}"


RESULT = Result(
    name="pairs",
    summary=(
        "Equally good pairs of which one is more unusual, good responses that scorers miss, and whether margins and "
        "judges' choices say how many people prefer a response."
    ),
    options=PairsOptions,
    compute=lambda study, options: compute(study, options.unusualness, options.scorer),
    record=PairsRecord,
    to_record=_to_record,
    lines=_lines,
    context=context,
    tables=tables,
)
