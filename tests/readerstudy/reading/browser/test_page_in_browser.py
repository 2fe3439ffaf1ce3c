"""What a reader does on the reading page, and what reaches the server: consistent, recorded, kept, sent once."""

import uuid
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.readerstudy.reading.browser.page_server import (
    AIDED,
    BOX,
    FRACTURED,
    QUESTIONS,
    SOUND,
    Desk,
    picture,
    read,
    soon,
    switched,
)

STORED: tuple[int, dict[str, str], dict[str, Any]] = (200, {}, {"next": None, "finished": True})
LEVEL = {
    "key": "level",
    "kind": "choice",
    "text": "Most severe level",
    "help": "",
    "required": True,
    "choices": [{"value": "t12", "label": "T12"}, {"value": "l1", "label": "L1"}],
}
LOSS = {
    "key": "loss",
    "kind": "number",
    "text": "Height loss",
    "help": "",
    "required": False,
    "minimum": 0,
    "maximum": 100,
    "unit": "%",
}


def answer(page: Page, decision: str = "y", rating: str = "80") -> None:
    page.keyboard.press(decision)
    page.keyboard.type(rating)


def errors(page: Page) -> list[str]:
    return [text for text in page.locator(".question .error").all_inner_texts() if text]


# Answers


def test_a_case_is_read_by_keyboard_alone(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]], questions=[*QUESTIONS, LEVEL, LOSS])
    desk.replies = [STORED]
    read(page, desk, "a")
    page.keyboard.press("2")
    page.keyboard.type("75")
    page.keyboard.press("q")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    [sent] = desk.posted("/submit")
    assert sent["answers"] == {"fracture": True, "confidence": 75, "level": "t12"}
    assert uuid.UUID(sent["client_key"]).version == 4
    assert sent["exposures"] == []


@pytest.mark.parametrize(("decision", "lowest", "highest"), [("n", "0", "49"), ("y", "50", "100")])
def test_the_scale_follows_the_decision(page: Page, desk: Desk, decision: str, lowest: str, highest: str) -> None:
    desk.add_case("a", [[picture()]])
    read(page, desk, "a")
    slider = page.get_by_label("How likely is a fracture?, slider")
    assert (slider.get_attribute("min"), slider.get_attribute("max")) == ("0", "100")
    page.keyboard.press(decision)
    assert (slider.get_attribute("min"), slider.get_attribute("max")) == (lowest, highest)
    outside = str(int(highest) + 1) if decision == "n" else str(int(lowest) - 1)
    page.keyboard.type(outside)
    page.keyboard.press("Enter")
    assert errors(page) == [f"The rating must lie from {lowest} to {highest} to agree with your decision."]
    assert desk.posted("/submit") == []
    slider.focus()
    page.keyboard.press("End")
    expect(page.get_by_label("How likely is a fracture?", exact=True)).to_have_value(highest)


def test_a_changed_decision_clears_a_rating_that_contradicts_it(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    read(page, desk, "a")
    answer(page, "y", "80")
    rating = page.get_by_label("How likely is a fracture?", exact=True)
    page.get_by_label("No fracture").check()
    expect(rating).to_have_value("")
    expect(page.get_by_text("Rating 80 cleared: “No fracture” needs 0 to 49.")).to_be_visible()
    rating.fill("30")
    page.get_by_label("No fracture").check()
    expect(rating).to_have_value("30")


def test_no_rating_is_suggested(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    read(page, desk, "a")
    page.keyboard.press("Enter")
    assert errors(page) == ["Please choose an answer.", "Please give a rating."]
    expect(page.get_by_role("alert")).to_have_text("2 answers need your attention.")
    expect(page.get_by_label("No fracture")).to_be_focused()
    assert desk.posted("/submit") == []
    page.keyboard.press("n")
    page.keyboard.type("30")
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("101", "The number must be at least 0 and at most 100."),
        ("-0.5", "The number must be at least 0 and at most 100."),
        ("1e1", "Please give a plain number, such as 12.5."),
        ("12 5", "Please give a plain number, such as 12.5."),
    ],
)
def test_numbers_outside_are_refused_in_words(page: Page, desk: Desk, typed: str, sentence: str) -> None:
    desk.add_case("a", [[picture()]], questions=[LOSS])
    desk.replies = [STORED]
    read(page, desk, "a")
    field = page.get_by_label("Height loss")
    field.fill(typed)
    field.press("Enter")
    assert errors(page) == [sentence]
    field.fill("12,5")
    field.press("Enter")
    page.wait_for_url("**/reading/finished/")
    assert desk.posted("/submit")[0]["answers"] == {"loss": 12.5}


# Sending


def test_a_submission_is_kept_repeated_and_sent_under_one_key(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    desk.add_case("b", [[picture(1)]])
    desk.replies = [(503, {"Retry-After": "1"}, {}), (200, {}, {"next": "b", "finished": False})]
    read(page, desk, "a")
    answer(page)
    page.keyboard.press("Enter")
    banner = page.get_by_role("alert")
    expect(banner).to_contain_text("The server is busy. Your answer is kept here and sent again.")
    expect(page.locator("#save-state")).to_have_text("Not saved – retrying")
    expect(page.get_by_label("No fracture")).to_be_disabled()
    assert desk.got("/reading/b/case.json") == 0
    page.wait_for_selector("#reading[data-painted=b]")
    first, second = desk.posted("/submit")
    assert first == second
    expect(banner).to_be_hidden()
    # Of the case that is on the screen now only how its images stand may be kept.
    kept = page.evaluate("Object.entries(localStorage).filter(([key]) => key.startsWith('reading:')).flat()")
    assert "pending" not in "".join(kept)
    assert not any(part.endswith(":a") for part in kept)


def test_who_signed_in_again_elsewhere_is_told_to_reload_and_loses_nothing(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    # A new log-in has a new token: Django answers the old one with a page of its own.
    desk.replies = [(403, {"Content-Type": "text/html"}, {}), STORED]
    read(page, desk, "a")
    answer(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Reload this page; your answers are kept.")
    page.reload()
    page.wait_for_url("**/reading/finished/")
    first, second = desk.posted("/submit")
    assert first == second


def test_an_unacknowledged_answer_survives_a_reload(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    desk.replies = [(503, {"Retry-After": "60"}, {}), STORED]
    read(page, desk, "a")
    answer(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("sent again")
    page.reload()
    page.wait_for_url("**/reading/finished/")
    first, second = desk.posted("/submit")
    assert first == second


def test_while_offline_nothing_moves_on(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    desk.replies = [STORED]
    read(page, desk, "a")
    answer(page)
    page.context.set_offline(True)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This computer is offline.")
    expect(page.get_by_label("How likely is a fracture?", exact=True)).to_have_value("80")
    assert page.url.endswith("/reading/a/")
    page.context.set_offline(False)
    page.wait_for_url("**/reading/finished/")
    assert len(desk.posted("/submit")) == 1


def test_refused_answers_stay_and_say_why(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    refusal = {"error": "One answer was refused.", "errors": {"confidence": "Not a rating of this study."}}
    desk.replies = [(422, {}, refusal), STORED]
    read(page, desk, "a")
    answer(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("One answer was refused.")
    assert errors(page) == ["Not a rating of this study."]
    expect(page.get_by_label("How likely is a fracture?", exact=True)).to_be_focused()
    page.keyboard.type("90")
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    first, second = desk.posted("/submit")
    assert second["answers"] == {"fracture": True, "confidence": 90}
    assert first["client_key"] != second["client_key"]


def test_other_stored_answers_end_the_case(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    desk.replies = [(409, {}, {"error": "Other answers were stored for this case at 12:03."})]
    read(page, desk, "a")
    answer(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Other answers were stored for this case at 12:03.")
    expect(page.get_by_label("No fracture")).to_be_disabled()
    page.get_by_role("link", name="To your work list").click()
    page.wait_for_url("**/reading/")


def test_drafts_are_saved_after_a_rest_and_come_back(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    read(page, desk, "a")
    answer(page, "n", "12")
    expect(page.locator("#save-state")).to_have_text("Not saved yet")
    expect(page.locator("#save-state")).to_contain_text("Saved ")
    [draft] = desk.posted("/draft")
    assert draft["answers"] == {"fracture": False, "confidence": 12}
    assert draft["activity"]["duration_ms"] >= 800

    desk.cases["a"]["draft"] = {"fracture": True, "confidence": 66}
    read(page, desk, "a")
    expect(page.locator("#save-state")).to_have_text("Your draft is restored")
    expect(page.get_by_role("radio", name="Fracture", exact=True)).to_be_checked()
    expect(page.get_by_label("How likely is a fracture?", exact=True)).to_have_value("66")


# From case to case


def test_the_next_case_is_swapped_in_place_from_what_is_here(page: Page, desk: Desk) -> None:
    first = desk.add_case("a", [[picture()]])
    second = desk.add_case("b", [[picture(1)]])
    second["progress"] = {"done": 23, "total": 300}
    first["next_prefetch"] = {"slot": "b", "series": second["series"]}
    desk.replies = [(200, {}, {"next": "b", "finished": False})]
    read(page, desk, "a")
    page.evaluate("document.body.dataset.same = 'yes'")
    expect(page.locator("#progress")).to_have_text("23 / 300")
    assert desk.got("/reading/b/case.json") == 0
    answer(page)
    page.keyboard.press("Enter")
    page.wait_for_selector("#reading[data-painted=b]")
    expect(page.locator("#progress")).to_have_text("24 / 300")
    expect(page.get_by_label("How likely is a fracture?", exact=True)).to_have_value("")
    assert page.url.endswith("/reading/b/")
    assert page.locator("body").get_attribute("data-same") == "yes"
    assert desk.got("/reading/b/frame/0-0") == 1


def test_no_answer_before_the_image_is_seen(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[picture()]])
    body = desk.bodies.pop("/reading/a/frame/0-0")
    page.goto(f"{desk.address}/reading/a/")
    expect(page.locator(".pane-message")).to_contain_text("The image could not be loaded; it is tried again.")
    answer(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The image is still loading.")
    desk.bodies[case["series"][0]["frames"][0]["url"]] = body
    page.wait_for_selector("#reading[data-painted=a]")
    assert desk.posted("/submit") == []


def test_the_pause_saves_first(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    desk.replies = [(200, {}, {"url": "/reading/paused/"})]
    read(page, desk, "a")
    answer(page)
    page.keyboard.press("Shift+B")
    page.wait_for_url("**/reading/paused/")
    assert [path for method, path, _ in desk.asked if method == "POST"] == ["/reading/a/draft", "/reading/a/pause"]


# Model output and activity


def test_nothing_of_a_model_is_on_an_unaided_page(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    read(page, desk, "a")
    page.keyboard.press("h")
    for key in "mkxlg":
        page.keyboard.press(key)
    expect(page.locator("#assistance")).to_be_hidden()
    assert page.locator("#assistance").inner_html() == ""
    assert not [path for _, path, _ in desk.asked if "heatmap" in path or "mask" in path]


def test_what_the_model_shows_is_drawn_and_recorded(page: Page, desk: Desk) -> None:
    grey = np.zeros((8, 8), np.uint8)
    grey[4:] = 255
    heatmap = desk.add_plane("a", "heatmap", grey)
    desk.add_case("a", [[np.zeros((64, 64), np.uint16)]], assistance=AIDED | {"heatmaps": [heatmap]})
    desk.replies = [STORED]
    read(page, desk, "a")
    panel = page.locator("#assistance")
    expect(panel).to_contain_text("83.4 % probability")
    expect(panel).to_contain_text("Positive: at or above the operating point of 41.0 %")
    expect(panel).to_contain_text("Output of spine-net 1.2.0")
    assert desk.got(heatmap["url"]) == 0
    page.keyboard.press("h")
    button = page.get_by_role("button", name="Heat map")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Opacity").fill("100")
    colour = "(c, y) => Array.from(c.getContext('2d').getImageData(c.width / 2, c.height * y, 1, 1).data)"
    overlay = page.locator("canvas.overlay")
    soon(lambda: overlay.evaluate(colour, 0.9), [189, 0, 38, 255])
    assert overlay.evaluate(colour, 0.2) == [0, 0, 0, 0]
    # From 0.2 s of rest on it counts as looked at.
    page.wait_for_timeout(400)
    page.keyboard.press("h")
    page.keyboard.press("h")
    answer(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    exposures = desk.posted("/submit")[0]["exposures"]
    assert switched(exposures) == [
        ("probability", "shown"),
        ("heatmap", "shown"),
        ("heatmap", "shown"),
        ("heatmap", "hidden"),
        ("heatmap", "shown"),
        ("probability", "hidden"),
        ("heatmap", "hidden"),
    ]
    times = [one["t"] for one in exposures]
    assert times == sorted(times)
    assert [one["opacity"] for one in exposures if "opacity" in one] == [50, 100, 100]
    on_screen = [(one["kind"], one["event"], one["image"]) for one in exposures if "image" in one]
    assert on_screen[:1] == [("heatmap", "shown", 1)]
    assert on_screen[-1:] == [("heatmap", "hidden", 1)]


def test_a_break_is_offered_when_it_is_due(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    page.clock.install()
    read(page, desk, "a")
    offer = page.get_by_text("You have read for 30 minutes.")
    for _ in range(29):
        page.clock.run_for(60_000)
        page.mouse.move(300, 300)
        page.mouse.move(310, 300)
    expect(offer).to_be_hidden()
    page.clock.run_for(66_000)
    expect(offer).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(offer).to_be_hidden()


# For everybody


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_the_page_fits_and_passes_axe(page: Page, desk: Desk, size: tuple[int, int]) -> None:
    planes = [desk.add_plane("a", kind, np.full((8, 8), 200, np.uint8)) for kind in ("heatmap", "mask")]
    found = {"heatmaps": planes[:1], "masks": planes[1:], "boxes": [BOX], "levels": [FRACTURED, SOUND]}
    questions = [*QUESTIONS, LEVEL, LOSS]
    desk.add_case("a", [[picture()], [picture(1)]], questions=questions, assistance=AIDED | found)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    read(page, desk, "a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") == size[1]
    viewer = page.locator("#viewer").bounding_box()
    assert viewer is not None
    assert viewer["width"] * viewer["height"] > 0.6 * size[0] * size[1]
    page.keyboard.press("Escape")
    results = Axe().run(page)
    assert results.response["violations"] == []
