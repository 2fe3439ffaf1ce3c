"""Two ROC curves compared: pROC and MRMCaov. pROC subtracts the second from the first curve."""

import math
from functools import cache

import numpy as np
import pytest
from scipy import stats

from analysis.bootstrapped import Part, bootstrap_test
from analysis.covariance import covariance, figures_of_merit
from analysis.delong import delong_auc, delong_covariance, delong_test, delong_test_unpaired
from analysis.operating_tests import bootstrap_test_unpaired, sensitivity_test, specificity_test
from analysis.power_auc import (
    auc_power,
    auc_sample_size,
    binormal_covariance,
    binormal_variance,
    delong_spread,
    paired_auc_sample_size,
)
from analysis.ratings import Bools, Columns, Floats, table_to_ratings
from analysis.resampling import Bootstrap
from analysis.roc import partial_area, roc_curve
from analysis.venkatraman import venkatraman_test, venkatraman_test_unpaired
from tests.analysis.oracle_entries import Entry, oracle_data
from tests.analysis.walk import Compare, Walk

walk = Walk("roc_compare")
REPLICATES = 10_000


@cache
def asah(*columns: str) -> tuple[Bools, tuple[Floats, ...]]:
    frame = oracle_data("asah")
    return frame["truth"].to_numpy() == 1, tuple(frame[column].to_numpy(float) for column in columns)


def groups(marker: str) -> list[tuple[Bools, Floats]]:
    """Women and men."""
    frame = oracle_data("asah")
    parts = [frame[frame["gender"] == name] for name in ("Female", "Male")]
    return [(part["truth"].to_numpy() == 1, part[marker].to_numpy(float)) for part in parts]


@walk.covers("delong_paired/*")
def every_reader(entry: Entry, compare: Compare) -> None:
    table = entry.values
    ratings = table_to_ratings(entry.frame(), Columns(arm="treatment"))
    for place, reader in enumerate(table["reader"]):
        truth, one, two = ratings.pair(str(reader), str(table["t1"][place]), str(table["t2"][place]))
        found = delong_test(truth, one, two)
        limits = found.confidence_interval()
        ours = {
            "n": len(truth),
            "auc1": found.first.estimate,
            "auc2": found.second.estimate,
            "var1": found.first.se**2,
            "var2": found.second.se**2,
            "cov": found.covariance,
            "z": -found.statistic,
            "p": found.p,
            "diff_ci_lo": -limits.high,
            "diff_ci_hi": -limits.low,
        }
        for key, value in ours.items():
            # A covariance or a z of zero is found as rounding noise by either program.
            noise = 1e-12 if key == "z" else 1e-15
            compare(value, table[key][place], f"{key} of {reader}", absolute=max(noise, 2e-15))


@walk.covers("delong_matrix/*", ignores=("groups",))
def matrix_of_readers(entry: Entry, compare: Compare) -> None:
    ratings = table_to_ratings(entry.frame(), Columns(arm="treatment"))
    found = covariance(figures_of_merit(ratings))
    names = [f"{arm}.{reader}" for reader in ratings.readers for arm in ratings.arms]
    order = [names.index(label) for label in entry.values["labels"]]
    compare.all(found[np.ix_(order, order)], entry.values["cov"], "covariance")


def names_of(entry: Entry) -> tuple[str, str]:
    words = entry.id.split("/")[0].removeprefix("delong_paired_").split("_")
    return (words[0], words[1]) if len(words) == 2 else ("wfns", "ndka")


@walk.covers("delong_paired_*", ignores=("parameter",))
def markers(entry: Entry, compare: Compare) -> None:
    truth, (one, two) = asah(*names_of(entry))
    found = delong_test(truth, one, two)
    limits = found.confidence_interval()
    # pROC's alternative greater says that the first curve lies higher.
    tail = {"greater": stats.norm.sf, "less": stats.norm.cdf}.get(entry.id.split("/")[0].removeprefix("delong_paired_"))
    p = found.p if tail is None else float(tail(-found.statistic))
    compare(-found.statistic, entry.values["statistic"]["Z"], "z")
    compare(p, entry.values["p.value"], "p")
    compare_areas(entry, compare, found.first.estimate, found.second.estimate)
    compare.all([-limits.high, -limits.low], entry.values["conf.int"], "interval")


def compare_areas(entry: Entry, compare: Compare, first: float, second: float) -> None:
    compare.all([first, second], list(entry.values["estimate"].values()), "areas")


@walk.covers("delong_cov_matrix/asah", ignores=("rows", "cols"))
def matrix_of_markers(entry: Entry, compare: Compare) -> None:
    truth, ratings = asah("s100b", "ndka", "wfns")
    compare.all(delong_covariance(truth, np.stack(ratings))[1], entry.values["values"], "covariance")


@walk.covers("delong_unpaired_gender_*", ignores=("conf.int",))
def women_and_men(entry: Entry, compare: Compare) -> None:
    (one, two) = groups(entry.id.split("/")[0].rsplit("_", 1)[1])
    found = delong_test_unpaired(*one, *two)
    compare(-found.statistic, entry.values["statistic"]["D"], "D")
    compare(found.df, entry.values["parameter"]["df"], "df")
    compare(found.p, entry.values["p.value"], "p")
    compare_areas(entry, compare, found.first.estimate, found.second.estimate)


def compare_bootstrap(entry: Entry, compare: Compare, found: Bootstrap) -> None:
    """D = difference / bootstrap se; an se of B replicates varies by 1/sqrt(2 B) of itself, in both programs."""
    theirs = entry.values["parameter"]["boot.n"]
    statistic = found.estimate / found.se
    error = abs(statistic) * math.sqrt(1 / (2 * len(found.replicates)) + 1 / (2 * theirs))
    compare.monte_carlo(-statistic, entry.values["statistic"]["D"], error, "D")
    assert found.p is not None
    compare.monte_carlo(found.p, entry.values["p.value"], 2 * float(stats.norm.pdf(statistic)) * error, "p")


BOOTSTRAP = ("conf.int", "parameter.boot.stratified")


@walk.covers("bootstrap_paired_s100b_wfns/asah", ignores=BOOTSTRAP)
def areas_by_bootstrap(entry: Entry, compare: Compare) -> None:
    truth, (one, two) = asah("s100b", "wfns")
    compare_bootstrap(entry, compare, bootstrap_test(truth, one, two, replicates=REPLICATES))
    compare_areas(entry, compare, *(delong_auc(truth, rating).estimate for rating in (one, two)))


@walk.covers("bootstrap_paired_pauc/asah", ignores=BOOTSTRAP)
def parts_by_bootstrap(entry: Entry, compare: Compare) -> None:
    truth, (one, two) = asah("s100b", "wfns")
    part = Part("specificity", 0.9, 1.0)
    compare_bootstrap(entry, compare, bootstrap_test(truth, one, two, part, replicates=REPLICATES))
    compare_areas(entry, compare, *(partial_area(roc_curve(truth, x), "specificity", 0.9, 1.0) for x in (one, two)))


@walk.covers("bootstrap_unpaired_gender_wfns/asah", ignores=BOOTSTRAP)
def women_and_men_by_bootstrap(entry: Entry, compare: Compare) -> None:
    one, two = groups("wfns")
    compare_bootstrap(entry, compare, bootstrap_test_unpaired(*one, *two, replicates=REPLICATES))
    compare_areas(entry, compare, delong_auc(*one).estimate, delong_auc(*two).estimate)


@walk.covers("test_at_*", ignores=BOOTSTRAP)
def at_one_point(entry: Entry, compare: Compare) -> None:
    truth, (one, two) = asah("s100b", "wfns")
    test = sensitivity_test if entry.id.startswith("test_at_specificity") else specificity_test
    compare_bootstrap(entry, compare, test(truth, one, two, 0.9, REPLICATES))
    compare_areas(entry, compare, *(delong_auc(truth, rating).estimate for rating in (one, two)))


def in_order(rating: Floats) -> Floats:
    """Ranks with ties broken by the order of the rows, as pROC breaks them."""
    return np.asarray(stats.rankdata(rating, method="ordinal"), dtype=float)


@walk.covers("venkatraman_paired/asah", ignores=("conf.int", "estimate"))
def permuted(entry: Entry, compare: Compare) -> None:
    truth, (one, two) = asah("s100b", "wfns")
    found = venkatraman_test(truth, in_order(one), in_order(two), 20_000)
    compare(found.statistic, entry.values["statistic"]["E"], "E")
    p, drawn = entry.values["p.value"], entry.values["parameter"]["boot.n"]
    compare.monte_carlo(found.p, p, math.sqrt(p * (1 - p) * (1 / drawn + 1 / found.replicates)), "p")


@walk.covers(
    "venkatraman_unpaired_gender/asah",
    ignores=("conf.int", "estimate", "parameter.boot.n"),
    leaves={"p.value": "exchanges ranks of another length"},
)
def permuted_unpaired(entry: Entry, compare: Compare) -> None:
    (first, one), (second, two) = groups("s100b")
    # pROC divides the diseased cases of both groups by twice the size of the first group.
    share = (first.sum() + second.sum()) / (2 * len(first))
    found = venkatraman_test_unpaired(first, in_order(one), second, in_order(two), 1, share=float(share))
    compare(found.statistic, entry.values["statistic"]["E"], "E")


def proc_curve(truth: Bools, rating: Floats) -> tuple[float, float]:
    """Line through the normal quantiles of specificity over those of sensitivity, which pROC takes as a and b."""
    curve = roc_curve(truth, rating)
    x, y = stats.norm.ppf(curve.tpr), stats.norm.ppf(1 - curve.fpr)
    inner = np.isfinite(x) & np.isfinite(y)
    slope, intercept = np.polyfit(x[inner], y[inner], 1)
    return float(intercept), float(-slope)


@walk.covers("obuchowski_var_cov/asah")
def binormal(entry: Entry, compare: Compare) -> None:
    # pROC's a and b are those of the curve turned over; its formula is ours.
    truth, (one, two) = asah("s100b", "wfns")
    diseased, healthy = (float(np.corrcoef(one[held], two[held])[0, 1]) for held in (truth, ~truth))
    positives = int(truth.sum())
    ratio = (len(truth) - positives) / positives
    first, second = proc_curve(truth, one), proc_curve(truth, two)
    compare(binormal_variance(*first, ratio) / positives, entry.values["var1"], "variance of s100b")
    compare(binormal_variance(*second, ratio) / positives, entry.values["var3"], "variance of wfns")
    shared = binormal_covariance(first, second, diseased, healthy, ratio) / positives
    compare(shared, entry.values["cov13"], "covariance")


@walk.covers("power_one_curve/asah")
def cases_for_one(entry: Entry, compare: Compare) -> None:
    truth, (one,) = asah("s100b")
    found = delong_auc(truth, one)
    plan = auc_sample_size(found.estimate, 0.9, found.negatives / found.positives)
    ours = [plan.positives, plan.negatives, found.estimate]
    compare.all(ours, [entry.values[key] for key in ("ncases", "ncontrols", "auc")], "cases")


@walk.covers("power_two_curves/asah")
def cases_for_two(entry: Entry, compare: Compare) -> None:
    truth, (one, two) = asah("s100b", "wfns")
    plan = paired_auc_sample_size(delong_spread(truth, one, two), 0.9)
    compare.all([plan.positives, plan.negatives], [entry.values["ncases"], entry.values["ncontrols"]], "cases")


@walk.covers("power_by_auc/asah")
def power_of_one(entry: Entry, compare: Compare) -> None:
    compare(auc_power(0.8, 41, 72).estimate, entry.values["power"], "power")


@walk.covers("power_ncases_by_auc/asah")
def cases_by_ratio(entry: Entry, compare: Compare) -> None:
    plan = auc_sample_size(0.8, 0.95, 1.7)
    compare.all([plan.positives, plan.negatives], [entry.values["ncases"], entry.values["ncontrols"]], "cases")


@pytest.mark.parametrize("entry", walk.entries(), ids=lambda entry: entry.id)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
