"""A whole table of features against the truth: one test for each, adjusted together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from analysis.contingency import chi_square, cross_table, fisher
from analysis.errors import CannotAnalyse
from analysis.feature_tests import mann_whitney, welch_t
from analysis.interval import Refusal
from analysis.multiplicity import Adjustment, adjusted
from analysis.ratings import Bools, Floats, check_columns

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["categorical", "ordinal", "normal"]
Test = Literal["fisher", "chi-square", "mann-whitney", "welch-t"]
# What is tested by default; a declared test stands above it.
TESTS: dict[Kind, Test] = {"categorical": "fisher", "ordinal": "mann-whitney", "normal": "welch-t"}


@dataclass(frozen=True)
class Declared:
    """One feature as declared before the data were seen."""

    kind: Kind
    test: Test | None = None

    @property
    def chosen(self) -> Test:
        return self.test or TESTS[self.kind]


@dataclass(frozen=True)
class FeatureRow:
    """One feature: `estimate` is Cramér's V, the area under the ROC curve, or the difference of means.

    low, high: 95 % interval of the estimate, None for V; p_adjusted over all features of the table that were tested;
    positives, negatives: cases with a value; missing: cases without.
    """

    feature: str
    test: Test
    estimate: float
    low: float | None
    high: float | None
    p: float
    p_adjusted: float
    positives: int
    negatives: int
    missing: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class FeatureTable:
    """Rows in the order declared; `refused` names the features that could not be tested, with the reason."""

    rows: tuple[FeatureRow, ...]
    refused: tuple[tuple[str, Refusal], ...]
    adjustment: Adjustment
    warnings: tuple[str, ...] = ()


def feature_table(
    frame: "pd.DataFrame",
    features: Mapping[str, Declared | Kind],
    truth: str = "truth",
    adjustment: Adjustment = "holm",
) -> FeatureTable:
    """Which features differ between diseased and non-diseased cases?

    frame: one row per case with `truth` (0/1) and the features; features: their kinds, in the order of the answer.
    categorical: Fisher's exact test (or chi-square without correction) and Cramér's V; ordinal: Mann and Whitney's
    test with correction and the area under the curve; normal: Welch's test and the difference of means (diseased minus
    others). Cases without a value are left out of that feature alone. p_adjusted: `multiplicity.adjusted` over all
    that were tested. Refused: no rows, an unknown column, kind or test, truth that is not 0/1 or of one class. A
    feature that cannot be tested (no variation, a class without values, text where numbers are needed) is listed.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"truth": [0, 0, 0, 1, 1, 1], "age": [41, 50, 44, 52, 63, 71], "sex": list("fmffmm")})
    >>> table = feature_table(frame, {"age": "ordinal", "sex": "categorical"})
    >>> [(row.feature, round(row.estimate, 4), round(row.p_adjusted, 4)) for row in table.rows]
    [('age', 1.0, 0.1617), ('sex', 0.3333, 1.0)]
    """
    check_columns(frame, [truth, *features])
    if len(frame) == 0 or not features:
        raise CannotAnalyse("A table of features needs cases and features.")
    diseased = truth_of(frame, truth)
    rows: list[FeatureRow] = []
    refused: list[tuple[str, Refusal]] = []
    for name, given in features.items():
        declared = given if isinstance(given, Declared) else Declared(given)
        check_declared(name, declared)
        try:
            rows.append(feature_row(frame, name, declared.chosen, diseased))
        except CannotAnalyse as reason:
            refused.append((name, Refusal(str(reason))))
    values = adjusted([row.p for row in rows], adjustment)
    rows = [replace(row, p_adjusted=p) for row, p in zip(rows, values, strict=True)]
    told = tuple(f"{name} is not tested: {reason.sentence}" for name, reason in refused)
    return FeatureTable(tuple(rows), tuple(refused), adjustment, told)


def check_declared(name: str, declared: Declared) -> None:
    for word, value, known in (("a kind", declared.kind, get_args(Kind)), ("a test", declared.test, get_args(Test))):
        if value not in known and not (word == "a test" and value is None):
            raise CannotAnalyse(f"Feature {name} has {word} {value}; known are {', '.join(known)}.")


def truth_of(frame: "pd.DataFrame", truth: str) -> Bools:
    """The truth of every case; refused where it is not 0/1 or of one class."""
    column = frame[truth]
    if bool(column.isna().any()) or not bool(column.isin([0, 1]).all()):
        raise CannotAnalyse(f"The column {truth} must be 0 or 1 in every row.")
    diseased = column.to_numpy() == 1
    if diseased.all() or not diseased.any():
        raise CannotAnalyse("Features are compared between diseased and non-diseased cases; there is only one class.")
    return np.asarray(diseased)


def feature_row(frame: "pd.DataFrame", name: str, test: Test, diseased: Bools) -> FeatureRow:
    """The test of one feature, its p value not adjusted yet."""
    known = frame[name].notna().to_numpy()
    truth = diseased[known]
    counts = (int(truth.sum()), int((~truth).sum()), int((~known).sum()))
    column = frame[name][known]
    if test in ("fisher", "chi-square"):
        return category_row(name, test, column.astype(str).tolist(), truth, counts)
    values = as_numbers(column, name)
    first, second = values[~truth], values[truth]
    if test == "mann-whitney":
        ranks = mann_whitney(first, second)
        if np.ptp(values) == 0:
            raise CannotAnalyse("All cases have the same value.")
        area = ranks.confidence_interval() if ranks.area is not None else None
        low, high = (None, None) if area is None else (area.low, area.high)
        return FeatureRow(name, test, ranks.estimate, low, high, ranks.p, ranks.p, *counts, ranks.warnings)
    means = welch_t(first, second)
    interval = means.confidence_interval()
    return FeatureRow(name, test, means.estimate, interval.low, interval.high, means.p, means.p, *counts)


def category_row(name: str, test: Test, values: list[str], truth: Bools, counts: tuple[int, int, int]) -> FeatureRow:
    if 0 in counts[:2]:
        raise CannotAnalyse("A class has no value of this feature.")
    table, _, _ = cross_table(values, truth.tolist())
    pearson = chi_square(table)
    if test == "chi-square":
        return FeatureRow(name, test, pearson.estimate, None, None, pearson.p, pearson.p, *counts, pearson.warnings)
    exact = fisher(table)
    told = exact.warnings if exact.seed is not None else ()
    return FeatureRow(name, test, pearson.estimate, None, None, exact.p, exact.p, *counts, told)


def as_numbers(column: "pd.Series", name: str) -> Floats:
    """The values as numbers; refused with the name of the feature where one is text."""
    import pandas as pd

    found = pd.to_numeric(column, errors="coerce")
    if bool(found.isna().any()):
        raise CannotAnalyse(f"Feature {name} holds text, and this test needs numbers.")
    return found.to_numpy(float)
