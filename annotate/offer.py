"""Which seats an annotator is offered next, and in which order each shows its responses."""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotate import design
from annotate.kinds import ItemKind
from annotate.models import Annotator, Assignment, Item, ItemResponse, Study

# Seats that an annotator takes at once: of so many prompts that there are BLOCK, each prompt whole, since its responses
# are best rated by the same people; MOST of a prompt that is longer.
BLOCK, MOST = 10, 20
# Free seats among which the next prompts are looked for.
LOOKED_AT = 64

FREE = Q(status=Assignment.Status.FREE)

_KIND_ORDER = [ItemKind.SINGLE, ItemKind.PAIR, ItemKind.SET]


def next_block(annotator: Annotator, at_most: int = MOST) -> list[Assignment]:
    """Free seats to hold together: the rest of the prompt at hand, then the least covered prompts."""
    at_hand = _prompt_at_hand(annotator)
    groups = _open_groups(annotator, at_hand)
    if sum(map(len, groups)) < BLOCK:
        groups += _open_groups(annotator, [p for p in _next_prompts(annotator) if p not in at_hand])
    block: list[Sequence[Assignment]] = []
    for group in groups:
        if len(block) >= BLOCK or (block and len(block) + len(group) > MOST):
            break
        block += group
    return _balanced(annotator, block)[:at_most]


def _prompt_at_hand(annotator: Annotator) -> list[int]:
    own = Assignment.objects.for_annotator(annotator).submitted().order_by("-turn", "-pk")
    return list(own.values_list("item__prompt", flat=True)[:1])


def _next_prompts(annotator: Annotator) -> list[int]:
    seats = Assignment.objects.open_to(annotator).order_by("rank")
    return list(dict.fromkeys(seats.values_list("item__prompt", flat=True)[:LOOKED_AT]))[:BLOCK]


def _open_groups(annotator: Annotator, prompts: Sequence[int]) -> list[list[list[Assignment]]]:
    """The free seats of each prompt in turn, by the items that are open to the annotator, in display order."""
    if not prompts:
        return []
    # The prompts' items first: a database that starts from the study's free seats reads them all.
    own = Assignment.objects.for_annotator(annotator).filter(item=OuterRef("pk"))
    unseen = Item.objects.filter(
        ~Exists(own), prompt__in=prompts, role=Item.Role.MAIN, withheld=False
    ).in_bulk()
    # Each item once, however many of its seats are free.
    by_item: dict[int, list[Assignment]] = {}
    for seat in Assignment.objects.free().filter(item__in=list(unseen)).order_by("number"):
        seat.item = unseen[seat.item_id]
        by_item.setdefault(seat.item_id, []).append(seat)
    groups: dict[int, list[list[Assignment]]] = {prompt: [] for prompt in prompts}
    for free in sorted(by_item.values(), key=lambda free: _turn_key(annotator, free[0].item)):
        groups[free[0].item.prompt_id].append(free)
    return [group[:MOST] for group in groups.values() if group]


def _turn_key(annotator: Annotator, item: Item) -> tuple[int, float]:
    """Singles before pairs before sets, each in the annotator's own seeded order."""
    return (_KIND_ORDER.index(ItemKind(item.kind)), design.fraction(item.place, annotator.pk, item.pk))


def _balanced(annotator: Annotator, items: Sequence[Sequence[Assignment]]) -> list[Assignment]:
    """The lowest free seat of each item; of a pair, the lowest on the side that the annotator saw less often."""
    if not any(free[0].item.kind == ItemKind.PAIR for free in items):
        return [free[0] for free in items]
    own = Assignment.objects.for_annotator(annotator).filter(item__kind=ItemKind.PAIR)
    turned = [design.is_turned(place, number) for place, number in own.values_list("item__place", "number")]
    lead = 2 * sum(turned) - len(turned)
    chosen = []
    for free in items:
        seat = free[0]
        if seat.item.kind == ItemKind.PAIR:
            reversed_side = lead < 0 if lead else design.is_turned(seat.item.place, seat.number)
            seat = next((s for s in free if design.is_turned(s.item.place, s.number) == reversed_side), seat)
            lead += 1 if design.is_turned(seat.item.place, seat.number) else -1
        chosen.append(seat)
    return chosen


def open_items(study: Study | int, q: Q = FREE, to: Annotator | None = None) -> QuerySet[Item]:
    """Main items with a seat that is free (or as `q` says), and where `to` has none.

    Counted from the items: a study has as many seats as items times annotators.
    """
    seats = Assignment.objects.filter(item=OuterRef("pk"))
    items = Item.objects.filter(Exists(seats.filter(q)), study=study, role=Item.Role.MAIN, withheld=False)
    return items.filter(~Exists(seats.for_annotator(to))) if to else items


def attention_items(annotator: Annotator, block: Sequence[Assignment]) -> list[Item]:
    """At most one gold item and one repeat to mix into a block: neither counts against an item's seats.

    A repeat comes once its original was judged, and not in the same block.
    """
    own = Assignment.objects.for_annotator(annotator)
    unseen = (
        Item.objects.filter(study=annotator.study_id, withheld=False)
        .exclude(pk__in=own.values("item"))
        .order_by("place", "pk")
    )
    judged = own.submitted().values("item")
    extra = unseen.filter(role__in=[Item.Role.GOLD, Item.Role.REPEAT]).filter(
        Q(role=Item.Role.GOLD) | Q(repeat_of__in=judged)
    )
    gold = [item for item in extra if item.role == Item.Role.GOLD]
    repeats = [item for item in extra if item.role == Item.Role.REPEAT]
    if not block:
        return [*gold, *repeats]
    # By the annotator's own seeded order: not everybody meets the same one at the same point.
    return [min(items, key=lambda i: _turn_key(annotator, i)) for items in (gold, repeats) if items]


def swapped(annotator: Annotator, seats: Sequence[Assignment]) -> dict[int, list[int]]:
    """A repeat shows the responses in reverse order."""
    originals = {s.item.repeat_of_id: s.pk for s in seats if s.item.repeat_of_id}
    first = Assignment.objects.for_annotator(annotator).filter(item__in=originals, shown__isnull=False)
    return {originals[item]: (order or [])[::-1] for item, order in first.values_list("item_id", "shown")}


def practice(annotator: Annotator) -> list[Item]:
    """Practice items that the annotator has not done."""
    own = Assignment.objects.for_annotator(annotator).values("item")
    items = Item.objects.filter(study=annotator.study_id, role=Item.Role.PRACTICE, withheld=False)
    return list(items.exclude(pk__in=own).order_by("pk"))


def shown_orders(seats: Sequence[Assignment]) -> dict[int, list[int]]:
    responses: dict[int, list[int]] = {}
    rows = ItemResponse.objects.filter(item__in=[s.item_id for s in seats]).order_by("item", "position")
    for item_id, response_id in rows.values_list("item_id", "response_id"):
        responses.setdefault(item_id, []).append(response_id)
    return {s.pk: design.shown_order(responses[s.item_id], s.item.place, s.number) for s in seats}
