"""PURE: what is shown in which order. Everything follows from the study's seed, so it can be made again."""

import hashlib
import heapq
from collections.abc import Collection, Iterable, Sequence
from itertools import combinations
from math import comb
from typing import TypeVar

T = TypeVar("T")
Pair = tuple[int, int]
STRATA = ("near", "middle", "far")


def fraction(seed: int, *parts: object) -> float:
    """A number in [0, 1) that depends on nothing but the seed and the parts."""
    text = "\x1f".join([str(seed), *map(str, parts)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big") / 2**56


def place(seed: int, *parts: object) -> int:
    """A seeded place among others, for sorting: 31 bits, so that two rarely share one."""
    return int(fraction(seed, *parts) * 2**31)


def seat_rank(number: int, prompt_place: int) -> int:
    """Where a seat stands in the offer: all first seats prompt by prompt, then all second seats, …"""
    return (number << 31) + prompt_place


def is_turned(item_place: int, seat: int) -> bool:
    """Whether a pair's seat shows the second response first: every other seat of an item does."""
    return (item_place + seat) % 2 == 1


def shown_order(responses: Sequence[T], item_place: int, seat: int) -> list[T]:
    """The responses of an item, given in canonical order, as its seat number `seat` shows them.

    A seeded order of the item, turned by one place a seat: over an item's seats each response stands in each place
    equally often (25 seats of a pair: 13 and 12).
    """
    n = len(responses)
    if n == 2:
        return list(responses)[::-1] if is_turned(item_place, seat) else list(responses)
    order = sorted(range(n), key=lambda i: fraction(item_place, "shown", i))
    shift = seat % n if n else 0
    return [responses[i] for i in order[shift:] + order[:shift]]


def some(n: int, wanted: int | None, seed: int, *parts: object) -> list[int]:
    """`wanted` of n indices (all of them for None), in ascending order."""
    if wanted is None or wanted >= n:
        return list(range(n))
    return sorted(sorted(range(n), key=lambda i: fraction(seed, *parts, "some", i))[:wanted])


def random_pairs(n: int, wanted: int, seed: int, *parts: object) -> list[Pair]:
    """`wanted` different pairs of n indices; how often two indices are used differs by two at most.

    Rounds of a tournament in which everybody meets everybody once, with the players seeded.
    """
    players: list[int | None] = sorted(range(n), key=lambda i: fraction(seed, *parts, "player", i))
    if n % 2:
        players.append(None)
    use: dict[int, int] = {}
    pairs: list[Pair] = []
    for turn in range(len(players) - 1 if n > 1 else 0):
        line = [players[0], *players[1 + turn :], *players[1 : 1 + turn]]
        half = len(line) // 2
        met = zip(line[:half], line[: half - 1 : -1], strict=True)
        meetings = [(a, b) for a, b in met if a is not None and b is not None]
        # Of a round that isn't needed whole, first those who sat out before.
        pairs += balanced_pairs(meetings, wanted - len(pairs), seed, *parts, use=use)
    return pairs


def _sided(a: int, b: int, seed: int, *parts: object) -> Pair:
    """Which of the two is canonically first: seeded, so that no place of the pool is always first."""
    low, high = min(a, b), max(a, b)
    return (low, high) if fraction(seed, *parts, "side", low, high) < 0.5 else (high, low)


def balanced_pairs(
    candidates: Iterable[Pair], wanted: int, seed: int, *parts: object, use: dict[int, int] | None = None
) -> list[Pair]:
    """`wanted` of the candidates, always next the pair whose indices were used least; ties are seeded.

    `use` counts how often each index was used, and is kept up: pass it on to go on evenly.
    """
    use = {} if use is None else use

    def weight(a: int, b: int) -> tuple[int, int]:
        return max(use.get(a, 0), use.get(b, 0)), use.get(a, 0) + use.get(b, 0)

    heap = [(weight(a, b), fraction(seed, *parts, "pair", a, b), a, b) for a, b in candidates]
    heapq.heapify(heap)
    chosen: list[Pair] = []
    while heap and len(chosen) < wanted:
        before, place_, a, b = heapq.heappop(heap)
        if (now := weight(a, b)) != before:
            # Weights only grow, so a stale one is put back and comes up again in time.
            heapq.heappush(heap, (now, place_, a, b))
            continue
        use[a], use[b] = use.get(a, 0) + 1, use.get(b, 0) + 1
        chosen.append(_sided(a, b, seed, *parts))
    return chosen


def strata(distances: Sequence[Sequence[float]]) -> dict[str, list[Pair]]:
    """All pairs (i < j) by distance in three parts of equal size: near, middle, far."""
    pairs = sorted(combinations(range(len(distances)), 2), key=lambda p: (distances[p[0]][p[1]], p))
    bounds = [round(len(pairs) * k / len(STRATA)) for k in range(len(STRATA) + 1)]
    return {name: pairs[low:high] for name, low, high in zip(STRATA, bounds, bounds[1:], strict=False)}


def strata_pairs(
    distances: Sequence[Sequence[float]],
    wanted: int,
    seed: int,
    *parts: object,
    taken: Collection[frozenset[int]] = (),
) -> dict[str, list[Pair]]:
    """`wanted` pairs that aren't taken, as many near as middling as far ones; of two over one is far, one near."""
    share = {name: wanted // len(STRATA) for name in STRATA}
    for name in ("far", "near")[: wanted % len(STRATA)]:
        share[name] += 1
    use: dict[int, int] = {}
    for pair in taken:
        for i in pair:
            use[i] = use.get(i, 0) + 1
    return {
        name: balanced_pairs(
            [pair for pair in pairs if frozenset(pair) not in taken], share[name], seed, *parts, name, use=use
        )
        for name, pairs in strata(distances).items()
    }


def equal_pairs(
    values: Sequence[float | None], delta: float, wanted: int, seed: int, *parts: object
) -> list[Pair]:
    """`wanted` pairs whose values differ by at most `delta`; an index without a value is in none."""
    known = [(i, v) for i, v in enumerate(values) if v is not None]
    close = [(i, j) for (i, v), (j, w) in combinations(known, 2) if abs(v - w) <= delta + 1e-9]
    return balanced_pairs(close, wanted, seed, *parts)


def sets(n: int, size: int, wanted: int, seed: int, *parts: object) -> list[tuple[int, ...]]:
    """`wanted` different sets of `size` out of n indices, each index about equally often."""
    use, seen, chosen = [0] * n, set[frozenset[int]](), list[tuple[int, ...]]()
    # A set that was there already is tried again; where there are no others, fewer come out.
    for attempt in range(20 * wanted if 0 < size <= n else 0):
        if len(chosen) == wanted:
            break
        order = sorted(range(n), key=lambda i: (use[i], fraction(seed, *parts, "set", attempt, i)))
        best = tuple(sorted(order[:size], key=lambda i: fraction(seed, *parts, "in", attempt, i)))
        if frozenset(best) in seen:
            best = _evenest(use, size, seen) or best
        if frozenset(best) not in seen:
            seen.add(frozenset(best))
            chosen.append(best)
            for i in best:
                use[i] += 1
    return chosen


# Where all sets number more, an order of the least used that is there already is tried again, and soon differs.
_LISTED = 5_000


def _evenest(use: Sequence[int], size: int, seen: Collection[frozenset[int]]) -> tuple[int, ...] | None:
    """The set not there yet that leaves the indices used most equally often."""
    if comb(len(use), size) > _LISTED:
        return None
    fresh = (s for s in combinations(range(len(use)), size) if frozenset(s) not in seen)
    return min(fresh, key=lambda s: sorted((use[i] for i in s), reverse=True), default=None)


def repeated(n: int, share: float, seed: int, *parts: object) -> list[int]:
    """Which of n items are shown a second time: the nearest whole number to their share, at least one if any."""
    wanted = max(1, round(n * share)) if share > 0 and n else 0
    return some(n, wanted, seed, *parts, "repeat")
