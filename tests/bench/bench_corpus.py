"""A made-up pool through embed, unusualness and homogeneity on two workers, one of them killed in the middle.

.venv/bin/python -m tests.bench.bench_corpus [--responses 2000000] [--quick]

Prints rates, the workers' peak memory at two sizes, what two processes gain over one, and what the work costs beside
sentence-transformers and numpy alone in the same run. Texts and vectors of the large pool are made up and mean nothing.
"""

import argparse
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from judging.corpus import runs
from judging.corpus.cluster import Cluster
from judging.corpus.homogeneity import measure
from judging.corpus.pool import Pool, write_pool
from judging.corpus.steps import Task, embed, unusual
from judging.scorers import Embeddings
from judging.stats import prompt_similarity, unusualness

SOURCES, SAMPLES, DIMENSIONS = 10, 50, 384
COLUMN = runs.Column(json.dumps("tests.bench.bench_corpus.MadeUp"), "made-up")
MINILM = runs.Column(json.dumps("judging.scorers.minilm.MiniLM"), "minilm")
DEMO = Path(__file__).parents[2] / "fixtures" / "demo" / "responses.jsonl"
LEAST_EMBEDDING, LEAST_SIMILARITY, LEAST_EFFICIENCY, MOST_GROWTH = 0.95, 0.70, 0.85, 1.25


class MadeUp:
    """Random vectors around one direction: they stand in for those of texts."""

    identity: dict[str, Any] = {"model": "made up", "dimensions": DIMENSIONS}

    def embed(self, texts: Sequence[str]) -> Embeddings:
        rng = np.random.default_rng(len(texts))
        made = rng.standard_normal((len(texts), DIMENSIONS), dtype=np.float32) + np.float32(0.5)
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        return Embeddings(made, np.zeros(len(texts), dtype=bool))


def rows(responses: int, sources: int = SOURCES, samples: int = SAMPLES) -> Iterator[dict[str, Any]]:
    for i in range(responses):
        prompt, place = divmod(i, sources * samples)
        source = f"source {place // samples}"
        yield {"response_id": f"r{i}", "prompt_id": f"p{prompt}", "text": f"Made up {i}.", "source": source}


def peak_mb(cluster: Cluster) -> float:
    used = cluster.client.run(lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return float(max(used.values())) / 1024


def kill_one(cluster: Cluster, after: float) -> threading.Thread:
    """SIGKILL to one worker's process; its nanny starts another."""
    pids = cluster.client.run(os.getpid)
    victim = next(iter(pids.values()))

    def act() -> None:
        time.sleep(after)
        os.kill(victim, signal.SIGKILL)

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def through(folder: Path, responses: int, workers: int, *, kill: bool = False) -> dict[str, float]:
    """Everything over a made-up pool: seconds a step, and the workers' peak memory."""
    pool = Pool(str(folder / f"pool-{responses}"))
    found: dict[str, float] = {}
    if not Path(pool.url).exists():
        start = time.monotonic()
        write_pool(pool, rows(responses), partitions=max(4, responses // 31_250))
        found["write"] = time.monotonic() - start
    else:
        for step in ("unusualness", "homogeneity"):
            shutil.rmtree(Path(pool.url) / "corpus" / COLUMN.name / step)
    with Cluster(workers=workers) as cluster:
        found["embed"] = runs.embed(pool, COLUMN, cluster).seconds
        cluster.client.run(prompt_similarity_loaded)
        for name, measure in (("unusualness", runs.unusualness), ("homogeneity", runs.homogeneity)):
            killing = kill_one(cluster, 2.0) if kill else None
            ran = measure(pool, COLUMN, cluster)
            if killing:
                killing.join()
            assert ran.responses == responses, (ran, responses)
            found[name] = ran.seconds
        found["peak MB"] = peak_mb(cluster)
    return found


def prompt_similarity_loaded() -> bool:
    return callable(prompt_similarity)


def rates(folder: Path, sizes: Sequence[tuple[int, int, int]] = ((60, 10, 50), (8, 70, 50))) -> bool:
    """Responses a second of the processor, of a step over one partition: prompts, sources and samples each."""
    for prompts, sources, samples in sizes:
        pool, n = Pool(str(folder / f"rates-{sources}")), prompts * sources * samples
        write_pool(pool, rows(n, sources, samples), 1)
        names = tuple(f"source {i}" for i in range(sources))
        task = Task(pool, pool.partitions()[0], COLUMN.name, COLUMN.entry, "", names, samples)
        embed(task)
        for name, step in (("unusualness", unusual), ("homogeneity", measure)):
            spent = _cpu(lambda step=step, task=task: step(task))  # type: ignore[misc]
            print(
                f"{name}, {n:,} responses to {prompts} prompts of {sources} sources: "
                f"{n / spent:,.0f} responses a second of the processor",
                flush=True,
            )
    return True


def memory(folder: Path, sizes: Sequence[int]) -> bool:
    peaks = []
    for size in sizes:
        found = through(folder, size, 2, kill=size == sizes[-1])
        peaks.append(found["peak MB"])
        print(
            f"{size:,} responses, two workers: " + ", ".join(f"{k} {v:,.1f}" for k, v in found.items()),
            flush=True,
        )
        rates = {k: size / found[k] / 2 for k in ("unusualness", "homogeneity")}
        print("  responses a second and core: " + ", ".join(f"{k} {v:,.0f}" for k, v in rates.items()))
    growth = peaks[-1] / peaks[0]
    print(f"peak memory of a worker, {sizes[-1]:,} over {sizes[0]:,}: {growth:.2f} (at most {MOST_GROWTH})")
    return growth <= MOST_GROWTH


def efficiency(folder: Path, size: int) -> bool:
    through(folder, size, 1)
    seconds = {w: min(through(folder, size, w)["homogeneity"] for _ in range(3)) for w in (1, 2)}
    found = seconds[1] / seconds[2] / 2
    print(f"homogeneity, one worker {seconds[1]:.1f} s, two {seconds[2]:.1f} s: efficiency {found:.2f}")
    return found >= LEAST_EFFICIENCY


def similarity(sizes: Sequence[tuple[int, int]] = ((1_250, 10), (3_500, 70))) -> bool:
    """A prompt's likeness beside one product of its vectors with themselves, all on one thread."""
    good = True
    for n, sources in sizes:
        vectors = MadeUp().embed(["x"] * n).vectors
        codes, labels = np.repeat(np.arange(sources), n // sources), np.zeros(n)
        timed: dict[str, Callable[[], object]] = {
            "product": lambda v=vectors: v @ v.T,  # type: ignore[misc]
            "unusualness": lambda v=vectors, p=labels: unusualness(v, p),  # type: ignore[misc]
            "homogeneity": lambda v=vectors, c=codes, s=sources: prompt_similarity(v, c, s),  # type: ignore[misc]
        }
        best = {name: min(_cpu(f) for _ in range(7)) for name, f in timed.items()}
        for name in ("unusualness", "homogeneity"):
            print(
                f"{name} at {n:,} responses of {sources} sources: {best[name] * 1e3:.1f} ms, "
                f"{best['product'] / best[name]:.2f} of the product's rate",
                flush=True,
            )
        good = good and best["product"] / best["unusualness"] >= LEAST_SIMILARITY
    return good


def _cpu(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def _seconds(function: Any) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def embedding(folder: Path, turns: int = 6) -> bool:
    """The embed step beside the model alone, on the demo's texts, in one process, turn by turn.

    Seconds of the processor decide: on a shared machine the clock also measures what others do.
    """
    texts = [json.loads(line)["text"] for line in DEMO.read_text().splitlines()]
    # Each text a few times, made different, so that none is taken over from another.
    texts = [f"{text} {i}" for i in range(4) for text in texts]
    made = [
        {"response_id": f"r{i}", "prompt_id": f"p{i % 8}", "text": t, "source": "demo"}
        for i, t in enumerate(texts)
    ]
    ratios = []
    with Cluster(workers=1) as cluster:
        _in_worker(cluster, texts[:64])
        for turn in range(turns):
            pool = Pool(str(folder / f"texts-{turn}"))
            write_pool(pool, made, 2)
            ways: dict[str, Callable[[], object]] = {
                "alone": lambda: _in_worker(cluster, texts),
                "step": lambda pool=pool: runs.embed(pool, MINILM, cluster),  # type: ignore[misc]
            }
            # Whoever comes second finds the machine warmer: each in its turn.
            order = list(ways) if turn % 2 else list(ways)[::-1]
            spent = {name: _spent(cluster, ways[name]) for name in order}
            ratios.append([spent["alone"][i] / spent["step"][i] for i in (0, 1)])
            print(
                f"{len(texts):,} texts: "
                + ", ".join(f"{k} {cpu:.1f} s of processor, {wall:.1f} s" for k, (cpu, wall) in spent.items())
                + f"; ratios {ratios[-1][0]:.3f}, {ratios[-1][1]:.2f}",
                flush=True,
            )
    cpu, wall = np.median(ratios, axis=0)
    print(
        f"embedding reaches {cpu:.3f} of the model alone by processor (at least {LEAST_EMBEDDING}), "
        f"{wall:.2f} by the clock"
    )
    return bool(cpu >= LEAST_EMBEDDING)


def _in_worker(cluster: Cluster, texts: list[str]) -> float:
    return float(cluster.client.submit(_alone, texts, pure=False).result())


def _spent(cluster: Cluster, function: Callable[[], object]) -> tuple[float, float]:
    """The worker's processor seconds, and the clock's."""
    before, start = _processor(cluster), time.perf_counter()
    function()
    return _processor(cluster) - before, time.perf_counter() - start


def _processor(cluster: Cluster) -> float:
    return float(sum(cluster.client.run(time.process_time).values()))


def _alone(texts: list[str]) -> float:
    from judging.corpus.steps import embedder

    model = embedder(MINILM.entry)._model  # type: ignore[attr-defined]
    return _seconds(
        lambda: model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--responses", type=int, default=2_000_000)
    parser.add_argument("--only", choices=["memory", "efficiency", "similarity", "rates", "embedding"])
    options = parser.parse_args()
    good = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: dict[str, Callable[[], bool]] = {
            "similarity": similarity,
            "rates": lambda: rates(folder),
            "embedding": lambda: embedding(folder),
            "efficiency": lambda: efficiency(folder, 200_000),
            "memory": lambda: memory(folder, [100_000, options.responses]),
        }
        for part, run in parts.items():
            if options.only in (None, part):
                good.append(run())
    return 0 if all(good) else 1


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
