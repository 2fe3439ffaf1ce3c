"""Volumes that lie oblique in the patient, with three different spacings, or with one slice alone: equal geometry."""

import csv
import gzip
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import highdicom
import nibabel
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO
from scipy.spatial.transform import Rotation

from readerstudy.cases.models import Case, CaseImport
from readerstudy.reference import actions
from readerstudy.reference.exporting import files
from readerstudy.reference.models import Standard
from readerstudy.reference.runs import encode
from readerstudy.studies.models import Enrolment, Study
from tests.world import People

Places = NDArray[np.float64]
ROWS, COLUMNS = 22, 34
TURNED = Rotation.from_euler("xyz", [17, -23, 31], degrees=True).as_matrix()
SIX = [(4.5, 3.25), (9.0, 4.0), (13.5, 3.0), (14.0, 15.0), (9.25, 13.5), (4.0, 12.75)]
LINE = [(2.25, 3.5), (30.75, 18.25)]


def affine_with(gap: float) -> Places:
    """0.7 mm a column, 1.9 mm a row, `gap` between slices, turned about all three axes."""
    affine = np.eye(4)
    affine[:3, :3] = TURNED @ np.diag([0.7, 1.9, gap])
    affine[:3, 3] = [-41.5, 17.25, 803.125]
    return affine


@dataclass(frozen=True)
class Exported:
    affine: Places
    slices: int
    mask: NDArray[np.bool_]
    marks: list[dict[str, Any]]
    standard: Standard

    def content(self, name: str) -> bytes:
        return files.export(self.standard, name).content

    def entries(self, name: str) -> dict[str, bytes]:
        with zipfile.ZipFile(io.BytesIO(self.content(name))) as archive:
            return {entry: archive.read(entry) for entry in archive.namelist()}

    def voxels(self, places: Places) -> Places:
        """Where places in the patient (right, front, head) lie in the volume that came in."""
        found: Places = nibabel.affines.apply_affine(np.linalg.inv(self.affine), places)
        return found


@pytest.fixture(params=[(5, 3.3), (1, 4.0)], ids=["oblique", "one-slice"])
def exported(study: Study, people: People, tmp_path: Path, request: pytest.FixtureRequest) -> Exported:
    slices, gap = request.param
    affine = affine_with(gap)
    values = np.random.default_rng(7).integers(0, 900, (COLUMNS, ROWS, slices)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, affine), tmp_path / "oblique.nii.gz")
    manifest = b"case,patient,file\nC1,1,oblique.nii.gz\n"
    done = actions.import_at_once(study=study, manifest=manifest, folder=tmp_path, by=people.alice)
    assert done.phase == CaseImport.Phase.DONE, done.faults or done.message
    case = Case.objects.get(study=study, label="C1")
    image = case.series.get().images.first()
    assert image is not None
    mask = np.zeros((image.rows, image.columns), dtype=bool)
    mask[4:9, 2:17] = mask[7:13, 11:20] = True
    at = slices // 2
    common: dict[str, Any] = {"series": 0, "slice": at}
    marks = [
        common | {"key": "m", "kind": "mask", "label": "body", "points": [], "runs": list(encode(mask))},
        common | {"key": "l", "kind": "line", "label": "", "points": [list(point) for point in LINE]},
        common | {"key": "s", "kind": "morphometry", "label": "L1", "points": [list(point) for point in SIX]},
    ]
    work = {"marks": marks, "rejected": [], "verdict": "positive", "note": "", "place": None}
    tess = Enrolment.objects.get(study=study, user=people.tess)
    revision = actions.save_draft(truther=tess, case=case, work=work, revision=0, by=people.tess)
    given = actions.give_opinion(
        truther=tess, case=case, verdict="positive", note="", by=people.tess, revision=revision
    )
    standard = actions.adopt_opinions(
        study=study, adjudicated={}, reason="One truther", by=people.alice, single_stands=True
    )
    return Exported(affine, slices, mask, given.annotation.marks, standard)


def in_nifti(exported: Exported, name: str) -> Places:
    """Places of the set voxels in the patient."""
    found = exported.entries("masks.nifti.zip")
    names = json.loads(found.pop("masks.json"))
    (path,) = (path for path in found if names[path]["name"] == name)
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(found[path]))
    places: Places = nibabel.affines.apply_affine(image.affine, np.argwhere(np.asarray(image.dataobj)))
    return places


def set_of(voxels: Places) -> set[tuple[int, ...]]:
    assert np.allclose(voxels, np.rint(voxels), atol=1e-3)
    return {tuple(voxel) for voxel in np.rint(voxels).astype(int).tolist()}


def test_every_format_has_the_same_voxels_of_the_volume_that_came_in(exported: Exported) -> None:
    segmentation = highdicom.seg.segread(io.BytesIO(exported.entries("dicom.zip")["case-1/series-1/segmentation.dcm"]))
    (body,) = (
        n for n in segmentation.segment_numbers if segmentation.get_segment_description(n).segment_label == "body"
    )
    places = []
    for frame, item in zip(segmentation.pixel_array, segmentation.PerFrameFunctionalGroupsSequence, strict=True):
        if item.SegmentIdentificationSequence[0].ReferencedSegmentNumber != body:
            continue
        shared = segmentation.SharedFunctionalGroupsSequence[0]
        to_patient = highdicom.spatial.PixelToReferenceTransformer(
            image_position=item.PlanePositionSequence[0].ImagePositionPatient,
            image_orientation=shared.PlaneOrientationSequence[0].ImageOrientationPatient,
            pixel_spacing=shared.PixelMeasuresSequence[0].PixelSpacing,
        )
        rows, columns = np.nonzero(frame)
        if rows.size:
            places.append(to_patient(np.stack([columns, rows], axis=1)) * [-1, -1, 1])

    of_dicom = set_of(exported.voxels(np.concatenate(places)))
    of_nifti = set_of(exported.voxels(in_nifti(exported, "body")))

    assert of_dicom == of_nifti
    assert len(of_nifti) == exported.mask.sum()
    lowest, highest = np.array(sorted(of_nifti)).min(axis=0), np.array(sorted(of_nifti)).max(axis=0)
    assert (lowest >= 0).all()
    assert (highest < [COLUMNS, ROWS, exported.slices]).all()


def test_points_lie_in_the_patient_as_image_and_report_say(exported: Exported, tmp_path: Path) -> None:
    found = exported.entries("dicom.zip")
    report: Any = highdicom.sr.srread(io.BytesIO(found["case-1/report.dcm"]))
    image = pydicom.dcmread(io.BytesIO(found[f"case-1/series-1/image-{exported.slices // 2 + 1:04}.dcm"]))
    # Of SCOORD the corner of the first pixel is (0, 0); its centre is where the image has its position.
    to_patient = highdicom.spatial.ImageToReferenceTransformer.for_image(image)
    rows = {row["mark"]: row for row in csv.DictReader(io.StringIO(exported.content("marks.csv").decode()))}
    target = tmp_path / "marks.json"
    target.write_bytes(exported.content("marks.coco.json"))
    coco = {entry["attributes"]["mark"]: entry for entry in COCO(str(target)).anns.values()}

    groups = {one.tracking_identifier: one for one in report.content.get_planar_roi_measurement_groups()}
    for key, group in (("l", "line"), ("s", "morphometry L1")):
        (kept,) = (one for one in exported.marks if one["key"] == key)
        points = np.array(groups[group].roi.value)[: len(kept["points"])]
        assert np.allclose(points, kept["points"], atol=1e-4)
        assert np.allclose(to_patient(points), kept["millimetres"], atol=1e-3)
        assert np.allclose(np.array(coco[key]["keypoints"]).reshape(-1, 3)[:, :2], kept["points"])
        assert np.allclose(coco[key]["attributes"]["points_mm"], kept["millimetres"])
        table = [[float(value) for value in point.split()] for point in rows[key]["points_mm"].split(";")]
        assert np.allclose(table, kept["millimetres"], atol=1e-6)


def test_lengths_and_heights_are_distances_in_the_patient(exported: Exported) -> None:
    by_key = {one["key"]: one for one in exported.marks}
    line, six = np.array(by_key["l"]["millimetres"]), np.array(by_key["s"]["millimetres"])
    measured = by_key["s"]["measure"]["morphometry"]

    assert by_key["l"]["measure"]["length"] == pytest.approx(np.linalg.norm(line[1] - line[0]))
    heights = [np.linalg.norm(six[n] - six[5 - n]) for n in range(3)]
    assert [measured["heights"][at] for at in ("anterior", "middle", "posterior")] == pytest.approx(heights)
    assert measured["wedge"] == pytest.approx(heights[0] / heights[2])
    # Area of a pixel by the volume's own axes.
    pixel = np.linalg.norm(np.cross(exported.affine[:3, 0], exported.affine[:3, 1]))
    assert by_key["m"]["measure"]["area"] == pytest.approx(exported.mask.sum() * pixel)
