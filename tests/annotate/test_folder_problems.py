"""Whatever is wrong is told with file, line, column, what was expected and found; the database stays as it was."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from annotate.folder import FolderError, Form, export_folder, load_folder
from annotate.folder.problems import Problem, quoted

from .test_folder import STUDY, Row, Tables, database, small, write_folder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _database_as_before() -> Iterator[None]:
    before = database()
    yield
    assert database() == before


def told(folder: Path) -> list[str]:
    with pytest.raises(FolderError) as caught:
        load_folder(folder)
    return str(caught.value).split("\n")


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
    "active_ms, revision, excluded, first_ms, changes, looked, flag, comment"
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
    assert told(tmp_path) == [f"answers.jsonl, line 2, {message}"]


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
    assert told(write_folder(tmp_path, tables)) == [message]


def test_what_refers_to_a_wrong_row_is_no_problem_again(tmp_path: Path) -> None:
    tables = small()
    tables["prompts"][0]["language"] = "?"
    assert told(write_folder(tmp_path, tables)) == [
        'prompts.jsonl, line 1, language: expected a BCP 47 language, found "?"'
    ]


def test_twenty_problems_and_a_count(tmp_path: Path) -> None:
    tables = small()
    tables["answers"] = [{**ANSWER, "annotator_id": "ann", "revision": n, "value": 9} for n in range(1, 1235)]
    lines = told(write_folder(tmp_path, tables))
    assert len(lines) == 21
    assert lines[19:] == [
        "answers.jsonl, line 20, value: expected a whole number from 1 to 5, found 9",
        "and 1,214 more",
    ]


def test_an_unknown_column_is_told_once(tmp_path: Path) -> None:
    tables = small()
    tables["responses"] = [{**row, "modle": "x"} for row in tables["responses"]]
    assert told(write_folder(tmp_path, tables)) == [
        "responses.jsonl, line 1, modle: expected one of the columns response_id, prompt_id, text, source, sample, "
        'params, held_back, found "modle"'
    ]


LINES = [
    (b"[1, 2]", "line 2: expected a JSON object, found [1, 2]"),
    (b'{"prompt_id": "p2"', "line 2: expected a JSON object, found Expecting ',' delimiter at character 19"),
    (b'{"prompt_id": "p2", "text": "\xff"}', "line 2: expected UTF-8, found byte 0xff at place 30"),
    (
        b'{"prompt_id": "p2", "text": "", "text": ""}',
        "line 2, text: expected each column once, found it twice",
    ),
    (b'{"prompt_id": "p2", "text": NaN}', "line 2: expected a JSON object, found NaN"),
    (b'{"text":' + b"[" * 100_000, "line 2: expected a JSON object, found maximum recursion depth exceeded"),
]


@pytest.mark.parametrize(("line", "message"), LINES, ids=range(len(LINES)))
def test_a_line_that_is_no_json(line: bytes, message: str, tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path, {**small(), "responses": [], "items": [], "answers": [], "annotators": []}
    )
    (folder / "prompts.jsonl").write_bytes(b'{"prompt_id": "p1", "text": ""}\n' + line + b"\n\n")
    [found] = told(folder)
    assert found.startswith(f"prompts.jsonl, {message}")


CSVS = [
    (b"prompt_id,text\r\np1,a,b\r\n", "line 2: expected 2 cells, as in the header, found 3"),
    (b'prompt_id,text\r\np1,"a\r\nb"\r\np2\r\n', "line 4: expected 2 cells, as in the header, found 1"),
    (b'prompt_id,text\r\np1,"a\r\nb', "line 3: expected a CSV row, found unexpected end of data"),
    (b'prompt_id,text\r\np1,"a"b\r\n', "line 2: expected a CSV row, found ',' expected after '\"'"),
    (b"prompt_id,text,text\r\n", 'line 1: expected a header that names each column once, found "text"'),
    (b"prompt_id,text\r\np1,\xe9\r\n", "line 2: expected UTF-8, found byte 0xe9 at place 4"),
    (b"prompt_id,text,category\r\np1,,[1\r\n", 'line 2, category: expected a list of strings, found "[1"'),
    (
        b"prompt_id;text\r\np1;x\r\n",
        "line 2, prompt_id;text: expected one of the columns prompt_id, text, language, category, "
        'found "prompt_id;text"',
    ),
]


@pytest.mark.parametrize(("content", "message"), CSVS, ids=range(len(CSVS)))
def test_a_csv_file_that_is_wrong(content: bytes, message: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {name: [] for name in ("responses", "items", "answers")})
    (folder / "prompts.csv").write_bytes(content)
    assert f"prompts.csv, {message}" in told(folder)


def test_a_csv_value_that_is_no_number(tmp_path: Path) -> None:
    tables = {name: rows for name, rows in small().items() if name != "answers"}
    folder = write_folder(tmp_path, tables)
    (folder / "answers.csv").write_text(
        "item_id,annotator_id,criterion,response_id,value\none,ann,quality,r1,four\n"
    )
    assert told(folder) == ['answers.csv, line 2, value: expected a finite number or null, found "four"']


GZIPPED = gzip.compress(b'{"prompt_id": "p1", "text": ""}\n', mtime=0)


def test_a_gzip_file_cut_short(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, small())
    plain = (folder / "answers.jsonl").read_bytes() * 500
    (folder / "answers.jsonl").unlink()
    (folder / "answers.jsonl.gz").write_bytes(gzip.compress(plain)[:-20])
    last = told(folder)[-1]
    assert last.startswith(("answers.jsonl.gz, line ", "and "))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (GZIPPED[:-6], "Compressed file ended before the end-of-stream marker was reached"),
        (b'{"prompt_id"', "Not a gzipped file (b'{\"')"),
        (b"", "an empty file"),
    ],
)
def test_no_whole_gzip_file(content: bytes, found: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {name: [] for name in ("responses", "items", "answers")})
    (folder / "prompts.jsonl.gz").write_bytes(content)
    [message] = told(folder)
    assert message.startswith("prompts.jsonl.gz, line ")
    assert message.endswith(f": expected a whole gzip file, found {found}")


@pytest.mark.parametrize("form", [Form("parquet"), Form("parquet", gzip=True)], ids=str)
@pytest.mark.parametrize("cut", [0.0, 0.5, 0.99])
def test_a_parquet_file_cut_short(form: Form, cut: float, tmp_path: Path) -> None:
    from django.db import transaction

    with transaction.atomic():
        study = load_folder(write_folder(tmp_path / "in", small())).study
        export_folder(study, tmp_path / "out", form)
        transaction.set_rollback(True)
    path = next((tmp_path / "out").glob("items.*"))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * cut)])
    [message] = told(tmp_path / "out")
    what = "gzip" if form.gzip else "parquet"
    assert message.startswith(f"{path.name}, row 1: expected a whole {what} file, found ")


def test_missing_files_are_named_together(tmp_path: Path) -> None:
    where = f"expected this file (or .csv, .parquet, .gz) in {tmp_path}, found nothing"
    assert told(tmp_path) == [
        f"prompts.jsonl: {where}",
        f"responses.jsonl: {where}",
        f"items.jsonl: {where}",
        f"study.toml: expected a file in {tmp_path}, found nothing",
    ]
    assert told(tmp_path / "no") == [f"{tmp_path / 'no'}: expected a folder, found nothing"]


def test_missing_items_are_named(tmp_path: Path) -> None:
    tables = small()
    del tables["items"]
    assert told(write_folder(tmp_path, tables)) == [
        "items.jsonl: expected this file, unless each item_id of answers.jsonl is a response_id, "
        'found "one" on line 1, and no items'
    ]


def test_two_files_of_one_table(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, small())
    (folder / "items.csv.gz").write_bytes(gzip.compress(b""))
    assert told(folder) == ["items.jsonl: expected one file of items, found items.csv.gz beside it"]


def test_a_name_that_is_nearly_right(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, small())
    (folder / "scores.old.csv").touch()
    (folder / "codebook.csv").touch()
    (folder / "Score.csv").touch()
    assert told(folder) == ['Score.csv: expected the name scores.csv, found "Score.csv"']


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
        "page, sinc: expected one of the keys layout, markup, sync_scroll, allow_skip, allow_flag, "
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
        "criterion 1, scael: expected one of the keys key, on, kind, measures, text, scale, labels, required, "
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
    [found] = told(folder)
    assert found == f"study.toml, {message}"


def test_settings_without_criteria_or_in_another_encoding(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, small(), STUDY.partition("[[")[0])
    assert told(folder) == ["study.toml, criterion: expected one [[criterion]] or more, found nothing"]
    (folder / "study.toml").write_bytes(b'slug = "x"\ntitle = "\xe9"\n')
    assert told(folder) == ["study.toml, line 2: expected UTF-8, found byte 0xe9"]


def test_every_kind_of_value_is_shown_short_and_printable() -> None:
    assert quoted("x" * 200) == '"' + "x" * 78 + "…"
    assert quoted({"a": "\ud800"}) == '{"a": "\\ud800"}'
    assert str(Problem("a.parquet", 3, "", "x", "y")) == "a.parquet, row 3: expected x, found y"


def test_a_folder_that_someone_else_filled_is_not_overwritten(tmp_path: Path) -> None:
    from django.db import transaction

    with transaction.atomic():
        study = load_folder(write_folder(tmp_path / "in", small())).study
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "notes.txt").write_text("mine")
        with pytest.raises(FolderError, match=r'an earlier export, or nothing, found "notes.txt" in it'):
            export_folder(study, tmp_path / "mine")
        with pytest.raises(FolderError, match=r'found "annotators.jsonl" and 5 more in it'):
            export_folder(study, tmp_path / "in")
        with pytest.raises(FolderError, match="found a file"):
            export_folder(study, tmp_path / "mine" / "notes.txt")
        export_folder(study, tmp_path / "out")
        (tmp_path / "out" / "notes.txt").write_text("mine")
        with pytest.raises(FolderError, match=r'found "notes.txt" in it'):
            export_folder(study, tmp_path / "out")
        transaction.set_rollback(True)
    assert {path.name for path in tmp_path.iterdir()} == {"in", "mine", "out"}


def test_an_export_that_fails_leaves_the_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import transaction

    from annotate.folder import export

    with transaction.atomic():
        study = load_folder(write_folder(tmp_path / "in", small())).study
        export_folder(study, tmp_path / "out")
        before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
        monkeypatch.setattr(export, "_items", lambda study: iter(()))
        with pytest.raises(FolderError, match=r"items.csv: expected 3 rows, as in the database, found 0"):
            export_folder(study, tmp_path / "out", Form("csv"))
        transaction.set_rollback(True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out"}


def test_an_earlier_export_is_replaced_whole(tmp_path: Path) -> None:
    from django.db import transaction

    with transaction.atomic():
        study = load_folder(write_folder(tmp_path / "in", small())).study
        export_folder(study, tmp_path / "out")
        export_folder(study, tmp_path / "out", Form("csv", gzip=True))
        transaction.set_rollback(True)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "annotators.csv.gz",
        "answers.csv.gz",
        "items.csv.gz",
        "manifest.json",
        "prompts.csv.gz",
        "responses.csv.gz",
        "study.toml",
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out"}
