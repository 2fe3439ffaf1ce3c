"""CT of synthetic patients: CT numbers, signs one by one, nothing that the signs do not say."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from inference.cohorts.levels import CODES
from inference.phantoms import ct
from inference.phantoms.column import Fracture, Patient, Wanted, make_patient
from inference.phantoms.features import signs_of
from inference.phantoms.fractures import Lesion
from inference.phantoms.volume import Scan

PLAIN: dict[str, Any] = {"signs": frozenset(), "freshness": frozenset(), "impaction": 0.0}


@pytest.fixture(scope="module")
def patient() -> Patient:
    return make_patient(31, "C004", fractured=True, wanted=Wanted(level="L2", grade=1, kind="malignant"))


def changed(patient: Patient, **fields: Any) -> Patient:
    """The patient with a fracture that shows nothing but what is given."""
    fracture = patient.fracture
    assert fracture is not None
    return replace(patient, fractures=(replace(fracture, **{**PLAIN, **fields}),), elsewhere=())


def scanned(patient: Patient, **fields: Any) -> Scan:
    return ct.around(changed(patient, **fields), "A", "L2", shift=0)


@pytest.fixture(scope="module")
def plain(patient: Patient) -> Scan:
    return scanned(patient)


def body_of(patient: Patient, scan: Scan, depth: float = 4.0) -> np.ndarray:
    """Voxels of L2 that lie deeper than that under its surface."""
    from scipy.ndimage import distance_transform_edt

    return np.asarray(distance_transform_edt(scan.bodies == CODES["L2"], sampling=scan.spacing) > depth)


def test_values_are_whole_hounsfield_units(plain: Scan) -> None:
    assert plain.values.dtype == np.float32
    assert np.array_equal(plain.values, np.rint(plain.values))
    assert -1024 <= plain.values.min() < -150
    assert 400 < plain.values.max() <= 3071


def test_osteoporosis_thins_the_marrow(patient: Patient) -> None:
    dense, thin = (ct.around(replace(changed(patient), osteoporosis=share), "A", "L2") for share in (0.1, 0.9))
    inner = body_of(patient, dense)
    # 150 HU from one end of the scale to the other, and what lies near the end-plates.
    assert 100 < dense.values[inner].mean() - thin.values[inner].mean() < 170


def test_truth_is_not_in_the_image_but_through_signs(patient: Patient, plain: Scan) -> None:
    for fields in ({"kind": "osteoporotic"}, {"age": "old"}, {"drawn_kind": "osteoporotic", "drawn_age": "old"}):
        assert np.array_equal(scanned(patient, **fields).values, plain.values)


def test_signs_that_only_mr_shows_are_not_on_ct(patient: Patient, plain: Scan) -> None:
    hidden = frozenset(sign.name for sign in signs_of("kind") if "CT" not in sign.seen)
    assert len(hidden) == 7
    shown = scanned(patient, signs=hidden)
    assert np.array_equal(shown.values, plain.values)
    assert np.array_equal(shown.lesions, plain.lesions)


@pytest.mark.parametrize(
    ("sign", "least"),
    [
        ("convex_posterior_border", 40),
        ("posterior_element", 100),
        ("paraspinal_mass", 100),
        ("complete_replacement", 400),
        ("cortical_destruction", 30),
        ("vacuum_cleft", 20),
        ("retropulsed_fragment", 20),
    ],
)
def test_each_sign_of_ct_changes_the_image(patient: Patient, plain: Scan, sign: str, least: int) -> None:
    shown = scanned(patient, signs=frozenset({sign}))
    assert (np.abs(shown.values - plain.values) > 60).sum() > least


@pytest.mark.parametrize("sign", ["cortical_step", "swelling", "sclerosis", "remodelled"])
def test_each_sign_of_age_changes_the_image(patient: Patient, plain: Scan, sign: str) -> None:
    shown = scanned(patient, freshness=frozenset({sign}))
    assert (np.abs(shown.values - plain.values) > 40).sum() > 20


def test_impaction_is_a_dense_band_under_the_upper_end_plate(patient: Patient, plain: Scan) -> None:
    dense = scanned(patient, impaction=1.0, freshness=frozenset({"impaction"}))
    gain = np.where(body_of(patient, plain, 1.0), dense.values - plain.values, 0)
    rows = np.flatnonzero((plain.bodies == CODES["L2"]).any(axis=(0, 2)))
    per_row = gain.sum(axis=(0, 2))
    top, low = per_row[rows[0] : rows[len(rows) // 2]].sum(), per_row[rows[len(rows) // 2] : rows[-1] + 1].sum()
    assert top > 5 * abs(low)
    # 210 HU of a complete band, less what slices and kernel blur.
    assert 120 < gain.max() < 330


def test_replaced_marrow_is_soft(patient: Patient, plain: Scan) -> None:
    lytic = scanned(patient, signs=frozenset({"complete_replacement"}))
    inner = body_of(patient, plain)
    assert lytic.values[inner].mean() == pytest.approx(46, abs=20)
    assert lytic.lesions[inner].mean() > 0.9
    assert not plain.lesions[body_of(patient, plain, 9.0)].any()


def test_a_lesion_off_the_midline_is_missed_by_the_middle_slice_and_met_by_its_neighbours(patient: Patient) -> None:
    wanted = Wanted(level="L2", kind="malignant", off_midline=True)
    middle, aside = [], []
    for number in range(12):
        one = make_patient(50, f"O{number}", fractured=True, wanted=wanted)
        assert one.fracture is not None
        focus: Lesion = one.fracture.focus
        drawn: Fracture = replace(one.fracture, signs=frozenset({"cortical_destruction"}))
        scan = ct.around(replace(one, fractures=(drawn,)), "A", "L2")
        centre = len(scan.values) // 2
        step = round(10 / scan.spacing[0])
        # Slices run from the left to the right.
        beside = centre - step if focus.side > 0 else centre + step
        tumour = scan.lesions.sum(axis=(1, 2)).astype(float)
        other = ct.around(replace(one, fractures=(replace(drawn, signs=frozenset()),)), "A", "L2").lesions
        tumour -= other.sum(axis=(1, 2))
        middle.append(tumour[centre])
        aside.append(tumour[beside])
    assert np.mean(aside) > 3 * max(1.0, np.mean(middle))


def test_sites_differ(patient: Patient) -> None:
    noise = {}
    for site in ct.SITES:
        scan = ct.around(changed(patient), site, "L2")
        behind = scan.values[:, 10:40, -6:]
        noise[site] = float(np.median(np.abs(np.diff(behind, axis=2))))
    assert noise["D"] > 1.5 * noise["C"]
    assert len({round(value, 2) for value in noise.values()}) == len(ct.SITES)


def test_whole_scans_hold_every_level(patient: Patient) -> None:
    scan = ct.whole(patient, "B", pixel=2.0, apart=3.0)
    assert scan.plane == "axial"
    assert scan.spacing == pytest.approx((3.0, 2.0, 2.0), abs=1e-4)
    assert {CODES[level] for level in patient.levels} <= set(np.unique(scan.levels))
    # The first slice is the lowest.
    assert (scan.levels[:12] == CODES["S1"]).any()
    assert not (scan.levels[:12] == CODES["T8"]).any()


def test_cement_and_screws_are_dense(patient: Patient) -> None:
    wanted = Wanted(implants=1.0)
    found = set()
    for number in range(30):
        one = make_patient(6, f"I{number}", fractured=True, wanted=wanted)
        if not one.implants or one.implants[0].kind in found:
            continue
        kind = one.implants[0].kind
        found.add(kind)
        scan = ct.around(one, "A", one.implants[0].level)
        bare = ct.around(replace(one, implants=()), "A", one.implants[0].level)
        assert (scan.values > 1200).sum() > 20 + (bare.values > 1200).sum()
    assert found == {"cement", "screws"}
