"""DBM, Obuchowski-Rockette and stand-alone analyses of RJafroc 2.1.3: every entry of its reference file."""

from functools import cache

import numpy as np
import pytest

from analysis.dbm import Dbm, dbm, pseudovalues
from analysis.error_terms import Sampling
from analysis.mrmc import Mrmc, obuchowski_rockette
from analysis.ratings import Columns, Ratings, table_to_ratings
from analysis.standalone import model_against_readers
from tests.analysis.oracle_entries import Entry, oracle_data
from tests.analysis.rjafroc_tables import (
    LABELS,
    MANY_ARMS,
    OPTIONS,
    compare_anova,
    compare_figures,
    compare_or_tests,
    compare_pseudo_anova,
    compare_pseudo_components,
    compare_pseudo_tests,
)
from tests.analysis.walk import Compare, Walk

walk = Walk("mrmc_dbm_or_rjafroc")


@cache
def ratings_of(dataset: str) -> Ratings:
    return table_to_ratings(oracle_data(dataset), Columns(arm="treatment"))


def rockette(entry: Entry, option: str) -> Mrmc:
    return obuchowski_rockette(ratings_of(entry.dataset), "auc", "jackknife", *OPTIONS[option])


def pseudo(entry: Entry, option: str) -> Dbm:
    return dbm(ratings_of(entry.dataset), "auc", *OPTIONS[option])


@walk.covers("OR_jackknife/*", ignores=LABELS)
def obuchowski_rockette_by_jackknife(entry: Entry, compare: Compare) -> None:
    option, level = entry.id.split("/")[1], 0.9 if "alpha0.1" in entry.id else 0.95
    found, values = rockette(entry, option), entry.values
    compare_figures(values["FOMs"], found, compare)
    # The components are those of random readers and cases whatever the analysis.
    compare_anova(values["ANOVA"], rockette(entry, "RRRC"), compare)
    compare_or_tests(values[option], found, option, compare, level)


@walk.covers("DBM/FRRC/penedo_roc", "DBM/FRRC/dobbins2_roc", ignores=LABELS, leaves=MANY_ARMS)
def pseudovalue_analysis_of_many_arms(entry: Entry, compare: Compare) -> None:
    pseudovalue_analysis(entry, compare)


@walk.covers("DBM/*", ignores=LABELS)
def pseudovalue_analysis(entry: Entry, compare: Compare) -> None:
    option, values = entry.id.split("/")[1], entry.values
    found = pseudo(entry, option)
    compare_figures(values["FOMs"], found, compare)
    compare_pseudo_anova(values["ANOVA"], found, compare)
    compare_pseudo_tests(values[option], found, option, compare)


@walk.covers("pseudovalues/*", ignores=LABELS)
def pseudovalues_themselves(entry: Entry, compare: Compare) -> None:
    found, values = pseudovalues(ratings_of(entry.dataset)), entry.values
    r, t, c = found.shape
    compare.all([t, r, c], values["dim_treatment_reader_case"], "shape")
    # The cases of RJafroc stand in its own order, non-diseased first, as in the CSV.
    truth = ratings_of(entry.dataset).truth
    order = np.argsort(truth, kind="stable")
    compare.all(found.mean(axis=2).T, values["mean"]["values"], "mean")
    compare.all(found[:, :, order[0]].T, values["first_case"]["values"], "first case", absolute=1e-13)
    compare.all(found[:, :, order[-1]].T, values["last_case"]["values"], "last case", absolute=1e-13)


@walk.covers("variance_components/*", ignores=LABELS)
def both_sets_of_components(entry: Entry, compare: Compare) -> None:
    values, found, other = entry.values, pseudo(entry, "RRRC"), rockette(entry, "RRRC")
    squares = found.squares
    table = values["mean_squares"]
    for name, ours in (
        ("msT", squares.arm), ("msR", squares.reader), ("msC", squares.case), ("msTR", squares.arm_reader),
        ("msTC", squares.arm_case), ("msRC", squares.reader_case), ("msTRC", squares.arm_reader_case),
    ):  # fmt: skip
        compare(ours, table[name], name)
    compare.all([square.case for square in found.arm_squares], table["msCSingleT"], "msC of each arm")
    compare.all([square.case for square in found.reader_squares], table["msCSingleR"], "msC of each reader")
    compare_pseudo_components(values["DBM"]["Estimates"], found, compare)
    from_dbm = found.components.obuchowski_rockette(found.pseudovalues.shape[2])
    assert other.components is not None
    for parts, expected, estimates in (
        (other.components, values["OR_jackknife"], "Estimates"), (from_dbm, values["OR_from_DBM"], "VarCom"),
    ):  # fmt: skip
        covariances = [parts.cov1, parts.cov2, parts.cov3]
        components = [parts.reader, parts.arm_reader, *covariances, parts.error]
        compare.all(components, expected[estimates], "components", absolute=1e-13)
        compare.all(np.divide(covariances, parts.error), expected["Rhos"][2:5], "Rhos")


@walk.covers("StCadVsRad/*")
def stand_alone(entry: Entry, compare: Compare) -> None:
    """The first reader stands for the model; RJafroc subtracts it from the readers, we them from it."""
    together, values = ratings_of(entry.dataset), entry.values
    readers = together.restricted(readers=together.readers[1:], arms=together.arms[:1])
    score = together.values[0, 0]
    cases: Sampling = "fixed" if "RRFC" in entry.id else "random"
    found = model_against_readers(readers, score, cases=cases)
    interval = found.confidence_interval()
    compare(found.model, values["fomCAD"], "model")
    compare.all([value for _, value in found.readers], values["fomRAD"], "readers")
    compare(found.readers_mean, values["avgRadFom"], "mean of readers")
    compare(-found.estimate, values["avgDiffFom"], "difference")
    compare.all([-interval.high, -interval.low], values["CIAvgDiffFom"], "interval")
    shifted = [found.model - interval.high, found.model - interval.low]
    compare.all(shifted, values["CIAvgRadFom" if cases == "fixed" else "CIAvgRad"], "interval of the readers")
    compare(found.mean_square, values["varR"], "varR")
    compare(-found.statistic, values["Tstat"], "t")
    compare(found.df, values["df"], "df")
    compare(found.p, values["pval"], "p")
    if cases == "random":
        assert found.error is not None and found.cov2 is not None
        compare(found.error, values["varError"], "varError")
        compare(found.cov2, values["cov2"], "cov2")


@pytest.mark.parametrize("entry", walk.entries(), ids=str)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
