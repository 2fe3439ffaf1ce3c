"""Steps of undo that outlive a reload, written and read in a real browser."""

import pytest
from playwright.sync_api import Page

from tests.readerstudy.reference.modules import said

KEPT = """(m, saved) => import("/static/reference/history.js").then(({ History }) => {
    sessionStorage.clear();
    sessionStorage.setItem("annotation:other:c", "x");
    sessionStorage.setItem("reading:s", "y");
    const mark = (n, runs) =>
        ({ key: `k${n}`, kind: runs ? "mask" : "point", series: 0, slice: 0, label: "", points: [[n, n]], runs });
    const history = new History({ marks: [], rejected: [] });
    const add = (n) => ({ marks, rejected }) => ({ marks: [...marks, Object.freeze(mark(n))], rejected });
    for (let n = 0; n < 6; n++) history.change(add(n));
    history.undo(); history.undo();
    const states = history.steps.states;
    const typed = { verdict: "", note: "" };
    const form = { now: { verdict: "positive", note: "Cleft" }, before: typed };
    new m.Kept("me:c").write(history.steps, states[saved], form);
    const server = JSON.parse(JSON.stringify(states[saved]));
    const found = new m.Kept("me:c").read(server, typed);
    const again = new History({ marks: [], rejected: [] });
    again.restore(found);
    const told = [again.state.marks.length];
    while (again.redo()); told.push(again.state.marks.length);
    while (again.undo()); told.push(again.state.marks.length, found.form.note, Object.keys(sessionStorage).sort());
    told.push(new m.Kept("me:c").read({ marks: [mark(77)], rejected: [] }, typed));
    const large = new History({ marks: [], rejected: [] });
    const runs = (n) => Array.from({ length: 20_000 }, (_, k) => 10 + ((n * 7 + k * (n + 1)) % 90));
    for (let n = 0; n < 60; n++) large.change(() => ({ marks: [mark(n, runs(n))], rejected: [] }));
    const wrote = new m.Kept("me:d").write(large.steps, large.state, { now: typed, before: typed });
    const reader = new m.Kept("me:d");
    const kept = reader.read(large.state, typed);
    told.push(wrote, kept.states.length > 5, kept.states.length + reader.dropped, kept.at === kept.states.length - 1);
    told.push(sessionStorage.getItem("annotation:me:d").length < 1_500_001);
    return told;
})"""
STROKES = """(m) => import("/static/reference/history.js").then(({ History }) => {
    sessionStorage.clear();
    const history = new History({ marks: [], rejected: [] });
    // Row by row, as a mask of three thousand rows has it; each stroke changes some runs in its middle.
    let runs = Array.from({ length: 6001 }, (_, n) => 400 + (n % 700));
    for (let n = 0; n < 1500; n++) {
        const at = (n * 37) % 5900;
        runs = runs.with(at, runs[at] + 1).toSpliced(at + 3, n % 3, n, n + 1);
        const mask = Object.freeze({ key: "k", kind: "mask", series: 0, slice: 0, label: "", points: [], runs });
        history.change(({ rejected }) => ({ marks: [mask], rejected }));
    }
    const typed = { verdict: "", note: "" };
    new m.Kept("me:c").write(history.steps, history.state, { now: typed, before: typed });
    const reader = new m.Kept("me:c");
    const { states } = reader.read(history.state, typed);
    const alike = states.every((state, n) => m.sameState(state, history.steps.states[n]));
    return [states.length, alike, reader.dropped, sessionStorage.getItem("annotation:me:c").length];
})"""


@pytest.mark.parametrize("saved", [4, 2])
def test_steps_of_undo_outlive_a_reload(page: Page, saved: int) -> None:
    """The server has the state after `saved` strokes; two of six are undone; what another owner kept goes."""
    assert said(page, "kept", KEPT, saved) == [
        4, 6, 0, "Cleft", ["annotation:me:c", "reading:s"], None, True, True, 61, True, True,
    ]  # fmt: skip


def test_fifteen_hundred_strokes_on_a_film_can_be_undone_after_a_reload(page: Page) -> None:
    """Written whole they would be forty million characters."""
    states, alike, dropped, written = said(page, "kept", STROKES)
    assert (states, alike, dropped) == (1501, True, 0)
    assert written < 500_000
