"""What an annotator waits for, in a real chromium at the real server with the demo.

    python -m tests.bench.bench_page

Budgets: key to next item painted 100 ms at the median; first load 60 KB compressed in 8 requests; a next item 8 KB.
"""

import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.browser.conftest import until
from tests.serving import manage, served

ITEMS = 40
# A person reads before the next key; the page ahead comes meanwhile.
READING_MS = 300

# From the key press to the frame after the one that the next item is painted in.
WATCH = """() => {
  window.keyToPaint = null;
  addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const seat = document.getElementById("screen").dataset.seat, start = event.timeStamp;
    const look = () => document.getElementById("screen").dataset.seat === seat
      ? requestAnimationFrame(look)
      : requestAnimationFrame(() => setTimeout(() => { window.keyToPaint = performance.now() - start; }));
    look();
  }, { capture: true });
}"""


class Wire:
    """Bytes that come over the line, compressed, head and body."""

    def __init__(self, page: Page) -> None:
        self.requests: list[Request] = []
        page.on("requestfinished", lambda request: self.requests.append(request))

    def take(self) -> list[tuple[str, int]]:
        taken = [
            (r.url, r.sizes()["responseBodySize"] + r.sizes()["responseHeadersSize"]) for r in self.requests
        ]
        self.requests.clear()
        return taken


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        os.environ.setdefault("DEMO_PASSWORD", "only-for-this-bench")
        out = manage(url, "manage.py", "demo", "--no-serve")
        invite = next(line.split("8000")[1] for line in out.splitlines() if line.startswith("Rate in"))
        with served(url) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            ok = measure(browser, f"http://127.0.0.1:{server.port}", invite)
            browser.close()
    return 0 if ok else 1


def measure(browser: Browser, address: str, invite: str) -> bool:
    page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
    page.goto(address + invite)
    while page.locator("form.answer").count() == 0:
        page.locator(".primary").first.click()
        page.wait_for_load_state()
    ok = first_load(browser, page)
    return items(page) and ok


def first_load(browser: Browser, joined: Page) -> bool:
    """The task page with an empty cache."""
    state = joined.context.storage_state()
    page = browser.new_context(storage_state=state).new_page()
    wire = Wire(page)
    page.goto(joined.url, wait_until="networkidle")
    loaded = [(url, n) for url, n in wire.take() if "/ahead/" not in url]
    total = sum(n for _, n in loaded) / 1000
    for address, n in loaded:
        print(f"    {n:6d}  {address.partition('/rate')[1] + address.rpartition('/')[2]}")
    print(f"first load {total:.1f} KB compressed in {len(loaded)} requests (budget 60 KB in 8)")
    page.context.close()
    return total <= 60 and len(loaded) <= 8


def items(page: Page) -> bool:
    wire = Wire(page)
    page.evaluate(WATCH)
    times, sizes = [], []
    for _ in range(ITEMS):
        page.wait_for_timeout(READING_MS)
        wire.take()
        for _ in range(page.locator("[data-question]").count()):
            page.keyboard.press("2")
        page.evaluate("window.keyToPaint = null")
        page.keyboard.press("Enter")
        until(page, "window.keyToPaint !== null")
        times.append(page.evaluate("window.keyToPaint"))
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(50)
        sizes.append(sum(n for address, n in wire.take() if "/draft/" not in address) / 1000)
    median, worst = statistics.median(times), sorted(times)[int(0.95 * len(times))]
    print(f"key to next item painted: median {median:.1f} ms, 95th percentile {worst:.1f} ms (budget 100 ms)")
    print(f"a next item: median {statistics.median(sizes):.1f} KB, most {max(sizes):.1f} KB (budget 8 KB)")
    return median <= 100 and max(sizes) <= 8


if __name__ == "__main__":
    sys.exit(main())
