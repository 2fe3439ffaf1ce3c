"""`make bench-reading`: what a reader waits for, in headless Chromium without a graphics card, beside the bars.

The whole way is measured: PostgreSQL that syncs each commit, gunicorn, packed modules, strict content security policy.
OPENINGS chooses how often (30); quiet machines give the figures that count.
"""

import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks.cornerstone import opened_and_windowed
from tests.benchmarks.reading_site import Desk, reading_site
from tests.equipment import browser as installed_browser

OPENINGS = int(os.environ.get("OPENINGS", "30"))
STACKS_IN_A_ROW = 5
TASK = 120_000
MIB = 2**20
QUIET = ["--no-sandbox", "--disable-3d-apis", "--disable-background-networking", "--disable-component-update"]
# Notes when an image is on the screen: in the task after the frame in which its pixels were drawn.
WATCH = """
window.shown = [];
window.pressed = 0;
addEventListener("keydown", (event) => { if (event.key === "Enter") window.pressed = event.timeStamp; }, true);
const seen = new MutationObserver((changes) => {
    const now = changes.filter(({ target }) => target.dataset.painted).map(({ target }) => target.dataset.painted);
    if (!now.length) return;
    const channel = new MessageChannel();
    channel.port1.onmessage = () => now.forEach((url) => window.shown.push([url, performance.now()]));
    channel.port2.postMessage(0);
});
seen.observe(document, { subtree: true, attributes: true, attributeFilter: ["data-painted"] });
"""
# One command each frame of the screen for a while: how many drawings there were, and how far apart.
COMMANDS = """async ([keys, milliseconds]) => {
    const pane = document.querySelector(".pane");
    const drawn = [];
    const watch = new MutationObserver(() => drawn.push(performance.now()));
    for (const part of pane.querySelectorAll(".readout, .caption")) watch.observe(part, { childList: true });
    const end = performance.now() + milliseconds;
    for (let n = 0; performance.now() < end; n++) {
        pane.dispatchEvent(new KeyboardEvent("keydown", { key: keys[n % keys.length], bubbles: true }));
        await new Promise(requestAnimationFrame);
    }
    watch.disconnect();
    const at = [...new Set(drawn.map((time) => time.toFixed(1)))].map(Number);
    return at.slice(1).map((time, n) => time - at[n]);
}"""
READY = "[document.querySelector('#reading').dataset.slot, document.querySelector('#reading').dataset.prefetched]"
DESCRIBED = "performance.getEntriesByType('resource').find(({ name }) => name.endsWith('case.json')).responseEnd"


@dataclass(frozen=True)
class Bar:
    """What a figure must not exceed, or, `least`, not fall below; median and p95 have bars of their own."""

    name: str
    unit: str
    median: float
    p95: float | None = None
    least: bool = False

    def line(self, values: list[float]) -> str:
        middle = statistics.median(values)
        far = float(np.percentile(values, 5 if self.least else 95))
        kept = (middle >= self.median) if self.least else (middle <= self.median and far <= (self.p95 or np.inf))
        sign = "≥" if self.least else "≤"
        bars = f"{sign} {self.median:g}" + (f", p95 {sign} {self.p95:g}" if self.p95 else "")
        spread = f"median {middle:.0f}, {'p5' if self.least else 'p95'} {far:.0f} {self.unit}, n = {len(values)}"
        return f"{self.name}: {spread}; bar {bars}: {'kept' if kept else 'NOT KEPT'}"


def main() -> None:
    with reading_site(films=OPENINGS + 4, stacks=STACKS_IN_A_ROW + 2) as (films, stacks), a_browser() as browser:
        for bar, values in chain(film_times(browser, films), stack_times(browser, stacks)):
            print(bar.line(values), flush=True)
        print(beside(browser), flush=True)


def beside(browser: Browser) -> str:
    with tempfile.TemporaryDirectory() as folder:
        found = opened_and_windowed(browser, Path(folder), OPENINGS)
    if found is None:
        return "Cornerstone3D could not be built here; npm is needed for that."
    opened, intervals = found
    return (
        f"Cornerstone3D 4 by the processor, the same films from memory: median {statistics.median(opened):.0f}, "
        f"p95 {np.percentile(opened, 95):.0f} ms; window/level {1000 / statistics.median(intervals):.0f} frames/s"
    )


@contextmanager
def a_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed_browser(), args=QUIET)
        yield browser
        browser.close()


@contextmanager
def page_of(browser: Browser, desk: Desk) -> Iterator[Page]:
    """A browser that has seen nothing yet, logged in."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    context.add_cookies([{"name": "sessionid", "value": desk.session, "url": desk.address}])
    context.set_default_timeout(TASK)
    context.add_init_script(WATCH)
    yield context.new_page()
    context.close()


def start(page: Page, desk: Desk) -> str:
    """From the instructions to the first case; its address."""
    page.goto(f"{desk.address}/reading/start/{desk.reader}/")
    page.get_by_role("button", name="Start reading").or_(page.get_by_role("link", name="Start reading")).first.click()
    page.locator("#reading[data-painted]").wait_for(timeout=TASK)
    return page.url


def film_times(browser: Browser, desk: Desk) -> Iterator[tuple[Bar, list[float]]]:
    with page_of(browser, desk) as page:
        address = start(page, desk)
    cold = [first_image(browser, desk, address) for _ in range(OPENINGS)]
    yield Bar("radiograph, cold: page asked for → full image painted", "ms", 1500), cold
    with page_of(browser, desk) as page:
        page.goto(address)
        waits = prefetched(page, OPENINGS)
        yield (
            Bar("radiograph, prefetched: key that submits → next painted", "ms", 60, 100),
            [whole for whole, _ in waits],
        )
        yield Bar("    of that, after the answer is stored", "ms", 60, 100), [drawing for _, drawing in waits]
        intervals = page.evaluate(COMMANDS, [["]", "["], 4000])
        yield Bar("radiograph: window/level", "frames/s", 30, least=True), [1000 / value for value in intervals]


def first_image(browser: Browser, desk: Desk, address: str) -> float:
    with page_of(browser, desk) as page:
        page.goto(address)
        page.locator(".pane[data-painted*=frame]").first.wait_for(timeout=TASK)
        page.wait_for_timeout(50)
        shown: float = page.evaluate("window.shown[0][1]")
        return shown


def prefetched(page: Page, openings: int) -> list[tuple[float, float]]:
    """Each case answered by keys once its successor lies ready: the image after the key, and after what it brought."""
    waits = []
    for _ in range(openings):
        successor = when_ready(page)
        page.keyboard.press("y")
        page.keyboard.type("80")
        page.keyboard.press("Escape")
        page.wait_for_timeout(300)
        page.evaluate("window.shown = []")
        page.keyboard.press("Enter")
        page.locator(f"#reading[data-painted='{successor}']").wait_for(timeout=TASK)
        page.wait_for_timeout(50)
        first = "window.shown.find(([url]) => url.includes(successor))[1]"
        stored = "performance.getEntriesByType('resource').findLast(({ name }) => name.endsWith('submit')).responseEnd"
        whole, drawing = page.evaluate(f"(successor) => [window.pressed, {stored}].map((t) => {first} - t)", successor)
        waits.append((whole, drawing))
    return waits


def when_ready(page: Page) -> str:
    """The case after this one, as soon as all of its images are decoded."""
    while True:
        slot, successor = page.evaluate(READY)
        if successor and successor != slot:
            return str(successor)
        page.wait_for_timeout(50)


def stack_times(browser: Browser, desk: Desk) -> Iterator[tuple[Bar, list[float]]]:
    with page_of(browser, desk) as page:
        address = start(page, desk)
    opened = [stack_opened(browser, desk, address) for _ in range(OPENINGS)]
    yield (
        Bar("CT 512 × 512 × 300, cold: case described → first slice painted", "ms", 300),
        [first for first, _ in opened],
    )
    yield Bar("CT, cold: case described → three planes complete", "ms", 4000), [whole for _, whole in opened]
    with page_of(browser, desk) as page:
        page.goto(address)
        when_ready(page)
        intervals = page.evaluate(COMMANDS, [["ArrowUp"] * 100 + ["ArrowDown"] * 100, 5000])
        yield Bar("CT: scrolling", "frames/s", 30, least=True), [1000 / value for value in intervals]
        prefetched(page, STACKS_IN_A_ROW)
        yield Bar("CT: memory of the renderer after five cases", "MiB", 1.2e9 / MIB), [renderer_bytes() / MIB]


def stack_opened(browser: Browser, desk: Desk, address: str) -> tuple[float, float]:
    """First slice and three planes, in milliseconds after the case's description had arrived."""
    with page_of(browser, desk) as page:
        page.goto(address)
        page.locator(".pane[data-painted*=frame]").first.wait_for(timeout=TASK)
        page.keyboard.press("Shift+P")
        page.locator(".panes[data-panes='3'] .pane[data-painted*=frame]").nth(2).wait_for(timeout=TASK)
        page.wait_for_timeout(50)
        first, last = page.evaluate(f"[window.shown[0][1], window.shown.at(-1)[1]].map((time) => time - {DESCRIBED})")
        return first, last


def renderer_bytes() -> int:
    """Of the largest renderer: what it holds alone and its share of what others hold too."""
    return max(held(process) for process in Path("/proc").iterdir() if is_renderer(process))


def is_renderer(process: Path) -> bool:
    try:
        return b"--type=renderer" in (process / "cmdline").read_bytes()
    except OSError:
        return False


def held(process: Path) -> int:
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    main()
