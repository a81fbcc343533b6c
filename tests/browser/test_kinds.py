"""Every kind by keyboard: keys in the browser → rows → export → load under another slug → the same rows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import until
from tests.serving import manage, migrate, served

pytestmark = pytest.mark.browser

SETTINGS = """
slug = "kinds"
title = "Every kind"
seats = 40
seed = 5
instructions = "Read, then answer."

[page]
allow_skip = true
allow_flag = true
allow_comment = true
"""

# key, on, kind, scale, required
CRITERIA: list[tuple[str, str, str, list[int], bool]] = [
    ("quality", "single", "rating", [1, 5], True),
    ("liking", "single", "rating", [0, 100], True),
    ("count", "single", "number", [], True),
    ("why", "single", "text", [], False),
    ("better", "pair", "preference", [], True),
    ("alike", "pair", "similarity", [0, 10], True),
    ("reason", "pair", "text", [], False),
    ("order", "set", "ranking", [], True),
    ("piles", "set", "grouping", [], True),
    ("odd", "set", "odd_one_out", [], True),
    ("ideas", "set", "number", [], True),
]
ITEMS = {"one": ("single", ["r1"]), "two": ("pair", ["r1", "r2"]), "few": ("set", ["r1", "r2", "r3", "r4"])}
LARGE = 12


def write_folder(folder: Path) -> Path:
    """A study of all kinds: a single, a pair, a set of four and one of twelve."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [SETTINGS]
    for key, on, kind, scale, required in CRITERIA:
        lines += [
            "[[criterion]]",
            f'key = "{key}"',
            f'on = "{on}"',
            f'kind = "{kind}"',
            f'text = "Ask {key}?"',
        ]
        lines += [f"scale = {scale}"] if scale else []
        lines += [f"required = {str(required).lower()}"]
    (folder / "study.toml").write_text("\n".join(lines))
    texts = {
        f"r{n}": "Words of a response. " * (4 + 60 * (n == 2)) + f"Number {n}." for n in range(1, LARGE + 1)
    }
    items = ITEMS | {"many": ("set", list(texts))}
    tables: dict[str, list[dict[str, Any]]] = {
        "prompts": [{"prompt_id": "p", "text": "Say something about time."}],
        "responses": [
            {"response_id": r, "prompt_id": "p", "text": text, "source": "human"} for r, text in texts.items()
        ],
        "items": [
            {"item_id": key, "kind": kind, "prompt_id": "p", "response_ids": shown}
            for key, (kind, shown) in items.items()
        ],
    }
    for name, rows in tables.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@dataclass(frozen=True, slots=True)
class Place:
    """A server with the study of all kinds."""

    address: str
    invite: str
    database: str
    folder: Path


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("kinds")
    url = f"sqlite:///{folder / 'kinds.sqlite3'}"
    migrate(url)
    manage(url, "manage.py", "load_study", str(write_folder(folder / "in")))
    code = "from annotate.views.access import *; print('at', invite_path(Study.objects.get(slug='kinds')))"
    out = manage(url, "manage.py", "shell", "-c", code)
    invite = next(line.split()[1] for line in out.splitlines() if line.startswith("at "))
    with served(url) as server:
        yield Place(f"http://127.0.0.1:{server.port}", invite, url, folder)


def begin(page: Page, kinds: Place) -> None:
    page.goto(kinds.address + kinds.invite)
    while page.locator("form.answer").count() == 0:
        page.locator(".primary").first.click()
        page.wait_for_load_state()


def seat_of(page: Page) -> str:
    return page.locator("#screen").get_attribute("data-seat") or ""


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


# Keys for each screen. The marked question goes on by itself; a typed one has the focus.
SINGLE = "4 8 5 Tab 3 Tab S o"
PAIR = "2 - w T i e s"
FEW = "1 n 2 n 2 1 4 1 3 4"
MANY = "1 n 2 n 3 n 4 n 5 n 6 n 7 n 8 n 9 n 0 1 0 n 1 0 1 0 1 1 0 1 2 2"


def walk(page: Page) -> None:
    """Answer the four screens by keys alone."""
    for _ in range(4):
        before = seat_of(page)
        kind = page.locator("#screen").get_attribute("data-kind")
        n = page.locator(".card").count()
        press(page, {"single": SINGLE, "pair": PAIR}.get(str(kind), MANY if n == LARGE else FEW))
        page.keyboard.press("Control+Enter")
        until(page, "s => document.querySelector('#screen')?.dataset.seat !== s", arg=before)


def exported(kinds: Place, slug: str) -> list[dict[str, Any]]:
    out = kinds.folder / f"out-{slug}"
    manage(kinds.database, "manage.py", "export_study", slug, str(out))
    rows = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
    return sorted(rows, key=lambda r: (r["item_id"], r["criterion"], r.get("response_id") or ""))


@dataclass(frozen=True, slots=True)
class Walked:
    rows: list[dict[str, Any]]
    again: list[dict[str, Any]]

    def of(self, criterion: str, item: str) -> list[dict[str, Any]]:
        return [r for r in self.rows if (r["criterion"], r["item_id"]) == (criterion, item)]

    def in_order(self, criterion: str, item: str) -> list[float]:
        """Values in the order that the responses were shown in."""
        rows = {r["response_id"]: r for r in self.of(criterion, item)}
        shown = next(iter(rows.values()))["shown"]
        return [rows[r]["value"] for r in shown]


@pytest.fixture(scope="session")
def walked(chromium: Browser, kinds: Place) -> Walked:
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    begin(page, kinds)
    walk(page)
    page.wait_for_url("**/end/")
    context.close()
    rows = exported(kinds, "kinds")
    manage(kinds.database, "manage.py", "load_study", str(kinds.folder / "out-kinds"), "--slug", "again")
    return Walked(rows, exported(kinds, "again"))


def test_rating(walked: Walked) -> None:
    assert [r["value"] for r in walked.of("quality", "one")] == [4]
    assert [r["value"] for r in walked.of("liking", "one")] == [85]


def test_number(walked: Walked) -> None:
    assert [r["value"] for r in walked.of("count", "one")] == [3]
    assert [r["value"] for r in walked.of("ideas", "few") + walked.of("ideas", "many")] == [4, 2]


def test_text(walked: Walked) -> None:
    assert [(r.get("value"), r["text"]) for r in walked.of("why", "one")] == [(None, "So")]
    assert [r["text"] for r in walked.of("reason", "two")] == ["Ties"]


def test_preference(walked: Walked) -> None:
    (row,) = walked.of("better", "two")
    assert (row["response_id"], row["value"]) == (row["shown"][0], 1)


def test_similarity(walked: Walked) -> None:
    (row,) = walked.of("alike", "two")
    assert row["value"] == 10
    assert {row["response_id"], row["other_id"]} == {"r1", "r2"}


def test_ranking(walked: Walked) -> None:
    assert walked.in_order("order", "few") == [1, 2, 2, 4]
    assert walked.in_order("order", "many") == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 1]


def test_grouping(walked: Walked) -> None:
    assert walked.in_order("piles", "few") == [1, 2, 1, 1]
    assert walked.in_order("piles", "many") == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 1]


def test_odd_one_out(walked: Walked) -> None:
    (row,) = walked.of("odd", "few")
    assert (row["response_id"], row["value"]) == (row["shown"][2], 1)


def test_the_rows_of_an_export_are_those_of_the_study_loaded_from_it(walked: Walked) -> None:
    assert walked.rows
    assert walked.again == walked.rows


def test_a_text_that_may_stay_empty_takes_no_keys_unasked(page: Page, kinds: Place) -> None:
    begin(page, kinds)
    while page.locator("#screen").get_attribute("data-kind") != "pair":
        before = seat_of(page)
        press(page, "s Enter")
        until(page, "s => document.querySelector('#screen')?.dataset.seat !== s", arg=before)
    before = seat_of(page)
    press(page, "1 - 2")  # the last goes to the question at hand, not into the text
    expect(page.locator("[data-control=typed] textarea")).to_have_value("")
    expect(page.locator(".primary .writing")).to_be_hidden()
    press(page, "w")
    expect(page.locator("[data-control=typed] textarea")).to_be_focused()
    expect(page.locator(".primary .writing")).to_be_visible()
    press(page, "Escape Enter")
    until(page, "s => document.querySelector('#screen')?.dataset.seat !== s", arg=before)


def test_every_badge_on_a_control_does_what_it_says(page: Page, kinds: Place) -> None:
    begin(page, kinds)
    pressed = 0
    for _ in range(4):
        for place in range(page.locator("[data-question]").count()):
            question = page.locator("[data-question]").nth(place)
            for option in question.locator("input[data-key]").all():
                key = option.get_attribute("data-key") or ""
                page.evaluate("document.activeElement.blur()")
                page.evaluate("n => Offbeat.go(document.querySelectorAll('[data-question]')[n])", place)
                press(page, key if len(key) == 1 else f"0 {' '.join(key)}")
                assert option.is_checked(), (key, option.get_attribute("name"))
                assert option.locator("xpath=..").locator("kbd").inner_text() == key
                pressed += 1
        before = seat_of(page)
        page.evaluate("document.activeElement.blur()")
        page.locator("[data-keys-open]").focus()
        press(page, "s")
        expect(page.get_by_role("button", name="Skip")).to_be_focused()
        page.keyboard.press("Enter")
        until(page, "s => document.querySelector('#screen')?.dataset.seat !== s", arg=before)
    assert pressed > 60


def skip(page: Page) -> None:
    before = seat_of(page)
    page.get_by_role("button", name="Skip").click()
    until(page, "s => document.querySelector('#screen')?.dataset.seat !== s", arg=before)


def test_every_kind_without_javascript(chromium: Browser, kinds: Place) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    begin(page, kinds)
    for _ in range(4):
        for question in page.locator("[data-question]").all():
            if question.locator("input[type=radio]").count():
                question.locator("input[type=radio]").first.check()
            else:
                question.locator("input, textarea").first.fill("1")
        with page.expect_navigation():
            page.get_by_role("button", name="Submit").click()
    expect(page).to_have_url(f"{kinds.address}/rate/kinds/end/")
    context.close()
