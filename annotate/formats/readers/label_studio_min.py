"""Label Studio's JSON_MIN and CSV exports: a row an annotation, data and results side by side.

Which columns are results is not written there: those called rating are, others by `--map`, as for any table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .. import guess, values
from ..records import Records
from ..registry import Format, marks
from ..source import Source
from . import mapped

# Under what a result holds its value, by kind of tag.
CONTROLS = ("rating", "number", "selected", "choices", "text")


def read(records: Records, files: Sequence[Source]) -> None:
    columns = list(dict.fromkeys(name for source in files for row in source.head() for name in row))
    given = records.options.mapping
    mapping = dict(_guessed(columns, given)) | dict(given)
    for role, column in mapping.items():
        if role not in given:
            records.remark(f"Column {column!r} was read as {role}.", placed=False)
    records.options = replace(records.options, mapping=mapping)
    mapped.read(records, files, _value)


def _value(cell: object) -> object:
    """What a cell of results says. Only single choices and texts stand there bare, others as [{"rating": 4}]."""
    try:
        results = values.as_list(cell) if isinstance(cell, list) or str(cell).startswith("[{") else []
    except (ValueError, TypeError):
        return cell
    if len(results) != 1 or not isinstance(results[0], Mapping):
        return cell
    return next((value for name, value in results[0].items() if name in CONTROLS), cell)


def _guessed(columns: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    mapping = {"annotator": "annotator", "submitted_at": "created_at"}
    if prompt := guess.field(columns, "prompt", guess.PROMPT, given):
        mapping["prompt"] = prompt
    if sides := guess.pair(columns, given):
        mapping |= {"response_a": sides[0], "response_b": sides[1]}
    elif response := guess.field([c for c in columns if c != prompt], "response", guess.RESPONSE, given):
        mapping["response"] = response
        if "rating" in columns:
            mapping["rating"] = "rating"
    return {role: column for role, column in mapping.items() if column in columns}


FORMATS = [
    Format(
        "label-studio-min", "Label Studio: JSON_MIN and CSV exports", read,
        marks("annotation_id annotator lead_time"),
        "Label Studio's documentation of export formats (JSON_MIN, CSV)",
        options="`--map` as for `mapped`, where names don't say it",
    ),
]  # fmt: skip
