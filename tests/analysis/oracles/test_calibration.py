"""Calibration of rms, ResourceSelection, dcurves and R's stats."""

from math import log

import numpy as np
import pytest

from analysis.calibration import (
    Term,
    brier,
    calibration_error,
    calibration_in_the_large,
    expected_observed,
    hosmer_lemeshow,
    log_loss,
    recalibration,
)
from analysis.calibration_curve import calibration_curve, likelihood_indices, smooth_errors
from analysis.decision_curve import decision_curve
from analysis.interval import two_sided_p
from analysis.ratings import Bools, Floats
from tests.analysis.oracle_entries import Entry
from tests.analysis.walk import Compare, Walk

walk = Walk("calibration")
# The probabilities were fitted to these cases: intercept and departure are 0 but for where each optimiser stops.
OPTIMISER = 1e-8


def given(entry: Entry) -> tuple[Bools, Floats]:
    frame = entry.frame()
    return frame["truth"].to_numpy() == 1, frame[entry.id.rsplit("/", 1)[1]].to_numpy(float)


@walk.covers("brier/*")
def score(entry: Entry, compare: Compare) -> None:
    found, v = brier(*given(entry)), entry.values
    compare(found.estimate, v["brier"], "score")
    compare(found.reference, v["null_brier"], "score of the prevalence")
    compare(found.scaled, v["scaled"], "scaled")
    compare(log_loss(*given(entry)), v["log_loss"], "logarithmic loss")


@walk.covers("val_prob/*")
def val_prob(entry: Entry, compare: Compare) -> None:
    found, v = likelihood_indices(*given(entry)), entry.values
    compare(found.c, v["C (ROC)"], "C")
    compare(found.somers_d, v["Dxy"], "Dxy")
    compare(found.r2, v["R2"], "R2")
    compare(found.discrimination, v["D"], "D")
    compare(found.statistic, v["D:Chi-sq"], "D chi-square")
    assert v["D:p"] == "NA"
    compare(found.unreliability, v["U"], "U")
    compare(found.unreliability_statistic, v["U:Chi-sq"], "U chi-square", absolute=OPTIMISER)
    compare(found.p, v["U:p"], "U p")
    compare(found.estimate, v["Q"], "Q")
    fit = recalibration(*given(entry))
    compare(fit.intercept.estimate, v["Intercept"], "intercept", absolute=OPTIMISER)
    compare(fit.slope.estimate, v["Slope"], "slope")
    smooth = smooth_errors(*given(entry))
    compare(smooth.largest, v["Emax"], "Emax")
    compare(smooth.ninth_decile, v["E90"], "E90")
    compare(smooth.estimate, v["Eavg"], "Eavg")
    total = brier(*given(entry))
    compare(total.estimate, v["Brier"], "Brier")
    compare(total.statistic, v["S:z"], "Spiegelhalter's z")
    compare(total.p, v["S:p"], "Spiegelhalter's p")


def same_term(found: Term, row: list[float], limits: list[float], compare: Compare, what: str) -> None:
    z = found.estimate / found.se
    interval = found.confidence_interval()
    compare(found.estimate, row[0], what, absolute=OPTIMISER)
    compare(found.se, row[1], f"{what} se")
    compare(z, row[2], f"{what} z", absolute=OPTIMISER)
    compare(two_sided_p(z), row[3], f"{what} p")
    compare.all([interval.low, interval.high], limits, f"{what} interval")


@walk.covers("recalibration_glm/*", ignores=("*.rows", "*.cols"))
def glm(entry: Entry, compare: Compare) -> None:
    found, v = recalibration(*given(entry)), entry.values
    rows, limits = v["slope_model"]["values"], v["slope_ci"]["values"]
    same_term(found.intercept, rows[0], limits[0], compare, "intercept")
    same_term(found.slope, rows[1], limits[1], compare, "slope")
    whole = calibration_in_the_large(*given(entry))
    rows, limits = v["calibration_in_the_large"]["values"], v["citl_ci"]["values"]
    same_term(whole, rows[0], limits[0], compare, "in the large")
    compare(1 / expected_observed(*given(entry)).estimate, v["O_over_E"], "O/E")


@walk.covers("hosmer_lemeshow_g*/*", ignores=("groups", "*.rows", "*.cols"))
def groups(entry: Entry, compare: Compare) -> None:
    v = entry.values
    found = hosmer_lemeshow(*given(entry), groups=int(entry.id.split("/")[0].rsplit("_g", 1)[1]))
    compare(found.estimate, v["statistic"], "chi-square")
    compare(found.df, v["df"], "df")
    compare(found.p, v["p"], "p")
    both = [[n - count, count] for n, count in zip(found.cases, found.observed, strict=True)]
    compare.all(both, v["observed"]["values"], "observed")
    both_expected = [[n - count, count] for n, count in zip(found.cases, found.expected, strict=True)]
    compare.all(both_expected, v["expected"]["values"], "expected")


@walk.covers("spiegelhalter_z/*")
def spiegelhalter(entry: Entry, compare: Compare) -> None:
    found = brier(*given(entry))
    compare(found.statistic, entry.values["z"], "z")
    compare(found.p, entry.values["p"], "p")


@walk.covers("deciles/*")
def deciles(entry: Entry, compare: Compare) -> None:
    found, v = calibration_curve(*given(entry)), entry.values
    compare.all(found.bounds, v["breaks"], "bounds")
    compare.all([point.n for point in found.points], v["n"], "cases")
    compare.all([point.probability for point in found.points], v["mean_p"], "mean probability")
    compare.all([point.estimate for point in found.points], v["obs"], "observed")


@walk.covers("ece_10_equal_width/*")
def ece(entry: Entry, compare: Compare) -> None:
    found = calibration_error(*given(entry))
    compare(found.estimate, entry.values["ece"], "mean")
    compare(found.largest, entry.values["mce"], "largest")


@walk.covers("decision_curve/*")
def net_benefit(entry: Entry, compare: Compare) -> None:
    v = entry.values
    table = {name: np.asarray(v[name]) for name in v}
    of = {kind: table["variable"] == kind for kind in ("all", "none", "p")}
    thresholds = table["threshold"][of["p"]].tolist()
    curve = decision_curve(*given(entry), thresholds, replicates=10)
    points, prevalence = curve.points, curve.prevalence
    for kind, rates in {
        "all": [(prevalence, 1 - prevalence, point.all) for point in points],
        "none": [(0.0, 0.0, point.none) for point in points],
        "p": [(point.true_positives, point.false_positives, point.estimate) for point in points],
    }.items():
        rows = of[kind]
        compare.all(table["threshold"][rows], thresholds, f"{kind} thresholds")
        for place, name in enumerate(("tp_rate", "fp_rate", "net_benefit")):
            compare.all([row[place] for row in rates], table[name][rows].tolist(), f"{kind} {name}")
    compare.all([curve.n] * len(table["n"]), table["n"].tolist(), "cases")
    compare.all([prevalence] * len(table["n"]), table["pos_rate"].tolist(), "prevalence")


def test_the_likelihood_of_the_prevalence_is_the_entropy() -> None:
    truth = np.array([False, True] * 4)
    p = np.array([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    found = likelihood_indices(truth, p)
    assert found.statistic == pytest.approx(2 * (8 * log(2) - 8 * log_loss(truth, p)))


@pytest.mark.parametrize("entry", walk.entries(), ids=str)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
