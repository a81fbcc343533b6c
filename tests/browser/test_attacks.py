"""Prompts, responses and instructions that attack, on the pages where people meet them, in a real chromium."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page

from tests.attacks import ATTACKS
from tests.browser.test_policy import WATCH
from tests.serving import manage, migrate, served

pytestmark = pytest.mark.browser

TOML = """
slug = "attacked"
title = "<img src=x onerror=alert(1)>"
seats = 1
seed = 1
instructions = {text}
consent = {text}
[[criterion]]
key = "quality"
on = "single"
kind = "rating"
measures = "quality"
text = "<script>document.title='pwned'</script>"
scale = [1, 2]
labels = {{ 1 = "<b onclick=alert(1)>", 2 = "{{{{ 7*7 }}}}" }}
[page]
markup = "markdown"
"""
BAD = """
() => [
  ...document.querySelectorAll("script:not([src]), style, iframe, object, embed, base, meta[http-equiv=refresh]"),
  ...[...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a =>
    /^on/i.test(a.name) || a.name === "style" && !a.value.startsWith("--dock")
    || /^\\s*(javascript|vbscript|data):/i.test(a.value))),
  ...document.querySelectorAll("main a[href*='evil.example'], .text :is(img, [hx-get], [id])"),
  ...document.querySelectorAll(".text a:not([href^='/studies/attacked/responses/'])"),
].map(e => e.outerHTML.slice(0, 200))
"""


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    folder = tmp_path_factory.mktemp("attacked")
    url = f"sqlite:///{folder / 'attacked.sqlite3'}"
    text = "\n\n".join(ATTACKS)
    (folder / "study.toml").write_text(TOML.format(text=json.dumps(text)))
    rows: dict[str, list[dict[str, object]]] = {
        "prompts": [{"prompt_id": "p", "text": text}],
        "responses": [{"response_id": "r", "prompt_id": "p", "text": text, "source": "<b>llm</b>"}],
        "items": [{"item_id": "i", "kind": "single", "prompt_id": "p", "response_ids": ["r"]}],
    }
    for name, table in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table))
    migrate(url)
    manage(url, "manage.py", "load_study", str(folder))
    code = (
        "from annotate.views.access import *; from django.contrib.auth.models import User;"
        "User.objects.create_superuser('root', password='violet-river-9');"
        "print('at', invite_path(Study.objects.get()))"
    )
    out = manage(url, "manage.py", "shell", "-c", code)
    invite = next(line.split()[1] for line in out.splitlines() if line.startswith("at "))
    with served(url) as server:
        yield f"http://127.0.0.1:{server.port}", invite


@pytest.fixture
def watched(chromium: Browser) -> Iterator[Page]:
    """Everything that an attack could bring about is written down."""
    context = chromium.new_context()
    page = context.new_page()
    happened: list[str] = []

    def dialog(found: Dialog) -> None:
        happened.append(f"dialog {found.message}")
        found.dismiss()

    page.on("dialog", dialog)
    page.on("request", lambda r: happened.append(r.url) if "127.0.0.1" not in r.url else None)
    page.add_init_script(WATCH)
    yield page
    context.close()
    # The one thing an instruction may name is an image; the policy keeps the browser from fetching it.
    assert [h for h in happened if "pixel.png" not in h and not h.startswith("data:")] == []


def check(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    assert page.evaluate(BAD) == [], page.url
    assert "pwned" not in page.title()
    broken = [b for b in page.evaluate("window.broken") if not b.startswith("img-src")]
    assert broken == [], page.url


def test_annotators_meet_no_attack(attacked: tuple[str, str], watched: Page) -> None:
    address, invite = attacked
    watched.goto(address + invite)
    for _ in range(6):
        check(watched)
        if watched.locator("form.answer").count():
            break
        watched.locator("main button.primary, .screen button.primary, .step button.primary").first.click()
        watched.wait_for_load_state()
    assert watched.locator("form.answer").count()
    assert watched.locator(".text").count() >= 1
    assert "{{ 7*7 }}" in watched.content()


def test_the_desk_meets_no_attack(attacked: tuple[str, str], watched: Page) -> None:
    address, _ = attacked
    watched.goto(f"{address}/login/?next=/studies/")
    watched.fill("[name=username]", "root")
    watched.fill("[name=password]", "violet-river-9")
    watched.get_by_role("button", name="Log in", exact=True).click()
    for path in (
        "",
        "pool/",
        "leaks/",
        "items/",
        "criteria/",
        "responses/",
        "settings/texts/",
        "trail/",
        "links/",
    ):
        watched.goto(f"{address}/studies/attacked/{path}")
        check(watched)
