"""A researcher sets a study up in the browser, and somebody rates in it."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, Site

pytestmark = pytest.mark.browser

POOL = "prompt,response,model\n" + "\n".join(
    f"Write about time.,{text},m"
    for text in (
        "Time is a river.",
        "As an AI language model I have no time.",
        "Nobody saw it pass.",
        "It waits.",
    )
)


def log_in(page: Page, site: Site, then: str = "/studies/") -> None:
    page.goto(f"{site.address}/login/?next={then}")
    page.get_by_label("Name").fill("researcher")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def step(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Setting up").get_by_role("link", name=name).click()


def test_from_nothing_to_the_first_judgment(page: Page, chromium: Browser, site: Site) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    log_in(page, site)
    page.get_by_role("link", name="New study").click()
    page.get_by_label("Title").fill("Lines about time")
    page.get_by_label("Empty").check()
    page.get_by_role("button", name="Create draft").click()

    step(page, "Questions")
    page.get_by_role("link", name="Add a criterion").click()
    preview = page.locator("#preview")
    page.get_by_label("Question").fill("Which line lasts?")
    expect(preview.get_by_text("Which line lasts?")).to_be_visible()
    expect(preview.get_by_role("radio")).to_have_count(5)
    page.get_by_label("to", exact=True).fill("7")
    expect(preview.get_by_role("radio")).to_have_count(7)
    page.get_by_label("Labels of points").fill("7 = forever")
    expect(preview.get_by_text("forever")).to_be_visible()
    # A preference is asked about pairs alone, and has no scale: the page asks for neither.
    page.get_by_label("Kind of answer").select_option("preference")
    expect(preview.get_by_text("much better").first).to_be_visible()
    expect(page.get_by_label("Asked about")).to_be_hidden()
    expect(page.get_by_label("to", exact=True)).to_be_hidden()
    page.get_by_label("Kind of answer").select_option("rating")
    page.get_by_label("to", exact=True).fill("1")
    expect(preview.get_by_text("The preview returns")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    # What was wrong is said at its field, and what was typed is there.
    expect(page.locator(".field.wrong")).to_contain_text("Higher than")
    expect(page.get_by_label("Question")).to_have_value("Which line lasts?")
    page.get_by_label("to", exact=True).fill("7")
    page.get_by_role("button", name="Save").click()

    step(page, "Texts")
    page.get_by_label("Or paste lines").fill(POOL)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("1 new prompt and 4 new responses")).to_be_visible()
    page.get_by_role("button", name="Add to the pool").click()
    expect(page.get_by_text("1 response names a model or a maker")).to_be_visible()
    page.get_by_role("button", name="Make items").click()
    expect(page.get_by_text("Made: 4 items")).to_be_visible()
    page.get_by_label("Instructions").fill("Read **everything**.")
    expect(page.locator(".written .prose strong").first).to_have_text("everything")
    page.get_by_role("button", name="Save").click()

    page.get_by_role("link", name="Next: check and open").click()
    page.get_by_role("button", name="Open", exact=True).click()
    page.get_by_role("link", name="Look at them").click()
    expect(page.locator("mark")).to_have_text("As an AI")
    page.get_by_role("button", name="Hold back all 1").click()
    expect(page.get_by_text("Items shown to nobody now: 1")).to_be_visible()
    step(page, "Check and open")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_text("The study is open")).to_be_visible()
    invite = page.get_by_label("Invite link", exact=True).input_value()

    visitor = chromium.new_context().new_page()
    visitor.goto(invite)
    expect(visitor.get_by_role("heading", name="Lines about time")).to_be_visible()
    visitor.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_desk_page_scrolls_sideways_on_a_phone(chromium: Browser, site: Site, scheme: str) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 700}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    log_in(page, site)
    study = f"{site.address}/studies/demo/"
    there = [
        "",
        "criteria/",
        "criteria/new/",
        "pool/",
        "items/",
        "items/plant/",
        "items/by-distance/",
        "leaks/",
        "clone/",
    ]
    there += [f"settings/{section}/" for section in ("texts", "journey", "page", "panel")]
    paths = [f"{site.address}/{p}/" for p in ("studies", "desk/new", "desk/upload")]
    for path in [*paths, *(study + name for name in there)]:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    context.close()
