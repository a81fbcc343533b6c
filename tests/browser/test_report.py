"""The auditor's pages in a real chromium: charts that Vega draws under the policy, the map, the report to send."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, Site, until

pytestmark = pytest.mark.browser

DRAWN = """() => [...document.querySelectorAll("figure.plot")]
    .every(f => f.querySelector(".live svg[role='img'] :is(.mark-symbol, .mark-rect)"))"""
# A phone's width, but for tables and charts that scroll in boxes of their own.
PAGES = (
    "report",
    "homogeneity",
    "homogeneity/1",
    "similarity",
    "responses",
    "responses/1",
    "judges",
    "runs",
    "audit",
)


def log_in(page: Page, site: Site, path: str) -> None:
    page.goto(f"{site.address}/login/?next=/studies/demo/{path}")
    page.fill("[name=username]", "auditor")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(f"**/studies/demo/{path}")


def see_all(page: Page) -> None:
    """Charts are drawn when they come near."""
    for figure in page.locator("figure.plot").all():
        figure.scroll_into_view_if_needed()
    until(page, DRAWN)


@pytest.mark.parametrize("path", ["report/", "audit/", "homogeneity/", "similarity/", "planning/"])
def test_vega_draws_every_chart_in_place_of_its_picture(page: Page, site: Site, path: str) -> None:
    log_in(page, site, path)
    assert page.locator("figure.plot").count() >= 1
    see_all(page)
    assert page.locator("figure.plot .drawn > svg").count() == 0
    for figure in page.locator("figure.plot").all():
        svg = figure.locator(".live svg")
        assert svg.get_attribute("aria-label") == figure.get_attribute("data-description")
        assert figure.locator("figcaption").inner_text().count(".") > 1
        assert figure.locator("details.data tbody tr").count() > 0


def test_a_mark_says_its_numbers(page: Page, site: Site) -> None:
    log_in(page, site, "report/")
    see_all(page)
    page.locator("#figure-scorers .live .mark-symbol path[aria-label*='rm-conventional']").last.hover()
    tip = page.locator("#vg-tooltip-element.visible")
    expect(tip).to_contain_text("underrates")
    expect(tip).to_contain_text("+0.")


def test_the_map_is_read_by_pointing_and_two_are_compared_by_clicking(page: Page, site: Site) -> None:
    log_in(page, site, "homogeneity/")
    page.get_by_role("link", name="Write a metaphor about time.").click()
    until(page, DRAWN)
    marks = page.locator("#figure-map .live .mark-symbol.role-mark path")
    assert marks.count() == 12
    marks.nth(0).hover()
    text = page.locator("#under-text")
    expect(text).not_to_contain_text("Point at a mark")
    first = text.inner_text()
    expect(page.locator("#under-who")).to_contain_text("human mean")
    marks.nth(0).click()
    cards = page.locator("#pinned article .reading")
    expect(cards).to_have_count(1)
    assert cards.first.inner_text().startswith(first.rstrip("…"))
    marks.nth(7).click()
    expect(cards).to_have_count(2)
    expect(page.locator("#pinned")).to_contain_text(re.compile(r"Cosine of the two: [−\d.]+"))
    # What is pinned is let go by a second click.
    marks.nth(7).click()
    expect(cards).to_have_count(1)


def test_a_source_is_singled_out_by_its_name_in_the_legend(page: Page, site: Site) -> None:
    log_in(page, site, "homogeneity/")
    page.get_by_role("link", name="Write a metaphor about time.").click()
    until(page, DRAWN)
    page.locator("#figure-map .live .role-legend-label text", has_text="human").click()
    faint = """() => [...document.querySelectorAll("#figure-map .live .mark-symbol.role-mark path")]
        .filter(p => p.getAttribute("opacity") < 0.5).length"""
    until(page, f"({faint})() === 10")


def test_the_report_to_send_asks_for_nothing(
    site: Site, page: Page, chromium: Browser, tmp_path: Path
) -> None:
    log_in(page, site, "report/")
    with page.expect_download() as coming:
        page.get_by_role("link", name="One HTML file to send").click()
    file = tmp_path / "report.html"
    coming.value.save_as(file)
    context = chromium.new_context(offline=True, viewport={"width": 1280, "height": 860})
    alone, asked, troubles = context.new_page(), [], []
    alone.on("request", lambda r: asked.append(r.url))
    alone.on("pageerror", lambda error: troubles.append(str(error)))
    alone.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    alone.goto(file.as_uri())
    see_all(alone)
    expect(alone.get_by_role("heading", level=1)).to_contain_text(
        "rm-conventional marks down unusual answers"
    )
    expect(alone.locator(".simulated")).to_be_visible()
    assert asked == [file.as_uri()]
    assert troubles == []
    context.close()


def test_on_paper_there_is_the_report_alone(page: Page, site: Site) -> None:
    log_in(page, site, "report/")
    see_all(page)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 990})
    for gone in (".top", ".tabs", ".downloads", "details.data"):
        assert page.locator(f"{gone}:visible").count() == 0, gone
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    assert page.locator(".kicker").is_visible()


def test_without_script_pictures_and_tables_stay(chromium: Browser, site: Site) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, site, "report/")
    figures = page.locator("figure.plot").count()
    assert figures == page.locator("figure.plot .drawn > svg").count() > 1
    page.goto(f"{site.address}/studies/demo/homogeneity/")
    page.get_by_role("link", name="Write a metaphor about time.").click()
    picture = page.locator("#figure-map img")
    expect(picture).to_be_visible()
    assert picture.evaluate("i => i.naturalWidth") > 100
    page.locator("[name=a]").nth(0).check()
    page.locator("[name=b]").nth(3).check()
    page.get_by_role("button", name="Compare the two chosen").click()
    expect(page.locator("#pinned")).to_contain_text("Cosine of the two")
    context.close()


LETTERS_OUTSIDE = """() => [...document.querySelectorAll("figure.plot .drawn > svg")].flatMap(svg => {
    const box = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text")].filter(t => {
        const own = t.getBoundingClientRect();
        return own.left < box.left - 1 || own.right > box.right + 1;
    }).map(t => t.textContent);
})"""


@pytest.mark.parametrize("path", ["report/", "audit/", "homogeneity/", "similarity/", "planning/"])
def test_letters_stay_within_their_picture(chromium: Browser, site: Site, path: str) -> None:
    """In the fonts of this machine, which are wider than the one that the pictures were measured with."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, site, path)
    assert page.locator("figure.plot .drawn > svg text").count() > 5
    assert page.evaluate(LETTERS_OUTSIDE) == []
    context.close()


def test_nothing_scrolls_sideways_on_a_phone(chromium: Browser, site: Site) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = context.new_page()
    log_in(page, site, "report/")
    wide = {}
    for path in PAGES:
        page.goto(f"{site.address}/studies/demo/{path}/")
        for figure in page.locator("figure.plot").all():
            figure.scroll_into_view_if_needed()
        if page.locator("figure.plot").count():
            until(page, DRAWN)
        wide[path] = page.evaluate("document.documentElement.scrollWidth")
    assert wide == dict.fromkeys(PAGES, 390)
    context.close()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_audit_says_its_verdict_before_anybody_scrolls(
    page: Page, site: Site, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    log_in(page, site, "audit/")
    see_all(page)
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator("h2.headline")).to_contain_text("rm-conventional marks down unusual answers")
    for part in ("h2.headline", "#figure-scorers .live svg"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height, part
