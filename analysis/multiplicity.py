"""Adjustment of p values for several tests of one family."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from analysis.errors import CannotAnalyse

Method = Literal["holm", "hochberg", "none"]
STATSMODELS_NAMES = {"holm": "holm", "hochberg": "simes-hochberg"}


def adjusted(p_values: Sequence[float], method: Method = "holm") -> tuple[float, ...]:
    """Which p values remain after control of the family-wise error over all of them?

    p_values: the unadjusted p values of one family, any order; the answer keeps that order. Holm is valid
    under any dependence, Hochberg under positive dependence, "none" leaves them as they are.
    Source: Holm (1979), Scand. J. Statist. 6:65-70; Hochberg (1988), Biometrika 75:800-802; computed by
    `statsmodels.stats.multitest.multipletests`. A p value outside [0, 1] is refused.

    >>> [round(p, 12) for p in adjusted([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=float)
    if values.size and not bool(((values >= 0) & (values <= 1)).all()):
        raise CannotAnalyse("A p value lies between 0 and 1; at least one of those given does not.")
    if method == "none" or values.size == 0:
        return tuple(float(p) for p in values)
    if method not in STATSMODELS_NAMES:
        raise CannotAnalyse(f"Multiplicity is controlled by holm, hochberg or none, not by {method}.")
    from statsmodels.stats.multitest import multipletests

    return tuple(float(p) for p in multipletests(values, method=STATSMODELS_NAMES[method])[1])
