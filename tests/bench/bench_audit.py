"""What the audit costs on one core, and its proof on two, against their budgets.

    python -m tests.bench.bench_audit [--studies 1000]

The two-way jackknife at 50 x 15 x 25 from 60 annotators: 50 ms a scorer, alone and among ten. A thousand simulated
studies with every estimator: 5 minutes on two cores; with fewer `--studies` the budget shrinks with them.

Times of the jackknife are of the processor, so that a busy machine does not change them much.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Any

# One core: before numpy starts its threads.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np

from judging.stats import StudyModel, divisive_slopes, group_contrasts, simulated_study, underratings
from judging.stats.audit.validation import EFFECTS, prove

SCORERS = 10


def timed(work: Callable[[], Any], runs: int = 7) -> float:
    """Least milliseconds of several runs."""
    best = float("inf")
    for _ in range(runs):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return 1000 * best


def report(what: str, value: float, unit: str, budget: float) -> bool:
    print(f"{'ok  ' if value <= budget else 'OVER'} {what}: {value:.3g} {unit} (at most {budget:g})")
    return value <= budget


def jackknife() -> bool:
    study = simulated_study(StudyModel(), [0.1] * SCORERS, np.random.default_rng(1))
    data, names = (study.ratings, study.responses), study.scorers
    ok = report("one scorer, 50 x 15 x 25", timed(lambda: underratings(*data, names[:1])), "ms", 50)
    several = timed(lambda: underratings(*data, names)) / SCORERS
    ok &= report(f"each of {SCORERS} scorers", several, "ms", 50)
    rng = np.random.default_rng(0)
    axis = timed(lambda: divisive_slopes(*data, names, rng=rng), 3) / SCORERS
    ok &= report(f"divisive against other responses, each of {SCORERS}", axis, "ms", 50)
    kinds = study.responses.assign(group=np.where(study.responses["response_id"] % 5 == 0, "human", "LLM"))
    gap = timed(lambda: group_contrasts(study.ratings, kinds, names), 3) / SCORERS
    return ok & report(f"kinds of source, each of {SCORERS}", gap, "ms", 50)


def proof(studies: int) -> bool:
    start = time.monotonic()
    prove(StudyModel(), EFFECTS, studies=studies, jobs=2)
    return report(
        f"{studies:,} studies, every estimator, two cores", time.monotonic() - start, "s", 0.3 * studies
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=1000)
    asked = parser.parse_args()
    met = [jackknife(), proof(asked.studies)]
    sys.exit(not all(met))
