"""Arena-Hard-Auto: questions, model answers, and the judgments of machines."""

from collections.abc import Sequence

from . import values
from .draft import Draft
from .line import Line
from .registry import Format, marks
from .source import Source
from .values import Vote

QUESTION = ("uid", "category", "subcategory", "prompt", "cluster")
ANSWER = ("uid", "ans_id", "model", "messages", "tstamp", "metadata")
JUDGMENT = ("uid", "category", "judge", "model", "baseline", "games")


def read(draft: Draft, files: Sequence[Source]) -> None:
    categories: dict[str, list[str]] = {}
    answers: dict[tuple[str, str], str] = {}

    def question(line: Line) -> None:
        names = ("category", "subcategory", "cluster")
        categories[line.key("uid")] = [line.text_or(name, "") for name in names if line.has(name)]
        draft.prompt(line.text("prompt"), category=categories[line.key("uid")])

    def answer(line: Line) -> None:
        asked, said = values.joined(line.conversation("messages"))
        if not asked or not said:
            raise line.wrong("messages", "turns of both user and assistant", line.get("messages"))
        prompt = draft.prompt(asked, category=categories.get(line.key("uid"), ()))
        answers[line.key("uid"), line.text("model")] = draft.response(prompt, said, line.text("model"))

    def judgment(line: Line) -> None:
        pair = []
        for name in ("model", "baseline"):
            found = answers.get((line.key("uid"), line.text(name)))
            if found is None:
                raise line.wrong(
                    name, "a model with an answer to this uid (name its file too)", line.get(name)
                )
            pair.append(found)
        if (verdict := _verdict(draft, line)) is not None:
            draft.verdict(line.text("judge"), draft.item("pair", pair), verdict[0], pair, verdict[1])

    for columns, one in ((QUESTION, question), (ANSWER, answer), (JUDGMENT, judgment)):
        draft.each([f for f in files if _kind(f) == columns], one, columns)


def _kind(source: Source) -> tuple[str, ...]:
    for row in source.head(1):
        if "games" in row:
            return JUDGMENT
        if "messages" in row:
            return ANSWER
    return QUESTION


def _verdict(draft: Draft, line: Line) -> tuple[Vote, float] | None:
    """The mean of both games, in points: 2 much, 1 slightly better. In the first game the baseline is A."""
    points = []
    for place, game in enumerate(line.lines("games")):
        if not game.has("score"):
            draft.remark(
                "A game has no score, since the judge's words could not be read: the other game counts."
            )
            continue
        vote = game.vote("score", "A>>B, A>B, A=B, B>A or B>>A")
        vote = vote.swapped if place == 0 else vote
        points.append(0 if vote.winner is None else vote.strength * (1 if vote.winner == 0 else -1))
    if not points:
        return None
    mean = sum(points) / len(points)
    return (values.TIE if mean == 0 else Vote(0 if mean > 0 else 1)), abs(mean)


FORMATS = [
    Format(
        "arena-hard", "Arena-Hard-Auto: questions, answers, judgments", read,
        marks("uid model messages", "uid judge model baseline games", "uid category prompt"),
        "lmarena/arena-hard-auto, gen_judgment.py (games, order of sides); fields of version 2 (uid)",
    ),
]  # fmt: skip
