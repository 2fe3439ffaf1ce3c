"""From the rows of a table to what is analysed: the declared exclusions and the missing-data rule, all counted."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.plans.declared import Exclusion, StudyPlan
from analysis.plans.tables import Tables
from analysis.ratings import Bools, Columns, check_columns, natural, numbers, table_to_ratings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Step:
    """One step of the flow: why something was left out, and how much."""

    reason: str
    readings: int
    cases: int
    readers: int


@dataclass(frozen=True)
class Flow:
    """From the rows of the table to what was analysed; `scores` counts predictions of models that were left out."""

    readings: int
    cases: int
    readers: int
    patients: int | None
    steps: tuple[Step, ...]
    readings_analysed: int
    cases_analysed: int
    readers_analysed: int
    patients_analysed: int | None
    positives: int
    negatives: int
    scores_left_out: int = 0


def prepared(tables: Tables, plan: StudyPlan) -> tuple[Tables, Flow]:
    """What remains after the declared choice of arms and readers, the exclusions and the missing-data rule."""
    base = tables.readings if tables.readings is not None else tables.scores
    if base is None:
        raise CannotAnalyse("The plan has neither readings nor scores.")
    start = base
    steps: list[Step] = []
    if tables.readings is not None:
        base = chosen(base, plan, steps)
    scores = tables.scores
    left_out: set[str] = set()
    for rule in plan.exclusions:
        base, cases = excluded(base, rule, steps)
        left_out |= cases
    if tables.readings is not None and plan.missing.rule != "as read" and len(base):
        check_readings(base)
    if tables.readings is not None and plan.missing.rule == "complete cases":
        base, cases = complete(base, plan, steps)
        left_out |= cases
    if len(base) == 0:
        raise CannotAnalyse("After the exclusions of the plan no row is left.")
    if tables.readings is not None and plan.missing.rule == "worst case":
        base = filled_in(base, plan, steps)
    before = 0 if scores is None else len(scores)
    if tables.readings is None:
        scores = base
    elif scores is not None:
        scores = scores[~scores["case"].astype(str).isin(left_out)]
    found = replace(
        tables, readings=base if tables.readings is not None else None, scores=scores,
        features=without(tables.features, left_out), marks=without(tables.marks, left_out),
        lesions=without(tables.lesions, left_out),
    )  # fmt: skip
    gone = before - (0 if scores is None else len(scores)) if tables.readings is not None else 0
    return found, flow_of(start, base, steps, gone)


def without(frame: "pd.DataFrame | None", cases: set[str]) -> "pd.DataFrame | None":
    return None if frame is None or "case" not in frame.columns else frame[~frame["case"].astype(str).isin(cases)]


def flow_of(start: "pd.DataFrame", end: "pd.DataFrame", steps: list[Step], gone: int) -> Flow:
    per_case = end.drop_duplicates("case")
    truth = numbers(per_case, "truth")
    return Flow(
        readings=len(start), cases=count(start, "case"), readers=count(start, "reader"),
        patients=count(start, "patient") if "patient" in start.columns else None, steps=tuple(steps),
        readings_analysed=len(end), cases_analysed=count(end, "case"), readers_analysed=count(end, "reader"),
        patients_analysed=count(end, "patient") if "patient" in end.columns else None,
        positives=int((truth == 1).sum()), negatives=int((truth == 0).sum()), scores_left_out=gone,
    )  # fmt: skip


def count(frame: "pd.DataFrame", column: str) -> int:
    return int(frame[column].astype(str).nunique()) if column in frame.columns else 0


def step_of(reason: str, before: "pd.DataFrame", after: "pd.DataFrame") -> Step:
    return Step(
        reason,
        len(before) - len(after),
        count(before, "case") - count(after, "case"),
        count(before, "reader") - count(after, "reader"),
    )


def chosen(frame: "pd.DataFrame", plan: StudyPlan, steps: list[Step]) -> "pd.DataFrame":
    """Rows of the arms and readers that the plan names."""
    for column, names, word in (("arm", plan.arms, "arms"), ("reader", plan.readers.names, "readers")):
        if not names:
            continue
        known = sorted(frame[column].astype(str).unique(), key=natural)
        absent = [name for name in names if name not in known]
        if absent:
            raise CannotAnalyse(f"The table has no {column} {absent[0]!r}; it has {', '.join(known)}.")
        kept = frame[frame[column].astype(str).isin(names)]
        if len(kept) < len(frame):
            others = ", ".join(name for name in known if name not in names)
            steps.append(step_of(f"of {word} that the plan does not name ({others})", frame, kept))
        frame = kept
    return frame


def excluded(frame: "pd.DataFrame", rule: Exclusion, steps: list[Step]) -> tuple["pd.DataFrame", set[str]]:
    """What one rule leaves, and the cases that are gone with it altogether."""
    check_columns(frame, (rule.column,))
    hit = hits(frame, rule)
    if rule.of != "readings":
        column = "case" if rule.of == "cases" else "reader"
        check_columns(frame, (column,))
        hit = frame[column].isin(frame.loc[hit, column].unique()).to_numpy(dtype=bool)
    kept = frame[~hit]
    steps.append(step_of(rule.reason, frame, kept))
    return kept, set(frame["case"].astype(str)) - set(kept["case"].astype(str))


def hits(frame: "pd.DataFrame", rule: Exclusion) -> Bools:
    """Rows to which the condition applies; a missing value meets no condition but `missing`."""
    column = frame[rule.column]
    absent = column.isna().to_numpy(dtype=bool)
    if rule.missing:
        return absent
    if rule.below is not None:
        return np.asarray(numbers(frame, rule.column) < rule.below)
    if rule.above is not None:
        return np.asarray(numbers(frame, rule.column) > rule.above)
    if rule.one_of:
        return np.asarray(column.astype(str).isin(rule.one_of).to_numpy(dtype=bool) & ~absent)
    wanted = rule.equals if rule.equals is not None else rule.differs
    same = numbers(frame, rule.column) == wanted if isinstance(wanted, int | float) else column.astype(str) == wanted
    same = np.asarray(same, dtype=bool)
    return np.asarray(same if rule.equals is not None else ~same & ~absent)


def check_readings(frame: "pd.DataFrame") -> None:
    """Refuse repeated readings and blank labels before readings are counted or filled in."""
    for name in value_columns(frame)[:1]:
        table_to_ratings(frame, Columns(value=name))


def value_columns(frame: "pd.DataFrame") -> list[str]:
    return [name for name in ("rating", "decision") if name in frame.columns and not frame[name].isna().all()]


def complete(frame: "pd.DataFrame", plan: StudyPlan, steps: list[Step]) -> tuple["pd.DataFrame", set[str]]:
    """Cases that every reader answered in every arm."""
    answered = frame.dropna(subset=value_columns(frame))
    cells = answered[["reader", "arm"]].drop_duplicates()
    counts = answered.groupby("case")["truth"].size()
    whole = set(counts.index[counts == len(cells)].astype(str))
    kept = frame[frame["case"].astype(str).isin(whole)]
    steps.append(step_of("cases that not every reader answered in every arm (complete cases)", frame, kept))
    return kept, set(frame["case"].astype(str)) - whole


def filled_in(frame: "pd.DataFrame", plan: StudyPlan, steps: list[Step]) -> "pd.DataFrame":
    """Missing readings counted as right in the first arm and as wrong in the later ones; in a single arm as wrong.

    Right is the highest rating of the table for a diseased case and the lowest for another one, wrong the reverse.
    """
    import pandas as pd

    columns = value_columns(frame)
    facts = [name for name in ("patient", *(item.column for item in plan.subgroups)) if name in frame.columns]
    per_case = frame.drop_duplicates("case")[list(dict.fromkeys(["case", "truth", *facts]))]
    who = ["reader"] + (["seniority"] if "seniority" in frame.columns else [])
    readers, arms = frame[who].drop_duplicates("reader"), pd.DataFrame({"arm": list(plan.arms)})
    grid = readers.merge(arms, how="cross").merge(per_case, how="cross")
    rest = [name for name in frame.columns if name not in grid.columns]
    whole = grid.merge(frame[["reader", "arm", "case", *rest]], on=["reader", "arm", "case"], how="left")
    absent = whole[columns].isna().any(axis=1).to_numpy()
    right = (whole["arm"] == plan.arms[0]).to_numpy() & (len(plan.arms) > 1)
    high = (whole["truth"].to_numpy() == 1) == right
    for column in columns:
        values = numbers(frame, column)
        low, top = (0.0, 1.0) if column == "decision" else (np.nanmin(values), np.nanmax(values))
        whole[column] = np.where(whole[column].isna(), np.where(high, top, low), whole[column])
    reason = "missing readings counted as right in the first arm and wrong in the others (worst case)"
    steps.append(Step(f"{int(absent.sum())} {reason}", 0, 0, 0))
    return whole
