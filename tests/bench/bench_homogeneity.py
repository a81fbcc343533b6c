"""Similarity statistics of 100 prompts x 25 sources x 50 samples: 125,000 made-up embeddings of 384 numbers.

    python -m tests.bench.bench_homogeneity

The budget is 60 s and 2 GB for what `judging.results.homogeneity.report` computes from vectors, a prompt at a time;
reading them from a database is not part of it.
"""

import resource
import sys
import time

import numpy as np

from judging.stats import (
    cosine_matrix,
    ideas,
    pair_similarity,
    prompt_similarity,
    random_pairs,
    rarefied_vendi,
    source_matrix,
)

PROMPTS, SOURCES, SAMPLES, WIDTH = 100, 25, 50, 384
SECONDS, GIGABYTES = 60.0, 2.0


def main() -> int:
    rng = np.random.default_rng(0)
    source = np.arange(SOURCES * SAMPLES) % SOURCES
    found, spent = [], 0.0
    for _ in range(PROMPTS):
        vectors = rng.normal(size=(len(source), WIDTH)) + 1.5 * rng.normal(size=WIDTH)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        begun = time.perf_counter()
        found.append(prompt_similarity(vectors, source, SOURCES))
        ideas(cosine_matrix(vectors), [0.7])
        for code in range(SOURCES):
            rarefied_vendi(vectors[source == code], SAMPLES)
        rarefied_vendi(vectors, SAMPLES)
        rarefied_vendi(vectors, len(source))
        spent += time.perf_counter() - begun
    begun = time.perf_counter()
    pair_similarity(found)
    source_matrix(found)
    random_pairs(found)
    spent += time.perf_counter() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"125,000 responses: {spent:.1f} s (budget {SECONDS:.0f}), {memory:.2f} GB (budget {GIGABYTES:.0f})"
    )
    return 0 if spent <= SECONDS and memory <= GIGABYTES else 1


if __name__ == "__main__":
    sys.exit(main())
