"""Operating points: one axis at a fixed value of the other, chosen thresholds, the table of all thresholds."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from analysis.bootstrapped import Measure, curve_bootstrap
from analysis.errors import CannotAnalyse
from analysis.interval import Interval, check_level
from analysis.proportions import STATSMODELS_NAMES, ConfusionTable, Method
from analysis.ratings import Bools, Floats
from analysis.resampling import REPLICATES, SEED, Bootstrap
from analysis.roc import OperatingPoint, heights, operating_point, roc_curve

Criterion = Literal["youden", "closest", "utility"]
FLATTERED = "The threshold was chosen on the same cases, which flatters it."


@dataclass(frozen=True, eq=False)
class ChosenPoint:
    """The best threshold by a criterion; `estimate` is the criterion's value there, `ties` all that reach it.

    se and the interval are those of the value when the threshold is chosen anew in every bootstrap sample.
    """

    estimate: float
    se: float
    criterion: Criterion
    slope: float
    point: OperatingPoint
    ties: tuple[float, ...]
    bootstrap: Bootstrap
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Percentile interval of the criterion's value."""
        return self.bootstrap.confidence_interval(level)


@dataclass(frozen=True)
class Share:
    """A proportion with its interval."""

    estimate: float
    interval: Interval


@dataclass(frozen=True)
class ThresholdRow:
    """What rating >= threshold decides; predictive values are None where nothing, or everything, is called."""

    threshold: float
    table: ConfusionTable
    sensitivity: Share
    specificity: Share
    positive_predictive_value: Share | None
    negative_predictive_value: Share | None


def sensitivity_at_specificity(
    truth: Bools,
    rating: Floats,
    specificity: float,
    replicates: int = REPLICATES,
    seed: int = SEED,
    stratified: bool = True,
) -> Bootstrap:
    """Which sensitivity belongs to this specificity, and how sure is it?

    truth: (n,); rating: (n,) without NaN; specificity in [0, 1]. The curve is read as in `roc.sensitivity_at`; the
    threshold is found anew in every bootstrap sample, so that its own variation counts. There is no p. Source:
    Carpenter & Bithell (2000), Stat. Med. 19:1141-1164, as pROC's ci.se. One class: refused.

    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> sensitivity_at_specificity(truth, np.array([1.0, 2, 3, 2, 3, 4]), 0.5, replicates=99).estimate
    0.8333333333333334
    """

    def measure(fpr: Floats, tpr: Floats) -> Floats:
        return heights(fpr, tpr, "specificity", specificity)

    return curve_bootstrap(truth, rating, measure, None, replicates, seed, stratified)


def specificity_at_sensitivity(
    truth: Bools,
    rating: Floats,
    sensitivity: float,
    replicates: int = REPLICATES,
    seed: int = SEED,
    stratified: bool = True,
) -> Bootstrap:
    """Which specificity belongs to this sensitivity, and how sure is it?

    As `sensitivity_at_specificity`, the curve read as in `roc.specificity_at`.

    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> specificity_at_sensitivity(truth, np.array([1.0, 2, 3, 2, 3, 4]), 0.5, replicates=99).estimate
    0.8333333333333333
    """

    def measure(fpr: Floats, tpr: Floats) -> Floats:
        return heights(fpr, tpr, "sensitivity", sensitivity)

    return curve_bootstrap(truth, rating, measure, None, replicates, seed, stratified)


def utility_slope(prevalence: float, cost_ratio: float = 1.0) -> float:
    """What is one false call worth in sensitivity?  (1 - prevalence) / prevalence × cost_ratio.

    cost_ratio: cost of a false positive over the cost of a false negative, each beyond that of the right decision.
    Source: Metz (1978), Semin. Nucl. Med. 8:283-298. A prevalence outside (0, 1) or a ratio that is not
    positive: refused.

    >>> utility_slope(0.2, 0.1)
    0.4
    """
    if not 0 < prevalence < 1:
        raise CannotAnalyse(f"A prevalence lies between 0 and 1, not at {prevalence:g}.")
    if not (cost_ratio > 0 and np.isfinite(cost_ratio)):
        raise CannotAnalyse(f"A ratio of costs is positive, not {cost_ratio:g}.")
    return (1 - prevalence) / prevalence * cost_ratio


def values_of(criterion: Criterion, slope: float, fpr: Floats, tpr: Floats) -> Floats:
    """The criterion at every point of the curves, larger = better."""
    if criterion == "closest":
        return -np.hypot(1 - tpr, fpr)
    return tpr - slope * fpr


def choose_point(
    truth: Bools,
    rating: Floats,
    criterion: Criterion = "youden",
    slope: float = 1.0,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> ChosenPoint:
    """Which threshold is the best?

    truth: (n,); rating: (n,) without NaN. youden: largest sensitivity + specificity - 1, Youden (1950), Cancer 3:32-35;
    closest: smallest distance to sensitivity = specificity = 1, its value is that distance; utility: largest
    sensitivity - slope (1 - specificity), Abbey, Samuelson & Gallas (2013), Acad. Radiol. 20:798-806, slope from
    `utility_slope`. Of equal thresholds the highest stands as the point; it is infinite where calling nothing is best.
    Stratified bootstrap of the value; every result carries the warning that the choice flatters. One class: refused.

    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> found = choose_point(truth, np.array([1.0, 2, 3, 2, 3, 4]), replicates=99)
    >>> round(found.estimate, 6), found.point.threshold, found.ties
    (0.333333, 4.0, (4.0, 3.0, 2.0))
    """
    if criterion not in get_args(Criterion):
        raise CannotAnalyse(f"A threshold is chosen by {', '.join(get_args(Criterion))}, not by {criterion}.")
    if criterion != "utility" and slope != 1:
        raise CannotAnalyse("Only the criterion utility has a slope.")
    if not (slope > 0 and np.isfinite(slope)):
        raise CannotAnalyse(f"The slope of equal utility is positive, not {slope:g}.")
    sign = -1.0 if criterion == "closest" else 1.0
    measure: Measure = lambda fpr, tpr: sign * values_of(criterion, slope, fpr, tpr).max(axis=-1)  # noqa: E731
    drawn = curve_bootstrap(truth, rating, measure, None, replicates, seed)
    curve = roc_curve(truth, rating)
    values = np.round(values_of(criterion, slope, curve.fpr, curve.tpr), 12)
    ties = curve.thresholds[values == values.max()]
    point = operating_point(truth, rating, float(ties[0]))
    warnings = (FLATTERED, *drawn.warnings)
    return ChosenPoint(drawn.estimate, drawn.se, criterion, slope, point, tuple(ties.tolist()), drawn, warnings)


def threshold_table(
    truth: Bools, rating: Floats, method: Method = "wilson", level: float = 0.95
) -> tuple[ThresholdRow, ...]:
    """What does every threshold of the rating decide?

    truth: (n,); rating: (n,) without NaN. One row per distinct rating, highest first, each calling rating >= threshold;
    intervals as in `proportions.proportion`, wilson, clopper-pearson, agresti-coull or wald. They hold for a
    threshold fixed beforehand, each by itself. One class: refused.

    >>> rows = threshold_table(np.array([False, False, True, True]), np.array([1.0, 2.0, 2.0, 3.0]))
    >>> [(row.threshold, row.sensitivity.estimate, row.specificity.estimate) for row in rows]
    [(3.0, 0.5, 1.0), (2.0, 1.0, 0.5), (1.0, 1.0, 0.0)]
    """
    check_level(level)
    if method not in STATSMODELS_NAMES:
        raise CannotAnalyse(f"A table of thresholds has {', '.join(STATSMODELS_NAMES)} intervals, not {method}.")
    curve = roc_curve(truth, rating)
    n1, n0 = curve.positives, curve.negatives
    tp, fp = np.rint(curve.tpr[1:] * n1).astype(int), np.rint(curve.fpr[1:] * n0).astype(int)
    tn, fn = n0 - fp, n1 - tp
    columns = [shares(over, under, method, level) for over, under in ((tp, tp + fn), (tn, tn + fp), (tp, tp + fp))]
    columns.append(shares(tn, tn + fn, method, level))
    tables = [
        ConfusionTable(*counts) for counts in zip(tp.tolist(), fp.tolist(), tn.tolist(), fn.tolist(), strict=True)
    ]
    found = zip(curve.thresholds[1:].tolist(), tables, *columns, strict=True)
    return tuple(ThresholdRow(*row) for row in found)


def shares(over: Floats, under: Floats, method: Method, level: float) -> list[Share | None]:
    """A share for each pair of counts; None where the second is 0."""
    from statsmodels.stats.proportion import proportion_confint

    exists = np.maximum(under, 1)
    low, high = proportion_confint(over, exists, alpha=1 - level, method=STATSMODELS_NAMES[method])
    low, high = np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
    rows = zip((over / exists).tolist(), low.tolist(), high.tolist(), (under > 0).tolist(), strict=True)
    return [Share(share, Interval(one, two, level)) if there else None for share, one, two, there in rows]
