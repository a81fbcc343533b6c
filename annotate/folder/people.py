"""Who judged, in a study folder: a placeholder is nobody, and an id that a panel knows becomes a pseudonym."""

from collections.abc import Container, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache

from annotate import pseudonyms

NAMED = 5
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
    # Ids that programs write for nobody; in a file they may be somebody's.
    doubtful: set[str] = field(default_factory=set)

    def key(self, name: str) -> str:
        if _names_nobody(name):
            self.doubtful.add(name)
        if self.unchanged or name in self.stored or not _is_panel_id(name):
            return name
        self.replaced.add(name)
        return pseudonyms.participant(self.slug, name)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What there is to say of them."""
        remarks = []
        if n := len(self.replaced):
            ids = "1 annotator id looks" if n == 1 else f"{n:,} annotator ids look"
            remarks.append(f"{ids} like an e-mail address or a panel's id: a pseudonym stands there now.")
        if self.doubtful:
            names = ", ".join(map(repr, sorted(self.doubtful)[:NAMED]))
            remarks.append(f"Annotators called as nobody is, {names}, were each taken for one person.")
        return tuple(remarks)


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
def _names_nobody(name: str) -> bool:
    return pseudonyms.names_nobody(name)


@lru_cache(100_000)
def _is_panel_id(name: str) -> bool:
    return pseudonyms.is_panel_id(name)
