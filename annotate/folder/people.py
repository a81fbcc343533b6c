"""Who judged, in a study folder: a placeholder is nobody, and an id that a panel knows becomes a pseudonym."""

from collections.abc import Container, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache

from annotate import pseudonyms

PLACEHOLDER = "who judged, not a placeholder that nobody filled in"


@dataclass
class People:
    # The study's; a pseudonym is another one in every study.
    slug: str = ""
    # Annotators of the study that takes up more: what they are called stays.
    stored: Container[str] = ()
    # Nobody is called otherwise than the folder does.
    unchanged: bool = False
    # Ids that became pseudonyms.
    replaced: set[str] = field(default_factory=set)

    def key(self, name: str) -> str:
        if self.unchanged or name in self.stored or not _is_panel_id(name):
            return name
        self.replaced.add(name)
        return pseudonyms.participant(self.slug, name)


_people: ContextVar[People | None] = ContextVar("people", default=None)


def of_context() -> People | None:
    return _people.get()


@contextmanager
def known_as(people: People) -> Iterator[People]:
    """While a folder is loaded, its annotators are called so, wherever its tables name them."""
    token = _people.set(people)
    try:
        yield people
    finally:
        _people.reset(token)


def key_of(name: str) -> str:
    """What an annotator is called in the study."""
    people = _people.get()
    return name if people is None else people.key(name)


@lru_cache(100_000)
def is_unfilled(name: str) -> bool:
    return pseudonyms.is_unfilled(name)


@lru_cache(100_000)
def _is_panel_id(name: str) -> bool:
    return pseudonyms.is_panel_id(name)
