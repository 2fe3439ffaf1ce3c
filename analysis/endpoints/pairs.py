"""One comparison of two ratings or decisions of the same cases, and one estimate, for every metric of a plan.

Where units nest in patients the clustered methods are taken, everywhere; that choice stands here only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.cluster_bootstrap import cluster_bootstrap
from analysis.clustered import cluster_counts, clustered_mcnemar
from analysis.clustered_auc import clustered_auc, clustered_auc_test
from analysis.decision_bootstrap import bootstrap_decisions
from analysis.declared import Endpoint, Metric
from analysis.delong import delong_auc, delong_test
from analysis.errors import CannotAnalyse
from analysis.interval import Interval
from analysis.outcomes import Estimate
from analysis.paired import PairedTable, mcnemar, paired_table
from analysis.proportions import confusion_table, f1, proportion
from analysis.ratings import Bools, Floats
from analysis.resampling import SEED
from analysis.rows import DifferenceRow, auc_difference_row, mcnemar_row

Patients = Sequence[str] | None
WORDS = {"auc": "AUC", "sensitivity": "sensitivity", "specificity": "specificity", "accuracy": "accuracy", "f1": "F1"}


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
    metric: Metric | str,
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
    if metric == "f1":
        return bootstrapped_f1(truth, values, label, group, level, patients, seed)
    chosen = cases_of(truth, str(metric))
    right = np.where(truth, values, 1 - values)
    n = int(chosen.sum())
    if patients is None:
        share = proportion(int(right[chosen].sum()), n)
        limits = share.confidence_interval(level)
        return Estimate(label, group, str(metric), share.estimate, share.se, limits.low, limits.high, n)
    drawn = cluster_bootstrap(
        truth, right[None, :], list(patients), lambda t, r: share_right(t, r[0], str(metric)), seed=seed
    )
    limits = drawn.confidence_interval(level)
    return Estimate(label, group, str(metric), drawn.estimate, drawn.se, limits.low, limits.high, n, drawn.warnings)


def share_right(truth: Bools, right: Floats, metric: str) -> float:
    return float(right[{"sensitivity": truth, "specificity": ~truth}.get(metric, np.ones_like(truth))].mean())


def bootstrapped_f1(
    truth: Bools, values: Floats, label: str, group: str, level: float, patients: Patients, seed: int
) -> Estimate:
    """F1 with the percentile interval of the bootstrap, of cases or of whole patients."""
    if patients is None:
        found = bootstrap_decisions(confusion_table(truth, values), "F1", seed=seed)
    else:
        f1(confusion_table(truth, values))
        found = cluster_bootstrap(truth, values[None, :], list(patients), f1_of, seed=seed)
    limits = found.confidence_interval(level)
    return Estimate(label, group, "f1", found.estimate, found.se, limits.low, limits.high, len(truth), found.warnings)


def f1_of(truth: Bools, calls: Floats) -> float:
    """F1 without the checks that thousands of replicates need not repeat."""
    hits = float(calls[0][truth].sum())
    return 2 * hits / max(float(truth.sum() + calls[0].sum()), 1.0)
