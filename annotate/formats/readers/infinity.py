"""Infinity-Chat, the data set of the Artificial Hivemind paper (arXiv 2510.22954).

Its label lists are ragged and name nobody. By the authors' code (compile_human_annotations.py) the labels of one
form come from the same people in the same order, the first submission of each: so a place in the lists of a form
is one person, as long as all lists of the form are equally long. Otherwise each label is a slot of its own.
"""

from collections import defaultdict
from collections.abc import Sequence

from .. import numbers, values, votes
from ..draft import QUALITY
from ..line import VALUES, Line
from ..records import Records
from ..registry import Format, marks
from ..source import Source
from ..votes import Vote

CODE = "github.com/liweijiang/artificial-hiveminds, src/human_annotations/compile_human_annotations.py"
PLOTTED = {
    "strongpref1": votes.MUCH_FIRST,
    "weakpref1": votes.FIRST,
    "neutral": votes.TIE,
    "weakpref2": votes.SECOND,
    "strongpref2": votes.MUCH_SECOND,
}


class Raters:
    """Who gave the label at a place of a list: a person of a form, or a slot."""

    def __init__(self, records: Records, files: Sequence[Source]) -> None:
        self._records = records
        self._lengths: dict[object, set[int]] = defaultdict(set)
        for source in files:
            for _, row in source.rows():
                if isinstance(row, dict) and not numbers.is_missing(row.get("form_id")):
                    line = Line(source.name, 0, row)
                    self._lengths[line.get("form_id")].add(len(_labels(line)))

    def name(self, line: Line, item: str, place: int) -> str:
        form = line.get("form_id") if line.has("form_id") else None
        if form is not None and len(self._lengths[form]) == 1:
            self._records.remark(
                "No ids of people: a place in the label lists of one form is taken for one person, as the"
                " authors' code puts them; people of different forms are taken for different ones.",
                placed=False,
            )
            return self._records.annotator(
                f"form-{line.key('form_id')}-rater-{place:02d}", form=line.key("form_id")
            )
        self._records.remark(
            "No ids of people: each label is a slot of its own, so nothing can be said about single annotators.",
            placed=False,
        )
        return self._records.slot(item, place)


def _labels(line: Line) -> list[object]:
    for name in ("human_labels", "human_labels_raw"):
        try:
            if labels := values.as_list(line.get(name)):
                return labels
        except (ValueError, TypeError):
            return []
    return []


def read_absolute(records: Records, files: Sequence[Source]) -> None:
    raters = Raters(records, files)
    quality = records.ask("quality", "single", "rating", "How good is this response to the query?", **QUALITY)

    def row(line: Line) -> None:
        prompt = records.prompt(line.words("user_query"))
        response = records.response(prompt, line.answer("response"))
        item = records.item("single", [response])
        name = "human_labels" if line.has("human_labels") else "human_labels_raw"
        for place, value in enumerate(line.numbers(name), 1):
            if value is None:
                records.remark("A label is missing (null or NaN): no answer was made of it.")
            elif value not in (1, 2, 3, 4, 5):
                raise line.wrong(f"{name}.{place - 1}", "a whole number from 1 to 5", value)
            else:
                records.rate(item, raters.name(line, item, place), quality, value)

    records.each(files, row)


def read_pairwise(records: Records, files: Sequence[Source]) -> None:
    raters = Raters(records, files)
    preference = records.ask(
        "preference", "pair", "preference", "Which response is better?", measures="quality"
    )
    records.remark(
        "Label 0 said “similar, or hard to tell”: it became a tie, and nobody can tell the two apart any more.",
        placed=False,
    )

    def row(line: Line) -> None:
        prompt = records.prompt(line.words("user_query"))
        pair = [records.response(prompt, line.answer(name)) for name in ("response_1", "response_2")]
        item = records.item("pair", pair)
        for place, vote in enumerate(_votes(line, records), 1):
            if vote is not None:
                records.prefer(item, raters.name(line, item, place), preference, vote, pair)

    records.each(files, row)


def _votes(line: Line, records: Records) -> list[Vote | None]:
    """The coded labels, and where there are none the sentences that people chose."""
    name = "human_labels" if line.has("human_labels") else "human_labels_raw"
    choices: list[Vote | None] = []
    for place, label in enumerate(line.elements(name)):
        if numbers.is_missing(label):
            records.remark("A label is missing (null or NaN): no answer was made of it.")
            choices.append(None)
            continue
        meaning = votes.MEANINGS.get(records.options.values.get(votes.code(label), ""))
        line.columns.meet(votes.code(label))
        # Either column may hold the codes, the sentences of the form or the words of the authors' plots.
        if (vote := meaning or _coded(label) or votes.sentence(label) or votes.vote(label, PLOTTED)) is None:
            expected = "one of -2, -1, 0, 1, 2, or one of the five sentences of the form"
            raise line.wrong(f"{name}.{place}", f"{expected} ({VALUES})", label)
        line.columns.read_as(name, label, votes.WORDS[vote])
        choices.append(vote)
    return choices


def _coded(label: object) -> Vote | None:
    try:
        return votes.signed(numbers.number(label))
    except ValueError:
        return None


def read_taxonomy(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        text = _query(line)
        categories = [c.text("category") for c in line.lines("categories")] if line.has("categories") else []
        records.remark(
            "The replies in `messages` were left out: only the queries and their categories came in.",
            placed=False,
        )
        records.prompt(text, category=categories)

    records.each(files, row)


def _query(line: Line) -> str:
    """The query as revised, else as first written, else the first thing the user said."""
    for name in ("lm_judge_annotation.revised_query", "lm_judge_annotation.original_query"):
        if line.has(name):
            return line.text(name)
    texts = [turn.text for turn in line.conversation("messages") if turn.role == "user"]
    if not texts or not texts[0]:
        raise line.wrong("messages", "a turn of the user", line.get("messages"))
    return texts[0]


def read_eval(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        records.prompt(line.words("query" if "query" in line.row else "user_query"))

    records.each(files, row)


FORMATS = [
    Format(
        "infinity-absolute",
        "Infinity-Chat: ratings from 1 to 5",
        read_absolute,
        marks("user_query response human_labels", "user_query response human_labels_raw"),
        CODE,
    ),
    Format(
        "infinity-pairwise",
        "Infinity-Chat: preferences from -2 to 2",
        read_pairwise,
        marks(
            "user_query response_1 response_2 human_labels",
            "user_query response_1 response_2 human_labels_raw",
        ),
        CODE,
    ),
    Format(
        "infinity-taxonomy",
        "Infinity-Chat: queries with categories",
        read_taxonomy,
        marks("messages categories"),
        "loaders of the data set in public code: messages, categories, lm_judge_annotation.revised_query",
    ),
    Format(
        "infinity-eval",
        "Infinity-Chat: the 100 queries",
        read_eval,
        marks("query"),
        "loaders of the data set in public code: the one column query",
        fits=lambda row: len(row) == 1,
    ),
]
