"""MultiPref: several people's preferences between two completions, overall and by aspect."""

from collections.abc import Sequence

from .. import votes
from ..line import Line
from ..pairs import ask_preference
from ..records import Records
from ..registry import Format, marks
from ..source import Source
from ..votes import Vote

GROUPS = ("normal_worker_annotations", "expert_worker_annotations")
ASPECTS = ("helpful", "truthful", "harmless")
PREFERENCES = {
    "aisclearlybetter": votes.MUCH_FIRST,
    "aisslightlybetter": votes.FIRST,
    "tie": votes.TIE,
    "bisslightlybetter": votes.SECOND,
    "bisclearlybetter": votes.MUCH_SECOND,
}
EXPECTED = "A-is-clearly-better, A-is-slightly-better, Tie, B-is-slightly-better or B-is-clearly-better"


def read(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        category = [line.text_or(name, "") for name in ("category", "subcategory") if line.has(name)]
        prompt = records.prompt(line.words("text" if line.has("text") else "prompt"), category=category)
        pair = [
            records.response(prompt, line.answer(f"completion_{side}"), line.text_or(f"model_{side}", ""))
            for side in "ab"
        ]
        item = records.item("pair", pair)
        for group in GROUPS:
            for one in line.lines(group) if line.has(group) or line.get(group) else ():
                _one(records, one, item, pair, expert=group.startswith("expert"))

    records.each(files, row)


def _one(records: Records, line: Line, item: str, pair: list[str], *, expert: bool) -> None:
    annotator = records.annotator(line.key("evaluator"), expert=expert)
    # Seconds, as the set's own analyses take it; not known to be active time, so not stored as that.
    time = line.time("timestamp")
    records.prefer(
        item, annotator, ask_preference(records), _vote(line, "overall_pref"), pair, submitted_at=time
    )
    for aspect in ASPECTS:
        if line.has(f"{aspect}_pref"):
            criterion = records.ask(aspect, "pair", "preference", f"Which response is more {aspect}?")
            vote = _vote(line, f"{aspect}_pref")
            records.prefer(item, annotator, criterion, vote, pair, submitted_at=time)


def _vote(line: Line, name: str) -> Vote:
    return line.needed_vote(name, PREFERENCES, EXPECTED)


FORMATS = [
    Format(
        "multipref", "MultiPref: preferences of several people, by aspect", read,
        marks("completion_a completion_b normal_worker_annotations"),
        "public loaders of allenai/multipref: overall, helpful, truthful, harmless _pref, evaluator, timestamp",
    ),
]  # fmt: skip
