"""What a form says and what is stored are each other's way back, for every kind; keys of options."""

import pytest

from annotate.kinds import AnswerError, Kind, Value
from annotate.models import Criterion

SHOWN = [7, 3, 12]
SCALED: dict[Kind, tuple[int | None, int | None]] = {Kind.RATING: (1, 5), Kind.SIMILARITY: (0, 4)}


def criterion(kind: Kind, low: int | None = None, high: int | None = None) -> Criterion:
    low, high = (low, high) if high is not None else SCALED.get(kind, (None, None))
    return Criterion(pk=5, kind=kind, scale_low=low, scale_high=high)


@pytest.mark.parametrize(
    ("kind", "posted"),
    [
        (Kind.RATING, {"c5-7": "1", "c5-3": "5", "c5-12": "3"}),
        (Kind.PREFERENCE, {"c5": "3:2"}),
        (Kind.PREFERENCE, {"c5": "both_bad"}),
        (Kind.SIMILARITY, {"c5": "0"}),
        (Kind.RANKING, {"c5-7": "1", "c5-3": "1", "c5-12": "3"}),
        (Kind.GROUPING, {"c5-7": "2", "c5-3": "1", "c5-12": "2"}),
        (Kind.ODD_ONE_OUT, {"c5": "12"}),
        (Kind.NUMBER, {"c5": "2.5"}),
        (Kind.TEXT, {"c5": "many words"}),
    ],
)
def test_written_is_the_way_back_from_read(kind: Kind, posted: dict[str, str]) -> None:
    asked = criterion(kind)
    shown = SHOWN[:2] if kind in (Kind.PREFERENCE, Kind.SIMILARITY) else SHOWN
    rows = kind.read(asked, posted, shown)
    assert dict(kind.written(asked, row) for row in rows) == posted


def test_a_question_left_open_is_written_as_nothing() -> None:
    for kind in Kind:
        assert kind.written(criterion(kind), kind.blank(SHOWN))[1] == ""
    assert Kind.PREFERENCE.written(criterion(Kind.PREFERENCE), Value())[1] == ""


@pytest.mark.parametrize(
    ("low", "high", "keys"),
    [
        (1, 5, "1 2 3 4 5"),
        (0, 9, "0 1 2 3 4 5 6 7 8 9"),
        (1, 10, "1 2 3 4 5 6 7 8 9 0"),
        (0, 10, "0 1 2 3 4 5 6 7 8 9 -"),
        (-2, 2, "1 2 3 4 5"),
    ],
)
def test_every_point_of_a_short_scale_has_a_key(low: int, high: int, keys: str) -> None:
    (question,) = Kind.RATING.questions(criterion(Kind.RATING, low, high), [7])
    assert [option.key for option in question.options] == keys.split()


def test_a_long_scale_is_typed() -> None:
    (question,) = Kind.RATING.questions(criterion(Kind.RATING, 0, 100), [7])
    assert (question.options, question.typed, question.low, question.high) == ((), "number", 0, 100)


@pytest.mark.parametrize("kind", [Kind.RANKING, Kind.GROUPING])
def test_places_in_a_large_set_are_typed(kind: Kind) -> None:
    questions = kind.questions(criterion(kind), range(101, 151))
    assert len(questions) == 50
    assert {(q.typed, q.low, q.high) for q in questions} == {("number", 1, 50)}
    assert all(q.options for q in kind.questions(criterion(kind), range(101, 110)))


@pytest.mark.parametrize("number", [0, -1, 1, 17, 10**9])
def test_any_whole_number_names_a_group(number: float) -> None:
    Kind.GROUPING.check(criterion(Kind.GROUPING), Value(response=3, value=number), [3, 7, 12])


@pytest.mark.parametrize("number", [0.5, float("nan"), float("inf"), 1e18])
def test_what_is_no_whole_number_names_none(number: float) -> None:
    with pytest.raises(AnswerError, match="whole number"):
        Kind.GROUPING.check(criterion(Kind.GROUPING), Value(response=3, value=number), [3, 7, 12])


def test_the_odd_one_is_chosen_by_its_place_whatever_its_number() -> None:
    (question,) = Kind.ODD_ONE_OUT.questions(criterion(Kind.ODD_ONE_OUT), [3, 1, 2])
    assert [(o.value, o.key) for o in question.options] == [("3", "1"), ("1", "2"), ("2", "3")]
