"""Preference sets for training as TRL documents them: chosen and rejected, or a completion with a label.

Our own writer adds how many people voted how; then each vote comes in as a slot of its own.
"""

from collections.abc import Sequence

from ..conversations import Turn, is_conversation, written
from ..line import Line
from ..pairs import ask_preference, dataset_label
from ..records import Records
from ..registry import Format, marks
from ..source import Source
from ..votes import BOTH_BAD, BOTH_GOOD, CANNOT_TELL, TIE, Vote

VOTES = {
    "chosen_very_much": Vote(0, 3),
    "chosen_much": Vote(0, 2),
    "chosen_slightly": Vote(0, 1),
    "rejected_slightly": Vote(1, 1),
    "rejected_much": Vote(1, 2),
    "rejected_very_much": Vote(1, 3),
    "tie": TIE,
    "both_good": BOTH_GOOD,
    "both_bad": BOTH_BAD,
    "cannot_tell": CANNOT_TELL,
}


def read_paired(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        prompt, turns = _prompt(line)
        key = records.prompt(prompt)
        names = ("chosen", "rejected")
        pair = [
            records.response(key, line.answer(name, turns), line.text_or(f"{name}_source", ""))
            for name in names
        ]
        for name, response in zip(names, pair, strict=True):
            if line.has(f"score_{name}"):
                records.score("dataset-score", response, line.number(f"score_{name}"))
        item, question = records.item("pair", pair), ask_preference(records)
        votes = _votes(line)
        for number, vote in enumerate(votes, 1):
            records.prefer(item, records.slot(item, number), question, vote, pair)
        if not votes:
            records.prefer(item, dataset_label(records), question, Vote(0), pair)

    records.each(files, row)


def _prompt(line: Line) -> tuple[str, list[Turn]]:
    """The prompt as a text and in turns; an implicit one is what both conversations begin with."""
    if line.get("prompt") is not None:
        turns = line.turns("prompt")
        return written(turns), turns
    if not is_conversation(line.get("chosen")):
        raise line.wrong("prompt", "a prompt (an implicit one only in conversations)", "nothing")
    chosen, rejected = (line.conversation(name) for name in ("chosen", "rejected"))
    same = 0
    while same < min(len(chosen), len(rejected)) - 1 and chosen[same] == rejected[same]:
        same += 1
    if not same:
        raise line.wrong("chosen", "conversations that begin alike", "nothing")
    return written(chosen[:same]), chosen[:same]


def _votes(line: Line) -> list[Vote]:
    if not line.has("votes"):
        return []
    votes: list[Vote] = []
    for name, count in line.object("votes").items():
        if name not in VOTES or not isinstance(count, int) or not 0 <= count <= 10_000:
            raise line.wrong(f"votes.{name}", f"a count of {', '.join(VOTES)}", count)
        votes += [VOTES[name]] * count
    return votes


def read_unpaired(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        turns = line.turns("prompt")
        prompt = records.prompt(written(turns))
        label = line.truth("label")
        criterion = records.ask(
            "desirable", "single", "rating", "Is this response desirable?",
            measures="quality", scale=[0, 1], labels={"0": "no", "1": "yes"},
        )  # fmt: skip
        item = records.item(
            "single",
            [records.response(prompt, line.answer("completion", turns), line.text_or("source", ""))],
        )
        records.rate(item, dataset_label(records), criterion, int(label))

    records.each(files, row)


FORMATS = [
    Format(
        "trl-preference", "TRL: prompt, chosen, rejected", read_paired,
        marks("prompt chosen rejected", "chosen rejected"), "huggingface/trl, docs/source/dataset_formats.md",
    ),
    Format(
        "trl-unpaired", "TRL: prompt, completion, label", read_unpaired, marks("prompt completion label"),
        "huggingface/trl, docs/source/dataset_formats.md",
    ),
]  # fmt: skip
