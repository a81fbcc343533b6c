"""The pool on disk: a data set of Parquet files in which every prompt lies whole in one file, the partition."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, cast

import fsspec  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet as pq

RESPONSES = "responses"
RESULTS = "corpus"
SUMMARY, MEASURED = "summary.json", "unusualness.json"
"""What all partitions say together: homogeneity, and that unusualness is there for all of them."""
UNFINISHED = "_unfinished"
"""Lies in the folder of responses until all of them are written."""
BUFFER = 2_000
"""Rows of one partition that are held before they are written."""

SCHEMA = pa.schema(
    [
        pa.field("response_id", pa.string(), nullable=False),
        pa.field("prompt_id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("sample", pa.int64()),
        pa.field("params", pa.string()),
    ]
)
NEEDED = ("response_id", "prompt_id", "text", "source")


class PoolError(Exception):
    """What is wrong with a pool, told so that it can be put right: file, row, column, expected, found."""

    NAMED = 20

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        first = self.problems[: self.NAMED]
        if len(self.problems) > self.NAMED:
            first.append(f"and {len(self.problems) - self.NAMED:,} more")
        super().__init__("\n".join(first))


@dataclass(frozen=True, slots=True)
class Pool:
    """A folder, by any URL that fsspec knows (file, s3, gcs, hdfs); small enough to send to every worker."""

    url: str

    @property
    def fs(self) -> fsspec.AbstractFileSystem:
        # Other workers write there too: what a listing said a moment ago may not be so any more.
        return fsspec.core.url_to_fs(self.url, use_listings_cache=False)[0]

    def path(self, *parts: str) -> str:
        root = str(fsspec.core.url_to_fs(self.url)[1]).rstrip("/")
        return "/".join([root, *parts])

    def partitions(self) -> list[str]:
        """Names of the partitions, in order."""
        folder = self.path(RESPONSES)
        if not self.fs.isdir(folder):
            raise PoolError([f"{self.url}: expected a folder {RESPONSES} of Parquet files, found none"])
        names = sorted(name.rpartition("/")[2] for name in self.fs.ls(folder, detail=False))
        if UNFINISHED in names:
            raise PoolError(
                [
                    f"{self.url}/{RESPONSES}: expected a whole data set, found one that was not written to its end; "
                    "run `corpus partition` again"
                ]
            )
        partitions = [name for name in names if name.endswith(".parquet") and not name.startswith((".", "_"))]
        if not partitions:
            raise PoolError([f"{self.url}/{RESPONSES}: expected Parquet files, found none"])
        return partitions

    def partition_path(self, name: str) -> str:
        return self.path(RESPONSES, name)

    def read(self, path: str, columns: list[str] | None = None) -> pa.Table:
        with self.fs.open(path, "rb") as file:
            return pq.read_table(file, columns=columns)

    def read_json(self, path: str) -> dict[str, Any] | None:
        """The object in a file; None where there is none, or only half of one."""
        try:
            with self.fs.open(path, "rb") as file:
                return cast(dict[str, Any], json.loads(file.read()))
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def write_table(self, path: str, table: pa.Table) -> None:
        with _whole(self, path) as file:
            pq.write_table(table, file, compression="zstd")

    def write_json(self, path: str, value: Mapping[str, Any]) -> None:
        with _whole(self, path) as file:
            file.write(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode())

    def digest(self, path: str) -> str:
        """SHA-256 of a file's bytes."""
        with self.fs.open(path, "rb") as file:
            digest = hashlib.sha256()
            while block := file.read(1 << 22):
                digest.update(block)
        return digest.hexdigest()


class _whole:
    """A file that appears whole or not at all: written next to its place, then moved there."""

    def __init__(self, pool: Pool, path: str) -> None:
        self.fs, self.path = pool.fs, path
        folder, _, name = path.rpartition("/")
        # A name of its own: two workers may write the same partition when one was thought lost.
        self.beside = f"{folder}/.{name}.{uuid.uuid4().hex}"
        self.fs.makedirs(folder, exist_ok=True)

    def __enter__(self) -> IO[bytes]:
        self.file = cast(IO[bytes], self.fs.open(self.beside, "wb"))
        return self.file

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self.file.close()
        if kind is None:
            self.fs.mv(self.beside, self.path)
        else:
            self.fs.rm(self.beside)


def text_hash(text: str) -> bytes:
    """A text's hash, 16 bytes."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def partition_of(prompt_id: str, partitions: int) -> int:
    """The partition of a prompt: the same on every machine and in every release."""
    return int.from_bytes(hashlib.blake2b(prompt_id.encode(), digest_size=8).digest()) % partitions


def write_pool(pool: Pool, rows: Iterable[Mapping[str, Any]], partitions: int) -> int:
    """Write responses as a new partitioned data set and return their number; memory does not grow with it.

    Object stores move no folders, so a mark in it says that the folder is not whole yet.
    """
    fs, folder = pool.fs, pool.path(RESPONSES)
    if fs.exists(folder):
        if not fs.exists(pool.path(RESPONSES, UNFINISHED)):
            raise PoolError([f"{pool.url}/{RESPONSES}: expected nothing there yet, found a data set"])
        fs.rm(folder, recursive=True)
    fs.makedirs(folder)
    fs.pipe_file(pool.path(RESPONSES, UNFINISHED), b"corpus partition")
    try:
        written = write_parts(
            pool, folder, rows, lambda prompt: f"part-{partition_of(prompt, partitions):05d}.parquet"
        )
    except BaseException:
        fs.rm(folder, recursive=True)
        raise
    fs.rm(pool.path(RESPONSES, UNFINISHED))
    return written


def write_parts(
    pool: Pool, folder: str, rows: Iterable[Mapping[str, Any]], place: Callable[[str], str]
) -> int:
    """Write each row to the file that its prompt has in the folder, and return their number."""
    buffers: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    written = 0
    with ExitStack() as stack:
        writers = _Made(partial(_writer, pool, folder, stack))
        for row in rows:
            at = place(row["prompt_id"])
            buffers[at].append(row)
            written += 1
            if len(buffers[at]) == BUFFER:
                writers[at].write_table(_table(buffers.pop(at)))
        for at, waiting in buffers.items():
            writers[at].write_table(_table(waiting))
    return written


class _Made(dict[str, pq.ParquetWriter]):
    """Writers, each made when it is asked for first."""

    def __init__(self, make: Callable[[str], pq.ParquetWriter]) -> None:
        self.make = make

    def __missing__(self, at: str) -> pq.ParquetWriter:
        self[at] = self.make(at)
        return self[at]


def _writer(pool: Pool, folder: str, stack: ExitStack, name: str) -> pq.ParquetWriter:
    pool.fs.makedirs(folder, exist_ok=True)
    file = stack.enter_context(pool.fs.open(f"{folder}/{name}", "wb"))
    return stack.enter_context(pq.ParquetWriter(file, SCHEMA, compression="zstd"))


def _table(rows: list[Mapping[str, Any]]) -> pa.Table:
    return pa.table({name: [row.get(name) for row in rows] for name in SCHEMA.names}, schema=SCHEMA)
