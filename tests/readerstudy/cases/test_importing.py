"""The import from the dry run to the last case, on real and on hostile input."""

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from django.core.files.storage import storages
from django.db import IntegrityError, transaction
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut
from pydicom.uid import generate_uid

from readerstudy.audit.models import Event
from readerstudy.cases import actions, delivery, frames, importing, queries
from readerstudy.cases.models import Case, CaseImport, Image, Series
from readerstudy.reference.actions import import_at_once
from readerstudy.studies.models import Study
from tests.readerstudy.cases.material import folder_of, packed, picture, with_cases
from tests.shared_data import shared
from tests.world import People, make_study

Phase = CaseImport.Phase
INSTALLED = Path(pydicom.__file__).parent / "data" / "test_files"


def dry_run(study: Study, people: People, folder: Path, text: str) -> CaseImport:
    return import_at_once(study=study, manifest=text.encode(), folder=folder, by=people.alice, dry_run=True)


def faults(found: CaseImport) -> list[tuple[int, str]]:
    return [(fault["row"], fault["column"]) for fault in found.faults]


def test_cases_come_in_with_their_pixels_exactly(study: Study, people: People, tmp_path: Path) -> None:
    with_cases(study, people.alice, tmp_path, 3)

    case = Case.objects.get(study=study, label="C2")
    (image,) = Image.objects.filter(series__case=case)
    expected = np.random.default_rng(2).integers(0, 256, (24, 24), dtype=np.uint8)

    assert (case.site, case.covariates) == ("N", {"age": "42"})
    assert np.array_equal(frames.decode(delivery.frame_bytes(image), 24, 24), expected)
    assert frames.digest_of(delivery.frame_bytes(image)) == image.frame_digest
    assert image.source_digest == frames.digest_of((tmp_path / "c2.png").read_bytes())


def test_a_dry_run_imports_nothing(study: Study, people: People, tmp_path: Path) -> None:
    folder, manifest = folder_of(tmp_path, 2)

    found = import_at_once(study=study, manifest=manifest, folder=folder, by=people.alice, dry_run=True)

    assert (found.phase, found.cases_total) == (Phase.CHECKED, 2)
    assert not Case.objects.exists()
    assert queries.summary_of(found) == queries.ImportSummary(2, 2, 2, 2, ("age",))


def test_the_dry_run_lists_every_fault_and_then_nothing_is_imported(
    study: Study, people: People, tmp_path: Path
) -> None:
    folder, _ = folder_of(tmp_path, 3)
    (folder / "cut.png").write_bytes((folder / "c1.png").read_bytes()[:200])
    (folder / "page.png").write_bytes(b"<html>")
    (folder / "copy.png").write_bytes((folder / "c2.png").read_bytes())
    text = (
        "case,patient,file,truth\n"
        "A,1,c1.png,1\n"
        "B,2,c2.png,0\n"
        "C,3,gone.png,0\n"
        "D,4,cut.png,1\n"
        "E,5,page.png,1\n"
        "F,6,copy.png,1\n"
    )

    found = import_at_once(study=study, manifest=text.encode(), folder=folder, by=people.alice)

    assert found.phase == Phase.FAULTY
    assert faults(found) == [(4, "file"), (5, "file"), (6, "file"), (7, "file")]
    assert [fault["sentence"].split(":")[0] for fault in found.faults] == [
        "The file is not there.",
        "The picture cannot be decoded",
        "The file is a text with markup (HTML, XML or SVG), not a picture; "
        "PNG, JPEG, TIFF, DICOM and NIfTI can be read.",
        "The same picture is given for case B in row 3.",
    ]
    assert not Case.objects.exists()


def test_a_path_out_of_the_folder_is_a_fault_and_is_never_opened(study: Study, people: People, tmp_path: Path) -> None:
    folder, _ = folder_of(tmp_path / "inside", 1)
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"<html>secret")
    text = f"case,patient,file\nA,1,c1.png\nB,2,../secret.png\nC,3,{secret}\nD,4,\n"

    found = dry_run(study, people, folder, text)

    assert [(fault["row"], fault["sentence"].split(";")[0]) for fault in found.faults] == [
        (3, "The path leaves the folder."),
        (4, "The path is absolute"),
        (5, "The file is empty."),
    ]


def test_patients_are_stored_as_keyed_hashes_only(study: Study, people: People, tmp_path: Path) -> None:
    folder, manifest = folder_of(tmp_path, 2)
    import_at_once(study=study, manifest=manifest, folder=folder, by=people.alice, dry_run=True)
    checked = json.dumps(CaseImport.objects.get().manifest)
    CaseImport.objects.all().update(phase=Phase.STOPPED)

    with_cases(study, people.alice, tmp_path, 2)

    assert "patient-1" not in checked
    for model in (Case, CaseImport, Series, Image, Event):
        for row in model.objects.values():
            assert "patient-1" not in str(row)
    hashes = set(Case.objects.values_list("patient", flat=True))
    assert {len(value) for value in hashes} == {64}
    assert len(hashes) == 2


def test_one_patient_has_one_hash_in_a_study_and_another_in_the_next(study: Study, people: People) -> None:
    other = make_study_again(people)

    assert queries.patient_hash(study, "17") == queries.patient_hash(study, "17")
    assert queries.patient_hash(study, "17") != queries.patient_hash(other, "17")
    assert queries.patient_hash(study, "17") != queries.patient_hash(study, "18")


def make_study_again(people: People) -> Study:
    return make_study(people, title="Another")


def test_file_names_are_gone_when_the_import_is_done(study: Study, people: People, tmp_path: Path) -> None:
    picture(tmp_path / "Mueller_Hans.png", 1)
    done = import_at_once(
        study=study, manifest=b"case,patient,file\nA,1,Mueller_Hans.png\n", folder=tmp_path, by=people.alice
    )

    assert done.phase == Phase.DONE
    for model in (Case, CaseImport, Series, Image, Event):
        for row in model.objects.values():
            assert "Mueller" not in str(row)


def test_a_second_import_of_the_same_changes_nothing(study: Study, people: People, tmp_path: Path) -> None:
    with_cases(study, people.alice, tmp_path, 3)
    before = list(Image.objects.order_by("pk").values())

    again = with_cases(study, people.alice, tmp_path, 3)

    assert again.cases_done == 3
    assert list(Image.objects.order_by("pk").values()) == before
    assert Event.objects.filter(verb="case.imported").count() == 3


def test_a_longer_manifest_adds_only_what_is_new(study: Study, people: People, tmp_path: Path) -> None:
    with_cases(study, people.alice, tmp_path, 2)
    tokens = dict(Case.objects.values_list("label", "token"))

    with_cases(study, people.alice, tmp_path, 4)

    now = dict(Case.objects.values_list("label", "token"))
    assert set(now) == {"C1", "C2", "C3", "C4"}
    assert {label: now[label] for label in tokens} == tokens


def test_a_case_of_that_name_with_other_pictures_or_another_patient_is_a_fault(
    study: Study, people: People, tmp_path: Path
) -> None:
    with_cases(study, people.alice, tmp_path, 2)
    picture(tmp_path / "other.png", 99)
    text = "case,patient,file\nC1,patient-1,other.png\nC2,patient-9,c2.png\nNEW,patient-1,c1.png\n"

    found = dry_run(study, people, tmp_path, text)

    assert [fault["sentence"] for fault in found.faults] == [
        "The study has a case C1 with other pictures.",
        "The study has a case C2 of another patient.",
        "The study has this picture in case C1.",
    ]


def test_an_archive_is_unpacked_imported_and_forgotten(
    study: Study, people: People, tmp_path: Path, work_folder: Path
) -> None:
    folder, manifest = folder_of(tmp_path / "pictures", 2)
    started = actions.start_import(
        study=study, manifest=manifest, archive=packed(folder), source="pictures.zip", by=people.alice, queue=False
    )
    importing.check(started.token)
    started.refresh_from_db()
    assert started.phase == Phase.CHECKED
    assert storages["default"].exists(started.archive_key)

    actions.confirm_import(of=started, by=people.alice, queue=False)
    assert importing.run(started.token)

    assert Case.objects.filter(study=study).count() == 2
    assert not storages["default"].exists(started.archive_key)
    assert not list((work_folder / "imports").iterdir())


def test_an_archive_of_one_folder_is_taken_for_that_folder(study: Study, people: People, tmp_path: Path) -> None:
    _, manifest = folder_of(tmp_path / "all" / "study", 2)
    started = actions.start_import(
        study=study, manifest=manifest, archive=packed(tmp_path / "all"), source="a.zip", by=people.alice, queue=False
    )

    importing.check(started.token)

    started.refresh_from_db()
    assert (started.phase, started.faults) == (Phase.CHECKED, [])


def test_a_hostile_archive_is_one_fault_in_words(study: Study, people: People, tmp_path: Path) -> None:
    _, manifest = folder_of(tmp_path, 1)
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 nonsense")
    with (tmp_path / "a.zip").open("rb") as archive:
        started = actions.start_import(
            study=study, manifest=manifest, archive=archive, source="a.zip", by=people.alice, queue=False
        )

    importing.check(started.token)

    started.refresh_from_db()
    assert started.phase == Phase.FAULTY
    assert "neither ZIP nor tar" in started.faults[0]["sentence"]


def test_a_corrected_manifest_is_checked_against_the_same_files(study: Study, people: People, tmp_path: Path) -> None:
    folder, manifest = folder_of(tmp_path, 2)
    found = dry_run(study, people, folder, "case,patient,file\nA,1,gone.png\n")
    assert found.phase == Phase.FAULTY

    actions.replace_manifest(of=found, manifest=manifest, by=people.alice, queue=False)
    importing.check(found.token)

    found.refresh_from_db()
    assert (found.phase, found.faults) == (Phase.CHECKED, [])


def test_pictures_that_may_carry_names_wait_until_a_person_has_looked(
    study: Study, people: People, tmp_path: Path
) -> None:
    (tmp_path / "sc.dcm").write_bytes((INSTALLED / "SC_rgb_rle_16bit.dcm").read_bytes())

    held = dry_run(study, people, tmp_path, "case,patient,file\nA,1,sc.dcm\n")
    CaseImport.objects.update(phase=Phase.STOPPED)
    cleared = dry_run(study, people, tmp_path, "case,patient,file,cleared\nA,1,sc.dcm,yes\n")

    assert faults(held) == [(2, "cleared")]
    assert "secondary capture" in held.faults[0]["sentence"]
    assert cleared.phase == Phase.CHECKED
    assert "Of colours of more than 8 bits the upper 8 were kept." in cleared.message


def test_a_dicom_folder_and_single_rows_of_one_series_are_stacks(study: Study, people: People, tmp_path: Path) -> None:
    for n, z in enumerate((30.0, 10.0, 20.0)):
        data = pydicom.dcmread(INSTALLED / "CT_small.dcm")
        data.SOPInstanceUID, data.ImagePositionPatient = f"1.2.{n}", [0, 0, z]
        data.PixelData = (data.pixel_array + n).tobytes()
        for folder in ("whole", "single"):
            (tmp_path / folder).mkdir(exist_ok=True)
            # Another patient's film, so that the two cases differ.
            data.PixelData = data.PixelData if folder == "whole" else (data.pixel_array + 10).tobytes()
            data.save_as(tmp_path / folder / f"{n}.dcm")
    text = "case,patient,file,series\nA,1,whole,CT\nB,2,single/0.dcm,CT\nB,2,single/1.dcm,CT\nB,2,single/2.dcm,CT\n"

    done = import_at_once(study=study, manifest=text.encode(), folder=tmp_path, by=people.alice)

    assert (done.phase, done.faults) == (Phase.DONE, [])
    for label in ("A", "B"):
        (series,) = Series.objects.filter(case__label=label)
        assert (series.label, series.modality, series.plane, series.unit) == ("CT", "CT", "axial", "HU")
        assert [image.origin and image.origin[2] for image in series.images.all()] == [10, 20, 30]
        assert len({image.source_digest for image in series.images.all()}) == 3
        assert series.images.exclude(thumbnail_key="").count() == 1


def test_the_description_for_the_viewer(study: Study, people: People, tmp_path: Path) -> None:
    (tmp_path / "ct.dcm").write_bytes((INSTALLED / "CT_small.dcm").read_bytes())
    import_at_once(study=study, manifest=b"case,patient,file\nA,1,ct.dcm\n", folder=tmp_path, by=people.alice)

    assert Series.objects.get().slice_thickness == 5.0
    (series,) = delivery.series_documents(Case.objects.get(), lambda image: f"/f/{image.position}")

    assert (series["label"], series["plane"], series["unit"]) == ("CT", "axial", "HU")
    assert [preset["label"] for preset in series["presets"]] == ["Initial", "Bone", "Soft tissue", "Lung", "Marrow"]
    frame = series["frames"][0]
    data = pydicom.dcmread(INSTALLED / "CT_small.dcm")
    assert (frame["url"], frame["rows"], frame["columns"], frame["bits"]) == ("/f/1", 128, 128, 16)
    assert (frame["spacing"], frame["calibrated"], frame["inverted"]) == ([0.661468, 0.661468], True, False)
    pixels = frames.decode(delivery.frame_bytes(Image.objects.get()), 128, 128)
    assert np.array_equal(pixels * frame["slope"] + frame["intercept"], data.pixel_array - 1024.0)


def test_colours_and_tables_are_described_for_the_viewer(study: Study, people: People, tmp_path: Path) -> None:
    (tmp_path / "colour.dcm").write_bytes((INSTALLED / "examples_palette.dcm").read_bytes())
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [3, 999, 8], b"\x00\x4d\xff\x00"
    for number in range(3):
        data = pydicom.dcmread(INSTALLED / "CT_small.dcm")
        data.SOPInstanceUID, data.VOILUTSequence = generate_uid(), [table]
        data.ImagePositionPatient = [0, 0, number]
        data.save_as(tmp_path / f"{number}.dcm")
    text = b"case,patient,file,series,cleared\nA,1,colour.dcm,US,yes\n" + b"".join(
        b"B,2,%d.dcm,CT,\n" % number for number in range(3)
    )

    done = import_at_once(study=study, manifest=text, folder=tmp_path, by=people.alice)

    assert (done.phase, done.faults) == (Phase.DONE, [])
    image = Image.objects.get(series__case__label="A")
    (colour,) = delivery.series_documents(Case.objects.get(label="A"), lambda image: "")
    pixels = frames.decode_colour(delivery.frame_bytes(image), image.rows, image.columns)
    assert (colour["frames"][0]["samples"], colour["frames"][0]["bits"], colour["tables"]) == (3, 8, [])
    assert np.array_equal(
        pixels,
        apply_color_lut(
            pydicom.dcmread(INSTALLED / "examples_palette.dcm").pixel_array,
            pydicom.dcmread(INSTALLED / "examples_palette.dcm"),
        )
        >> 8,
    )
    (stack,) = delivery.series_documents(Case.objects.get(label="B"), lambda image: "")
    assert stack["tables"] == [[999, 0, 1000, 77, 1001, 255]]
    assert [frame["window"]["table"] for frame in stack["frames"]] == [0, 0, 0]
    assert (stack["presets"][0]["label"], stack["presets"][0]["shape"]) == ("Initial", "table")


@pytest.mark.parametrize(
    "changes",
    [
        {"window_shape": "table"},
        {"window_steps": [0, 7]},
        {"window_shape": "curve"},
        {"samples": 2},
        {"samples": 3, "bits": 12},
    ],
)
def test_the_database_refuses_colours_and_tables_that_cannot_be(
    changes: dict[str, object], study: Study, people: People, tmp_path: Path
) -> None:
    with_cases(study, people.alice, tmp_path, 1)
    image = Image.objects.get()
    image.pk, image.position = None, 2
    for name, value in changes.items():
        setattr(image, name, value)

    with pytest.raises(IntegrityError, match="image_"), transaction.atomic():
        image.save()


def test_real_radiographs_and_real_volumes_come_in(study: Study, people: People) -> None:
    films = sorted(shared("data/nih_cxr_810_five_readers/img256").glob("*.jpg"))[:20]
    root = shared("data")
    rows = [f"{path.stem},{path.stem.split('_')[0]},{path.relative_to(root)},\n" for path in films]
    rows.append("CT,900,totalsegmentator_example_ct/example_ct.nii.gz,CT\n")
    rows.append("MR,901,tptbox_samples/TPTBox/tests/sample_mri/sub-mri_label-6_T2w.nii.gz,MR\n")

    done = import_at_once(
        study=study, manifest=("case,patient,file,modality\n" + "".join(rows)).encode(), folder=root, by=people.alice
    )

    assert (done.phase, done.faults) == (Phase.DONE, [])
    assert Case.objects.filter(study=study).count() == 22
    assert len(set(Case.objects.values_list("patient", flat=True))) == len({p.stem.split("_")[0] for p in films}) + 2
    ct = Series.objects.get(case__label="CT")
    assert (ct.unit, ct.plane, ct.images.count()) == ("HU", "axial", 112)
    assert Image.objects.get(series__case__label=films[0].stem).bits == 8
