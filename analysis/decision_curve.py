"""Decision curves: what a probability is worth to somebody who would treat above a threshold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.calibration import check_probabilities
from analysis.errors import CannotAnalyse
from analysis.interval import Interval, check_level, two_sided_p
from analysis.ratings import Bools, Floats
from analysis.resampling import REPLICATES, SEED


@dataclass(frozen=True, eq=False)
class NetBenefit:
    """Net benefit at one threshold, per case, in true positives; all and none are the two strategies without a model.

    true_positives, false_positives: shares of all cases; p tests the model against the better of all and none
    (two-sided, from the bootstrap standard error) and is None where nothing varies.
    """

    threshold: float
    estimate: float
    se: float
    p: float | None
    all: float
    true_positives: float
    false_positives: float
    replicates: Floats
    none: float = 0.0

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Percentile interval of the bootstrap."""
        check_level(level)
        low, high = np.quantile(self.replicates, [(1 - level) / 2, (1 + level) / 2])
        return Interval(float(low), float(high), level)


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefits in the order of the thresholds given."""

    points: tuple[NetBenefit, ...]
    prevalence: float
    n: int
    seed: int
    warnings: tuple[str, ...] = ()


def decision_curve(
    truth: Bools,
    probability: Floats,
    thresholds: Sequence[float],
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> DecisionCurve:
    """At which thresholds is it better to follow the probabilities than to treat all or none?

    truth: (n,) True where diseased; probability: (n,) in [0, 1]; thresholds in (0, 1): the probability from which on
    one would treat (p >= threshold). Net benefit = TP / n - FP / n x threshold / (1 - threshold); treating all:
    prevalence - (1 - prevalence) x the same odds; none: 0. Bootstrap over cases, both classes together, so the
    prevalence varies too. Source: Vickers & Elkin (2006), Med. Decis. Making 26:565-574; Vickers et al. (2008), BMC
    Med. Inform. Decis. Mak. 8:53. One class, no threshold or one outside (0, 1), fewer than 2 replicates: refused.

    >>> truth = np.array([False, False, True, True])
    >>> curve = decision_curve(truth, np.array([0.1, 0.4, 0.35, 0.8]), (0.2, 0.5))
    >>> [(point.estimate, point.all) for point in curve.points]
    [(0.4375, 0.375), (0.25, 0.0)]
    """
    check_probabilities(truth, probability)
    if replicates < 2:
        raise CannotAnalyse("A bootstrap needs at least two replicates.")
    cuts = np.asarray(thresholds, dtype=float)
    if len(cuts) == 0 or not bool(((cuts > 0) & (cuts < 1)).all()):
        raise CannotAnalyse("A decision curve needs thresholds between 0 and 1.")
    odds, n = cuts / (1 - cuts), len(truth)
    ordered, back = np.unique(cuts, return_inverse=True)
    cells = counted(truth, probability, ordered)
    # Only the numbers of cases between the thresholds matter, so a multinomial draw of these is the bootstrap of cases.
    drawn = np.random.default_rng(seed).multinomial(n, cells.ravel() / n, size=replicates)
    tp, fp = above(cells[None], back)
    tps, fps = above(drawn.reshape(replicates, *cells.shape), back)
    prevalence = float(truth.mean())
    prevalences = drawn.reshape(replicates, *cells.shape)[:, 1].sum(axis=1) / n
    found, found_all = tp[0] / n - odds * fp[0] / n, prevalence - odds * (1 - prevalence)
    draws, draws_all = tps / n - odds * fps / n, prevalences[:, None] - odds * (1 - prevalences[:, None])
    points = tuple(
        NetBenefit(
            float(cuts[i]), float(found[i]), float(draws[:, i].std(ddof=1)),
            against(found[i], found_all[i], draws[:, i], draws_all[:, i]), float(found_all[i]),
            float(tp[0, i]) / n, float(fp[0, i]) / n, draws[:, i],
        )
        for i in range(len(cuts))
    )  # fmt: skip
    return DecisionCurve(points, prevalence, n, seed)


def counted(truth: Bools, probability: Floats, cuts: Floats) -> npt.NDArray[np.int64]:
    """Cases by class (healthy, diseased) and by the number of thresholds that they reach: (2, thresholds + 1)."""
    reached = np.searchsorted(cuts, probability, side="right")
    flat = truth * (len(cuts) + 1) + reached
    return np.bincount(flat, minlength=2 * (len(cuts) + 1)).reshape(2, -1)


def above(cells: npt.NDArray[np.int64], back: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    """True and false positives at each threshold: (draw, threshold)."""
    reaching = cells[:, :, ::-1].cumsum(axis=2)[:, :, ::-1][:, :, 1:][:, :, back]
    return reaching[:, 1].astype(float), reaching[:, 0].astype(float)


def against(model: float, treat_all: float, draws: Floats, draws_all: Floats) -> float | None:
    """p of the model against the better of treating all and none."""
    rival = draws_all if treat_all > 0 else np.zeros(len(draws))
    se = float((draws - rival).std(ddof=1))
    difference = float(model - max(treat_all, 0.0))
    if se == 0:
        return 1.0 if difference == 0 else None
    return two_sided_p(difference / se)
