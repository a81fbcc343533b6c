"""Arena-Hard-Auto: questions, model answers, and the judgments of machines."""

from collections.abc import Sequence

from .. import conversations
from ..line import Line
from ..pairs import decided, one_scorer
from ..records import Records, in_both_orders
from ..registry import Format, marks
from ..source import Source


def read(records: Records, files: Sequence[Source]) -> None:
    categories: dict[str, list[str]] = {}

    def question(line: Line) -> None:
        names = ("category", "subcategory", "cluster")
        categories[line.key("uid")] = [line.text_or(name, "") for name in names if line.has(name)]
        records.prompt(line.words("prompt"), category=categories[line.key("uid")])

    def answer(line: Line) -> None:
        given, answers = conversations.by_speaker(line.conversation("messages"))
        if not given or not answers:
            raise line.wrong("messages", "turns of both user and assistant", line.get("messages"))
        uid = line.key("uid")
        prompt = records.prompt(conversations.written(given), category=categories.get(uid, ()))
        records.response(prompt, conversations.written(answers), line.text("model"), question=(uid, 1))

    def judgment(line: Line) -> None:
        """In the first game the baseline is A, in the second the model."""
        pair = [records.answer_to(line.key("uid"), line.text(name)) for name in ("model", "baseline")]
        baseline_first, straight = (decided(game, "score") for game in line.lines("games", of=2))
        choice = in_both_orders(straight, baseline_first.turned if baseline_first else None)
        records.verdict(one_scorer(line, "judge"), pair, choice)

    for kind, one in ("question", question), ("answer", answer), ("judgment", judgment):
        records.each([f for f in files if _kind(f) == kind], one)


def _kind(source: Source) -> str:
    for row in source.head(1):
        if "games" in row:
            return "judgment"
        if "messages" in row:
            return "answer"
    return "question"


FORMATS = [
    Format(
        "arena-hard", "Arena-Hard-Auto: questions, answers, judgments", read,
        marks("uid model messages", "uid judge model baseline games", "uid category prompt"),
        "lmarena/arena-hard-auto, gen_judgment.py (games, order of sides); fields of version 2 (uid)",
        scores=True,
    ),
]  # fmt: skip
