"""AlpacaEval: what models answered, and which of two answers an annotator preferred."""

from collections.abc import Sequence

from ..line import Line
from ..pairs import cast, is_machine
from ..records import Choice, Records
from ..registry import Format, marks
from ..source import Source
from ..votes import TIE, WORDS, Vote


def _instruction(line: Line) -> str:
    extra = line.text_or("input", "")
    return line.words("instruction") + (f"\n\n{extra}" if extra else "")


def _category(line: Line) -> list[str]:
    return [line.text(name) for name in ("dataset", "datasplit") if line.has(name)]


def read_outputs(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        prompt = records.prompt(_instruction(line), category=_category(line))
        records.response(
            prompt,
            line.answer("output", line.turns("instruction")),
            line.text_or("generator", ""),
            sample=line.whole("sample"),
        )

    records.each(files, row)


def read_annotations(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        prompt, asked = (
            records.prompt(_instruction(line), category=_category(line)),
            line.turns("instruction"),
        )
        pair = [
            records.response(prompt, line.answer(f"output_{n}", asked), line.text_or(f"generator_{n}", ""))
            for n in (1, 2)
        ]
        name, vote = line.text_or("annotator", ""), _vote(line)
        if is_machine(records, name):
            records.verdict(name, pair, _choice(line, vote))
        elif vote is None:
            records.remark("No preference was given: the pair came in without a vote.")
            records.item("pair", pair)
        elif not name:
            records.remark("No annotator is named: the vote is a slot of its own.")
            item = records.item("pair", pair)
            cast(records, f"{item}-label-01", vote, pair)
        else:
            cast(records, name if not name.isdigit() else f"annotator-{name}", vote, pair)

    records.each(files, row)


def _choice(line: Line, vote: Vote | None) -> Choice:
    """In which order a machine saw the two is not told."""
    raw = line.text_or("raw_completion", "") if isinstance(line.get("raw_completion"), str) else ""
    if vote is None:
        return Choice(None, error=f"no preference: {line.get('preference')!r}", raw=raw)
    if vote.winner is None or line.means("preference"):
        return Choice(float((vote.preference > 0) - (vote.preference < 0)), raw=raw)
    return Choice(3 - 2 * (line.number("preference") or 0), raw=raw)


def _vote(line: Line) -> Vote | None:
    """1 is the first output, 2 the second; 0 (as documented) and 1.5 neither; between them the nearer one."""
    if line.means("preference"):
        return line.vote("preference")
    preference = line.number("preference")
    # AlpacaEval keeps -1 for an annotation that failed.
    if preference is None or preference == -1:
        return None
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
