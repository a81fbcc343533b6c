"""Any table of rows, once somebody has said what its columns mean.

One row shows one response, or two (`response_a`, `response_b`); its ratings and votes stand in columns of their own,
one a person, or in lists. Roles with a name after a dot may come several times.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from annotate.folder.problems import quoted

from ..conversations import Turn, written
from ..line import Line
from ..numbers import is_missing
from ..pairs import scale
from ..records import Records
from ..registry import Format
from ..source import Source

# Role, and what the mapping page says of it.
ROLES = {
    "prompt": "the prompt's text",
    "prompt_id": "an id of the prompt",
    "category": "a category of the prompt",
    "language": "the prompt's language (BCP 47)",
    "response": "the response's text; several columns: one a source, called by its column",
    "response_id": "an id of the response",
    "source": "who wrote the response: a model, or human",
    "sample": "number of the sample",
    "response_a": "the first response of a pair",
    "response_b": "the second response of a pair",
    "source_a": "who wrote the first response",
    "source_b": "who wrote the second response",
    "annotator": "who judged, by pseudonym",
    "submitted_at": "when (ISO 8601)",
    "preference": "which of a pair is better, in words; what codes mean is said by --values",
    "similarity": "how alike the two of a pair are",
    "rating": "a rating; rating.KEY for a criterion of that key",
    "comment": "words about the response",
    "score": "a machine's score; score.NAME for a machine of that name",
    "scale": "not a column: LOW,HIGH of the ratings",
}


ANSWERS = ("rating", "similarity", "preference", "comment")


@dataclass(frozen=True)
class Shown:
    kind: str
    item: str
    responses: list[str]


def read(
    records: Records, files: Sequence[Source], value_of: Callable[[Any], Any] = lambda cell: cell
) -> None:
    """`value_of` a cell of answers is what was answered, where the format wraps that up."""
    mapping = records.options.mapping
    columns = {name for source in files for row in source.head() for name in row}
    for role, column in mapping.items():
        _check(files, role, column, columns)

    def row(line: Line) -> None:
        answers = {name: value_of(line.row[name]) for name in _of_answers(mapping) if name in line.row}
        line = replace(line, row={**line.row, **answers})
        shown = _shown(records, line)
        for role, column in mapping.items():
            kind, _, key = role.partition(".")
            if kind in ANSWERS:
                for name in [column] if column in line.row else column.split(","):
                    _answers(records, line, shown, kind, key or kind, name, several=name != column)
            elif kind == "score" and shown.kind == "single" and (value := line.number(column)) is not None:
                records.score(key or column, shown.responses[0], value)

    records.each(files, row)


def _of_answers(mapping: Mapping[str, str]) -> list[str]:
    """The columns that hold answers."""
    named = [column for role, column in mapping.items() if role.partition(".")[0] in ANSWERS]
    return [name for column in named for name in (column, *column.split(","))]


def _check(files: Sequence[Source], role: str, column: str, columns: set[str]) -> None:
    name = files[0].name
    if role.partition(".")[0] not in ROLES:
        raise files[0].unreadable(None, f"a role of {', '.join(ROLES)}", quoted(role))
    # A path leads into objects and lists: input.messages, scores.0.value
    missing = [c for c in column.split(",") if c not in columns and c.partition(".")[0] not in columns]
    # Without a row that can be read, what is wrong with the rows says more.
    if role != "scale" and column not in columns and missing and columns:
        there = ", ".join(sorted(columns))
        raise files[0].unreadable(1, f"columns of {name} for {role}: one of {there}", quoted(missing[0]))


def _shown(records: Records, line: Line) -> Shown:
    at = records.options.mapping
    if not {"response", "response_a"} & at.keys() and "prompt" not in at:
        raise line.wrong(
            "", "a column for prompt and one for response (or response_a and response_b)", "neither"
        )
    turns = line.turns(at["prompt"]) if "prompt" in at else []
    text = written(turns) if turns else records.placeholder("no prompt")
    key = line.key(at["prompt_id"]) if "prompt_id" in at else ""
    category = [line.text(at["category"])] if "category" in at and line.has(at["category"]) else []
    language = line.text_or(at["language"], "") if "language" in at else ""
    prompt = records.prompt(text, key, category, language)
    if "response_a" in at:
        responses = [
            _response(records, line, prompt, f"response_{s}", f"source_{s}", turns=turns) for s in "ab"
        ]
        return Shown("pair", records.item("pair", responses), responses)
    if "response" not in at:
        return Shown("", "", [])
    if "," in at["response"] and at["response"] not in line.row:
        return _of_several(records, line, prompt, turns)
    sample = line.whole(at["sample"]) if "sample" in at else None
    key = line.key(at["response_id"]) if "response_id" in at else ""
    response = _response(records, line, prompt, "response", "source", key, sample, turns)
    roles = {role.partition(".")[0] for role in at} & {"rating", "comment"}
    return Shown("single", records.item("single", [response]) if roles else "", [response])


def _of_several(records: Records, line: Line, prompt: str, turns: Sequence[Turn]) -> Shown:
    """Several columns of responses: each is of the source that it is called by."""
    columns = [name for name in records.options.mapping["response"].split(",") if line.has(name)]
    responses = [records.response(prompt, line.answer(name, turns), name) for name in columns]
    return Shown("several", "", responses)


def _response(
    records: Records,
    line: Line,
    prompt: str,
    role: str,
    source: str,
    key: str = "",
    sample: int | None = None,
    turns: Sequence[Turn] = (),
) -> str:
    at = records.options.mapping
    who = line.text_or(at[source], "") if source in at else ""
    if role not in at:
        raise line.wrong("", f"a column for {role}", "nothing")
    return records.response(prompt, line.answer(at[role], turns), who, key, sample)


def _answers(
    records: Records, line: Line, shown: Shown, kind: str, key: str, column: str, *, several: bool
) -> None:
    """The answers in one cell: one, or a list of labels that name nobody."""
    raw = line.get(column)
    if _is_nothing(line, kind, column):
        what = "is empty" if raw in (None, "") else f"says {quoted(raw)}, which is nothing"
        records.remark(f"Column {column!r} {what}: no answer was made of it.")
        return
    if not shown.item:
        raise line.wrong(column, "a response that it is about (--map response=…)", raw)
    is_list = isinstance(raw, list) or (isinstance(raw, str) and raw.lstrip().startswith("["))
    labels = line.elements(column) if is_list and kind != "comment" else [raw]
    for number, label in enumerate(labels, 1):
        place = f"{column}.{number - 1}" if is_list else column
        one = replace(line, row={place: label})
        if _is_nothing(one, kind, place):
            records.remark(f"A label in {column!r} is missing: no answer was made of it.")
            continue
        who = _who(records, line, shown.item, column, number, several=several, listed=is_list)
        _answer(records, one, shown, kind, key, place, who, _when(records, line))


def _is_nothing(line: Line, kind: str, column: str) -> bool:
    """Whether nobody answered there; for comments, words for nothing are words."""
    value = line.get(column)
    if kind == "comment":
        return value in (None, "")
    return is_missing(value) and not line.means(column)


def _when(records: Records, line: Line) -> str | None:
    column = records.options.mapping.get("submitted_at")
    return line.time(column) if column else None


def _who(
    records: Records, line: Line, item: str, column: str, number: int, *, several: bool, listed: bool
) -> str:
    at = records.options.mapping
    if "annotator" in at and not listed:
        return records.annotator(line.key(at["annotator"]))
    if several and not listed:
        return records.annotator(column)
    records.remark("No annotator is named: each label is a slot of its own.", placed=False)
    return records.slot(item, number)


def _answer(
    records: Records, line: Line, shown: Shown, kind: str, key: str, column: str, who: str, when: str | None
) -> None:
    if kind == "preference":
        criterion = records.ask(key, "pair", "preference", "Which response is better?", measures="quality")
        vote = line.needed_vote(column)
        records.prefer(shown.item, who, criterion, vote, shown.responses, submitted_at=when)
    elif kind == "comment":
        criterion = records.ask(key, shown.kind, "text", "What would you say about it?", required=False)
        records.tell(shown.item, who, criterion, None, line.text_or(column, ""), submitted_at=when)
    else:
        low, high = scale(records, (0, 4) if kind == "similarity" else (1, 5))
        value = line.number(column)
        if value is None or not value.is_integer() or not low <= value <= high:
            expected = f"a whole number from {low} to {high} (--map scale=LOW,HIGH)"
            raise line.wrong(column, expected, line.row[column])
        _point(records, line, shown, kind, key, who, value, [low, high], when)


def _point(
    records: Records,
    line: Line,
    shown: Shown,
    kind: str,
    key: str,
    who: str,
    value: float,
    scale: list[int],
    when: str | None,
) -> None:
    if kind == "similarity" and shown.kind != "pair":
        raise line.wrong(kind, "two responses (--map response_a=… response_b=…)", f"a {shown.kind}")
    text = "How alike are the two?" if kind == "similarity" else "How good is this response?"
    measures = {"similarity": "similarity", "originality": "originality"}.get(key, "quality")
    criterion = records.ask(key, shown.kind, kind, text, scale=scale, measures=measures)
    if kind == "similarity":
        records.similar(shown.item, who, criterion, value, submitted_at=when)
    elif shown.kind == "pair":
        raise line.wrong(kind, "one response a row (--map response=…)", "a pair")
    else:
        records.rate(shown.item, who, criterion, value, submitted_at=when)


FORMATS = [
    Format(
        "mapped", "Any table, with a mapping of its columns", read, (), "the mapping says it", scores=True,
        options="--map prompt=COLUMN response=COLUMN source=COLUMN rating.quality=COLUMN,COLUMN annotator=COLUMN "
        "score.NAME=COLUMN scale=1,5; for pairs response_a, response_b, preference, similarity",
    ),
]  # fmt: skip
