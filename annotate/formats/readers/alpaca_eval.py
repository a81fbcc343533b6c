"""AlpacaEval: what models answered, and which of two answers an annotator preferred."""

from collections.abc import Sequence

from .draft import Draft
from .line import Line
from .pairs import cast
from .registry import Format, marks
from .source import Source
from .values import TIE, Vote

OUTPUTS = ("instruction", "input", "output", "generator", "dataset", "datasplit", "sample")
ANNOTATIONS = (
    "instruction", "input", "output_1", "output_2", "generator_1", "generator_2", "dataset", "datasplit",
    "annotator", "preference",
)  # fmt: skip


def _instruction(line: Line) -> str:
    extra = line.text_or("input", "")
    return line.text("instruction") + (f"\n\n{extra}" if extra else "")


def _category(line: Line) -> list[str]:
    return [line.text(name) for name in ("dataset", "datasplit") if line.has(name)]


def read_outputs(draft: Draft, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        prompt = draft.prompt(_instruction(line), category=_category(line))
        sample = line.number("sample")
        draft.response(
            prompt,
            line.text("output"),
            line.text_or("generator", ""),
            sample=None if sample is None else int(sample),
        )

    draft.each(files, row, OUTPUTS)


def read_annotations(draft: Draft, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        prompt = draft.prompt(_instruction(line), category=_category(line))
        pair = [
            draft.response(prompt, line.text(f"output_{n}"), line.text_or(f"generator_{n}", ""))
            for n in (1, 2)
        ]
        if pair[0] == pair[1]:
            draft.remark("Both outputs are the same text of the same generator: left out.")
            return
        name = line.key("annotator") if line.has("annotator") else ""
        preference = line.number("preference")
        # AlpacaEval keeps -1 for an annotation that failed.
        if preference is None or preference == -1:
            draft.remark("No preference was given: the pair came in without a vote.")
            draft.item("pair", pair)
        elif not name:
            draft.remark("No annotator is named: the vote is a slot of its own.")
            item = draft.item("pair", pair)
            cast(draft, f"{item}-label-01", _vote(line, preference), pair)
        else:
            cast(draft, name if not name.isdigit() else f"annotator-{name}", _vote(line, preference), pair)

    draft.each(files, row, ANNOTATIONS)


def _vote(line: Line, preference: float) -> Vote:
    """1 is the first output, 2 the second; 0 (as documented) and 1.5 neither; between them the nearer one."""
    if preference in (0, 1.5):
        return TIE
    if not 1 <= preference <= 2:
        raise line.wrong("preference", "a number from 1 to 2, or 0 for a draw", preference)
    return Vote(0 if preference < 1.5 else 1)


FORMATS = [
    Format(
        "alpaca-outputs", "AlpacaEval: model_outputs", read_outputs,
        marks("instruction output generator"), "tatsu-lab/alpaca_eval, README",
    ),
    Format(
        "alpaca-annotations", "AlpacaEval: annotations", read_annotations,
        marks("instruction output_1 output_2 preference"),
        "tatsu-lab/alpaca_eval, annotators/base.py (-1 where missing)",
    ),
]  # fmt: skip
