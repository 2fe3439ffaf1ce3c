import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.cases.geometry import (
    Geometry,
    depth,
    image_point,
    is_orientation,
    patient_millimetres,
    plane_of,
    same_orientation,
    spacing_between,
)

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


@pytest.mark.parametrize(
    ("orientation", "plane"), [(AXIAL, "axial"), (SAGITTAL, "sagittal"), (CORONAL, "coronal"), (None, "")]
)
def test_the_plane_is_the_anatomical_one_across_the_normal(orientation: tuple[float, ...] | None, plane: str) -> None:
    assert plane_of(orientation) == plane  # type: ignore[arg-type]


def test_an_oblique_picture_takes_the_nearest_plane() -> None:
    tilted = (1.0, 0.0, 0.0, 0.0, 0.9063, 0.4226)  # 25° about the left-right axis: a tilted gantry

    assert plane_of(tilted) == "axial"


def test_the_centre_of_the_first_pixel_is_the_stored_position() -> None:
    geometry = Geometry((-100.0, -120.0, 35.5), AXIAL, (0.5, 0.7), True)

    assert patient_millimetres(geometry, 0.5, 0.5) == (-100.0, -120.0, 35.5)


def test_rows_and_columns_are_not_mixed_up_where_the_spacing_differs() -> None:
    # DICOM PS3.3 C.7.6.2.1.1: spacing is (between rows, between columns); x runs along a row and uses the second.
    geometry = Geometry((0.0, 0.0, 0.0), AXIAL, (2.0, 0.5), True)

    assert patient_millimetres(geometry, 10.5, 0.5) == (5.0, 0.0, 0.0)
    assert patient_millimetres(geometry, 0.5, 10.5) == (0.0, 20.0, 0.0)


@given(x=st.floats(0, 4000), y=st.floats(0, 4000), rows=st.floats(0.05, 5), columns=st.floats(0.05, 5))
def test_a_point_comes_back_from_the_patient(x: float, y: float, rows: float, columns: float) -> None:
    geometry = Geometry((12.0, -40.0, 900.0), SAGITTAL, (rows, columns), True)

    point = patient_millimetres(geometry, x, y)

    assert point is not None
    assert image_point(geometry, point) == pytest.approx((x, y), abs=1e-6)


def test_without_spacing_there_are_no_millimetres() -> None:
    assert patient_millimetres(Geometry((0.0, 0.0, 0.0), AXIAL, None, False), 1, 1) is None
    assert image_point(Geometry(), (0.0, 0.0, 0.0)) is None


def test_the_distance_between_slices_is_measured_along_the_normal() -> None:
    stack = [Geometry((0.0, 0.0, z), AXIAL, (1.0, 1.0), True) for z in (0.0, 3.0, 6.0, 12.0)]

    assert spacing_between(stack) == 3.0
    assert depth(stack[3], AXIAL) == 12.0
    assert spacing_between(stack[:1]) is None


@pytest.mark.parametrize(
    ("values", "good"),
    [
        (AXIAL, True),
        ((1, 0, 0, 1, 0, 0), False),
        ((2, 0, 0, 0, 1, 0), False),
        ((0, 0, 0, 0, 0, 0), False),
        ((1, 0, 0), False),
        ((float("nan"), 0, 0, 0, 1, 0), False),
    ],
)
def test_only_two_unit_vectors_at_right_angles_are_an_orientation(values: tuple[float, ...], good: bool) -> None:
    assert is_orientation(values) is good


def test_orientations_may_differ_by_rounding_only() -> None:
    assert same_orientation(AXIAL, (0.99999, 0.0, 0.0, 0.0, 1.00001, 0.0))
    assert not same_orientation(AXIAL, SAGITTAL)
