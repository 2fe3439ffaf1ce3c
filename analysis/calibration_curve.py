"""Curves of observed frequency over probability, and what rms's val.prob reads from them."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.calibration import check_probabilities, logits, quantile_groups, recalibration
from analysis.delong import placements
from analysis.errors import CannotAnalyse
from analysis.interval import Interval
from analysis.proportions import Proportion, proportion
from analysis.ratings import Bools, Floats


@dataclass(frozen=True)
class CurvePoint:
    """Cases of similar probability: how many, their mean probability, and the share diseased with its interval."""

    probability: float
    observed: Proportion

    @property
    def n(self) -> int:
        return self.observed.n

    @property
    def estimate(self) -> float:
        return self.observed.estimate

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Wilson's."""
        return self.observed.confidence_interval(level)


@dataclass(frozen=True)
class CalibrationCurve:
    """Points in ascending order of probability; `bounds` has one more, groups are open below."""

    points: tuple[CurvePoint, ...]
    bounds: tuple[float, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SmoothErrors:
    """Distances of the probabilities from a smooth curve: `estimate` is their mean (rms: Eavg).

    curve: smooth frequency of each case, in the order given.
    """

    estimate: float
    median: float
    ninth_decile: float
    largest: float
    curve: Floats
    n: int


@dataclass(frozen=True)
class LikelihoodIndices:
    """What the likelihood of the probabilities says; `estimate` is Q = D - U (rms: val.prob).

    discrimination: D; unreliability: U; r2: Nagelkerke's; statistic: likelihood ratio of the probabilities against
    the prevalence; c: area under the ROC curve.
    """

    estimate: float
    discrimination: float
    unreliability: float
    unreliability_statistic: float
    p: float
    statistic: float
    r2: float
    c: float
    n: int

    @property
    def somers_d(self) -> float:
        return 2 * self.c - 1


def calibration_curve(truth: Bools, probability: Floats, groups: int = 10) -> CalibrationCurve:
    """How often is the disease there, where the probability is so large?

    truth: (n,) True where diseased; probability: (n,) in [0, 1]; groups: by its quantiles, as in
    `calibration.hosmer_lemeshow`. Each point has the mean probability and the observed share with Wilson's interval.
    Equal probabilities stay together: a warning where groups are lost. One class: refused.

    >>> curve = calibration_curve(np.array([False, True, False, True]), np.array([0.1, 0.3, 0.6, 0.8]), groups=2)
    >>> [(round(point.probability, 6), point.n, point.estimate) for point in curve.points]
    [(0.2, 2, 0.5), (0.7, 2, 0.5)]
    """
    check_probabilities(truth, probability)
    group, bounds = quantile_groups(probability, groups)
    sizes, diseased, total = (np.bincount(group, weights) for weights in (None, truth, probability))
    points = tuple(
        CurvePoint(float(mean), proportion(int(cases), int(n)))
        for mean, cases, n in zip(total / sizes, diseased, sizes, strict=True)
    )
    told = () if len(points) == groups else (f"Ties leave {len(points)} groups of the {groups} asked for.",)
    return CalibrationCurve(points, tuple(bounds.tolist()), told)


def smooth_errors(truth: Bools, probability: Floats) -> SmoothErrors:
    """How far do the probabilities lie from a smooth curve of the frequencies?

    The curve is Cleveland's lowess of truth on probability, span 2/3, no robustness iterations, points within 1 % of
    the range interpolated: R's lowess(p, y, iter = 0), by `statsmodels`; read at each probability, equal ones
    averaged. Quantiles of type 7. Source: Harrell, Regression Modeling Strategies (2015), 10.11 (rms: val.prob);
    Austin & Steyerberg (2019), Stat. Med. 38:4051-4065. Probabilities that are all equal, one class: refused.

    >>> generator = np.random.default_rng(1)
    >>> p = generator.uniform(0.1, 0.9, 200)
    >>> round(smooth_errors(generator.uniform(size=200) < p, p).estimate, 4)
    0.0331
    """
    from statsmodels.nonparametric.smoothers_lowess import lowess

    check_probabilities(truth, probability)
    reach = float(np.ptp(probability))
    if reach == 0:
        raise CannotAnalyse("The probabilities are all equal, so there is no curve.")
    order = np.argsort(probability, kind="stable")
    smooth = lowess(
        truth[order].astype(float), probability[order], frac=2 / 3, it=0, delta=0.01 * reach, is_sorted=True,
        return_sorted=False,
    )  # fmt: skip
    _, place, counts = np.unique(probability, return_inverse=True, return_counts=True)
    curve = np.bincount(place[order], smooth)[place] / counts[place]
    if not np.isfinite(curve).all():
        raise CannotAnalyse("Too many equal probabilities for a smooth curve.")
    apart = np.abs(probability - curve)
    median, ninth = (float(np.quantile(apart, share)) for share in (0.5, 0.9))
    return SmoothErrors(float(apart.mean()), median, ninth, float(apart.max()), curve, len(truth))


def likelihood_indices(truth: Bools, probability: Floats) -> LikelihoodIndices:
    """How much of the log-likelihood do the probabilities explain, and how much do they lose by miscalibration?

    With LR = 2 (log-likelihood of the probabilities - that of the prevalence), n cases: D = (LR - 1) / n;
    U = (statistic of `calibration.recalibration` - 2) / n; r2 = (1 - exp(-LR / n)) / (1 - exp(2 L0 / n)).
    Source: Harrell, Lee & Mark (1996), Stat. Med. 15:361-387 (rms: val.prob); Nagelkerke (1991), Biometrika
    78:691-692. Refused as `recalibration`.

    >>> truth = np.array([False, False, False, True, False, True, True, True])
    >>> found = likelihood_indices(truth, np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9]))
    >>> round(found.r2, 4), found.c
    (0.5789, 0.9375)
    """
    fit = recalibration(truth, probability)
    logit, y, _ = logits(truth, probability)
    n, prevalence = len(y), float(y.mean())
    own = -float(np.logaddexp(0, np.where(y, -logit, logit)).sum())
    null = n * (prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence))
    statistic = 2 * (own - null)
    discrimination, unreliability = (statistic - 1) / n, (fit.statistic - 2) / n
    r2 = (1 - math.exp(-statistic / n)) / (1 - math.exp(2 * null / n))
    c = float(placements(truth, probability)[truth].mean())
    return LikelihoodIndices(
        discrimination - unreliability, discrimination, unreliability, fit.statistic,
        float(stats.chi2.sf(fit.statistic, 2)), statistic, r2, c, n,
    )  # fmt: skip
