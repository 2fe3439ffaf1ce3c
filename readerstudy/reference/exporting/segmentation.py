"""Areas of one series as a DICOM segmentation."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from readerstudy.reference.marks import VERTEBRAE, Mark
from readerstudy.reference.morphometry import LEVELS

from .filling import filled
from .gathering import Drawn
from .pictures import MAKER, header_of, uid_of
from .volumes import areas_of

# SNOMED CT
ANATOMY, VERTEBRA = ("91723000", "SCT", "Anatomical structure"), ("51282000", "SCT", "Vertebra")
ABNORMAL, LESION = ("49755003", "SCT", "Morphologically abnormal structure"), ("52988006", "SCT", "Lesion")


def segmentation_of(case: Drawn, series: int, version: str) -> Any | None:
    """None where nothing in the series has an area; marks of images of another size are left to the report."""
    import highdicom as hd

    stack = case.stacks[series]
    named = [(name, marks) for (at, name), marks in areas_of(case).items() if at == series]
    slices = sorted({mark.slice for _, marks in named for mark in marks})
    if not slices:
        return None
    sizes = {(stack.pictures[n].plane.rows, stack.pictures[n].plane.columns) for n in slices}
    if len(sizes) > 1:
        return None
    pixels = pixels_of(slices, [marks for _, marks in named], next(iter(sizes)))
    return hd.seg.Segmentation(
        source_images=[header_of(case, stack, n) for n in slices],
        pixel_array=pixels,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_segment(n, name, marks) for n, (name, marks) in enumerate(named, start=1)],
        series_instance_uid=uid_of(case.token, stack.token, version, "segmentation"),
        series_number=100 + series,
        sop_instance_uid=uid_of(case.token, stack.token, version, "segmentation", "1"),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions="1",
        device_serial_number="1",
        content_label="REFERENCE",
        series_description=f"Reference standard, {stack.name}"[:64],
        omit_empty_frames=False,
    )


def pixels_of(slices: Sequence[int], marks: Sequence[Sequence[Mark]], size: tuple[int, int]) -> Any:
    """Slice, row, column, segment."""
    found = np.zeros((len(slices), *size, len(marks)), dtype=np.uint8)
    for segment, of_segment in enumerate(marks):
        for mark in of_segment:
            found[slices.index(mark.slice), :, :, segment] |= filled(mark, *size)
    return found


def _segment(number: int, name: str, marks: Sequence[Mark]) -> Any:
    import highdicom as hd

    vertebra = name in LEVELS or any(mark.kind in VERTEBRAE for mark in marks)
    category, kind = (ANATOMY, VERTEBRA) if vertebra else (ABNORMAL, LESION)
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=name[:64],
        segmented_property_category=hd.sr.CodedConcept(*category),
        segmented_property_type=hd.sr.CodedConcept(*kind),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )
