"""Answers of endpoints that are kept, so that no call is paid twice."""

import json
from collections.abc import Iterable
from typing import Any, Protocol


class Replies(Protocol):
    """What was answered before, by key."""

    def known(self, keys: Iterable[str]) -> dict[str, Any]:
        """Those of the keys that have an answer, and the answers."""
        ...

    def keep(self, key: str, body: Any) -> None:
        """Keep an answer."""
        ...


class MemoryReplies(dict[str, Any]):
    """Answers kept as long as the process lives."""

    def known(self, keys: Iterable[str]) -> dict[str, Any]:
        """Those of the keys that have an answer, and the answers."""
        return {key: self[key] for key in keys if key in self}

    def keep(self, key: str, body: Any) -> None:
        """Keep an answer."""
        self[key] = body


def storable(raw: bytes) -> Any:
    """The JSON of an answer, without the characters that databases refuse.

    Parameters
    ----------
    raw : bytes

    Returns
    -------
    object

    Raises
    ------
    ValueError
        If it is no JSON, or holds NaN or an infinity.
    """
    return _without_what_is_no_text(json.loads(raw.decode("utf-8", "replace"), parse_constant=_refuse))


def _without_what_is_no_text(value: Any) -> Any:
    """Half a surrogate pair, or a NUL, is JSON but no text."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, list):
        return [_without_what_is_no_text(part) for part in value]
    if isinstance(value, dict):
        return {_without_what_is_no_text(key): _without_what_is_no_text(part) for key, part in value.items()}
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")
