"""Agreement and audit as tables: CSV, JSON and LaTeX with the same numbers."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from annotate.models import Study
from judging.exports.writers.sheet import Output, Row
from judging.results import find
from judging.results.audit.options import DEFAULTS
from judging.results.audit.result import RESULT as AUDIT
from judging.results.result import Options

LONGEST = 40


def tables(study: Study, output: Output) -> None:
    agreement = find("agreement").cached_json(study, Options())
    write_tables(output, _without_empty_reasons(agreement), AUDIT.cached_json(study, DEFAULTS))


def write_tables(output: Output, page: dict[str, Any], audited: dict[str, Any]) -> None:
    _write(output, "agreement", page, [_flat(row) for row in page["criteria"]])
    if audited["scorers"]:
        _write(output, "audit", audited, [_flat(row) for row in audited["scorers"]])
    else:
        output.text("audit.txt", f"No audit: {audited.get('reason', 'there are no scorers')}\n")


def _without_empty_reasons(value: Any) -> Any:
    """A column of reasons only where there are some: tables that were written before stay the same."""
    if isinstance(value, Mapping):
        return {k: _without_empty_reasons(v) for k, v in value.items() if k != "reason" or v is not None}
    return [_without_empty_reasons(v) for v in value] if isinstance(value, list) else value


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


def _write(output: Output, name: str, whole: Mapping[str, Any], rows: list[Row]) -> None:
    path = output.folder / f"{name}.json"
    path.write_text(json.dumps(whole, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n")
    output.add(path.name, name, len(rows))
    columns = list(dict.fromkeys(key for row in rows for key in row))
    output.csv(f"{name}.csv", name, columns, ([row.get(c) for c in columns] for row in rows))
    output.text(f"{name}.tex", _latex(name, columns, rows))


def _latex(name: str, columns: list[str], rows: list[Row]) -> str:
    """Many columns fit no page: the table lies on its side, one column a row of the results; sentences stay out."""
    texts = {c: [_said(row.get(c)) for row in rows] for c in columns}
    short = {c: cells for c, cells in texts.items() if max(map(len, cells)) <= LONGEST}
    first, *rest = short
    frame = pd.DataFrame([short[c] for c in rest], index=rest, columns=short[first])
    frame.index.name = first
    return frame.to_latex(escape=True, caption=f"{name.capitalize()} of the study", label=f"tab:{name}")


def _said(value: Any) -> str:
    if value is None:
        return "--"
    if isinstance(value, float):
        return f"{value:.3f}" if value == 0 or abs(value) >= 0.0005 else f"{value:.1e}"
    return str(value)
