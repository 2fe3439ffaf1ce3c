"""Corners and heights of bodies whose true corners are known, and of label volumes that others measured."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image, ImageDraw

from inference.measures.bodies import POINTS, Heights, Outline, genant, outline_of
from inference.measures.label_volumes import BadLabels, body_in_its_plane, measure, measure_file
from tests.shared_data import shared


def drawn(corners: np.ndarray, size: int = 130, fine: int = 8) -> np.ndarray:
    """A polygon, (row, column) each, as a mask: pixels that it covers by half."""
    picture = Image.new("1", (size * fine, size * fine))
    edge = [((column + 0.5) * fine - 0.5, (row + 0.5) * fine - 0.5) for row, column in corners]
    ImageDraw.Draw(picture).polygon(edge, fill=1)
    return np.asarray(picture).reshape(size, fine, size, fine).mean((1, 3)) >= 0.5


def body(ha: float, hm: float, hp: float, depth: float, degrees: float) -> np.ndarray:
    """Edge of a body with parabolic end-plates, front to the left, turned about (60.3, 60.7)."""
    along = np.linspace(0, 1, 60)
    bow = ((ha + hp) / 2 - hm) / 2 * 4 * along * (1 - along)
    half = (ha + (hp - ha) * along) / 2 - bow
    upper, lower = np.stack([-half, (along - 0.5) * depth], 1), np.stack([half, (along - 0.5) * depth], 1)
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.concatenate([upper, lower[::-1]]) @ turn + (60.3, 60.7)


@pytest.mark.parametrize("degrees", [-26.0, -7.0, 0.0, 14.0])
@pytest.mark.parametrize(("ha", "hm", "hp"), [(50, 48, 54), (30, 42, 52), (46, 30, 50), (28, 27, 30)])
def test_corners_and_heights_of_a_known_body(ha: float, hm: float, hp: float, degrees: float) -> None:
    edge = body(ha, hm, hp, 62, degrees)
    found = outline_of(drawn(edge))
    assert found is not None
    for name, true in zip(found.corners, (edge[0], edge[59], edge[60], edge[119]), strict=True):
        assert np.hypot(*(np.subtract(name, true))) < 2.0
    assert np.abs(np.subtract(found.heights(), (ha, hm, hp))).max() < 1.5
    graded, true = genant(found.heights((0.5, 0.5))), genant(Heights(ha, hm, hp))
    assert graded.loss == pytest.approx(true.loss, abs=0.03)
    assert graded.kind == true.kind


def test_the_front_may_lie_to_the_right() -> None:
    left = drawn(body(30, 42, 52, 62, 8))
    one, two = outline_of(left), outline_of(left[:, ::-1], anterior="right")
    assert one is not None
    assert two is not None
    assert one.heights() == pytest.approx(two.heights(), abs=1e-6)
    assert two.corner("anterior_superior")[1] == pytest.approx(129 - one.corner("anterior_superior")[1], abs=1e-6)


def test_rows_and_columns_of_other_sizes() -> None:
    mask = drawn(body(40, 44, 50, 62, 10))
    plain, flat = outline_of(mask), outline_of(mask[::2], spacing=(2.0, 1.0))
    assert plain is not None
    assert flat is not None
    assert flat.heights((2.0, 1.0)) == pytest.approx(plain.heights(), abs=1.5)


def test_too_little_is_no_body() -> None:
    speck = np.zeros((20, 20), bool)
    speck[4:6, 4:9] = True
    assert outline_of(speck) is None


@pytest.mark.parametrize(
    ("heights", "neighbours", "grade", "kind"),
    [
        ((20.1, 24, 25), None, 0, ""),
        ((20.0, 24, 25), None, 1, "wedge"),
        ((18.75, 24, 25), None, 2, "wedge"),
        ((15.0, 24, 25), None, 3, "wedge"),
        ((24, 14.0, 25), None, 3, "biconcave"),
        ((18, 18, 18), 25, 2, "crush"),
        ((10, 15, 20), 26, 3, "crush"),  # half of the front is lost besides
        ((26, 25, 20), 27, 0, ""),  # low behind alone, as the lowest lumbar body is, is no crush
    ],
)
def test_grades_at_their_limits(heights: tuple[float, ...], neighbours: float | None, grade: int, kind: str) -> None:
    found = genant(Heights(*heights), neighbours)
    assert (found.grade, found.kind) == (grade, kind)


def test_six_points_are_named() -> None:
    outline = Outline(tuple((float(n), 0.0) for n in range(6)))
    assert [outline.corner(name)[0] for name in POINTS] == list(range(6))
    assert [row for row, _ in outline.corners] == [0, 2, 3, 5]


def test_heights_that_another_program_measured() -> None:
    """TotalSegmentator's own heights of this CT: 15, 50, 85 % of the depth in steps of 1.5 mm; voxels are 3 mm."""
    folder = shared("data/totalsegmentator_example_ct")
    report = json.loads((folder / "spine_report.json").read_text())["results"]
    names = {20: "L1", 21: "L2", 22: "L3", 23: "L4", 24: "L5"}
    bodies = measure_file(folder / "totalseg_vertebrae_pp_refined.nii.gz", names)
    assert [one.level for one in bodies] == list(names.values())
    off = [
        one.heights.at(share) - report[f"vertebrae_{one.level}_height_{word}_mm"]
        for one in bodies
        for word, share in (("anterior", 0.15), ("middle", 0.5), ("posterior", 0.85))
    ]
    assert np.abs(off).mean() < 1.5
    assert np.abs(off).max() < 3.5
    # The same vertebra is the wedge in both.
    lowest = min(bodies, key=lambda one: one.heights.ha / one.heights.hp)
    assert lowest.level == "L1" == max(report, key=lambda k: report[k] if "difference" in k else 0).split("_")[1]


def test_whole_vertebrae_and_vertebrae_that_are_cut() -> None:
    folder = shared("data/totalsegmentator_example_ct")
    names = {33: "T11", 32: "T12", 31: "L1", 30: "L2", 29: "L3", 28: "L4", 27: "L5"}
    bodies = measure_file(folder / "totalseg_vertebrae.nii.gz", names)
    assert [one.level for one in bodies if not one.cut] == ["L1", "L2", "L3", "L4", "L5"]
    refined = measure_file(
        folder / "totalseg_vertebrae_pp_refined.nii.gz", {20: "L1", 21: "L2", 22: "L3", 23: "L4", 24: "L5"}
    )
    whole = [one.heights.hm for one in bodies if not one.cut]
    assert whole == pytest.approx([one.heights.hm for one in refined], abs=1.5)


@pytest.mark.parametrize(("kind", "label"), [("ct", 22), ("mri", 6)])
def test_the_body_without_its_arch_is_the_corpus_that_experts_drew(kind: str, label: int) -> None:
    folder = shared(f"data/tptbox_samples/TPTBox/tests/sample_{kind}")
    vertebra = nib.load(folder / f"sub-{kind}_seg-vert_label-{label}_msk.nii.gz")
    parts = nib.load(folder / f"sub-{kind}_seg-subreg_label-{label}_msk.nii.gz")
    assert nib.aff2axcodes(vertebra.affine) == ("P", "I", "R")
    whole = np.transpose(np.asarray(vertebra.dataobj) == label, (2, 1, 0))
    corpus = whole & np.isin(np.transpose(np.asarray(parts.dataobj), (2, 1, 0)), (49, 50))
    plane, found = body_in_its_plane(whole, (1.5, 1.5, 1.5))
    there = corpus[round(plane)]
    assert 2 * (found & there).sum() / (found.sum() + there.sum()) > 0.98


def test_axes_are_turned_by_their_names() -> None:
    labels = np.zeros((9, 40, 40), int)
    labels[2:7] = drawn(body(18, 22, 26, 30, 6) - 40, 40)[None]
    (plain,) = measure(labels, (1.0, 1.0, 1.0), "RIP", {1: "L1"})
    (turned,) = measure(labels.transpose(2, 0, 1)[::-1, :, ::-1], (1.0, 1.0, 1.0), "ARS", {1: "L1"})
    assert turned.heights == pytest.approx(plain.heights, abs=1e-9)


def test_refusals_name_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(BadLabels, match="none of the labels 5"):
        measure(np.zeros((4, 4, 4), int), (1.0, 1.0, 1.0), "RAS", {5: "L1"})
    with pytest.raises(BadLabels, match="directions of three axes"):
        measure(np.ones((4, 4, 4), int), (1.0, 1.0, 1.0), "RLS", {1: "L1"})
    wrong = tmp_path / "labels.nii.gz"
    wrong.write_bytes(b"nothing")
    with pytest.raises(BadLabels, match=r"labels\.nii\.gz cannot be read"):
        measure_file(wrong, {1: "L1"})
