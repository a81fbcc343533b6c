"""A study folder in the making: readers say what they found, and it is written down as tables of a study folder."""

import contextlib
import json
from array import array
from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from annotate import pseudonyms
from annotate.folder.problems import Problem, quoted
from annotate.folder.study_toml import FILE, CriterionSpec, StudySpec, render
from annotate.folder.tables import TABLES, Row
from annotate.texts import language_tag, lookalike, one_newline, trimmed

from .ids import digest, response_digest, text_hash, words_of
from .line import Line
from .options import Options
from .records import Choice, Records, SameTextsError
from .votes import Vote

SAMPLES = 3
TEXT = "a text (scores without texts are for a study that has them: import_scores)"
# A file without ids of people: each label sits in a slot of its own.
SLOT = "label"
QUALITY: dict[str, Any] = {
    "measures": "quality",
    "scale": [1, 5],
    "labels": {"1": "very poor", "3": "fair", "5": "excellent"},
}


@dataclass
class _Table:
    file: IO[bytes]
    origins: "array[int]" = field(default_factory=lambda: array("q"))
    samples: list[Row] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.origins)


class Draft(Records):
    def __init__(self, folder: Path, options: Options, files: contextlib.ExitStack) -> None:
        super().__init__(options)
        self.folder = folder
        self.tables = {
            name: _Table(files.enter_context((folder / f"{name}.jsonl").open("wb"))) for name in TABLES
        }
        self.criteria: dict[str, CriterionSpec] = {}
        into = options.into
        self._prompts: dict[str, int] = dict(into.prompts) if into else {}
        self._prompt_details: dict[str, int] = {}
        self._prompt_keys = {text: key for key, text in self._prompts.items()}
        self._responses: dict[str, tuple[str, int]] = dict(into.responses) if into else {}
        self._response_keys = {text: key for key, text in self._responses.items()} if into else {}
        self._numbers: Counter[str] = Counter()
        self._made = dict(options.ids or {})
        self._answers_to: dict[tuple[str, str, int], str] = {}
        self._items = {key: shown for key, (_, shown) in into.items.items()} if into else {}
        self._item_keys = (
            {digest(kind, *sorted(shown)): key for key, (kind, shown) in into.items.items()} if into else {}
        )
        self._met: dict[str, set[str]] = {"prompts": set(), "responses": set()}
        self._annotators: dict[str, str] = {}
        self._lookalikes: dict[str, str] = {}
        self._answers: set[int] = set()
        self._judgments: set[int] = set()
        self._per_item: Counter[str] = Counter()
        self._scores: set[int] = set()

    # Texts

    def ids(self, line: Line, place: object, name: str = "id") -> tuple[str, ...]:
        return ()

    def prompt(
        self, text: str | None, key: str = "", category: Sequence[str] = (), language: str = "", of: str = ""
    ) -> str:
        if text is None:
            raise self.wrong("prompt", TEXT, "nothing")
        text = one_newline(text)
        if not text.strip():
            self.remark("A prompt is without words: it came in as it is.")
        content = text_hash(text)
        key = key or ("" if of else self._prompt_keys.get(content, "")) or self._prompt_id(text, of)
        before, details = self._prompts.get(key), self._details_of(category, language)
        if before is None:
            self._prompts[key] = content
            self._prompt_details[key] = text_hash(details)
            self._prompt_keys.setdefault(content, key)
            self._write("prompts", {"prompt_id": key, "text": text, **details})
        elif before != content:
            raise self.wrong("prompt", f"the same text wherever the prompt is {key!r}", "another one")
        elif details and self._prompt_details.get(key, text_hash(details)) != text_hash(details):
            self.remark("A prompt has another category or language where it comes again: left out there.")
        self._meet("prompts", key)
        return key

    def _details_of(self, category: Sequence[str], language: str) -> Row:
        """What a prompt is beside its words."""
        language, details = language or self.options.language, Row()
        if language:
            if not (tag := language_tag(language)):
                raise self.wrong("language", "a language tag such as en or zh-CN", quoted(language))
            if tag != language:
                self.remark(f"Language {language!r} was read as {tag}.", placed=False)
            details["language"] = tag
        if named := list(dict.fromkeys(filter(None, map(trimmed, category)))):
            details["category"] = named
        return details

    def response(
        self,
        prompt: str,
        text: str | None,
        source: str = "",
        key: str = "",
        sample: int | None = None,
        params: Row | None = None,
        question: tuple[str, int] | None = None,
        ids: tuple[str, ...] = (),
    ) -> str:
        if text is None:
            raise self.wrong("response", TEXT, "nothing")
        text = one_newline(text)
        if not text.strip():
            self.remark("A response is without words: it came in as it is.")
        source, content = trimmed(source) or "unknown", (prompt, text_hash(text))
        if self.options.into and self.options.ids is None and not key:
            key = self._response_keys.get(content, "")
        key = key or self._response_id(prompt, source, text, sample)
        before = self._responses.get(key)
        if before is None:
            row: Row = {"response_id": key, "prompt_id": prompt, "text": text, "source": source[:200]}
            row |= {"sample": sample} if sample is not None else {}
            row |= {"params": params} if params else {}
            self._responses[key] = content
            self._write("responses", row)
        elif before != content:
            raise self.wrong("response", f"the same text wherever the response is {key!r}", "another one")
        self._meet("responses", key)
        if question is not None and sample is None:
            self._answers_to.setdefault((question[0], source, question[1]), key)
        return key

    def _readable(self, of: str, stem: str, taken: Container[str], numbered: Callable[[int], str]) -> str:
        """An id of words and a number for what came without one, the same whenever it comes again."""
        if of not in self._made:
            # Of a thousand responses to one prompt, the next is not looked for from the first again.
            n = self._numbers[stem] + 1
            while numbered(n) in taken:
                n += 1
            self._numbers[stem], self._made[of] = n, numbered(n)
        return self._made[of]

    def _prompt_id(self, text: str, of: str) -> str:
        made, words = digest(text, of) if of else digest(text), words_of(text)
        if self.options.ids is None:
            return f"p-{made}"
        return self._readable(made, words, self._prompts, lambda n: words if n == 1 else f"{words}-{n}")

    def _response_id(self, prompt: str, source: str, text: str, sample: int | None) -> str:
        made = response_digest(prompt, source, text, sample)
        if self.options.ids is None:
            return f"r-{made}"
        return self._readable(made, f"{prompt}-r", self._responses, lambda n: f"{prompt[:180]}-r{n}")

    def answer_to(self, question: str, source: str, turn: int = 1) -> str:
        if (response := self._answers_to.get((question, source, turn))) is None:
            expected = "a model with an answer to this question (name its file too)"
            raise self.wrong("model", expected, quoted(source))
        return response

    def _meet(self, table: str, key: str) -> None:
        """Remember which texts of the study that takes up more were found again."""
        into = self.options.into
        if into is not None and key in (into.prompts if table == "prompts" else into.responses):
            self._met[table].add(key)

    def prompt_of(self, response: str) -> str:
        return self._responses[response][0]

    def knows(self, response: str) -> bool:
        return response in self._responses

    # Items

    def item(self, kind: str, responses: Sequence[str], key: str = "") -> str:
        if kind == "pair" and len(set(responses)) == 1:
            raise SameTextsError
        if len(set(responses)) < len(responses):
            raise self.wrong("response", "different responses in an item", "the same one twice")
        shows = digest(kind, *sorted(responses))
        key = key or self._item_keys.get(shows, "") or f"{kind[0]}-{shows}"
        before = self._items.get(key)
        if before is None:
            self._items[key] = tuple(responses)
            self._item_keys.setdefault(shows, key)
            prompt = self.prompt_of(responses[0])
            row = {"item_id": key, "kind": kind, "prompt_id": prompt, "response_ids": list(responses)}
            self._write("items", row)
        elif sorted(before) != sorted(responses):
            raise self.wrong("item", f"the same responses wherever the item is {key!r}", "others")
        return key

    def shows(self, item: str) -> tuple[str, ...] | None:
        """The responses of an item that is known by its id."""
        return self._items.get(item)

    def ask(self, key: str, on: str, kind: str, text: str, **further: Any) -> str:
        into = self.options.into.spec.criteria if self.options.into else {}
        if (there := into.get(key)) is not None:
            if (there.on, there.kind) != (on, kind):
                raise self.wrong(
                    "criterion", f"{there.kind} on a {there.on}, as in the study", f"{kind} on a {on}"
                )
            self.criteria.setdefault(key, there)
        elif key not in self.criteria:
            self.criteria[key] = CriterionSpec(key=key, on=on, kind=kind, text=text, **further)
        return key

    # Answers

    def slot(self, item: str, number: int) -> str:
        return self.annotator(f"{item}-{SLOT}-{number:02d}", label_slot=True)

    def annotator(self, name: str, **details: Any) -> str:
        name = trimmed(name)
        key = self._annotators.get(name)
        if key is None:
            key = self._annotators[name] = self._pseudonym(name)
            other = self._lookalikes.setdefault(lookalike(name), key)
            if other != key:
                self.remark(
                    f"Annotators {other!r} and {key!r} look alike: they are taken for two people.",
                    placed=False,
                )
            if self.options.into is None or key not in self.options.into.annotators:
                known = {k: v for k, v in details.items() if v is not None and v != ""}
                self._write("annotators", {"annotator_id": key, **known})
        return key

    def _pseudonym(self, name: str) -> str:
        if pseudonyms.is_unfilled(name):
            raise self.wrong("annotator", "who judged", f"{name!r}, a placeholder that nobody filled in")
        if pseudonyms.names_nobody(name):
            self.remark(f"Annotator {name!r} is called as nobody is: taken for one person.")
        if pseudonyms.is_panel_id(name):
            self.remark("Ids that look like an e-mail address or a panel's id were replaced by pseudonyms.")
            return pseudonyms.participant(self.options.slug, name)
        return name if len(name) <= 100 else f"{name[:80]}-{digest(name)}"

    def rate(
        self, item: str, annotator: str, criterion: str, value: float | None, response: str = "", **row: Any
    ) -> None:
        of = {"response_id": response or self._items[item][0]}
        self._answer(item, annotator, criterion, of | {"value": _plain(value)}, response, row)

    def similar(self, item: str, annotator: str, criterion: str, value: float | None, **row: Any) -> None:
        first, second = self._items[item]
        answer = {"response_id": first, "other_id": second, "value": _plain(value)}
        self._answer(item, annotator, criterion, answer, "", row)

    def tell(
        self, item: str, annotator: str, criterion: str, value: float | None, text: str, **row: Any
    ) -> None:
        self._answer(item, annotator, criterion, {"value": _plain(value), "text": one_newline(text)}, "", row)

    def prefer(
        self, item: str, annotator: str, criterion: str, vote: Vote, pair: Sequence[str], **row: Any
    ) -> None:
        answer: Row = {"value": vote.strength, "label": vote.label}
        if vote.winner is not None:
            answer["response_id"] = pair[vote.winner]
        self._answer(item, annotator, criterion, answer, "", row)

    def _answer(
        self, item: str, annotator: str, criterion: str, details: Row, response: str, row: Row
    ) -> None:
        place = text_hash(item, annotator, criterion, response)
        if place in self._answers:
            self.remark("An annotator answered the same question again: the first answer was kept.")
            return
        self._answers.add(place)
        if (judgment := text_hash(item, annotator)) not in self._judgments:
            self._judgments.add(judgment)
            self._per_item[item] += 1
        named = {"item_id": item, "annotator_id": annotator, "criterion": criterion}
        details = {k: v for k, v in {**details, **row}.items() if v is not None and v != ""}
        self._write("answers", named | details)

    # Machines

    def score(
        self,
        scorer: str,
        response: str,
        value: float | None,
        version: str = "",
        error: str = "",
        raw: str = "",
    ) -> None:
        row: Row = {"scorer": self.scorer(scorer), "response_id": response, "value": _plain(value)}
        self._score(row, version, response)

    def verdict(self, scorer: str, pair: Sequence[str], choice: Choice) -> None:
        item, preference = self.item("pair", pair), choice.preference
        if preference is None:
            self.remark("A machine made no choice that could be read: its verdict was left out.")
            return
        row: Row = {"scorer": self.scorer(scorer), "item_id": item, "value": _plain(abs(preference))}
        if preference:
            row["response_id"] = pair[0 if preference > 0 else 1]
        self._score(row, "", item)

    def _score(self, row: Row, version: str, of: str) -> None:
        place = text_hash(row["scorer"], version, of)
        if place in self._scores:
            self.remark("A machine scored the same thing again: the first score was kept.")
            return
        self._scores.add(place)
        self._write("scores", row | ({"version": version} if version else {}))

    # The folder

    def _write(self, table: str, row: Row) -> None:
        there = self.tables[table]
        there.file.write(json.dumps(row).encode() + b"\n")
        source, line = self.place
        there.origins.append((source << 40) | line)
        if len(there.samples) < SAMPLES:
            there.samples.append(row)

    def origin(self, problem: Problem) -> Problem:
        """A problem with a row of the folder, told as one of the file that the row came from."""
        table = self.tables.get(problem.file.partition(".")[0])
        if table is None or problem.line is None or problem.line > table.count:
            return problem
        packed = table.origins[problem.line - 1]
        source, line = packed >> 40, packed & ((1 << 40) - 1)
        if source >= len(self.sources):
            return problem
        name = problem.file.partition(".")[0]
        column = f"{name}.{problem.column}" if problem.column else name
        return Problem(self.sources[source], line, column, problem.expected, problem.found)

    def finish(self) -> StudySpec:
        """Write study.toml, and drop the tables that nothing came for."""
        spec = self._spec()
        (self.folder / FILE).write_text(render(spec), encoding="utf-8", newline="\n")
        for name, table in self.tables.items():
            table.file.close()
            if not table.count and name not in ("prompts", "responses", "items"):
                (self.folder / f"{name}.jsonl").unlink()
        return spec

    def _spec(self) -> StudySpec:
        if self.options.into is not None:
            spec = self.options.into.spec
            counts = " and ".join(f"{len(keys):,} {table}" for table, keys in self._met.items())
            others = " and ".join(f"{self.tables[table].count:,} {table}" for table in self._met)
            self.remark(
                f"Found in the study by their words: {counts}; not there yet: {others}.", placed=False
            )
            new = [c for key, c in self.criteria.items() if key not in spec.criteria]
            return spec.model_copy(update={"slug": self.options.slug, "criterion": [*spec.criterion, *new]})
        if not self.criteria:
            self.remark("The files ask no questions: one criterion, quality, was added.", placed=False)
            self.ask("quality", "single", "rating", "How good is this response?", **QUALITY)
        # As many seats as every judged item has, so that none stands open that nobody meant to fill.
        seats = self.options.seats or min(self._per_item.values(), default=1)
        return StudySpec(
            slug=self.options.slug,
            title=(self.options.title or self.options.slug)[:300],
            seats=seats,
            criterion=list(self.criteria.values()),
        )


def _plain(value: float | None) -> float | int | None:
    if value is not None and float(value).is_integer() and abs(value) < 2**53:
        return int(value)
    return value
