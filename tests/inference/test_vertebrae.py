"""From maps to vertebrae: order, specks, probability, partners, rows."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from inference.measures.vertebrae import NEAR, TrueBody, as_row, body_probability, find, front_of, match
from tests.shared_data import shared

LEVELS = ("T12", "L1", "L2", "L3")


def column(rows: list[tuple[int, int]], size: tuple[int, int] = (120, 50)) -> np.ndarray:
    """A level map with a body of 14 rows and 22 columns from each row, of that class."""
    levels = np.zeros(size, int)
    for top, level in rows:
        levels[top : top + 14, 10:32] = level
    return levels


def test_one_row_a_vertebra_from_the_head_down() -> None:
    levels = column([(5, 1), (25, 2), (45, 3), (65, 4)])
    found = find(levels, LEVELS, np.where(levels == 3, 0.8, 0.05), spacing=(0.5, 0.5))
    assert [one.level for one in found.vertebrae] == list(LEVELS)
    assert found.score == pytest.approx(0.8)
    assert found.dropped == ()
    for one in found.vertebrae:
        assert one.heights == pytest.approx((7, 7, 7), abs=0.1)
        assert one.genant is not None
        assert one.genant.grade == 0


def test_specks_go_and_order_is_enforced_and_told() -> None:
    levels = column([(5, 1), (25, 2), (45, 3), (65, 2)])
    levels[100:102, 40:42] = 4
    found = find(levels, LEVELS)
    assert [one.level for one in found.vertebrae] == ["T12", "L1", "L2"]
    assert found.dropped == ("L1 at row 72, 308 pixels: the level stands elsewhere already",)
    wrong = find(column([(5, 4), (25, 1), (45, 2), (65, 3)]), LEVELS)
    assert [one.level for one in wrong.vertebrae] == ["T12", "L1", "L2"]
    assert wrong.dropped == ("L3 at row 12, 308 pixels: out of order from the head down",)


def test_an_empty_map_is_an_empty_column() -> None:
    found = find(np.zeros((20, 20), int), LEVELS, np.zeros((20, 20)))
    assert found.vertebrae == ()
    assert found.score == 0.0


def test_the_rim_of_a_neighbour_is_thinned_and_half_a_body_counts_in_full() -> None:
    values = np.zeros(100)
    values[:50] = 0.9
    assert body_probability(values) == pytest.approx(0.9)
    values[10:] = 0.0
    assert body_probability(values) == pytest.approx(0.18)


def test_partners_are_found_by_place_not_by_name() -> None:
    found = find(column([(25, 1), (45, 2), (100, 3)]), LEVELS).vertebrae
    truths = [TrueBody("L1", True, (31.5, 20.5), 14.0), TrueBody("L2", False, (51.5, 20.5), 14.0)]
    truths.append(TrueBody("L3", False, (71.5, 20.5), 14.0))
    pairs = match(found, truths)
    named = [(p.truth and p.truth.level, p.found and p.found.level) for p in pairs]
    assert named == [("L1", "T12"), ("L2", "L1"), ("L3", None), (None, "L2")]
    far = [TrueBody("L1", True, (31.5 + NEAR * 14 + 0.1, 20.5), 14.0)]
    assert match(found[:1], far)[0].found is None


def test_rows_say_missed_and_additional_vertebrae() -> None:
    levels = column([(25, 1)])
    (one,) = find(levels, LEVELS, np.where(levels == 1, 0.75, 0.0)).vertebrae
    pair, missed = match([one], [TrueBody("L1", True, one.middle, 14.0), TrueBody("L2", True, (90.0, 20.0), 14.0)])
    row = as_row(pair, threshold=0.5)
    assert (row["level"], row["true_level"], row["truth"], row["probability"], row["positive"]) == (
        "T12", "L1", 1, 0.75, 1,
    )  # fmt: skip
    assert row["anterior_superior_row"] == pytest.approx(24.5, abs=0.3)
    assert row["hp"] == pytest.approx(14, abs=0.3)
    gone = as_row(missed)
    assert (gone["level"], gone["probability"], gone["positive"], gone["ha"]) == ("", 0.0, "", "")
    (extra,) = match([one], [])
    assert as_row(extra)["truth"] == as_row(extra)["true_level"] == ""


def lordosis(degrees: float) -> dict[str, np.ndarray]:
    """Five bodies below each other, each turned by so many degrees against the one above."""
    rows, columns = np.mgrid[:260, :120]
    bodies = {}
    for place, level in enumerate(("L1", "L2", "L3", "L4", "L5")):
        angle = np.deg2rad(degrees * (place - 2))
        down, across = rows - (30 + 48 * place), columns - 60
        along, depth = down * np.cos(angle) - across * np.sin(angle), across * np.cos(angle) + down * np.sin(angle)
        bodies[level] = (np.abs(along) < 16) & (np.abs(depth) < 22)
    return bodies


def test_the_lordosis_says_where_the_front_is() -> None:
    assert front_of(lordosis(8)) == "right"
    assert front_of({level: mask[:, ::-1] for level, mask in lordosis(8).items()}) == "left"
    assert front_of(lordosis(0)) is None
    assert front_of(dict(list(lordosis(8).items())[:2])) is None


def test_the_front_of_real_columns_lies_away_from_the_canal() -> None:
    """Masks of 41 patients' lumbar MR: the canal (3) lies behind the bodies (1)."""
    right, judged = 0, 0
    for path in sorted(shared("data/spider_lumbar_mri/t2space_mask").glob("*.png"))[::3]:
        mask = np.asarray(Image.open(path))
        parts, number = ndimage.label(ndimage.binary_opening(mask == 1, iterations=2))
        sizes = ndimage.sum_labels(parts > 0, parts, range(1, number + 1))
        middles = ndimage.center_of_mass(parts > 0, parts, range(1, number + 1))
        canal = np.argwhere(mask == 3)[:, 1].mean()
        large = [n for n in range(number) if sizes[n] > 0.5 * np.median(sizes[sizes > 200])]
        sides = {side: [n for n in large if (middles[n][1] < canal) == (side == "left")] for side in ("left", "right")}
        front = max(sides, key=lambda side: sum(sizes[n] for n in sides[side]))
        bodies = sorted(sides[front], key=lambda n: middles[n][0])[-5:]
        names = ("L1", "L2", "L3", "L4", "L5")[-len(bodies) :]
        found = front_of({name: parts == n + 1 for name, n in zip(names, bodies, strict=True)})
        judged += found is not None
        right += found == front
    assert judged >= 35
    assert right / judged > 0.88
