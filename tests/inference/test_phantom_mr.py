"""MR of synthetic patients: contrast of the sequences, signs, slices, noise."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from inference.cohorts.levels import CODES
from inference.phantoms import mr
from inference.phantoms.column import Patient, Wanted, make_patient
from inference.phantoms.contrast import CHANNELS, FAT, FLUID, MUSCLE, OEDEMA, TUMOUR, marrow
from inference.phantoms.features import signs_of
from inference.phantoms.surroundings import course_of
from inference.phantoms.volume import Scan

SEQUENCES = ("T1W", "T2W", "STIR")


@pytest.fixture(scope="module")
def patient() -> Patient:
    wanted = Wanted(level="L1", grade=1, kind="osteoporotic", age="acute")
    return make_patient(77, "M003", fractured=True, wanted=wanted)


def taken(patient: Patient, *signs: str, **fields: Any) -> dict[str, Scan]:
    fracture = patient.fracture
    assert fracture is not None
    fracture = replace(fracture, signs=frozenset(signs), freshness=frozenset(), impaction=0.0, **fields)
    changed = replace(patient, fractures=(fracture,), elsewhere=())
    return mr.around(changed, "A", "L1", sequences=SEQUENCES, shift=0)


@pytest.fixture(scope="module")
def plain(patient: Patient) -> dict[str, Scan]:
    return taken(patient)


def mean_in(scan: Scan, point: tuple[float, float, float], reach: int = 2) -> float:
    _, row, column = (round(place) for place in scan.voxel(point))
    return float(scan.values[1, row - reach : row + reach + 1, column - reach : column + reach + 1].mean())


def test_the_table_of_tissues_has_the_contrasts_of_the_sequences() -> None:
    assert CHANNELS == ("HU", "T1W", "T2W", "STIR")
    bone = marrow(0.5)
    assert FAT.t1w > bone.t1w > OEDEMA.t1w > TUMOUR.t1w > FLUID.t1w
    assert FLUID.t2w > OEDEMA.t2w > bone.t2w > MUSCLE.t2w
    assert FLUID.stir > OEDEMA.stir > MUSCLE.stir > FAT.stir


def test_fluid_is_dark_on_t1_and_bright_on_t2(patient: Patient, plain: dict[str, Scan]) -> None:
    below = patient.vertebra("L2")
    grid = plain["T1W"].grid
    course = course_of(patient, replace(grid, z=np.array([below.z], np.float32)))
    sac = (float(course.canal[0, 0, 0]) - 5.0, below.y, below.z)
    bone = (below.x, below.y, below.z + 6)
    assert mean_in(plain["T1W"], sac, 1) < 0.5 * mean_in(plain["T1W"], bone)
    assert mean_in(plain["T2W"], sac, 1) > 1.4 * mean_in(plain["T2W"], bone)


def test_three_slices_lie_five_millimetres_apart_around_the_middle(patient: Patient, plain: dict[str, Scan]) -> None:
    scan = plain["T1W"]
    assert scan.values.shape == (3, 96, 96)
    assert scan.spacing == pytest.approx((5.0, 1.0, 1.0))
    assert scan.grid.y - patient.vertebra("L1").y == pytest.approx([-5.0, 0.0, 5.0], abs=1e-4)
    assert all(np.array_equal(scan.bodies, other.bodies) for other in plain.values())


def body(scan: Scan) -> np.ndarray:
    from scipy.ndimage import binary_erosion

    return np.asarray(binary_erosion(scan.bodies == CODES["L1"], np.ones((1, 7, 7))))


def test_diffuse_oedema_darkens_t1_and_lights_up_stir(patient: Patient, plain: dict[str, Scan]) -> None:
    swollen = taken(patient, "diffuse_t1_low")
    inner = body(plain["T1W"])
    ratio = {name: swollen[name].values[inner].mean() / plain[name].values[inner].mean() for name in SEQUENCES}
    assert ratio["T1W"] < 0.85
    assert ratio["T2W"] > 1.05
    # The upper part is swollen in any fresh fracture.
    assert ratio["STIR"] > 1.3


def test_an_old_fracture_has_no_oedema(patient: Patient) -> None:
    acute, old = taken(patient, "diffuse_t1_low"), taken(patient, "diffuse_t1_low", drawn_age="old")
    inner = body(old["T1W"])
    assert old["T1W"].values[inner].mean() > 1.3 * acute["T1W"].values[inner].mean()


@pytest.mark.parametrize("sign", [sign.name for sign in signs_of("kind") if sign.name != "other_lesions"])
def test_each_sign_of_the_table_is_drawn(patient: Patient, plain: dict[str, Scan], sign: str) -> None:
    """Somewhere in the three slices a signal changes by more than three times the noise, in a dozen pixels or more."""
    base = taken(patient, "diffuse_t1_low") if sign in ("heterogeneous_t2", "spared_marrow") else plain
    signs = ("diffuse_t1_low", sign) if base is not plain else (sign,)
    shown = taken(patient, *signs)
    noise = mr.SITES["A"].noise * mr.SITES["A"].scale
    assert sum(int((np.abs(shown[name].values - base[name].values) > 3 * noise).sum()) for name in SEQUENCES) > 12


def test_other_lesions_are_drawn_in_other_bodies() -> None:
    wanted = Wanted(kind="malignant", age="acute", level="L1")
    patient = next(
        one
        for one in (make_patient(3, f"E{number}", fractured=True, wanted=wanted) for number in range(50))
        if one.elsewhere
    )
    with_them, without = (mr.whole(one, "A", slices=3)["T1W"] for one in (patient, replace(patient, elsewhere=())))
    changed = np.abs(with_them.values - without.values) > 60
    assert set(np.unique(with_them.bodies[changed])) - {0} == {CODES[level] for level, _ in patient.elsewhere}


def test_truth_is_not_in_the_image_but_through_signs(patient: Patient, plain: dict[str, Scan]) -> None:
    other = taken(patient, kind="malignant", age="old", drawn_kind="malignant")
    assert all(np.array_equal(other[name].values, plain[name].values) for name in SEQUENCES)


def test_noise_is_that_of_magnitudes(patient: Patient) -> None:
    """Without signal the magnitude is Rayleigh: mean / deviation = √(π / (4 − π)) = 1.913 (Gudbjartsson and Patz)."""
    scan = mr.whole(patient, "C", slices=3)["T1W"]
    air = scan.values[:, 20:-20, -12:]
    sigma = mr.SITES["C"].noise * mr.SITES["C"].scale
    assert air.mean() / air.std() == pytest.approx(np.sqrt(np.pi / (4 - np.pi)), rel=0.04)
    assert air.mean() == pytest.approx(sigma * np.sqrt(np.pi / 2), rel=0.04)


def test_sites_and_sequences_have_noise_of_their_own(patient: Patient) -> None:
    first, second = (mr.around(patient, site, "L1") for site in ("A", "B"))
    assert not np.array_equal(first["T1W"].values, second["T1W"].values)
    air = first["T1W"].values - first["T1W"].values.mean(), first["T2W"].values - first["T2W"].values.mean()
    assert not np.array_equal(*air)
    again = mr.around(patient, "A", "L1")
    assert all(np.array_equal(first[name].values, again[name].values) for name in first)
