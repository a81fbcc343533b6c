"""Scores in the folder, imported by themselves, and out again; round trips of the demo and of real data."""

import gzip
import json
from pathlib import Path

import pytest

from annotate.folder import FolderError, Form
from annotate.folder.replace import remove_study
from annotate.models import Study
from judging.folder.scores import Scores, export_folder, import_scores, load_folder
from judging.models import Embedding, Score, ScoreRun, Verdict
from tests.annotate.folder.small import Row, Tables, assert_same, database, read_tables, small, write_folder

pytestmark = pytest.mark.django_db

DEMO = Path(__file__).parents[3] / "fixtures" / "demo"
SCORES: list[Row] = [
    {"scorer": "length", "response_id": "r1", "value": 0.1},
    {"scorer": "length", "response_id": "r2", "value": None},
    {"scorer": "length", "response_id": "r1", "value": 12, "version": "2"},
    {"scorer": "judge", "item_id": "two", "response_id": "r2", "value": 1},
    {"scorer": "other judge", "item_id": "two", "response_id": None, "value": 0},
]
COLUMNS = "scorer, item_id, response_id, value, version"


def scored() -> Tables:
    return {**small(), "scores": [dict(row) for row in SCORES]}


@pytest.fixture
def loaded(tmp_path: Path) -> Study:
    return load_folder(write_folder(tmp_path / "first", scored())).study


def told(folder: Path) -> list[str]:
    before = database()
    with pytest.raises(FolderError) as caught:
        load_folder(folder)
    assert database() == before
    return str(caught.value).split("\n")


def test_scores_become_runs_scores_and_verdicts(loaded: Study) -> None:
    assert sorted(str(run) for run in ScoreRun.objects.all()) == [
        "judge",
        "length",
        "length 2",
        "other judge",
    ]
    assert Score.objects.get(run__version="2").value == 12
    assert Score.objects.get(response__key="r2").value is None
    assert Verdict.objects.get(run__scorer="judge").winner.key == "r2"  # type: ignore[union-attr]
    assert Verdict.objects.get(run__scorer="other judge").winner is None
    assert not ScoreRun.objects.filter(computed_here=True).exists()


@pytest.mark.parametrize(
    "form", [Form(n, z) for n in ("jsonl", "csv", "parquet") for z in (False, True)], ids=str
)
def test_scores_come_back_as_they_were(loaded: Study, form: Form, tmp_path: Path) -> None:
    export_folder(loaded, tmp_path / "out", form)
    Scores().remove(loaded)
    remove_study(loaded)
    study = load_folder(tmp_path / "out").study
    assert export_folder(study, tmp_path / "again").rows["scores"] == 5
    assert_same(read_tables(tmp_path / "again"), scored())


def test_loading_again_changes_nothing(loaded: Study, tmp_path: Path) -> None:
    before = database()
    assert load_folder(tmp_path / "first").new["scores"] == 0
    assert load_folder(tmp_path / "first", replace=True).new["scores"] == 5
    assert database() == before | {"TrailEntry": before["TrailEntry"] + 1}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"scorer": "x", "response_id": "r9", "value": 1},
            'response_id: expected a response_id of responses, found "r9"',
        ),
        (
            {"scorer": "x", "value": 1},
            "response_id: expected a response_id, or an item_id for a pairwise judge, found nothing",
        ),
        ({"scorer": "x", "item_id": "no", "value": 1}, 'item_id: expected an item_id of items, found "no"'),
        (
            {"scorer": "x", "item_id": "one", "value": 1},
            'item_id: expected a pair, found "one", which is none',
        ),
        (
            {"scorer": "x", "item_id": "two", "response_id": "r3", "value": 1},
            'response_id: expected one of "r1", "r2", or null for a tie, found "r3"',
        ),
        ({"scorer": "", "response_id": "r1"}, 'scorer: expected text of 1 to 200 characters, found ""'),
        (
            {"scorer": "x", "response_id": "r1", "value": "1"},
            'value: expected a number between -1e100 and 1e100, found "1"',
        ),
        (
            {"scorer": "x", "response_id": "r1", "vlaue": 1},
            f'vlaue: expected one of the columns {COLUMNS}, found "vlaue"',
        ),
        (
            SCORES[0],
            "scorer: expected one score for each scorer, version and response or item, found another one, after line 1",
        ),
        (
            {**SCORES[3], "response_id": "r1"},
            "scorer: expected one score for each scorer, version and response or item, found another one, after line 4",
        ),
    ],
)
def test_a_score_that_is_wrong(row: Row, message: str, tmp_path: Path) -> None:
    tables = scored()
    tables["scores"].append(row)
    assert told(write_folder(tmp_path, tables)) == [f"scores.jsonl, line 6, {message}"]


def test_problems_of_all_tables_make_one_list(tmp_path: Path) -> None:
    tables = scored()
    tables["answers"][0]["value"] = 7
    tables["scores"][0]["response_id"] = "r9"
    assert told(write_folder(tmp_path, tables)) == [
        "answers.jsonl, line 1, value: expected a whole number from 1 to 5, found 7",
        'scores.jsonl, line 1, response_id: expected a response_id of responses, found "r9"',
    ]


@pytest.mark.parametrize(
    ("n", "columns", "message"),
    [
        (0, {"value": 0.2}, "line 1, value: expected 0.1, found 0.2"),
        (3, {"response_id": "r1"}, 'line 4, response_id: expected "r2", found "r1"'),
        (4, {"response_id": "r1"}, 'line 5, response_id: expected nothing, found "r1"'),
    ],
)
def test_a_score_that_differs(loaded: Study, n: int, columns: Row, message: str, tmp_path: Path) -> None:
    tables = scored()
    tables["scores"][n] |= columns
    [found] = told(write_folder(tmp_path / "second", tables))
    assert found.startswith(f"scores.jsonl, {message}, which differs from what is stored")


def write_scores(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_import_adds_what_is_new(loaded: Study, tmp_path: Path) -> None:
    rows = [SCORES[0], {"scorer": "new", "response_id": "r1", "value": 3}]
    assert import_scores(loaded, write_scores(tmp_path / "s.jsonl", rows)) == {"scores": 2, "new": 1}
    assert import_scores(loaded, tmp_path / "s.jsonl") == {"scores": 2, "new": 0}


def test_import_reads_every_form(loaded: Study, tmp_path: Path) -> None:
    export_folder(loaded, tmp_path / "parquet", Form("parquet", gzip=True))
    content = b"scorer,response_id,value\r\nfrom csv,r1,0.5\r\nfrom csv,r2,\r\n"
    (tmp_path / "any name.v2.csv.gz").write_bytes(gzip.compress(content))
    assert import_scores(loaded, tmp_path / "any name.v2.csv.gz") == {"scores": 2, "new": 2}
    assert import_scores(loaded, tmp_path / "parquet" / "scores.parquet.gz") == {"scores": 5, "new": 0}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"scorer": "x", "response_id": "r9", "value": 1}, "expected a response_id of responses"),
        (
            {"scorer": "x", "item_id": "two", "response_id": "r3"},
            'expected one of "r1", "r2", or null for a tie',
        ),
        ({"scorer": "x", "item_id": "set"}, "expected a pair"),
        ({"scorer": "length", "response_id": "r1", "value": 5}, "expected 0.1, found 5, which differs"),
    ],
)
def test_import_is_all_or_nothing(loaded: Study, row: Row, message: str, tmp_path: Path) -> None:
    before = database()
    path = write_scores(tmp_path / "s.jsonl", [{"scorer": "new", "response_id": "r1", "value": 3}, row])
    with pytest.raises(FolderError, match=f"^s.jsonl, line 2, .*{message}"):
        import_scores(loaded, path)
    assert database() == before


def test_import_of_no_table(loaded: Study, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"s.jsonl: expected a file of scores, found nothing"):
        import_scores(loaded, tmp_path / "s.jsonl")
    (tmp_path / "s.xlsx").touch()
    with pytest.raises(
        FolderError, match=r'expected a .jsonl, .csv or .parquet file, plain or .gz, found "s.xlsx"'
    ):
        import_scores(loaded, tmp_path / "s.xlsx")


def test_a_run_computed_here_takes_no_imported_scores(loaded: Study, tmp_path: Path) -> None:
    run = ScoreRun.objects.create(study=loaded, scorer="minilm", version="1", computed_here=True)
    Score.objects.create(run=run, response=loaded.responses.get(key="r1"), value=0.5)
    export_folder(loaded, tmp_path / "out")
    assert {"scorer": "minilm", "response_id": "r1", "value": 0.5, "version": "1"} in read_tables(
        tmp_path / "out"
    )["scores"]
    assert load_folder(tmp_path / "out").new["scores"] == 0
    more = write_scores(
        tmp_path / "s.jsonl", [{"scorer": "minilm", "version": "1", "response_id": "r2", "value": 1}]
    )
    with pytest.raises(FolderError, match="since this one's scores were computed here"):
        import_scores(loaded, more)


def test_replace_deletes_what_rests_on_the_study(loaded: Study, tmp_path: Path) -> None:
    run = ScoreRun.objects.create(study=loaded, scorer="minilm", computed_here=True)
    Embedding.objects.create(run=run, response=loaded.responses.get(key="r1"), vector=b"1234")
    load_folder(tmp_path / "first", replace=True)
    assert Embedding.objects.count() == 0
    assert ScoreRun.objects.filter(scorer="minilm").count() == 0


def round_trip(source: Path, form: Form, tmp_path: Path) -> None:
    study = load_folder(source).study
    export_folder(study, tmp_path / "out", form)
    assert not any(load_folder(tmp_path / "out").new.values())
    again = load_folder(tmp_path / "out", slug="again").study
    export_folder(again, tmp_path / "again", Form("jsonl", gzip=True))
    assert_same(read_tables(tmp_path / "again"), read_tables(source))


@pytest.mark.any_database("biosses goes both ways on PostgreSQL too; these are more of the same rows")
@pytest.mark.parametrize(("name", "form"), [("hanna", "jsonl"), ("pandalm", "csv"), ("pandalm", "parquet")])
def test_much_real_data_comes_back_as_it_was(name: str, form: str, shared: Path, tmp_path: Path) -> None:
    round_trip(shared / "data" / name, Form(form), tmp_path)


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_real_data_comes_back_as_it_was(form: str, shared: Path, tmp_path: Path) -> None:
    round_trip(shared / "data" / "biosses", Form(form), tmp_path)


@pytest.mark.skipif(not DEMO.is_dir(), reason="fixtures/demo is not here")
def test_the_demo_comes_back_as_it_was(tmp_path: Path) -> None:
    round_trip(DEMO, Form("csv", gzip=True), tmp_path)


def test_hanna_has_what_its_readme_says(shared: Path) -> None:
    loaded = load_folder(shared / "data" / "hanna")
    assert str(loaded).startswith(
        "hanna: 96 prompts, 1,056 responses, 1,056 items, 22 annotators, 19,008 answers, 20,366 scores"
    )
    assert loaded.new["judgments"] == 3168
