"""DTComPair's analyses of two tests with a gold standard; part of the walk through paired_binary."""

import pandas as pd
from scipy import stats

from analysis.interval import Interval, wald
from analysis.paired import Method, PairedTable, Test, mcnemar
from analysis.predictive import predictive_test, relative_likelihood_ratio, relative_predictive_values
from analysis.proportions import (
    confusion_table,
    negative_predictive_value,
    positive_predictive_value,
    sensitivity,
    specificity,
)
from analysis.ratios import negative_likelihood_ratio, positive_likelihood_ratio
from analysis.relative import (
    PairedCalls,
    Ratio,
    paired_calls,
    relative_false_positives,
    relative_sensitivity,
    relative_specificity,
)
from tests.analysis.oracle_entries import Entry, oracle_data
from tests.analysis.walk import Compare, Walk

walk = Walk("paired_binary")
# PropCIs stops its search for Tango's limits at a step of 1e-7.
STEP = 2e-7


def dtcompair() -> tuple[pd.DataFrame, PairedCalls]:
    frame = oracle_data("dtcompair_paired1")
    return frame, paired_calls(frame["truth"].to_numpy() == 1, frame["y1"].to_numpy(float), frame["y2"].to_numpy(float))


def accuracies() -> dict[str, PairedTable]:
    """Right calls of both tests among diseased and among non-diseased cases."""
    _, calls = dtcompair()
    return {"sensitivity": calls.diseased, "specificity": calls.healthy.mirrored}


@walk.covers("dtcompair_sesp.mcnemar", "dtcompair_sesp.exactbinom")
def sesp_tests(entry: Entry, compare: Compare) -> None:
    test: Test = "asymptotic" if entry.id.endswith("mcnemar") else "exact"
    for name, table in accuracies().items():
        found, theirs = mcnemar(table, test), entry.values[name]
        compare.all([found.first, found.second, found.estimate], [theirs[k] for k in ("test1", "test2", "diff")], name)
        compare(found.p, theirs["p.value"], name)
        if test == "asymptotic":
            compare(found.statistic, theirs["test.statistic"], name)


def sesp_differences(entry: Entry, compare: Compare, method: Method) -> None:
    for name, table in accuracies().items():
        found, theirs = mcnemar(table), entry.values[name]
        compare.all([found.first, found.second, found.estimate], [theirs[k] for k in ("test1", "test2", "diff")], name)
        limits = found.confidence_interval(method=method)
        # PropCIs, which finds Tango's limits there, stops its search at a step of 1e-7.
        slack = STEP if method == "tango" else 2e-15
        compare.all([limits.low, limits.high], [theirs["diff.lcl"], theirs["diff.ucl"]], name, absolute=slack)
        if method == "wald":
            compare(found.se, theirs["diff.se"], name)


@walk.covers("dtcompair_sesp.diff.ci", "dtcompair_sesp.diff.ci_wald", ignores=("ci.method", "alpha", "cont.corr"))
def sesp_wald(entry: Entry, compare: Compare) -> None:
    sesp_differences(entry, compare, "wald")


@walk.covers("dtcompair_sesp.diff.ci_tango", ignores=("ci.method", "alpha", "cont.corr", "*.diff.se"))
def sesp_tango(entry: Entry, compare: Compare) -> None:
    sesp_differences(entry, compare, "tango")


@walk.covers(
    "dtcompair_sesp.diff.ci_agresti-min",
    "dtcompair_sesp.diff.ci_bonett-price",
    ignores=("ci.method", "alpha", "cont.corr"),
    leaves={"*.diff.lcl": "around the raw difference", "*.diff.ucl": "around the raw difference"},
)
def sesp_padded(entry: Entry, compare: Compare) -> None:
    method: Method = "agresti-min" if entry.id.endswith("min") else "bonett-price"
    for name, table in accuracies().items():
        found, theirs = mcnemar(table), entry.values[name]
        compare.all([found.first, found.second, found.estimate], [theirs[k] for k in ("test1", "test2", "diff")], name)
        compare(width(found.confidence_interval(method=method)), theirs["diff.se"], name)


def width(limits: Interval) -> float:
    """Standard error of a Wald interval."""
    return (limits.high - limits.low) / 2 / float(stats.norm.ppf(0.975))


@walk.covers(
    "dtcompair_sesp.diff.ci_wald_cc",
    ignores=("ci.method", "alpha", "cont.corr"),
    leaves={"*.diff.se": "adds 1/n to the error", "*.diff.lcl": "so", "*.diff.ucl": "so"},
)
def sesp_corrected(entry: Entry, compare: Compare) -> None:
    for name, table in accuracies().items():
        found, theirs = mcnemar(table), entry.values[name]
        compare.all([found.first, found.second, found.estimate], [theirs[k] for k in ("test1", "test2", "diff")], name)


@walk.covers("dtcompair_acc.paired", ignores=("*.tab.rows", "*.tab.cols", "*.alpha", "*.testname"))
def both_accuracies(entry: Entry, compare: Compare) -> None:
    frame, _ = dtcompair()
    truth = frame["truth"].to_numpy() == 1
    for name, column in (("Test1", "y1"), ("Test2", "y2")):
        table, theirs = confusion_table(truth, frame[column].to_numpy(float)), entry.values[name]
        rows = [[table.tp, table.fp], [table.fn, table.tn]]
        compare.all(rows, [row[:2] for row in theirs["tab"]["values"][:2]], f"{name} table")
        shares = {
            "sensitivity": sensitivity(table),
            "specificity": specificity(table),
            "ppv": positive_predictive_value(table),
            "npv": negative_predictive_value(table),
        }
        for key, found in shares.items():
            limits = wald(found.estimate, found.se)
            ours = [found.estimate, found.se, limits.low, limits.high]
            compare.all(ours, [theirs[key][part] for part in ("est", "se", "lcl", "ucl")], f"{name} {key}")
        for key, ratio in (("pdlr", positive_likelihood_ratio(table)), ("ndlr", negative_likelihood_ratio(table))):
            limits = ratio.confidence_interval()
            ours = [ratio.estimate, ratio.se, limits.low, limits.high]
            compare.all(ours, [theirs[key][part] for part in ("est", "se.ln", "lcl", "ucl")], f"{name} {key}")


@walk.covers("dtcompair_sesp.rel", "dtcompair_tpffpf.rel", ignores=("alpha",))
def relative(entry: Entry, compare: Compare) -> None:
    _, calls = dtcompair()
    parts: dict[str, tuple[Ratio, str]] = (
        {
            "sensitivity": (relative_sensitivity(calls), "rel.sens"),
            "specificity": (relative_specificity(calls), "rel.spec"),
        }
        if entry.id.endswith("sesp.rel")
        else {"tpf": (relative_sensitivity(calls), "rel.tpf"), "fpf": (relative_false_positives(calls), "rel.fpf")}
    )
    for name, (found, key) in parts.items():
        theirs, limits = entry.values[name], found.confidence_interval()
        ours = [found.estimate, found.se_log, limits.low, limits.high, found.p]
        keys = (key, f"se.log.{key}", f"lcl.{key}", f"ucl.{key}", f"pval.{key}")
        compare.all(ours, [theirs[part] for part in keys], name)
        if name in ("sensitivity", "specificity"):
            compare.all([found.first, found.second], [theirs["test1"], theirs["test2"]], name)


@walk.covers("dtcompair_pv.gs", "dtcompair_pv.wgs")
def predictive_values(entry: Entry, compare: Compare) -> None:
    _, calls = dtcompair()
    for name in ("ppv", "npv"):
        found = predictive_test(
            calls, "positive" if name == "ppv" else "negative", "leisenring" if entry.id.endswith(".gs") else "kosinski"
        )
        theirs = entry.values[name]
        ours = [found.first, found.second, found.estimate, found.statistic, found.p]
        compare.all(ours, [theirs[key] for key in ("test1", "test2", "diff", "test.statistic", "p.value")], name)


@walk.covers("dtcompair_pv.rpv", ignores=("alpha", "Sigma.rows", "Sigma.cols"))
def ratios_of_predictive_values(entry: Entry, compare: Compare) -> None:
    _, calls = dtcompair()
    found = relative_predictive_values(calls)
    for name, key, ratio in (("ppv", "rppv", found.positive), ("npv", "rnpv", found.negative)):
        theirs, limits = entry.values[name], ratio.confidence_interval()
        ours = [ratio.first, ratio.second, ratio.estimate, ratio.se_log, limits.low, limits.high]
        keys = ("test1", "test2", key, f"se.log.{key}", f"lcl.{key}", f"ucl.{key}")
        compare.all(ours, [theirs[part] for part in keys], name)
        compare.all([ratio.statistic, ratio.p], [theirs["test.statistic"], theirs["p.value"]], name)
    matrix = [
        [found.positive.se_log**2, found.covariance],
        [found.covariance, found.negative.se_log**2],
    ]
    compare.all(matrix, entry.values["Sigma"]["values"], "covariance")


@walk.covers("dtcompair_DLR", ignores=("alpha",))
def likelihood_ratios(entry: Entry, compare: Compare) -> None:
    _, calls = dtcompair()
    for name in ("pdlr", "ndlr"):
        found = relative_likelihood_ratio(calls, "positive" if name == "pdlr" else "negative")
        theirs, limits = entry.values[name], found.confidence_interval()
        # DTComPair divides the first by the second; its regression is solved by iteration to about 1e-9.
        ours = [found.first, found.second, 1 / found.estimate, found.se_log, -found.statistic, found.p]
        keys = ("test1", "test2", "ratio", "se.log", "test.statistic", "p.value")
        compare.all(ours, [theirs[key] for key in keys], name)
        compare.all([1 / limits.high, 1 / limits.low], [theirs["lcl"], theirs["ucl"]], name)
