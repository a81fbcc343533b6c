"""A real chromium at the real server, which serves the demo from a database of its own."""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from tests.serving import manage, served

PASSWORD = "only-for-this-test"
# On a machine whose cores are all busy, five seconds are not enough for the largest page.
expect.set_options(timeout=20_000)
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@dataclass(frozen=True, slots=True)
class Site:
    address: str
    invite: str


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'browser.sqlite3'}"
        os.environ["DEMO_PASSWORD"] = PASSWORD
        out = manage(url, "manage.py", "demo", "--no-serve")
        invite = next(line.split("8000")[1] for line in out.splitlines() if line.startswith("Rate in"))
        with served(url) as server:
            yield Site(f"http://127.0.0.1:{server.port}", invite)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.fail("no chromium here: `apt-get install chromium` (.ci/run does it)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def _is_trouble(message: ConsoleMessage) -> bool:
    # Chromium reports our own "please answer this" (422) and "out of date" (409) as errors.
    return message.type == "error" and not re.search("status of (409|422)", message.text)


def until(page: Page, condition: str, *, arg: object = None, timeout: float = 15_000) -> None:
    """Wait for an expression, or a function of `arg`, to be true in the page.

    Playwright's own `wait_for_function` evaluates strings in the page, which our policy forbids.
    """
    end = time.monotonic() + timeout / 1_000
    while not _holds(page, condition, arg):
        assert time.monotonic() < end, f"still not: {condition}"
        page.wait_for_timeout(20)


def _holds(page: Page, condition: str, arg: object) -> bool:
    try:
        return bool(page.evaluate(condition, arg))
    except Error:
        return False  # asked while the page was being left, or before its script was there


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A desktop page that fails the test on a script error or a request that leaves this machine."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    found = context.new_page()
    troubles: list[str] = []
    found.on("pageerror", lambda error: troubles.append(f"script error: {error}"))
    found.on("console", lambda m: troubles.append(f"console: {m.text}") if _is_trouble(m) else None)
    found.on(
        "request",
        lambda r: (
            None if r.url.startswith(("http://127.0.0.1:", "data:")) else troubles.append(f"asked {r.url}")
        ),
    )
    yield found
    context.close()
    assert troubles == []
