"""RewardBench 1 (a chosen and a rejected answer) and 2 (some right answers among several)."""

from collections.abc import Sequence

from .draft import Draft
from .line import Line
from .pairs import ask_preference, dataset_label
from .registry import Format, marks
from .source import Source
from .values import Vote

ONE = ("prompt", "chosen", "rejected", "chosen_model", "rejected_model", "subset", "id")
TWO = (
    "id", "prompt", "chosen", "rejected", "num_correct", "num_incorrect", "num_rejected", "total_completions",
    "models", "subset",
)  # fmt: skip


def _subset(line: Line) -> list[str]:
    return [line.text("subset")] if line.has("subset") else []


def read_one(draft: Draft, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        prompt = draft.prompt(line.words("prompt"), category=_subset(line))
        pair = [
            draft.response(prompt, line.words(name), line.text_or(f"{name}_model", ""))
            for name in ("chosen", "rejected")
        ]
        if pair[0] == pair[1]:
            raise line.wrong("rejected", "another text than the chosen one", line.get("rejected"))
        label = dataset_label(draft)
        draft.prefer(draft.item("pair", pair), label, ask_preference(draft), Vote(0), pair)

    draft.each(files, row, ONE)


def read_two(draft: Draft, files: Sequence[Source]) -> None:
    """Every answer is right or wrong by the set's own label, which keeps the subset Ties as it is."""

    def row(line: Line) -> None:
        prompt = draft.prompt(line.words("prompt"), category=_subset(line))
        models = line.elements("models") if line.has("models") else []
        texts = [(name, line.elements(name)) for name in ("chosen", "rejected")]
        place = 0
        for name, answers in texts:
            for n, text in enumerate(answers):
                if not isinstance(text, str) or not text:
                    raise line.wrong(f"{name}.{n}", "text", text)
                source = str(models[place]) if place < len(models) and models[place] else ""
                _rate(draft, prompt, text, source, right=name == "chosen")
                place += 1

    draft.each(files, row, TWO)


def _rate(draft: Draft, prompt: str, text: str, source: str, *, right: bool) -> None:
    asked = draft.ask(
        "right", "single", "rating", "Is this response right?",
        measures="quality", scale=[0, 1], labels={"0": "wrong", "1": "right"},
    )  # fmt: skip
    item = draft.item("single", [draft.response(prompt, text, source)])
    draft.rate(item, dataset_label(draft), asked, int(right))


FORMATS = [
    Format(
        "rewardbench", "RewardBench: chosen and rejected", read_one, marks("prompt chosen rejected subset id"),
        "allenai/reward-bench, features in the card of the data set",
    ),
    Format(
        "rewardbench-2", "RewardBench 2: right answers among several", read_two,
        marks("prompt chosen rejected subset num_correct total_completions"),
        "allenai/reward-bench-2, features in the card of the data set",
    ),
]  # fmt: skip
