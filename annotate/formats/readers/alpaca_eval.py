"""AlpacaEval: what models answered, and which of two answers an annotator preferred."""

from collections.abc import Sequence

from ..line import Line
from ..pairs import cast, is_machine, same_texts
from ..records import Choice, Records
from ..registry import Format, marks
from ..source import Source
from ..votes import TIE, WORDS, Vote

OUTPUTS = ("instruction", "input", "output", "generator", "dataset", "datasplit", "sample")
ANNOTATIONS = (
    "instruction", "input", "output_1", "output_2", "generator_1", "generator_2", "dataset", "datasplit",
    "annotator", "preference", "raw_completion",
)  # fmt: skip


def _instruction(line: Line) -> str:
    extra = line.text_or("input", "")
    return line.text("instruction") + (f"\n\n{extra}" if extra else "")


def _category(line: Line) -> list[str]:
    return [line.text(name) for name in ("dataset", "datasplit") if line.has(name)]


def read_outputs(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        prompt = records.prompt(_instruction(line), category=_category(line))
        records.response(
            prompt,
            line.text("output"),
            line.text_or("generator", ""),
            sample=line.whole("sample"),
        )

    records.each(files, row, OUTPUTS)


def read_annotations(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        prompt = records.prompt(_instruction(line), category=_category(line))
        pair = [
            records.response(prompt, line.text(f"output_{n}"), line.text_or(f"generator_{n}", ""))
            for n in (1, 2)
        ]
        if same_texts(records, pair):
            return
        name = line.text_or("annotator", "")
        preference = line.number("preference")
        if is_machine(records, name):
            records.verdict(name, pair, _choice(line, preference))
        # AlpacaEval keeps -1 for an annotation that failed.
        elif preference is None or preference == -1:
            records.remark("No preference was given: the pair came in without a vote.")
            records.item("pair", pair)
        elif not name:
            records.remark("No annotator is named: the vote is a slot of its own.")
            item = records.item("pair", pair)
            cast(records, f"{item}-label-01", _vote(line, preference), pair)
        else:
            cast(records, name if not name.isdigit() else f"annotator-{name}", _vote(line, preference), pair)

    records.each(files, row, ANNOTATIONS)


def _choice(line: Line, preference: float | None) -> Choice:
    """In which order a machine saw the two is not told."""
    raw = line.text_or("raw_completion", "") if isinstance(line.get("raw_completion"), str) else ""
    if preference is None or preference == -1:
        return Choice(None, error=f"no preference: {line.get('preference')!r}", raw=raw)
    vote = _vote(line, preference)
    return Choice(0.0 if vote == TIE else 3 - 2 * preference, raw=raw)


def _vote(line: Line, preference: float) -> Vote:
    """1 is the first output, 2 the second; 0 (as documented) and 1.5 neither; between them the nearer one."""
    if preference not in (0, 1.5) and not 1 <= preference <= 2:
        raise line.wrong("preference", "a number from 1 to 2, or 0 for a draw", preference)
    vote = TIE if preference in (0, 1.5) else Vote(0 if preference < 1.5 else 1)
    line.columns.read_as("preference", preference, WORDS[vote])
    return vote


FORMATS = [
    Format(
        "alpaca-outputs", "AlpacaEval: model_outputs", read_outputs,
        marks("instruction output generator"), "tatsu-lab/alpaca_eval, README",
    ),
    Format(
        "alpaca-annotations", "AlpacaEval: annotations", read_annotations,
        marks("instruction output_1 output_2 preference"),
        "tatsu-lab/alpaca_eval, annotators/base.py (-1 where missing)",
        scores=True, aliases=("alpaca-eval",),
    ),
]  # fmt: skip
