"""PURE: what is shown in which order. Everything follows from the study's seed, so it can be made again."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


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
