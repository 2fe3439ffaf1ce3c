"""Every entry of iMRMC's Java program: tests on both degrees of freedom, five decompositions, readers, sizing."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.components import (
    Part,
    Representation,
    bck,
    bdg,
    crossed,
    dbm,
    effect_coefficients,
    effects,
    mean_squares,
    obuchowski,
)
from analysis.interval import quantile, two_sided_p
from analysis.moments import Moments, moments
from analysis.ratings import Columns, Ratings, table_to_ratings
from analysis.sizing import SizedStudy, StudySize, power_from_moments
from analysis.unbiased import unbiased_auc
from analysis.ustatistics import ArmDifference, ArmMean, Variance, difference_of_arms, mean_of_arm, satterthwaite
from tests.analysis.oracle_entries import Entry
from tests.analysis.walk import Compare, Walk

walk = Walk("mrmc_ustat_imrmc_java")
VARIANCES: dict[str, Variance] = {"Ustat": "unbiased", "MLE": "mle"}
# The tables of components have six digits.
SIX = 5.1e-6
# A sum of moments of order 1 keeps some 1e-16 of them.
CANCELLED = 1e-14
NOT_READ = -1.0
Tested = ArmMean | ArmDifference


def study(entry: Entry) -> Ratings:
    return table_to_ratings(entry.frame(), Columns("reader", "treatment", "case", "truth", "rating"))


@walk.covers("auc/*", ignores=("wall_s", "*.modalityA", "*.modalityB", "*.UstatOrMLE"))
def areas(entry: Entry, compare: Compare) -> None:
    ratings = study(entry)
    found = moments(ratings)
    for name, rows in (("Ustat", entry.values["statAnalysis"]), ("MLE", entry.values["statAnalysisMLE"])):
        for row in rows:
            arms = arms_of(found, row)
            counts(ratings, arms, row, compare)
            statistics(found, arms, VARIANCES[name], row, compare)
    printed(ratings, found, entry, compare)
    tables(found, entry, compare)
    per_reader(ratings, found, entry.values["AUCperReader"], compare)
    covariances(ratings, entry.values["readerCovariance_rows"], compare)


def arms_of(found: Moments, row: Any) -> list[int]:
    names = [row["modalityA"], row["modalityB"]]
    return [found.arms.index(name.removeprefix("m_")) for name in names if name != "NO_MOD"]


def counts(ratings: Ratings, arms: Sequence[int], row: Any, compare: Compare) -> None:
    read = ~np.isnan(ratings.values[:, list(arms)])
    cases = read.any(axis=(0, 1))
    compare(int(read.any(axis=(1, 2)).sum()), row["NR"], "readers")
    compare(int((cases & ~ratings.truth).sum()), row["N0"], "non-diseased")
    compare(int((cases & ratings.truth).sum()), row["N1"], "diseased")


def answer_of(found: Moments, arms: Sequence[int], variance: Variance) -> Tested:
    """Theirs is first minus second."""
    return (
        difference_of_arms(found, arms[1], arms[0], variance)
        if len(arms) > 1
        else mean_of_arm(found, arms[0], variance)
    )


def statistics(found: Moments, arms: Sequence[int], variance: Variance, row: Any, compare: Compare) -> None:
    biased = variance == "mle"
    for arm, name in zip(arms, "AB", strict=False):
        compare(found.means[arm], row[f"AUC{name}"], f"mean {name}")
        compare(found.covariance(arm, arm, biased), row[f"varAUC{name}"], f"variance {name}")
    answers = [row[f"{word}{how}"] for how in ("Normal", "BDG", "Hillis") for word in ("pValue", "reject")]
    answers += [row[f"{word}{how}"] for how in ("normal", "BDG", "Hillis") for word in ("botCI", "topCI")]
    degrees = [row["dfBDG"], row["dfHillis"]]
    difference = [row[name] for name in ("AUCB", "varAUCB", "AUCAminusAUCB", "varAUCAminusAUCB")]
    if len(arms) == 1:
        assert set(difference) == {"NA"}
    else:
        compare(found.means[arms[0]] - found.means[arms[1]], difference[2], "difference")
        compare(found.variance_of_difference(arms[0], arms[1], biased), difference[3], "variance of the difference")
        if difference[3] < 0:
            assert {*answers, *degrees} == {"NA"}
            compare.refused(lambda: answer_of(found, arms, variance), "a negative variance")
            return
    ours = answer_of(found, arms, variance)
    compare(ours.df, degrees[0], "dfBDG")
    hows = ["Normal", "BDG"]
    if ours.df_hillis is None:
        assert {degrees[1], *(row[f"{word}Hillis"] for word in ("pValue", "reject", "botCI", "topCI"))} == {"NA"}
    else:
        compare(ours.df_hillis, degrees[1], "dfHillis")
        hows.append("Hillis")
    for how in hows:
        df = cut(math.inf if how == "Normal" else ours.df if how == "BDG" else ours.df_hillis or math.inf)
        p, half = p_of(ours, df), quantile(0.95, df) * ours.se
        compare(p, row[f"pValue{how}"], f"p {how}")
        compare(float(p < 0.05), row[f"reject{how}"], f"reject {how}")
        ending = how.replace("Normal", "normal")
        compare(ours.estimate - half, row[f"botCI{ending}"], f"low {how}")
        compare(ours.estimate + half, row[f"topCI{ending}"], f"high {how}")


def cut(df: float) -> float:
    """iMRMC cuts df to a whole number and takes the normal from 50 on."""
    return math.inf if df >= 50 else math.floor(df)


def p_of(ours: Tested, df: float) -> float:
    assert ours.statistic is not None
    return two_sided_p(ours.statistic, df)


def printed(ratings: Ratings, found: Moments, entry: Entry, compare: Compare) -> None:
    """The same with all digits; here the numbers of readers and cases are those of the whole study."""
    blocks = entry.values["printed_full_precision"]
    for place, row in enumerate(entry.values["statAnalysis"]):
        arms = arms_of(found, row)
        for variance, block in zip(VARIANCES.values(), blocks[2 * place : 2 * place + 2], strict=True):
            biased = variance == "mle"
            compare(len(ratings.readers), block["NR"], "readers")
            compare(ratings.negatives, block["N0"], "non-diseased")
            compare(ratings.positives, block["N1"], "diseased")
            means = [found.means[arm] for arm in arms]
            variances = [found.covariance(arm, arm, biased) for arm in arms]
            compare(means[0], block["auc0"], "first mean")
            compare(variances[0], block["varA"], "first variance")
            # With one arm the second is not there: -1 and 0.
            compare(means[1] if len(arms) > 1 else NOT_READ, block["auc1"], "second mean")
            compare(variances[1] if len(arms) > 1 else 0.0, block["varB"], "second variance")
            estimate = means[0] - means[1] if len(arms) > 1 else means[0]
            compare(estimate, block["auc0-auc1"], "estimate")
            total = found.variance_of_difference(arms[0], arms[1], biased) if len(arms) > 1 else variances[0]
            compare(total, block["totalVar"], "variance")
            df = satterthwaite(effects(found, biased=True), effect_coefficients(found.coefficients), total, *arms)
            compare(df, block["DF_BDG"], "dfBDG")
            compare(quantile(0.95), block["cutoffNormal"], "normal quantile")
            compare(quantile(0.95, cut(df)), block["cutoffBDG"], "quantile")
            full_answers(found, arms, variance, total, block, compare)


def full_answers(
    found: Moments, arms: Sequence[int], variance: Variance, total: float, block: Any, compare: Compare
) -> None:
    theirs = [block["tStatEst"], block["pValF"], block["pValBDG"], *block["ciNormal"], *block["ciBDG"]]
    if total < 0:
        assert all(math.isnan(float(number)) for number in theirs)
        return
    ours = answer_of(found, arms, variance)
    assert ours.statistic is not None
    compare(abs(ours.statistic), theirs[0], "t")
    for how, df in (("Normal", math.inf), ("BDG", ours.df), ("Hillis", ours.df_hillis)):
        if df is None:
            assert "DF_Hillis" not in block
            continue
        compare(p_of(ours, cut(df)), block["pValF" if how == "Normal" else f"pVal{how}"], f"p {how}")
        half = quantile(0.95, cut(df)) * ours.se
        compare.all([ours.estimate - half, ours.estimate + half], block[f"ci{how}"], f"interval {how}")
        if how == "Hillis":
            compare(df, block["DF_Hillis"], "dfHillis")
            compare(quantile(0.95, cut(df)), block["cutoffHillis"], "quantile Hillis")


def tables(found: Moments, entry: Entry, compare: Compare) -> None:
    """The five representations: components, what multiplies them, and their products."""
    for name, words, make in (("BDGtable", "compOrCoeff", bdg), ("BCKtable", "Moments", bck)):
        for row in entry.values[name]:
            arms = arms_of(found, row)
            second = arms[1] if len(arms) > 1 else None
            in_blocks(make(found, arms[0], second, row["UstatOrMLE"] == "MLE"), row[words], row, compare)
    rows = zip(entry.values["DBMtable"], entry.values["ORtable"], entry.values["MStable"], strict=True)
    for of_dbm, of_or, of_ms in rows:
        arms, biased, what = arms_of(found, of_dbm), of_dbm["UstatOrMLE"] == "MLE", of_dbm["Components"]
        assert (what, what) == (of_or["Components"], of_ms["Components"])
        if not found.crossed:
            assert {row[key] for row in (of_dbm, of_or, of_ms) for key in row if key in LETTERS} == {"NA"}
            continue
        second = arms[1] if len(arms) > 1 else None
        parts = crossed(found, arms[0], second, biased)
        one_line(dbm(parts), what, of_dbm, compare)
        line_of_or(obuchowski(parts), what, of_or, compare)
        line_of_squares(mean_squares(parts), what, of_ms, compare)
        total = found.covariance(arms[0], arms[0], biased)
        if second is not None:
            total = found.variance_of_difference(arms[0], second, biased)
        for representation in (dbm(parts), obuchowski(parts), mean_squares(parts)):
            assert representation.variance == pytest.approx(total, rel=1e-9)


LETTERS = {"R", "C", "RC", "TR", "TC", "TRC", "MR", "MC", "MRC", "COV1", "COV2", "COV3", "ERROR"}


def number_of(part: Part, what: str) -> float:
    return {"comp": part.component, "coef": part.coefficient, "tota": part.total}[what[:4]]


def six(found: float, expected: object, what: str, compare: Compare) -> None:
    compare(found, expected, what, rel=SIX, absolute=CANCELLED)


def in_blocks(parts: Representation, what: str, row: Any, compare: Compare) -> None:
    """Rows comp_A, coeff_A, comp_B ..., total."""
    blocks = {"A": parts.first, "B": parts.second, "product": parts.product}
    for place, part in enumerate(parts.first):
        if what == "total":
            own = sum(block[place].total for block in (parts.first, parts.second) if block)
            six(own - (parts.product[place].total if parts.product else 0.0), row[part.name], part.name, compare)
            continue
        block = blocks[what.split("_")[1]]
        six(number_of(block[place], what) if block else 0.0, row[part.name], f"{what} {part.name}", compare)


def one_line(parts: Representation, what: str, row: Any, compare: Compare) -> None:
    for part in parts.first:
        six(number_of(part, what), row[part.name], f"{parts.name} {part.name}", compare)


def line_of_or(parts: Representation, what: str, row: Any, compare: Compare) -> None:
    """Of one arm iMRMC also has TR, COV1 and COV3, zero or multiplied by zero."""
    one_line(parts, what, row, compare)
    if len(parts.first) == 6:
        return
    named = {part.name: part for part in parts.first}
    for name, same in (("TR", ""), ("COV1", "ERROR"), ("COV3", "COV2")):
        if what == "components" and row["UstatOrMLE"] == "MLE" and same:
            six(named[same].component, row[name], name, compare)
        else:
            six(0.0, row[name], name, compare)


def line_of_squares(parts: Representation, what: str, row: Any, compare: Compare) -> None:
    """iMRMC 4.0.3 puts two coefficients in the wrong place, so that its totals do not add up to its variance.

    One arm: that of RC stands at MC; two arms: that of MC stands at RC. Ours, in the right place, add up.
    """
    named = {part.name: part for part in parts.first}
    single = len(parts.first) == 3
    here, there = ("RC", "MC") if single else ("MC", "RC")
    for name in ("R", "C", "RC", "MR", "MC", "MRC"):
        part = named.get(name, Part(name, 0.0, 0.0))
        coefficient = 0.0 if name == here else named[here].coefficient if name == there else part.coefficient
        six(number_of(Part(name, part.component, coefficient), what), row[name], f"MS {what} {name}", compare)


def per_reader(ratings: Ratings, found: Moments, rows: Any, compare: Compare) -> None:
    """Areas of the readers; variances are rounded to eight decimals."""
    shape = (*ratings.values.shape[:2], *ratings.values.shape[:2])
    matrix = unbiased_auc(ratings).reshape(shape)
    for row in rows:
        arms, reader = arms_of(found, row), ratings.readers.index(str(row["readerID"]))
        read = ~np.isnan(ratings.values[reader, arms]).any(axis=0)
        compare(int((read & ~ratings.truth).sum()), row["N0"], "non-diseased of the reader")
        compare(int((read & ratings.truth).sum()), row["N1"], "diseased of the reader")
        variances = []
        for arm, name in zip(arms, "AB", strict=False):
            area, variance = found.figures[reader, arm], matrix[reader, arm, reader, arm]
            if row[f"AUC{name}"] == NOT_READ:
                assert np.isnan(area) and row[f"varAUC{name}"] == "NA"
                continue
            compare(area, row[f"AUC{name}"], f"area {name}")
            compare(variance, row[f"varAUC{name}"], f"variance {name}", absolute=5.1e-9)
            variances.append(variance)
        difference, spread = row["AUCAminusAUCB"], row["varAUCAminusAUCB"]
        if len(arms) == 1:
            assert {row["AUCB"], row["varAUCB"], difference, spread} == {"NA"}
        elif len(variances) == 2:
            compare(found.figures[reader, arms[0]] - found.figures[reader, arms[1]], difference, "difference")
            both = sum(variances) - 2 * matrix[reader, arms[0], reader, arms[1]]
            compare(both, spread, "variance of the difference", absolute=5.1e-9)
        # Tests of single readers are not there.
        assert {value for key, value in row.items() if re.match("pValue|botCI|topCI|reject|df", key)} == {"NA"}


def covariances(ratings: Ratings, lines: Sequence[Sequence[Any]], compare: Compare) -> None:
    """One table per pair of arms, a line per reader."""
    shape = (*ratings.values.shape[:2], *ratings.values.shape[:2])
    matrix = unbiased_auc(ratings).reshape(shape)
    arms, readers = (0, 0), []
    for line in lines[2:]:
        if len(line) == 1:
            one, two = (ratings.arms.index(name.removeprefix("m_")) for name in str(line[0]).split(" VS "))
            arms = one, two
        elif line[0] == "":
            readers = [ratings.readers.index(str(name)) for name in line[1:-1]]
        else:
            who = ratings.readers.index(str(line[0]))
            for other, expected in zip(readers, line[1:-1], strict=True):
                covariance = matrix[who, arms[0], other, arms[1]]
                if expected == "NA":
                    assert np.isnan(covariance)
                else:
                    compare(covariance, expected, "covariance of two readers", absolute=CANCELLED)


@walk.covers("sizing/*")
def sizing(entry: Entry, compare: Compare) -> None:
    """Power with iMRMC's rounding: df cut, one less below the noncentral F than above it, normal from 50 on."""
    pilot = moments(study(entry))
    for row in entry.values:
        flags = [bool(row[f"paired_{name}"]) for name in ("readers", "normals", "diseased")]
        cases = (row["N0"], row["N1"])
        size = StudySize(row["NR"], cases, row["split_plot_groups"], flags[0], (flags[1], flags[2]))
        found = power_from_moments(pilot, 0, 1, size, row["effect"], row["alpha"])
        compare(found.se**2, row["totalVar"], "variance")
        compare(found.se, row["SE"], "se")
        compare(found.df, row["DF_BDG"], "df")
        compare(found.noncentrality, row["lambdaBDG"], "noncentrality")
        compare(found.power_normal, row["powerNormal"], "normal power")
        power(found, found.df, found.noncentrality, row["powerBDG"], compare)
        plain = power_from_moments(pilot, 0, 1, StudySize(row["NR"], cases), row["effect"], row["alpha"])
        # iMRMC prints Hillis's prediction for the crossed design also beside the others.
        assert plain.hillis is not None and (found.hillis is None) == (size != plain.size)
        compare(plain.hillis.df, row["DF_Hillis"], "df Hillis")
        compare(plain.hillis.noncentrality, row["lambdaHillis"], "noncentrality Hillis")
        power(plain, plain.hillis.df, plain.hillis.noncentrality, row["powerHillis"], compare)


def power(found: SizedStudy, df: float, noncentrality: float, expected: object, compare: Compare) -> None:
    if df >= 50:
        # iMRMC counts one tail; the other holds less than 1e-9 here.
        limit = stats.norm.isf(found.alpha / 2)
        compare(float(stats.norm.sf(limit - math.sqrt(noncentrality))), expected, "power, normal")
        return
    whole = math.floor(df)
    limit = stats.f.isf(found.alpha, 1, whole)
    compare(float(stats.ncf.sf(limit, 1, whole - 1, noncentrality)), expected, "power")


@pytest.mark.parametrize("entry", walk.entries(), ids=lambda entry: entry.id)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
