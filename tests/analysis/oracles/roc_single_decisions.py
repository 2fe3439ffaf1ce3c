"""Entries of roc_single about binary decisions: proportions of binom, tables of epiR."""

from collections.abc import Callable, Sequence
from functools import partial

from analysis.interval import Interval
from analysis.proportions import (
    ConfusionTable,
    Method,
    Proportion,
    Youden,
    accuracy,
    apparent_prevalence,
    confusion_table,
    false_negative_fraction,
    false_positive_fraction,
    negative_predictive_value,
    positive_predictive_value,
    prevalence,
    proportion,
    sensitivity,
    specificity,
    youden,
)
from analysis.ratios import (
    NumberNeeded,
    Ratio,
    diagnostic_odds_ratio,
    negative_likelihood_ratio,
    number_needed_to_diagnose,
    positive_likelihood_ratio,
)
from analysis.roc import (
    operating_point,
)
from tests.analysis.oracle_entries import Entry
from tests.analysis.oracles.roc_single_data import dataset
from tests.analysis.walk import Compare

NAMES: dict[str, Method] = {
    "agresti-coull": "agresti-coull",
    "asymptotic": "wald",
    "cloglog": "cloglog",
    "exact": "clopper-pearson",
    "logit": "logit",
    "wilson": "wilson",
    "wilson_cc": "wilson-corrected",
}


def proportions_at_thresholds(entry: Entry, compare: Compare) -> None:
    table = entry.values
    truth, rating = dataset(entry)
    for row, threshold in enumerate(table["threshold_ge"]):
        counts = operating_point(truth, rating, threshold).table
        for name, of in SHARES.items():
            share = of(counts)
            compare.all([share.successes, share.n], [table[f"{name}.x"][row], table[f"{name}.n"][row]], f"{name} n")
            compare(share.estimate, table[f"{name}.est"][row], name)
            for theirs, method in NAMES.items():
                interval = proportion(share.successes, share.n, method).confidence_interval()
                expected = table[f"{name}.{theirs}_lo"][row], table[f"{name}.{theirs}_hi"][row]
                check_interval(interval, expected, f"{name} {theirs}", compare)
        check_ratios(counts, {key: table[key][row] for key in ("lr_pos", "lr_neg", "accuracy", "youden")}, compare)


SHARES: dict[str, Callable[[ConfusionTable], Proportion]] = {
    "sens": sensitivity,
    "spec": specificity,
    "ppv": positive_predictive_value,
    "npv": negative_predictive_value,
}


def check_interval(interval: Interval, expected: Sequence[object], what: str, compare: Compare) -> None:
    """binom does not clip intervals to [0, 1]."""
    clipped = [min(max(value, 0.0), 1.0) if isinstance(value, int | float) else value for value in expected]
    compare.all([interval.low, interval.high], clipped, what)


def check_ratios(counts: ConfusionTable, expected: dict[str, object], compare: Compare) -> None:
    compare(accuracy(counts).estimate, expected["accuracy"], "accuracy")
    compare(youden(counts).estimate, expected["youden"], "youden")
    for name, of in (("lr_pos", positive_likelihood_ratio), ("lr_neg", negative_likelihood_ratio)):
        if expected[name] == "Inf":
            compare.refused(partial(of, counts), name)
        else:
            compare(of(counts).estimate, expected[name], name)


EPIR = {
    "ap": apparent_prevalence,
    "tp": prevalence,
    "se": sensitivity,
    "sp": specificity,
    "diag.ac": accuracy,
    "pv.pos": positive_predictive_value,
    "pv.neg": negative_predictive_value,
    "p.rin": apparent_prevalence,
    "p.tpdn": false_positive_fraction,
    "p.tndp": false_negative_fraction,
}


def epir(entry: Entry, compare: Compare) -> None:
    truth, rating = dataset(entry)
    counts = confusion_table(truth, (rating >= entry.values["threshold_ge"]).astype(float))
    compare.all([counts.tp, counts.fp, counts.fn, counts.tn], entry.values["table"], "table")
    detail = entry.values["detail"]
    rows = zip(detail["statistic"], detail["est"], detail["lower"], detail["upper"], strict=True)
    expected = {name: numbers for name, *numbers in rows}
    found: dict[str, tuple[float, Callable[[], Interval]]] = {}
    for name, of in EPIR.items():
        share = of(counts, "clopper-pearson")
        found[name] = share.estimate, share.confidence_interval
    for name, of, whole in (
        ("p.rout", apparent_prevalence, "p.rin"),
        ("p.dntp", positive_predictive_value, "pv.pos"),
        ("p.dptn", negative_predictive_value, "pv.neg"),
    ):
        share = of(counts, "clopper-pearson")
        other = proportion(share.n - share.successes, share.n, "clopper-pearson")
        assert whole in found
        found[name] = other.estimate, other.confidence_interval
    for name, ratio_of in RATIOS.items():
        if expected[name][0] == "Inf":
            compare.refused(partial(ratio_of, counts), name)
            assert expected.pop(name)[1] == "NaN"
            continue
        ratio = ratio_of(counts)
        if name == "nndx" and expected["youden"][1] < 0:
            # epiR turns limits on both sides of 0 over, which leaves out what lies between.
            compare(ratio.estimate, expected.pop(name)[0], name)
            compare.refused(ratio.confidence_interval, name)
            continue
        found[name] = ratio.estimate, ratio.confidence_interval
    assert set(found) == set(expected)
    for name, (estimate, interval) in found.items():
        compare(estimate, expected[name][0], name)
        compare.all([interval().low, interval().high], expected[name][1:], name)


RATIOS: dict[str, Callable[[ConfusionTable], Ratio | Youden | NumberNeeded]] = {
    "diag.or": diagnostic_odds_ratio,
    "lr.pos": positive_likelihood_ratio,
    "lr.neg": negative_likelihood_ratio,
    "youden": lambda counts: youden(counts, "limits"),
    "nndx": lambda counts: number_needed_to_diagnose(counts, "limits"),
}
