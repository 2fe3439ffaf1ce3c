"""All marks of a case as a DICOM structured report of measurements (template 1500)."""

from collections.abc import Iterator, Mapping
from typing import Any

from readerstudy.reference.marks import Mark

from .filling import bounds, corners_of, rectangle
from .gathering import Drawn, Origin
from .pictures import MAKER, header_of, uid_of

# Ours where no standard has a code for it.
OURS = "99READERSTUDY"
LENGTH, AREA, ANGLE = ("410668003", "SCT", "Length"), ("42798000", "SCT", "Area"), ("1483009", "SCT", "Angle")
ONE, DEGREE = ("1", "UCUM", "no units"), ("deg", "UCUM", "degree")
SCALES = {
    "mm": (("mm", "UCUM", "millimeter"), ("mm2", "UCUM", "square millimeter")),
    "px": (("{pixels}", "UCUM", "pixels"), ("{pixels}", "UCUM", "square pixels")),
}
VERTEBRA, LESION = ("51282000", "SCT", "Vertebra"), ("52988006", "SCT", "Lesion")
HEIGHTS = (("anterior", "Anterior height"), ("middle", "Middle height"), ("posterior", "Posterior height"))
RATIOS = (
    ("wedge", "Wedge ratio"),
    ("biconcave", "Biconcavity ratio"),
    ("crush", "Crush ratio"),
    ("loss", "Loss of height"),
)
GRADES = ("Grade 0, none", "Grade 1, mild", "Grade 2, moderate", "Grade 3, severe")
GENANT = ("GENANT", OURS, "Genant grade")


def report_of(case: Drawn, version: str) -> Any:
    import highdicom as hd

    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(
            observer_person_context=hd.sr.ObserverContext(
                observer_type=hd.sr.CodedConcept("121006", "DCM", "Person"),
                observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(name="Truther^Reference"),
            )
        ),
        procedure_reported=hd.sr.CodedConcept("363679005", "SCT", "Imaging procedure"),
        imaging_measurements=[_group(case, mark, document) for mark, document in _both(case)],
        title=hd.sr.CodedConcept("126000", "DCM", "Imaging Measurement Report"),
    )
    return hd.sr.ComprehensiveSR(
        evidence=[
            header_of(case, case.stacks[series], slice) for series, slice in sorted({m.place for m in case.marks})
        ],
        content=content,
        series_instance_uid=uid_of(case.token, version, "report"),
        series_number=200,
        sop_instance_uid=uid_of(case.token, version, "report", "1"),
        instance_number=1,
        manufacturer=MAKER,
        is_complete=True,
        is_final=True,
        series_description="Reference standard",
    )


def _both(case: Drawn) -> Iterator[tuple[Mark, Mapping[str, Any]]]:
    return zip(case.marks, case.documents, strict=True)


def _group(case: Drawn, mark: Mark, document: Mapping[str, Any]) -> Any:
    import highdicom as hd

    header = header_of(case, case.stacks[mark.series], mark.slice)
    image = hd.sr.SourceImageForRegion(header.SOPClassUID, header.SOPInstanceUID)
    vertebra = document["measure"]["morphometry"] is not None or mark.kind == "vertebra"
    evaluations = list(_evaluations(document["measure"]["morphometry"]))
    origin = case.origins.get(mark.key)
    return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(
            uid=uid_of(case.token, mark.key), identifier=f"{mark.kind} {mark.label}".strip()
        ),
        referenced_region=_region(mark, image, (header.Rows, header.Columns)),
        finding_type=hd.sr.CodedConcept(*(VERTEBRA if vertebra else LESION)),
        algorithm_id=None if origin is None else _model(origin),
        measurements=list(_measurements(document["measure"])) or None,
        qualitative_evaluations=evaluations or None,
    )


def _model(origin: Origin) -> Any:
    import highdicom as hd

    return hd.sr.AlgorithmIdentification(origin.model, origin.version, [f"{origin.verdict} by the truther"])


def _region(mark: Mark, image: Any, size: tuple[int, int]) -> Any:
    """Points, lines and closed outlines; of a mask the box around it, its pixels are in the segmentation."""
    import highdicom as hd
    import numpy as np

    types = hd.sr.GraphicTypeValues
    if mark.kind == "point":
        return hd.sr.ImageRegion(types.POINT, np.array(mark.points), image)
    if mark.kind in ("line", "angle"):
        return hd.sr.ImageRegion(types.POLYLINE, np.array(mark.points), image)
    if mark.kind == "ellipse":
        return hd.sr.ImageRegion(types.ELLIPSE, _axes(mark), image)
    corners = rectangle(*bounds(mark, *size)) if mark.kind == "mask" else corners_of(mark)
    return hd.sr.ImageRegion(types.POLYLINE, np.vstack([corners, corners[:1]]), image)


def _axes(mark: Mark) -> Any:
    """Ends of the longer axis, then of the shorter."""
    import numpy as np

    (x, y), (u, v) = mark.points
    across, down = [(x, (y + v) / 2), (u, (y + v) / 2)], [((x + u) / 2, y), ((x + u) / 2, v)]
    return np.array([*across, *down] if abs(u - x) >= abs(v - y) else [*down, *across])


def _measurements(measure: Mapping[str, Any]) -> Iterator[Any]:
    unit, square = SCALES[measure["unit"]]
    for name, concept, of_unit in (("length", LENGTH, unit), ("area", AREA, square), ("degrees", ANGLE, DEGREE)):
        if measure[name] is not None:
            yield _measured(concept, measure[name], of_unit)
    six = measure["morphometry"]
    if six is None:
        return
    for name, words in HEIGHTS:
        yield _measured((name.upper(), OURS, words), six["heights"][name], unit)
    for name, words in RATIOS:
        if six[name] is not None:
            yield _measured((name.upper(), OURS, words), six[name], ONE)


def _measured(concept: tuple[str, str, str], value: float, unit: tuple[str, str, str]) -> Any:
    import highdicom as hd

    return hd.sr.Measurement(name=hd.sr.CodedConcept(*concept), value=round(value, 6), unit=hd.sr.CodedConcept(*unit))


def _evaluations(six: Mapping[str, Any] | None) -> Iterator[Any]:
    import highdicom as hd

    if six is not None:
        grade = hd.sr.CodedConcept(f"GENANT-{six['grade']}", OURS, GRADES[six["grade"]])
        yield hd.sr.QualitativeEvaluation(name=hd.sr.CodedConcept(*GENANT), value=grade)
