"""Underrating from preferences alone: every scorer's margins, and every judge's choices in both orders."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from annotate.models import Annotator, Criterion
from judging.frames import preferences
from judging.frames.preferences import Margins
from judging.results.audit import Sources
from judging.results.audit.report import RATE, adjusted_p
from judging.scorers.length import NAME as LENGTH
from judging.stats import PreferenceUnderrating, Verdict, preference_underrating

NAMELESS = (
    "The votes came in without the names of who gave them, and two votes of one person are no two people’s."
)


@dataclass(frozen=True, slots=True)
class VoteRow:
    """One scorer against the votes on one criterion."""

    scorer: str
    criterion: Criterion
    pairwise: bool
    result: PreferenceUnderrating
    p_adjusted: float | None = None

    @property
    def is_baseline(self) -> bool:
        return self.scorer == LENGTH

    @property
    def discovery(self) -> bool | None:
        """Whether it underrates and still does, all scorers of the criterion considered; None for the baseline."""
        if self.p_adjusted is None:
            return None
        return self.result.verdict is Verdict.UNDERRATES and self.p_adjusted <= RATE


def vote_rows(
    inputs: Sources, pairs: pd.DataFrame, everybody: Sequence[Margins], criteria: Sequence[Criterion]
) -> tuple[list[VoteRow], str]:
    """A row for each scorer and criterion that has votes, and why a criterion has none."""
    table = _differences(inputs, pairs)
    slots = set(Annotator.objects.slots().filter(study=inputs.study).values_list("pk", flat=True))
    rows: list[VoteRow] = []
    why_not = ""
    for criterion in criteria:
        given = preferences.votes(criterion, pairs)
        named = given[~given["annotator_id"].isin(slots)]
        if len(named):
            own = [_row(m, criterion, named, table, inputs) for m in everybody if _whole(m)]
            rows += _adjusted(own)
        elif len(given):
            why_not = NAMELESS
    return rows, why_not


def _whole(margins: Margins) -> bool:
    """Not a judge's choices in one order alone: its taste for a place is in them."""
    return margins.order in (None, "both")


def _differences(inputs: Sources, pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs with the first response's unusualness, length and marks less the second's."""
    pool = inputs.pool.set_index("response_id")
    columns = ["unusualness", *inputs.covariates]
    difference = {name: pairs["first"].map(pool[name]) - pairs["second"].map(pool[name]) for name in columns}
    return pairs[["pair_id", "prompt_id"]].assign(**difference)


def _row(
    margins: Margins, criterion: Criterion, votes: pd.DataFrame, table: pd.DataFrame, inputs: Sources
) -> VoteRow:
    baseline = margins.scorer == LENGTH
    # Length held constant, the length of a response says nothing: the baseline goes without covariates.
    covariates = () if baseline else inputs.covariates
    measured = table.assign(margin=table["pair_id"].map(margins.values).astype(float))
    result = preference_underrating(votes, measured, covariates=covariates)
    return VoteRow(margins.scorer, criterion, margins.pairwise, result)


def _adjusted(rows: list[VoteRow]) -> list[VoteRow]:
    adjusted = adjusted_p([row.result for row in rows], [row.is_baseline for row in rows])
    return [replace(row, p_adjusted=p) for row, p in zip(rows, adjusted, strict=True)]
