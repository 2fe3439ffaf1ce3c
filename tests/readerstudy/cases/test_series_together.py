"""What a file says of its series besides pixels: its kind, its sides, its frame of reference, its windows."""

from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from readerstudy.cases.dicom_header import _letters, words_of
from readerstudy.cases.models import CaseImport, Image, Series
from readerstudy.reference.actions import import_at_once
from readerstudy.reference.exporting.gathering import drawn_case
from readerstudy.reference.exporting.pictures import header_of
from readerstudy.studies.actions import set_rules
from readerstudy.studies.hanging import HangingError, read, written
from readerstudy.studies.models import Study
from tests.readerstudy.cases.test_dicomweb import slice_of
from tests.readerstudy.cases.test_importing import dry_run
from tests.world import People

STUDY = "1.2.840.7"
SECRET = "SMITH^JOHN"


@pytest.mark.parametrize(
    ("description", "modality", "words"),
    [
        ("t1_tse_sag", "MR", "T1W"),
        ("T2W TSE SAG FS", "MR", "T2W FS"),
        ("Sag T2 STIR", "MR", "STIR"),
        ("Ax T2 FLAIR", "MR", "FLAIR"),
        ("SAG T1 FLAIR +GD", "MR", "T1W FLAIR GD"),
        ("T2* GRE", "MR", "T2STAR"),
        ("PD FSE", "MR", "PDW"),
        (f"{SECRET} T1W", "MR", "T1W"),
        (f"{SECRET} T10 T12 L1", "MR", ""),
        ("Spine BONE 1.0", "CT", "BONE"),
        ("T1W", "DX", ""),
        ("", "MR", ""),
    ],
)
def test_a_description_is_read_for_words_of_the_list_alone(description: str, modality: str, words: str) -> None:
    assert words_of(description, modality) == words


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (["A", "F"], ("A", "F")),
        (["AL", "FP"], ("AL", "FP")),
        (["A", "SMITH"], None),
        (["A"], None),
        (["", "F"], None),
        (["AA", "F"], None),
    ],
)
def test_sides_are_letters_and_nothing_else(said: list[str], kept: tuple[str, str] | None) -> None:
    assert _letters(MultiValue(str, said)) == kept
    assert _letters("A") is None


def two_series(folder: Path, *, references: tuple[str, str]) -> bytes:
    folder.mkdir(parents=True)
    for number, (words, reference) in enumerate(zip(("T1W SAG", "T2W SAG"), references, strict=True), start=1):
        for place in (1, 2):
            slice_of(
                folder / f"{number}-{place}",
                STUDY,
                f"{STUDY}.{number}",
                place,
                Modality="MR",
                SeriesNumber=number,
                SeriesDescription=f"{words} {SECRET}",
                FrameOfReferenceUID=reference,
                WindowCenter=[40, 400],
                WindowWidth=[80, 1800],
            )
    return b"case,patient,file\nA,1,disc\n"


def imported(
    study: Study, people: People, folder: Path, references: tuple[str, str]
) -> tuple[CaseImport, list[Series]]:
    manifest = two_series(folder / "disc", references=references)
    done = import_at_once(study=study, manifest=manifest, folder=folder, by=people.alice)
    assert done.phase == CaseImport.Phase.DONE, done.faults
    return done, list(Series.objects.order_by("position"))


def test_series_of_a_folder_are_named_and_keep_their_windows(study: Study, people: People, tmp_path: Path) -> None:
    _, series = imported(study, people, tmp_path, (f"{STUDY}.9", f"{STUDY}.9"))
    assert [one.label for one in series] == ["T1W", "T2W"]
    assert series[0].more_windows == [[400.0, 1800.0, "linear"]]
    assert [one.frame_of_reference for one in series] == [1, 1]


def test_frames_of_reference_are_told_apart_without_their_names(study: Study, people: People, tmp_path: Path) -> None:
    done, (first, second) = imported(study, people, tmp_path, (f"{STUDY}.9", f"{STUDY}.8"))
    assert (first.frame_of_reference, second.frame_of_reference) == (1, 2)
    assert "The series have several frames of reference; they are not linked by place." in done.message
    drawn = drawn_case(first.case, [], positive=True)
    headers = [header_of(drawn, stack, number) for stack in drawn.stacks for number in (0, 1)]
    named = [header.FrameOfReferenceUID for header in headers]
    assert named[0] == named[1] != named[2] == named[3]
    assert not [uid for uid in named if STUDY in uid]


def test_the_dry_run_names_what_the_hanging_rule_asks_for_and_a_case_lacks(
    study: Study, people: People, tmp_path: Path
) -> None:
    rule = read("T1W | T2W | STIR")
    assert rule is not None
    set_rules(study=study, hanging=rule.to_document(), by=people.alice)
    manifest = two_series(tmp_path / "disc", references=("", ""))
    found = dry_run(study, people, tmp_path, manifest.decode())
    assert found.message == "Row 2: The case has no series called STIR, which the study's hanging rule names."


def test_a_film_keeps_the_letters_of_its_sides(study: Study, people: People, tmp_path: Path) -> None:
    slice_of(tmp_path / "film", STUDY, f"{STUDY}.1", 1, Modality="DX", PatientOrientation=["A", "F"])
    data: Dataset = pydicom.dcmread(tmp_path / "film")
    del data.ImageOrientationPatient, data.ImagePositionPatient
    data.save_as(tmp_path / "film")
    manifest = b"case,patient,file\nA,1,film\n"
    done = import_at_once(study=study, manifest=manifest, folder=tmp_path, by=people.alice)
    assert done.phase == CaseImport.Phase.DONE, done.faults
    assert Image.objects.get().letters == ["A", "F"]


def test_a_volume_without_a_modality_is_told_once_what_it_lacks(study: Study, people: People, tmp_path: Path) -> None:
    for name in "AB":
        values = np.full((4, 4, 3), ord(name), np.int16)
        nibabel.save(nibabel.Nifti1Image(values, np.diag([1, 1, 2, 1])), tmp_path / f"{name}.nii.gz")
    told = dry_run(study, people, tmp_path, "case,patient,file\nA,1,A.nii.gz\nB,2,B.nii.gz\n").message
    assert "Rows 2, 3: The manifest has no column modality" in told
    named = dry_run(study, people, tmp_path, "case,patient,file,modality\nA,1,A.nii.gz,CT\n").message
    assert "no column modality" not in named


def test_a_window_of_the_hanging_rule_may_be_numbers() -> None:
    rule = read("T1W, sagittal, 300/600.5 | CT, -600/1500")
    assert rule is not None
    assert [cell.window for cell in rule.cells] == ["300/600.5", "-600/1500"]
    assert written(rule) == "T1W, sagittal, 300/600.5 | CT, -600/1500"
    for wrong in ("50/0", "50/-4", "a/b", "50/400/3"):
        with pytest.raises(HangingError, match="centre/width"):
            read(f"T1W, {wrong}")
