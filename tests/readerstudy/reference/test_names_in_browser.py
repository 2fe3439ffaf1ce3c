"""Where names of marks stand above the image, worked out in a real browser."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from readerstudy.reference import runs
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
