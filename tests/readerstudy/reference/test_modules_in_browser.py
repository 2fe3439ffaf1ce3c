"""The pure modules of the truthers' page in a real browser, against the server's arithmetic and identities."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page
from scipy import ndimage

from readerstudy.reference import runs
from readerstudy.reference.morphometry import Heights, grade_of, heights_of
from readerstudy.reference.outlines import crosses, fault_of
from tests.readerstudy.reference.modules import said


def disc(rows: int, columns: int, y: float, x: float, radius: float) -> np.ndarray:
    down, across = np.mgrid[:rows, :columns] + 0.5
    found: np.ndarray = (down - y) ** 2 + (across - x) ** 2 <= radius**2
    return found


# Masks


def test_masks_have_one_form_on_both_sides(page: Page) -> None:
    masks = [np.random.default_rng(seed).random((seed + 1, 9)) < 0.4 for seed in range(8)]
    masks += [np.zeros((3, 3), bool), np.ones((3, 3), bool)]
    flat = [mask.ravel().astype(int).tolist() for mask in masks]

    encoded = said(page, "runs", "(m, all) => all.map((one) => m.encode(Uint8Array.from(one)))", flat)

    assert [tuple(one) for one in encoded] == [runs.encode(mask) for mask in masks]
    back = said(page, "runs", "(m, all) => all.map(([r, size]) => Array.from(m.decode(r, size)))",
                [[one, len(pixels)] for one, pixels in zip(encoded, flat, strict=True)])  # fmt: skip
    assert back == flat


def test_a_stroke_is_all_within_its_radius(page: Page) -> None:
    """A dot is a disc; a stroke is the union of its dots; pixels twice as high make it half as many rows high."""
    script = """(m, [tall, from, to, radius]) => {
        const bitmap = new Uint8Array(40 * 50);
        const box = m.stroke(bitmap, { rows: 40, columns: 50, tall }, from, to, radius, 1);
        return [Array.from(bitmap), box];
    }"""
    at = {"x": 20.3, "y": 15.8}
    dot, box = said(page, "runs", script, [1, at, at, 6.5])
    assert (np.array(dot).reshape(40, 50) == disc(40, 50, 15.8, 20.3, 6.5)).all()
    assert box == {"left": 13, "top": 9, "right": 27, "bottom": 23}

    there = {"x": 33.1, "y": 27.4}
    line, _ = said(page, "runs", script, [1, at, there, 4])
    dots = [
        disc(40, 50, *(np.array([15.8, 20.3]) + share * np.array([11.6, 12.8])), 4) for share in np.linspace(0, 1, 400)
    ]
    assert np.abs(np.array(line).reshape(40, 50) - np.any(dots, axis=0)).sum() <= 2

    high, _ = said(page, "runs", script, [2, at, at, 8])
    rows = np.flatnonzero(np.array(high).reshape(40, 50).any(axis=1))
    assert len(rows) == 8
    assert said(page, "runs", script, [1, {"x": -30, "y": 5}, {"x": -30, "y": 5}, 4])[1] is None


def test_pictures_of_old_strokes_make_room(page: Page) -> None:
    """Of fifteen strokes on three million pixels thirteen fit; the first is made anew when it is seen again."""
    script = """(m) => {
        const frame = { rows: 1000, columns: 3000 };
        const pictures = new m.MaskPictures();
        const marks = Array.from({ length: 15 }, (_, n) => ({ runs: [n, 100, 3000000 - 100 - n] }));
        const seen = marks.map((mark) => pictures.of(mark, frame, [255, 0, 0]));
        const again = (n) => pictures.of(marks[n], frame, [255, 0, 0]) === seen[n];
        return [pictures.pixels, again(14), again(2), again(0), pictures.pixels];
    }"""
    assert said(page, "masks", script) == [39_000_000, True, True, False, 39_000_000]


# Morphometry


def test_the_page_grades_as_the_server_does(page: Page) -> None:
    chance = np.random.default_rng(1)
    cases = [[*chance.uniform(5, 30, 3).tolist(), near] for near in (None, 18.0, 25.0) for _ in range(40)]
    cases += [[8.0, 9.0, 10.0, None], [7.5, 9.0, 10.0, None], [6.0, 9.0, 10.0, None], [9.0, 9.0, 0.0, None]]
    script = """(m, cases) => cases.map(([anterior, middle, posterior, near]) =>
        m.gradeOf({ anterior, middle, posterior }, near))"""

    for (front, middle, behind, near), found in zip(cases, said(page, "morphometry", script, cases), strict=True):
        ours = grade_of(Heights(front, middle, behind), near)
        if ours is None:
            assert found is None
        else:
            assert (found["grade"], found["kind"]) == (ours.grade, ours.kind)
            assert found["loss"] == pytest.approx(ours.loss, abs=2e-6)


def test_heights_are_measured_alike(page: Page) -> None:
    points = [[10, 5], [15, 6], [20, 5], [20.5, 25], [15, 24], [9, 21]]
    found = said(page, "morphometry", "(m, [points, gaps]) => m.heightsOf(points, gaps)", [points, [0.5, 2.0]])

    ours = heights_of([(x, y) for x, y in points], (0.5, 2.0))
    assert [found["anterior"], found["middle"], found["posterior"]] == pytest.approx(
        [ours.anterior, ours.middle, ours.posterior]
    )


# Between slices


def test_between_two_masks_lies_the_mean_shape(page: Page) -> None:
    """By SciPy's distance transform; half way between discs of radius 5 and 13 lies one of radius 9."""
    first, second = disc(40, 40, 20, 20, 5), disc(40, 40, 20, 20, 13)
    marks = [
        {"kind": "mask", "slice": n, "points": [], "runs": list(runs.encode(m))} for n, m in ((3, first), (7, second))
    ]

    found = said(page, "between", "(m, [a, b]) => m.between(a, b, { rows: 40, columns: 40 })", marks)

    depth = [ndimage.distance_transform_edt(m) - ndimage.distance_transform_edt(~m) for m in (first, second)]
    assert len(found) == 3
    for share, mark in zip((0.25, 0.5, 0.75), found, strict=True):
        expected = (1 - share) * depth[0] + share * depth[1] > 0
        assert (runs.decode(tuple(mark["runs"]), 40, 40) == expected).all()
    middle = runs.decode(tuple(found[1]["runs"]), 40, 40)
    assert middle.sum() == pytest.approx(np.pi * 81, rel=0.03)


def test_between_two_outlines_lie_outlines_of_the_mean_size(page: Page) -> None:
    """The second begins elsewhere, turns the other way and has other corners; half way lies the square of side 15."""
    small = [[0, 0], [10, 0], [10, 10], [0, 10]]
    large = [[20, 20], [20, 0], [10, 0], [0, 0], [0, 20]]
    marks = [{"kind": "polygon", "slice": n, "points": points} for n, points in ((1, small), (3, large))]

    ((found,),) = [said(page, "between", "(m, [a, b]) => m.between(a, b, {})", marks)]

    points = np.array(found["points"])
    x, y = points.T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert area == pytest.approx(15**2, rel=0.02)
    assert (points.min(axis=0).tolist(), points.max(axis=0).tolist()) == ([0, 0], pytest.approx([15, 15], abs=0.3))


def test_points_move_in_a_straight_line(page: Page) -> None:
    marks = [{"kind": "box", "slice": n, "points": p} for n, p in ((0, [[0, 0], [4, 8]]), (4, [[8, 4], [4, 0]]))]
    found = said(page, "between", "(m, [a, b]) => m.between(a, b, {})", marks)

    assert [one["points"] for one in found] == [[[2, 1], [4, 6]], [[4, 2], [4, 4]], [[6, 3], [4, 2]]]
    assert said(page, "between", "(m, [a, b]) => m.between(a, { ...b, slice: 1 }, {})", marks) == []
    # Of a line that was drawn from the other end, the ends that lie nearer belong together.
    lines = [{"kind": "line", "slice": n, "points": p} for n, p in ((0, [[0, 0], [10, 0]]), (2, [[10, 4], [0, 4]]))]
    assert said(page, "between", "(m, [a, b]) => m.between(a, b, {})", lines) == [{"points": [[0, 2], [10, 2]]}]


# The board


BOARD = """(m, script) => {
    const frame = { rows: 40, columns: 40, spacing: [1, 1], calibrated: true };
    const proposed = [{ key: "p-1", kind: "box", series: 0, slice: 0, label: "", points: [[1, 1], [5, 5]] },
                      { key: "p-2", kind: "point", series: 0, slice: 0, label: "", points: [[9, 9]] }];
    const frames = (series, slice) => (series === 0 && slice < 9 ? frame : undefined);
    const board = new m.Board({}, { frames, proposed });
    const told = [];
    const tell = () => told.push(board.marks.map((one) => `${one.kind} ${one.label} ${one.slice}`.replace("  ", " ")));
    const add = (kind, slice, label, points = [[1, 1], [2, 2]]) =>
        board.add({ kind, series: 0, slice, label, points, ...(kind === "mask" ? { runs: [5, 5, 1590] } : {}) });
    const at = (top) => [[1, top], [9, top], [9, top + 5], [1, top + 5]];
    DO
    return told;
}"""


def board(page: Page, what: str) -> Any:
    return said(page, "board", BOARD.replace("DO", what))


def test_undo_goes_back_to_the_first_stroke_and_forward_again(page: Page) -> None:
    told = board(
        page,
        """for (let n = 0; n < 500; n++) add("point", n % 9, `${n}`, [[n % 40, 3]]);
        const all = JSON.stringify(board.marks);
        while (board.history.undo()); tell();
        while (board.history.redo()); told.push(JSON.stringify(board.marks) === all);
        board.history.undo(); board.remove(board.marks[0].key);
        told.push([board.history.canRedo, board.marks.length]);""",
    )
    assert told == [[], True, [False, 498]]


def test_copies_and_slices_between(page: Page) -> None:
    told = board(
        page,
        """const one = add("mask", 1, "body"); const next = board.copy(one.key, 2); tell();
        board.copy(one.key, 2); tell();
        told.push([board.copy(one.key, 9), board.selected === next.key]);
        board.remove(board.marks[1].key); board.copy(one.key, 4); told.push(board.interpolate(one.key)); tell();
        board.history.undo(); tell();""",
    )
    assert told == [
        ["mask body 1", "mask body 2"],
        ["mask body 1", "mask body 2"],
        [None, False],
        2,
        ["mask body 1", "mask body 4", "mask body 2", "mask body 3"],
        ["mask body 1", "mask body 4"],
    ]


def test_of_two_things_of_one_name_each_goes_on_in_its_own_place(page: Page) -> None:
    """Two findings on slices 1, 4 and 7, drawn in another order on each; what is chosen is filled, the other is not."""
    told = board(
        page,
        """const left = (x) => [[x, 5], [x + 4, 9]];
        const chosen = add("box", 4, "Cleft", left(11)); add("box", 4, "Cleft", left(30));
        for (const x of [32, 10]) add("box", 1, "Cleft", left(x));
        for (const x of [13, 29]) add("box", 7, "Cleft", left(x));
        told.push(board.interpolate(chosen.key));
        told.push(board.marks.slice(6).map(({ slice, points }) => [slice, Math.round(points[0][0] * 10)]));""",
    )
    assert told == [4, [[2, 103], [3, 107], [5, 117], [6, 123]]]


def test_a_level_stands_once_on_an_image_and_names_the_rest(page: Page) -> None:
    told = board(
        page,
        """const [low, top, mid] = [30, 1, 15].map((top) => add("vertebra", 0, "", at(top)));
        told.push([board.chain(mid.key, {}), board.name(mid.key, "L1"), board.name(low.key, "L1")]);
        told.push(board.chain(mid.key, {})); tell();
        told.push(add("vertebra", 0, "L1", at(8)).label); board.history.undo(); board.history.undo(); tell();""",
    )
    assert told == [
        [None, True, False],
        {"first": "T12", "last": "L2", "images": 1},
        ["vertebra L2 0", "vertebra T12 0", "vertebra L1 0"],
        "",
        ["vertebra 0", "vertebra 0", "vertebra L1 0"],
    ]


def test_names_go_on_through_a_series_that_is_placed_and_stay_on_a_film_that_is_not(page: Page) -> None:
    script = """const size = { rows: 40, columns: 40, spacing: [1, 1], orientation: [0, 1, 0, 0, 0, -1] };
        for (const placed of [true, false]) {
            board.frames = (_, slice) => ({ ...size, position: placed ? [slice, 0, 0] : null });
            while (board.history.undo());
            const one = add("vertebra", 0, "L1", at(15));
            for (const [slice, top] of [[0, 28], [1, 3], [1, 16]]) add("vertebra", slice, "", at(top));
            told.push(board.chain(one.key, {})); tell();
        }"""
    assert board(page, script) == [
        {"first": "T12", "last": "L2", "images": 2},
        ["vertebra L1 0", "vertebra L2 0", "vertebra T12 1", "vertebra L1 1"],
        {"first": "L1", "last": "L2", "images": 1},
        ["vertebra L1 0", "vertebra L2 0", "vertebra 1", "vertebra 1"],
    ]


def test_a_models_marks_are_kept_or_rejected(page: Page) -> None:
    told = board(
        page,
        """told.push(board.undecided.length); const kept = board.accept("p-1"); board.reject("p-2");
        told.push([kept.proposed, board.undecided.length, board.rejected]);
        board.remove(kept.key); told.push(board.rejected);
        board.history.undo(); told.push([board.marks.length, board.rejected]);
        const copy = board.copy(board.marks[0].key, 1); told.push(copy.proposed ?? null);
        while (board.history.undo()); board.acceptAll(); told.push([board.marks.length, board.undecided.length]);
        told.push(board.marks.map((mark) => board.became(mark)));
        board.put({ ...board.marks[1], points: [[9, 8]] }); told.push(board.marks.map((mark) => board.became(mark)));
        board.history.undo(); board.history.undo(); board.rejectAll();
        told.push([board.refused.length, board.undecided.length]); board.offerAgain();
        told.push([board.refused.length, board.undecided.length, board.became({ kind: "point" })]);""",
    )
    assert told == [
        2, ["p-1", 0, ["p-2"]], ["p-2", "p-1"], [1, ["p-2"]], None, [2, 0],
        ["accepted", "accepted"], ["accepted", "edited"], [2, 0], [0, 2, ""],
    ]  # fmt: skip


def test_an_adjudicator_takes_over_one_mark_or_all_in_the_place_of_their_own(page: Page) -> None:
    told = board(
        page,
        """add("vertebra", 0, "L1", at(2)); add("point", 0, "", [[3, 3]]);
        const theirs = [{ ...board.marks[0], key: "b-1", proposed: "p", points: at(9) },
                        { ...board.marks[1], key: "b-2" }];
        board.take(theirs); tell(); told.push(board.marks.map(({ points }) => points[0][1]));
        told.push(board.marks.some(({ key, proposed }) => key.startsWith("b-") || proposed));
        board.history.undo(); tell();
        board.take(["a-1", "b-3"].map((key) => ({ ...theirs[1], key, proposed: "p-2" })));
        told.push(board.marks.map(({ proposed }) => proposed ?? ""), board.undecided.map(({ key }) => key));""",
    )
    assert told[:4] == [["point 0", "vertebra L1 0", "point 0"], [3, 9, 3], False, ["vertebra L1 0", "point 0"]]
    # What two truthers took from one mark of the model is decided once.
    assert told[4:] == [["", "", "p-2", ""], ["p-1"]]


# Outlines, moving, steps


def test_points_are_taken_back_and_given_again_until_another_is_clicked(page: Page) -> None:
    script = """(m) => {
        const steps = new m.Steps({ series: 0, slice: 2 }, "polygon");
        for (const x of [1, 2, 3]) steps.add([x, x]);
        const told = [steps.back(), steps.back(), steps.points.length, steps.again(), steps.points.at(-1)[0]];
        steps.add([9, 9]);
        told.push(steps.canGoOn, steps.again(), steps.points.map(([x]) => x));
        while (steps.back()); told.push(steps.begun, steps.canGoOn);
        while (steps.again()); told.push(steps.points.map(([x]) => x));
        return told;
    }"""
    assert said(page, "steps", script) == [
        True, True, 1, True, 2, False, False, [1, 2, 9], False, True, [1, 2, 9],
    ]  # fmt: skip


def test_a_vertebra_turned_around_is_told_where_the_image_says_how_it_lies(page: Page) -> None:
    """Front and back, top and bottom by a sagittal orientation or by the sides of a film; else nobody knows."""
    quad = [[10, 10], [30, 10], [30, 25], [10, 25]]
    mirrored, upside = [quad[n] for n in (1, 0, 3, 2)], [quad[n] for n in (3, 2, 1, 0)]
    sagittal = {"orientation": [0, 1, 0, 0, 0, -1], "spacing": [0.5, 0.5]}
    axial, nowhere = {"orientation": [1, 0, 0, 0, 1, 0], "spacing": [1, 1]}, {"letters": None}
    asked = [[points, frame] for frame in (sagittal, axial, nowhere) for points in (quad, mirrored, upside)]
    asked += [[quad, {"letters": ["P", "F"]}], [quad, {"letters": ["A", "F"]}]]

    found = said(
        page,
        "facing",
        "(m, all) => all.map(([points, frame]) => m.isTurned({ kind: 'vertebra', points }, frame))",
        asked,
    )

    assert found[:3] == [False, True, True]
    assert found[6:] == [False, False, False, False, True]
    assert not found[3]


def test_outlines_that_cross_themselves_are_found_and_set_right(page: Page) -> None:
    script = """(m, all) => all.map((points) =>
        [m.crossing(points)?.[2] ?? null, m.uncrossed(points), m.areaOf(m.uncrossed(points))])"""
    square = [[0, 0], [10, 0], [10, 10], [0, 10]]
    bow = [[0, 0], [10, 10], [10, 0], [0, 10]]
    overshot = [[0, 0], [10, 0], [10, 10], [0, 10], [0, -2], [2, 2]]
    whole, tied, long = said(page, "outlines", script, [square, bow, overshot])

    assert whole == [None, square, 100]
    assert tied[0] == [5, 5]
    assert tied[2] == 25
    # Where the hand went on beyond its beginning, a small loop goes and the round stays.
    assert long[0] is not None
    assert 90 < long[2] <= 101


def test_the_page_and_the_server_refuse_the_same_outlines(page: Page) -> None:
    chance = np.random.default_rng(11)
    outlines = [np.round(chance.uniform(0, 50, (n, 2)), 4).tolist() for n in range(3, 9) for _ in range(30)]

    found = said(page, "outlines", "(m, all) => all.map((one) => m.crossing(one) !== null)", outlines)

    assert found == [crosses([(x, y) for x, y in points]) for points in outlines]
    assert 0 < sum(found) < len(found)


def test_the_page_and_the_server_say_the_same_of_every_kind(page: Page) -> None:
    chance = np.random.default_rng(12)
    counts = {"box": 2, "ellipse": 2, "line": 2, "vertebra": 4, "morphometry": 6, "polygon": 5, "freehand": 7}
    drawn = [
        {"kind": kind, "points": np.round(chance.uniform(0, 9, (count, 2)), 4).tolist()}
        for kind, count in {**counts, "point": 1, "angle": 3}.items()
        for _ in range(25)
    ]
    # All points at one place, and all on one line.
    drawn += [{"kind": kind, "points": [[3, 4]] * count} for kind, count in counts.items()]
    drawn += [{"kind": kind, "points": [[n, 4] for n in range(count)]} for kind, count in counts.items()]

    found = said(page, "outlines", "(m, all) => all.map((one) => m.faultOf(one))", drawn)

    assert found == [fault_of(one["kind"], [(x, y) for x, y in one["points"]]) for one in drawn]
    assert len(set(found)) == 5


def test_a_shape_keeps_its_form_at_the_edge_and_a_corner_its_neighbours(page: Page) -> None:
    script = """(m, [kind, points, at, by]) =>
        m.inOrder({ kind, points: m.moved({ kind, points }, at, by, { columns: 40, rows: 30 }) })"""
    box = ["box", [[5, 5], [15, 12]]]

    assert said(page, "moving", script, [*box, -1, [100, -3]]) == [[30, 2], [40, 9]]
    assert said(page, "moving", script, [*box, 1, [3, -2]]) == [[5, 3], [18, 12]]
    # Pulled over the opposite corner the box turns over and has its upper left corner first again.
    assert said(page, "moving", script, [*box, 0, [20, 0]]) == [[15, 5], [25, 12]]
    assert said(page, "moving", script, ["line", [[1, 1], [9, 9]], 1, [100, 100]]) == [[1, 1], [40, 30]]
