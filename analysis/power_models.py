"""Power and number of cases without a pilot: paired decisions, two proportions, means, and Obuchowski's conjectures."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import integrate, optimize, stats

from analysis.error_terms import Components
from analysis.errors import CannotAnalyse
from analysis.power_auc import auc_variance, check_alpha, check_power, check_ratio
from analysis.ratings import Floats

PairedTest = Literal["connor", "miettinen", "exact"]
Endpoint = Literal["auc", "sensitivity"]
MOST_PAIRS = 3000


@dataclass(frozen=True)
class PairedPlan:
    """A planned McNemar test; `estimate` is its power, `pairs` the cases decided in both arms (not rounded)."""

    estimate: float
    pairs: float
    first_only: float
    second_only: float
    alpha: float
    test: PairedTest
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class GroupPlan:
    """A planned comparison of two independent groups; `estimate` is its power, `n` the cases of each group."""

    estimate: float
    n: float
    alpha: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConjecturedPlan:
    """Cases of a study planned from conjectures; `estimate` is the power aimed at.

    units: lesions, or diseased cases where each has one; diseased and controls: whole cases; components and
    session_variance are None for one test alone.
    """

    estimate: float
    units: int
    diseased: int
    controls: int
    readers: int
    alpha: float
    components: Components | None = None
    session_variance: float | None = None
    design_effect: float = 1.0
    warnings: tuple[str, ...] = ()

    @property
    def cases(self) -> int:
        return self.diseased + self.controls


def mcnemar_power(
    first_only: float, second_only: float, pairs: int, alpha: float = 0.05, test: PairedTest = "connor"
) -> PairedPlan:
    """With which probability does McNemar's test find a difference of two paired proportions?

    first_only, second_only: expected shares of all cases that only the first or only the second arm decides rightly;
    their difference d is the effect, their sum s the share of discordant cases; pairs: n. Two-sided.
    connor: Phi((sqrt(n) |d| - z sqrt(s)) / sqrt(s - d²)), Connor (1987), Biometrics 43:207-211;
    miettinen: Phi((sqrt(n s) |d| - z s) / sqrt(s² - d² (3 + s)/4)), Miettinen (1968), Biometrics 24:339-352;
    exact: the exact power of the exact test, summed over all numbers of discordant cases.
    No discordant cases, or shares that are not in [0, 1] with a sum of at most 1: refused. Equal shares: a warning.

    >>> [round(mcnemar_power(0.05, 0.15, 200, test=name).estimate, 6) for name in ("connor", "miettinen", "exact")]
    [0.891314, 0.910563, 0.8753]
    """
    d, s = check_discordant(first_only, second_only)
    check_alpha(alpha)
    if pairs < 1:
        raise CannotAnalyse("A paired test needs at least one pair.")
    z = float(stats.norm.isf(alpha / 2))
    if test == "connor":
        reached = ratio_or_sign(math.sqrt(pairs) * abs(d) - z * math.sqrt(s), s - d * d)
    elif test == "miettinen":
        reached = ratio_or_sign(math.sqrt(pairs * s) * abs(d) - z * s, s * s - d * d * (3 + s) / 4)
    elif test == "exact":
        power = exact_power(first_only, second_only, pairs, alpha)
        return PairedPlan(power, pairs, first_only, second_only, alpha, test, equal_shares(d))
    else:
        raise CannotAnalyse(f"The power of McNemar's test is after connor, miettinen or exact, not {test}.")
    return PairedPlan(float(stats.norm.cdf(reached)), pairs, first_only, second_only, alpha, test, equal_shares(d))


def mcnemar_sample_size(
    first_only: float, second_only: float, power: float = 0.8, alpha: float = 0.05, test: PairedTest = "connor"
) -> PairedPlan:
    """How many paired cases show with this power that two proportions differ?

    connor: n = (z sqrt(s) + zb sqrt(s - d²))² / d²; miettinen: n = (z s + zb sqrt(s² - d² (3 + s)/4))² / (s d²);
    exact: the smallest n from which on the exact power, which rises in a saw-tooth, is not below the one aimed at
    for this n and the ten that follow. The rest as `mcnemar_power`. Equal shares: refused.

    >>> [round(mcnemar_sample_size(0.05, 0.15, test=name).pairs, 3) for name in ("connor", "miettinen", "exact")]
    [154.599, 147.178, 168]
    """
    d, s = check_discordant(first_only, second_only)
    check_power(power, alpha)
    if d == 0:
        raise CannotAnalyse("No number of cases finds a difference of 0; name the difference that is to be found.")
    z, zb = float(stats.norm.isf(alpha / 2)), float(stats.norm.ppf(power))
    if test == "connor":
        pairs = (z * math.sqrt(s) + zb * math.sqrt(max(s - d * d, 0.0))) ** 2 / d**2
    elif test == "miettinen":
        pairs = (z * s + zb * math.sqrt(max(s * s - d * d * (3 + s) / 4, 0.0))) ** 2 / (s * d**2)
    else:
        return exact_pairs(first_only, second_only, power, alpha, test)
    return PairedPlan(power, pairs, first_only, second_only, alpha, test)


def exact_pairs(first_only: float, second_only: float, power: float, alpha: float, test: PairedTest) -> PairedPlan:
    """Single steps over the saw-tooth from just below the answer of Connor, which lies below the exact one."""
    near = mcnemar_sample_size(first_only, second_only, power, alpha).pairs
    if near > MOST_PAIRS:
        raise CannotAnalyse(f"More than {MOST_PAIRS} pairs are needed; use connor, which is as good as exact there.")
    start = max(1, math.floor(0.95 * near) - 5)
    run: list[PairedPlan] = []
    for pairs in range(start, math.ceil(2 * near) + 200):
        found = mcnemar_power(first_only, second_only, pairs, alpha, test)
        run = [*run, found] if found.estimate >= power else []
        if len(run) == 11:
            return run[0]
    raise CannotAnalyse("The exact power does not settle above the one aimed at.")


def exact_power(first_only: float, second_only: float, pairs: int, alpha: float) -> float:
    """Sum over the discordant cases of their probability times that of rejection given their number."""
    s = first_only + second_only
    discordant = np.arange(pairs + 1)
    critical = largest_rejected(discordant, alpha)
    share = second_only / s
    tails = stats.binom.cdf(critical, discordant, share) + stats.binom.cdf(critical, discordant, 1 - share)
    return float((stats.binom.pmf(discordant, pairs, s) * np.where(critical >= 0, tails, 0.0)).sum())


def largest_rejected(discordant: "np.ndarray[tuple[int], np.dtype[np.int64]]", alpha: float) -> Floats:
    """The largest smaller count whose two-sided exact p is at most alpha; -1 where there is none."""
    found = stats.binom.ppf(alpha / 2, discordant, 0.5)
    return np.asarray(np.where(2 * stats.binom.cdf(found, discordant, 0.5) <= alpha, found, found - 1))


def two_proportions_power(first: float, second: float, n: float, alpha: float = 0.05) -> GroupPlan:
    """With which probability does a test find a difference of two proportions of different cases?

    n: cases of each group. Two-sided normal test with the variance of equal proportions for its bound, by
    `statsmodels.stats.proportion.power_proportions_2indep`; Fleiss, Levin & Paik (2003), ch. 4, without correction.
    A proportion outside (0, 1): refused. Equal proportions have the power alpha and a warning.

    >>> round(two_proportions_power(0.8, 0.9, 200).estimate, 6)
    0.802049
    """
    from statsmodels.stats.proportion import power_proportions_2indep

    check_proportions(first, second)
    check_alpha(alpha)
    if n <= 0:
        raise CannotAnalyse("A group needs at least one case.")
    found = power_proportions_2indep(second - first, first, n, alpha=alpha)
    return GroupPlan(float(found.power), n, alpha, equal_shares(second - first))


def two_proportions_sample_size(first: float, second: float, power: float = 0.8, alpha: float = 0.05) -> GroupPlan:
    """How many cases in each of two groups show with this power that two proportions differ?

    Formula of `two_proportions_power`, only the nearer tail counted, as R's power.prop.test; by
    `statsmodels.stats.proportion.samplesize_proportions_2indep_onetail`. Equal proportions: refused.

    >>> round(two_proportions_sample_size(0.8, 0.9).n, 6)
    198.963413
    """
    from statsmodels.stats.proportion import samplesize_proportions_2indep_onetail

    check_proportions(first, second)
    check_power(power, alpha)
    if first == second:
        raise CannotAnalyse("No number of cases finds a difference of 0; name the difference that is to be found.")
    n = samplesize_proportions_2indep_onetail(second - first, first, power, alpha=alpha, alternative="two-sided")
    return GroupPlan(power, float(n), alpha)


def two_means_sample_size(effect: float, sd: float = 1.0, power: float = 0.8, alpha: float = 0.05) -> GroupPlan:
    """How many cases in each of two groups show with this power that two means differ?

    effect, sd: difference of the means and their common standard deviation, in one unit; for log times a ratio.
    Two-sided t test, only the nearer tail counted as in R's power.t.test; `statsmodels.stats.power.TTestIndPower`.
    An effect of 0 or a standard deviation that is not positive: refused.

    >>> round(two_means_sample_size(0.5, power=0.9).n, 4)
    85.0313
    """
    from statsmodels.stats.power import TTestIndPower

    check_power(power, alpha)
    if effect == 0 or not sd > 0:
        raise CannotAnalyse("A plan needs an effect other than 0 and a positive standard deviation.")
    n = TTestIndPower().solve_power(abs(effect) / sd, power=power, alpha=alpha / 2, alternative="larger")
    return GroupPlan(power, float(np.squeeze(n)), alpha)


def conjectured_study(
    endpoint: Endpoint,
    readers: int,
    effect: float,
    level: float,
    reader_range: float,
    session_range: float,
    same_reader: float,
    same_arm: float = 0.3,
    neither: float = 0.3,
    reader_arms: float = 0.8,
    ratio: float = 1.0,
    power: float = 0.8,
    alpha: float = 0.05,
    lesions_per_case: float = 1.0,
    intracluster: float = 0.0,
) -> ConjecturedPlan:
    """How many cases does a study of many readers need, when there is no pilot but a conjecture?

    level: expected figure of merit; effect: difference of two arms; reader_range: largest minus smallest figure
    among the readers; session_range: the same between two readings by one reader; correlations of the figures:
    same_reader (r1, other arm), same_arm (r2, other reader), neither (r3), reader_arms (rb, of a reader's true
    figures in both arms); ratio: controls per diseased case. A range of J normal values is on average
    2 E(max of J) standard deviations. With lambda the noncentrality for which F(1, J - 1) has the power, the sampling
    variance of a figure may be (J effect²/(2 lambda) - arm_reader - session) / (1 - r1 + (J - 1)(r2 - r3)), and the
    variance for one diseased case (`power_auc.auc_variance`, or level (1 - level)) divided by it is the number of
    units. Several lesions in a case: units times 1 + (s - 1) intracluster, in cases of s lesions.
    Source: Obuchowski (2000), AJR 175:603-608; Obuchowski & Hillis (2011), AJR 197:W821-W828; as MRMCsamplesize.
    Too few readers for any number of cases: refused.

    >>> plan = conjectured_study("auc", 10, 0.1, 0.75, 0.1, 0.05, same_reader=0.47)
    >>> plan.diseased, plan.cases
    (25, 50)
    """
    correlations = (same_reader, same_arm, neither, reader_arms)
    check_conjecture(endpoint, readers, effect, level, (reader_range, session_range), correlations)
    check_power(power, alpha)
    between = (reader_range / (2 * expected_maximum(readers))) ** 2
    session = (session_range / (2 * expected_maximum(2))) ** 2
    interaction = between * (1 - reader_arms)
    left = readers * effect**2 / (2 * needed_noncentrality(readers - 1, power, alpha)) - interaction - session
    spread = left / (1 - same_reader + (readers - 1) * (same_arm - neither))
    if not spread > 0:
        raise CannotAnalyse(f"{readers} readers that differ so much never reach a power of {power:g}; plan with more.")
    error = spread + session
    parts = Components(between, interaction, error, same_reader * error, same_arm * error, neither * error)
    units = math.ceil(unit_variance(endpoint, level, ratio) / spread)
    diseased, design = clustered(units, lesions_per_case, intracluster)
    warnings = () if diseased >= 10 else ("Fewer than 10 diseased cases are a weak base for these approximations.",)
    controls = math.ceil(diseased * ratio)
    return ConjecturedPlan(power, units, diseased, controls, readers, alpha, parts, session, design, warnings)


def conjectured_precision(
    endpoint: Endpoint,
    level: float,
    distance: float,
    ratio: float = 1.0,
    power: float = 0.8,
    alpha: float = 0.05,
    lesions_per_case: float = 1.0,
    intracluster: float = 0.0,
) -> ConjecturedPlan:
    """How many cases show with this power that one figure of merit lies above level - distance?

    level: expected AUC or sensitivity; distance: to the bound that is to be excluded, two-sided alpha.
    units = (z + zb)² V / distance², V as in `conjectured_study`. Source: Flahault, Cadilhac & Thomas (2005), J. Clin.
    Epidemiol. 58:859-862; Zhou, Obuchowski & McClish (2011), ch. 6; as MRMCsamplesize's sampleSize_Standalone.

    >>> conjectured_precision("auc", 0.9, 0.05).cases
    430
    """
    check_conjecture(endpoint, 2, distance, level, (0.5, 0.5), (0.5, 0.5, 0.5, 0.5))
    check_power(power, alpha)
    z = float(stats.norm.isf(alpha / 2) + stats.norm.ppf(power))
    units = math.ceil(z**2 * unit_variance(endpoint, level, ratio) / distance**2)
    diseased, design = clustered(units, lesions_per_case, intracluster)
    return ConjecturedPlan(power, units, diseased, math.ceil(diseased * ratio), 1, alpha, design_effect=design)


def expected_maximum(n: int) -> float:
    """Mean of the largest of n standard normal values.

    >>> round(expected_maximum(2), 9), round(expected_maximum(10), 6)
    (0.564189584, 1.538753)
    """
    found = integrate.quad(
        lambda x: n * x * stats.norm.cdf(x) ** (n - 1) * stats.norm.pdf(x), -np.inf, np.inf, epsabs=1e-13, epsrel=1e-12
    )
    return float(found[0])


def needed_noncentrality(df: int, power: float, alpha: float) -> float:
    """Noncentrality at which F on 1 and df degrees of freedom exceeds its quantile with this probability."""
    critical = stats.f.isf(alpha, 1, df)

    def distance(root: float) -> float:
        return float(stats.ncf.sf(critical, 1, df, root**2)) - power

    return float(optimize.brentq(distance, 1e-3, 200.0, xtol=1e-13, rtol=1e-14)) ** 2


def unit_variance(endpoint: Endpoint, level: float, ratio: float) -> float:
    check_ratio(ratio)
    return auc_variance(level, ratio) if endpoint == "auc" else level * (1 - level)


def clustered(units: int, lesions_per_case: float, intracluster: float) -> tuple[int, float]:
    """Diseased cases for so many independent units, and the design effect."""
    if lesions_per_case < 1 or not 0 <= intracluster <= 1:
        raise CannotAnalyse("A diseased case has at least one lesion, and an intracluster correlation lies in [0, 1].")
    design = 1 + (lesions_per_case - 1) * intracluster
    return math.ceil(math.ceil(units * design) / lesions_per_case), design


def check_conjecture(
    endpoint: str,
    readers: int,
    effect: float,
    level: float,
    ranges: tuple[float, float],
    correlations: tuple[float, ...],
) -> None:
    if endpoint not in ("auc", "sensitivity"):
        raise CannotAnalyse(f"The endpoint is auc or sensitivity, not {endpoint}.")
    if readers < 2:
        raise CannotAnalyse("A study of many readers needs at least two.")
    for name, value in (("figure of merit", level), ("effect", effect), ("reader range", ranges[0])):
        if not 0 < value < 1:
            raise CannotAnalyse(f"The {name} lies between 0 and 1, not at {value:g}.")
    if not 0 <= ranges[1] < 1:
        raise CannotAnalyse(f"The range between sessions lies in [0, 1), not at {ranges[1]:g}.")
    if not all(0 <= value < 1 for value in correlations):
        raise CannotAnalyse("The correlations of the figures of merit lie in [0, 1).")


def check_discordant(first_only: float, second_only: float) -> tuple[float, float]:
    """Difference and sum of the two shares."""
    if first_only < 0 or second_only < 0 or not first_only + second_only <= 1:
        raise CannotAnalyse("The shares decided rightly by one arm only lie in [0, 1] with a sum of at most 1.")
    if first_only + second_only == 0:
        raise CannotAnalyse("Without discordant cases no number of pairs finds a difference.")
    return second_only - first_only, first_only + second_only


def check_proportions(first: float, second: float) -> None:
    if not (0 < first < 1 and 0 < second < 1):
        raise CannotAnalyse("A plan needs proportions between 0 and 1.")


def equal_shares(difference: float) -> tuple[str, ...]:
    return ("The effect is 0, so the power is the rate of false alarms.",) if difference == 0 else ()


def ratio_or_sign(distance: float, variance: float) -> float:
    """distance / sqrt(variance); plus or minus infinity where nothing varies."""
    return distance / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, distance)
