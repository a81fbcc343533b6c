"""Test a judge for consistency: the same responses again, and with other wordings of its rubric."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from annotate.models import Study
from judging.models import ScoreRun
from judging.runs.batches import Missing, Progress, ScoringReport, Stored, missing, pairs, score_batch
from judging.runs.registry import run_of
from judging.scorers import AnyScorer, PairJudge
from judging.scorers.endpoints.judge import Judge, PairwiseJudge


class NoJudgeError(ValueError):
    """The scorer has no rubric to reword."""


@dataclass(frozen=True, slots=True)
class _Part:
    run: ScoreRun
    scorer: AnyScorer
    lacking: Missing


def probe(
    study: Study, name: str, scorer: AnyScorer, settings: dict[str, int], on_progress: Progress
) -> ScoringReport:
    """Score a seeded sample with every variant of a judge, including the judge itself."""
    if not isinstance(scorer, (Judge, PairwiseJudge)):
        raise NoJudgeError(f"{name} is not a judge with a rubric, so there is nothing to test")
    sample = _sample(study, scorer, settings["responses"])
    parts = [
        _part(study, run_of(study, name, variant, label), variant, sample)
        for label, variant in variants(scorer, settings["repeats"])
    ]
    whole = Missing(
        parts[0].run,
        scorer,
        [pk for p in parts for pk in p.lacking.pks],
        sum(p.lacking.stored for p in parts),
    )
    so_far = Stored(0, 0)
    on_progress(whole, so_far)
    for part in parts:
        for batch in part.lacking.batches():
            one = score_batch(part.run, part.scorer, batch)
            so_far = Stored(so_far.done + one.done, so_far.failed + one.failed, so_far.error or one.error)
            on_progress(whole, so_far)
    return ScoringReport(parts[0].run, so_far.done, whole.stored, 0, so_far.failed)


def variants(judge: Judge | PairwiseJudge, repeats: int) -> Iterator[tuple[str, AnyScorer]]:
    """The judge itself, repeated, and reworded; each with the label of its run."""
    yield "", judge
    for n in range(1, repeats):
        yield f"repeat {n + 1}", judge.repeated(n)
    for n in range(len(judge.paraphrases)):
        yield f"wording {n + 2}", judge.reworded(n)


def _sample(study: Study, scorer: AnyScorer, n: int) -> set[int]:
    """Seeded, so that a killed run continues with the same ones."""
    rows = pairs(study) if isinstance(scorer, PairJudge) else study.responses.in_pool()
    pks = list(rows.order_by("pk").values_list("pk", flat=True))
    return set(random.Random(study.seed).sample(pks, min(n, len(pks))))  # noqa: S311


def _part(study: Study, run: ScoreRun, scorer: AnyScorer, sample: set[int]) -> _Part:
    lacking = missing(study, run, scorer)
    pks = [pk for pk in lacking.pks if pk in sample]
    return _Part(run, scorer, replace(lacking, pks=pks, stored=len(sample) - len(pks)))
