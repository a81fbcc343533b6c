"""Texts of 5,000 words: every kind by keyboard, by pointer and on a phone; nothing is cut without a sign."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import until
from tests.browser.long_texts import SETTINGS, WORDS, response, write_folder
from tests.browser.test_kinds import Place, press, seat_of
from tests.browser.test_task import checked
from tests.serving import manage, migrate, served

pytestmark = pytest.mark.browser

DESKTOPS = [(1366, 768), (1280, 800), (1024, 768)]
PHONE = (390, 844)
# Boxes with more in them than is seen, and no word of it: [] on every page.
SILENTLY_CUT = """() => [...document.querySelectorAll(".screen *")].filter((el) => {
  const style = getComputedStyle(el);
  const clips = ["auto", "scroll", "hidden", "clip"].includes(style.overflowY) && style.clipPath === "none";
  if (!clips || !el.clientHeight || el.scrollHeight - el.clientHeight < 8) return false;
  if (el.matches("progress, textarea, .study, .word, .member span")) return false;
  const says = (sign) => sign && sign.getClientRects().length > 0;
  return !["below", "unfold"].some((sign) => says(el.parentElement.querySelector(`:scope > .${sign}`)));
}).map((el) => `${el.className}: ${el.scrollHeight} in ${el.clientHeight}`)"""
READ = """n => {
  const form = Offbeat.form();
  Offbeat.measure(form);
  return JSON.parse(form.elements.read_to_end.value).includes(n);
}"""
TO_END = "el => { el.closest('.card').scrollIntoView({block: 'end'}); el.scrollTop = el.scrollHeight; }"
LOOKS = """all => all.map((el) => [
  getComputedStyle(el).borderTopWidth, getComputedStyle(el.querySelector("kbd")).backgroundColor].join())"""


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("long")
    url = f"sqlite:///{folder / 'long.sqlite3'}"
    migrate(url)
    manage(url, "manage.py", "load_study", str(write_folder(folder / "in")))
    code = "from annotate.views.access import *; print('at', invite_path(Study.objects.get(slug='long')))"
    out = manage(url, "manage.py", "shell", "-c", code)
    invite = next(line.split()[1] for line in out.splitlines() if line.startswith("at "))
    with served(url) as server:
        yield Place(f"http://127.0.0.1:{server.port}", invite, url, folder)


def opened(chromium: Browser, size: tuple[int, int], **options: Any) -> BrowserContext:
    touch = size == PHONE
    viewport: Any = {"width": size[0], "height": size[1]}
    context = chromium.new_context(viewport=viewport, has_touch=touch, is_mobile=touch, **options)
    context.set_default_timeout(20_000)
    return context


def begin(page: Page, long: Place) -> None:
    """To the practice item."""
    page.goto(long.address + long.invite)
    while page.locator("form.answer").count() == 0:
        if page.locator("[data-check]").count():
            page.locator("label", has_text="The whole text").click()
        page.locator(".primary").first.click()
        page.wait_for_load_state()


def to_work(page: Page, long: Place) -> None:
    begin(page, long)
    read(page)
    press(page, "4 4 4 Enter")
    page.wait_for_url("**/practice/*/")
    page.locator(".primary").click()
    page.wait_for_selector("form.answer")


def read(page: Page) -> None:
    """Scroll every response to its end, as far as it has a box of its own, and the page to that."""
    for text in page.locator(".card .text").all():
        text.evaluate(TO_END)
        until(
            page, READ, arg=int(text.locator("xpath=ancestor::section").get_attribute("data-response") or 0)
        )


def kind_of(page: Page) -> str:
    return page.locator("#screen").get_attribute("data-kind") or ""


def gone(page: Page, before: str) -> None:
    until(page, "s => document.querySelector('#screen')?.dataset.seat !== s", arg=before)


def by_keys(page: Page) -> None:
    n = page.locator(".card").count()
    page.evaluate("document.activeElement.blur(); Offbeat.go(Offbeat.questions()[0])")
    if kind_of(page) == "set":
        # Rank and group of each, then the odd one, and the number of ideas.
        press(page, " ".join(f"{place} n" for place in range(1, n + 1)) + " 1 2")
        page.keyboard.press("Control+Enter")
    else:
        press(page, {"single": "4 4 0", "pair": "2 - "}[kind_of(page)])
        page.keyboard.press("Control+Enter")


def by_pointer(page: Page) -> None:
    """By clicks (taps on a phone) alone, but for the number that is typed."""
    for question in page.locator(".dock [data-question]:not([data-control=typed])").all():
        question.locator("label").nth(1).click()
    if kind_of(page) == "set":
        for place, card in enumerate(page.locator(".card").all()):
            card.locator("[data-control=place]").nth(0).locator("label").nth(place).click()
            card.locator("h2").click()
            page.get_by_role("button", name="New group").click()
        page.locator("input[type=number]").fill("2")
    page.locator(".submit .primary").click()


def answers(long: Place, annotator_count: int) -> list[dict[str, Any]]:
    """What the latest annotator answered, by export."""
    out = long.folder / f"out-{annotator_count}"
    manage(long.database, "manage.py", "export_study", "long", str(out))
    rows = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
    return [row for row in rows if row["annotator_id"] == rows[-1]["annotator_id"]]


@pytest.mark.parametrize(
    ("way", "size"),
    [("keys", (1366, 768)), ("keys", (1024, 768)), ("pointer", (1280, 800)), ("pointer", PHONE)],
)
def test_every_kind_with_5000_words(chromium: Browser, long: Place, way: str, size: tuple[int, int]) -> None:
    assert len(response(1).split()) > 0.95 * WORDS
    context = opened(chromium, size)
    page = context.new_page()
    to_work(page, long)
    for _ in range(4):
        before = seat_of(page)
        assert page.evaluate(SILENTLY_CUT) == []
        read(page)
        (by_keys if way == "keys" else by_pointer)(page)
        gone(page, before)
    page.wait_for_url("**/end/")
    context.close()
    rows = answers(long, hash((way, size)))
    assert {row["item_id"] for row in rows} == {"try", "one", "two", "few", "all"}
    assert all(sorted(row["read_to_end"]) == sorted(row["shown"]) for row in rows)
    values = {
        name: [row["value"] for row in rows if row["criterion"] == name and row["item_id"] == "all"]
        for name in ("order", "groups", "ideas")
    }
    assert sorted(values["order"]) == [1, 2, 3, 4, 5, 6]
    assert len(set(values["groups"])) == 6
    assert values["ideas"] == [2]


def test_an_unread_response_is_pointed_at_and_nothing_is_sent(page: Page, long: Place) -> None:
    begin(page, long)
    before = seat_of(page)
    press(page, "4 4 4 Enter")
    expect(page.get_by_role("alert")).to_have_text("Please read this response to its end.")
    expect(page.locator(".card .text")).to_be_focused()
    assert seat_of(page) == before
    page.keyboard.press("End")
    expect(page.get_by_role("alert")).to_have_count(0)
    press(page, "Control+Enter")
    page.wait_for_url("**/practice/*/")


def test_reading_on_by_key_and_by_button(page: Page, long: Place) -> None:
    page.set_viewport_size({"width": 1366, "height": 768})
    begin(page, long)
    text = page.locator(".card .text")
    page.keyboard.press("Space")
    until(page, "box => box.scrollTop > 300", arg=text.element_handle())
    was = text.evaluate("box => box.scrollTop")
    page.get_by_role("button", name="More below").first.click()
    until(page, f"box => box.scrollTop > {was} + 300", arg=text.element_handle())
    page.keyboard.press("Shift+Space")
    until(page, f"box => box.scrollTop < {was} + 300", arg=text.element_handle())
    assert page.locator("input:checked").count() == 0


@pytest.mark.parametrize("size", [*DESKTOPS, PHONE])
def test_texts_have_the_room_and_nothing_is_cut_silently(
    chromium: Browser, long: Place, size: tuple[int, int]
) -> None:
    context = opened(chromium, size)
    page = context.new_page()
    to_work(page, long)
    kinds = set()
    for _ in range(4):
        before = seat_of(page)
        kinds.add(kind_of(page))
        assert page.evaluate(SILENTLY_CUT) == []
        dock, deck = page.locator(".dock").bounding_box(), page.locator(".deck").bounding_box()
        assert dock
        assert deck
        if size[0] >= 1200:
            assert dock["x"] >= deck["x"] + deck["width"]
        else:
            assert dock["height"] <= 0.4 * size[1] + 1
        heights = page.locator(".card .text").evaluate_all("all => all.map((el) => el.clientHeight)")
        assert min(heights) >= (400 if size[0] >= 1200 else 150), heights
        expect(page.locator("#prompt")).to_be_in_viewport()
        expect(page.locator(".submit .primary")).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        page.locator("button[name=skip]").click()
        gone(page, before)
    assert kinds == {"single", "pair", "set"}
    context.close()


def test_the_prompt_stays_folded_and_unfolds(chromium: Browser, long: Place) -> None:
    context = opened(chromium, (1366, 768))
    page = context.new_page()
    begin(page, long)
    prompt = page.locator("#prompt")
    assert prompt.evaluate("el => el.clientHeight") < 70
    expect(prompt.locator(".turn:visible")).to_have_count(1)
    page.get_by_role("button", name="Show all 4 turns").click()
    expect(prompt.locator(".turn:visible")).to_have_count(4)
    expect(prompt.locator(".who")).to_have_text(["System", "User", "Assistant", "User"])
    expect(prompt.locator("math").first).to_be_visible()
    expect(prompt.locator("pre .k").first).to_have_text("def")
    page.keyboard.press("o")
    expect(prompt.locator(".turn:visible")).to_have_count(1)
    context.close()


def test_on_a_phone_scales_stand_in_one_row_and_no_key_is_named(chromium: Browser, long: Place) -> None:
    context = opened(chromium, PHONE)
    page = context.new_page()
    to_work(page, long)
    for _ in range(4):
        before = seat_of(page)
        for scale in page.locator("[data-control=scale] .options").all():
            tops = scale.locator("label").evaluate_all(
                "all => all.map((el) => el.getBoundingClientRect().top)"
            )
            assert max(tops) - min(tops) < 1
        assert (
            page.locator(
                "kbd.hint:visible, .submit kbd:visible, .bar kbd:visible, legend kbd:visible"
            ).count()
            == 0
        )
        assert (
            page.locator("[data-control=sides] kbd:visible, [data-control=choice] kbd:visible").count() == 0
        )
        assert page.locator(".bar .status").bounding_box()["height"] <= 2  # type: ignore[index]
        page.locator("button[name=skip]").click()
        gone(page, before)
    context.close()


def test_the_chosen_answer_is_seen_in_forced_colors(chromium: Browser, long: Place) -> None:
    context = opened(chromium, (1366, 768), forced_colors="active")
    page = context.new_page()
    begin(page, long)
    press(page, "4")
    looks = page.locator("[data-control=scale]").first.locator("label").evaluate_all(LOOKS)
    assert len(set(looks)) == 2
    assert looks.count(looks[3]) == 1
    context.close()


def test_without_javascript_long_texts_are_read_and_answered(chromium: Browser, long: Place) -> None:
    context = opened(chromium, (1366, 768), java_script_enabled=False)
    page = context.new_page()
    begin(page, long)
    for question in page.locator("[data-question]").all():
        question.locator("input").nth(2).check()
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/practice/*/")
    assert "require_reading" in SETTINGS
    context.close()


@pytest.mark.parametrize("size", [(1366, 768), PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_about_conversations_code_and_wide_tables(
    chromium: Browser, long: Place, scheme: str, size: tuple[int, int]
) -> None:
    context = opened(chromium, size, color_scheme=scheme)
    page = context.new_page()
    begin(page, long)
    assert checked(page) == []
    page.get_by_role("button", name="Show all 4 turns").click()
    assert checked(page) == []
    assert page.locator(".card table").evaluate("el => el.scrollWidth > el.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    context.close()
