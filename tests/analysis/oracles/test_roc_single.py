"""Every entry of roc_single: one reader or one marker against pROC, MRMCaov, ROCit, RJafroc, binom and epiR."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from analysis.binormal import binormal_auc, binormal_line
from analysis.bootstrapped import Part, bootstrap_area
from analysis.delong import delong_auc
from analysis.operating import ChosenPoint, choose_point, sensitivity_at_specificity, threshold_table
from analysis.power_auc import auc_power, binormal_variance
from analysis.proportions import (
    accuracy,
    negative_predictive_value,
    positive_predictive_value,
)
from analysis.ratings import Bools, Floats
from analysis.resampling import Bootstrap
from analysis.roc import (
    Axis,
    OperatingPoint,
    RocCurve,
    operating_point,
    partial_area,
    roc_curve,
    sensitivity_at,
    specificity_at,
)
from tests.analysis.oracle_entries import Entry
from tests.analysis.oracles.roc_single_data import cell, cells, dataset
from tests.analysis.oracles.roc_single_decisions import epir, proportions_at_thresholds
from tests.analysis.walk import Compare, Walk

walk = Walk("roc_single")
LABELS = ("reader", "treatment")
RATES, COUNTS = ("sensitivity", "specificity"), ("tp", "fp", "tn", "fn")
# Replicates of ours; those of pROC stand in its calls.
OURS, PROC, PROC_CURVE = 10_000, 10_000, 5_000
ROCIT_TIES = (
    "ROCit's DeLong counts a tie as a win in its placements; DeLong et al. (1988), eq. 3-4, count one half and are "
    "followed: standard error of vandyke reader 1 treatment 1 0.0299, ROCit 0.0200."
)
STEP_ENDS = (
    "Between points MRMCaov 0.3.0 joins one end of each step of the curve by straight lines and leaves the empirical "
    "curve, which is followed: specificity of vandyke reader 3 treatment 1 at sensitivity 0.9 0.5897, MRMCaov 0.4565."
)
OPTIMISER = "A starting value of RJafroc's optimiser is no result."
FIT = "RJafroc's goodness of fit with its own rule for merging bins stands in no family of section 2."


def check_delong(entry: Entry, compare: Compare) -> None:
    table = entry.values
    for row, truth, rating in cells(entry):
        found = delong_auc(truth, rating)
        interval = found.confidence_interval()
        compare.all([found.negatives, found.positives], [table["n0"][row], table["n1"][row]], "n")
        compare(found.estimate, table["auc"][row], "auc")
        compare(found.se**2, table["var_delong"][row], "var")
        compare(found.se, table["se_delong"][row], "se")
        compare(interval.low, table["ci_lower"][row], "low")
        compare(interval.high, table["ci_upper"][row], "high")
        check_obuchowski(truth, rating, table["var_obuchowski"][row], compare)


def check_obuchowski(truth: Bools, rating: Floats, expected: object, compare: Compare) -> None:
    """pROC 1.19.0.1 takes a and b from the line of specificity on sensitivity: those of the classes swapped."""
    if expected == "NA":
        compare.refused(lambda: binormal_line(truth, rating), "Obuchowski")
        return
    line, positives = binormal_line(truth, rating).curve, int(truth.sum())
    ratio = (len(truth) - positives) / positives
    compare(binormal_variance(line.a / line.b, 1 / line.b, ratio) / positives, expected, "Obuchowski")


@walk.covers("auc_delong/imrmc_example", ignores=LABELS)
def delong_with_logit(entry: Entry, compare: Compare) -> None:
    check_delong(entry, compare)
    for row, truth, rating in cells(entry):
        interval = delong_auc(truth, rating, "logit").confidence_interval()
        compare(interval.low, entry.values["ci_logit_lower"][row], "logit low")
        compare(interval.high, entry.values["ci_logit_upper"][row], "logit high")


@walk.covers("auc_delong/*", ignores=LABELS, leaves={"ci_logit_*": ROCIT_TIES})
def delong(entry: Entry, compare: Compare) -> None:
    check_delong(entry, compare)


PARTS: dict[str, tuple[Axis, float, float]] = {
    "spec_1_0.8": ("specificity", 0.8, 1.0),
    "spec_0.9_0.6": ("specificity", 0.6, 0.9),
    "sens_1_0.8": ("sensitivity", 0.8, 1.0),
}


@walk.covers("pauc/*", ignores=(*LABELS, "n0", "n1"), leaves={"mrmcaov_*": STEP_ENDS})
def partial_areas(entry: Entry, compare: Compare) -> None:
    table = entry.values
    for row, truth, rating in cells(entry):
        curve = roc_curve(truth, rating)
        for name, part in PARTS.items():
            compare(partial_area(curve, *part), table[name][row], name)
            corrected = partial_area(curve, *part, corrected=True)
            if table[f"{name}_corrected"][row] == "NA":
                # pROC does not correct below the diagonal; McClish's formula goes on and is then less than one half.
                assert corrected < 0.5
            else:
                compare(corrected, table[f"{name}_corrected"][row], f"{name} corrected")
        over_specificity = between_bounds(curve.fpr, curve.tpr, 0.0, 0.2, sensitivity_joined(curve))
        over_sensitivity = between_bounds(curve.tpr, 1 - curve.fpr, 0.8, 1.0, specificity_joined(curve))
        compare(over_specificity, table["mrmcaov_spec_0.8_1"][row], "MRMCaov specificity")
        compare(over_specificity / 0.2, table["mrmcaov_spec_0.8_1_normalized"][row], "MRMCaov by width")
        compare(over_sensitivity, table["mrmcaov_sens_0.8_1"][row], "MRMCaov sensitivity")


def joined(x: Floats, y: Floats, place: float) -> float:
    """Straight lines between the largest y of each x."""
    _, first, group = np.unique(np.round(x, 12), return_index=True, return_inverse=True)
    tops = np.full(len(first), -np.inf)
    np.maximum.at(tops, group, y)
    return float(np.interp(place, x[first], tops))


def sensitivity_joined(curve: RocCurve) -> Callable[[float], float]:
    """MRMCaov's sensitivity at a false-positive fraction: the upper ends of the steps are joined."""
    return lambda fpr: joined(curve.fpr, curve.tpr, fpr)


def specificity_joined(curve: RocCurve) -> Callable[[float], float]:
    """MRMCaov's specificity at a sensitivity: the worse ends of the level parts are joined."""
    return lambda tpr: 1 - joined(curve.tpr, curve.fpr, tpr)


def between_bounds(x: Floats, y: Floats, low: float, high: float, height: Callable[[float], float]) -> float:
    """MRMCaov's partial area: points inside the range, and its own heights at the bounds."""
    inside = (x > low) & (x < high)
    return float(
        np.trapezoid(
            np.concatenate(([height(low)], y[inside], [height(high)])), np.concatenate(([low], x[inside], [high]))
        )
    )


@walk.covers("youden/*", ignores=(*LABELS, "n0", "n1"))
def best_points(entry: Entry, compare: Compare) -> None:
    table = entry.values
    for row, truth, rating in cells(entry):
        best, closest = (choose_point(truth, rating, by, replicates=2) for by in ("youden", "closest"))
        # pROC's "youden" is sensitivity + specificity.
        compare(best.estimate + 1, table["youden"][row], "youden")
        chosen = theirs_among(best, truth, rating, table["threshold"][row])
        compare.all([chosen.sensitivity, chosen.specificity], [table[n][row] for n in RATES], "youden's point")
        for name in COUNTS:
            compare(getattr(chosen.table, name), table[name][row], name)
        near = theirs_among(closest, truth, rating, table["closest.threshold"][row])
        compare.all([near.sensitivity, near.specificity], [table[f"closest.{n}"][row] for n in RATES], "closest point")


def theirs_among(found: ChosenPoint, truth: Bools, rating: Floats, threshold: float) -> OperatingPoint:
    """Of our equal thresholds the one pROC names, halfway to the rating below; rounding chose among equals."""
    levels = np.unique(rating)
    middles = [(tie + levels[np.searchsorted(levels, tie) - 1]) / 2 for tie in found.ties]
    (place,) = (place for place, middle in enumerate(middles) if math.isclose(middle, threshold, rel_tol=1e-8))
    return operating_point(truth, rating, found.ties[place])


@walk.covers("mrmcaov_other_metrics/*", ignores=(*LABELS, "n0", "n1"), leaves={"empirical_s*_at_*": STEP_ENDS})
def other_metrics(entry: Entry, compare: Compare) -> None:
    table = entry.values
    for row, truth, rating in cells(entry):
        curve = roc_curve(truth, rating)
        utility = choose_point(truth, rating, "utility", 1.0, replicates=2)
        compare(utility.estimate, table["empirical_eu_slope1"][row], "expected utility")
        theirs = sensitivity_joined(curve)(0.1), specificity_joined(curve)(0.9)
        ours = sensitivity_at(curve, 0.9), specificity_at(curve, 0.9)
        names = "empirical_sens_at_spec_0.9", "empirical_spec_at_sens_0.9"
        for name, one, two in zip(names, theirs, ours, strict=True):
            compare(one, table[name][row], f"{name}, ends of steps joined")
            if math.isclose(one, two, rel_tol=1e-9):
                compare(two, table[name][row], name)


@walk.covers("binormal_mle_mrmcaov/*", ignores=(*LABELS, "n0", "n1"))
def binormal(entry: Entry, compare: Compare) -> None:
    table = entry.values
    for row, truth, rating in cells(entry):
        found = binormal_auc(truth, rating)
        curve = found.curve
        # MRMCaov's optimiser stops about 1e-6 away from the maximum (at ours the gradient is 0); areas move less.
        compare(curve.a, table["a"][row], "a", rel=1e-5)
        compare(curve.b, table["b"][row], "b", rel=1e-5)
        compare(found.estimate, table["binormal_auc"][row], "area", rel=1e-6)
        compare(curve.partial_area("specificity", 0.8, 1.0), table["pauc_spec_.8_1"][row], "part", rel=1e-5)
        compare(curve.sensitivity_at(0.9), table["sens_at_spec_.9"][row], "sensitivity", rel=1e-5)


@walk.covers("FitBinormalRoc/*", leaves={"nll_ini": OPTIMISER, "chisq_p": FIT})
def rjafroc(entry: Entry, compare: Compare) -> None:
    table, frame = entry.values, entry.frame()
    # RJafroc numbers the readers and treatments of VanDyke from 0.
    shift = 1 if entry.dataset == "vandyke" else 0
    for row, (reader, treatment) in enumerate(zip(table["reader"], table["treatment"], strict=True)):
        truth, rating = cell(frame, int(reader) + shift, int(treatment) + shift)
        found = binormal_auc(truth, rating)
        names = "p1", "p2", "auc", "sd_auc", "nll_fin"
        if table["auc"][row] == "NA":
            # Degenerate: RJafroc fits nothing; ours is the edge of the square, as MRMCaov's, with a warning.
            assert [table[name][row] for name in names] == ["NA"] * 5
            assert found.warnings
            continue
        # The optimiser's numerical derivatives stop it about 1e-5 away; the likelihood at its end shows how near.
        compare(found.curve.a, table["p1"][row], "a", rel=1e-4)
        compare(found.curve.b, table["p2"][row], "b", rel=1e-3)
        compare(found.estimate, table["auc"][row], "area", rel=1e-4)
        compare(found.se, table["sd_auc"][row], "se", rel=1e-3)
        compare(-found.log_likelihood, table["nll_fin"][row], "likelihood", rel=1e-7)
        assert -found.log_likelihood <= table["nll_fin"][row] + 1e-9


@walk.covers("curve/*")
def curves(entry: Entry, compare: Compare) -> None:
    table = entry.values
    truth, rating = dataset(entry)
    curve, levels = roc_curve(truth, rating), np.unique(rating)
    compare.all(curve.tpr[::-1], table["sensitivity"], "sensitivity")
    compare.all(1 - curve.fpr[::-1], table["specificity"], "specificity")
    middles = [-math.inf, *((levels[1:] + levels[:-1]) / 2).tolist(), math.inf]
    compare.all(middles, table["threshold"], "threshold")
    rows = threshold_table(truth, rating)[::-1]
    for place, row in enumerate(rows):
        counts = row.table
        for name in COUNTS:
            compare(getattr(counts, name), table[name][place], name)
        compare(accuracy(counts).estimate, table["accuracy"][place], "accuracy")
        for name, share in (("ppv", row.positive_predictive_value), ("npv", row.negative_predictive_value)):
            assert (share is None) is (table[name][place] == "NaN")
            if share is not None:
                compare(share.estimate, table[name][place], name)
    nothing = operating_point(truth, rating, math.inf).table
    compare.all([nothing.tp, nothing.fp, nothing.tn, nothing.fn], [table[n][-1] for n in COUNTS], "end")
    compare(accuracy(nothing).estimate, table["accuracy"][-1], "accuracy")
    compare(negative_predictive_value(nothing).estimate, table["npv"][-1], "npv")
    compare.refused(lambda: positive_predictive_value(nothing), "ppv")


def check_quantiles(found: Bootstrap, expected: Sequence[object], theirs: int, compare: Compare) -> None:
    """Lower limit, median and upper limit; their errors from the density of our replicates around them."""
    interval = found.confidence_interval()
    ours = interval.low, float(np.median(found.replicates)), interval.high
    for share, number, value in zip((0.025, 0.5, 0.975), ours, expected, strict=True):
        spread = math.sqrt(share * (1 - share) * (1 / len(found.replicates) + 1 / theirs))
        low, high = np.quantile(found.replicates, [max(share - spread, 0.0), min(share + spread, 1.0)])
        # One step of a discrete distribution is no error of the simulation.
        error = max(high - number, number - low, step_around(found.replicates, number))
        compare.monte_carlo(number, value, error, f"quantile {share}")


def step_around(values: Floats, middle: float) -> float:
    distinct = np.unique(values)
    place = int(np.searchsorted(distinct, middle))
    return float(np.diff(distinct[max(place - 1, 0) : place + 2]).max(initial=0.0))


@walk.covers("bootstrap_ci/*")
def stratified_interval(entry: Entry, compare: Compare) -> None:
    check_quantiles(bootstrap_area(*dataset(entry), replicates=OURS), entry.values, PROC, compare)


@walk.covers("bootstrap_ci_unstratified/*")
def unstratified_interval(entry: Entry, compare: Compare) -> None:
    found = bootstrap_area(*dataset(entry), replicates=OURS, stratified=False)
    check_quantiles(found, entry.values, PROC, compare)


@walk.covers("bootstrap_pauc_ci/*")
def partial_interval(entry: Entry, compare: Compare) -> None:
    found = bootstrap_area(*dataset(entry), Part("specificity", 0.8, 1.0), replicates=OURS)
    check_quantiles(found, entry.values, PROC, compare)


@walk.covers("bootstrap_var/*")
def bootstrap_variance(entry: Entry, compare: Compare) -> None:
    found = bootstrap_area(*dataset(entry), replicates=OURS)
    centred = found.replicates - found.replicates.mean()
    # Variance of a variance: (fourth moment - square of the second) / replicates.
    fourth, second = float((centred**4).mean()), float((centred**2).mean())
    error = math.sqrt((fourth - second**2) * (1 / OURS + 1 / PROC))
    compare.monte_carlo(found.se**2, entry.values, error, "variance")


@walk.covers("ci_se_at_sp/*", ignores=("ci.rows", "ci.cols"))
def sensitivity_at_fixed_specificity(entry: Entry, compare: Compare) -> None:
    truth, rating = dataset(entry)
    for level, expected in zip(entry.values["specificities"], entry.values["ci"]["values"], strict=True):
        found = sensitivity_at_specificity(truth, rating, level, replicates=OURS)
        check_quantiles(found, expected, PROC_CURVE, compare)


@walk.covers("ci_conf/*")
def levels(entry: Entry, compare: Compare) -> None:
    found = delong_auc(*dataset(entry))
    for key, level in (("ci90", 0.9), ("ci95", 0.95), ("ci99", 0.99)):
        interval = found.confidence_interval(level)
        compare.all([interval.low, found.estimate, interval.high], entry.values[key], key)


@walk.covers(
    "rocit_ci/*",
    ignores=("*.2",),
    leaves={
        "delong.lower": ROCIT_TIES,
        "delong.upper": ROCIT_TIES,
        "delong_logit.lower": ROCIT_TIES,
        "delong_logit.upper": ROCIT_TIES,
    },
)
def rocit(entry: Entry, compare: Compare) -> None:
    truth, rating = dataset(entry)
    found = delong_auc(truth, rating, "hanley-mcneil")
    logit = replace(found, method="logit")
    wins = replace(delong_auc(truth, rating), se=error_of_wins(truth, rating))
    wins_logit = replace(wins, method="logit")
    expected = entry.values
    names = "hanley_mcneil", "hanley_logit", "delong", "delong_logit"
    for name, ours in zip(names, (found, logit, wins, wins_logit), strict=True):
        interval = ours.confidence_interval()
        compare(ours.estimate, expected[name]["AUC"], f"{name} area")
        compare(interval.low, expected[name]["lower"], f"{name} low")
        compare(interval.high, expected[name]["upper"], f"{name} high")


def error_of_wins(truth: Bools, rating: Floats) -> float:
    """ROCit's standard error: placements in which a tie is a win."""
    positive, negative = np.sort(rating[truth]), np.sort(rating[~truth])
    beaten = np.searchsorted(negative, positive, side="right") / len(negative)
    beating = np.searchsorted(positive, negative, side="right") / len(positive)
    return math.sqrt(beaten.var(ddof=1) / len(positive) + beating.var(ddof=1) / len(negative))


walk.covers("sens_spec_at_thresholds/*")(proportions_at_thresholds)
walk.covers("epiR_epi.tests/*", ignores=("detail.statistic",))(epir)


@walk.covers("power_roc_test/*")
def power(entry: Entry, compare: Compare) -> None:
    truth, rating = dataset(entry)
    area = delong_auc(truth, rating)
    compare(area.estimate, entry.values["auc"], "auc")
    compare.all([area.negatives, area.positives], [entry.values["n0"], entry.values["n1"]], "n")
    compare(auc_power(area.estimate, area.positives, area.negatives).estimate, entry.values["power"], "power")


@walk.covers("smooth_binormal_pROC/*")
def smoothed(entry: Entry, compare: Compare) -> None:
    curve = binormal_line(*dataset(entry)).curve
    compare(curve.a / curve.b, entry.values["coef"]["(Intercept)"], "intercept")
    compare(-1 / curve.b, entry.values["coef"]["se"], "slope")
    compare(curve.area, entry.values["auc"], "area")


@pytest.mark.parametrize("entry", walk.entries(), ids=str)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
