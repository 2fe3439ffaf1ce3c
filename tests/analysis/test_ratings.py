"""The tidy table: what is read, what is refused and how it is said; the designs."""

import numpy as np
import pandas as pd
import pytest

from analysis.designs import DELONG, OR_DELONG, OR_MISSING, PER_READER, study_design
from analysis.errors import CannotAnalyse
from analysis.ratings import Columns, Ratings, table_to_ratings
from tests.analysis.oracle_entries import crossed, oracle_data


def table(**columns: list[object]) -> pd.DataFrame:
    """Two readers, two arms, two cases; columns replaced on request."""
    rows = [(r, a, c) for r in ("R", "S") for a in ("off", "on") for c in ("1", "2")]
    frame = pd.DataFrame(rows, columns=["reader", "arm", "case"])
    frame["truth"] = (frame["case"] == "2").astype(int)
    frame["rating"] = np.arange(len(frame), dtype=float)
    return frame.assign(**columns)


def test_values_stand_in_the_order_reader_arm_case() -> None:
    ratings = table_to_ratings(table(), arms=["on", "off"])
    assert ratings.arms == ("on", "off")
    assert ratings.values.tolist() == [[[2, 3], [0, 1]], [[6, 7], [4, 5]]]
    assert ratings.truth.tolist() == [False, True]


def test_the_order_of_rows_never_matters() -> None:
    frame = crossed()
    one, two = table_to_ratings(frame), table_to_ratings(frame.sample(frac=1, random_state=3))
    assert (one.readers, one.arms, one.cases) == (two.readers, two.arms, two.cases)
    np.testing.assert_array_equal(one.values, two.values)


def test_numbers_in_labels_count_as_numbers() -> None:
    frame = pd.DataFrame({"reader": ["R10", "R2"], "arm": "a", "case": [10, 9], "truth": [0, 1], "rating": 1.0})
    ratings = table_to_ratings(frame)
    assert ratings.readers == ("R2", "R10")
    assert ratings.cases == ("9", "10")


def test_a_missing_row_and_an_empty_rating_are_both_nan() -> None:
    frame = table(rating=[None, 1, 2, 3, 4, 5, 6, 7]).drop(index=7)
    ratings = table_to_ratings(frame)
    assert ratings.missing == 2
    assert ratings.cell("R", "off")[1].tolist() == [1.0]
    assert ratings.pair("S", "off", "on")[1].tolist() == [4.0]


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (table().drop(columns="truth"), "The table has no column truth; its columns are reader, arm, case, rating."),
        (table().drop(columns=["truth", "arm"]), "no columns arm, truth"),
        (table().iloc[:0], "no rows"),
        (table(reader=["R", None, "R", "R", "S", " ", "S", "S"]), "The column reader is blank or NA in rows 2, 6."),
        (table(truth=[0, 1, 0, 1, 0, 2, 0, 1]), "truth must be 0 or 1; it is not in row 6."),
        (table(truth=[0, 1, 0, 1, 0, None, 0, 1]), "truth must be 0 or 1; it is not in row 6."),
        (table(truth=[0, 1, 0, 0, 0, 1, 0, 1]), "Case 2 is diseased in one row and not in another"),
        (table(rating=["1", "2", "high", "4", "5", "6", "7", "8"]), "rating is not a number in row 3."),
        (table(rating=[1, 2, 3, 4, 5, 6, 7, float("-inf")]), "rating is infinite in row 8; write 'no mark'"),
        (
            table(case=["1", "1", "1", "2", "1", "2", "1", "2"], truth=[0] * 8),
            "Reader R has more than one reading of case 1 in arm off",
        ),
        (table(truth=[0.5] * 8), "it is not in rows 1, 2, 3, 4, 5 and 3 more."),
    ],
)
def test_a_fault_is_one_sentence_that_names_the_rows(frame: pd.DataFrame, sentence: str) -> None:
    with pytest.raises(CannotAnalyse) as refusal:
        table_to_ratings(frame)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_arm_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(CannotAnalyse, match=r"The table has no arm 'aided'; it has off, on\."):
        table_to_ratings(table(), arms=["off", "aided"])
    with pytest.raises(CannotAnalyse, match="named twice"):
        table_to_ratings(table(), arms=["off", "off"])


def test_restriction_leaves_out_cases_that_nobody_left_has_read() -> None:
    frame = table(rating=[0, 1, 2, 3, 4, None, 6, None])
    assert table_to_ratings(frame).restricted(readers=["S"]).cases == ("1",)


def design_of(name: str, **columns: str) -> tuple[str, str]:
    found = study_design(table_to_ratings(oracle_data(name), Columns(arm="treatment", **columns)))
    return found.kind, found.cases_nested


@pytest.mark.parametrize(
    ("name", "case", "expected"),
    [
        ("vandyke", "case", ("fully crossed", "crossed")),
        ("vandyke_missing", "case", ("missing cells", "crossed")),
        ("vandyke_splitplot", "case", ("split-plot", "crossed")),
        ("vandyke", "case2", ("split-plot", "in readers")),
        ("vandyke", "case3", ("missing cells", "in arms")),
        ("prostate_colorscale", "case", ("missing cells", "crossed")),
        ("edge_mrmc_one_reader", "case", ("single reader", "crossed")),
    ],
)
def test_designs_of_real_studies(name: str, case: str, expected: tuple[str, str]) -> None:
    assert design_of(name, case=case) == expected


def test_missing_cells_permit_what_does_not_need_them() -> None:
    found = study_design(table_to_ratings(oracle_data("vandyke_missing"), Columns(arm="treatment")))
    assert found.allows(PER_READER)
    assert found.allows(DELONG)
    assert found.allows(OR_MISSING)
    assert not found.allows(OR_DELONG)
    assert "the jackknife and the unbiased covariance do not" in found.reason(OR_DELONG)


def test_readers_who_read_nothing_in_an_arm_rule_out_the_analysis_over_readers() -> None:
    found = study_design(table_to_ratings(oracle_data("prostate_colorscale"), Columns(arm="treatment")))
    assert not found.allows(OR_MISSING)
    assert "High3" in found.reason(OR_MISSING)


def test_each_reader_in_one_arm_is_a_design_of_its_own() -> None:
    frame = table().iloc[[0, 1, 6, 7]]
    found = study_design(table_to_ratings(frame))
    assert found.kind == "readers nested in arms"
    assert not found.allows(DELONG)
    assert "No reader read the same case in two arms" in found.reason(DELONG)


def test_one_class_and_one_arm_say_so() -> None:
    ratings = table_to_ratings(table(truth=[0] * 8)).restricted(arms=["off"])
    found = study_design(ratings)
    assert "no diseased case" in found.reason(PER_READER)
    assert "only one arm" in found.reason(DELONG)


def test_a_cell_is_read_by_name() -> None:
    ratings = Ratings(("R",), ("A",), ("1", "2"), np.array([True, False]), np.array([[[1.0, np.nan]]]))
    truth, values = ratings.cell("R", "A")
    assert (truth.tolist(), values.tolist()) == ([True], [1.0])
    assert (ratings.positives, ratings.negatives) == (1, 1)
