"""The allow-list of a DICOM header. Nothing else of the file's description is ever handed on."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import UID

from . import dicom_lists as lists
from .geometry import Directions, Geometry, Letters, Point, is_orientation, names_other_sides
from .pictures import NoPicture, Unreadable, Window, check_size
from .tables import window_of_table
from .values import UPPER_8

SHAPES = {"LINEAR_EXACT": "exact", "SIGMOID": "sigmoid"}
TURNED = "The directions of rows and columns contradict each other; where the picture lies is not kept."
OTHER_SIDES = (
    "The sides of the patient that the header names contradict its directions of rows and columns; the latter are used."
)
ZERO_SPACING = "The pixel spacing is zero or less; lengths are not measured."


@dataclass(frozen=True)
class FrameFacts:
    geometry: Geometry
    slope: float
    intercept: float
    windows: tuple[Window, ...]
    slice_thickness: float | None
    # What its geometry says against itself; such parts of it are not kept.
    contradiction: str = ""


@dataclass(frozen=True)
class Header:
    transfer_syntax: str
    series: str
    instance_uid: str
    series_number: int
    number: int
    modality: str
    body_part: str
    laterality: str
    view: str
    rows: int
    columns: int
    bits_stored: int
    photometric: str
    frames: tuple[FrameFacts, ...]
    notes: tuple[str, ...]
    quarantine: tuple[str, ...]
    modality_table: Dataset | None = None
    palette: Dataset = field(default_factory=Dataset, repr=False)
    palette_shift: int = 0
    words: str = ""
    frame_of_reference: str = ""

    @property
    def inverted(self) -> bool:
        return self.photometric == "MONOCHROME1"


def read(found: Dataset) -> Header:
    """Judge the elements that are on the list; raises before a pixel is decoded."""
    syntax = str(found.file_meta.get("TransferSyntaxUID", ""))
    modality = _listed(found.get("Modality"), lists.MODALITIES)
    _check_readable(found, syntax, modality)
    count = int(found.get("NumberOfFrames") or 1)
    rows, columns = int(found.Rows), int(found.Columns)
    check_size(rows, columns, count)
    table = next((window_of_table(one) for one in found.get("VOILUTSequence") or []), None)
    frames = tuple(_frame(found, index, modality, table) for index in range(count))
    photometric = str(found.PhotometricInterpretation)
    palette = found if photometric == "PALETTE COLOR" else Dataset()
    return Header(
        transfer_syntax=syntax,
        series=str(found.get("SeriesInstanceUID") or ""),
        instance_uid=str(found.get("SOPInstanceUID") or ""),
        series_number=_whole(found.get("SeriesNumber")),
        number=_whole(found.get("InstanceNumber")),
        modality=modality,
        body_part=_listed(found.get("BodyPartExamined"), lists.BODY_PARTS),
        laterality=_listed(found.get("ImageLaterality") or found.get("Laterality"), lists.LATERALITIES),
        view=_listed(found.get("ViewPosition"), lists.VIEWS),
        rows=rows,
        columns=columns,
        bits_stored=int(found.BitsStored),
        photometric=photometric,
        frames=frames,
        notes=tuple(dict.fromkeys([*_notes(found, photometric, table), *_contradictions(found, frames)])),
        quarantine=tuple(_quarantine(found, modality)),
        modality_table=found if found.get("ModalityLUTSequence") else None,
        palette=palette,
        palette_shift=_palette_shift(palette),
        words=words_of(str(found.get("SeriesDescription") or ""), modality),
        frame_of_reference=str(found.get("FrameOfReferenceUID") or ""),
    )


def words_of(description: str, modality: str) -> str:
    """What a series is called, in words of the list alone: free text may hold a name."""
    chief, additions = lists.WORDS.get(modality, ({}, {}))
    text = description.upper()
    kinds = [word for word, written in chief.items() if _says(text, written)]
    return " ".join([*kinds[:1], *(word for word, written in additions.items() if _says(text, written))])


def _says(text: str, written: str) -> bool:
    return re.search(f"(?<![A-Z0-9])(?:{written})(?![A-Z0-9])", text) is not None


def _check_readable(found: Dataset, syntax: str, modality: str) -> None:
    if modality in lists.NOT_PICTURES:
        raise NoPicture(f"The file is {lists.NOT_PICTURES[modality]}, not a picture.")
    missing = [
        tag
        for tag in ("Rows", "Columns", "BitsAllocated", "BitsStored", "PhotometricInterpretation")
        if tag not in found
    ]
    if missing:
        raise NoPicture(f"The file holds no picture: its header lacks {', '.join(missing)}.")
    if not syntax:
        raise Unreadable("The file does not say how its pixels are coded (Transfer Syntax UID is missing).")
    if syntax not in lists.READABLE_SYNTAXES:
        raise Unreadable(
            f"The transfer syntax {UID(syntax).name} is not supported; save the file uncompressed and try again."
        )
    if syntax == lists.JPEG_EXTENDED and not _is_sure_extended(found):
        raise Unreadable(
            "JPEG Extended can be decoded in grey with 8 or 12 bits; save the file in a lossless syntax and try again."
        )
    stored, allocated = int(found.BitsStored), int(found.BitsAllocated)
    if allocated not in (1, 8, 16, 32, 64) or not 1 <= stored <= allocated:
        raise Unreadable(f"The header claims {stored} bits in {allocated} for each pixel, which cannot be.")
    if str(found.PhotometricInterpretation) not in (*lists.GREY, *lists.COLOUR):
        raise Unreadable("The photometric interpretation is neither grey nor a colour that can be read.")


def _is_sure_extended(found: Dataset) -> bool:
    """What was compared with another decoder; the code stream's own precision is 8 or 12 bits."""
    stored, allocated, samples = (
        int(found.get(name) or 1) for name in ("BitsStored", "BitsAllocated", "SamplesPerPixel")
    )
    return stored <= 8 or (stored, allocated, samples) == (12, 16, 1)


def _notes(found: Dataset, photometric: str, table: Window | None) -> Iterable[str]:
    if photometric in lists.COLOUR and int(found.BitsStored) > 8 and photometric != "PALETTE COLOR":
        yield UPPER_8
    if found.get("VOILUTSequence") and (table is None or not table.steps):
        yield "The file's VOI look-up table cannot be applied; a linear window over the same range is."
    if len(found.get("VOILUTSequence") or []) > 1:
        yield "Of the file's VOI look-up tables the first is used."
    if found.get("ModalityLUTSequence"):
        yield "The file's modality look-up table was applied."


def _contradictions(found: Dataset, frames: tuple[FrameFacts, ...]) -> Iterable[str]:
    yield from (frame.contradiction for frame in frames if frame.contradiction)
    described = len(found.get("PerFrameFunctionalGroupsSequence") or [])
    if described and described != len(frames):
        yield f"The header describes {described} frames and claims {len(frames)}; frames without a place have none."


def _quarantine(found: Dataset, modality: str) -> Iterable[str]:
    kind = [str(part).upper() for part in found.get("ImageType") or []]
    if str(found.get("BurnedInAnnotation") or "").upper() == "YES":
        yield "The file says that text is burned into the picture."
    if str(found.get("SOPClassUID") or "").startswith(lists.SECONDARY_CAPTURE) or found.get("ConversionType"):
        yield "The picture is a secondary capture, which often carries burned-in names."
    if modality in lists.ULTRASOUND_AND_PHOTOGRAPHS:
        yield f"Pictures of modality {modality} often carry burned-in names."
    if kind[:2] == ["DERIVED", "SECONDARY"]:
        yield "The picture is derived from others, and derived pictures often carry burned-in names."


def _frame(found: Dataset, index: int, modality: str, table: Window | None) -> FrameFacts:
    sources = _sources(found, index)
    spacing, calibrated = _spacing(sources, modality)
    orientation = _numbers(sources, "ImageOrientationPatient", 6)
    position = _numbers(sources, "ImagePositionPatient", 3)
    slope, intercept = _first(sources, "RescaleSlope"), _first(sources, "RescaleIntercept")
    turned = bool(orientation) and not is_orientation(orientation or [])
    geometry = Geometry(
        position=_point(position),
        orientation=_directions(orientation) if orientation and not turned else None,
        spacing=spacing,
        calibrated=calibrated,
        letters=_letters(_first(sources, "PatientOrientation")),
    )
    thickness = _numbers(sources, "SliceThickness", 1)
    return FrameFacts(
        geometry=geometry,
        slope=_finite(slope, 1.0) or 1.0,
        intercept=_finite(intercept, 0.0),
        # Where there are both, the table comes first, as pydicom has it too.
        windows=((table,) if table else ()) + tuple(_windows(sources)),
        slice_thickness=thickness[0] if thickness and thickness[0] > 0 else None,
        contradiction=_contradiction(geometry, sources, turned=turned),
    )


def _contradiction(geometry: Geometry, sources: list[Dataset], *, turned: bool) -> str:
    if turned:
        return TURNED
    if geometry.orientation and geometry.letters and names_other_sides(geometry.orientation, geometry.letters):
        return OTHER_SIDES
    return ZERO_SPACING if _is_spacing_without_sense(sources) else ""


def _sources(found: Dataset, index: int) -> list[Dataset]:
    """Where a frame's attribute may stand: its own functional groups, the shared ones, the file."""
    sources: list[Dataset] = []
    own, shared = (
        found.get("PerFrameFunctionalGroupsSequence") or [],
        found.get("SharedFunctionalGroupsSequence") or [],
    )
    for group in ([own[index]] if index < len(own) else []) + list(shared[:1]):
        for element in group:
            if element.VR == "SQ" and element.value:
                sources.append(element.value[0])
    return [*sources, found]


def _first(sources: list[Dataset], keyword: str) -> object:
    for source in sources:
        value = source.get(keyword)
        if value not in (None, ""):
            return value
    return None


def _numbers(sources: list[Dataset], keyword: str, count: int) -> list[float] | None:
    values = _several(_first(sources, keyword))
    return values if len(values) == count and all(map(math.isfinite, values)) else None


def _spacing(sources: list[Dataset], modality: str) -> tuple[tuple[float, float] | None, bool]:
    """In projections a spacing at the detector is not one in the patient: then lengths are uncalibrated."""
    patient, detector = _numbers(sources, "PixelSpacing", 2), _numbers(sources, "ImagerPixelSpacing", 2)
    spacing = patient or detector
    if spacing is None or min(spacing) <= 0:
        return None, False
    if modality in lists.CROSS_SECTIONAL or (not modality and _first(sources, "ImageOrientationPatient")):
        return (spacing[0], spacing[1]), patient is not None
    corrected = bool(_first(sources, "PixelSpacingCalibrationType")) or (detector is not None and patient != detector)
    return (spacing[0], spacing[1]), patient is not None and corrected


def _letters(value: object) -> Letters | None:
    """Towards which sides rows and columns run, where nothing more exact is said; nothing but letters of the list."""
    sides = [str(part).strip().upper() for part in value] if isinstance(value, MultiValue) else []
    are_sides = all(1 <= len(set(side)) == len(side) <= 3 and set(side) <= lists.SIDES for side in sides)
    return (sides[0], sides[1]) if len(sides) == 2 and are_sides else None


def _is_spacing_without_sense(sources: list[Dataset]) -> bool:
    said = (_first(sources, keyword) for keyword in ("PixelSpacing", "ImagerPixelSpacing"))
    return any(value is not None and min(_several(value), default=0.0) <= 0 for value in said)


def _windows(sources: list[Dataset]) -> Iterable[Window]:
    shape = SHAPES.get(str(_first(sources, "VOILUTFunction") or ""), "linear")
    centers, widths = (_several(_first(sources, keyword)) for keyword in ("WindowCenter", "WindowWidth"))
    for center, width in zip(centers, widths, strict=False):
        if math.isfinite(center) and math.isfinite(width) and width > 0:
            yield Window(center, width, shape)


def _several(value: object) -> list[float]:
    if value is None:
        return []
    return (
        [float(part) for part in value]
        if isinstance(value, Iterable) and not isinstance(value, str)
        else [float(str(value))]
    )


def _palette_shift(palette: Dataset) -> int:
    descriptor = palette.get("RedPaletteColorLookupTableDescriptor")
    return 8 if descriptor and int(descriptor[2]) == 16 else 0


def _listed(value: object, allowed: frozenset[str]) -> str:
    text = str(value or "").strip().upper()
    return text if text in allowed else ""


def _whole(value: object) -> int:
    return int(str(value)) if str(value or "").strip().lstrip("-").isdigit() else 0


def _finite(value: object, otherwise: float) -> float:
    number = float(str(value)) if value is not None else otherwise
    return number if math.isfinite(number) else otherwise


def _point(values: list[float] | None) -> Point | None:
    return (values[0], values[1], values[2]) if values else None


def _directions(values: list[float]) -> Directions:
    return values[0], values[1], values[2], values[3], values[4], values[5]
