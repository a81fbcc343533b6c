"""Every page that links lead to keeps to the Content-Security-Policy and keeps nobody out: axe finds nothing."""

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urldefrag, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PASSWORD, Site, until

pytestmark = pytest.mark.browser

Theme = Literal["light", "dark"]
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WATCH = """
window.broken = [];
addEventListener("securitypolicyviolation", e => broken.push(`${e.violatedDirective}: ${e.blockedURI} ${e.sample}`));
"""
# One of each kind is enough: pages of single rows differ in their numbers only.
SEVERAL = re.compile(r"/\d+/")
DOWNLOAD = re.compile(
    r"download|/schema/|report\.html|export|format=|/files/|\.(csv|json|jsonl|zip|tex|svg|png)$"
)


def wrong_with(page: Page) -> list[str]:
    """What broke the policy, and what axe finds in light and in dark."""
    wrong: list[str] = page.evaluate("window.broken")
    page.evaluate(AXE)
    themes: dict[Theme, list[str]] = {"light": RULES, "dark": ["color-contrast"]}
    for theme, rules in themes.items():
        page.emulate_media(color_scheme=theme)
        report = page.evaluate("async (tags) => (await axe.run(document, {runOnly: tags})).violations", rules)
        wrong += [f"{theme}, {v['id']}: {node['html'][:120]}" for v in report for node in v["nodes"]]
    return wrong


def broken_by(page: Page, start: str) -> tuple[set[str], dict[str, list[str]]]:
    """Follow links from a page; what was visited, and what was wrong there."""
    host = urlsplit(start).netloc
    waiting, seen, found = [start], set[str](), dict[str, list[str]]()
    while waiting:
        # A link into the page at hand is no navigation.
        url = urldefrag(waiting.pop()).url
        kind = SEVERAL.sub("/0/", urlsplit(url).path)
        if kind in seen or DOWNLOAD.search(url) or urlsplit(url).netloc != host:
            continue
        seen.add(kind)
        response = page.goto(url)
        assert response is not None
        policy = response.headers.get("content-security-policy", "")
        assert "default-src 'self'" in policy, url
        assert "unsafe" not in policy
        if wrong := wrong_with(page):
            found[url] = wrong
        waiting += page.eval_on_selector_all("a[href]", "links => links.map(a => a.href)")
    return seen, found


def test_no_page_of_the_desk_breaks_the_policy_or_keeps_anybody_out(site: Site, page: Page) -> None:
    page.add_init_script(WATCH)
    page.goto(f"{site.address}/login/")
    page.fill("[name=username]", "owner")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    seen, found = broken_by(page, f"{site.address}/studies/")
    assert found == {}
    known = {
        "",
        "monitor/",
        "monitor/annotators/0/",
        "agreement/",
        "audit/",
        "pairs/",
        "replication/",
        "planning/",
        "members/",
        "items/",
    }
    assert {f"/studies/demo/{name}" for name in known} | {"/methods/", "/account/", "/desk/new/"} <= seen


def test_no_page_of_annotators_breaks_the_policy(site: Site, page: Page) -> None:
    page.add_init_script(WATCH)
    broken: list[str] = []
    page.on("framenavigated", lambda frame: broken.extend(frame.evaluate("window.broken || []")))
    page.goto(f"{site.address}{site.invite}")
    page.get_by_role("button", name="Start").click()
    for _ in range(8):
        button = page.locator("button.primary:visible, a.primary:visible").first
        if page.locator("form.answer").count():
            break
        button.click()
    page.wait_for_selector("form.answer")
    page.keyboard.press("?")
    for key in "35":
        page.keyboard.press("Escape")
        page.keyboard.press(key)
        page.keyboard.press("Enter")
        page.wait_for_timeout(300)
    assert broken + page.evaluate("window.broken") == []


def test_a_breach_would_be_seen(site: Site, chromium: Browser) -> None:
    page = chromium.new_page()
    page.add_init_script(WATCH)
    page.goto(f"{site.address}/methods/")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">')")
    until(page, "window.broken.length > 0")
    page.close()
