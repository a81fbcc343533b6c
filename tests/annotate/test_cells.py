"""No CSV that leaves Offbeat for a spreadsheet holds a formula: not in a text, not in a name, not in a heading."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from annotate.cells import FORMULA, harmless
from judging.exports.writers.sheet import Output
from judging.results.agreement.tables import as_csv
from judging.results.figures import csv_of

APPS = [Path(__file__).parents[2] / name for name in ("annotate", "judging")]
BAD = [
    "a\r=1", "=HYPERLINK(1)",
    "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1",
]  # fmt: skip
# Where a module writes CSV: through `harmless`, or why not.
WRITERS = {
    "annotate/folder/writing.py": "the canonical folder holds texts as they are, so that it loads again",
    "annotate/views/desk_trail.py": "",
    "judging/results/agreement/tables.py": "",
    "judging/results/figures.py": "",
    "judging/imports/bad_rows.py": "",
    "judging/exports/writers/sheet.py": "",
}


def test_every_module_that_writes_csv_is_known() -> None:
    found = {
        path.relative_to(path.parents[len(path.relative_to(app).parts)]).as_posix(): path.read_text()
        for app in APPS
        for path in app.rglob("*.py")
    }
    writing = {name for name, text in found.items() if "csv.writer(" in text or ".to_csv(" in text}
    assert writing == set(WRITERS), "say in WRITERS how formulas are kept out of it"
    assert [name for name, why in WRITERS.items() if not why and "annotate.cells" not in found[name]] == []


@pytest.mark.parametrize("text", BAD)
def test_what_a_spreadsheet_calculates_is_made_harmless(text: str) -> None:
    assert harmless(text) == (f"'{text}" if text.startswith(FORMULA) else text)


@pytest.mark.parametrize("value", ["plain", "a=b", "", " =1", None, -1, 2.5, True])
def test_all_else_stays_as_it_is(value: object) -> None:
    assert harmless(value) is value


@pytest.mark.parametrize("bad", BAD)
def test_no_writer_lets_one_through(bad: str, tmp_path: Path) -> None:
    Output(tmp_path).csv("a.csv", "a", [bad, "n"], [[bad, -1]])
    sheets = [
        as_csv(pd.DataFrame({bad: [bad], "n": [-1]})),
        csv_of([bad, "n"], [[bad, -1]]),
        (tmp_path / "a.csv").read_text(encoding="utf-8-sig"),
    ]
    for sheet in sheets:
        cells = [cell for row in csv.reader(io.StringIO(sheet, newline="")) for cell in row]
        assert [cell for cell in cells if cell.startswith(FORMULA) and cell != "-1"] == []
        assert "-1" in cells, "numbers are numbers"
