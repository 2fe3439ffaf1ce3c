"""One comparison of two ratings or decisions of the same cases, and one estimate, for every metric of a plan.

Where units nest in patients the clustered methods are taken, everywhere; that choice stands here only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from analysis.clustered import cluster_counts, clustered_mcnemar
from analysis.clustered_auc import clustered_auc, clustered_auc_test
from analysis.decision_bootstrap import Measure, bootstrap_decisions, quotients
from analysis.delong import delong_auc, delong_test
from analysis.errors import CannotAnalyse
from analysis.interval import Interval
from analysis.paired import PairedTable, mcnemar, paired_table
from analysis.plans.declared import Endpoint
from analysis.plans.outcomes import Estimate
from analysis.proportions import (
    ConfusionTable,
    Proportion,
    accuracy,
    confusion_table,
    positive_predictive_value,
    sensitivity,
    specificity,
)
from analysis.ratings import Bools, Floats
from analysis.resampling import REPLICATES, SEED
from analysis.rows import DifferenceRow, auc_difference_row, mcnemar_row

Patients = Sequence[str] | None
WORDS = {"auc": "AUC", "sensitivity": "sensitivity", "specificity": "specificity", "accuracy": "accuracy"}
WORDS |= {"ppv": "precision", "f1": "F1"}
MEASURES: dict[str, Measure] = {
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "positive predictive value",
    "accuracy": "accuracy",
    "f1": "F1",
}
SHARES: dict[str, Callable[[ConfusionTable], Proportion]] = {
    "sensitivity": sensitivity,
    "specificity": specificity,
    "ppv": positive_predictive_value,
    "accuracy": accuracy,
}


@dataclass(frozen=True)
class Compared:
    """A difference; with the table of paired decisions where they are independent, for score tests of margins."""

    row: DifferenceRow
    table: PairedTable | None = None


def compared(
    truth: Bools,
    values: tuple[Floats, Floats],
    names: tuple[str, str],
    reader: str | None,
    endpoint: Endpoint,
    level: float,
    patients: Patients = None,
) -> Compared:
    """Second minus first in the metric of the endpoint, on the same cases; with patients, adjusted for them."""
    if len(truth) == 0:
        raise CannotAnalyse(f"No case was judged by both {names[0]} and {names[1]}.")
    if endpoint.metric == "auc":
        found = delong_test(truth, *values) if patients is None else clustered_auc_test(truth, *values, list(patients))
        return Compared(auc_difference_row(found, *names, reader, level))
    chosen = cases_of(truth, endpoint.metric)
    right = [np.where(truth, value, 1 - value)[chosen] for value in values]
    if patients is None:
        test = mcnemar(paired_table(right[0], right[1]), endpoint.test)
        # Tango's interval inverts the score test that holds a difference against a margin.
        limits = test.confidence_interval(level, "newcombe" if endpoint.margin is None else "tango")
        return Compared(mcnemar_row(test, *names, reader, limits), test.table)
    clusters = np.asarray(patients)[chosen]
    clustered = clustered_mcnemar(cluster_counts(right[0], right[1], clusters))
    interval: Interval = clustered.confidence_interval(level)
    row = DifferenceRow(
        *names, reader, clustered.estimate, clustered.se, None, clustered.statistic, clustered.p, interval.low,
        interval.high, n=clustered.table.n, first_value=float(right[0].mean()), second_value=float(right[1].mean()),
        warnings=clustered.warnings,
    )  # fmt: skip
    return Compared(row)


def cases_of(truth: Bools, metric: str) -> Bools:
    """The cases that a proportion rests on."""
    chosen = {"sensitivity": truth, "specificity": ~truth}.get(metric, np.ones_like(truth))
    if not chosen.any():
        raise CannotAnalyse(f"There are no {'diseased' if metric == 'sensitivity' else 'non-diseased'} cases.")
    return chosen


def estimated(
    truth: Bools,
    values: Floats,
    metric: str,
    label: str,
    group: str,
    level: float,
    patients: Patients = None,
    seed: int = SEED,
) -> Estimate:
    """One metric with its interval; with patients, of clustered units."""
    if len(truth) == 0:
        raise CannotAnalyse(f"{label} judged no case in {group}.")
    if metric == "auc":
        area = delong_auc(truth, values) if patients is None else clustered_auc(truth, values, list(patients))
        limits = area.confidence_interval(level)
        return Estimate(
            label, group, metric, area.estimate, area.se, limits.low, limits.high, len(truth), area.warnings
        )
    table = confusion_table(truth, values)
    measure = MEASURES[metric]
    if patients is not None:
        return drawn_by_patient(truth, values, measure, label, group, metric, level, list(patients), seed)
    if measure == "F1":
        drawn = bootstrap_decisions(table, measure, seed=seed)
        limits = drawn.confidence_interval(level)
        return Estimate(
            label, group, metric, drawn.estimate, drawn.se, limits.low, limits.high, len(truth), drawn.warnings
        )
    share = SHARES[metric](table)
    limits = share.confidence_interval(level)
    return Estimate(label, group, metric, share.estimate, share.se, limits.low, limits.high, share.n)


def drawn_by_patient(
    truth: Bools, values: Floats, measure: Measure, label: str, group: str, metric: str, level: float,
    patients: list[str], seed: int,
) -> Estimate:  # fmt: skip
    """A measure of decisions with the percentile interval of the bootstrap of patients, all their units together."""
    places = np.unique(np.asarray(patients), return_inverse=True)[1]
    called, people = values == 1, int(places.max()) + 1
    cells = (called & truth, called & ~truth, ~called & ~truth, ~called & truth)
    counts = np.stack([np.bincount(places, weights=cell, minlength=people) for cell in cells]).astype(float)
    whole = quotients(measure, counts.sum(axis=1, keepdims=True))
    if not len(whole):
        raise CannotAnalyse(f"There are no cases that the {WORDS[metric]} of {label} in {group} could rest on.")
    if people < 2:
        raise CannotAnalyse(f"The {WORDS[metric]} of {label} in {group} rests on one patient, so it has no interval.")
    found = quotients(measure, np.asarray(counts @ drawn_patients(people, seed)))
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    se = float(found.std(ddof=1))
    return Estimate(label, group, metric, float(whole[0]), se, float(low), float(high), len(truth))


@lru_cache(maxsize=2)
def drawn_patients(people: int, seed: int) -> Floats:
    """How often each patient is in each replicate; the same for every measure of the same patients."""
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(people, np.full(people, 1 / people), size=REPLICATES).T.astype(float)
    drawn.flags.writeable = False
    return drawn
