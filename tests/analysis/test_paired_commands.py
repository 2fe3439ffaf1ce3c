"""The commands compare and mcnemar with margins, clusters and permutations, on sound and on strange tables."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.clustered import cluster_counts, clustered_mcnemar
from analysis.clustered_auc import clustered_auc_test
from analysis.delong import delong_test
from analysis.margins import auc_margin_test, paired_margin_test
from analysis.paired import paired_table
from tests.analysis.degenerate import FILES, TABLES, write
from tests.analysis.oracle_entries import CROSSED, crossed, oracle_data

TABLE = str(CROSSED / "crossed.csv")
ARMS = ("--arms", "unaided,aided")
STRANGE = {
    "venkatraman": ("compare", "--method", "venkatraman"),
    "margin": ("compare", "--margin", "0.1"),
    "clustered": ("compare", "--cluster", "case"),
    "clustered bootstrap": ("compare", "--cluster", "case", "--method", "bootstrap", "--margin", "0.1"),
    "mcnemar margin": ("mcnemar", "--margin", "0.1"),
    "mcnemar clustered": ("mcnemar", "--cluster", "case"),
    "eliasziw": ("mcnemar", "--cluster", "case", "--test", "eliasziw", "--metric", "specificity", "--margin", "0.1"),
    "readers as clusters": ("mcnemar", "--cluster", "reader", "--test", "durkalski"),
}


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main([*words, "--format", "json"]) == 0, capsys.readouterr().err
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


@pytest.mark.parametrize("words", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("name", [*TABLES, *FILES])
def test_strange_tables_get_a_right_result_or_one_sentence(
    name: str, words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main([words[0], str(write(name, tmp_path)), "--arms", "A0,A1", *words[1:], "--format", "json"])
    said = capsys.readouterr()
    if status == 2:
        sentence = said.err.rstrip("\n")
        assert said.out == "" and "\n" not in sentence and sentence.endswith(".")
        assert not any(word in sentence for word in ("Traceback", "nan", "None", "dtype"))
        return
    assert status == 0
    for row in json.loads(said.out)["differences"]:
        assert 0 <= row["p"] <= 1
        assert all(math.isfinite(row[key]) for key in ("estimate", "se", "low", "high"))


def paired(frame: pd.DataFrame, reader: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    part = frame[frame["reader"] == reader].pivot(index="case", columns="arm", values="rating")
    truth = frame.drop_duplicates("case").set_index("case")["truth"].loc[part.index].to_numpy() == 1
    return truth, part["unaided"].to_numpy(float), part["aided"].to_numpy(float)


def test_margin_of_areas(capsys: pytest.CaptureFixture[str]) -> None:
    content = answer(capsys, "compare", TABLE, *ARMS, "--margin", "0.05")
    assert "non-inferiority of aided against unaided with margin 0.05, one-sided" in content["method"]
    plain = answer(capsys, "compare", TABLE, *ARMS)
    for row, other in zip(content["differences"], plain["differences"], strict=True):
        found = auc_margin_test(delong_test(*paired(crossed(), row["reader"])), 0.05)
        assert (row["statistic"], row["p"]) == (pytest.approx(found.statistic), pytest.approx(found.p))
        assert (row["low"], row["high"]) == (other["low"], other["high"])
        said = next(text for text in content["warnings"] if text.startswith(row["reader"]))
        assert ("is not shown to be non-inferior" in said) is (row["low"] <= -0.05)
        assert ("and also superior" in said) is (row["low"] > 0)


def test_margin_of_decisions(capsys: pytest.CaptureFixture[str]) -> None:
    content = answer(capsys, "mcnemar", TABLE, *ARMS, "--margin", "0.1", "--metric", "sensitivity")
    frame = crossed()
    value = "decision" if "decision" in frame else "rating"
    for row in content["differences"]:
        part = frame.assign(rating=frame[value])
        truth, one, two = paired(part, row["reader"])
        found = paired_margin_test(paired_table(one[truth], two[truth]), 0.1)
        limits = found.confidence_interval()
        assert (row["p"], row["low"], row["high"]) == pytest.approx((found.p, limits.low, limits.high))


def test_identical_arms_show_nothing_against_a_margin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write("identical arms", tmp_path)
    content = answer(capsys, "compare", str(path), "--arms", "A0,A1", "--margin", "0.1")
    for row in content["differences"]:
        assert (row["estimate"], row["statistic"], row["p"]) == (0.0, None, 1.0)
    assert "Nothing varies" in " ".join(content["warnings"])


def test_glands_in_patients(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Obuchowski (1998): SPECT and PET of parathyroid glands, gland numbers repeating between patients; all diseased.
    frame = oracle_data("thyroids")
    tidy = frame.melt(["patient", "gland"], ["spect", "pet"], "arm", "decision").assign(truth=1)
    path = tmp_path / "glands.csv"
    tidy.sample(frac=1, random_state=1).to_csv(path, index=False)
    words = ("mcnemar", str(path), "--case", "gland", "--arms", "spect,pet", "--cluster", "patient")
    content = answer(capsys, *words)
    row = content["differences"][0]
    expected = clustered_mcnemar(
        cluster_counts(frame["spect"].to_numpy(float), frame["pet"].to_numpy(float), frame["patient"].to_numpy())
    )
    # clust.bin.pair: 2.85714285714286.
    assert row["statistic"] == pytest.approx(2.85714285714286, rel=1e-12)
    assert (row["estimate"], row["se"]) == (pytest.approx(expected.estimate), pytest.approx(expected.se))
    assert content["method"] == "McNemar for clusters by patient, obuchowski, accuracy"
    assert "Labels of gland repeat" in content["warnings"][0]
    assert content["table"]["cases"] == len(frame)
    assert answer(capsys, *words, "--test", "durkalski")["differences"][0]["statistic"] == pytest.approx(
        2.31506849315068
    )


def test_areas_of_units_in_patients(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = crossed()
    order = sorted(frame["case"].unique())
    patients = {case: f"P {place // 3}" for place, case in enumerate(order)}
    path = tmp_path / "patients.csv"
    frame.assign(patient=frame["case"].map(patients)).to_csv(path, index=False)
    content = answer(capsys, "compare", str(path), *ARMS, "--cluster", "patient")
    row = content["differences"][0]
    truth, one, two = paired(frame, row["reader"])
    labels = [patients[case] for case in sorted(order)]
    expected = clustered_auc_test(truth, one, two, labels)
    assert (row["estimate"], row["se"], row["p"]) == pytest.approx((expected.estimate, expected.se, expected.p))
    assert "clusters by patient" in content["method"]
    drawn = answer(capsys, "compare", str(path), *ARMS, "--cluster", "patient", "--method", "bootstrap")
    assert drawn["seed"] == 20260101
    assert drawn["differences"][0]["se"] == pytest.approx(expected.se, rel=0.25)


def test_permutation_keeps_the_interval_of_the_areas(capsys: pytest.CaptureFixture[str]) -> None:
    content = answer(capsys, "compare", TABLE, *ARMS, "--method", "venkatraman")
    plain = answer(capsys, "compare", TABLE, *ARMS)
    assert content["seed"] == 20260101
    for row, other in zip(content["differences"], plain["differences"], strict=True):
        assert (row["estimate"], row["low"], row["high"]) == (other["estimate"], other["low"], other["high"])
        assert row["p"] != other["p"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["compare", "--method", "venkatraman", "--margin", "0.1"], "knows no margin"),
        (["compare", "--method", "venkatraman", "--cluster", "case"], "single cases"),
        (["compare", "--margin", "-0.1"], "positive number"),
        (["compare", "--margin", "nan"], "positive number"),
        (["compare", "--margin", "much"], "invalid float value"),
        (["compare", "--cluster", "patient"], "no column patient"),
        (["mcnemar", "--cluster", "case", "--test", "exact"], "With --cluster the test is obuchowski"),
        (["mcnemar", "--test", "durkalski"], "name their column with --cluster"),
        (["mcnemar", "--margin", "0.1", "--test", "midp"], "score test of its own"),
        (["mcnemar", "--margin", "1.5"], "below 1"),
        (["mcnemar", "--cluster", "reader"], "at least two clusters"),
    ],
    ids=str,
)
def test_what_does_not_go_together(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([words[0], TABLE, *ARMS, *words[1:]]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and sentence in captured.err and captured.err.count("\n") == 1


def test_a_patient_that_is_blank_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "blank.csv"
    crossed().assign(patient=[None] + [1] * (len(crossed()) - 1)).to_csv(path, index=False)
    assert main(["mcnemar", str(path), *ARMS, "--cluster", "patient"]) == 2
    assert "patient is blank or NA in row 1" in capsys.readouterr().err
