"""Add prompts, sources or samples to an existing pool: each partition changes completely or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from judging.corpus.pool import RESULTS, Pool, PoolError, partition_of, write_parts

SAME = ("prompt_id", "text", "source")
"""Columns in which a response sent again must equal the stored one."""


@dataclass(frozen=True, slots=True)
class Added:
    new: int
    there: int
    """Responses that the pool had already, with the same prompt, text and source."""
    partitions: int
    """Partitions that were rewritten."""


def add_to_pool(pool: Pool, rows: Iterable[Mapping[str, Any]]) -> Added:
    """Add responses; raise PoolError, and change nothing, if one is there with another prompt, text or source.

    Only the ids of what is added, and one partition, are in memory. A killed run is gone on with by the same call:
    what is in by then counts as there.
    """
    names, places = pool.partitions(), _places(pool)

    def place(prompt: str) -> str:
        return places.get(prompt) or names[partition_of(prompt, len(names))]

    scratch = pool.path(RESULTS, f".adding.{uuid.uuid4().hex}")
    try:
        write_parts(pool, scratch, rows, place)
        there = _there(pool, scratch, names)
        return _put_in(pool, scratch, there)
    finally:
        if pool.fs.exists(scratch):
            pool.fs.rm(scratch, recursive=True)


def _places(pool: Pool) -> dict[str, str]:
    """The partition of every prompt that the pool has."""
    return {
        prompt: name
        for name in pool.partitions()
        for prompt in pc.unique(pool.read(pool.partition_path(name), ["prompt_id"])["prompt_id"]).to_pylist()
    }


def _parts(pool: Pool, scratch: str) -> list[str]:
    if not pool.fs.exists(scratch):
        return []
    return sorted(path.rpartition("/")[2] for path in pool.fs.ls(scratch, detail=False))


def _there(pool: Pool, scratch: str, names: list[str]) -> set[str]:
    """The ids that the pool already has; contradictions are reported."""
    coming: dict[str, str] = {}
    problems = []
    for part in _parts(pool, scratch):
        for key in pool.read(f"{scratch}/{part}", ["response_id"])["response_id"].to_pylist():
            if key in coming:
                problems.append(f"response_id: expected each id once, found {key!r} again")
            coming[key] = part
    ids = pa.array(list(coming), pa.string())
    there = set[str]()
    for name in names:
        rows = pool.read(pool.partition_path(name), ["response_id", *SAME])
        for old in rows.filter(pc.is_in(rows["response_id"], value_set=ids)).to_pylist():
            new = _row(pool, f"{scratch}/{coming[old['response_id']]}", old["response_id"])
            there.add(old["response_id"])
            problems += [
                f"{name}, {column}: expected {old[column][:60]!r} as the pool has for {old['response_id']!r}, "
                f"found {new[column][:60]!r}"
                for column in SAME
                if old[column] != new[column]
            ]
    if problems:
        raise PoolError(problems)
    return there


def _row(pool: Pool, path: str, key: str) -> dict[str, str]:
    rows = pool.read(path, ["response_id", *SAME])
    row: dict[str, str] = rows.filter(pc.equal(rows["response_id"], key)).to_pylist()[0]
    return row


def _put_in(pool: Pool, scratch: str, there: set[str]) -> Added:
    known, new, written = pa.array(list(there), pa.string()), 0, 0
    for part in _parts(pool, scratch):
        rows = pool.read(f"{scratch}/{part}")
        rows = rows.filter(pc.invert(pc.is_in(rows["response_id"], value_set=known)))
        if rows.num_rows:
            whole = pa.concat_tables([pool.read(pool.partition_path(part)), rows], promote_options="default")
            pool.write_table(pool.partition_path(part), whole)
            new, written = new + rows.num_rows, written + 1
    return Added(new, len(there), written)
