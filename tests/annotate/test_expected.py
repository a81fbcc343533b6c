"""What a practice or gold item expects, against rows as a task page stores them."""

import pytest

from annotate.expected import met
from annotate.models import Answer, Criterion, Response

Row = tuple[str | None, float | None, str, str]


def rows(key: str, kind: str, *given: Row) -> list[Answer]:
    criterion = Criterion(key=key, kind=kind)
    return [
        Answer(
            criterion=criterion,
            response=Response(key=response) if response else None,
            value=value,
            label=label,
            text=text,
        )
        for response, value, label, text in given
    ]


def one(value: float | None = None, label: str = "", response: str | None = None, text: str = "") -> Row:
    return (response, value, label, text)


RATED = rows("q", "rating", one(4, response="a"), one(2, response="b"))
CHOSE_B = rows("best", "preference", one(2, response="b"))
BOTH_BAD = rows("best", "preference", one(0, "both_bad"))
PILES = rows(
    "piles",
    "grouping",
    one(3, response="a"),
    one(3, response="b"),
    one(1, response="c"),
    one(2, response="d"),
)
NO_PILES = rows("piles", "grouping", one(None, response="a"), one(None, response="b"))
ODD = rows("odd", "odd_one_out", one(1, response="c"))
RANKED = rows("rank", "ranking", one(1, response="a"), one(2, response="b"))


@pytest.mark.parametrize(
    ("expected", "given", "answer"),
    [
        ({"q": {"a": 4}}, RATED, True),
        ({"q": {"a": 4.0, "b": [1, 2]}}, RATED, True),
        ({"q": {"a": 4, "b": 1}}, RATED, False),
        ({"q": {"a": 4, "unknown": 2}}, RATED, False),
        ({"q": [2, 4]}, RATED, True),
        ({"q": 4}, RATED, False),  # a bare value holds for every response
        ({"best": "b"}, CHOSE_B, True),
        ({"best": "a"}, CHOSE_B, False),
        ({"best": ["a", "tie"]}, CHOSE_B, False),
        ({"best": 2}, CHOSE_B, False),  # strength is not what a preference expects
        ({"best": "both_bad"}, BOTH_BAD, True),
        ({"best": ["tie", "cannot_tell"]}, BOTH_BAD, False),
        ({"best": 0}, BOTH_BAD, False),
        ({"piles": {"a": 1, "b": 1, "c": 2}}, PILES, True),  # numbers of piles mean nothing
        ({"piles": {"a": 3, "b": 1, "c": 1}}, PILES, False),
        ({"piles": {"c": 1, "d": 1}}, PILES, False),
        ({"odd": "c"}, ODD, True),
        ({"odd": ["a", "b"]}, ODD, False),
        ({"odd": 1}, ODD, False),
        ({"rank": {"a": 1, "b": 2}}, RANKED, True),
        ({"rank": {"a": 2, "b": 1}}, RANKED, False),
        ({"n": [3, 4]}, rows("n", "number", one(3)), True),
        ({"n": 3}, rows("n", "number", one(None)), False),
        ({"word": "Banana"}, rows("word", "text", one(text=" banana ")), True),
        ({"word": "banana"}, rows("word", "text", one(text="bananas")), False),
        ({"alike": [4, 5]}, rows("alike", "similarity", one(5, response="a")), True),
        ({"alike": "a"}, rows("alike", "similarity", one(5, response="a")), False),
        ({"q": {"a": 4}, "best": "b"}, RATED + CHOSE_B, True),
        ({"q": {"a": 4}, "best": "a"}, RATED + CHOSE_B, False),
        ({"q": {"a": 4}, "best": "b"}, RATED, False),  # left open
        ({"piles": {"a": 1, "b": 1}}, NO_PILES, False),
    ],
)
def test_met(expected: dict[str, object], given: list[Answer], answer: bool) -> None:
    assert met(expected, given) is answer


@pytest.mark.parametrize("nothing", [None, {}, {"explain": "Read both."}])
def test_where_nothing_is_expected_nothing_is_met_or_missed(nothing: dict[str, object] | None) -> None:
    assert met(nothing, RATED) is None
