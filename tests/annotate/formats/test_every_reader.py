"""Rules that hold for every reader: a new one without a fixture, or with rules of its own, fails here."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotate.folder import FolderError
from annotate.formats import Options, read

from .samples import NAMES, Sample, sample

# Fields that hold a response's text, by format; a list of them where one field holds several.
TEXTS = {
    "alpaca-annotations": "output_1",
    "alpaca-outputs": "output",
    "argilla": "response",
    "infinity-absolute": "response",
    "infinity-pairwise": "response_1",
    "judgebench": "response_A",
    "label-studio-min": "response",
    "multipref": "completion_a",
    "noveltybench": "generations",
    "rewardbench": "chosen",
    "rewardbench-2": "chosen",
    "rm-bench": "chosen",
    "sts": "sentence1",
    "trl-preference": "chosen",
    "trl-unpaired": "completion",
    "mapped": "a",
}
# Their texts lie deeper, or in conversations (`test_conversations`), or elsewhere.
ELSEWHERE = {
    "annotated-pairs", "arena", "arena-hard", "crowd-kit", "infinity-eval", "infinity-taxonomy", "label-studio",
    "mt-bench", "sharegpt", "table", "ultrafeedback",
}  # fmt: skip
BY_FORMAT: dict[str, Sample] = {}
for name in reversed(NAMES):
    BY_FORMAT[sample(name).format] = sample(name)


def test_every_format_is_in_one_of_the_lists() -> None:
    assert set(TEXTS) | ELSEWHERE == set(BY_FORMAT)
    assert not set(TEXTS) & ELSEWHERE


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
