"""A study.toml that is wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from annotate.folder.problems import Problem, quoted

from .small import STUDY, database, problems_of, small, write_folder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _database_as_before() -> Iterator[None]:
    before = database()
    yield
    assert database() == before


SETTINGS = [
    ('title = "Small"', "", "title: expected text of 1 to 300 characters, found nothing"),
    ('slug = "small"', 'slug = "a b"', 'slug: expected up to 100 letters, digits, - and _, found "a b"'),
    ("seats = 2", "seats = 0", "seats: expected a whole number from 1 to 32767, found 0"),
    ("seats = 2", 'seats = "2"', 'seats: expected a whole number from 1 to 32767, found "2"'),
    (
        "seed = 5",
        "sead = 5",
        "sead: expected one of the keys slug, title, seats, seed, simulated, instructions, consent, journey, page, "
        'panel, criterion, found "sead"',
    ),
    ("seed = 5", "journey = 3", "journey: expected a table, found 3"),
    ("seed = 5", "journey.minutes = 0", "journey, minutes: expected a whole number from 1 to 32767, found 0"),
    ("seed = 5", 'page.layout = "x"', 'page, layout: expected one of side_by_side, stacked, found "x"'),
    (
        "seed = 5",
        "page.sinc = true",
        "page, sinc: expected one of the keys layout, markup, sync_scroll, require_reading, allow_skip, allow_flag, "
        'allow_comment, edit_minutes, found "sinc"',
    ),
    (
        "seed = 5",
        'panel.codes = { done = "C1" }',
        'panel, codes: expected codes by finished, screened_out, no_consent, full, left, found "done"',
    ),
    (
        "seed = 5",
        'panel.return_url = "javascript:alert(1)"',
        'panel, return_url: expected an address with https, or nothing, found "javascript:alert(1)"',
    ),
    (
        "seed = 5",
        'journey.checks = [{ text = "?", options = ["a", "b"], right = 2 }]',
        "journey, check 1, right: expected the place of one of the 2 options, from 0, found 2",
    ),
    (
        "seed = 5",
        'journey.checks = [{ text = "?", options = ["a"], right = 0 }]',
        'journey, check 1, options: expected two texts or more, found ["a"]',
    ),
    ("seed = 5", "simulated = 1", "simulated: expected true or false, found 1"),
    (
        "scale = [1, 5]",
        "scael = [1, 5]",
        "criterion 1, scael: expected one of the keys key, on, kind, measures, text, scale, labels, choices, required, "
        'found "scael"',
    ),
    (
        'kind = "rating"',
        'kind = "stars"',
        "criterion 1, kind: expected one of rating, preference, similarity, ranking, grouping, odd_one_out, number, "
        'text, found "stars"',
    ),
    (
        'measures = "quality"',
        'measures = "taste"',
        'criterion 1, measures: expected one of quality, similarity, originality, found "taste"',
    ),
    (
        'on = "pair"\nkind = "preference"',
        'on = "set"\nkind = "preference"',
        'criterion better, on: expected pair, since this is a preference, found "set"',
    ),
    (
        'scale = [1, 5]\nlabels = { 1 = "poor", 5 = "great" }',
        "",
        "criterion quality, scale: expected two whole numbers, since this is a rating, found nothing",
    ),
    (
        'text = "Why?"',
        'text = "Why?"\nscale = [1, 2]',
        "criterion why, scale: expected none for a text, found [1, 2]",
    ),
    (
        "scale = [0, 4]",
        "scale = [4, 0]",
        "criterion alike, scale: expected two whole numbers, the lower first, found [4, 0]",
    ),
    (
        "scale = [0, 4]",
        "scale = [0, 4000000]",
        "criterion alike, scale: expected at most 1,001 points, found [0, 4000000]",
    ),
    ("1 = ", "0 = ", 'criterion quality, labels: expected points from 1 to 5, found "0"'),
    ('key = "why"', 'key = "odd"', 'criterion 8, key: expected each key once, found "odd" again'),
    (
        'key = "why"',
        'key = "a b"',
        'criterion 8, key: expected up to 100 letters, digits, - and _, found "a b"',
    ),
    *[
        (
            "seats = 2",
            before + ".".join([name] * 40_000) + after,
            "line 4: expected a key of few names, found a hundred with dots between",
        )
        for name in ("a", '"a b"', "'a'")
        for before, after in (("", " = 1"), ("[", "]"), ("page = {", " = 1}"))
    ],
    ("seats = 2", "seats = ", "line 4: expected TOML, found Invalid value at character 9"),
    (
        'title = "Small"',
        'title = "a\\u0000"',
        'title: expected text without NUL characters, found "a\\u0000"',
    ),
]


@pytest.mark.parametrize(("before", "after", "message"), SETTINGS, ids=range(len(SETTINGS)))
def test_settings_that_are_wrong(before: str, after: str, message: str, tmp_path: Path) -> None:
    assert before in STUDY
    folder = write_folder(tmp_path, small(), STUDY.replace(before, after, 1))
    [found] = problems_of(folder)
    assert found == f"study.toml, {message}"


def test_a_number_of_thousands_of_digits(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, small(), STUDY.replace("seats = 2", "seats = " + "9" * 5_000))
    assert problems_of(folder) == ["study.toml: expected numbers of few digits, found one of thousands"]


def test_settings_without_criteria_or_in_another_encoding(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, small(), STUDY.partition("[[")[0])
    assert problems_of(folder) == ["study.toml, criterion: expected one [[criterion]] or more, found nothing"]
    (folder / "study.toml").write_bytes(b'slug = "x"\ntitle = "\xe9"\n')
    assert problems_of(folder) == ["study.toml, line 2: expected UTF-8, found byte 0xe9"]


def test_every_kind_of_value_is_shown_short_and_printable() -> None:
    assert quoted("x" * 200) == '"' + "x" * 78 + "…"
    assert quoted({"a": "\ud800"}) == '{"a": "\\ud800"}'
    assert str(Problem("a.parquet", 3, "", "x", "y")) == "a.parquet, row 3: expected x, found y"
