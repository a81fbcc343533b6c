"""Task pages in a real chromium: nothing is lost, nothing jumps, everybody can use them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.conftest import until
from tests.browser.test_kinds import FEW, LARGE, MANY, PAIR, SINGLE, Place, begin, kinds, press, seat_of, skip
from tests.serving import manage

pytestmark = pytest.mark.browser
__all__ = ["kinds"]

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser that may lose its line: failed requests are no trouble here, script errors are."""
    made = chromium.new_context(viewport={"width": 1280, "height": 860})
    troubles: list[str] = []
    made.on("weberror", lambda error: troubles.append(str(error.error)))
    yield made
    made.close()
    assert troubles == []


def answer(page: Page, *, submit: bool = True) -> None:
    n, kind = page.locator(".card").count(), page.locator("#screen").get_attribute("data-kind")
    press(page, {"single": SINGLE, "pair": PAIR}.get(str(kind), MANY if n == LARGE else FEW))
    if submit:
        page.keyboard.press("Control+Enter")


def next_seat(page: Page, before: str) -> None:
    until(page, "s => document.querySelector('#screen')?.dataset.seat !== s", arg=before)


def ready(page: Page) -> None:
    until(page, "Offbeat.hasAhead()")


def judgments(kinds: Place, seats: list[str]) -> list[Any]:
    code = (
        "from annotate.models import Judgment; print('got', [(j.assignment_id, j.revision, j.active_ms, j.first_ms,"
        " j.changes, j.looked, j.flag, j.comment, j.excluded) for j in"
        f" Judgment.objects.filter(assignment__in={[int(s) for s in seats]}).order_by('pk')])"
    )
    out = manage(kinds.database, "manage.py", "shell", "-c", code)
    rows: list[Any] = eval(next(line[4:] for line in out.splitlines() if line.startswith("got ")))
    return rows


def test_offline_answers_wait_and_go_when_the_line_is_back(context: BrowserContext, kinds: Place) -> None:
    page = context.new_page()
    begin(page, kinds)
    first = seat_of(page)
    ready(page)
    context.set_offline(True)
    answer(page)
    next_seat(page, first)
    second = seat_of(page)
    expect(page.locator(".status")).to_have_text("Not saved yet: offline, 1 waiting")
    answer(page)
    expect(page.locator(".status")).to_have_text("Not saved yet: offline, 2 waiting")
    expect(page.locator(".held")).to_be_visible()
    assert judgments(kinds, [first, second]) == []
    context.set_offline(False)
    next_seat(page, second)
    expect(page.locator(".status")).to_have_text(re.compile(r"Saved \d\d:\d\d:\d\d"))
    assert [row[:2] for row in judgments(kinds, [first, second])] == [(int(first), 1), (int(second), 1)]


def test_what_waits_survives_closing_the_tab(context: BrowserContext, kinds: Place) -> None:
    page = context.new_page()
    begin(page, kinds)
    first, url = seat_of(page), page.url
    page.route("**/rate/kinds/", lambda r: r.abort() if r.request.method == "POST" else r.continue_())
    answer(page)
    expect(page.locator(".status")).to_contain_text("1 waiting")
    page.close()
    again = context.new_page()
    again.goto(url)
    next_seat(again, first)
    assert len(judgments(kinds, [first])) == 1


def test_a_lost_cookie_asks_for_the_link_and_loses_nothing(context: BrowserContext, kinds: Place) -> None:
    page = context.new_page()
    begin(page, kinds)
    first = seat_of(page)
    context.clear_cookies()
    answer(page)
    again = page.get_by_role("link", name="Open your invite link again")
    expect(again).to_be_visible()
    expect(page.locator(".status")).to_have_text("Not saved yet: this browser no longer knows who you are")
    assert judgments(kinds, [first]) == []
    with context.expect_page() as opened:
        again.click()
    opened.value.get_by_role("button", name="Go on").click()
    expect(opened.value.locator("#screen[data-seat]")).to_be_visible()
    until(opened.value, "Offbeat.waiting() === 0")
    assert [row[:2] for row in judgments(kinds, [first])] == [(int(first), 1)]
    expect(again).to_be_hidden(timeout=40_000)


def test_a_lost_token_of_forms_is_renewed(context: BrowserContext, kinds: Place) -> None:
    page = context.new_page()
    begin(page, kinds)
    first = seat_of(page)
    context.clear_cookies(name="csrftoken")
    answer(page)
    next_seat(page, first)
    until(page, "Offbeat.waiting() === 0")
    assert [row[:2] for row in judgments(kinds, [first])] == [(int(first), 1)]


def test_a_draft_comes_back_on_another_device(
    context: BrowserContext, chromium: Browser, kinds: Place
) -> None:
    page = context.new_page()
    begin(page, kinds)
    answer(page, submit=False)
    expect(page.locator(".status")).to_have_text(re.compile(r"Draft saved \d\d:\d\d:\d\d"))
    state = context.storage_state()
    state["origins"] = []  # nothing but the cookie
    other = chromium.new_context(storage_state=state)
    there = other.new_page()
    there.goto(page.url)
    expect(there.locator("textarea").first).to_have_value("So")
    expect(there.locator("input:checked")).to_have_value("4")
    other.close()


def test_an_unsent_draft_comes_back_after_a_reload(context: BrowserContext, kinds: Place) -> None:
    page = context.new_page()
    begin(page, kinds)
    page.route("**/draft/", lambda r: r.abort())
    answer(page, submit=False)
    page.reload()
    expect(page.locator("textarea").first).to_have_value("So")


def test_back_waits_for_the_answers_that_are_under_way(context: BrowserContext, kinds: Place) -> None:
    page = context.new_page()
    begin(page, kinds)
    first = seat_of(page)
    ready(page)
    under_way: list[Route] = []
    page.route("**/rate/kinds/", lambda route: under_way.append(route))
    answer(page)
    next_seat(page, first)
    second = seat_of(page)
    press(page, "b")
    until(page, "Offbeat.waiting() === 1")
    assert seat_of(page) == second
    for route in under_way:
        route.continue_()
    next_seat(page, second)
    assert seat_of(page) == first


def test_back_and_edit_makes_a_revision(context: BrowserContext, kinds: Place) -> None:
    page = context.new_page()
    begin(page, kinds)
    first = seat_of(page)
    answer(page)
    next_seat(page, first)
    second = seat_of(page)
    press(page, "b")
    next_seat(page, second)
    assert seat_of(page) == first
    expect(page.locator("textarea").first).to_have_value("So")
    press(page, "g")
    next_seat(page, first)
    assert seat_of(page) == second
    press(page, "b")
    next_seat(page, second)
    press(page, "1")
    page.locator("body").press("Control+Enter")
    next_seat(page, first)
    assert seat_of(page) == second
    rows = judgments(kinds, [first])
    assert [row[1] for row in rows] == [1, 2]
    assert rows[1][4] == 1  # one answer was changed


def test_a_double_click_stores_once(context: BrowserContext, kinds: Place) -> None:
    page = context.new_page()
    begin(page, kinds)
    first = seat_of(page)
    answer(page, submit=False)
    page.locator(".submit .primary").dblclick()
    next_seat(page, first)
    expect(page.locator("[data-progress]")).to_contain_text("Item 2 of ")
    assert len(judgments(kinds, [first])) == 1


def test_flag_comment_and_measures_are_stored(context: BrowserContext, kinds: Place) -> None:
    page = context.new_page()
    begin(page, kinds)
    first = seat_of(page)
    press(page, "1 Escape k 2 Escape f")
    page.keyboard.type("cut off")
    press(page, "Escape c")
    page.keyboard.type("nice")
    press(page, "Escape")
    page.evaluate("Offbeat.go(Offbeat.questions()[0])")
    answer(page)
    next_seat(page, first)
    until(page, "Offbeat.waiting() === 0")
    ((_, _, active, started, changes, _, flag, comment, excluded),) = judgments(kinds, [first])
    assert (flag, comment, excluded) == ("cut off", "nice", "")
    assert changes >= 1
    assert 0 < started <= active


def test_a_skipped_item_stores_no_answer(context: BrowserContext, kinds: Place) -> None:
    page = context.new_page()
    begin(page, kinds)
    first = seat_of(page)
    press(page, "s Enter")
    next_seat(page, first)
    until(page, "Offbeat.waiting() === 0")
    assert judgments(kinds, [first])[0][-1] == "skipped"


def test_a_stale_tab_is_told_and_its_words_are_kept(context: BrowserContext, kinds: Place) -> None:
    page = context.new_page()
    begin(page, kinds)
    other = context.new_page()
    other.goto(page.url)
    answer(other, submit=False)
    first = seat_of(page)
    answer(page)
    next_seat(page, first)
    expect(other.get_by_role("alert")).to_contain_text("answered in another tab")
    other.locator("textarea").first.fill("other words")
    other.locator(".submit .primary").click()
    expect(other.locator(".lost")).to_have_text(["other words"])
    assert len(judgments(kinds, [first])) == 1


def test_scrolling_is_counted_and_a_pair_scrolls_together(context: BrowserContext, kinds: Place) -> None:
    page = context.new_page()
    begin(page, kinds)
    skip(page)
    page.set_viewport_size({"width": 1280, "height": 620})
    long = page.locator(".card", has_text="Number 2.").locator(".text")
    long.hover()
    page.mouse.wheel(0, 200)
    until(page, "box => box.scrollTop > 0", arg=long.element_handle())
    # What the page does about it is done before the frame after the next.
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    before, response = seat_of(page), long.locator("xpath=ancestor::section").get_attribute("data-response")
    page.mouse.move(0, 0)
    answer(page)
    next_seat(page, before)
    until(page, "Offbeat.waiting() === 0")
    assert judgments(kinds, [before])[0][5] == {response: 1}


def test_nothing_jumps_from_item_to_item(page: Page, kinds: Place) -> None:
    begin(page, kinds)
    page.evaluate(
        "() => { window.shifts = 0; new PerformanceObserver(l => l.getEntries().forEach(e => {"
        " if (!e.hadRecentInput) window.shifts += e.value })).observe({type: 'layout-shift', buffered: true}) }"
    )
    places = set()
    for _ in range(4):
        page.wait_for_timeout(600)
        box = page.locator(".submit .primary").bounding_box()
        assert box is not None
        places.add(
            (
                round(box["x"] + box["width"] / 2) if page.locator(".single").count() == 0 else "single",
                round(box["y"]),
            )
        )
        skip_by_key(page)
    assert page.evaluate("window.shifts ?? 0") < 0.02
    assert len({y for _, y in places}) == 1


def skip_by_key(page: Page) -> None:
    before = seat_of(page)
    press(page, "s Enter")
    next_seat(page, before)


@pytest.mark.parametrize("size", [(1280, 860), (360, 740)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_kind(
    chromium: Browser, kinds: Place, scheme: Any, size: tuple[int, int]
) -> None:
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page = context.new_page()
    begin(page, kinds)
    for _ in range(4):
        before = seat_of(page)
        page.keyboard.press("Control+Enter")  # with what is missing pointed at
        assert checked(page) == []
        page.evaluate("document.activeElement.blur(); Offbeat.go(Offbeat.questions()[0])")
        answer(page, submit=False)
        press(page, "Escape")
        assert checked(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        press(page, "?")
        assert checked(page) == []
        press(page, "Escape Control+Enter")
        next_seat(page, before)
    context.close()


def checked(page: Page) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate(f"axe.run(document, {{runOnly: {RULES}}})")["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found]
