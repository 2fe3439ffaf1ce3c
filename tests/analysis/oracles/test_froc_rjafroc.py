"""Every entry of RJafroc 2.1.3 on FROC data: figures of merit, curves, OR and DBM."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.dbm import Dbm
from analysis.error_terms import Components
from analysis.interval import wald
from analysis.localisation.curves import localised_curve
from analysis.localisation.froc import localised_figures
from analysis.localisation.marks import MarkColumns, Marks, read_marks
from analysis.localisation.rockette import localised_dbm, localised_obuchowski_rockette
from analysis.mrmc import ArmDifference, ArmMean, Mrmc
from tests.analysis.oracle_entries import R_COMPLEMENT, Entry
from tests.analysis.walk import Compare, Walk
from tests.shared_data import shared

walk = Walk("froc_rjafroc")
SAMPLINGS: dict[str, tuple[Any, Any]] = {
    "RRRC": ("random", "random"), "FRRC": ("fixed", "random"), "RRFC": ("random", "fixed"),
}  # fmt: skip


@cache
def oracle_marks(dataset: str) -> Marks:
    """Marks, cases and design of one data set; RJafroc's treatments are our arms."""
    start = dataset.removesuffix("_marks")
    marks, cases, design = (
        pd.read_csv(shared(f"oracles/data/{start}_{part}.csv"), dtype={"treatment": str})
        for part in ("marks", "cases", "design")
    )
    return read_marks(marks, cases, design, MarkColumns(arm="treatment"))


@walk.covers("FOM/*", ignores=("rows", "cols"))
def figures(entry: Entry, compare: Compare) -> None:
    found = localised_figures(oracle_marks(entry.dataset), entry.id.split("/")[1])
    compare.all(found.values.T, entry.values["values"], "values")


@walk.covers("lesion_distribution/*", ignores=("weights_used.rows", "weights_used.cols"))
def lesions(entry: Entry, compare: Compare) -> None:
    marks = oracle_marks(entry.dataset)
    counts = marks.lesions[marks.truth]
    numbers = np.arange(1, counts.max() + 1)
    compare.all(numbers, entry.values["dist"]["lesID"], "lesID")
    compare.all(np.bincount(counts)[1:] / len(counts), entry.values["dist"]["Freq"], "Freq")
    # A row of RJafroc's table: a number of lesions, then their weights, then -Inf; it has no row that no case needs.
    rows = {int(row[0]): row[1:] for row in entry.values["weights_used"]["values"]}
    for number in set(counts.tolist()):
        for case in np.flatnonzero(marks.truth)[counts == number]:
            weights = np.full(len(numbers), -np.inf)
            weights[:number] = marks.weight[marks.lesion_case == case]
            compare.all(weights, rows[number], f"weights of {number}")


@walk.covers("curves/*", ignores=("*.type", "*.Modality", "*.Reader"))
def curves(entry: Entry, compare: Compare) -> None:
    marks = oracle_marks(entry.dataset)
    for kind, points in entry.values.items():
        found = localised_curve(marks, marks.readers[0], marks.arms[0], kind)
        compare.all(found.x, points["genAbscissa"], f"{kind} x")
        compare.all(found.y, points["genOrdinate"], f"{kind} y")


@walk.covers("OR/*", ignores=("FOMs.foms.rows", "FOMs.foms.cols"))
def obuchowski_rockette(entry: Entry, compare: Compare) -> None:
    _, figure, sampling, _ = entry.id.split("/")
    marks = oracle_marks(entry.dataset)
    readers, cases = SAMPLINGS[sampling]
    found = localised_obuchowski_rockette(marks, figure, readers, cases)
    # Without cases as a sample there are no components; theirs are those of the other analysis.
    both = found if sampling == "RRRC" else localised_obuchowski_rockette(marks, figure)
    compare_figures(entry.values["FOMs"], found, compare)
    compare_components(entry.values["ANOVA"], both, compare)
    content = entry.values[sampling]
    compare_overall(content["FTests"], found, sampling, compare)
    compare_differences(content["ciDiffTrt"], found.differences, compare)
    compare_arms(content["ciAvgRdrEachTrt"], found.arms, sampling, compare)
    if sampling == "RRRC":
        compare.all([arm.cov2 for arm in found.arms], content["ciAvgRdrEachTrt"]["Cov2"], "Cov2")
    if sampling == "FRRC":
        # RJafroc prints the degrees of freedom of the cases beside a normal interval.
        cases_used = localised_figures(marks, figure).cases
        compare.all([cases_used - 1] * len(found.arms), content["ciAvgRdrEachTrt"]["DF"], "DF")
        compare_differences(content["ciDiffTrtEachRdr"], found.reader_differences, compare)
        variances, covariances = by_reader(found)
        compare.all(variances, content["IndividualRdrVarCov1"]["varEachRdr"], "varEachRdr")
        compare.all(covariances, content["IndividualRdrVarCov1"]["cov1EachRdr"], "cov1EachRdr")


@walk.covers("DBM/*", ignores=("FOMs.foms.rows", "FOMs.foms.cols"))
def pseudovalues(entry: Entry, compare: Compare) -> None:
    _, figure, sampling, _ = entry.id.split("/")
    found = localised_dbm(oracle_marks(entry.dataset), figure, *SAMPLINGS[sampling])
    compare_figures(entry.values["FOMs"], found, compare)
    compare_squares(entry.values["ANOVA"], found, compare)
    content = entry.values[sampling]
    assert found.overall is not None
    compare.all([found.overall.df1, found.overall.df2], content["FTests"]["DF"], "DF")
    compare.all([found.squares.arm, found.denominator], content["FTests"]["MS"], "MS")
    compare(found.overall.f, content["FTests"]["FStat"][0], "F")
    compare(found.overall.p, content["FTests"]["p"][0], "p", absolute=R_COMPLEMENT)
    compare_differences(content["ciDiffTrt"], found.differences, compare)
    compare_arms(content["ciAvgRdrEachTrt"], found.arms, sampling, compare)


def compare_squares(content: Any, found: Dbm, compare: Compare) -> None:
    """Sums and means of squares of pseudovalues, in all, by arm and by reader, and their components."""
    r, t, c = found.pseudovalues.shape
    table, mean = content["TRCanova"], found.squares
    df = [t - 1, r - 1, c - 1, (t - 1) * (r - 1), (t - 1) * (c - 1), (r - 1) * (c - 1), (t - 1) * (r - 1) * (c - 1)]
    squares = [
        mean.arm, mean.reader, mean.case, mean.arm_reader, mean.arm_case, mean.reader_case, mean.arm_reader_case
    ]  # fmt: skip
    compare.all([*df, r * t * c - 1], table["DF"], "DF")
    compare.all(squares, table["MS"][:7], "MS")
    total = float(((found.pseudovalues - found.pseudovalues.mean()) ** 2).sum())
    compare.all([*np.multiply(df, squares), total], table["SS"], "SS")
    parts = found.components
    compare.all(
        [parts.reader, parts.case, parts.arm_reader, parts.arm_case, parts.reader_case, parts.error],
        content["VarCom"]["Estimates"], "VarCom",
    )  # fmt: skip
    by_arm, by_reader = content["IndividualTrt"], content["IndividualRdr"]
    compare.all([r - 1, c - 1, (r - 1) * (c - 1)], by_arm["DF"], "IndividualTrt DF")
    compare.all([t - 1, c - 1, (t - 1) * (c - 1)], by_reader["DF"], "IndividualRdr DF")
    marks = oracle_marks(compare.entry.split("/")[-1])
    for arm, own in zip(marks.arms, found.arm_squares, strict=True):
        compare.all([own.reader, own.case, own.reader_case], by_arm[f"trt{arm}"], f"arm {arm}")
    for reader, own in zip(found.readers, found.reader_squares, strict=True):
        compare.all([own.arm, own.case, own.arm_case], by_reader[f"rdr{reader}"], f"reader {reader}")


def compare_figures(content: Any, found: Mrmc | Dbm, compare: Compare) -> None:
    compare.all(found.figures.T, content["foms"]["values"], "foms")
    compare.all([arm.estimate for arm in found.arms], content["trtMeans"]["Estimate"], "trtMeans")
    # RJafroc subtracts the later arm from the earlier.
    compare.all([-row.estimate for row in found.differences], content["trtMeanDiffs"]["Estimate"], "trtMeanDiffs")


def compare_components(content: Any, found: Mrmc, compare: Compare) -> None:
    r, t = found.figures.shape
    squares, parts = found.mean_squares, found.components
    assert isinstance(parts, Components) and parts.reader is not None and parts.arm_reader is not None
    df = [t - 1, r - 1, (t - 1) * (r - 1)]
    mean = [squares.arms, squares.readers, squares.interaction]
    compare.all(df, content["TRanova"]["DF"], "DF")
    compare.all(mean, content["TRanova"]["MS"], "MS")
    compare.all(np.multiply(df, mean), content["TRanova"]["SS"], "SS")
    covariances = [parts.cov1, parts.cov2, parts.cov3]
    compare.all([parts.reader, parts.arm_reader, *covariances, parts.error], content["VarCom"]["Estimates"], "VarCom")
    compare.all(np.divide(covariances, parts.error), content["VarCom"]["Rhos"][2:5], "Rhos")
    by_arm = content["IndividualTrt"]
    compare.all([r - 1] * t, by_arm["DF"], "IndividualTrt DF")
    compare.all([arm.mean_square for arm in found.arms], by_arm["msREachTrt"], "msREachTrt")
    compare.all([arm.error for arm in found.arms], by_arm["varEachTrt"], "varEachTrt")
    compare.all([arm.cov2 for arm in found.arms], by_arm["cov2EachTrt"], "cov2EachTrt")
    variances, within = by_reader(found)
    compare.all([t - 1] * r, content["IndividualRdr"]["DF"], "IndividualRdr DF")
    compare.all(found.figures.var(axis=1, ddof=1), content["IndividualRdr"]["msTEachRdr"], "msTEachRdr")
    compare.all(variances, content["IndividualRdr"]["varEachRdr"], "varEachRdr")
    compare.all(within, content["IndividualRdr"]["cov1EachRdr"], "cov1EachRdr")


def by_reader(found: Mrmc) -> tuple[list[float], list[float]]:
    """Mean variance, and mean covariance of two arms, of each reader."""
    assert found.covariance is not None
    r, t = found.figures.shape
    cube = found.covariance.reshape(r, t, r, t)
    blocks = [cube[reader, :, reader, :] for reader in range(r)]
    return [float(np.trace(b)) / t for b in blocks], [float(b.sum() - np.trace(b)) / (t * (t - 1)) for b in blocks]


def compare_overall(content: Any, found: Mrmc, sampling: str, compare: Compare) -> None:
    assert found.overall is not None
    f, df1, df2, p = found.overall.f, found.overall.df1, found.overall.df2, found.overall.p
    compare.all([found.mean_squares.arms, found.error_term.denominator], content["MS"], "MS")
    # RJafroc computes 1 - pf(...) and 1 - pchisq(...).
    compare(p, content["p"][0], "p", absolute=R_COMPLEMENT)
    if sampling == "FRRC":
        compare(f * df1, content["Chisq"][0], "Chisq")
        compare(df1, content["DF"][0], "DF")
        return
    compare(f, content["FStat" if sampling == "RRRC" else "F"][0], "F")
    compare.all([df1, df2], content["DF"], "DF")


def compare_differences(content: Any, found: tuple[ArmDifference, ...], compare: Compare) -> None:
    compare.all([-row.estimate for row in found], content["Estimate"], "difference")
    compare.all([row.se for row in found], content["StdErr"], "se")
    compare.all([-row.statistic for row in found], content["t" if "t" in content else "z"], "statistic")
    compare.all([row.p for row in found], content["PrGTt" if "t" in content else "PrGTz"], "p")
    if "DF" in content:
        compare.all([row.df for row in found], content["DF"], "df")
    intervals = [row.confidence_interval() for row in found]
    compare.all([-interval.high for interval in intervals], content["CILower"], "low")
    compare.all([-interval.low for interval in intervals], content["CIUpper"], "high")


def compare_arms(content: Any, found: tuple[ArmMean, ...], sampling: str, compare: Compare) -> None:
    compare.all([arm.estimate for arm in found], content["Estimate"], "arm")
    compare.all([arm.se for arm in found], content["StdErr"], "arm se")
    if sampling != "FRRC":
        compare.all([arm.df for arm in found], content["DF"], "arm df")
    # Theirs may leave the range of the figure, ours are clipped to it.
    intervals = [wald(arm.estimate, arm.se, df=arm.df) for arm in found]
    compare.all([interval.low for interval in intervals], content["CILower"], "arm low")
    compare.all([interval.high for interval in intervals], content["CIUpper"], "arm high")


@pytest.mark.parametrize("entry", walk.entries(), ids=str)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
