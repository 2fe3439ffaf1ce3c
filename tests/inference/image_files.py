"""Image files written for tests: NIfTI lying anyhow in the patient, DICOM slices, a site's stored frames of them."""

from collections.abc import Iterable
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from inference.prediction import Frame
from readerstudy.cases import frames
from readerstudy.cases.pictures import Picture


def stored_frames(pictures: Iterable[Picture], folder: Path) -> list[Frame]:
    """Frames as the site stores them when it imports these pictures."""
    stored = []
    for number, picture in enumerate(pictures):
        content = frames.encode(picture.pixels)
        path = folder / f"{number:04}.f16"
        path.write_bytes(content)
        rows, columns = picture.pixels.shape[:2]
        stored.append(
            Frame(
                uri=path.as_uri(),
                sha256=frames.digest_of(content),
                rows=rows,
                columns=columns,
                samples=picture.samples,
                slope=picture.slope,
                intercept=picture.intercept,
                inverted=picture.inverted,
                spacing=picture.geometry.spacing,
                origin=picture.geometry.position,
                orientation=picture.geometry.orientation,
            )
        )
    return stored


def write_nifti(
    path: Path, values: NDArray[np.generic], affine: NDArray[np.float64], line: tuple[float, float]
) -> Path:
    image = nib.Nifti1Image(values, affine)
    image.header.set_slope_inter(*line)
    nib.save(image, path)
    return path


def write_slice(path: Path, pixels: NDArray[np.generic], **tags: object) -> Path:
    """A DICOM file; values of 8 or 16 bits, signed where the array is."""
    bits = 8 * pixels.dtype.itemsize
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, generate_uid()
    dataset.Modality, dataset.SeriesInstanceUID = "CT", "1.2.3"
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel, dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 1, bits, bits, bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = pixels.tobytes()
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.save_as(path, enforce_file_format=True)
    return path
