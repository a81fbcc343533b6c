"""Pairs of sentences with a similarity: a mean of several people, or with `scores` what each of them said."""

from collections.abc import Sequence

from ..conversations import SEPARATOR
from ..line import Line
from ..numbers import is_plain
from ..pairs import scale
from ..records import Records
from ..registry import Format, marks
from ..source import Source

QUESTION = "How alike in meaning are these two?"
SCALE = (0, 5)
# The columns of the STS benchmark's files, which have no header.
BENCHMARK = ("genre", "dataset", "year", "sid", "score", "sentence1", "sentence2")
HEAD = 20


def read(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        low, high = scale(records, SCALE)
        texts = [line.text("sentence1"), line.text("sentence2")]
        # Each pair has a prompt of its own: sentences of other pairs are no pool to compare them with.
        prompt = records.prompt(
            "Do these two sentences say the same?",
            category=[line.text_or(name, "") for name in ("genre", "dataset") if line.has(name)],
            of=SEPARATOR.join(texts),
        )
        if texts[0] == texts[1]:
            records.remark("Both sentences are the same text: the second came in as another sample of it.")
        pair = [records.response(prompt, text, "human", sample=n) for n, text in enumerate(texts, 1)]
        item = records.item("pair", pair)
        given = line.numbers("scores") if line.has("scores") or line.get("scores") else []
        for number, value in enumerate(given, 1):
            if value is not None:
                if not value.is_integer() or not low <= value <= high:
                    expected = f"whole numbers from {low} to {high} (--map scale=LOW,HIGH)"
                    raise line.wrong(f"scores.{number - 1}", expected, value)
                criterion = records.ask(
                    "similarity", "pair", "similarity", QUESTION, measures="similarity", scale=[low, high]
                )
                records.similar(item, records.slot(item, number), criterion, value)
        if not given:
            _mean(records, line, item)

    records.each(files, row)


def _mean(records: Records, line: Line, item: str) -> None:
    name = "score" if line.has("score") else "similarity_score"
    value = line.number(name)
    if value is None:
        records.remark("A pair has no score: it came in without an answer.")
        return
    records.remark(
        "`score` is a mean of several people: it came in as a number of “mean-of-annotators”, not as a judgment.",
        placed=False,
    )
    criterion = records.ask(
        "similarity-mean", "pair", "number", f"{QUESTION} (mean of annotators)", measures="similarity"
    )
    records.tell(item, records.annotator("mean-of-annotators", aggregated=True), criterion, value, "")


def headerless(source: Source) -> tuple[str, ...]:
    """The columns of a file whose first lines are all two texts and a similarity; none where that can't be told."""
    rows = source.cells(HEAD)
    width = len(rows[0]) if rows else 0
    if any(len(row) != width for row in rows):
        return ()
    columns = [[row[at] for row in rows] for at in range(width)]
    if width >= len(BENCHMARK) and _are_scores(columns[4]) and all(map(_are_texts, columns[5:7])):
        return (*BENCHMARK, *(f"column {n}" for n in range(len(BENCHMARK) + 1, width + 1)))
    places = [at for at, cells in enumerate(columns) if _are_scores(cells)]
    others = [cells for at, cells in enumerate(columns) if at not in places]
    if width != 3 or len(places) != 1 or not all(map(_are_texts, others)):
        return ()
    sentences = iter(("sentence1", "sentence2"))
    return tuple("score" if at in places else next(sentences) for at in range(width))


def _are_scores(cells: Sequence[str]) -> bool:
    """Whole numbers alone may be anybody's ratings: means of several people have fractions."""
    values = [float(cell) for cell in cells if is_plain(cell)]
    whole = all(value.is_integer() for value in values)
    return len(values) == len(cells) and all(SCALE[0] <= v <= SCALE[1] for v in values) and not whole


def _are_texts(cells: Sequence[str]) -> bool:
    return all(any(map(str.isalpha, cell)) for cell in cells)


FORMATS = [
    Format(
        "sts", "STS: pairs of sentences with a similarity", read,
        marks("sentence1 sentence2 score", "sentence1 sentence2 scores"),
        "embeddings-benchmark/mteb, STS tasks (sentence1, sentence2, score from 0 to 5); `scores` is ours",
        headerless=headerless,
    ),
]  # fmt: skip
