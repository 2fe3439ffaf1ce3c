"""The command auc on tables as they come: groups, partial areas, cells without an answer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.binormal import binormal_auc
from analysis.bootstrapped import Part, bootstrap_area
from tests.analysis.oracle_entries import CROSSED, crossed

TABLE = str(CROSSED / "crossed.csv")


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["auc", *words, "--format", "json"]) == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["auc", *words]) == 2
    sentence = capsys.readouterr().err.strip()
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def table(readers: int = 2, arms: int = 2, cases: int = 20) -> pd.DataFrame:
    generator = np.random.default_rng(1)
    rows = [
        (f"R {reader}", f"arm {arm}", f"c{case}", case % 2, generator.integers(1, 6) + case % 2)
        for reader in range(readers)
        for arm in range(arms)
        for case in range(cases)
    ]
    return pd.DataFrame(rows, columns=["reader", "arm", "case", "truth", "rating"])


def stored(frame: pd.DataFrame, folder: Path) -> str:
    path = folder / "a table.csv"
    frame.to_csv(path, index=False)
    return str(path)


def test_a_partial_area_brings_its_bootstrap_interval(capsys: pytest.CaptureFixture[str]) -> None:
    content = answered(capsys, TABLE, "--partial", "specificity:0.8:1", "--mcclish")
    frame = crossed()
    first = content["estimates"][0]
    part = frame[(frame["reader"] == first["reader"]) & (frame["arm"] == first["arm"])]
    found = bootstrap_area(
        part["truth"].to_numpy() == 1, part["rating"].to_numpy(float), Part("specificity", 0.8, 1.0, corrected=True)
    )
    assert (first["estimate"], first["se"]) == (found.estimate, found.se)
    assert "bootstrap interval" in content["method"]
    assert content["seed"] == found.seed
    again = answered(capsys, TABLE, "--partial", "specificity:0.8:1", "--mcclish", "--interval", "delong")
    assert again["estimates"] == content["estimates"]


def test_the_binormal_area_of_every_cell(capsys: pytest.CaptureFixture[str]) -> None:
    content = answered(capsys, TABLE, "--curve", "binormal")
    frame = crossed()
    for row in content["estimates"]:
        part = frame[(frame["reader"] == row["reader"]) & (frame["arm"] == row["arm"])]
        found = binormal_auc(part["truth"].to_numpy() == 1, part["rating"].to_numpy(float))
        interval = found.confidence_interval()
        assert (row["estimate"], row["se"], row["low"], row["high"]) == (
            found.estimate, found.se, interval.low, interval.high,
        )  # fmt: skip
    assert content["seed"] is None
    assert "its own interval" in refused(capsys, TABLE, "--curve", "binormal", "--interval", "delong")


def test_groups_that_pool_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = table()
    assert "Pooling readers" in refused(capsys, stored(frame, tmp_path), "--by", "arm")
    assert "several arms" in refused(capsys, stored(frame, tmp_path), "--by", "reader")
    assert "not by seniority" in refused(capsys, stored(frame, tmp_path), "--by", "seniority")
    assert "nothing" in refused(capsys, stored(frame, tmp_path), "--by", ",")
    nested = frame[(frame["reader"] == "R 0") == (frame["arm"] == "arm 0")]
    for by in ("arm", "reader", "reader,arm"):
        assert len(answered(capsys, stored(nested, tmp_path), "--by", by)["estimates"]) == 2


def test_a_cell_without_an_answer_is_told_beside_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = table(3)
    frame = frame[~((frame["reader"] == "R 0") & (frame["arm"] == "arm 0") & (frame["truth"] == 1))]
    frame.loc[frame["reader"] == "R 2", "rating"] = np.nan
    content = answered(capsys, stored(frame, tmp_path))
    assert [(row["reader"], row["arm"]) for row in content["estimates"]] == [
        ("R 0", "arm 1"), ("R 1", "arm 0"), ("R 1", "arm 1"),
    ]  # fmt: skip
    assert any(text.startswith("Left out: R 0, arm 0: There is no diseased case") for text in content["warnings"])
    assert "Left out: R 2 has no rating." in content["warnings"]


@pytest.mark.parametrize("extra", [[], ["--interval", "bootstrap"], ["--curve", "binormal"]])
def test_ties_and_perfect_separation_are_answered_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: list[str]
) -> None:
    frame = table(1, 1)
    for rating, area in ((frame["truth"] * 0 + 3, 0.5), (frame["truth"] * 10, 1.0), (-frame["truth"], 0.0)):
        content = answered(capsys, stored(frame.assign(rating=rating), tmp_path), *extra)
        (row,) = content["estimates"]
        assert (row["estimate"], row["se"], row["low"], row["high"]) == (area, 0.0, area, area)
        assert content["warnings"]


def test_one_class_and_single_cases_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = table(1, 1)
    assert "no non-diseased case" in refused(capsys, stored(frame.assign(truth=1), tmp_path))
    pair = stored(frame.iloc[:2], tmp_path)
    assert "only one diseased case" in refused(capsys, pair)
    drawn = answered(capsys, pair, "--interval", "bootstrap")
    assert any("only one diseased case" in text for text in drawn["warnings"])
    assert "no rating" in refused(capsys, stored(frame.assign(rating=np.nan), tmp_path))
