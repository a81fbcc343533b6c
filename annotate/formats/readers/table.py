"""A plain table of one score a row, of a response named by its id or its words."""

from collections.abc import Mapping, Sequence

from annotate.folder.problems import Problem

from ..line import Line
from ..records import Records
from ..registry import Format
from ..source import Source

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "scorer": ("scorer", "judge", "annotator"),
    "id": ("response_id", "id"),
    "prompt": ("prompt", "user_query", "instruction", "query", "question"),
    "text": ("response", "text", "output", "answer", "completion"),
    "source": ("source", "source_name", "generator", "writer", "model_name"),
    "value": ("value", "score", "reward", "evaluation_score", "conversation_perplexity", "rating"),
}
# Columns that say which scores are the good ones, and whether true means the greater.
DIRECTIONS = {"higher_is_better": True, "lower_is_better": False}


def read(records: Records, files: Sequence[Source]) -> None:
    for file in files:
        columns = _columns(records, file)

        def row(line: Line, at: Mapping[str, str] = columns) -> None:
            _row(records, line, at)

        records.each([file], row)


def _columns(records: Records, file: Source) -> dict[str, str]:
    """One column for each part, for the whole file; two that fit are a question to whoever imports."""
    there = {name for _, row in file.rows() if not isinstance(row, Problem) for name in row}
    columns: dict[str, str] = {}
    for part, names in COLUMNS.items():
        fitting = [name for name in names if name in there]
        if part == "value" and len(fitting) > 1:
            expected = f"one column of scores (--as mapped --map response=… score.NAME={'|'.join(fitting)})"
            raise file.unreadable(1, expected, " and ".join(fitting))
        if part == "id" and "response_id" in fitting:
            fitting = ["response_id"]
        columns |= {part: fitting[0]} if fitting else {}
        if len(fitting) > 1:
            records.remark(
                f"Column {fitting[0]!r} was read as the {part}, not {', '.join(fitting[1:])}.", placed=False
            )
    if not {"id", "text"} & columns.keys():
        raise file.unreadable(1, "a column response_id or response", "neither")
    if "value" not in columns:
        raise file.unreadable(1, f"one of the columns {', '.join(COLUMNS['value'])}", "none")
    records.remark(f"Column {columns['value']!r} was read as the score.", placed=False)
    return columns


def _row(records: Records, line: Line, at: Mapping[str, str]) -> None:
    def text(part: str) -> str:
        return line.text_or(at[part], "") if part in at else ""

    key = text("id")
    response = records.response(
        records.prompt(line.words_or_none(at["prompt"]) if "prompt" in at else None),
        line.answer(at["text"]) if "text" in at and (line.has(at["text"]) or not key) else None,
        text("source"),
        key,
    )
    value, error = line.score(at["value"])
    # Greater is better here: another direction is turned round.
    turned = any(line.has(name) and line.truth(name) != greater for name, greater in DIRECTIONS.items())
    records.score(text("scorer"), response, -value if turned and value is not None else value, error=error)


FORMATS = [
    Format(
        "table",
        "A table of one score a row",
        read,
        (),
        "the names that such columns usually have",
        scores=True,
    ),
]
