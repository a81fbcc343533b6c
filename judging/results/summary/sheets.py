"""The report's tables, each also a CSV file of its folder."""

from collections.abc import Sequence

from annotate.models import Study
from judging.results import agreement as agreements
from judging.results.cache import cached
from judging.results.figures import rounded
from judging.results.homogeneity import over_prompts as pools
from judging.results.summary.answer_sheets import of_answers
from judging.results.summary.answers import Answers
from judging.results.summary.findings import Compared, Findings
from judging.results.summary.sheet import ENDS, Sheet, three


def sheets(study: Study, findings: Findings | None, given: Answers) -> list[Sheet]:
    made, alike = [], given.alike
    if findings:
        made.append(_scorers(findings))
        made += [
            _compared(rows, key, title)
            for rows, key, title in (
                (findings.measures, "measures", "Measures of unusualness"),
                (findings.categories, "categories", "Categories of prompts"),
            )
            if rows
        ]
    made += of_answers(findings, given)
    made.append(_agreement(study))
    if alike:
        made += [_sources(alike), _prompts(alike)]
        made += [
            _groups(alike.categories, "alike-categories", "Similarity by category of prompts", "category")
        ]
        made += [_groups(alike.parameters, "alike-parameters", "Similarity by sampling parameter", "set to")]
    return [s for s in made if s.rows]


def _scorers(findings: Findings) -> Sheet:
    columns = (
        "scorer", "criterion", "outcome", "verdict", "underrating", "low", "high", "p", "adjusted p", "naive slope",
        "strength", "smallest detectable", "reliability of the human mean", "prompts", "responses", "annotators", "why",
    )  # fmt: skip
    rows = [
        (
            f.scorer, f.criterion.key, f.outcome, f.result.verdict_text, *three(f.result.underrating),
            rounded(f.result.p_one_sided), rounded(f.p_adjusted), rounded(f.result.naive.estimate),
            rounded(f.result.strength),
            rounded(f.result.smallest_detectable), rounded(f.result.reliability), f.result.n_prompts,
            f.result.n_responses, f.result.n_annotators, " ".join([f.result.reason, *f.result.notes]),
        )
        for c in findings.criteria for f in findings.ordered(c)
    ]  # fmt: skip
    caption = (
        "p is of no underrating, one-sided; adjusted p by Benjamini and Hochberg over the decided scorers "
        "of a criterion, without the baseline."
    )
    return Sheet("scorers-in-full", "Scorers in full", caption, columns, tuple(rows))


def _compared(compared: Sequence[Compared], key: str, title: str) -> Sheet:
    columns = ("scorer", "by", "verdict", "underrating", "low", "high", "strength", "prompts", "responses")
    rows = [
        (c.scorer, c.name, c.result.verdict_text, *three(c.result.underrating), rounded(c.result.strength),
         c.result.n_prompts, c.result.n_responses)
        for c in compared
    ]  # fmt: skip
    return Sheet(
        f"{key}-in-full",
        title,
        "Underrating in SDs of the score per SD of unusualness.",
        columns,
        tuple(rows),
    )


def _agreement(study: Study) -> Sheet:
    columns = (
        "criterion",
        "level",
        "alpha",
        "low",
        "high",
        "reliability of the mean",
        "low",
        "high",
        "items",
        "annotators",
        "answers",
    )
    rows = [
        (
            e.criterion.key,
            e.level,
            *three(e.alpha),
            *three(e.reliability_of_mean),
            e.n_items,
            e.n_annotators,
            e.n_answers,
        )
        for e in cached(study, "agreement-in-brief", lambda: agreements.in_brief(study))
    ]
    caption = (
        "Krippendorff’s alpha and the reliability of the mean of all answers to an item, with 95 % intervals."
    )
    return Sheet("agreement", "How far annotators agree", caption, columns, tuple(rows))


def _sources(alike: pools.Homogeneity) -> Sheet:
    columns = (
        "source", "responses", "within", "low", "high", "to other sources", "low", "high", "Vendi", "ideas",
        "4-grams others have", "duplicates elsewhere", "self-repetition", "with self-pairs (inflated)",
    )  # fmt: skip
    rows = [
        (s.name, s.n_responses, *three(s.within), *three(s.to_others), rounded(s.vendi.estimate),
         rounded(s.ideas.estimate), rounded(s.shared_grams.estimate), rounded(s.duplicates.estimate),
         rounded(s.self_repetition.estimate), rounded(s.with_self_pairs))
        for s in alike.sources
    ]  # fmt: skip
    caption = f"Cosines of {alike.embedder}, over the whole pool; Vendi score and ideas of {alike.equal_n} responses."
    return Sheet("sources-in-full", "Sources", caption, columns, tuple(rows))


def _prompts(alike: pools.Homogeneity) -> Sheet:
    columns = (
        "prompt",
        "text",
        "all pairs",
        "same source",
        "different sources",
        "effective ideas",
        "compression",
        "responses",
    )
    rows = [
        (p.key, p.text, rounded(p.mean), rounded(p.within), rounded(p.between), rounded(p.effective_ideas),
         rounded(p.compression), p.n)
        for p in alike.prompts
    ]  # fmt: skip
    return Sheet(
        "prompts",
        "Prompts, from most to least alike",
        "Mean cosines within the prompt.",
        columns,
        tuple(rows),
    )


def _groups(groups: Sequence[pools.Group], key: str, title: str, what: str) -> Sheet:
    rows = [
        (g.name, *three(g.within), *(three(g.between) if g.between else (None, None, None)), g.n_prompts)
        for g in groups
    ]
    return Sheet(
        key,
        title,
        "Mean cosines of two responses of one source, and of two, to the same prompt.",
        (what, "same source", *ENDS, "different sources", *ENDS, "prompts"),
        tuple(rows),
    )
