"""The main journey, as people walk it: invite → items of each kind → agreement → audit."""

import re
from collections import Counter

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, Site, until

pytestmark = pytest.mark.browser


def start(page: Page, site: Site) -> None:
    page.goto(site.address + site.invite)
    for name in ("Start", "I agree", "Go on"):  # landing, consent, instructions
        page.get_by_role("button", name=name).click()
        page.wait_for_load_state()  # with the script that listens to the keys
    expect(page.locator("#prompt")).to_be_visible()


def answer_by_keyboard(page: Page) -> str:
    """Answer every question of the screen with one key each, and submit with Enter; return the item's kind."""
    kind = page.locator("#screen").get_attribute("data-kind")
    assert kind is not None
    seat = page.locator("input[name=assignment]").input_value()
    assert page.locator("input:checked").count() == 0  # nothing is preselected
    for _ in range(page.locator("[data-question]").count()):
        page.keyboard.press("2")
    assert page.locator("[data-question]:not(:has(input:checked))").count() == 0
    page.keyboard.press("Enter")
    until(page, "before => document.querySelector('input[name=assignment]')?.value !== before", arg=seat)
    return kind


def test_the_whole_journey(page: Page, site: Site) -> None:
    start(page, site)
    seen: Counter[str] = Counter()
    while min(seen["single"], seen["pair"], seen["set"]) < 3:
        seen[answer_by_keyboard(page)] += 1
    expect(page.get_by_text(re.compile(r"Saved \d\d:\d\d:\d\d"))).to_be_visible()
    expect(page.get_by_text(f"Item {seen.total() + 1} of ")).to_be_visible()

    page.goto(f"{site.address}/studies/demo/agreement/")
    page.get_by_label("Name").fill("researcher")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Annotators agree most on similarity")).to_be_visible()
    quality = page.get_by_role("row", name=re.compile("quality.*ordinal"))
    expect(quality).to_contain_text(re.compile(r"0\.\d\d\s*\[0\.\d\d, 0\.\d\d\]"))
    expect(quality).to_contain_text(f"{3840 + seen['single']:,}")

    page.get_by_role("link", name="Audit").click()
    expect(page.locator(".verdict.underrates")).to_have_count(1)
    expect(page.get_by_text(re.compile(r"rm-conventional\s+on quality:\s+underrates"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"rm-fair\s+on quality:\s+no underrating of"))).to_be_visible()
    row = page.get_by_role("row", name=re.compile("rm-conventional"))
    expect(row.first).to_contain_text(re.compile(r"\+0\.\d\d"))
    expect(page.locator(".plot svg").first).to_be_visible()
    expect(
        page.get_by_role("heading", name="Largest gaps between people and rm-conventional")
    ).to_be_visible()
    assert page.locator(".card.read").count() == 8
    expect(page.get_by_role("complementary", name="Simulated.")).to_be_visible()


def test_without_javascript(chromium: Browser, site: Site) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    start(page, site)
    for item in range(1, 4):
        expect(page.get_by_text(f"Item {item} of ")).to_be_visible()
        for question in page.locator("[data-question]").all():
            question.locator("input").first.check()
        page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Item 4 of ")).to_be_visible()
    context.close()


def test_an_unanswered_question_is_pointed_at_and_the_rest_kept(page: Page, site: Site) -> None:
    start(page, site)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Please answer this.")).to_be_visible()
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Item 2 of ")).to_be_visible()


def test_the_key_sheet(page: Page, site: Site) -> None:
    start(page, site)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("3")  # keys rest while the sheet is open
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.locator("input:checked").count() == 0


def test_the_back_button_and_a_second_tab_overwrite_nothing(page: Page, site: Site) -> None:
    start(page, site)
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_load_state()
    answer_by_keyboard(page)
    for _ in range(other.locator("[data-question]").count()):
        other.keyboard.press("5")
    other.keyboard.press("Enter")
    expect(other.get_by_role("alert")).to_contain_text("out of date")
    expect(other.get_by_text("Item 2 of ")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_scrolls_sideways_and_all_say_simulated(chromium: Browser, site: Site, width: int) -> None:
    # No `is_mobile`: its layout grows with what overflows, so that nothing would ever seem too wide.
    context = chromium.new_context(viewport={"width": width, "height": 700}, has_touch=width < 500)
    page = context.new_page()
    start(page, site)
    kinds: set[str] = set()
    while kinds != {"single", "pair", "set"}:
        kinds.add(page.locator("#screen").get_attribute("data-kind") or "")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        expect(page.get_by_text("simulated study")).to_be_in_viewport()
        answer_by_keyboard(page)
    context.close()
