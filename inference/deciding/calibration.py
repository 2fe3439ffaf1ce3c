"""From logits to probabilities and a threshold, on tuning or out-of-fold cases only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.outputs import Isotonic, Platt, Temperature

Vector = NDArray[np.float64]


def calibrated(calibration: Platt | Temperature | Isotonic, logits: Vector) -> Vector:
    """Probabilities in [0, 1] by a frozen calibration, same shape as ``logits``; none ever turns a ranking over.

    Examples
    --------
    >>> calibrated(Temperature(2.0), np.array([0.0, 4.0])).round(3).tolist()
    [0.5, 0.881]
    >>> calibrated(Isotonic((-1.0, 1.0), (0.2, 0.6)), np.array([-5.0, 0.0, 5.0])).round(3).tolist()
    [0.2, 0.4, 0.6]
    """
    match calibration:
        case Platt():
            return sigmoid(calibration.slope * logits + calibration.intercept)
        case Temperature():
            return sigmoid(logits / calibration.temperature)
        case Isotonic():
            return np.interp(logits, calibration.logits, calibration.probabilities)


def sigmoid(values: Vector) -> Vector:
    result: Vector = 1 / (1 + np.exp(-np.clip(values, -60, 60)))
    return result


def fit_platt(logits: Vector, positive: NDArray[np.bool_]) -> Platt:
    """Platt's sigmoid by (nearly unpenalised) logistic regression.

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines", 1999, section 2.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=100.0).fit(logits[:, None], positive)
    # Cases on which the model ranks backwards would turn every later ranking over.
    slope = max(float(model.coef_[0, 0]), 1e-3)
    return Platt(round(slope, 9), round(float(model.intercept_[0]), 9))


def fit_temperature(logits: Vector, positive: NDArray[np.bool_]) -> Temperature:
    """The temperature between 0.01 and 100 with the lowest cross-entropy.

    References
    ----------
    Guo et al., "On calibration of modern neural networks", ICML 2017, section 4.2.
    """
    from scipy.optimize import minimize_scalar

    sign = np.where(positive, 1.0, -1.0)

    def entropy(exponent: float) -> float:
        return float(np.logaddexp(0, -sign * logits / 10**exponent).mean())

    found = minimize_scalar(entropy, bounds=(-2, 2), method="bounded", options={"xatol": 1e-9})
    return Temperature(round(float(10**found.x), 9))


def fit_isotonic(logits: Vector, positive: NDArray[np.bool_]) -> Isotonic:
    """The rising step function with the smallest squares, as straight lines between its corners.

    References
    ----------
    Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD 2002,
    section 4.
    """
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(logits, positive.astype(float))
    corners = [float(x) for x in model.X_thresholds_]
    heights = [min(1.0, max(0.0, round(float(y), 9))) for y in model.y_thresholds_]
    if len(corners) == 1:
        # All logits alike: one height for all.
        corners, heights = [corners[0], corners[0] + 1.0], heights * 2
    return Isotonic(tuple(corners), tuple(heights))


def youden_threshold(probability: Vector, positive: NDArray[np.bool_]) -> float:
    """The threshold t that maximises sensitivity + specificity − 1 for "positive where p ≥ t".
    Ties go to the higher specificity.
    The threshold lies half-way between two observed probabilities, so that it does not hang on one case.

    References
    ----------
    Youden, Cancer 3:32–35, 1950.

    Examples
    --------
    >>> youden_threshold(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]))
    0.5
    """
    from sklearn.metrics import roc_curve

    # The first threshold calls nobody positive and lies beyond every probability.
    false_positive, true_positive, thresholds = (
        part[1:] for part in roc_curve(positive, probability, drop_intermediate=False)
    )
    best = int(np.argmax(true_positive - false_positive))
    return between(probability, min(float(thresholds[best]), 1.0))


def threshold_at(probability: Vector, positive: NDArray[np.bool_], *, sensitivity: float) -> float:
    """The highest threshold t at which "positive where p ≥ t" finds at least that share of the positives.

    Half-way to the next lower observed probability, so that it does not hang on one case; rounded to six decimals.

    Examples
    --------
    >>> threshold_at(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, True, True, True]), sensitivity=0.6)
    0.5
    """
    ones = np.sort(probability[positive])[::-1]
    needed = max(1, int(np.ceil(sensitivity * len(ones) - 1e-9)))
    return between(probability, float(ones[needed - 1]))


def threshold_with(probability: Vector, positive: NDArray[np.bool_], *, specificity: float) -> float:
    """The lowest threshold t at which "positive where p ≥ t" calls at least that share of the negatives negative.

    Examples
    --------
    >>> threshold_with(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]), specificity=1.0)
    0.5
    """
    zeros = np.sort(probability[~positive])
    needed = int(np.ceil(specificity * len(zeros) - 1e-9))
    if needed == 0:
        return 0.0
    highest = float(zeros[needed - 1])
    above = probability[probability > highest]
    return round((highest + (float(above.min()) if above.size else 1.0)) / 2, 6)


def between(probability: Vector, lowest: float) -> float:
    """Half-way from the lowest positive answer to the next one below."""
    below = probability[probability < lowest]
    return round(((float(below.max()) if below.size else 0.0) + lowest) / 2, 6)
