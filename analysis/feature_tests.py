"""One feature against two or more classes: ranks, means, distributions, paired differences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from analysis.delong import Auc, delong_auc
from analysis.errors import CannotAnalyse
from analysis.interval import Interval, quantile, wald
from analysis.ratings import Floats

RankMethod = Literal["asymptotic", "exact"]
# Pairwise differences held at once by `hodges_lehmann`.
MOST_PAIRS = 30_000_000


@dataclass(frozen=True)
class RankTest:
    """Mann and Whitney's test; `estimate` is P(second > first) + P(tie) / 2, the area under the ROC curve.

    statistic: W of R, the pairs in which the second is larger, ties one half; area: with DeLong's variance, None where
    a sample has one value.
    """

    estimate: float
    statistic: float
    p: float
    method: RankMethod
    corrected: bool
    n: tuple[int, int]
    area: Auc | None
    warnings: tuple[str, ...] = ()

    @property
    def se(self) -> float | None:
        return None if self.area is None else self.area.se

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Of the area, after DeLong."""
        if self.area is None:
            raise CannotAnalyse("An area has an interval with at least two values in each sample.")
        return self.area.confidence_interval(level)


@dataclass(frozen=True)
class Shift:
    """Hodges and Lehmann's median of all differences second - first, in the unit of the feature."""

    estimate: float
    low: float
    high: float
    level: float
    n: tuple[int, int]

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """The interval found, at its own level."""
        if level != self.level:
            raise CannotAnalyse(f"This interval was computed at the level {self.level:g}; ask for another there.")
        return Interval(self.low, self.high, level)


@dataclass(frozen=True)
class MeanTest:
    """Welch's test; `estimate` is the difference of means, second - first, in the unit of the feature."""

    estimate: float
    se: float
    statistic: float
    df: float
    p: float
    means: tuple[float, float]
    n: tuple[int, int]

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level, self.df)


@dataclass(frozen=True)
class StandardisedDifference:
    """Difference of means over the root of the mean variance, second - first."""

    estimate: float
    se: float
    n: tuple[int, int]

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level)


@dataclass(frozen=True)
class Distance:
    """A test without direction: `estimate` is its statistic, `df` None where it has none."""

    estimate: float
    p: float
    df: float | None
    n: tuple[int, ...]
    method: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class SignedRank:
    """Paired tests of second - first: `statistic` is V, the ranks of positive differences; sign_p: of the sign test."""

    estimate: float
    statistic: float
    p: float
    sign_p: float
    n: int
    zeros: int
    corrected: bool
    warnings: tuple[str, ...] = ()


def samples(*given: Floats) -> list[Floats]:
    """The samples as numbers; refused where one is empty or holds what is not finite."""
    found = [np.asarray(sample, dtype=float) for sample in given]
    if any(len(sample) == 0 for sample in found):
        raise CannotAnalyse("A class has no value of this feature.")
    if not all(np.isfinite(sample).all() for sample in found):
        raise CannotAnalyse("A value of the feature is missing or infinite; leave such cases out on purpose.")
    return found


def mann_whitney(first: Floats, second: Floats, method: RankMethod = "asymptotic", corrected: bool = True) -> RankTest:
    """Does one class tend to larger values than the other?

    first, second: (n0,), (n1,) values of both classes without NaN. asymptotic: normal with the variance for ties,
    corrected by one half towards the mean; exact: all orders, without ties only. `scipy.stats.mannwhitneyu`; R's
    wilcox.test(second, first). Source: Mann & Whitney (1947), Ann. Math. Stat. 18:50-60. All values equal: area 1/2,
    p = 1 and a warning; an empty class, an exact test with ties: refused.

    >>> found = mann_whitney(np.array([0.5, 1.5, 2.5, 3.9, 5.2]), np.array([1.1, 2.2, 3.3, 4.7]), "exact")
    >>> found.statistic, found.estimate, found.p
    (10.0, 0.5, 1.0)
    """
    one, two = samples(first, second)
    n = (len(one), len(two))
    pooled = np.concatenate([one, two])
    if method not in ("asymptotic", "exact"):
        raise CannotAnalyse(f"Mann and Whitney's test is asymptotic or exact, not {method}.")
    if method == "exact" and len(np.unique(pooled)) < len(pooled):
        raise CannotAnalyse("The exact test needs values without ties; use the asymptotic one.")
    truth = np.repeat([False, True], n)
    area = delong_auc(truth, pooled) if min(n) > 1 else None
    if np.ptp(pooled) == 0:
        equal = "All values are equal; nothing speaks against equality."
        return RankTest(0.5, n[0] * n[1] / 2, 1.0, method, corrected, n, area, (equal,))
    found = stats.mannwhitneyu(two, one, use_continuity=corrected, method=method)
    statistic = float(found.statistic)
    told = area.warnings if area is not None else ()
    return RankTest(
        statistic / n[0] / n[1], statistic, float(found.pvalue), method, corrected and method == "asymptotic", n, area,
        told,
    )  # fmt: skip


def hodges_lehmann(first: Floats, second: Floats, level: float = 0.95, corrected: bool = True) -> Shift:
    """By how much are the values of one class larger, if only their location differs?

    The median of all n0 n1 differences second - first. The interval holds the shifts that Mann and Whitney's
    asymptotic test does not reject: its limits are the differences at which the standardised rank sum, with the
    correction of one half, passes the normal quantile. R's wilcox.test(conf.int = TRUE) looks for the same points with
    a root finder that stops within 1e-4. Source: Hodges & Lehmann (1963), Ann. Math. Stat. 34:598-611; Bauer (1972),
    JASA 67:687-690. More than 30 million differences: refused.

    >>> found = hodges_lehmann(np.array([1.0, 2, 4, 7, 8]), np.array([3.0, 5, 6, 9, 12]))
    >>> found.estimate, found.low, found.high
    (2.0, -3.0, 8.0)
    """
    one, two = samples(first, second)
    n = (len(one), len(two))
    pairs = n[0] * n[1]
    if pairs > MOST_PAIRS:
        raise CannotAnalyse(f"{pairs} differences are too many to hold; the area of Mann and Whitney needs none.")
    differences = (two[:, None] - one[None, :]).ravel()
    differences.sort()
    shifts, starts = np.unique(differences, return_index=True)
    # Between two neighbouring differences no value of one class meets one of the other: only ties within count.
    above = pairs - np.append(starts[1:], pairs)
    total = n[0] + n[1]
    ties = sum(float((count**3 - count).sum()) for count in (np.unique(x, return_counts=True)[1] for x in (one, two)))
    spread = math.sqrt(pairs / 12 * max(total + 1 - ties / (total * (total - 1)), 0.0))
    apart = above - pairs / 2
    if corrected:
        apart = apart - 0.5 * np.sign(apart)
    if spread == 0:
        limits = (shifts[0], shifts[-1])
    else:
        z = quantile(level)
        limits = (shifts[np.argmax(apart / spread <= z)], shifts[np.argmax(apart / spread <= -z)])
        # Where even the outermost shift is not rejected no limit exists but the range itself.
        limits = (limits[0], limits[1] if (apart / spread <= -z).any() else shifts[-1])
    return Shift(float(np.median(differences)), float(limits[0]), float(limits[1]), level, n)


def welch_t(first: Floats, second: Floats) -> MeanTest:
    """Do the means of two classes differ?

    first, second: (n0,), (n1,) values. t = difference / se on Welch's degrees of freedom; `scipy.stats.ttest_ind`.
    Source: Welch (1947), Biometrika 34:28-35. Fewer than two values in a class, or no variation: refused.

    >>> found = welch_t(np.array([1.0, 2, 4, 7, 8]), np.array([3.0, 5, 6, 9, 12]))
    >>> round(found.statistic, 6), round(found.df, 6), round(found.p, 6)
    (1.245174, 7.83126, 0.249035)
    """
    one, two = samples(first, second)
    if min(len(one), len(two)) < 2:
        raise CannotAnalyse("A difference of means needs at least two values in each class.")
    variances = [float(sample.var(ddof=1) / len(sample)) for sample in (one, two)]
    if sum(variances) == 0:
        raise CannotAnalyse("The values do not vary within the classes, so their means cannot be tested.")
    found = stats.ttest_ind(two, one, equal_var=False)
    means = (float(one.mean()), float(two.mean()))
    return MeanTest(
        means[1] - means[0], math.sqrt(sum(variances)), float(found.statistic), float(found.df), float(found.pvalue),
        means, (len(one), len(two)),
    )  # fmt: skip


def standardised_difference(first: Floats, second: Floats) -> StandardisedDifference:
    """How many standard deviations are the means of two classes apart?

    d = (mean second - mean first) / sqrt((variance first + variance second) / 2);
    se = sqrt((n0 + n1) / (n0 n1) + d² / (2 (n0 + n1))). Source: Cohen (1988), ch. 2; Hedges & Olkin (1985), p. 86.
    Fewer than two values in a class, or no variation: refused.

    >>> round(standardised_difference(np.array([1.0, 2, 4, 7, 8]), np.array([3.0, 5, 6, 9, 12])).estimate, 6)
    0.787517
    """
    one, two = samples(first, second)
    if min(len(one), len(two)) < 2:
        raise CannotAnalyse("A standardised difference needs at least two values in each class.")
    variance = float(one.var(ddof=1) + two.var(ddof=1)) / 2
    if variance == 0:
        raise CannotAnalyse("The values do not vary within the classes, so their distance has no unit.")
    n0, n1 = len(one), len(two)
    d = float(two.mean() - one.mean()) / math.sqrt(variance)
    return StandardisedDifference(d, math.sqrt((n0 + n1) / (n0 * n1) + d * d / (2 * (n0 + n1))), (n0, n1))


def kolmogorov_smirnov(first: Floats, second: Floats, method: RankMethod = "asymptotic") -> Distance:
    """Have two classes different distributions?

    The largest distance of both empirical distributions. asymptotic: Kolmogorov's distribution of
    sqrt(n0 n1 / (n0 + n1)) D, as R's ks.test(exact = FALSE); exact: `scipy.stats.ks_2samp`, without ties only.
    Source: Smirnov (1948), Ann. Math. Stat. 19:279-281. Ties make the asymptotic p too large.

    >>> found = kolmogorov_smirnov(np.array([1.0, 2, 4, 7, 8]), np.array([3.0, 5, 6, 9, 12]))
    >>> found.estimate, round(found.p, 6)
    (0.4, 0.818621)
    """
    one, two = samples(first, second)
    n = (len(one), len(two))
    pooled = np.concatenate([one, two])
    tied = len(np.unique(pooled)) < len(pooled)
    if method == "exact":
        if tied:
            raise CannotAnalyse("The exact test needs values without ties; use the asymptotic one.")
        exact = stats.ks_2samp(two, one, method="exact")
        return Distance(float(exact.statistic), min(float(exact.pvalue), 1.0), None, n, "exact")
    statistic = float(stats.ks_2samp(two, one, method="asymp").statistic)
    p = float(stats.kstwobign.sf(math.sqrt(n[0] * n[1] / sum(n)) * statistic))
    told = ("Values tie, so the p value is an upper bound.",) if tied else ()
    return Distance(statistic, p, None, n, "asymptotic", told)


def kruskal_wallis(groups: Sequence[Floats]) -> Distance:
    """Do several classes have the same distribution?

    groups: one array for each class. H with the correction for ties on classes - 1 df; `scipy.stats.kruskal`.
    Source: Kruskal & Wallis (1952), JASA 47:583-621. All values equal: 0, p = 1 and a warning; one class: refused.

    >>> found = kruskal_wallis([np.array([1.0, 2, 4]), np.array([3.0, 5, 6]), np.array([7.0, 8, 9])])
    >>> round(found.estimate, 6), found.df, round(found.p, 6)
    (6.488889, 2.0, 0.03899)
    """
    given = samples(*groups)
    n = tuple(len(group) for group in given)
    if len(given) < 2:
        raise CannotAnalyse("A comparison needs at least two classes.")
    if np.ptp(np.concatenate(given)) == 0:
        return Distance(0.0, 1.0, len(n) - 1.0, n, "asymptotic", ("All values are equal.",))
    found = stats.kruskal(*given)
    return Distance(float(found.statistic), float(found.pvalue), len(n) - 1.0, n, "asymptotic")


def signed_rank(first: Floats, second: Floats, corrected: bool = True) -> SignedRank:
    """Is the second of two values of the same case larger?

    first, second: (n,) values of the same cases. Wilcoxon's signed ranks, differences of zero left out, normal with
    the variance for ties and the correction of one half; `scipy.stats.wilcoxon`, R's wilcox.test(paired = TRUE,
    exact = FALSE). sign_p: exact binomial of the signs. `estimate`: median of the differences.
    Source: Wilcoxon (1945), Biometrics Bull. 1:80-83. No difference other than zero: p = 1 and a warning.

    >>> found = signed_rank(np.array([1.0, 2, 4, 7, 8]), np.array([3.0, 5, 3, 9, 12]))
    >>> found.statistic, round(found.p, 6), found.sign_p
    (14.0, 0.104059, 0.375)
    """
    one, two = samples(first, second)
    if len(one) != len(two):
        raise CannotAnalyse(f"Paired values must be of the same cases, not {len(one)} and {len(two)}.")
    change = two - one
    zeros = int((change == 0).sum())
    median = float(np.median(change))
    if zeros == len(change):
        return SignedRank(0.0, 0.0, 1.0, 1.0, len(change), zeros, corrected, ("No case changed.",))
    moved = change[change != 0]
    found = stats.wilcoxon(moved, correction=corrected, method="asymptotic")
    ranks = stats.rankdata(np.abs(moved))
    sign = stats.binomtest(int((moved > 0).sum()), len(moved))
    return SignedRank(
        median, float(ranks[moved > 0].sum()), float(found.pvalue), float(sign.pvalue), len(change), zeros, corrected
    )
