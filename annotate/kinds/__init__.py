"""What varies by the kind of a criterion, one file a kind; nothing else in the project asks for the kind.

Whoever needs to know something of a kind asks `kind_of(criterion)`, or which kinds have a trait (`names_of`).
"""

from typing import Protocol

from .base import (
    LONGEST_TYPED,
    AnswerError,
    Control,
    ItemKind,
    Kind,
    Measure,
    Option,
    Question,
    ResponseNumber,
    TooLongError,
    Trait,
    Value,
    within_limit,
)
from .grouping import Grouping
from .number import Number
from .odd_one_out import OddOneOut
from .preference import STRENGTHS, NoPreference, Preference, extra_choices, strengths
from .ranking import Ranking
from .rating import Rating
from .similarity import Similarity
from .text import Text

__all__ = [
    "KINDS", "LONGEST_TYPED", "STRENGTHS", "AnswerError", "Control", "ItemKind", "Kind", "Measure", "NoPreference",
    "Option", "Question", "ResponseNumber", "TooLongError", "Trait", "Value", "choices", "extra_choices",
    "kind_of", "names_of", "strengths", "within_limit",
]  # fmt: skip

# In the order in which a desk offers them.
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Rating(), Preference(), Similarity(), Ranking(), Grouping(), OddOneOut(), Number(), Text(),
    )
}  # fmt: skip


class HasKind(Protocol):
    @property
    def kind(self) -> str: ...


def kind_of(criterion: HasKind) -> Kind:
    return KINDS[criterion.kind]


def names_of(*traits: Trait) -> list[str]:
    """Names of the kinds that have any of these traits."""
    return [name for name, kind in KINDS.items() if any(getattr(kind, trait) for trait in traits)]


def choices() -> list[tuple[str, str]]:
    """A callable, so that no migration lists the kinds."""
    return [(name, kind.label) for name, kind in KINDS.items()]
