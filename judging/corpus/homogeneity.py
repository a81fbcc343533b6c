"""Homogeneity of a partition's prompts: judging.stats prompt by prompt, one row each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from judging.corpus.pool import Pool
from judging.corpus.steps import (
    Done,
    Task,
    check_embedded,
    code_of,
    kept_before,
    pool_hashes,
    run,
    vectors_of,
)
from judging.stats import PromptSimilarity, prompt_similarity, source_codes
from judging.stats.core.over_prompts import chance_of
from judging.stats.similarity.diversity import vendi_by_source
from judging.stats.similarity.homogeneity import THRESHOLDS

CODE = code_of(
    "corpus/homogeneity.py",
    *(f"stats/similarity/{n}.py" for n in ("homogeneity", "diversity", "unusualness")),
)
ARRAYS = (
    ("counts", np.int64),
    ("total", np.float64),
    ("pairs", np.int64),
    ("above", np.int64),
    ("within", np.int64),
    ("between", np.int64),
    ("distinct", np.float64),
    ("distinct_expected", np.float64),
    ("same", np.float64),
    ("same_expected", np.float64),
    ("vector_sum", np.float64),
)
"""What is kept of a `PromptSimilarity`: everything but its sample of vectors."""


def measure(task: Task) -> Done:
    check_embedded(task)
    inputs = [task.path("embeddings"), task.pool.partition_path(task.partition)]
    return run(task, "homogeneity", inputs, f"{CODE}:{task.digest}", _measured)


def _measured(task: Task) -> tuple[pa.Table, int]:
    table = task.pool.read(task.path("embeddings"))
    sources = _sources(task)
    pools = pool_hashes(table, sources)
    before = kept_before(task, "homogeneity", f"{CODE}:{task.digest}")
    rows, computed = list[dict[str, Any]](), 0
    for prompt, low, high, key in pools.itertuples(index=False):
        row = before.get(key)
        if row is None:
            part = table.slice(low, high - low)
            row = _row(task, prompt, vectors_of(part), sources[low:high])
            row |= {
                "prompt_id": prompt,
                "pool_hash": key,
                "truncated": int(np.sum(part["truncated"].to_numpy())),
            }
            computed += high - low
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=_schema()), computed


def _sources(task: Task) -> list[str]:
    """Sources in the order of the embeddings' rows."""
    columns = ["response_id", "prompt_id", "source"]
    rows = task.pool.read(task.pool.partition_path(task.partition), columns)
    order = [("prompt_id", "ascending"), ("response_id", "ascending")]
    return [str(s) for s in rows.sort_by(order)["source"].to_pylist()]


def _row(task: Task, prompt: str, vectors: npt.NDArray[np.float32], sources: Sequence[str]) -> dict[str, Any]:
    codes, n = source_codes(sources, task.sources), len(task.sources)
    similarity = prompt_similarity(vectors, codes, n)
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    row: dict[str, Any] = {name: np.asarray(getattr(similarity, name)).ravel() for name, _ in ARRAYS}
    vendi = vendi_by_source(unit, codes, n, task.equal, rng=chance_of(prompt))
    return row | {"n": len(codes), "vendi": vendi}


def _schema() -> pa.Schema:
    lists = [(name, pa.list_(pa.from_numpy_dtype(kind))) for name, kind in ARRAYS]
    return pa.schema(
        [
            ("prompt_id", pa.string()),
            ("pool_hash", pa.binary(16)),
            ("n", pa.int64()),
            ("truncated", pa.int64()),
            *lists,
            ("vendi", pa.list_(pa.float64())),
        ]
    )


def prompts(
    pool: Pool, paths: Sequence[str], n_sources: int
) -> Iterator[tuple[dict[str, Any], PromptSimilarity]]:
    """Every prompt's row and what it says, one partition in memory at a time."""
    for path in paths:
        for row in pool.read(path).to_pylist():
            yield row, _similarity(row, n_sources)


def _similarity(row: dict[str, Any], n: int) -> PromptSimilarity:
    shapes = {"total": (n, n), "pairs": (n, n), "above": (len(THRESHOLDS), n, n)}
    arrays: dict[str, Any] = {
        name: np.array(row[name], dtype=kind).reshape(shapes.get(name, (-1,))) for name, kind in ARRAYS
    }
    return PromptSimilarity(thresholds=THRESHOLDS, sample=np.empty((0, 0), np.float32), **arrays)
