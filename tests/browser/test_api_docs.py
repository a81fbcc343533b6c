"""The documentation of the API: drawn by what lies on this server, under the policy of all pages."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.test_desk import log_in

pytestmark = pytest.mark.browser


def test_every_call_is_shown_and_one_is_tried(page: Page, site: Site) -> None:
    log_in(page, site, "/api/v1/docs/")
    expect(page.locator(".opblock").first).to_be_visible()
    assert page.locator(".opblock").count() >= 35
    one = page.locator("#operations-studies-studies_retrieve")
    one.click()
    one.get_by_role("button", name="Try it out").click()
    one.get_by_placeholder("slug").fill("demo")
    one.get_by_role("button", name="Execute").click()
    expect(one.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    expect(one.locator(".live-responses-table")).to_contain_text('"slug": "demo"')
