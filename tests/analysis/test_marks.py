"""Tables of marks and cases: what is read, and every fault named with its rows."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.errors import CannotAnalyse
from analysis.localisation.lesions import MarkColumns, read_lesions
from analysis.localisation.marks import read_marks

CASES = pd.DataFrame(
    {"case": ["a", "b", "b", "c"], "truth": [0, 1, 1, 1], "lesion": [0, 1, 2, 1], "weight": [0, 0.4, 0.6, 1.0]}
)
MARKS = pd.DataFrame(
    {
        "reader": ["R 1", "R 1", "R 1", "R 2"],
        "arm": ["x", "x", "y", "x"],
        "case": ["a", "b", "b", "c"],
        "truth": [0, 1, 1, 1],
        "mark": ["NL", "LL", "NL", "LL"],
        "lesion": [0, 2, 0, 1],
        "rating": [3.0, 4, 2, 5],
    }
)
DESIGN = pd.DataFrame({"reader": ["R 1", "R 1", "R 2", "R 2", "R 3"], "arm": ["x", "y", "x", "y", "x"]})


def changed(frame: pd.DataFrame, row: int, **values: Any) -> pd.DataFrame:
    """The same table with some values of one row, counted from 1, replaced."""
    frame = frame.astype(object)
    for column, value in values.items():
        frame.iloc[row - 1, list(frame.columns).index(column)] = value
    return frame


def test_arrays_of_a_small_table() -> None:
    found = read_marks(MARKS, CASES, DESIGN)
    assert (found.readers, found.arms, found.cases) == (("R 1", "R 2", "R 3"), ("x", "y"), ("a", "b", "c"))
    assert found.truth.tolist() == [False, True, True] and found.lesions.tolist() == [0, 2, 1]
    assert found.weight.tolist() == [0.4, 0.6, 1.0]
    assert found.hits[0, 0].tolist() == [-np.inf, 4, -np.inf] and found.hits[1, 0].tolist() == [-np.inf, -np.inf, 5]
    assert [part.tolist() for part in found.false_marks(0, 0)] == [[0], [3.0]]
    assert [part.tolist() for part in found.false_marks(0, 1)] == [[1], [2.0]]
    assert found.false_marks(2, 0)[0].tolist() == []
    assert found.read[2].all(axis=1).tolist() == [True, False] and found.missing == 3
    assert found.warnings == ()


def test_only_the_needed_columns() -> None:
    bare = read_marks(MARKS.drop(columns=["truth", "mark"]), CASES.drop(columns="weight"), DESIGN)
    assert bare.hits.tolist() == read_marks(MARKS, CASES, DESIGN).hits.tolist()
    assert bare.weight.tolist() == [0.5, 0.5, 1.0]


def test_other_names_of_columns_and_types_of_labels() -> None:
    marks = MARKS.rename(columns={"arm": "treatment", "lesion": "which"}).assign(
        which=["", "2.0", "", "1"], mark=["nl", " LL ", "NL", "ll"]
    )
    cases = CASES.rename(columns={"lesion": "which"}).assign(which=[np.nan, 1.0, 2.0, 1.0])
    found = read_marks(marks, cases, None, MarkColumns(arm="treatment", lesion="which"))
    assert found.hits[0, 0].tolist() == [-np.inf, 4, -np.inf]
    numbers = read_marks(MARKS.assign(case=[1.0, 2.0, 2.0, 10.0]), CASES.assign(case=[1, 2, 2, 10]))
    assert numbers.cases == ("1", "2", "10")


def test_without_a_design_what_cannot_be_known_is_said() -> None:
    found = read_marks(MARKS, CASES)
    assert found.readers == ("R 1", "R 2")
    assert "No design table" in found.warnings[0]
    assert found.warnings[1] == "Reader R 2 has no mark in arm y and counts as not having read there."
    assert not found.read[1, 1].any()


def test_a_blank_row_says_that_nothing_was_marked() -> None:
    blank = pd.DataFrame({"reader": ["R 2"], "arm": ["y"], "case": ["a"], "truth": [0]})
    found = read_marks(pd.concat([MARKS, blank]), CASES)
    assert found.read.all() and len(found.warnings) == 1
    assert len(found.false_rating) == 2


def test_a_design_with_cases_tells_who_read_which() -> None:
    rows = [("R 1", "x", "a"), ("R 1", "x", "b"), ("R 1", "y", "b"), ("R 2", "x", "c")]
    found = read_marks(MARKS, CASES, pd.DataFrame(rows, columns=["reader", "arm", "case"]))
    assert found.read[0, 0].tolist() == [True, True, False]
    assert found.missing == 12 - 4
    with pytest.raises(CannotAnalyse, match=r"no reading of what is marked in row 4"):
        read_marks(MARKS, CASES, pd.DataFrame(rows[:3] + [("R 2", "y", "c"), ("R 2", "x", "a")], columns=["reader", "arm", "case"]))  # fmt: skip  # noqa: E501


def test_two_marks_on_one_lesion_count_once_with_the_higher() -> None:
    twice = pd.concat([MARKS, MARKS.iloc[[1]].assign(rating=9)])
    found = read_marks(twice, CASES, DESIGN)
    assert found.hits[0, 0, 1] == 9
    assert "marked already: 1;" in found.warnings[0]


def test_restricted_keeps_the_order_asked_for() -> None:
    found = read_marks(MARKS, CASES, DESIGN).restricted(["R 2", "R 1"], ["y", "x"])
    assert (found.readers, found.arms) == (("R 2", "R 1"), ("y", "x"))
    assert found.hits[1, 1].tolist() == [-np.inf, 4, -np.inf]
    assert [part.tolist() for part in found.false_marks(1, 0)] == [[1], [2.0]]
    assert [part.tolist() for part in found.false_marks(1, 1)] == [[0], [3.0]]
    assert found.false_marks(0, 0)[0].tolist() == []
    with pytest.raises(CannotAnalyse, match="no arm 'z'"):
        found.restricted(arms=["z"])


def test_rounded_weights_are_rescaled_and_absent_ones_are_equal() -> None:
    thirds = pd.DataFrame({"case": 1, "truth": 1, "lesion": [1, 2, 3], "weight": 0.33})
    found = read_lesions(thirds)
    assert found.weight.tolist() == pytest.approx([1 / 3] * 3) and "rescaled" in found.warnings[0]
    assert read_lesions(thirds.assign(weight=0)).weight.tolist() == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize(
    ("marks", "cases", "sentence"),
    [
        (changed(MARKS, 2, lesion=3), CASES, "Case b has no lesion 3 in the table of cases .row 2."),
        (changed(MARKS, 2, case="z"), CASES, "Case z is not in the table of cases .row 2."),
        (changed(MARKS, 2, lesion=0), CASES, "LL. names no lesion in row 2"),
        (changed(MARKS, 1, lesion=1), CASES, "NL. names a lesion in row 1"),
        (changed(MARKS, 3, mark="XX"), CASES, "neither NL nor LL in row 3"),
        (changed(MARKS, 4, rating="high"), CASES, "rating is not a number in row 4"),
        (changed(MARKS, 4, rating=np.inf), CASES, "infinite in row 4"),
        (changed(MARKS, 4, rating=None), CASES, "rating is blank in row 4"),
        (changed(MARKS, 4, reader=" "), CASES, "reader is blank in row 4"),
        (changed(MARKS, 4, arm=None), CASES, "arm is blank in row 4"),
        (changed(MARKS, 1, truth=1), CASES, "truth contradicts the table of cases in row 1"),
        (changed(MARKS, 1, mark="LL", lesion=1), CASES, "Case a has no lesion 1"),
        (MARKS.drop(columns="rating"), CASES, "no column rating"),
        (MARKS, CASES.drop(columns="truth"), "Table of cases: The table has no column truth"),
        (MARKS, CASES.iloc[:0], "Table of cases: There are no rows"),
        (MARKS.iloc[:0], CASES, "no design table names the readers"),
        (MARKS, changed(CASES, 2, truth=0), "Case b is diseased in one row and not in another"),
        (MARKS, changed(CASES, 2, truth=None), "must be 0 or 1; it is not in row 2"),
        (MARKS, changed(CASES, 4, lesion=0), "diseased case has no lesion in row 4"),
        (MARKS, changed(CASES, 1, lesion=1), "without disease has a lesion in row 1"),
        (MARKS, changed(CASES, 3, lesion=1), "listed twice within its case .row 3."),
        (MARKS, changed(CASES, 3, weight=0.2), "weights of the lesions of case b sum to 0.6, not to 1"),
        (MARKS, changed(CASES, 3, weight=-0.1), "no weight of 0 or more in row 3"),
        (MARKS, changed(CASES, 3, weight=None), "no weight of 0 or more in row 3"),
        (MARKS, changed(CASES, 3, weight="much"), "weight is not a number in row 3"),
    ],
)
def test_faults_are_named_with_their_rows(marks: pd.DataFrame, cases: pd.DataFrame, sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        read_marks(marks, cases)


def test_marks_beyond_the_design_are_refused() -> None:
    with pytest.raises(CannotAnalyse, match=r"Reader R 2 is not in the design table \(row 4\)"):
        read_marks(MARKS, CASES, DESIGN.iloc[:2])
    with pytest.raises(CannotAnalyse, match=r"Arm y is not in the design table \(row 3\)"):
        read_marks(MARKS, CASES, DESIGN[DESIGN.arm == "x"])
    with pytest.raises(CannotAnalyse, match="Table of design: The table has no column arm"):
        read_marks(MARKS, CASES, DESIGN[["reader"]])
    with pytest.raises(CannotAnalyse, match="Case q is not in the table of cases"):
        read_marks(MARKS, CASES, DESIGN.assign(case="q"))


def test_many_rows() -> None:
    count = 100_000
    cases = pd.DataFrame({"case": np.arange(count), "truth": np.arange(count) % 2, "lesion": np.arange(count) % 2})
    marks = cases.assign(reader="R", arm="A", rating=np.arange(count) % 7)
    found = read_marks(marks, cases)
    assert found.positives == count // 2 and np.isfinite(found.hits).all()
