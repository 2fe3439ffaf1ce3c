"""The crossed study of fixtures/crossed against MRMCaov and pROC; needs nothing beside the repository."""

import pytest

from analysis.covariance import Covariance, Figure
from analysis.delong import delong_test
from analysis.mrmc import obuchowski_rockette
from analysis.paired import mcnemar, paired_table
from analysis.ratings import Columns, table_to_ratings
from tests.analysis.oracle_entries import agree, agree_all, crossed, golden

ARMS = ("unaided", "aided")


def test_the_numbers_that_the_project_promises() -> None:
    found = obuchowski_rockette(table_to_ratings(crossed(), arms=ARMS))
    assert found.estimate == pytest.approx(0.07175, abs=1e-12)
    assert found.se == pytest.approx(0.0397100223, abs=5e-11)
    assert found.differences[0].df == pytest.approx(6.1080791, abs=5e-8)
    assert found.p == pytest.approx(0.1199290, abs=5e-8)


@pytest.mark.parametrize(
    ("key", "figure", "covariance"),
    [
        ("ORH_auc_RRRC_DeLong", "auc", "delong"),
        ("ORH_auc_RRRC_jackknife", "auc", "jackknife"),
        ("ORH_auc_RRRC_unbiased", "auc", "unbiased"),
        ("ORH_binary_sens_jackknife", "sensitivity", "jackknife"),
        ("ORH_binary_spec_jackknife", "specificity", "jackknife"),
    ],
)
def test_random_readers_and_cases(key: str, figure: Figure, covariance: Covariance) -> None:
    expected = golden()[key]
    value = "rating" if figure == "auc" else "decision"
    found = obuchowski_rockette(table_to_ratings(crossed(), Columns(value=value), ARMS), figure, covariance)
    row, table = found.differences[0], expected["test_diffs"][0]
    interval = row.confidence_interval()
    agree_all(
        [-row.estimate, row.se, row.df, -row.statistic, row.p, -interval.high, -interval.low],
        [table[name] for name in ("Estimate", "StdErr", "df", "t", "p-value")] + table["CI"],
        key,
    )
    for mean, line in zip(found.arms, expected["means"], strict=True):
        limits = mean.confidence_interval()
        agree_all([mean.estimate, mean.se, mean.df], [line["Estimate"], line["StdErr"], line["df"]], key)
        agree_all([limits.low, limits.high], line["CI"], key)


def test_fixed_readers_and_fixed_cases() -> None:
    ratings = table_to_ratings(crossed(), arms=ARMS)
    table = golden()["ORH_auc_fixedreader_DeLong"]["test_diffs"][0]
    row = obuchowski_rockette(ratings, readers="fixed").differences[0]
    agree_all([row.se, -row.statistic, row.p], [table["StdErr"], table["z"], table["p-value"]], "fixed readers")
    table = golden()["ORH_auc_fixedcase_DeLong"]["test_diffs"][0]
    row = obuchowski_rockette(ratings, cases="fixed").differences[0]
    agree_all([row.se, -row.statistic, row.p], [table["StdErr"], table["t"], table["p-value"]], "fixed cases")


def test_every_reader_by_delong_and_mcnemar() -> None:
    ratings = table_to_ratings(crossed(), arms=ARMS)
    decisions = table_to_ratings(crossed(), Columns(value="decision"), ARMS)
    for line in golden()["per_reader"]:
        found = delong_test(*ratings.pair(line["reader"], *ARMS))
        limits = found.first.confidence_interval()
        agree_all(
            [
                found.first.estimate,
                found.second.estimate,
                found.first.se**2,
                found.covariance,
                -found.statistic,
                found.p,
            ],
            [line[name] for name in ("auc_unaided", "auc_aided", "var_unaided", "cov", "Z", "p")],
            line["reader"],
        )
        agree_all([limits.low, found.first.estimate, limits.high], line["ci_unaided"], line["reader"])
        truth, one, two = decisions.pair(line["reader"], *ARMS)
        table = paired_table((one == truth).astype(float), (two == truth).astype(float))
        assert (table.first_only, table.second_only) == (line["mcnemar_b"], line["mcnemar_c"])
        for test, name in (("exact", "exact"), ("corrected", "cc"), ("asymptotic", "nocc")):
            agree(mcnemar(table, test).p, line[f"mcnemar_{name}_p"], f"{line['reader']} {test}")
