from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.cases import manifest
from readerstudy.cases.manifest import Fault

GOOD = "case,patient,file,series,truth,site,age\nA,P1,a.png,AP,1,North,61\nB,P2,b.png,AP,negative,South,=1+1\n"


def faults(text: str) -> list[tuple[int, str, str]]:
    return [(fault.row, fault.column, fault.value) for fault in manifest.parse(text.encode()).faults]


def test_a_good_manifest_has_no_fault_and_keeps_formulas_as_text() -> None:
    read = manifest.parse(GOOD.encode())

    assert read.faults == ()
    assert read.covariates == ("age",)
    assert [(row.case, row.truth, row.covariates) for row in read.rows] == [
        ("A", True, {"age": "61"}),
        ("B", False, {"age": "=1+1"}),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiter_mark_and_line_ends_do_not_matter(delimiter: str, mark: str, end: str) -> None:
    text = mark + GOOD.replace(",", delimiter).replace("\n", end)

    assert manifest.parse(text.encode()) == manifest.parse(GOOD.encode())


def test_capital_letters_and_blanks_in_the_header_do_not_matter() -> None:
    assert faults(" Case , PATIENT,File\nA,P,a.png\n") == []


@pytest.mark.parametrize(
    ("word", "truth"),
    [
        ("0", False),
        ("1", True),
        ("Negative", False),
        ("POSITIVE", True),
        ("no", False),
        ("yes", True),
        ("", None),
    ],
)
def test_the_words_for_truth(word: str, truth: bool | None) -> None:
    read = manifest.parse(f"case,patient,file,truth\nA,P,a.png,{word}\n".encode())

    assert read.faults == ()
    assert read.rows[0].truth is truth


def test_declared_labels_replace_the_words() -> None:
    labels = {"fracture": True, "intact": False}

    assert manifest.parse(b"case,patient,file,truth\nA,P,a.png,Fracture\n", labels).rows[0].truth is True
    assert manifest.parse(b"case,patient,file,truth\nA,P,a.png,1\n", labels).faults == (
        Fault(2, "truth", "1", "The truth must be one of fracture, intact, or empty."),
    )


def test_a_missing_column_is_named() -> None:
    assert faults("case,file\nA,a.png\n") == [(1, "patient", "")]


@pytest.mark.parametrize("text", ["", "\n\n", "case,patient,file\n", "case,patient,file\n,,\n"])
def test_an_empty_manifest_is_one_fault(text: str) -> None:
    assert len(faults(text)) == 1


def test_every_fault_is_listed_by_row_and_column() -> None:
    text = (
        "case,patient,file,truth\n"
        ",P1,a.png,1\n"
        "B,,b.png,maybe\n"
        "C,P3,,0\n"
        "D,P4,/etc/passwd,0\n"
        "E,P5,../e.png,0\n"
        "F,P6,C:\\f.png,0\n"
        "G,P7\n"
    )

    assert faults(text) == [
        (2, "case", ""),
        (3, "patient", ""),
        (3, "truth", "maybe"),
        (4, "file", ""),
        (5, "file", "/etc/passwd"),
        (6, "file", "../e.png"),
        (7, "file", "C:\\f.png"),
        (8, "", ""),
    ]


def test_one_case_has_one_patient_one_truth_one_site_and_one_value_of_each_covariate() -> None:
    text = "case,patient,file,truth,site,age\nA,P1,a.png,1,N,60\nA,P2,b.png,0,S,61\nA,P1,c.png,,,\n"

    assert faults(text) == [
        (3, "patient", "P2"),
        (3, "truth", "negative"),
        (3, "site", "S"),
        (3, "age", "61"),
    ]


def test_what_is_said_in_one_row_holds_for_the_case() -> None:
    read = manifest.parse(b"case,patient,file,truth,site\nA,P,a.png,,\nA,P,b.png,1,North\n")

    assert read.faults == ()
    assert (read.cases[0].truth, read.cases[0].site) == (True, "North")


def test_a_file_belongs_to_one_case_once() -> None:
    text = "case,patient,file\nA,P,a.png\nA,P,./a.png\nB,Q,a.png\n"

    assert faults(text) == [(3, "file", "a.png"), (4, "file", "a.png")]


def test_rows_with_one_series_name_are_one_series_and_rows_without_stand_alone() -> None:
    text = "case,patient,file,series\nA,P,1.dcm,T1\nA,P,2.dcm,T1\nA,P,x.png,\nA,P,y.png,\n"

    series = manifest.parse(text.encode()).cases[0].series

    assert [(one.label, [row.file for row in one.rows]) for one in series] == [
        ("T1", ["1.dcm", "2.dcm"]),
        ("", ["x.png"]),
        ("", ["y.png"]),
    ]


def test_the_inputs_of_a_model_are_the_series_of_the_case() -> None:
    text = "case,patient,file,input,row\nA,P,1.nii,T1W,3\nA,P,2.nii,T2W,3\n"
    read = manifest.parse(text.encode())
    assert read.faults == ()
    assert [one.label for one in read.cases[0].series] == ["T1W", "T2W"]
    assert read.cases[0].covariates == {"row": "3"}


def test_line_numbers_count_the_lines_of_the_file() -> None:
    assert faults('case,patient,file,note\nA,P,a.png,"two\nlines"\nB,P2,b.png,x\n\nC,P3,,x\n') == [
        (2, "note", "two\\nlines"),
        (6, "file", ""),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (GOOD.encode("utf-16"), "not UTF-8"),
        ("case,patient,file\nA,M\xfcller,a.png\n".encode("latin-1"), "Line 2 of the manifest is not UTF-8"),
        (b"PK\x03\x04 xlsx", "spreadsheet"),
        (b"case,patient,file\nA,\0,a.png\n", "NUL"),
    ],
)
def test_what_is_not_csv_is_said_in_words(content: bytes, words: str) -> None:
    found = manifest.parse(content).faults

    assert [words in fault.sentence for fault in found] == [True]


@pytest.mark.parametrize(("column", "length"), [("case", 80), ("site", 80), ("series", 40), ("age", 200)])
def test_values_fit_the_tables(column: str, length: int) -> None:
    values = {"case": "A", "patient": "P", "file": "a.png", "site": "", "series": "", "age": ""}

    for extra, expected in ((0, []), (1, [(2, column, "x" * 40 + "…")])):
        values[column] = "x" * (length + extra)
        assert faults(",".join(values) + "\n" + ",".join(values.values()) + "\n") == expected


@given(st.binary(max_size=300))
def test_no_content_whatever_breaks_the_reader(content: bytes) -> None:
    read = manifest.parse(content)

    assert read.faults or read.rows


@given(st.text(max_size=200))
def test_no_text_after_a_good_header_breaks_the_reader(text: str) -> None:
    read = manifest.parse(b"case,patient,file\n" + text.encode(errors="replace"))

    assert read.faults or read.rows


def listed_in(folder: Path, row: manifest.Row) -> list[Path]:
    return manifest.files_of(folder, row.file)


def file_faults(folder: Path, *files: str) -> list[tuple[int, str]]:
    text = "case,patient,file\n" + "".join(f"C{n},P{n},{file}\n" for n, file in enumerate(files))
    listed = partial(listed_in, folder)
    found = manifest.check_files(manifest.parse(text.encode()), folder, listed, {})
    return [(fault.row, fault.sentence.split(";")[0].rstrip(".")) for fault in found]


def test_files_must_be_there_and_inside(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    (folder / "ct").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "a.png").write_bytes(b"x")
    (folder / "ct" / "1.dcm").write_bytes(b"x")
    (tmp_path / "secret.png").write_bytes(b"x")
    (folder / "out.png").symlink_to(tmp_path / "secret.png")
    (folder / "in.png").symlink_to(folder / "a.png")
    (folder / "away").symlink_to(tmp_path)

    assert file_faults(folder, "a.png", "ct", "nowhere.png", "empty", "out.png", "in.png", "away/secret.png") == [
        (4, "The file is not there"),
        (5, "The folder is empty"),
        (6, "The file is a link that leaves the folder"),
        (7, "The file is a link"),
        (8, "The file is a link that leaves the folder"),
    ]


def test_a_folder_means_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / ".thumbs").mkdir()
    for name in ("b.dcm", "a.dcm", ".hidden", "DICOMDIR", "deep/deeper/c", ".thumbs/d.dcm"):
        (tmp_path / name).write_bytes(b"x")

    found = manifest.files_of(tmp_path, ".")

    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.dcm", "b.dcm", "deep/deeper/c"]
