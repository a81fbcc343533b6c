"""Export jobs: a .zip and, next to it, a JSON record of its status. They need no database rows."""

import datetime as dt
import json
import os
import re
import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from annotate import trail
from annotate.folder import FolderError
from annotate.models import Action, Study
from judging.exports.writers import WRITERS, export

KEPT = 20
_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,200}$")


@dataclass(frozen=True)
class ExportJob:
    name: str
    path: Path
    record: dict[str, Any]

    @property
    def status(self) -> str:
        return str(self.record["status"])

    @property
    def title(self) -> str:
        return WRITERS[self.record["writer"]].title

    @property
    def made_at(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.record["made_at"])

    @property
    def rows(self) -> list[tuple[str, int]]:
        # As pairs: a table may be called `items`, and a template would take it for the method.
        return list(self.record.get("rows", {}).items())

    @property
    def left_out(self) -> list[tuple[str, int]]:
        return list(self.record.get("left_out", {}).items())

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0


def order(study: Study, writer: str, *, escape: bool) -> str:
    """Record the job; returns its name."""
    moment = timezone.now().strftime("%Y%m%d-%H%M%S")
    name = f"{study.slug}-{writer}-{moment}-{secrets.token_hex(2)}"
    trail.note(study, Action.EXPORTED, writer, name=name)
    _write_record(
        study, name, writer=writer, escape=escape, status="waiting", made_at=timezone.now().isoformat()
    )
    _drop_old(study)
    return name


def make(study: Study, name: str) -> None:
    """Write the .zip; errors go into the record, and no partial file stays."""
    record = json.loads(_beside(study, name).read_text())
    _write_record(study, name, **record | {"status": "running"})
    path = folder(study) / f"{name}.zip"
    part = path.with_suffix(".part")
    try:
        with tempfile.TemporaryDirectory(prefix="export-", dir=folder(study)) as work:
            done = export(study, Path(work) / name, record["writer"], escape=record["escape"])
            _zip(Path(work) / name, part)
        os.replace(part, path)
    except (FolderError, OSError) as error:
        part.unlink(missing_ok=True)
        _write_record(study, name, **record | {"status": "failed", "error": str(error)})
        return
    _write_record(study, name, **record | {"status": "done", "rows": done.rows, "left_out": done.left_out})


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{folder.name}/{path.name}")


def listed(study: Study) -> list[ExportJob]:
    """The latest first."""
    return sorted(_all(study), key=lambda f: f.record["made_at"], reverse=True)


def _all(study: Study) -> Iterator[ExportJob]:
    room = folder(study)
    # The number of a study that is gone may be given again: its exports have another name in front.
    for beside in room.glob(f"{study.slug}-*.json") if room.is_dir() else ():
        yield ExportJob(beside.stem, room / f"{beside.stem}.zip", json.loads(beside.read_text()))


def find(study: Study, name: str) -> ExportJob | None:
    """Only names of our own making: the name is part of a path."""
    if not _NAME.match(name) or not name.startswith(f"{study.slug}-") or not _beside(study, name).is_file():
        return None
    return ExportJob(name, folder(study) / f"{name}.zip", json.loads(_beside(study, name).read_text()))


def forget(study: int) -> None:
    shutil.rmtree(_room() / str(study), ignore_errors=True)


def _drop_old(study: Study) -> None:
    for old in listed(study)[KEPT:]:
        old.path.unlink(missing_ok=True)
        _beside(study, old.name).unlink(missing_ok=True)


def _write_record(study: Study, name: str, **record: Any) -> None:
    beside = _beside(study, name)
    beside.parent.mkdir(parents=True, exist_ok=True)
    new = beside.with_suffix(".new")
    new.write_text(json.dumps(record))
    os.replace(new, beside)


def _beside(study: Study, name: str) -> Path:
    return folder(study) / f"{name}.json"


def folder(study: Study) -> Path:
    # By number: a slug may be given to another study later.
    return _room() / str(study.pk)


def _room() -> Path:
    return Path(settings.WORK_DIR) / "exports"
