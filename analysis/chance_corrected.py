"""Agreement of any number of readers beyond chance, with weights and missing judgements, after Gwet.

All coefficients are (observed - chance) / (1 - chance) of the weighted agreement of pairs of readers; they differ in
what they take for chance. Standard errors are Gwet's: linearisation over cases, so readers are taken as they are and
the cases as a sample; intervals are Student's t with n - 1 degrees of freedom for n cases. Missing judgements are
left missing: a case counts for the pairs of readers it has, and for the shares of categories even with one reader.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from analysis.agreement_weights import WeightName, from_distances, ratio
from analysis.errors import CannotAnalyse
from analysis.interval import NOISE, Interval, two_sided_p, wald
from analysis.judgements import Judgements, judgements, matrix_of
from analysis.ratings import Floats

Level = Literal["nominal", "ordinal", "interval", "ratio"]
LEVELS: tuple[Level, ...] = get_args(Level)
NO_SPREAD = "Every case speaks alike for the estimate, so its standard error is zero and there is no test."


@dataclass(frozen=True)
class Agreement:
    """One coefficient of agreement; p tests it against 0 by Student's t, None where the standard error is zero.

    observed, chance: weighted agreement found, and expected by chance; n: cases that the estimate rests on;
    unanimous: share of the cases judged by all readers on which all chose the same, None without such a case.
    """

    estimate: float
    se: float
    p: float | None
    n: int
    readers: int
    observed: float
    chance: float
    categories: tuple[float, ...]
    unanimous: float | None
    warnings: tuple[str, ...] = ()

    @property
    def df(self) -> int:
        return self.n - 1

    @property
    def statistic(self) -> float | None:
        return self.estimate / self.se if self.se else None

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Student's t, clipped to [-1, 1]."""
        return wald(self.estimate, self.se, level, self.df).clipped(-1.0, 1.0)


def percent_agreement(values: Floats, weights: WeightName | Floats = "identity") -> Agreement:
    """How often do two readers of a case agree?

    values: (reader, case) category numbers, NaN where a reader did not judge; weights as in `weight_matrix`, or the
    matrix itself. estimate = mean over cases of the mean weight of their pairs of readers; nothing is taken off for
    chance. `unanimous` is the share of cases on which all readers agree, another number with more than two readers.
    Refused as by `judgements`. Source: Gwet (2014), Handbook of Inter-Rater Reliability, 4th ed., ch. 2 and 5.

    >>> found = percent_agreement(np.array([[1.0, 2, 2, 1], [1.0, 2, 1, 1], [1.0, 2, 1, np.nan]]))
    >>> round(found.estimate, 6), round(found.se, 6), found.unanimous
    (0.833333, 0.166667, 0.6666666666666666)
    """
    judged = judgements(values, weights)
    own = judged.n / judged.pairs.sum() * judged.per_case
    observed = float(own.mean())
    return agreement_result(judged, observed, own - observed, observed, 0.0)


def gwet_ac1(values: Floats, weights: WeightName | Floats = "identity") -> Agreement:
    """How far do readers agree beyond chance, where chance is guessing in the hard cases (AC1, weighted AC2)?

    values, weights: as in `percent_agreement`. chance = sum(w) / (q (q - 1)) sum of s (1 - s) over the q categories
    with mean shares s. Keeps near the percent agreement where one category is rare, where kappa falls. Refused as by
    `judgements`. Source: Gwet (2008), Br. J. Math. Stat. Psychol. 61:29-48; Gwet (2014), ch. 2-5.

    >>> found = gwet_ac1(np.array([[1.0, 2, 2, 1], [1.0, 2, 1, 1], [1.0, 2, 1, np.nan]]))
    >>> round(found.estimate, 6), round(found.se, 6)
    (0.7, 0.311769)
    """
    judged = judgements(values, weights)
    size, shares = len(judged.categories), judged.shares
    scale = float(judged.weights.sum()) / (size * (size - 1))
    chance = scale * float((shares * (1 - shares)).sum())
    return beyond_chance(judged, chance, scale * judged.summed(1 - shares) / judged.readers)


def weighted_fleiss(values: Floats, weights: WeightName | Floats = "identity") -> Agreement:
    """How far do readers agree beyond chance, where every reader draws from the same shares of categories?

    values, weights: as in `percent_agreement`. chance = sum of w(k, l) s(k) s(l) with the mean shares s; Fleiss'
    kappa with weights and missing judgements, for two readers Scott's pi. Refused as by `judgements`.
    Source: Fleiss (1971), Psychol. Bull. 76:378-382; variance Gwet (2008), Br. J. Math. Stat. Psychol. 61:29-48.

    >>> found = weighted_fleiss(np.array([[1.0, 2, 2, 1], [1.0, 2, 1, 1], [1.0, 2, 1, np.nan]]))
    >>> round(found.estimate, 6), round(found.se, 6)
    (0.625, 0.397748)
    """
    judged = judgements(values, weights)
    leaning = judged.weights @ judged.shares
    return beyond_chance(judged, float(judged.shares @ leaning), judged.summed(leaning) / judged.readers)


def scott_pi(first: Floats, second: Floats, weights: WeightName | Floats = "identity") -> Agreement:
    """How far do two readers agree beyond chance, where both draw from the same shares of categories?

    first, second: (n,) category numbers of the same cases; cases with NaN in either are left out. Otherwise as
    `weighted_fleiss`, which it is for two readers. Source: Scott (1955), Public Opin. Q. 19:321-325.

    >>> round(scott_pi(np.array([1.0, 1, 0, 0, 1]), np.array([1.0, 0, 0, 0, 1])).estimate, 6)
    0.6
    """
    both = ~(np.isnan(first) | np.isnan(second))
    return weighted_fleiss(np.stack([first[both], second[both]]), weights)


def brennan_prediger(values: Floats, weights: WeightName | Floats = "identity") -> Agreement:
    """How far do readers agree beyond chance, where chance gives every category the same share?

    values, weights: as in `percent_agreement`. chance = mean of the weight matrix, 1 / q without weights for the q
    categories that occur; the kappa of Randolph, for two readers Bennett's S. Refused as by `judgements`.
    Source: Brennan & Prediger (1981), Educ. Psychol. Meas. 41:687-699; Gwet (2014), ch. 4-5.

    >>> found = brennan_prediger(np.array([[1.0, 2, 2, 1], [1.0, 2, 1, 1], [1.0, 2, 1, np.nan]]))
    >>> round(found.estimate, 6), round(found.se, 6)
    (0.666667, 0.333333)
    """
    judged = judgements(values, weights)
    chance = float(judged.weights.mean())
    return beyond_chance(judged, chance, np.full(judged.n, chance))


def conger_kappa(values: Floats, weights: WeightName | Floats = "identity") -> Agreement:
    """How far do readers agree beyond chance, where every reader has own shares of categories?

    values, weights: as in `percent_agreement`. chance = mean over pairs of readers of sum w(k, l) s(g, k) s(h, l)
    with s(g, k) the share of reader g's cases put in k: the exact kappa of several readers, for two readers Cohen's.
    A reader without any judgement: refused; else refused as by `judgements`. The standard error divides by n - 1,
    that of `cohen_kappa` by n. Source: Conger (1980), Psychol. Bull. 88:322-328; variance Gwet (2014), ch. 5.

    >>> found = conger_kappa(np.array([[1.0, 2, 2, 1], [1.0, 2, 1, 1], [1.0, 2, 1, np.nan]]))
    >>> round(found.estimate, 6), round(found.se, 6)
    (0.647059, 0.358461)
    """
    judged = judgements(values, weights)
    readers, size = len(judged.places), len(judged.categories)
    read = judged.places >= 0
    number = read.sum(axis=1)
    if not number.all():
        raise CannotAnalyse("A reader judged no case at all, so the shares of that reader are unknown.")
    share = np.stack([np.bincount(row[row >= 0], minlength=size) for row in judged.places]) / number[:, None]
    others = (share.sum(axis=0) - share) @ judged.weights
    expected = (share * others).sum(axis=1)
    ordered = readers * (readers - 1)
    chance = float(expected.sum()) / ordered
    # Each case moves the shares of the readers who judged it, as one of their `number` cases.
    moved = np.take_along_axis(others, np.maximum(judged.places, 0), axis=1) - expected[:, None]
    influence = chance + (judged.n / number) @ np.where(read, moved, 0.0) / ordered
    return beyond_chance(judged, chance, influence)


def krippendorff_alpha(
    values: Floats, level: Level = "nominal", weights: WeightName | Floats | None = None
) -> Agreement:
    """How far do judgements of the same case differ less than judgements of any cases?

    values: as in `percent_agreement`; cases with fewer than two judgements are left out. 1 - alpha is the mean squared
    difference of two judgements of a case over that of any two judgements; the difference is by `level`: nominal 0 or
    1, interval (a - b)², ratio ((a - b) / (a + b))², ordinal (how many judgements lie between, with half of both
    ends)²; `weights`, where given, are used in its place. The standard error takes the ordinal differences as given.
    Refused as by `judgements`, and ratios of values of both signs.
    Source: Krippendorff (2011), Computing Krippendorff's alpha-reliability; variance Gwet (2014), ch. 2 and 5.

    >>> found = krippendorff_alpha(np.array([[1.0, 2, 2, 1], [1.0, 2, 1, 1], [1.0, 2, 1, np.nan]]))
    >>> round(found.estimate, 6), round(found.se, 6)
    (0.642857, 0.407721)
    """
    if level not in LEVELS:
        raise CannotAnalyse(f"Krippendorff's alpha is of level {', '.join(LEVELS)}, not {level}.")
    judged = judgements(np.where((~np.isnan(values)).sum(axis=0) >= 2, values, np.nan), "identity")
    own = level_weights(judged, level) if weights is None else matrix_of(weights, judged.categories)
    judged = Judgements(judged.places, judged.categories, own, judged.readers)
    mean = float(judged.readers.mean())
    relative = judged.readers / mean
    shares = judged.chosen(np.ones(judged.n)) / judged.readers.sum()
    leaning = judged.weights @ shares
    chance = float(shares @ leaning)
    per_case = judged.per_case * relative
    plain = float(per_case.mean())
    # Krippendorff's correction for small samples: a judgement is not paired with itself.
    small = 1 / float(judged.readers.sum())
    observed = (1 - small) * plain + small
    found, plain_found = (observed - chance) / (1 - chance), (plain - chance) / (1 - chance)
    agreeing = per_case - observed * (relative - 1) - chance
    leaned = judged.summed(leaning) / mean - chance * (relative - 1) - chance
    residual = (agreeing - 2 * (1 - plain_found) * leaned) / (1 - chance) - plain_found
    return agreement_result(judged, found, residual, observed, chance)


def level_weights(judged: Judgements, level: Level) -> Floats:
    """1 minus Krippendorff's squared difference of two categories, over its largest value."""
    a, b = judged.categories[:, None], judged.categories[None, :]
    if level == "nominal":
        return from_distances(np.asarray(a != b, dtype=float))
    if level == "ratio":
        return from_distances(ratio(a, b, judged.categories))
    if level == "ordinal":
        chosen = judged.chosen(np.ones(judged.n))
        middle = np.cumsum(chosen) - chosen / 2
        return from_distances((middle[:, None] - middle[None, :]) ** 2)
    with np.errstate(over="ignore"):
        return from_distances((a - b) ** 2)


def beyond_chance(judged: Judgements, chance: float, influence: Floats) -> Agreement:
    """(observed - chance) / (1 - chance) with Gwet's standard error.

    influence: (case,) chance agreement as each case sees it, with mean `chance`.
    """
    if 1 - chance < math.sqrt(NOISE):
        raise CannotAnalyse("The weights count every pair of categories as agreement, so nothing is beyond chance.")
    per_case, pairs = judged.per_case, judged.pairs
    observed = float(per_case[pairs].mean())
    found = (observed - chance) / (1 - chance)
    own = judged.n / pairs.sum() * (per_case - chance * pairs) / (1 - chance)
    residual = own - 2 * (1 - found) * (influence - chance) / (1 - chance) - found
    return agreement_result(judged, found, residual, observed, chance)


def agreement_result(
    judged: Judgements, estimate: float, residual: Floats, observed: float, chance: float
) -> Agreement:
    """The result with variance sum(residual²) / (n (n - 1)) over the n cases."""
    n = len(residual)
    variance = float((residual**2).sum()) / (n * (n - 1))
    se = math.sqrt(variance) if variance > NOISE else 0.0
    p = two_sided_p(estimate / se, n - 1) if se else None
    return Agreement(
        estimate, se, p, n, len(judged.places), observed, chance, tuple(judged.categories.tolist()), judged.unanimous,
        () if se else (NO_SPREAD,),
    )  # fmt: skip
