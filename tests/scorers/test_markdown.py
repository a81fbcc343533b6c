"""What counts as a header, a list item and a bold passage: checked against a parser of CommonMark."""

import numpy as np
import pytest

from judging.scorers.markdown import MARKS, markdown_marks

TEXTS = [
    ("", (0, 0, 0)),
    ("plain words, 3 of them * and # too", (0, 0, 0)),
    ("# One\n\n## Two ##\n\ntext\n\n###### six", (3, 0, 0)),
    ("#hashtag\n\n####### seven", (0, 0, 0)),
    ("- a\n- b\n  - c\n\n1. d\n2) e", (0, 5, 0)),
    ("-no item\n\n1.5 liters", (0, 0, 0)),
    ("some **bold** and __more__ words", (0, 0, 2)),
    ("2 ** 3 ** 4 and snake__case__name", (0, 0, 0)),
    ("# **Title**\n\n* **a**: b\n* c", (1, 2, 2)),
]


@pytest.mark.parametrize(("text", "counts"), TEXTS)
def test_marks_are_counted(text: str, counts: tuple[int, int, int]) -> None:
    assert markdown_marks([text])[0] == pytest.approx(np.log1p(counts))


@pytest.mark.parametrize("text", [t for t, _ in TEXTS])
def test_marks_equal_those_of_a_parser(text: str) -> None:
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark")
    tokens = parser.parse(text)
    inline = [child for token in tokens for child in token.children or []]
    types = [token.type for token in (*tokens, *inline)]
    expected = [types.count(kind) for kind in ("heading_open", "list_item_open", "strong_open")]
    assert np.expm1(markdown_marks([text])[0]) == pytest.approx(expected)


def test_no_text_has_a_row_of_its_own() -> None:
    assert markdown_marks([]).shape == (0, len(MARKS))
    assert markdown_marks(["- a", "b"]).shape == (2, 3)
