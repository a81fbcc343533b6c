"""The work on one partition. Every function here runs on a worker and never sees more than its partition."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from judging.corpus.pool import RESULTS, Pool, PoolError, text_hash
from judging.scorers import Embedder, load_entry
from judging.stats import unusualness

TEXTS = 8_192
"""Texts that an embedder gets at once: enough to sort by length, few enough to hold."""


@dataclass(frozen=True, slots=True)
class Task:
    """One step on one partition, small enough to send."""

    pool: Pool
    partition: str
    name: str
    """Of the embedder's column."""
    entry: str = ""
    """The embedder's entry of the registry, as JSON."""
    model: str = ""
    """Digest of the embedder's identity."""
    sources: tuple[str, ...] = ()
    """All sources of the pool, in order."""
    equal: int = 2
    """Responses at which a source's sets are compared."""

    @property
    def digest(self) -> str:
        """Of what a step over sources depends on beside its inputs."""
        return hashlib.sha256(repr((self.sources, self.equal)).encode()).hexdigest()[:16]

    def folder(self, step: str) -> str:
        return self.pool.path(RESULTS, self.name, step)

    def path(self, step: str) -> str:
        return f"{self.folder(step)}/{self.partition}"

    def manifest(self, step: str) -> str:
        return f"{self.path(step).removesuffix('.parquet')}.json"


@dataclass(frozen=True, slots=True)
class Done:
    partition: str
    responses: int
    computed: int
    """Responses that were computed now; the rest was there."""


@cache
def embedder(entry: str) -> Embedder:
    """Loaded once a worker."""
    scorer = load_entry(json.loads(entry))
    if not isinstance(scorer, Embedder):
        raise PoolError([f"{entry} is no embedder"])
    return scorer


def identity(entry: str) -> dict[str, Any]:
    return embedder(entry).identity


def code_of(*names: str) -> str:
    """Digest of the source files that a step's numbers follow from."""
    root = Path(__file__).parents[1]
    return hashlib.sha256(b"".join((root / name).read_bytes() for name in names)).hexdigest()[:16]


def run(
    task: Task, step: str, inputs: list[str], code: str, compute: Callable[[Task], tuple[pa.Table, int]]
) -> Done:
    """Compute a partition unless it is there already, from the same inputs, model and code."""
    manifest = {
        "step": step,
        "partition": task.partition,
        "inputs": {path.removeprefix(task.pool.path("")): task.pool.digest(path) for path in inputs},
        "model": task.model,
        "code": code,
    }
    before = task.pool.read_json(task.manifest(step))
    if before and task.pool.fs.exists(task.path(step)) and {k: before.get(k) for k in manifest} == manifest:
        return Done(task.partition, before["responses"], 0)
    table, computed = compute(task)
    # A table with one row a prompt says in `n` how many responses each stands for.
    responses = int(pc.sum(table["n"]).as_py() or 0) if "n" in table.column_names else table.num_rows
    task.pool.write_table(task.path(step), table)
    task.pool.write_json(task.manifest(step), manifest | {"responses": responses})
    return Done(task.partition, responses, computed)


# -- embed

EMBED_CODE = "1"
"""Raised by hand: the model's identity defines embeddings, and recomputing them is expensive."""


def embed(task: Task) -> Done:
    inputs = [task.pool.partition_path(task.partition)]
    return run(task, "embeddings", inputs, EMBED_CODE, _embedded)


def _embedded(task: Task) -> tuple[pa.Table, int]:
    """Vectors of a partition: those of texts embedded before by the same model are taken over."""
    rows = task.pool.read(task.pool.partition_path(task.partition), ["response_id", "prompt_id", "text"])
    rows = rows.sort_by([("prompt_id", "ascending"), ("response_id", "ascending")])
    texts = rows["text"].to_pylist()
    hashes = [text_hash(text) for text in texts]
    known = _known(task)
    new = {key: text for key, text in zip(hashes, texts, strict=True) if key not in known}
    known |= _embed_all(embedder(task.entry), new)
    vectors = np.stack([known[key][0] for key in hashes]) if hashes else np.empty((0, 1), np.float32)
    table = pa.table(
        {
            "response_id": rows["response_id"],
            "prompt_id": rows["prompt_id"],
            "text_hash": pa.array(hashes, pa.binary(16)),
            "truncated": pa.array([known[key][1] for key in hashes], pa.bool_()),
            "vector": _vectors_column(vectors),
        }
    )
    return table, sum(key in new for key in hashes)


def _known(task: Task) -> dict[bytes, tuple[npt.NDArray[np.float32], bool]]:
    """What was embedded before, by text: a partition that only grew keeps its vectors."""
    before = task.pool.read_json(task.manifest("embeddings"))
    if not before or before["model"] != task.model or not task.pool.fs.exists(task.path("embeddings")):
        return {}
    table = task.pool.read(task.path("embeddings"), ["text_hash", "truncated", "vector"])
    keys, cut = table["text_hash"].to_pylist(), table["truncated"].to_pylist()
    return dict(zip(keys, zip(vectors_of(table), cut, strict=True), strict=True))


def _embed_all(model: Embedder, texts: dict[bytes, str]) -> dict[bytes, tuple[npt.NDArray[np.float32], bool]]:
    vectors_of: dict[bytes, tuple[npt.NDArray[np.float32], bool]] = {}
    keys = sorted(texts, key=lambda key: len(texts[key]))
    for low in range(0, len(keys), TEXTS):
        chunk = keys[low : low + TEXTS]
        embedded = model.embed([texts[key] for key in chunk])
        if any(embedded.errors):
            why = next(error for error in embedded.errors if error)
            raise PoolError(
                [f"the embedder gave no vector for {texts[chunk[0]][:60]!r} or another text: {why}"]
            )
        vectors_of |= zip(chunk, zip(embedded.vectors, embedded.truncated.tolist(), strict=True), strict=True)
    return vectors_of


def _vectors_column(vectors: npt.NDArray[np.float32]) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])


def vectors_of(table: pa.Table) -> npt.NDArray[np.float32]:
    """The vectors of a table of embeddings, shape (n, d), without a copy where they lie in one piece."""
    column = table["vector"].combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0)
    return np.asarray(column.flatten()).reshape(len(column), column.type.list_size)


def check_embedded(task: Task) -> None:
    """Raise PoolError unless the partition's embeddings were made from the responses that are there now."""
    source = task.pool.partition_path(task.partition)
    manifest = task.pool.read_json(task.manifest("embeddings"))
    made_from = manifest and manifest["inputs"].get(source.removeprefix(task.pool.path("")))
    if not manifest or not task.pool.fs.exists(task.path("embeddings")) or manifest["model"] != task.model:
        raise PoolError([f"{task.partition}: expected embeddings, found none; run `corpus embed` first"])
    if made_from != task.pool.digest(source):
        raise PoolError([f"{task.partition}: has changed since it was embedded; run `corpus embed` again"])


# -- unusualness

UNUSUALNESS_CODE = code_of("corpus/steps.py", "stats/similarity/unusualness.py")


def unusual(task: Task) -> Done:
    check_embedded(task)
    return run(task, "unusualness", [task.path("embeddings")], UNUSUALNESS_CODE, _unusual)


def _unusual(task: Task) -> tuple[pa.Table, int]:
    """Unusualness of every response against its whole pool; prompts whose pool is as before are taken over."""
    table = task.pool.read(task.path("embeddings"))
    pools = pool_hashes(table)
    column = f"unusualness_{task.name}"
    before = _values_before(task, column)
    values, computed = [], 0
    for _prompt, low, high, key in pools.itertuples(index=False):
        part = before.get(key)
        if part is None:
            part = unusualness(vectors_of(table.slice(low, high - low)), np.zeros(high - low))
            computed += high - low
        values.append(part)
    keys = np.repeat(pools["key"].to_numpy(dtype=object), (pools["high"] - pools["low"]).to_numpy())
    measured = pa.table(
        {
            "response_id": table["response_id"],
            "prompt_id": table["prompt_id"],
            # By which whoever takes the number over sees that it is of the text they have.
            "text_hash": table["text_hash"],
            "pool_hash": pa.array(keys, pa.binary(16)),
            column: pa.array(np.concatenate(values) if values else np.empty(0), from_pandas=True),
        }
    )
    return measured, computed


def _values_before(task: Task, column: str) -> dict[bytes, npt.NDArray[np.float64]]:
    rows: dict[bytes, list[float]] = {}
    if task.pool.fs.exists(task.path("unusualness")) and _made_by(task, "unusualness", UNUSUALNESS_CODE):
        table = task.pool.read(task.path("unusualness"), ["pool_hash", column])
        for key, value in zip(table["pool_hash"].to_pylist(), table[column].to_pylist(), strict=True):
            rows.setdefault(key, []).append(np.nan if value is None else value)
    return {key: np.array(values) for key, values in rows.items()}


def _made_by(task: Task, step: str, code: str) -> bool:
    manifest = task.pool.read_json(task.manifest(step))
    return manifest is not None and (manifest["code"], manifest["model"]) == (code, task.model)


def kept_before(task: Task, step: str, code: str) -> dict[bytes, dict[str, Any]]:
    """The rows one a prompt that this code computed before, by the hash of their prompt's pool."""
    if not task.pool.fs.exists(task.path(step)) or not _made_by(task, step, code):
        return {}
    return {row["pool_hash"]: row for row in task.pool.read(task.path(step)).to_pylist()}


def pool_hashes(table: pa.Table, marks: Sequence[str] = ()) -> pd.DataFrame:
    """Each prompt's rows and a hash of what they are: prompt_id, low, high, key. Rows are sorted by prompt.

    `marks` is one more thing a row is, such as its source.
    """
    prompts = table["prompt_id"].to_pylist()
    ids, texts = table["response_id"].to_pylist(), table["text_hash"].to_pylist()
    starts = [i for i, p in enumerate(prompts) if i == 0 or prompts[i - 1] != p]
    rows = []
    for low, high in zip(starts, [*starts[1:], len(prompts)], strict=True):
        digest = hashlib.blake2b(digest_size=16)
        for key, text in zip(ids[low:high], texts[low:high], strict=True):
            digest.update(key.encode() + b"\0" + text)
        digest.update("\0".join(marks[low:high]).encode())
        rows.append((prompts[low], low, high, digest.digest()))
    return pd.DataFrame(rows, columns=["prompt_id", "low", "high", "key"])
