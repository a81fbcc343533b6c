"""Rules that hold for every reader: a new one without a fixture, or with rules of its own, fails here."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotate.folder import FolderError
from annotate.formats import FORMATS, Options, read, read_scores

from .samples import NAMES, Sample, records_of, sample, versions, written

# A sample of each format. Its `text` is the field that holds a response's text (a list, where it holds several);
# nothing where texts lie deeper, or in conversations (`test_conversations`).
BY_FORMAT: dict[str, Sample] = {sample(name).format: sample(name) for name in reversed(NAMES)}
TEXTS = {format: one.text for format, one in BY_FORMAT.items() if one.text}


def test_every_format_says_where_its_texts_are() -> None:
    assert all(one.text is not None for one in BY_FORMAT.values())
    assert len(TEXTS) >= 16


def texts(folder: Path, format: str, value: Any) -> list[str]:
    """The responses' texts of the format's sample, with another text in its first row."""
    one, field = BY_FORMAT[format], TEXTS[format]
    file, rows = next((file, rows) for file, rows in one.rows.items() if field in rows[0])
    row = rows[0] | {field: [value, *rows[0][field][1:]] if isinstance(rows[0][field], list) else value}
    path = folder / f"{Path(file).stem}.jsonl"
    path.write_text(json.dumps(row) + "\n")
    with read([path], format, Options(slug="in", **one.options)) as reading:
        lines = (reading.folder / "responses.jsonl").read_text().splitlines()
    return [json.loads(line)["text"] for line in lines]


@pytest.mark.parametrize("format", sorted(TEXTS))
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""),
        ("None", "None"),
        ("N/A", "N/A"),
        ("null", "null"),
        ("  spaces  ", "  spaces  "),
        ("a\r\nb\rc", "a\nb\nc"),
        ("[2, 3]", "[2, 3]"),
        ("42", "42"),
        (42, "42"),
        (1.5, "1.5"),
        (True, "true"),
        ("=1+1", "=1+1"),
    ],
)
def test_a_text_is_a_text_whatever_it_says(tmp_path: Path, format: str, value: Any, text: str) -> None:
    if format == "argilla" and not isinstance(value, str):
        # Flattened, a number may be metadata as well: `--map response=FIELD` says what it is.
        with pytest.raises(FolderError, match="--map prompt=… response=…"):
            texts(tmp_path, format, value)
        return
    assert text in texts(tmp_path, format, value)


@pytest.mark.parametrize("format", sorted(TEXTS))
def test_no_text_at_all_is_refused_with_its_field(tmp_path: Path, format: str) -> None:
    with pytest.raises(FolderError, match=TEXTS[format]):
        texts(tmp_path, format, None)


ALONE = [name for name in NAMES if not sample(name).into]
NO_USE = "of no use"


def all_of(paths: list[Path], one: Sample) -> tuple[Any, list[str]] | None:
    """What a study is made of, and what scores come of the files; None where they are refused."""
    taken: list[Any] = []
    records: dict[str, Any] = {}
    try:
        if one.format != "table":
            with read(paths, one.format, Options(slug="in", **one.options)) as reading:
                files = sorted(reading.folder.iterdir())
                records = {path.name: path.read_text() for path in files}
                remarks = list(reading.remarks)
        else:
            remarks = []
        if FORMATS[one.format].scores:
            remarks += read_scores(paths, one.format, Options(**one.options), taken.append)
    except FolderError:
        return None
    return (records, taken, [r for r in remarks if "left out: " not in r]), remarks


def is_named(path: str, remarks: list[str]) -> bool:
    """By itself, with an object that it lies in, or as a field of turns."""
    parts = path.split(".")
    left_out = "".join(remark for remark in remarks if "have no place in a study" in remark)
    left = [remark for remark in remarks if remark.startswith("Turns in ")]
    above = {".".join(parts[:n]) for n in range(1, len(parts) + 1)}
    return any(f"'{name}' (" in left_out for name in above) or any(
        f"{parts[-1]}': left out." in remark for remark in left
    )


@pytest.mark.parametrize("name", ALONE)
def test_a_field_that_nothing_is_made_of_is_named(tmp_path: Path, name: str) -> None:
    """Wherever it lies, with its count."""
    one, named, unnamed = sample(name), set[str](), set[str]()
    for file, rows in one.rows.items():
        for path, new in versions(rows, lambda v: v | {NO_USE: 1} if isinstance(v, dict) else None):
            field = f"{path}.{NO_USE}".strip(".")
            lines = {f"{Path(file).stem}.jsonl": new if isinstance(new, list) else [new]}
            others = {other: there for other, there in one.rows.items() if other != file}
            read = all_of(written(tmp_path / "f", others | lines), one)
            (named if read is None or is_named(field, read[1]) else unnamed).add(field)
    # Not in an object that is left out aloud itself, such as a cancelled annotation.
    assert not unnamed - named


@pytest.mark.parametrize("name", ALONE)
def test_what_a_field_says_is_used_or_named(tmp_path: Path, name: str) -> None:
    """Another value makes another study or other scores, is refused, or stands in a field that is left out aloud."""

    def other(value: Any) -> Any:
        if isinstance(value, bool):
            return not value
        return (
            f"{value}9" if isinstance(value, str) and value else value + 1 if isinstance(value, int) else None
        )

    one, used, unsaid = sample(name), set[str](), set[str]()
    before = all_of(one.paths, one)
    for file, rows in one.rows.items():
        for path, new in versions(rows, other):
            after = all_of(written(tmp_path / "f", one.rows | {file: new}), one)
            if after is None or (before and after[0] != before[0]):
                used.add(path)
            elif not is_named(path, after[1]):
                unsaid.add(path)
    assert not unsaid - used


def test_a_format_whose_columns_are_another_s_is_told_apart_by_its_rows(tmp_path: Path) -> None:
    """Binarized sets have the scores of one answer each, RM-Bench has several answers a side."""
    turns = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    sides = {"chosen": ("A", turns), "rejected": ("B", [turns[0], turns[1] | {"content": "B"}])}
    for n in (0, 1):
        row = {"prompt": "Q"} | {name: texts[n] for name, texts in sides.items()}
        path = tmp_path / f"{n}.jsonl"
        path.write_text(json.dumps(row | {"score_chosen": 8, "score_rejected": 6}) + "\n")
        records = records_of([path])
        assert [row["text"] for row in records["responses"]] == ["A", "B"]
        assert [row["value"] for row in records["scores"]] == [8, 6]


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_in_of_votes_is_said_in_words(name: str) -> None:
    """Where a format has votes in words or codes, the preview says what each was read as."""
    one = sample(name)
    answers = [row for row in one.gives.get("answers", ()) if row["criterion"] == "preference"]
    if not answers or {row["annotator_id"] for row in answers} == {"dataset-label"} or one.into:
        pytest.skip("no votes of people")
    assert any("was read so: " in remark for remark in one.gives["remarks"])


def replaced(value: Any, words: dict[str, str]) -> Any:
    """The same rows with other words for some texts."""
    if isinstance(value, list):
        return [replaced(one, words) for one in value]
    if isinstance(value, dict):
        return {name: replaced(one, words) for name, one in value.items()}
    return words.get(value, value) if isinstance(value, str) else value


PAIRS = [
    n for n in NAMES if any(i[0] == "pair" for i in sample(n).gives.get("items", ())) and not sample(n).into
]


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_of_one_text_twice_is_left_out_and_the_rest_comes_in(tmp_path: Path, name: str) -> None:
    one = sample(name)
    first, second = next(item[1:] for item in one.gives["items"] if item[0] == "pair")
    sources = {row["text"]: row["source"] for row in one.gives["responses"]}
    # Of one source too, be it none.
    same = "" if "unknown" in (sources[first], sources[second]) else sources[first]
    words = {second: first, sources[first]: same, sources[second]: same}
    paths = written(tmp_path, {file: replaced(rows, words) for file, rows in one.rows.items()})
    records = records_of(paths, one.format, **one.options)
    assert len(records.get("items", ())) < len(one.gives["items"]) or one.format == "sts"
    assert any("same text" in remark for remark in records["remarks"])
