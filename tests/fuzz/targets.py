"""What fuzzing calls: readers that must take any bytes, and either read them whole or refuse them with places."""

import io
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from annotate import formats
from annotate.folder import FolderError, unpack
from annotate.folder.load import check_folder
from annotate.folder.tables import Table
from annotate.formats import Options
from annotate.formats.source import Source
from judging.folder.scores import Scores

FORMS = ("json", "jsonl", "csv", "tsv", "txt", "parquet", "arrow", "json.gz", "csv.gz", "parquet.gz", "xlsx")
FOLDER = {
    "study.toml": b'slug = "small"\ntitle = "Small"\nseats = 2\nseed = 1\n[[criterion]]\nkey = "q"\non = "single"\n'
    b'kind = "rating"\nmeasures = "quality"\ntext = "Good?"\nscale = [1, 5]\n',
    "prompts.jsonl": b'{"prompt_id": "p", "text": "Write."}\n',
    "responses.csv": b"response_id,prompt_id,text,source\nr1,p,One.,llm\nr2,p,Two.,human\n",
    "items.jsonl": b'{"item_id": "i", "kind": "single", "prompt_id": "p", "response_ids": ["r1"]}\n',
    "answers.jsonl": b'{"item_id": "i", "annotator_id": "a", "criterion": "q", "response_id": "r1", "value": 3}\n'
    b'{"item_id": "i", "annotator_id": "b", "criterion": "q", "response_id": "r1", "value": null}\n',
    "annotators.csv": b"annotator_id,age\na,30\nb,40\n",
    "scores.jsonl": b'{"scorer": "s", "response_id": "r1", "value": 0.5}\n',
}


def told(error: FolderError) -> None:
    """A refusal says what is wrong, and where."""
    assert error.problems
    assert all(p.file and p.expected and p.found for p in error.problems)
    str(error).encode()


def table(name: str, content: bytes) -> None:
    """One file of rows, by both readers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        for reader in (Table, Source):
            try:
                for _ in reader(path).rows():
                    pass
            except FolderError as error:
                told(error)


def study_folder(files: Mapping[str, bytes], load: Callable[[Path], Any] | None = None) -> bool:
    """A whole folder; whether it was taken."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        try:
            if load is None:
                check_folder(folder, parts=[Scores()])
            else:
                load(folder)
        except FolderError as error:
            told(error)
            return False
        return True


def foreign(files: Mapping[str, bytes], format: str, **options: Any) -> None:
    """Files of another tool, read as a format and looked at as the folder they become."""
    with tempfile.TemporaryDirectory() as name:
        paths = [Path(name) / file for file in files]
        for path, content in zip(paths, files.values(), strict=True):
            path.write_bytes(content)
        try:
            with formats.read(paths, format, Options(slug="fuzz", **options)) as reading:
                try:
                    check_folder(reading.folder, parts=[Scores()])
                except FolderError as error:
                    told(reading.origin(error))
        except FolderError as error:
            told(error)
        known = formats.of_name(format)
        if known is not None and known.scores:
            try:
                formats.read_scores(paths, format, Options(scorer="s", **options), lambda record: None)
            except FolderError as error:
                told(error)


class Sent:
    def __init__(self, name: str, content: bytes) -> None:
        self.name: str | None = name
        self.file = io.BytesIO(content)


def archive(name: str, content: bytes) -> None:
    """What somebody uploads; nothing is ever written beside the target."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "target"
        target.mkdir()
        with suppress(FolderError):
            unpack([Sent(name, content)], target)
        assert [p.name for p in Path(folder).iterdir()] == ["target"]


def samples() -> dict[str, tuple[str, dict[str, bytes]]]:
    """A format and a valid set of files of it, by the name of the set."""
    from tests.annotate.formats.samples import NAMES, sample

    return {
        name: (sample(name).format, {path.name: path.read_bytes() for path in sample(name).paths})
        for name in NAMES
    }
