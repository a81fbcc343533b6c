"""The page of pairs and lists: the scorer it shows, and the tables."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from django.http import Http404, HttpRequest

from annotate.models import Response, Study
from judging.results.cache import cached
from judging.results.figures import Figure
from judging.results.pairs import charts
from judging.results.pairs.report import JudgeBias, Margin, Pairs, Rated
from judging.results.pairs.votes import VoteRow
from judging.results.result import Options
from judging.results.table import Cell, Column, Link, Table
from judging.scorers.length import NAME as LENGTH
from judging.stats import Estimate
from judging.stats.pairs.pair_calibration import Calibrated
from judging.templatetags.figures import percent

TO_READ = 8


def context(request: HttpRequest, study: Study, options: Options, report: Pairs) -> dict[str, Any]:
    scorer, criterion = (request.GET.get(name, "") for name in ("scorer", "criterion"))
    rated, margins = _rated(report, scorer, criterion), _margins(report, scorer, criterion)
    if scorer and not rated and not margins:
        raise Http404(f"nothing by {scorer} on {criterion}")
    key = quote(f"pairs-figures:{options.key}:{scorer}:{criterion}")
    return {
        "figures": cached(study, key, lambda: _figures(report, margins)),
        "tables": {table.key: table for table in tables(report)},
        "rated": rated,
        "beside_audit": [line for line in map(beside_audit, report.rated) if line],
        "missed_responses": _to_read(rated),
        "margins": margins,
        "strata": _strata(margins),
    }


def _rated(report: Pairs, scorer: str, criterion: str) -> Rated | None:
    """The one that the query names, else the scorer that misses most: length, the baseline, if it is the only one."""
    matching = [
        r
        for r in report.rated
        if scorer in ("", r.scorer) and criterion in ("", r.criterion.key) and not r.missed.reason
    ]
    return max(matching, key=lambda r: (not r.is_baseline, r.missed.unusual.estimate or 0.0), default=None)


def _margins(report: Pairs, scorer: str, criterion: str) -> list[Margin]:
    """All margins of one scorer by one criterion, in each order."""
    matching = [
        m for m in report.margins if scorer in ("", m.scorer) and criterion in ("", m.criterion.key)
    ] or [m for m in report.margins if scorer == m.scorer]
    return [m for m in matching if (m.scorer, m.criterion) == (matching[0].scorer, matching[0].criterion)]


def beside_audit(row: Rated) -> str:
    """What the good responses that a scorer misses add to the audit's verdict, which rests on all responses."""
    unusual, usual, ratio, fair = (
        row.missed.unusual.estimate,
        row.missed.usual.estimate,
        row.missed.ratio,
        row.missed.fair_ratio,
    )
    if row.is_baseline or row.missed.reason or unusual is None or usual is None:
        return ""
    than = "as many" if unusual == usual else "more" if unusual > usual else "fewer"
    of = "as" if than == "as many" else "than"
    counts = f"{row.scorer} misses {than} of the good unusual responses {of} of the good usual ones"
    shares = f"{counts} ({percent(unusual)} and {percent(usual)})"
    if ratio.low is None or ratio.high is None or fair is None:
        return f"{shares}, of too few for more than that."
    if ratio.low <= fair <= ratio.high:
        return f"{shares}, which is within chance of a fair scorer’s: this neither supports nor contradicts the audit."
    beyond = "more" if ratio.low > fair else "fewer"
    return f"{shares}, {beyond} than a fair scorer would."


def _figures(report: Pairs, margins: list[Margin]) -> dict[str, Figure]:
    drawn = {
        "preferred": charts.preferred(report.rated),
        "missed": charts.missed(report.rated),
        "reliability": charts.reliability(margins),
    }
    return {name: figure.drawn() for name, figure in drawn.items() if figure is not None}


def _to_read(row: Rated | None) -> list[dict[str, Any]]:
    if row is None:
        return []
    records = row.missed.missed.head(TO_READ).to_dict("records")
    texts = Response.objects.select_related("prompt").in_bulk([int(r["response_id"]) for r in records])
    return [{str(k): v for k, v in r.items()} | {"response": texts[int(r["response_id"])]} for r in records]


def tables(report: Pairs) -> list[Table]:
    return [
        Table.of("preference_underrating", "", VOTES, report.votes),
        Table.of("matched", "", MATCHED, report.rated),
        Table.of("missed", "", MISSED, [(r, report) for r in report.rated]),
        Table.of("margins", "", MARGINS, report.margins),
        Table.of("judge_bias", "", BIASES, report.biases),
    ]


def _strata(margins: Sequence[Margin]) -> Table:
    title = (
        "By how far people disagree. Compare scorers within a row, not rows: the votes that choose a row are those "
        "that are predicted."
    )
    return Table.of("strata", title, STRATA, [(m, s) for m in margins for s in m.calibration.strata])


def _name(
    row: Rated | Margin | JudgeBias | VoteRow, note: str = "", query: dict[str, str] | None = None
) -> Link:
    baseline = ", baseline" if getattr(row, "is_baseline", False) else ""
    href = (
        ""
        if query is None
        else f"?{urlencode({'scorer': row.scorer, 'criterion': row.criterion.key} | query)}"
    )
    return Link(row.scorer, href, f"{row.criterion.key}{note}{baseline}")


def _missed_name(row: Rated, report: Pairs) -> Link:
    if row.missed.reason or report.unusual is None:
        return _name(row)
    link = _name(row, query={"unusualness": report.unusual.name})
    return Link(link.text, f"{link.href}#read", link.note)


def _margin_name(row: Margin) -> Link:
    link = _name(row, f", {row.order_text}" if row.order_text else "", {})
    return Link(link.text, f"{link.href}#chosen", link.note)


def _unless(reason: str | None, value: Cell) -> Cell:
    """The reason stands once, in the last column."""
    return None if reason else value


def _known(e: Estimate) -> Cell:
    """The sentence above says why there is none, or no interval."""
    return e.estimate if e.low is None else e


def _missed(name: str) -> Callable[[tuple[Rated, Pairs]], Cell]:
    return lambda row: _unless(row[0].missed.reason, getattr(row[0].missed, name))


def _pairs_note(row: Rated) -> str:
    p = row.pairs
    counts = f"{p.n_pairs:,} pairs, {p.n_prompts:,} prompts, {p.n_annotators:,} annotators"
    return f"Can’t tell. {p.reason} ({counts})" if p.reason else counts


def margin_sizes(row: Margin) -> str:
    """Accuracy rests on fewer pairs than the rest."""
    c = row.calibration
    return f"{len(c.share):,} pairs, one response ahead in {c.accuracy.n:,}, {c.n_prompts:,} prompts"


def vote_sizes(row: VoteRow) -> str:
    r = row.result
    thin = f"; {r.n_thin:,} pairs with fewer than two votes left out" if r.n_thin else ""
    people = f"{r.n_votes:,} votes, {r.n_annotators:,} annotators"
    return f"{r.n_pairs:,} pairs, {r.n_prompts:,} prompts, {people}{thin}"


def _margin_note(row: Margin) -> str:
    c = row.calibration
    counts = f"{c.accuracy.n:,} pairs, {c.n_prompts:,} prompts" if c.reason else margin_sizes(row)
    if row.n_left_out:
        counts += f"; {row.n_left_out:,} judged pairs without a {'choice' if row.order else 'score'} left out"
    return f"undefined: {c.reason} ({counts})" if c.reason else counts


def _bias_note(row: JudgeBias) -> str:
    counts = f"{row.length.excess.n:,} pairs that differ by more than 30 characters"
    if row.position is not None:
        return counts
    if row.pairwise:
        return f"what it chose in each order is not known; {counts}"
    return f"scores single responses, so there is no order; {counts}"


VOTES: list[Column[VoteRow]] = [
    Column("scorer", "Scorer", _name),
    Column("underrating", "Underrating", lambda r: _known(r.result.underrating), "SDs", "people like these", sign="+"),
    Column(
        "these_people",
        "For the people of this study",
        lambda r: _known(r.result.these_people.underrating),
        "SDs",
        sign="+",
    ),
    Column("p_one_sided", "p", lambda r: r.result.p_one_sided, help="of no underrating, one-sided", style="p"),
    Column("p_adjusted", "p among all", lambda r: r.p_adjusted, help="Benjamini-Hochberg", style="p"),
    Column("human", "Effect on people’s own choices", lambda r: _known(r.result.human), "votes", sign="+"),
    Column("naive", "Naive slope", lambda r: r.result.naive, sign="+"),
    Column("vote_agreement", "Agreement of votes", lambda r: r.result.vote_agreement, help="mean product of two votes"),
    Column("strength", "Strength", lambda r: r.result.strength, help="of identification: weak below 3.2", digits=1),
    Column("based_on", "Based on", vote_sizes, style="why"),
]  # fmt: skip

MATCHED: list[Column[Rated]] = [
    Column("scorer", "Scorer", _name),
    Column(
        "usual_preferred", "Usual one preferred", lambda r: _unless(r.pairs.reason, r.pairs.usual_preferred)
    ),
    Column("p", "p of one half", lambda r: r.pairs.p, style="p"),
    Column(
        "held_out_gap",
        "Held-out gap",
        lambda r: _unless(r.pairs.reason, r.pairs.held_out_gap),
        "SDs",
        sign="+",
    ),
    Column(
        "naive_usual_preferred",
        "Matched on the mean alone: usual one preferred",
        lambda r: _unless(r.pairs.reason, r.pairs.naive_usual_preferred),
    ),
    Column(
        "naive_held_out_gap",
        "Matched on the mean alone: held-out gap",
        lambda r: _unless(r.pairs.reason, r.pairs.naive_held_out_gap),
        "SDs",
        sign="+",
    ),
    Column("distance", "Difference in unusualness", lambda r: r.pairs.distance, "SDs"),
    Column("strength", "Identification strength", lambda r: r.pairs.strength, digits=1),
    Column("based_on", "Based on", _pairs_note, style="why"),
]

MISSED: list[Column[tuple[Rated, Pairs]]] = [
    Column("scorer", "Scorer", lambda row: _missed_name(*row)),
    Column("missed_unusual", "Unusual ones missed", _missed("unusual"), style="percent"),
    Column("missed_usual", "Usual ones missed", _missed("usual"), style="percent"),
    Column("missed_ratio", "Ratio", _missed("ratio")),
    Column("fair_ratio", "A fair scorer’s ratio", _missed("fair_ratio")),
    Column(
        "remarks",
        "Remarks",
        lambda row: f"Can’t tell. {row[0].missed.reason}" if row[0].missed.reason else "",
        style="why",
    ),
]


def _everywhere(name: str) -> Callable[[Margin], Cell]:
    """A number over all pairs; none where nothing is calibrated."""
    return lambda m: getattr(m.calibration.everywhere, name, None)


def _longer(row: JudgeBias) -> Cell:
    """The baseline takes the longer one always."""
    return row.length.judge.estimate if row.scorer == LENGTH else row.length.judge


def _in_position(name: str) -> Callable[[JudgeBias], Cell]:
    return lambda b: getattr(b.position, name, None)


MARGINS: list[Column[Margin]] = [
    Column("scorer", "Scorer", _margin_name),
    Column(
        "accuracy",
        "Agrees with the majority",
        lambda m: _unless(m.calibration.reason, m.calibration.accuracy),
    ),
    Column("brier", "Brier", _everywhere("brier"), digits=3),
    Column("brier_of_half", "Brier of one half", lambda m: m.calibration.brier_of_half, digits=3),
    Column("brier_of_people", "Brier of other people", lambda m: m.calibration.brier_of_people, digits=3),
    Column("log_loss", "Log-loss", _everywhere("log_loss"), "nats", digits=3),
    Column("ece", "Calibration error (ECE)", _everywhere("ece"), digits=3),
    Column("ece_if_calibrated", "ECE of right predictions", _everywhere("ece_if_calibrated"), digits=3),
    Column("temperature", "τ", lambda m: m.calibration.temperature),
    Column("based_on", "Based on", _margin_note, style="why"),
]

STRATA: list[Column[tuple[Margin, Calibrated]]] = [
    Column("stratum", "People", lambda row: Link(row[1].name, note=row[0].order_text)),
    Column("n_pairs", "Pairs", lambda row: row[1].n_pairs),
    Column("brier", "Brier", lambda row: row[1].brier, digits=3),
    Column("log_loss", "Log-loss", lambda row: row[1].log_loss, "nats", digits=3),
    Column("ece", "Calibration error (ECE)", lambda row: row[1].ece, digits=3),
    Column("ece_if_calibrated", "ECE of right predictions", lambda row: row[1].ece_if_calibrated, digits=3),
    Column(
        "sharpness", "Sharpness of margins", lambda row: row[1].confidence, help="mean distance from one half"
    ),
    Column("sharpness_of_people", "Sharpness of people’s shares", lambda row: row[1].people),
]

BIASES: list[Column[JudgeBias]] = [
    Column("scorer", "Scorer", _name),
    Column("consistent", "Same winner in both orders", _in_position("consistent"), style="percent"),
    Column("shown_first", "Chooses what is shown first", _in_position("first"), style="percent"),
    Column("position_bias", "Position bias", _in_position("bias"), sign="+"),
    Column("longer", "Longer one wins", _longer, style="percent"),
    Column("longer_by_people", "… with people", lambda b: b.length.people, style="percent"),
    Column("verbosity", "Beyond people", lambda b: b.length.excess, sign="+"),
    Column("based_on", "Based on", _bias_note, style="why"),
]
