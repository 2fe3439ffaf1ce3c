"""Obuchowski-Rockette against MRMCaov 0.3.0, with the edges."""

from dataclasses import dataclass

import numpy as np
import pytest

from analysis.covariance import Covariance, Figure
from analysis.errors import CannotAnalyse
from analysis.mrmc import Mrmc, Sampling, obuchowski_rockette
from analysis.ratings import Columns, Ratings, table_to_ratings
from tests.analysis.oracle_entries import Entry, agree, entries, entry, oracle_data

# MRMCaov 0.3.0 divides by a negative number in this design (oracles/README.md, disagreement 7).
NOT_TRUTH = "readers_nested_in_tests"
CASE_COLUMNS = {"cases_nested_in_readers": "case2", "cases_nested_in_tests": "case3"}


@dataclass(frozen=True)
class Request:
    ratings: Ratings
    figure: Figure
    covariance: Covariance
    readers: Sampling
    cases: Sampling

    def analyse(self) -> Mrmc:
        return obuchowski_rockette(self.ratings, self.figure, self.covariance, self.readers, self.cases)


def request_of(item: Entry) -> Request:
    """The R call of an entry as a call of ours."""
    parts, frame = item.id.split("/"), item.frame()
    figure: Figure = "auc"
    columns = {"arm": "treatment", "case": next((CASE_COLUMNS[p] for p in parts if p in CASE_COLUMNS), "case")}
    if parts[0].startswith("binary_"):
        figure = "sensitivity" if parts[0] == "binary_sens" else "specificity"
        if "recall" in item.call:
            columns["value"] = "recall"
        elif ">=" in item.note:
            frame["rating"] = (frame["rating"] >= float(item.note.split(">=")[1].strip(" )"))).astype(float)
    if parts[0] == "srmc":
        frame = frame[frame["reader"] == 1]
    methods: dict[str, Covariance] = {"DeLong": "delong", "jackknife": "jackknife", "unbiased": "unbiased"}
    return Request(
        table_to_ratings(frame, Columns(**columns)),
        figure,
        next((methods[part] for part in parts if part in methods), "delong"),
        "fixed" if "FRRC" in parts or parts[0] == "srmc" else "random",
        "fixed" if "RRFC" in parts else "random",
    )


def covered() -> list[Entry]:
    starts = ("auc/", "binary_sens/", "binary_spec/", "srmc/")
    found = [item for start in starts for item in entries("mrmc_or_mrmcaov", start)]
    return [item for item in found if NOT_TRUTH not in item.id and "error" not in item.values]


def test_every_entry_of_mrmcaov() -> None:
    walked = covered()
    assert len(walked) >= 88
    for item in walked:
        request = request_of(item)
        found = request.analyse()
        compare_differences(item, found)
        compare_means(item, found)
        compare_overall(item, found)
        compare_components(item, found)
        compare_covariance(item, found)


def compare_differences(item: Entry, found: Mrmc) -> None:
    # MRMCaov subtracts the second from the first treatment, we the first from the second.
    table = item.values["test_diffs"]
    for place, row in enumerate(found.differences):
        assert f"{row.first} - {row.second}" == table["Comparison"][place]
        interval = row.confidence_interval()
        agree(-row.estimate, table["Estimate"][place], f"{item.id} estimate", absolute=1e-13)
        agree(row.se, table["StdErr"][place], f"{item.id} se")
        agree(row.p, table["p-value"][place], f"{item.id} p")
        agree(-interval.high, table["CI_lower"][place], f"{item.id} low", absolute=1e-12)
        agree(-interval.low, table["CI_upper"][place], f"{item.id} high", absolute=1e-12)
        if "df" in table:
            agree(row.df, table["df"][place], f"{item.id} df")


def compare_means(item: Entry, found: Mrmc) -> None:
    table = item.values.get("test_means")
    for place, mean in enumerate(found.arms if table else ()):
        interval = mean.confidence_interval()
        agree(mean.estimate, table["Estimate"][place], f"{item.id} mean")
        agree(mean.se, table["StdErr"][place], f"{item.id} mean se")
        agree(interval.low, table["CI_lower"][place], f"{item.id} mean low")
        agree(interval.high, table["CI_upper"][place], f"{item.id} mean high")
        if "df" in table:
            agree(mean.df, table["df"][place], f"{item.id} mean df")


def compare_overall(item: Entry, found: Mrmc) -> None:
    table = item.values.get("test_equality")
    if not table:
        return
    assert found.overall is not None
    agree(found.overall.p, table["p-value"][0], f"{item.id} overall p")
    if "F" in table:
        agree(found.overall.f, table["F"][0], f"{item.id} F")
        agree(found.overall.df2, table["df2"][0], f"{item.id} df2")
    else:
        agree(found.overall.f * found.overall.df1, table["X2"][0], f"{item.id} chi-square")


def compare_components(item: Entry, found: Mrmc) -> None:
    table = item.values.get("vcov_comps")
    if not table:
        return
    parts = found.components
    assert parts is not None
    ours = {
        "reader": parts.reader,
        "treatment:reader": parts.arm_reader,
        "Error": parts.error,
        "Cov1": parts.cov1,
        "Cov2": parts.cov2,
        "Cov3": parts.cov3,
    }
    for name, value in zip(table["component"], table["estimate"], strict=True):
        agree(ours[name], value, f"{item.id} {name}", absolute=1e-13)


def compare_covariance(item: Entry, found: Mrmc) -> None:
    table = item.values.get("covariance_matrix")
    if not table:
        return
    r, t = found.figures.shape
    assert found.covariance is not None
    labels = {label: place for place, label in enumerate(table["labels_treatment.reader"])}
    names = [f"{arm.arm}.{reader}" for reader in found.readers for arm in found.arms]
    order = [labels[name] for name in names] if set(names) == set(labels) else list(range(r * t))
    expected = np.array(table["cov"], dtype=float)[np.ix_(order, order)]
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-8, atol=1e-15, err_msg=item.id)


def test_differences_within_fixed_readers() -> None:
    for item in covered():
        table = item.values.get("reader_test_diffs")
        if not table:
            continue
        found = request_of(item).analyse()
        rows = {(row.reader, f"{row.first} - {row.second}"): row for row in found.reader_differences}
        for place, reader in enumerate(table["Reader"]):
            row = rows.get((str(reader), table["Comparison"][place]))
            if row is None:
                continue
            agree(-row.estimate, table["Estimate"][place], item.id, absolute=1e-13)
            if len(found.arms) == 2:
                agree(row.se, table["StdErr"][place], item.id)
                agree(row.p, table["p-value"][place], item.id)
            else:
                # With more than two treatments MRMCaov repeats the readers' standard errors over the rows (its warning
                # about row names); the first of each reader is right.
                agree(row.se, table["StdErr"][found.readers.index(str(reader))], item.id)


def test_a_design_that_mrmcaov_refuses_is_refused_with_the_gap() -> None:
    assert "error" in entry("mrmc_or_mrmcaov", "auc/unbiased/RRRC/prostate_colorscale").values
    ratings = table_to_ratings(oracle_data("prostate_colorscale"), Columns(arm="treatment"))
    with pytest.raises(CannotAnalyse, match="High3 read nothing in arm HotGSDF"):
        obuchowski_rockette(ratings, covariance_method="unbiased")


def test_delong_covariance_is_refused_where_readings_are_missing() -> None:
    ratings = table_to_ratings(oracle_data("vandyke_missing"), Columns(arm="treatment"))
    with pytest.raises(CannotAnalyse, match="use the jackknife or the unbiased covariance"):
        obuchowski_rockette(ratings)


@pytest.mark.parametrize("name", ["edge_mrmc_all_ties", "edge_mrmc_perfect", "edge_mrmc_identical_modalities"])
@pytest.mark.parametrize("covariance", ["delong", "jackknife", "unbiased"])
def test_equal_arms_give_no_difference_and_a_warning(name: str, covariance: Covariance) -> None:
    # MRMCaov reports F = 1 from rounding noise here, RJafroc NaN (oracles/README.md, disagreement 8).
    found = obuchowski_rockette(table_to_ratings(oracle_data(name), Columns(arm="treatment")), "auc", covariance)
    assert (found.estimate, found.p) == (0.0, 1.0)
    assert found.warnings
    assert all(np.isfinite([mean.estimate, mean.se]).all() for mean in found.arms)


def test_one_reader_must_be_fixed() -> None:
    ratings = table_to_ratings(oracle_data("edge_mrmc_one_reader"), Columns(arm="treatment"))
    with pytest.raises(CannotAnalyse, match="only one reader"):
        obuchowski_rockette(ratings)
    expected = entry("edge_cases", "MRMCaov/DeLong_fixed_readers/edge_mrmc_one_reader").values["test_diffs"]
    found = obuchowski_rockette(ratings, readers="fixed")
    agree(-found.estimate, expected["Estimate"][0], "estimate")
    agree(found.se, expected["StdErr"][0], "se")
    agree(found.p, expected["p-value"][0], "p")


@pytest.mark.parametrize("covariance", ["DeLong", "jackknife", "unbiased"])
def test_two_readers(covariance: str) -> None:
    values = entry("edge_cases", f"MRMCaov/{covariance}/edge_mrmc_two_readers").values
    ratings = table_to_ratings(oracle_data("edge_mrmc_two_readers"), Columns(arm="treatment"))
    found = obuchowski_rockette(ratings, "auc", covariance.lower())
    agree(found.p, values["test_equality"]["p-value"][0], covariance)


def test_a_reader_without_diseased_cases_in_an_arm_is_named() -> None:
    # MRMCaov answers NaN here.
    ratings = table_to_ratings(oracle_data("edge_mrmc_missing_class_cell"), Columns(arm="treatment"))
    for covariance in ("delong", "jackknife", "unbiased"):
        with pytest.raises(CannotAnalyse, match="Reader 2 in arm 2: There is no diseased case"):
            obuchowski_rockette(ratings, "auc", covariance)


def small(*cells: list[float]) -> Ratings:
    values = np.array(cells).reshape(-1, 2, len(cells[0]))
    names = tuple(f"R{place}" for place in range(len(values)))
    cases = tuple(str(place) for place in range(len(cells[0])))
    truth = np.arange(len(cells[0])) >= len(cells[0]) // 2
    return Ratings(names, ("A", "B"), cases, truth, values)


def test_fixed_readers_and_fixed_cases_leave_nothing_to_vary() -> None:
    ratings = small([1, 2, 2, 3], [1, 2, 3, 4], [1, 1, 2, 1], [1, 2, 1, 2])
    with pytest.raises(CannotAnalyse, match="nothing varies"):
        obuchowski_rockette(ratings, readers="fixed", cases="fixed")


def test_a_difference_without_variation_is_refused() -> None:
    perfect, useless = [1.0, 1, 2, 2], [1.0, 1, 1, 1]
    with pytest.raises(CannotAnalyse, match="nothing varies over readers or cases"):
        obuchowski_rockette(small(useless, perfect, useless, perfect))


def test_sensitivity_needs_decisions() -> None:
    with pytest.raises(CannotAnalyse, match="decisions of 0 or 1"):
        obuchowski_rockette(small([1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]), "sensitivity")


def test_one_arm_has_a_mean_but_no_difference() -> None:
    ratings = small([1, 2, 2, 3], [1, 2, 3, 4], [1, 1, 2, 1], [1, 2, 1, 2]).restricted(arms=["A"])
    found = obuchowski_rockette(ratings)
    assert found.overall is None
    assert found.differences == ()
    assert found.arms[0].estimate == pytest.approx(found.figures.mean())
