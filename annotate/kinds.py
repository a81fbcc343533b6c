"""What varies by the kind of a criterion: where it may be asked, how its form is read, what its answers must be.

Nothing else in the project asks for the kind: folder, seats and task pages call the methods of `Kind`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from annotate.models import Criterion


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


class NoPreference(models.TextChoices):
    """Why a preference names no response."""

    TIE = "tie", gettext_lazy("About the same")
    BOTH_GOOD = "both_good", gettext_lazy("Both good")
    BOTH_BAD = "both_bad", gettext_lazy("Both bad")
    CANNOT_TELL = "cannot_tell", gettext_lazy("Cannot tell")


# Beyond it nobody counts ideas, and squares would not fit any more.
LARGEST = 1e12


class AnswerError(ValueError):
    """An answer that its criterion does not admit: which column, what was expected, what was found."""

    def __init__(self, column: str, expected: str, found: object) -> None:
        super().__init__(f"{column}: expected {expected}, found {found!r}")
        self.column, self.expected, self.found = column, expected, found


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
    options: tuple[Option, ...] = ()
    typed: str = ""  # the HTML input type where there are no options
    low: int | None = None  # least and greatest number that may be typed
    high: int | None = None


class Kind(models.TextChoices):
    RATING = "rating"
    PREFERENCE = "preference"
    SIMILARITY = "similarity"
    RANKING = "ranking"
    GROUPING = "grouping"
    ODD_ONE_OUT = "odd_one_out"
    NUMBER = "number"
    TEXT = "text"

    @property
    def item_kinds(self) -> tuple[ItemKind, ...]:
        """Kinds of item that may ask it."""
        match self:
            case Kind.PREFERENCE | Kind.SIMILARITY:
                return (ItemKind.PAIR,)
            case Kind.RANKING | Kind.GROUPING | Kind.ODD_ONE_OUT:
                return (ItemKind.SET,)
            case _:
                return tuple(ItemKind)

    @property
    def per_response(self) -> bool:
        """One row a response, asked beside each response; otherwise one row an item."""
        return self in (Kind.RATING, Kind.RANKING, Kind.GROUPING)

    @classmethod
    def scaled(cls) -> list[str]:
        """Kinds whose value is a point of the criterion's scale."""
        return [cls.RATING.value, cls.SIMILARITY.value]

    @classmethod
    def fits_q(cls) -> Q:
        """The rows of a table with `kind` and `on` in which the one may be asked by the other."""
        return Q(*[Q(kind=k.value, on__in=[i.value for i in k.item_kinds]) for k in cls], _connector=Q.OR)

    def check(self, criterion: Criterion, value: Value, responses: Sequence[int] | Sequence[str]) -> None:
        """Raise AnswerError unless the row is one this criterion admits for an item with these responses."""
        self._check_responses(value, responses)
        if value.label and self is not Kind.PREFERENCE:
            raise AnswerError("label", "none, since only a preference has one", value.label)
        if value.text and self is not Kind.TEXT:
            raise AnswerError("text", f"none for a {self.value}", value.text)
        if self is Kind.PREFERENCE:
            _check_preference(value)
        elif value.value is not None:
            self._check_number(criterion, value.value, len(responses))

    def _check_responses(self, value: Value, responses: Sequence[int] | Sequence[str]) -> None:
        """One row a response names it; a similarity names both; the rest name none."""
        named = self.per_response or self in (Kind.SIMILARITY, Kind.ODD_ONE_OUT)
        optional = self is Kind.PREFERENCE or (self is Kind.ODD_ONE_OUT and value.value is None)
        if value.response is None and named and not optional:
            raise AnswerError("response_id", f"a response of the item, since this is a {self.value}", None)
        if value.response is not None and not (named or optional):
            raise AnswerError("response_id", f"none for a {self.value}", value.response)
        if value.response is not None and value.response not in responses:
            raise AnswerError("response_id", "a response that the item shows", value.response)
        if self is Kind.SIMILARITY:
            if value.other is None or value.other == value.response or value.other not in responses:
                raise AnswerError("other_id", "the other response of the pair", value.other)
        elif value.other is not None:
            raise AnswerError("other_id", f"none for a {self.value}", value.other)

    def _check_number(self, criterion: Criterion, number: float, n_responses: int) -> None:
        match self:
            case Kind.RATING | Kind.SIMILARITY:
                if number not in criterion.points:
                    raise AnswerError(
                        "value",
                        f"a whole number from {criterion.scale_low} to {criterion.scale_high}",
                        number,
                    )
            case Kind.GROUPING:
                # A name and no quantity: other tools count groups from 0, or call what is in none of them -1.
                if not (abs(number) <= LARGEST and float(number).is_integer()):
                    raise AnswerError("value", "a whole number, the same for all in the group", number)
            case Kind.RANKING:
                # Ranks are counted from 1; a set has no more of them than responses.
                if number not in range(1, n_responses + 1):
                    raise AnswerError("value", f"a whole number from 1 to {n_responses}", number)
            case Kind.ODD_ONE_OUT:
                if number != 1:
                    raise AnswerError("value", "1", number)
            case Kind.TEXT:
                raise AnswerError("value", "null, since the words are in text", number)
            case _:
                if not abs(number) <= LARGEST:  # NaN is not either
                    raise AnswerError("value", "a number between minus and plus a million million", number)

    def questions(self, criterion: Criterion, shown: Sequence[int]) -> list[Question]:
        """The controls a task page draws for an item that shows these responses, in displayed order."""
        numbered = self not in (Kind.PREFERENCE, Kind.ODD_ONE_OUT)
        options = tuple(_keyed(self._options(criterion, shown), own_digits=numbered))
        typed = {Kind.NUMBER: "number", Kind.TEXT: "text"}.get(self, "")
        low = high = None
        if self._is_typed(len(options)):
            low, high, options, typed = int(options[0].value), int(options[-1].value), (), "number"
        asked: list[int | None] = [*shown] if self.per_response else [None]
        return [Question(_field(criterion, r), r, options, typed, low, high) for r in asked]

    def _is_typed(self, n_options: int) -> bool:
        """A long scale and the ranks or piles of a large set are typed: nobody reads a hundred buttons."""
        most = {Kind.RATING: 11, Kind.SIMILARITY: 11, Kind.RANKING: 9, Kind.GROUPING: 9}.get(self)
        return most is not None and n_options > most

    def _options(self, criterion: Criterion, shown: Sequence[int]) -> tuple[Option, ...]:
        match self:
            case Kind.RATING | Kind.SIMILARITY:
                return tuple(Option(str(p), criterion.label_of(p)) for p in criterion.points)
            case Kind.PREFERENCE:
                return _preference_options(shown)
            case Kind.RANKING | Kind.GROUPING:
                return tuple(Option(str(n), "") for n in range(1, len(shown) + 1))
            case Kind.ODD_ONE_OUT:
                return tuple(Option(str(r), _("Response %(n)d") % {"n": n}) for n, r in enumerate(shown, 1))
            case _:
                return ()

    def read(self, criterion: Criterion, posted: Mapping[str, str], responses: Sequence[int]) -> list[Value]:
        """Rows from a submitted form; raise AnswerError for what is missing or not admitted.

        Fields are named `c<criterion>`, or `c<criterion>-<response>` where the kind asks each response.
        """
        rows = []
        asked: list[int | None] = [*responses] if self.per_response else [None]
        for field, response in [(_field(criterion, r), r) for r in asked]:
            raw = _storable(field, posted.get(field, "").strip())
            if not raw and criterion.required:
                raise AnswerError(field, "an answer", "nothing")
            value = self._parse(raw, response, responses)
            self.check(criterion, value, responses)
            rows.append(value)
        # A question left open by choice has rows only where the format keeps one a response.
        return [r for r in rows if r.value is not None or r.text or self.per_response]

    def written(self, criterion: Criterion, value: Value) -> tuple[str, str]:
        """The form field that says this row, and what it says: the way back from `read`."""
        field = _field(criterion, value.response if self.per_response else None)
        if self is Kind.PREFERENCE:
            chosen = f"{value.response}:{_plain(value.value)}" if value.response is not None else ""
            return field, value.label or chosen
        if self is Kind.ODD_ONE_OUT:
            return field, "" if value.response is None else str(value.response)
        return field, value.text if self is Kind.TEXT else _plain(value.value)

    def blank(self, responses: Sequence[int] | Sequence[str]) -> Value:
        """The row of a question left open."""
        asked = responses[0] if self.per_response else None
        if self is Kind.SIMILARITY:
            return Value(response=responses[0], other=responses[1])
        return Value(response=asked)

    def _parse(self, raw: str, response: int | None, responses: Sequence[int]) -> Value:
        match self:
            case Kind.PREFERENCE:
                if raw in NoPreference.values:
                    return Value(value=0, label=raw)
                chosen, _, strength = raw.partition(":")
                return Value(response=_response(chosen), value=_number(strength)) if raw else Value()
            case Kind.SIMILARITY:
                return Value(response=responses[0], other=responses[1], value=_number(raw))
            case Kind.ODD_ONE_OUT:
                return Value(response=_response(raw), value=1) if raw else Value()
            case Kind.TEXT:
                return Value(text=raw)
            case _:
                return Value(response=response, value=_number(raw))


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


def _preference_options(shown: Sequence[int]) -> tuple[Option, ...]:
    first, second = shown
    return (
        Option(f"{first}:2", _("First much better")),
        Option(f"{first}:1", _("First slightly better")),
        Option(NoPreference.TIE.value, str(NoPreference.TIE.label)),
        Option(f"{second}:1", _("Second slightly better")),
        Option(f"{second}:2", _("Second much better")),
        *(Option(n.value, str(n.label)) for n in NoPreference if n is not NoPreference.TIE),
    )


def _field(criterion: Criterion, response: int | str | None) -> str:
    """Name of a form's field: of a criterion, or of a response under it."""
    return f"c{criterion.pk}" if response is None else f"c{criterion.pk}-{response}"


def _plain(number: float | None) -> str:
    if number is None:
        return ""
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _number(raw: str) -> int | float | None:
    if not raw:
        return None
    try:
        number = float(raw)
    except ValueError:
        raise AnswerError("value", "a number", raw) from None
    return int(number) if number.is_integer() else number


def _storable(field: str, text: str) -> str:
    # PostgreSQL stores no NUL, and neither database a lone surrogate.
    if "\0" in text or (not text.isascii() and text.encode(errors="replace").decode() != text):
        raise AnswerError(field, "text without control characters", text.encode(errors="replace").decode())
    return text


def _response(raw: str) -> int | None:
    # Nineteen digits: beyond them no database has such an id, and the number would not fit.
    return int(raw) if raw.isdecimal() and len(raw) < 19 else None


def _check_preference(value: Value) -> None:
    if value.response is not None:
        if value.value not in (1, 2):
            raise AnswerError("value", "1 (slightly) or 2 (much) where a response is preferred", value.value)
        if value.label:
            raise AnswerError("label", "none where a response is preferred", value.label)
    elif value.value is not None:
        if value.value != 0:
            raise AnswerError("value", "0 where no response is preferred", value.value)
        if value.label not in NoPreference.values:
            raise AnswerError("label", f"one of {', '.join(NoPreference.values)}", value.label)
    elif value.label:
        raise AnswerError("value", "0 beside a label", None)
