"""What the readers of pairwise votes share: the question asked, and whether a name is a person's or a machine's."""

import re
from collections.abc import Sequence
from typing import Any

from annotate.folder.problems import quoted
from annotate.folder.study_toml import MOST_POINTS

from .draft import Draft
from .values import Vote

_MACHINE = re.compile(
    r"gpt|claude|llama|gemini|palm|qwen|mistral|mixtral|deepseek|prometheus|cohere|command-r|alpaca_eval|"
    r"alpaca_farm|reward|skywork|nemotron|longest|openai|anthropic",
    re.IGNORECASE,
)


def ask_preference(draft: Draft, key: str = "preference", measures: str = "quality") -> str:
    return draft.ask(key, "pair", "preference", "Which response is better?", measures=measures)


def is_machine(draft: Draft, name: str) -> bool:
    """By what the importer said, else by the name, which is said then."""
    if draft.options.voters != "auto":
        return draft.options.voters == "machines"
    if _MACHINE.search(name):
        draft.remark(
            f"{name!r} was taken for a machine: its votes are scores (--voters people says otherwise)."
        )
        return True
    return False


def cast(draft: Draft, name: str, vote: Vote, pair: Sequence[str], **row: Any) -> None:
    """A vote of a person is an answer, a machine's is a verdict, kept for judging."""
    item = draft.item("pair", pair)
    if is_machine(draft, name):
        draft.verdict(name, item, vote, pair)
    else:
        draft.prefer(item, draft.annotator(name), ask_preference(draft), vote, pair, **row)


def dataset_label(draft: Draft) -> str:
    """Who says `chosen` and `rejected` where no person is named."""
    draft.remark(
        "The data set's own label is no one person's vote: it came in as annotator “dataset-label”.",
        placed=False,
    )
    return draft.annotator("dataset-label", dataset_label=True)


def scale(draft: Draft, default: tuple[int, int]) -> tuple[int, int]:
    """From `--map scale=LOW,HIGH`, else as the format has it."""
    told = draft.options.mapping.get("scale")
    if not told:
        return default
    found = re.fullmatch(r"(-?\d{1,6}),(-?\d{1,6})", told.strip())
    if found is None or not int(found[1]) < int(found[2]) < int(found[1]) + MOST_POINTS:
        raise draft.wrong("scale", "LOW,HIGH, two whole numbers, the lower first", quoted(told))
    return int(found[1]), int(found[2])
