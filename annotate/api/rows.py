"""Request bodies: JSON, or rows as JSON Lines. Bounded, and read like the files of a study folder."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from rest_framework import exceptions
from rest_framework.parsers import BaseParser

from annotate.folder.tables import json_value

from .errors import TooLargeError


def _bounded(stream: IO[bytes]) -> bytes:
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    raw = stream.read(most + 1)
    if len(raw) > most:
        raise TooLargeError(f"At most {most // 2**20} MB at once: send rows in several requests.")
    return raw


class JSON(BaseParser):
    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        raw = _bounded(stream)
        try:
            return json_value(raw.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            # Also an object that has a key twice, NaN and Infinity, and what is no UTF-8.
            raise exceptions.ParseError(f"Expected JSON: {error}") from error


class JSONLines(bytes):
    """Rows sent one per line, not parsed yet."""


class Lines(BaseParser):
    media_type = "application/x-ndjson"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return JSONLines(_bounded(stream))


@contextmanager
def as_folder(tables: Mapping[str, Any]) -> Iterator[Path]:
    """A study folder made of the rows sent, one per line, so that row numbers are line numbers."""
    with tempfile.TemporaryDirectory(prefix="offbeat-") as name:
        folder = Path(name)
        for table, sent in tables.items():
            (folder / f"{table}.jsonl").write_bytes(_lines(sent))
        yield folder


def _lines(sent: Any) -> bytes:
    if isinstance(sent, JSONLines):
        return sent
    if not isinstance(sent, list):
        raise exceptions.ParseError("Expected a list of rows.")
    return "".join(f"{json.dumps(row)}\n" for row in sent).encode()
