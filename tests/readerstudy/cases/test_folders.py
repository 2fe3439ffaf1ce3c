"""Folders and discs as hospitals hand them out: several series, files that are no pictures, a DICOMDIR."""

import shutil
import unicodedata
from pathlib import Path

import pydicom
from pydicom.fileset import FileSet

from readerstudy.cases.models import CaseImport, Image, Series
from readerstudy.reference.actions import import_at_once
from readerstudy.studies.models import Study
from tests.readerstudy.cases.material import picture
from tests.readerstudy.cases.test_dicomweb import slice_of
from tests.readerstudy.cases.test_importing import dry_run
from tests.world import People

INSTALLED = Path(pydicom.__file__).parent / "data" / "test_files"
STUDY = "1.2.840.7"
Phase = CaseImport.Phase


def disc(folder: Path) -> Path:
    """Two series in folders of folders, with what lies on a disc besides."""
    for name, series, modality in (("ST0/SE1", f"{STUDY}.2", "MR"), ("ST0/SE2", f"{STUDY}.1", "CT")):
        (folder / name).mkdir(parents=True)
        for number in (2, 1, 3):
            # File names run against the positions.
            path = folder / name / f"IM{9 - number}"
            slice_of(path, STUDY, series, number, Modality=modality, SeriesNumber=int(series[-1]))
    (folder / "autorun.inf").write_text("[autorun]")
    (folder / "VIEWER").mkdir()
    (folder / "VIEWER" / "viewer.exe").write_bytes(b"MZ" + bytes(100))
    picture(folder / "VIEWER" / "logo.png", 1)
    shutil.copy(INSTALLED / "reportsi.dcm", folder / "ST0" / "report")
    return folder


def test_a_folder_with_several_series_becomes_as_many_of_its_case(study: Study, people: People, tmp_path: Path) -> None:
    disc(tmp_path / "disc")

    done = import_at_once(study=study, manifest=b"case,patient,file\nA,1,disc\n", folder=tmp_path, by=people.alice)

    assert (done.phase, done.faults) == (Phase.DONE, []), done.faults
    first, second = Series.objects.filter(case__label="A")
    assert (first.modality, second.modality) == ("CT", "MR")
    assert [image.origin[2] for image in first.images.all()] == [10, 20, 30]
    assert "4 files that are no DICOM picture in the folder will be passed over." in done.message
    assert Image.objects.count() == 6


def test_a_folder_that_is_named_as_one_series_must_be_one(study: Study, people: People, tmp_path: Path) -> None:
    disc(tmp_path / "disc")

    (fault,) = dry_run(study, people, tmp_path, "case,patient,file,series\nA,1,disc,CT\n").faults

    assert fault["sentence"] == "The files belong to 2 series; give each series its own folder and row."


def test_slices_of_two_planes_in_one_series_are_a_stack_each(study: Study, people: People, tmp_path: Path) -> None:
    """Under a folder whose accents macOS wrote apart and the manifest together."""
    folder = tmp_path / unicodedata.normalize("NFD", "Müller")
    folder.mkdir()
    sagittal = [0, 1, 0, 0, 0, -1]
    slice_of(folder / "scout", STUDY, f"{STUDY}.1", 9, InstanceNumber=0, ImageOrientationPatient=sagittal)
    for number in (3, 1, 4, 2):
        slice_of(folder / f"{9 - number}", STUDY, f"{STUDY}.1", number, InstanceNumber=number)

    done = import_at_once(
        study=study, manifest="case,patient,file\nA,1,Müller\n".encode(), folder=tmp_path, by=people.alice
    )

    assert done.phase == Phase.DONE, done.faults
    axial, scout = Series.objects.filter(case__label="A")
    assert (axial.plane, scout.plane) == ("axial", "sagittal")
    assert [image.origin[2] for image in axial.images.all()] == [10, 20, 30, 40]
    assert scout.images.count() == 1
    assert "one stack" not in done.message


def test_the_file_that_holds_an_image_again_is_named(study: Study, people: People, tmp_path: Path) -> None:
    (tmp_path / "disc").mkdir()
    for number in (1, 2, 3):
        slice_of(tmp_path / "disc" / f"{number}.dcm", STUDY, f"{STUDY}.1", number)
    slice_of(tmp_path / "disc" / "3-again.dcm", STUDY, f"{STUDY}.1", 3, InstanceNumber=4)

    (fault,) = dry_run(study, people, tmp_path, "case,patient,file\nA,1,disc\n").faults

    assert (fault["row"], fault["value"]) == (2, "disc/3.dcm")
    assert fault["sentence"] == "The same image is there twice (two files have one SOP Instance UID)."


def test_what_is_no_picture_is_a_fault_where_a_row_names_it(study: Study, people: People, tmp_path: Path) -> None:
    disc(tmp_path / "disc")

    found = dry_run(study, people, tmp_path, "case,patient,file\nA,1,disc/ST0/report\nB,2,disc/autorun.inf\n").faults

    assert "structured report" in found[0]["sentence"]
    assert "type is not known" in found[1]["sentence"]


def test_a_damaged_picture_in_a_folder_is_a_fault_and_not_passed_over(
    study: Study, people: People, tmp_path: Path
) -> None:
    disc(tmp_path / "disc")
    cut = tmp_path / "disc" / "ST0" / "SE1" / "IM8"
    cut.write_bytes(cut.read_bytes()[:-2000])

    (fault,) = dry_run(study, people, tmp_path, "case,patient,file\nA,1,disc\n").faults

    assert (fault["value"], "damaged" in fault["sentence"]) == ("disc/ST0/SE1/IM8", True)


def test_a_second_import_of_a_disc_changes_nothing(study: Study, people: People, tmp_path: Path) -> None:
    disc(tmp_path / "disc")
    for _ in range(2):
        done = import_at_once(study=study, manifest=b"case,patient,file\nA,1,disc\n", folder=tmp_path, by=people.alice)
        assert done.phase == Phase.DONE, done.faults or done.message

    assert Image.objects.count() == 6


def test_a_dicomdir_names_the_files_of_its_row(study: Study, people: People, tmp_path: Path) -> None:
    made = disc(tmp_path / "made")
    files = FileSet()
    for path in sorted((made / "ST0").glob("SE*/*")):
        data = pydicom.dcmread(path)
        data.PatientID, data.StudyID, data.StudyDate, data.StudyTime = "P1", "S1", "20200101", "1200"
        files.add(data)
    files.write(tmp_path / "disc")
    # Not on the list of the disc, so none of its pictures.
    shutil.copy(INSTALLED / "CT_small.dcm", tmp_path / "disc" / "STRAY")

    done = import_at_once(
        study=study, manifest=b"case,patient,file\nA,1,disc/DICOMDIR\n", folder=tmp_path, by=people.alice
    )

    assert (done.phase, done.faults) == (Phase.DONE, []), done.faults
    assert [series.images.count() for series in Series.objects.all()] == [3, 3]


def test_a_dicomdir_of_several_patients_or_of_files_that_are_gone_is_a_sentence(
    study: Study, people: People, tmp_path: Path
) -> None:
    for name in ("several", "gone"):
        (tmp_path / name).mkdir()
    shutil.copy(INSTALLED / "dicomdirtests" / "DICOMDIR", tmp_path / "several" / "DICOMDIR")
    files = FileSet()
    data = pydicom.dcmread(INSTALLED / "CT_small.dcm")
    files.add(data)
    files.write(tmp_path / "gone")
    next(path for path in (tmp_path / "gone").rglob("*") if path.is_file() and path.name != "DICOMDIR").unlink()

    found = dry_run(study, people, tmp_path, "case,patient,file\nA,1,several/DICOMDIR\nB,2,gone/DICOMDIR\n").faults

    assert "patients; give each case a row of its own" in found[0]["sentence"]
    assert found[1]["sentence"] == "The file is not there."
