"""Pairs of sentences with a similarity: a mean of several people, or with `scores` what each of them said."""

from collections.abc import Sequence

from ..conversations import SEPARATOR
from ..line import Line
from ..pairs import scale
from ..records import Records
from ..registry import Format, marks
from ..source import Source

USES = (
    "sentence1",
    "sentence2",
    "score",
    "scores",
    "split",
    "genre",
    "dataset",
    "year",
    "sid",
    "similarity_score",
)
QUESTION = "How alike in meaning are these two?"
SCALE = (0, 5)


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

    records.each(files, row, USES)


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


FORMATS = [
    Format(
        "sts", "STS: pairs of sentences with a similarity", read,
        marks("sentence1 sentence2 score", "sentence1 sentence2 scores"),
        "embeddings-benchmark/mteb, STS tasks (sentence1, sentence2, score from 0 to 5); `scores` is ours",
    ),
]  # fmt: skip
