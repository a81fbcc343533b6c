"""The first pass over a folder: everything is checked, and nothing written.

Prompts, responses and items are kept by id; of the answers only hashes are, since there may be any number of them.
"""

import sys
from array import array
from collections.abc import Container, Hashable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from annotate.kinds import AnswerError, ItemKind, Value, kind_of
from annotate.models import Criterion, Item

from .problems import Problems, quoted
from .progress import Progress
from .rows import AnnotatorRow, AnswerRow, ItemRow, PromptRow, ResponseRow, iso, read
from .study_toml import StudySpec, criterion_of
from .tables import Table

# So many repetitions are named exactly; whoever has more will see the reason in these.
SUSPECTS = 100_000


class Shows(NamedTuple):
    """What an item shows."""

    kind: str
    responses: tuple[str, ...]


@dataclass
class Known:
    """A folder's contents by id, as far as its other tables refer to them."""

    criteria: dict[str, Criterion] = field(default_factory=dict)
    prompts: set[str] = field(default_factory=set)
    responses: dict[str, str] = field(default_factory=dict)
    items: dict[str, Shows] = field(default_factory=dict)
    repeats: dict[str, str] = field(default_factory=dict)
    annotators: set[str] | None = None
    # Ids of rows that are wrong themselves: whoever refers to them isn't.
    broken: dict[str, set[str]] = field(
        default_factory=lambda: {t: set() for t in ("prompts", "responses", "items", "annotators")}
    )
    counts: dict[str, int] = field(default_factory=dict)

    def has_annotator(self, key: str) -> bool:
        return self.annotators is None or key in self.annotators or key in self.broken["annotators"]

    def has_item(self, key: str) -> bool:
        return key in self.items or key in self.broken["items"] or key in self.broken["responses"]


def check_tables(
    spec: StudySpec,
    tables: dict[str, Table],
    problems: Problems,
    progress: Progress,
    stored: Known | None = None,
) -> Known:
    """`stored` is what the tables may refer to without having it: a study that takes up more."""
    known = stored or Known()
    known.criteria = {c.key: criterion_of(c, i) for i, c in enumerate(spec.criterion)}
    check_prompts(known, tables["prompts"], problems)
    check_responses(known, tables["responses"], problems)
    if "items" in tables:
        check_items(known, tables["items"], problems)
    else:
        single_items(known, tables["answers"], problems)
    if "annotators" in tables:
        check_annotators(known, tables["annotators"], problems)
    if "answers" in tables:
        check_answers(known, tables["answers"], problems, progress)
    return known


def check_prompts(known: Known, table: Table, problems: Problems) -> None:
    before = len(known.prompts)
    for line, row in read(table, PromptRow, problems, known.broken["prompts"]):
        _once(row.prompt_id, known.prompts, table, line, "prompt_id", problems)
        known.prompts.add(sys.intern(row.prompt_id))
    known.counts["prompts"] = len(known.prompts) - before


def check_responses(known: Known, table: Table, problems: Problems) -> None:
    before = len(known.responses)
    for line, row in read(table, ResponseRow, problems, known.broken["responses"]):
        _once(row.response_id, known.responses, table, line, "response_id", problems)
        known.responses[sys.intern(row.response_id)] = sys.intern(row.prompt_id)
        if row.prompt_id not in known.prompts and row.prompt_id not in known.broken["prompts"]:
            problems.add(table.file, line, "prompt_id", "a prompt_id of prompts", quoted(row.prompt_id))
    known.counts["responses"] = len(known.responses) - before


def _once(key: str, seen: Container[str], table: Table, line: int, column: str, problems: Problems) -> None:
    if key in seen:
        problems.add(table.file, line, column, "each id once", f"{quoted(key)} again")


def check_items(known: Known, table: Table, problems: Problems) -> None:
    before = len(known.items)
    for line, row in read(table, ItemRow, problems, known.broken["items"]):
        _once(row.item_id, known.items, table, line, "item_id", problems)
        for column, expected, found in _item_problems(known, row):
            problems.add(table.file, line, column, expected, found)
        known.items[row.item_id] = Shows(sys.intern(row.kind), tuple(map(sys.intern, row.response_ids)))
        if row.repeat_of is not None:
            known.repeats[row.item_id] = row.repeat_of
    _check_repeats(known, table, problems)
    known.counts["items"] = len(known.items) - before


def _item_problems(known: Known, row: ItemRow) -> Iterator[tuple[str, str, str]]:
    sizes, ids = ItemKind(row.kind).sizes, row.response_ids
    if row.prompt_id not in known.prompts and row.prompt_id not in known.broken["prompts"]:
        yield "prompt_id", "a prompt_id of prompts", quoted(row.prompt_id)
    if len(ids) not in sizes:
        many = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        yield "response_ids", f"{many} for a {row.kind}", f"{len(ids)}"
    if len(set(ids)) < len(ids):
        yield "response_ids", "each response once", quoted(ids)
    for key in ids:
        if known.responses.get(key, row.prompt_id) != row.prompt_id:
            yield "response_ids", f"responses to the prompt {quoted(row.prompt_id)}", quoted(key)
        elif key not in known.responses and key not in known.broken["responses"]:
            yield "response_ids", "ids of responses", quoted(key)
    if row.expected is not None and row.role not in (Item.Role.GOLD, Item.Role.PRACTICE):
        yield "expected", f"none for a {row.role} item", quoted(row.expected)
    if (row.repeat_of is not None) != (row.role == Item.Role.REPEAT):
        what = "an item_id" if row.repeat_of is None else f"none for a {row.role} item"
        yield "repeat_of", what, quoted(row.repeat_of)


def _check_repeats(known: Known, table: Table, problems: Problems) -> None:
    """Every chain of repeats ends at an item that is not a repeat."""
    wrong = {key for key in known.repeats if not _leads_to_original(known, key)}
    if wrong:
        for line, row in read(table, ItemRow, Problems()):
            if row.item_id in wrong:
                problems.add(
                    table.file, line, "repeat_of", "the item_id of another item", quoted(row.repeat_of)
                )


def _leads_to_original(known: Known, key: str) -> bool:
    passed = {key}
    while (target := known.repeats.get(key)) is not None:
        if target in passed:
            return False
        passed.add(target)
        key = target
    return key in known.items or key in known.broken["items"]


def single_items(known: Known, table: Table, problems: Problems) -> None:
    """Without an items table, a response with answers becomes an item."""
    for line, row in read(table, AnswerRow, Problems()):
        if row.item_id in known.responses:
            known.items.setdefault(row.item_id, Shows("single", (sys.intern(row.item_id),)))
        elif row.item_id not in known.broken["responses"]:
            expected = f"this file, unless each item_id of {table.file} is a response_id"
            problems.add_once(
                "items.jsonl", None, "", expected, f"{quoted(row.item_id)} on line {line}, and no items"
            )
            known.broken["items"].add(row.item_id)
    known.counts["items"] = len(known.items)


def check_annotators(known: Known, table: Table, problems: Problems) -> None:
    known.annotators = known.annotators or set()
    before = len(known.annotators)
    for line, row in read(table, AnnotatorRow, problems, known.broken["annotators"]):
        _once(row.annotator_id, known.annotators, table, line, "annotator_id", problems)
        known.annotators.add(row.annotator_id)
    known.counts["annotators"] = len(known.annotators) - before


class Hashes:
    """64-bit hashes of keys, 8 bytes a row whatever the keys are."""

    def __init__(self) -> None:
        self._hashes = array("q")

    def add(self, key: Hashable) -> None:
        self._hashes.append(hash(key))

    def _values(self) -> npt.NDArray[np.int64]:
        return np.frombuffer(self._hashes, dtype=np.int64)

    def repeated(self) -> set[int]:
        ordered = np.sort(self._values())
        return set(np.unique(ordered[1:][ordered[1:] == ordered[:-1]])[:SUSPECTS].tolist())

    def disagreeing(self, content: "Hashes") -> set[int]:
        """Keys that occurred with more than one content."""
        keys, contents = self._values(), content._values()
        order = np.lexsort((contents, keys))
        keys, contents = keys[order], contents[order]
        differs = (keys[1:] == keys[:-1]) & (contents[1:] != contents[:-1])
        return set(np.unique(keys[1:][differs])[:SUSPECTS].tolist())


class AnswerHashes(NamedTuple):
    answers: Hashes
    judgments: Hashes
    contents: Hashes
    seats: Hashes
    orders: Hashes


def check_answers(known: Known, table: Table, problems: Problems, progress: Progress) -> None:
    hashes = AnswerHashes(*(Hashes() for _ in AnswerHashes._fields))
    annotators, n = set[str](), 0
    for line, row in progress(read(table, AnswerRow, problems), "checking answers"):
        n += 1
        for column, expected, found in _answer_problems(known, row):
            problems.add(table.file, line, column, expected, found)
        if known.annotators is None:
            annotators.add(row.annotator_id)
        hashes.answers.add(answer_key(known, row))
        hashes.judgments.add((row.item_id, row.annotator_id, row.revision))
        hashes.contents.add(tuple(_judgment_columns(row).values()))
        hashes.seats.add((row.item_id, row.annotator_id))
        hashes.orders.add(tuple(row.shown or ()))
    known.counts["answers"] = n
    known.counts.setdefault("annotators", len(annotators))
    _name_repeated(known, table, hashes.answers.repeated(), problems)
    _name_disagreeing(table, hashes, problems)


def answer_key(known: Known, row: AnswerRow) -> tuple[str, str, str, str | None, int]:
    """The key of an answer: the response is part of it only if the kind asks about each one."""
    criterion = known.criteria.get(row.criterion)
    each = criterion is not None and kind_of(criterion).per_response
    return row.item_id, row.annotator_id, row.criterion, row.response_id if each else None, row.revision


def _judgment_columns(row: AnswerRow) -> dict[str, Hashable]:
    """Columns of the judgment, repeated on each of its rows."""
    return {
        "opened_at": row.opened_at,
        "submitted_at": row.submitted_at,
        "active_ms": row.active_ms,
        "excluded": row.excluded,
        "first_ms": row.first_ms,
        "changes": row.changes,
        "looked": tuple(sorted((row.looked or {}).items())),
        "read_to_end": None if row.read_to_end is None else tuple(sorted(row.read_to_end)),
        "flag": row.flag,
        "comment": row.comment,
    }


def _answer_problems(known: Known, row: AnswerRow) -> Iterator[tuple[str, str, str]]:
    shows, criterion = known.items.get(row.item_id), known.criteria.get(row.criterion)
    if not known.has_annotator(row.annotator_id):
        yield "annotator_id", "an annotator_id of annotators", quoted(row.annotator_id)
    if row.opened_at and row.submitted_at and row.submitted_at < row.opened_at:
        yield "submitted_at", f"a time not before {iso(row.opened_at)}", quoted(iso(row.submitted_at))
    if criterion is None:
        yield "criterion", f"one of {', '.join(known.criteria)}", quoted(row.criterion)
    if shows is None:
        if not known.has_item(row.item_id):
            yield "item_id", "an item_id of items", quoted(row.item_id)
        return
    if row.shown is not None and sorted(row.shown) != sorted(shows.responses):
        yield "shown", f"{quoted(list(shows.responses))} in some order", quoted(row.shown)
    for key in sorted(set(row.looked or ()) - set(shows.responses)):
        yield "looked", f"counts by {', '.join(map(quoted, shows.responses))}", quoted(key)
    for key in sorted(set(row.read_to_end or ()) - set(shows.responses)):
        yield "read_to_end", f"some of {', '.join(map(quoted, shows.responses))}", quoted(key)
    if criterion is not None:
        yield from _value_problems(criterion, row, shows)


def _value_problems(criterion: Criterion, row: AnswerRow, shows: Shows) -> Iterator[tuple[str, str, str]]:
    if criterion.on != shows.kind:
        yield "criterion", f"a criterion on a {shows.kind}", f"{quoted(row.criterion)}, on a {criterion.on}"
        return
    value = Value(row.response_id, row.other_id, row.value, row.label, row.text)
    try:
        kind_of(criterion).check(criterion, value, shows.responses)
    except AnswerError as error:
        column = {"response": "response_id", "other": "other_id"}.get(error.column, error.column)
        yield column, error.expected, quoted(error.found)


def _name_repeated(known: Known, table: Table, suspects: set[int], problems: Problems) -> None:
    if not suspects:
        return
    first: dict[Hashable, int] = {}
    for line, row in read(table, AnswerRow, Problems()):
        key = answer_key(known, row)
        if hash(key) in suspects and first.setdefault(key, line) != line:
            expected = "one answer for each item, annotator, criterion, response and revision"
            problems.add(table.file, line, "criterion", expected, f"another one, after line {first[key]}")


def _name_disagreeing(table: Table, hashes: AnswerHashes, problems: Problems) -> None:
    judgments = hashes.judgments.disagreeing(hashes.contents)
    seats = hashes.seats.disagreeing(hashes.orders)
    if not judgments and not seats:
        return
    first: dict[Hashable, tuple[int, dict[str, Hashable]]] = {}
    for line, row in read(table, AnswerRow, Problems()):
        judgment, seat = (row.item_id, row.annotator_id, row.revision), (row.item_id, row.annotator_id)
        if hash(judgment) in judgments:
            columns = _judgment_columns(row)
            _compare(table, line, columns, first.setdefault(judgment, (line, columns)), problems)
        if hash(seat) in seats:
            values: dict[str, Hashable] = {"shown": tuple(row.shown or ())}
            _compare(table, line, values, first.setdefault(seat, (line, values)), problems)


def _compare(
    table: Table,
    line: int,
    here: dict[str, Hashable],
    first: tuple[int, dict[str, Hashable]],
    problems: Problems,
) -> None:
    there, columns = first
    for column, value in here.items():
        if value != columns[column]:
            expected = f"the same as on line {there}, for one item and annotator ({_told(columns[column])})"
            problems.add(table.file, line, column, expected, _told(value))


def _told(value: object) -> str:
    if value in ("", ()):
        return "nothing"
    return quoted(value if not isinstance(value, tuple) else list(value))
