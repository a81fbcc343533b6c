"""A plain table of one score a row, of a response named by its id or its words."""

from collections.abc import Mapping, Sequence

from ..line import Line
from ..records import Records
from ..registry import Format
from ..source import Source

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "scorer": ("scorer", "judge", "annotator", "model_name"),
    "id": ("response_id", "id"),
    "prompt": ("prompt", "user_query", "instruction", "query", "question"),
    "text": ("response", "text", "output", "answer", "completion"),
    "source": ("source", "source_name", "generator", "writer"),
    "value": ("value", "score", "reward", "evaluation_score", "conversation_perplexity", "rating"),
}
USES = tuple(name for names in COLUMNS.values() for name in names)


def read(records: Records, files: Sequence[Source]) -> None:
    def column(line: Line, what: str) -> str:
        return next((name for name in COLUMNS[what] if line.get(name) not in (None, "")), "")

    def row(line: Line) -> None:
        key, text = column(line, "id"), column(line, "text")
        if not key and not text:
            raise line.wrong("", "response_id or response", "neither")
        if not any(name in line.row for name in COLUMNS["value"]):
            raise line.wrong("", f"one of {', '.join(COLUMNS['value'])}", "none")
        prompt, source, scorer = (column(line, what) for what in ("prompt", "source", "scorer"))
        response = records.response(
            records.prompt(line.words_or_none(prompt)),
            line.answer_or_none(text),
            line.text_or(source, "") if source else "",
            line.key(key) if key else "",
        )
        value, error = line.score(column(line, "value") or "value")
        higher_is_better = str(line.row.get("higher_is_better", "true")).lower() not in ("false", "0")
        if value is not None and not higher_is_better:
            value = -value
        records.score(line.text_or(scorer, "") if scorer else "", response, value, error=error)

    records.each(files, row, (*USES, "higher_is_better"))


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
