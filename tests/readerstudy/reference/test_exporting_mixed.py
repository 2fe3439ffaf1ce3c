"""A series whose images differ leaves in as many DICOM segmentations as it needs, and nothing is left out."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from readerstudy.cases.geometry import Directions, Geometry
from readerstudy.cases.models import Case
from readerstudy.reference import actions
from readerstudy.reference.drawn import marks_of, planes_of
from readerstudy.reference.exporting.coco import coco_json
from readerstudy.reference.exporting.files import written
from readerstudy.reference.exporting.gathering import Drawn, Picture, Stack, drawn_cases
from readerstudy.reference.exporting.report import report_of
from readerstudy.reference.exporting.segmentation import segmentations_of
from readerstudy.reference.exporting.sheet import marks_csv
from readerstudy.reference.marks import Mark
from readerstudy.reference.measuring import Plane
from readerstudy.studies.models import Enrolment, Study
from tests.world import People

SPACING = (0.75, 0.5)
UPRIGHT, TURNED = np.eye(3), Rotation.from_euler("x", 90, degrees=True).as_matrix()


def picture(place: Any, size: tuple[int, int] = (12, 16), turned: Any = UPRIGHT, spacing: Any = SPACING) -> Picture:
    directions: Directions = (*turned[:, 0].tolist(), *turned[:, 1].tolist())
    geometry = Geometry(place, directions, spacing, calibrated=True)
    return Picture(Plane(*size, geometry), "", "", 1, 12, False, 1.0, 0.0, (50, 400))


def case_of(pictures: Sequence[Picture], modality: str = "CT") -> Drawn:
    """A box on every image, each of another size so that no two are taken for each other."""
    stack = Stack("AP and lateral", modality, "token", tuple(pictures), 1, 2.5)
    marks = tuple(Mark(f"b{n}", "box", 0, n, f"name {n % 2}", ((2, 3), (3 + n, 6))) for n, _ in enumerate(pictures))
    return Drawn("C1", "case", "1", True, (stack,), marks, ())


def frames_in(case: Drawn) -> list[tuple[NDArray[np.bool_], Any, str]]:
    """All frames with something in them of all segmentations: pixels, geometry as the file says it, segment."""
    found = []
    for one in segmentations_of(case, 0, "version"):
        read = pydicom.dcmread(io.BytesIO(written(one.dataset)))
        labels = {item.SegmentNumber: item.SegmentLabel for item in read.SegmentSequence}
        shared = read.SharedFunctionalGroupsSequence[0]
        pixels = read.pixel_array.astype(bool).reshape(-1, read.Rows, read.Columns)
        for frame, item in zip(pixels, read.PerFrameFunctionalGroupsSequence, strict=True):
            # What all frames have alike may stand once for all of them.
            groups = {element.keyword: element.value[0] for part in (shared, item) for element in part}
            place = None
            if "PlanePositionSequence" in groups:
                place = (
                    *groups["PlanePositionSequence"].ImagePositionPatient,
                    *groups["PlaneOrientationSequence"].ImageOrientationPatient,
                    *groups["PixelMeasuresSequence"].PixelSpacing,
                )
            if frame.any():
                found.append((frame, place, labels[groups["SegmentIdentificationSequence"].ReferencedSegmentNumber]))
    return found


def test_every_image_is_in_one_segmentation_that_says_where_it_lies() -> None:
    pictures = [
        *(picture((0.0, 0.0, 4.0 * n)) for n in range(3)),
        *(picture((0.0, 0.0, 12.0 + 4 * n), size=(20, 16)) for n in range(2)),
        # A second echo, a scout across, finer pixels, and one that nobody knows the place of.
        picture((0.0, 0.0, 8.0)),
        picture((0.0, 5.0, 0.0), turned=TURNED),
        picture((0.0, 0.0, 20.0), spacing=(0.25, 0.25)),
        picture(None),
        picture(None),
    ]
    case = case_of(pictures)

    found = list(segmentations_of(case, 0, "version"))
    assert [one.images for one in found] == [(0, 1, 2), (3, 4), (5,), (6,), (7,), (8,), (9,)]
    assert all("differ in size, spacing or direction" in one.why for one in found)
    uids = {(one.dataset.SeriesInstanceUID, one.dataset.SOPInstanceUID) for one in found}
    assert len(uids) == len({series for series, _ in uids}) == 7

    frames = {int(frame.sum()) // 3 - 1: (frame, place, label) for frame, place, label in frames_in(case)}
    assert sorted(frames) == list(range(10))
    for n, (frame, place, label) in frames.items():
        plane = pictures[n].plane
        assert frame.shape == (plane.rows, plane.columns)
        assert label == f"name {n % 2}"
        if plane.geometry.position is None:
            assert place is None
        else:
            geometry = plane.geometry
            said = (*(geometry.position or ()), *(geometry.orientation or ()), *(geometry.spacing or ()))
            assert np.allclose(place, said)


def test_directions_that_differ_by_rounding_are_one_segmentation() -> None:
    turns = [Rotation.from_euler("z", 1e-5 * n).as_matrix() for n in range(4)]
    case = case_of([picture((0.0, 0.0, 4.0 * n), turned=turned) for n, turned in enumerate(turns)])

    (one,) = segmentations_of(case, 0, "version")

    assert (one.images, one.why) == ((0, 1, 2, 3), "")


@pytest.mark.parametrize("modality", ["CT", "MR", "DX", "US", ""])
def test_a_film_of_any_modality_without_a_place_has_its_segmentation(modality: str) -> None:
    """CT and MR images of DICOM have a place; without one they leave as secondary captures."""
    case = case_of([picture(None, spacing=None), picture((0.0, 0.0, 0.0), spacing=None)], modality)
    assert [place for _, place, _ in frames_in(case)] == [None, None]
    assert [one.images for one in segmentations_of(case, 0, "version")] == [(0,), (1,)]


def test_marks_that_a_model_had_proposed_leave_with_its_name(study: Study, people: People, cases: list[Case]) -> None:
    """One accepted, one edited, one rejected, one drawn by hand; all formats name the model, none the rejected mark."""
    case, tess = cases[0], Enrolment.objects.get(study=study, user=people.tess)
    boxes = [
        {
            "key": f"m{n}",
            "kind": "box",
            "series": 0,
            "slice": 0,
            "label": f"F{n}",
            "points": [[1, 1 + 4 * n], [5, 4 + 4 * n]],
        }
        for n in range(3)
    ]
    offered = actions.offer_marks(
        case=case,
        source="spine-net 1.2",
        source_digest="d" * 64,
        marks=marks_of(boxes, planes_of(case)),
        by=people.alice,
    )
    assert offered is not None
    accepted, edited, rejected = (
        {**one, "key": f"k{n}", "proposed": one["key"]} for n, one in enumerate(offered.marks)
    )
    edited["points"] = [[2, 5], [7, 8]]
    own = {**boxes[0], "key": "own", "label": "F9"}
    work = {
        "marks": [accepted, edited, own],
        "rejected": [rejected["proposed"]],
        "verdict": "",
        "note": "",
        "place": None,
    }
    revision = actions.save_draft(truther=tess, case=case, work=work, revision=0, by=people.tess)
    actions.give_opinion(truther=tess, case=case, verdict="positive", note="", by=people.tess, revision=revision)
    standard = actions.adopt_opinions(study=study, adjudicated={}, reason="One", by=people.alice, single_stands=True)
    (drawn,) = drawn_cases(standard)

    rows = list(csv.DictReader(io.StringIO(marks_csv([drawn]))))
    told = [("spine-net 1.2", "accepted"), ("spine-net 1.2", "edited"), ("", "")]
    assert [(row["model"], row["model_verdict"]) for row in rows] == told
    coco = [one["attributes"] for one in json.loads(coco_json([drawn], ""))["annotations"]]
    assert [(one.get("model", ""), one.get("model_verdict", "")) for one in coco] == told
    (found,) = segmentations_of(drawn, 0, "version")
    segments = pydicom.dcmread(io.BytesIO(written(found.dataset))).SegmentSequence
    assert [one.SegmentAlgorithmType for one in segments] == ["SEMIAUTOMATIC", "SEMIAUTOMATIC", "MANUAL"]
    assert [one.get("SegmentAlgorithmName", "") for one in segments] == [name for name, _ in told]
    report = written(report_of(drawn, "version"))
    assert report.count(b"spine-net 1.2") == 2
    assert [report.count(word + b" by the truther") for word in (b"accepted", b"edited", b"rejected")] == [1, 1, 0]
