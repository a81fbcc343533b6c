"""NoveltyBench: several generations of one model to a prompt."""

from collections.abc import Sequence

from ..line import Line
from ..records import Records
from ..registry import Format, marks
from ..source import Source


def read(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        prompt = records.prompt(line.words("prompt"))
        for sample, text in enumerate(line.answers("generations")):
            records.response(prompt, text, line.text_or("model", ""), sample=sample)

    records.each(files, row)


FORMATS = [
    Format(
        "noveltybench", "NoveltyBench: generations of a model to each prompt", read,
        marks("id prompt model generations"), "novelty-bench/novelty-bench, src/inference.py",
    ),
]  # fmt: skip
