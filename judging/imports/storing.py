"""Store what was joined: all of it, or nothing."""

from collections.abc import Iterable
from typing import TypeVar

from django.db import transaction

from annotate import trail
from annotate.folder.tables import batches
from annotate.models import Action, ItemResponse, Study
from judging.imports.outputs.matching import Joined
from judging.imports.outputs.record import Choice
from judging.models import Score, ScoreRun, Verdict

NAMED = 10
LONGEST_ERROR = 500

R = TypeVar("R")


class ConflictError(ValueError):
    """Two numbers for one response, in the file or with what is stored."""


def store(study: Study, joined: Joined, version: str = "") -> int:
    """How many scores and verdicts are new. What is stored already and says the same stays as it is."""
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        names = {told.scorer for _, told in joined.numbers} | {told.scorer for _, _, told in joined.choices}
        runs = {name: _run(study, name, version) for name in sorted(names)}
        scores = [
            (runs[t.scorer].pk, pk, t.value, t.error[:LONGEST_ERROR], t.raw) for pk, t in joined.numbers
        ]
        shown = _shown(joined)
        verdicts = [_verdict(runs[t.scorer], item, shown[item], same, t) for item, same, t in joined.choices]
        stored = Score.objects.filter(run__in=runs.values()).values_list("run_id", "response_id", "value")
        new_scores = _new(scores, [(row[0], row[1], row[2]) for row in scores], stored)
        chosen = Verdict.objects.filter(run__in=runs.values()).values_list("run_id", "item_id", "winner_id")
        new_verdicts = _new(verdicts, [(v.run_id, v.item_id, v.winner_id) for v in verdicts], chosen)
        Score.objects.insert(new_scores)
        Verdict.objects.bulk_create(new_verdicts, batch_size=5000)
        for run in runs.values():
            run.save(update_fields=["updated_at"])
        n = len(new_scores) + len(new_verdicts)
        if n:
            trail.record(study, Action.LOADED, f"scores of {', '.join(runs)}", new={"scores": n})
    return n


def _run(study: Study, scorer: str, version: str) -> ScoreRun:
    run, _ = ScoreRun.objects.get_or_create(study=study, scorer=scorer, version=version)
    if run.computed_here:
        raise ConflictError(f"{run} was computed here: name another scorer or version")
    return run


def _shown(joined: Joined) -> dict[int, list[int]]:
    shown: dict[int, list[int]] = {item: [] for item, _, _ in joined.choices}
    for batch in batches(shown, 5000):
        links = ItemResponse.objects.filter(item__in=batch).order_by("position")
        for item, response in links.values_list("item_id", "response_id"):
            shown[item].append(response)
    return shown


def _verdict(run: ScoreRun, item: int, shown: list[int], same: bool, told: Choice) -> Verdict:
    """`same`: the pair's first response is the file's first, too."""
    turned = 1.0 if same else -1.0
    preference = None if told.preference is None else told.preference * turned
    straight, swapped = (None if p is None else p * turned for p in (told.straight, told.swapped))
    if not same:
        # What the file asked straight is here asked with the first response last.
        straight, swapped = swapped, straight
    return Verdict(
        run=run,
        item_id=item,
        winner_id=shown[0 if preference > 0 else 1] if preference else None,
        value=None if preference is None else abs(preference),
        straight=straight,
        swapped=swapped,
        error=told.error[:LONGEST_ERROR],
        raw=told.raw,
    )


Told = tuple[int, int, float | None]


def _new(rows: list[R], told: list[Told], stored: Iterable[Told]) -> list[R]:
    """Rows that are not stored yet; ConflictError where there are two of one that differ.

    Each row tells its run, its response or item, and its value.
    """
    known = {(run, of): value for run, of, value in stored}
    new, differ = [], []
    for row, (run, of, value) in zip(rows, told, strict=True):
        if (run, of) not in known:
            known[run, of] = value
            new.append(row)
        elif known[run, of] != value:
            differ.append(f"run {run}, number {of}: {known[run, of]} and {value}")
    if differ:
        more = f"\nand {len(differ) - NAMED:,} more" if len(differ) > NAMED else ""
        raise ConflictError("two that differ for one:\n" + "\n".join(differ[:NAMED]) + more)
    return new
