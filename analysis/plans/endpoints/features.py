"""Imaging features between the classes, one test each, adjusted over all of them."""

from typing import TYPE_CHECKING

import numpy as np

from analysis.contingency import cross_table
from analysis.errors import CannotAnalyse
from analysis.feature_table import Declared, FeatureRow, feature_table
from analysis.plans.declared import Endpoint
from analysis.plans.material import Material
from analysis.plans.outcomes import Cell, Findings, Table
from analysis.ratings import Bools, check_columns

if TYPE_CHECKING:
    import pandas as pd

EXPECTED = 5.0


def compared_features(material: Material, endpoint: Endpoint) -> Findings:
    """Which features differ between diseased and other cases?

    Two values: chi-square, or Fisher's exact test where a cell is expected below 5; more: Mann and Whitney's test.
    """
    from pandas.api.types import is_numeric_dtype

    frame = material.tables.features
    if frame is None:
        raise CannotAnalyse("There is no table of features; name it in [features] file.")
    truth = truth_by_case(material)
    known = frame["case"].astype(str).isin(truth)
    frame = frame[known].assign(truth=[truth[case] for case in frame.loc[known, "case"].astype(str)])
    if len(frame) == 0:
        raise CannotAnalyse("No case of the table of features is among the cases of the study.")
    plan = material.plan.features
    names = plan.names or tuple(name for name in frame.columns if name not in ("case", "truth", "patient"))
    check_columns(frame, names)
    diseased = frame["truth"].to_numpy() == 1
    kinds = {name: kind_of(frame[name], diseased, is_numeric_dtype(frame[name])) for name in names}
    found = feature_table(frame, kinds, adjustment=plan.multiplicity)
    rows = tuple(row_of(row, frame[row.feature], diseased) for row in found.rows)
    columns = ("feature", "diseased", "not diseased", "test", "effect", "effect low", "effect high", "p", "p adjusted")
    alpha = round(1 - material.plan.level, 10)
    different = sum(row.p_adjusted <= alpha for row in found.rows)
    note = (
        f"{different} of {len(rows)} features differ at an adjusted p of {alpha:g} or less ({plan.multiplicity}). "
        "Counts with shares, or medians with quartiles. Effect: Cramér's V, or the area under the ROC curve."
    )
    refused = [f"{name}: {why.sentence}" for name, why in found.refused]
    return Findings(
        f"{len(rows)} features between the classes, p values adjusted over all of them ({plan.multiplicity})",
        tables=(Table("features", "Features by class", columns, rows, note),),
        warnings=(
            *refused,
            *found.warnings,
            *(f"{row.feature}: {text}" for row in found.rows for text in row.warnings),
        ),
    )


def truth_by_case(material: Material) -> dict[str, int]:
    if material.data is not None:
        values = material.data.any_values
        return {case: int(truth) for case, truth in zip(values.cases, values.truth, strict=True)}
    return {case: int(truth) for item in material.scores for case, truth in zip(item.cases, item.truth, strict=True)}


def kind_of(column: "pd.Series", diseased: Bools, numeric: bool) -> Declared:
    """The rule stated in `compared_features`."""
    known = column.notna().to_numpy()
    if column[known].nunique() > 2 and numeric:
        return Declared("ordinal")
    counts, _, _ = cross_table(column[known].astype(str).tolist(), diseased[known].tolist())
    table = np.asarray(counts, dtype=float)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    return Declared("categorical", "chi-square" if expected.min() >= EXPECTED else "fisher")


def row_of(row: FeatureRow, column: "pd.Series", diseased: Bools) -> tuple[Cell, ...]:
    top = max(column.dropna().unique())
    return (
        row.feature, described(column[diseased], row.test, top), described(column[~diseased], row.test, top), row.test,
        row.estimate, row.low, row.high, row.p, row.p_adjusted,
    )  # fmt: skip


def described(column: "pd.Series", test: str, top: object) -> str:
    """Count and share of the higher value, or median and quartiles."""
    known = column.dropna()
    if test in ("chi-square", "fisher"):
        return f"{int((known == top).sum())}/{len(known)} ({(known == top).mean():.0%})"
    low, middle, high = np.quantile(known.to_numpy(dtype=float), (0.25, 0.5, 0.75))
    return f"{middle:g} ({low:g}–{high:g})"
