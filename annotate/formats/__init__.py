"""Other people's files, read into the tables of a study folder: `with read(...) as reading`, then load its folder."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotate.folder.problems import FolderError, Problem
from annotate.folder.study_toml import StudySpec
from annotate.folder.tables import Row

from . import (
    alpaca,
    annotated_pairs,
    arena_hard,
    argilla,
    crowdkit,
    fastchat,
    infinity,
    labelstudio,
    mapped,
    multipref,
    rewardbench,
    sts,
    trl,
    ultrafeedback,
)
from .draft import Draft, Unknown
from .options import Existing, Options
from .registry import Format
from .source import Source, sources

__all__ = ["FORMATS", "Existing", "Format", "Options", "Reading", "Unknown", "read", "recognised"]

FORMATS: dict[str, Format] = {
    f.name: f
    for module in (
        infinity,
        alpaca,
        fastchat,
        arena_hard,
        rewardbench,
        trl,
        multipref,
        ultrafeedback,
        annotated_pairs,
        sts,
        crowdkit,
        labelstudio,
        argilla,
        mapped,
    )
    for f in module.FORMATS
}


# What a mapping may say that is about no column.
NO_COLUMNS = {"scale", "criterion", "max_rating"}


@dataclass(frozen=True)
class Reading:
    """What came out of the files: a study folder, and what there is to say about it."""

    folder: Path
    format: Format
    spec: StudySpec
    rows_read: int
    counts: dict[str, int]
    remarks: list[str]
    unknown: list[Unknown]
    samples: dict[str, list[Row]]
    _draft: Draft

    def origin(self, error: FolderError) -> FolderError:
        """What is wrong with the folder, told as wrong with the files it came from."""
        return FolderError([self._draft.origin(p) for p in error.problems], error.count)


@contextlib.contextmanager
def read(
    paths: Sequence[Path], format: str = "", options: Options | None = None, split: str = ""
) -> Iterator[Reading]:
    """Read files as `format`, or as what they look like. FolderError names all that is wrong with them."""
    options = options or Options()
    files = [source for path in paths for source in sources(path, split)]
    chosen = _chosen(files, format, options.mapping)
    with tempfile.TemporaryDirectory(prefix="offbeat-import-") as name, contextlib.ExitStack() as stack:
        draft = Draft(Path(name), options, stack)
        chosen.read(draft, files)
        draft.problems.raise_any()
        spec = draft.finish()
        counts = {table: there.count for table, there in draft.tables.items()}
        samples: dict[str, list[dict[str, Any]]] = {t: there.samples for t, there in draft.tables.items()}
        remarks = [str(remark) for remark in draft.remarks.values()]
        unknown = list(draft.unknown.values())
        yield Reading(Path(name), chosen, spec, draft.rows_read, counts, remarks, unknown, samples, draft)


def _chosen(files: Sequence[Source], name: str, mapping: Mapping[str, str]) -> Format:
    if name in FORMATS:
        return FORMATS[name]
    if name:
        raise FolderError([Problem(files[0].name, None, "format", f"one of {', '.join(FORMATS)}", name)])
    if mapping.keys() - NO_COLUMNS:
        return FORMATS["mapped"]
    fitting = recognised(files)
    if len(fitting) != 1:
        columns = ", ".join(files[0].head(1)[0] if files[0].head(1) else ())
        also = " or ".join(f.name for f in fitting)
        expected = (
            f"a format to be named: {also}"
            if also
            else "the columns of a known format, or a mapping of columns"
        )
        raise FolderError([Problem(files[0].name, None, "", expected, columns or "no rows")])
    return fitting[0]


def recognised(files: Sequence[Source]) -> list[Format]:
    """The formats that the first rows of the first file look most like."""
    columns = {name for row in files[0].head() for name in row}
    fits = {f.name: f.fits(columns) for f in FORMATS.values()}
    best = max(fits.values(), default=0)
    return [FORMATS[name] for name, n in fits.items() if n == best] if best else []
