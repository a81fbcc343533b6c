"""Designed items into rows: from the pool, planted ones, repeats, and whole studies from others. In transactions."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

from django.db import transaction
from django.db.models import Avg, Count

from annotate import design, trail
from annotate.expected import EXPLAIN
from annotate.folder import open_seats
from annotate.folder.load import without_query_log
from annotate.folder.merge import withhold
from annotate.folder.tables import batches
from annotate.kinds import ItemKind, ResponseNumber, names_of
from annotate.models import (
    PLANTED,
    Action,
    Answer,
    Assignment,
    Item,
    ItemResponse,
    Judgment,
    Prompt,
    Response,
    Study,
)

ROWS = 500

Shown = tuple[int, tuple[int, ...]]  # a prompt and responses to it, by primary key


@dataclass(frozen=True, slots=True)
class Pool:
    """A prompt with the responses to it that may be shown, in the order they came in."""

    prompt: int
    key: str
    responses: list[int]


def pools(study: Study) -> list[Pool]:
    """What items are made from: nothing held back, nothing planted."""
    rows = study.responses.in_pool().filter(held_back="").order_by("pk")
    pools: dict[int, Pool] = {}
    for pk, prompt, key in rows.values_list("pk", "prompt_id", "prompt__key").iterator():
        pools.setdefault(prompt, Pool(prompt, key, [])).responses.append(pk)
    return list(pools.values())


def pool_sizes(study: Study) -> dict[int, int]:
    """How many responses each pool has, by prompt: of a large study the database counts."""
    rows = study.responses.in_pool().filter(held_back="").order_by()
    return dict(rows.values_list("prompt").annotate(n=Count("pk")))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to make of each prompt's pool. `each` None: all there are (singles only)."""

    how: str  # singles, random, equal, sets
    each: int | None = None
    size: int = 2
    delta: float = 0.0

    @property
    def kind(self) -> ItemKind:
        return {"singles": ItemKind.SINGLE, "sets": ItemKind.SET}.get(self.how, ItemKind.PAIR)

    def of(self, pool: Pool, seed: int, there: int, ratings: Mapping[int, float]) -> list[tuple[int, ...]]:
        """Places in the pool: what is there already, made by the same seed, and as many more as are wanted."""
        n, each = len(pool.responses), None if self.each is None else self.each + there
        match self.how:
            case "singles":
                return [(i,) for i in design.some(n, each, seed, pool.key)]
            case "sets":
                return design.sets(n, self.size, each or 0, seed, pool.key)
            case "equal":
                values = [ratings.get(pk) for pk in pool.responses]
                return list(design.equal_pairs(values, self.delta, each or 0, seed, pool.key))
            case _:
                return list(design.random_pairs(n, each or 0, seed, pool.key))

    def more(self, n: int, there: int) -> int:
        """How many a pool of n responses gives beside those that are there."""
        most = {"singles": n, "sets": comb(n, self.size) if n >= self.size else 0}.get(self.how, comb(n, 2))
        return max(0, min(most - there, most if self.each is None else self.each))


def planned(study: Study, orders: Iterable[Wanted]) -> dict[str, tuple[int, int]]:
    """Main items by kind once these are made too: how many, and of how many responses each."""
    rows = study.items.filter(role=Item.Role.MAIN, withheld=False).order_by()
    there = Counter({(p, k): n for p, k, n in rows.values_list("prompt", "kind").annotate(n=Count("pk"))})
    sizes = list(pool_sizes(study).items())
    return {
        order.kind.value: (
            sum(there[p, order.kind.value] + order.more(n, there[p, order.kind.value]) for p, n in sizes),
            order.size if order.how == "sets" else order.kind.sizes[0],
        )
        for order in orders
    }


def make_items(study: Study, wanted: Wanted) -> int:
    """Main items from the pool, with seats. Returns how many are new."""
    ratings = mean_ratings(study) if wanted.how == "equal" else {}
    shown: list[Shown] = []
    with transaction.atomic(), without_query_log():
        study = Study.objects.select_for_update().get(pk=study.pk)
        there = _shown_already(study, wanted.kind)
        for pool in pools(study):
            known = there[pool.prompt]
            new = [
                tuple(pool.responses[i] for i in places)
                for places in wanted.of(pool, study.seed, len(known), ratings)
            ]
            fresh = [responses for responses in new if frozenset(responses) not in known]
            shown += [(pool.prompt, responses) for responses in fresh[: wanted.each]]
        return store_items(study, wanted.kind, shown)


def make_pairs(study: Study, choose: Callable[[Pool, set[frozenset[int]]], Iterable[Sequence[int]]]) -> int:
    """Pairs that somebody else chooses for each pool, told which pairs are there."""
    with transaction.atomic(), without_query_log():
        study = Study.objects.select_for_update().get(pk=study.pk)
        there = _shown_already(study, ItemKind.PAIR)
        shown: list[Shown] = []
        for pool in pools(study):
            known = there[pool.prompt]
            chosen = [tuple(pair) for pair in choose(pool, known)]
            shown += [(pool.prompt, pair) for pair in chosen if frozenset(pair) not in known]
        return store_items(study, ItemKind.PAIR, shown)


def _shown_already(study: Study, kind: ItemKind) -> dict[int, set[frozenset[int]]]:
    """By prompt, what main items of the kind show."""
    items: dict[tuple[int, int], set[int]] = defaultdict(set)
    rows = ItemResponse.objects.filter(item__study=study, item__kind=kind, item__role=Item.Role.MAIN)
    for prompt, item, response in rows.values_list("item__prompt_id", "item_id", "response_id").iterator():
        items[prompt, item].add(response)
    shown: dict[int, set[frozenset[int]]] = defaultdict(set)
    for (prompt, _), responses in items.items():
        shown[prompt].add(frozenset(responses))
    return shown


def store_items(study: Study, kind: ItemKind, shown: Sequence[Shown]) -> int:
    keys = dict(study.prompts.values_list("pk", "key"))
    taken = set(study.items.values_list("key", flat=True))
    items = []
    for prompt, _ in shown:
        key = _free_key(f"{keys[prompt][:180]}-{kind.value}", taken)
        items.append(_item(study, prompt, keys[prompt], key, kind))
    _store(items, [responses for _, responses in shown])
    open_seats(study)
    if items:
        trail.record(study, Action.CHANGED, "items", made=len(items), kind=kind)
    return len(items)


def _free_key(stem: str, taken: set[str]) -> str:
    n = 1
    while (key := f"{stem}-{n}") in taken:
        n += 1
    taken.add(key)
    return key


def _item(study: Study, prompt: int, prompt_key: str, key: str, kind: ItemKind, **more: Any) -> Item:
    return Item(
        study=study,
        prompt_id=prompt,
        key=key,
        kind=kind,
        prompt_place=design.place(study.seed, "prompt", prompt_key),
        place=design.place(study.seed, "item", key),
        **more,
    )


def _store(items: Sequence[Item], shown: Sequence[Sequence[int]]) -> None:
    Item.objects.bulk_create(items, batch_size=ROWS)
    ItemResponse.objects.bulk_create(
        [
            ItemResponse(item=item, response_id=response, position=position)
            for item, responses in zip(items, shown, strict=True)
            for position, response in enumerate(responses)
        ],
        batch_size=ROWS,
    )


def mean_ratings(study: Study) -> dict[int, float]:
    """Counted mean of what measures quality, by response."""
    rows = Answer.objects.filter(
        criterion__study=study,
        criterion__measures="quality",
        criterion__kind__in=names_of("rates"),
        judgment__in=Judgment.objects.counted(),
        value__isnull=False,
    )
    return dict(rows.order_by().values_list("response_id").annotate(mean=Avg("value")))


@dataclass(frozen=True, slots=True)
class Plant:
    """A practice or gold item as a researcher wrote it; answers name responses by number, from 1."""

    role: str
    kind: ItemKind
    prompt: str
    texts: Sequence[str]
    expected: dict[str, Any]
    explain: str = ""
    language: str = "en"


def plant(study: Study, wanted: Plant) -> Item:
    """Store it under a prompt of its own: its texts are no answers of any pool."""
    with transaction.atomic():
        study = Study.objects.select_for_update().get(pk=study.pk)
        prompt_key = _free_key(wanted.role, set(study.prompts.values_list("key", flat=True)))
        prompt = Prompt.objects.create(
            study=study, key=prompt_key, text=wanted.prompt, language=wanted.language
        )
        taken = set(study.responses.values_list("key", flat=True))
        responses = Response.objects.bulk_create(
            Response(
                study=study,
                prompt=prompt,
                key=_free_key(f"{prompt_key}-text", taken),
                text=text,
                source=PLANTED,
            )
            for text in wanted.texts
        )
        names = {n: response.key for n, response in enumerate(responses, 1)}
        key = _free_key(prompt_key, set(study.items.values_list("key", flat=True)))
        more = {"role": wanted.role, "expected": stored_expectation(wanted.expected, names, wanted.explain)}
        item = _item(study, prompt.pk, prompt_key, key, wanted.kind, **more)
        _store([item], [[response.pk for response in responses]])
        trail.record(study, Action.CHANGED, f"item {key}", made=1, role=wanted.role)
        return item


def stored_expectation(
    expected: Mapping[str, Any], names: Mapping[int, str], explain: str
) -> dict[str, Any] | None:
    """What an item expects as it is stored: responses by key."""

    def named(value: Any) -> Any:
        match value:
            case ResponseNumber(number=number):
                return names[number]
            case dict():
                return {names[number]: named(inner) for number, inner in value.items()}
        return value

    by_key = {key: named(value) for key, value in expected.items()}
    return by_key | ({EXPLAIN: explain} if explain else {}) or None


def add_repeats(study: Study, share: float, kinds: Sequence[str]) -> int:
    """Show a share of the main items of each kind a second time. Returns how many are new."""
    with transaction.atomic():
        study = Study.objects.select_for_update().get(pk=study.pk)
        taken = set(study.items.values_list("key", flat=True))
        made = 0
        for kind in kinds:
            line = study.items.filter(role=Item.Role.MAIN, kind=kind, withheld=False).order_by("pk")
            items = list(line.select_related("prompt").prefetch_related("item_responses"))
            wanted = [items[i] for i in design.repeated(len(items), share, study.seed, kind)]
            there = set(
                study.items.filter(repeat_of__in=[i.pk for i in wanted]).values_list("repeat_of", flat=True)
            )
            made += _repeat(study, [item for item in wanted if item.pk not in there], taken)
        if made:
            trail.record(study, Action.CHANGED, "items", made=made, role=Item.Role.REPEAT)
        return made


def _repeat(study: Study, originals: Sequence[Item], taken: set[str]) -> int:
    again = [
        _item(
            study,
            original.prompt_id,
            original.prompt.key,
            _free_key(f"{original.key[:185]}-again", taken),
            ItemKind(original.kind),
            role=Item.Role.REPEAT,
            repeat_of=original,
        )
        for original in originals
    ]
    _store(again, [[shown.response_id for shown in o.item_responses.all()] for o in originals])
    return len(again)


def remove_items(study: Study, items: Iterable[int]) -> int:
    """Take items back that nobody has judged or has open; a repeat goes with what it repeats. Returns how many."""
    with transaction.atomic():
        busy = Assignment.objects.filter(study=study).exclude(status=Assignment.Status.FREE)
        chosen = set(items)
        chosen |= set(study.items.filter(repeat_of__in=chosen).values_list("pk", flat=True))
        used = set(busy.values_list("item_id", flat=True))
        repeats = study.items.filter(pk__in=used, repeat_of__isnull=False)
        used |= {original for original in repeats.values_list("repeat_of", flat=True) if original}
        gone = sorted(chosen - used)
        for part in batches(gone, ROWS):
            Assignment.objects.filter(item__in=part).delete()
            ItemResponse.objects.filter(item__in=part).delete()
        for is_original in (False, True):
            for part in batches(gone, ROWS):
                study.items.filter(pk__in=part, repeat_of__isnull=is_original).delete()
        if gone:
            trail.record(study, Action.CHANGED, "items", removed=len(gone))
        return len(gone)


def hold_back(study: Study, responses: Iterable[int], reason: str) -> int:
    """Show responses to nobody (or again, for an empty reason), nor any item with them. Returns how many."""
    with transaction.atomic():
        n = 0
        for part in batches(responses, ROWS):
            n += study.responses.filter(pk__in=part).update(held_back=reason)
        withhold(study)
        # Those who have such an item next get another one.
        free = {"status": Assignment.Status.FREE, "annotator": None, "expires_at": None, "opened_at": None}
        held = Assignment.objects.held().filter(study=study, item__withheld=True)
        held.update(**free, shown=None, turn=0)
        if n:
            action = Action.HELD_BACK if reason else Action.RELEASED
            trail.record(study, action, "responses", n=n, reason=reason)
        return n


def most_taken(study: Study) -> tuple[str, int]:
    """The main item with the most seats that are filled or held and count, and how many they are."""
    seats = Assignment.objects.filter(study=study, item__role=Item.Role.MAIN)
    taken = seats.exclude(status=Assignment.Status.FREE).exclude(pk__in=_not_counted(study))
    rows = taken.order_by().values_list("item__key").annotate(n=Count("pk")).order_by("-n", "item__key")
    return rows.first() or ("", 0)


def _not_counted(study: Study) -> Any:
    current = Judgment.objects.in_study(study).current().exclude(excluded="")
    return current.values("assignment")


def set_seats(study: Study, seats: int) -> None:
    """How many annotators each item wants, and its free seats with it."""
    if seats != study.seats:
        trail.record(study, Action.CHANGED, "title and texts", seats=[study.seats, seats])
        study.seats = seats
        study.save(update_fields=["seats"])
        fit_seats(study)


def fit_seats(study: Study) -> None:
    """Free seats as the study's number of seats wants them, after it was raised or lowered."""
    with transaction.atomic():
        spare = Assignment.objects.filter(study=study, item__role=Item.Role.MAIN).order_by()
        counted = spare.exclude(pk__in=_not_counted(study)).values_list("item_id").annotate(n=Count("pk"))
        for item, n in list(counted.filter(n__gt=study.seats)):
            free = Assignment.objects.free().filter(item=item).order_by("-number")[: n - study.seats]
            Assignment.objects.free().filter(pk__in=[seat.pk for seat in free]).delete()
        open_seats(study)


def new_seed() -> int:
    """Random once; from then on everything follows from it."""
    return secrets.randbelow(2**31)
