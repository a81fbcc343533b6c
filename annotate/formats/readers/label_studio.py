"""Label Studio's JSON export: tasks with annotations by Pairwise, Rating, Number, Ranker, Choices and TextArea."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import guess, votes
from ..line import Line
from ..records import Choice, Records
from ..registry import Format, marks
from ..source import Source
from ..votes import Vote


@dataclass(frozen=True)
class Task:
    """What a task shows: responses, and the ids that a list of them gives its entries."""

    responses: list[str]
    ids: list[str]
    # The data fields that the responses of a pair come from.
    fields: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return {1: "single", 2: "pair"}.get(len(self.responses), "set")


@dataclass(frozen=True)
class Given:
    """One result of an annotation, and whose it is."""

    records: Records
    task: Task
    item: str
    who: str
    key: str
    row: dict[str, Any]
    # The result, which names the tag that it is about.
    line: Line

    @property
    def about(self) -> str:
        return self.line.text_or("to_name", "")

    def ask(self, kind: str, text: str = "", **further: Any) -> str:
        return self.records.ask(self.key, self.task.kind, kind, text or self.key, **further)


def read(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        task = _task(records, line, line.object("data"))
        for annotation in line.lines("annotations"):
            if annotation.has("was_cancelled") and annotation.truth("was_cancelled"):
                records.remark("A cancelled annotation was left out.")
            else:
                _annotation(records, annotation, task)
        for prediction in line.lines("predictions") if line.get("predictions") else ():
            _prediction(records, prediction, task)

    records.each(files, row)


def _task(records: Records, line: Line, data: Mapping[str, Any]) -> Task:
    """The responses of a task: two sides, a list, or one text."""
    inner, mapping = line.inner("data", data), records.options.mapping
    field = guess.field(data, "prompt", guess.PROMPT, mapping)
    prompt = records.prompt(inner.words(field) if field else records.placeholder(f"task {line.key('id')}"))
    if sides := guess.pair(data, mapping):
        responses = [records.response(prompt, inner.answer(n), _source(inner, n)) for n in sides]
        return Task(responses, [], sides)
    listed = next((name for name, value in data.items() if _is_listed(value)), None)
    if listed:
        entries = inner.lines(listed)
        texts = [one.answer("body" if one.has("body") else "text") for one in entries]
        responses = [
            records.response(prompt, text, one.text_or("model", ""))
            for text, one in zip(texts, entries, strict=True)
        ]
        return Task(responses, [one.key("id") for one in entries])
    single = guess.field([n for n in data if n != field], "response", guess.RESPONSE, mapping)
    if single is None:
        expected = "fields named by --map prompt=… response=…, or response_a=… response_b=…"
        raise line.wrong("data", expected, sorted(data))
    return Task([records.response(prompt, inner.answer(single), _source(inner, single))], [])


def _is_listed(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 2
        and all(isinstance(v, Mapping) and "id" in v for v in value)
    )


def _source(inner: Line, name: str) -> str:
    """`answer_a` may have a `model_a` beside it."""
    for prefix in ("model", "source", "generator"):
        for candidate in (f"{prefix}_{name[-1]}", f"{prefix}{name[-1]}", prefix):
            if inner.has(candidate):
                return inner.text_or(candidate, "")
    return ""


def _annotation(records: Records, line: Line, task: Task) -> None:
    results = line.lines("result")
    if not results:
        records.remark("An annotation has no results: nothing was made of it.")
        return
    item, who = records.item(task.kind, task.responses), records.annotator(_who(records, line))
    row = {"submitted_at": line.time("updated_at") or line.time("created_at")}
    for result in results:
        kind = result.text_or("type", "")
        if kind not in RESULTS:
            records.remark(f"A result of type {kind!r} has no place in a study: left out.")
            continue
        key = re.sub(r"[^\w-]+", "-", result.text_or("from_name", kind)).strip("-_") or kind
        given = Given(records, task, item, who, key, row, result)
        RESULTS[kind](given, result.inner("value", result.object("value")))


def _prediction(records: Records, line: Line, task: Task) -> None:
    """What a model predicted: a rating of one response is a score, a choice in a pair a verdict."""
    scorer = line.text_or("model_version", "") or "prediction"
    results = line.lines("result")
    several = sum(result.get("type") == "rating" for result in results) > 1
    for result in results:
        kind, value = result.text_or("type", ""), result.inner("value", result.object("value"))
        if kind == "rating" and task.kind == "single":
            name = f"{scorer}/{result.text_or('from_name', kind)}" if several else scorer
            records.score(name, task.responses[0], value.number("rating"))
        elif kind == "pairwise" and task.kind == "pair":
            vote = value.needed_vote("selected", votes.LEFT_RIGHT, "left or right")
            records.verdict(scorer, task.responses, Choice(vote.preference))
        else:
            records.remark(f"A prediction of type {kind!r} has no place in a study: left out.")


def _who(records: Records, line: Line) -> str:
    by = line.get("completed_by")
    if isinstance(by, Mapping):
        person = line.inner("completed_by", by)
        by = person.get("email") or person.get("id")
    if by is None:
        records.remark("No annotator is named: the annotation is a slot of its own.")
        return f"annotation-{line.get('id') or line.at}"
    return str(by)


def _pairwise(given: Given, value: Line) -> None:
    if given.task.kind != "pair":
        raise value.wrong("selected", "a choice in a task of two responses", len(given.task.responses))
    _prefer(given, value.needed_vote("selected", votes.LEFT_RIGHT, "left or right"))


def _choices(given: Given, value: Line) -> None:
    chosen = value.elements("choices")
    voting = given.records.options.mapping.get("preference", given.key) == given.key
    if given.task.kind != "pair" or len(chosen) != 1 or not voting:
        given.records.remark(f"Choices of {given.key!r} are no vote between two responses: left out.")
        return
    expected = "a vote in words, or --map preference=TAG where other choices are the votes"
    _prefer(given, value.inner("choices", {"0": chosen[0]}).needed_vote("0", expected=expected))


def _prefer(given: Given, vote: Vote) -> None:
    key = given.ask("preference", "Which response is better?", measures="quality")
    given.records.prefer(given.item, given.who, key, vote, given.task.responses, **given.row)


def _rating(given: Given, value: Line) -> None:
    top = given.records.options.mapping.get("max_rating", "5")
    rating = value.number("rating")
    if rating is None or not top.isdecimal() or not rating.is_integer() or not 1 <= rating <= int(top):
        raise value.wrong(
            "rating", f"a whole number from 1 to {top} (--map max_rating=N)", value.get("rating")
        )
    if given.task.kind == "single":
        key = given.ask("rating", "How good is this response?", measures="quality", scale=[1, int(top)])
        given.records.rate(given.item, given.who, key, rating, **given.row)
    elif (place := _about(given)) is not None:
        # The two ratings of a pair, such as clear_a and clear_b, are answers to one question.
        both = replace(given, key=guess.without_side(given.key) or "rating")
        key = both.ask("rating", "How good is this response?", measures="quality", scale=[1, int(top)])
        given.records.rate(given.item, given.who, key, rating, given.task.responses[place], **given.row)
    elif given.task.kind == "pair" and given.records.options.mapping.get("similarity") == given.key:
        key = given.ask("similarity", "How alike are the two?", measures="similarity", scale=[1, int(top)])
        given.records.similar(given.item, given.who, key, rating, **given.row)
    else:
        expected = f"a rating of one response, or --as label-studio --map similarity={given.key}"
        raise value.wrong("rating", expected, f"one of {given.about or 'several'}")


def _about(given: Given) -> int | None:
    """Which response of a pair the tag of a result names, if it names one."""
    names = [re.sub(r"[^a-z0-9]", "", field.lower()) for field in given.task.fields]
    about = re.sub(r"[^a-z0-9,]", "", given.about.lower())
    return names.index(about) if about in names else None


def _text(given: Given, value: Line) -> None:
    words = "\n".join(value.texts("text")) if isinstance(value.get("text"), list) else value.text("text")
    given.records.tell(given.item, given.who, given.ask("text", required=False), None, words, **given.row)


def _number(given: Given, value: Line) -> None:
    given.records.tell(given.item, given.who, given.ask("number"), value.number("number"), "", **given.row)


def _ranker(given: Given, value: Line) -> None:
    """The ids of the entries in their new order. Buckets are no ranks."""
    order, ids = value.get("ranker"), given.task.ids
    if not isinstance(order, list) or sorted(map(str, order)) != sorted(ids):
        given.records.remark("A ranking that is sorted into buckets, or not whole, was left out.")
        return
    key = given.ask("ranking", "Put the responses in order, the best first.", measures="quality")
    ranks = {str(name): rank for rank, name in enumerate(order, 1)}
    for name, response in zip(ids, given.task.responses, strict=True):
        given.records.rate(given.item, given.who, key, ranks[name], response, **given.row)


RESULTS: dict[str, Callable[[Given, Line], None]] = {
    "pairwise": _pairwise,
    "choices": _choices,
    "rating": _rating,
    "textarea": _text,
    "number": _number,
    "ranker": _ranker,
}

FORMATS = [
    Format(
        "label-studio", "Label Studio: JSON export", read, marks("id data annotations", "data annotations"),
        "HumanSignal/label-studio-frontend, tags/control/Pairwise.js and Rating.js; label-studio docs (export)",
        scores=True,
    ),
]  # fmt: skip
