"""Bodies that a network answered in two levels at once, columns with a vertebra more, touching neighbours."""

import numpy as np

from inference.measures.naming import named_bodies

NAMES = ("T11", "T12", "T13", "L1", "L2", "L3")
Bodies = list[tuple[int, dict[str, float]]]


def column(bodies: Bodies, gap: int = 6) -> np.ndarray:
    """Bodies of 14 rows and 20 columns from each row; each level has its share of the columns, from the left."""
    levels = np.zeros((40 + max(top for top, _ in bodies), 50), int)
    for top, shares in bodies:
        left = 10
        for name, share in shares.items():
            right = left + round(20 * share)
            levels[top : top + 20 - gap, left:right] = NAMES.index(name) + 1
            left = right
    return levels


def names_of(levels: np.ndarray) -> tuple[list[str], int]:
    named, dropped = named_bodies(levels, NAMES)
    return [NAMES[body.level - 1] for body in named], len(dropped)


def test_a_body_in_two_levels_is_one_body_and_its_neighbours_decide() -> None:
    levels = column([(5, {"T12": 1}), (25, {"L2": 0.6, "L1": 0.4}), (45, {"L2": 1}), (65, {"L3": 1})])
    assert names_of(levels) == (["T12", "L1", "L2", "L3"], 0)


def test_a_vertebra_more_is_named_where_only_its_name_fits() -> None:
    levels = column([(5, {"T12": 1}), (25, {"L1": 1}), (45, {"L1": 0.2, "L2": 0.8}), (65, {"L2": 1}), (85, {"L3": 1})])
    assert names_of(levels) == (["T12", "T13", "L1", "L2", "L3"], 0)


def test_nothing_is_named_beyond_the_last_vote() -> None:
    assert names_of(column([(5, {"T11": 1}), (25, {"T12": 1}), (45, {"T11": 1})])) == (["T11", "T12"], 1)


def test_a_missed_body_leaves_its_level_out() -> None:
    assert names_of(column([(5, {"T12": 1}), (25, {"L1": 1}), (65, {"L3": 1})])) == (["T12", "L1", "L3"], 0)


def test_touching_neighbours_stay_two_bodies() -> None:
    levels = column([(5, {"L1": 1}), (25, {"L2": 1}), (45, {"L3": 1})], gap=0)
    assert names_of(levels) == (["L1", "L2", "L3"], 0)


def test_a_strip_at_an_end_plate_belongs_to_the_body_it_touches() -> None:
    levels = column([(5, {"L1": 1}), (25, {"L2": 1}), (45, {"L3": 1})])
    levels[36:39, 10:30] = NAMES.index("L3") + 1
    named, dropped = named_bodies(levels, NAMES)
    assert [(NAMES[body.level - 1], body.pixels) for body in named] == [("L1", 280), ("L2", 280), ("L3", 280)]
    assert dropped == []


def test_an_empty_map_has_no_bodies() -> None:
    assert named_bodies(np.zeros((9, 9), int), NAMES) == ([], [])
