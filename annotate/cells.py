"""Cells of CSV files, with what spreadsheets would take for a formula made harmless."""

from typing import TypeVar

# Spreadsheets calculate a cell that begins so, the full-width signs too.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

T = TypeVar("T")


def harmless(cell: T) -> T | str:
    """A text that a spreadsheet would calculate, with an apostrophe in front; anything else as it is."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
