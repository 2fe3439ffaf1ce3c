"""Radiographs, CT and MR of the specification folder: sizes, volumes and densities that others measured."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_erosion

from inference.cohorts.cases import Place, assert_no_leak, read_cohort
from inference.cohorts.levels import CODES
from inference.cohorts.samples import load_samples
from inference.imaging.images import Image, image_of, pixel_digest, read_image
from inference.imaging.preparing import prepare
from inference.spec import Input, SquareBox, VertebraCrop
from inference.steps import CropBorder, Percentile, Resample, ResizePad, Window, ZScore
from readerstudy.cases import nifti as site_nifti
from tests.inference.declaring import CT, spec_of
from tests.inference.image_files import stored_frames
from tests.shared_data import shared

TRUNK = "data/totalsegmentator_example_ct"
CROPS = "data/tptbox_samples/TPTBox/tests"
NECK = "data/sct_testing_cervical_mri"
LUMBAR = "data/spider_lumbar_mri"
CHEST = "data/nih_cxr_810_five_readers"


def test_every_volume_lies_as_the_site_imports_it(tmp_path: Path) -> None:
    volumes = [path for name in (TRUNK, CROPS, NECK) for path in sorted(shared(name).rglob("*.nii.gz"))]
    assert len(volumes) == 16
    for path in volumes[::2]:
        image, pictures = read_image(path), list(site_nifti.read(path).pictures)
        served = image_of(stored_frames(pictures, tmp_path))
        assert pixel_digest(image) == pixel_digest(served), path.name
        assert image.spacing == served.spacing
        assert image.affine == pytest.approx(served.affine, abs=1e-6)


@pytest.fixture(scope="module")
def trunk() -> tuple[Image, Image]:
    folder = shared(TRUNK)
    return read_image(folder / "example_ct.nii.gz"), read_image(folder / "totalseg_vertebrae.nii.gz")


def test_volumes_and_densities_of_bodies_are_those_of_the_report(trunk: tuple[Image, Image]) -> None:
    """``spine_report.json``: millilitres to its two decimals; its HU lie between those with and without the cortex."""
    ct, _ = trunk
    bodies = read_image(shared(TRUNK) / "totalseg_vertebrae_pp_refined.nii.gz")
    report = json.loads((shared(TRUNK) / "spine_report.json").read_text())["results"]
    assert ct.spacing == bodies.spacing == (3, 3, 3)
    for level in ("L1", "L2", "L3", "L4", "L5"):
        inside = bodies.values == CODES[level]
        assert inside.sum() * np.prod(bodies.spacing) / 1000 == pytest.approx(
            report[f"vertebrae_{level}_volume_ml"], abs=0.006
        )
        spongy = ct.values[binary_erosion(inside)].mean()
        assert spongy < report[f"vertebrae_{level}_intensity"] < ct.values[inside].mean(), level


def test_the_head_is_above_and_the_back_behind(trunk: tuple[Image, Image]) -> None:
    _, masks = trunk
    middles = {code: np.argwhere(masks.values == code).mean(axis=0) for code in range(26, 34)}
    # From the sacrum up: axial slices run towards the head.
    assert all(middles[code][0] < middles[code + 1][0] for code in range(26, 33))
    assert masks.affine is not None
    assert masks.affine[2, 0] > 0
    neck = read_image(shared(NECK) / "t2_seg-manual_labeled.nii.gz")
    heights = [np.argwhere(neck.values == level).mean(axis=0)[0] for level in np.unique(neck.values)[1:]]
    assert len(heights) > 3
    assert heights == sorted(heights, reverse=True)


@pytest.mark.parametrize("spacing", [None, (1.5, 1.5, 1.5)])
def test_a_vertebra_is_cut_out_and_laid_back(
    trunk: tuple[Image, Image], spacing: tuple[float, float, float] | None
) -> None:
    ct, masks = trunk
    labels = masks.values.astype(np.uint8)
    middle = np.argwhere(labels == 31).mean(axis=0)
    place = Place(*(float(at) for at in middle))
    steps = (Resample(spacing),) if spacing else ()
    spec = spec_of(
        Window(-150, 700), *steps, ResizePad((48, 48, 48)), inputs=(CT,), roi=VertebraCrop((96.0, 96.0, 96.0))
    )
    prepared = prepare(spec, {"CT": ct}, place)
    crop, geometry = prepared.inputs["CT"][0], prepared.geometry
    on = geometry.onto(labels)
    assert crop[on == 31].mean() == pytest.approx(
        (ct.values[labels == 31].clip(-150, 700).mean() + 150) / 850, abs=0.05
    )
    assert np.argwhere(on == 31).mean(axis=0) == pytest.approx([23.5] * 3, abs=1)
    back = geometry.back((on == 31).astype(np.float32)) >= 0.5
    assert 2 * (back & (labels == 31)).sum() / (back.sum() + (labels == 31).sum()) >= 0.95
    assert {31, 30, 32} <= set(np.unique(on))


def test_crops_of_two_scanners_turn_the_same_way() -> None:
    for kind, code in (("ct", 22), ("mri", 6)):
        folder = shared(f"{CROPS}/sample_{kind}")
        image = read_image(next(path for path in folder.iterdir() if "seg" not in path.name))
        whole, parts = (read_image(next(folder.glob(f"*seg-{name}*"))).values for name in ("vert", "subreg"))
        assert image.spacing == (1.5, 1.5, 1.5)
        assert image.shape == whole.shape == parts.shape
        # Of the same vertebra: spinous process (42) behind the body (49, 50) in every picture.
        body = np.argwhere((whole == code) & ((parts == 49) | (parts == 50))).mean(axis=0)
        spinous = np.argwhere((whole == code) & (parts == 42)).mean(axis=0)
        assert spinous[1] > body[1] + 10, kind
        if kind == "ct":
            assert image.values[whole == code].mean() > image.values[whole == 0].mean() + 100


def test_lumbar_slices_are_as_large_as_their_table_says() -> None:
    folder = shared(LUMBAR)
    rows = list(csv.DictReader((folder / "images.csv").open()))
    assert len(rows) == 210
    for row in rows[::10]:
        assert read_image(folder / row["file"]).shape == (1, int(row["height"]), int(row["width"]))
    for path in sorted((folder / "t2space_mask").iterdir())[::10]:
        mask = read_image(path)
        assert set(np.unique(mask.values)) <= {0, 1, 2, 3}
        assert mask.shape == read_image(folder / "t2space_img" / path.name).shape


def test_a_disc_is_cut_out_of_its_slice() -> None:
    folder = shared(LUMBAR)
    name = "spider_005_s057.png"
    image, mask = read_image(folder / "t2space_img" / name), read_image(folder / "t2space_mask" / name).values
    rows, columns = np.nonzero(mask[0] == 3)
    place = Place(0, float(rows.mean()), float(columns.mean()), float(np.ptp(rows) + 1), float(np.ptp(columns) + 1))
    spec = spec_of(Percentile(), ZScore(), ResizePad((64, 64)), inputs=(Input("MR", "T2W"),), roi=SquareBox())
    prepared = prepare(spec, {"": image}, place)
    on = prepared.geometry.onto(mask)
    # The canal is bright on T2 and runs through the box from edge to edge.
    assert prepared.inputs["T2W"][0][on == 3].mean() > prepared.inputs["T2W"][0].mean() + 0.5
    assert (on == 3).any(axis=1).mean() > 0.9


def test_chest_films_are_a_cohort_without_a_leak(tmp_path: Path) -> None:
    films = sorted((shared(CHEST) / "img256").iterdir())
    assert len(films) == 810
    table = ["case,patient,role,file,truth"]
    for number, path in enumerate(films[:120]):
        patient = path.name.split("_")[0]
        role = "develop" if int(patient) % 3 else "control"
        table.append(f"{path.stem},{patient},{role},{path},{number % 2}")
    (tmp_path / "manifest.csv").write_text("\n".join(table))
    cases = read_cohort(tmp_path / "manifest.csv")
    spec = spec_of(CropBorder(0.03), Percentile(), ZScore(), ResizePad((128, 128)))
    samples = load_samples(spec, cases)
    films_of = samples.inputs["lateral"]
    assert films_of.shape == (120, 1, 128, 128)
    assert films_of.mean((1, 2, 3)) == pytest.approx(torch.zeros(120), abs=0.02)
    assert len(set(samples.digests)) == 120
    develop = [index for index, case in enumerate(cases) if case.role == "develop"]
    control = [index for index, case in enumerate(cases) if case.role == "control"]
    assert_no_leak({"develop": samples.subset(develop), "control": samples.subset(control)})


def test_codes_are_those_of_the_published_numbering() -> None:
    # Sekuboyina et al. 2021: 1–7 cervical, 8–19 thoracic, 20–25 lumbar, 26 sacrum, 28 an additional T13.
    codes = {name: CODES[name] for name in ("C1", "C7", "T1", "T12", "L1", "L6", "S1", "T13")}
    assert list(codes.values()) == [1, 7, 8, 19, 20, 25, 26, 28]
    assert len(CODES) == 27
