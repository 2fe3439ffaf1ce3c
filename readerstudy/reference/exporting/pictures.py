"""The images that segmentations and reports refer to, as DICOM files without anything of the patient."""

from functools import cache
from typing import Any

from django.core.files.storage import storages

from readerstudy.cases.frames import decode_either
from readerstudy.reference.measuring import Plane

from .gathering import Drawn, Picture, Stack

CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
}
# These say where they lie; an image that does not is none of them.
PLACED_CLASSES = ("CT", "MR")
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MAKER = "Reader-study platform"


@cache
def uid_of(*parts: str) -> Any:
    """The same for the same thing, so that two exports speak of one image."""
    from pydicom.uid import generate_uid

    return generate_uid(entropy_srcs=["reader study", *parts])


def is_placed(plane: Plane) -> bool:
    """Whether its pixels have places in the patient that DICOM can tell."""
    geometry = plane.geometry
    return plane.spacing is not None and geometry.position is not None and geometry.orientation is not None


def class_of(stack: Stack, picture: Picture) -> str:
    if stack.modality in PLACED_CLASSES and not is_placed(picture.plane):
        return SECONDARY_CAPTURE
    return CLASSES.get(stack.modality, SECONDARY_CAPTURE)


def header_of(case: Drawn, stack: Stack, number: int) -> Any:
    """One image without its pixels: what segmentations and reports need of it."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    picture = stack.pictures[number]
    found = Dataset()
    found.SpecificCharacterSet = "ISO_IR 192"
    found.file_meta = FileMetaDataset()
    found.SOPClassUID = class_of(stack, picture)
    found.SOPInstanceUID = uid_of(case.token, stack.token, str(number), picture.digest)
    found.StudyInstanceUID, found.SeriesInstanceUID = uid_of(case.token), uid_of(case.token, stack.token)
    found.file_meta.MediaStorageSOPClassUID = found.SOPClassUID
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.PatientID, found.PatientName, found.PatientBirthDate, found.PatientSex = case.patient[:16], "", "", ""
    found.StudyID, found.StudyDate, found.StudyTime, found.AccessionNumber = "", "", "", ""
    found.ReferringPhysicianName = found.Laterality = ""
    found.Modality = stack.modality or "OT"
    found.SeriesNumber, found.InstanceNumber = 1, number + 1
    found.SeriesDescription = stack.name
    found.PatientIdentityRemoved = "YES"
    found.DeidentificationMethod = "Only what the study needs was kept"
    _place(found, case, stack, picture)
    return found


def _place(found: Any, case: Drawn, stack: Stack, picture: Picture) -> None:
    found.Rows, found.Columns = picture.plane.rows, picture.plane.columns
    found.SamplesPerPixel, found.PixelRepresentation = picture.samples, 0
    if picture.samples == 3:
        found.PhotometricInterpretation, found.PlanarConfiguration = "RGB", 0
        found.BitsAllocated, found.BitsStored, found.HighBit = 8, 8, 7
    else:
        found.PhotometricInterpretation = "MONOCHROME1" if picture.inverted else "MONOCHROME2"
        found.BitsAllocated, found.BitsStored, found.HighBit = 16, 16, 15
        found.RescaleSlope, found.RescaleIntercept = _decimal(picture.slope), _decimal(picture.intercept)
        found.WindowCenter, found.WindowWidth = (_decimal(value) for value in picture.window)
    geometry = picture.plane.geometry
    if geometry.spacing is not None:
        if geometry.calibrated:
            found.PixelSpacing = [_decimal(value) for value in geometry.spacing]
        else:
            found.ImagerPixelSpacing = [_decimal(value) for value in geometry.spacing]
    if is_placed(picture.plane) and geometry.position is not None and geometry.orientation is not None:
        found.FrameOfReferenceUID = uid_of(case.token, "frame of reference", str(stack.reference or 1))
        found.PositionReferenceIndicator = ""
        found.ImagePositionPatient = [_decimal(value) for value in geometry.position]
        found.ImageOrientationPatient = [_decimal(value) for value in geometry.orientation]
        found.SliceThickness = ""


def _decimal(value: float) -> Any:
    from pydicom.valuerep import DSfloat

    return DSfloat(value, auto_format=True)


def with_pixels(header: Any, picture: Picture) -> Any:
    with storages["default"].open(picture.key) as file:
        pixels = decode_either(file.read(), picture.plane.rows, picture.plane.columns, picture.samples)
    header.PixelData = pixels.astype("<u2" if picture.samples == 1 else "u1").tobytes()
    header["PixelData"].VR = "OW" if picture.samples == 1 else "OB"
    return header
