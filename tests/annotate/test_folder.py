"""What goes in comes out: round trips of made-up folders in every form, and what a load makes of the rows."""

import csv
import gzip
import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from annotate import design
from annotate.folder import FolderError, Form, export_folder, load_folder, open_seats, study_toml
from annotate.models import Assignment, Item, Judgment, Study

pytestmark = pytest.mark.django_db

Row = dict[str, Any]
Tables = dict[str, list[Row]]

DEFAULTS: Row = {"language": "en", "category": [], "role": "main", "revision": 1}
FORMS = [Form(name, gzip) for name in ("jsonl", "csv", "parquet") for gzip in (False, True)]

STUDY = """
slug = "small"
title = "Small"
seats = 2
seed = 5

[[criterion]]
key = "quality"
on = "single"
kind = "rating"
measures = "quality"
text = "How good?"
scale = [1, 5]
labels = { 1 = "poor", 5 = "great" }

[[criterion]]
key = "better"
on = "pair"
kind = "preference"
text = "Which is better?"

[[criterion]]
key = "alike"
on = "pair"
kind = "similarity"
text = "How alike?"
scale = [0, 4]

[[criterion]]
key = "piles"
on = "set"
kind = "grouping"
text = "Which belong together?"

[[criterion]]
key = "rank"
on = "set"
kind = "ranking"
text = "Best first"

[[criterion]]
key = "odd"
on = "set"
kind = "odd_one_out"
text = "Which is the odd one?"
required = false

[[criterion]]
key = "ideas"
on = "set"
kind = "number"
text = "How many ideas?"
required = false

[[criterion]]
key = "why"
on = "single"
kind = "text"
text = "Why?"
required = false
"""


def small() -> Tables:
    """One item of each kind, two annotators."""
    return {
        "prompts": [
            {"prompt_id": "p1", "text": "Write about time."},
            {"prompt_id": "p2", "text": "Name a bakery."},
        ],
        "responses": [
            {"response_id": f"r{n}", "prompt_id": "p1", "text": f"Time is {n}.", "source": "m"}
            for n in range(1, 5)
        ]
        + [{"response_id": "other", "prompt_id": "p2", "text": "", "source": "human"}],
        "items": [
            {"item_id": "one", "kind": "single", "prompt_id": "p1", "response_ids": ["r1"]},
            {"item_id": "two", "kind": "pair", "prompt_id": "p1", "response_ids": ["r1", "r2"]},
            {"item_id": "set", "kind": "set", "prompt_id": "p1", "response_ids": ["r1", "r2", "r3"]},
        ],
        "answers": [
            {
                "item_id": "one",
                "annotator_id": "ann",
                "criterion": "quality",
                "response_id": "r1",
                "value": 4,
            },
            {
                "item_id": "one",
                "annotator_id": "bob",
                "criterion": "quality",
                "response_id": "r1",
                "value": 2,
            },
            {"item_id": "two", "annotator_id": "ann", "criterion": "better", "value": 0, "label": "tie"},
        ],
        "annotators": [{"annotator_id": "ann", "country": "DE"}, {"annotator_id": "bob", "age": 30}],
    }


def write_folder(folder: Path, tables: Tables, study: str = STUDY) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(study, encoding="utf-8", newline="\n")
    for name, rows in tables.items():
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8", newline="\n")
    return folder


def read_tables(folder: Path) -> Tables:
    """The .jsonl tables of a folder, read without the code that is tested."""
    tables = {}
    for path in folder.iterdir():
        name, _, form = path.name.partition(".")
        if form in ("jsonl", "jsonl.gz"):
            raw = gzip.decompress(path.read_bytes()) if form.endswith("gz") else path.read_bytes()
            tables[name] = [json.loads(line) for line in raw.decode().split("\n") if line]
    return tables


def plain(value: Any) -> Any:
    """A number is its value: in JSON PostgreSQL gives large ones back as whole numbers, and 0 for -0."""
    match value:
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
        case list():
            return [plain(inner) for inner in value]
        case bool() | str() | None:
            return value
    return float(value) + 0.0


def normal(rows: Iterable[Row]) -> list[str]:
    """Rows without order, with absent = null = default."""
    told = (
        {k: plain(v) for k, v in row.items() if v not in (None, "") and v != DEFAULTS.get(k)} for row in rows
    )
    return sorted(json.dumps(row, sort_keys=True) for row in told)


def assert_same(out: Tables, source: Tables) -> None:
    people = {row["annotator_id"] for row in source.get("answers", [])}
    expected = {"annotators": [{"annotator_id": name} for name in sorted(people)], "answers": [], **source}
    for name, rows in expected.items():
        assert normal(out.get(name, [])) == normal(rows), name
    assert set(out) <= set(expected)


def database() -> dict[str, int]:
    """Row counts of every table of ours."""
    models = [model for app in ("annotate", "judging") for model in apps.get_app_config(app).get_models()]
    return {model.__name__: model._default_manager.count() for model in models}


def delete(study: Study) -> None:
    from annotate.folder.replace import remove_study

    remove_study(study)


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
    assert out["prompts"] == [{"prompt_id": "p1", "text": 'a "b", c\r\nd', "category": ["x", "y"]}]
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


def test_answers_become_seats_judgments_and_rows(tmp_path: Path) -> None:
    tables = small()
    for row in tables["answers"][:2]:
        row["shown"] = ["r1"]
    later = {**tables["answers"][0], "revision": 2, "value": 5, "opened_at": "2026-11-22T10:00:00Z"}
    tables["answers"].insert(0, later)
    study = load_folder(write_folder(tmp_path / "in", tables)).study
    one = Item.objects.get(key="one")
    assert one.prompt_place == design.place(5, "prompt", "p1")
    assert one.place == design.place(5, "item", "one")
    seats = list(one.assignments.order_by("number"))
    assert [(s.number, s.status, s.annotator.key if s.annotator else None) for s in seats] == [
        (1, "submitted", "ann"),
        (2, "submitted", "bob"),
    ]
    assert [s.rank for s in seats] == [design.seat_rank(n, one.prompt_place) for n in (1, 2)]
    assert seats[0].shown == [study.responses.get(key="r1").pk]
    assert seats[0].opened_at is not None
    assert sorted(Judgment.objects.filter(assignment=seats[0]).values_list("revision", "client_token")) == [
        (1, None),
        (2, None),
    ]
    two = Assignment.objects.filter(item__key="two").order_by("number")
    assert [s.status for s in two] == ["submitted", "free"]
    assert [s.status for s in Assignment.objects.filter(item__key="set")] == ["free", "free"]


def test_seats_beyond_those_wanted_stay(tmp_path: Path) -> None:
    tables = small()
    del tables["annotators"]
    answer = tables["answers"][0]
    tables["answers"] = [{**answer, "annotator_id": f"a{n}"} for n in range(4)]
    study = load_folder(write_folder(tmp_path / "in", tables)).study
    assert Assignment.objects.filter(item__key="one").submitted().count() == 4
    assert Assignment.objects.filter(item__key="one").free().count() == 0
    assert open_seats(study) == 0


def test_an_excluded_judgment_frees_a_new_seat(tmp_path: Path) -> None:
    tables = small()
    tables["answers"][0]["excluded"] = "too fast"
    study = load_folder(write_folder(tmp_path / "in", tables)).study
    assert [s.status for s in Assignment.objects.filter(item__key="one").order_by("number")] == [
        "submitted",
        "submitted",
        "free",
    ]
    export_folder(study, tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["exclusions"] == [{"rule": "too fast", "judgments": 1, "answers": 1}]
    assert read_tables(tmp_path / "out")["answers"][0]["excluded"] == "too fast"


def test_free_and_held_seats_are_not_exported(tmp_path: Path) -> None:
    study = load_folder(write_folder(tmp_path / "in", small())).study
    seat = Assignment.objects.free().earliest("pk")
    seat.status, seat.annotator, seat.expires_at = "held", study.annotators.get(key="bob"), study.created_at
    seat.save()
    export_folder(study, tmp_path / "out")
    assert_same(read_tables(tmp_path / "out"), small())


def test_without_items_answers_about_responses_make_singles(tmp_path: Path) -> None:
    tables = small()
    del tables["items"]
    tables["answers"] = [{**row, "item_id": "r1"} for row in tables["answers"][:2]]
    export_folder(load_folder(write_folder(tmp_path / "in", tables)).study, tmp_path / "out")
    assert read_tables(tmp_path / "out")["items"] == [
        {"item_id": "r1", "kind": "single", "prompt_id": "p1", "response_ids": ["r1"]}
    ]


def test_a_study_that_nobody_has_answered(tmp_path: Path) -> None:
    tables = {name: rows for name, rows in small().items() if name not in ("answers", "annotators")}
    study = load_folder(write_folder(tmp_path / "in", tables)).study
    assert study.assignments.free().count() == 3 * 2
    export_folder(study, tmp_path / "out")
    assert_same(read_tables(tmp_path / "out"), tables)
    assert (tmp_path / "out" / "answers.jsonl").read_bytes() == b""


def test_a_chain_of_repeats_in_any_order(tmp_path: Path) -> None:
    tables = small()
    one = tables["items"][0]
    repeats = [("c", "b"), ("b", "a"), ("a", "one")]
    tables["items"][:0] = [{**one, "item_id": key, "role": "repeat", "repeat_of": of} for key, of in repeats]
    export_folder(load_folder(write_folder(tmp_path / "in", tables)).study, tmp_path / "out")
    assert_same(read_tables(tmp_path / "out"), tables)


def test_a_judgment_with_every_question_left_open_is_kept(tmp_path: Path) -> None:
    study = load_folder(write_folder(tmp_path / "in", small())).study
    seat = Assignment.objects.filter(item__key="set").earliest("pk")
    seat.status, seat.annotator = "submitted", study.annotators.get(key="bob")
    seat.save()
    Judgment.objects.create(assignment=seat)
    export_folder(study, tmp_path / "out")
    row = {"item_id": "set", "annotator_id": "bob", "criterion": "piles", "response_id": "r1", "value": None}
    assert row in read_tables(tmp_path / "out")["answers"]
    load_folder(tmp_path / "out", slug="again")
    assert Judgment.objects.filter(assignment__study__slug="again").count() == Judgment.objects.count() / 2


def test_settings_survive_any_text(tmp_path: Path) -> None:
    nasty = "\"'''\\ \t \x7f \x01 \r\n é 🎉 \u2028 שלום # = [x]"
    title, words = (json.dumps(t, ensure_ascii=False).replace("\x7f", "\\u007f") for t in (nasty, nasty * 3))
    text = STUDY.replace('title = "Small"', f"title = {title}\ninstructions = {words}")
    study = load_folder(write_folder(tmp_path / "in", small(), text)).study
    assert study.title == nasty
    export_folder(study, tmp_path / "out")
    written = tomllib.loads((tmp_path / "out" / "study.toml").read_text(encoding="utf-8"))
    source = tomllib.loads(text)
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


NASTY = [
    "", " ", "\n", "a\r\nb\rc\n", '"quoted", and; more', "👩‍👩‍👧 🎉", "שלום עולם", "مرحبا", "\u2028\u2029\x85", "null",
    "007", "1e5", "true", "[1, 2]", "{}", "=1+1", "\ufeffbom", "\x7f\x1f", "'; --", "\\N", "NaN",
]  # fmt: skip
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(CHARACTERS, max_size=30))
IDS = st.one_of(st.sampled_from([t for t in NASTY if t]), st.text(CHARACTERS, min_size=1, max_size=20))
SCALARS = st.one_of(
    TEXTS, st.booleans(), st.integers(-(10**25), 10**25), st.floats(allow_nan=False, allow_infinity=False)
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2)
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=3)
TIMES = st.datetimes().map(lambda time: time.replace(year=2000 + time.year % 100).isoformat() + "Z")


@st.composite
def folders(draw: st.DrawFn) -> Tables:
    prompts = draw(st.lists(IDS, min_size=1, max_size=2, unique=True))
    keys = draw(st.lists(IDS, min_size=5 * len(prompts), max_size=5 * len(prompts), unique=True))
    pools = {prompt: keys[5 * n : 5 * n + 5] for n, prompt in enumerate(prompts)}
    tables: Tables = {
        "prompts": [draw(prompt_row(p)) for p in prompts],
        "responses": [draw(response_row(key, p)) for p, pool in pools.items() for key in pool],
        "items": draw(item_rows(pools)),
        "answers": [],
    }
    people = draw(st.lists(IDS, max_size=3, unique=True))
    for item in tables["items"]:
        for person in draw(st.lists(st.sampled_from(people), unique=True)) if people else []:
            tables["answers"] += draw(judgment_rows(item, person))
    if draw(st.booleans()):
        tables["annotators"] = [
            {
                **draw(st.dictionaries(IDS, JSON, max_size=2)),
                "annotator_id": p,
                "excluded": draw(st.sampled_from(["", "left", None])),
            }
            for p in people
        ]
    return tables


@st.composite
def prompt_row(draw: st.DrawFn, key: str) -> Row:
    row = {"prompt_id": key, "text": draw(TEXTS)}
    return row | draw(st.sampled_from([{}, {"language": "pt-BR"}, {"language": None, "category": ["é", ""]}]))


@st.composite
def response_row(draw: st.DrawFn, key: str, prompt: str) -> Row:
    row = {"response_id": key, "prompt_id": prompt, "text": draw(TEXTS), "source": draw(IDS)}
    optional = {
        "sample": draw(st.integers(-5, 5)),
        "params": draw(OBJECTS),
        "held_back": draw(st.sampled_from(["", "names ChatGPT"])),
    }
    return row | {name: draw(st.sampled_from([None, value])) for name, value in optional.items()}


@st.composite
def item_rows(draw: st.DrawFn, pools: dict[str, list[str]]) -> list[Row]:
    kinds = draw(st.lists(st.sampled_from(["single", "pair", "set"]), min_size=1, max_size=4))
    keys = draw(st.lists(IDS, min_size=len(kinds) + 1, max_size=len(kinds) + 1, unique=True))
    rows = []
    for key, kind in zip(keys, kinds, strict=False):
        prompt = draw(st.sampled_from(sorted(pools)))
        size = {"single": 1, "pair": 2, "set": draw(st.integers(3, 5))}[kind]
        shown = draw(st.permutations(pools[prompt]))[:size]
        row: Row = {"item_id": key, "kind": kind, "prompt_id": prompt, "response_ids": shown}
        extra = [{}, {"role": "main"}, {"role": "gold", "expected": draw(OBJECTS)}, {"role": "practice"}]
        rows.append(row | draw(st.sampled_from(extra)))
    if draw(st.booleans()):
        plain_row = {k: v for k, v in rows[0].items() if k != "expected"}
        repeat = {**plain_row, "item_id": keys[-1], "role": "repeat", "repeat_of": rows[0]["item_id"]}
        rows.insert(draw(st.integers(0, len(rows))), repeat)
    return rows


@st.composite
def judgment_rows(draw: st.DrawFn, item: Row, person: str) -> list[Row]:
    rows = []
    shown = draw(st.sampled_from([None, draw(st.permutations(item["response_ids"]))]))
    for revision in range(1, 1 + draw(st.integers(1, 2))):
        opened, submitted = sorted(draw(st.tuples(TIMES, TIMES)))
        own = {
            "shown": shown,
            "opened_at": draw(st.sampled_from([None, opened])),
            "submitted_at": draw(st.sampled_from([None, submitted])),
            "active_ms": draw(st.sampled_from([None, 0, 2**40])),
            "excluded": draw(st.sampled_from([None, "", 'too fast, "really"\n'])),
            "first_ms": draw(st.sampled_from([None, 0, 2**40])),
            "changes": draw(st.sampled_from([None, 0, 7])),
            "looked": draw(st.sampled_from([None, {}, {item["response_ids"][0]: 3}])),
            "flag": draw(st.sampled_from([None, "", "typo"])),
            "comment": draw(st.sampled_from([None, "«why»\n"])),
            "revision": draw(st.sampled_from([None, 1])) if revision == 1 else revision,
        }
        values = draw(answer_rows(item["kind"], item["response_ids"]))
        rows += [{"item_id": item["item_id"], "annotator_id": person, **value, **own} for value in values]
    return rows


@st.composite
def answer_rows(draw: st.DrawFn, kind: str, ids: list[str]) -> list[Row]:
    points = st.sampled_from([None, *range(1, len(ids) + 1)])
    match kind:
        case "single":
            rating = {
                "criterion": "quality",
                "response_id": ids[0],
                "value": draw(st.sampled_from([None, 1, 5])),
            }
            return [rating, {"criterion": "why", "text": draw(TEXTS)}]
        case "pair":
            preferences = [
                {"response_id": draw(st.sampled_from(ids)), "value": 2},
                {"value": 0, "label": "cannot_tell"},
                {},
            ]
            alike = {"response_id": ids[1], "other_id": ids[0], "value": draw(st.sampled_from([None, 0, 4]))}
            return [
                {"criterion": "better", **draw(st.sampled_from(preferences))},
                {"criterion": "alike", **alike},
            ]
        case _:
            rows = [
                {"criterion": c, "response_id": r, "value": draw(points)}
                for c in ("piles", "rank")
                for r in ids
            ]
            odd = draw(st.sampled_from([{}, {"response_id": draw(st.sampled_from(ids)), "value": 1}]))
            number = draw(st.none() | st.floats(-1e12, 1e12) | st.integers(-9, 9))
            return [*rows, {"criterion": "odd", **odd}, {"criterion": "ideas", "value": number}]


# Not shrunk: a failing folder says enough, and shrinking it takes minutes.
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(tables=folders(), form=st.sampled_from(FORMS))
def test_any_folder_comes_back_as_it_was(tables: Tables, form: Form) -> None:
    with TemporaryDirectory() as temporary, transaction.atomic():
        base = Path(temporary)
        study = load_folder(write_folder(base / "in", tables)).study
        export_folder(study, base / "out")
        assert_same(read_tables(base / "out"), tables)
        assert not any(load_folder(base / "out").new.values())
        export_folder(study, base / "other", form)
        assert not any(load_folder(base / "other").new.values())
        delete(study)
        export_folder(load_folder(base / "other").study, base / "again")
        assert_same(read_tables(base / "again"), tables)
        connection.check_constraints()
        transaction.set_rollback(True)
