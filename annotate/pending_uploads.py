"""Uploaded files that wait until whoever sent them has seen what would come in."""

import re
import secrets
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from annotate.folder.unpack import Upload, Wanted, unpack
from annotate.formats.source import is_rows

KEPT_SECONDS = 24 * 3600
ROWS = Wanted(
    is_rows, "a file of rows: .json, .jsonl, .csv, .tsv, .parquet, .arrow, plain or .gz", nested=True
)
_TOKEN = re.compile(r"^[\w-]{20,40}$")


def keep(uploads: Iterable[Upload]) -> str:
    """Store the files, bounded as study folders are; the token under which they are found again."""
    _forget_old()
    token = secrets.token_urlsafe(16)
    folder = _room() / token
    folder.mkdir(parents=True)
    try:
        unpack(uploads, folder, ROWS)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return token


def find(token: str) -> Path | None:
    folder = _room() / token
    return folder if _TOKEN.match(token) and folder.is_dir() else None


def paths(folder: Path) -> list[Path]:
    """Files one by one, or the folder where they lie in folders of their own or belong to a data set."""
    there = sorted(folder.iterdir())
    if all(path.is_file() for path in there) and not (folder / "state.json").exists():
        return there
    return there if len(there) == 1 else [folder]


def forget(token: str) -> None:
    if folder := find(token):
        shutil.rmtree(folder, ignore_errors=True)


def _forget_old() -> None:
    room = _room()
    for folder in room.iterdir() if room.is_dir() else ():
        if folder.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _room() -> Path:
    return Path(settings.WORK_DIR) / "imports"
