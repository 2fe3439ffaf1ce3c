"""What `phantoms check` measures: exact on shapes of known size, and everything that is promised holds."""

import os
import subprocess
import sys

import numpy as np
import pytest

from inference.phantoms.check import checks, digest_of, measured, measured_loss
from inference.phantoms.column import Wanted, make_patient


@pytest.mark.parametrize("anterior", ["left", "right"])
def test_a_rectangle_is_measured_to_a_fraction_of_a_pixel(anterior: str) -> None:
    body = np.zeros((60, 70), bool)
    body[15:40, 20:55] = True
    found = measured(body, (0.5, 0.5), "left" if anterior == "left" else "right")
    assert found is not None
    assert found.heights == pytest.approx((12.5, 12.5, 12.5), abs=0.3)
    columns = [19.5, 54.5, 54.5, 19.5] if anterior == "left" else [54.5, 19.5, 19.5, 54.5]
    assert found.corners[:, 1] == pytest.approx(columns, abs=0.6)
    assert found.corners[:, 0] == pytest.approx([14.5, 14.5, 39.5, 39.5], abs=0.6)


def test_a_wedge_has_its_heights() -> None:
    row, column = np.mgrid[:60, :70]
    # From 10 pixels in front to 30 behind.
    body = (column >= 20) & (column < 60) & (row < 45) & (row >= 45 - 10 - 0.5 * (column - 20))
    found = measured(body, (1.0, 1.0))
    assert found is not None
    assert found.heights.ha == pytest.approx(10, abs=1.2)
    assert found.heights.hm == pytest.approx(20, abs=1.2)
    assert found.heights.hp == pytest.approx(30, abs=1.2)


def test_a_turned_wedge_is_measured_in_its_own_frame() -> None:
    row, column = np.mgrid[:120, :120].astype(float) - 60
    c, s = np.cos(0.4), np.sin(0.4)
    x, y = column * c + row * s, row * c - column * s
    found = measured((np.abs(x) < 22) & (y < 15) & (y > -15 + 0.2 * (22 - x)), (1.0, 1.0))
    assert found is not None
    assert found.heights == pytest.approx((30 - 8.8, 30 - 4.4, 30), abs=1.6)


@pytest.mark.parametrize("grade", [1, 2, 3])
def test_the_planted_loss_is_found_on_the_ct(grade: int) -> None:
    for number in range(6):
        patient = make_patient(21, f"L{number}", fractured=True, wanted=Wanted(grade=grade))
        assert patient.fracture is not None
        # Neighbours differ by a few per cent, and a pixel is two to three per cent of a height.
        assert measured_loss(patient) == pytest.approx(patient.fracture.loss, abs=0.07)


def test_a_body_at_the_border_is_not_measured() -> None:
    body = np.zeros((40, 40), bool)
    body[0:20, 10:30] = True
    assert measured(body, (1.0, 1.0)) is None
    assert measured(np.zeros((40, 40), bool), (1.0, 1.0)) is None


def test_bytes_hang_on_no_process() -> None:
    code = "from inference.phantoms.check import digest_of; print(digest_of(3))"
    other = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "5"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == digest_of(3)


def test_every_promise_holds() -> None:
    found = checks(seed=7)
    assert len(found) == len({check.name for check in found}) >= 16
    assert not [check for check in found if not check.holds]


def test_a_wish_for_a_grade_is_fulfilled() -> None:
    for grade in (1, 2, 3):
        fracture = make_patient(1, "G", fractured=True, wanted=Wanted(grade=grade)).fracture
        assert fracture is not None
        assert fracture.grade == grade
