"""Sets by keys, by clicks and by dragging: groups, ranks, ties and gaps; and what keys do on which page."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_kinds import Place, begin, kinds, press, skip

pytestmark = pytest.mark.browser
__all__ = ["kinds"]


def asked(tools: str) -> str:
    """The questions that a set's tools speak to, in JavaScript."""
    criterion = f"document.querySelector('[data-{tools}]').dataset.{tools}"
    return f"[...document.querySelectorAll(`[data-question][data-criterion='${{{criterion}}}']`)]"


def test_piles_are_made_merged_and_seen_together(page: Page, kinds: Place) -> None:
    begin(page, kinds)
    for _ in range(2):
        skip(page)
    while page.locator(".card").count() != 4:
        skip(page)
    page.evaluate(f"Offbeat.go({asked('piles')}[0])")
    press(page, "n j n j n j 1")  # from pile to pile, past the ranks
    assert groups(page) == {"Group 1": "1 4", "Group 2": "2", "Group 3": "3"}
    press(page, "p 1")
    expect(page.locator(".card:visible")).to_have_count(2)
    press(page, "p")
    expect(page.locator(".card:visible")).to_have_count(4)
    page.evaluate(f"Offbeat.go({asked('piles')}[0])")
    press(page, "m 2 3")
    assert groups(page) == {"Group 1": "1 4", "Group 2": "2 3"}
    page.get_by_role("button", name="See together").nth(1).click()
    expect(page.locator(".card:visible")).to_have_count(2)
    page.get_by_role("button", name="Show all").click()
    page.evaluate(f"Offbeat.go({asked('ranks')}[0])")
    press(page, "1 2 3 4")
    page.evaluate(f"Offbeat.go({asked('ranks')}[1])")
    press(page, "u")
    values = page.evaluate(f"{asked('ranks')}.map(Offbeat.valueOf)")
    assert values == ["2", "1", "3", "4"]


def groups(page: Page, board: str = "piles") -> dict[str, str]:
    """What a board says: each group or rank with the numbers of its responses."""
    lines = page.locator(f"[data-{board}] .group")
    return {
        line.locator(".put").inner_text(): " ".join(
            member.inner_text().split()[0] for member in line.locator(".member").all()
        )
        for line in lines.all()
    }


def few(page: Page, kinds: Place) -> None:
    """To the set of four."""
    begin(page, kinds)
    while page.locator(".card").count() != 4:
        skip(page)


def test_groups_are_made_by_clicks(page: Page, kinds: Place) -> None:
    few(page, kinds)
    card = page.locator(".card .text")
    for place in (0, 2):
        card.nth(place).click()
        page.get_by_role("button", name="New group").click()
    card.nth(3).click()
    page.get_by_role("button", name="Group 1", exact=True).click()
    # Of those that are left the next is marked; it goes to the group that is clicked.
    expect(page.locator(".card.at")).to_have_attribute("data-number", "2")
    page.get_by_role("button", name="Group 2", exact=True).click()
    assert groups(page) == {"Group 1": "1 4", "Group 2": "2 3"}
    expect(page.locator(".card h2").nth(3)).to_have_attribute("data-pile", "Group 1")
    assert page.evaluate(f"{asked('piles')}.map(Offbeat.valueOf)") == ["1", "2", "2", "1"]


def test_groups_and_ranks_are_made_by_dragging(page: Page, kinds: Place) -> None:
    few(page, kinds)
    handles = page.locator(".card h2")
    for place in (0, 1):
        handles.nth(place).drag_to(page.get_by_role("button", name="New group"))
    handles.nth(2).drag_to(page.locator("[data-piles] .group").first)
    assert groups(page) == {"Group 1": "1 3", "Group 2": "2"}
    page.locator("[data-piles] .member").first.drag_to(page.locator("[data-piles] .group").nth(1))
    assert groups(page) == {"Group 1": "3", "Group 2": "1 2"}
    ranks = page.locator("[data-ranks] .group")
    for place, rank in enumerate((2, 0, 0, 2)):
        handles.nth(place).drag_to(ranks.nth(rank))
    assert groups(page, "ranks") == {"Rank 1 (best)": "2 3", "Rank 2": "", "Rank 3": "1 4", "Rank 4": ""}


def test_ties_and_gaps_of_a_ranking_are_said(page: Page, kinds: Place) -> None:
    few(page, kinds)
    remark = page.locator("[data-ranks] .remark")
    for place, rank in enumerate(("Rank 1 (best)", "Rank 4", "Rank 1 (best)")):
        page.locator(".card .text").nth(place).click()
        page.get_by_role("button", name=rank, exact=True).click()
    expect(remark).to_have_text("Rank 1 is shared by responses 1, 3.")
    page.get_by_role("button", name="Rank 4", exact=True).click()
    # After two on rank 1 comes rank 3.
    expect(remark).to_have_text(
        "Rank 1 is shared by responses 1, 3. Rank 4 is shared by responses 2, 4. No response has rank 3."
    )
    page.locator(".card .text").nth(1).click()
    page.get_by_role("button", name="Rank 3", exact=True).click()
    expect(remark).to_have_text("Rank 1 is shared by responses 1, 3.")


def test_a_key_that_is_held_answers_one_question(page: Page, kinds: Place) -> None:
    few(page, kinds)
    for _ in range(6):
        page.keyboard.down("1")
    page.keyboard.up("1")
    expect(page.locator("input:checked")).to_have_count(1)
    for _ in range(6):
        page.keyboard.down("n")
    page.keyboard.up("n")
    assert len(groups(page)) == 1


def test_the_sheet_holds_the_keys_of_its_page(page: Page, kinds: Place) -> None:
    begin(page, kinds)
    lines: dict[str, set[str]] = {}
    for _ in range(4):
        press(page, "?")
        name = page.locator("#screen").get_attribute("data-kind") or ""
        lines[name] = {line.inner_text() for line in page.locator("#keys dt:visible").all()}
        press(page, "Escape")
        skip(page)
    assert {"n", "p 1", "u d"} <= lines["set"]
    assert not {"n", "p 1", "u d", "g", "o"} & (lines["single"] | lines["pair"])
    assert "w" in lines["pair"]
    assert "w" not in lines["set"]
