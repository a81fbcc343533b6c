import sys
from collections.abc import Iterable
from typing import Protocol, TypeVar, cast

from tqdm import tqdm

T = TypeVar("T")


class Progress(Protocol):
    def __call__(self, rows: Iterable[T], label: str) -> Iterable[T]: ...


def quiet(rows: Iterable[T], label: str) -> Iterable[T]:
    return rows


def bar(rows: Iterable[T], label: str) -> Iterable[T]:
    """A progress bar on stderr, if that is a terminal."""
    progress = tqdm(rows, desc=label, unit=" rows", disable=None, leave=False, file=sys.stderr)
    return cast(Iterable[T], progress)
