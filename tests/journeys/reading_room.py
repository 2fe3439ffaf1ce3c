"""A reader at the reading page, by keys alone, who notes down what was answered and what the page showed."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

TASK = 60_000
SETTLED = """() => {
    const page = document.getElementById("reading");
    return !page || (page.dataset.painted === page.dataset.slot && page.getAttribute("aria-busy") === "false");
}"""


@dataclass(frozen=True)
class Read:
    """One case as its reader saw and answered it."""

    reader: str
    period: int
    position: int
    aided: bool
    decision: bool
    rating: int
    model_said: str


def begin(page: Page, address: str) -> None:
    """From the work list to the first case that is due."""
    page.goto(f"{address}/reading/")
    page.locator("a.button.primary").first.click()
    start = page.get_by_role("link", name="Start reading").or_(page.get_by_role("link", name="Continue reading"))
    start.or_(page.locator("#reading, #display")).first.wait_for()
    if start.count():
        start.first.click()
        page.locator("#reading, #display").first.wait_for()
    if page.locator("#display").count():
        check_display(page)
    settle(page)


def check_display(page: Page) -> None:
    """What a sitting of a protocol with a display check begins with."""
    for squares in ("dark", "bright"):
        page.get_by_label(f"Digits in the {squares} squares").fill("0")
    page.get_by_label("Dim").check()
    page.get_by_role("button", name="Store and start reading").click()
    page.locator("#reading").wait_for()


def settle(page: Page) -> None:
    page.locator("#reading[data-painted]").wait_for(timeout=TASK)
    page.wait_for_function(SETTLED, timeout=TASK)


def read_period(page: Page, reader: str, period: int, cases: int, on_case: Callable[[Page, Read], None]) -> list[Read]:
    """All cases of a period; the page itself goes from one to the next."""
    done = []
    for position in range(1, cases + 1):
        slot = page.locator("#reading").get_attribute("data-slot")
        read = answer(page, reader, period, position)
        on_case(page, read)
        done.append(read)
        page.keyboard.press("Enter")
        if position < cases:
            page.locator(f"#reading:not([data-slot='{slot}'])").wait_for(timeout=TASK)
            settle(page)
    page.wait_for_url(lambda url: "/reading/" in url and str(slot) not in url, timeout=TASK)
    return done


def answer(page: Page, reader: str, period: int, position: int) -> Read:
    """Decide and rate by keys; every other case positive, every rating another one."""
    arm = page.locator("#arm").inner_text()
    assert arm in (f"Period {period} · Unaided", f"Period {period} · Aided"), arm
    aided = arm.endswith("Aided")
    expect(page.locator("#progress")).to_contain_text(str(position))
    panel = page.locator("#assistance")
    said = panel.inner_text() if panel.is_visible() else ""
    decision = position % 2 == period % 2
    rating = (51 if decision else 1) + 3 * position
    page.keyboard.press("y" if decision else "n")
    page.keyboard.type(str(rating))
    page.keyboard.press("Escape")
    return Read(reader, period, position, aided, decision, rating, said)
