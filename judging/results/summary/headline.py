"""The report's first two sentences: what comes out, and what it rests on."""

from collections.abc import Sequence

from annotate.models import Study
from judging.results.audit.headline import all_of, verdict_line
from judging.results.audit.headline import headline as audit_headline
from judging.results.pairs.report import Margin, Pairs
from judging.results.pairs.votes import VoteRow
from judging.results.similarity.report import Similarity
from judging.results.summary.answers import Answers, Counts
from judging.results.summary.findings import Findings
from judging.stats import Verdict
from judging.templatetags.figures import number, percent

NAMED = 2
"""Scorers that a headline names with their agreement."""


def headline(findings: Findings | None, given: Answers, why_none: str) -> str:
    """Of the audit of ratings or orders; without one, of votes, then of similarity."""
    of_audit = audit_headline(findings.main) if findings else ""
    if of_audit:
        return of_audit
    others = _of_pairs(given.pairs) or _of_similarity(given.similarity)
    if others:
        return others
    alike = given.alike
    if alike and alike.machines_less_people.low is not None and alike.machines_less_people.low > 0:
        return "Two machines answer the same prompt more alike than two people do"
    if findings is not None or (given.pairs and given.pairs.margins):
        return "No scorer has scored these responses yet"
    return "No scorer can be compared with people here" if why_none else ""


def _of_pairs(pairs: Pairs | None) -> str:
    """Verdicts by votes where there are any, else who sides with people how often."""
    first = [m for m in pairs.margins if m.criterion == pairs.margins[0].criterion] if pairs else []
    machines = [m for m in first if m.order in (None, "both") and not m.is_baseline]
    known = [m for m in machines if m.calibration.accuracy.estimate is not None]
    if pairs is None or not known:
        return ""
    votes = [v for v in pairs.votes if v.criterion == known[0].criterion and not v.is_baseline]
    by_verdict = {v: [r.scorer for r in votes if r.result.verdict is v] for v in Verdict}
    underrating, overrating = by_verdict[Verdict.UNDERRATES], by_verdict[Verdict.OVERRATES]
    if underrating or overrating:
        return verdict_line(underrating, [], overrating, len(votes))
    return _agreeing(known) + _whether(votes)


def _agreeing(margins: Sequence[Margin]) -> str:
    best = sorted(margins, key=lambda m: (-(m.calibration.accuracy.estimate or 0.0), m.scorer))
    first, *rest = [
        f"{percent(m.calibration.accuracy.estimate)} of {m.calibration.accuracy.n:,}" for m in best[:NAMED]
    ]
    further = "".join(f", {m.scorer} in {words}" for m, words in zip(best[1:], rest, strict=False))
    unnamed = "" if len(best) <= NAMED else f", {len(best) - NAMED} more less often"
    return f"{best[0].scorer} sides with people in {first} pairs{further}{unnamed}"


def _whether(votes: Sequence[VoteRow]) -> str:
    if not votes:
        return ""
    which = {1: "it underrates", 2: "either underrates"}.get(len(votes), "any of them underrates")
    return f"; these votes do not show whether {which} unusual answers"


def _of_similarity(similarity: Similarity | None) -> str:
    """The embedder that follows people best, beside what people's own noise allows."""
    rows = similarity.rows if similarity else []
    known = [r for r in rows if not r.is_baseline and r.result.spearman.estimate is not None]
    if not known:
        return ""
    best = max(known, key=lambda r: r.result.spearman.estimate or 0.0)
    own = [r for r in rows if r.criterion == best.criterion]
    words = [f"{r.measure}: {number(r.result.spearman.estimate, 2)}" for r in own if r.is_baseline]
    ceiling = best.result.ceiling.estimate
    most = [] if ceiling is None else [f"the most that people’s noise allows: {number(ceiling, 2)}"]
    beside = "; ".join([*words, *most])
    return (
        f"{best.measure} and people rank {best.result.n_pairs:,} pairs by similarity with a Spearman correlation of "
        f"{number(best.result.spearman.estimate, 2)}{f' ({beside})' if beside else ''}"
    )


ON_UNUSUAL = "Do machines that grade answers mark down those that people find good but unusual?"
ON_SIMILARITY = "Do machines find two answers alike where people do?"


def question(findings: Findings | None, given: Answers) -> str:
    """What the study can be asked; the project's own question where nothing else can."""
    only_similarity = given.similarity is not None and not (given.pairs and given.pairs.margins)
    return ON_SIMILARITY if findings is None and only_similarity else ON_UNUSUAL


def lede(study: Study, findings: Findings | None, given: Answers) -> str:
    """What people gave, and what each scorer is asked."""
    counts = given.counts
    if not counts.given:
        return ""
    return f"{_who(study, counts)} gave {_what(counts)}.{_asked(findings, given)}"


def _who(study: Study, counts: Counts) -> str:
    if not counts.named:
        return "People whose names are not known"
    one = counts.people == 1
    if study.simulated:
        return f"{counts.people:,} simulated annotator{'' if one else 's'}"
    return f"{counts.people:,} {'person' if one else 'people'}"


def _what(counts: Counts) -> str:
    named = [
        f"{g.judgments:,} {g.name} of {g.units:,} {g.unit}{'' if g.units == 1 else 's'}" for g in counts.given
    ]
    last = counts.given[-1].unit
    prompts = f"{counts.prompts:,} prompt{'' if counts.prompts == 1 else 's'}"
    if len(named) > 1:
        return f"{all_of(named)}, for {prompts}"
    return f"{named[0]} to {prompts}" if last == "response" else f"{named[0]} of responses to {prompts}"


def _asked(findings: Findings | None, given: Answers) -> str:
    if findings is not None:
        return (
            " Each scorer is asked: among answers that people find equally good and that are equally long, does the "
            "score fall as an answer becomes more unusual?"
        )
    if given.pairs and given.pairs.margins:
        return (
            " Each scorer is asked: does it choose as people do, and of two responses that people like equally well, "
            "does it prefer the usual one?"
        )
    if given.similarity:
        return " Each measure is asked: does it find two responses alike where people do?"
    return ""
