"""Every result as JSON, and each of its tables as CSV and LaTeX with the same numbers."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from annotate.models import Study
from judging.exports.writers.sheet import Output, Row
from judging.results import COMPUTED, find
from judging.results.result import NotComputable

LONGEST = 40
WIDE = {"agreement": "criteria", "audit": "scorers"}
"""Results with a table of everything in the rows of their JSON, `NAME.csv`: the rows' key."""


def tables(study: Study, output: Output) -> None:
    for name in COMPUTED:
        result = find(name)
        options = result.options()
        try:
            report = result.cached(study, options)
        except NotComputable as error:
            output.text(f"{name}.txt", f"No {name}: {error}\n")
            continue
        write_result(output, name, result.cached_json(study, options))
        for table in result.tables(report):
            stem = f"{name}-{table.key}"
            rows = [[record.get(c) for c in table.flat_columns] for record in table.records]
            output.csv(f"{stem}.csv", stem, table.flat_columns, rows)
            output.text(f"{stem}.tex", table.latex)


def write_result(output: Output, name: str, record: Mapping[str, Any]) -> None:
    """The JSON, and where its rows make one, the wide table."""
    rows = [_flat(row) for row in record[WIDE[name]]] if name in WIDE else []
    path = output.folder / f"{name}.json"
    path.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n")
    output.add(path.name, name, len(rows) or 1)
    if rows:
        columns = _columns(name, rows)
        output.csv(f"{name}.csv", name, columns, ([row.get(c) for c in columns] for row in rows))
        output.text(f"{name}.tex", _latex(name, columns, rows))


def _columns(name: str, rows: list[Row]) -> list[str]:
    """Scripts read wide tables by place: keys that the JSON gained since stay out, and reasons where there are none."""
    columns = dict.fromkeys(key for row in rows for key in row)
    if name == "audit":
        gained = {c for c in columns if c.endswith("_reason") and not c.startswith("divisive_")}
        return [c for c in columns if c not in gained and not c.endswith("_n")]
    return [c for c in columns if not c.endswith("_reason") or any(row.get(c) for row in rows)]


def _flat(row: Mapping[str, Any], prefix: str = "") -> Row:
    """{"alpha": {"estimate": 1, "low": 0}} as alpha and alpha_low; a list of texts as one text.

    [{"covariate": "length", "estimate": 1}] of `covariates` is covariates_length: what each is called, in its column.
    """
    flat: Row = {}
    for name, value in row.items():
        key = prefix if name == "estimate" and prefix else f"{prefix}_{name}" if prefix else name
        if isinstance(value, Mapping):
            flat |= _flat(value, key)
        elif isinstance(value, list) and any(isinstance(v, Mapping) for v in value):
            for n, inner in enumerate(value, 1):
                flat |= _named(inner, key, str(n))
        elif isinstance(value, list):
            flat[key] = "; ".join(str(v) for v in value)
        else:
            flat[key] = value
    return flat


def _named(row: Mapping[str, Any], key: str, number: str) -> Row:
    """A list's row, named by the first text in it, else by its number."""
    column = next((name for name, value in row.items() if isinstance(value, str)), None)
    label = number if column is None else "_".join(str(row[column]).split())
    return _flat({name: value for name, value in row.items() if name != column}, f"{key}_{label}")


def _latex(name: str, columns: list[str], rows: list[Row]) -> str:
    """Many columns fit no page: the table lies on its side, one column a row of the results; sentences stay out."""
    printed = {c: [_in_print(row.get(c)) for row in rows] for c in columns}
    short = {c: cells for c, cells in printed.items() if max(map(len, cells)) <= LONGEST}
    first, *rest = short
    frame = pd.DataFrame([short[c] for c in rest], index=rest, columns=short[first])
    frame.index.name = first
    return frame.to_latex(escape=True, caption=f"{name.capitalize()} of the study", label=f"tab:{name}")


def _in_print(value: Any) -> str:
    if value is None:
        return "--"
    if isinstance(value, float):
        return f"{value:.3f}" if value == 0 or abs(value) >= 0.0005 else f"{value:.1e}"
    return str(value)
