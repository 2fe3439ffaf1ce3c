"""What a model reaches on a cohort."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Performance:
    """Figures of one model on one cohort, at its frozen operating point."""

    n: int
    positives: int
    auc: float
    auc_low: float
    auc_high: float
    sensitivity: float
    specificity: float
    accuracy: float
    sensitivity_low: float
    sensitivity_high: float
    specificity_low: float
    specificity_high: float
    accuracy_low: float
    accuracy_high: float

    def to_document(self) -> dict[str, float | int]:
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"n {self.n} ({self.positives} positive), AUC {self.auc:.3f} ({self.auc_low:.3f}–{self.auc_high:.3f}), "
            f"sensitivity {self.sensitivity:.3f}, specificity {self.specificity:.3f}"
        )


def measure(probability: NDArray[np.float64], positive: NDArray[np.bool_], threshold: float) -> Performance:
    """AUC with its 95 % interval after Hanley and McNeil; sensitivity, specificity and accuracy with Wilson's.

    SE² = (A(1−A) + (n₁−1)(Q₁−A²) + (n₀−1)(Q₂−A²)) / (n₁n₀), Q₁ = A/(2−A), Q₂ = 2A²/(1+A).

    Parameters
    ----------
    probability : ndarray, shape (n,)
    positive : ndarray of bool, shape (n,)
    threshold : float
        Positive where p ≥ threshold.

    References
    ----------
    Hanley and McNeil, Radiology 143:29–36, 1982, page 31. The study's own intervals come from another package.
    """
    from sklearn.metrics import roc_auc_score

    ones, zeros = int(positive.sum()), int((~positive).sum())
    area = float(roc_auc_score(positive, probability))
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (ones - 1) * (q1 - area**2) + (zeros - 1) * (q2 - area**2)) / (ones * zeros)
    half = 1.959963984540054 * float(np.sqrt(max(variance, 0.0)))
    decided = probability >= threshold
    found, spared = int(decided[positive].sum()), int((~decided[~positive]).sum())
    intervals = [wilson(found, ones), wilson(spared, zeros), wilson(found + spared, ones + zeros)]
    return Performance(
        n=len(positive),
        positives=ones,
        auc=round(area, 6),
        auc_low=round(max(0.0, area - half), 6),
        auc_high=round(min(1.0, area + half), 6),
        sensitivity=round(found / ones, 6),
        specificity=round(spared / zeros, 6),
        accuracy=round((found + spared) / (ones + zeros), 6),
        sensitivity_low=intervals[0][0],
        sensitivity_high=intervals[0][1],
        specificity_low=intervals[1][0],
        specificity_high=intervals[1][1],
        accuracy_low=intervals[2][0],
        accuracy_high=intervals[2][1],
    )


def wilson(hits: int, cases: int) -> tuple[float, float]:
    """95 % interval of a share, after Wilson, JASA 22:209–212, 1927.

    Examples
    --------
    >>> wilson(8, 10)
    (0.490162, 0.943318)
    """
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(hits, cases, alpha=0.05, method="wilson")
    return round(float(low), 6), round(float(high), 6)
