"""Adjustment of p values for several tests of one family, and for families that wait for each other."""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.ratings import Floats

# What a plan may name for its claims: control of the family-wise error without an order of the tests.
Method = Literal["holm", "hochberg", "none"]
Adjustment = Literal[
    "holm", "hochberg", "bonferroni", "fixed sequence", "benjamini-hochberg", "benjamini-yekutieli", "none"
]
ADJUSTMENTS: tuple[Adjustment, ...] = get_args(Adjustment)


def adjusted(p_values: Sequence[float], method: Adjustment = "holm") -> tuple[float, ...]:
    """Which p values remain after control of the error over all of them?

    p_values: the m unadjusted p values of one family; the answer keeps their order. With p(1) <= ... <= p(m):
    holm: max over j <= i of (m - j + 1) p(j), any dependence; hochberg: min over j >= i of the same, positive
    dependence; bonferroni: m p; fixed sequence: the largest p so far in the order given, which was fixed before;
    these control the probability of any false rejection. benjamini-hochberg: min over j >= i of (m / j) p(j), positive
    dependence; benjamini-yekutieli: that times 1 + 1/2 + ... + 1/m, any dependence; these control the expected share
    of false among all rejections. All are capped at 1; none leaves them as they are.
    Source: Holm (1979), Scand. J. Statist. 6:65-70; Hochberg (1988), Biometrika 75:800-802; Maurer, Hothorn &
    Lehmacher (1995); Benjamini & Hochberg (1995), JRSS B 57:289-300; Benjamini & Yekutieli (2001), Ann. Stat.
    29:1165-1188. A p value outside [0, 1] is refused; no p values, no answer: an empty tuple.

    >>> [round(p, 12) for p in adjusted([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    >>> [round(p, 12) for p in adjusted([0.01, 0.04, 0.03], "benjamini-hochberg")]
    [0.03, 0.04, 0.04]
    """
    values = np.asarray(p_values, dtype=float)
    if method not in ADJUSTMENTS:
        raise CannotAnalyse(f"Multiplicity is controlled by {', '.join(ADJUSTMENTS)}, not by {method}.")
    if not bool(((values >= 0) & (values <= 1)).all()):
        raise CannotAnalyse("A p value lies between 0 and 1; at least one of those given does not.")
    count = len(values)
    if method == "none" or count == 0:
        return tuple(values.tolist())
    if method == "fixed sequence":
        return tuple(np.maximum.accumulate(values).tolist())
    # Not statsmodels' multipletests: it runs a full garbage collection at every call, 0.1 s in a working process.
    if method == "bonferroni":
        return tuple(np.minimum(values * count, 1.0).tolist())
    order = np.argsort(values, kind="stable")
    ranks: Floats = np.arange(1.0, count + 1)
    if method in ("holm", "hochberg"):
        steps: Floats = values[order] * (count + 1 - ranks)
    else:
        steps = values[order] * (count / ranks)
    if method == "benjamini-yekutieli":
        steps = steps * (1 / ranks).sum()
    answer: Floats = np.empty_like(values)
    answer[order] = np.minimum(upward(steps) if method == "holm" else downward(steps), 1.0)
    return tuple(answer.tolist())


def upward(steps: Floats) -> Floats:
    return np.asarray(np.maximum.accumulate(steps))


def downward(steps: Floats) -> Floats:
    return np.asarray(np.minimum.accumulate(steps[::-1])[::-1])


def gatekept(
    families: Sequence[Sequence[float]], methods: Adjustment | Sequence[Adjustment] = "holm"
) -> tuple[tuple[float, ...], ...]:
    """Which p values remain when each family of tests waits until all of the family before it were significant?

    families: p values of the primary family first; methods: one for all or one for each, each controlling the
    family-wise error. The adjusted p of a test is the larger of that within its own family and the largest adjusted
    p of all families before (serial gatekeeping), so comparing them with alpha keeps the error over all of them.
    Source: Westfall & Krishen (2001), J. Stat. Plan. Inference 99:25-40; Dmitrienko & D'Agostino (2013), Stat. Med.
    32:5172-5218. Benjamini's methods do not control the family-wise error and are refused, as is "none".

    >>> gatekept([[0.01, 0.04], [0.001, 0.02]])
    ((0.02, 0.04), (0.04, 0.04))
    """
    named = [methods] * len(families) if isinstance(methods, str) else list(methods)
    if len(named) != len(families):
        raise CannotAnalyse(f"There are {len(families)} families of tests and {len(named)} methods.")
    found: list[tuple[float, ...]] = []
    gate = 0.0
    for values, method in zip(families, named, strict=True):
        if method in ("benjamini-hochberg", "benjamini-yekutieli", "none"):
            raise CannotAnalyse(
                f"Families that wait for each other need control of the family-wise error, not {method}."
            )
        own = tuple(max(p, gate) for p in adjusted(values, method))
        gate = max((gate, *own))
        found.append(own)
    return tuple(found)
