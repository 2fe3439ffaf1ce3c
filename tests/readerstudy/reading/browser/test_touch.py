"""Fingers on a touch screen: one does what the tool says, two move the image and zoom about their middle."""

from collections.abc import Iterator, Sequence

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.readerstudy.reading.browser.page_server import Desk, drawn, picture, read
from tests.readerstudy.reading.browser.test_view_resumed import kept

Points = Sequence[tuple[float, float]]


class Hand:
    """Fingers as the browser hears of them from the screen."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self.page, self.session = page, session

    def send(self, kind: str, points: Points) -> None:
        fingers = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    def drag(self, start: Points, end: Points, steps: int = 8) -> None:
        """One finger after the other comes down, all move together and leave."""
        for n in range(len(start)):
            self.send("touchStart", start[: n + 1])
        for step in range(1, steps + 1):
            share = step / steps
            pairs = zip(start, end, strict=True)
            self.send("touchMove", [(x + share * (u - x), y + share * (v - y)) for (x, y), (u, v) in pairs])
        self.send("touchEnd", [])
        drawn(self.page)


@pytest.fixture
def hand(browser: Browser, desk: Desk) -> Iterator[Hand]:
    with browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True) as context:
        page = context.new_page()
        desk.add_case("a", [[picture(n) for n in range(30)]])
        read(page, desk, "a")
        yield Hand(page, context.new_cdp_session(page))


def middle_of(page: Page) -> tuple[float, float, float]:
    """Of the viewport, and how many pixels of it one of the image takes where all of it is seen."""
    box = page.locator(".pane").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, min(box["width"] / 40, box["height"] / 60)


def under(page: Page, finger: tuple[float, float]) -> tuple[float, float]:
    """The point of the image of 40 columns and 60 rows under a finger, from how the view says that it stands."""
    view = kept(page)["panes"][0]
    x, y, scale = middle_of(page)
    column = 40 * view["centre"]["x"] + (finger[0] - x) / (scale * view["zoom"])
    return column, 60 * view["centre"]["y"] + (finger[1] - y) / (scale * view["zoom"])


def choose_scrolling(page: Page) -> None:
    tool = page.get_by_role("button", name="Scroll")
    tool.click()
    expect(tool).to_have_attribute("aria-pressed", "true")


def test_two_fingers_hold_the_image_between_them(hand: Hand) -> None:
    page = hand.page
    x, y, _ = middle_of(page)
    start = [(x - 60.0, y - 10.0), (x + 20.0, y + 50.0)]
    # Twice as far apart, and moved.
    end = [(x - 80.0, y - 70.0), (x + 80.0, y + 50.0)]
    page.keyboard.press("d")
    hand.drag(start[:1], start[:1])
    held = [under(page, finger) for finger in start]
    hand.drag(start, end)
    assert kept(page)["panes"][0]["zoom"] == pytest.approx(2)
    for before, after in zip(held, [under(page, finger) for finger in end], strict=True):
        assert after == pytest.approx(before, abs=0.05)
    # The first of the two fingers set no point of the length, whose other end comes only now; nor is the view another.
    hand.drag([(x, y)], [(x, y)])
    expect(page.locator(".measure circle")).to_have_count(2)
    expect(page.locator(".caption")).to_have_text("Series 1 · 15 / 30")
    expect(page.locator(".readout")).to_contain_text("C 2048  W 4096")
    hand.drag(end, start)
    assert kept(page)["panes"][0]["zoom"] == pytest.approx(1)


def test_one_finger_does_what_the_tool_says(hand: Hand) -> None:
    page = hand.page
    x, y, _ = middle_of(page)
    hand.drag([(x, y)], [(x + 100, y)])
    # exp(100 / 300) times as wide
    expect(page.locator(".readout")).to_contain_text("W 5716")
    choose_scrolling(page)
    hand.drag([(x, y - 40)], [(x, y + 40)])
    # Three images for every 40 pixels.
    expect(page.locator(".caption")).to_have_text("Series 1 · 21 / 30")
    expect(page.locator(".readout")).to_contain_text("W 5716")
    hand.drag([(x, y + 200)], [(x, y - 200)])
    expect(page.locator(".caption")).to_have_text("Series 1 · 1 / 30")


def test_where_one_image_is_there_is_nothing_to_scroll(hand: Hand, desk: Desk) -> None:
    page = hand.page
    choose_scrolling(page)
    desk.add_case("b", [[picture()]])
    read(page, desk, "b")
    expect(page.get_by_role("button", name="Scroll")).to_be_hidden()
    page.keyboard.press("Shift+W")
    x, y, _ = middle_of(page)
    hand.drag([(x, y)], [(x + 100, y)])
    expect(page.locator(".readout")).to_contain_text("W 5716")
