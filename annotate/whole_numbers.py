"""Whole numbers out of query strings and forms, where anything may stand."""


def whole(text: str) -> int | None:
    """None for what is no whole number, or one that no database has as an id: those have fewer than 19 digits."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
