"""The annotator's whole journey in a real browser: keys alone, no script, another device, each page twice."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import until
from tests.serving import manage, migrate, served

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
MADE = """
import django
django.setup()
from annotate.models import Study
from annotate.views.access import invite_path
from tests.annotate.stages import CHECKS, add_practice
from tests.factories import make_study

for slug, break_after in (("open", 2), ("paused", 0)):
    study = make_study(slug, prompts=1, responses=4, seats=30, kinds=["single"])
    fields = {"consent": "**Agree?**", "instructions": "Read *all* of it.", "checks": CHECKS}
    codes = {"finished": "FIN-7", "left": "LEFT-7", "no_consent": "NO-7", "screened_out": "OUT-7"}
    Study.objects.filter(pk=study.pk).update(break_after=break_after, completion_codes=codes, **fields)
    study.refresh_from_db()
    add_practice(study, {"quality": [1, 2], "explain": "Twice the same."})
    print(invite_path(study))
Study.objects.filter(slug="paused").update(status="paused")
"""


@dataclass(frozen=True, slots=True)
class Stages:
    address: str
    invite: str
    paused: str

    def panel(self, participant: str) -> str:
        return f"{self.address}{self.invite}?PROLIFIC_PID={participant}&SESSION_ID=s"


@pytest.fixture(scope="module")
def stages() -> Iterator[Stages]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'stages.sqlite3'}"
        migrate(url)
        invite, paused = manage(url, "-c", MADE).split()
        with served(url) as server:
            yield Stages(f"http://127.0.0.1:{server.port}", invite, paused)


def enter(page: Page, ends: str) -> None:
    """Press Enter as soon as the page listens, by the focus on its button or by its script."""
    until(
        page,
        "document.readyState === 'complete' && "
        "(document.activeElement.matches('button, a') || !!document.querySelector('[data-enter]'))",
    )
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{ends}")


def answer(page: Page, key: str) -> None:
    """Answer the item at hand by keys and wait for what comes."""
    before = page.locator("input[name=assignment]").input_value()
    page.keyboard.press(key)
    page.keyboard.press("Enter")
    until(page, "before => document.querySelector('input[name=assignment]')?.value !== before", arg=before)
    page.wait_for_load_state()


def agree(page: Page) -> None:
    """Not by Enter alone: nobody agrees by a key that was meant for the page before."""
    page.wait_for_load_state()
    page.keyboard.press("Enter")
    assert page.url.endswith("/consent/")
    page.get_by_role("button", name="I agree").focus()
    enter(page, "/instructions/")


def to_check(page: Page) -> None:
    enter(page, "/consent/")
    agree(page)
    enter(page, "/check/")


def choose(page: Page, text: str) -> None:
    """Press the key of an option, wherever it stands for this annotator."""
    label = page.locator("label", has=page.get_by_text(text, exact=True))
    page.keyboard.press(label.locator("input").get_attribute("data-key") or "")


def to_practice(page: Page) -> None:
    """From the landing by keys alone."""
    to_check(page)
    for text in ("Not by itself", "Yours"):
        choose(page, text)
    enter(page, "/rate/open/")


def to_work(page: Page) -> None:
    to_practice(page)
    answer(page, "1")
    page.wait_for_url("**/practice/*/")
    enter(page, "/rate/open/")


def test_the_whole_journey_by_keys_alone(page: Page, stages: Stages) -> None:
    page.goto(stages.panel("by-keys"))
    assert "by-keys" not in page.url
    expect(page.get_by_text("4 items")).to_be_visible()
    to_practice(page)
    answer(page, "5")
    page.wait_for_url("**/practice/*/")
    page.reload()
    expect(page.get_by_role("heading", name="Not quite")).to_be_visible()
    expect(page.get_by_text("1 or 2")).to_be_visible()
    page.keyboard.press("Enter")  # try again
    page.wait_for_url("**again=*")
    page.wait_for_load_state()
    answer(page, "2")
    page.wait_for_url("**/practice/*/")
    expect(page.get_by_role("heading", name="Yes")).to_be_visible()
    enter(page, "/rate/open/")
    answer(page, "3")
    answer(page, "3")
    page.wait_for_url("**/break/")
    expect(page.get_by_text("You have done 2 items")).to_be_visible()
    page.reload()
    enter(page, "/rate/open/")
    answer(page, "4")
    answer(page, "4")
    page.wait_for_url("**/end/")
    expect(page.get_by_text("Your 4 judgments are saved")).to_be_visible()
    expect(page.locator("output")).to_have_text("FIN-7")
    link = page.get_by_role("link", name="Submit it")
    expect(link).to_have_attribute("href", "https://app.prolific.com/submissions/complete?cc=FIN-7")


def test_a_wrong_answer_is_marked_and_the_right_one_kept(page: Page, stages: Stages) -> None:
    page.goto(stages.address + stages.invite)
    to_check(page)
    choose(page, "Always")
    choose(page, "Yours")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("One answer is not right")
    expect(page.locator(".problem")).to_have_count(1)
    page.wait_for_load_state()
    choose(page, "Not by itself")
    enter(page, "/rate/open/")


def test_the_back_button_never_undoes_a_step(page: Page, stages: Stages) -> None:
    page.goto(stages.panel("goes-back"))
    to_work(page)
    answer(page, "3")
    seat = page.locator("input[name=assignment]").input_value()
    for _ in range(4):
        page.go_back()
        page.wait_for_load_state()
    page.goto(stages.address + "/rate/open/")
    assert page.locator("input[name=assignment]").input_value() == seat


def test_another_device_and_another_tab_go_on_at_the_same_item(chromium: Browser, stages: Stages) -> None:
    seats: list[str] = []
    for _ in range(2):
        context = chromium.new_context()
        page = context.new_page()
        page.goto(stages.panel("two-devices"))
        if not seats:
            to_work(page)
        else:
            expect(page.get_by_text("Welcome back")).to_be_visible()
            enter(page, "/rate/open/")
        seats.append(page.locator("input[name=assignment]").input_value())
        context.close()
    assert seats[0] == seats[1]


def test_the_personal_link_goes_on_elsewhere(page: Page, chromium: Browser, stages: Stages) -> None:
    page.goto(stages.address + stages.invite)
    to_work(page)
    answer(page, "3")
    page.get_by_role("button", name="Stop here").click()
    page.wait_for_url("**/end/")
    page.get_by_text("Continue on another device").click()
    link = page.get_by_label("Your personal link").input_value()
    other = chromium.new_context().new_page()
    other.goto(link)
    enter(other, "/rate/open/")
    expect(other.locator("[data-question]")).to_have_count(1)
    other.context.close()


def test_without_javascript(chromium: Browser, stages: Stages) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(stages.panel("no-script"))
    for name in ("Start", "I agree", "Go on"):
        page.get_by_role("button", name=name).click()
    page.get_by_label("Not by itself").check()
    page.get_by_label("Yours").check()
    page.get_by_role("button", name="Check my answers").click()
    for n in range(5):
        page.locator("[data-question] input").nth(1).check()
        page.get_by_role("button", name="Submit").click()
        if n in (0, 2):  # practice and the break
            page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("heading", name="Thank you.")).to_be_visible()
    context.close()


def test_who_does_not_agree_may_change_their_mind(page: Page, stages: Stages) -> None:
    page.goto(stages.address + stages.invite)
    enter(page, "/consent/")
    page.get_by_role("button", name="I do not agree").click()
    expect(page.locator("output")).to_have_text("NO-7")
    page.get_by_role("button", name="changed my mind").click()
    expect(page.get_by_role("button", name="I agree")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_every_page_is_accessible_and_fits(
    chromium: Browser, stages: Stages, language: str, scheme: str, width: int
) -> None:
    context = chromium.new_context(
        locale=language,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 760},
    )
    page = context.new_page()
    troubles: dict[str, list[str]] = {}

    def look() -> None:
        found = violations(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append("wider than the screen")
        if page.locator("html").get_attribute("lang") != language:
            found.append("another language")
        if found:
            troubles[page.url] = found

    page.goto(stages.address + stages.paused)
    look()
    page.goto(stages.panel(f"{language}{scheme}{width}"))
    look()
    enter(page, "/consent/")
    look()
    page.locator(".primary").focus()
    enter(page, "/instructions/")
    look()
    enter(page, "/check/")
    look()
    choose(page, "Always")
    page.keyboard.press("Enter")
    page.wait_for_selector(".problem")
    look()
    choose(page, "Yours")
    page.keyboard.press("Enter")
    page.wait_for_selector(".notice")
    look()
    choose(page, "Not by itself")
    enter(page, "/rate/open/")
    answer(page, "5")
    page.wait_for_url("**/practice/*/")
    look()
    page.goto(stages.address + "/rate/open/")
    for _ in range(2):
        answer(page, "3")
    page.wait_for_url("**/break/")
    look()
    page.locator("form[action$='/leave/'] button").click()
    page.wait_for_url("**/end/")
    look()
    context.close()
    assert troubles == {}


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    rules = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"
    found = page.evaluate(f"async () => (await axe.run(document, {rules})).violations")
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]
