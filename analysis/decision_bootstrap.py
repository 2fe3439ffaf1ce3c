"""The bootstrap of every measure of a confusion table, by drawing the table."""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.proportions import ConfusionTable
from analysis.ratings import Floats
from analysis.resampling import REPLICATES, SEED, Bootstrap, check_replicates, summary

Measure = Literal[
    "sensitivity",
    "specificity",
    "positive predictive value",
    "negative predictive value",
    "accuracy",
    "balanced accuracy",
    "F1",
    "Youden's index",
    "positive likelihood ratio",
    "negative likelihood ratio",
    "diagnostic odds ratio",
    "number needed to diagnose",
    "prevalence",
    "apparent prevalence",
]
# Value under which decisions know nothing of the truth, where there is one.
NULLS: dict[Measure, float] = {
    "balanced accuracy": 0.5,
    "Youden's index": 0.0,
    "positive likelihood ratio": 1.0,
    "negative likelihood ratio": 1.0,
    "diagnostic odds ratio": 1.0,
}
# Numerator and denominator of each measure from true and false positives, true and false negatives.
FORMULAS: dict[Measure, Callable[[Floats, Floats, Floats, Floats], tuple[Floats, Floats]]] = {
    "sensitivity": lambda tp, fp, tn, fn: (tp, tp + fn),
    "specificity": lambda tp, fp, tn, fn: (tn, tn + fp),
    "positive predictive value": lambda tp, fp, tn, fn: (tp, tp + fp),
    "negative predictive value": lambda tp, fp, tn, fn: (tn, tn + fn),
    "accuracy": lambda tp, fp, tn, fn: (tp + tn, tp + fp + tn + fn),
    "balanced accuracy": lambda tp, fp, tn, fn: (tp * (tn + fp) + tn * (tp + fn), 2 * (tp + fn) * (tn + fp)),
    "F1": lambda tp, fp, tn, fn: (2 * tp, 2 * tp + fp + fn),
    "Youden's index": lambda tp, fp, tn, fn: (tp * tn - fp * fn, (tp + fn) * (tn + fp)),
    "positive likelihood ratio": lambda tp, fp, tn, fn: (tp * (tn + fp), fp * (tp + fn)),
    "negative likelihood ratio": lambda tp, fp, tn, fn: (fn * (tn + fp), tn * (tp + fn)),
    "diagnostic odds ratio": lambda tp, fp, tn, fn: (tp * tn, fp * fn),
    "number needed to diagnose": lambda tp, fp, tn, fn: ((tp + fn) * (tn + fp), tp * tn - fp * fn),
    "prevalence": lambda tp, fp, tn, fn: (tp + fn, tp + fp + tn + fn),
    "apparent prevalence": lambda tp, fp, tn, fn: (tp + fp, tp + fp + tn + fn),
}


def bootstrap_decisions(
    table: ConfusionTable,
    measure: Measure,
    replicates: int = REPLICATES,
    seed: int = SEED,
    stratified: bool = False,
) -> Bootstrap:
    """How does a measure of binary decisions vary when the cases are drawn anew, with replacement?

    table: counts of decisions; measure: one of `Measure`; stratified: diseased and non-diseased cases keep their
    numbers, else all cases are drawn at once, as measures that depend on prevalence need it. Drawing n cases is
    drawing a table: multinomial, or binomial in each class. A replicate in which the measure has no denominator is
    left out and counted in a warning; where that is so in the table itself, the measure is refused. p is against
    the value of decisions that know nothing of the truth, where there is one.
    Source: Efron & Tibshirani (1993), ch. 13.

    >>> found = bootstrap_decisions(ConfusionTable(tp=41, fp=22, tn=47, fn=4), "F1", replicates=99)
    >>> round(found.estimate, 6), len(found.replicates)
    (0.759259, 99)
    """
    if measure not in get_args(Measure):
        raise CannotAnalyse(f"The bootstrap of decisions knows {', '.join(get_args(Measure))}, not {measure}.")
    check_replicates(replicates)
    counts = np.array([[table.tp], [table.fp], [table.tn], [table.fn]], dtype=float)
    estimate = quotients(measure, counts)
    if len(estimate) == 0:
        raise CannotAnalyse(f"The confusion table has an empty denominator, so the {measure} does not exist.")
    found = quotients(measure, drawn_tables(table, replicates, np.random.default_rng(seed), stratified))
    lost = replicates - len(found)
    if len(found) < 2:
        raise CannotAnalyse(f"In almost every bootstrap sample the {measure} does not exist.")
    told = (f"The {measure} does not exist in {lost} of {replicates} bootstrap samples; they are left out.",)
    return summary(float(estimate[0]), found, NULLS.get(measure), seed, told if lost else ())


def quotients(measure: Measure, counts: Floats) -> Floats:
    """The measure of each table (4, table) that has a denominator."""
    over, under = FORMULAS[measure](*counts)
    exists = under != 0
    return np.asarray(over[exists] / under[exists])


def drawn_tables(table: ConfusionTable, replicates: int, generator: np.random.Generator, stratified: bool) -> Floats:
    """Counts of drawn tables: (4, replicate) in the order tp, fp, tn, fn."""
    if table.n == 0:
        raise CannotAnalyse("There are no cases.")
    if not stratified:
        shares = np.array([table.tp, table.fp, table.tn, table.fn]) / table.n
        return generator.multinomial(table.n, shares, size=replicates).T.astype(float)
    tp = generator.binomial(table.positives, table.tp / max(table.positives, 1), replicates)
    tn = generator.binomial(table.negatives, table.tn / max(table.negatives, 1), replicates)
    return np.stack([tp, table.negatives - tn, tn, table.positives - tp]).astype(float)
