"""Names of vertebrae, and where names of marks stand above the image, worked out in a real browser."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from readerstudy.reference import runs
from readerstudy.reference.measuring import neighbours_of
from tests.readerstudy.reference.modules import said


def names_in(
    page: Page, names: list[dict[str, float]], width: float = 800, height: float = 600
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = said(
        page, "labels", "(m, [names, view]) => m.placed(names, view)", [names, {"width": width, "height": height}]
    )
    return found


def overlapping(names: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """By the definition: two boxes share an area where their sides do on both axes. A line takes 17 pixels."""
    boxes = [(one["x"], one["y"], one["x"] + one["width"], one["y"] + 17) for one in names]
    return [
        (n, m)
        for n, (a, b, c, d) in enumerate(boxes)
        for m, (e, f, g, h) in enumerate(boxes[:n])
        if min(c, g) - max(a, e) > 1e-6 and min(d, h) - max(b, f) > 1e-6
    ]


@pytest.mark.parametrize("seed", range(6))
def test_no_name_covers_another_and_none_leaves_the_view(page: Page, seed: int) -> None:
    chance = np.random.default_rng(seed)
    corners = chance.uniform(0, 1, (30, 2)) * [700, 500]
    sizes = chance.uniform(10, 120, (30, 2))
    names = [
        {"width": float(chance.uniform(20, 160)), "left": x, "top": y, "right": x + w, "bottom": y + h}
        for (x, y), (w, h) in zip(corners.tolist(), sizes.tolist(), strict=True)
    ]

    found = names_in(page, names)

    assert overlapping(found) == []
    assert all(one["x"] >= 0 and one["x"] + one["width"] <= 800 and 0 <= one["y"] <= 583 for one in found)


def test_a_box_and_a_vertebra_in_one_place_have_names_side_by_side(page: Page) -> None:
    mark = {"left": 100, "top": 100, "right": 180, "bottom": 160}
    box, body = names_in(page, [mark | {"width": 60}, mark | {"width": 150}])

    # The first keeps its place beside the upper right corner; the other is not far and needs no line.
    assert (box["x"], box["y"]) == (186, 91.5)
    assert overlapping([box, body]) == []
    assert (box["tie"], body["tie"]) == (None, None)
    # Of thirty in one place some stand further away, and a line leads back to the mark.
    many = names_in(page, [mark | {"width": 70} for _ in range(30)])
    assert overlapping(many) == []
    ties = [one["tie"] for one in many if one["tie"]]
    assert ties
    assert all(100 <= x <= 180 and 100 <= y <= 160 for x, y, _, _ in ties)


def test_a_masks_box_is_that_of_its_pixels(page: Page) -> None:
    masks = [np.random.default_rng(seed).random((seed + 2, 9)) < 0.15 for seed in range(12)]
    masks = [mask for mask in masks if mask.any()]
    encoded = [list(runs.encode(mask)) for mask in masks]

    found = said(page, "runs", "(m, all) => all.map((one) => m.boxOfRuns(one, 9))", encoded)

    for mask, box in zip(masks, found, strict=True):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert box == {"left": columns[0], "top": rows[0], "right": columns[-1] + 1, "bottom": rows[-1] + 1}


# Levels


def test_one_name_gives_all_the_others(page: Page) -> None:
    script = "(m, [count, index, level, counts]) => m.follow(count, index, level, m.chainOf(counts))"
    assert said(page, "levels", script, [4, 1, "T12", {}]) == ["T11", "T12", "L1", "L2"]
    assert said(page, "levels", script, [3, 0, "T12", {"thoracic": 13}]) == ["T12", "T13", "L1"]
    assert said(page, "levels", script, [2, 0, "T11", {"thoracic": 11}]) == ["T11", "L1"]
    assert said(page, "levels", script, [3, 0, "L5", {"lumbar": 6}]) == ["L5", "L6", "S1"]
    assert said(page, "levels", script, [3, 0, "L5", {}]) is None
    assert said(page, "levels", script, [2, 1, "C1", {}]) is None
    heights = {"T12": 20.0, "T13": 24.0, "L2": 22.0}
    for level in ("L1", "L3", "S1", "T12", "nothing"):
        found = said(page, "levels", "(m, [l, h]) => m.neighboursOf(l, new Map(Object.entries(h)))", [level, heights])
        assert found == neighbours_of(level, heights)


VERTEBRAE = """(m, [marks, frames]) =>
    m.vertebraeOf(marks, (slice) => frames[slice]).map((body) => body.map(({ key }) => key).sort())"""


def quad(key: str, slice: int, top: float, kind: str = "vertebra", high: float = 20) -> dict[str, Any]:
    points = [[5, top], [25, top], [25, top + high], [5, top + high]]
    return {"key": key, "kind": kind, "slice": slice, "points": points}


def test_the_head_is_where_the_patient_has_it(page: Page) -> None:
    """Upside down on the screen, the lowest row is nearest to the head."""
    marks = [quad("top", 0, 5), quad("bottom", 0, 50)]
    for frame, expected in (
        ({}, ["top", "bottom"]),
        ({"position": [0, 0, 0], "orientation": [0, 1, 0, 0, 0, -1], "spacing": [1, 1]}, ["top", "bottom"]),
        ({"position": [0, 0, 0], "orientation": [0, 1, 0, 0, 0, 1], "spacing": [1, 1]}, ["bottom", "top"]),
    ):
        assert said(page, "levels", VERTEBRAE, [marks, [frame]]) == [[one] for one in expected]


@pytest.mark.parametrize("seed", range(6))
def test_a_vertebra_is_one_on_all_images_of_a_bent_spine(page: Page, seed: int) -> None:
    """Nine sagittal images, seven vertebrae that rise or fall from image to image, some not drawn on some images."""
    chance = np.random.default_rng(seed)
    down = -1 if seed % 2 else 1
    frames = [
        {"position": [4 * n, 0, 700], "orientation": [0, 1, 0, 0, 0, -0.5 * down], "spacing": [0.5, 0.5]}
        for n in range(9)
    ]
    rise = chance.uniform(-1.5, 1.5, 7)
    drawn = [
        (body, slice, "vertebra") for body in range(7) for slice in range(9) if slice == 4 or chance.random() < 0.75
    ]
    marks = [
        quad(f"{body}-{slice}-{kind}", slice, 40 + 26 * body + rise[body] * (slice - 4) + chance.uniform(-1, 1), kind)
        for body, slice, kind in (*drawn, *((body, 4, "morphometry") for body in range(7)))
    ]
    chance.shuffle(marks)

    found = said(page, "levels", VERTEBRAE, [marks, frames])

    assert len(found) == 7
    assert [{key.split("-")[0] for key in body} for body in found] == [{str(n)} for n in range(7)][::down]


def test_on_axial_images_those_next_to_each_other_show_one_vertebra(page: Page) -> None:
    frames = [{"position": [0, 0, 3 * n], "orientation": [1, 0, 0, 0, 1, 0], "spacing": [1, 1]} for n in range(12)]
    marks = [quad(f"{n}", n, 30) for n in (1, 2, 3, 6, 7, 10)]

    assert said(page, "levels", VERTEBRAE, [marks, frames]) == [["10"], ["6", "7"], ["1", "2", "3"]]
