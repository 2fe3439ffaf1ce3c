"""The synthetic column: one patient from one name, true heights and corners, variants, nothing that was not asked."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from inference.cohorts.levels import CODES
from inference.phantoms.column import (
    VARIANTS,
    Patient,
    Vertebra,
    Wanted,
    corners_of,
    heights_of,
    make_patient,
)
from inference.phantoms.fractures import LEVEL_SHARES

EVERYTHING = Wanted(kind=None, several=0.5, variants=0.3, implants=0.4, ambiguity_of_age=0.08, ambiguity_of_kind=0.06)


@pytest.fixture(scope="module")
def patients() -> list[Patient]:
    return [make_patient(3, f"P{number}", fractured=number % 3 > 0, wanted=EVERYTHING) for number in range(300)]


def test_a_patient_hangs_on_seed_and_name_alone() -> None:
    first = make_patient(5, "P001", fractured=True, wanted=EVERYTHING)
    assert first == make_patient(5, "P001", fractured=True, wanted=EVERYTHING)
    assert first != make_patient(6, "P001", fractured=True, wanted=EVERYTHING)
    assert first != make_patient(5, "P002", fractured=True, wanted=EVERYTHING)


def test_asking_for_one_thing_changes_nothing_else() -> None:
    for number in range(20):
        plain = make_patient(5, f"P{number}", fractured=True)
        malignant = make_patient(5, f"P{number}", fractured=True, wanted=Wanted(kind="malignant", off_midline=True))
        assert plain.fracture is not None
        assert malignant.fracture is not None
        assert (plain.fracture.level, plain.fracture.loss) == (malignant.fracture.level, malignant.fracture.loss)
        assert plain.vertebrae == malignant.vertebrae
        assert (plain.age, plain.osteoporosis, plain.chance) == (
            malignant.age,
            malignant.osteoporosis,
            malignant.chance,
        )


def test_the_end_plates_meet_the_three_heights(patients: list[Patient]) -> None:
    for patient in patients[:60]:
        for one in patient.vertebrae:
            for u, height in zip((1.0, 0.0, -1.0), heights_of(one), strict=True):
                top, bottom = one.endplates(u)
                assert float(top - bottom) == pytest.approx(height, abs=1e-9)
                assert float(top) <= one.full / 2 + 1e-9


def test_distances_of_the_corners_are_the_heights(patients: list[Patient]) -> None:
    for patient in patients[:60]:
        for one in patient.vertebrae:
            corners = np.array(corners_of(one))
            assert np.linalg.norm(corners[0] - corners[3]) == pytest.approx(one.anterior, abs=1e-9)
            assert np.linalg.norm(corners[1] - corners[2]) == pytest.approx(one.posterior, abs=1e-9)
            assert corners[0][0] > corners[1][0]
            assert corners[0][2] > corners[3][2]


def test_local_and_place_undo_each_other(patients: list[Patient]) -> None:
    one = patients[1].vertebrae[3]
    x, y, z = one.place(11.0, -7.5)
    forward, up = one.local(np.array([x]), np.array([z]))
    assert (float(forward[0]), float(up[0])) == pytest.approx((11.0, -7.5), abs=1e-4)
    assert y == one.y


def middle_of(one: Vertebra, upper: bool) -> np.ndarray:
    corners = np.array(corners_of(one))
    return np.asarray((corners[0] + corners[1]) / 2 if upper else (corners[2] + corners[3]) / 2)


def test_a_disc_lies_between_the_end_plates_of_neighbours(patients: list[Patient]) -> None:
    for patient in patients:
        for lower, upper in pairwise(patient.vertebrae):
            apart = middle_of(upper, False) - middle_of(lower, True)
            assert np.hypot(apart[0], apart[2]) == pytest.approx(upper.disc.height, abs=1e-6)
            # Bodies keep clear of each other in front and behind, too.
            for u in (-0.9, 0.9):
                top = lower.place(u * lower.depth / 2, float(lower.endplates(u)[0]))
                bottom = upper.place(u * upper.depth / 2, float(upper.endplates(u)[1]))
                assert bottom[2] > top[2]


def test_a_wedge_tips_what_is_above_it_and_nothing_below() -> None:
    tipped = []
    for number in range(40):
        straight = make_patient(8, f"K{number}", fractured=False)
        bent = make_patient(8, f"K{number}", fractured=True, wanted=Wanted(grade=3))
        assert bent.fracture is not None
        if bent.fracture.shape != "wedge" or straight.mimic != bent.mimic:
            continue
        step = bent.vertebra(bent.fracture.level).step
        changes = [after.tilt - before.tilt for before, after in zip(straight.vertebrae, bent.vertebrae, strict=True)]
        assert changes[: step + 1] == pytest.approx([0.0] * (step + 1), abs=1e-9)
        tipped.extend(changes[step + 1 :])
    assert len(tipped) > 30
    assert min(tipped) > 2.0


def test_variants_have_the_levels_of_their_names() -> None:
    found = {}
    for number in range(60):
        patient = make_patient(4, f"V{number}", fractured=False, wanted=Wanted(variants=1.0))
        found[patient.variant] = patient
    assert set(found) == set(VARIANTS) - {"usual"}
    assert found["T13"].levels[4:7] == ("T12", "T13", "L1")
    assert found["L6"].levels[-2:] == ("L5", "L6")
    assert found["four lumbar"].levels[-1] == "L4"
    for patient in found.values():
        assert tuple(one.level for one in reversed(patient.vertebrae)) == patient.levels
        assert [one.step for one in patient.vertebrae] == list(range(len(patient.levels)))
        assert all(one.ribs == one.level.startswith("T") for one in patient.vertebrae)
        assert all(level in CODES for level in patient.levels)
    assert {make_patient(4, f"V{number}", fractured=False).variant for number in range(60)} == {"usual"}


def test_several_fractures_break_several_levels(patients: list[Patient]) -> None:
    counts = [len(patient.fractures) for patient in patients if patient.fracture]
    assert {1, 2, 3} == set(counts)
    for patient in patients:
        levels = [fracture.level for fracture in patient.fractures]
        assert len(levels) == len(set(levels))
        assert all(fracture.age == "old" for fracture in patient.fractures[1:])
        assert patient.mimic is None or patient.mimic.level not in levels
        for fracture in patient.fractures:
            assert fracture is patient.fracture_at(fracture.level)


def test_the_appearance_is_from_the_other_class_as_often_as_asked() -> None:
    wanted = Wanted(kind="malignant", age="acute", ambiguity_of_age=0.08, ambiguity_of_kind=0.06)
    fractures = [make_patient(9, f"A{number}", fractured=True, wanted=wanted).fracture for number in range(1000)]
    swapped_age = np.mean([fracture is not None and fracture.drawn_age == "old" for fracture in fractures])
    swapped_kind = np.mean([fracture is not None and fracture.drawn_kind == "osteoporotic" for fracture in fractures])
    assert swapped_age == pytest.approx(0.08, abs=4 * np.sqrt(0.08 * 0.92 / 1000))
    assert swapped_kind == pytest.approx(0.06, abs=4 * np.sqrt(0.06 * 0.94 / 1000))
    assert all(fracture is not None and fracture.kind == "malignant" for fracture in fractures)


@pytest.mark.parametrize(("off_midline", "low", "high"), [(True, 0.5, 0.85), (False, 0.0, 0.45)])
def test_lesions_lie_where_the_preset_wants_them(off_midline: bool, low: float, high: float) -> None:
    wanted = Wanted(kind="malignant", off_midline=off_midline)
    places = []
    for number in range(100):
        fracture = make_patient(2, f"F{number}", fractured=True, wanted=wanted).fracture
        assert fracture is not None
        places.append(fracture.focus.across)
    assert low <= np.abs(places).min() <= np.abs(places).max() <= high
    assert 0.3 < np.mean(np.sign(places) > 0) < 0.7


def test_implants_stand_away_from_what_is_broken(patients: list[Patient]) -> None:
    kinds = set()
    for patient in patients:
        broken = {fracture.level for fracture in patient.fractures}
        for implant in patient.implants:
            kinds.add(implant.kind)
            assert implant.level in LEVEL_SHARES
            assert implant.level not in broken
            assert implant in patient.implants_at(implant.level)
    assert kinds == {"cement", "screws"}


def test_other_lesions_come_with_their_sign(patients: list[Patient]) -> None:
    for patient in patients:
        shown = patient.fracture is not None and patient.fracture.shows("other_lesions")
        assert len(patient.elsewhere) == (2 if shown else 0)
        assert patient.fracture is None or patient.fracture.level not in {level for level, _ in patient.elsewhere}


def test_osteophytes_of_a_broken_level_are_a_sign_and_nothing_else(patients: list[Patient]) -> None:
    for patient in patients:
        for fracture in patient.fractures:
            assert (sum(patient.vertebra(fracture.level).spurs) > 0) == fracture.shows("spurs")


def test_a_fracture_without_signs_of_a_lesion_has_none() -> None:
    fracture = make_patient(1, "P", fractured=True, wanted=Wanted(kind="malignant")).fracture
    assert fracture is not None
    assert replace(fracture, signs=frozenset()).lesion is None
    assert replace(fracture, signs=frozenset({"posterior_element"})).lesion == fracture.focus
