"""A whole study at once: from the tidy frame of a locked data set to everything the plan asks for.

This is the door for programs that hold a data set: `analyse_study(frame, model, plan).to_dict()`.
"""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.covariance import Figure
from analysis.designs import Design, study_design
from analysis.errors import CannotAnalyse
from analysis.interval import Refusal
from analysis.mrmc import Components, Mrmc, Overall, obuchowski_rockette
from analysis.per_model import ModelResults, analyse_model
from analysis.per_reader import (
    DecisionComparison,
    Decisions,
    Discrimination,
    ReadingTime,
    adjusted_family,
    attempt,
    cell_of,
    compare_decisions,
    compare_ratings,
    decisions_of,
    discrimination_of,
    pair_of,
    reading_time_of,
)
from analysis.plan import Plan, PlannedTest, valid_tests
from analysis.ratings import Columns, Ratings, check_columns, numbers, rows_of, table_to_ratings
from analysis.rows import ArmRow, DifferenceRow, arm_difference_row, arm_row, plain
from analysis.versions import versions

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("reader", "arm", "case", "truth")


@dataclass(frozen=True)
class ArmResults:
    """One reader in one arm."""

    arm: str
    cases: int
    decisions: Decisions
    discrimination: Discrimination
    seconds: ReadingTime | Refusal


@dataclass(frozen=True)
class Comparison:
    """One reader between two arms, second minus first."""

    first: str
    second: str
    delong: DifferenceRow | Refusal
    mcnemar: DecisionComparison


@dataclass(frozen=True)
class ReaderResults:
    """One reader in all arms of the plan."""

    reader: str
    seniority: str
    arms: tuple[ArmResults, ...]
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True)
class MrmcResults:
    """Obuchowski-Rockette for one figure of merit."""

    figure: str
    covariance: str
    readers: tuple[str, ...]
    arms: tuple[ArmRow, ...]
    differences: tuple[DifferenceRow, ...]
    overall: Overall | None
    components: Components | None
    warnings: tuple[str, ...]
    seed: int | None = None


@dataclass(frozen=True)
class ReaderGroup:
    """Many-reader results of all readers or of one seniority."""

    name: str
    readers: tuple[str, ...]
    auc: MrmcResults | Refusal
    sensitivity: MrmcResults | Refusal
    specificity: MrmcResults | Refusal


@dataclass(frozen=True)
class StudyResults:
    """Everything; each cell is a result or a refusal with its sentence."""

    level: float
    arms: tuple[str, ...]
    design: Design
    planned: tuple[PlannedTest, ...]
    readers: tuple[ReaderResults, ...]
    study: ReaderGroup
    seniority: tuple[ReaderGroup, ...]
    model: ModelResults | Refusal
    warnings: tuple[str, ...]
    plan: Plan
    versions: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready plain data in full precision; a refusal is {"refused": sentence}, nothing is NaN."""
        answer: dict[str, Any] = plain(self)
        return answer


@dataclass(frozen=True, eq=False)
class Data:
    """The arrays of a study; None where the frame has no value of that kind. All share readers and arms."""

    ratings: Ratings | None
    decisions: Ratings | None
    seconds: Ratings | None
    readers: tuple[str, ...]
    seniority: dict[str, str]
    any_values: Ratings


def analyse_study(frame: "pd.DataFrame", model: "pd.DataFrame | None", plan: Plan) -> StudyResults:
    """What did the study find?

    frame: one row per reading with reader, arm, case, truth (0/1) and, each optional and possibly NaN, seniority,
    rating, decision (0/1), seconds; rows of arms that the plan does not name are left out with a warning.
    model: one row per case with case and, each optional, score and decision (0/1); None without a model.
    Refused as a whole (CannotAnalyse): a frame without the needed columns or rows, contradictory truth, duplicate
    readings, no row of any arm of the plan. Everything else is answered cell by cell.
    """
    check_columns(frame, NEEDED)
    warnings: list[str] = []
    frame = rows_of_plan(frame, plan, warnings)
    data = read_data(frame)
    arms = tuple(arm for arm in plan.arms if arm in data.any_values.arms)
    warnings += [f"Nobody read in arm {arm}." for arm in plan.arms if arm not in arms]
    design = study_design(data.any_values.restricted(arms=arms))
    readers = with_adjusted_p(tuple(reader_results(data, reader, arms, plan) for reader in data.readers), plan)
    against = analyse_model(model, data.any_values, data.ratings, data.decisions, arms, plan)
    groups = sorted({data.seniority[reader] for reader in data.readers} - {""})
    return StudyResults(
        level=plan.level,
        arms=arms,
        design=design,
        planned=valid_tests(plan, design, against.sentence if isinstance(against, Refusal) else None),
        readers=readers,
        study=reader_group("all readers", data.readers, data, arms, plan),
        seniority=tuple(
            reader_group(name, tuple(r for r in data.readers if data.seniority[r] == name), data, arms, plan)
            for name in groups
        ),
        model=against,
        warnings=tuple(warnings),
        plan=plan,
        versions=versions(),
    )


def rows_of_plan(frame: "pd.DataFrame", plan: Plan, warnings: list[str]) -> "pd.DataFrame":
    """Rows of the arms that the plan names."""
    named = frame["arm"].astype(str).isin(plan.arms).to_numpy()
    if not named.any():
        raise CannotAnalyse(f"No row of the table is of an arm of the plan ({', '.join(plan.arms)}).")
    if not named.all():
        others = ", ".join(sorted({str(arm) for arm in frame.loc[~named, "arm"]}))
        warnings.append(f"{int((~named).sum())} rows of arms that the plan does not name were left out: {others}.")
    return frame.loc[named]


def read_data(frame: "pd.DataFrame") -> Data:
    """All values of the frame as arrays with the same readers, arms and cases."""
    arrays = {name: values_of(frame, name) for name in ("rating", "decision", "seconds")}
    decisions = arrays["decision"]
    if decisions is not None:
        bad = ~np.isin(numbers(frame, "decision"), (0.0, 1.0)) & frame["decision"].notna().to_numpy()
        if bad.any():
            raise CannotAnalyse(f"The column decision must be 0 or 1; it is not in {rows_of(bad)}.")
    known = [values for values in (arrays["rating"], decisions) if values is not None]
    if not known:
        raise CannotAnalyse("The table holds neither ratings nor decisions.")
    filled = (
        known[0].values if len(known) == 1 else np.where(np.isnan(known[0].values), known[1].values, known[0].values)
    )
    any_values = dataclasses.replace(known[0], values=filled)
    return Data(arrays["rating"], decisions, arrays["seconds"], any_values.readers, seniority_of(frame), any_values)


def values_of(frame: "pd.DataFrame", column: str) -> Ratings | None:
    if column not in frame.columns or bool(frame[column].isna().all()):
        return None
    return table_to_ratings(frame, Columns(value=column))


def seniority_of(frame: "pd.DataFrame") -> dict[str, str]:
    """Seniority of each reader, empty where unknown; a reader of two seniorities is refused."""
    answer = {str(reader): "" for reader in frame["reader"].unique()}
    if "seniority" not in frame.columns:
        return answer
    pairs = frame[["reader", "seniority"]].dropna().drop_duplicates()
    for reader, seniority in zip(pairs["reader"], pairs["seniority"], strict=True):
        if answer[str(reader)] not in ("", str(seniority)):
            raise CannotAnalyse(f"Reader {reader} has two seniorities: {answer[str(reader)]} and {seniority}.")
        answer[str(reader)] = str(seniority)
    return answer


def reader_results(data: Data, reader: str, arms: tuple[str, ...], plan: Plan) -> ReaderResults:
    """One reader in all arms and between them."""
    found = []
    for arm in arms:
        read = data.any_values.cell(reader, arm)[0]
        found.append(
            ArmResults(
                arm,
                len(read),
                decisions_of(*cell_of(data.decisions, reader, arm), plan),
                discrimination_of(*cell_of(data.ratings, reader, arm), plan),
                reading_time_of(cell_of(data.seconds, reader, arm)[1]),
            )
        )
    comparisons = []
    for first, second in plan.comparisons:
        if first in arms and second in arms:
            comparisons.append(compare_arms_of(data, reader, (first, second), plan))
    return ReaderResults(reader, data.seniority[reader], tuple(found), tuple(comparisons))


def compare_arms_of(data: Data, reader: str, names: tuple[str, str], plan: Plan) -> Comparison:
    truth, one, two = pair_of(data.ratings, reader, *names)
    delong = compare_ratings(truth, (one, two), names, reader, plan)
    truth, one, two = pair_of(data.decisions, reader, *names)
    return Comparison(*names, delong, compare_decisions(truth, (one, two), names, reader, plan))


def with_adjusted_p(readers: tuple[ReaderResults, ...], plan: Plan) -> tuple[ReaderResults, ...]:
    """The same results with p values adjusted over readers, one family per test and pair of arms."""
    if not readers:
        return readers
    table = [list(reader.comparisons) for reader in readers]
    for pair in range(len(table[0])):
        column = [row[pair] for row in table]
        family = adjusted_family([item.delong for item in column], [item.mcnemar for item in column], plan)
        for row, (delong, mcnemar) in zip(table, family, strict=True):
            row[pair] = dataclasses.replace(row[pair], delong=delong, mcnemar=mcnemar)
    return tuple(
        dataclasses.replace(reader, comparisons=tuple(row)) for reader, row in zip(readers, table, strict=True)
    )


def reader_group(name: str, readers: tuple[str, ...], data: Data, arms: tuple[str, ...], plan: Plan) -> ReaderGroup:
    """Many-reader results of some readers."""

    def analyse(values: Ratings | None, figure: Figure, kind: str) -> MrmcResults | Refusal:
        if values is None:
            return Refusal(f"There are no {kind}, so there is no {figure.upper() if figure == 'auc' else figure}.")
        return attempt(lambda: mrmc_results(values.restricted(readers, arms), figure, plan))

    return ReaderGroup(
        name,
        readers,
        analyse(data.ratings, "auc", "ratings"),
        analyse(data.decisions, "sensitivity", "decisions"),
        analyse(data.decisions, "specificity", "decisions"),
    )


def mrmc_results(values: Ratings, figure: Figure, plan: Plan) -> MrmcResults:
    if len(values.readers) < 2:
        raise CannotAnalyse(f"There is only one reader ({values.readers[0]}), so nothing can be said about readers.")
    found: Mrmc = obuchowski_rockette(values, figure, plan.covariance, plan.readers, plan.cases)
    rows = (*found.differences, *found.reader_differences)
    return MrmcResults(
        figure,
        plan.covariance,
        found.readers,
        tuple(arm_row(mean, plan.level) for mean in found.arms),
        tuple(arm_difference_row(row, plan.level) for row in rows),
        found.overall,
        found.components,
        found.warnings,
        found.seed,
    )
