"""Argilla records, flattened or nested: fields, and under each question what each user responded.

The answers show the kind of question: numbers are ratings, {value, rank} a ranking, a vote between two fields a
preference, other words a text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from annotate.folder.problems import Problem, quoted

from .. import guess, votes
from ..line import VALUES, Line, WrongError
from ..pairs import scale
from ..records import Records
from ..registry import Format, marks
from ..source import Source

# Of a record in one piece; flattened, whatever else is a text may be shown.
RECORD = {"id", "external_id", "status", "_server_id", "fields", "responses", "suggestions", "inserted_at",
          "updated_at", "metadata", "vectors"}  # fmt: skip
GIVEN = ".responses"


@dataclass(frozen=True)
class Response:
    question: str
    value: Any
    user: str | None
    status: str


def read(records: Records, files: Sequence[Source]) -> None:
    questions = _vote_questions(records, files)

    def row(line: Line) -> None:
        fields = line.inner("fields", line.object("fields")) if line.has("fields") else line
        responses = _responses(line)
        kind, shown = _shown(records, line, fields)
        item = records.item(kind, shown)
        for number, response in enumerate(responses, 1):
            if response.status not in ("", "submitted", "None"):
                records.remark(f"A response with status {response.status!r} was left out.")
            elif response.value not in (None, ""):
                vote = response.question in questions
                _answer(records, line, response, kind, item, shown, number, is_vote=vote)
        for suggestion in _suggestions(line):
            _suggested(records, suggestion, kind, shown)

    records.each(files, row)


def _vote_questions(records: Records, files: Sequence[Source]) -> set[str]:
    """Questions whose answers are all words for a vote; FolderError for one that has such words and others."""
    words: dict[str, dict[str, bool]] = {}
    for source in files:
        for number, row in source.rows():
            if isinstance(row, Problem):
                continue
            try:
                responses = _responses(Line(source.name, number, row))
            except WrongError:
                continue
            for given in responses:
                if isinstance(given.value, str) and given.value:
                    known = votes.code(given.value) in records.options.values or votes.vote(given.value)
                    words.setdefault(given.question, {})[given.value[:80]] = bool(known)
    for question, known_words in words.items():
        if len(set(known_words.values())) > 1:
            unknown = next(word for word, known in known_words.items() if not known)
            expected = f"words for a vote in all answers to {question!r}, or in none ({VALUES})"
            raise files[0].unreadable(None, expected, quoted(unknown))
    return {question for question, known_words in words.items() if all(known_words.values())}


def _suggestions(line: Line) -> list[tuple[str, Line]]:
    """What machines suggested, by question."""
    if line.has("suggestions"):
        given = line.inner("suggestions", line.object("suggestions"))
        objects = [question for question, value in given.row.items() if isinstance(value, Mapping)]
        return [(question, given.inner(question, given.get(question))) for question in objects]
    names = [n for n in line.row if n.endswith(".suggestion") and line.has(n)]
    return [
        (
            n.removesuffix(".suggestion"),
            line.inner(n, {"value": line.get(n), "agent": line.get(f"{n}.agent")}),
        )
        for n in names
    ]


def _suggested(records: Records, suggestion: tuple[str, Line], kind: str, shown: list[str]) -> None:
    question, line = suggestion
    value = line.get("value")
    if kind == "single" and isinstance(value, int | float) and not isinstance(value, bool):
        records.score(f"{line.text_or('agent', '') or 'suggestion'}/{question}", shown[0], float(value))
    elif value not in (None, ""):
        records.remark(f"A suggestion for {question!r} that is no number was left out.")


def _responses(line: Line) -> list[Response]:
    if line.has("responses"):
        return [
            Response(question, one.get("value"), _text(one.get("user_id")), _text(one.get("status")) or "")
            for question, given in line.object("responses").items()
            for one in line.inner("responses", {question: given}).lines(question)
        ]
    responses = []
    for name in line.row:
        if name.endswith(GIVEN) and line.has(name):
            given = _list(line, name)
            users, status = _list(line, f"{name}.users"), _list(line, f"{name}.status")
            for place, value in enumerate(given):
                who = _text(users[place]) if place < len(users) else None
                state = _text(status[place]) if place < len(status) else None
                responses.append(Response(name.removesuffix(GIVEN), value, who, state or ""))
    return responses


def _list(line: Line, name: str) -> list[Any]:
    return replace(line, row={name: line.get(name)}).elements(name)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _shown(records: Records, line: Line, fields: Line) -> tuple[str, list[str]]:
    names = [
        n for n, v in fields.row.items() if isinstance(v, str | list) and "." not in n and n not in RECORD
    ]
    mapping = records.options.mapping
    field = guess.field(names, "prompt", guess.PROMPT, mapping)
    prompt = records.prompt(fields.words(field) if field else records.placeholder(f"record {line.key('id')}"))
    if sides := guess.pair(names, mapping):
        return "pair", [records.response(prompt, fields.answer(name)) for name in sides]
    single = guess.field([n for n in names if n != field], "response", guess.RESPONSE, mapping)
    if single is None:
        expected = "fields named by --map prompt=… response=…, or response_a=… response_b=…"
        raise line.wrong("fields", expected, names)
    return "single", [records.response(prompt, fields.answer(single))]


def _answer(
    records: Records,
    line: Line,
    given: Response,
    kind: str,
    item: str,
    shown: list[str],
    number: int,
    *,
    is_vote: bool,
) -> None:
    who = records.annotator(given.user) if given.user else records.slot(item, number)
    name = re.sub(r"[^\w-]+", "-", given.question).strip("-_") or "answer"
    value = given.value
    if isinstance(value, bool | Mapping | list):
        records.remark(
            f"Question {given.question!r} has answers of a kind that has no place in a study: left out."
        )
    elif isinstance(value, int | float):
        _rating(records, line, name, kind, item, who, float(value), shown)
    elif kind == "pair" and is_vote:
        key = records.ask(name, "pair", "preference", given.question, measures="quality")
        vote = replace(line, row={given.question: value}).needed_vote(given.question)
        records.prefer(item, who, key, vote, shown)
    else:
        records.remark(f"Answers to {given.question!r} are words: they came in as texts.", placed=False)
        records.tell(
            item, who, records.ask(name, kind, "text", given.question, required=False), None, str(value)
        )


def _rating(
    records: Records, line: Line, name: str, kind: str, item: str, who: str, value: float, shown: list[str]
) -> None:
    """Argilla's ratings are whole numbers from 0 to 10; `--map scale=LOW,HIGH` says how far they go."""
    low, high = scale(records, (0, 10))
    if kind != "single":
        records.tell(item, who, records.ask(name, kind, "number", name), value, "")
        return
    if not value.is_integer() or not low <= value <= high:
        raise line.wrong(
            f"{name}{GIVEN}", f"whole numbers from {low} to {high} (--map scale=LOW,HIGH)", value
        )
    key = records.ask(name, "single", "rating", name, measures="quality", scale=[low, high])
    records.rate(item, who, key, value)


FORMATS = [
    Format(
        "argilla", "Argilla: records as a list of objects, flat or nested", read,
        marks("id fields responses suggestions", "fields responses", "id .responses"),
        "argilla-io/argilla, argilla/src/argilla/records/_io/_generic.py",
        scores=True,
    ),
]  # fmt: skip
