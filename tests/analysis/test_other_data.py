"""Tables as other people write them: the same numbers however a file is written, and nothing assumed in silence."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from tests.analysis.degenerate import crossed

Capture = pytest.CaptureFixture[str]
Ask = Callable[..., Any]


@pytest.fixture
def ask(capsys: Capture) -> Ask:
    """The JSON of a command, or its sentence where it refuses."""

    def asked(*words: object) -> Any:
        status = main([*map(str, words), "--format", "json"])
        said = capsys.readouterr()
        if status == 0:
            assert said.err == ""
            return json.loads(said.out)
        assert status == 2 and said.out == "" and said.err.count("\n") == 1
        return said.err.strip()

    return asked


def table() -> pd.DataFrame:
    """Two readers in two arms, cases called 001 to 024."""
    frame = crossed(readers=2)
    return frame.assign(case=frame["case"].map("{:03d}".format))[["reader", "arm", "case", "truth", "rating"]]


def text(separator: str = ",", **values: Any) -> str:
    return str(table().assign(**values).to_csv(index=False, sep=separator))


def with_ends(end: str) -> str:
    lines = text().splitlines()
    return "\n".join([lines[0], *(line + end for line in lines[1:])]) + "\n"


WRITTEN: dict[str, Callable[[], bytes]] = {
    "byte order mark": lambda: b"\xef\xbb\xbf" + text().encode(),
    "Windows line ends": lambda: text().replace("\n", "\r\n").encode(),
    "blank lines at the end": lambda: (text() + "\n\n").encode(),
    "blank cells at the end": lambda: (text() + ",,,,\n,,,,\n").encode(),
    "a comma behind every row": lambda: with_ends(",").encode(),
    "quotation marks": lambda: str(table().to_csv(index=False, quoting=1)).encode(),
    "semicolons": lambda: text(";").encode(),
    "tabs": lambda: text("\t").encode(),
    "spaces behind commas": lambda: text().replace(",", ", ").encode(),
    "spaces behind some labels": lambda: text().replace("R0,", "R0 ,", 7).encode(),
    "row names of write.csv": lambda: str(table().to_csv()).encode(),
    "row names of write.table": lambda: str(table().to_csv()).removeprefix(",").encode(),
    "truth in capitals": lambda: text(truth=table()["truth"].map({0: "FALSE", 1: "TRUE"})).encode(),
    "truth as decimals": lambda: text(truth=table()["truth"].astype(float)).encode(),
    "ratings of other lengths": lambda: text(
        rating=[f"{r:.{i % 4}f}" for i, r in enumerate(table()["rating"])]
    ).encode(),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_numbers_however_a_file_is_written(name: str, tmp_path: Path, ask: Ask) -> None:
    plain, other = tmp_path / "plain.csv", tmp_path / "other.csv"
    plain.write_text(text())
    other.write_bytes(WRITTEN[name]())
    assert ask("auc", other) == ask("auc", plain)
    assert ask("mrmc", other) == ask("mrmc", plain)


KEPT: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "plain": lambda f: f,
    "categories": lambda f: f.astype({"reader": "category", "arm": "category", "case": "category"}),
    "whole truth that may be missing": lambda f: f.astype({"truth": "Int64", "rating": "Int64"}),
    "truth as booleans": lambda f: f.assign(truth=f["truth"] == 1),
    "numbers as text": lambda f: f.assign(truth=f["truth"].astype(str), rating=f["rating"].astype(str)),
    "labels in the index": lambda f: f.set_index(["reader", "arm"]),
}


@pytest.mark.parametrize("name", KEPT)
def test_the_same_numbers_from_parquet(name: str, tmp_path: Path, ask: Ask) -> None:
    plain, other = tmp_path / "plain.csv", tmp_path / "other.parquet"
    plain.write_text(text())
    KEPT[name](table()).to_parquet(other)
    assert ask("auc", other) == ask("auc", plain)


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "a column twice": (text().replace("case", "rating", 1), "two columns called rating"),
    "rows too long": (text().replace("R0,A0,001", "R0,A0,001,7,8", 1), "more fields than its header"),
    "a row too long": (text().replace("R0,A0,002", "R0,A0,002,7,8", 1), "Expected 5 fields"),
    "another alphabet": (text().encode("utf-16"), "UTF-8"),
    "Reader for reader": (text().replace("reader", "Reader", 1), "--reader Reader"),
    "treatment for arm": (text().replace("arm", "treatment", 1), "the table has one arm"),
    "truth in words": (text(truth="yes"), "must be 0 or 1"),
    "a reader NA": (text().replace("R0", "NA"), "blank or NA"),
    "decimal commas": (text(";").replace(".0\n", ",5\n"), "rating is not a number"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_with_a_file_is_named(name: str, tmp_path: Path, ask: Ask) -> None:
    content, sentence = REFUSED[name]
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = ask("auc", path)
    assert isinstance(found, str) and sentence in found, found


def test_a_folder_is_no_table(tmp_path: Path, ask: Ask) -> None:
    assert ask("auc", tmp_path) == f"{tmp_path} is a folder, not a table."


def test_labels_that_are_equal_as_numbers_stay_apart_in_one_order(tmp_path: Path, ask: Ask) -> None:
    frame = table()
    frame["reader"] = frame["reader"].map({"R0": "1", "R1": "01"})
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    frame.to_csv(first, index=False)
    frame.iloc[::-1].to_csv(second, index=False)
    found = ask("mrmc", first)
    assert found == ask("mrmc", second)
    assert [row["reader"] for row in found["estimates"][::2]] == ["01", "1"]


def test_an_arm_called_none_and_arms_with_commas(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "table.csv"
    frame = table()
    frame.assign(arm=frame["arm"].map({"A0": "None", "A1": "AI, late"})).to_csv(path, index=False)
    found = ask("mrmc", path, "--arms", 'None,"AI, late"')
    assert [found["differences"][0][key] for key in ("first", "second")] == ["None", "AI, late"]


@pytest.mark.parametrize("command", ["compare", "mcnemar"])
def test_patients_keep_their_leading_zeros(command: str, tmp_path: Path, ask: Ask) -> None:
    frame = table().assign(decision=lambda f: (f["rating"] > 2).astype(int))
    number = frame["case"].astype(int) // 4
    names = {"digits": number.map(lambda n: f"{n % 4:0{1 + n // 4}d}"), "letters": number.map("p{}".format)}
    found = []
    for label, patients in names.items():
        path = tmp_path / f"{label}.csv"
        frame.assign(who=patients).to_csv(path, index=False)
        found.append(ask(command, path, "--arms", "A0,A1", "--cluster", "who"))
    assert np.allclose([row["se"] for row in found[0]["differences"]], [row["se"] for row in found[1]["differences"]])
    assert not any("repeat between" in text for text in found[0]["warnings"])


@pytest.mark.parametrize(
    ("words", "column", "value"),
    [
        (("compare",), "truth", 1),
        (("compare", "--method", "bootstrap"), "truth", 1),
        (("compare", "--margin", "0.1"), "truth", 1),
        (("mcnemar", "--metric", "sensitivity"), "truth", 1),
        (("mcnemar", "--cluster", "patient"), "patient", 1),
    ],
)
def test_a_reader_without_an_answer_does_not_lose_the_others(
    words: tuple[str, ...], column: str, value: int, tmp_path: Path, ask: Ask
) -> None:
    frame, path, whole = crossed(), tmp_path / "table.csv", tmp_path / "whole.csv"
    lacking = frame[~((frame["reader"] == "R1") & (frame[column] == value))]
    if column == "patient":
        lacking = frame[(frame["reader"] != "R1") | (frame[column] == value)]
    lacking.to_csv(path, index=False)
    frame[frame["reader"] != "R1"].to_csv(whole, index=False)
    found, expected = (ask(words[0], file, "--arms", "A0,A1", *words[1:]) for file in (path, whole))
    assert found["differences"] == expected["differences"]
    assert any(text.startswith("Left out: R1: ") for text in found["warnings"])


def test_what_concerns_all_readers_is_said_once(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "table.csv"
    crossed().assign(reader=lambda f: f["reader"] + f["arm"]).to_csv(path, index=False)
    assert ask("compare", path, "--arms", "A0,A1") == "Every reader: No case was rated in both arms."
    crossed().assign(decision=lambda f: f["rating"]).to_csv(path, index=False)
    assert ask("mcnemar", path, "--arms", "A0,A1").startswith("The column decision must be 0 or 1")


def test_text_is_aligned_and_short(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "table.csv"
    frame = crossed().assign(reader=lambda f: f["reader"].map({"R0": "Ann", "R1": "Dr. Bob Smith", "R2": "C"}))
    frame.iloc[1:].to_csv(path, index=False)
    assert main(["mrmc", str(path), "--readers", "fixed"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1] == "3 readers, 2 arms (A0, A1), 24 cases (12 diseased, 12 not); 1 reading missing"
    start = said.index("estimates")
    rows = said[start + 1 : start + 8]
    assert rows[0].split() == ["reader", "arm", "estimate", "se", "low", "high"]
    assert len({len(row) for row in rows}) == 1 and len({row.rindex(".") for row in rows[1:]}) == 1
    start = said.index("differences")
    assert [row.split()[2] for row in said[start + 2 : start + 6]] == ["all", "Ann", "C", "Dr."]
    assert "low and high: 95 % interval" in said
    assert not any(len(word) > 12 for row in said[start:] if not row.startswith("Warning") for word in row.split())


def test_text_of_very_small_p_and_of_a_power_grid(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "table.csv"
    generator = np.random.default_rng(3)
    frame = crossed(cases=400)
    shift = 3 * (frame["truth"] == 1) * (frame["arm"] == "A1")
    frame.assign(rating=generator.normal(size=len(frame)) + shift).to_csv(path, index=False)
    assert main(["compare", str(path), "--arms", "A0,A1"]) == 0
    assert capsys.readouterr().out.count("<0.0001") == 3
    assert main(["power", "--pilot", str(path), "--readers", "5", "--cases", "50", "--effect", "0.05"]) == 0
    said = capsys.readouterr().out
    assert "95 % interval" not in said and "5 readers" in said


def test_numbers_as_text_are_numbers_for_agreement(tmp_path: Path, ask: Ask) -> None:
    plain, other = tmp_path / "plain.csv", tmp_path / "other.parquet"
    frame = table().assign(rating=lambda f: 8 + f["rating"])
    frame.to_csv(plain, index=False)
    frame.assign(rating=frame["rating"].map("{:.0f}".format)).to_parquet(other)
    for words in (("--kind", "icc"), ("--weights", "linear")):
        assert ask("agreement", other, *words) == ask("agreement", plain, *words)


def test_an_interval_that_a_partial_area_does_not_have_is_told(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "table.csv"
    table().to_csv(path, index=False)
    plain = ask("auc", path, "--partial", "specificity:0.8:1")
    told = ask("auc", path, "--partial", "specificity:0.8:1", "--interval", "delong")
    assert told["estimates"] == plain["estimates"]
    assert told["warnings"] == ["A partial area has a bootstrap interval, not delong.", *plain["warnings"]]
    refused = ask("auc", path, "--partial", "specificity:80:100")
    assert refused == "A partial area needs 0 <= low < high <= 1, not 80 and 100."


def test_a_reader_that_stops_early_leaves_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    crossed(readers=8).to_csv(path, index=False)
    script = f"{sys.executable} -m analysis auc {path} | true; exit ${{PIPESTATUS[0]}}"
    found = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_more_cells_than_memory_are_refused(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "table.csv"
    number = np.arange(30_000)
    frame = pd.DataFrame({"reader": number, "case": number, "truth": number % 2, "rating": number % 7})
    frame.to_csv(path, index=False)
    assert ask("auc", path) == (
        "30000 readers, 1 arms and 30000 cases make 9e+08 cells, too many for memory, and the table fills 30000 of "
        "them; is reader the column of readers?"
    )
