"""Store what was joined: all of it, or nothing."""

from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet

from annotate.folder.tables import batches
from annotate.models import ItemResponse, Study
from judging.models import Score, ScoreRun, Verdict
from judging.outputs.joining import Joined
from judging.outputs.told import Choice

NAMED = 10
LONGEST_ERROR = 500

R = TypeVar("R", Score, Verdict)


class ConflictError(ValueError):
    """Two numbers for one response, in the file or with what is stored."""


def store(study: Study, joined: Joined, version: str = "") -> int:
    """How many scores and verdicts are new. What is stored already and says the same stays as it is."""
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        names = {told.scorer for _, told in joined.numbers} | {told.scorer for _, _, told in joined.choices}
        runs = {name: _run(study, name, version) for name in sorted(names)}
        scores = [
            Score(run=runs[t.scorer], response_id=pk, value=t.value, error=t.error[:LONGEST_ERROR], raw=t.raw)
            for pk, t in joined.numbers
        ]
        shown = _shown(joined)
        verdicts = [_verdict(runs[t.scorer], item, shown[item], same, t) for item, same, t in joined.choices]
        new_scores = _new(scores, Score.objects.filter(run__in=runs.values()), "response_id", "value")
        new_verdicts = _new(verdicts, Verdict.objects.filter(run__in=runs.values()), "item_id", "winner_id")
        Score.objects.bulk_create(new_scores, batch_size=5000)
        Verdict.objects.bulk_create(new_verdicts, batch_size=5000)
        for run in runs.values():
            run.save(update_fields=["updated_at"])
    return len(new_scores) + len(new_verdicts)


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


def _new(rows: list[R], stored: QuerySet[R], of: str, what: str) -> list[R]:
    """Rows that are not stored yet; ConflictError where there are two of one that differ."""
    known = {(run, pk): value for run, pk, value in stored.values_list("run_id", of, what)}
    new, differ = [], []
    for row in rows:
        place = row.run_id, getattr(row, of)
        value = getattr(row, what)
        if place not in known:
            known[place] = value
            new.append(row)
        elif known[place] != value:
            differ.append(
                f"{row.run.scorer}, {of.removesuffix('_id')} {place[1]}: {known[place]} and {value}"
            )
    if differ:
        more = f"\nand {len(differ) - NAMED:,} more" if len(differ) > NAMED else ""
        raise ConflictError("two that differ for one:\n" + "\n".join(differ[:NAMED]) + more)
    return new
