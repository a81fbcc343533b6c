"""Judges audited as judges: what repeats, other wordings, order and length do to each."""

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Length

from annotate.models import ItemResponse, Study
from judging.models import Score, ScoreRun, Verdict
from judging.stats import Estimate
from judging.stats.pairs.judges import (
    Position,
    Sensitivity,
    Steadiness,
    position_bias,
    prefers_longer,
    steadiness,
    template_sensitivity,
)


@dataclass(frozen=True, slots=True)
class Audited:
    """One judge. What it was not tried for is missing."""

    scorer: str
    pairwise: bool
    n: int
    failed: int
    steadiness: Steadiness | None = None
    wordings: list[tuple[str, Sensitivity]] = field(default_factory=list)
    position: Position | None = None
    longer: Estimate | None = None


def judges() -> list[str]:
    """Scorers that have a rubric and can be asked again."""
    dotted = "judging.scorers.endpoints.judge."
    entries = {n: e if isinstance(e, str) else e.get("class", "") for n, e in settings.SCORERS.items()}
    return sorted(name for name, entry in entries.items() if entry.startswith(dotted))


def audit_judges(study: Study) -> list[Audited]:
    """Every judge that was tried, and every scorer with choices between two."""
    numbers, chosen = _scores(study), choices(study)
    found = [
        _pointwise(name, rows) for name, rows in numbers.groupby("scorer") if (rows["probe"] != "").any()
    ]
    return found + [_pairwise(name, rows) for name, rows in chosen.groupby("scorer")]


def _pointwise(name: Any, rows: pd.DataFrame) -> Audited:
    base = rows[rows["probe"] == ""]
    return Audited(str(name), False, len(base), int(base["value"].isna().sum()), *_variants(rows))


def _pairwise(name: Any, rows: pd.DataFrame) -> Audited:
    base = rows[rows["probe"] == ""]
    steady, wordings = _variants(rows)
    both = base[["straight", "swapped"]].notna().all(axis=1).any()
    return Audited(
        str(name),
        True,
        len(base),
        int(base["value"].isna().sum()),
        steady,
        wordings,
        position_bias(base["straight"], base["swapped"], base["prompt"]) if both else None,
        prefers_longer(base["value"], base["first_length"], base["second_length"], base["prompt"]),
    )


def _variants(rows: pd.DataFrame) -> tuple[Steadiness | None, list[tuple[str, Sensitivity]]]:
    """By repeats and by other wordings, over what every one of them was asked about."""
    table = rows.pivot_table(index=["prompt", "of"], columns="probe", values="value", dropna=False)
    prompts = table.index.get_level_values("prompt").to_numpy()
    names = [str(name) for name in table.columns]
    again = [name for name in names if name == "" or name.startswith("repeat")]
    steady = steadiness(table[again].to_numpy(), prompts) if len(again) > 1 else None
    if "" not in names:
        return steady, []
    wordings = [name for name in names if name.startswith("wording")]
    return steady, [(n, template_sensitivity(table[""], table[n], prompts)) for n in wordings]


def _scores(study: Study) -> pd.DataFrame:
    rows = Score.objects.filter(run__study=study, run__in=_latest(study)).values_list(
        "run__scorer", "run__probe", "response__prompt_id", "response_id", "value"
    )
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
    columns = [
        "run__scorer",
        "run__probe",
        "prompt",
        "item_id",
        "winner_id",
        "value",
        "straight",
        "swapped",
        "error",
    ]
    verdicts = Verdict.objects.filter(run__study=study, run__in=_latest(study))
    rows = verdicts.annotate(prompt=F("item__prompt_id")).values_list(*columns)
    frame = pd.DataFrame.from_records(
        list(rows),
        columns=["scorer", "probe", "prompt", "of", "winner", "strength", "straight", "swapped", "error"],
    )
    side = np.where(
        frame["winner"].isna(), 0.0, np.where(frame["winner"] == frame["of"].map(firsts), 1.0, -1.0)
    )
    frame["value"] = np.where(
        frame["error"] == "", side * frame["strength"].astype(float).fillna(1.0).abs(), np.nan
    )
    for n, column in enumerate(("first_length", "second_length")):
        frame[column] = [float(lengths[item][n]) for item in frame["of"]]
    return frame.astype({"straight": float, "swapped": float})


def _latest(study: Study) -> list[int]:
    """The latest run of each scorer and variant: another version is another judge."""
    runs = ScoreRun.objects.filter(study=study).order_by("updated_at").values_list("scorer", "probe", "pk")
    return list({(scorer, probe): pk for scorer, probe, pk in runs}.values())


def as_json(study: Study, found: list[Audited]) -> dict[str, Any]:
    """What the page's JSON says: numbers at full precision, null with a reason."""
    rows = [
        asdict(one) | {"wordings": [{"wording": n} | asdict(s) for n, s in one.wordings]} for one in found
    ]
    return {"study": study.slug, "simulated": study.simulated, "judges": rows}
