"""What truthers draw: read, bounded, measured and compared; no database."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference.measures import bodies
from readerstudy.cases.geometry import Geometry
from readerstudy.reference import runs
from readerstudy.reference.marks import Mark, MarksError, document_in, marks_in, work_in
from readerstudy.reference.matching import compared, iou
from readerstudy.reference.measuring import Plane, in_patient, measures_of, neighbours_of
from readerstudy.reference.morphometry import Heights, grade_of

SHAPES = [[(40, 60), (40, 60)], [(8, 8)]]
MASKS = arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))
# A sagittal picture: rows run down the body, columns to the back; 0.5 mm a row, 2 mm a column.
SAGITTAL = Geometry((7.0, -100.0, 50.0), (0.0, 1.0, 0.0, 0.0, 0.0, -1.0), (0.5, 2.0), calibrated=True)
PLANES = [[Plane(40, 60, SAGITTAL), Plane(40, 60, Geometry())], [Plane(8, 8, Geometry())]]
QUAD = [[2, 2], [9, 2], [9, 8], [2, 8]]
# The lower two corners in the wrong order.
BOW = [*QUAD[:2], QUAD[3], QUAD[2]]
SIX = ((10.0, 5.0), (15.0, 6.0), (20.0, 5.0), (20.0, 25.0), (15.0, 24.0), (10.0, 21.0))


def sent(kind: str = "point", points: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "key": "a",
        "kind": kind,
        "series": 0,
        "slice": 0,
        "label": "",
        "points": [[3, 4]] if points is None else points,
    } | more


def mark(kind: str, *points: tuple[float, float], key: str = "a", **more: Any) -> Mark:
    return Mark(key, kind, more.pop("series", 0), more.pop("slice", 0), points=points, **more)


@given(MASKS)
def test_a_mask_comes_back_from_its_runs(mask: Any) -> None:
    encoded = runs.encode(mask)

    assert (runs.decode(encoded, *mask.shape) == mask).all()
    assert runs.fault_of(encoded, *mask.shape) == ""
    assert runs.set_pixels(encoded) == mask.sum()


@given(MASKS, st.randoms(use_true_random=False))
def test_common_pixels_are_those_of_both_masks(mask: Any, chance: Any) -> None:
    other = np.array([[chance.random() < 0.5 for _ in row] for row in mask])

    assert runs.common_pixels(runs.encode(mask), runs.encode(other)) == (mask & other).sum()


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (sent(key="a b"), "no key"),
        (sent(key=None), "no key"),
        (sent(kind="spline"), "kind that does not exist"),
        (sent(kind=["point"]), "kind that does not exist"),
        (sent(series=2), "no image 1 in a series 3"),
        (sent(slice=2), "no image 3 in a series 1"),
        (sent(slice=-1), "counted from 0"),
        (sent(series=True), "counted from 0"),
        (sent(points=[]), "A point has 1 points; 0 were sent"),
        (sent(points=[[1, 2], [3, 4]]), "more than 1 entries"),
        (sent("polygon", [[1, 1]] * 2001), "more than 2000 entries"),
        (sent(points=[[1, "2"]]), "two numbers"),
        (sent(points=[[1, math.nan]]), "nowhere near"),
        (sent(points=[[61, 2]]), "outside its image of 40 × 60"),
        (sent(points=[[3, -0.6]]), "outside its image"),
        (sent("vertebra", [[1, 1]] * 4, label="T14"), "“T14” is no level"),
        (sent(label="x" * 41), "at most 40 characters"),
        (sent(label="\x00"), "cannot be stored"),
        (sent(label="\ud800"), "cannot be stored"),
        (sent(millimetres=[[1, 2, 3]]), "not asked: millimetres"),
        (sent("vertebra", BOW), "The sides of the vertebra cross"),
        (sent("vertebra", [*BOW, [1, 1]]), "more than 4 entries"),
        (sent("vertebra", BOW[:3]), "A vertebra has 4 points; 3 were sent"),
        (sent("vertebra", [*QUAD[:3], [61, 9]]), "outside its image"),
        (sent("vertebra", [[n, n] for n in range(4)]), "no area"),
        (sent("morphometry", [list(point) for point in (*SIX[:3], *SIX[:2:-1])]), "The sides of the vertebra cross"),
        (sent("polygon", BOW), "The outline crosses itself"),
        (sent("freehand", [[3, 3]] * 3), "no area"),
        (sent("ellipse", [[3, 3], [9, 3]]), "no area"),
        (sent("line", [[3, 3], [3, 3]]), "no length"),
        (sent("mask", [], runs=[40 * 60]), "A mask is empty"),
        (sent("mask", [], runs=[5, 5]), "covers 10 pixels; its image has 40 × 60"),
        (sent("mask", [], runs=[5, -5, 2400]), "list of run lengths"),
        (sent("mask", [], runs=[5, 0, 2395]), "Only the first run"),
        ("point", "not a JSON object"),
    ],
)
def test_what_does_not_fit_the_images_is_one_sentence(entry: Any, sentence: str) -> None:
    with pytest.raises(MarksError, match=sentence):
        marks_in([entry], SHAPES)


def test_keys_masks_and_levels_stand_once() -> None:
    two = sent(), sent()
    masks = (sent("mask", [], key=key, runs=[0, 1, 2399], label="body") for key in "ab")
    levels = (sent("vertebra", QUAD, key=key, label="L1") for key in "ab")
    for found, sentence in ((two, "same key"), (masks, "two masks"), (levels, "same level")):
        with pytest.raises(MarksError, match=sentence):
            marks_in(list(found), SHAPES)
    with pytest.raises(MarksError, match="more than 2000 entries"):
        marks_in([sent()] * 2001, SHAPES)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"a":' + b"1" * (5 << 20) + b"}"])
def test_a_body_that_is_no_work_is_refused(body: bytes) -> None:
    with pytest.raises(MarksError):
        document_in(body)


def test_work_is_what_it_was_after_a_round_trip() -> None:
    document = {
        "marks": [sent(proposed="p-1"), sent("mask", [], key="b", runs=[3, 4, 2393], label="body")],
        "rejected": ["p-2", "p-2"],
        "verdict": "undecided",
        "note": " why ",
        "place": {"series": 1, "slice": 0},
    }

    work = work_in(document, SHAPES)

    assert (work.rejected, work.note) == (("p-2",), "why")
    assert work_in(work.to_document(), SHAPES) == work


def test_points_lie_in_the_patient_by_the_stored_geometry() -> None:
    """The centre of the first pixel is the stored position; x goes to the back, y to the feet."""
    assert in_patient(mark("point", (0.5, 0.5)), PLANES) == ((7.0, -100.0, 50.0),)
    assert in_patient(mark("point", (3.5, 10.5)), PLANES) == ((7.0, -94.0, 45.0),)
    assert in_patient(mark("point", (3.5, 10.5), slice=1), PLANES) is None


def test_lengths_areas_and_angles_in_millimetres_or_pixels() -> None:
    for slice, length, area, unit in ((0, 5.0, 100.0, "mm"), (1, math.hypot(1.5, 8), 100.0, "px")):
        measures = measures_of(
            [
                mark("line", (1, 1), (2.5, 9), key="l", slice=slice),
                mark("box", (0, 0), (10, 10), key="b", slice=slice),
                mark("ellipse", (0, 0), (10, 10), key="e", slice=slice),
                mark("polygon", (0, 0), (10, 0), (10, 10), (0, 10), key="p", slice=slice),
                mark("angle", (5, 0), (0, 0), (0, 8), key="a", slice=slice),
                mark("angle", (0, 0), (0, 0), (0, 8), key="n", slice=slice),
            ],
            PLANES,
        )
        assert measures["l"].length == pytest.approx(length)
        assert (measures["b"].area, measures["p"].area, measures["b"].unit) == (area, area, unit)
        assert measures["e"].area == pytest.approx(area * math.pi / 4)
        assert (measures["a"].degrees, measures["n"].degrees) == (90.0, None)


@given(
    st.floats(1, 40),
    st.floats(1, 40),
    st.floats(1, 40),
    st.one_of(st.none(), st.floats(1, 40)),
)
def test_grades_are_those_that_models_are_taught_with(
    front: float, middle: float, behind: float, near: float | None
) -> None:
    ours = grade_of(Heights(front, middle, behind), near)
    theirs = bodies.genant(bodies.Heights(front, middle, behind), near)

    assert ours is not None
    assert (ours.loss, ours.grade) == (theirs.loss, theirs.grade)
    assert ours.kind == theirs.kind


def test_six_points_give_heights_ratios_and_a_grade() -> None:
    """16 px before, 18 in the middle, 20 behind, at 0.5 mm a row: 8, 9 and 10 mm, a loss of exactly 20 %."""
    found = measures_of([mark("morphometry", *SIX, label="L1")], PLANES)["a"].morphometry

    assert found is not None
    assert (found.heights, found.wedge, found.biconcave) == (Heights(8.0, 9.0, 10.0), 0.8, 0.9)
    assert (found.loss, found.grade, found.kind, found.crush) == (0.2, 1, "wedge", None)


def test_a_crushed_body_is_graded_by_what_it_lost_most() -> None:
    """Low behind by 23 % beside its neighbours, and half as high in front as behind."""
    found = grade_of(Heights(10.0, 15.0, 20.0), 26.0)

    assert found is not None
    assert (found.loss, found.grade, found.kind) == (0.5, 3, "crush")


def test_neighbours_are_those_of_this_spine() -> None:
    assert neighbours_of("L1", {"T12": 20.0, "L2": 22.0, "L4": 90.0}) == 21.0
    assert neighbours_of("L1", {"T12": 20.0, "T13": 24.0}) == 24.0
    assert neighbours_of("S1", {"L5": 20.0}) == 20.0
    assert neighbours_of("S1", {"L5": 20.0, "L6": 25.0}) == 25.0
    assert neighbours_of("L1", {"L3": 20.0}) is None
    assert neighbours_of("", {"L3": 20.0}) is None


def test_a_body_without_height_behind_has_no_grade() -> None:
    flat = ((1.0, 1.0), (2.0, 1.0), (3.0, 1.0), (3.0, 1.0), (2.0, 2.0), (1.0, 2.0))
    assert measures_of([mark("morphometry", *flat)], PLANES)["a"].morphometry is None


def test_two_people_agree_where_their_marks_lie_together() -> None:
    ours = [
        mark("point", (5, 5), key="1", label="apex"),
        mark("box", (10, 10), (20, 20), key="2"),
        mark("morphometry", *SIX, key="3", label="L1"),
    ]
    near = [
        mark("box", (11, 10), (21, 20), key="x"),
        mark("point", (6, 6), key="y", label="apex"),
        mark("morphometry", *((x + 0.5, y) for x, y in SIX), key="z", label="L1"),
    ]

    found = compared(ours, near, PLANES)

    assert sorted((one.key, other.key) for one, other in found.pairs) == [("1", "y"), ("2", "x"), ("3", "z")]
    assert found.differences == ()


def test_disagreements_say_who_marked_what_where() -> None:
    lower = tuple((x, y - 3 if y > 20 and x < 12 else y) for x, y in SIX)
    ours = [mark("box", (0, 0), (10, 10), key="1"), mark("morphometry", *SIX, key="2", label="L1")]
    theirs = [
        mark("box", (0, 0), (10, 10), key="1", slice=1),
        mark("morphometry", *lower, key="2", label="L1"),
        mark("point", (1, 1), key="3", label="apex"),
    ]

    sentences = [difference.sentence for difference in compared(ours, theirs, PLANES).differences]

    assert sentences == [
        "Only A marked the box on image 1.",
        "Only B marked the box on image 2.",
        "Only B marked the point “apex” on image 1.",
        "Of the morphometry “L1” on image 1 A has grade 1, B grade 2.",
    ]


def test_what_both_marked_differently_is_told_as_one() -> None:
    """Boxes that share a third, a vertebra of one level far away; boxes that only touch are two findings."""
    ours = [
        mark("box", (0, 0), (10, 10), key="1"),
        mark("box", (0, 20), (10, 30), key="2"),
        mark("morphometry", *SIX, key="3", label="L1"),
    ]
    theirs = [
        mark("box", (10, 20), (20, 30), key="1"),
        mark("box", (5, 0), (15, 10), key="2"),
        mark("morphometry", *((x, y + 24) for x, y in SIX), key="3", label="L1"),
    ]

    sentences = [difference.sentence for difference in compared(ours, theirs, PLANES).differences]

    far = 24 * PLANES[0][0].geometry.spacing[0]
    assert sentences == [
        "Of the box on image 1 A and B share 33 % of what both cover.",
        f"Of the morphometry “L1” on image 1 A and B have points that lie {far:.1f} mm apart.",
        "Only A marked the box on image 1.",
        "Only B marked the box on image 1.",
    ]


def test_nothing_differs_between_people_who_marked_nothing() -> None:
    assert compared([], [], PLANES).differences == ()


def test_the_overlap_of_masks_counts_pixels() -> None:
    here, there = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    here[:10, :10] = there[5:15, :10] = True
    one, other = (mark("mask", runs=runs.encode(mask)) for mask in (here, there))

    assert iou(one, other) == pytest.approx(50 / 150)
