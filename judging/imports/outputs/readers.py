"""The files: RewardBench 1 and 2, RM-Bench, JudgeBench, AlpacaEval, MT-bench, Arena-Hard, and plain tables."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotate.folder.problems import FolderError, Problem
from annotate.formats.source import Source
from judging.imports.outputs.record import (
    Choice,
    Named,
    Row,
    Told,
    UnreadableError,
    elements,
    last_words,
    need,
    number,
    scored,
)

Reader = Callable[[Row, str], Iterator[Told]]
"""A row and the scorer's name where the file has none → what it tells."""


@dataclass(frozen=True, slots=True)
class Format:
    title: str
    read: Reader


def read(name: str, path: Path, scorer: str = "") -> Iterator[tuple[int, Told]]:
    """Everything a file tells, with its line; FolderError names the first row that can't be read."""
    source, reader = Source(path), FORMATS[name].read
    for line, row in source.rows():
        if isinstance(row, Problem):
            raise FolderError([row])
        try:
            for told in reader(row, scorer):
                yield line, _with_scorer(told)
        except UnreadableError as error:
            expected, _, found = str(error).partition(", found ")
            raise FolderError(
                [Problem(source.name, line, "", expected.removeprefix("expected "), found)]
            ) from error


def _with_scorer(told: Told) -> Told:
    if not told.scorer:
        raise UnreadableError("expected the scorer's name, found none (name it: --scorer)")
    return told


def _ids(row: Row, place: object) -> tuple[str, ...]:
    """Ids that the response may have in a study made of the same set."""
    if row.get("id") is None:
        return ()
    return tuple(f"{row['id']}{mark}{place}" for mark in (":", "-", "_", "/", "."))


def _scorer(row: Row, given: str, *names: str) -> str:
    for name in names:
        said = row.get(name)
        if isinstance(said, (list, tuple)) and said:
            said = said[0]
        if isinstance(said, str) and said:
            return given or said
    return given


def rewardbench(row: Row, given: str) -> Iterator[Told]:
    name = _scorer(row, given, "model")
    if "scores_chosen" not in row:
        # What the command line writes for a set of single responses.
        yield scored(name, Named(_ids(row, ""), text=last_words(need(row, "text"))), need(row, "results"))
        return
    for which in ("chosen", "rejected"):
        of = Named(
            _ids(row, which), prompt=last_words(row.get("prompt")), text=last_words(row.get(f"text_{which}"))
        )
        yield scored(name, of, need(row, f"scores_{which}"))


def rewardbench_2(row: Row, given: str) -> Iterator[Told]:
    name, texts, scores = _scorer(row, given, "model"), elements(row, "text"), elements(row, "scores")
    if len(texts) != len(scores):
        raise UnreadableError(f"expected as many scores as texts, found {len(scores)} for {len(texts)}")
    for n, (text, value) in enumerate(zip(texts, scores, strict=True)):
        of = Named(_ids(row, n), prompt=last_words(row.get("prompt")), text=last_words(text))
        yield scored(name, of, value)


def rm_bench(row: Row, given: str) -> Iterator[Told]:
    for which in ("chosen", "rejected"):
        texts, scores = elements(row, which), elements(row, f"score_{which}")
        if len(texts) != len(scores):
            raise UnreadableError(f"expected as many scores as texts, found {len(scores)} for {len(texts)}")
        for n, (text, value) in enumerate(zip(texts, scores, strict=True)):
            of = Named(_ids(row, f"{which}-{n}"), prompt=last_words(row.get("prompt")), text=last_words(text))
            yield scored(_scorer(row, given, "model"), of, value)


_SIGNS = {
    "A>>B": 1.0,
    "A>B": 0.5,
    "A=B": 0.0,
    "B=A": 0.0,
    "B>A": -0.5,
    "A<B": -0.5,
    "B>>A": -1.0,
    "A<<B": -1.0,
}


def _both(
    name: str, first: Named, second: Named, straight: float | None, swapped: float | None, raw: str
) -> Choice:
    """Both orders, each as the preference for the first; one that failed leaves no choice."""
    if straight is None or swapped is None:
        return Choice(name, first, second, None, error="no choice in one of the two orders", raw=raw)
    return Choice(name, first, second, (straight + swapped) / 2, straight, swapped, raw=raw)


def judgebench(row: Row, given: str) -> Iterator[Told]:
    """The second judgment saw the responses swapped, and speaks of what it saw."""
    games = elements(row, "judgments")
    if len(games) != 2:
        raise UnreadableError(f"judgments: expected two, found {len(games)}")
    said = [_SIGNS.get(str((game or {}).get("decision")).replace(" ", "")) for game in games]
    # A decision has no strength here.
    straight, seen = (None if s is None else float((s > 0) - (s < 0)) for s in said)
    prompt = last_words(row.get("question"))
    first, second = (
        Named(
            (f"{row.get('pair_id')}:{side}",), prompt=prompt, text=last_words(need(row, f"response_{side}"))
        )
        for side in "AB"
    )
    yield _both(
        _scorer(row, given, "judge_name"), first, second, straight, None if seen is None else -seen, ""
    )


def alpaca_eval(row: Row, given: str) -> Iterator[Told]:
    """1 is for the first, 2 for the second, between them undecided. In which order they were shown is not told."""
    prompt = last_words(need(row, "instruction"))
    first, second = (
        Named(
            source=str(row.get(f"generator_{n}") or ""),
            prompt=prompt,
            text=last_words(need(row, f"output_{n}")),
        )
        for n in (1, 2)
    )
    preference = number(row.get("preference"))
    name, raw = _scorer(row, given, "annotator"), row.get("raw_completion")
    told = raw if isinstance(raw, str) else ""
    if preference is None or not 1 <= preference <= 2:
        yield Choice(name, first, second, None, error=f"no preference: {row.get('preference')!r}", raw=told)
    else:
        yield Choice(name, first, second, 3 - 2 * preference, raw=told)


_WINNERS = {"model_1": 1.0, "model_2": -1.0, "tie": 0.0}


def mt_bench(row: Row, given: str) -> Iterator[Told]:
    """A later turn is another question, so another scorer. Both winners are named by model, whatever the order."""
    turn = row.get("turn")
    name = _scorer(row, given, "judge") + (f" turn {turn}" if turn not in (None, 1) else "")
    question = str(need(row, "question_id"))
    if "model_1" not in row:
        of = Named(prompt_id=question, source=str(need(row, "model")))
        value = number(row.get("score"))
        # FastChat writes -1 for a grade it could not read.
        yield scored(name, of, None if value == -1 else value, str(row.get("judgment") or ""))
        return
    first, second = (Named(prompt_id=question, source=str(need(row, f"model_{n}"))) for n in (1, 2))
    straight, swapped = (_WINNERS.get(str(row.get(f"g{n}_winner"))) for n in (1, 2))
    raw = "\n\n".join(str(row[f"g{n}_judgment"]) for n in (1, 2) if row.get(f"g{n}_judgment"))
    yield _both(name, first, second, straight, swapped, raw)


def arena_hard(row: Row, given: str) -> Iterator[Told]:
    """In the first game the baseline is A, in the second the model."""
    games = elements(row, "games")
    if len(games) != 2:
        raise UnreadableError(f"games: expected two, found {len(games)}")
    baseline_first, straight = (_SIGNS.get(str((game or {}).get("score")).replace(" ", "")) for game in games)
    first = Named(prompt_id=str(need(row, "uid")), source=str(need(row, "model")))
    second = Named(prompt_id=str(row["uid"]), source=str(need(row, "baseline")))
    swapped = None if baseline_first is None else -baseline_first
    yield _both(_scorer(row, given, "judge"), first, second, straight, swapped, "")


ALIASES: Mapping[str, tuple[str, ...]] = {
    "scorer": ("scorer", "judge", "annotator", "model_name"),
    "id": ("response_id", "id"),
    "prompt": ("prompt", "user_query", "instruction", "query", "question"),
    "text": ("response", "text", "output", "answer", "completion"),
    "source": ("source", "source_name", "generator", "writer"),
    "value": ("value", "score", "reward", "evaluation_score", "conversation_perplexity", "rating"),
}


def table(row: Row, given: str) -> Iterator[Told]:
    """One response a row. `higher_is_better` false turns a number round."""

    def cell(what: str) -> Any:
        return next((row[name] for name in ALIASES[what] if row.get(name) not in (None, "")), None)

    name, key, text = cell("scorer"), cell("id"), cell("text")
    if key is None and text is None:
        raise UnreadableError("expected response_id or response, found neither")
    if not any(column in row for column in ALIASES["value"]):
        raise UnreadableError(f"expected one of {', '.join(ALIASES['value'])}, found none")
    of = Named(
        () if key is None else (str(key),),
        source=str(cell("source") or ""),
        prompt=last_words(cell("prompt")),
        text=last_words(text),
    )
    told = scored(given or str(name or ""), of, cell("value"))
    if str(row.get("higher_is_better", "true")).lower() in ("false", "0") and told.value is not None:
        told = scored(told.scorer, of, -told.value)
    yield told


FORMATS: dict[str, Format] = {
    "rewardbench": Format("RewardBench outputs", rewardbench),
    "rewardbench-2": Format("RewardBench 2 outputs", rewardbench_2),
    "rm-bench": Format("RM-Bench scores", rm_bench),
    "judgebench": Format("JudgeBench judgments", judgebench),
    "alpaca-eval": Format("AlpacaEval annotations", alpaca_eval),
    "mt-bench": Format("MT-bench judgments, single and pairs", mt_bench),
    "arena-hard": Format("Arena-Hard judgments", arena_hard),
    "table": Format("a table of one score a row", table),
}
