"""What each command of `python -m analysis` computes; the parsing of its words stands in `__main__`."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from analysis.agreement import Weights, fleiss_kappa, pairwise_kappa
from analysis.answer import Answer, CellRow
from analysis.bootstrapped import Part, bootstrap_area, bootstrap_test
from analysis.covariance import Covariance, Figure
from analysis.delong import Auc, IntervalMethod, delong_auc, delong_test
from analysis.errors import CannotAnalyse
from analysis.interval import Interval
from analysis.mrmc import Sampling, obuchowski_rockette
from analysis.multiplicity import adjusted
from analysis.paired import Test, mcnemar, paired_table
from analysis.ratings import Bools, Floats, Ratings
from analysis.resampling import SEED, Bootstrap
from analysis.rows import DifferenceRow, arm_difference_row, arm_row, auc_difference_row, mcnemar_row
from analysis.tables import Names, facts, judged, rated, read_table

LEVEL = 0.95
Result = TypeVar("Result")


def auc(
    path: Path, names: Names, interval: IntervalMethod | Literal["bootstrap"] = "delong", part: Part | None = None
) -> Answer:
    """AUC, or a part of it, of every reader in every arm."""
    if part is not None and interval != "bootstrap":
        raise CannotAnalyse("A partial area has a bootstrap interval only; add --interval bootstrap.")
    ratings = rated(read_table(path, names), names, names.rating)
    rows, warnings = [], []
    for reader, arm in filled_cells(ratings):
        truth, values = ratings.cell(reader, arm)
        compute: Callable[[], Auc | Bootstrap] = (
            partial(bootstrap_area, truth, values, part)
            if interval == "bootstrap"
            else partial(delong_auc, truth, values, interval)
        )
        found = named(compute, f"{reader}, {arm}")
        limits = found.confidence_interval(LEVEL)
        rows.append(CellRow(reader, arm, found.estimate, found.se, limits.low, limits.high))
        warnings += [f"{reader}, {arm}: {text}" for text in found.warnings]
    method = f"{described(part)} with {interval} interval"
    seed = SEED if interval == "bootstrap" else None
    return Answer(method, facts(ratings), tuple(rows), warnings=tuple(warnings), seed=seed)


def described(part: Part | None) -> str:
    if part is None:
        return "AUC"
    corrected = ", McClish's correction," if part.corrected else ""
    return f"Partial AUC, {part.axis} {part.low:g} to {part.high:g}{corrected}"


def compare(
    path: Path, names: Names, arms: tuple[str, str], method: Literal["delong", "bootstrap"] = "delong"
) -> Answer:
    """Paired comparison of the AUCs of two arms, reader by reader."""
    ratings = rated(read_table(path, names), names, names.rating, arms)
    rows: list[DifferenceRow] = []
    warnings: list[str] = []
    for reader in ratings.readers:
        truth, first, second = ratings.pair(reader, *arms)
        if len(truth) == 0:
            warnings.append(f"{reader} rated no case in both arms and is left out.")
            continue
        if method == "bootstrap":
            drawn = named(partial(bootstrap_test, truth, first, second), reader)
            rows.append(bootstrap_row(drawn, arms, reader, len(truth)))
        else:
            found = named(partial(delong_test, truth, first, second), reader)
            rows.append(auc_difference_row(found, *arms, reader, LEVEL))
        warnings += [f"{reader}: {text}" for text in rows[-1].warnings]
    name = "DeLong" if method == "delong" else "Stratified bootstrap"
    return differences(f"{name}, paired", ratings, rows, warnings, SEED if method == "bootstrap" else None)


def bootstrap_row(found: Bootstrap, arms: tuple[str, str], reader: str, n: int) -> DifferenceRow:
    interval = found.confidence_interval(LEVEL)
    statistic = found.estimate / found.se if found.se else 0.0
    return DifferenceRow(
        *arms, reader, found.estimate, found.se, None, statistic, 1.0 if found.p is None else found.p, interval.low,
        interval.high, n=n, warnings=found.warnings,
    )  # fmt: skip


def mrmc(
    path: Path,
    names: Names,
    arms: tuple[str, ...] | None,
    metric: Figure = "auc",
    covariance: Covariance = "delong",
    readers: Sampling = "random",
    cases: Sampling = "random",
) -> Answer:
    """Obuchowski-Rockette over readers and cases."""
    frame = read_table(path, names)
    value = names.rating if metric == "auc" else decision_column(list(frame.columns), names)
    ratings = rated(frame, names, value, arms)
    found = obuchowski_rockette(ratings, metric, covariance, readers, cases)
    rows = [arm_difference_row(row, LEVEL) for row in (*found.differences, *found.reader_differences)]
    how = "no covariance over cases" if cases == "fixed" else f"{covariance} covariance"
    return Answer(
        f"Obuchowski-Rockette, {metric}, {how}, {readers} readers, {cases} cases",
        facts(ratings),
        arms=tuple(arm_row(mean, LEVEL) for mean in found.arms),
        differences=tuple(rows),
        overall=found.overall,
        components=found.components,
        warnings=found.warnings,
    )


def compare_decisions(
    path: Path,
    names: Names,
    arms: tuple[str, str],
    test: Test = "exact",
    metric: Literal["accuracy", "sensitivity", "specificity"] = "accuracy",
) -> Answer:
    """McNemar's comparison of two arms, reader by reader, with Newcombe's interval of the difference."""
    frame = read_table(path, names)
    ratings = rated(frame, names, decision_column(list(frame.columns), names), arms)
    rows: list[DifferenceRow] = []
    warnings: list[str] = []
    for reader in ratings.readers:
        truth, first, second = ratings.pair(reader, *arms)
        kept = {"accuracy": np.ones_like(truth), "sensitivity": truth, "specificity": ~truth}[metric]
        if not kept.any():
            warnings.append(f"{reader} decided no case in both arms that {metric} rests on and is left out.")
            continue
        rows.append(compare_reader(truth[kept], first[kept], second[kept], reader, arms, test))
        warnings += [f"{reader}: {text}" for text in rows[-1].warnings]
    return differences(f"McNemar, {test}, {metric}", ratings, rows, warnings)


def compare_reader(
    truth: Bools, first: Floats, second: Floats, reader: str, arms: tuple[str, str], test: Test
) -> DifferenceRow:
    table = named(partial(paired_table, right(truth, first), right(truth, second)), reader)
    found = mcnemar(table, test)
    interval: Interval = found.confidence_interval(LEVEL)
    return mcnemar_row(found, *arms, reader, interval)


def right(truth: Bools, decision: Floats) -> Floats:
    """1 where a decision agrees with the truth, 0 where not; anything but 0 and 1 is kept to be refused."""
    answer = decision.copy()
    answer[~truth] = 1 - decision[~truth]
    return answer


def agreement(path: Path, names: Names, kind: Literal["kappa", "fleiss"], weights: Weights = "none") -> Answer:
    """Agreement of readers in each arm, on decisions where there are any, else on ratings."""
    frame = read_table(path, names)
    value = decision_column(list(frame.columns), names)
    ratings = judged(frame, names, value)
    rows = []
    for place, arm in enumerate(ratings.arms):
        values = ratings.values[:, place]
        values = values[:, ~np.isnan(values).all(axis=0)]
        if kind == "fleiss":
            fleiss = named(partial(fleiss_kappa, values), arm)
            limits = fleiss.confidence_interval(LEVEL)
            rows.append(CellRow("all", arm, fleiss.estimate, fleiss.se, limits.low, limits.high))
            continue
        for one, two, kappa in named(partial(pairwise_kappa, ratings.readers, values, weights), arm):
            limits = kappa.confidence_interval(LEVEL)
            rows.append(CellRow(f"{one}, {two}", arm, kappa.estimate, kappa.se, limits.low, limits.high))
    method = "Fleiss' kappa" if kind == "fleiss" else f"Cohen's kappa, {weights} weights"
    return Answer(f"{method}, {value}", facts(ratings, with_truth=False), tuple(rows))


def filled_cells(ratings: Ratings) -> list[tuple[str, str]]:
    """Readers and arms with at least one reading."""
    cells = [(r, a) for r in ratings.readers for a in ratings.arms if len(ratings.cell(r, a)[0])]
    if not cells:
        raise CannotAnalyse("The table holds no rating.")
    return cells


def decision_column(columns: list[str], names: Names) -> str:
    """`decision` where the table has it, unless another column was named as the rating."""
    return "decision" if "decision" in columns and names.rating not in names.chosen else names.rating


def differences(
    method: str, ratings: Ratings, rows: list[DifferenceRow], warnings: list[str], seed: int | None = None
) -> Answer:
    """An answer of one row per reader, with Holm's p values beside it in words."""
    if not rows:
        raise CannotAnalyse("No reader judged the same case in both arms.")
    if len(rows) > 1:
        holm = adjusted([row.p for row in rows])
        listed = ", ".join(f"{row.reader} {p:.4g}" for row, p in zip(rows, holm, strict=True))
        warnings.append(f"p values are per reader and not adjusted; adjusted by Holm they are: {listed}.")
        rows = [replace(row, p_adjusted=p) for row, p in zip(rows, holm, strict=True)]
    return Answer(method, facts(ratings), differences=tuple(rows), warnings=tuple(warnings), seed=seed)


def named(compute: Callable[[], Result], who: str) -> Result:
    """The result; a refusal is passed on with the name of whom it concerns."""
    try:
        return compute()
    except CannotAnalyse as refusal:
        raise CannotAnalyse(f"{who}: {refusal}") from refusal
