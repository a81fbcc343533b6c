"""Recompute agreement and audit from an exported study folder, and compare them with exported tables."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from annotate.folder import FolderError
from annotate.folder.problems import Problem
from annotate.models import Study
from judging.folder.scores import load_folder
from judging.results import find
from judging.results.audit.options import DEFAULTS
from judging.results.audit.result import RESULT as AUDIT
from judging.results.result import Options
from judging.runs import work as scoring

# Numbers are the same to twelve digits: sums may be taken in another order on another machine.
DIGITS = 1e-12
SLUG = "offbeat-reproduction"


@dataclass(frozen=True)
class Reproduced:
    results: dict[str, dict[str, Any]]
    compared: int
    # Path, what the tables say, what was computed.
    different: list[tuple[str, Any, Any]]


def reproduce(folder: Path, tables: Path | None = None) -> Reproduced:
    """Load, embed, compute, and roll back."""
    with transaction.atomic():
        study = load_folder(folder, SLUG).study
        results = compute(study)
        transaction.set_rollback(True)
    compared, different = 0, list[tuple[str, Any, Any]]()
    if tables is not None:
        for name, result in results.items():
            before = _read(tables / f"{name}.json")
            pairs = list(_leaves(name, before, result))
            compared += len(pairs)
            different += [pair for pair in pairs if not _same(*pair[1:])]
    return Reproduced(results, compared, different)


def compute(study: Study) -> dict[str, dict[str, Any]]:
    """Not from the cache: what is kept there is known by a number that the study has for a moment only."""
    agreement = find("agreement")
    results = {"agreement": agreement.to_json(study, lambda: agreement.compute(study, Options()))}
    if study.score_runs.exists():
        scoring.score(study, "minilm")
        results["audit"] = AUDIT.to_json(study, lambda: AUDIT.compute(study, DEFAULTS))
    return results


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FolderError(
            [Problem(path.name, None, "", "tables as export_study --as tables writes them", str(error))]
        ) from error


def _leaves(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every number and text of both, by its path."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in before:
            if name != "study":
                yield from _leaves(f"{path}.{name}", before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _leaves(f"{path}.{place}", one, other)
    else:
        yield path, before, after


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, float) or isinstance(after, float):
        both = isinstance(before, int | float) and isinstance(after, int | float)
        return both and abs(before - after) <= DIGITS * max(1.0, abs(before))
    return bool(before == after)
