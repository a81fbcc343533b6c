"""What every kind of criterion says of itself, and in which words. A kind is one class in a file of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from django.db import models
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from annotate.texts import one_newline

if TYPE_CHECKING:
    from annotate.models import Answer, Criterion


Trait = Literal[
    "per_response", "scaled", "rates", "prefers", "compares", "ranks", "groups", "picks", "numeric"
]
T = TypeVar("T")

# Beyond it nobody counts ideas, and squares would not fit any more.
LARGEST = 1e12
# Characters that a page takes in one field; who has more to say has another page in mind.
LONGEST_TYPED = 20_000


class ItemKind(models.TextChoices):
    SINGLE = "single"
    PAIR = "pair"
    SET = "set"

    @property
    def sizes(self) -> range:
        """How many responses such an item may show."""
        return {"single": range(1, 2), "pair": range(2, 3), "set": range(3, 51)}[self.value]


class Measure(models.TextChoices):
    """What the audit takes a criterion for."""

    QUALITY = "quality"
    SIMILARITY = "similarity"
    ORIGINALITY = "originality"


class Control(models.TextChoices):
    """What a page draws, and what its script and style sheet know a question by."""

    SCALE = "scale"  # the points of a scale in a row
    SIDES = "sides"  # from one response of a pair to the other, and why neither
    CHOICE = "choice"  # one of several options
    PLACE = "place"  # a number beside each response of a set
    TYPED = "typed"  # a number or words


class AnswerError(ValueError):
    """An answer that its criterion does not admit: which column, what was expected, what was found."""

    def __init__(self, column: str, expected: str, found: object) -> None:
        super().__init__(f"{column}: expected {expected}, found {found!r}")
        self.column, self.expected, self.found = column, expected, found


class TooLongError(AnswerError):
    """More words than a page takes."""


def within_limit(field: str, text: str) -> str:
    """The text with one kind of newline, as browsers count its letters; TooLongError beyond LONGEST_TYPED."""
    text = one_newline(text)
    if len(text) > LONGEST_TYPED:
        raise TooLongError(field, f"at most {LONGEST_TYPED:,} characters", f"{len(text):,}")
    return text


@dataclass(frozen=True, slots=True)
class Value:
    """One answer row before it is stored. Responses are named by key in a folder, by number on a page."""

    response: int | str | None = None
    other: int | str | None = None
    value: float | None = None
    label: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    key: str = ""  # the key that chooses it


@dataclass(frozen=True, slots=True)
class Question:
    """One control of a task page. Options are alternatives; without options it is typed."""

    field: str
    response: int | None
    control: Control
    options: tuple[Option, ...] = ()
    typed: str = ""  # the HTML input type where there are no options
    low: int | None = None  # least and greatest number that may be typed
    high: int | None = None
    step: str = "any"  # of what may be typed


@dataclass(frozen=True, slots=True)
class ResponseNumber:
    """A response by its number in the item, where it is itself the answer."""

    number: int


class Kind:
    """A kind of criterion. What differs from here, its own class says."""

    name: ClassVar[str]
    control: ClassVar[Control]
    item_kinds: ClassVar[tuple[ItemKind, ...]] = tuple(ItemKind)  # kinds of item that may ask it
    per_response: ClassVar[bool] = False  # one row a response, asked beside each; otherwise one row an item
    scaled: ClassVar[bool] = False  # the value is a point of the criterion's scale
    two_sided: ClassVar[bool] = (
        False  # its scale, if it has one, is from minus to plus how much better one side may be
    )
    bounded: ClassVar[bool] = False  # its scale says between which numbers the value lies, if it has one
    labeled: ClassVar[bool] = False  # a row may have a label
    typed: ClassVar[str] = ""  # the HTML input type of what is always typed
    most_options: ClassVar[int | None] = None  # beyond, a number is typed: nobody reads a hundred buttons
    own_digits: ClassVar[bool] = True  # an option that is a digit is chosen by it; otherwise by its place
    measures: ClassVar[Measure | None] = (
        None  # what the audit takes its answers for unless a study says otherwise
    )
    tools: ClassVar[str] = ""  # what helps with all responses of a set at once: "piles" or "ranks"

    # What the value says, for those who compute with it.
    rates: ClassVar[bool] = False  # a point for one response
    prefers: ClassVar[bool] = False  # which response of a pair, and how much
    compares: ClassVar[bool] = False  # a point for both responses of a pair together
    ranks: ClassVar[bool] = False  # places in an order
    groups: ClassVar[bool] = False  # which responses belong together
    picks: ClassVar[bool] = False  # one response of a set
    numeric: ClassVar[bool] = False  # a number whose mean and differences mean something

    @property
    def label(self) -> str:
        return self.name.replace("_", " ").title()

    def first_of(self, by_trait: Mapping[Trait, T]) -> T | None:
        """The entry of the first trait that this kind has: how a computation says what it does with which answers."""
        return next((entry for trait, entry in by_trait.items() if getattr(self, trait)), None)

    # What it checks.

    def check(self, criterion: Criterion, value: Value, responses: Sequence[int] | Sequence[str]) -> None:
        """Raise AnswerError unless the row is one this criterion admits for an item with these responses."""
        self._check_responses(value, responses)
        if value.label and not self.labeled:
            raise AnswerError("label", "none, since only a preference has one", value.label)
        if value.text and self.typed != "text":
            raise AnswerError("text", f"none for a {self.name}", value.text)
        self.check_value(criterion, value, len(responses))

    def check_value(self, criterion: Criterion, value: Value, n_responses: int) -> None:
        raise NotImplementedError

    def names_response(self, value: Value) -> bool | None:
        """Whether the row has to name a response; None: it may."""
        return self.per_response

    def _check_responses(self, value: Value, responses: Sequence[int] | Sequence[str]) -> None:
        named = self.names_response(value)
        if value.response is None and named:
            raise AnswerError("response_id", f"a response of the item, since this is a {self.name}", None)
        if value.response is not None and named is False:
            raise AnswerError("response_id", f"none for a {self.name}", value.response)
        if value.response is not None and value.response not in responses:
            raise AnswerError("response_id", "a response that the item shows", value.response)
        if self.compares:
            if value.other is None or value.other == value.response or value.other not in responses:
                raise AnswerError("other_id", "the other response of the pair", value.other)
        elif value.other is not None:
            raise AnswerError("other_id", f"none for a {self.name}", value.other)

    # What a page draws.

    def options(self, criterion: Criterion, shown: Sequence[int]) -> tuple[Option, ...]:
        return ()

    def questions(self, criterion: Criterion, shown: Sequence[int]) -> list[Question]:
        """The controls a task page draws for an item that shows these responses, in displayed order."""
        options = tuple(_keyed(self.options(criterion, shown), own_digits=self.own_digits))
        typed, low, high, step = self.typed, None, None, "any"
        if self.most_options is not None and len(options) > self.most_options:
            low, high, options, typed = int(options[0].value), int(options[-1].value), (), "number"
            step = "1"
        return [
            Question(_field(criterion, r), r, self.control, options, typed, low, high, step)
            for r in self._about(shown)
        ]

    def _about(self, responses: Sequence[int]) -> list[int | None]:
        return [*responses] if self.per_response else [None]

    # What it reads, and the way back.

    def read(self, criterion: Criterion, posted: Mapping[str, str], responses: Sequence[int]) -> list[Value]:
        """Rows from a submitted form; raise AnswerError for what is missing or not admitted.

        Fields are named `c<criterion>`, or `c<criterion>-<response>` where the kind asks each response.
        """
        rows = []
        for field, response in [(_field(criterion, r), r) for r in self._about(responses)]:
            raw = within_limit(field, _storable(field, posted.get(field, "").strip()))
            if not raw and criterion.required:
                raise AnswerError(field, "an answer", "nothing")
            value = self.parse(raw, response, responses)
            self.check(criterion, value, responses)
            rows.append(value)
        # A question left open by choice has rows only where the format keeps one a response.
        return [r for r in rows if r.value is not None or r.text or self.per_response]

    def parse(self, raw: str, response: int | None, responses: Sequence[int]) -> Value:
        """What a field says of a response, or of the item."""
        return Value(response=response, value=number(raw))

    def written(self, criterion: Criterion, value: Value) -> tuple[str, str]:
        """The form field that says this row, and what it says: the way back from `read`."""
        return _field(criterion, value.response if self.per_response else None), self.unparse(value)

    def unparse(self, value: Value) -> str:
        return plain(value.value)

    def blank(self, responses: Sequence[int] | Sequence[str]) -> Value:
        """The row of a question left open."""
        return Value(response=responses[0] if self.per_response else None)

    # Practice and gold: what is expected, and how it is said.

    def expectation(self, criterion: Criterion, rows: Sequence[Value], tolerance: int = 0) -> Any:
        """What rows of a form expect of an annotator; None where nothing was given."""
        given = [
            (row.response, _near(criterion, row.value, tolerance)) for row in rows if row.value is not None
        ]
        if not given:
            return None
        return {int(r or 0): value for r, value in given} if self.per_response else given[0][1]

    def comparable(self, row: Answer) -> str | float | None:
        """What of a stored row an expected value is compared with."""
        return row.value if row.value is not None else row.text or None

    def meets(self, want: Mapping[str, Any], given: Mapping[str, Answer]) -> bool | None:
        """Whether rows by response meet what is expected of them together; None: each is compared by itself."""
        return None

    def in_words(self, criterion: Criterion, value: Any, names: Mapping[str, str]) -> str:
        """A value as its control shows it. A response is called as on the page: its key may tell its source."""
        if isinstance(value, (int, float)):
            label = criterion.label_of(int(value)) if criterion.points else ""
            figure = number_format(int(value) if value == int(value) else value)
            return f"{figure} ({label})" if label else figure
        return str(value)

    def together(self, values: Mapping[str, Any], names: Mapping[str, str]) -> str | None:
        """Values of all responses in one phrase; None where each is told by itself."""
        return None


class Scaled(Kind):
    """A point of the criterion's scale."""

    control = Control.SCALE
    scaled = True
    numeric = True
    most_options = 11

    def check_value(self, criterion: Criterion, value: Value, n_responses: int) -> None:
        if value.value is not None and value.value not in criterion.points:
            expected = f"a whole number from {criterion.scale_low} to {criterion.scale_high}"
            raise AnswerError("value", expected, value.value)

    def options(self, criterion: Criterion, shown: Sequence[int]) -> tuple[Option, ...]:
        return tuple(Option(str(p), criterion.label_of(p)) for p in criterion.points)


class Placed(Kind):
    """A number beside each response of a set. A page offers as many of them as there are responses."""

    control = Control.PLACE
    item_kinds = (ItemKind.SET,)
    per_response = True
    most_options = 9

    def options(self, criterion: Criterion, shown: Sequence[int]) -> tuple[Option, ...]:
        return tuple(Option(str(n), "") for n in range(1, len(shown) + 1))


class Chosen(Kind):
    """The answer is itself a response of the item, or the reason why none is."""

    own_digits = False

    def expectation(self, criterion: Criterion, rows: Sequence[Value], tolerance: int = 0) -> Any:
        given = [row for row in rows if row.value is not None]
        return given[0].label or ResponseNumber(int(given[0].response or 0)) if given else None

    def comparable(self, row: Answer) -> str | float | None:
        return (row.response.key if row.response else row.label) or None

    def in_words(self, criterion: Criterion, value: Any, names: Mapping[str, str]) -> str:
        if isinstance(value, (int, float)):
            return super().in_words(criterion, value, names)
        return str(names.get(value) or self.reasons.get(value) or _("another response"))

    @property
    def reasons(self) -> Mapping[str, Any]:
        """Labels that stand for no response, in words."""
        return {}


def _keyed(options: Sequence[Option], *, own_digits: bool) -> list[Option]:
    """A point of a scale is chosen by its own digit, anything else by its place.

    The last of ten points is 0, and of the scale from 0 to 10 the last is `-`, which is beside it.
    Where there are more, two digits are typed after a 0: `0 1 2` is the twelfth.
    """
    values = [o.value for o in options]
    if own_digits and all(len(v) == 1 and v.isdecimal() for v in values):
        return [replace(o, key=o.value) for o in options]
    if own_digits and values == [str(n) for n in range(11)]:
        return [replace(o, key=o.value if len(o.value) == 1 else "-") for o in options]
    return [
        replace(o, key="0" if own_digits and n == 10 and len(values) == 10 else str(n))
        for n, o in enumerate(options, 1)
    ]


def _field(criterion: Criterion, response: int | str | None) -> str:
    """Name of a form's field: of a criterion, or of a response under it."""
    return f"c{criterion.pk}" if response is None else f"c{criterion.pk}-{response}"


def _near(criterion: Criterion, value: float | None, tolerance: int) -> Any:
    """The value, or the points of the scale around it that are admitted too."""
    points = [p for p in criterion.points if value is not None and abs(p - value) <= tolerance]
    return points if tolerance and len(points) > 1 else value


def plain(number: float | None) -> str:
    if number is None:
        return ""
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def number(raw: str) -> int | float | None:
    if not raw:
        return None
    try:
        parsed = float(raw)
    except ValueError:
        raise AnswerError("value", "a number", raw) from None
    return int(parsed) if parsed.is_integer() else parsed


def _storable(field: str, text: str) -> str:
    # PostgreSQL stores no NUL, and neither database a lone surrogate.
    if "\0" in text or (not text.isascii() and text.encode(errors="replace").decode() != text):
        raise AnswerError(field, "text without control characters", text.encode(errors="replace").decode())
    return text
