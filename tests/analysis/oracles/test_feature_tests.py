"""Tests of features by R's stats."""

import numpy as np
import pytest

from analysis.contingency import Counts, chi_square, cross_table, fisher, g_test
from analysis.feature_table import Kind, feature_table
from analysis.feature_tests import (
    hodges_lehmann,
    kolmogorov_smirnov,
    kruskal_wallis,
    mann_whitney,
    signed_rank,
    standardised_difference,
    welch_t,
)
from analysis.multiplicity import Adjustment, adjusted
from analysis.ratings import Floats
from tests.analysis.oracle_entries import Entry
from tests.analysis.walk import Compare, Walk

walk = Walk("feature_tests")
# R's uniroot stops within 1e-4 of the point it looks for.
UNIROOT = 1e-4


def counts(entry: Entry) -> Counts:
    frame, name = entry.frame(), entry.id.split("/")[1]
    # wfns_c is the grade wfns as a category.
    column = frame[name if name in frame else name.removesuffix("_c")]
    return cross_table(column.tolist(), frame["truth"].tolist())[0]


def classes(entry: Entry) -> tuple[Floats, Floats]:
    """Class 0 and class 1; R's x is class 1."""
    frame, name = entry.frame(), entry.id.split("/")[1]
    values, diseased = frame[name].to_numpy(float), frame["truth"].to_numpy() == 1
    return values[~diseased], values[diseased]


@walk.covers("chisq/*", ignores=("*.rows", "*.cols"))
def pearson(entry: Entry, compare: Compare) -> None:
    table, v = counts(entry), entry.values
    found = chi_square(table)
    compare.all(table, v["table"]["values"], "counts")
    compare(found.statistic, v["statistic"], "chi-square")
    compare(found.df, v["df"], "df")
    compare(found.p, v["p"], "p")
    compare.all(found.expected, v["expected"]["values"], "expected")


@walk.covers("chisq_yates/*")
def yates(entry: Entry, compare: Compare) -> None:
    found, v = chi_square(counts(entry), corrected=True), entry.values
    compare(found.statistic, v["statistic"], "chi-square")
    compare(found.df, v["parameter"], "df")
    compare(found.p, v["p.value"], "p")


@walk.covers("fisher/*", ignores=("null.value",))
def exact(entry: Entry, compare: Compare) -> None:
    found, v = fisher(counts(entry)), entry.values
    compare(found.p, v["p.value"], "p")
    if "estimate" in v:
        # R looks for the odds ratio and its limits with uniroot, on the scale of the ratio or of its inverse.
        interval = found.confidence_interval()
        compare(found.estimate, v["estimate"], "odds ratio", rel=UNIROOT)
        compare.all([interval.low, interval.high], v["conf.int"], "interval", rel=UNIROOT)


@walk.covers("g_test/*")
def likelihood_ratio(entry: Entry, compare: Compare) -> None:
    found = g_test(counts(entry))
    compare(found.statistic, entry.values["G"], "G")
    compare(found.p, entry.values["p"], "p")


@walk.covers("cramers_v/*")
def cramer(entry: Entry, compare: Compare) -> None:
    compare(chi_square(counts(entry)).estimate, entry.values["v"], "V")


@walk.covers("mann_whitney/*")
def ranks(entry: Entry, compare: Compare) -> None:
    first, second = classes(entry)
    v = entry.values
    found = mann_whitney(first, second)
    compare(found.statistic, v["W"], "W")
    compare(found.estimate, v["auc"], "area")
    compare(found.p, v["p_cc"], "p, corrected")
    compare(mann_whitney(first, second, corrected=False).p, v["p_nocc"], "p, not corrected")
    shift = hodges_lehmann(first, second)
    apart = np.sort((second[:, None] - first[None, :]).ravel())
    middle = apart[len(apart) // 2 - 1 : len(apart) // 2 + 1]
    # With an even number of differences every point between the middle two solves R's equation; ours is their mean.
    compare(shift.estimate, v["hodges_lehmann"], "shift", rel=0, absolute=UNIROOT + float(np.ptp(middle)) / 2)
    compare.all([shift.low, shift.high], v["hl_ci"], "interval of the shift", rel=0, absolute=UNIROOT)


@walk.covers("welch_t/*", ignores=("null.value",))
def welch(entry: Entry, compare: Compare) -> None:
    found, v = welch_t(*classes(entry)), entry.values
    interval = found.confidence_interval()
    compare(found.statistic, v["statistic"], "t")
    compare(found.df, v["parameter"], "df")
    compare(found.p, v["p.value"], "p")
    compare.all([interval.low, interval.high], v["conf.int"], "interval")
    compare.all(found.means[::-1], [v["estimate"]["mean of x"], v["estimate"]["mean of y"]], "means")
    compare(found.se, v["stderr"], "se")


@walk.covers("ks/*", ignores=("exact",))
def kolmogorov(entry: Entry, compare: Compare) -> None:
    first, second = classes(entry)
    found, v = kolmogorov_smirnov(first, second), entry.values
    compare(found.estimate, v["statistic"], "D")
    compare(found.p, v["p.value"], "p")
    compare.all(second, v["data"]["x"], "class 1")
    compare.all(first, v["data"]["y"], "class 0")


@walk.covers("kruskal/*")
def kruskal(entry: Entry, compare: Compare) -> None:
    found, v = kruskal_wallis(classes(entry)), entry.values
    compare(found.estimate, v["statistic"], "H")
    compare(found.df, v["parameter"], "df")
    compare(found.p, v["p.value"], "p")


@walk.covers("p_adjust/*")
def adjustments(entry: Entry, compare: Compare) -> None:
    v, frame = entry.values, entry.frame()
    frame = frame.assign(wfns_c=frame["wfns"])
    kinds: dict[str, Kind] = {name: "categorical" if name in ("gender", "wfns_c") else "ordinal" for name in v["names"]}
    names: dict[str, Adjustment] = {
        "BH": "benjamini-hochberg",
        "BY": "benjamini-yekutieli",
        "holm": "holm",
        "bonferroni": "bonferroni",
        "hochberg": "hochberg",
    }
    for name, adjustment in names.items():
        table = feature_table(frame, kinds, adjustment=adjustment)
        compare.all([row.p for row in table.rows], v["p"], "p")
        compare.all([row.p_adjusted for row in table.rows], v[name], name)
        compare.all(adjusted(v["p"], adjustment), v[name], f"{name} of R's p")


@walk.covers("smd/*")
def standardised(entry: Entry, compare: Compare) -> None:
    frame = entry.frame()
    diseased = frame["truth"].to_numpy() == 1
    for name, expected in entry.values.items():
        values = frame[name].to_numpy(float)
        compare(standardised_difference(values[~diseased], values[diseased]).estimate, expected, name)


@walk.covers("mann_whitney_exact_small/*")
def small(entry: Entry, compare: Compare) -> None:
    v = entry.values
    found = mann_whitney(np.asarray(v["z"]), np.asarray(v["x"]), "exact")
    compare(found.statistic, v["W"], "W")
    compare(found.p, v["p"], "p")


@walk.covers("wilcoxon_signed_rank/*")
def paired(entry: Entry, compare: Compare) -> None:
    frame = entry.frame()
    wide = frame[frame["reader"] == 1].pivot(index="case", columns="treatment", values="rating")
    found, v = signed_rank(wide[2].to_numpy(float), wide[1].to_numpy(float)), entry.values
    compare(found.statistic, v["V"], "V")
    compare(found.p, v["p"], "p")
    compare(found.sign_p, v["sign_p"], "p of the sign test")


@pytest.mark.parametrize("entry", walk.entries(), ids=str)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
