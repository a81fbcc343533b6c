"""Rows that are wrong and left out, where whoever imports wants that: each with its reason, in a list that is kept."""

import csv
import io
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from django.utils import timezone

from annotate.cells import in_one_row
from annotate.folder import FolderError
from annotate.folder.problems import Problem
from annotate.formats import Options
from annotate.models import Study
from judging.exports import export_jobs

MARK = "left-out"

T = TypeVar("T")
LeftOut = tuple[Problem, ...]


def without_bad_rows(options: Options, attempt: Callable[[Options, LeftOut], T]) -> T:
    """What `attempt` gives; where bad rows are to be left out, without them, until nothing is wrong with the rest."""
    left_out: dict[tuple[str, int], Problem] = {}
    while True:
        options.codes.clear()
        try:
            chosen = replace(options, skipped=frozenset(left_out))
            return attempt(chosen, tuple(left_out[place] for place in sorted(left_out)))
        except FolderError as error:
            rows = [(p.file, p.line, p) for p in error.every if p.line is not None]
            if not options.skip_bad_rows or all((file, line) in left_out for file, line, _ in rows):
                raise
            for file, line, problem in rows:
                left_out.setdefault((file, line), problem)


def table(rows: Iterable[Problem]) -> str:
    """The rows that were left out, with the reason of each, as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["file", "line", "field", "expected", "found"])
    cells = ((p.file, p.line, p.column, p.expected, p.found) for p in rows)
    writer.writerows([in_one_row(cell) for cell in row] for row in cells)
    return out.getvalue()


def keep(study: Study, rows: Sequence[Problem]) -> None:
    """Keep the list beside the study's exports, to be downloaded as long as the study is there."""
    if not rows:
        return
    folder = export_jobs.folder(study)
    folder.mkdir(parents=True, exist_ok=True)
    moment = timezone.now().strftime("%Y%m%d-%H%M%S")
    path = folder / f"{study.slug}-{MARK}-{moment}-{secrets.token_hex(2)}.csv"
    path.write_text(table(rows), encoding="utf-8", newline="")


def kept(study: Study) -> list[str]:
    """Names of the study's lists, the latest first."""
    return sorted(
        (path.stem for path in export_jobs.folder(study).glob(f"{study.slug}-{MARK}-*.csv")), reverse=True
    )


def find(study: Study, name: str) -> Path | None:
    return export_jobs.folder(study) / f"{name}.csv" if name in kept(study) else None
