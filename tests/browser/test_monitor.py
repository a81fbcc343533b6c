"""The monitor and the planning page in a real chromium: the poll, the phone, excluding and undoing by hand."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Site

pytestmark = pytest.mark.browser


def log_in(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/login/?next=/studies/demo/monitor/")
    page.fill("[name=username]", "researcher")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    expect(page.get_by_role("heading", name="Seats")).to_be_visible()


def test_the_poll_renews_the_figures_and_leaves_the_focus(page: Page, site: Site) -> None:
    log_in(page, site)
    link = page.get_by_role("link", name="All levels and measures")
    link.focus()
    with page.expect_response(lambda r: "part=live" in r.url, timeout=20_000) as polled:
        pass
    assert polled.value.status == 200
    expect(link).to_be_focused()
    with page.expect_response(lambda r: "part=live" in r.url, timeout=20_000):
        pass
    assert page.locator("#live").count() == 1


def test_an_annotator_is_excluded_and_counted_again(page: Page, site: Site) -> None:
    log_in(page, site)
    page.get_by_role("link", name="sim-07", exact=True).click()
    page.get_by_label("Reason").fill("a test of this page")
    page.get_by_role("button", name="Exclude all of this annotator’s judgments").click()
    expect(page.get_by_text("a test of this page").first).to_be_visible()
    page.goto(f"{site.address}/studies/demo/monitor/")
    page.get_by_role("button", name="Include again: sim-07").click()
    expect(page.get_by_role("button", name="Exclude all of this annotator’s judgments")).to_be_visible()


@pytest.mark.parametrize("path", ["monitor", "planning"])
def test_nothing_scrolls_sideways_on_a_phone(page: Page, site: Site, path: str) -> None:
    log_in(page, site)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{site.address}/studies/demo/{path}/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page).to_have_title(re.compile("Demo"))
