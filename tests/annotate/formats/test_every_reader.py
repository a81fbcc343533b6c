"""Rules that hold for every reader: a new one without a fixture, or with rules of its own, fails here."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotate.folder import FolderError
from annotate.formats import Options, read

from .samples import NAMES, Sample, sample

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


@pytest.mark.parametrize("name", NAMES)
def test_a_field_that_nothing_is_made_of_is_named(tmp_path: Path, name: str) -> None:
    """With its count, whatever the format."""
    one = sample(name)
    paths = []
    for file, rows in one.rows.items():
        more = [row | {"of no use": 1} for row in rows] if isinstance(rows, list) else rows | {"of no use": 1}
        paths.append(tmp_path / f"{Path(file).stem}.json")
        paths[-1].write_text(json.dumps(more))
    if one.into or one.format == "table":
        pytest.skip("needs a study that has the texts")
    with read(paths, one.format, Options(slug="in", **one.options)) as reading:
        assert any("'of no use' has no place in a study: left out" in remark for remark in reading.remarks)
