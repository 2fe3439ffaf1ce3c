"""What the commands on two arms share: the units that a reader judged in both, their clusters, and a margin."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analysis.commands.rows import LEVEL
from analysis.errors import CannotAnalyse
from analysis.margins import MarginTest
from analysis.ratings import Bools, Floats, Ratings, check_columns, codes
from analysis.rows import DifferenceRow
from analysis.tables import Names, rated

if TYPE_CHECKING:
    import pandas as pd

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Units:
    """What one reader gave in both arms: truth, values, and the cluster of every unit (None: no clusters)."""

    truth: Bools
    first: Floats
    second: Floats
    clusters: Ints | None

    def kept(self, chosen: Bools) -> "Units":
        clusters = None if self.clusters is None else self.clusters[chosen]
        return Units(self.truth[chosen], self.first[chosen], self.second[chosen], clusters)


@dataclass(frozen=True, eq=False)
class Table:
    """The ratings with the cluster of every case."""

    ratings: Ratings
    clusters: Ints | None
    warnings: tuple[str, ...] = ()

    def units(self, reader: str, arms: tuple[str, str]) -> Units:
        row = self.ratings.values[self.ratings.readers.index(reader)]
        one, two = (row[self.ratings.arms.index(arm)] for arm in arms)
        every = Units(self.ratings.truth, one, two, self.clusters)
        return every.kept(~(np.isnan(one) | np.isnan(two)))


def paired_units(frame: "pd.DataFrame", names: Names, value: str, arms: tuple[str, str], cluster: str | None) -> Table:
    """The readings of two arms; cases whose labels repeat between clusters are told apart by their cluster."""
    if cluster is None:
        return Table(rated(frame, names, value, arms), None)
    check_columns(frame, (names.case, cluster))
    cluster_codes, clusters = codes(frame, cluster)
    case_codes, cases = codes(frame, names.case)
    warnings: tuple[str, ...] = ()
    if (cluster_of(case_codes, cluster_codes, len(cases))[case_codes] != cluster_codes).any():
        labels = [f"{clusters[one]}, {cases[two]}" for one, two in zip(cluster_codes, case_codes, strict=True)]
        frame = frame.assign(**{names.case: labels})
        case_codes, cases = codes(frame, names.case)
        warnings = (f"Labels of {names.case} repeat between values of {cluster} and are told apart by them.",)
    ratings = rated(frame, names, value, arms)
    places = dict(zip(cases, cluster_of(case_codes, cluster_codes, len(cases)).tolist(), strict=True))
    return Table(ratings, np.array([places[case] for case in ratings.cases], dtype=np.int64), warnings)


def cluster_of(case_codes: Ints, cluster_codes: Ints, cases: int) -> Ints:
    """The cluster of a row of every case."""
    found = np.zeros(cases, dtype=np.int64)
    found[case_codes] = cluster_codes
    return found


def against_margin(row: DifferenceRow, test: Callable[[], MarginTest]) -> DifferenceRow:
    """The row with statistic and one-sided p of H0: difference <= -margin, its interval, and the verdict in words."""
    try:
        found = test()
    except CannotAnalyse as refusal:
        if row.se > 0:
            raise
        # Identical arms are an answer, not an error, but no evidence either.
        return replace(row, statistic=None, p=1.0, warnings=(*row.warnings, f"{refusal} The p value is set to 1."))
    limits = found.confidence_interval(LEVEL)
    return replace(
        row,
        statistic=found.statistic if math.isfinite(found.statistic) else None,
        p=found.p,
        low=limits.low,
        high=limits.high,
        warnings=(*row.warnings, sentence(found, row)),
    )


def sentence(found: MarginTest, row: DifferenceRow) -> str:
    """What the test says of the second arm against the first."""
    margin, low = f"a margin of {found.margin:g}", found.confidence_interval(LEVEL).low
    numbers = f"one-sided p = {found.p:.4g} against {(1 - LEVEL) / 2:g}, lower limit {low:.4g}"
    verdict = found.verdict(LEVEL)
    if verdict == "not shown":
        return f"{row.second} is not shown to be non-inferior to {row.first} within {margin} ({numbers})."
    after = f"one-sided p = {found.p_superiority:.4g}"
    end = f"and also superior ({after})" if verdict == "superior" else f"but not shown to be superior ({after})"
    return f"{row.second} is non-inferior to {row.first} within {margin} ({numbers}), {end}."


def with_margin(method: str, arms: tuple[str, str], margin: float | None) -> str:
    """The method's name, saying what the p values are of."""
    if margin is None:
        return method
    return f"{method}; non-inferiority of {arms[1]} against {arms[0]} with margin {margin:g}, one-sided p values"
