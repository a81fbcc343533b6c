"""Recompute results from an exported study folder, and compare them with exported tables."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from annotate.folder import FolderError
from annotate.folder.people import People, known_as
from annotate.folder.problems import Problem
from annotate.models import Study
from judging.folder.scores import load_folder
from judging.results import COMPUTED, find
from judging.results.result import Result
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
    """Load, embed, compute, and leave the database as it was: of the tables' results those that they hold, else all."""
    before = {} if tables is None else _held(tables)
    with transaction.atomic():
        # The tables call people as the folder does.
        with known_as(People(unchanged=True)):
            study = load_folder(folder, SLUG).study
        results = compute(study, list(before) or COMPUTED)
        transaction.set_rollback(True)
    compared, different = 0, list[tuple[str, Any, Any]]()
    for name, record in before.items():
        pairs = list(_leaves(name, record, _called(results[name], str(record.get("study", SLUG)))))
        compared += len(pairs)
        different += [pair for pair in pairs if not _same(*pair[1:])]
    return Reproduced(results, compared, different)


def compute(study: Study, names: Sequence[str] = COMPUTED) -> dict[str, dict[str, Any]]:
    """Not from the cache: what it holds is known by a number that the study has for a moment only."""
    if study.score_runs.exists():
        scoring.score(study, "minilm")
    return {name: _computed(study, find(name)) for name in names}


def _computed(study: Study, result: Result[Any, Any]) -> dict[str, Any]:
    return result.to_json(study, lambda: result.compute(study, result.options()))


def _called(record: dict[str, Any], slug: str) -> dict[str, Any]:
    """Under the study's own name: reasons give commands that hold it."""
    renamed: dict[str, Any] = json.loads(json.dumps(record).replace(SLUG, slug))
    return renamed


def _held(tables: Path) -> dict[str, Any]:
    """The results whose JSON the tables hold."""
    paths = [tables / f"{name}.json" for name in COMPUTED]
    records = {path.stem: _read(path) for path in paths if path.is_file()}
    if not records:
        expected = f"one of {', '.join(path.name for path in paths)}"
        raise FolderError([Problem(str(tables), None, "", expected, "none of them")])
    return records


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError) as error:
        raise FolderError(
            [Problem(path.name, None, "", "tables as export_study --as tables writes them", str(error))]
        ) from error


def _leaves(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every number and word of the tables, by its place, with what is computed now, which may say more."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in before:
            yield from _leaves(f"{path}.{name}", before[name], after.get(name))
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
