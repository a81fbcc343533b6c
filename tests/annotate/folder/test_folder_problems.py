"""Whatever is wrong is told with file, line, column, what was expected and found; the database stays as it was."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .small import Row, Tables, database, problems_of, small, write_folder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _database_as_before() -> Iterator[None]:
    before = database()
    yield
    assert database() == before


ANSWER: Row = {
    "item_id": "one",
    "annotator_id": "ann",
    "criterion": "quality",
    "response_id": "r1",
    "value": 3,
}
PAIR: Row = {"item_id": "two", "annotator_id": "bob", "criterion": "better", "value": 1, "response_id": "r1"}
ALIKE: Row = {**PAIR, "criterion": "alike", "other_id": "r2"}
RANK: Row = {"item_id": "set", "annotator_id": "bob", "criterion": "rank", "response_id": "r1", "value": 1}
COLUMNS = (
    "item_id, annotator_id, criterion, response_id, other_id, value, label, text, shown, opened_at, submitted_at, "
    "active_ms, revision, excluded, first_ms, changes, looked, read_to_end, flag, comment"
)
ONE_ANSWER = "one answer for each item, annotator, criterion, response and revision"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**ANSWER, "value": 7}, "value: expected a whole number from 1 to 5, found 7"),
        ({**ANSWER, "value": 2.5}, "value: expected a whole number from 1 to 5, found 2.5"),
        ({**ANSWER, "value": "4"}, 'value: expected a finite number or null, found "4"'),
        ({**ANSWER, "value": True}, "value: expected a finite number or null, found true"),
        ({**ANSWER, "value": 10**400}, "value: expected a finite number or null, found 1" + "0" * 78 + "…"),
        ({**ANSWER, "valeu": 4}, f'valeu: expected one of the columns {COLUMNS}, found "valeu"'),
        ({**ANSWER, "valeu": None}, f'valeu: expected one of the columns {COLUMNS}, found "valeu"'),
        ({**ANSWER, "item_id": "no"}, 'item_id: expected an item_id of items, found "no"'),
        ({**ANSWER, "item_id": None}, "item_id: expected an id of 1 to 200 characters, found nothing"),
        ({**ANSWER, "item_id": ""}, 'item_id: expected an id of 1 to 200 characters, found ""'),
        ({**ANSWER, "item_id": 5}, "item_id: expected an id of 1 to 200 characters, found 5"),
        (
            {**ANSWER, "annotator_id": "cy"},
            'annotator_id: expected an annotator_id of annotators, found "cy"',
        ),
        (
            {**ANSWER, "criterion": "taste"},
            'criterion: expected one of quality, better, alike, piles, rank, odd, ideas, why, found "taste"',
        ),
        (
            {**ANSWER, "criterion": "better"},
            'criterion: expected a criterion on a single, found "better", on a pair',
        ),
        ({**ANSWER, "response_id": "r2"}, 'response_id: expected a response that the item shows, found "r2"'),
        (
            {**ANSWER, "response_id": None},
            "response_id: expected a response of the item, since this is a rating, found nothing",
        ),
        ({**ANSWER, "label": "tie"}, 'label: expected none, since only a preference has one, found "tie"'),
        ({**ANSWER, "text": "so"}, 'text: expected none for a rating, found "so"'),
        ({**ANSWER, "text": "a\0b"}, 'text: expected text without NUL characters, found "a\\u0000b"'),
        ({**ANSWER, "text": "\ud83d"}, 'text: expected text without lone surrogates, found "\\ud83d"'),
        ({**ANSWER, "shown": ["r2"]}, 'shown: expected ["r1"] in some order, found ["r2"]'),
        ({**ANSWER, "shown": "r1"}, 'shown: expected a list of response ids, found "r1"'),
        ({**ANSWER, "opened_at": "yesterday"}, 'opened_at: expected an ISO 8601 time, found "yesterday"'),
        ({**ANSWER, "opened_at": "2026-11-22"}, 'opened_at: expected an ISO 8601 time, found "2026-11-22"'),
        (
            {**ANSWER, "opened_at": "0001-01-01T00:00:00+23:59"},
            'opened_at: expected an ISO 8601 time, found "0001-01-01T00:00:00+23:59"',
        ),
        ({**ANSWER, "opened_at": 1700000000}, "opened_at: expected an ISO 8601 time, found 1700000000"),
        (
            {**ANSWER, "opened_at": "2026-11-22T10:00:00Z", "submitted_at": "2026-11-22T09:59:59Z"},
            'submitted_at: expected a time not before 2026-11-22T10:00:00Z, found "2026-11-22T09:59:59Z"',
        ),
        (
            {**ANSWER, "active_ms": -1},
            "active_ms: expected a whole number from 0 to 9223372036854775807, found -1",
        ),
        (
            {**ANSWER, "active_ms": 0.5},
            "active_ms: expected a whole number from 0 to 9223372036854775807, found 0.5",
        ),
        ({**ANSWER, "revision": 0}, "revision: expected a whole number from 1 to 32767, found 0"),
        (
            {**PAIR, "value": 3},
            "value: expected 1 (slightly) or 2 (much) where a response is preferred, found 3",
        ),
        (
            {**PAIR, "value": 0, "response_id": None, "label": "draw"},
            'label: expected one of tie, both_good, both_bad, cannot_tell, found "draw"',
        ),
        ({**ALIKE, "other_id": "r1"}, 'other_id: expected the other response of the pair, found "r1"'),
        ({**ALIKE, "value": 5}, "value: expected a whole number from 0 to 4, found 5"),
        ({**RANK, "value": 4}, "value: expected a whole number from 1 to 3, found 4"),
        ({**RANK, "other_id": "r2"}, 'other_id: expected none for a ranking, found "r2"'),
    ],
)
def test_an_answer_that_is_wrong(row: Row, message: str, tmp_path: Path) -> None:
    tables = small()
    lines = [json.dumps(row) + "\n" for row in (tables.pop("answers")[1], row)]
    (tmp_path / "answers.jsonl").write_text("".join(lines))
    write_folder(tmp_path, tables)
    assert problems_of(tmp_path) == [f"answers.jsonl, line 2, {message}"]


def change(table: str, **columns: object) -> Callable[[Tables], None]:
    return lambda tables: tables[table][-1].update(columns)


def again(table: str, **columns: object) -> Callable[[Tables], None]:
    return lambda tables: tables[table].append({**tables[table][-1], **columns})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (again("prompts"), 'prompts.jsonl, line 3, prompt_id: expected each id once, found "p2" again'),
        (
            again("responses"),
            'responses.jsonl, line 6, response_id: expected each id once, found "other" again',
        ),
        (again("items"), 'items.jsonl, line 4, item_id: expected each id once, found "set" again'),
        (
            again("annotators"),
            'annotators.jsonl, line 3, annotator_id: expected each id once, found "bob" again',
        ),
        (
            again("answers"),
            f"answers.jsonl, line 4, criterion: expected {ONE_ANSWER}, found another one, after line 3",
        ),
        (
            again("answers", response_id="r1", value=1, label=None),
            f"answers.jsonl, line 4, criterion: expected {ONE_ANSWER}, found another one, after line 3",
        ),
        (
            again("answers", criterion="alike", response_id="r1", other_id="r2", label=None, active_ms=3),
            "answers.jsonl, line 4, active_ms: expected the same as on line 3, for one item and annotator (nothing), "
            "found 3",
        ),
        (
            again("answers", criterion="alike", response_id="r1", other_id="r2", label=None, excluded="fast"),
            "answers.jsonl, line 4, excluded: expected the same as on line 3, for one item and annotator (nothing), "
            'found "fast"',
        ),
        (
            again("answers", revision=2, shown=["r2", "r1"]),
            "answers.jsonl, line 4, shown: expected the same as on line 3, for one item and annotator (nothing), "
            'found ["r2", "r1"]',
        ),
        (
            change("prompts", language="English, please"),
            'prompts.jsonl, line 2, language: expected a BCP 47 language, found "English, please"',
        ),
        (
            change("prompts", category="x"),
            'prompts.jsonl, line 2, category: expected a list of strings, found "x"',
        ),
        (change("prompts", text=None), "prompts.jsonl, line 2, text: expected text, found nothing"),
        (
            change("responses", prompt_id="p9"),
            'responses.jsonl, line 5, prompt_id: expected a prompt_id of prompts, found "p9"',
        ),
        (change("responses", params=[1]), "responses.jsonl, line 5, params: expected an object, found [1]"),
        (
            change("responses", params={"a": ["\0"]}),
            'responses.jsonl, line 5, params: expected text without NUL characters, found {"a": ["\\u0000"]}',
        ),
        (
            change("responses", params={"a": 1e999}),
            "responses.jsonl, line 5: expected a JSON object, found Infinity",
        ),
        (
            change("responses", sample=2**31),
            "responses.jsonl, line 5, sample: expected a whole number from -2147483648 to 2147483647, found 2147483648",
        ),
        (
            change("responses", source="s" * 201),
            f'responses.jsonl, line 5, source: expected text of 1 to 200 characters, found "{"s" * 78}…',
        ),
        (
            change("items", kind="trio"),
            'items.jsonl, line 3, kind: expected one of single, pair, set, found "trio"',
        ),
        (
            change("items", response_ids=["r1", "r2"]),
            "items.jsonl, line 3, response_ids: expected 3 to 50 for a set, found 2",
        ),
        (
            change("items", response_ids=["r1", "r2", "r2"]),
            'items.jsonl, line 3, response_ids: expected each response once, found ["r1", "r2", "r2"]',
        ),
        (
            change("items", response_ids=["r1", "r2", "other"]),
            'items.jsonl, line 3, response_ids: expected responses to the prompt "p1", found "other"',
        ),
        (
            change("items", response_ids=["r1", "r2", "r9"]),
            'items.jsonl, line 3, response_ids: expected ids of responses, found "r9"',
        ),
        (
            change("items", role="trial"),
            'items.jsonl, line 3, role: expected one of main, practice, gold, repeat, found "trial"',
        ),
        (
            change("items", expected={"odd": "r1"}),
            'items.jsonl, line 3, expected: expected none for a main item, found {"odd": "r1"}',
        ),
        (
            change("items", role="repeat"),
            "items.jsonl, line 3, repeat_of: expected an item_id, found nothing",
        ),
        (
            change("items", repeat_of="one"),
            'items.jsonl, line 3, repeat_of: expected none for a main item, found "one"',
        ),
        (
            change("items", role="repeat", repeat_of="set"),
            'items.jsonl, line 3, repeat_of: expected the item_id of another item, found "set"',
        ),
        (
            change("items", role="repeat", repeat_of="no"),
            'items.jsonl, line 3, repeat_of: expected the item_id of another item, found "no"',
        ),
        (
            change("annotators", note="\0"),
            'annotators.jsonl, line 2, note: expected text without NUL characters, found "\\u0000"',
        ),
    ],
)
def test_a_row_that_is_wrong(spoil: Callable[[Tables], None], message: str, tmp_path: Path) -> None:
    tables = small()
    spoil(tables)
    assert problems_of(write_folder(tmp_path, tables)) == [message]


def test_what_refers_to_a_wrong_row_is_no_problem_again(tmp_path: Path) -> None:
    tables = small()
    tables["prompts"][0]["language"] = "?"
    assert problems_of(write_folder(tmp_path, tables)) == [
        'prompts.jsonl, line 1, language: expected a BCP 47 language, found "?"'
    ]


def test_twenty_problems_and_a_count(tmp_path: Path) -> None:
    tables = small()
    tables["answers"] = [{**ANSWER, "annotator_id": "ann", "revision": n, "value": 9} for n in range(1, 1235)]
    lines = problems_of(write_folder(tmp_path, tables))
    assert len(lines) == 21
    assert lines[19:] == [
        "answers.jsonl, line 20, value: expected a whole number from 1 to 5, found 9",
        "and 1,214 more",
    ]


def test_an_unknown_column_is_told_once(tmp_path: Path) -> None:
    tables = small()
    tables["responses"] = [{**row, "modle": "x"} for row in tables["responses"]]
    assert problems_of(write_folder(tmp_path, tables)) == [
        "responses.jsonl, line 1, modle: expected one of the columns response_id, prompt_id, text, source, sample, "
        'params, held_back, found "modle"'
    ]
