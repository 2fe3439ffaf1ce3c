"""Time at work as the page notes it; a case goes on in another browser where the first one stopped."""

from playwright.sync_api import Page, expect

from tests.readerstudy.reading.browser.page_server import AIDED, Desk, picture, read

EVENTS = [{"t": 400, "kind": "loaded"}, {"t": 20_000, "kind": "hidden"}]
TOGGLES = [{"kind": "probability", "event": "shown", "t": 500}, {"kind": "probability", "event": "hidden", "t": 20_000}]
DRAFT = {"fracture": True, "confidence": 80}


def test_what_was_done_elsewhere_is_sent_with_the_answers(page: Page, desk: Desk) -> None:
    log = {"elapsed_ms": 3_600_000, "events": EVENTS, "exposures": TOGGLES}
    desk.add_case("a", [[picture()]], assistance=AIDED, activity=log)["draft"] = DRAFT
    read(page, desk, "a")
    desk.replies.append((200, {}, {"next": None, "finished": True}))
    page.locator("#submit").click()
    expect(page.get_by_role("heading", name="Other page")).to_be_visible()
    (sent,) = desk.posted("/submit")
    assert sent["activity"]["events"][:2] == EVENTS
    assert [event["kind"] for event in sent["activity"]["events"][2:4]] == ["visible", "loaded"]
    assert 3_600_000 <= sent["activity"]["events"][2]["t"] <= sent["activity"]["duration_ms"] < 3_700_000
    assert sent["exposures"][:2] == TOGGLES


def test_a_pause_leaves_the_log_with_the_server_though_nothing_was_entered(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]], assistance=AIDED)
    read(page, desk, "a")
    desk.replies.append((200, {}, {"url": "/paused/"}))
    page.locator("#pause").click()
    expect(page.get_by_role("heading", name="Other page")).to_be_visible()
    first = desk.posted("/draft")[0]
    assert first["answers"] == {}
    assert [event["kind"] for event in first["activity"]["events"]][:1] == ["loaded"]
    assert [(one["kind"], one["event"]) for one in first["exposures"]] == [
        ("probability", "shown"),
        ("probability", "hidden"),
    ]


def test_idle_time_begins_and_ends_by_itself(page: Page, desk: Desk) -> None:
    """With a clock of its own: idle 30 s after the last sign of life, active at the next one."""
    page.goto(f"{desk.address}/other/")
    script = """import('/static/reading/activity.js').then(({ Activity }) => {
        let time = 1000;
        const log = new Activity({ idleAfter: 30000, clock: () => time });
        for (const [passed, action] of [
            [29999, "check"], [1, "check"], [5000, "check"], [5000, "sign"], [10, "sign"],
        ]) {
            time += passed;
            log[action]();
        }
        log.record("blur");
        time -= 90000;
        log.record("focus");
        return log.summary();
    })"""
    summary = page.evaluate(script)
    assert [(event["kind"], event["t"]) for event in summary["events"]] == [
        ("idle", 30000),
        ("active", 40000),
        ("blur", 40010),
        ("focus", 40010),
    ]
    assert summary["duration_ms"] == 40010
