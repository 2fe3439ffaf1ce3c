"""One reader, or the model, in one arm and between arms: everything a study page shows, each result or a refusal."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from analysis.delong import delong_auc, delong_test
from analysis.errors import CannotAnalyse
from analysis.interval import Refusal
from analysis.multiplicity import adjusted
from analysis.paired import PairedTable, mcnemar, paired_table
from analysis.plan import Plan
from analysis.proportions import (
    ConfusionTable,
    Proportion,
    accuracy,
    confusion_table,
    negative_predictive_value,
    positive_predictive_value,
    sensitivity,
    specificity,
)
from analysis.proportions import (
    Method as ProportionMethod,
)
from analysis.ratings import Bools, Floats, Ratings
from analysis.roc import RocCurve, roc_curve
from analysis.rows import DifferenceRow, EstimateRow, auc_difference_row, estimate_row, mcnemar_row

Result = TypeVar("Result")
NO_RATINGS = Refusal("There are no ratings, so there is no ROC curve and no AUC.")
NO_DECISIONS = Refusal("There are no decisions, so there is no confusion table.")
NO_SECONDS = Refusal("There are no reading times.")


@dataclass(frozen=True)
class Decisions:
    """Binary decisions against the truth."""

    confusion: ConfusionTable | Refusal
    sensitivity: EstimateRow | Refusal
    specificity: EstimateRow | Refusal
    positive_predictive_value: EstimateRow | Refusal
    negative_predictive_value: EstimateRow | Refusal
    accuracy: EstimateRow | Refusal


@dataclass(frozen=True)
class Discrimination:
    """Ratings against the truth."""

    roc: RocCurve | Refusal
    auc: EstimateRow | Refusal


@dataclass(frozen=True)
class ReadingTime:
    """Seconds per case; a description, not a test."""

    n: int
    mean: float
    median: float
    geometric_mean: float | None


@dataclass(frozen=True)
class PairedComparison:
    """McNemar in one group of cases: the table and the test."""

    table: PairedTable
    test: DifferenceRow


@dataclass(frozen=True)
class DecisionComparison:
    """Share called diseased among the diseased, share left alone among the others, share decided rightly."""

    sensitivity: PairedComparison | Refusal
    specificity: PairedComparison | Refusal
    accuracy: PairedComparison | Refusal


def attempt(compute: Callable[[], Result]) -> Result | Refusal:
    """The result, or the sentence why there is none."""
    try:
        return compute()
    except CannotAnalyse as refusal:
        return Refusal(str(refusal))


def decisions_of(truth: Bools, decision: Floats, plan: Plan) -> Decisions:
    """What do the decisions of one reader in one arm, or of the model, say?

    truth, decision: (n,) without NaN. Every proportion that does not exist is a refusal of its own.
    """
    if len(decision) == 0:
        return Decisions(*([NO_DECISIONS] * 6))
    table = confusion_table(truth, decision)

    def share(of: Callable[[ConfusionTable, ProportionMethod], Proportion]) -> EstimateRow | Refusal:
        def compute() -> EstimateRow:
            found = of(table, plan.proportion_interval)
            return estimate_row(found, found.n, plan.level)

        return attempt(compute)

    return Decisions(
        table,
        share(sensitivity),
        share(specificity),
        share(positive_predictive_value),
        share(negative_predictive_value),
        share(accuracy),
    )


def discrimination_of(truth: Bools, rating: Floats, plan: Plan) -> Discrimination:
    """How well do the ratings of one reader in one arm, or of the model, separate the classes?

    truth, rating: (n,) without NaN.
    """
    if len(rating) == 0:
        return Discrimination(NO_RATINGS, NO_RATINGS)

    def area() -> EstimateRow:
        found = delong_auc(truth, rating, plan.auc_interval)
        return estimate_row(found, len(rating), plan.level, found.warnings)

    return Discrimination(attempt(lambda: roc_curve(truth, rating)), attempt(area))


def reading_time_of(seconds: Floats) -> ReadingTime | Refusal:
    """How long did a reader take per case in one arm?

    seconds: (n,), NaN left out. The geometric mean is None where a time is zero or less.
    """
    known = seconds[~np.isnan(seconds)]
    if known.size == 0:
        return NO_SECONDS
    geometric = float(np.exp(np.log(known).mean())) if bool((known > 0).all()) else None
    return ReadingTime(int(known.size), float(known.mean()), float(np.median(known)), geometric)


def compare_ratings(
    truth: Bools, values: tuple[Floats, Floats], names: tuple[str, str], reader: str | None, plan: Plan
) -> DifferenceRow | Refusal:
    """DeLong's test of the second against the first rating of the same cases."""
    if len(truth) == 0:
        return Refusal(f"No case was rated in both {names[0]} and {names[1]}.")
    return attempt(lambda: auc_difference_row(delong_test(truth, *values), *names, reader, plan.level))


def compare_decisions(
    truth: Bools, values: tuple[Floats, Floats], names: tuple[str, str], reader: str | None, plan: Plan
) -> DecisionComparison:
    """McNemar's test of the second against the first decisions, by truth and overall."""

    def test(chosen: Bools, right: tuple[Floats, Floats], of: str) -> PairedComparison | Refusal:
        if not chosen.any():
            return Refusal(f"No {of} case was decided in both {names[0]} and {names[1]}.")

        def compute() -> PairedComparison:
            table = paired_table(right[0][chosen], right[1][chosen])
            found = mcnemar(table, plan.mcnemar)
            interval = found.confidence_interval(plan.level, plan.difference_interval)
            return PairedComparison(table, mcnemar_row(found, *names, reader, interval))

        return attempt(compute)

    one, two = values
    right = (np.where(truth, one, 1 - one), np.where(truth, two, 1 - two))
    everywhere = np.ones(len(truth), dtype=bool)
    return DecisionComparison(
        test(truth, right, "diseased"), test(~truth, right, "non-diseased"), test(everywhere, right, "single")
    )


def pair_of(values: Ratings | None, reader: str, first: str, second: str) -> tuple[Bools, Floats, Floats]:
    """Both values of the cases that a reader has in both arms; empty where there are none."""
    if values is None:
        return np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0)
    return values.pair(reader, first, second)


def cell_of(values: Ratings | None, reader: str, arm: str) -> tuple[Bools, Floats]:
    """Values of a reader in an arm; empty where there are none."""
    if values is None:
        return np.zeros(0, dtype=bool), np.zeros(0)
    return values.cell(reader, arm)


def adjusted_family(
    delong: list[DifferenceRow | Refusal], decisions: list[DecisionComparison], plan: Plan
) -> list[tuple[DifferenceRow | Refusal, DecisionComparison]]:
    """The tests of all readers with p values adjusted over them, one family per test."""
    families = {
        name: adjust_paired([getattr(item, name) for item in decisions], plan)
        for name in ("sensitivity", "specificity", "accuracy")
    }
    compared = [DecisionComparison(*rows) for rows in zip(*families.values(), strict=True)]
    return list(zip(adjust(delong, plan), compared, strict=True))


def adjust(family: list[DifferenceRow | Refusal], plan: Plan) -> list[DifferenceRow | Refusal]:
    tests = [item for item in family if isinstance(item, DifferenceRow)]
    values = iter(adjusted([item.p for item in tests], plan.multiplicity))
    return [replace(item, p_adjusted=next(values)) if isinstance(item, DifferenceRow) else item for item in family]


def adjust_paired(family: list[PairedComparison | Refusal], plan: Plan) -> list[PairedComparison | Refusal]:
    tests = adjust([item.test if isinstance(item, PairedComparison) else item for item in family], plan)
    return [
        PairedComparison(item.table, test)
        if isinstance(item, PairedComparison) and isinstance(test, DifferenceRow)
        else item
        for item, test in zip(family, tests, strict=True)
    ]
