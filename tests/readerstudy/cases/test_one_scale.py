"""Floats and wide integers: one scale for a series, whatever the ranges of its slices."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from readerstudy.cases import delivery, frames, importing, staging
from readerstudy.cases.geometry import Geometry
from readerstudy.cases.models import CaseImport, Image
from readerstudy.cases.pictures import Picture, Scale, Window
from readerstudy.cases.values import scale_of, scaled, together
from readerstudy.reference.actions import import_at_once
from readerstudy.studies.models import Study
from tests.readerstudy.cases.decoded_here import pictures_of, stack_of
from tests.readerstudy.cases.test_dicom import SMALL, made, shown_values
from tests.world import People

Values = NDArray[Any]
COMMON = 12.3456
MANIFEST = b"case,patient,file\nA,1,map\n"


def floats(path: Path, values: Values, number: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows, columns = values.shape[-2:]
    made(path, SMALL, Rows=rows, Columns=columns, InstanceNumber=number, Modality="MR")
    data = pydicom.dcmread(path)
    del data.PixelData, data.PixelRepresentation
    data.BitsAllocated = data.BitsStored = values.itemsize * 8
    data.ImageOrientationPatient, data.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, number * 2.0]
    data.PixelSpacing = [1, 1]
    if values.ndim == 3:
        data.NumberOfFrames = len(values)
    setattr(data, "FloatPixelData" if values.itemsize == 4 else "DoubleFloatPixelData", values.tobytes())
    data.save_as(path)
    return path


def slices(kind: type) -> list[Values]:
    """Of very different ranges; one value is in all of them."""
    chance = np.random.default_rng(4)
    found = [chance.uniform(0, high, (20, 30)).astype(kind) for high in (20, 300, 4000, 900)]
    for values in found:
        values[5, 7] = COMMON
    found[1][0, 0] = np.nan
    return found


def imported(study: Study, people: People, folder: Path, manifest: bytes = MANIFEST) -> CaseImport:
    done = import_at_once(study=study, manifest=manifest, folder=folder, by=people.alice)
    assert done.phase == CaseImport.Phase.DONE, done.faults or done.message
    return done


def stored(image: Image) -> Picture:
    pixels = frames.decode(delivery.frame_bytes(image), image.rows, image.columns)
    return Picture(pixels, image.bits, Geometry(), image.slope, image.intercept)


def test_equal_values_of_a_float_series_are_shown_alike(study: Study, people: People, tmp_path: Path) -> None:
    given = slices(np.float32)
    for number, values in enumerate(given, start=1):
        floats(tmp_path / "map" / f"{number}.dcm", values, number)

    done = imported(study, people, tmp_path)

    pictures = [stored(image) for image in Image.objects.order_by("position")]
    step = max(float(np.nanmax(values)) for values in given) / 65535
    assert len({(one.slope, one.intercept, int(one.pixels[5, 7])) for one in pictures}) == 1
    for window in (Window(12, 0.02), Window(12.35, 1), Window(2000, 4000)):
        assert len({int(frames.shown(one, window)[5, 7]) for one in pictures}) == 1
    for one, values in zip(pictures, given, strict=True):
        region = shown_values(one)[4:12, 5:20]
        assert np.abs(region - values[4:12, 5:20]).max() <= step * 0.51
        assert region.mean() == pytest.approx(values[4:12, 5:20].mean(), abs=step / 2)
    # What has no value is as dark as the lowest of all slices.
    assert pictures[1].pixels[0, 0] == 0
    assert f"scaled to 16 bits; shown values are within {step / 2:.2g} of the file's" in done.message


def test_a_slice_that_is_changed_after_the_dry_run_gets_the_scale_of_the_others(
    study: Study, people: People, tmp_path: Path
) -> None:
    given = slices(np.float32)
    for number, values in enumerate(given, start=1):
        floats(tmp_path / "map" / f"{number}.dcm", values, number)
    row = import_at_once(study=study, manifest=MANIFEST, folder=tmp_path, by=people.alice, dry_run=True)
    assert staging.work_folder(row).exists()
    floats(tmp_path / "map" / "2.dcm", given[1] * 100, 2)
    CaseImport.objects.filter(pk=row.pk).update(phase=CaseImport.Phase.RUNNING)

    assert importing.run(row.token)

    lines = set(Image.objects.values_list("slope", "intercept"))
    assert len(lines) == 1
    assert lines.pop()[0] == pytest.approx(np.nanmax(given[1]) * 100 / 65535, rel=1e-3)


@pytest.mark.parametrize("lowest", [-900, -40_000])
def test_whole_numbers_stay_exact_and_have_one_line(study: Study, people: People, tmp_path: Path, lowest: int) -> None:
    chance = np.random.default_rng(2)
    given = [chance.integers(0, 50, (8, 9)), chance.integers(lowest, 600, (8, 9)), np.zeros((8, 9))]
    for number, values in enumerate(given, start=1):
        floats(tmp_path / "map" / f"{number}.dcm", values.astype(np.float32), number)

    done = imported(study, people, tmp_path)

    pictures = [stored(image) for image in Image.objects.order_by("position")]
    assert [shown_values(one).tolist() for one in pictures] == [values.tolist() for values in given]
    assert len({(one.slope, one.intercept) for one in pictures}) == 1
    assert "scaled" not in done.message


def test_tiffs_of_one_series_share_a_scale(study: Study, people: People, tmp_path: Path) -> None:
    given = slices(np.float32)
    for number, values in enumerate(given):
        Pillow.fromarray(values).save(tmp_path / f"{number}.tif")
    rows = "".join(f"A,1,{number}.tif,map\n" for number in range(4))

    imported(study, people, tmp_path, f"case,patient,file,series\n{rows}".encode())

    assert len(set(Image.objects.values_list("slope", "intercept"))) == 1


def test_frames_of_one_file_share_a_scale_and_an_empty_one_is_dark(tmp_path: Path) -> None:
    volume = np.stack([*slices(np.float32), np.full((20, 30), np.nan, dtype=np.float32)])
    tiff = tmp_path / "a.tif"
    pages = [Pillow.fromarray(page) for page in volume]
    pages[0].save(tiff, save_all=True, append_images=pages[1:])

    for path in (floats(tmp_path / "a.dcm", volume), tiff):
        pictures = pictures_of(path)
        assert len({(one.slope, one.intercept, int(one.pixels[5, 7])) for one in pictures[:4]}) == 1
        assert not pictures[4].pixels.any()
        assert sum("scaled" in note for note in stack_of(path).facts.notes) == 1


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([0, 65535], (1, 0)),
        ([-32768, 32767], (1, -32768)),
        ([1_000_000, 1_065_535], (1, 1_000_000)),
        ([0, 65536], (65536 / 65535, 0)),
        ([0.5, 0.5], (1, 0.5)),
        ([-1e307, 1e307], (2e307 / 65535, -1e307)),
    ],
)
def test_the_line_back_to_the_values(values: list[float], line: tuple[float, float]) -> None:
    scale = together([scale_of(np.array(values)), None])
    assert scale is not None
    assert scale.line == pytest.approx(line)
    assert together([scale, Scale(*scale)]) == scale
    found = scaled(np.array(values, dtype=np.float64), scale)
    assert found.pixels * found.step + found.first == pytest.approx(np.array(values), abs=found.step * 0.51)
