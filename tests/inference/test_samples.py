"""Cohorts in memory: what the losses need is there or is asked for by the name of the case."""

import csv
import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from PIL import Image as Picture

from inference.cohorts.cases import BadCohort, CohortCase, Place, assert_no_leak, read_cohort
from inference.cohorts.samples import load_samples, true_mask
from inference.imaging.images import MissingInput, pixel_digest, read_image
from inference.imaging.pixels import UnreadableInput
from inference.spec import Input, SquareBox, VertebraCrop
from inference.steps import Percentile, ResizePad, Window, ZScore
from tests.inference.declaring import CT, spec_of

LEVELS = ("T12", "T13", "L1", "L2")
SPEC = spec_of(Percentile(), ZScore(), ResizePad((64, 32)), levels=LEVELS)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films 128 × 64 with four bodies; the second is the target of the odd ones."""
    folder = tmp_path_factory.mktemp("films")
    chance = np.random.default_rng(1)
    with (folder / "manifest.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["case", "patient", "role", "file", "truth", "mask", "levels"])
        for number in range(6):
            codes = np.zeros((128, 64), np.uint8)
            for place, code in enumerate((19, 28, 20, 22)):
                codes[10 + 30 * place : 30 + 30 * place, 16:48] = code
            film = (60 + 100 * (codes > 0) + chance.normal(0, 9, codes.shape)).clip(0, 255).astype(np.uint8)
            for kind, pixels in (("film", film), ("mask", (codes == 28) * np.uint8(255)), ("levels", codes)):
                Picture.fromarray(pixels).save(folder / f"{kind}{number}.png")
            odd = number % 2
            table.writerow(
                [f"c{number}", f"p{number // 2}", "develop", f"film{number}.png", "yes" if odd else "no"]
                + [f"mask{number}.png" if odd else "", f"levels{number}.png"]
            )
    return folder


def test_films_masks_and_levels_lie_over_each_other(films: Path) -> None:
    samples = load_samples(SPEC, read_cohort(films / "manifest.csv"))
    assert len(samples) == 6
    assert samples.inputs["lateral"].shape == (6, 1, 64, 32)
    assert samples.inputs["lateral"].dtype == torch.float32
    assert samples.positive is not None
    assert samples.positive.tolist() == [0, 1, 0, 1, 0, 1]
    assert samples.mask is not None
    assert samples.level is not None
    assert samples.mask.sum((1, 2, 3)).tolist() == [0, 160, 0, 160, 0, 160]
    # L3 is in the films and not among the levels of the model.
    assert samples.level.unique().tolist() == [0, 1, 2, 3]
    assert torch.equal(samples.mask[1, 0] == 1, samples.level[1] == 2)
    alone = true_mask(SPEC, samples.cases[1], samples.geometries[1])
    assert np.array_equal(alone, samples.mask[1, 0].numpy() == 1)
    bright = samples.inputs["lateral"][1, 0]
    assert bright[samples.level[1] > 0].mean() > bright[samples.level[1] == 0].mean() + 0.5


def test_only_what_a_loss_looks_at_is_read(films: Path) -> None:
    spec = spec_of(ResizePad((64, 32)))
    samples = load_samples(spec, [replace(case, mask=None) for case in read_cohort(films / "manifest.csv")])
    assert samples.mask is None
    assert samples.level is None


def test_a_part_of_the_samples_keeps_everything_together(films: Path) -> None:
    samples = load_samples(SPEC, read_cohort(films / "manifest.csv"))
    part = samples.subset(np.array([4, 1]))
    assert [case.case for case in part.cases] == ["c4", "c1"]
    assert part.digests == (samples.digests[4], samples.digests[1])
    for name in ("positive", "mask", "level"):
        assert torch.equal(getattr(part, name), getattr(samples, name)[[4, 1]])
    assert torch.equal(part.inputs["lateral"], samples.inputs["lateral"][[4, 1]])


def test_the_digest_is_that_of_the_image(films: Path) -> None:
    case = read_cohort(films / "manifest.csv")[3]
    (digest,) = load_samples(SPEC, [case]).digests
    assert digest == pixel_digest(read_image(films / "film3.png"))


def test_a_planted_copy_stops_whatever_its_name(films: Path, tmp_path: Path) -> None:
    for path in films.iterdir():
        shutil.copy(path, tmp_path)
    with Picture.open(tmp_path / "film5.png") as picture:
        picture.save(tmp_path / "somebody.png", compress_level=1)
    cases = read_cohort(tmp_path / "manifest.csv")
    copy = replace(cases[5], case="new", patient="somebody", images={"": tmp_path / "somebody.png"})
    assert (tmp_path / "somebody.png").read_bytes() != (tmp_path / "film5.png").read_bytes()
    parts = {"training": load_samples(SPEC, cases), "control": load_samples(SPEC, [copy])}
    with pytest.raises(BadCohort, match=r"Leak: c5 \(training\) and new \(control\) are the same image"):
        assert_no_leak(parts)


def test_what_a_loss_needs_and_a_case_lacks_is_said(films: Path) -> None:
    case = read_cohort(films / "manifest.csv")[1]
    with pytest.raises(BadCohort, match="Case c1 has no mask and is not negative"):
        load_samples(SPEC, [replace(case, mask=None)])
    with pytest.raises(BadCohort, match="Case c1 has no label image of its levels"):
        load_samples(SPEC, [replace(case, levels=None)])
    with pytest.raises(BadCohort, match="Case c1 has no truth"):
        load_samples(SPEC, [replace(case, positive=None)])
    with pytest.raises(BadCohort, match="X9 is no vertebral level"):
        load_samples(spec_of(ResizePad((64, 32)), levels=("L1", "X9")), [case])


def test_a_mask_on_another_grid_is_refused(films: Path, tmp_path: Path) -> None:
    Picture.fromarray(np.zeros((128, 60), np.uint8)).save(tmp_path / "m.png")
    case = replace(read_cohort(films / "manifest.csv")[1], mask=tmp_path / "m.png")
    with pytest.raises(
        BadCohort, match=r"Case c1, mask: m\.png has the shape \(1, 128, 60\), its image \(1, 128, 64\)"
    ):
        load_samples(SPEC, [case])


def test_a_damaged_file_names_its_case(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    case = CohortCase("c9", "p", "develop", "", {"": tmp_path / "a.png"}, True)
    with pytest.raises(UnreadableInput, match=r"Case c9: a\.png is no image"):
        load_samples(spec_of(ResizePad((64, 32))), [case])


def test_sequences_by_name_and_what_a_case_lacks(tmp_path: Path) -> None:
    chance = np.random.default_rng(2)
    for name in ("t1", "t2"):
        volume = nib.Nifti1Image(chance.normal(100, 20, (9, 30, 30)).astype(np.int16), np.diag([4.0, 1, 1, 1]))
        nib.save(volume, tmp_path / f"{name}.nii.gz")
    inputs = tuple(Input("MR", name, slices=(-1, 0, 1)) for name in ("T1W", "T2W"))
    spec = spec_of(Percentile(), ZScore(), ResizePad((16, 16)), inputs=inputs, roi=SquareBox(0.1))
    images = {"T1W": tmp_path / "t1.nii.gz", "T2W": tmp_path / "t2.nii.gz"}
    whole = CohortCase("c1", "p1", "develop", "", images, True, Place(4, 15, 15, 12, 12))
    samples = load_samples(spec, [whole])
    assert {name: tuple(tensor.shape) for name, tensor in samples.inputs.items()} == {
        "T1W": (1, 3, 16, 16),
        "T2W": (1, 3, 16, 16),
    }
    single = [pixel_digest(read_image(path)) for path in images.values()]
    assert samples.image_digests == (tuple(single),)
    assert samples.digests == (hashlib.sha256("".join(single).encode()).hexdigest(),)
    with pytest.raises(MissingInput, match="Case c1: The case lacks T2W; the model reads T1W, T2W"):
        load_samples(spec, [replace(whole, images={"T1W": images["T1W"]})])
    with pytest.raises(UnreadableInput, match=r"Case c1: .*place of the finding is not known"):
        load_samples(spec, [replace(whole, place=None)])


def test_volumes_have_a_channel_of_slices(tmp_path: Path) -> None:
    values = np.zeros((40, 40, 40), np.int16)
    values[14:26, 14:26, 14:26] = 500
    nib.save(nib.Nifti1Image(values, np.diag([1.5, 1.5, 1.5, 1])), tmp_path / "ct.nii.gz")
    nib.save(nib.Nifti1Image((values > 0).astype(np.uint8), np.diag([1.5, 1.5, 1.5, 1])), tmp_path / "m.nii.gz")
    spec = spec_of(
        Window(-150, 700),
        ResizePad((24, 24, 24)),
        inputs=(CT,),
        roi=VertebraCrop((36.0, 36.0, 36.0)),
        levels=("L1", "L2"),
    )
    files = {"": tmp_path / "ct.nii.gz"}, tmp_path / "m.nii.gz"
    case = CohortCase("c", "p", "external", "", files[0], True, Place(20, 20, 20), mask=files[1], levels=files[1])
    samples = load_samples(spec, [case])
    assert samples.inputs["CT"].shape == (1, 1, 24, 24, 24)
    assert samples.mask is not None
    assert samples.mask.shape == (1, 1, 24, 24, 24)
    assert samples.mask.sum() == 12**3
    assert torch.equal(samples.mask > 0, samples.inputs["CT"] > 0.5)
