"""Agreement, and a few tests of tables, beside irrCAC, krippendorff, pingouin, statsmodels, scikit-learn and scipy."""

import numpy as np
import pytest

from analysis.agreement import CohenKappa, cohen_kappa, fleiss_kappa
from analysis.chance_corrected import (
    Agreement,
    brennan_prediger,
    conger_kappa,
    gwet_ac1,
    krippendorff_alpha,
    weighted_fleiss,
)
from analysis.cochran import cochran_q
from analysis.contingency import chi_square, cross_table, fisher
from analysis.feature_tests import mann_whitney
from analysis.icc import icc_forms
from analysis.paired import PairedTable, mcnemar
from analysis.proportions import proportion
from tests.analysis.agreement_data import complete, judged
from tests.analysis.oracle_entries import Entry, oracle_data
from tests.analysis.walk import Compare, Walk

walk = Walk("python_agreement")

COEFFICIENTS = {
    "gwet": gwet_ac1,
    "fleiss": weighted_fleiss,
    "conger": conger_kappa,
    "krippendorff": lambda values, weights: krippendorff_alpha(values, weights=weights),
    "bp": brennan_prediger,
}
# irrCAC rounds to twelve decimals; its interval is computed from rounded numbers. pingouin's has two decimals.
TWELVE_DECIMALS, OF_ROUNDED, TWO_DECIMALS = 0.5001e-12, 5e-12, 0.5001e-2


def coefficient(entry: Entry, compare: Compare) -> Agreement:
    _, name, weights, dataset = entry.id.split("/")
    found: Agreement = COEFFICIENTS[name](judged(dataset), weights)
    compare(found.estimate, entry.values["coefficient_value"], "coefficient", absolute=TWELVE_DECIMALS)
    compare(found.se, entry.values["se"], "se", absolute=TWELVE_DECIMALS)
    compare(found.observed, entry.values["pa"], "pa", absolute=TWELVE_DECIMALS)
    compare(found.chance, entry.values["pe"], "pe", absolute=TWELVE_DECIMALS)
    interval = found.confidence_interval()
    compare.all([interval.low, interval.high], entry.values["confidence_interval"], "interval", absolute=OF_ROUNDED)
    # The ratio of two numbers rounded at the twelfth decimal.
    compare(found.statistic, entry.values["z"], "t", rel=1e-8)
    return found


ONE_SIDED = "irrCAC in Python answers with the one-sided p value here"


@walk.covers("irrCAC_py/bp/*", ignores=("coefficient_name",), leaves={"p_value": ONE_SIDED})
def brennan(entry: Entry, compare: Compare) -> None:
    found = coefficient(entry, compare)
    assert found.p == pytest.approx(2 * entry.values["p_value"], rel=1e-8, abs=1e-14)


@walk.covers("irrCAC_py/*", ignores=("coefficient_name",))
def irrcac(entry: Entry, compare: Compare) -> None:
    compare(coefficient(entry, compare).p, entry.values["p_value"], "p")


@walk.covers("krippendorff_py/*")
def krippendorff(entry: Entry, compare: Compare) -> None:
    _, level, dataset = entry.id.split("/")
    compare(krippendorff_alpha(judged(dataset), level).estimate, entry.values, "alpha")


@walk.covers("pingouin_icc/*", ignores=("Type",))
def pingouin(entry: Entry, compare: Compare) -> None:
    for place, found in enumerate(icc_forms(judged(entry.dataset))):
        test, interval = found.test(), found.confidence_interval()
        numbers = {"ICC": found.estimate, "F": test.statistic, "df1": test.df1, "df2": test.df2, "pval": test.p}
        for key, number in numbers.items():
            compare(number, entry.values[key][place], f"{found.name} {key}")
        limits = entry.values["CI95"][place]
        compare.all([interval.low, interval.high], limits, f"{found.name} interval", absolute=TWO_DECIMALS)


@walk.covers("statsmodels_fleiss/*")
def fleiss(entry: Entry, compare: Compare) -> None:
    values = complete(judged(entry.dataset))
    compare(fleiss_kappa(values).estimate, entry.values["fleiss"], "fleiss")
    compare(brennan_prediger(values).estimate, entry.values["randolph"], "randolph")


def first_two(entry: Entry, weights: str) -> CohenKappa:
    # These entries took the subjects that all raters judged.
    values = complete(judged(entry.dataset))
    return cohen_kappa(values[0], values[1], weights)


@walk.covers("sklearn_kappa/*")
def by_sklearn(entry: Entry, compare: Compare) -> None:
    for weights in ("None", "linear", "quadratic"):
        compare(first_two(entry, weights.lower()).estimate, entry.values[weights], weights)


@walk.covers("statsmodels_kappa/*")
def by_statsmodels(entry: Entry, compare: Compare) -> None:
    for weights in ("none", "linear", "quadratic"):
        found, expected = first_two(entry, weights), entry.values[weights]
        interval = found.confidence_interval()
        compare(found.estimate, expected["kappa"], weights)
        compare(found.se, expected["se"], f"{weights} se")
        compare(found.estimate / found.statistic, expected["se0"], f"{weights} se0")
        # Ours ends at 1.
        limits = np.clip(expected["ci"], -1, 1)
        compare.all([interval.low, interval.high], limits, f"{weights} interval")


@walk.covers("statsmodels_mcnemar/*")
def by_mcnemar(entry: Entry, compare: Compare) -> None:
    (both, first), (second, neither) = entry.values["table"]
    table = PairedTable(both, first, second, neither)
    for test, key in (("exact", "exact"), ("asymptotic", "asym"), ("corrected", "cc")):
        compare(mcnemar(table, test).p, entry.values[key], test)


@walk.covers("statsmodels_cochran_q/*")
def by_cochran(entry: Entry, compare: Compare) -> None:
    frame = oracle_data("mitotic_binary")
    chosen = frame[(frame["reader"] == "observer.1") & (frame["truth"] == 1)]
    outcomes = chosen.pivot(index="case", columns="treatment", values="rating").to_numpy(dtype=float)
    found = cochran_q(outcomes)
    compare(found.statistic, entry.values["Q"], "Q")
    compare(found.p, entry.values["p"], "p")


INTERVALS = {"wilson": "wilson", "beta": "clopper-pearson", "agresti_coull": "agresti-coull", "normal": "wald"}


@walk.covers("statsmodels_proportion_ci/*", leaves={"*.jeffreys": "a Bayesian interval"})
def intervals(entry: Entry, compare: Compare) -> None:
    for name, expected in entry.values.items():
        successes, n = (int(part) for part in name.split("/"))
        for key, method in INTERVALS.items():
            interval = proportion(successes, n, method).confidence_interval()
            compare.all([interval.low, interval.high], expected[key], f"{name} {key}")


@walk.covers("scipy_mannwhitney/*")
def by_mann_whitney(entry: Entry, compare: Compare) -> None:
    frame = oracle_data("asah")
    for name, expected in entry.values.items():
        zero, one = (frame.loc[frame["truth"] == truth, name].to_numpy(dtype=float) for truth in (0, 1))
        corrected, plain = mann_whitney(zero, one), mann_whitney(zero, one, corrected=False)
        compare(corrected.statistic, expected["U"], f"{name} U")
        compare(corrected.p, expected["p_cc"], f"{name} corrected")
        compare(plain.p, expected["p"], name)


@walk.covers("scipy_tables/*")
def by_tables(entry: Entry, compare: Compare) -> None:
    frame = oracle_data("asah")
    counts, _, _ = cross_table(frame["gender"].tolist(), frame["truth"].tolist())
    compare.all(counts, entry.values["table"], "table")
    compare(fisher(counts).p, entry.values["fisher_p"], "Fisher")
    plain, yates = chi_square(counts), chi_square(counts, corrected=True)
    compare.all([plain.statistic, plain.p], [entry.values["chi2"], entry.values["p"]], "chi-square")
    compare.all([yates.statistic, yates.p], [entry.values["chi2_yates"], entry.values["p_yates"]], "Yates")


@pytest.mark.parametrize("entry", walk.entries(), ids=str)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
