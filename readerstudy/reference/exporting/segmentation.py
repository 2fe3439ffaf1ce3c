"""Areas of one series as DICOM segmentations.

A segmentation holds images of one size, spacing and direction, no two at one place, and of images without a place a
single one. A series whose images differ gets several, so that nothing drawn is left out.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from readerstudy.reference.marks import VERTEBRAE, Mark
from readerstudy.reference.morphometry import LEVELS

from .filling import filled
from .gathering import Drawn, Origin, Stack
from .pictures import MAKER, header_of, is_placed, uid_of
from .volumes import SAME, are_alike, areas_of

# SNOMED CT
ANATOMY, VERTEBRA = ("91723000", "SCT", "Anatomical structure"), ("51282000", "SCT", "Vertebra")
ABNORMAL, LESION = ("49755003", "SCT", "Morphologically abnormal structure"), ("52988006", "SCT", "Lesion")

NETWORK = ("123110", "DCM", "Artificial Intelligence")


@dataclass(frozen=True)
class Segmented:
    """One segmentation; `images` are counted from 0, `why` it is not the only one of its series."""

    images: tuple[int, ...]
    names: tuple[str, ...]
    dataset: Any
    why: str = ""


def segmentations_of(case: Drawn, series: int, version: str) -> Iterator[Segmented]:
    """Nothing where nothing in the series has an area."""
    stack = case.stacks[series]
    areas = [(name, marks) for (at, name), marks in areas_of(case).items() if at == series]
    groups = groups_of(stack, sorted({mark.slice for _, marks in areas for mark in marks}))
    for number, images in enumerate(groups, start=1):
        held = [(name, [mark for mark in marks if mark.slice in images]) for name, marks in areas]
        named = [(name, marks) for name, marks in held if marks]
        told = f" ({number} of {len(groups)})" if len(groups) > 1 else ""
        dataset = _segmentation(case, series, images, named, uids=(version, number), told=told)
        yield Segmented(tuple(images), tuple(name for name, _ in named), dataset, _why(stack) if told else "")


def groups_of(stack: Stack, slices: Sequence[int]) -> list[list[int]]:
    """The images that go together, in the order of the stack."""
    groups: list[list[int]] = []
    for n in slices:
        group = next((group for group in groups if _goes_with(stack, n, group)), None)
        if group is None:
            groups.append([n])
        else:
            group.append(n)
    return groups


def _goes_with(stack: Stack, number: int, group: Sequence[int]) -> bool:
    planes = [stack.pictures[n].plane for n in (number, *group)]
    if not all(map(is_placed, planes)) or not are_alike(planes[0], planes[1]):
        return False
    here, *others = (plane.geometry.position or () for plane in planes)
    return all(math.dist(here, other) > SAME for other in others)


def _why(stack: Stack) -> str:
    return (
        f"The images of {stack.name} differ in size, spacing or direction, lie at one place, or have none; "
        "a DICOM segmentation holds those that are alike."
    )


def _segmentation(
    case: Drawn,
    series: int,
    images: Sequence[int],
    named: Sequence[tuple[str, Sequence[Mark]]],
    *,
    uids: tuple[str, int],
    told: str,
) -> Any:
    import highdicom as hd

    stack = case.stacks[series]
    version, number = uids
    plane = stack.pictures[images[0]].plane
    sources = [header_of(case, stack, n) for n in images]
    if is_placed(plane):
        # Directions that differ by the rounding of the files are written as one.
        for source in sources:
            source.ImageOrientationPatient = sources[0].ImageOrientationPatient
    further = () if number == 1 else (str(number),)
    return hd.seg.Segmentation(
        source_images=sources,
        pixel_array=pixels_of(images, [marks for _, marks in named], (plane.rows, plane.columns)),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_segment(case, n, name, marks) for n, (name, marks) in enumerate(named, start=1)],
        series_instance_uid=uid_of(case.token, stack.token, version, "segmentation", *further),
        series_number=100 + series,
        sop_instance_uid=uid_of(case.token, stack.token, version, "segmentation", "instance", str(number)),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions="1",
        device_serial_number="1",
        content_label="REFERENCE",
        series_description=f"Reference standard, {stack.name[:32]}{told}",
        omit_empty_frames=False,
    )


def pixels_of(slices: Sequence[int], marks: Sequence[Sequence[Mark]], size: tuple[int, int]) -> Any:
    """Slice, row, column, segment."""
    found = np.zeros((len(slices), *size, len(marks)), dtype=np.uint8)
    for segment, of_segment in enumerate(marks):
        for mark in of_segment:
            found[slices.index(mark.slice), :, :, segment] |= filled(mark, *size)
    return found


def _segment(case: Drawn, number: int, name: str, marks: Sequence[Mark]) -> Any:
    """Drawn by hand unless a model had proposed one of the marks."""
    import highdicom as hd

    vertebra = name in LEVELS or any(mark.kind in VERTEBRAE for mark in marks)
    category, kind = (ANATOMY, VERTEBRA) if vertebra else (ABNORMAL, LESION)
    types = hd.seg.SegmentAlgorithmTypeValues
    origin = next((case.origins[mark.key] for mark in marks if mark.key in case.origins), None)
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=name[:64],
        segmented_property_category=hd.sr.CodedConcept(*category),
        segmented_property_type=hd.sr.CodedConcept(*kind),
        algorithm_type=types.SEMIAUTOMATIC if origin else types.MANUAL,
        algorithm_identification=None if origin is None else _model(origin),
    )


def _model(origin: Origin) -> Any:
    import highdicom as hd

    return hd.AlgorithmIdentificationSequence(origin.model[:64], hd.sr.CodedConcept(*NETWORK), origin.version)
