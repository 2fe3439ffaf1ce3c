"""What a network reads of a case, and the way back: nothing lost, nothing moved, the steps in the order declared."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image as Picture
from scipy.ndimage import gaussian_filter

from inference.cohorts.cases import Place
from inference.imaging.images import Image, MissingInput, image_of, read_image
from inference.imaging.pixels import UnreadableInput
from inference.imaging.preparing import Geometry, grey, prepare
from inference.spec import Input, SquareBox, VertebraCrop, Whole
from inference.steps import (
    Clahe,
    CropBorder,
    Equalise,
    Percentile,
    Preprocess,
    Resample,
    ResizePad,
    Standardise,
    Window,
    ZScore,
)
from readerstudy.cases import nifti as site_nifti
from tests.inference.declaring import CT, FILM, spec_of
from tests.inference.image_files import stored_frames, write_nifti
from tests.readerstudy.cases.decoded_here import pictures_of as site_pictures

chance = np.random.default_rng(4)


def film(rows: int, columns: int) -> Image:
    return Image(gaussian_filter(chance.normal(size=(1, rows, columns)), (0, 2, 2)).astype(np.float32))


ROIS = st.sampled_from([Whole(), SquareBox(0.2), SquareBox(), VertebraCrop((40.0, 40.0)), VertebraCrop((30.0, 60.0))])
STEPS = st.lists(
    st.sampled_from([CropBorder(0.1), Resample((0.8, 0.8)), Percentile(), ZScore(), Equalise()]), max_size=3
)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(50, 90),
    st.integers(50, 90),
    st.sampled_from([(1.0, 1.0, 1.0), (5.0, 0.7, 0.7), (3.0, 0.5, 1.0)]),
    ROIS,
    STEPS,
    st.tuples(st.integers(30, 100), st.integers(30, 100)),
    st.tuples(st.floats(0.2, 0.8), st.floats(0.2, 0.8)),
)
def test_a_spot_of_a_slice_lies_where_the_geometry_says(
    rows: int,
    columns: int,
    spacing: tuple[float, float, float],
    roi: Whole,
    steps: list[Preprocess],
    size: tuple[int, int],
    middle: tuple[float, float],
) -> None:
    row, column = round(rows * middle[0]), round(columns * middle[1])
    grid = np.mgrid[:rows, :columns]
    values = np.zeros((3, rows, columns), np.float32)
    values[1] = 100 * np.exp(-((grid[0] - row) ** 2 + (grid[1] - column) ** 2) / 18)
    spec = spec_of(*steps, ResizePad(size), inputs=(CT,), roi=roi)
    prepared = prepare(spec, {"CT": Image(values, spacing)}, Place(1, row, column, 20, 24))
    plane, geometry = prepared.inputs["CT"][0], prepared.geometry
    assert plane.shape == size
    there = geometry.points_onto(np.array([[row, column]]))
    assert geometry.points_back(there) == pytest.approx(np.array([[row, column]]), abs=1e-6)
    # A spot at the border is cut in two, and its half has another middle.
    assume(((geometry.low + 6 < (row, column)) & (geometry.high - 6 > (row, column))).all())
    weights = np.clip(plane - plane.min() - 0.6 * np.ptp(plane), 0, None)
    at = [(weights * axis).sum() / weights.sum() for axis in np.mgrid[: size[0], : size[1]]]
    assert at == pytest.approx(there[0], abs=0.6)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.integers(20, 34)] * 3),
    st.sampled_from([(1.0, 1.0, 1.0), (2.5, 0.8, 0.8), (0.7, 0.7, 3.0)]),
    st.sampled_from([Whole(), VertebraCrop((24.0, 24.0, 24.0)), SquareBox(0.3)]),
    st.sampled_from([(32, 40, 40), (40, 40, 40), (24, 48, 48)]),
    st.booleans(),
)
def test_a_mask_of_a_volume_comes_back(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    roi: Whole,
    size: tuple[int, int, int],
    finer: bool,
) -> None:
    middle = [count // 2 for count in shape]
    reach = [min(7.0 / one, count / 3) for one, count in zip(spacing, shape, strict=True)]
    away = [(axis - at) / far for axis, at, far in zip(np.indices(shape), middle, reach, strict=True)]
    mask = (sum(one**2 for one in away) <= 1).astype(np.uint8)
    place = Place(*map(float, middle), 15 / spacing[1], 15 / spacing[2])
    steps = (Resample((0.75, 0.75, 0.75)),) if finer else ()
    geometry = prepare(
        spec_of(*steps, ResizePad(size), inputs=(CT,), roi=roi), {"CT": Image(mask.astype(np.float32), spacing)}, place
    ).geometry
    on = geometry.onto(mask)
    assert on.shape == size
    assert set(np.unique(on)) <= {0, 1}
    fine = max(geometry.step) <= 1
    for back, least in (
        (geometry.labels_back(on) == 1, 0.9 if fine else 0.5),
        (geometry.back(on.astype(np.float32)) >= 0.5, 0.85 if fine else 0.5),
    ):
        assert back.shape == shape
        assert 2 * (back & (mask == 1)).sum() / (back.sum() + mask.sum()) >= least


@pytest.mark.parametrize("shape", [(1, 40, 30), (5, 40, 30)])
def test_where_nothing_changes_it_is_the_image_itself(shape: tuple[int, int, int]) -> None:
    volume = chance.normal(size=shape).astype(np.float32)
    flat = prepare(spec_of(ResizePad((40, 30)), inputs=(CT,)), {"CT": Image(volume)}, Place(shape[0] // 2, 3, 3))
    assert np.array_equal(flat.inputs["CT"][0], volume[shape[0] // 2])
    labels = chance.integers(0, 28, shape).astype(np.uint8)
    assert np.array_equal(flat.geometry.onto(labels), labels[shape[0] // 2])
    assert np.array_equal(flat.geometry.back(volume[0]), volume[0])
    deep = prepare(spec_of(ResizePad(shape), inputs=(CT,)), {"CT": Image(volume)}, None)
    assert np.array_equal(deep.inputs["CT"][0], volume)
    assert np.array_equal(deep.geometry.onto(labels), labels)
    assert np.array_equal(deep.geometry.back(volume), volume)


def test_a_coarse_heat_map_covers_its_region_and_nothing_else() -> None:
    image = film(100, 60)
    geometry = prepare(
        spec_of(ResizePad((64, 64)), roi=SquareBox()), {"lateral": image}, Place(0, 50, 30, 20, 20)
    ).geometry
    heat = np.zeros((4, 4), np.float32)
    heat[0, 3] = 1
    laid = geometry.back(heat)
    assert laid.shape == (100, 60)
    outside = np.ones((100, 60), bool)
    outside[41:61, 21:41] = False
    assert not laid[outside].any()
    # A quarter of 20 rows and columns a value: the last of the first row of values lies over rows 41–45, columns 36–40.
    assert laid[43, 38] == laid.max() == 1
    assert laid[41:44, 38:41].min() == 1
    assert laid[51, 29] == 0


def test_levels_keep_their_codes() -> None:
    labels = np.zeros((1, 90, 50), np.uint8)
    for number, code in enumerate((19, 28, 20, 21)):
        labels[0, 10 + 15 * number : 20 + 15 * number, 10:40] = code
    geometry = prepare(spec_of(ResizePad((64, 32))), {"lateral": film(90, 50)}, None).geometry
    on = geometry.onto(labels)
    assert set(np.unique(on)) == {0, 19, 28, 20, 21}
    back = geometry.labels_back(on)
    assert set(np.unique(back)) == {0, 19, 28, 20, 21}
    assert (back == labels[0]).mean() > 0.95
    with pytest.raises(UnreadableInput, match=r"shape \(64, 32\) are wanted, not \(64, 30\)"):
        geometry.labels_back(on[:, 2:])
    with pytest.raises(UnreadableInput, match=r"has the shape \(1, 90, 49\), its image \(1, 90, 50\)"):
        geometry.onto(labels[:, :, 1:])


def test_steps_are_done_in_the_order_in_which_they_stand() -> None:
    image = film(80, 80)
    image.values[0, :8] = 500
    cut_first = prepare(spec_of(CropBorder(0.1), Percentile(0, 100), ResizePad((64, 64))), {"lateral": image}, None)
    cut_last = prepare(spec_of(Percentile(0, 100), CropBorder(0.1), ResizePad((64, 64))), {"lateral": image}, None)
    assert cut_first.inputs["lateral"].max() == 1
    assert cut_last.inputs["lateral"].max() < 0.1
    assert np.array_equal(cut_first.geometry.origin, cut_last.geometry.origin)
    assert np.array_equal(cut_first.geometry.origin, [8, 8])


def test_grey_steps_do_what_their_declarations_say() -> None:
    values = np.array([[[-500.0, -150.0, 275.0, 700.0, 3000.0]]], np.float32)
    assert grey(Window(-150, 700), values).ravel().tolist() == [0, 0, 0.5, 1, 1]
    assert grey(Standardise(100, 50), values).ravel().tolist() == [-12, -5, 3.5, 12, 58]
    noise = chance.normal(40, 9, (2, 50, 50)).astype(np.float32)
    low, high = np.percentile(noise, (5, 90))
    assert grey(Percentile(5, 90), noise) == pytest.approx(np.clip((noise - low) / (high - low), 0, 1), abs=1e-5)
    scored = grey(ZScore(), noise)
    assert (float(scored.mean()), float(scored.std())) == (pytest.approx(0, abs=1e-5), pytest.approx(1, abs=1e-5))


@pytest.mark.parametrize("step", [Percentile(), ZScore(), Equalise(), Clahe()])
def test_no_step_changes_the_image_it_is_given(step: Preprocess) -> None:
    image = film(40, 40)
    before = image.values.copy()
    prepare(spec_of(step, ResizePad((40, 40))), {"lateral": image}, None)
    assert np.array_equal(image.values, before)
    with pytest.raises(UnreadableInput, match="one grey value only"):
        prepare(spec_of(step, ResizePad((40, 40))), {"lateral": Image(np.ones((1, 9, 9), np.float32))}, None)


def test_proportions_are_those_of_the_patient() -> None:
    oblong = Image(film(100, 100).values, (1.0, 1.0, 0.5))
    geometry = prepare(spec_of(ResizePad((50, 50)), inputs=(CT,)), {"CT": oblong}, None).geometry
    assert geometry.step == pytest.approx([2, 4])
    assert geometry.low == pytest.approx([-0.5, -0.5])
    assert geometry.points_onto(np.array([[49.5, 49.5]])) == pytest.approx(np.array([[24.5, 24.5]]), abs=0.5)


def test_a_volume_of_thick_slices_fills_a_declared_crop() -> None:
    thick = Image(chance.normal(size=(12, 60, 60)).astype(np.float32), (5.0, 1.0, 1.0))
    spec = spec_of(ResizePad((20, 20, 20)), inputs=(CT,), roi=VertebraCrop((40.0, 40.0, 40.0)))
    geometry = prepare(spec, {"CT": thick}, Place(6, 30, 30)).geometry
    assert geometry.step == pytest.approx([0.4, 2, 2])
    coarse = replace(spec, roi=Whole(), preprocess=(Resample((5.0, 3.0, 3.0)), ResizePad((12, 20, 20))))
    assert prepare(coarse, {"CT": thick}, None).geometry.step == pytest.approx([1, 3, 3])


def test_beyond_the_volume_it_is_as_dark_as_the_darkest() -> None:
    volume = Image(chance.uniform(0, 500, (20, 40, 40)).astype(np.float32))
    spec = spec_of(Window(-150, 700), ResizePad((24, 24, 24)), inputs=(CT,), roi=VertebraCrop((24.0, 24.0, 24.0)))
    prepared = prepare(spec, {"CT": volume}, Place(2, 20, 38))
    crop, geometry = prepared.inputs["CT"][0], prepared.geometry
    before = int(np.ceil(-geometry.origin[0]))
    assert before == pytest.approx(10, abs=1)
    assert (crop[:before] == crop.min()).all()
    assert (crop[:, :, 14:] == crop.min()).all()
    inside = crop[before:, :, :13]
    first = np.round(geometry.origin).astype(int)
    cut = volume.values[: 24 - before, first[1] : first[1] + 24, first[2] : first[2] + 13]
    assert inside == pytest.approx((cut + 150) / 850, abs=1e-5)
    assert not geometry.onto(np.ones((20, 40, 40), np.uint8))[:before].any()


def test_neighbouring_slices_are_channels_and_share_their_stretch() -> None:
    volume = np.stack([np.full((30, 30), 10.0 * number, np.float32) for number in range(9)])
    volume[:, 0, 0] = 0
    spec = spec_of(Percentile(0, 100), ResizePad((30, 30)), inputs=(replace(CT, slices=(-1, 0, 1), apart=6.0),))
    stack = prepare(spec, {"CT": Image(volume, (3.0, 1.0, 1.0))}, Place(4, 5, 5))
    assert stack.inputs["CT"][:, 9, 9] == pytest.approx([20 / 60, 40 / 60, 1])
    assert stack.geometry.slice == 4


def test_two_sequences_are_cut_at_one_place_in_the_patient() -> None:
    inputs = (Input("MR", "T1W"), Input("MR", "T2W"))
    fine, coarse = np.diag([3.0, 0.5, 0.5, 1]), np.diag([3.0, 1.0, 1.0, 1])
    coarse[:3, 3] = (-6, 4, 2)
    grid = np.indices((8, 80, 80))
    first = np.exp(-((grid[1] - 40) ** 2 + (grid[2] - 30) ** 2) / 50) * (grid[0] == 3)
    other = np.exp(-((grid[1] - 16) ** 2 + (grid[2] - 13) ** 2) / 12.5) * (grid[0] == 5)
    images = {
        "T1W": Image(first.astype(np.float32), (3.0, 0.5, 0.5), fine),
        "T2W": Image(other.astype(np.float32), (3.0, 1.0, 1.0), coarse),
    }
    prepared = prepare(spec_of(ResizePad((40, 40)), inputs=inputs, roi=SquareBox()), images, Place(3, 40, 30, 20, 20))
    middles = [np.unravel_index(plane[0].argmax(), (40, 40)) for plane in prepared.inputs.values()]
    assert np.array(middles[0]) == pytest.approx(np.array(middles[1]), abs=3)
    assert prepared.inputs["T2W"].max() > 0.9
    with pytest.raises(MissingInput, match="lacks T2W; the model reads T1W, T2W"):
        prepare(spec_of(ResizePad((40, 40)), inputs=inputs), {"T1W": images["T1W"]}, None)


def test_training_and_serving_read_the_same_bytes(tmp_path: Path) -> None:
    spec = spec_of(CropBorder(0.03), Percentile(), Clahe(), ZScore(), ResizePad((96, 64)))
    pixels = (gaussian_filter(chance.normal(size=(300, 200)), 3) * 60000 + 30000).clip(0, 65535).astype(np.uint16)
    Picture.fromarray(pixels).save(tmp_path / "film.png")
    served = image_of(stored_frames(site_pictures(tmp_path / "film.png"), tmp_path))
    trained = read_image(tmp_path / "film.png")
    first, second = (prepare(spec, {"": image}, None).inputs[FILM.name] for image in (served, trained))
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("roi", [SquareBox(0.1), VertebraCrop((17.0, 23.0))])
def test_two_sequences_are_served_as_they_were_trained(tmp_path: Path, roi: SquareBox | VertebraCrop) -> None:
    # Sagittal slices lying at an angle, the second sequence on a grid of its own.
    inputs = tuple(Input("MR", name, slices=(-1, 0, 1), apart=4.0) for name in ("T1W", "T2W"))
    tilt = np.array([[0.98, -0.17, 0.1], [0.17, 0.98, 0], [-0.1, 0.02, 0.99]])
    turn, _ = np.linalg.qr(tilt)
    trained, served = {}, {}
    for name, size, count in (("T1W", 0.9, 50), ("T2W", 0.7, 64)):
        affine = np.eye(4)
        affine[:3, :3] = turn * [4.0, size, size]
        affine[:3, 3] = turn @ [-20.0, -size * count / 2 + 1, -size * count / 2]
        values = (gaussian_filter(chance.normal(size=(11, count, count)), (0, 2, 2)) * 2000).astype(np.int16)
        path = write_nifti(tmp_path / f"{name}.nii.gz", values, affine, (0.37, -3.1))
        trained[name] = read_image(path)
        (tmp_path / name).mkdir()
        served[name] = image_of(stored_frames(site_nifti.read(path).pictures, tmp_path / name))
    spec = spec_of(Percentile(), ZScore(), ResizePad((40, 40)), inputs=inputs, roi=roi)
    place = Place(5, 24, 26, 12, 14)
    first, second = (prepare(spec, images, place) for images in (trained, served))
    for name in ("T1W", "T2W"):
        assert first.inputs[name].tobytes() == second.inputs[name].tobytes()
    assert np.array_equal(first.geometry.origin, second.geometry.origin)


def test_a_region_without_a_pixel_is_refused() -> None:
    # A tenth of the box is image, and a fifth of it is cut away as its border.
    spec = spec_of(CropBorder(0.2), ZScore(), ResizePad((20, 20)), roi=VertebraCrop((40.0, 40.0)))
    with pytest.raises(UnreadableInput, match="holds no pixel"):
        prepare(spec, {"": film(60, 60)}, Place(0, -16, 30))


def test_a_map_of_other_dimensions_is_refused() -> None:
    geometry: Geometry = prepare(spec_of(ResizePad((20, 20))), {"": film(20, 20)}, None).geometry
    with pytest.raises(UnreadableInput, match="map with 2 dimensions is wanted"):
        geometry.back(np.zeros((3, 4, 4)))
