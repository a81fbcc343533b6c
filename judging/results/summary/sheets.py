"""The report's tables, each also a CSV file of its folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from annotate.models import Study
from judging.results import agreement as agreements
from judging.results.cache import cached
from judging.results.figures import Cell, rounded
from judging.results.homogeneity import over_prompts as pools
from judging.results.summary.findings import Compared, Findings
from judging.stats import Estimate

ENDS = ("low", "high")
"""The columns that hold an interval's ends; the one before them holds its estimate."""


class Ranged(NamedTuple):
    """An estimate and its interval, as one cell of a page."""

    estimate: Cell
    low: Cell
    high: Cell


class Head(NamedTuple):
    name: str
    number: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of the report's details, and a CSV file of its folder."""

    key: str
    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def shown(self) -> list[list[Cell | Ranged]]:
        """The rows as a page shows them: a number and its interval in one cell."""
        ranged = {n for n in range(len(self.columns)) if self.columns[n + 1 : n + 3] == ENDS}
        return [
            [Ranged(*row[n : n + 3]) if n in ranged else row[n] for n in self._starts()] for row in self.rows
        ]

    @property
    def heads(self) -> list[Head]:
        """The columns of `shown`, and whether each holds plain numbers."""
        return [
            Head(self.columns[n], all(isinstance(row[n], int | float | None) for row in self.rows))
            for n in self._starts()
        ]

    def _starts(self) -> list[int]:
        return [n for n, name in enumerate(self.columns) if name not in ENDS]


def _three(e: Estimate) -> tuple[Cell, Cell, Cell]:
    return rounded(e.estimate), rounded(e.low), rounded(e.high)


def sheets(study: Study, findings: Findings | None, alike: pools.Homogeneity | None) -> list[Sheet]:
    made = []
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
    made.append(_agreement(study))
    if alike:
        made += [_sources(alike), _prompts(alike)]
        made += [_groups(alike.categories, "alike-categories", "Likeness by category of prompts", "category")]
        made += [_groups(alike.parameters, "alike-parameters", "Likeness by sampling parameter", "set to")]
    return [s for s in made if s.rows]


def _scorers(findings: Findings) -> Sheet:
    columns = (
        "scorer", "criterion", "verdict", "underrating", "low", "high", "p", "adjusted p", "naive slope",
        "strength", "smallest detectable", "reliability of the human mean", "prompts", "responses", "annotators", "why",
    )  # fmt: skip
    rows = [
        (
            f.scorer, f.criterion.key, f.result.verdict_text, *_three(f.result.underrating),
            rounded(f.result.p_one_sided), rounded(f.p_adjusted), rounded(f.result.naive.estimate),
            rounded(f.result.strength),
            rounded(f.result.smallest_detectable), rounded(f.result.reliability), f.result.n_prompts,
            f.result.n_responses, f.result.n_annotators, " ".join([f.result.reason, *f.result.notes]),
        )
        for c in findings.criteria for f in findings.ordered(c)
    ]  # fmt: skip
    caption = (
        "p is of no underrating, one-sided; adjusted p by Benjamini and Hochberg over the scorers of a criterion "
        "that can be told of, without the baseline."
    )
    return Sheet("scorers-in-full", "Scorers in full", caption, columns, tuple(rows))


def _compared(compared: Sequence[Compared], key: str, title: str) -> Sheet:
    columns = ("scorer", "by", "verdict", "underrating", "low", "high", "strength", "prompts", "responses")
    rows = [
        (c.scorer, c.name, c.result.verdict_text, *_three(c.result.underrating), rounded(c.result.strength),
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
            *_three(e.alpha),
            *_three(e.reliability_of_mean),
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
        (s.name, s.n_responses, *_three(s.within), *_three(s.to_others), rounded(s.vendi.estimate),
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
        (g.name, *_three(g.within), *(_three(g.between) if g.between else (None, None, None)), g.n_prompts)
        for g in groups
    ]
    return Sheet(
        key,
        title,
        "Mean cosines of two responses of one source, and of two, to the same prompt.",
        (what, "same source", *ENDS, "different sources", *ENDS, "prompts"),
        tuple(rows),
    )
