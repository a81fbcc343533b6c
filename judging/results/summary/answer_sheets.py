"""The report's tables of pairs, similarity, groups and kinds of source."""

from collections.abc import Iterator

from judging.results.figures import rounded
from judging.results.homogeneity.human import Humans
from judging.results.pairs.report import ORDERS, Pairs
from judging.results.similarity.report import Row as Measure
from judging.results.summary.answers import Answers
from judging.results.summary.findings import Findings
from judging.results.summary.sheet import ENDS, Sheet, three


def of_answers(findings: Findings | None, given: Answers) -> Iterator[Sheet]:
    if findings:
        yield _kinds(findings)
    if given.pairs:
        yield _votes(given.pairs)
        yield _margins(given.pairs)
        yield _biases(given.pairs)
    if given.similarity:
        yield _similarity(given.similarity.rows)
    if given.alike:
        yield _groups(given.alike.humans)


def _kinds(findings: Findings) -> Sheet:
    columns = (
        "scorer", "criterion", "kind", "scorer’s gap, SDs", *ENDS, "people’s gap, SDs", *ENDS, "contrast, SDs", *ENDS,
        "scorer’s gap, own units", *ENDS, "people’s gap, points", *ENDS, "contrast, points", *ENDS, "df", "adjusted p",
        "prompts", "of the kind", "others", "annotators", "why",
    )  # fmt: skip
    rows = [
        (
            row.scorer, row.criterion, c.group, *three(c.scorer_gap), *three(c.human_gap), *three(c.contrast),
            *three(c.scorer_gap_raw), *three(c.human_gap_raw), *three(c.contrast_raw), rounded(c.df),
            rounded(row.p_adjusted), c.n_prompts, c.n_group, c.n_others, c.n_annotators, c.reason,
        )
        for row in findings.contrasts.rows for c in [row.gaps]
    ]  # fmt: skip
    caption = (
        "Each kind against the other responses to the same prompts. The contrast is the scorer’s gap minus people’s, "
        "in points where every score is a mean of points of people’s scale."
    )
    return Sheet("kinds-of-source", "Kinds of source", caption, columns, tuple(rows))


def _votes(pairs: Pairs) -> Sheet:
    columns = (
        "scorer", "criterion", "verdict", "underrating", *ENDS, "for the people of this study", *ENDS, "p",
        "adjusted p", "effect on people’s own choices, votes", *ENDS, "naive slope", "strength", "pairs", "prompts",
        "votes", "annotators", "why",
    )  # fmt: skip
    rows = [
        (
            v.scorer, v.criterion.key, r.verdict_text, *three(r.underrating), *three(r.these_people.underrating),
            rounded(r.p_one_sided), rounded(v.p_adjusted), *three(r.human), rounded(r.naive), rounded(r.strength),
            r.n_pairs, r.n_prompts, r.n_votes, r.n_annotators, " ".join([r.reason, *r.notes]),
        )
        for v in pairs.votes for r in [v.result]
    ]  # fmt: skip
    caption = "Underrating by votes alone: SDs of the margin per SD of difference in unusualness, at equal preference."
    return Sheet("votes-in-full", "Underrating by votes", caption, columns, tuple(rows))


def _margins(pairs: Pairs) -> Sheet:
    columns = (
        "scorer", "criterion", "order", "agrees with the majority", *ENDS, "pairs with a majority", "Brier", *ENDS,
        "Brier of one half", "Brier of other people", "pairs", "prompts", "left out",
    )  # fmt: skip
    rows = [
        (
            m.scorer, m.criterion.key, ORDERS[m.order], *three(c.accuracy), c.accuracy.n,
            *(three(c.everywhere.brier) if c.everywhere else (None, None, None)), rounded(c.brier_of_half),
            rounded(c.brier_of_people), len(c.share), c.n_prompts, m.n_left_out,
        )
        for m in pairs.margins for c in [m.calibration]
    ]  # fmt: skip
    caption = "Margins and choices beside people’s votes on the same pairs. A majority: one response got more votes."
    return Sheet("margins-in-full", "Agreement with people’s votes", caption, columns, tuple(rows))


def _biases(pairs: Pairs) -> Sheet:
    columns = (
        "scorer", "criterion", "same winner in both orders", *ENDS, "position bias", *ENDS, "pairs in both orders",
        "longer one wins", *ENDS, "with people", *ENDS, "beyond people", *ENDS, "pairs that differ in length",
    )  # fmt: skip
    none = (None, None, None)
    rows = [
        (
            b.scorer, b.criterion.key, *(three(p.consistent) if p else none), *(three(p.bias) if p else none),
            p.bias.n if p else None, *three(v.judge), *three(v.people), *three(v.excess), v.excess.n,
        )
        for b in pairs.biases for p, v in [(b.position, b.length)]
    ]  # fmt: skip
    caption = (
        "Position: of pairs that the judge saw both ways round. Length: of pairs over 30 characters apart."
    )
    return Sheet("position-and-length", "Position and length", caption, columns, tuple(rows))


def _similarity(measures: list[Measure]) -> Sheet:
    columns = (
        "measure", "criterion", "Spearman", *ENDS, "ceiling", *ENDS, "corrected", *ENDS, "within prompts", *ENDS,
        "reliability of people’s mean", *ENDS, "given word overlap", *ENDS, "pairs", "prompts", "annotators",
    )  # fmt: skip
    rows = [
        (
            m.measure, m.criterion.key, *three(r.spearman), *three(r.ceiling), *three(r.corrected),
            *three(r.within_spearman), *three(r.reliability), *three(r.given_lexical), r.n_pairs, r.n_prompts,
            r.n_annotators,
        )
        for m in measures for r in [m.result]
    ]  # fmt: skip
    caption = "Spearman’s correlation with people’s mean; ceiling: what a perfect measure would reach."
    return Sheet("similarity-in-full", "Similarity with people", caption, columns, tuple(rows))


def _groups(humans: tuple[Humans, ...]) -> Sheet:
    none = (None, None, None)
    columns = (
        "criterion", "unit", "same source", *ENDS, "different sources", *ENDS, "groups of a set", *ENDS,
        "clusters of the embedder", *ENDS, "pairs",
    )  # fmt: skip
    rows = [
        (
            h.criterion, h.unit, *three(h.within), *three(h.between), *(three(h.groups) if h.groups else none),
            *(three(h.ideas) if h.ideas else none), h.n_pairs,
        )
        for h in humans
    ]  # fmt: skip
    caption = "What people say of pairs and of sets, over prompts."
    return Sheet("people-on-likeness", "How similar people find responses", caption, columns, tuple(rows))
