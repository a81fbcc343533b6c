"""RewardBench 1 (a chosen and a rejected answer) and 2 (some right answers among several), and what models scored."""

from collections.abc import Sequence

from ..conversations import Turn, written
from ..line import Line
from ..pairs import ask_preference, dataset_label, one_scorer, rate_right
from ..records import Records
from ..registry import Format, marks
from ..source import Source
from ..votes import Vote


def _subset(line: Line) -> list[str]:
    return [line.text("subset")] if line.has("subset") else []


def read_one(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        if "chosen" not in line.row and "text_chosen" not in line.row:
            _one_response(records, line)
            return
        turns = line.turns("prompt") if line.get("prompt") is not None else []
        prompt = records.prompt(written(turns) if turns else None, category=_subset(line))
        scored = "text_chosen" in line.row
        pair = [
            records.response(
                prompt,
                line.answer_or_none(f"text_{name}") if scored else line.answer(name, turns),
                line.text_or(f"{name}_model", ""),
                ids=records.ids(line, name),
            )
            for name in ("chosen", "rejected")
        ]
        for name, response in zip(("chosen", "rejected"), pair, strict=True):
            if f"scores_{name}" in line.row:
                value, error = line.score(f"scores_{name}")
                records.score(one_scorer(line, "model"), response, value, error=error)
        item, label = records.item("pair", pair), dataset_label(records)
        records.prefer(item, label, ask_preference(records), Vote(0), pair)

    records.each(files, row)


def _one_response(records: Records, line: Line) -> None:
    """What RewardBench's command line writes for a set of single responses."""
    response = records.response(
        records.prompt(line.words_or_none("prompt")), line.answer_or_none("text"), ids=records.ids(line, "")
    )
    value, error = line.score("results")
    records.score(one_scorer(line, "model"), response, value, error=error)


def read_two(records: Records, files: Sequence[Source]) -> None:
    """Every answer is right or wrong by the set's own label, which keeps the subset Ties as it is."""

    def row(line: Line) -> None:
        turns = line.turns("prompt") if line.get("prompt") is not None else []
        prompt = records.prompt(written(turns) if turns else None, category=_subset(line))
        models = line.elements("models") if line.has("models") else []
        if "text" in line.row:
            _scored(records, line, prompt, turns)
            return
        place = 0
        for name in ("chosen", "rejected"):
            for text in line.answers(name, turns):
                source = str(models[place]) if place < len(models) and models[place] else ""
                response = records.response(prompt, text, source, ids=records.ids(line, place))
                rate_right(records, response, right=name == "chosen")
                place += 1

    records.each(files, row)


def _scored(records: Records, line: Line, prompt: str, turns: Sequence[Turn]) -> None:
    """A model's scores of all texts of a prompt: the right ones come first."""
    right = line.number("num_correct")
    texts = line.answers("text", turns)
    for n, (value, error) in enumerate(line.scores("scores", like="text")):
        response = records.response(prompt, texts[n], ids=records.ids(line, n))
        if right is not None:
            rate_right(records, response, right=n < right)
        records.score(one_scorer(line, "model"), response, value, error=error)


FORMATS = [
    Format(
        "rewardbench", "RewardBench: chosen and rejected, with a model's scores or without", read_one,
        marks("prompt chosen rejected subset id", "text_chosen text_rejected scores_chosen scores_rejected"),
        "allenai/reward-bench, features in the card of the data set; rewardbench, scripts/run_rm.py (outputs)",
        scores=True,
    ),
    Format(
        "rewardbench-2", "RewardBench 2: right answers among several, with a model's scores or without", read_two,
        marks("prompt chosen rejected subset num_correct total_completions",
              "id prompt chosen rejected subset num_correct total_completions", "text scores num_correct results"),
        "allenai/reward-bench-2, features in the card of the data set; rewardbench, scripts/run_v2.py (outputs)",
        scores=True,
    ),
]  # fmt: skip
