"""Agreement on order and on scale: Kendall's W, mean correlation, Lin's concordance correlation."""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, quantile, two_sided_p
from analysis.judgements import complete_cases
from analysis.ratings import Floats


@dataclass(frozen=True)
class KendallW:
    """Concordance of rankings from 0 to 1; p tests that readers rank independently (chi-square)."""

    estimate: float
    statistic: float
    df: int
    p: float
    n: int
    readers: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class MeanCorrelation:
    """Mean correlation of pairs of readers, averaged on Fisher's scale; p tests independence of all readers."""

    estimate: float
    statistic: float
    p: float
    n: int
    readers: int
    pairs: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Concordance:
    """Lin's coefficient; p tests it against 0 on Fisher's scale, None where it is 1 or -1.

    correlation: Pearson's; accuracy = estimate / correlation; scale_shift: spread of the second over the first;
    location_shift: second minus first mean over the root of the product of their spreads.
    """

    estimate: float
    se: float
    p: float | None
    n: int
    correlation: float
    accuracy: float
    scale_shift: float
    location_shift: float
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """On Fisher's scale, Lin (1989)."""
        if abs(self.estimate) >= 1:
            return Interval(self.estimate, self.estimate, level)
        centre = math.atanh(self.estimate)
        half = quantile(level) * self.se / (1 - self.estimate**2)
        return Interval(math.tanh(centre - half), math.tanh(centre + half), level)


def kendall_w(values: Floats) -> KendallW:
    """Do several readers put the cases into the same order?

    values: (reader, case); cases with a gap are left out and counted in a warning. With midranks, R the rank sums of n
    cases, m readers and T the sum of t³ - t over ties of t: W = 12 sum (R - mean)² / (m² (n³ - n) - m T);
    chi-square = m (n - 1) W on n - 1 df, rough below 8 cases. Source: Kendall & Babington Smith (1939), Ann. Math.
    Stat. 10:275-287; ties Kendall (1970), ch. 6. Fewer than two complete cases, or nothing but ties: refused.

    >>> found = kendall_w(np.array([[1.0, 2, 3, 4], [1, 3, 2, 4], [2, 1, 3, 4]]))
    >>> round(found.estimate, 6), round(found.statistic, 6)
    (0.777778, 7.0)
    """
    kept, warnings = complete_cases(values, 2)
    readers, n = kept.shape
    ranks = stats.rankdata(kept, axis=1)
    sums = ranks.sum(axis=0)
    ties = 0.0
    for row in kept:
        together = np.unique(row, return_counts=True)[1].astype(float)
        ties += float((together**3 - together).sum())
    largest = readers**2 * (n**3 - n) - readers * ties
    if largest <= 0:
        raise CannotAnalyse("Every reader gave all cases the same rating, so there is no order to agree on.")
    found = 12 * float(((sums - sums.mean()) ** 2).sum()) / largest
    statistic = readers * (n - 1) * found
    return KendallW(found, statistic, n - 1, float(stats.chi2.sf(statistic, n - 1)), n, readers, warnings)


def mean_correlation(values: Floats) -> MeanCorrelation:
    """How strongly do the ratings of two readers correlate, on average over pairs of readers?

    values: (reader, case); cases with a gap are left out and counted in a warning. Pearson's correlations are averaged
    as atanh(r) and the mean turned back; pairs that correlate perfectly have no atanh and are left out with a warning.
    z = sqrt(pairs (n - 3)) times that mean: under independence the pairs are uncorrelated. Source: Fisher (1921),
    Metron 1:3-32; Silver & Dunlap (1987), J. Appl. Psychol. 72:146-148. Fewer than four complete cases, a reader
    without variation, or only perfect pairs: refused.

    >>> found = mean_correlation(np.array([[1.0, 2, 3, 4, 6], [1, 3, 2, 4, 4], [2, 1, 3, 4, 5]]))
    >>> round(found.estimate, 6), found.pairs
    (0.806028, 3)
    """
    kept, warnings = complete_cases(values, 4)
    readers, n = kept.shape
    if bool((kept.max(axis=1) == kept.min(axis=1)).any()):
        raise CannotAnalyse("A reader gave all cases the same rating, which correlates with nothing.")
    table = np.asarray(np.corrcoef(kept), dtype=float)
    found = np.array([table[one, two] for one, two in combinations(range(readers), 2)])
    usable = np.abs(found) < 1 - 1e-14
    if not usable.any():
        raise CannotAnalyse("All pairs of readers correlate perfectly, so there is no mean on Fisher's scale.")
    if not usable.all():
        warnings = (*warnings, f"{int((~usable).sum())} pairs of readers correlate perfectly and are left out.")
    centre, pairs = float(np.arctanh(found[usable]).mean()), int(usable.sum())
    statistic = math.sqrt(pairs * (n - 3)) * centre
    return MeanCorrelation(math.tanh(centre), statistic, two_sided_p(statistic), n, readers, pairs, warnings)


def concordance(first: Floats, second: Floats) -> Concordance:
    """How close do two measurements of the same cases lie to the line of identity?

    first, second: (n,) in one unit; cases with NaN in either are left out. estimate = 2 s12 / (s1² + s2² + (m2 - m1)²)
    with n in the variances; se by Lin's (2000) correction of his variance with n - 2. Source: Lin (1989), Biometrics
    45:255-268; correction Biometrics 56:324-325. Fewer than three common cases, a measurement without variation, or
    no correlation at all: refused.

    >>> found = concordance(np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 2, 4, 4, 6]))
    >>> round(found.estimate, 6), round(found.se, 6), round(found.confidence_interval().low, 6)
    (0.923077, 0.066973, 0.618202)
    """
    kept, _ = complete_cases(np.stack([first, second]), 3)
    one, two = kept
    n = len(one)
    spread_one, spread_two = float(one.std()), float(two.std())
    if spread_one == 0 or spread_two == 0:
        raise CannotAnalyse("A measurement is the same in all cases, so there is no concordance.")
    apart = float(two.mean() - one.mean())
    r = float(np.corrcoef(one, two)[0, 1])
    if r == 0:
        raise CannotAnalyse("The two measurements do not correlate, so the error of their concordance is unknown.")
    found = 2 * r * spread_one * spread_two / (spread_one**2 + spread_two**2 + apart**2)
    shift = apart / math.sqrt(spread_one * spread_two)
    square = found**2
    variance = (1 - r**2) * square * (1 - square) / r**2 + 2 * found**3 * (1 - found) * shift**2 / r
    variance = (variance - found**4 * shift**4 / (2 * r**2)) / (n - 2)
    se = math.sqrt(max(variance, 0.0))
    warnings: tuple[str, ...] = ()
    p = None
    if 1 - abs(found) > 1e-14 and se > 0:
        p = two_sided_p(math.atanh(found) * (1 - square) / se)
    else:
        warnings = ("The measurements lie on the line of identity, so the interval has no width and there is no test.",)
    return Concordance(found, se, p, n, r, found / r, spread_two / spread_one, shift, warnings)
