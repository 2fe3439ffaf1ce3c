"""Marks leave in five formats; independent readers find the same geometry in them."""

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from django.urls import reverse
from numpy.typing import NDArray
from pycocotools.coco import COCO

from readerstudy.audit.errors import Refused
from readerstudy.cases.models import Case, CaseImport
from readerstudy.reference import actions
from readerstudy.reference.exporting import files, sheet
from readerstudy.reference.exporting.filling import filled, polygon
from readerstudy.reference.marks import Mark
from readerstudy.reference.models import Annotation, Standard
from readerstudy.reference.runs import decode, encode
from readerstudy.studies.models import Enrolment, Study
from tests.readerstudy.cases.material import picture
from tests.world import People, client_of

ROWS, COLUMNS, SLICES = 20, 30, 5
# Sagittal: the volume's first axis crosses the body; 4 mm apart, 1.5 mm a column (to the front), 0.5 mm a row (down).
AFFINE = np.array([[4.0, 0, 0, -8], [0, 1.5, 0, -20], [0, 0, 0.5, 100], [0, 0, 0, 1]])
BLOB = np.zeros((ROWS, COLUMNS), dtype=bool)
BLOB[5:12, 3:9] = BLOB[10:14, 7:20] = True


def mark(key: str, kind: str, points: list[tuple[float, float]], *, slice: int = 2, label: str = "") -> dict[str, Any]:
    document: dict[str, Any] = {"key": key, "kind": kind, "series": 0, "slice": slice, "label": label}
    document["points"] = [[float(x), float(y)] for x, y in points]
    return document | ({"runs": list(encode(BLOB))} if kind == "mask" else {})


MARKS = [
    mark("k1", "point", [(4.5, 6.25)], label="=1+1"),
    mark("k2", "line", [(2.0, 3.0), (10.0, 15.0)]),
    mark("k3", "angle", [(2.0, 3.0), (10.0, 3.0), (10.0, 15.0)]),
    mark("k4", "box", [(2.0, 3.0), (10.0, 15.0)], slice=1, label="Fracture"),
    mark("k5", "ellipse", [(2.0, 3.0), (12.0, 9.0)], slice=1),
    mark("k6", "polygon", [(1.0, 1.0), (20.0, 2.0), (15.0, 18.0)], slice=3, label="Fracture"),
    mark("k7", "vertebra", [(3.0, 3.0), (13.0, 3.0), (13.0, 9.0), (3.0, 9.0)], label="L2"),
    mark("k8", "morphometry", [(3, 3), (8, 4), (13, 3), (13, 13), (8, 12), (3, 10)], slice=1, label="L1"),
    mark("k9", "mask", [], label="body"),
]


@pytest.fixture
def standard(study: Study, people: People, tmp_path: Path) -> Standard:
    """C1 is a stack with a place in the patient; C2 a film without one."""
    values = np.random.default_rng(3).integers(0, 900, (SLICES, COLUMNS, ROWS)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, AFFINE), tmp_path / "stack.nii.gz")
    picture(tmp_path / "film.png", 1)
    manifest = b"case,patient,file\nC1,1,stack.nii.gz\nC2,2,film.png\n"
    done = actions.import_at_once(study=study, manifest=manifest, folder=tmp_path, by=people.alice)
    assert done.phase == CaseImport.Phase.DONE, done.faults or done.message
    tess = Enrolment.objects.get(study=study, user=people.tess)
    film = mark("f1", "box", [(2.0, 3.0), (12.0, 9.0)], slice=0, label="Fracture")
    for label, marks in (("C1", MARKS), ("C2", [film])):
        case = Case.objects.get(study=study, label=label)
        work = {"marks": marks, "rejected": [], "verdict": "positive", "note": "", "place": None}
        revision = actions.save_draft(truther=tess, case=case, work=work, revision=0, by=people.tess)
        actions.give_opinion(truther=tess, case=case, verdict="positive", note="", by=people.tess, revision=revision)
    return actions.adopt_opinions(
        study=study, adjudicated={}, reason="One truther", by=people.alice, single_stands=True
    )


def made(standard: Standard, name: str) -> bytes:
    return files.export(standard, name).content


def unpacked(standard: Standard, name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(made(standard, name))) as archive:
        return {entry: archive.read(entry) for entry in archive.namelist()}


def kept(case: str) -> list[dict[str, Any]]:
    marks: list[dict[str, Any]] = Annotation.objects.get(opinion__case__label=case).marks
    return marks


def drawn(key: str) -> NDArray[np.bool_]:
    """The area of one of the marks by the definition: centres of pixels inside."""
    (document,) = (one for one in MARKS if one["key"] == key)
    points = tuple((float(x), float(y)) for x, y in document["points"])
    runs = tuple(document.get("runs", ()))
    return filled(Mark(key, document["kind"], 0, document["slice"], "", points, runs), ROWS, COLUMNS)


@pytest.mark.parametrize("seed", range(5))
def test_the_pixels_of_an_outline_are_those_whose_centres_lie_inside(seed: int) -> None:
    """By the half planes of a triangle; and an area of many pixels is its area."""
    corners = np.random.default_rng(seed).uniform(0, 40, (3, 2))
    y, x = np.mgrid[:40, :40] + 0.5
    sides = [
        (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)
    ]
    inside = np.all([side > 0 for side in sides], axis=0) | np.all([side < 0 for side in sides], axis=0)

    assert (polygon(corners, 40, 40) == inside).all()


# CSV


def test_the_table_has_every_mark_with_what_the_server_measured(standard: Standard) -> None:
    rows = {row["mark"]: row for row in csv.DictReader(io.StringIO(made(standard, "marks.csv").decode()))}

    assert tuple(rows["k1"]) == sheet.COLUMNS
    assert len(rows) == len(MARKS) + 1
    assert rows["k1"]["label"] == "'=1+1"
    for key, document in ((one["key"], one) for one in kept("C1")):
        points = [tuple(map(float, point.split())) for point in rows[key]["points_px"].split(";") if point.strip()]
        places = [tuple(map(float, point.split())) for point in rows[key]["points_mm"].split(";") if point.strip()]
        assert points == [tuple(point) for point in document["points"]]
        if document["millimetres"]:
            assert np.allclose(places, document["millimetres"], rtol=1e-5)
    assert float(rows["k2"]["length"]) == pytest.approx(np.hypot(8 * 1.5, 12 * 0.5))
    assert float(rows["k3"]["degrees"]) == pytest.approx(90)
    assert float(rows["k4"]["area"]) == pytest.approx(8 * 1.5 * 12 * 0.5)
    # Heights 7, 8 and 10 rows of 0.5 mm.
    assert [float(rows["k8"][f"height_{at}"]) for at in ("anterior", "middle", "posterior")] == [3.5, 4.0, 5.0]
    assert (rows["k8"]["genant_grade"], rows["k8"]["genant_kind"], rows["k9"]["pixels"]) == (
        "2",
        "wedge",
        str(BLOB.sum()),
    )
    assert (rows["f1"]["points_mm"], rows["f1"]["unit"]) == ("", "px")


def test_points_lie_where_nibabel_puts_the_voxels(standard: Standard) -> None:
    """The volume's own affine, to the left and back instead of right and front."""
    (point,) = (one for one in kept("C1") if one["kind"] == "point")
    x, y = point["points"][0]
    # The importer turns a sagittal stack so that columns run to the back and rows to the feet.
    candidates = []
    for across in (x - 0.5, COLUMNS - 0.5 - x):
        for down in (y - 0.5, ROWS - 0.5 - y):
            for slice in (point["slice"], SLICES - 1 - point["slice"]):
                right, front, head = (AFFINE @ [slice, across, down, 1])[:3]
                candidates.append((-right, -front, head))
    assert any(np.allclose(point["millimetres"][0], candidate) for candidate in candidates)
    assert point["millimetres"][0][1] == pytest.approx(-(-20 + 1.5 * (COLUMNS - 0.5 - x)))
    assert point["millimetres"][0][2] == pytest.approx(100 + 0.5 * (ROWS - 0.5 - y))


# COCO


def test_pycocotools_reads_the_same_areas_and_points(standard: Standard, tmp_path: Path) -> None:
    target = tmp_path / "marks.json"
    target.write_bytes(made(standard, "marks.coco.json"))
    coco = COCO(str(target))
    by_key = {entry["attributes"]["mark"]: entry for entry in coco.anns.values()}

    assert set(by_key) == {one["key"] for one in MARKS} | {"f1"}
    assert (coco.annToMask(by_key["k9"]).astype(bool) == BLOB).all()
    assert (coco.annToMask(by_key["k5"]).astype(bool) == drawn("k5")).all()
    assert by_key["k6"]["segmentation"] == [[1.0, 1.0, 20.0, 2.0, 15.0, 18.0]]
    # pycocotools rounds outlines to a fifth of a pixel, so its pixels differ from the exact ones at the edge alone.
    for key in ("k4", "k6", "k7", "k8"):
        assert abs(int(coco.annToMask(by_key[key]).sum()) - int(drawn(key).sum())) <= 12
    assert (by_key["k4"]["bbox"], by_key["k9"]["bbox"]) == ([2.0, 3.0, 8.0, 12.0], [3.0, 5.0, 17.0, 9.0])
    assert (by_key["k6"]["area"], by_key["k9"]["area"]) == (pytest.approx(154.5), BLOB.sum())
    for key in ("k1", "k2", "k3", "k7", "k8"):
        (document,) = (one for one in MARKS if one["key"] == key)
        found = np.array(by_key[key]["keypoints"]).reshape(-1, 3)
        assert found[:, :2].tolist() == [list(point) for point in document["points"]]
        assert len(coco.cats[by_key[key]["category_id"]]["keypoints"]) == len(document["points"])
    image = coco.imgs[by_key["k9"]["image_id"]]
    assert (image["width"], image["height"], image["file_name"]) == (COLUMNS, ROWS, image["file_name"])


# NIfTI


def test_nibabel_reads_masks_in_the_space_of_the_images(standard: Standard) -> None:
    found = unpacked(standard, "masks.nifti.zip")
    names = json.loads(found.pop("masks.json"))
    by_name = {(names[path]["case"], names[path]["name"]): content for path, content in found.items()}
    assert set(by_name) == {("C1", name) for name in ("Fracture", "ellipse", "L2", "L1", "body")} | {("C2", "Fracture")}

    body = nibabel.Nifti1Image.from_bytes(gzip.decompress(by_name["C1", "body"]))
    values = np.asarray(body.dataobj)

    assert values.shape == (COLUMNS, ROWS, SLICES)
    assert (values[:, :, 2].T.astype(bool) == BLOB).all()
    assert values.sum() == BLOB.sum()
    # Voxels of the mask and pixels of the annotation have one place: nibabel's affine against the server's geometry.
    (point,) = (one for one in kept("C1") if one["kind"] == "point")
    (x, y), slice = point["points"][0], point["slice"]
    right, front, head = nibabel.affines.apply_affine(body.affine, [x - 0.5, y - 0.5, slice])
    assert np.allclose((-right, -front, head), point["millimetres"][0])
    fracture = np.asarray(nibabel.Nifti1Image.from_bytes(gzip.decompress(by_name["C1", "Fracture"])).dataobj)
    assert (fracture[:, :, 1].T.astype(bool) == drawn("k4")).all()
    assert (fracture[:, :, 3].T.astype(bool) == drawn("k6")).all()
    # Every voxel is one of the volume that came in.
    places = nibabel.affines.apply_affine(np.linalg.inv(AFFINE) @ body.affine, np.argwhere(values))
    assert np.allclose(places, np.rint(places), atol=1e-5)


# DICOM


def test_the_segmentation_holds_the_same_pixels_in_the_same_place(standard: Standard) -> None:
    """Read by pydicom alone: frames, segments, references and positions."""
    found = unpacked(standard, "dicom.zip")
    segmentation = pydicom.dcmread(io.BytesIO(found["case-1/series-1/segmentation.dcm"]))
    images = {
        path: pydicom.dcmread(io.BytesIO(content)) for path, content in found.items() if "case-1/series-1/image" in path
    }
    by_uid = {image.SOPInstanceUID: image for image in images.values()}
    labels = {item.SegmentNumber: item.SegmentLabel for item in segmentation.SegmentSequence}
    pixels = segmentation.pixel_array.astype(bool)
    expected = {("body", 3): BLOB, ("Fracture", 2): drawn("k4"), ("Fracture", 4): drawn("k6"), ("L2", 3): drawn("k7")}
    expected |= {("L1", 2): drawn("k8"), ("ellipse", 2): drawn("k5")}
    seen = {}
    for frame, item in zip(pixels, segmentation.PerFrameFunctionalGroupsSequence, strict=True):
        number = item.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        source = item.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        image = by_uid[source]
        assert np.allclose(item.PlanePositionSequence[0].ImagePositionPatient, image.ImagePositionPatient)
        if frame.any():
            seen[labels[number], int(image.InstanceNumber)] = frame

    assert seen.keys() == expected.keys()
    assert all((seen[key] == expected[key]).all() for key in expected)
    assert {image.FrameOfReferenceUID for image in images.values()} == {segmentation.FrameOfReferenceUID}


def test_images_go_with_them_pixel_by_pixel_and_without_a_patient(standard: Standard, study: Study) -> None:
    found = unpacked(standard, "dicom.zip")
    image = pydicom.dcmread(io.BytesIO(found["case-1/series-1/image-0003.dcm"]))
    film = pydicom.dcmread(io.BytesIO(found["case-2/series-1/image-0001.dcm"]))

    stored = Case.objects.get(study=study, label="C1").series.get().images.order_by("position")[2]
    assert (image.Rows, image.Columns) == (ROWS, COLUMNS)
    assert np.allclose(image.ImagePositionPatient, stored.origin)
    assert np.allclose(image.PixelSpacing, stored.spacing)
    assert image.pixel_array.max() > 0
    assert str(image.PatientName) == ""
    assert "ImagePositionPatient" not in film
    assert "case-2/series-1/segmentation.dcm" in found


def contents(item: Any) -> list[Any]:
    """All items of a report, from the top down."""
    below = list(getattr(item, "ContentSequence", []))
    return below + [deeper for one in below for deeper in contents(one)]


def named(items: list[Any], meaning: str) -> list[Any]:
    return [
        one
        for one in items
        if "ConceptNameCodeSequence" in one and one.ConceptNameCodeSequence[0].CodeMeaning == meaning
    ]


def test_the_report_holds_points_measures_and_grades(standard: Standard) -> None:
    """Template 1500 read by pydicom: coordinates as SCOORD, values with their units, the grade as a code."""
    report = pydicom.dcmread(io.BytesIO(unpacked(standard, "dicom.zip")["case-1/report.dcm"]))
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    groups = {}
    for group in named(contents(report), "Measurement Group"):
        items = contents(group)
        name = named(items, "Tracking Identifier")[0].TextValue
        region = next(one for one in items if one.ValueType == "SCOORD")
        points = np.array(region.GraphicData).reshape(-1, 2)
        numbers = {
            one.ConceptNameCodeSequence[0].CodeMeaning: float(one.MeasuredValueSequence[0].NumericValue)
            for one in items
            if one.ValueType == "NUM"
        }
        groups[name] = (region.GraphicType, points, numbers, items)

    assert len(groups) == len(MARKS)
    for name, key, kind in (("point =1+1", "k1", "POINT"), ("line", "k2", "POLYLINE"), ("angle", "k3", "POLYLINE")):
        (document,) = (one for one in MARKS if one["key"] == key)
        assert groups[name][0] == kind
        assert np.allclose(groups[name][1], document["points"])
    closed = groups["polygon Fracture"][1]
    assert np.allclose(closed, [(1, 1), (20, 2), (15, 18), (1, 1)])
    assert groups["ellipse"][0] == "ELLIPSE"
    assert np.allclose(groups["ellipse"][1], [(2, 6), (12, 6), (7, 3), (7, 9)])
    assert np.allclose(groups["mask body"][1], [(3, 5), (20, 5), (20, 14), (3, 14), (3, 5)])
    assert groups["line"][2]["Length"] == pytest.approx(np.hypot(12, 6), abs=1e-5)
    six = groups["morphometry L1"]
    assert [six[2][f"{at} height"] for at in ("Anterior", "Middle", "Posterior")] == [3.5, 4.0, 5.0]
    assert six[2]["Wedge ratio"] == pytest.approx(0.7)
    grades = named(six[3], "Genant grade")
    assert grades[0].ConceptCodeSequence[0].CodeMeaning == "Grade 2, moderate"


# The door


def test_the_coordinator_downloads_and_a_version_without_marks_says_so(
    standard: Standard, study: Study, people: People
) -> None:
    client = client_of(people.alice)
    page = reverse("reference:standard", args=[study.token, standard.token])
    assert "Marks for other programs, 10 in all" in client.get(page).content.decode()
    for name in files.NAMES:
        answer = client.get(reverse("reference:download", args=[study.token, standard.token, name]))
        assert (answer.status_code, len(answer.content) > 100) == (200, True)
        assert answer["Content-Disposition"].endswith(f'standard-1-{name}"')
    for someone in (people.tess, people.bob, people.stan):
        assert (
            client_of(someone).get(reverse("reference:download", args=[study.token, standard.token, name])).status_code
            == 403
        )
    case = Case.objects.get(study=study, label="C1")
    bare = actions.record_standard(study=study, truths={case: True}, method="Biopsy", reason="Why", by=people.alice)
    with pytest.raises(Refused, match="has no marks"):
        files.export(bare, "marks.csv")
    answer = client.get(reverse("reference:download", args=[study.token, bare.token, "marks.csv"]), follow=True)
    assert "has no marks" in answer.content.decode()


def test_a_mask_is_what_it_was() -> None:
    assert (decode(encode(BLOB), ROWS, COLUMNS) == BLOB).all()
