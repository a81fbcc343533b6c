"""What a form says and what is stored are each other's way back, for every kind; keys of options."""

import pytest

from annotate.kinds import KINDS, AnswerError, Value
from annotate.models import Criterion

SHOWN = [7, 3, 12]


def criterion(kind: str, low: int | None = None, high: int | None = None) -> Criterion:
    if high is None and KINDS[kind].scaled:
        low, high = 0, 5
    return Criterion(pk=5, kind=kind, scale_low=low, scale_high=high)


@pytest.mark.parametrize(
    ("kind", "posted"),
    [
        ("rating", {"c5-7": "1", "c5-3": "5", "c5-12": "3"}),
        ("preference", {"c5": "3:2"}),
        ("preference", {"c5": "both_bad"}),
        ("similarity", {"c5": "0"}),
        ("ranking", {"c5-7": "1", "c5-3": "1", "c5-12": "3"}),
        ("grouping", {"c5-7": "2", "c5-3": "1", "c5-12": "2"}),
        ("odd_one_out", {"c5": "12"}),
        ("number", {"c5": "2.5"}),
        ("text", {"c5": "many words"}),
    ],
)
def test_written_is_the_way_back_from_read(kind: str, posted: dict[str, str]) -> None:
    asked = criterion(kind)
    shown = SHOWN[:2] if kind in ("preference", "similarity") else SHOWN
    rows = KINDS[kind].read(asked, posted, shown)
    assert dict(KINDS[kind].written(asked, row) for row in rows) == posted


def test_a_question_left_open_is_written_as_nothing() -> None:
    for name, kind in KINDS.items():
        assert kind.written(criterion(name), kind.blank(SHOWN))[1] == ""
    assert KINDS["preference"].written(criterion("preference"), Value())[1] == ""


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
    (question,) = KINDS["rating"].questions(criterion("rating", low, high), [7])
    assert [option.key for option in question.options] == keys.split()


def test_a_long_scale_is_typed() -> None:
    (question,) = KINDS["rating"].questions(criterion("rating", 0, 100), [7])
    assert (question.options, question.typed, question.low, question.high) == ((), "number", 0, 100)


@pytest.mark.parametrize("kind", ["ranking", "grouping"])
def test_places_in_a_large_set_are_typed(kind: str) -> None:
    questions = KINDS[kind].questions(criterion(kind), range(101, 151))
    assert len(questions) == 50
    assert {(q.typed, q.low, q.high) for q in questions} == {("number", 1, 50)}
    assert all(q.options for q in KINDS[kind].questions(criterion(kind), range(101, 110)))


@pytest.mark.parametrize("number", [0, -1, 1, 17, 10**9])
def test_any_whole_number_names_a_group(number: float) -> None:
    KINDS["grouping"].check(criterion("grouping"), Value(response=3, value=number), [3, 7, 12])


@pytest.mark.parametrize("number", [0.5, float("nan"), float("inf"), 1e18])
def test_what_is_no_whole_number_names_none(number: float) -> None:
    with pytest.raises(AnswerError, match="whole number"):
        KINDS["grouping"].check(criterion("grouping"), Value(response=3, value=number), [3, 7, 12])


def test_the_odd_one_is_chosen_by_its_place_whatever_its_number() -> None:
    (question,) = KINDS["odd_one_out"].questions(criterion("odd_one_out"), [3, 1, 2])
    assert [(o.value, o.key) for o in question.options] == [("3", "1"), ("1", "2"), ("2", "3")]
