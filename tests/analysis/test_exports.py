"""What is written for another program is what that program's format says, and analyses alike when read back."""

import csv
import struct
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.commands import export
from analysis.errors import CannotAnalyse
from analysis.formats.exports import PROGRAMS, safe, write
from analysis.formats.workbook import MAIN
from analysis.mrmc import obuchowski_rockette
from analysis.ratings import Columns, Ratings, table_to_ratings
from analysis.ustatistics import u_statistics
from tests.analysis.oracle_entries import CROSSED, crossed

TABLE = str(CROSSED / "crossed.csv")
ARMS = ("unaided", "aided")
Rows = list[tuple[str, str, str, int, float]]


def study(odd: bool = False) -> Ratings:
    """The crossed study; with names that no program takes, and ratings that are no round numbers."""
    frame = crossed()
    if odd:
        frame["reader"] = frame["reader"].map(lambda name: f'Dr. Müller, {name} "the first"')
        frame["arm"] = frame["arm"].map({"unaided": "without AI", "aided": "with 'AI'"})
        frame["case"] = frame["case"].map(lambda name: f"case {name}/ä")
        frame["rating"] += 0.123456789012345
    arms = ("without AI", "with 'AI'") if odd else ARMS
    return table_to_ratings(frame, Columns(), arms)


def read_back(rows: Rows, arms: tuple[str, ...]) -> Ratings:
    frame = pd.DataFrame(rows, columns=["reader", "arm", "case", "truth", "rating"])
    return table_to_ratings(frame, Columns(), arms)


def names_of(path: Path) -> dict[tuple[str, str], str]:
    """Kind and name as written -> the name it stands for; empty where nothing was changed."""
    table = path.with_name(f"{path.name}.names.csv")
    if not table.exists():
        return {}
    with table.open(newline="", encoding="utf-8") as file:
        return {(row["kind"], row["written"]): row["name"] for row in csv.DictReader(file)}


def from_imrmc(path: Path) -> Rows:
    """As iMRMC reads: counts before BEGIN DATA:, commas without quotes, spaces dropped, reader -1 the truth."""
    head, _, body = path.read_text(encoding="utf-8").partition("BEGIN DATA:\n")
    counts = {line[:3]: int(line[3:]) for line in head.splitlines() if line[:3] in ("NR:", "N0:", "N1:", "NM:")}
    lines = [[part.replace(" ", "") for part in line.split(",")] for line in body.splitlines()]
    assert all(len(line) == 4 for line in lines)
    truth = {case: int(score) for reader, case, modality, score in lines if (reader, modality) == ("-1", "0")}
    names = names_of(path)
    rows = [
        (
            names.get(("reader", reader), reader),
            names.get(("arm", arm), arm),
            names.get(("case", case), case),
            truth[case],
            float(score),
        )
        for reader, case, arm, score in lines
        if reader != "-1"
    ]
    assert counts["NR:"] == len({row[0] for row in rows}) and counts["NM:"] == len({row[1] for row in rows})
    assert (counts["N0:"], counts["N1:"]) == (sum(not t for t in truth.values()), sum(truth.values()))
    return rows


def sheets_of(path: Path) -> dict[str, list[dict[str, str]]]:
    """Cells of a workbook by sheet and header, straight from its XML."""
    archive, space = zipfile.ZipFile(path), {"m": MAIN}
    # The file is the one that was just written.
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
    found = {}
    for number, sheet in enumerate(book.findall(".//m:sheet", space), start=1):
        content = ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314
        table = []
        for row in content.findall(".//m:row", space):
            cells = {}
            for item in row.findall("m:c", space):
                text = item.find("m:is/m:t", space) if item.get("t") == "inlineStr" else item.find("m:v", space)
                assert text is not None
                cells[str(item.get("r")).rstrip("0123456789")] = text.text or ""
            table.append(cells)
        header = table[0]
        found[sheet.attrib["name"]] = [{header[at]: cell for at, cell in line.items()} for line in table[1:]]
    return found


def from_rjafroc(path: Path) -> Rows:
    """As RJafroc 2 reads: three sheets; Paradigm holds type and design in its first two rows."""
    sheets = sheets_of(path)
    assert sorted(sheets) == ["FP", "TP", "Truth"]
    assert [row.get("Paradigm") for row in sheets["Truth"][:3]] == ["ROC", "FCTRL", None]
    truth = {row["CaseID"]: int(row["LesionID"]) for row in sheets["Truth"]}
    assert {row["Weight"] for row in sheets["Truth"] if truth[row["CaseID"]]} == {"1"}
    names = names_of(path)
    rows = []
    for sheet, diseased in (("FP", 0), ("TP", 1)):
        for row in sheets[sheet]:
            assert truth[row["CaseID"]] == diseased and row.get("LesionID", "0") == str(diseased)
            reader, arm, case = row["ReaderID"], row["ModalityID"], row["CaseID"]
            assert reader in sheets["Truth"][0]["ReaderID"].split(", ")
            assert arm in sheets["Truth"][0]["ModalityID"].split(", ")
            rows.append(
                (
                    names.get(("reader", reader), reader),
                    names.get(("arm", arm), arm),
                    names.get(("case", case), case),
                    diseased,
                    float(row[f"{sheet}_Rating"]),
                )
            )
    return rows


def from_obuchowski(path: Path) -> Rows:
    """As OBUMRM reads: fixed columns, then fields of the width that its FORMAT statement names."""
    lines, names = path.read_text().splitlines(), names_of(path)
    assert lines[0][1] == "0" and lines[0][3] in "01"
    negatives, arms, readers, positives = int(lines[1][1:4]), int(lines[2][1]), int(lines[3][:2]), int(lines[4][1:4])
    statement = path.with_name(f"{path.name}.format.txt").read_text().split("(")[1].split(")")[0]
    width = int(statement.split("F")[1].split(".")[0])
    assert len(lines) == 5 + readers * (negatives + positives)
    rows = []
    for place, line in enumerate(lines[5:]):
        reader, case = divmod(place, negatives + positives)
        assert len(line) == arms * width
        for arm in range(arms):
            rating = line[arm * width : (arm + 1) * width]
            assert width == 6 or "." in rating
            numbers = f"{reader + 1}", f"{arm + 1}", f"{case + 1:0{len(str(negatives + positives))}d}"
            rows.append(
                (
                    names.get(("reader", numbers[0]), numbers[0]),
                    names.get(("arm", numbers[1]), numbers[1]),
                    names.get(("case", numbers[2]), numbers[2]),
                    int(case >= negatives),
                    float(rating),
                )
            )
    return rows


def from_csv(path: Path) -> Rows:
    frame = pd.read_csv(path, dtype={"reader": str, "arm": str, "treatment": str, "case": str})
    frame = frame.rename(columns={"treatment": "arm"})
    return list(frame[["reader", "arm", "case", "truth", "rating"]].itertuples(index=False, name=None))


def from_stata(path: Path) -> Rows:
    frame = pd.read_stata(path, convert_categoricals=False)
    return list(frame[["reader", "arm", "case_id", "truth", "rating"]].itertuples(index=False, name=None))


def from_sav(path: Path) -> Rows:
    """As the PSPP developer's guide describes a system file."""
    content = path.read_bytes()
    assert content[:4] == b"$FL2"
    _, places, compressed, _, cases, _ = struct.unpack_from("<5id", content, 64)
    assert compressed == 0
    at, variables = 176, []
    while (record := struct.unpack_from("<i", content, at)[0]) != 999:
        if record == 2:
            kind, labelled = struct.unpack_from("<2i", content, at + 4)
            name = content[at + 24 : at + 32].decode().strip().lower()
            at += 32
            if labelled:
                at += 4 + -(-struct.unpack_from("<i", content, at)[0] // 4) * 4
            variables.append((name, kind))
        elif record == 3:
            count, at = struct.unpack_from("<i", content, at + 4)[0], at + 8
            for _ in range(count):
                at += 8 + -(-(content[at + 8] + 1) // 8) * 8
        elif record == 4:
            at += 8 + 4 * struct.unpack_from("<i", content, at + 4)[0]
        else:
            assert record == 7
            size, count = struct.unpack_from("<2i", content, at + 8)
            at += 16 + size * count
    assert len(variables) == places and len(content) == at + 8 + 8 * places * cases
    rows = []
    for case in range(cases):
        start, values = at + 8 + 8 * places * case, {}
        for place, (name, kind) in enumerate(variables):
            if kind == 0:
                values[name] = struct.unpack_from("<d", content, start + 8 * place)[0]
            elif kind > 0:
                values[name] = content[start + 8 * place :][: -(-kind // 8) * 8].decode().rstrip()
        rows.append((values["reader"], values["arm"], values["case"], int(values["truth"]), values["rating"]))
    return rows


READ: dict[str, tuple[str, str, Callable[[Path], Rows]]] = {
    "imrmc": ("imrmc", "study.imrmc", from_imrmc),
    "rjafroc": ("rjafroc", "study.xlsx", from_rjafroc),
    "mrmcaov": ("mrmcaov", "study.csv", from_csv),
    "obuchowski": ("obuchowski", "study.dat", from_obuchowski),
    "sas": ("sas", "study.sas", lambda path: from_csv(path.with_suffix(".csv"))),
    "stata": ("stata", "study.dta", from_stata),
    "sps": ("spss", "study.sps", lambda path: from_csv(path.with_suffix(".csv"))),
    "sav": ("spss", "study.sav", from_sav),
}


@pytest.mark.parametrize("odd", [False, True], ids=["plain names", "odd names"])
@pytest.mark.parametrize("form", READ)
def test_read_back_the_analysis_is_the_same(form: str, odd: bool, tmp_path: Path) -> None:
    program, name, read = READ[form]
    ratings = study(odd)
    written = write(tmp_path / name, ratings, program)
    assert written.files[0] == tmp_path / name and all(file.exists() for file in written.files)
    back = read_back(read(tmp_path / name), ratings.arms)
    assert (back.readers, back.cases) == (ratings.readers, ratings.cases)
    assert back.truth.tolist() == ratings.truth.tolist()
    np.testing.assert_array_equal(back.values, ratings.values)
    assert obuchowski_rockette(back).p == obuchowski_rockette(ratings).p
    assert u_statistics(back).se == u_statistics(ratings).se


@pytest.mark.parametrize("form", ["imrmc", "mrmcaov", "sas", "stata", "sps", "sav"])
def test_missing_readings_stay_missing(form: str, tmp_path: Path) -> None:
    program, name, read = READ[form]
    ratings = study()
    ratings.values[0, 0, :7] = np.nan
    assert write(tmp_path / name, ratings, program).readings == ratings.values.size - 7
    back = read_back(read(tmp_path / name), ratings.arms)
    np.testing.assert_array_equal(back.values, ratings.values)


@pytest.mark.parametrize("program", ["rjafroc", "obuchowski"])
def test_programs_of_complete_designs_refuse_missing_readings(program: str, tmp_path: Path) -> None:
    ratings = study()
    ratings.values[0, 0, 0] = np.nan
    with pytest.raises(CannotAnalyse, match="1 are missing"):
        write(tmp_path / "study.xlsx", ratings, program)


def test_what_a_program_cannot_hold_is_refused(tmp_path: Path) -> None:
    ratings = study()
    with pytest.raises(CannotAnalyse, match=r"\.xlsx"):
        write(tmp_path / "study.xls", ratings, "rjafroc")
    with pytest.raises(CannotAnalyse, match="two or three arms"):
        write(tmp_path / "study.dat", ratings.restricted(arms=("aided",)), "obuchowski")
    with pytest.raises(CannotAnalyse, match="not to excel"):
        write(tmp_path / "study.dat", ratings, "excel")
    with pytest.raises(CannotAnalyse, match="cannot be written"):
        write(tmp_path / "nowhere" / "study.imrmc", ratings, "imrmc")
    one_class = Ratings(ratings.readers, ratings.arms, ratings.cases, np.ones_like(ratings.truth), ratings.values)
    with pytest.raises(CannotAnalyse, match="non-diseased"):
        write(tmp_path / "study.xlsx", one_class, "rjafroc")


def test_names_that_become_one_stay_two() -> None:
    found = safe("reader", ("a b", "a,b", "-1", " "), ("-1", "truth"))
    assert found.written == ("a_b", "a_b_2", "-1_2", "_")
    assert found.changed and not safe("arm", ("unaided", "aided-2.1")).changed


def test_programs_say_how_they_are_read(tmp_path: Path) -> None:
    ratings = study(odd=True)
    write(tmp_path / "study.csv", ratings, "mrmcaov")
    script = (tmp_path / "study.R").read_text()
    assert 'levels = c("without AI", "with \'AI\'")' in script and '"study.csv"' in script
    write(tmp_path / "data.sas", ratings, "sas")
    program = (tmp_path / "data.sas").read_text()
    assert "infile 'data.csv' dsd firstobs=2" in program and "reader $" in program and "case = 'Case'" in program
    write(tmp_path / "data.sps", ratings, "spss")
    syntax = (tmp_path / "data.sps").read_text()
    longest = max(len(name.encode()) for name in ratings.readers)
    assert f"reader A{longest}\n" in syntax and "VALUE LABELS truth 0 'non-diseased'" in syntax


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "study.dta"
    assert main(["export", TABLE, "--to", "stata", "--out", str(out), "--arms", "unaided,aided"]) == 0
    assert capsys.readouterr().out == f"800 readings written: {out}.\n"
    frame = pd.read_stata(out)
    # What else the table says of a reading goes along.
    assert {"decision", "seniority"} <= set(frame.columns) and set(frame["truth"]) == {"diseased", "non-diseased"}
    assert main(["export", TABLE, "--to", "imrmc", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["export", TABLE, "--to", "teapot", "--out", "x"]) == 2
    assert main(["export", TABLE, "--to", "sas"]) == 2
    assert "--out" in capsys.readouterr().err


def test_every_program_of_the_command_has_a_writer() -> None:
    assert tuple(PROGRAMS) == export.PROGRAMS


def test_a_table_of_decisions_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    crossed().drop(columns="rating").to_csv(tmp_path / "table.csv", index=False)
    assert main(["export", str(tmp_path / "table.csv"), "--to", "imrmc", "--out", str(tmp_path / "x.imrmc")]) == 0
    capsys.readouterr()
    assert {row[4] for row in from_imrmc(tmp_path / "x.imrmc")} == {0.0, 1.0}
