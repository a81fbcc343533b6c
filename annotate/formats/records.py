"""What readers say of a file, whoever takes it: texts, items and answers, and what machines gave.

A reader calls these methods row by row. `Draft` writes a study folder of it; `MachineScores` hands on what machines
said, with all that their responses may be known by.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from annotate.folder.problems import Problem, Problems, quoted
from annotate.folder.tables import Row
from annotate.texts import trimmed

from .columns import Columns, Unused
from .line import Line, WrongError
from .options import Options
from .source import Source
from .votes import Vote

# So many bad rows are left out at most, where that is wanted.
MOST_SKIPPED = 100_000


class SameTextsError(Exception):
    """A pair that nobody can have a preference in: whoever reads it leaves out what is said of it."""


@dataclass
class Remark:
    """Something a reader decided: how often, and where first."""

    text: str
    count: int = 0
    first: str = ""

    def __str__(self) -> str:
        times = f" ({self.count:,} times, first at {self.first})" if self.count > 1 else f" ({self.first})"
        return self.text + (times if self.first else "")


class Records(ABC):
    def __init__(self, options: Options) -> None:
        self.options = options
        self.problems = Problems(MOST_SKIPPED) if options.skip_bad_rows else Problems()
        self.sources: list[str] = []
        self.rows_read = 0
        self.remarks: dict[str, Remark] = {}
        self.unused: dict[str, Unused] = {}
        # The file, by its number, and the line that is being read.
        self.place = (0, 0)

    # Reading

    def each(self, files: Iterable[Source], read: Callable[[Line], None]) -> None:
        """Have every row of the files read; a row that is wrong is a problem, and the next one is looked at."""
        for source in files:
            self.sources.append(source.name)
            columns = Columns(source, self.options.decimal, self.options.values, self.options.codes)
            with self.problems.noting():
                for number, row in self.options.progress(source.rows(), f"reading {source.name}"):
                    self._read(columns, number, row, read)
            for remark in [*source.remarks, *columns.remarks()]:
                self.remark(remark, placed=False)
            for field in columns.unused():
                self.unused.setdefault(field.name, Unused(field.name)).count += field.count

    def _read(self, columns: Columns, number: int, row: Row | Problem, read: Callable[[Line], None]) -> None:
        if (self.sources[-1], number) in self.options.skipped:
            return
        if isinstance(row, Problem):
            self.problems.put(row)
            return
        self.rows_read += 1
        self.place = (len(self.sources) - 1, number)
        columns.begin(row)
        try:
            with self.without_same_texts():
                read(Line(self.sources[-1], number, row, columns=columns))
        except WrongError as wrong:
            self.problems.put(wrong.problem)

    @contextmanager
    def without_same_texts(self) -> Iterator[None]:
        """What is read here is left out from where it turns out to be about a pair of one text twice."""
        try:
            yield
        except SameTextsError:
            self.remark("Both sides of a pair are the same text of the same source: its votes were left out.")

    def remark(self, text: str, *, placed: bool = True) -> None:
        """Say what was decided; said once, however often it was."""
        remark = self.remarks.setdefault(text, Remark(text))
        remark.count += 1
        if placed and not remark.first and self.sources:
            source, line = self.place
            remark.first = f"{self.sources[source]}, line {line}"

    def wrong(self, column: str, expected: str, found: str) -> WrongError:
        source, line = self.place
        return WrongError(Problem(self.sources[source], line, column, expected, found))

    def scorer(self, name: str) -> str:
        """The machine's name: the one given, else the file's."""
        if not (scorer := trimmed(self.options.scorer or name)):
            raise self.wrong("", "the scorer's name (--scorer)", "none")
        if not scorer.isprintable():
            # Names stand in charts.
            raise self.wrong("", "a scorer's name without control characters (--scorer)", quoted(scorer))
        return scorer[:200]

    def placeholder(self, words: str) -> str:
        """What stands in place of a prompt that a file doesn't give."""
        self.remark("No prompt is given: words in brackets stand for it.")
        return f"({words})"

    # Texts

    @abstractmethod
    def ids(self, line: Line, place: object, name: str = "id") -> tuple[str, ...]:
        """Ids that a response may have in a study made of the same set, where a study is there."""

    @abstractmethod
    def prompt(
        self, text: str | None, key: str = "", category: Sequence[str] = (), language: str = "", of: str = ""
    ) -> str:
        """The prompt's id. `of` keeps prompts apart that have the same words, such as pairs of sentences."""

    @abstractmethod
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
        """The response's id. The same text of one source is one response, unless samples tell them apart.

        `question` and turn are what other files may name it by (`answer_to`), `ids` what a study may call it.
        """

    @abstractmethod
    def answer_to(self, question: str, source: str, turn: int = 1) -> str:
        """The response of a source to a question that was answered in another file."""

    # Items, and what people said of them

    @abstractmethod
    def knows(self, response: str) -> bool:
        """Whether a response of this id is there."""

    @abstractmethod
    def item(self, kind: str, responses: Sequence[str], key: str = "") -> str:
        """The item's id. A pair met again in the other order is the same item."""

    @abstractmethod
    def ask(self, key: str, on: str, kind: str, text: str, **further: Any) -> str:
        """A criterion of the study; a study that is there already has its own words for it."""

    @abstractmethod
    def annotator(self, name: str, **details: Any) -> str:
        """The pseudonym of whoever is called so."""

    @abstractmethod
    def slot(self, item: str, number: int) -> str:
        """Who gave a label that came without a name: a slot of its own, not a person met elsewhere."""

    @abstractmethod
    def rate(
        self, item: str, annotator: str, criterion: str, value: float | None, response: str = "", **row: Any
    ) -> None:
        """A number for a response: the item's first one, or another."""

    @abstractmethod
    def similar(self, item: str, annotator: str, criterion: str, value: float | None, **row: Any) -> None:
        """How alike the two of a pair are."""

    @abstractmethod
    def tell(
        self, item: str, annotator: str, criterion: str, value: float | None, text: str, **row: Any
    ) -> None:
        """An answer about a whole item: a number, or words."""

    @abstractmethod
    def prefer(
        self, item: str, annotator: str, criterion: str, vote: Vote, pair: Sequence[str], **row: Any
    ) -> None:
        """A vote between two responses in the order in which the file names them."""

    # Machines

    @abstractmethod
    def score(
        self,
        scorer: str,
        response: str,
        value: float | None,
        version: str = "",
        error: str = "",
        raw: str = "",
    ) -> None:
        """A machine's number, greater is better; None with a reason where it gave none."""

    @abstractmethod
    def verdict(self, scorer: str, pair: Sequence[str], choice: "Choice") -> None:
        """A machine's choice in a pair."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a machine preferred in a pair: above 0 the first, below 0 the second, 0 neither, None: it failed.

    `straight` and `swapped` are the same by the order in which it saw them, where the file says that.
    """

    preference: float | None
    straight: float | None = None
    swapped: float | None = None
    error: str = ""
    raw: str = ""


def in_both_orders(
    straight: Vote | None, swapped: Vote | None, raw: str = "", *, strengths: bool = True
) -> Choice:
    """Both orders, each as the preference for the first, 1 at most; one that failed leaves no choice."""
    if straight is None or swapped is None:
        return Choice(None, error="no choice in one of the two orders", raw=raw)
    first, second = (
        v.preference / 2 if strengths else float((v.preference > 0) - (v.preference < 0))
        for v in (straight, swapped)
    )
    return Choice((first + second) / 2, first, second, raw=raw)
