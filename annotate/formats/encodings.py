"""Which encoding a file of text is in. UTF-8 with a broken byte stays UTF-8; nothing else is taken on trust."""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

CHUNK = 2**20
SAMPLE = 2**12
FEWEST_ZEROS = 4
EXPECTED = "UTF-8, UTF-16 or plausible Windows-1252 (--encoding NAME)"
# Of a hundred letters beyond ASCII as many may stand as no Western text has them.
MOST_ODD = 2
_UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_HIGH = re.compile(rb"[\x80-\xff]")
_LETTERS = rb"[\x8a\x8c\x8e\x9a\x9c\x9e\x9f\xaa\xba\xc0-\xd6\xd8-\xf6\xf8-\xff]"
# Three letters beyond ASCII in a row; a capital after a small letter; a symbol inside a word or right after such a
# letter, or before one; a low quote after a letter; a dagger, a per mille or a florin beside another byte beyond ASCII.
_ODD = re.compile(
    rb"[\x80-\xff]*" + _LETTERS + rb"[\x80-\xff]*" + _LETTERS + rb"[\x80-\xff]*" + _LETTERS + rb"[\x80-\xff]*"
    rb"|(?<=[a-z])[\x8a\x8c\x8e\x9f\xc0-\xd6\xd8-\xde]"
    rb"|(?<=[A-Za-z])[\x80\x83\x86-\x89\x8b\x93\x94\x98\x9b\xa1-\xac\xae-\xb3\xb5\xb6\xb8\xb9\xbb-\xbf\xd7\xf7](?=[A-Za-z])"
    rb"|(?<=[A-Za-z])[\x82\x84]"
    rb"|[\xa2-\xa6\xa8\xa9\xac\xae-\xb3\xb6\xb8\xb9\xbc-\xbe\xd7\xf7]"
    + _LETTERS
    + rb"|"
    + _LETTERS
    + rb"[\x83\x86-\x89\xa1-\xa9\xac\xae-\xb3\xb5\xb6\xb8\xb9\xbc-\xbf\xd7\xf7]"
    rb"|[\x83\x86-\x89][\x80-\xff]"
)


# What Western languages write beyond ASCII, each by itself: German, French, Spanish, Portuguese, Italian, Catalan,
# Dutch, Danish and Norwegian, Swedish and Finnish, Icelandic and Faroese, Estonian, Irish and Welsh.
_ALPHABETS = [
    set(letters + letters.upper() + "ªº") for letters in (
        "äöüßéàèç", "àâæçéèêëîïôœùûüÿ", "áéíóúñü", "àáâãçéêíóôõúü", "àèéìíîòóùú", "àçèéíïòóúü",
        "áàäçèéêëíïóöúüû", "æøåàéèêòóôâü", "åäöéèüøæáš", "áðéíóúýþæöø", "õäöüšž", "áéíóúâêîôûŵŷïäëöü",
    )
]  # fmt: skip
# Of a hundred letters beyond ASCII so many may be of another language than the rest of their line.
MOST_STRANGE = 10


class UnknownEncodingError(ValueError):
    """Text that is in no encoding that can be told."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


@dataclass(frozen=True)
class Encoding:
    name: str
    errors: str = "strict"
    # What there is to say of it.
    remark: str = ""


@dataclass
class _Bytes:
    """What a file's bytes are like, if it is UTF-8 or Windows-1252."""

    broken: int = 0
    first: str = ""
    whole: int = 0
    high: int = 0
    odd: int = 0
    undefined: int = 0
    letters: int = 0
    strange: int = 0


def encoding_of(open_file: Callable[[], IO[bytes]], given: str = "") -> Encoding:
    """UnknownEncodingError where only whoever made the file can say it."""
    if given:
        return Encoding(_known(given), remark=f"read as {given}, as was said")
    with open_file() as file:
        start = file.read(SAMPLE)
    # The mark of UTF-32 begins with that of UTF-16.
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return Encoding("utf-32", remark="read as UTF-32, as its first four bytes say")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Encoding("utf-16", remark="read as UTF-16, as its first two bytes say")
    if wide := _unmarked_utf16(start):
        return Encoding(
            wide, remark=f"read as {wide.upper()}, since every other byte of its first lines is 0"
        )
    there = _look(open_file)
    if not there.broken:
        return Encoding("utf-8-sig")
    if there.whole > there.broken:
        times = f" ({there.broken:,} such places)" if there.broken > 1 else ""
        remark = f"{there.first} is broken UTF-8: “�” stands there now{times}"
        return Encoding("utf-8-sig", "replace", remark)
    strange = there.strange * 100 > there.letters * MOST_STRANGE
    if there.undefined or there.odd * 100 > there.high * MOST_ODD or strange:
        raise UnknownEncodingError(there.first)
    return Encoding("cp1252", remark=f"read as Windows-1252, since {there.first} is not UTF-8")


def _known(name: str) -> str:
    try:
        # Codecs of bytes, such as hex, are no encodings of text.
        "".encode(name)
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        raise UnknownEncodingError(f"no encoding of the name {name}") from None
    return "utf-8-sig" if known == "utf-8" else known


def _unmarked_utf16(start: bytes) -> str:
    """UTF-16 without a byte order mark: zeros at even places only, or at odd ones, and lines if it is read so."""
    for name, zeros, others in (
        ("utf-16-le", start[1::2], start[::2]),
        ("utf-16-be", start[::2], start[1::2]),
    ):
        if zeros.count(0) >= FEWEST_ZEROS and not others.count(0):
            text = start[: len(start) // 2 * 2].decode(name, "replace")
            return name if "\n" in text and "�" not in text[:-1] else ""
    return ""


def _look(open_file: Callable[[], IO[bytes]]) -> _Bytes:
    """Read all of the file once, a piece of whole lines at a time."""
    there = _Bytes()
    with open_file() as file:
        number = 1
        while piece := file.read(CHUNK):
            piece += file.readline(CHUNK)
            if b"\x1b$" in piece or b"\x1b(" in piece:
                at = number + piece.count(b"\n", 0, piece.index(b"\x1b"))
                raise UnknownEncodingError(f"escape sequences of ISO-2022 on line {at}")
            if not piece.isascii():
                for n, line in enumerate(piece.split(b"\n"), number):
                    if not line.isascii():
                        _count(there, line, n)
            number += piece.count(b"\n")
    return there


def _count(there: _Bytes, line: bytes, number: int) -> None:
    text = line.decode("utf-8", "replace")
    broken = text.count("�") - line.count("�".encode())
    if broken:
        if not there.first:
            there.first = f"byte 0x{_broken_byte(line):02x} on line {number}"
        there.broken += broken
        there.high += len(_HIGH.findall(line))
        there.odd += len(_ODD.findall(line))
        there.undefined += len(_UNDEFINED.findall(line))
        letters = [char for char in line.decode("cp1252", "ignore") if char > "\x7f" and char.isalpha()]
        there.letters += len(letters)
        there.strange += min(sum(char not in alphabet for char in letters) for alphabet in _ALPHABETS)
    there.whole += sum(not char.isascii() for char in text) - text.count("�")


def _broken_byte(line: bytes) -> int:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return line[error.start]
    return line[-1]
