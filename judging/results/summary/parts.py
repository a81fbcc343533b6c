"""The report's sentences on what people gave beside ratings of single responses, and on kinds of source."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from judging.results.audit.contrasts import ContrastRow
from judging.results.audit.report import RATE
from judging.results.homogeneity.human import Humans
from judging.results.pairs.report import JudgeBias, Margin, Pairs
from judging.results.pairs.votes import VoteRow
from judging.results.similarity.report import Row as Measure
from judging.results.summary.answers import Answers
from judging.results.summary.findings import Findings
from judging.results.summary.wording import sentence
from judging.stats import Estimate
from judging.templatetags.figures import number, percent, typeset

MOST_LINES = 8


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence that begins with a name."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    key: str
    title: str
    lines: tuple[Line, ...]


def parts(findings: Findings | None, answers: Answers) -> tuple[Part, ...]:
    made = [
        Part(
            "votes", "Choices between two responses", tuple(_choices(answers.pairs)) if answers.pairs else ()
        ),
        Part("sets", "Orders and ratings inside sets", tuple(_in_sets(findings)) if findings else ()),
        Part("sources", "Kinds of source", tuple(_kinds(findings)) if findings else ()),
        Part("similarity", "How alike two responses are", tuple(_similarity(answers))),
        Part("groups", "Groups that people made", tuple(_groups(answers))),
    ]
    return tuple(part for part in made if part.lines)


def _with_ends(e: Estimate, form: Callable[[float | None], str]) -> str:
    if e.estimate is None:
        return f"undefined ({e.reason})"
    ends = "" if e.low is None else f" [{form(e.low)}, {form(e.high)}]"
    return f"{form(e.estimate)}{ends}"


def _two(e: Estimate) -> str:
    return _with_ends(e, lambda x: number(x, 2))


def _signed(e: Estimate) -> str:
    return _with_ends(e, lambda x: number(x, 2, "+"))


def _share(e: Estimate) -> str:
    return _with_ends(e, percent)


def _choices(pairs: Pairs) -> Iterator[Line]:
    """Of each scorer: agreement, position, length and underrating; the baseline last."""
    whole = [m for m in pairs.margins if m.order in (None, "both")]
    ordered = sorted(
        whole, key=lambda m: (m.is_baseline, -(m.calibration.accuracy.estimate or 0.0), m.scorer)
    )
    for m in ordered[:MOST_LINES]:
        bias = next((b for b in pairs.biases if (b.scorer, b.criterion) == (m.scorer, m.criterion)), None)
        votes = next((v for v in pairs.votes if (v.scorer, v.criterion) == (m.scorer, m.criterion)), None)
        sentences = [_agrees(m), *(_leans(bias) if bias else ()), *(_underrates(votes) if votes else ())]
        yield Line(m.scorer, typeset(" ".join(sentences)))
    if pairs.no_slope and whole:
        yield Line("Underrating by votes", f"is not known: {pairs.no_slope}")


def _agrees(m: Margin) -> str:
    c = m.calibration
    if c.accuracy.estimate is None:
        return f"on {m.criterion.key}: {c.accuracy.reason}."
    return (
        f"sides with people on {m.criterion.key} in {_share(c.accuracy)} of the {c.accuracy.n:,} pairs in which one "
        f"response is ahead ({len(c.share):,} judged pairs, {c.n_prompts:,} prompts)."
    )


def _leans(bias: JudgeBias) -> Iterator[str]:
    if bias.position is not None:
        p = bias.position
        yield (
            f"Shown both ways round it keeps its winner in {_share(p.consistent)} of {p.consistent.n:,} pairs; "
            f"position bias {_signed(p.bias)}."
        )
    v = bias.length
    if v.excess.estimate is not None:
        yield (
            f"It takes the longer response in {_share(v.judge)} of {v.excess.n:,} pairs, people in {_share(v.people)}: "
            f"{_signed(v.excess)} beyond them."
        )


def _underrates(row: VoteRow) -> Iterator[str]:
    r = row.result
    size = "" if r.underrating.low is None else f", {_signed(r.underrating)} SD"
    yield f"By votes alone: {r.verdict_text}{size} ({r.n_pairs:,} pairs, {r.n_votes:,} votes). {r.reason}"
    yield from r.notes


def _in_sets(findings: Findings) -> Iterator[Line]:
    rows = [r for c in findings.criteria[1:] for r in findings.ordered(c) if r.in_sets]
    for row in rows[:MOST_LINES]:
        yield Line(row.scorer, f"by {row.outcome} ({row.criterion.key}) {sentence(row)}")


def _kinds(findings: Findings) -> Iterator[Line]:
    """The contrasts that stand among all, of the first criterion; one sentence where none does."""
    grouping, first = findings.contrasts.grouping, findings.criteria[0].key
    rows = [r for r in findings.contrasts.rows if r.criterion == first and not r.is_baseline]
    if grouping is None or not rows:
        return
    clear = sorted((r for r in rows if r.p_adjusted is not None and r.p_adjusted <= RATE), key=_size)
    for row in clear[:MOST_LINES]:
        yield Line(row.scorer, typeset(f"on {first}, {row.gaps.group} against the others: {_contrast(row)}"))
    if len(clear) > MOST_LINES:
        yield Line(f"{len(clear) - MOST_LINES} more", "are in the table below.")
    if not clear:
        tested = sum(r.p_adjusted is not None for r in rows)
        yield Line(
            "No scorer",
            f"is found to set one kind ({grouping.words}) above the others more or less than people do on {first}: "
            f"{tested} of {len(rows)} contrasts can be tested, none stands at a false discovery rate of 5 %.",
        )


def _size(row: ContrastRow) -> tuple[float, str]:
    return row.p_adjusted or 0.0, row.scorer


def _contrast(row: ContrastRow) -> str:
    c = row.gaps
    df = "" if c.df is None else f", t with {c.df:.1f} df"
    counts = f"{c.n_group:,} and {c.n_others:,} responses to {c.n_prompts:,} prompts{df}"
    if c.contrast_raw.estimate is not None:
        gaps = (
            f"people’s gap {_signed(c.human_gap_raw)} points, the scorer’s {_signed(c.scorer_gap_raw)}, scorer minus "
            f"people {_signed(c.contrast_raw)}"
        )
    else:
        gaps = (
            f"people’s gap {_signed(c.human_gap)} SD, the scorer’s {_signed(c.scorer_gap)}, scorer minus people "
            f"{_signed(c.contrast)}"
        )
    return f"{gaps} ({counts}). {c.reason}"


def _similarity(answers: Answers) -> Iterator[Line]:
    for row in (answers.similarity.rows if answers.similarity else [])[:MOST_LINES]:
        yield Line(row.measure, typeset(_correlates(row)))


def _correlates(row: Measure) -> str:
    r = row.result
    within = f" Within prompts {_two(r.within_spearman)}." if r.within_spearman.estimate is not None else ""
    return (
        f"on {row.criterion.key}: Spearman {_two(r.spearman)} with people’s mean ({r.n_pairs:,} pairs, "
        f"{r.n_prompts:,} prompts, {r.n_annotators:,} annotators). A perfect measure would reach {_two(r.ceiling)}, "
        f"the ceiling that people’s own noise sets.{within}"
    )


def _groups(answers: Answers) -> Iterator[Line]:
    entries: Sequence[Humans] = answers.alike.humans if answers.alike else ()
    for h in entries:
        if h.groups is None or answers.alike is None:
            continue
        clusters = (
            "" if h.ideas is None else f"; {answers.alike.embedder} makes {_two(h.ideas)} clusters of them"
        )
        yield Line(
            "People",
            f"make {_two(h.groups)} groups of a set ({h.criterion}, {h.groups.n:,} prompts){clusters}. They put two "
            f"responses of one source together in {_share(h.within)} of judgments, of two sources in "
            f"{_share(h.between)}.",
        )
