"""Files that are cut short, in another form, missing or of another name."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotate.folder import Form, export_folder, load_folder

from .small import database, problems_of, small, write_folder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _database_as_before() -> Iterator[None]:
    before = database()
    yield
    assert database() == before


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
    [found] = problems_of(folder)
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
    assert f"prompts.csv, {message}" in problems_of(folder)


def test_a_csv_value_that_is_no_number(tmp_path: Path) -> None:
    tables = {name: rows for name, rows in small().items() if name != "answers"}
    folder = write_folder(tmp_path, tables)
    (folder / "answers.csv").write_text(
        "item_id,annotator_id,criterion,response_id,value\none,ann,quality,r1,four\n"
    )
    assert problems_of(folder) == [
        'answers.csv, line 2, value: expected a finite number or null, found "four"'
    ]


GZIPPED = gzip.compress(b'{"prompt_id": "p1", "text": ""}\n', mtime=0)


def test_a_gzip_file_cut_short(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, small())
    plain = (folder / "answers.jsonl").read_bytes() * 500
    (folder / "answers.jsonl").unlink()
    (folder / "answers.jsonl.gz").write_bytes(gzip.compress(plain)[:-20])
    last = problems_of(folder)[-1]
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
    [message] = problems_of(folder)
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
    [message] = problems_of(tmp_path / "out")
    what = "gzip" if form.gzip else "parquet"
    assert message.startswith(f"{path.name}, row 1: expected a whole {what} file, found ")


def test_missing_files_are_named_together(tmp_path: Path) -> None:
    where = f"expected this file (or .csv, .parquet, .gz) in {tmp_path}, found nothing"
    assert problems_of(tmp_path) == [
        f"prompts.jsonl: {where}",
        f"responses.jsonl: {where}",
        f"items.jsonl: {where}",
        f"study.toml: expected a file in {tmp_path}, found nothing",
    ]
    assert problems_of(tmp_path / "no") == [f"{tmp_path / 'no'}: expected a folder, found nothing"]


def test_missing_items_are_named(tmp_path: Path) -> None:
    tables = small()
    del tables["items"]
    assert problems_of(write_folder(tmp_path, tables)) == [
        "items.jsonl: expected this file, unless each item_id of answers.jsonl is a response_id, "
        'found "one" on line 1, and no items'
    ]


def test_two_files_of_one_table(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, small())
    (folder / "items.csv.gz").write_bytes(gzip.compress(b""))
    assert problems_of(folder) == ["items.jsonl: expected one file of items, found items.csv.gz beside it"]


def test_a_name_that_is_nearly_right(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, small())
    (folder / "scores.old.csv").touch()
    (folder / "codebook.csv").touch()
    (folder / "Score.csv").touch()
    assert problems_of(folder) == ['Score.csv: expected the name scores.csv, found "Score.csv"']
