"""Adjustment of p values for several tests of one family."""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from analysis.errors import CannotAnalyse

Method = Literal["holm", "hochberg", "none"]


def adjusted(p_values: Sequence[float], method: Method = "holm") -> tuple[float, ...]:
    """Which p values remain after control of the family-wise error over all of them?

    p_values: the m unadjusted p values of one family, any order; the answer keeps that order. With p(1) <= ... <= p(m):
    Holm max over j <= i of (m - j + 1) p(j), valid under any dependence; Hochberg min over j >= i of the same, valid
    under positive dependence; both capped at 1; "none" leaves them as they are.
    Source: Holm (1979), Scand. J. Statist. 6:65-70; Hochberg (1988), Biometrika 75:800-802.
    A p value outside [0, 1] is refused.

    >>> [round(p, 12) for p in adjusted([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=float)
    if method not in get_args(Method):
        raise CannotAnalyse(f"Multiplicity is controlled by holm, hochberg or none, not by {method}.")
    if not bool(((values >= 0) & (values <= 1)).all()):
        raise CannotAnalyse("A p value lies between 0 and 1; at least one of those given does not.")
    if method == "none":
        return tuple(values.tolist())
    # Not statsmodels' multipletests: it runs a full garbage collection at every call, 0.1 s in a working process.
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    stepped = np.maximum.accumulate(steps) if method == "holm" else np.minimum.accumulate(steps[::-1])[::-1]
    answer = np.empty_like(values)
    answer[order] = np.minimum(stepped, 1.0)
    return tuple(answer.tolist())
