"""A study folder from an upload: an archive or single files. Nothing is written outside the target."""

import gzip
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, cast

from django.conf import settings

from .bounds import MB, Pieces
from .problems import FolderError, Problem, quoted
from .study_toml import FILE
from .tables import FORMS, TABLES
from .writing import MANIFEST

CHUNK = 2**20
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar")
# What the standard library raises at an archive that is none, or is cut off or scribbled upon.
BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error),
    *(EOFError, UnicodeError, struct.error, OverflowError),
)


class Upload(Protocol):
    @property
    def name(self) -> str | None: ...
    @property
    def file(self) -> IO[bytes]: ...


class _Room:
    """How many files and bytes may still come."""

    def __init__(self) -> None:
        self.files, self.bytes = settings.UPLOAD_MOST_FILES, settings.UPLOAD_MOST_BYTES

    def file(self, name: str) -> None:
        self.files -= 1
        if self.files < 0:
            raise refused(name, f"at most {settings.UPLOAD_MOST_FILES:,} files", "more")

    def take(self, name: str, n: int) -> None:
        self.bytes -= n
        if self.bytes < 0:
            raise refused(name, f"at most {settings.UPLOAD_MOST_BYTES // MB:,} MB in all, unpacked", "more")


def refused(file: str, expected: str, found: str) -> FolderError:
    return FolderError([Problem(file, None, "", expected, found)])


@dataclass(frozen=True)
class Wanted:
    """Which files of an archive are taken, and whether they keep the folders they lie in."""

    belongs: Callable[[str], bool]
    expected: str
    nested: bool = False


def unpack(uploads: Iterable[Upload], target: Path, wanted: Wanted | None = None) -> None:
    """Put the files of a study folder into `target`; other files of an archive are left out."""
    room, wanted = _Room(), wanted or STUDY
    for upload in uploads:
        name = PurePosixPath(upload.name or "").name
        try:
            for inner, source in _files(name, upload.file, room, wanted):
                _write(inner, source, target, room)
        except BROKEN as error:
            raise refused(name, "a whole archive", str(error) or "a broken one") from error
        except (NotImplementedError, RuntimeError) as error:
            raise refused(name, "an archive without a password", str(error)) from error


def take(files: Mapping[str, IO[bytes]], target: Path) -> None:
    """Put single files into `target` under the given names, with the limits of an archive."""
    room = _Room()
    for name, file in files.items():
        room.file(name)
        try:
            _write(name, file, target, room)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise refused(name, "a whole gzip file", str(error)) from error


def _files(name: str, file: IO[bytes], room: _Room, wanted: Wanted) -> Iterator[tuple[str, IO[bytes]]]:
    lower = name.lower()
    if lower.endswith(".zip"):
        yield from _zipped(Pieces(file, name), room, wanted)
    elif lower.endswith(".tar"):
        yield from _tarred(Pieces(file, name), room, wanted)
    elif lower.endswith((".tar.gz", ".tgz")):
        with gzip.open(file) as inner:
            yield from _tarred(Pieces(cast(IO[bytes], inner), name), room, wanted)
    elif wanted.belongs(name):
        room.file(name)
        yield name, file
    else:
        raise refused(name, f"a .zip or .tar.gz, {wanted.expected}", quoted(name))


def _zipped(file: Pieces, room: _Room, wanted: Wanted) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(cast(IO[bytes], file)) as archive:
        for info in archive.infolist():
            room.file(info.filename)
            # The upper half of the attributes is Unix's mode: only a plain file or none is told there.
            mode = info.external_attr >> 16 & 0o170000
            plain = info.is_dir() or mode in (0, 0o100000)
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise refused(
                    info.filename, "a .zip with deflate, as every program makes it", "another method"
                )
            if inner := _inner(info.filename, wanted, plain=plain, is_file=not info.is_dir()):
                with archive.open(info) as source:
                    yield inner, source


def _tarred(file: Pieces, room: _Room, wanted: Wanted) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(fileobj=cast(IO[bytes], file), mode="r:") as archive:
        for member in archive:
            room.file(member.name)
            # Before the next one can be found this one is unpacked and thrown away: that counts too.
            room.take(member.name, 0 if wanted.belongs(PurePosixPath(member.name).name) else member.size)
            plain = member.isfile() or member.isdir()
            if inner := _inner(member.name, wanted, plain=plain, is_file=member.isfile()):
                source = archive.extractfile(member)
                if source is not None:
                    yield inner, source


def _inner(path: str, wanted: Wanted, *, plain: bool, is_file: bool) -> str:
    """The name of a file that belongs to a study folder, else empty; FolderError for hostile paths."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if path.startswith(("/", "\\")) or ".." in parts or (parts and ":" in parts[0]):
        raise refused(path, "a path inside the archive", quoted(path))
    if not plain:
        raise refused(path, "a plain file", "a link or a device")
    if is_file and parts and parts[-1].lower().endswith(ARCHIVES):
        raise refused(path, "files, not an archive inside the archive", quoted(parts[-1]))
    # macOS puts a shadow beside every file.
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    if not is_file or not parts or hidden or not wanted.belongs(parts[-1]):
        return ""
    return "/".join(parts) if wanted.nested else parts[-1]


def _belongs(name: str) -> bool:
    stem, _, form = name.removesuffix(".gz").partition(".")
    return name in (FILE, MANIFEST) or (form in FORMS and stem.rstrip("s").lower() in _STEMS)


_STEMS = {table.rstrip("s") for table in TABLES}
STUDY = Wanted(_belongs, f"{FILE}, or a table of a study folder")


def _write(name: str, source: IO[bytes], target: Path, room: _Room) -> None:
    path = target / name
    if path.exists():
        raise refused(name, "each file once", f"{quoted(name)} again")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as out:
        while chunk := source.read(CHUNK):
            room.take(name, len(chunk))
            out.write(chunk)
    if name.lower().endswith(".gz"):
        _measure(path, room)


def _measure(path: Path, room: _Room) -> None:
    """A little gzip file can hold a lot: it is read once to see how much."""
    with gzip.open(path) as inner:
        while chunk := inner.read(CHUNK):
            room.take(path.name, len(chunk))
