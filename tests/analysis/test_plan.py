"""The declared plan: read back as written, invalid choices refused, pooled tests never primary."""

import pytest

from analysis.designs import study_design
from analysis.errors import CannotAnalyse
from analysis.plan import POOLED, Endpoint, Plan, plan_from_dict, valid_tests
from analysis.ratings import Columns, table_to_ratings
from tests.analysis.oracle_entries import crossed, oracle_data


def test_a_plan_is_read_back_as_it_was_written() -> None:
    plan = Plan(
        arms=("a", "b", "c"),
        primary=Endpoint("delong per reader"),
        secondary=(Endpoint(figure="specificity"), Endpoint("mcnemar per reader", "sensitivity")),
        covariance="unbiased",
        level=0.9,
    )
    assert plan_from_dict(plan.to_dict()) == plan
    assert plan.comparisons == (("a", "b"), ("a", "c"))


@pytest.mark.parametrize("pooled", sorted(POOLED))
def test_a_pooled_test_is_refused_with_its_error_rate(pooled: str) -> None:
    with pytest.raises(CannotAnalyse, match=f"was {POOLED[pooled]} % in simulation"):
        plan_from_dict({"primary": {"analysis": pooled}})


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ({"arms": []}, "at least one arm"),
        ({"arms": ["a", "a"]}, "every arm once"),
        ({"covarianse": "delong"}, "A plan knows no covarianse; it knows arms, primary"),
        ({"primary": {"analysis": "t test"}}, "knows no analysis 't test'"),
        ({"primary": {"figure": "f1"}}, "not f1"),
        ({"covariance": "sandwich"}, "The covariance of a plan is delong or jackknife or unbiased or bootstrap"),
        ({"readers": "fixed", "cases": "fixed"}, "nothing varies"),
        ({"level": 95}, "between 0 and 1"),
        ({"level": "high"}, "not 'high'"),
        ({"arms": "unaided"}, "The arms of a plan are a list"),
        ({"primary": None}, "one of them names nothing"),
        ({"secondary": ["auc"]}, "one of them names nothing"),
        ({"primary": {"analysis": "delong per reader"}, "multiplicity": "none"}, "needs multiplicity control"),
        ({"mcnemar": "yates"}, "The McNemar test of a plan is exact or midp"),
    ],
)
def test_a_choice_that_does_not_exist_is_named(declared: dict[str, object], sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        plan_from_dict(declared)


def test_valid_tests_follow_from_the_design() -> None:
    plan = Plan(secondary=(Endpoint("delong per reader"), Endpoint("mcnemar per reader")))
    whole = valid_tests(plan, study_design(table_to_ratings(crossed())))
    assert [test.valid for test in whole] == [True, True, True]
    assert [test.is_primary for test in whole] == [True, False, False]
    gaps = study_design(table_to_ratings(oracle_data("vandyke_missing"), Columns(arm="treatment")))
    assert [test.valid for test in valid_tests(plan, gaps)] == [False, True, True]
    assert valid_tests(Plan(covariance="unbiased"), gaps)[0].valid
