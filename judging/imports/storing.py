"""Store what was joined: all of it, or nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import transaction

from annotate import trail
from annotate.folder.problems import quoted
from annotate.folder.tables import batches
from annotate.formats.records import Choice
from annotate.models import Action, Item, ItemResponse, Response, Study
from judging.imports import bad_rows
from judging.imports.matching import Joined
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
        names = {score.scorer for _, score in joined.scores}
        names |= {verdict.scorer for _, _, verdict in joined.verdicts}
        runs = {name: _run(study, name, version) for name in sorted(names)}
        n = _store_scores(joined, runs) + _store_verdicts(joined, runs)
        for run in runs.values():
            run.save(update_fields=["updated_at"])
        if n:
            new = {"scores": n} | ({"left_out": len(joined.left_out)} if joined.left_out else {})
            trail.record(study, Action.LOADED, f"scores of {', '.join(runs)}", new=new)
            bad_rows.keep(study, joined.left_out)
    return n


def _store_scores(joined: Joined, runs: dict[str, ScoreRun]) -> int:
    rows = [(runs[s.scorer].pk, pk, s.value, s.error[:LONGEST_ERROR], s.raw) for pk, s in joined.scores]
    claims = [_Claim(s.line, runs[s.scorer].pk, pk, s.value) for pk, s in joined.scores]
    stored = Score.objects.filter(run__in=runs.values()).values_list("run_id", "response_id", "value")
    new = _new(rows, claims, stored, _texts_of_responses)
    Score.objects.insert(new)
    return len(new)


def _store_verdicts(joined: Joined, runs: dict[str, ScoreRun]) -> int:
    shown = _shown(joined)
    rows = [_verdict(runs[v.scorer], item, shown[item], same, v.choice) for item, same, v in joined.verdicts]
    lines = [v.line for _, _, v in joined.verdicts]
    claims = [_Claim(at, v.run_id, v.item_id, v.winner_id) for at, v in zip(lines, rows, strict=True)]
    stored = Verdict.objects.filter(run__in=runs.values()).values_list("run_id", "item_id", "winner_id")
    new = _new(rows, claims, stored, _names_of_pairs)
    Verdict.objects.bulk_create(new, batch_size=5000)
    return len(new)


def _run(study: Study, scorer: str, version: str) -> ScoreRun:
    run, _ = ScoreRun.objects.get_or_create(study=study, scorer=scorer, version=version)
    if run.computed_here:
        raise ConflictError(f"{run} was computed here: name another scorer or version")
    return run


def _shown(joined: Joined) -> dict[int, list[int]]:
    shown: dict[int, list[int]] = {item: [] for item, _, _ in joined.verdicts}
    for batch in batches(shown, 5000):
        links = ItemResponse.objects.filter(item__in=batch).order_by("position")
        for item, response in links.values_list("item_id", "response_id"):
            shown[item].append(response)
    return shown


def _verdict(run: ScoreRun, item: int, shown: list[int], same: bool, choice: Choice) -> Verdict:
    """`same`: the pair's first response is the file's first, too."""
    turned = 1.0 if same else -1.0
    preference = None if choice.preference is None else choice.preference * turned
    straight, swapped = (None if p is None else p * turned for p in (choice.straight, choice.swapped))
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
        error=choice.error[:LONGEST_ERROR],
        raw=choice.raw,
    )


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a line of the file says of a response, or of a pair: a value, or the winner."""

    line: int
    run: int
    of: int
    value: float | int | None


def _new(
    rows: list[R],
    claims: list[_Claim],
    stored: Iterable[tuple[int, int, float | int | None]],
    names_of: Callable[[set[int]], dict[int, str]],
) -> list[R]:
    """Rows that are not stored yet; ConflictError where there are two of one that differ."""
    known = {(run, of): (value, "stored before") for run, of, value in stored}
    new, conflicts = [], []
    for row, claim in zip(rows, claims, strict=True):
        value, before = known.get((claim.run, claim.of), (None, ""))
        if not before:
            known[claim.run, claim.of] = claim.value, f"on line {claim.line}"
            new.append(row)
        elif value != claim.value:
            conflicts.append((claim, value, before))
    if conflicts:
        raise ConflictError(_conflict_message(conflicts, names_of))
    return new


def _conflict_message(
    conflicts: list[tuple[_Claim, float | int | None, str]], names_of: Callable[[set[int]], dict[int, str]]
) -> str:
    named = conflicts[:NAMED]
    names = names_of({claim.of for claim, _, _ in named})
    winners = names_of is _names_of_pairs
    texts = (
        _texts_of_responses({v for c, value, _ in named for v in (c.value, value) if v}) if winners else {}
    )

    def show(value: float | int | None) -> str:
        if winners:
            return texts[int(value)] if value else "a tie"
        return "no number" if value is None else f"{value:g}"

    lines = [
        f"line {claim.line}, {names[claim.of]}: {show(claim.value)} here, and {show(value)} {before}"
        for claim, value, before in named
    ]
    if len(conflicts) > NAMED:
        lines.append(f"and {len(conflicts) - NAMED:,} more")
    return "two that differ for one (leave one out, or name another scorer or version):\n" + "\n".join(lines)


def _texts_of_responses(pks: set[Any]) -> dict[int, str]:
    return {pk: quoted(text) for pk, text in Response.objects.filter(pk__in=pks).values_list("pk", "text")}


def _names_of_pairs(pks: set[int]) -> dict[int, str]:
    return {pk: f"item {key}" for pk, key in Item.objects.filter(pk__in=pks).values_list("pk", "key")}
