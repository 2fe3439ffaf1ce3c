"""AUC and DeLong against pROC, MRMCaov and ROCit, with the edges."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.delong import (
    Auc,
    AucDifference,
    delong_auc,
    delong_covariance,
    delong_test,
    delong_test_unpaired,
    hanley_mcneil_se,
    placements,
)
from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Columns, Floats, table_to_ratings
from analysis.roc import roc_curve
from tests.analysis.oracle_entries import agree, agree_all, entries, entry, oracle_data

TREATMENT = Columns(arm="treatment")


def cell(frame: pd.DataFrame, reader: object, treatment: object) -> tuple[Bools, Floats]:
    part = frame[(frame["reader"].astype(str) == str(reader)) & (frame["treatment"].astype(str) == str(treatment))]
    return part["truth"].to_numpy() == 1, part["rating"].to_numpy(float)


def asah(*columns: str) -> tuple[Bools, list[Floats]]:
    frame = oracle_data("asah")
    return frame["truth"].to_numpy() == 1, [frame[column].to_numpy(float) for column in columns]


def dataset_of(identifier: str) -> tuple[Bools, Floats]:
    """'topic/vandyke/r1_t1' or 'topic/asah/s100b' as truth and rating."""
    _, dataset, which = identifier.split("/")
    frame = oracle_data(dataset)
    if dataset == "asah":
        return frame["truth"].to_numpy() == 1, frame[which].to_numpy(float)
    reader, treatment = which[1:].split("_t")
    return cell(frame, reader, treatment)


def test_hanley_mcneil_of_the_paper() -> None:
    # Hanley & McNeil (1982), table II: theta .893, 51 abnormal and 58 normal images, W se .0325 by formula 2.
    assert round(hanley_mcneil_se(0.893, 51, 58), 4) == 0.0325


def test_paired_comparison_of_every_reader() -> None:
    for item in entries("roc_compare", "delong_paired/"):
        table = item.values
        ratings = table_to_ratings(item.frame(), TREATMENT)
        for place, reader in enumerate(table["reader"]):
            truth, one, two = ratings.pair(str(reader), str(table["t1"][place]), str(table["t2"][place]))
            found = delong_test(truth, one, two)
            what = f"{item.id} reader {reader} {table['t1'][place]} {table['t2'][place]}"
            agree(found.first.estimate, table["auc1"][place], what)
            agree(found.second.estimate, table["auc2"][place], what)
            agree(found.first.se**2, table["var1"][place], what)
            agree(found.covariance, table["cov"][place], what, absolute=1e-15)
            agree(-found.statistic, table["z"][place], what, absolute=1e-12)
            agree(found.p, table["p"][place], what)


@pytest.mark.parametrize(("first", "second"), [("s100b", "ndka"), ("wfns", "s100b"), ("wfns", "ndka")])
def test_paired_comparison_of_markers(first: str, second: str) -> None:
    values = entry("roc_compare", f"delong_paired_{first}_{second}/asah").values
    truth, (one, two) = asah(first, second)
    found = delong_test(truth, one, two)
    interval = found.confidence_interval()
    agree(-found.statistic, values["statistic"]["Z"], "z")
    agree(found.p, values["p.value"], "p")
    agree_all([-interval.high, -interval.low], values["conf.int"], "interval")


def test_covariance_of_three_markers() -> None:
    expected = entry("roc_compare", "delong_cov_matrix/asah").values["values"]
    truth, ratings = asah("s100b", "ndka", "wfns")
    _, covariance = delong_covariance(truth, np.stack(ratings))
    for found, row in zip(covariance, expected, strict=True):
        agree_all(found.tolist(), row, "covariance")


@pytest.mark.parametrize("marker", ["s100b", "wfns"])
def test_unpaired_comparison(marker: str) -> None:
    values = entry("roc_compare", f"delong_unpaired_gender_{marker}/asah").values
    frame = oracle_data("asah")
    groups = [frame[frame["gender"] == name] for name in ("Female", "Male")]
    arrays = [(part["truth"].to_numpy() == 1, part[marker].to_numpy(float)) for part in groups]
    found = delong_test_unpaired(*arrays[0], *arrays[1])
    agree(-found.statistic, values["statistic"]["D"], "D")
    agree(found.df, values["parameter"]["df"], "df")
    agree(found.p, values["p.value"], "p")


def test_edges_follow_proc_or_refuse_in_one_sentence() -> None:
    for item in entries("edge_cases", "pROC/auc_ci_delong/"):
        frame = item.frame().dropna(subset=["rating"])
        truth, rating = frame["truth"].to_numpy() == 1, frame["rating"].to_numpy(float)
        if "error" in item.values or item.values["var"] == "NA":
            with pytest.raises(CannotAnalyse, match=r"^[^.]+\.$"):
                delong_auc(truth, rating)
            continue
        found = delong_auc(truth, rating)
        interval = found.confidence_interval()
        agree_all([interval.low, found.estimate, interval.high], item.values["ci"], item.id)
        assert bool(found.warnings) is (item.values["var"] == 0)


def test_intervals_by_hand() -> None:
    truth, (rating,) = asah("wfns")
    found, logit = delong_auc(truth, rating), delong_auc(truth, rating, "logit")
    z, spread = 1.6448536269514722, found.estimate * (1 - found.estimate)
    plain, bent = found.confidence_interval(0.9), logit.confidence_interval(0.9)
    assert (plain.low, plain.high) == pytest.approx((found.estimate - z * found.se, found.estimate + z * found.se))
    centre = math.log(found.estimate / (1 - found.estimate))
    limits = [1 / (1 + math.exp(-(centre + side * z * found.se / spread))) for side in (-1, 1)]
    assert [bent.low, bent.high] == pytest.approx(limits)
    assert found.p == pytest.approx(math.erfc(abs(found.estimate - 0.5) / found.se / math.sqrt(2)))
    assert (found.positives, found.negatives, found.method, logit.method) == (41, 72, "delong", "logit")
    assert found.warnings == ()


def test_the_variance_by_hand() -> None:
    # Placements 1, 3/4 and 1, 3/4: variances of 1/32 in each class over 2 cases.
    found = delong_auc(np.array([False, False, True, True]), np.array([1.0, 2, 2, 3]))
    assert (found.estimate, found.se) == pytest.approx((0.875, math.sqrt(1 / 32)))


def test_a_class_of_one_case_has_no_variance() -> None:
    for truth, word in (([True, False, False], "one diseased"), ([True, True, False], "one non-diseased")):
        with pytest.raises(CannotAnalyse, match=f"only {word} case"):
            delong_auc(np.array(truth), np.arange(3.0))


def test_welch_by_hand() -> None:
    truth, (one, two) = asah("s100b", "wfns")
    first, second = delong_auc(truth, one), delong_auc(truth[:80], two[:80])
    found = delong_test_unpaired(truth, one, truth[:80], two[:80])
    v1, v2 = first.se**2, second.se**2
    assert found.estimate == second.estimate - first.estimate
    assert found.se == pytest.approx(math.sqrt(v1 + v2))
    assert found.df == pytest.approx((v1 + v2) ** 2 / (v1**2 / 112 + v2**2 / 79))
    flat = np.array([False, False, True, True])
    same = delong_test_unpaired(flat, np.arange(4.0), flat, np.arange(4.0))
    assert (same.estimate, same.p) == (0.0, 1.0)


def test_perfect_separation_has_no_p_but_a_warning() -> None:
    found = delong_auc(np.array([False, False, True, True]), np.array([1.0, 2, 3, 4]))
    assert (found.estimate, found.se, found.p) == (1.0, 0.0, None)
    assert "no width" in found.warnings[0]


def test_equal_ratings_do_not_differ() -> None:
    truth, rating = np.array([False, False, True, True]), np.array([1.0, 3, 2, 4])
    found = delong_test(truth, rating, rating * 2)
    assert (found.estimate, found.statistic, found.p) == (0.0, 0.0, 1.0)
    assert found.warnings


def test_a_difference_without_variance_is_refused() -> None:
    truth = np.array([False, False, True, True])
    with pytest.raises(CannotAnalyse, match="without any variance"):
        delong_test(truth, np.array([1.0, 1, 1, 1]), np.array([1.0, 1, 2, 2]))


def test_an_unknown_interval_is_named() -> None:
    with pytest.raises(CannotAnalyse, match="not wald"):
        delong_auc(np.array([False, True]), np.array([1.0, 2.0]), "wald")  # type: ignore[arg-type]


def test_logit_interval_of_a_perfect_auc_falls_back_without_a_division() -> None:
    interval = Auc(1.0, 0.0, None, 2, 2, "logit").confidence_interval()
    assert (interval.low, interval.high) == (1.0, 1.0)


def test_ties_and_no_ties_take_the_same_way_to_the_auc() -> None:
    generator = np.random.default_rng(7)
    truth = generator.random(400) < 0.4
    for rating in (generator.normal(size=400), generator.integers(0, 6, 400).astype(float)):
        place = placements(truth, rating)
        assert place[truth].mean() == pytest.approx(roc_curve(truth, rating).area, abs=1e-13)
        assert place[~truth].mean() == pytest.approx(roc_curve(truth, rating).area, abs=1e-13)


def test_hanley_mcneil_by_hand() -> None:
    # theta 3/4, 3 diseased, 5 not: Q1 = 3/5, Q2 = 9/14; 3/16 + 2 (3/5 - 9/16) + 4 (9/14 - 9/16) over 15.
    assert hanley_mcneil_se(0.75, 3, 5) ** 2 == pytest.approx((3 / 16 + 2 * 3 / 80 + 4 * 9 / 112) / 15, rel=1e-14)
    assert hanley_mcneil_se(1.0, 3, 5) == 0
    truth = np.array([False, False, False, True, True])
    found = delong_auc(truth, np.array([1.0, 2, 2, 2, 3]), "hanley-mcneil")
    assert found.method == "hanley-mcneil"
    assert found.estimate == pytest.approx(5 / 6)
    assert found.se == hanley_mcneil_se(found.estimate, 2, 3)
    assert found.confidence_interval().high == 1.0


def test_the_unpaired_interval_is_students() -> None:
    generator = np.random.default_rng(4)
    truth = np.arange(20) % 2 == 0
    ratings = generator.normal(size=(2, 20)) + truth
    found = delong_test_unpaired(truth, ratings[0], truth[:12], ratings[1, :12])
    assert found.df is not None
    half = float(stats.t.ppf(0.975, found.df)) * found.se
    interval = found.confidence_interval()
    assert (interval.low, interval.high) == pytest.approx((found.estimate - half, min(found.estimate + half, 1.0)))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.statistic), found.df))
    assert found.covariance == 0.0


def test_the_same_ratings_of_other_cases_vary_though_they_do_not_differ() -> None:
    truth, rating = np.array([False, False, True, True]), np.array([1.0, 3, 2, 4])
    found = delong_test_unpaired(truth, rating, truth, rating)
    assert found.se == pytest.approx(math.sqrt(2) * delong_auc(truth, rating).se)
    # Two variances alike from four cases each: twice the three degrees of freedom of one.
    assert (found.estimate, found.p, found.warnings) == (0.0, 1.0, ())
    assert found.df == pytest.approx(6.0)


def test_what_has_no_variance_and_no_difference_says_so() -> None:
    truth, rating = np.array([False, False, True, True]), np.array([1.0, 3, 2, 4])
    alike = "The two ratings order the cases alike; the difference is 0 and nothing speaks against equality."
    area = delong_auc(truth, rating)
    found = delong_test(truth, rating, 2 * rating)
    assert found.covariance == pytest.approx(area.se**2)
    assert found == AucDifference(0.0, 0.0, 0.0, 1.0, None, area, area, found.covariance, (alike,))
    perfect = delong_auc(truth, truth.astype(float))
    assert delong_test_unpaired(truth, truth.astype(float), truth, truth * 5.0) == AucDifference(
        0.0, 0.0, 0.0, 1.0, None, perfect, perfect, 0.0, (alike,)
    )
    with pytest.raises(CannotAnalyse, match=r"The AUCs 1 and 0\.5 differ without any variance"):
        delong_test_unpaired(truth, truth.astype(float), truth, np.ones(4))


def test_p_of_an_area_is_against_one_half() -> None:
    truth = np.array([False, False, False, True, True, True])
    found = delong_auc(truth, np.array([1.0, 2, 3, 2, 3, 4]))
    # Placements 5/6, 1/2, 1 and 1/2, 5/6, 1 have a variance of 7/108 each, over 3: z = (7/9 - 1/2) / sqrt(14/324).
    assert found.p == pytest.approx(math.erfc((5 / 18) / math.sqrt(14 / 324) / math.sqrt(2)), rel=1e-12)
    assert delong_auc(~truth, np.array([1.0, 2, 3, 2, 3, 4])).p == pytest.approx(found.p, rel=1e-12)


def test_all_ties_are_chance_for_certain() -> None:
    flat = "The variance is zero (perfect separation, or nothing but ties), so the interval has no width."
    truth = np.array([False, False, False, True, True])
    assert delong_auc(truth, np.ones(5)) == Auc(0.5, 0.0, 1.0, 2, 3, "delong", (flat,))
    assert delong_auc(truth, truth * 1.0, "logit") == Auc(1.0, 0.0, None, 2, 3, "logit", (flat,))
