"""Any folder that is right comes back as it was."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from annotate.folder import Form, export_folder, load_folder
from annotate.pseudonyms import is_panel_id, is_unfilled
from annotate.texts import one_newline, trimmed

from .small import FORMS, Row, Tables, assert_same, delete, read_tables, write_folder

pytestmark = pytest.mark.django_db


NASTY = [
    "", " ", "\n", "a\r\nb\rc\n", '"quoted", and; more', "👩‍👩‍👧 🎉", "שלום עולם", "مرحبا", "\u2028\u2029\x85", "null",
    "007", "1e5", "true", "[1, 2]", "{}", "=1+1", "\ufeffbom", "\x7f\x1f", "'; --", "\\N", "NaN",
]  # fmt: skip
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
# Line ends are made one, and ids lose the white space around them, wherever they come in.
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(CHARACTERS, max_size=30)).map(one_newline)
IDS = (
    st.one_of(st.sampled_from([t for t in NASTY if t]), st.text(CHARACTERS, min_size=1, max_size=20))
    .map(one_newline)
    .map(trimmed)
    .filter(bool)
)
# Placeholders are nobody, and ids of panels become pseudonyms (`test_people`).
PEOPLE = IDS.filter(lambda name: not is_unfilled(name) and not is_panel_id(name))
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
    people = draw(st.lists(PEOPLE, max_size=3, unique=True))
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
            "read_to_end": draw(st.sampled_from([None, [], item["response_ids"][-1:]])),
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
