"""Checks of a pool before any work starts: whole files, unique ids, prompts in one partition."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from judging.corpus.pool import NEEDED, Pool

NAMED = 20
"""Problems that one partition names; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of checking one partition; the hashes of its ids are on disk, in buckets."""

    partition: str
    problems: list[str]
    n_problems: int
    prompts: list[str]
    responses: int
    sources: tuple[str, ...] = ()
    cells: tuple[tuple[int, int], ...] = ()
    """Numbers of responses of one source to one prompt, each with how often it occurs."""
    blank: int = 0
    """Texts in which nobody sees anything: they are texts, as everywhere, and are counted."""
    first_blank: str = ""


def check_partition(
    pool: Pool, name: str, buckets: int, scratch: str, blank: re.Pattern[str] | None = None
) -> Checked:
    """Check one partition, and store the hashes of its ids for `repeated_ids`; count what `blank` matches."""
    try:
        table = pool.read(pool.partition_path(name), list(NEEDED))
    except (pa.ArrowException, OSError, ValueError) as error:
        return Checked(name, [_unreadable(pool, name, error)], 1, [], 0)
    rows = _Rows(name)
    for column in NEEDED:
        values = table[column]
        if not pa.types.is_string(values.type) and not pa.types.is_large_string(values.type):
            rows.say(None, column, "text", str(values.type))
        else:
            rows.say_all(pc.is_null(values), column, "a text" if column == "text" else "an id", "nothing")
            # An empty text is a text, as everywhere: the database's pool embeds it too.
            if column in ("response_id", "prompt_id"):
                rows.say_all(pc.equal(pc.utf8_length(values), 0), column, "something", "an empty text")
    ids = table["response_id"].to_pandas()
    rows.say_all(ids.duplicated().to_numpy(), "response_id", "each id once", "one a second time")
    _put_hashes(pool, f"{scratch}/{name}", ids, buckets)
    checked = Checked(name, rows.first, rows.count, pc.unique(table["prompt_id"]).to_pylist(), table.num_rows)
    if rows.count:
        return checked
    return replace(_with_blanks(checked, table, blank), sources=_sources(table), cells=_cells(table))


def _with_blanks(checked: Checked, table: pa.Table, blank: re.Pattern[str] | None) -> Checked:
    if blank is None:
        return checked
    places = [row for row, text in enumerate(table["text"].to_pylist(), 1) if blank.fullmatch(text)]
    first = f"{checked.partition}, row {places[0]}" if places else ""
    return replace(checked, blank=len(places), first_blank=first)


def _sources(table: pa.Table) -> tuple[str, ...]:
    return tuple(sorted(pc.unique(table["source"]).to_pylist()))


def _cells(table: pa.Table) -> tuple[tuple[int, int], ...]:
    sizes = table.group_by(["prompt_id", "source"]).aggregate([([], "count_all")])["count_all"]
    return tuple(sorted(Counter(sizes.to_pylist()).items()))


class _Rows:
    """Collects what is wrong with the rows of one file."""

    def __init__(self, file: str) -> None:
        self.file, self.first, self.count = file, list[str](), 0

    def say(self, row: int | None, column: str, expected: str, found: str) -> None:
        self.count += 1
        if len(self.first) < NAMED:
            place = [self.file, f"row {row}" if row else "", column]
            self.first.append(f"{', '.join(p for p in place if p)}: expected {expected}, found {found}")

    def say_all(
        self, wrong: pa.ChunkedArray | npt.NDArray[np.bool_], column: str, expected: str, found: str
    ) -> None:
        places = np.flatnonzero(np.asarray(wrong).astype(bool))
        for row in places[:NAMED]:
            self.say(int(row) + 1, column, expected, found)
        self.count += max(0, len(places) - NAMED)


def _unreadable(pool: Pool, name: str, error: Exception) -> str:
    """A file that is cut short or no Parquet has no rows to name; one that lacks a column says which."""
    try:
        with pool.fs.open(pool.partition_path(name), "rb") as file:
            have = pq.read_schema(file).names
    except (pa.ArrowException, OSError, ValueError):
        return f"{name}: expected a whole Parquet file, found {str(error).partition(chr(10))[0]}"
    missing = [column for column in NEEDED if column not in have]
    if missing:
        return f"{name}, {missing[0]}: expected the columns {', '.join(NEEDED)}, found {', '.join(have)}"
    return f"{name}: expected readable rows, found {str(error).partition(chr(10))[0]}"


def _put_hashes(pool: Pool, path: str, ids: pd.Series, buckets: int) -> None:
    hashes = pd.util.hash_array(ids.fillna("").to_numpy(dtype=object)).astype(np.uint64)
    bucket = (hashes % np.uint64(buckets)).astype(np.int64)
    order = np.argsort(bucket, kind="stable")
    table = pa.table({"hash": hashes[order], "row": order})
    ends = np.searchsorted(bucket[order], np.arange(buckets), side="right")
    for at, part in enumerate(np.split(np.arange(len(order)), ends[:-1])):
        pool.write_table(f"{path}/{at}.parquet", table.take(pa.array(part)))


def repeated_ids(pool: Pool, names: list[str], bucket: int, scratch: str) -> list[str]:
    """Ids of one bucket that stand in two partitions, named by their later place."""
    tables = [pool.read(f"{scratch}/{name}/{bucket}.parquet").to_pandas() for name in names]
    frame = pd.concat(tables, keys=range(len(names)), names=["part", None]).reset_index("part")
    again = frame[frame["hash"].duplicated(keep=False)]
    return [problem for _, rows in again.groupby("hash") for problem in _same(pool, names, rows)][:NAMED]


def _same(pool: Pool, names: list[str], rows: pd.DataFrame) -> Iterable[str]:
    """Equal hashes are looked up: two different ids may share one."""
    first: dict[str, str] = {}
    for part, row in rows.sort_values(["part", "row"])[["part", "row"]].itertuples(index=False):
        name = names[int(part)]
        key = pool.read(pool.partition_path(name), ["response_id"])["response_id"][int(row)].as_py()
        place = f"{name}, row {int(row) + 1}"
        if key in first and not first[key].startswith(f"{name},"):
            yield f"{place}, response_id: expected each id once, found {key!r}, as in {first[key]}"
        first.setdefault(key, place)


def split_prompts(pool: Pool, checked: Iterable[Checked]) -> list[str]:
    """Prompts that lie in more than one partition, named by the first row of their later place."""
    places: dict[str, list[str]] = defaultdict(list)
    for one in checked:
        for prompt in one.prompts:
            places[prompt].append(one.partition)
    problems = []
    for prompt, names in places.items():
        for later in names[1:]:
            column = pool.read(pool.partition_path(later), ["prompt_id"])["prompt_id"]
            row = pc.index(column, prompt).as_py() + 1
            problems.append(
                f"{later}, row {row}, prompt_id: expected a prompt whole in one partition, "
                f"found {prompt!r} in {names[0]} too"
            )
    return problems
