"""How consistent each judge is: across repeats, other wordings, the order of a pair, and lengths."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from django.db.models import F
from django.db.models.functions import Length

from annotate.models import ItemResponse, Study
from judging.models import Score, ScoreRun, Verdict
from judging.results.result import NotComputable
from judging.runs.registry import named_in
from judging.stats import Estimate
from judging.stats.pairs.judges import (
    Position,
    Retest,
    Sensitivity,
    position_bias,
    prefers_longer,
    retest,
    template_sensitivity,
)

# Columns of `choices`, and where they are stored.
CHOICES = {
    "scorer": "run__scorer",
    "probe": "run__probe",
    "prompt": "prompt",
    "of": "item_id",
    "winner": "winner_id",
    "strength": "value",
    "original_order": "straight",
    "reversed_order": "swapped",
    "error": "error",
}


@dataclass(frozen=True, slots=True)
class Judge:
    """One judge. What it was not tested for is missing."""

    scorer: str
    pairwise: bool
    n: int
    failed: int
    test_retest: Retest | None = None
    wordings: list[tuple[str, Sensitivity]] = field(default_factory=list)
    position: Position | None = None
    longer: Estimate | None = None


def judges() -> list[str]:
    """Scorers that have a rubric and can be called again."""
    return named_in("judging.scorers.endpoints.judge")


def compute(study: Study) -> list[Judge]:
    """Every judge that was tested, and every scorer with choices between two."""
    scores, pairs = _scores(study), choices(study)
    tested = [
        _pointwise(str(name), rows) for name, rows in scores.groupby("scorer") if (rows["probe"] != "").any()
    ]
    report = tested + [_pairwise(str(name), rows) for name, rows in pairs.groupby("scorer")]
    if not report:
        raise NotComputable("No judge has been tested yet, and no choices between two responses are stored.")
    return report


def _pointwise(name: str, rows: pd.DataFrame) -> Judge:
    base = rows[rows["probe"] == ""]
    return Judge(name, False, len(base), int(base["value"].isna().sum()), *_variants(rows))


def _pairwise(name: str, rows: pd.DataFrame) -> Judge:
    base = rows[rows["probe"] == ""]
    orders = base["original_order"], base["reversed_order"]
    has_both = (orders[0].notna() & orders[1].notna()).any()
    return Judge(
        name,
        True,
        len(base),
        int(base["value"].isna().sum()),
        *_variants(rows),
        position=position_bias(*orders, base["prompt"]) if has_both else None,
        longer=prefers_longer(base["value"], base["first_length"], base["second_length"], base["prompt"]),
    )


def _variants(rows: pd.DataFrame) -> tuple[Retest | None, list[tuple[str, Sensitivity]]]:
    """By repeats and by other wordings, over what each of them answered."""
    table = rows.pivot_table(index=["prompt", "of"], columns="probe", values="value", dropna=False)
    prompts = table.index.get_level_values("prompt").to_numpy()
    names = [str(name) for name in table.columns]
    repeats = [name for name in names if name == "" or name.startswith("repeat")]
    test_retest = retest(table[repeats].to_numpy(), prompts) if len(repeats) > 1 else None
    if "" not in names:
        return test_retest, []
    wordings = [name for name in names if name.startswith("wording")]
    return test_retest, [(n, template_sensitivity(table[""], table[n], prompts)) for n in wordings]


def _scores(study: Study) -> pd.DataFrame:
    of_pool = Score.objects.in_pool().filter(run__study=study, run__in=_latest(study))
    rows = of_pool.values_list("run__scorer", "run__probe", "response__prompt_id", "response_id", "value")
    frame = pd.DataFrame.from_records(list(rows), columns=["scorer", "probe", "prompt", "of", "value"])
    return frame.astype({"value": float})


def choices(study: Study) -> pd.DataFrame:
    """Choices as preferences for the pair's first response, from -1 to 1."""
    shown = ItemResponse.objects.filter(item__study=study, item__kind="pair").order_by("item", "position")
    lengths: dict[int, list[int]] = defaultdict(list)
    firsts: dict[int, int] = {}
    for item, response, length in shown.annotate(n=Length("response__text")).values_list(
        "item_id", "response_id", "n"
    ):
        lengths[item].append(length)
        firsts.setdefault(item, response)
    verdicts = Verdict.objects.filter(run__study=study, run__in=_latest(study)).in_pool()
    rows = verdicts.annotate(prompt=F("item__prompt_id")).values_list(*CHOICES.values())
    frame = pd.DataFrame.from_records(list(rows), columns=list(CHOICES))
    is_first = frame["winner"] == frame["of"].map(firsts)
    side = np.where(frame["winner"].isna(), 0.0, np.where(is_first, 1.0, -1.0))
    strength = frame["strength"].astype(float).fillna(1.0).abs()
    frame["value"] = np.where(frame["error"] == "", side * strength, np.nan)
    for n, column in enumerate(("first_length", "second_length")):
        frame[column] = [float(lengths[item][n]) for item in frame["of"]]
    return frame.astype({"original_order": float, "reversed_order": float})


def _latest(study: Study) -> list[int]:
    """The latest run of each scorer and variant: another version is another judge."""
    runs = ScoreRun.objects.filter(study=study).order_by("updated_at").values_list("scorer", "probe", "pk")
    return list({(scorer, probe): pk for scorer, probe, pk in runs}.values())
