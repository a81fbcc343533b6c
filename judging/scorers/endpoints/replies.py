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
    text = raw.decode("utf-8", "replace")
    if "\\u0000" in text or "\\ud" in text.lower():
        # Half a surrogate pair, or a NUL, is JSON but no text.
        whole = json.dumps(json.loads(text), ensure_ascii=False)
        text = whole.encode("utf-8", "replace").decode().replace("\\u0000", "\N{REPLACEMENT CHARACTER}")
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")
