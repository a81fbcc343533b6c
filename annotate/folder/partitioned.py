"""A pool that stays on disk: `responses` as a folder of Parquet files, of which a study holds what its items show."""

from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .problems import Problem, Problems
from .rows import AnswerRow, ItemRow, ResponseRow, columns, read
from .tables import Lines, Row, Table

FOLDER = "responses"


@dataclass(frozen=True)
class PartitionedTable(Table):
    """The wanted rows of all partitions. Rows are numbered across partitions, in the order of their names."""

    wanted: frozenset[str]

    @property
    def file(self) -> str:
        return f"{FOLDER}/*.parquet"

    @cached_property
    def form(self) -> str:
        return "parquet"

    def rows(self) -> Lines:
        import pyarrow as pa

        before, wanted = 0, pa.array(sorted(self.wanted), pa.string())
        for path in _partitions(self.path):
            try:
                before += yield from _wanted_rows(path, wanted, before)
            except (pa.ArrowException, OSError, ValueError) as error:
                found = str(error).partition("\n")[0]
                whole = Table(path).unreadable(None, "a whole parquet file with responses", found)
                raise whole from error


def find_partitioned(folder: Path, tables: dict[str, Table]) -> None:
    """Add the responses of a pool on disk where the folder has no table of its own."""
    path = folder / FOLDER
    if "responses" not in tables and path.is_dir() and _partitions(path):
        tables["responses"] = PartitionedTable(path, frozenset(_shown(tables)))


def _partitions(path: Path) -> list[Path]:
    return sorted(p for p in path.glob("*.parquet") if not p.name.startswith((".", "_")))


def _shown(tables: dict[str, Table]) -> set[str]:
    """Problems of these tables are reported when they are checked."""
    if "items" in tables:
        return {key for _, row in read(tables["items"], ItemRow, Problems()) for key in row.response_ids}
    if "answers" in tables:
        return {row.item_id for _, row in read(tables["answers"], AnswerRow, Problems())}
    return set()


def _wanted_rows(path: Path, keys: Any, before: int) -> Generator[tuple[int, Row | Problem], None, int]:
    """Lines and rows; returns how many rows the file has."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path, pre_buffer=False)
    # What else a pool says of its responses is for others to read.
    names = [name for name in columns(ResponseRow) if name in file.schema_arrow.names]
    at = 0
    for group in range(file.num_row_groups):
        ids = file.read_row_group(group, ["response_id"])["response_id"]
        chosen = pc.indices_nonzero(pc.is_in(ids, value_set=keys))
        if len(chosen):
            rows = file.read_row_group(group, names).take(chosen).to_pylist()
            for place, row in zip(chosen.to_pylist(), rows, strict=True):
                yield before + at + place + 1, row
        at += len(ids)
    return at
