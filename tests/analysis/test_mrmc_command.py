"""The command mrmc on every kind of table: a right answer, or one sentence and exit status 2."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.margins import margin_test
from analysis.mrmc import obuchowski_rockette
from analysis.ratings import Columns, table_to_ratings
from tests.analysis.oracle_entries import CROSSED, crossed, oracle_data

TABLE = str(CROSSED / "crossed.csv")
ROW = {"first", "second", "reader", "estimate", "se", "df", "statistic", "p", "low", "high"}


class Mrmc:
    """Runs the command on a frame or a file."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, table: "pd.DataFrame | str", *words: str) -> dict[str, Any]:
        status, out, err = self.run(table, *words, "--format", "json")
        assert status == 0, err
        found: dict[str, Any] = json.loads(out)
        return found

    def refused(self, table: "pd.DataFrame | str", *words: str) -> str:
        status, out, err = self.run(table, *words)
        assert (status, out) == (2, ""), out
        assert err.count("\n") == 1 and err.rstrip().endswith(".")
        return err

    def run(self, table: "pd.DataFrame | str", *words: str) -> tuple[int, str, str]:
        if isinstance(table, pd.DataFrame):
            path = self.folder / "table.csv"
            table.to_csv(path, index=False)
            table = str(path)
        status = main(["mrmc", table, *words])
        captured = self.capsys.readouterr()
        return status, captured.out, captured.err


@pytest.fixture
def mrmc(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Mrmc:
    return Mrmc(tmp_path, capsys)


def oracle(name: str) -> pd.DataFrame:
    return oracle_data(name).rename(columns={"treatment": "arm"})


def warned(found: dict[str, Any], text: str) -> bool:
    return any(text in warning for warning in found["warnings"])


def test_the_contract(mrmc: Mrmc) -> None:
    found = mrmc(TABLE, "--arms", "unaided,aided")
    assert found["method"] == "Obuchowski-Rockette, auc, delong covariance, random readers, random cases"
    assert set(found["differences"][0]) == ROW
    assert found["differences"][0]["p"] == pytest.approx(0.1199290055768, rel=1e-10)
    assert set(found["arms"][0]) == {"arm", "estimate", "se", "df", "low", "high"}
    assert len(found["estimates"]) == 10
    assert set(found["components"]) == {"reader", "arm_reader", "error", "cov1", "cov2", "cov3"}
    assert (found["seed"], found["warnings"]) == (None, [])


@pytest.mark.parametrize(
    "metric", ["pauc:specificity:0.8:1", "pauc:sensitivity:0.8:1:mcclish", "eu:1", "sensitivity-at:0.9"]
)
def test_a_metric_without_delong_takes_the_jackknife_and_says_so(mrmc: Mrmc, metric: str) -> None:
    found = mrmc(TABLE, "--metric", metric)
    expected = obuchowski_rockette(table_to_ratings(crossed()), metric, "jackknife")
    assert found["differences"][0]["p"] == pytest.approx(expected.p)
    assert warned(found, f"The DeLong covariance does not exist for {metric}; the jackknife is used.")
    chosen = mrmc(TABLE, "--metric", metric, "--covariance", "jackknife")["warnings"]
    assert any("one point of the curve" in text for text in chosen) == metric.startswith("sensitivity-at")
    assert not any("does not exist" in text for text in chosen)
    assert "use the jackknife or the bootstrap" in mrmc.refused(TABLE, "--metric", metric, "--covariance", "delong")


@pytest.mark.parametrize("metric", ["sensitivity", "specificity", "accuracy"])
def test_decisions_are_taken_from_their_column(mrmc: Mrmc, metric: str) -> None:
    found = mrmc(TABLE, "--metric", metric)
    expected = obuchowski_rockette(table_to_ratings(crossed(), Columns(value="decision")), metric)
    assert found["differences"][0]["p"] == pytest.approx(expected.p)
    assert "decisions of 0 or 1" in mrmc.refused(TABLE, "--metric", metric, "--rating", "rating")


def test_missing_cells_take_the_jackknife_and_say_so(mrmc: Mrmc) -> None:
    found = mrmc(oracle("vandyke_missing"))
    # MRMCaov 0.3.0, auc/jackknife/RRRC/vandyke_missing.
    assert found["differences"][0]["p"] == pytest.approx(0.0551545, abs=5e-8)
    assert warned(found, "103 readings are missing, so the jackknife covariance is used in place of DeLong's.")
    assert "103 readings are missing" in mrmc.refused(oracle("vandyke_missing"), "--covariance", "delong")


def test_readers_without_an_arm_are_left_out_by_name(mrmc: Mrmc) -> None:
    found = mrmc(oracle("prostate_colorscale"))
    assert found["table"]["readers"] == 5
    assert warned(found, "left out, as they lack an arm: High3, Low1, Low2, Med2")
    frame = oracle("vandyke")
    frame = frame[~((frame["reader"] == 4) & (frame["arm"] == 2))]
    found, own = mrmc(frame), oracle("vandyke")
    expected = mrmc(own[own["reader"] != 4])
    assert found["differences"] == expected["differences"]
    assert warned(found, "left out, as they lack an arm: 4")


def test_readers_nested_in_arms(mrmc: Mrmc) -> None:
    frame = oracle("vandyke")
    frame["reader"] = frame["arm"].astype(str) + "." + frame["reader"].astype(str)
    found = mrmc(frame, "--covariance", "unbiased")
    # oracles/README.md, item 7: the denominator with the square; F is MS(T) over it.
    assert found["overall"]["f"] == pytest.approx(0.00479617053166 / 0.0026048, rel=2e-5)
    assert found["components"]["reader"] is None
    assert mrmc(frame)["differences"][0]["estimate"] == pytest.approx(0.0438003220611916)


def test_cases_nested_in_readers(mrmc: Mrmc) -> None:
    frame = oracle("vandyke").drop(columns="case").rename(columns={"case2": "case"})
    found = mrmc(frame)
    assert warned(found, "the jackknife covariance is used")
    assert (found["components"]["cov2"], found["components"]["cov3"]) == (0.0, 0.0)


def test_one_reader_is_fixed_unless_random_was_asked_for(mrmc: Mrmc) -> None:
    found = mrmc(oracle("edge_mrmc_one_reader"))
    assert "fixed readers" in found["method"]
    assert warned(found, "There is one reader (1), analysed as fixed")
    assert "cannot be random" in mrmc.refused(oracle("edge_mrmc_one_reader"), "--readers", "random")
    assert "nothing varies" in mrmc.refused(oracle("edge_mrmc_one_reader"), "--cases", "fixed")


def test_one_arm_has_intervals_and_no_difference(mrmc: Mrmc) -> None:
    found = mrmc(TABLE, "--arms", "aided")
    assert (found["differences"], found["overall"]) == ([], None)
    assert [row["arm"] for row in found["arms"]] == ["aided"]
    assert mrmc(crossed().query("arm == 'aided'").drop(columns="arm"))["arms"][0]["arm"] == "arm"


@pytest.mark.parametrize("name", ["all_ties", "perfect", "identical_modalities"])
def test_nothing_to_tell_the_arms_apart(mrmc: Mrmc, name: str) -> None:
    found = mrmc(oracle(f"edge_mrmc_{name}"))
    row = found["differences"][0]
    assert (row["estimate"], row["p"]) == (0.0, 1.0) and found["warnings"]
    found = mrmc(oracle(f"edge_mrmc_{name}"), "--margin", "0.05")
    assert found["differences"][0]["p"] == 1.0
    assert warned(found, "cannot be held against a margin")


def test_more_than_two_arms_and_their_order(mrmc: Mrmc) -> None:
    frame = oracle("dobbins2_roc")
    found = mrmc(frame)
    assert [(row["first"], row["second"]) for row in found["differences"]][:3] == [("1", "2"), ("1", "3"), ("1", "4")]
    assert warned(found, "p values of pairs are not adjusted; adjusted by Holm they are: 2 - 1 0.3606")
    chosen = mrmc(frame, "--arms", "4,2")["differences"]
    assert [(row["first"], row["second"]) for row in chosen] == [("4", "2")]
    back = mrmc(frame, "--arms", "2,4")["differences"][0]
    assert chosen[0]["estimate"] == pytest.approx(-back["estimate"])
    assert chosen[0]["p"] == pytest.approx(back["p"])


def test_a_margin_and_superiority_after_it(mrmc: Mrmc) -> None:
    found, plain = mrmc(oracle("vandyke"), "--margin", "0.05"), mrmc(oracle("vandyke"))
    row, other = found["differences"][0], plain["differences"][0]
    # The reference set, mrmc_noninferiority: auc/DeLong/RRRC/vandyke.
    assert row["statistic"] == pytest.approx(4.5352496244654)
    assert row["p"] == pytest.approx(0.000195218786922736)
    assert [row["low"], row["high"]] == [other["low"], other["high"]]
    assert "non-inferiority of 2 against 1 with margin 0.05" in found["method"]
    assert warned(found, "2 is non-inferior to 1 within a margin of 0.05")
    assert warned(found, "not shown to be superior (one-sided p = 0.02562)")
    back = mrmc(oracle("vandyke"), "--margin", "0.05", "--arms", "2,1")["differences"][0]
    assert back["p"] == pytest.approx(margin_test(back["estimate"], back["se"], 0.05, back["df"]).p)
    for words in (["--margin", "0"], ["--margin", "-0.1"], ["--margin", "nan"]):
        assert "A margin is a positive number" in mrmc.refused(oracle("vandyke"), *words)


def test_margins_of_fixed_readers_stand_in_their_rows(mrmc: Mrmc) -> None:
    found = mrmc(oracle("vandyke"), "--margin", "0.05", "--readers", "fixed")
    readers = [row for row in found["differences"] if row["reader"]]
    assert len(readers) == 5
    assert readers[0]["p"] == pytest.approx(margin_test(readers[0]["estimate"], readers[0]["se"], 0.05).p)
    assert sum("within a margin" in text for text in found["warnings"]) == 1


def test_the_bootstrap_keeps_its_seed(mrmc: Mrmc) -> None:
    found = mrmc(TABLE, "--covariance", "bootstrap")
    assert isinstance(found["seed"], int)
    assert found["differences"] == mrmc(TABLE, "--covariance", "bootstrap")["differences"]


def test_the_order_of_rows_does_not_matter(mrmc: Mrmc) -> None:
    mixed = crossed().sample(frac=1, random_state=1)
    for words in ([], ["--covariance", "unbiased"], ["--covariance", "bootstrap"], ["--metric", "eu:1"]):
        assert mrmc(mixed, *words)["differences"] == mrmc(TABLE, *words)["differences"]


def test_labels_of_any_kind(mrmc: Mrmc) -> None:
    frame = crossed().rename(columns={"reader": "who reads", "rating": "p of fracture"})
    frame["who reads"] = "Dr. " + frame["who reads"].astype(str) + ", senior"
    frame["case"] = "case " + frame["case"].astype(str)
    found = mrmc(frame, "--reader", "who reads", "--rating", "p of fracture", "--arms", "unaided,aided")
    assert found["differences"][0]["p"] == pytest.approx(0.1199290055768, rel=1e-10)
    assert found["estimates"][0]["reader"].startswith("Dr. ")


def test_blank_readers_and_unread_cases_change_nothing(mrmc: Mrmc) -> None:
    frame = crossed()
    blank = frame[frame["reader"] == frame["reader"].iloc[0]].assign(reader="nobody", rating=np.nan)
    unread = frame.head(1).assign(case="unread", rating=np.nan)
    found, plain = (
        mrmc(pd.concat([frame, blank, unread]), "--covariance", "jackknife"),
        mrmc(frame, "--covariance", "jackknife"),
    )
    assert found["differences"] == plain["differences"]
    assert warned(found, "Without any rating and left out: nobody.")


def test_one_case_per_class_and_one_class(mrmc: Mrmc) -> None:
    frame = crossed()
    keep = [frame.loc[frame["truth"] == kind, "case"].iloc[0] for kind in (0, 1)]
    assert "at least two diseased cases" in mrmc.refused(frame[frame["case"].isin(keep)])
    assert mrmc(frame[frame["case"].isin(keep)], "--cases", "fixed")["arms"]
    assert "There is no diseased case" in mrmc.refused(frame[frame["truth"] == 0])
    assert "There is no diseased case" in mrmc.refused(oracle("edge_mrmc_missing_class_cell"))


def test_what_cannot_be_read(mrmc: Mrmc, tmp_path: Path) -> None:
    frame = crossed()
    assert "more than one reading" in mrmc.refused(pd.concat([frame, frame.head(1)]))
    assert "no column score" in mrmc.refused(frame, "--rating", "score")
    assert "must be 0 or 1" in mrmc.refused(frame.assign(truth=np.nan))
    assert "not a number" in mrmc.refused(frame.assign(rating="high"))
    assert "The table holds no rating" in mrmc.refused(frame.assign(rating=np.nan))
    assert "The table has no arm 'blind'" in mrmc.refused(frame, "--arms", "blind,aided")
    assert "named twice" in mrmc.refused(frame, "--arms", "aided,aided")
    assert "The figure of merit is one of auc" in mrmc.refused(frame, "--metric", "area")
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    assert "cannot be read as a table" in mrmc.refused(str(empty))
    assert "has no rows" in mrmc.refused(frame.head(0))
    swapped = frame[((frame["reader"] == frame["reader"].iloc[0]) & (frame["arm"] == "aided"))]
    others = frame[(frame["reader"] != frame["reader"].iloc[0]) & (frame["arm"] == "unaided")]
    third = swapped.assign(arm="third")
    assert "No reader read in every one of the arms" in mrmc.refused(pd.concat([swapped, third, others]))


def test_many_cases(mrmc: Mrmc) -> None:
    generator = np.random.default_rng(5)
    size = 100_000
    truth = np.arange(size) % 2
    parts = [
        pd.DataFrame({"reader": reader, "arm": arm, "case": np.arange(size), "truth": truth,
                      "rating": generator.normal(size=size) + truth})
        for reader in "RS" for arm in "AB"
    ]  # fmt: skip
    found = mrmc(pd.concat(parts))
    assert found["table"]["cases"] == size
    assert 0 < found["differences"][0]["p"] <= 1
