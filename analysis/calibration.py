"""Whether probabilities mean what they say: scores, tests and recalibration."""

import math
import warnings as python_warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, quantile, two_sided_p, wald
from analysis.ratings import Bools, Floats

Ints = npt.NDArray[np.int64]
DROPPED = "{} cases have a probability of exactly 0 or 1, which has no logit; they are left out of this fit."


@dataclass(frozen=True)
class Brier:
    """Mean squared error of probabilities; p is Spiegelhalter's and tests calibration.

    reference: score of the prevalence given to everybody; scaled: 1 - estimate / reference.
    estimate = reliability - resolution + uncertainty + within, groups by equal numbers of cases.
    """

    estimate: float
    se: float
    p: float | None
    statistic: float | None
    reference: float
    scaled: float
    reliability: float
    resolution: float
    within: float
    n: int
    warnings: tuple[str, ...] = ()

    @property
    def uncertainty(self) -> float:
        return self.reference

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Normal, clipped to [0, 1]."""
        return wald(self.estimate, self.se, level).clipped()


@dataclass(frozen=True)
class HosmerLemeshow:
    """Groups of cases by probability, first to last, with the test over them; `estimate` is its chi-square."""

    estimate: float
    df: int
    p: float
    bounds: tuple[float, ...]
    cases: tuple[int, ...]
    observed: tuple[int, ...]
    expected: tuple[float, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Term:
    """One coefficient of a recalibration; p tests it against `null`, the value of perfect calibration."""

    estimate: float
    se: float
    null: float
    n: int
    warnings: tuple[str, ...] = ()

    @property
    def p(self) -> float:
        return two_sided_p((self.estimate - self.null) / self.se)

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level)


@dataclass(frozen=True)
class Recalibration:
    """Logistic regression of the truth on the logit of the probability; `estimate` is its slope.

    p tests slope 1 and intercept 0 together by the likelihood ratio `statistic` on 2 degrees of freedom.
    """

    slope: Term
    intercept: Term
    statistic: float
    p: float
    n: int
    warnings: tuple[str, ...] = ()

    @property
    def estimate(self) -> float:
        return self.slope.estimate

    @property
    def se(self) -> float:
        return self.slope.se

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return self.slope.confidence_interval(level)


@dataclass(frozen=True)
class ExpectedObserved:
    """Expected over observed diseased cases; p tests a ratio of 1."""

    estimate: float
    se: float
    p: float
    expected: float
    observed: int
    n: int

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Normal on the logarithmic scale."""
        half = quantile(level) * self.se / self.estimate
        return Interval(self.estimate * math.exp(-half), self.estimate * math.exp(half), level)


@dataclass(frozen=True)
class CalibrationError:
    """Mean and largest distance of probability and frequency over bins of equal width; biased upward, no interval."""

    estimate: float
    largest: float
    bins: int
    n: int


def check_probabilities(truth: Bools, probability: Floats) -> None:
    """Refuse what is no probability, and one class alone."""
    if len(truth) != len(probability):
        raise CannotAnalyse(f"There are {len(probability)} probabilities for {len(truth)} cases.")
    if len(truth) == 0:
        raise CannotAnalyse("There are no cases.")
    if not bool(((probability >= 0) & (probability <= 1)).all()):
        raise CannotAnalyse("A probability lies between 0 and 1; at least one does not or is missing.")
    if truth.all() or not truth.any():
        raise CannotAnalyse("Calibration needs diseased and non-diseased cases, and there is only one class.")


def brier(truth: Bools, probability: Floats, groups: int = 10) -> Brier:
    """How far are the probabilities from what happened?

    truth: (n,) True where diseased; probability: (n,) in [0, 1]. estimate = mean (p - y)²; se from its variance over
    cases with n - 1; groups: of the decomposition, as `hosmer_lemeshow` makes them. z = sum (y - p)(1 - 2p) /
    sqrt(sum (1 - 2p)² p (1 - p)) tests calibration and is None where every p is 0, 1/2 or 1.
    Source: Brier (1950), Mon. Weather Rev. 78:1-3; Murphy (1973), J. Appl. Meteorol. 12:595-600, with what varies
    within groups after Stephenson, Coelho & Jolliffe (2008), Weather Forecast. 23:752-757; Spiegelhalter (1986),
    Stat. Med. 5:421-433; scaled: Steyerberg et al. (2010), Epidemiology 21:128-138. One class: refused.

    >>> found = brier(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.35, 0.8]))
    >>> round(found.estimate, 6), round(found.scaled, 6), round(found.statistic, 6)
    (0.158125, 0.3675, -0.22301)
    """
    check_probabilities(truth, probability)
    p, y = probability, truth.astype(float)
    losses = (p - y) ** 2
    prevalence = float(y.mean())
    estimate, reference = float(losses.mean()), prevalence * (1 - prevalence)
    group, _ = quantile_groups(p, groups)
    sizes = np.bincount(group).astype(float)
    mean_p, mean_y = np.bincount(group, p) / sizes, np.bincount(group, y) / sizes
    reliability = float((sizes * (mean_p - mean_y) ** 2).sum()) / len(p)
    resolution = float((sizes * (mean_y - prevalence) ** 2).sum()) / len(p)
    inner = p - mean_p[group]
    within = float((inner**2 - 2 * inner * (y - mean_y[group])).mean())
    variance = float(((1 - 2 * p) ** 2 * p * (1 - p)).sum())
    z = float(((y - p) * (1 - 2 * p)).sum()) / math.sqrt(variance) if variance > 0 else None
    se = float(losses.std(ddof=1)) / math.sqrt(len(p))
    told = () if z is not None else ("Every probability is 0, 1/2 or 1, so Spiegelhalter's test does not exist.",)
    return Brier(
        estimate, se, None if z is None else two_sided_p(z), z, reference, 1 - estimate / reference,
        reliability, resolution, within, len(p), told,
    )  # fmt: skip


def log_loss(truth: Bools, probability: Floats) -> float:
    """How surprised are the probabilities by what happened?  Mean of -log of the probability of what happened.

    A probability of 0 for what happened makes it infinite and is refused.

    >>> round(log_loss(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.35, 0.8])), 6)
    0.472288
    """
    check_probabilities(truth, probability)
    given = np.where(truth, probability, 1 - probability)
    if not given.all():
        raise CannotAnalyse("A case that happened was given a probability of 0, so the logarithmic loss is infinite.")
    return float(-np.log(given).mean())


def quantile_groups(probability: Floats, groups: int) -> tuple[Ints, Floats]:
    """Group of every case from 0, and the bounds: quantiles of type 7, groups open below, equal bounds joined."""
    if groups < 2:
        raise CannotAnalyse("Groups of cases by probability need to be at least two.")
    bounds = np.unique(np.quantile(probability, np.linspace(0, 1, groups + 1)))
    if len(bounds) < 2:
        return np.zeros(len(probability), dtype=np.int64), np.repeat(bounds, 2)
    place = np.searchsorted(bounds, probability, side="left") - 1
    kept, group = np.unique(np.clip(place, 0, len(bounds) - 2), return_inverse=True)
    # A quantile between two values may bound a group without cases; it is no group.
    return group.astype(np.int64), np.concatenate([bounds[:1], bounds[kept + 1]])


def hosmer_lemeshow(truth: Bools, probability: Floats, groups: int = 10, fitted: bool = True) -> HosmerLemeshow:
    """Do the numbers of diseased cases fit the probabilities, group by group?

    groups: by quantiles of the probability (type 7, equal bounds joined, as ResourceSelection's hoslem.test).
    chi-square = sum over groups of (observed - expected)² / (expected (1 - expected / n)); df = groups - 2 where the
    probabilities were fitted to these cases, groups where they come from elsewhere (fitted=False).
    Source: Hosmer & Lemeshow (1980), Commun. Stat. A 9:1043-1069. Fewer groups than asked for: a warning and fewer
    df; fewer than three: refused; so is a group that expects none or nobody but diseased.

    >>> generator = np.random.default_rng(1)
    >>> p = generator.uniform(0.1, 0.9, 200)
    >>> found = hosmer_lemeshow(generator.uniform(size=200) < p, p)
    >>> round(found.estimate, 4), found.df, round(found.p, 4)
    (5.4269, 8, 0.7111)
    """
    check_probabilities(truth, probability)
    group, bounds = quantile_groups(probability, groups)
    sizes, observed = np.bincount(group), np.bincount(group, truth)
    expected = np.bincount(group, probability)
    if len(sizes) < 3:
        raise CannotAnalyse("The probabilities take too few values for three groups, which this test needs.")
    spread = expected * (1 - expected / sizes)
    if not bool((spread > 0).all()):
        raise CannotAnalyse("A group consists of probabilities of exactly 0 or 1, so the test does not exist.")
    statistic = float(((observed - expected) ** 2 / spread).sum())
    df = len(sizes) - 2 if fitted else len(sizes)
    told = () if len(sizes) == groups else (f"Ties leave {len(sizes)} groups of the {groups} asked for.",)
    return HosmerLemeshow(
        statistic,
        df,
        float(stats.chi2.sf(statistic, df)),
        tuple(bounds.tolist()),
        tuple(sizes.tolist()),
        tuple(int(count) for count in observed),
        tuple(expected.tolist()),
        told,
    )


def recalibration(truth: Bools, probability: Floats) -> Recalibration:
    """By which line would the logits of the probabilities have to be moved?

    truth: (n,); probability: (n,). logit P(diseased) = intercept + slope x logit(p), maximum likelihood by
    statsmodels, Wald intervals; slope below 1: too extreme; statistic = 2 (log-likelihood - that of the line 0, 1).
    Source: Cox (1958), Biometrika 45:562-565; Miller et al. (1993), Stat. Med. 12:1475-1484. Probabilities of 0 and
    1 are left out with a warning; probabilities that are all equal, or that separate the classes: refused.

    >>> truth = np.array([False, False, False, True, False, True, True, True])
    >>> found = recalibration(truth, np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9]))
    >>> round(found.estimate, 4), round(found.intercept.estimate, 4)
    (2.9342, 0.6266)
    """
    logit, y, told = logits(truth, probability)
    if float(np.ptp(logit)) == 0:
        raise CannotAnalyse("The probabilities are all equal, so there is no slope.")
    highest, lowest = (part.max() for part in (logit[~y], -logit[y]))
    if highest <= -lowest or logit[y].max() <= logit[~y].min():
        raise CannotAnalyse("The probabilities separate the classes perfectly, so the slope is infinite.")
    values, errors, likelihood = logistic(y, np.column_stack([np.ones(len(y)), logit]), None)
    as_given = float(-np.logaddexp(0, np.where(y, -logit, logit)).sum())
    statistic = max(2 * (likelihood - as_given), 0.0)
    slope, intercept = (Term(values[i], errors[i], null, len(y), told) for i, null in ((1, 1.0), (0, 0.0)))
    return Recalibration(slope, intercept, statistic, float(stats.chi2.sf(statistic, 2)), len(y), told)


def calibration_in_the_large(truth: Bools, probability: Floats) -> Term:
    """Are the probabilities too low (positive) or too high (negative) as a whole?

    The intercept of a logistic regression with the logit of the probability as an offset, slope fixed at 1.
    Source: as `recalibration`. Probabilities of 0 and 1 are left out with a warning.

    >>> truth = np.array([False, False, False, True, False, True, True, True])
    >>> found = calibration_in_the_large(truth, np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9]))
    >>> round(found.estimate, 4), round(found.se, 4)
    (0.2004, 0.816)
    """
    logit, y, told = logits(truth, probability)
    values, errors, _ = logistic(y, np.ones((len(y), 1)), logit)
    return Term(values[0], errors[0], 0.0, len(y), told)


def logits(truth: Bools, probability: Floats) -> tuple[Floats, Bools, tuple[str, ...]]:
    """Logits of the probabilities that have one, their truth, and a warning about the others."""
    check_probabilities(truth, probability)
    inner = (probability > 0) & (probability < 1)
    y = truth[inner]
    if not y.any() or y.all():
        raise CannotAnalyse("Probabilities strictly between 0 and 1 are needed in both classes.")
    outer = int((~inner).sum())
    p = probability[inner]
    return np.log(p) - np.log1p(-p), y, (DROPPED.format(outer),) if outer else ()


def logistic(truth: Bools, design: Floats, offset: Floats | None) -> tuple[list[float], list[float], float]:
    """Coefficients, standard errors and log-likelihood by statsmodels."""
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        # statsmodels' stopping rule is that of R's glm: both take the standard errors from the last but one step.
        fit = GLM(truth.astype(float), design, family=Binomial(), offset=offset).fit()
    if not (fit.converged and np.isfinite(fit.bse).all()):
        raise CannotAnalyse("The logistic recalibration does not converge on these probabilities.")
    return fit.params.tolist(), fit.bse.tolist(), float(fit.llf)


def expected_observed(truth: Bools, probability: Floats) -> ExpectedObserved:
    """How many diseased cases were expected for each that was observed?

    estimate = sum p / sum y; se of its logarithm sqrt((1 - prevalence) / observed), the probabilities taken as given.
    Source: Debray et al. (2017), BMJ 356:i6460, appendix. One class, or probabilities that are all 0: refused.

    >>> found = expected_observed(np.array([False, True, False, True]), np.array([0.2, 0.5, 0.3, 0.5]))
    >>> found.estimate, round(found.confidence_interval().high, 6)
    (0.75, 1.998306)
    """
    check_probabilities(truth, probability)
    expected, observed = float(probability.sum()), int(truth.sum())
    if expected == 0:
        raise CannotAnalyse("All probabilities are 0, so nothing was expected.")
    ratio = expected / observed
    se = math.sqrt((1 - observed / len(truth)) / observed)
    return ExpectedObserved(ratio, se * ratio, two_sided_p(math.log(ratio) / se), expected, observed, len(truth))


def calibration_error(truth: Bools, probability: Floats, bins: int = 10) -> CalibrationError:
    """How far are probabilities and frequencies apart, bin by bin?

    bins: of equal width, [0, 1/bins) to [1 - 1/bins, 1]. estimate = sum of n_b / n |mean p - mean y|, largest the
    maximum over the bins with cases. Source: Naeini, Cooper & Hauskrecht (2015), AAAI. One class: refused.

    >>> calibration_error(np.array([False, True, False, True]), np.array([0.2, 0.5, 0.25, 0.95])).estimate
    0.25
    """
    check_probabilities(truth, probability)
    if bins < 1:
        raise CannotAnalyse("Bins of probabilities need to be at least one.")
    group = np.minimum(np.floor(probability * bins), bins - 1).astype(np.int64)
    sizes = np.bincount(group, minlength=bins).astype(float)
    used = sizes > 0
    apart = np.abs(np.bincount(group, probability, bins)[used] - np.bincount(group, truth, bins)[used]) / sizes[used]
    return CalibrationError(float((sizes[used] / len(truth) * apart).sum()), float(apart.max()), bins, len(truth))
