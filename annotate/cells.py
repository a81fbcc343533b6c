"""CSV cells, escaped so that spreadsheets do not run them as formulas."""

from typing import TypeVar

# Spreadsheets calculate a cell that begins so, the full-width signs too.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

T = TypeVar("T")


def harmless(cell: T) -> T | str:
    """A text that a spreadsheet would run as a formula gets an apostrophe in front; everything else stays."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def looks_guarded(cell: str) -> bool:
    """Whether a cell may have got its apostrophe so; or somebody wrote it."""
    return cell.startswith("'") and cell[1:].startswith(FORMULA)


def in_one_row(cell: T) -> T | str:
    """The same, and with newlines for carriage returns: where lines end with a newline, `csv` quotes no other.

    A spreadsheet would begin a row at one that is not quoted, and calculate what follows.
    """
    safe = harmless(cell)
    return safe.replace("\r\n", "\n").replace("\r", "\n") if isinstance(safe, str) else safe
