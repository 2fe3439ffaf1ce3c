"""What MRMCaov is asked in an entry, and comparison with the tables that it prints."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.covariance import Covariance
from analysis.merit_names import merit_named
from analysis.merits import Merit
from analysis.mrmc import ArmDifference, Mrmc, Sampling, obuchowski_rockette
from analysis.ratings import Columns, Ratings, table_to_ratings
from tests.analysis.oracle_entries import Entry
from tests.analysis.walk import Compare

METHODS: dict[str, Covariance] = {"DeLong": "delong", "jackknife": "jackknife", "unbiased": "unbiased"}
FIGURES = {
    "binary_sens": "sensitivity",
    "binary_spec": "specificity",
    "pauc_spec_0.8_1": "pauc:specificity:0.8:1",
    "eu": "eu:1",
    "sens_at_spec_0.9": "sensitivity-at:0.9",
}
CASE_COLUMNS = {"cases_nested_in_readers": "case2", "cases_nested_in_tests": "case3"}
# A difference of zero has rounding only, and no digits.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Request:
    ratings: Ratings
    figure: str | Merit
    covariance: Covariance
    readers: Sampling
    cases: Sampling

    def analyse(self) -> Mrmc:
        return obuchowski_rockette(self.ratings, self.figure, self.covariance, self.readers, self.cases)


def request_of(entry: Entry) -> Request:
    """The R call of an entry as a call of ours."""
    parts, frame = entry.id.split("/"), entry.frame()
    columns = {"arm": "treatment", "case": next((CASE_COLUMNS[p] for p in parts if p in CASE_COLUMNS), "case")}
    if parts[0].startswith("binary_"):
        if "recall" in entry.call:
            columns["value"] = "recall"
        elif ">=" in entry.note:
            frame["rating"] = (frame["rating"] >= float(entry.note.split(">=")[1].strip(" )"))).astype(float)
    if parts[0] in ("srmc", "stmc"):
        frame = frame[frame["reader"] == 1]
    if parts[0] == "stmc":
        frame = frame[frame["treatment"] == 1]
    if "readers_nested_in_tests" in parts:
        frame["reader"] = frame["treatment"].astype(str) + "." + frame["reader"].astype(str)
    return Request(
        table_to_ratings(frame, Columns(**columns)),
        FIGURES.get(parts[0], "auc"),
        next((METHODS[part] for part in parts if part in METHODS), "delong"),
        "fixed" if "FRRC" in parts or parts[0] in ("srmc", "stmc") else "random",
        "fixed" if "RRFC" in parts else "random",
    )


def compare_all(compare: Compare, request: Request, found: Mrmc, values: Any) -> None:
    compare_figures(compare, request, found, values)
    table = values["test_diffs"]
    compare.all([-row.estimate for row in found.differences], table["Estimate"], "difference", absolute=ROUNDING)
    compare.all([row.se for row in found.differences], table["StdErr"], "se")
    compare_tests(compare, found.differences, table, "t" if "t" in table else "z")
    if "df" in table:
        compare.all([row.df for row in found.differences], table["df"], "df")
    if "vcov_comps" in values:
        compare_components(compare, found, values["vcov_comps"])
    if "test_means" in values:
        compare_means(compare, found, values["test_means"])
    if "test_equality" in values:
        compare_overall(compare, found, values["test_equality"])
    if "reader_means" in values:
        compare_cells(compare, found, values["reader_means"])


def compare_tests(compare: Compare, rows: Sequence[ArmDifference], table: Any, statistic: str) -> None:
    # MRMCaov subtracts the second from the first treatment, we the first from the second.
    limits = [row.confidence_interval() for row in rows]
    compare.all([-row.statistic for row in rows], table[statistic], "statistic", absolute=ROUNDING)
    compare.all([row.p for row in rows], table["p-value"], "p")
    compare.all([-interval.high for interval in limits], table["CI_lower"], "low", absolute=ROUNDING)
    compare.all([-interval.low for interval in limits], table["CI_upper"], "high", absolute=ROUNDING)


def compare_figures(compare: Compare, request: Request, found: Mrmc, values: Any) -> None:
    table = values["metric_by_treatment_reader"]
    arms = [arm.arm for arm in found.arms]
    cells = [
        (found.readers.index(str(reader)), arms.index(str(arm)))
        for arm, reader in zip(table["treatment"], table["reader"], strict=True)
    ]
    compare.all([found.figures[cell] for cell in cells], table["value"], "figure")
    rests = np.isin(request.ratings.truth, merit_named(request.figure).classes)
    read = ~np.isnan(request.ratings.values) & rests
    compare.all([int(read[cell].sum()) for cell in cells], values["n_obs"], "readings")
    if "covariance_matrix" not in values:
        return
    assert found.covariance is not None
    # The rows stand in the order of the figures.
    order = [reader * len(arms) + arm for reader, arm in cells]
    expected = np.array(values["covariance_matrix"]["cov"], dtype=float)
    labels = values["covariance_matrix"]["labels_treatment.reader"]
    listed = [f"{arm}.{reader}" for arm, reader in zip(table["treatment"], table["reader"], strict=True)]
    if set(labels) == set(listed):
        rows = [labels.index(name) for name in listed]
        expected = expected[np.ix_(rows, rows)]
    # Sums of products of numbers near 0.01 cancel where two readers do not vary together.
    compare.all(found.covariance[np.ix_(order, order)], expected, "covariance", absolute=1e-15)


def compare_components(compare: Compare, found: Mrmc, table: Any) -> None:
    parts = found.components
    assert parts is not None
    ours = dict(zip(("Error", "Cov1", "Cov2", "Cov3"), (parts.error, parts.cov1, parts.cov2, parts.cov3), strict=True))
    for name, value, ratio in zip(table["component"], table["estimate"], table["correlation"], strict=True):
        if name in ours:
            compare(ours[name], value, name, absolute=1e-15)
            if ratio != "NA":
                compare(ours[name] / parts.error, ratio, f"correlation {name}", absolute=ROUNDING)
        else:
            own = parts.arm_reader if ":" in name else parts.reader
            assert (own is None) == (value == "NA")
            if own is not None:
                # A difference of mean squares and covariances, of which little may be left.
                compare(own, value, name, absolute=1e-13)


def compare_means(compare: Compare, found: Mrmc, table: Any) -> None:
    limits = [mean.confidence_interval() for mean in found.arms]
    compare.all([mean.estimate for mean in found.arms], table["Estimate"], "mean")
    compare.all([mean.se for mean in found.arms], table["StdErr"], "mean se")
    compare.all([interval.low for interval in limits], table["CI_lower"], "mean low")
    compare.all([interval.high for interval in limits], table["CI_upper"], "mean high")
    if "df" in table:
        compare.all([mean.df for mean in found.arms], table["df"], "mean df")
        compare.all([mean.mean_square for mean in found.arms], table["MS(R)"], "MS(R)")
    if "Cov2" in table:
        compare.all([mean.cov2 for mean in found.arms], table["Cov2"], "Cov2 of the arm")
    if "Var(Error)" in table:
        compare.all([mean.error for mean in found.arms], table["Var(Error)"], "error of the arm")


def compare_overall(compare: Compare, found: Mrmc, table: Any) -> None:
    overall, parts = found.overall, found.components
    assert overall is not None
    compare(found.mean_squares.arms, table["MS(T)"][0], "MS(T)", absolute=1e-18)
    if "MS(T:R)" in table:
        compare(found.mean_squares.interaction, table["MS(T:R)"][0], "MS(T:R)")
    for name in ("Cov1", "Cov2", "Cov3"):
        if name in table:
            assert parts is not None
            compare(getattr(parts, name.lower()), table[name][0], name)
    if "Denominator" in table:
        compare(found.error_term.denominator, table["Denominator"][0], "denominator")
    compare(overall.p, table["p-value"][0], "overall p")
    if "F" in table:
        compare(overall.f, table["F"][0], "F", absolute=ROUNDING)
        compare(overall.df1, table["df1"][0], "df1")
        compare(overall.df2, table["df2"][0], "df2")
    if "X2" in table:
        compare(overall.f * overall.df1, table["X2"][0], "chi-square", absolute=ROUNDING)
        compare(overall.df1, table["df"][0], "df")


def compare_cells(compare: Compare, found: Mrmc, table: Any) -> None:
    cells = {(cell.reader, cell.arm): cell for cell in found.cells}
    rows = [cells[str(r), str(a)] for r, a in zip(table["reader"], table["treatment"], strict=True)]
    name = next(key for key in table if key.startswith(("empirical", "binary")))
    limits = [cell.confidence_interval() for cell in rows]
    compare.all([cell.estimate for cell in rows], table[name], "cell")
    compare.all([cell.se for cell in rows], table["StdErr"], "cell se")
    compare.all([interval.low for interval in limits], table["CI_lower"], "cell low")
    compare.all([interval.high for interval in limits], table["CI_upper"], "cell high")


def reader_rows(found: Mrmc, table: Any) -> list[ArmDifference]:
    rows = {(row.reader, f"{row.first} - {row.second}"): row for row in found.reader_differences}
    return [rows[str(r), str(c)] for r, c in zip(table["Reader"], table["Comparison"], strict=True)]


def compare_reader_estimates(compare: Compare, found: Mrmc, table: Any) -> None:
    rows = reader_rows(found, table)
    compare.all([-row.estimate for row in rows], table["Estimate"], "reader difference", absolute=ROUNDING)
