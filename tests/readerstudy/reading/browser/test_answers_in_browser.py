"""Every kind of question by keyboard, what depends on what, and cases that cannot be read."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.readerstudy.reading.browser.page_server import AIDED, QUESTIONS, Desk, picture, read, switched

STORED: tuple[int, dict[str, str], dict[str, Any]] = (200, {}, {"next": None, "finished": True})
DECISION = QUESTIONS[0]
GRADES = [{"value": str(grade), "label": str(grade)} for grade in range(4)]
LEVELS = [{"value": name.lower(), "label": name} for name in ("T11", "T12", "L1")]


def question(key: str, kind: str, **facts: Any) -> dict[str, Any]:
    return {"key": key, "kind": kind, "text": f"About {key}?", "help": "", "required": True, "choices": []} | facts


POINTS = question("birads", "confidence", minimum=1, maximum=5, scale="points", agrees_with="fracture", threshold=3)
SIGNS = question("signs", "choices", choices=LEVELS, required=False)
GENANT = question("genant", "grid", items=LEVELS, choices=GRADES)
FEATURES = question(
    "features",
    "grid",
    items=[{"value": f"f{n}", "label": f"Imaging feature {n}"} for n in range(15)],
    choices=[{"value": value, "label": value.title()} for value in ("absent", "present")],
)
MARKS = question("froc", "marks", minimum=0, maximum=100)
LEVEL = question("level", "level", choices=LEVELS, depends_on="fracture", depends_on_values=[True])


def sent_from(desk: Desk) -> dict[str, Any]:
    answers: dict[str, Any] = desk.posted("/submit")[-1]["answers"]
    return answers


def test_points_grids_and_choices_take_one_key_each(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]], questions=[DECISION, POINTS, GENANT, FEATURES, SIGNS])
    desk.replies = [STORED]
    read(page, desk, "a")
    # A grade is its own key; other answers have their number.
    for key in ("y", "4", "0", "2", "1", *"121211212121122"):
        page.keyboard.press(key)
    page.get_by_role("checkbox", name="T12").focus()
    page.keyboard.press("2")
    page.keyboard.press("3")
    assert Axe().run(page).response["violations"] == []
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    assert sent_from(desk) == {
        "fracture": True,
        "birads": 4,
        "genant": {"t11": "0", "t12": "2", "l1": "1"},
        "features": {f"f{n}": "present" if key == "2" else "absent" for n, key in enumerate("121211212121122")},
        "signs": ["t12", "l1"],
    }


def test_points_that_contradict_the_decision_are_closed(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]], questions=[DECISION, POINTS])
    read(page, desk, "a")
    page.keyboard.press("y")
    page.keyboard.press("2")
    expect(page.get_by_role("radio", name="2")).to_be_disabled()
    page.keyboard.press("5")
    expect(page.get_by_role("radio", name="5")).to_be_checked()
    page.keyboard.press("n")
    expect(page.get_by_text("Rating 5 cleared: “No fracture” needs 1 to 2.")).to_be_visible()
    expect(page.get_by_role("radio", name="5")).to_be_disabled()


def test_a_grid_with_an_open_row_is_not_sent_and_the_rest_is_filled_at_once(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]], questions=[GENANT])
    desk.replies = [STORED]
    read(page, desk, "a")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Please answer every row; open is T12.")).to_be_visible()
    page.get_by_role("button", name="“0” for all open rows").press("Enter")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/reading/finished/")
    assert sent_from(desk) == {"genant": {"t11": "2", "t12": "0", "l1": "0"}}


def test_a_branch_comes_and_goes_with_the_answer_before_it(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]], questions=[DECISION, LEVEL])
    desk.replies = [STORED]
    read(page, desk, "a")
    expect(page.get_by_text("About level?")).to_be_hidden()
    page.keyboard.press("y")
    expect(page.get_by_text("About level?")).to_be_visible()
    page.keyboard.press("3")
    page.keyboard.press("n")
    expect(page.get_by_text("About level?")).to_be_hidden()
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    assert sent_from(desk) == {"fracture": False}


def test_marks_are_placed_by_key_or_double_click_and_each_is_rated(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture(rows=60, columns=40)]], questions=[MARKS])
    desk.replies = [STORED]
    read(page, desk, "a")
    page.keyboard.press("b")
    page.keyboard.type("70")
    page.keyboard.press("Escape")
    box = page.locator(".pane").bounding_box()
    assert box is not None
    page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Please rate every mark from 0 to 100.")).to_be_visible()
    entries = page.locator(".marks input")
    assert [entries.nth(n).get_attribute("aria-invalid") for n in range(2)] == ["false", "true"]
    page.keyboard.type("15")
    assert Axe().run(page).response["violations"] == []
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    middle, upper = sent_from(desk)["froc"]
    assert (middle["image"], middle["rating"], upper["rating"]) == (1, 70, 15)
    assert abs(middle["x"] - 20) < 1
    assert abs(middle["y"] - 30) < 1
    assert upper["y"] < 20


def test_no_mark_is_an_answer_and_a_mark_can_be_taken_away(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]], questions=[MARKS])
    desk.replies = [STORED]
    read(page, desk, "a")
    page.keyboard.press("b")
    page.get_by_role("button", name="Remove mark 1").press("Enter")
    page.get_by_role("button", name="Mark a place").blur()
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    assert sent_from(desk) == {"froc": []}


def test_a_case_that_is_not_readable_is_left_with_a_reason(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]], unreadable=["Poor image quality", "Other"])
    desk.replies = [STORED]
    read(page, desk, "a")
    page.keyboard.press("Shift+N")
    expect(page.get_by_label("Poor image quality")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    [sent] = desk.posted("/submit")
    assert (sent["unreadable"], sent["answers"]) == ("Other", {})


def test_who_answers_after_opening_the_reasons_has_read_the_case(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]], unreadable=["Poor image quality", "Other"])
    desk.replies = [STORED]
    read(page, desk, "a")
    page.keyboard.press("Shift+N")
    expect(page.get_by_label("Poor image quality")).to_be_checked()
    page.get_by_label("No fracture").click()
    expect(page.locator("#unreadable")).not_to_have_attribute("open", "")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.type("30")
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    [sent] = desk.posted("/submit")
    assert (sent["unreadable"], sent["answers"]) == ("", {"fracture": False, "confidence": 30})


def test_the_own_answer_is_committed_before_the_output_comes_up(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[picture()]], stage="first")
    desk.replies = [(200, {}, {"next": "a", "finished": False, "stage": "final"}), STORED]
    read(page, desk, "a")
    expect(page.get_by_role("button", name="Commit your answer")).to_be_visible()
    expect(page.locator("#assistance")).to_be_hidden()
    page.keyboard.press("n")
    page.keyboard.type("30")
    case |= {"stage": "final", "assistance": AIDED, "draft": {"fracture": False, "confidence": 30}}
    page.keyboard.press("Enter")
    expect(page.get_by_text("Output of spine-net 1.2.0")).to_be_visible()
    expect(page.get_by_label("No fracture")).to_be_checked()
    page.keyboard.press("y")
    page.keyboard.type("90")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/reading/finished/")
    first, final = desk.posted("/submit")
    assert (first["stage"], first["answers"], first["exposures"]) == (
        "first",
        {"fracture": False, "confidence": 30},
        [],
    )
    assert (final["stage"], final["answers"]) == ("final", {"fracture": True, "confidence": 90})
    assert [event for _, event in switched(final["exposures"])] == ["shown", "hidden"]


def test_output_on_request_comes_with_one_key(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[picture()]], on_request=True)
    desk.replies = [(200, {}, case | {"on_request": False, "assistance": AIDED})]
    read(page, desk, "a")
    page.keyboard.press("y")
    page.keyboard.type("60")
    expect(page.get_by_role("button", name="Show the model's output")).to_be_visible()
    page.keyboard.press("g")
    expect(page.get_by_text("Output of spine-net 1.2.0")).to_be_visible()
    expect(page.get_by_label("How likely is a fracture?", exact=True)).to_have_value("60")
