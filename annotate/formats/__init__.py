"""Other people's files, read as neutral records: a study folder (`read`), or what machines said (`read_scores`)."""

import contextlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from annotate.folder.problems import FolderError, Problem
from annotate.folder.study_toml import StudySpec
from annotate.folder.tables import Row

from .columns import Unused
from .draft import Draft
from .machine_scores import MachineScores, Score, Verdict
from .numbers import is_plain
from .options import Existing, Options
from .records import Records
from .registry import Format, discover
from .source import Source, sources

__all__ = [
    "FORMATS",
    "Existing",
    "Format",
    "Options",
    "Reading",
    "Unused",
    "of_name",
    "read",
    "read_scores",
    "recognised",
]

FORMATS = discover()


# What a mapping may say that is about no column, and what makes of any table a study.
NO_COLUMNS = {"scale", "criterion", "max_rating"}
TEXTS = {"prompt", "response", "response_a", "response_b", "response_id"}


@dataclass(frozen=True)
class Reading:
    """What came out of the files: a study folder, and what there is to say about it."""

    folder: Path
    format: Format
    spec: StudySpec
    rows_read: int
    counts: dict[str, int]
    # What was decided, and what is left out.
    remarks: list[str]
    unused: list[Unused]
    samples: dict[str, list[Row]]
    _draft: Draft

    def origin(self, error: FolderError) -> FolderError:
        """What is wrong with the folder, told as wrong with the files it came from."""
        return FolderError([self._draft.origin(p) for p in error.every], error.count)


@contextlib.contextmanager
def read(
    paths: Sequence[Path], format: str = "", options: Options | None = None, split: str = ""
) -> Iterator[Reading]:
    """Read files as `format`, or as what they look like. FolderError names all that is wrong with them."""
    options = options or Options()
    files = _files(paths, split, options)
    chosen = _chosen(files, format, options.mapping)
    named = _name_columns(chosen, files)
    with tempfile.TemporaryDirectory(prefix="offbeat-import-") as name, contextlib.ExitStack() as stack:
        draft = Draft(Path(name), options, stack)
        if not format and chosen.marks and not named:
            draft.remark(why(chosen, files), placed=False)
        chosen.read(draft, files)
        _check_read(draft, files)
        spec = draft.finish()
        counts = {table: there.count for table, there in draft.tables.items()}
        samples: dict[str, list[dict[str, Any]]] = {t: there.samples for t, there in draft.tables.items()}
        unused = list(draft.unused.values())
        yield Reading(
            Path(name), chosen, spec, draft.rows_read, counts, _remarks(draft), unused, samples, draft
        )


def read_scores(
    paths: Sequence[Path], format: str, options: Options, take: Callable[[Score | Verdict], None]
) -> list[str]:
    """Hand on what machines said in the files, and return what was decided. FolderError names all that is wrong."""
    files = _files(paths, "", options)
    chosen = _chosen(files, format, options.mapping)
    _name_columns(chosen, files)
    scores = MachineScores(replace(options, voters="machines"), take)
    chosen.read(scores, files)
    _check_read(scores, files)
    return _remarks(scores)


def _header(format: Format, source: Source) -> tuple[str, ...]:
    """The columns that a file of the format has without naming them."""
    return format.headerless(source) if format.headerless and not source.header else ()


def _name_columns(format: Format, files: Sequence[Source]) -> bool:
    """Whether there was a file without a header whose columns its content gave away; that is said."""
    named = False
    for source in files:
        if header := _header(format, source):
            source.header, named = header, True
            source.remark(
                f"no header: by what stands in its first lines, its columns were taken for {', '.join(header)} "
                "(--header NAME,NAME says otherwise)"
            )
    return named


def _files(paths: Sequence[Path], split: str, options: Options) -> list[Source]:
    """The files, each with a name of its own: problems name them by it, and rows are left out by it."""
    files = [source for path in paths for source in sources(path, split, options)]
    names = Counter(source.name for source in files)
    for source in files:
        source.name = str(source.path) if names[source.name] > 1 else source.name
    return files


def _check_read(records: Records, files: Sequence[Source]) -> None:
    records.problems.raise_any()
    if not records.rows_read and not records.options.skipped:
        raise files[0].unreadable(None, "rows", "none")


def _remarks(records: Records) -> list[str]:
    """What the reader decided, and what it had no use for."""
    remarks = list(map(str, records.remarks.values()))
    if unused := ", ".join(f"{field.name!r} ({field.count:,})" for field in records.unused.values()):
        remarks.append(f"Fields that have no place in a study were left out: {unused}.")
    return remarks


def of_name(name: str) -> Format | None:
    """A format by its name, or by one it had before."""
    return next((f for f in FORMATS.values() if name in (f.name, *f.aliases)), None)


def _chosen(files: Sequence[Source], name: str, mapping: Mapping[str, str]) -> Format:
    if name:
        if (named := of_name(name)) is None:
            raise FolderError([Problem(files[0].name, None, "format", f"one of {', '.join(FORMATS)}", name)])
        return named
    if mapping.keys() & TEXTS:
        return FORMATS["mapped"]
    if (without := next((f for f in FORMATS.values() if _header(f, files[0])), None)) is not None:
        return without
    fitting = recognised(files)
    if len(fitting) == 1:
        return fitting[0]
    if mapping.keys() - NO_COLUMNS:
        return FORMATS["mapped"]
    columns = list(files[0].head(1)[0]) if files[0].head(1) else []
    if not columns and (problem := next((p for _, p in files[0].rows() if isinstance(p, Problem)), None)):
        raise FolderError([problem])
    if fitting:
        why = " or ".join(f"--as {f.name} (by {', '.join(sorted(f.mark(columns)))})" for f in fitting)
        raise FolderError(
            [Problem(files[0].name, None, "format", f"one of two that fit: {why}", "neither named")]
        )
    expected = "the columns of a known format, or a mapping of columns (--as mapped --map …)"
    if any(is_plain(name) for name in columns):
        expected += "; a file without a header needs --header NAME,NAME,…"
    raise FolderError([Problem(files[0].name, None, "", expected, ", ".join(columns) or "no rows")])


def why(chosen: Format, files: Sequence[Source]) -> str:
    """What made a file be taken for a format, where nobody named it."""
    mark = chosen.mark({name for row in files[0].head() for name in row})
    return f"Taken for {chosen.name}, since it has the columns {', '.join(sorted(mark))}."


def recognised(files: Sequence[Source]) -> list[Format]:
    """The formats that the first rows of the first file look most like, and those of which they say as much else."""
    head = files[0].head()
    columns = {name for row in head for name in row}
    fitting = [f for f in FORMATS.values() if f.fits is None or all(map(f.fits, head))]
    fits = {f.name: len(f.mark(columns)) for f in fitting}
    best = [FORMATS[name] for name, n in fits.items() if n == max(fits.values()) > 0]
    if len(best) != 1:
        return best
    # A format whose columns are all known to the best one is a part of it; any other is a second that fits.
    its = frozenset[str]().union(*best[0].marks)
    return best + [f for f in fitting if f is not best[0] and not f.mark(columns) <= its]
