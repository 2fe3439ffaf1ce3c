"""Tables of counts: chi-square, likelihood ratio and Fisher's exact test, and how strong the association is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, check_level
from analysis.ratings import Floats
from analysis.resampling import SEED

Counts = npt.NDArray[np.int64]
# Tables with the margins of the observed one, beyond which they are drawn instead of listed.
MOST_TABLES = 2_000_000
DRAWN = 100_000
# Tables as likely as the observed one within this relative error count as extreme: R's fisher.test.
EQUAL = 1e-7
SMALL = "An expected count is below 5, where the chi-square distribution is rough; Fisher's test is exact."


@dataclass(frozen=True, eq=False)
class ChiSquare:
    """Test of independence of rows and columns; `estimate` is Cramér's V, `statistic` the chi-square."""

    estimate: float
    statistic: float
    df: int
    p: float
    expected: Floats
    n: int
    corrected: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Fisher:
    """Exact test of independence; `estimate` is the odds ratio of a 2 x 2 table, None of a larger one.

    seed: of the drawn tables, None where all were listed; the odds ratio may be 0 or infinite.
    """

    estimate: float | None
    p: float
    counts: Counts
    n: int
    seed: int | None = None
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Of the odds ratio, conditional on the margins (Cornfield 1956); 2 x 2 only."""
        check_level(level)
        if self.estimate is None:
            raise CannotAnalyse("Only a table of two rows and two columns has an odds ratio with an interval.")
        found = stats.contingency.odds_ratio(self.counts, kind="conditional").confidence_interval(level)
        return Interval(float(found.low), float(found.high), level)


def cross_table(rows: Sequence[object], columns: Sequence[object]) -> tuple[Counts, tuple[str, ...], tuple[str, ...]]:
    """How often does each pair of values occur?

    rows, columns: (n,) labels of the same cases, compared as text. Answer: counts (row, column), both labels sorted.

    >>> counts, names, _ = cross_table(["m", "f", "m"], [0, 0, 1])
    >>> counts.tolist(), names
    ([[1, 0], [1, 1]], ('f', 'm'))
    """
    if len(rows) != len(columns):
        raise CannotAnalyse(f"Values of the same cases are needed, not {len(rows)} and {len(columns)}.")
    one, place = np.unique(np.asarray(rows, dtype=object).astype(str), return_inverse=True)
    two, position = np.unique(np.asarray(columns, dtype=object).astype(str), return_inverse=True)
    counts = np.zeros((len(one), len(two)), dtype=np.int64)
    np.add.at(counts, (place, position), 1)
    return counts, tuple(one.tolist()), tuple(two.tolist())


def chi_square(counts: Counts, corrected: bool = False) -> ChiSquare:
    """Are rows and columns independent?

    counts: (row, column). Pearson's sum of (observed - expected)² / expected on (rows - 1)(columns - 1) df;
    corrected: Yates's, in 2 x 2 tables only, never more than the difference itself, as R. Cramér's V =
    sqrt(uncorrected statistic / n / (smaller side - 1)). By `scipy.stats.chi2_contingency`. Source: Pearson (1900),
    Philos. Mag. 50:157-175; Yates (1934), Suppl. JRSS 1:217-235; Cramér (1946), ch. 21. Fewer than two rows or
    columns with counts: refused. An expected count below 5: a warning.

    >>> found = chi_square(np.array([[50, 21], [22, 20]]))
    >>> round(found.statistic, 6), found.df, round(found.estimate, 6)
    (3.715515, 1, 0.18133)
    """
    table = checked(counts)
    plain = stats.chi2_contingency(table, correction=False)
    found = stats.chi2_contingency(table, correction=True) if corrected else plain
    told = (SMALL,) if float(np.min(plain.expected_freq)) < 5 else ()
    return ChiSquare(
        cramers_v(float(plain.statistic), table), float(found.statistic), int(found.dof), float(found.pvalue),
        np.asarray(found.expected_freq), int(table.sum()), corrected and table.shape == (2, 2), told,
    )  # fmt: skip


def g_test(counts: Counts) -> ChiSquare:
    """Are rows and columns independent, by the likelihood ratio?

    G = 2 sum observed log(observed / expected), empty cells 0, on the df of `chi_square`, which see.
    Source: Wilks (1935), Ann. Math. Stat. 6:190-196.

    >>> round(g_test(np.array([[50, 21], [22, 20]])).statistic, 6)
    3.679428
    """
    table = checked(counts)
    found = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    plain = stats.chi2_contingency(table, correction=False)
    told = (SMALL,) if float(np.min(plain.expected_freq)) < 5 else ()
    return ChiSquare(
        cramers_v(float(plain.statistic), table), float(found.statistic), int(found.dof), float(found.pvalue),
        np.asarray(found.expected_freq), int(table.sum()), False, told,
    )  # fmt: skip


def fisher(counts: Counts, seed: int = SEED) -> Fisher:
    """Are rows and columns independent, exactly, given the margins?

    counts: (row, column). p = probability of all tables with these margins that are not more likely than the observed
    one (within 1e-7, as R). 2 x 2: `scipy.stats.fisher_exact`, with the conditional maximum-likelihood odds ratio.
    A larger table: every table is listed; where there are more than two million, 100,000 are drawn with the seed and
    p = (1 + as extreme) / (1 + drawn), with a warning. Source: Fisher (1935), JRSS 98:39-82; Freeman & Halton (1951),
    Biometrika 38:141-149. Fewer than two rows or columns with counts: refused.

    >>> found = fisher(np.array([[50, 21], [22, 20]]))
    >>> round(found.p, 6), round(found.estimate, 6)
    (0.069031, 2.149099)
    """
    table = checked(counts)
    n = int(table.sum())
    if table.shape == (2, 2):
        ratio = float(stats.contingency.odds_ratio(table, kind="conditional").statistic)
        told = () if table.all() else ("A cell is empty, so the odds ratio is 0 or infinite.",)
        return Fisher(ratio, float(stats.fisher_exact(table).pvalue), table, n, None, told)
    tall = table if table.shape[0] >= table.shape[1] else table.T
    if bound_of(tall) <= MOST_TABLES:
        return Fisher(None, listed_p(tall), table, n)
    drawn = f"There are too many tables to list; {DRAWN} were drawn, so p has a Monte-Carlo error."
    return Fisher(None, drawn_p(tall, seed), table, n, seed, (drawn,))


def checked(counts: Counts) -> Counts:
    """The table without empty rows and columns; refused where no association can exist."""
    table = np.asarray(counts)
    if table.ndim != 2 or not bool((table >= 0).all()) or not bool((table == np.floor(table)).all()):
        raise CannotAnalyse("A table of counts has rows, columns and whole numbers of at least 0.")
    whole: Counts = table.astype(np.int64)
    table = np.asarray(whole[whole.sum(axis=1) > 0][:, whole.sum(axis=0) > 0])
    if table.shape[0] < 2 or table.shape[1] < 2:
        raise CannotAnalyse(
            "All cases have the same value, or there is only one class, so there is nothing to compare."
        )
    return np.asarray(table, dtype=np.int64)


def cramers_v(statistic: float, table: Counts) -> float:
    return math.sqrt(statistic / float(table.sum()) / (min(table.shape) - 1))


def log_weight(table: Counts) -> float:
    """Logarithm of the probability of a table, but for what its margins fix."""
    return -float(special.gammaln(table + 1.0).sum())


def bound_of(table: Counts) -> float:
    """At least as many tables as there are with these margins."""
    free = table[:-1, :-1]
    limits = np.minimum(table.sum(axis=1)[:-1, None], table.sum(axis=0)[None, :-1]) + 1.0
    return float(np.prod(limits)) if free.size else 1.0


def listed_p(table: Counts) -> float:
    """p over all tables: columns are filled from the left, each cell with every count that the margins leave."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    left, weight = rows[None, :].astype(np.int64), np.zeros(1)
    for column in columns[:-1]:
        open_in_column = np.full(len(left), column)
        for row in range(len(rows)):
            below = left[:, row + 1 :].sum(axis=1)
            least = np.maximum(open_in_column - below, 0)
            choices = np.minimum(left[:, row], open_in_column) - least + 1
            source = np.repeat(np.arange(len(left)), choices)
            starts = np.repeat(np.cumsum(choices) - choices, choices)
            taken = least[source] + np.arange(len(source)) - starts
            left = left[source]
            left[:, row] -= taken
            open_in_column = open_in_column[source] - taken
            weight = weight[source] - special.gammaln(taken + 1.0)
    weight = weight - special.gammaln(left + 1.0).sum(axis=1)
    relative = np.exp(weight - weight.max())
    extreme = weight <= log_weight(table) + math.log1p(EQUAL)
    return min(float(relative[extreme].sum() / relative.sum()), 1.0)


def drawn_p(table: Counts, seed: int) -> float:
    generator = np.random.default_rng(seed)
    drawn = stats.random_table(table.sum(axis=1), table.sum(axis=0)).rvs(DRAWN, random_state=generator)
    weight = -special.gammaln(np.asarray(drawn) + 1.0).sum(axis=(1, 2))
    extreme = int((weight <= log_weight(table) + EQUAL).sum())
    return (1 + extreme) / (1 + DRAWN)
