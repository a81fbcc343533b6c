"""The audit in one sentence: who underrates unusual answers, who does not, and for how many that is open."""

from collections.abc import Sequence

import numpy as np

from judging.results.audit.report import RATE, Row
from judging.stats import Verdict, benjamini_hochberg

NAMED = 2
"""Scorers of one verdict that the headline names; more are counted."""


def headline(rows: Sequence[Row]) -> str:
    """Of the scorers of the first criterion; empty where there are only baselines."""
    machines = [row for row in rows if row.criterion == rows[0].criterion and not row.is_baseline]
    if not machines:
        return ""
    by_verdict = {v: [row.scorer for row in machines if row.result.verdict is v] for v in Verdict}
    decided = (
        by_verdict[Verdict.UNDERRATES],
        by_verdict[Verdict.NO_UNDERRATING],
        by_verdict[Verdict.OVERRATES],
    )
    return verdict_line(*decided, len(machines)) + ("" if any(decided) else _for_these(machines))


def _for_these(machines: Sequence[Row]) -> str:
    """Who underrates for the people of the study, all scorers considered, where people like them leave it open."""
    scopes = [row.result.these_people for row in machines]
    p = [
        np.nan if scope.p_one_sided is None or scope.verdict is Verdict.CANT_TELL else scope.p_one_sided
        for scope in scopes
    ]
    underrating = [
        row.scorer
        for row, scope, adjusted in zip(machines, scopes, benjamini_hochberg(p), strict=True)
        if scope.verdict is Verdict.UNDERRATES and adjusted <= RATE
    ]
    if not underrating:
        return ""
    verb = "marks" if len(underrating) == 1 else "mark"
    return f"; for the people of this study, {who(underrating, len(machines))} {verb} down those they find as good"


def verdict_line(
    underrating: Sequence[str], not_underrating: Sequence[str], overrating: Sequence[str], n: int
) -> str:
    """The headline, of n scorers: those that underrate, those that do not, those that overrate; the rest is open."""
    n_open = n - len(underrating) - len(not_underrating) - len(overrating)
    if n_open == n:
        what = "this scorer underrates" if n == 1 else f"any of the {n} scorers underrates"
        return f"These ratings do not show whether {what} unusual answers"
    parts = []
    if underrating:
        verb = "marks" if len(underrating) == 1 else "mark"
        parts.append(f"{who(underrating, n)} {verb} down unusual answers that people find as good")
    if overrating:
        verb = "marks" if len(overrating) == 1 else "mark"
        parts.append(f"{who(overrating, n)} {verb} unusual answers up")
    if not_underrating:
        verb = "does not" if len(not_underrating) == 1 else "do not"
        what = "" if underrating else " mark unusual answers down"
        parts.append(f"{who(not_underrating, n)} {verb}{what}, as far as these data show")
    if n_open:
        others = "one other" if n_open == 1 else f"{n_open} others"
        parts.append(f"for {others} the data are not enough")
    return "; ".join(parts)


def who(names: Sequence[str], n: int) -> str:
    return all_of(names) if len(names) <= NAMED else f"{len(names)} of {n} scorers"


def all_of(names: Sequence[str]) -> str:
    """Names in a sentence: a, b and c."""
    return " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), names[-1]])
