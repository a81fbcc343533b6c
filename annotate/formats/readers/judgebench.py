"""JudgeBench: a right and a wrong response to a question, and what judges decided in both orders."""

from collections.abc import Sequence

from .. import votes
from ..line import Line
from ..pairs import ask_preference, dataset_label, decided, one_scorer
from ..records import Records, in_both_orders
from ..registry import Format, marks
from ..source import Source


def read(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        category = [line.text("source")] if line.has("source") else []
        prompt = records.prompt(line.words_or_none("question"), category=category)
        pair = [
            records.response(
                prompt,
                line.answer(f"response_{side}"),
                line.text_or("response_model", ""),
                ids=records.ids(line, side, "pair_id"),
            )
            for side in "AB"
        ]
        if line.has("label"):
            vote = line.needed_vote("label", votes.A_OVER_B, "A>B or B>A")
            records.prefer(
                records.item("pair", pair), dataset_label(records), ask_preference(records), vote, pair
            )
        if line.has("judgments") or not line.has("label"):
            _judged(records, line, pair)

    records.each(files, row)


def _judged(records: Records, line: Line, pair: Sequence[str]) -> None:
    """The second judgment saw the responses swapped, and speaks of what it saw."""
    games = line.lines("judgments", of=2)
    straight, seen = (decided(game, "decision") for game in games)
    choice = in_both_orders(straight, seen.turned if seen else None, strengths=False)
    records.verdict(one_scorer(line, "judge_name"), pair, choice)


FORMATS = [
    Format(
        "judgebench", "JudgeBench: pairs with the right one, and judges' decisions", read,
        marks("pair_id question response_A response_B"), "ScalerLab/JudgeBench, README and utils/metrics.py",
        scores=True,
    ),
]  # fmt: skip
