"""Texts as annotators see them: a long prompt leaves the responses in view, and formulas are drawn."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.serving import manage, migrate, served

pytestmark = pytest.mark.browser

TOML = """
slug = "texts"
title = "Texts"
seats = 9
[[criterion]]
key = "better"
on = "pair"
kind = "preference"
text = "Which is better?"
[page]
markup = "markdown"
allow_comment = true
"""
TEXTS = [r"Time is \(\frac{a}{b}\)" + "\nand $x^2$ for $5.", "zero\u200bwidth"]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("texts")
    url = f"sqlite:///{folder / 'texts.sqlite3'}"
    (folder / "study.toml").write_text(TOML)
    rows: dict[str, list[dict[str, object]]] = {
        "prompts": [{"prompt_id": "p", "text": "Summarise.\n" + "They spoke of drains and lamps. " * 400}],
        "responses": [
            {"response_id": f"r{n}", "prompt_id": "p", "text": text, "source": "m"}
            for n, text in enumerate(TEXTS)
        ],
        "items": [{"item_id": "i", "kind": "pair", "prompt_id": "p", "response_ids": ["r0", "r1"]}],
    }
    for name, table in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table))
    migrate(url)
    manage(url, "manage.py", "load_study", str(folder))
    code = "from annotate.views.access import *; print('at', invite_path(Study.objects.get()))"
    out = manage(url, "manage.py", "shell", "-c", code)
    invite = next(line.split()[1] for line in out.splitlines() if line.startswith("at "))
    with served(url, workers=1) as server:
        yield f"http://127.0.0.1:{server.port}{invite}"


@pytest.mark.parametrize(("width", "height"), [(1280, 860), (390, 844)])
def test_a_long_prompt_leaves_the_responses_in_view(
    chromium: Browser, texts: str, width: int, height: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto(texts)
    page.locator(".primary").first.click()
    page.locator("form.answer").wait_for()
    folded = page.locator(".prompt").bounding_box()
    assert folded is not None
    assert folded["height"] < 60
    page.get_by_role("button", name="Show all").click()
    box = page.locator(".prompt").bounding_box()
    assert box is not None
    assert folded["height"] < box["height"] < height * 0.4
    assert page.locator(".prompt").evaluate("e => e.scrollHeight") > height
    assert page.locator(".prompt").get_attribute("tabindex") == "0"
    for card in page.locator(".card").all():
        place = card.bounding_box()
        assert place is not None
        assert place["y"] < height * 0.8
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_formulas_are_drawn_and_the_unseen_is_marked(page: Page, texts: str) -> None:
    page.goto(texts)
    page.locator(".primary").first.click()
    page.locator("form.answer").wait_for()
    assert page.locator(".text mfrac").count() == 1
    drawn = page.locator(".text mfrac").evaluate("e => [e.namespaceURI, e.getBoundingClientRect().height]")
    assert drawn[0] == "http://www.w3.org/1998/Math/MathML"
    assert drawn[1] > 15
    assert page.locator(".text br").count() == 1
    assert page.locator(".unseen").get_attribute("aria-label") == "U+200B"
    assert page.locator(".text, .prompt").evaluate_all("all => all.every(e => !e.translate)")
    assert page.locator("textarea").get_attribute("dir") == "auto"
