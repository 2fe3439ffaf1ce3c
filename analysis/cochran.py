"""Cochran's Q: several binary tests of the same cases."""

from dataclasses import dataclass

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.ratings import Floats


@dataclass(frozen=True)
class CochranQ:
    """Chi-square statistic of equal shares of success in all columns."""

    statistic: float
    df: int
    p: float
    n: int
    successes: tuple[int, ...]
    warnings: tuple[str, ...] = ()


def cochran_q(outcomes: Floats) -> CochranQ:
    """Do several tests (arms or readers) of the same cases succeed equally often?

    outcomes: (case, test) of 0 and 1, complete. Q of Cochran (1950), Biometrika 37:256-266, on tests - 1 degrees of
    freedom, by `statsmodels.stats.contingency_tables.cochrans_q`; for two tests it is McNemar's uncorrected statistic.
    Every case alike in all tests: Q = 0, p = 1 and a warning. Fewer than two tests, no cases, a missing outcome or one
    that is neither 0 nor 1: refused.

    >>> found = cochran_q(np.array([[1.0, 1, 0], [1, 0, 0], [1, 1, 1], [1, 0, 0]]))
    >>> found.statistic, found.df, round(found.p, 6)
    (4.666666666666667, 2, 0.096972)
    """
    from statsmodels.stats.contingency_tables import cochrans_q

    outcomes = np.asarray(outcomes, dtype=float)
    if outcomes.ndim != 2 or outcomes.shape[1] < 2:
        raise CannotAnalyse("Cochran's Q compares at least two tests, one column each.")
    if len(outcomes) == 0:
        raise CannotAnalyse("There are no cases decided in every test, so Cochran's Q does not exist.")
    if not bool(np.isin(outcomes, (0.0, 1.0)).all()):
        raise CannotAnalyse("Cochran's Q needs an outcome of 0 or 1 of every case in every test.")
    n, tests = outcomes.shape
    successes = tuple(int(count) for count in outcomes.sum(axis=0))
    if bool((outcomes == outcomes[:, :1]).all()):
        warning = "Every case came out alike in all tests; nothing speaks against equality."
        return CochranQ(0.0, tests - 1, 1.0, n, successes, (warning,))
    found = cochrans_q(outcomes)
    return CochranQ(float(found.statistic), tests - 1, float(found.pvalue), n, successes)
