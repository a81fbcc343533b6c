"""What the readers of pairwise votes share: the question asked, and whether a name is a person's or a machine's."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from annotate.folder.problems import quoted
from annotate.folder.study_toml import MOST_POINTS

from . import votes
from .line import Line
from .records import Choice, Records
from .votes import Vote

_MACHINE = re.compile(
    r"gpt|claude|llama|gemini|palm|qwen|mistral|mixtral|deepseek|prometheus|cohere|command-r|alpaca_eval|"
    r"alpaca_farm|reward|skywork|nemotron|longest|openai|anthropic",
    re.IGNORECASE,
)


def ask_preference(records: Records, key: str = "preference", measures: str = "quality") -> str:
    return records.ask(key, "pair", "preference", "Which response is better?", measures=measures)


def is_machine(records: Records, name: str) -> bool:
    """By what the importer said, else by the name, which is said then."""
    if records.options.voters != "auto":
        return records.options.voters == "machines"
    if _MACHINE.search(name):
        records.remark(
            f"{name!r} was taken for a machine: its votes are scores (--voters people says otherwise)."
        )
        return True
    return False


def cast(records: Records, name: str, vote: Vote, pair: Sequence[str], **row: Any) -> None:
    """A vote of a person is an answer, a machine's is a verdict, kept for judging."""
    if is_machine(records, name):
        records.verdict(name, pair, Choice(vote.preference))
    else:
        item = records.item("pair", pair)
        records.prefer(item, records.annotator(name), ask_preference(records), vote, pair, **row)


DECISIONS = "A>>B, A>B, A=B, B>A or B>>A"


def decided(
    game: Line, name: str, known: Mapping[str, Vote] = votes.A_OVER_B, words: str = DECISIONS
) -> Vote | None:
    """A judge's decision in one order; None where its words could not be read. Other words are refused."""
    if str(game.get(name)).strip().lower() == "error" and not game.means(name):
        return None
    return game.vote(name, known, f"{words}, or nothing where the judge failed")


def one_scorer(line: Line, name: str) -> str:
    """A scorer's name; of a list, such as a model and its prompt, the first."""
    value = line.get(name)
    if isinstance(value, list | tuple):
        value = value[0] if value else None
    return value if isinstance(value, str) else ""


def rate_right(records: Records, response: str, *, right: bool) -> None:
    """A response that the data set itself calls right or wrong."""
    question = records.ask(
        "right", "single", "rating", "Is this response right?",
        measures="quality", scale=[0, 1], labels={"0": "wrong", "1": "right"},
    )  # fmt: skip
    records.rate(records.item("single", [response]), dataset_label(records), question, int(right))


def dataset_label(records: Records) -> str:
    """Who says `chosen` and `rejected` where no person is named."""
    records.remark(
        "The data set's own label is no one person's vote: it came in as annotator “dataset-label”.",
        placed=False,
    )
    return records.annotator("dataset-label", dataset_label=True)


def scale(records: Records, default: tuple[int, int]) -> tuple[int, int]:
    """From `--map scale=LOW,HIGH`, else as the format has it."""
    chosen = records.options.mapping.get("scale")
    if not chosen:
        return default
    ends = re.fullmatch(r"(-?\d{1,6}),(-?\d{1,6})", chosen.strip())
    if ends is None or not int(ends[1]) < int(ends[2]) < int(ends[1]) + MOST_POINTS:
        raise records.wrong("scale", "LOW,HIGH, two whole numbers, the lower first", quoted(chosen))
    return int(ends[1]), int(ends[2])
