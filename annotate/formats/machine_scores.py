"""What machines said in a file, row by row, with all that its responses may be known by in a study that is there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from annotate.folder.tables import Row
from annotate.texts import one_newline, trimmed

from .line import Line
from .options import Options
from .records import Choice, Records, SameTextsError
from .votes import Vote


@dataclass(frozen=True, slots=True)
class Named:
    """A response as a file names it: by ids it may have, by prompt and source, or by its words."""

    ids: tuple[str, ...] = ()
    prompt_id: str = ""
    source: str = ""
    prompt: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    line: int
    scorer: str
    of: Named
    value: float | None
    error: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    line: int
    scorer: str
    first: Named
    second: Named
    choice: Choice


def storable(text: str) -> str:
    """What a judge wrote, without what no database stores: NUL characters and lone surrogates."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()


class MachineScores(Records):
    """Hands every score and verdict on; what people said is left to whoever makes a study of the file."""

    def __init__(self, options: Options, take: Callable[[Score | Verdict], None]) -> None:
        super().__init__(options)
        self._take = take
        self._prompts: dict[str, str | None] = {}
        self._responses: dict[str, Named] = {}
        self._answers: dict[tuple[str, str, int], Named] = {}
        self._of: tuple[int, int] = (0, 0)

    def _forget(self) -> None:
        """Texts are kept for the row that names them only."""
        if self._of != self.place:
            self._of = self.place
            self._prompts.clear()
            self._responses.clear()

    def ids(self, line: Line, place: object, name: str = "id") -> tuple[str, ...]:
        if line.get(name) is None:
            return ()
        return tuple(f"{line.key(name)}{mark}{place}" for mark in (":", "-", "_", "/", "."))

    def prompt(
        self, text: str | None, key: str = "", category: Sequence[str] = (), language: str = "", of: str = ""
    ) -> str:
        self._forget()
        name = f"p{len(self._prompts)}"
        self._prompts[name] = None if text is None else one_newline(text)
        return name

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
        text = None if text is None else one_newline(text)
        named = Named((key, *ids) if key else ids, "", trimmed(source), self._prompts.get(prompt), text)
        if question is not None and sample is None:
            self._answers.setdefault((question[0], source, question[1]), named)
        return self._name(named)

    def _name(self, named: Named) -> str:
        name = next((name for name, other in self._responses.items() if other == named), "")
        name = name or f"r{len(self._responses)}"
        self._responses[name] = named
        return name

    def answer_to(self, question: str, source: str, turn: int = 1) -> str:
        self._forget()
        answer = self._answers.get((question, source, turn))
        prompt, text = (answer.prompt, answer.text) if answer else (None, None)
        return self._name(Named((), question, source, prompt, text))

    def score(
        self,
        scorer: str,
        response: str,
        value: float | None,
        version: str = "",
        error: str = "",
        raw: str = "",
    ) -> None:
        error = error or ("" if value is not None else "no number")
        of = self._responses[response]
        self._take(Score(self.place[1], self.scorer(scorer), of, value, storable(error), storable(raw)))

    def verdict(self, scorer: str, pair: Sequence[str], choice: Choice) -> None:
        if pair[0] == pair[1]:
            raise SameTextsError
        first, second = (self._responses[name] for name in pair)
        choice = replace(choice, error=storable(choice.error), raw=storable(choice.raw))
        self._take(Verdict(self.place[1], self.scorer(scorer), first, second, choice))

    # What people said is not for here.

    def _people(self) -> None:
        self.remark("Answers and votes are left out here: import_study brings them in.")

    def knows(self, response: str) -> bool:
        return True

    def item(self, kind: str, responses: Sequence[str], key: str = "") -> str:
        return kind

    def ask(self, key: str, on: str, kind: str, text: str, **further: Any) -> str:
        return key

    def annotator(self, name: str, **details: Any) -> str:
        return name

    def slot(self, item: str, number: int) -> str:
        return ""

    def rate(
        self, item: str, annotator: str, criterion: str, value: float | None, response: str = "", **row: Any
    ) -> None:
        self._people()

    def similar(self, item: str, annotator: str, criterion: str, value: float | None, **row: Any) -> None:
        self._people()

    def tell(
        self, item: str, annotator: str, criterion: str, value: float | None, text: str, **row: Any
    ) -> None:
        self._people()

    def prefer(
        self, item: str, annotator: str, criterion: str, vote: Vote, pair: Sequence[str], **row: Any
    ) -> None:
        self._people()
