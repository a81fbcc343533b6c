import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotate.folder import FolderError
from annotate.folder.problems import Problem
from annotate.formats import json_rows
from annotate.formats.numbers import is_missing, number
from annotate.formats.source import Source, sources
from annotate.formats.values import as_list
from annotate.formats.votes import A_OVER_B, CLEAR, LEFT_RIGHT, MODEL_A_B, Vote, sentence, signed, vote

ROWS = [{"id": 1, "text": "naïve “quoted”"}, {"id": 2, "text": "two\nlines"}]


def rows(path: Path) -> list[dict[str, Any]]:
    return [row for _, row in Source(path).rows() if not isinstance(row, Problem)]


@pytest.mark.parametrize("indent", [None, 2])
def test_json_may_be_an_array_lines_or_columns(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "a.json"
    columns = {"id": [1, 2], "text": [row["text"] for row in ROWS]}
    for content in (
        json.dumps(ROWS, indent=indent),
        "\n".join(json.dumps(row, indent=indent) for row in ROWS),
        json.dumps(columns, indent=indent),
    ):
        path.write_text(content)
        assert rows(path) == ROWS


def test_a_long_array_is_read_in_pieces_with_the_lines_of_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_rows, "CHUNK", 7)
    path = tmp_path / "a.json"
    path.write_text("[\n" + ",\n".join(json.dumps({"n": n, "long": "x" * 50}) for n in range(40)) + "\n]\n")
    found = list(Source(path).rows())
    assert [line for line, _ in found] == list(range(2, 42))
    assert [row["n"] for _, row in found if isinstance(row, dict)] == list(range(40))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[", "line 1: expected the end of the JSON array, ], found the end of the file"),
        ('[{"a": 1} {"a": 2}]', "a comma or ]"),
        ('[\n{"a": 1,\n "a": 2}]', 'line 2: expected each field of a JSON object once, found "a" twice'),
        ('[{"a": 1}] x', "nothing after the JSON array"),
        ("[\n1]", "line 2: expected a JSON object, found 1"),
        ('[{"a": }]', "a JSON object"),
    ],
)
def test_broken_json_says_where(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    problems: list[str] = []
    try:
        problems = [str(row) for _, row in Source(path).rows() if isinstance(row, Problem)]
    except FolderError as error:
        problems = [str(error)]
    assert said in problems[0]


def test_nan_in_json_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"labels": [1, NaN, 3]}\n')
    assert rows(path) == [{"labels": [1, None, 3]}]


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8-sig", ""), ("cp1252", "byte 0xef on line 2"), ("utf-16", "UTF-16")],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_as_it_comes(tmp_path: Path, encoding: str, said: str, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    lines = [
        delimiter.join(("id", "text")),
        delimiter.join(("1", "naïve “quoted”")),
        delimiter.join(("2", '"two\nlines"')),
    ]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    file = Source(path)
    found = list(file.rows())
    assert [row for _, row in found] == [
        {"id": "1", "text": ROWS[0]["text"]},
        {"id": "2", "text": "two\nlines"},
    ]
    assert [line for line, _ in found] == [2, 3]
    assert said in " ".join(file.remarks)
    assert bool(said) == any("read as" in remark for remark in file.remarks)
    assert (delimiter != ",") == any("separated" in remark for remark in file.remarks)


def test_ragged_csv_says_which_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n3\n")
    wrong = [row for _, row in Source(path).rows() if isinstance(row, Problem)]
    assert [str(p) for p in wrong] == ["a.csv, line 3: expected 2 cells, as in the header, found 1"]


def test_parquet_arrow_and_gzip(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    pq.write_table(table, tmp_path / "a.parquet")
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    with pa.OSFile(str(tmp_path / "b.arrow"), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    with gzip.open(tmp_path / "a.json.gz", "wt") as out:
        out.write(json.dumps(ROWS))
    for name in ("a.parquet", "a.arrow", "b.arrow", "a.json.gz"):
        assert rows(tmp_path / name) == ROWS
    (tmp_path / "c.json.gz").write_bytes((tmp_path / "a.json.gz").read_bytes()[:30])
    with pytest.raises(FolderError, match="a whole gzip file"):
        rows(tmp_path / "c.json.gz")


def _saved(folder: Path) -> None:
    """What `Dataset.save_to_disk` of datasets 5.2.0 leaves behind, seen there."""
    folder.mkdir(parents=True)
    table = pa.Table.from_pylist(ROWS)
    with (
        pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as out,
        pa.ipc.new_stream(out, table.schema) as writer,
    ):
        writer.write_table(table)
    (folder / "state.json").write_text('{"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}')
    (folder / "dataset_info.json").write_text('{"features": {}}')


def test_a_datasets_folder_is_its_splits(tmp_path: Path) -> None:
    _saved(tmp_path / "d" / "train")
    _saved(tmp_path / "d" / "test")
    (tmp_path / "d" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    assert [s.split for s in sources(tmp_path / "d")] == ["test", "train"]
    assert [s.name for s in sources(tmp_path / "d", "train")] == ["train/data-00000-of-00001.arrow"]
    assert rows(sources(tmp_path / "d", "test")[0].path) == ROWS
    with pytest.raises(FolderError, match='one of the splits test, train, found "dev"'):
        sources(tmp_path / "d", "dev")


def test_a_hub_folder_is_its_splits(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for split in ("train", "validation"):
        pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "data" / f"{split}-00000-of-00001.parquet")
    (tmp_path / "README.md").write_text("---\n")
    assert [s.split for s in sources(tmp_path)] == ["train", "validation"]


@pytest.mark.parametrize(
    ("word", "known", "winner", "strength", "label"),
    [
        ("model_a", MODEL_A_B, 0, 1, ""),
        ("Model B", MODEL_A_B, 1, 1, ""),
        ("left", LEFT_RIGHT, 0, 1, ""),
        ("A>>B", A_OVER_B, 0, 2, ""),
        ("[[B>A]]", A_OVER_B, 1, 1, ""),
        ("A=B", A_OVER_B, None, 0, "tie"),
        ("Tie", CLEAR, None, 0, "tie"),
        ("tie (bothbad)", MODEL_A_B, None, 0, "both_bad"),
        ("tie (inconsistent)", MODEL_A_B, None, 0, "tie"),
        ("both_bad", CLEAR, None, 0, "both_bad"),
        ("Both good", CLEAR, None, 0, "both_good"),
        ("second_much", CLEAR, 1, 2, ""),
        ("cannot tell", CLEAR, None, 0, "cannot_tell"),
    ],
)
def test_votes_as_words(
    word: str, known: dict[str, Vote], winner: int | None, strength: int, label: str
) -> None:
    assert vote(word, known) == Vote(winner, strength, label)


def test_votes_as_sentences() -> None:
    assert sentence("Response 2 is much better than Response 1") == Vote(1, 2)
    assert sentence("Response 1 is slightly better") == Vote(0)
    assert sentence("garbage") is None


@pytest.mark.parametrize(
    "word", ["garbage", "", None, 3, "neither", "1", "2", "A", "b", "left", "model_a", "Response 1"]
)
def test_words_and_codes_that_are_no_vote_by_themselves(word: object) -> None:
    assert vote(word) is None


def test_numbers_and_lists_in_cells() -> None:
    assert [number(v) for v in ("3,5", "4", [2.5], "nan", None, True)] == [
        3.5,
        4,
        2.5,
        None,
        None,
        1,
    ]
    bad: object
    for bad in ("six", float("inf"), [1, 2], {}):
        with pytest.raises((ValueError, TypeError)):
            number(bad)
    assert as_list("[1, 2, nan]") == [1, 2, None]
    assert as_list("['a', 'b']") == ["a", "b"]
    assert as_list("[1 2  3]") == ["1", "2", "3"]
    assert as_list("['nan bread', 'b']") == ["nan bread", "b"]
    assert as_list("['a' 'b'\n \"it's\"]") == ["a", "b", "it's"]
    assert as_list("[{'a': '}{'}\n {'a': nan}]") == [{"a": "}{"}, {"a": None}]
    assert as_list("") == []
    for bad in ("a, b", "{}", 3):
        with pytest.raises((ValueError, TypeError)):
            as_list(bad)
    assert signed(-2) == vote("B>>A", A_OVER_B)
    assert signed(3) is None
    assert is_missing("N/A")
