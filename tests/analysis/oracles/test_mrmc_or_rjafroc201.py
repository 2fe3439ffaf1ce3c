"""RJafroc 2.0.1, the last that offers the DeLong and the bootstrap covariance: every entry of its reference file."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from analysis.covariance import Covariance
from analysis.dbm import dbm
from analysis.localisation.rockette import localised_obuchowski_rockette
from analysis.mrmc import Mrmc, obuchowski_rockette
from analysis.ratings import Columns, Ratings, table_to_ratings
from tests.analysis.oracle_entries import Entry, oracle_data
from tests.analysis.oracles.test_froc_rjafroc import oracle_marks
from tests.analysis.rjafroc_tables import (
    LABELS,
    MANY_ARMS,
    OPTIONS,
    by_reader,
    compare_anova,
    compare_figures,
    compare_mean_squares,
    compare_or_tests,
    compare_pseudo_anova,
    compare_pseudo_tests,
)
from tests.analysis.walk import Compare, Walk

walk = Walk("mrmc_or_rjafroc201")
METHODS: dict[str, Covariance] = {"OR_DeLong": "delong", "OR_jackknife": "jackknife"}
# Replicates of RJafroc, and runs of as many of ours whose spread is the Monte-Carlo error of one.
REPLICATES, RUNS = 2000, 40


@cache
def ratings_of(dataset: str) -> Ratings:
    return table_to_ratings(oracle_data(dataset), Columns(arm="treatment"))


@walk.covers("OR_DeLong/*", "OR_jackknife/*", ignores=LABELS)
def obuchowski_rockette_of_rjafroc(entry: Entry, compare: Compare) -> None:
    method, values = METHODS[entry.id.split("/")[0]], entry.values
    found = {name: obuchowski_rockette(ratings_of(entry.dataset), "auc", method, *how) for name, how in OPTIONS.items()}
    compare_figures(values["FOMs"], found["RRRC"], compare)
    compare_anova(values["ANOVA"], found["RRRC"], compare)
    for option, result in found.items():
        compare_or_tests(values[option], result, option, compare)


@walk.covers("DBM/ALL/penedo_roc", "DBM/ALL/dobbins2_roc", ignores=LABELS, leaves=MANY_ARMS)
def pseudovalue_analysis_of_many_arms(entry: Entry, compare: Compare) -> None:
    pseudovalue_analysis(entry, compare)


@walk.covers("DBM/*", ignores=LABELS)
def pseudovalue_analysis(entry: Entry, compare: Compare) -> None:
    values = entry.values
    for option, how in OPTIONS.items():
        found = dbm(ratings_of(entry.dataset), "auc", *how)
        if option == "RRRC":
            compare_figures(values["FOMs"], found, compare)
            compare_pseudo_anova(values["ANOVA"], found, compare)
        compare_pseudo_tests(values[option], found, option, compare)


@walk.covers("wAFROC_OR/*", ignores=LABELS)
def lesions(entry: Entry, compare: Compare) -> None:
    marks, values = oracle_marks(entry.dataset), entry.values
    found = {name: localised_obuchowski_rockette(marks, "wafroc", *how) for name, how in OPTIONS.items()}
    compare_figures(values["FOMs"], found["RRRC"], compare)
    compare_anova(values["ANOVA"], found["RRRC"], compare)
    for option, result in found.items():
        compare_or_tests(values[option], result, option, compare, cases=len(marks.cases))


@walk.covers("OR_bootstrap/*", ignores=LABELS)
def bootstrap_covariance(entry: Entry, compare: Compare) -> None:
    ratings, values = ratings_of(entry.dataset), entry.values
    runs = [obuchowski_rockette(ratings, "auc", "bootstrap", replicates=REPLICATES, seed=seed) for seed in range(RUNS)]
    compare_figures(values["FOMs"], runs[0], compare)
    compare_mean_squares(values["ANOVA"]["TRanova"], runs[0], compare)
    r, t = runs[0].figures.shape
    compare.all([r - 1] * t, values["ANOVA"]["IndividualTrt"]["DF"], "IndividualTrt DF")
    compare.all([t - 1] * r, values["ANOVA"]["IndividualRdr"]["DF"], "IndividualRdr DF")
    tests = values["RRRC"]["FTests"]
    compare.all([runs[0].mean_squares.arms, t - 1], [tests["MS"][0], tests["DF"][0]], "MS(T)")
    ours = [[number for _, number in simulated(run)] for run in runs]
    means, spread = np.mean(ours, axis=0), np.std(ours, axis=0, ddof=1) * np.sqrt(1 + 1 / RUNS)
    for (what, _), mean, error, expected in zip(simulated(runs[0]), means, spread, printed(values), strict=True):
        # What the bootstrap does not touch has no spread but rounding.
        compare.monte_carlo(float(mean), expected, max(float(error), 1e-14), what)


def simulated(found: Mrmc) -> list[tuple[str, float]]:
    """Every number that rests on the covariance, in the order of `printed`."""
    parts, overall = found.components, found.overall
    assert parts is not None and overall is not None and parts.reader is not None and parts.arm_reader is not None
    covariances = [parts.cov1, parts.cov2, parts.cov3]
    variances, within = by_reader(found)
    rows, arms = found.differences, found.arms
    limits, own = [row.confidence_interval() for row in rows], [arm.confidence_interval() for arm in arms]
    groups: dict[str, Sequence[float | None]] = {
        "components": [parts.reader, parts.arm_reader, *covariances, parts.error],
        "correlations": [value / parts.error for value in covariances],
        "arms": [arm.mean_square for arm in arms] + [arm.error for arm in arms] + [arm.cov2 for arm in arms],
        "readers": found.figures.var(axis=1, ddof=1).tolist() + variances + within,
        "test": [found.error_term.denominator, overall.df2, overall.f, overall.p],
        "differences": [-row.estimate for row in rows] + [row.se for row in rows] + [row.df for row in rows],
        "tests": [-row.statistic for row in rows] + [row.p for row in rows],
        "intervals": [-interval.high for interval in limits] + [-interval.low for interval in limits],
        "means": [arm.estimate for arm in arms] + [arm.se for arm in arms] + [arm.df for arm in arms],
        "intervals of means": [interval.low for interval in own] + [interval.high for interval in own],
        "cov2": [arm.cov2 for arm in arms],
    }
    return [(name, float(value or 0.0)) for name, group in groups.items() for value in group]


def printed(values: Any) -> list[float]:
    anova, result = values["ANOVA"], values["RRRC"]
    arms, readers, tests = anova["IndividualTrt"], anova["IndividualRdr"], result["FTests"]
    rows, means = result["ciDiffTrt"], result["ciAvgRdrEachTrt"]
    return [
        *anova["VarCom"]["Estimates"], *anova["VarCom"]["Rhos"][2:5], *arms["msREachTrt"], *arms["varEachTrt"],
        *arms["cov2EachTrt"], *readers["msTEachRdr"], *readers["varEachRdr"], *readers["cov1EachRdr"], tests["MS"][1],
        tests["DF"][1], tests["FStat"][0], tests["p"][0], *rows["Estimate"], *rows["StdErr"], *rows["DF"], *rows["t"],
        *rows["PrGTt"], *rows["CILower"], *rows["CIUpper"], *means["Estimate"], *means["StdErr"], *means["DF"],
        *means["CILower"], *[min(high, 1.0) for high in means["CIUpper"]], *means["Cov2"],
    ]  # fmt: skip


@pytest.mark.parametrize("entry", walk.entries(), ids=str)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
