"""`python -m analysis froc`: the contract of its JSON, and one sentence for what cannot be analysed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.localisation.froc import localised_figures
from analysis.localisation.marks import read_marks
from analysis.localisation.rockette import localised_obuchowski_rockette
from tests.analysis.mark_tables import one_design, random_tables

Files = dict[str, Path]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Marks, cases and design of three readers and two arms."""
    marks, cases = random_tables(1, 3, 2, cases=20)
    return written(tmp_path, marks=marks, cases=cases, design=one_design(3, 2))


def written(folder: Path, **tables: pd.DataFrame) -> Files:
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return {name: folder / f"{name}.csv" for name in tables}


def asked(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    status = main(["froc", *map(str, words)])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_json_is_that_of_the_contract(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = asked(capsys, files["marks"], files["cases"], "--design", files["design"], "--format", "json")
    assert status == 0
    content: dict[str, Any] = json.loads(out)
    assert list(content) == [
        "method", "table", "estimates", "arms", "differences", "overall", "components", "warnings", "seed", "versions"
    ]  # fmt: skip
    assert content["table"]["readers"] == 3 and content["table"]["missing"] == 0
    marks = read_marks(pd.read_csv(files["marks"]), pd.read_csv(files["cases"]), pd.read_csv(files["design"]))
    found = localised_obuchowski_rockette(marks)
    assert content["differences"][0]["p"] == found.p and content["overall"]["f"] == found.overall.f  # type: ignore[union-attr]
    assert content["warnings"] == list(found.warnings)
    values = localised_figures(marks).values
    assert [row["estimate"] for row in content["estimates"]] == values.ravel().tolist()


@pytest.mark.parametrize("metric", ["wafroc", "JAFROC", "hrauc", "maxnlf", "songa2", "froc", "roi", "alroc", "pcl:0.3"])
@pytest.mark.parametrize("sampling", [(), ("--readers", "fixed"), ("--cases", "fixed")])
def test_every_metric_and_sampling(
    files: Files, capsys: pytest.CaptureFixture[str], metric: str, sampling: tuple[str, ...]
) -> None:
    words: list[str | Path] = [files["marks"], files["cases"], "--metric", metric, *sampling, "--format", "json"]
    status, out, _ = asked(capsys, *words)
    content = json.loads(out)
    assert status == 0 and len(content["estimates"]) == 6 and "No design table" in content["warnings"][0]
    assert all(np.isfinite(row[key]) for row in content["estimates"] for key in ("estimate", "se", "low", "high"))
    assert (content["components"] is None) == ("--cases" in sampling)


def test_columns_may_have_other_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marks, cases = random_tables(2, 3, 2, cases=20)
    renamed = marks.rename(columns={"arm": "treatment", "reader": "the reader", "rating": "score"})
    files = written(tmp_path, marks=renamed, cases=cases, design=one_design(3, 2).rename(columns={"arm": "treatment"}))
    words: list[str | Path] = [
        files["marks"],
        files["cases"],
        "--reader",
        "the reader",
        "--rating",
        "score",
        "--arms",
        "arm 1,arm 0",
    ]
    status, _, err = asked(capsys, *words)
    assert status == 2 and "--arm treatment" in err
    status, out, _ = asked(capsys, *words, "--arm", "treatment")
    assert status == 0 and "2 arms (arm 1, arm 0)" in out
    status, _, err = asked(capsys, *words, "--arm", "treatment", "--design", files["design"])
    assert status == 2 and "no column the reader" in err


def test_one_arm_and_one_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marks, cases = random_tables(2, 1, 1, cases=20)
    files = written(tmp_path, marks=marks.drop(columns=["reader", "arm"]), cases=cases)
    status, _, err = asked(capsys, files["marks"], files["cases"])
    assert status == 2 and "only one reader" in err
    status, out, _ = asked(capsys, files["marks"], files["cases"], "--readers", "fixed", "--format", "json")
    content = json.loads(out)
    assert status == 0 and content["differences"] == [] and content["overall"] is None
    assert content["arms"][0]["estimate"] == content["estimates"][0]["estimate"]


@pytest.mark.parametrize(
    ("change", "words", "sentence"),
    [
        ({"marks": lambda table: table.assign(lesion=9)}, (), "has no lesion 9"),
        ({"marks": lambda table: table.assign(rating="x")}, (), "not a number"),
        ({"marks": lambda table: table.iloc[:0]}, (), "no design table names the readers"),
        ({"cases": lambda table: table.assign(truth=2)}, (), "must be 0 or 1"),
        ({"cases": lambda table: table[table.truth == 1]}, (), "not in the table of cases"),
        ({"cases": lambda table: table.iloc[:0]}, (), "There are no rows"),
        ({"cases": lambda table: table.assign(weight=table.weight * 3)}, (), "not to 1"),
        ({}, ("--metric", "dice"), "The figure of merit is"),
        ({}, ("--readers", "fixed", "--cases", "fixed"), "nothing varies"),
        ({}, ("--arms", "arm 0,arm 9"), "no arm 'arm 9'"),
        ({}, ("--case", "patient"), "no column patient"),
        ({}, ("--design", "absent.csv"), "There is no file absent.csv"),
        ({}, ("--readers", "some"), "Argument --readers"),
    ],
)
def test_what_cannot_be_analysed_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Any, words: tuple[str, ...], sentence: str
) -> None:
    marks, cases = random_tables(1, 3, 2, cases=20)
    tables = {"marks": marks, "cases": cases}
    files = written(tmp_path, **{name: change.get(name, lambda same: same)(table) for name, table in tables.items()})
    status, out, err = asked(capsys, files["marks"], files["cases"], *words)
    assert status == 2 and out == "" and sentence in err and err.count("\n") == 1


def test_an_empty_file_and_an_absent_one(tmp_path: Path, capsys: pytest.CaptureFixture[str], files: Files) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    for words in ((empty, files["cases"]), (files["marks"], empty), (files["marks"], tmp_path / "none.csv")):
        status, _, err = asked(capsys, *words)
        assert status == 2 and err.count("\n") == 1
