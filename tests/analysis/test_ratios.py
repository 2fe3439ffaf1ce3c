"""Likelihood ratios, odds ratio, number needed to diagnose: identities, zero cells, and the bootstrap of them all."""

import math
from typing import get_args

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import Table2x2

from analysis.decision_bootstrap import NULLS, Measure, bootstrap_decisions
from analysis.errors import CannotAnalyse
from analysis.proportions import (
    ConfusionTable,
    Proportion,
    accuracy,
    balanced_accuracy,
    f1,
    sensitivity,
    specificity,
    youden,
)
from analysis.ratios import (
    diagnostic_odds_ratio,
    negative_likelihood_ratio,
    number_needed_to_diagnose,
    positive_likelihood_ratio,
)

TABLE = ConfusionTable(tp=41, fp=22, tn=47, fn=4)
FLAWLESS = ConfusionTable(tp=5, fp=0, tn=6, fn=0)


def test_odds_ratio_is_that_of_statsmodels_and_the_ratio_of_likelihood_ratios() -> None:
    found, theirs = diagnostic_odds_ratio(TABLE), Table2x2(np.array([[41, 22], [4, 47]]))
    interval = found.confidence_interval(0.9)
    assert found.estimate == pytest.approx(theirs.oddsratio)
    assert (interval.low, interval.high) == pytest.approx(theirs.oddsratio_confint(0.1))
    assert found.p == pytest.approx(theirs.oddsratio_pvalue())
    ratio = positive_likelihood_ratio(TABLE).estimate / negative_likelihood_ratio(TABLE).estimate
    assert found.estimate == pytest.approx(ratio)


def test_likelihood_ratios_are_risk_ratios_of_statsmodels() -> None:
    for found, table in (
        (positive_likelihood_ratio(TABLE), [[41, 4], [22, 47]]),
        (negative_likelihood_ratio(TABLE), [[4, 41], [47, 22]]),
    ):
        theirs = Table2x2(np.array(table))
        interval = found.confidence_interval()
        assert found.estimate == pytest.approx(theirs.riskratio)
        assert (interval.low, interval.high) == pytest.approx(theirs.riskratio_confint())
        assert found.p == pytest.approx(theirs.riskratio_pvalue())
        assert found.warnings == ()


def test_swapped_calls_swap_the_ratios() -> None:
    swapped = ConfusionTable(tp=4, fp=47, tn=22, fn=41)
    assert positive_likelihood_ratio(swapped).estimate == pytest.approx(negative_likelihood_ratio(TABLE).estimate)
    assert diagnostic_odds_ratio(swapped).estimate == pytest.approx(1 / diagnostic_odds_ratio(TABLE).estimate)


def test_ratios_of_zero_have_the_interval_of_half_counts() -> None:
    found = negative_likelihood_ratio(ConfusionTable(tp=9, fp=3, tn=7, fn=0))
    interval = found.confidence_interval()
    assert (found.estimate, interval.low) == (0.0, 0.0)
    centre = (0.5 / 10) / (7.5 / 11)
    se = math.sqrt(1 / 0.5 - 1 / 10 + 1 / 7.5 - 1 / 11)
    assert interval.high == pytest.approx(centre * math.exp(1.959963984540054 * se))
    assert "one half" in found.warnings[0]
    assert positive_likelihood_ratio(ConfusionTable(tp=0, fp=3, tn=7, fn=9)).estimate == 0


def test_infinite_ratios_are_refused() -> None:
    with pytest.raises(CannotAnalyse, match="positive likelihood ratio is infinite"):
        positive_likelihood_ratio(FLAWLESS)
    with pytest.raises(CannotAnalyse, match="negative likelihood ratio is infinite"):
        negative_likelihood_ratio(ConfusionTable(tp=3, fp=4, tn=0, fn=1))
    with pytest.raises(CannotAnalyse, match="empty"):
        diagnostic_odds_ratio(FLAWLESS)
    found = diagnostic_odds_ratio(FLAWLESS, "add half")
    assert found.estimate == pytest.approx(5.5 * 6.5 / 0.25)
    assert "one half was added" in found.warnings[0]
    for of in (positive_likelihood_ratio, negative_likelihood_ratio, diagnostic_odds_ratio, number_needed_to_diagnose):
        with pytest.raises(CannotAnalyse, match="no diseased cases"):
            of(ConfusionTable(tp=0, fp=1, tn=1, fn=0))


def test_a_ratio_that_cannot_vary_says_so() -> None:
    found = positive_likelihood_ratio(ConfusionTable(tp=4, fp=5, tn=0, fn=0))
    assert (found.estimate, found.se, found.p) == (1.0, 0.0, 1.0)
    assert "no width" in found.warnings[0]


def test_number_needed_is_youden_turned_over() -> None:
    for method in ("newcombe", "limits"):
        found, index = number_needed_to_diagnose(TABLE, method), youden(TABLE, method)
        one, two = found.confidence_interval(0.9), index.confidence_interval(0.9)
        assert found.estimate == 1 / index.estimate
        assert (one.low, one.high) == (1 / two.high, 1 / two.low)
        assert found.se == pytest.approx(index.se / index.estimate**2)
        assert found.p == index.p
    useless = ConfusionTable(tp=2, fp=2, tn=3, fn=3)
    with pytest.raises(CannotAnalyse, match="no number of cases"):
        number_needed_to_diagnose(useless)
    doubtful = number_needed_to_diagnose(ConfusionTable(tp=3, fp=2, tn=3, fn=2))
    with pytest.raises(CannotAnalyse, match="holds 0"):
        doubtful.confidence_interval()
    worse = number_needed_to_diagnose(ConfusionTable(tp=2, fp=40, tn=5, fn=40))
    assert worse.estimate < 0
    assert "worse than chance" in worse.warnings[0]
    assert worse.confidence_interval().high < 0


def test_the_bootstrap_of_shares_has_the_binomial_spread() -> None:
    shares: dict[Measure, Proportion] = {"sensitivity": sensitivity(TABLE), "specificity": specificity(TABLE)}
    for measure, share in shares.items():
        for stratified in (True, False):
            found = bootstrap_decisions(TABLE, measure, 20_000, stratified=stratified)
            assert found.estimate == share.estimate
            assert found.se == pytest.approx(share.se, rel=0.05)
    found = bootstrap_decisions(TABLE, "accuracy", 20_000)
    assert found.se == pytest.approx(accuracy(TABLE).se, rel=0.03)
    fixed = bootstrap_decisions(TABLE, "accuracy", 20_000, stratified=True)
    assert fixed.se == pytest.approx(math.hypot(45 * sensitivity(TABLE).se, 69 * specificity(TABLE).se) / 114, rel=0.03)


def test_every_measure_is_the_one_of_its_function() -> None:
    expected = {
        "positive predictive value": 41 / 63,
        "negative predictive value": 47 / 51,
        "balanced accuracy": balanced_accuracy(TABLE).estimate,
        "F1": f1(TABLE).estimate,
        "Youden's index": youden(TABLE).estimate,
        "positive likelihood ratio": positive_likelihood_ratio(TABLE).estimate,
        "negative likelihood ratio": negative_likelihood_ratio(TABLE).estimate,
        "diagnostic odds ratio": diagnostic_odds_ratio(TABLE).estimate,
        "number needed to diagnose": number_needed_to_diagnose(TABLE).estimate,
        "prevalence": 45 / 114,
        "apparent prevalence": 63 / 114,
        "sensitivity": 41 / 45,
        "specificity": 47 / 69,
        "accuracy": 88 / 114,
    }
    assert set(expected) == set(get_args(Measure))
    for measure in get_args(Measure):
        found = bootstrap_decisions(TABLE, measure, 500)
        interval = found.confidence_interval()
        assert found.estimate == pytest.approx(expected[measure])
        assert interval.low < found.estimate < interval.high
        assert (found.p is None) is (measure not in NULLS)
    assert f1(TABLE).se == pytest.approx(bootstrap_decisions(TABLE, "F1", 20_000).se, rel=0.05)


def test_replicates_without_a_denominator_are_counted_or_refused() -> None:
    few = ConfusionTable(tp=1, fp=0, tn=9, fn=1)
    found = bootstrap_decisions(few, "positive predictive value", 300)
    assert len(found.replicates) < 300
    assert any(f"{300 - len(found.replicates)} of 300" in text for text in found.warnings)
    with pytest.raises(CannotAnalyse, match="empty denominator"):
        bootstrap_decisions(FLAWLESS, "diagnostic odds ratio")
    with pytest.raises(CannotAnalyse, match="empty denominator"):
        bootstrap_decisions(ConfusionTable(tp=0, fp=0, tn=0, fn=0), "accuracy")
    with pytest.raises(CannotAnalyse, match="not luck"):
        bootstrap_decisions(TABLE, "luck")  # type: ignore[arg-type]
    with pytest.raises(CannotAnalyse, match="two replicates"):
        bootstrap_decisions(TABLE, "accuracy", 1)
    flawless = bootstrap_decisions(FLAWLESS, "sensitivity", 50)
    assert (flawless.estimate, flawless.se) == (1.0, 0.0)
    assert "no width" in flawless.warnings[0]
