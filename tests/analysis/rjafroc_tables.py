"""Comparison with what RJafroc prints of an Obuchowski-Rockette or DBM analysis; it subtracts later from earlier."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.dbm import Dbm, PseudoSquares
from analysis.error_terms import Sampling
from analysis.mrmc import ArmDifference, ArmMean, Mrmc
from tests.analysis.walk import Compare

OPTIONS: dict[str, tuple[Sampling, Sampling]] = {
    "RRRC": ("random", "random"), "FRRC": ("fixed", "random"), "RRFC": ("random", "fixed"),
}  # fmt: skip
# The error term of a reader is MS(TC) of all t arms, on (t - 1)(c - 1) degrees of freedom as the overall one.
ONE_ARM_LESS = (
    "With more than two arms RJafroc holds a reader's differences against MS(TC) of all arms on c - 1 degrees of "
    "freedom, the mean square has (t - 1)(c - 1)."
)
MANY_ARMS = {f"*FRRC.ciDiffTrtEachRdr.{name}": ONE_ARM_LESS for name in ("DF", "PrGTt", "CILower", "CIUpper")}
LABELS = ("FOMs.foms.rows", "FOMs.foms.cols", "*.rows", "*.cols")
# A difference of zero has rounding only, and no digits.
ROUNDING = 1e-12


def compare_figures(content: Any, found: Mrmc | Dbm, compare: Compare) -> None:
    """FOMs: figures, their means and the differences."""
    foms = content["foms"]
    if "values" in foms:
        compare.all(found.figures.T, foms["values"], "foms")
    else:
        columns = [name for name in foms if name.startswith("rdr")]
        compare.all(found.figures, [foms[name] for name in columns], "foms")
    compare.all([arm.estimate for arm in found.arms], content["trtMeans"]["Estimate"], "trtMeans")
    expected = content["trtMeanDiffs"]["Estimate"]
    compare.all([-row.estimate for row in found.differences], expected, "trtMeanDiffs", absolute=ROUNDING)


def compare_mean_squares(content: Any, found: Mrmc, compare: Compare) -> None:
    """TRanova: sums of squares, degrees of freedom, mean squares."""
    r, t = found.figures.shape
    squares = found.mean_squares
    df, mean = [t - 1, r - 1, (t - 1) * (r - 1)], [squares.arms, squares.readers, squares.interaction]
    compare.all(df, content["DF"], "DF")
    compare.all(mean, content["MS"], "MS")
    compare.all(np.multiply(df, mean), content["SS"], "SS")


def by_reader(found: Mrmc) -> tuple[list[float], list[float]]:
    """Mean variance and mean covariance over the arms of each reader."""
    r, t = found.figures.shape
    assert found.covariance is not None
    blocks = [found.covariance.reshape(r, t, r, t)[place, :, place] for place in range(r)]
    variances = [float(np.trace(block)) / t for block in blocks]
    pairs = t * (t - 1)
    return variances, [float(block.sum() - t * own) / pairs for block, own in zip(blocks, variances, strict=True)]


def compare_anova(content: Any, found: Mrmc, compare: Compare) -> None:
    """ANOVA of an Obuchowski-Rockette analysis with random readers and cases."""
    r, t = found.figures.shape
    parts = found.components
    assert parts is not None
    compare_mean_squares(content["TRanova"], found, compare)
    covariances = [parts.cov1, parts.cov2, parts.cov3]
    # VarR and VarTR are differences of mean squares and covariances, of which little may be left.
    assert parts.reader is not None and parts.arm_reader is not None
    # RJafroc raises Cov2 - Cov3 to zero inside the components too; with it they are these.
    raised = max(parts.cov3 - parts.cov2, 0.0)
    ours = [parts.reader - raised / t, parts.arm_reader + raised, *covariances, parts.error]
    compare.all(ours, content["VarCom"]["Estimates"], "VarCom", absolute=1e-13)
    compare.all(np.divide(covariances, parts.error), content["VarCom"]["Rhos"][2:5], "Rhos")
    by_arm = content["IndividualTrt"]
    compare.all([r - 1] * t, by_arm["DF"], "IndividualTrt DF")
    compare.all([arm.mean_square for arm in found.arms], by_arm["msREachTrt"], "msREachTrt")
    compare.all([arm.error for arm in found.arms], by_arm["varEachTrt"], "varEachTrt")
    compare.all([arm.cov2 for arm in found.arms], by_arm["cov2EachTrt"], "cov2EachTrt")
    variances, within = by_reader(found)
    own = content["IndividualRdr"]
    compare.all([t - 1] * r, own["DF"], "IndividualRdr DF")
    compare.all(found.figures.var(axis=1, ddof=1), own["msTEachRdr"], "msTEachRdr")
    compare.all(variances, own["varEachRdr"], "varEachRdr")
    compare.all(within, own["cov1EachRdr"], "cov1EachRdr")


def compare_or_tests(
    content: Any, found: Mrmc, option: str, compare: Compare, level: float = 0.95, cases: int | None = None
) -> None:
    """RRRC, FRRC or RRFC of an Obuchowski-Rockette analysis; cases: where no design tells their number."""
    if cases is None:
        assert found.design is not None
        cases = found.design.cases
    overall, tests, t = found.overall, content["FTests"], len(found.arms)
    assert overall is not None
    compare(found.mean_squares.arms, tests["MS"][0], "MS(T)")
    compare(found.error_term.denominator, tests["MS"][1], "denominator")
    compare(overall.p, tests["p"][0], "p")
    compare(t - 1, tests["DF"][0], "df1")
    if option == "FRRC":
        compare(overall.f * overall.df1, tests["Chisq"][0], "chi-square")
        variances, within = by_reader(found)
        compare.all(variances, content["IndividualRdrVarCov1"]["varEachRdr"], "varEachRdr")
        compare.all(within, content["IndividualRdrVarCov1"]["cov1EachRdr"], "cov1EachRdr")
        compare_differences(content["ciDiffTrtEachRdr"], found.reader_differences, "z", compare, level)
    else:
        compare(overall.df2, tests["DF"][1], "df2")
        compare(overall.f, (tests["FStat"] if "FStat" in tests else tests["F"])[0], "F")
    compare_differences(content["ciDiffTrt"], found.differences, "z" if option == "FRRC" else "t", compare, level)
    compare_arms(content["ciAvgRdrEachTrt"], found.arms, compare, level, cases if option == "FRRC" else None)
    if "Cov2" in content["ciAvgRdrEachTrt"]:
        compare.all([arm.cov2 for arm in found.arms], content["ciAvgRdrEachTrt"]["Cov2"], "Cov2")


def compare_differences(
    table: Any, rows: Sequence[ArmDifference], statistic: str, compare: Compare, level: float
) -> None:
    limits = [row.confidence_interval(level) for row in rows]
    compare.all([-row.estimate for row in rows], table["Estimate"], "difference", absolute=ROUNDING)
    compare.all([row.se for row in rows], table["StdErr"], "se")
    compare.all([-row.statistic for row in rows], table[statistic], "statistic", absolute=ROUNDING)
    compare.all([row.p for row in rows], table[f"PrGT{statistic}"], "p")
    compare.all([-interval.high for interval in limits], table["CILower"], "low", absolute=ROUNDING)
    compare.all([-interval.low for interval in limits], table["CIUpper"], "high", absolute=ROUNDING)
    if "DF" in table:
        compare.all([row.df for row in rows], table["DF"], "df")


def compare_arms(table: Any, arms: Sequence[ArmMean], compare: Compare, level: float, cases: int | None = None) -> None:
    """cases: RJafroc prints their number less one beside the normal interval of fixed readers."""
    limits = [arm.confidence_interval(level) for arm in arms]
    compare.all([arm.estimate for arm in arms], table["Estimate"], "mean")
    compare.all([arm.se for arm in arms], table["StdErr"], "mean se")
    compare.all([arm.df if cases is None else cases - 1 for arm in arms], table["DF"], "mean df")
    # RJafroc lets an interval of an area leave the range from 0 to 1.
    compare.all([interval.low for interval in limits], np.maximum(table["CILower"], 0.0), "mean low")
    compare.all([interval.high for interval in limits], np.minimum(table["CIUpper"], 1.0), "mean high")


def compare_pseudo_anova(content: Any, found: Dbm, compare: Compare) -> None:
    """ANOVA of pseudovalues."""
    r, t, c = found.pseudovalues.shape
    mean = squares_of(found.squares)
    df = [t - 1, r - 1, c - 1, (t - 1) * (r - 1), (t - 1) * (c - 1), (r - 1) * (c - 1), (t - 1) * (r - 1) * (c - 1)]
    table = content["TRCanova"]
    # RJafroc's last row is the total.
    compare.all(df, table["DF"][:7], "DF")
    compare.all(mean, table["MS"][:7], "MS")
    compare.all(np.multiply(df, mean), table["SS"][:7], "SS")
    total = found.pseudovalues - found.pseudovalues.mean()
    compare(float((total**2).sum()), table["SS"][7], "total")
    compare(r * t * c - 1, table["DF"][7], "total DF")
    compare_pseudo_components(content["VarCom"]["Estimates"], found, compare)
    compare.all([r - 1, c - 1, (r - 1) * (c - 1)], content["IndividualTrt"]["DF"], "IndividualTrt DF")
    for name, square in zip(columns(content["IndividualTrt"], "trt"), found.arm_squares, strict=True):
        ours = [square.reader, square.case, square.reader_case]
        compare.all(ours, content["IndividualTrt"][name], name)
    compare.all([t - 1, c - 1, (t - 1) * (c - 1)], content["IndividualRdr"]["DF"], "IndividualRdr DF")
    for name, square in zip(columns(content["IndividualRdr"], "rdr"), found.reader_squares, strict=True):
        compare.all([square.arm, square.case, square.arm_case], content["IndividualRdr"][name], name)


def columns(table: Any, start: str) -> list[str]:
    return [name for name in table if name.lower().startswith(start)]


def squares_of(squares: PseudoSquares) -> list[float]:
    return [
        squares.arm, squares.reader, squares.case, squares.arm_reader, squares.arm_case, squares.reader_case,
        squares.arm_reader_case,
    ]  # fmt: skip


def compare_pseudo_components(expected: Any, found: Dbm, compare: Compare) -> None:
    parts = found.components
    ours = [parts.reader, parts.case, parts.arm_reader, parts.arm_case, parts.reader_case, parts.error]
    # Differences of mean squares, of which little may be left.
    compare.all(ours, expected, "components", absolute=1e-13)


def compare_pseudo_tests(content: Any, found: Dbm, option: str, compare: Compare) -> None:
    """RRRC, FRRC or RRFC of a DBM analysis."""
    tests, overall = content["FTests"], found.overall
    compare(found.squares.arm, tests["MS"][0], "MS(T)")
    compare(found.denominator, tests["MS"][1], "denominator")
    compare.all([overall.df1, overall.df2], tests["DF"], "df")
    compare(overall.f, tests["FStat"][0], "F")
    compare(overall.p, tests["p"][0], "p")
    compare_differences(content["ciDiffTrt"], found.differences, "t", compare, 0.95)
    compare_arms(content["ciAvgRdrEachTrt"], found.arms, compare, 0.95)
    if option == "FRRC" and len(found.arms) == 2:
        compare_differences(content["ciDiffTrtEachRdr"], found.reader_differences, "t", compare, 0.95)
    elif option == "FRRC":
        own = content["ciDiffTrtEachRdr"]
        rows = found.reader_differences
        compare.all([-row.estimate for row in rows], own["Estimate"], "difference of a reader", absolute=ROUNDING)
        compare.all([row.se for row in rows], own["StdErr"], "se of a reader")
        compare.all([-row.statistic for row in rows], own["t"], "t of a reader", absolute=ROUNDING)
