"""From logits to probabilities and a decision, on validation data only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """Platt's sigmoid p = 1 / (1 + exp(-(slope·logit + intercept))).

    Examples
    --------
    >>> Calibration(slope=1.0, intercept=0.0, n=10).probability(np.array([0.0])).tolist()
    [0.5]
    """

    slope: float
    intercept: float
    n: int

    def probability(self, logits: Vector) -> Vector:
        """Calibrated probabilities, same shape as ``logits``."""
        shifted = np.clip(self.slope * logits + self.intercept, -60, 60)
        result: Vector = 1 / (1 + np.exp(-shifted))
        return result

    def to_document(self) -> dict[str, float | int | str]:
        return {"method": "platt", "slope": self.slope, "intercept": self.intercept, "n": self.n}


def fit_calibration(logits: Vector, positive: NDArray[np.bool_]) -> Calibration:
    """Platt's sigmoid by (nearly unpenalised) logistic regression.

    Parameters
    ----------
    logits : ndarray, shape (n,)
        Of validation cases; never of training, control or external ones.
    positive : ndarray of bool, shape (n,)

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines", 1999, section 2.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=100.0).fit(logits[:, None], positive)
    # A validation set on which the model ranks backwards would turn every later ranking over.
    slope = max(float(model.coef_[0, 0]), 1e-3)
    return Calibration(round(slope, 9), round(float(model.intercept_[0]), 9), len(logits))


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
    below = probability[probability < thresholds[best]]
    lower = float(below.max()) if below.size else 0.0
    upper = min(float(thresholds[best]), 1.0)
    return round((lower + upper) / 2, 6)
