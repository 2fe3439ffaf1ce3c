"""What is told after a training case: which answers have a truth, and where the reference lies."""

from typing import Any

import numpy as np
import pytest

from readerstudy.reading.lessons import Known, Region, Told, edges_of, marked, regions_in, told
from readerstudy.reading.sight import Asked, Option

YES_NO = (Option(False, "No fracture"), Option(True, "Fracture"))
GRADES = tuple(Option(str(grade), str(grade)) for grade in range(4))
LEVELS = tuple(Option(name.lower(), name) for name in ("T12", "L1", "L2"))
DECISION = Asked("fracture", "decision", "Fracture?", choices=YES_NO)
RATING = Asked("sure", "confidence", "How sure?", minimum=0, maximum=100, threshold=50.0)
GRID = Asked("genant", "grid", "Grade", choices=GRADES, items=LEVELS)
LEVEL = Asked("level", "level", "Worst level", choices=LEVELS)
MARKS = Asked("froc", "marks", "Where?", minimum=0, maximum=100)
SQUARE = ((10.0, 10.0), (30.0, 10.0), (30.0, 30.0), (10.0, 30.0))


def body(level: str, grade: int) -> Region:
    return Region(1, level, SQUARE, body=True, grade=grade)


def test_each_answer_with_a_truth_stands_beside_it() -> None:
    known = Known(positive=True, regions=(body("L1", 2), body("T12", 0)))
    answers: dict[str, Any] = {
        "fracture": True,
        "sure": 40,
        "genant": {"l1": "1", "t12": "0"},
        "level": "l1",
        "note": "-",
    }
    lines = told([DECISION, RATING, GRID, LEVEL, Asked("note", "text", "Remarks")], answers, known)
    assert lines == (
        Told("Fracture?", "Fracture", "Fracture", True),
        Told("How sure?", "40", "50 or more", False),
        Told("Grade"),
        Told("T12", "0", "0", True),
        Told("L1", "1", "2", False),
        Told("Worst level", "L1", "L1", True),
    )


def test_what_the_standard_does_not_say_is_not_told() -> None:
    assert told([GRID, LEVEL, MARKS], {"genant": {"l1": "1"}, "level": "l1", "froc": []}, Known(positive=True)) == ()


def test_units_of_a_standard_speak_for_the_rows_of_a_grid() -> None:
    known = Known(positive=True, units={"L1": (True, "3"), "L2": (False, ""), "S1": (True, "2")})
    lines = told([GRID], {"genant": {"l1": "3", "l2": "0"}}, known)
    assert lines == (Told("Grade"), Told("L1", "3", "3", True), Told("L2", "0", "negative", None))


@pytest.mark.parametrize(
    ("marks", "words", "right"),
    [
        ([(1, 20, 20)], "1 of 1 found", True),
        ([(1, 20, 20), (1, 50, 20)], "1 of 1 found", False),
        # The same place of another image is another place.
        ([(2, 20, 20)], "0 of 1 found", False),
        ([], "0 of 1 found", False),
    ],
)
def test_marks_are_right_where_they_lie_in_what_the_reference_marks(
    marks: list[tuple[int, int, int]], words: str, right: bool
) -> None:
    given: list[Any] = [{"image": image, "x": x, "y": y, "rating": 50} for image, x, y in marks]
    known = Known(positive=True, regions=(Region(1, "", SQUARE), body("L2", 0)))
    (line,) = told([MARKS], {"froc": given}, known)
    assert (line.reference, line.right) == (words, right)


def test_regions_lie_on_the_images_of_the_page() -> None:
    documents: list[dict[str, Any]] = [
        {"kind": "box", "series": 1, "slice": 1, "label": "cleft", "points": [[1, 2], [5, 9]]},
        {"kind": "point", "series": 0, "slice": 0, "label": "", "points": [[7, 8]]},
        {"kind": "morphometry", "series": 0, "slice": 1, "label": "L1", "points": [[0, 0]] * 6}
        | {"measure": {"morphometry": {"grade": 2}}},
        {"kind": "mask", "series": 0, "slice": 0, "label": "", "points": [], "runs": [5, 2, 5]},
    ]
    shapes = [[(3, 4), (3, 4)], [(9, 9), (9, 9), (9, 9)]]
    box, point, vertebra, mask = marked(regions_in(documents, shapes), ["a", "b", "c", "d", "e"])
    assert (box.frame, box.points, box.positive) == ("d", ((1, 2), (5, 2), (5, 9), (1, 9)), None)
    assert (point.frame, len(point.points)) == ("a", 4)
    assert (vertebra.frame, vertebra.label, vertebra.positive) == ("b", "L1 grade 2", True)
    assert set(mask.points) == {(1, 1), (3, 1), (3, 2), (1, 2)}


def test_the_edges_of_a_mask_enclose_its_pixels() -> None:
    mask = np.random.default_rng(3).random((12, 15)) < 0.5
    enclosed = 0.0
    for points in edges_of(mask):
        turned = zip(points, (*points[1:], points[0]), strict=True)
        enclosed += sum(x * v - u * y for (x, y), (u, v) in turned) / 2
    assert abs(enclosed) == mask.sum()
