"""Degenerate data: what pROC, MRMCaov, ROCit, RJafroc, iMRMC, binom and irr answer there, and what we do."""

import math

import numpy as np
import pytest

from analysis.agreement import cohen_kappa, fleiss_kappa
from analysis.binormal import binormal_auc
from analysis.bootstrapped import bootstrap_area
from analysis.chance_corrected import krippendorff_alpha
from analysis.delong import delong_auc, delong_test, placements
from analysis.icc import icc
from analysis.interval import two_sided_p
from analysis.paired import PairedTable, Test, mcnemar
from analysis.proportions import Method, proportion
from analysis.ratings import Bools, Floats
from analysis.roc import youden_point
from tests.analysis.oracle_entries import Entry
from tests.analysis.oracles import edge_mrmc
from tests.analysis.walk import Compare, Walk

walk = Walk("edge_cases")
SINGLE = ("edge_single_positive", "edge_two_cases")
ONE_CASE = "pROC draws by R's sample(), which of one number k draws from 1 to k: ratings that nobody gave."
TURNED = "pROC turns the scale where that raises the area; here a higher rating is always the more suspicious one."
NO_ALPHA = "irr calls agreement perfect where nothing varies; Krippendorff's alpha is 0/0 there and refused."
NO_CURVE = "The likelihood of a binormal curve has no maximum on these ratings; MRMCaov's optimiser stops at 0.4999999."
TIED = (
    "ROCit's variance is not DeLong's where ratings tie (0.2197 to 0.9775; DeLong's logit interval 0.2489 to 0.9737)."
)
SINGLE = ("edge_single_positive", "edge_two_cases")


def ratings(entry: Entry) -> tuple[Bools, Floats]:
    frame = entry.frame().dropna(subset="rating")
    return frame["truth"].to_numpy() == 1, frame["rating"].to_numpy(dtype=float)


@walk.covers("*/edge_one_class", ignores=("error",))
def one_class(entry: Entry, compare: Compare) -> None:
    truth, values = ratings(entry)
    for compute in (delong_auc, bootstrap_area, binormal_auc, youden_point):
        compare.refused(lambda how=compute: how(truth, values), compute.__name__)  # type: ignore[misc]
    compare.refused(lambda: delong_test(truth, values, values), "paired")


@walk.covers("pROC/auc_ci_delong/*")
def delong_interval(entry: Entry, compare: Compare) -> None:
    truth, values = ratings(entry)
    expected = entry.values
    compare(placements(truth, values)[truth].mean(), expected["auc"], "auc")
    compare(int(truth.sum()), expected["n1"], "diseased")
    compare(int((~truth).sum()), expected["n0"], "non-diseased")
    if expected["var"] == "NA":
        assert set(expected["ci"]) == {"NA"}
        compare.refused(lambda: delong_auc(truth, values), "variance")
        return
    found = delong_auc(truth, values)
    interval = found.confidence_interval()
    compare(found.se**2, expected["var"], "variance")
    compare.all([interval.low, found.estimate, interval.high], expected["ci"], "interval")
    assert bool(found.warnings) == (found.se == 0)


@walk.covers("pROC/ci_bootstrap/edge_single_positive", "pROC/ci_bootstrap/edge_two_cases", leaves={"value": ONE_CASE})
def bootstrap_of_one(entry: Entry, compare: Compare) -> None:
    """Ours draws the one case every time and says that its variation is not in the interval."""
    truth, values = ratings(entry)
    found = bootstrap_area(truth, values)
    compare(found.estimate, float(placements(truth, values)[truth].mean()), "auc")
    assert any("only one diseased case" in warning for warning in found.warnings)


@walk.covers("pROC/ci_bootstrap/*")
def bootstrap_interval(entry: Entry, compare: Compare) -> None:
    truth, values = ratings(entry)
    low, middle, high = entry.values
    found = bootstrap_area(truth, values, replicates=10_000)
    interval = found.confidence_interval()
    if found.se == 0:
        compare.all([interval.low, found.estimate, interval.high], [low, middle, high], "interval")
        assert found.warnings
        return
    # Few cases: the replicates take few values, and the limits are two of them.
    compare.monte_carlo(interval.low, low, 0.06, "low")
    compare.monte_carlo(float(np.median(found.replicates)), middle, 0.06, "median")
    compare.monte_carlo(interval.high, high, 0.06, "high")


@walk.covers("pROC/paired_test_with_itself/*", ignores=("error",))
def with_itself(entry: Entry, compare: Compare) -> None:
    truth, values = ratings(entry)
    if "error" in entry.values:
        compare.refused(lambda: delong_test(truth, values, values), "variance")
        return
    found = delong_test(truth, values, values)
    compare(found.statistic, entry.values["z"], "z")
    compare(found.p, entry.values["p"], "p")
    assert found.estimate == 0 and found.warnings


@walk.covers("pROC/auto_direction/*", leaves={"direction": TURNED})
def direction(entry: Entry, compare: Compare) -> None:
    truth, values = ratings(entry)
    area = float(placements(truth, values)[truth].mean())
    compare(area if entry.values["direction"] == "<" else 1 - area, entry.values["auc"], "auc")


@walk.covers("pROC/youden/*")
def youden(entry: Entry, compare: Compare) -> None:
    truth, values = ratings(entry)
    table, found = entry.values, youden_point(truth, values)
    best = max(a + b for a, b in zip(table["sensitivity"], table["specificity"], strict=True))
    compare(found.sensitivity + found.specificity, best, "Youden")
    # pROC names all best points, we the one with the highest specificity.
    place = int(np.argmax(table["specificity"]))
    compare(found.specificity, table["specificity"][place], "specificity")
    compare(found.sensitivity, table["sensitivity"][place], "sensitivity")
    # Its threshold lies half way to the next lower rating, ours is the rating itself; infinite where none is positive.
    lower = [value for value in np.unique(values) if value < found.threshold]
    between = (found.threshold + lower[-1]) / 2 if lower and math.isfinite(found.threshold) else found.threshold
    compare(between, table["threshold"][place], "threshold")


@walk.covers("MRMCaov/stmc/*", ignores=("error",))
def single_area(entry: Entry, compare: Compare) -> None:
    truth, values = ratings(entry)
    if entry.dataset in SINGLE:
        compare.refused(lambda: delong_auc(truth, values), "variance")
        return
    found = delong_auc(truth, values)
    if "error" in entry.values:
        # MRMCaov stops at the missing rating; the case is left out here, as pROC does.
        assert entry.dataset == "edge_missing" and len(values) == 6
        compare(found.estimate, 7 / 9, "auc")
        return
    interval = found.confidence_interval()
    compare(found.estimate, entry.values["empirical_auc"], "auc")
    compare(found.se, entry.values["StdErr"], "se")
    compare.all([interval.low, interval.high], [entry.values["CI.Lower"], entry.values["CI.Upper"]], "interval")


@walk.covers("ROCit/ci_delong_logit/edge_missing", ignores=("2",), leaves=dict.fromkeys(("lower", "upper"), TIED))
def logit_interval_with_ties(entry: Entry, compare: Compare) -> None:
    found = delong_auc(*ratings(entry), "logit")
    compare(found.estimate, entry.values["AUC"], "auc")


@walk.covers("ROCit/ci_delong_logit/*", ignores=("2",))
def logit_interval(entry: Entry, compare: Compare) -> None:
    truth, values = ratings(entry)
    compare(float(placements(truth, values)[truth].mean()), entry.values["AUC"], "auc")
    limits = [entry.values["lower"], entry.values["upper"]]
    if entry.dataset in SINGLE:
        assert limits == ["NA", "NA"]
        compare.refused(lambda: delong_auc(truth, values, "logit"), "variance")
        return
    found = delong_auc(truth, values, "logit")
    interval = found.confidence_interval()
    if limits == ["NaN", "NaN"]:
        # The logit of 0 or 1 does not exist: no width, and a warning says so.
        assert interval.low == interval.high == found.estimate and found.warnings
        return
    compare.all([interval.low, interval.high], limits, "interval")


@walk.covers("binom_ci/*", ignores=("method", "x", "n"))
def binomial(entry: Entry, compare: Compare) -> None:
    methods: dict[str, Method] = {
        "agresti-coull": "agresti-coull", "asymptotic": "wald", "exact": "clopper-pearson", "wilson": "wilson",
    }  # fmt: skip
    table = entry.values
    for place, name in enumerate(table["method"]):
        found = proportion(table["x"][place], table["n"][place], methods[name])
        interval = found.confidence_interval()
        low, high = float(table["lower"][place]), float(table["upper"][place])
        compare(found.estimate, table["mean"][place], f"{name} estimate")
        # binom lets Agresti and Coull's limits leave the range of a proportion; here they end at its bounds.
        compare(interval.low, min(max(low, 0.0), 1.0), f"{name} low", absolute=1e-15)
        compare(interval.high, min(max(high, 0.0), 1.0), f"{name} high", absolute=1e-15)


@walk.covers("mcnemar/*")
def four_tests(entry: Entry, compare: Compare) -> None:
    table = PairedTable(*(int(part) for part in entry.id.split("/")[1].split("_")))
    tests: dict[str, Test] = {"asym": "asymptotic", "cc": "corrected", "exact": "exact", "midp": "midp"}
    for name, test in tests.items():
        expected = entry.values[name]
        found = mcnemar(table, test)
        if expected == "NaN":
            # Nobody was decided differently: nothing speaks against equality, and a warning says why.
            assert found.p == 1 and found.warnings
            continue
        compare(found.p, expected, name)


@walk.covers("kappa/*")
def kappa(entry: Entry, compare: Compare) -> None:
    first, second = {
        "constant_raters": ([1, 1, 1, 1, 1], [1, 1, 1, 1, 1]),
        "perfect": ([1, 2, 1, 2], [1, 2, 1, 2]),
        "one_constant": ([1, 1, 1, 1], [1, 2, 1, 2]),
    }[entry.id.split("/")[1]]
    one, two = np.array(first, dtype=float), np.array(second, dtype=float)
    expected = [entry.values[name] for name in ("value", "statistic", "p.value")]
    if expected[0] == "NaN":
        assert expected[1:] == ["NaN", "NaN"]
        compare.refused(lambda: cohen_kappa(one, two), "no variation")
        return
    found = cohen_kappa(one, two)
    compare(found.estimate, expected[0], "kappa")
    if expected[1] == "NaN":
        assert found.p is None or found.p == 1
        return
    assert found.p is not None
    compare(found.p, expected[2], "p")
    compare(two_sided_p(float(expected[1])), expected[2], "z")


@walk.covers("icc/no_variance/*")
def no_variance(entry: Entry, compare: Compare) -> None:
    assert {entry.values[name] for name in ("value", "Fvalue", "p.value", "lbound", "ubound")} == {"NaN"}
    compare.refused(lambda: icc(np.full((4, 2), 3.0)), "ICC")


@walk.covers("kripp/no_variation/*", leaves={"value": NO_ALPHA})
def no_variation(entry: Entry, compare: Compare) -> None:
    compare.refused(lambda: krippendorff_alpha(np.ones((2, 4))), "alpha")


@walk.covers("fleiss/all_same/*")
def all_same(entry: Entry, compare: Compare) -> None:
    assert entry.values == "NaN"
    compare.refused(lambda: fleiss_kappa(np.ones((3, 5))), "kappa")


@walk.covers("MRMCaov/binormal_auc/edge_single_positive", leaves={"value": NO_CURVE})
def no_binormal_curve(entry: Entry, compare: Compare) -> None:
    compare.refused(lambda: binormal_auc(*ratings(entry)), "binormal")


@walk.covers("MRMCaov/binormal_auc/*", ignores=("error",))
def binormal(entry: Entry, compare: Compare) -> None:
    found = binormal_auc(*ratings(entry))
    if entry.dataset == "edge_missing":
        # MRMCaov stops at the missing rating; the case is left out here.
        assert "error" in entry.values
        compare(found.positives + found.negatives, 6, "cases")
        return
    compare(found.estimate, entry.values, "auc")
    assert found.warnings


edge_mrmc.cover(walk)


@pytest.mark.parametrize("entry", walk.entries(), ids=str)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
