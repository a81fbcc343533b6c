"""What goes in comes out: round trips of made-up folders in every form, and what a load makes of the rows."""

import csv
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from annotate.folder import FolderError, Form, export_folder, load_folder, study_toml
from annotate.models import Study

from .small import FORMS, STUDY, assert_same, delete, read_tables, small, write_folder

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_round_trip_in_every_form(form: Form, tmp_path: Path) -> None:
    source = small()
    source["answers"][0] |= {"shown": ["r1"], "opened_at": "2026-11-22T10:00:00Z", "active_ms": 5}
    study = load_folder(write_folder(tmp_path / "in", source)).study
    first = export_folder(study, tmp_path / "out", form)
    assert first.rows == {"prompts": 2, "responses": 5, "items": 3, "annotators": 2, "answers": 3}
    delete(study)
    study = load_folder(tmp_path / "out").study
    export_folder(study, tmp_path / "again", Form())
    assert_same(read_tables(tmp_path / "again"), source)


def test_the_same_study_gives_the_same_bytes(tmp_path: Path) -> None:
    study = load_folder(write_folder(tmp_path / "in", small())).study
    for form in FORMS:
        folders = [tmp_path / f"{form.name}{form.gzip}{n}" for n in (1, 2)]
        for folder in folders:
            export_folder(study, folder, form)
        one, two = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
        assert one == two


def test_csv_is_what_other_programs_write(tmp_path: Path) -> None:
    """A BOM, CRLF, text that looks like numbers, empty cells for null, lists as JSON text."""
    folder = write_folder(tmp_path / "in", {"items": small()["items"]})
    (folder / "prompts.csv").write_bytes(
        '\ufeffprompt_id,text,category\r\np1,"a ""b"", c\r\nd","[""x"", ""y""]"\r\n'.encode()
    )
    (folder / "responses.csv").write_bytes(
        b"response_id,prompt_id,text,source,sample,params\r\nr1,p1,,m,1,\r\nr2,p1,007,m,2.0,{}\r\nr3,p1,null,m,,\r\n"
    )
    (folder / "answers.csv").write_bytes(
        b"item_id,annotator_id,criterion,response_id,value,label,shown\r\n"
        b'one,1,quality,r1,4,,"[""r1""]"\r\none,2,quality,r1,,,\r\n'
    )
    (folder / "annotators.csv").write_bytes(b"annotator_id,zip,age,note\r\n1,007,30,\r\n2,1.10,,true\r\n")
    export_folder(load_folder(folder).study, tmp_path / "out")
    out = read_tables(tmp_path / "out")
    assert out["prompts"] == [{"prompt_id": "p1", "text": 'a "b", c\nd', "category": ["x", "y"]}]
    assert [(r["text"], r.get("sample"), r.get("params")) for r in out["responses"]] == [
        ("", 1, None),
        ("007", 2, {}),
        ("null", None, None),
    ]
    assert [(a["annotator_id"], a["value"]) for a in out["answers"]] == [("1", 4), ("2", None)]
    assert out["annotators"] == [
        {"annotator_id": "1", "zip": "007", "age": 30},
        {"annotator_id": "2", "zip": "1.10", "note": True},
    ]


def test_csv_export_reads_as_a_table(tmp_path: Path) -> None:
    study = load_folder(write_folder(tmp_path / "in", small())).study
    export_folder(study, tmp_path / "out", Form("csv"))
    with (tmp_path / "out" / "answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["value"] for row in rows] == ["4", "2", "0"]
    assert {row["revision"] for row in rows} == {"1"}


def test_parquet_export_has_types(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    study = load_folder(write_folder(tmp_path / "in", small())).study
    export_folder(study, tmp_path / "out", Form("parquet"))
    answers = pq.read_table(tmp_path / "out" / "answers.parquet")
    assert str(answers.schema.field("value").type) == "double"
    assert str(answers.schema.field("shown").type).startswith("list<")
    people = pq.read_table(tmp_path / "out" / "annotators.parquet").to_pylist()
    assert people == [
        {"annotator_id": "ann", "excluded": "", "country": "DE", "age": None},
        {"annotator_id": "bob", "excluded": "", "country": None, "age": 30},
    ]


def test_details_of_any_type_survive_parquet(tmp_path: Path) -> None:
    tables = small()
    tables["annotators"] = [
        {"annotator_id": "ann", "list": [False, "a"], "mixed": 1, "half": 1, "big": 2**63, "flag": True},
        {"annotator_id": "bob", "list": [], "mixed": "1", "half": 0.5, "big": 1, "object": {"a": None}},
    ]
    study = load_folder(write_folder(tmp_path / "in", tables)).study
    export_folder(study, tmp_path / "out", Form("parquet"))
    delete(study)
    export_folder(load_folder(tmp_path / "out").study, tmp_path / "again")
    assert read_tables(tmp_path / "again")["annotators"] == tables["annotators"]


def test_parquet_as_pandas_writes_it(tmp_path: Path) -> None:
    """Whole numbers beside gaps become floats, times have nanoseconds, objects are structs."""
    import pandas as pd

    tables = small()
    folder = write_folder(tmp_path / "in", {k: v for k, v in tables.items() if k != "answers"})
    opened = pd.Series(pd.to_datetime(["2026-11-22 10:00:00.5", "NaT"], utc=True)).astype(
        "datetime64[ns, UTC]"
    )
    shown: Any = [["r1"], None]
    gaps: Any = [7.0, None]
    answers = pd.DataFrame(tables["answers"][:2]).assign(opened_at=opened, shown=shown, active_ms=gaps)
    answers.to_parquet(folder / "answers.parquet")
    export_folder(load_folder(folder).study, tmp_path / "out")
    out = read_tables(tmp_path / "out")["answers"]
    assert out[0]["active_ms"] == 7
    assert out[0]["opened_at"] == "2026-11-22T10:00:00.500000Z"
    assert out[0]["shown"] == ["r1"]
    assert [row["value"] for row in out] == [4, 2]


def test_times_are_utc(tmp_path: Path) -> None:
    tables = small()
    tables["answers"][0] |= {"opened_at": "2026-11-22T10:00:00+02:00", "submitted_at": "2026-11-22T09:00:00"}
    export_folder(load_folder(write_folder(tmp_path / "in", tables)).study, tmp_path / "out")
    row = read_tables(tmp_path / "out")["answers"][0]
    assert (row["opened_at"], row["submitted_at"]) == ("2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z")


def test_numbers_keep_every_digit(tmp_path: Path) -> None:
    tables = small()
    values = [0.1 + 0.2, 1e-300, 999999999999.9999, -7, 2**39 + 2, 0]
    tables["answers"] = [
        {"item_id": "set", "annotator_id": f"a{n}", "criterion": "ideas", "value": value}
        for n, value in enumerate(values)
    ]
    del tables["annotators"]
    study = load_folder(write_folder(tmp_path / "in", tables)).study
    for form in (Form("csv"), Form("parquet"), Form()):
        export_folder(study, tmp_path / form.name, form)
        delete(study)
        study = load_folder(tmp_path / form.name).study
    export_folder(study, tmp_path / "out")
    assert [row["value"] for row in read_tables(tmp_path / "out")["answers"]] == values
    assert '"value": -7' in (tmp_path / "out" / "answers.jsonl").read_text()


def test_settings_survive_any_text(tmp_path: Path) -> None:
    nasty = "\"'''\\ \t \x7f \x01 \r\n é 🎉 \u2028 שלום # = [x]"
    title, words = (json.dumps(t, ensure_ascii=False).replace("\x7f", "\\u007f") for t in (nasty, nasty * 3))
    text = STUDY.replace('title = "Small"', f"title = {title}\ninstructions = {words}")
    study = load_folder(write_folder(tmp_path / "in", small(), text)).study
    assert study.title == nasty.replace("\r\n", "\n")
    export_folder(study, tmp_path / "out")
    written = tomllib.loads((tmp_path / "out" / "study.toml").read_text(encoding="utf-8"))
    # Line ends are one kind everywhere.
    source = tomllib.loads(text.replace("\\r\\n", "\\n"))
    assert {k: written[k] for k in ("title", "instructions", "slug", "seats", "seed")} == {
        k: source[k] for k in ("title", "instructions", "slug", "seats", "seed")
    }
    assert [{**c, "required": c.get("required", True)} for c in source["criterion"]] == written["criterion"]


TABLES = """
[journey]
minutes = 7
checks = [{ "text" = "What is rated?", "options" = ["this \\"text\\"", "its author"], "right" = 0 }]

[page]
markup = "markdown"
require_reading = true
allow_skip = true

[panel]
names = { "participant" = "pid", "study" = "sid", "session" = "s" }
codes = { "finished" = "C1", "left" = "C2" }
"""


def test_journey_page_and_panel_come_back(tmp_path: Path) -> None:
    source = STUDY.replace("\n[[criterion]]", f"{TABLES}\n[[criterion]]", 1)
    study = load_folder(write_folder(tmp_path / "in", small(), source)).study
    assert (study.minutes, study.markup, study.allow_skip, study.sync_scroll) == (7, "markdown", True, False)
    assert study.checks[0]["options"][0] == 'this "text"'
    assert study.completion_codes == {"finished": "C1", "left": "C2"}
    export_folder(study, tmp_path / "out")
    written = (tmp_path / "out" / "study.toml").read_text()
    assert {t: tomllib.loads(written)[t] for t in ("journey", "page", "panel")} == tomllib.loads(TABLES)
    assert not any(load_folder(tmp_path / "out").new.values())
    study.minutes = 9
    study.layout = "stacked"  # of which the folder says nothing
    study.save()
    with pytest.raises(FolderError, match="journey, minutes: expected 9, found 7, which differs"):
        load_folder(tmp_path / "out")


def test_settings_left_alone_are_not_written(tmp_path: Path) -> None:
    study = load_folder(write_folder(tmp_path / "in", small())).study
    export_folder(study, tmp_path / "out")
    assert not {"journey", "page", "panel"} & set(
        tomllib.loads((tmp_path / "out" / "study.toml").read_text())
    )
    assert Study.objects.get().panel_names == Study().panel_names


def test_what_a_table_leaves_out_is_as_the_model_says() -> None:
    made = Study()
    for table in study_toml.TABLES.values():
        assert table().values == table.of(made).values


def test_held_back_responses_withhold_their_items(tmp_path: Path) -> None:
    tables = small()
    tables["responses"][0]["held_back"] = "names ChatGPT"
    study = load_folder(write_folder(tmp_path / "in", tables)).study
    assert list(study.items.filter(withheld=True).values_list("key", flat=True)) == ["one", "two", "set"]
    study.responses.filter(key="r2").update(held_back="found here")
    # The folder knows nothing of what was held back here meanwhile.
    assert not any(load_folder(tmp_path / "in").new.values())


def test_the_manifest_names_every_file(tmp_path: Path) -> None:
    import hashlib

    study = load_folder(write_folder(tmp_path / "in", small())).study
    export_folder(study, tmp_path / "out", Form("csv", gzip=True))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["seed"] == 5
    assert manifest["software"] == {"name": "offbeat", "version": "0.1.0"}
    assert len(manifest["settings_sha256"]) == 64
    rows = {file["name"]: file["rows"] for file in manifest["files"]}
    assert rows == {
        "study.toml": 1,
        "prompts.csv.gz": 2,
        "responses.csv.gz": 5,
        "items.csv.gz": 3,
        "annotators.csv.gz": 2,
        "answers.csv.gz": 3,
    }
    for file in manifest["files"]:
        raw = (tmp_path / "out" / file["name"]).read_bytes()
        assert hashlib.sha256(raw).hexdigest() == file["sha256"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*rows, "manifest.json"}
