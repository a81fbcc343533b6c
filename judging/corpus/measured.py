"""A pool's measurements, read in place: its summary, and the unusualness of some of its responses."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from judging.corpus.pool import MEASURED, RESULTS, SUMMARY, Pool, PoolError

OF_ITS_OWN = ("embedder", "identity", "partitions", "embeddings_sha256", "computed_at")
"""A results file's metadata."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One embedder's measurements of a whole pool."""

    name: str
    identity: dict[str, Any]
    n_responses: int
    computed_at: str
    """ISO 8601, UTC: when its latest part was computed."""
    digest: str
    """Of the embeddings that it was measured on."""
    homogeneity: dict[str, Any] | None
    partitions: tuple[str, ...]
    """Those whose responses' unusualness is known; none if only homogeneity was measured."""


def measured(pool: Pool) -> list[Measured]:
    """Every column that was measured; raise PoolError where its parts do not belong together, or to the pool."""
    folder = pool.path(RESULTS)
    if not pool.fs.isdir(folder):
        raise PoolError([f"{pool.url}: expected a folder {RESULTS}, as `corpus` writes it, found none"])
    names = sorted(path.rstrip("/").rpartition("/")[2] for path in pool.fs.ls(folder, detail=False))
    columns = [one for name in names if (one := _column(pool, name))]
    if not columns:
        raise PoolError(
            [f"{pool.url}: nothing is measured yet; run `corpus unusualness` and `corpus homogeneity` first"]
        )
    n = _rows(pool)
    wrong = [
        f"{pool.url}, {one.name}: expected the {n:,} responses that are there, found {one.n_responses:,} "
        "measured; run `corpus embed`, `unusualness` and `homogeneity` again"
        for one in columns
        if one.n_responses != n
    ]
    if wrong:
        raise PoolError(wrong)
    return columns


def _column(pool: Pool, name: str) -> Measured | None:
    parts = [
        description
        for file in (SUMMARY, MEASURED)
        if (description := pool.read_json(pool.path(RESULTS, name, file))) is not None
    ]
    if not parts:
        return None
    if len({part["embeddings_sha256"] for part in parts}) > 1:
        raise PoolError(
            [
                f"{pool.url}, {name}: expected homogeneity and unusualness of the same embeddings, found them of "
                "different ones; run `corpus unusualness` and `corpus homogeneity` again"
            ]
        )
    homogeneity = next((part for part in parts if "within" in part), None)
    unusualness = next((part for part in parts if "within" not in part), None)
    return Measured(
        name=name,
        identity=parts[0]["identity"],
        n_responses=parts[0]["n_responses"],
        computed_at=max(part["computed_at"] for part in parts),
        digest=parts[0]["embeddings_sha256"],
        homogeneity=homogeneity and {k: v for k, v in homogeneity.items() if k not in OF_ITS_OWN},
        partitions=tuple(unusualness["partitions"]) if unusualness else (),
    )


def _rows(pool: Pool) -> int:
    """Responses by the partitions' footers: nothing else of them is read."""
    total = 0
    for name in pool.partitions():
        with pool.fs.open(pool.partition_path(name), "rb") as file:
            total += pq.read_metadata(file).num_rows
    return total


def unusualness_of(
    pool: Pool, column: Measured, responses: Collection[str]
) -> Iterator[tuple[str, bytes, float | None]]:
    """Id, hash of the text and unusualness of those of the responses that the pool has, a partition at a time."""
    keys = pa.array(responses, pa.string())
    value = f"unusualness_{column.name}"
    for name in column.partitions:
        path = pool.path(RESULTS, column.name, "unusualness", name)
        table = pool.read(path, ["response_id", "text_hash", value])
        part = table.filter(pc.is_in(table["response_id"], value_set=keys))
        yield from zip(*(part[c].to_pylist() for c in ("response_id", "text_hash", value)), strict=True)
