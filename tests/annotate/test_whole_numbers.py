import pytest

from annotate.whole_numbers import whole


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1), ("9" * 19, None), ("9" * 5_000, None)]
    + [(text, None) for text in ("", " 1", "-1", "1.0", "٣", "²", "x", "1_0", "\0")],
)
def test_whole_is_digits_that_a_database_holds(text: str, number: int | None) -> None:
    assert whole(text) == number
