"""Proportions of the confusion table against binom and epiR, the ROC curve against pROC."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from analysis.errors import CannotAnalyse
from analysis.interval import wald
from analysis.multiplicity import adjusted
from analysis.proportions import (
    ConfusionTable,
    accuracy,
    confusion_table,
    f1,
    negative_predictive_value,
    positive_predictive_value,
    proportion,
    sensitivity,
    specificity,
    youden,
)
from analysis.roc import operating_point, roc_curve, youden_point
from tests.analysis.oracle_entries import agree, agree_all, entries
from tests.analysis.test_delong import cell, dataset_of


def test_wilson_and_clopper_pearson_at_thresholds() -> None:
    names = {"wilson": "wilson", "clopper-pearson": "exact"}
    for item in entries("roc_single", "sens_spec_at_thresholds/"):
        truth, rating = dataset_of(item.id)
        for place, threshold in enumerate(item.values["threshold_ge"]):
            table = operating_point(truth, rating, threshold).table
            for method, key in names.items():
                for prefix, share in (("sens", sensitivity(table, method)), ("spec", specificity(table, method))):
                    interval = share.confidence_interval()
                    what = f"{item.id} {threshold} {prefix} {method}"
                    assert (share.successes, share.n) == (
                        item.values[f"{prefix}.x"][place],
                        item.values[f"{prefix}.n"][place],
                    )
                    agree(interval.low, item.values[f"{prefix}.{key}_lo"][place], what, absolute=1e-13)
                    agree(interval.high, item.values[f"{prefix}.{key}_hi"][place], what)


def test_edges_of_the_interval() -> None:
    for item in entries("edge_cases", "binom_ci/"):
        values = item.values
        for method, key in (("wilson", "wilson"), ("clopper-pearson", "exact")):
            place = values["method"].index(key)
            found = proportion(values["x"][place], values["n"][place], method)
            interval = found.confidence_interval()
            agree(interval.low, values["lower"][place], item.id, absolute=1e-15)
            agree(interval.high, values["upper"][place], item.id)


def test_table_and_its_shares_agree_with_epir() -> None:
    functions = {
        "se": sensitivity,
        "sp": specificity,
        "pv.pos": positive_predictive_value,
        "pv.neg": negative_predictive_value,
        "diag.ac": accuracy,
    }
    for item in entries("roc_single", "epiR_epi.tests/"):
        tp, fp, fn, tn = item.values["table"]
        truth, rating = dataset_of(item.id)
        table = confusion_table(truth, (rating >= item.values["threshold_ge"]).astype(float))
        assert table == ConfusionTable(tp=tp, fp=fp, tn=tn, fn=fn)
        expected = dict(zip(item.values["detail"]["statistic"], item.values["detail"]["est"], strict=True))
        for name, function in functions.items():
            agree(function(table).estimate, expected[name], f"{item.id} {name}")
        agree(youden(table).estimate, expected["youden"], item.id)


def test_f1_is_the_harmonic_mean_and_youden_covers_itself() -> None:
    table = ConfusionTable(tp=41, fp=22, tn=47, fn=4)
    precision, recall = positive_predictive_value(table).estimate, sensitivity(table).estimate
    assert f1(table).estimate == pytest.approx(2 * precision * recall / (precision + recall), rel=1e-14)
    found = youden(table)
    interval = found.confidence_interval()
    assert interval.low < found.estimate < interval.high
    assert found.p is not None
    assert found.p < 0.001


def test_shares_that_do_not_exist_name_what_is_missing() -> None:
    healthy = ConfusionTable(tp=0, fp=0, tn=5, fn=0)
    for function, missing in (
        (sensitivity, "diseased cases"),
        (positive_predictive_value, "positive calls"),
        (f1, "neither a diseased case nor a positive call"),
        (youden, "diseased cases"),
    ):
        with pytest.raises(CannotAnalyse, match=missing):
            function(healthy)
    with pytest.raises(CannotAnalyse, match="neither"):
        confusion_table(np.array([True]), np.array([np.nan]))
    with pytest.raises(CannotAnalyse, match="not possible"):
        proportion(3, 2)


def test_a_flawless_table_has_a_youden_without_p() -> None:
    found = youden(ConfusionTable(tp=3, fp=0, tn=3, fn=0))
    assert (found.estimate, found.se, found.p) == (1.0, 0.0, None)
    assert found.confidence_interval().low < 1


def test_curve_of_proc() -> None:
    for item in entries("roc_single", "curve/"):
        truth, rating = dataset_of(item.id)
        curve = roc_curve(truth, rating)
        agree_all(curve.tpr[::-1].tolist(), item.values["sensitivity"], item.id)
        agree_all((1 - curve.fpr[::-1]).tolist(), item.values["specificity"], item.id)


def test_youden_point_of_proc() -> None:
    for item in entries("roc_single", "youden/"):
        table, frame = item.values, item.frame()
        for place, reader in enumerate(table["reader"]):
            truth, rating = cell(frame, reader, table["treatment"][place])
            found = youden_point(truth, rating)
            # pROC's "youden" is sensitivity + specificity.
            agree(found.youden + 1, table["youden"][place], f"{item.id} {reader}")


def test_the_higher_threshold_wins_a_tie_of_youden() -> None:
    truth = np.array([False, True, False, True])
    assert youden_point(truth, np.array([1.0, 2, 3, 4])).threshold == 4


def test_one_class_has_no_curve() -> None:
    for truth, missing in (([True, True], "non-diseased"), ([False, False], "diseased"), ([], "no rated cases")):
        with pytest.raises(CannotAnalyse, match=missing):
            roc_curve(np.array(truth, dtype=bool), np.arange(len(truth), dtype=float))


def test_holm_by_hand() -> None:
    # Holm (1979): sorted p times 3, 2, 1, made monotone and capped at 1.
    assert adjusted([0.02, 0.01, 0.6]) == pytest.approx((0.04, 0.03, 0.6))
    assert adjusted([0.02, 0.01, 0.6], "none") == (0.02, 0.01, 0.6)
    assert adjusted([0.04, 0.03], "hochberg") == pytest.approx((0.04, 0.04))
    assert adjusted([]) == ()
    with pytest.raises(CannotAnalyse, match="between 0 and 1"):
        adjusted([float("nan")])


@pytest.mark.parametrize(("method", "name"), [("holm", "holm"), ("hochberg", "simes-hochberg")])
def test_adjustment_is_that_of_statsmodels(method: str, name: str) -> None:
    generator = np.random.default_rng(11)
    for size in (1, 2, 7, 40):
        values = generator.random(size) ** 3
        values[size // 2] = values[0]
        expected = multipletests(values, method=name)[1]
        assert adjusted(values.tolist(), method) == pytest.approx(tuple(expected), rel=1e-12)


def test_a_level_of_95_is_meant_as_0_95() -> None:
    with pytest.raises(CannotAnalyse, match="not at 95"):
        wald(0.5, 0.1, 95)
