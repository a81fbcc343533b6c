"""What the agreement statistics cost on one core, against their budgets.

    python -m tests.bench.bench_agreement

Alpha of 25 x 100,000 from counts: 60 ms. Intervals of 1,000 resamples at 25 x 1,250: 0.3 s, and six times as fast as
a loop over the library's function. Everything on the agreement page of 31,250 answers: 1.5 s. 2.5 million answers: 15 s
and 1.5 GB, in a process of its own.

Times are of the processor, so that a busy machine does not change them much.
"""

# ruff: noqa: E402

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

# One core: before numpy starts its threads.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import krippendorff
import numpy as np
from numpy.typing import NDArray

from judging import stats
from judging.stats.core.estimate import bootstrap_weights

DOMAIN = [1.0, 2.0, 3.0, 4.0, 5.0]
LEVELS: tuple[stats.Level, ...] = ("nominal", "ordinal", "interval")
Long = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def study(items: int, seats: int = 25, annotators: int = 60) -> Long:
    """Ratings 1 to 5 of items by some of the annotators each."""
    rng = np.random.default_rng(1)
    who = np.empty((items, seats), dtype=np.int64)
    for row in range(0, items, 10_000):
        part = who[row : row + 10_000]
        part[:] = np.argsort(rng.random((len(part), annotators)), axis=1)[:, :seats]
    quality, severity = 0.65 * rng.normal(size=(items, 1)), 0.4 * rng.normal(size=annotators)
    said = np.clip(np.round(3 + quality + severity[who] + 0.9 * rng.normal(size=who.shape)), 1, 5)
    return np.repeat(np.arange(items), seats), who.ravel(), said.ravel()


def timed(work: Callable[[], Any], runs: int = 5) -> float:
    """Least seconds of several runs."""
    best = float("inf")
    for _ in range(runs):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def report(what: str, value: float, unit: str, budget: float, *, least: bool = False) -> bool:
    ok = value >= budget if least else value <= budget
    print(
        f"{'ok  ' if ok else 'OVER'} {what}: {value:.3g} {unit} ({'at least' if least else 'at most'} {budget:g})"
    )
    return ok


def points() -> bool:
    unit, _, value = study(100_000)
    counts, _ = stats.value_counts(unit, value, DOMAIN)
    ok = True
    for level in LEVELS:
        seconds = timed(partial(stats.krippendorff_alpha, counts, DOMAIN, level, resamples=0))
        ok &= report(f"alpha {level}, 25 x 100,000 from counts", 1000 * seconds, "ms", 60)
        library = timed(
            partial(krippendorff.alpha, value_counts=counts, value_domain=DOMAIN, level_of_measurement=level)
        )
        print(f"       the library's own function: {1000 * library:.3g} ms")
    return ok


def intervals() -> bool:
    unit, who, value = study(1_250)
    counts, _ = stats.value_counts(unit, value, DOMAIN)
    ok = True
    for level in LEVELS:
        seconds = timed(partial(stats.krippendorff_alpha, counts, DOMAIN, level))

        def loop(x: stats.Level = level) -> None:
            rng = np.random.default_rng(0)
            rows = np.arange(len(counts))
            for weights in bootstrap_weights(len(counts), 1000, rng).astype(np.int64):
                drawn = counts[np.repeat(rows, weights)]
                krippendorff.alpha(value_counts=drawn, value_domain=DOMAIN, level_of_measurement=x)

        slow = timed(loop, 1)
        ok &= report(f"1,000 resamples of alpha {level}, 25 x 1,250", seconds, "s", 0.3)
        ok &= report("  times as fast as a loop over the library", slow / seconds, "", 6, least=True)
    work: dict[str, Callable[[], Any]] = {
        "percent agreement": lambda: stats.percent_agreement(counts),
        "alpha for new annotators": lambda: stats.krippendorff_alpha_new_annotators(
            unit, who, value, DOMAIN, "interval"
        ),
        "reliability of the mean": lambda: stats.reliability_of_mean(unit, who, value, resamples=1000),
    }
    for name, run in work.items():
        ok &= report(f"1,000 resamples of {name}, 25 x 1,250", timed(run, 3), "s", 0.3)
    return ok


def everything(data: Long, *, curve: bool, resamples: int = 1000) -> dict[str, float]:
    """Seconds of each statistic of a study's ratings."""
    unit, who, value = data
    seconds: dict[str, float] = {}

    def clock(name: str, work: Callable[[], Any]) -> Any:
        start = time.process_time()
        found = work()
        seconds[name] = time.process_time() - start
        return found

    counts, _ = clock("counts", lambda: stats.value_counts(unit, value, DOMAIN))
    for level in ("ordinal", "interval"):
        clock(f"alpha {level}", partial(stats.krippendorff_alpha, counts, DOMAIN, level, resamples=resamples))
    clock("percent agreement", lambda: stats.percent_agreement(counts, resamples=resamples))
    for weights in ("identity", "quadratic"):
        clock(f"AC {weights}", partial(stats.gwet_ac, counts, DOMAIN, weights))
        clock(f"Fleiss {weights}", partial(stats.fleiss_kappa, counts, DOMAIN, weights))
    clock("Brennan-Prediger", lambda: stats.brennan_prediger(counts, DOMAIN))
    clock("Conger", lambda: stats.conger_kappa(unit, who, value, DOMAIN))
    clock("one-way ICC", lambda: stats.one_way_icc(unit, value, k=25))
    clock("components", lambda: stats.variance_components(unit, who, value).dependability(25, absolute=True))
    clock("reliability of the mean", lambda: stats.reliability_of_mean(unit, who, value))
    clock("items", lambda: stats.describe_items(unit, value, DOMAIN))
    clock("annotators", lambda: stats.describe_annotators(unit, who, value, DOMAIN))
    if curve:
        clock("raters-needed curve", lambda: stats.raters_needed(unit, who, value, DOMAIN, "interval"))
    return seconds


def page() -> bool:
    seconds = everything(study(1_250), curve=True)
    print("    " + ", ".join(f"{name} {1000 * s:.0f} ms" for name, s in seconds.items()))
    return report("all statistics of 31,250 answers", sum(seconds.values()), "s", 1.5)


def large() -> bool:
    data = study(100_000)
    seconds = everything(data, curve=False)
    print("    " + ", ".join(f"{name} {s:.2f} s" for name, s in seconds.items()))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return report("all statistics of 2.5 million answers", sum(seconds.values()), "s", 15) & report(
        "  peak memory of the process, data and libraries included", memory, "GB", 1.5
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="only the 2.5 million answers")
    if parser.parse_args().large:
        return 0 if large() else 1
    ok = points() & intervals() & page()
    own = [sys.executable, "-m", "tests.bench.bench_agreement", "--large"]
    return 0 if subprocess.run(own, check=False).returncode == 0 and ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
