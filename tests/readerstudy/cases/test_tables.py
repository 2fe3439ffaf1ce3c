"""VOI look-up tables and functions: what the viewer is told gives the grey that pydicom gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi, apply_voi_lut
from pydicom.sequence import Sequence

from readerstudy.cases import dicom
from readerstudy.cases.pictures import Window
from tests.readerstudy.cases.decoded_here import pictures_of
from tests.readerstudy.cases.test_dicom import made

VALUES = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def table_of(outputs: NDArray[np.integer[Any]], first: int, bits: int) -> Dataset:
    table = Dataset()
    table.LUTDescriptor = [len(outputs) % 65536, first, bits]
    table.LUTData = outputs.astype("<u2").tobytes()
    return table


def greys(window: Window, shown: NDArray[Any]) -> NDArray[np.int64]:
    """As the viewer looks them up: the last step that is not above the value."""
    values, grey = np.array(window.steps[::2]), np.array(window.steps[1::2])
    return grey[np.maximum(np.searchsorted(values, shown, side="right") - 1, 0)]


CURVES = {
    "a curve": np.rint(4095 / (1 + np.exp(-(np.arange(2500) - 1200) / 170))).astype(int),
    "falling": np.rint(np.linspace(4095, 0, 1000)).astype(int),
    "two humps": np.rint(2047 + 2047 * np.sin(np.arange(1500) / 90)).astype(int),
}


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
@pytest.mark.parametrize("first", [0, 700])
def test_a_table_gives_the_grey_of_pydicom(curve: NDArray[np.integer[Any]], first: int, tmp_path: Path) -> None:
    table = table_of(curve, first, 12)
    (picture,) = pictures_of(made(tmp_path / "a.dcm", VALUES, VOILUTSequence=Sequence([table])))
    header = Dataset()
    header.VOILUTSequence = Sequence([table])
    header["VOILUTSequence"].value[0]["LUTData"].VR = "OW"
    header.set_original_encoding(False, True)

    assert picture.window is not None
    expected = np.rint(apply_voi(VALUES.copy(), header) * (255 / 4095))
    assert np.array_equal(greys(picture.window, VALUES), expected)
    assert not any("table" in note for note in dicom.read(tmp_path / "a.dcm").facts.notes)


def test_a_table_applies_to_rescaled_values_and_comes_before_a_window(tmp_path: Path) -> None:
    table = table_of(CURVES["a curve"], 100, 12)
    (picture,) = pictures_of(
        made(
            tmp_path / "a.dcm",
            VALUES.astype(np.int16),
            RescaleSlope="2",
            RescaleIntercept="-1000",
            WindowCenter="40",
            WindowWidth="400",
            VOILUTSequence=Sequence([table]),
        )
    )
    header = pydicom.dcmread(tmp_path / "a.dcm")

    assert picture.window is not None
    shown = apply_modality_lut(VALUES, header).astype(int)
    assert np.array_equal(greys(picture.window, shown), np.rint(apply_voi_lut(shown, header) * (255 / 4095)))


def test_a_table_of_16_bits_has_at_most_one_step_a_grey(tmp_path: Path) -> None:
    table = table_of(np.arange(65536), 0, 16)
    (picture,) = pictures_of(made(tmp_path / "a.dcm", VALUES, VOILUTSequence=Sequence([table])))

    assert picture.window is not None
    assert len(picture.window.steps) == 2 * 256
    assert np.array_equal(greys(picture.window, np.arange(65536)), np.rint(np.arange(65536) / 257))


def test_a_table_without_end_of_steps_becomes_a_line_and_that_is_said(tmp_path: Path) -> None:
    table = table_of(np.tile([0, 4095, 2000], 5000), 0, 12)
    path = made(tmp_path / "a.dcm", VALUES, VOILUTSequence=Sequence([table]))

    (picture,) = pictures_of(path)

    assert picture.window is not None
    assert (picture.window.shape, picture.window.steps) == ("linear", ())
    assert "look-up table cannot be applied" in dicom.read(path).facts.notes[0]


def test_of_several_tables_the_first_is_used_and_that_is_said(tmp_path: Path) -> None:
    tables = [table_of(CURVES[name], 0, 12) for name in ("falling", "a curve")]
    path = made(tmp_path / "a.dcm", VALUES, VOILUTSequence=Sequence(tables))

    (picture,) = pictures_of(path)

    assert picture.window is not None
    assert picture.window.steps[:2] == (0, 255)
    assert "Of the file's VOI look-up tables the first is used." in dicom.read(path).facts.notes


@pytest.mark.parametrize("bits", [8, 16])
def test_the_line_for_a_table_spans_its_rise_whether_of_bytes_or_words(bits: int, tmp_path: Path) -> None:
    table = Dataset()
    table.LUTDescriptor = [256, 100, bits]
    entries = np.clip((np.arange(256) - 50) / 100, 0, 1) * ((1 << bits) - 1)
    table.LUTData = np.rint(entries).astype(np.uint8 if bits == 8 else "<u2").tobytes()

    (picture,) = pictures_of(made(tmp_path / "a.dcm", VALUES, VOILUTSequence=Sequence([table])))

    assert picture.window is not None
    assert picture.window.center == pytest.approx(200, abs=1)
    assert picture.window.width == pytest.approx(95, abs=3)


@pytest.mark.parametrize(
    ("function", "shape"), [("LINEAR", "linear"), ("LINEAR_EXACT", "exact"), ("SIGMOID", "sigmoid"), ("", "linear")]
)
def test_the_function_of_a_window_is_kept(function: str, shape: str, tmp_path: Path) -> None:
    tags = {"WindowCenter": "40", "WindowWidth": "400", "VOILUTFunction": function}

    (picture,) = pictures_of(made(tmp_path / "a.dcm", VALUES, **tags))

    assert picture.window == Window(40, 400, shape)
