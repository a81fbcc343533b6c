"""A run over the whole pool: checks the input, then hands out the partitions, then sums up."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from judging.corpus import homogeneity as measure
from judging.corpus import steps
from judging.corpus.check import Checked, check_partition, repeated_ids, split_prompts
from judging.corpus.cluster import Cluster
from judging.corpus.pool import MEASURED, RESULTS, SUMMARY, Pool, PoolError
from judging.corpus.progress import Progress
from judging.corpus.steps import Done, Task
from judging.corpus.summary import summary

BUCKETS = 16
"""Parts in which ids are compared: each part of all ids must fit into one worker's memory."""


@dataclass(frozen=True, slots=True)
class Column:
    """An embedder's column: which embedder, and under which name its results lie."""

    entry: str
    """The embedder's entry of the registry, as JSON."""
    name: str


@dataclass(frozen=True, slots=True)
class Ran:
    partitions: int
    responses: int
    computed: int
    seconds: float


def check(pool: Pool, cluster: Cluster, blank: re.Pattern[str] | None = None) -> list[Checked]:
    """Check the whole input; raise PoolError with file and row for every problem.

    `blank` says in which texts nobody sees anything: these are counted.
    """
    names = pool.partitions()
    scratch = pool.path(RESULTS, f".check.{uuid.uuid4().hex}")
    try:
        look = partial(check_partition, pool, buckets=BUCKETS, scratch=scratch, blank=blank)
        checked = cluster.every(look, names)
        problems = [problem for one in checked for problem in one.problems]
        if not problems:
            compare = partial(_repeated, pool, names, scratch)
            problems = [p for repeated in cluster.every(compare, range(BUCKETS)) for p in repeated]
        problems += split_prompts(pool, checked)
    finally:
        if pool.fs.exists(scratch):
            pool.fs.rm(scratch, recursive=True)
    if problems:
        raise PoolError(problems)
    return checked


def _repeated(pool: Pool, names: list[str], scratch: str, bucket: int) -> list[str]:
    return repeated_ids(pool, names, bucket, scratch)


def embed(pool: Pool, column: Column, cluster: Cluster) -> Ran:
    """Embed what is not embedded yet; a pool that another model embedded under this name is refused."""
    identity = cluster.every(steps.identity, [column.entry])[0]
    path = pool.path(RESULTS, column.name, "embedder.json")
    before = pool.read_json(path)
    if before is not None and before["identity"] != identity:
        changed = sorted(
            k for k in {*identity, *before["identity"]} if identity.get(k) != before["identity"].get(k)
        )
        raise PoolError(
            [
                f"{pool.url}: the column {column.name!r} was embedded by another model "
                f"({', '.join(changed)} differ); give the new one a name of its own with --as"
            ]
        )
    if before is None:
        pool.write_json(path, {"entry": json.loads(column.entry), "identity": identity})
    task = Task(pool, "", column.name, column.entry, digest_of(identity))
    return _over(task, "embed", steps.embed, cluster)


def unusualness(pool: Pool, column: Column, cluster: Cluster) -> Ran:
    """Measure every response against its whole pool, and say so where `load_study` finds it."""
    task = _embedded(pool, column)
    ran = _over(task, "unusualness", steps.unusual, cluster)
    _write_result(task, "unusualness", MEASURED, {"n_responses": ran.responses})
    return ran


def _embedded(pool: Pool, column: Column) -> Task:
    """The task of a step that reads embeddings; every partition must have them, made from what it is now."""
    description = pool.read_json(pool.path(RESULTS, column.name, "embedder.json"))
    if description is None:
        raise PoolError(
            [f"{pool.url}: nothing is embedded under the name {column.name!r}; run `corpus embed` first"]
        )
    return Task(pool, "", column.name, json.dumps(description["entry"]), digest_of(description["identity"]))


def homogeneity(pool: Pool, column: Column, cluster: Cluster) -> Ran:
    """Measure every prompt, and sum up where `load_study` finds it."""
    task = _embedded(pool, column)
    names = pool.partitions()
    # What there is to measure decides how sets are compared, so it is looked at anew.
    checked = check(pool, cluster)
    sources = tuple(sorted({source for one in checked for source in one.sources}))
    task = replace(task, sources=sources, equal=equal_size(one.cells for one in checked))
    ran = _over(task, "homogeneity", measure.measure, cluster)
    paths = [replace(task, partition=name).path("homogeneity") for name in names]
    _write_result(task, "homogeneity", SUMMARY, summary(pool, paths, sources, task.equal))
    return ran


def _write_result(task: Task, step: str, file: str, results: dict[str, Any]) -> None:
    """Write what all partitions say, with what it is of and when; what says the same already keeps its date."""
    names = task.pool.partitions()
    made_from = hashlib.sha256()
    for name in names:
        part = replace(task, partition=name)
        manifest = task.pool.read_json(part.manifest(step)) or {"inputs": {}}
        inputs = manifest["inputs"].get(part.path("embeddings").removeprefix(task.pool.path("")))
        made_from.update(f"{name}\0{inputs}\n".encode())
    identity = (task.pool.read_json(task.pool.path(RESULTS, task.name, "embedder.json")) or {})["identity"]
    head = {"embedder": task.name, "identity": identity, "partitions": names}
    # As JSON gives it back, to be compared with what is there.
    record = json.loads(json.dumps(head | {"embeddings_sha256": made_from.hexdigest()} | results))
    path = task.pool.path(RESULTS, task.name, file)
    before = task.pool.read_json(path) or {}
    if {key: value for key, value in before.items() if key != "computed_at"} != record:
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        task.pool.write_json(path, record | {"computed_at": now})


FULL = 0.8
"""Share of the sources' sets that must reach the size at which sets are compared."""


def equal_size(cells: Iterable[Iterable[tuple[int, int]]]) -> int:
    """The largest number of responses that FULL of the (source, prompt) cells with several reach, at least two."""
    sizes: Counter[int] = Counter()
    for part in cells:
        sizes.update({size: n for size, n in part if size > 1})
    target, passed = FULL * sizes.total(), 0
    for size in sorted(sizes, reverse=True):
        passed += sizes[size]
        if passed >= target:
            return size
    return 2


def digest_of(identity: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def _over(task: Task, step: str, function: Callable[[Task], Done], cluster: Cluster) -> Ran:
    tasks = [replace(task, partition=name) for name in task.pool.partitions()]
    progress = Progress(step, len(tasks))
    try:
        done = cluster.every(function, tasks, progress.advance)
    finally:
        progress.close()
    responses, computed = sum(d.responses for d in done), sum(d.computed for d in done)
    return Ran(len(done), responses, computed, progress.seconds)
