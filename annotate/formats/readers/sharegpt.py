"""ShareGPT: conversations with a model; what it said last is the response, all before it the prompt."""

from collections.abc import Sequence

from ..conversations import Turn, split, written
from ..line import Line
from ..records import Records
from ..registry import Format, marks
from ..source import Source


def read(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        before, answer = split(line.conversation("conversations"))
        if line.has("system"):
            before = [Turn("system", line.text("system")), *before]
        if not before or not answer:
            expected = "turns of a person, and the model's at the end"
            raise line.wrong("conversations", expected, line.get("conversations"))
        prompt = records.prompt(written(before))
        records.response(prompt, written(answer), line.text_or("model", ""))

    records.each(files, row)


FORMATS = [
    Format(
        "sharegpt", "ShareGPT: conversations of human and gpt", read, marks("conversations"),
        "lm-sys/FastChat, docs/training (conversations: from, value)",
    ),
]  # fmt: skip
