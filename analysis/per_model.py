"""The model alone, against each reader, and the readers as points on its ROC plane."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.interval import Refusal
from analysis.per_reader import (
    DecisionComparison,
    Decisions,
    Discrimination,
    adjusted_family,
    compare_decisions,
    compare_ratings,
    decisions_of,
    discrimination_of,
)
from analysis.plan import Plan
from analysis.ratings import Bools, Floats, Ratings, check_columns, codes, numbers, rows_of
from analysis.rows import DifferenceRow

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class AgainstReader:
    """Model minus one reader in one arm, on the cases both judged."""

    reader: str
    arm: str
    delong: DifferenceRow | Refusal
    mcnemar: DecisionComparison


@dataclass(frozen=True)
class ReaderPoint:
    """Where a reader's decisions lie on the ROC plane; only readers who decided cases of both classes."""

    reader: str
    arm: str
    fpr: float
    tpr: float


@dataclass(frozen=True)
class ModelResults:
    """The model on the cases of the study."""

    cases: int
    decisions: Decisions
    discrimination: Discrimination
    against_readers: tuple[AgainstReader, ...]
    points: tuple[ReaderPoint, ...]
    warnings: tuple[str, ...]


def analyse_model(
    model: "pd.DataFrame | None",
    cases: Ratings,
    ratings: Ratings | None,
    decisions: Ratings | None,
    arms: tuple[str, ...],
    plan: Plan,
) -> ModelResults | Refusal:
    """How does the model do alone and against each reader?

    model: one row per case with case and, each optional and possibly NaN, score and decision (0/1).
    cases: names and truth of the cases; ratings, decisions: of the readers, or None. Model minus reader everywhere.
    Refused as a whole (CannotAnalyse): no column case, two rows for a case, a decision that is not 0/1.
    """
    if model is None:
        return Refusal("The study has no model predictions.")
    score, decision, warnings = align(model, cases)
    known_score, known_decision = ~np.isnan(score), ~np.isnan(decision)
    if not known_score.any() and not known_decision.any():
        return Refusal("No case of the study has a model prediction.")
    comparisons = tuple(
        AgainstReader(
            reader,
            arm,
            rate_against(cases.truth, ratings, score, reader, arm, plan),
            decide_against(cases.truth, decisions, decision, reader, arm, plan),
        )
        for reader in cases.readers
        for arm in arms
    )
    comparisons = with_adjusted_p(comparisons, arms, plan)
    return ModelResults(
        int((known_score | known_decision).sum()),
        decisions_of(cases.truth[known_decision], decision[known_decision], plan),
        discrimination_of(cases.truth[known_score], score[known_score], plan),
        comparisons,
        reader_points(decisions, arms),
        warnings,
    )


def with_adjusted_p(
    comparisons: tuple[AgainstReader, ...], arms: tuple[str, ...], plan: Plan
) -> tuple[AgainstReader, ...]:
    """The same results with p values adjusted over readers, one family per test and arm."""
    found = {}
    for arm in arms:
        items = [item for item in comparisons if item.arm == arm]
        family = adjusted_family([item.delong for item in items], [item.mcnemar for item in items], plan)
        for item, (delong, mcnemar) in zip(items, family, strict=True):
            found[item.reader, arm] = replace(item, delong=delong, mcnemar=mcnemar)
    return tuple(found[item.reader, item.arm] for item in comparisons)


def align(model: "pd.DataFrame", cases: Ratings) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Score and decision in the order of the study's cases, NaN where the model has none."""
    check_columns(model, ("case",))
    if len(model) == 0:
        empty = np.full(len(cases.cases), np.nan)
        return empty, empty.copy(), ()
    places, names = codes(model, "case")
    counts = np.bincount(places)
    if (counts > 1).any():
        twice = counts[places] > 1
        raise CannotAnalyse(
            f"The model has more than one prediction for case {names[int(counts.argmax())]} ({rows_of(twice)})."
        )
    position = {name: index for index, name in enumerate(cases.cases)}
    target = np.array([position.get(names[place], -1) for place in places])
    found = []
    for column in ("score", "decision"):
        values = np.full(len(cases.cases), np.nan)
        if column in model.columns:
            values[target[target >= 0]] = numbers(model, column)[target >= 0]
        found.append(values)
    score, decision = found
    if not bool((np.isnan(decision) | np.isin(decision, (0.0, 1.0))).all()):
        raise CannotAnalyse("A decision of the model must be 0 or 1; at least one is neither.")
    warnings = []
    absent = len(cases.cases) - len(set(target[target >= 0].tolist()))
    if absent:
        warnings.append(f"{absent} cases of the study have no model prediction and are left out of its results.")
    return score, decision, tuple(warnings)


def row_of(values: Ratings, reader: str, arm: str) -> Floats:
    return np.asarray(values.values[values.readers.index(reader), values.arms.index(arm)])


def shared(truth: Bools, theirs: Floats, model: Floats) -> tuple[Bools, tuple[Floats, Floats]]:
    both = ~(np.isnan(theirs) | np.isnan(model))
    return truth[both], (theirs[both], model[both])


def rate_against(
    truth: Bools, ratings: Ratings | None, score: Floats, reader: str, arm: str, plan: Plan
) -> DifferenceRow | Refusal:
    if ratings is None:
        return Refusal("There are no ratings of the readers to compare the model with.")
    kept, values = shared(truth, row_of(ratings, reader, arm), score)
    return compare_ratings(kept, values, (f"{reader}, {arm}", "model"), reader, plan)


def decide_against(
    truth: Bools, decisions: Ratings | None, decision: Floats, reader: str, arm: str, plan: Plan
) -> DecisionComparison:
    if decisions is None:
        missing = Refusal("There are no decisions of the readers to compare the model with.")
        return DecisionComparison(missing, missing, missing)
    kept, values = shared(truth, row_of(decisions, reader, arm), decision)
    return compare_decisions(kept, values, (f"{reader}, {arm}", "model"), reader, plan)


def reader_points(decisions: Ratings | None, arms: tuple[str, ...]) -> tuple[ReaderPoint, ...]:
    """Sensitivity and 1 - specificity of each reader in each arm."""
    if decisions is None:
        return ()
    points = []
    for reader in decisions.readers:
        for arm in arms:
            truth, decision = decisions.cell(reader, arm)
            if truth.any() and not truth.all():
                points.append(ReaderPoint(reader, arm, float(decision[~truth].mean()), float(decision[truth].mean())))
    return tuple(points)
