"""Exports into folders that hold something, and exports that fail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from annotate.folder import FolderError, Form, export_folder, load_folder

from .small import database, small, write_folder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _database_as_before() -> Iterator[None]:
    before = database()
    yield
    assert database() == before


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
