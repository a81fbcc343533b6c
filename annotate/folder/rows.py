"""The columns of each table (README.md beside this), what each admits, and how a CSV cell becomes a value."""

import datetime as dt
import functools
import json
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from annotate.kinds import ItemKind
from annotate.models import Item
from annotate.texts import one_newline, trimmed

from .people import PLACEHOLDER, is_unfilled, key_of
from .problems import Problem, Problems, quoted
from .tables import Table, json_value

INT32, INT64 = 2**31 - 1, 2**63 - 1


def refused(expected: str) -> PydanticCustomError:
    # Doubled braces: pydantic takes the words for a template.
    return PydanticCustomError("refused", "{expected}", {"expected": expected})


def _storable(text: str) -> str:
    # PostgreSQL stores no NUL, and neither database a lone surrogate.
    if "\0" in text:
        raise refused("text without NUL characters")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise refused("text without lone surrogates") from None
    return text


def _storable_json(value: Any) -> Any:
    match value:
        case str():
            _storable(value)
        case dict():
            for key, inner in value.items():
                _storable(key)
                _storable_json(inner)
        case list():
            for inner in value:
                _storable_json(inner)
        case None | bool() | int():
            pass
        case float() if value - value == 0:
            pass
        case _:
            raise refused("a JSON value with finite numbers")
    return value


def _whole(value: Any) -> Any:
    # pandas writes the whole numbers of a column with gaps as 1.0.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _time(value: Any) -> Any:
    time = value
    try:
        if isinstance(value, str) and len(value) > len("2026-01-01"):
            time = dt.datetime.fromisoformat(value)
        if not isinstance(time, dt.datetime):
            return value
        # The format is in UTC, so a time that names no zone is one.
        return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        # No time, or none that the calendar has in UTC.
        return str(value)


def iso(time: dt.datetime | None) -> str | None:
    return None if time is None else time.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def text_of(longest: int, shortest: int = 1, what: str = "text") -> Any:
    return Field(
        min_length=shortest, max_length=longest, description=f"{what} of {shortest} to {longest} characters"
    )


def whole_of(low: int, high: int) -> Any:
    return Field(ge=low, le=high, description=f"a whole number from {low} to {high}")


def _trimmed(value: Any) -> Any:
    return trimmed(value) if isinstance(value, str) else value


def _person(name: str) -> str:
    if is_unfilled(name):
        raise refused(PLACEHOLDER)
    return key_of(name)


Text = Annotated[str, AfterValidator(_storable), AfterValidator(one_newline), Field(description="text")]
Name = Annotated[Text, BeforeValidator(_trimmed)]
Id = Annotated[Name, text_of(200, what="an id")]
Person = Annotated[Name, text_of(100, what="an id"), AfterValidator(_person)]
Whole = Annotated[int, BeforeValidator(_whole)]
Number = Annotated[float, Field(allow_inf_nan=False, description="a finite number or null")]
Time = Annotated[dt.datetime, BeforeValidator(_time), Field(description="an ISO 8601 time")]
Count = Annotated[Whole, Field(ge=0, le=INT32)]
Object = Annotated[dict[str, Any], AfterValidator(_storable_json), Field(description="an object")]
Ids = Annotated[list[Id], Field(min_length=1, description="a list of response ids")]
SomeIds = Annotated[list[Id], Field(description="a list of response ids, maybe empty")]


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    # The column whose value names the row, so that what refers to a broken row isn't a problem again.
    named_by: ClassVar[str] = ""


class PromptRow(Row):
    named_by = "prompt_id"
    prompt_id: Id
    text: Text
    language: Annotated[
        Text,
        Field(max_length=35, pattern=r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$", description="a BCP 47 language"),
    ] = "en"
    category: Annotated[list[Name], Field(description="a list of strings")] = []


class ResponseRow(Row):
    named_by = "response_id"
    response_id: Id
    prompt_id: Id
    text: Text
    source: Annotated[Name, text_of(200)]
    sample: Annotated[Whole, whole_of(-INT32 - 1, INT32)] | None = None
    params: Object | None = None
    # Why nobody is shown it; items that show it are withheld.
    held_back: Text = ""


class ItemRow(Row):
    named_by = "item_id"
    item_id: Id
    kind: Annotated[
        Text,
        Field(pattern=f"^({'|'.join(ItemKind.values)})$", description=f"one of {', '.join(ItemKind.values)}"),
    ]
    prompt_id: Id
    response_ids: Ids
    role: Annotated[
        Text,
        Field(
            pattern=f"^({'|'.join(Item.Role.values)})$", description=f"one of {', '.join(Item.Role.values)}"
        ),
    ] = "main"
    expected: Object | None = None
    repeat_of: Id | None = None


class AnswerRow(Row):
    item_id: Id
    annotator_id: Person
    criterion: Annotated[Text, text_of(100, what="a criterion's key")]
    response_id: Id | None = None
    other_id: Id | None = None
    value: Number | None = None
    label: Annotated[Text, text_of(30, 0)] = ""
    text: Text = ""
    shown: Ids | None = None
    opened_at: Time | None = None
    submitted_at: Time | None = None
    active_ms: Annotated[Whole, whole_of(0, INT64)] | None = None
    revision: Annotated[Whole, whole_of(1, 32767)] = 1
    excluded: Text = ""
    first_ms: Annotated[Whole, whole_of(0, INT64)] | None = None
    changes: Annotated[Whole, whole_of(0, INT32)] | None = None
    # How often each response was scrolled or opened, by response_id.
    looked: Annotated[dict[Id, Count], Field(description="an object of counts by response_id")] | None = None
    # Responses whose end was seen.
    read_to_end: SomeIds | None = None
    flag: Text = ""
    comment: Text = ""


class AnnotatorRow(Row):
    model_config = ConfigDict(extra="allow", strict=True)
    named_by = "annotator_id"
    __pydantic_extra__: dict[str, Annotated[Any, AfterValidator(_storable_json)]]
    annotator_id: Person
    # Why nothing of the annotator's counts; their judgments carry a reason of their own besides.
    excluded: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, raw: dict[str, Any]) -> dict[str, Any]:
        for name in raw:
            if not _storable(name):
                raise refused("a name for every column")
        return raw

    @property
    def details(self) -> dict[str, Any]:
        return {name: value for name, value in (self.model_extra or {}).items() if value is not None}


R = TypeVar("R", bound=Row)


@functools.cache
def columns(model: type[Row]) -> dict[str, type]:
    """The type of each column: str (times too), int, float, list or dict."""
    return {name: _plain_type(field.annotation) for name, field in model.model_fields.items()}


def _plain_type(annotation: Any) -> type:
    while get_args(annotation) and get_origin(annotation) not in (list, dict):
        annotation = get_args(annotation)[0]
    plain: type = get_origin(annotation) or annotation
    return str if plain is dt.datetime else plain


def cell_value(cell: str) -> Any:
    """A cell of a column whose type the format doesn't say: JSON where it's written as JSON would be, else text.

    So 30 is a number, while 007 and 1.10 stay text.
    """
    try:
        value = json_value(cell)
    except (ValueError, RecursionError):
        return cell
    if isinstance(value, list | dict) or json.dumps(value, ensure_ascii=False) == cell:
        return value
    return cell


def value_cell(value: Any) -> str:
    """The inverse of `cell_value`."""
    if isinstance(value, str) and value and cell_value(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _from_cells(model: type[Row], cells: dict[str, str]) -> dict[str, Any]:
    """A CSV row: an empty cell is null, but in a column of required text it's an empty text."""
    types, row = columns(model), dict[str, Any]()
    for name, cell in cells.items():
        if name not in types:
            row[name] = (
                (cell_value(cell) if cell else None) if model.model_config["extra"] == "allow" else cell
            )
        elif types[name] is str:
            row[name] = cell if cell or model.model_fields[name].is_required() else None
        else:
            row[name] = _json_or_text(cell) if cell else None
    return row


def _json_or_text(cell: str) -> Any:
    try:
        return json_value(cell)
    except (ValueError, RecursionError):
        return cell


def _parse(table: Table, model: type[R], raw: dict[str, Any]) -> R:
    types = columns(model)
    if table.form == "csv":
        raw = _from_cells(model, raw)
    elif table.form == "parquet":
        # Objects are JSON text there too: their keys differ from row to row, and a parquet column's don't.
        raw = {
            k: _json_or_text(v) if isinstance(v, str) and types.get(k) is dict else v for k, v in raw.items()
        }
    return model.model_validate({k: v for k, v in raw.items() if v is not None or k not in types})


def read(
    table: Table, model: type[R], problems: Problems, broken: set[str] | None = None
) -> Iterator[tuple[int, R]]:
    """The valid rows with their lines; what is wrong goes to `problems`, the names of such rows to `broken`."""
    for line, raw in table.rows():
        if isinstance(raw, Problem):
            problems.put(raw)
            continue
        try:
            row = _parse(table, model, raw)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                _add(problems, table.file, line, model, detail)
            if broken is not None and isinstance(raw.get(model.named_by), str):
                broken.add(raw[model.named_by])
            continue
        yield line, row


def _add(problems: Problems, file: str, line: int, model: type[Row], detail: ErrorDetails) -> None:
    column = str(detail["loc"][0]) if detail["loc"] else ""
    if detail["type"] == "extra_forbidden":
        problems.add_once(
            file, line, column, f"one of the columns {', '.join(columns(model))}", quoted(column)
        )
        return
    problems.add(file, line, column, expectation(model, column, detail), found_in(detail))


def expectation(model: type[BaseModel], column: str, detail: ErrorDetails) -> str:
    if detail["type"] == "refused":
        return str(detail["ctx"]["expected"])
    if detail["type"] == "string_unicode":
        return "text without lone surrogates"
    return described(model, column)


def described(model: type[BaseModel], column: str) -> str:
    field = model.model_fields.get(column)
    words = field.description if field else None
    if field and not words:
        # `X | None` keeps the description on X.
        inner = next((a for a in get_args(field.annotation) if a is not type(None)), None)
        notes = [getattr(note, "description", None) for note in getattr(inner, "__metadata__", ())]
        words = next((note for note in reversed(notes) if note), None)
    return words or "a value"


def found_in(detail: ErrorDetails) -> str:
    return "nothing" if detail["type"] == "missing" else quoted(detail["input"])
