"""Obuchowski-Rockette against MRMCaov 0.3.0: every entry of its reference file."""

import math
from dataclasses import replace

import numpy as np
import pytest

from analysis.conversions import (
    AucModel,
    RatingModel,
    obuchowski_rockette_to_roe_metz,
    roe_metz_to_obuchowski_rockette,
)
from analysis.covariance import covariance, figures_of_merit
from analysis.error_terms import MeanSquares
from analysis.errors import CannotAnalyse
from analysis.merits import Custom, Merit
from analysis.mrmc import obuchowski_rockette
from analysis.ratings import Bools, Columns, Floats, table_to_ratings
from analysis.roc import roc_curve
from tests.analysis.mrmcaov_tables import (
    compare_all,
    compare_components,
    compare_figures,
    compare_means,
    compare_reader_estimates,
    compare_tests,
    reader_rows,
    request_of,
)
from tests.analysis.oracle_entries import Entry
from tests.analysis.walk import Compare, Walk

walk = Walk("mrmc_or_mrmcaov")

IGNORED = (
    "design", "*.treatment", "*.reader", "*.Reader", "*.Comparison", "*.component", "*.labels_treatment.reader",
)  # fmt: skip
REPEATED = "MRMCaov repeats the standard errors of its readers over the wrong rows when there are more than two arms."
ENDLESS = (
    "Without its diseased case rated 2, reader 4 in treatment 1 has two points inside the square at one height and the "
    "binormal likelihood rises without end; ours refuses, MRMCaov's optimiser stops on the ridge."
)
NESTED = "MRMCaov 0.3.0 divides by (n - sum n_i²) where (n² - sum n_i²) is meant, Hillis (2014)."


@walk.covers("auc/*/RRRC/prostate_colorscale")
def refused_design(entry: Entry, compare: Compare) -> None:
    """Not every reader read in every arm: MRMCaov refuses the design, so do we, with the gap."""
    assert "not a supported study design" in entry.values["error"]
    with pytest.raises(CannotAnalyse, match="read nothing in arm"):
        request_of(entry).analyse()
    compare(1, 1, "refused by both")


@walk.covers("stmc/unbiased/*")
def unbiased_of_one(entry: Entry, compare: Compare) -> None:
    """MRMCaov stops where there is one reader and one arm; the first of its two arms says what it should be."""
    assert "nrow" in entry.values["error"]
    two = next(item for item in walk.all_entries() if item.id == "srmc/unbiased/vandyke_r1")
    expected = two.values["covariance_matrix"]["cov"][0][0]
    compare(request_of(entry).analyse().cells[0].se ** 2, expected, "variance")


@walk.covers("stmc/*")
def one_arm_one_reader(entry: Entry, compare: Compare) -> None:
    cell = request_of(entry).analyse().cells[0]
    interval = cell.confidence_interval()
    compare(cell.estimate, entry.values["empirical_auc"], "AUC")
    compare(cell.se, entry.values["StdErr"], "se")
    compare(interval.low, entry.values["CI.Lower"], "low")
    compare(interval.high, entry.values["CI.Upper"], "high")


@walk.covers(
    "auc/*/readers_nested_in_tests/*",
    ignores=IGNORED,
    leaves={
        "test_equality.Denominator": NESTED, "test_equality.F": NESTED, "test_equality.df2": NESTED,
        "test_equality.p-value": NESTED, "test_diffs.StdErr": NESTED, "test_diffs.df": NESTED, "test_diffs.t": NESTED,
        "test_diffs.p-value": NESTED, "test_diffs.CI_*": NESTED,
    },
)  # fmt: skip
def readers_nested_in_arms(entry: Entry, compare: Compare) -> None:
    """Mean squares, components and means are right there; the test is not."""
    request, values = request_of(entry), entry.values
    found = request.analyse()
    compare_figures(compare, request, found, values)
    compare_components(compare, found, values["vcov_comps"])
    compare_means(compare, found, values["test_means"])
    table, parts = values["test_equality"], found.components
    assert parts is not None
    compare(found.mean_squares.arms, table["MS[T]"][0], "MS[T]")
    compare(found.mean_squares.interaction, table["MS[R(T)]"][0], "MS[R(T)]")
    compare(parts.cov2, table["Cov2"][0], "Cov2")
    compare(parts.cov3, table["Cov3"][0], "Cov3")
    compare(len(found.arms) - 1, table["df1"][0], "df1")
    compare(-found.estimate, values["test_diffs"]["Estimate"][0], "difference")
    # With the square, as oracles/README.md gives it for the unbiased covariance.
    if "/unbiased/" in entry.id:
        compare(round(found.error_term.denominator, 7), 0.0026048, "denominator")


@walk.covers("OR_to_RMH/*", ignores=("b_method",))
def to_roe_metz(entry: Entry, compare: Compare) -> None:
    parts = obuchowski_rockette(table_to_ratings(entry.frame(), Columns(arm="treatment"))).components
    assert parts is not None and parts.reader is not None and parts.arm_reader is not None
    values = {name: entry.values[name] for name in entry.values}
    expected = {name: float(value) for name, value in values.items() if name != "b_method"}
    given = AucModel(
        int(expected["n0"]), int(expected["n1"]), (0.897037, 0.940837), parts.reader, parts.arm_reader, parts.error,
        parts.cov1, parts.cov2, parts.cov3,
    )  # fmt: skip
    # MRMCaov looks for b in steps of 1e-6 and takes the first beyond the root.
    compare(obuchowski_rockette_to_roe_metz(given).b, expected["b"], "b", rel=2e-6)
    found = obuchowski_rockette_to_roe_metz(given, expected["b"])
    # It halves intervals down to 2^-30 for x3 to x7, which leaves 1e-9 of each and of what follows from them.
    halved = {"absolute": 4e-9}
    compare_rating_model(compare, found, expected, halved)
    total = (1 + found.b**-2) + 2 * (found.reader + found.arm_reader)
    compare(found.deltas[0] / math.sqrt(total), expected["x1"], "x1")
    compare(found.deltas[1] / math.sqrt(total), expected["x2"], "x2")
    compare(2 * found.reader / total, expected["x3"], "x3", **halved)
    compare(2 * (found.reader + found.arm_reader) / total, expected["x4"], "x4", **halved)
    compare(found.case, expected["x5"], "x5", **halved)
    compare(found.case + found.arm_case, expected["x6"], "x6", **halved)
    compare(found.case + found.reader_case, expected["x7"], "x7", **halved)


def compare_rating_model(
    compare: Compare, found: RatingModel, expected: dict[str, float], tolerance: dict[str, float]
) -> None:
    compare(found.negatives, expected["n0"], "n0")
    compare(found.positives, expected["n1"], "n1")
    compare(found.deltas[0], expected["delta1"], "delta1")
    compare(found.deltas[1], expected["delta2"], "delta2")
    for name, value in (
        ("var_R", found.reader), ("var_TR", found.arm_reader), ("var_C", found.case), ("var_TC", found.arm_case),
        ("var_RC", found.reader_case), ("var_error", found.error),
    ):  # fmt: skip
        compare(value, expected[name], name, **tolerance)
    for place, (ratio, improper) in enumerate(zip(found.mean_to_sigma, found.improper, strict=True), 1):
        compare(ratio, expected[f"mean_to_sig{place}"], "mean to sigma")
        compare(improper, expected[f"Pr{place}_improper"], "improper", **tolerance)


@walk.covers("RMH_to_OR/*")
def from_roe_metz(entry: Entry, compare: Compare) -> None:
    values = entry.values
    model = RatingModel(values["n0"], values["n1"], (0.75, 0.75), 0.0055, 0.0055, 0.3, 0.3, 0.2, 0.2, values["b"])
    found = roe_metz_to_obuchowski_rockette(model)
    compare.all(found.aucs, [values["AUC1"], values["AUC2"]], "AUC")
    compare(found.reader, values["var_R"], "var_R")
    compare(found.arm_reader, values["var_TR"], "var_TR")
    compare(found.error, values["var_error"], "var_error")
    for place, value in enumerate((found.cov1, found.cov2, found.cov3), 1):
        compare(value, values[f"cov{place}"], "covariance")
        compare(value / found.error, values[f"corr{place}"], "correlation")
    for place, (ratio, improper) in enumerate(zip(model.mean_to_sigma, model.improper, strict=True), 1):
        compare(ratio, values[f"mean_to_sig{place}"], "mean to sigma")
        compare(improper, values[f"Pr{place}_improper"], "improper")


@walk.covers(
    "*/FRRC/dobbins2_roc", "*/FRRC/penedo_roc", "*/FRRC/mitotic_binary",
    ignores=IGNORED,
    leaves={f"reader_test_diffs.{name}": REPEATED for name in ("z", "p-value", "CI_lower", "CI_upper")},
)  # fmt: skip
def fixed_readers_many_arms(entry: Entry, compare: Compare) -> None:
    request = request_of(entry)
    found = request.analyse()
    compare_all(compare, request, found, entry.values)
    table = entry.values["reader_test_diffs"]
    errors = {row.reader: row.se for row in found.reader_differences}
    compare_reader_estimates(compare, found, table)
    right = [errors[found.readers[place % len(found.readers)]] for place in range(len(table["StdErr"]))]
    compare.all(right, table["StdErr"], "standard errors as they are repeated")


def joined_ends(truth: Bools, values: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The points of the curve, and its upper ends only, which MRMCaov joins by straight lines."""
    curve = roc_curve(truth, values)
    upper = np.append(curve.fpr[1:] != curve.fpr[:-1], True)
    return curve.fpr, curve.tpr, curve.fpr[upper], curve.tpr[upper]


def sensitivity_of_mrmcaov(truth: Bools, values: Floats) -> float:
    _, _, x, y = joined_ends(truth, values)
    return float(np.interp(0.1, x, y))


def partial_area_of_mrmcaov(truth: Bools, values: Floats) -> float:
    fpr, tpr, x, y = joined_ends(truth, values)
    before, end = fpr < 0.2 - 1e-12, 1 - 0.8
    return float(np.trapezoid([*tpr[before], np.interp(end, x, y)], [*fpr[before], end]))


@walk.covers("sens_at_spec_0.9/*/imrmc_example", "sens_at_spec_0.9/*/dobbins2_roc", ignores=IGNORED)
def sensitivity_between_points(entry: Entry, compare: Compare) -> None:
    """Without a case the specificity lies between two points, where MRMCaov leaves the curve; given as a figure."""
    with_figure(entry, compare, Custom("sensitivity", sensitivity_of_mrmcaov, limits=(0.0, 1.0)))


@walk.covers("pauc_*/imrmc_example", "pauc_*/dobbins2_roc", ignores=IGNORED)
def partial_area_between_points(entry: Entry, compare: Compare) -> None:
    """The same at the end of the part: MRMCaov adds a triangle that the curve does not have."""
    with_figure(entry, compare, Custom("partial area", partial_area_of_mrmcaov, limits=(0.0, 1.0)))


@walk.covers(
    "binormal_auc/*",
    ignores=(*IGNORED, "n_obs"),
    leaves=dict.fromkeys(
        (
            "vcov_comps.*", "test_equality.Cov*", "test_equality.Denominator", "test_equality.F", "test_equality.df2",
            "test_equality.p-value", "test_diffs.StdErr", "test_diffs.df", "test_diffs.t", "test_diffs.p-value",
            "test_diffs.CI_*", "test_means.Cov2", "test_means.StdErr", "test_means.df", "test_means.CI_*",
        ),
        ENDLESS,
    ),
)  # fmt: skip
def binormal(entry: Entry, compare: Compare) -> None:
    """Figures of all, and the covariance of the readers whose curves exist without each case."""
    request, values = request_of(entry), entry.values
    found = figures_of_merit(request.ratings, "binormal-auc")
    with pytest.raises(CannotAnalyse, match="Reader 4 in arm 1: The likelihood of a binormal curve rises without end"):
        replace(request, figure="binormal-auc").analyse()
    table = values["metric_by_treatment_reader"]
    # Both are iterative; MRMCaov's optimiser stops at about 1e-7 of the area, which is 1e-5 of a covariance.
    compare.all(found.values.T, table["value"], "binormal area", rel=1e-6)
    means, squares = found.values.mean(axis=0), MeanSquares.of(found.values)
    compare.all(means, values["test_means"]["Estimate"], "mean", rel=1e-6)
    compare.all(found.values.var(axis=0, ddof=1), values["test_means"]["MS(R)"], "MS(R)", rel=1e-4)
    compare(means[0] - means[1], values["test_diffs"]["Estimate"][0], "difference", rel=1e-5)
    compare(squares.arms, values["test_equality"]["MS(T)"][0], "MS(T)", rel=1e-4)
    compare(squares.interaction, values["test_equality"]["MS(T:R)"][0], "MS(T:R)", rel=1e-4)
    compare(len(means) - 1, values["test_equality"]["df1"][0], "df1")
    others = request.ratings.restricted(readers=["1", "2", "3", "5"])
    labels = values["covariance_matrix"]["labels_treatment.reader"]
    rows = [labels.index(f"{arm}.{reader}") for reader in others.readers for arm in others.arms]
    expected = np.array(values["covariance_matrix"]["cov"], dtype=float)[np.ix_(rows, rows)]
    matrix = covariance(figures_of_merit(others, "binormal-auc"), "jackknife")
    compare.all(matrix, expected, "covariance", rel=1e-4)


def with_figure(entry: Entry, compare: Compare, figure: str | Merit) -> None:
    request = replace(request_of(entry), figure=figure)
    compare_all(compare, request, request.analyse(), entry.values)


@walk.covers(
    "auc/*", "binary_*", "srmc/*", "pauc_*", "eu/*", "sens_at_spec_0.9/*", ignores=IGNORED,
)  # fmt: skip
def obuchowski_rockette_of_mrmcaov(entry: Entry, compare: Compare) -> None:
    request = request_of(entry)
    found = request.analyse()
    compare_all(compare, request, found, entry.values)
    if "reader_test_diffs" in entry.values:
        table = entry.values["reader_test_diffs"]
        compare_reader_estimates(compare, found, table)
        rows = reader_rows(found, table)
        compare.all([row.se for row in rows], table["StdErr"], "reader se")
        compare_tests(compare, rows, table, "z")


@pytest.mark.parametrize("entry", walk.entries(), ids=str)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
