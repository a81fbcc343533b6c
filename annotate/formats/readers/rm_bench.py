"""RM-Bench: three right and three wrong answers to a prompt, in three styles, and a model's scores of them."""

from collections.abc import Mapping, Sequence

from ..line import Line
from ..pairs import one_scorer, rate_right
from ..records import Records
from ..registry import Format, marks
from ..source import Source


def read(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        category = [line.text("domain")] if line.has("domain") else []
        prompt = records.prompt(line.words_or_none("prompt"), category=category)
        for which in ("chosen", "rejected"):
            _answers(records, line, prompt, which)

    records.each(files, row)


def _answers(records: Records, line: Line, prompt: str, which: str) -> None:
    scored = f"score_{which}" in line.row
    scores = line.scores(f"score_{which}", like=which) if scored else []
    for n, text in enumerate(line.answers(which)):
        response = records.response(prompt, text, ids=records.ids(line, f"{which}-{n}"))
        rate_right(records, response, right=which == "chosen")
        if scored:
            value, error = scores[n]
            records.score(one_scorer(line, "model"), response, value, error=error)


def _has_lists(row: Mapping[str, object]) -> bool:
    """Several answers of each side; one of each, or a conversation, is a pair for training."""
    answers = row.get("chosen")
    return isinstance(answers, list) and not any(isinstance(one, Mapping) for one in answers)


FORMATS = [
    Format(
        "rm-bench", "RM-Bench: right and wrong answers in three styles, with a model's scores or without", read,
        marks("prompt chosen rejected domain id", "chosen rejected score_chosen score_rejected"),
        "THU-KEG/RM-Bench, README and scripts/utils.py", scores=True, fits=_has_lists,
    ),
]  # fmt: skip
