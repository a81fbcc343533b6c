"""MT-bench (questions, answers, votes of people) and the battles of Chatbot Arena.

A turn is judged together with what came before it: the prompt of turn 2 is both questions, its response both answers.
"""

from collections.abc import Sequence

from annotate.texts import language_tag

from .. import conversations, values, votes
from ..conversations import SEPARATOR
from ..line import Line
from ..pairs import cast, decided, one_scorer
from ..records import Records, in_both_orders
from ..registry import Format, marks
from ..source import Source
from ..votes import Vote

WINNERS = votes.TIES | {"model1": votes.FIRST, "model2": votes.SECOND}
FLAGS = {"winner_model_a": votes.FIRST, "winner_model_b": votes.SECOND, "winner_tie": votes.TIE}
EXPECTED = "model_a, model_b, tie, both_bad or tie (bothbad)"


def read_mt_bench(records: Records, files: Sequence[Source]) -> None:
    """Questions before the answers to them, whatever the order of the files."""
    questions: dict[str, tuple[list[str], list[str]]] = {}

    def question(line: Line) -> None:
        turns = line.texts("turns")
        category = [line.text("category")] if line.has("category") else []
        questions[line.key("question_id")] = turns, category
        for n in range(1, len(turns) + 1):
            records.prompt(SEPARATOR.join(turns[:n]), category=category)

    def answer(line: Line) -> None:
        key = line.key("question_id")
        if key not in questions:
            raise line.wrong("question_id", "an id of the questions (name their file too)", key)
        turns, category = questions[key]
        for choice in line.lines("choices"):
            texts = [conversations.content_of(turn)[0] for turn in choice.elements("turns")]
            index = choice.whole("index") or 0
            for n in range(1, min(len(turns), len(texts)) + 1):
                prompt = records.prompt(SEPARATOR.join(turns[:n]), category=category)
                text = SEPARATOR.join(texts[:n])
                # The first choice is what votes are about; further ones are further samples.
                records.response(prompt, text, line.key("model_id"), sample=index or None, question=(key, n))

    for kind, read in (
        ("question", question),
        ("answer", answer),
        ("vote", lambda line: _vote(records, line)),
        ("grade", lambda line: _judged(records, line)),
    ):
        records.each([f for f in files if _kind(f) == kind], read)


def _kind(source: Source) -> str:
    for row in source.head(1):
        if "turns" in row:
            return "question"
        if "choices" in row:
            return "answer"
        if "model_1" in row or "model" in row:
            return "grade"
    return "vote"


def _judged(records: Records, line: Line) -> None:
    """A grade, or a choice in both orders. A later turn is another question, so another scorer."""
    turn = line.whole("turn") or 1
    scorer = one_scorer(line, "judge") + (f" turn {turn}" if turn > 1 else "")
    question = line.key("question_id")
    if "model_1" not in line.row:
        value, error = line.score("score")
        # FastChat writes -1 for a grade it could not read.
        value, error = (None, "the judge's grade could not be read") if value == -1 else (value, error)
        response = records.answer_to(question, line.text("model"), turn)
        records.score(scorer, response, value, error=error, raw=line.text_or("judgment", ""))
        return
    pair = [records.answer_to(question, line.text(f"model_{n}"), turn) for n in (1, 2)]
    # Both winners are named by model, whatever the order.
    straight, swapped = (decided(line, f"g{n}_winner", WINNERS, "model_1, model_2 or tie") for n in (1, 2))
    games = (line.text_or(f"g{n}_judgment", "") for n in (1, 2))
    records.verdict(
        scorer, pair, in_both_orders(straight, swapped, "\n\n".join(filter(None, games)), strengths=False)
    )


def read_battles(records: Records, files: Sequence[Source]) -> None:
    records.each(files, lambda line: _vote(records, line))


def _vote(records: Records, line: Line) -> None:
    texts = [_side(line, side) for side in "ab"]
    if texts[0][0] != texts[1][0]:
        raise line.wrong("conversation_b", "what was said to model_a", texts[1][0])
    language = line.text_or("language", "")
    if language and not language_tag(language):
        records.remark(f"Language {language!r} has no tag that is known: it was left out.")
        language = ""
    prompt = records.prompt(texts[0][0], language=language)
    pair = [records.response(prompt, texts[n][1], line.text(f"model_{side}")) for n, side in enumerate("ab")]
    time = line.time("tstamp") or line.time("timestamp")
    cast(records, _voter(records, line, pair), _winner(line), pair, shown=pair, submitted_at=time)


def _side(line: Line, side: str) -> tuple[str, str]:
    """What was asked and what the model said, up to the turn that was judged."""
    if f"response_{side}" in line.row:
        return _strings(line, side)
    name, turn = f"conversation_{side}", line.whole("turn")
    questions = turn if turn is not None and turn >= 1 else None
    given, answers = conversations.by_speaker(line.conversation(name), questions)
    if not given or not answers:
        raise line.wrong(name, "turns of both user and assistant", line.get(name))
    return conversations.written(given), conversations.written(answers)


def _strings(line: Line, side: str) -> tuple[str, str]:
    """Texts; or, as in the 55k battles, JSON lists of the turns of both, equally many."""
    turns = [_json_texts(line.get(name)) for name in ("prompt", f"response_{side}")]
    if turns[0] and turns[1] and len(turns[0]) == len(turns[1]):
        return SEPARATOR.join(turns[0]), SEPARATOR.join(turns[1])
    prompt = line.turns("prompt")
    return conversations.written(prompt), line.answer(f"response_{side}", prompt)


def _json_texts(value: object) -> list[str] | None:
    """Texts of a JSON list of texts and gaps; none for anything else."""
    try:
        texts = values.written_value(value) if isinstance(value, str) and value.startswith("[") else None
    except ValueError:
        return None
    if not isinstance(texts, list) or not all(t is None or isinstance(t, str) for t in texts):
        return None
    return [t or "" for t in texts]


def _winner(line: Line) -> Vote:
    if line.has("winner"):
        return line.needed_vote("winner", votes.MODEL_A_B, EXPECTED)
    flagged = [vote for name, vote in FLAGS.items() if line.has(name) and line.truth(name)]
    if len(flagged) == 1:
        return flagged[0]
    found = {name: line.get(name) for name in FLAGS} if flagged else line.get("winner")
    raise line.wrong("winner", f"{EXPECTED}; or one of {', '.join(FLAGS)}", found)


def _voter(records: Records, line: Line, pair: list[str]) -> str:
    judge = line.get("judge")
    if isinstance(judge, list):
        judge = "/".join(map(str, judge))
    if judge:
        return str(judge)
    if line.has("evaluation_session_id"):
        records.remark("No voter is named: a session of votes was taken for one person.", placed=False)
        return f"session-{line.key('evaluation_session_id')}"
    records.remark("No voter is named: each vote is a slot of its own.", placed=False)
    return f"vote-{line.key('id') if line.has('id') else f'{line.file}-{line.at}'}"


FORMATS = [
    Format(
        "mt-bench", "MT-bench: questions, answers, votes of people, grades and choices of judges", read_mt_bench,
        marks("question_id category turns", "question_id model_id choices",
              "question_id model_a model_b winner judge conversation_a conversation_b turn",
              "question_id model judge user_prompt judgment score turn",
              "question_id model_1 model_2 g1_winner g2_winner judge"),
        "lm-sys/FastChat, fastchat/llm_judge/gen_api_answer.py; public loaders of lmsys/mt_bench_human_judgments",
        scores=True,
    ),
    Format(
        "arena", "Chatbot Arena: battles (33k, 55k, 100k, 140k)", read_battles,
        marks("model_a model_b winner conversation_a conversation_b",
              "model_a model_b winner_model_a response_a response_b"),
        "lm-sys/FastChat (elo analysis), huggingface/trl docs (55k), public loaders of the 140k set",
    ),
]  # fmt: skip
