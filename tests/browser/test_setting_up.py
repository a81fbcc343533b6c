"""A newcomer with a table of prompts, responses and models comes to an open, rehearsed study: clicks are counted."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site
from tests.browser.test_desk import log_in

pytestmark = pytest.mark.browser

MOST_CLICKS = 15
ABOUT = ("time", "snow", "the sea")


class Counting:
    """Counts every click, and has the page count too, so that none is missed."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0
        # A key that presses a button makes a click without a pointer: its detail is 0.
        page.add_init_script(
            "addEventListener('click', event => { if (event.isTrusted && event.detail) "
            "localStorage.clicks = Number(localStorage.clicks || 0) + 1; }, true)"
        )

    @property
    def heard(self) -> int:
        return int(self.page.evaluate("Number(localStorage.clicks)"))

    def __call__(self, role: str, name: str) -> None:
        self.clicks += 1
        self.page.get_by_role(role, name=name, exact=True).click()  # type: ignore[arg-type]


def table(folder: Path) -> Path:
    file = folder / "responses.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["question", "answer", "model"])
        writer.writerows(
            (
                f"Write a line about {about}.",
                f"Nobody has seen {about} as often as I, **{n}** times.",
                f"llm-{n}",
            )
            for about in ABOUT
            for n in range(4)
        )
    return file


def test_a_newcomer_opens_a_rehearsed_study_in_fifteen_clicks(
    page: Page, site: Site, chromium: Browser, tmp_path: Path
) -> None:
    log_in(page, site)
    click = Counting(page)
    page.reload()

    click("link", "New study")
    expect(page.get_by_label("Title")).to_be_focused()
    page.keyboard.type("A newcomer’s study")
    click("button", "Create draft")

    with page.expect_file_chooser() as chooser:
        click.clicks += 1
        page.get_by_label("Drop files here").click()
    chooser.value.set_files(table(tmp_path))
    click("button", "Preview")
    expect(page.get_by_text("3 new prompts and 12 new responses")).to_be_visible()
    click("button", "Add to the pool")

    expect(page.locator("#workload")).to_contain_text("12 items, 60 judgments")
    click("button", "Make items")
    expect(page.get_by_text("Made: 12 items")).to_be_visible()

    rehearse(page, click)
    click("button", "Open")
    expect(page.get_by_text("The study is open")).to_be_visible()
    click("button", "Copy: Invite link")
    invite = page.get_by_label("Invite link", exact=True).input_value()
    assert click.clicks == click.heard
    assert click.clicks <= MOST_CLICKS, click.clicks

    visitor = chromium.new_context().new_page()
    visitor.goto(invite)
    expect(visitor.get_by_role("heading", name="A newcomer’s study")).to_be_visible()
    visitor.context.close()


def rehearse(page: Page, click: Counting) -> None:
    """From the invite link to thanks; items are answered by key."""
    click("button", "Try it as an annotator")
    expect(page.get_by_text("A rehearsal.")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Start")).click()
    page.get_by_role("button", name=re.compile("agree", re.I)).first.click()
    page.get_by_role("button", name=re.compile("^(Start|Go on|Continue)")).click()
    click.clicks += 3
    for _ in range(2):
        expect(page.get_by_text("How good is this response?")).to_be_visible()
        # The script that reads keys shows this button once it is there.
        expect(page.locator("[data-keys-open]")).to_be_visible()
        page.keyboard.press("4")
        expect(page.locator("input[type=radio]:checked")).to_have_count(1)
        before = page.locator(".card .text").first.inner_text()
        page.keyboard.press("Enter")
        expect(page.locator(".card .text").filter(has_text=before)).to_have_count(0)
    expect(page).to_have_url(re.compile("/end/$"))
    click("button", "End the rehearsal")
    expect(page.get_by_text("its answers are thrown away")).to_be_visible()
