"""Preference sets for training as TRL documents them: chosen and rejected, or a completion with a label.

Our own writer adds how many people voted how; then each vote comes in as a slot of its own.
"""

from collections.abc import Sequence

from .. import values
from ..line import Line
from ..pairs import ask_preference, dataset_label
from ..records import Records
from ..registry import Format, marks
from ..source import Source
from ..values import BOTH_BAD, BOTH_GOOD, CANNOT_TELL, TIE, Vote

OURS = ("margin", "vote_share", "votes", "item_id", "prompt_id", "criterion")
PAIRED = ("prompt", "chosen", "rejected", "chosen_source", "rejected_source", *OURS)
UNPAIRED = ("prompt", "completion", "label", "source", *OURS)
VOTES = {
    "chosen_much": Vote(0, 2),
    "chosen_slightly": Vote(0, 1),
    "rejected_slightly": Vote(1, 1),
    "rejected_much": Vote(1, 2),
    "tie": TIE,
    "both_good": BOTH_GOOD,
    "both_bad": BOTH_BAD,
    "cannot_tell": CANNOT_TELL,
}


def read_paired(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        prompt, texts = _explicit(line)
        prompt = records.prompt(prompt)
        sources = [line.text_or(f"{name}_source", "") for name in ("chosen", "rejected")]
        pair = [records.response(prompt, text, source) for text, source in zip(texts, sources, strict=True)]
        if pair[0] == pair[1]:
            raise line.wrong("rejected", "another text than the chosen one", line.get("rejected"))
        item, asked = records.item("pair", pair), ask_preference(records)
        votes = _votes(line)
        for number, vote in enumerate(votes, 1):
            records.prefer(item, records.slot(item, number), asked, vote, pair)
        if not votes:
            records.prefer(item, dataset_label(records), asked, Vote(0), pair)

    records.each(files, row, PAIRED)


def _explicit(line: Line) -> tuple[str, list[str]]:
    """The prompt and both texts; an implicit prompt is what both conversations begin with."""
    if line.has("prompt") or isinstance(line.get("prompt"), list):
        return line.words("prompt"), [line.words("chosen"), line.words("rejected")]
    if not isinstance(line.get("chosen"), list):
        raise line.wrong("prompt", "a prompt (an implicit one only in conversations)", "nothing")
    turns = [line.conversation(name) for name in ("chosen", "rejected")]
    same = 0
    while same < min(map(len, turns)) - 1 and turns[0][same] == turns[1][same]:
        same += 1
    if not same:
        raise line.wrong("chosen", "conversations that begin alike", "nothing")
    said = [
        values.SEPARATOR.join(text for _, text in part)
        for part in (turns[0][:same], *(t[same:] for t in turns))
    ]
    return said[0], said[1:]


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
        prompt = records.prompt(line.words("prompt"))
        label = line.get("label")
        if label not in (True, False, "true", "false", "True", "False", "0", "1"):
            raise line.wrong("label", "true or false", label)
        asked = records.ask(
            "desirable", "single", "rating", "Is this response desirable?",
            measures="quality", scale=[0, 1], labels={"0": "no", "1": "yes"},
        )  # fmt: skip
        item = records.item(
            "single", [records.response(prompt, line.words("completion"), line.text_or("source", ""))]
        )
        records.rate(item, dataset_label(records), asked, int(str(label).lower() in ("true", "1")))

    records.each(files, row, UNPAIRED)


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
