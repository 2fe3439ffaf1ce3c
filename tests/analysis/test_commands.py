"""The command line: the shape of its JSON, its numbers, and one sentence with status 2 for everything else."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.__main__ import main
from tests.analysis.oracle_entries import CROSSED, agree, crossed, golden
from tests.shared_data import shared

TABLE = str(CROSSED / "crossed.csv")
TOP = ["method", "table", "estimates", "arms", "differences", "overall", "components", "warnings", "seed", "versions"]
DIFFERENCE = ["first", "second", "reader", "estimate", "se", "df", "statistic", "p", "low", "high"]
COMMANDS = (
    ["auc", TABLE],
    ["compare", TABLE, "--arms", "unaided,aided", "--by", "reader"],
    ["mrmc", TABLE, "--arms", "unaided,aided"],
    ["mrmc", TABLE, "--metric", "sensitivity", "--covariance", "jackknife", "--readers", "fixed"],
    ["mcnemar", TABLE, "--arms", "unaided,aided", "--test", "midp"],
    ["agreement", TABLE],
    ["agreement", TABLE, "--kind", "fleiss"],
)


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main([*words, "--format", "json"]) == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_answers_in_the_same_shape(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    content = answer(capsys, *words)
    assert list(content) == TOP
    assert list(content["table"]) == ["readers", "arms", "cases", "positives", "negatives", "missing"]
    for row in content["estimates"]:
        assert list(row) == ["reader", "arm", "estimate", "se", "low", "high"]
    for row in content["arms"]:
        assert list(row) == ["arm", "estimate", "se", "df", "low", "high"]
    for row in content["differences"]:
        assert list(row) == DIFFERENCE
    assert content["estimates"] or content["differences"]
    assert content["seed"] is None


def test_mrmc_in_full_precision(capsys: pytest.CaptureFixture[str]) -> None:
    content = answer(capsys, "mrmc", TABLE, "--arms", "unaided,aided")
    expected = golden()["ORH_auc_RRRC_DeLong"]
    row, table = content["differences"][0], expected["test_diffs"][0]
    assert (row["first"], row["second"], row["reader"]) == ("unaided", "aided", None)
    agree(row["estimate"], -table["Estimate"], "estimate")
    for key, name in (("se", "StdErr"), ("df", "df"), ("p", "p-value")):
        agree(row[key], table[name], key)
    agree(content["overall"]["f"], expected["equality"][0]["F"], "F")
    assert list(content["overall"]) == ["f", "df1", "df2", "p"]
    parts = {line["_row"]: line["Estimate"] for line in expected["vcov"]}
    ours = content["components"]
    names = {
        "reader": "reader",
        "arm_reader": "test:reader",
        "error": "Error",
        "cov1": "Cov1",
        "cov2": "Cov2",
        "cov3": "Cov3",
    }
    assert list(ours) == list(names)
    for key, name in names.items():
        agree(ours[key], parts[name], key, absolute=1e-13)
    assert content["table"] == {
        "readers": 5,
        "arms": ["unaided", "aided"],
        "cases": 80,
        "positives": 40,
        "negatives": 40,
        "missing": 0,
    }


def test_per_reader_tests_name_holm_in_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    content = answer(capsys, "mcnemar", TABLE, "--arms", "unaided,aided")
    for row, line in zip(content["differences"], golden()["per_reader"], strict=True):
        assert row["reader"] == line["reader"]
        agree(row["p"], line["mcnemar_exact_p"], row["reader"])
    assert "adjusted by Holm they are: R1 1, R2 1" in content["warnings"][-1]


def test_columns_are_renamed_and_parquet_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "table.parquet"
    crossed().rename(columns={"arm": "modality", "rating": "score"}).to_parquet(path)
    content = answer(capsys, "mrmc", str(path), "--arm", "modality", "--rating", "score", "--arms", "unaided,aided")
    assert content["differences"][0]["p"] == pytest.approx(0.1199290, abs=5e-8)


def test_a_table_of_one_reader_needs_no_reader_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.csv"
    pd.DataFrame({"case": [1, 2, 3, 4], "truth": [0, 0, 1, 1], "rating": [1, 2, 2, 3]}).to_csv(path, index=False)
    content = answer(capsys, "auc", str(path))
    assert content["estimates"][0]["estimate"] == 0.875


def test_text_categories_agree_as_categories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "words.csv"
    rows = [("R", 1, "a"), ("R", 2, "b"), ("R", 3, "a"), ("S", 1, "a"), ("S", 2, "b"), ("S", 3, "b")]
    pd.DataFrame(rows, columns=["reader", "case", "rating"]).to_csv(path, index=False)
    content = answer(capsys, "agreement", str(path))
    assert content["estimates"][0]["estimate"] == pytest.approx(0.4)
    assert content["table"]["positives"] is None


def test_bootstrap_and_partial_areas_carry_their_seed(capsys: pytest.CaptureFixture[str]) -> None:
    content = answer(capsys, "auc", TABLE, "--interval", "bootstrap", "--partial", "specificity:0.8:1", "--mcclish")
    assert content["method"] == "Partial AUC, specificity 0.8 to 1, McClish's correction, with bootstrap interval"
    assert content["seed"] == 20260101
    row = content["estimates"][0]
    assert row["low"] < row["estimate"] < row["high"]
    content = answer(capsys, "compare", TABLE, "--arms", "unaided,aided", "--method", "bootstrap")
    for row, line in zip(content["differences"], golden()["per_reader"], strict=True):
        assert row["estimate"] == pytest.approx(line["auc_aided"] - line["auc_unaided"])
        assert row["p"] == pytest.approx(line["p"], abs=0.05)


def test_text_and_csv(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mrmc", TABLE, "--arms", "unaided,aided"]) == 0
    text = capsys.readouterr().out
    assert "5 readers, 2 arms (unaided, aided), 80 cases (40 diseased, 40 not)" in text
    assert "0.07175" in text
    assert main(["mrmc", TABLE, "--arms", "unaided,aided", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["section"] for row in rows] == ["estimates"] * 10 + ["arms"] * 2 + ["differences"]
    assert float(rows[-1]["p"]) == pytest.approx(0.1199290055768, rel=1e-10)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["mrmc", "nowhere.csv"], "There is no file nowhere.csv."),
        (["mrmc", TABLE, "--arms", "a,b"], "The table has no arm 'a'"),
        (["compare", TABLE, "--arms", "unaided"], "--arms names two arms"),
        (["compare", TABLE], "required: --arms"),
        (["auc", TABLE, "--by", "arm"], "Pooling readers"),
        (["auc", TABLE, "--by", "reader,site"], "not by site"),
        (["auc", TABLE, "--rating", "score"], "The table has no column score"),
        (["mrmc", TABLE, "--readers", "some"], "invalid choice: 'some'"),
        (["mrmc", TABLE, "--readers", "fixed", "--cases", "fixed"], "nothing varies"),
        (["teapot", TABLE], "invalid choice: 'teapot'"),
        ([], "required: COMMAND"),
        (["auc", TABLE, "--partial", "specificity:0.9:0.8"], "0 <= low < high <= 1"),
        (["auc", TABLE, "--partial", "specificity:0.8", "--interval", "bootstrap"], "not as specificity:0.8"),
        (["auc", TABLE, "--partial", "fpr:0:0.2", "--interval", "bootstrap"], "not as fpr:0:0.2"),
        (["auc", TABLE, "--mcclish"], "name it with --partial"),
        (["auc", TABLE, "--reeder", "x"], "Unrecognized arguments: --reeder x"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_one_sentence_and_status_2(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("content", ["", "a\n", 'a,b\n"1', "reader,arm,case,truth,rating\n", "\x00\x01"], ids=repr)
def test_files_that_are_no_tables(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content)
    assert main(["auc", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_bytes_that_are_no_text_and_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xff\xfe\x00reader")
    broken = tmp_path / "table.parquet"
    broken.write_bytes(b"PAR1")
    for place in (path, broken, tmp_path):
        assert main(["auc", str(place)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", ["edge_one_class", "edge_single_positive", "edge_two_cases"])
def test_edge_tables_are_refused_in_a_sentence(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["auc", str(shared(f"oracles/data/{name}.csv"))]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", ["edge_all_ties", "edge_perfect", "edge_perfect_reversed", "edge_missing"])
def test_edge_tables_with_an_answer(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    content = answer(capsys, "auc", str(shared(f"oracles/data/{name}.csv")))
    assert 0 <= content["estimates"][0]["estimate"] <= 1


def test_the_program_as_a_statistician_starts_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "analysis", "auc", TABLE, "--format", "json"], capture_output=True, text=True, check=True
    )
    assert len(json.loads(done.stdout)["estimates"]) == 10
    failed = subprocess.run(
        [sys.executable, "-m", "analysis", "auc", "nowhere.csv"], capture_output=True, text=True, check=False
    )
    assert (failed.returncode, failed.stderr) == (2, "There is no file nowhere.csv.\n")
