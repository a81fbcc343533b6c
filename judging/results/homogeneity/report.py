"""How similar the responses of a study's pool are: within and between sources, by category, parameter and date."""

import math
from collections.abc import Sequence

from django.db.models import Count

from annotate.models import Study
from judging.frames import pool
from judging.frames import tables as frames
from judging.models import ScoreRun
from judging.results.homogeneity.human import same_idea
from judging.results.homogeneity.over_prompts import (
    TEXTS_UP_TO,
    TYPICAL_THRESHOLD,
    Homogeneity,
    summarize,
)
from judging.results.homogeneity.per_prompt import Progress, measure
from judging.results.result import NotEmbedded

FULL = 0.8
"""Share of the cells that must reach the number of responses at which sets are compared."""


def compute(
    study: Study, *, words: bool | None = None, progress: Progress = lambda done, total: None
) -> Homogeneity:
    """Everything the page and the command show, one prompt in memory at a time.

    `words`: whether to compare words too; None, if the pool is small enough for a page.
    """
    run = frames.embedding_run(study)
    if run is None:
        raise NotEmbedded(
            "Nothing is known yet about how similar the responses are: "
            f"run `manage.py score {study.slug} --scorer minilm` first."
        )
    n_responses = study.responses.in_pool().count()
    small = n_responses <= TEXTS_UP_TO
    with_words = small if words is None else words
    names = pool.source_names(study)
    calibrated = same_idea(study, run)
    level = calibrated.cosine if calibrated else TYPICAL_THRESHOLD
    equal_n, pool_n, n_embedded = _sizes(run)
    measured = measure(study, run, names, level, (equal_n, pool_n), with_words, progress)
    return summarize(study, run, names, measured, calibrated, (equal_n, pool_n), n_responses - n_embedded)


def _sizes(run: ScoreRun) -> tuple[int, int, int]:
    """Responses at which cells, and pools, are compared: what four of five of them reach, at least two; and all."""
    cells = (
        run.embeddings.in_pool()
        .values_list("response__prompt_id", "response__source")
        .annotate(n=Count("pk"))
    )
    counts: dict[int, list[int]] = {}
    for prompt, _, n in cells.order_by():
        counts.setdefault(prompt, []).append(n)
    several = [n for sizes in counts.values() for n in sizes if n > 1]
    pools = [sum(sizes) for sizes in counts.values() if sum(sizes) > 1]
    return _reached(several), _reached(pools), sum(map(sum, counts.values()))


def _reached(sizes: Sequence[int]) -> int:
    """The largest number that a share FULL of the sizes reach."""
    if not sizes:
        return 2
    ordered = sorted(sizes, reverse=True)
    return max(2, ordered[max(0, math.ceil(FULL * len(ordered)) - 1)])
