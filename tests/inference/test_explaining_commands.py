"""`explain`, `export` and `bench` as a user calls them, on models with a specification."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from PIL import Image as Picture

from inference.__main__ import main
from inference.cards import Card
from inference.explain.cam import heat_maps
from inference.explain.picture import grey_png, over_png
from inference.imaging.images import read_image
from inference.imaging.preparing import prepare
from inference.outputs import Heatmap
from inference.serving.export import MODEL, Export
from tests.inference.settled import folder_with, settled


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.png"
    rows, columns = np.mgrid[:300, :200]
    values = 900 + 400 * np.sin(rows / 17) * np.cos(columns / 23)
    Picture.fromarray(values.astype(np.uint16)).save(path)
    return path


@pytest.fixture(scope="module")
def segmenting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec, model = settled("s3-pfnet")
    return folder_with(tmp_path_factory.mktemp("models") / "pfnet", spec, model)


def read(path: Path) -> np.ndarray:
    with Picture.open(path) as picture:
        return np.asarray(picture)


def test_a_film_is_explained_at_its_own_size(
    segmenting: Path, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, model = settled("s0-mnasnet")
    (shown,) = prepare(spec, {"": read_image(film)}, None).inputs.values()
    if heat_maps(model, spec, {"lateral": torch.from_numpy(shown)[None]}).max() == 0:
        # Nothing speaks for the positive answer, so all speaks for the negative one: exchange them.
        *_, weight, _bias = model.parameters()
        weight.data.neg_()
    out = tmp_path / "map.png"
    words = ["explain", str(film), "--out", str(out)]
    assert main([*words, "--model", str(folder_with(tmp_path / "model", spec, model))]) == 0
    assert "s0-mnasnet, version 1, trunk.stage7, slice 0" in capsys.readouterr().out
    grey = read(out)
    assert grey.shape == (300, 200)
    # The border is cut away before the network sees anything.
    assert grey.max() > 100
    assert (grey[:8] == 0).all()
    assert main([*words, "--model", str(segmenting), "--over", "--of", "mask", "--method", "hires-cam"]) == 0
    assert read(out).shape == (300, 200, 3)


def test_two_inputs_are_named_and_a_place_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, model = settled("s1-resnet50")
    folder = folder_with(tmp_path / "model", spec, model)
    chance = np.random.default_rng(0)
    for name in ("T1W", "T2W"):
        values = chance.normal(500, 100, (50, 60, 5)).astype(np.int16)
        nib.save(nib.Nifti1Image(values, np.diag([-0.8, -0.8, 4.0, 1.0])), tmp_path / f"{name}.nii.gz")
    files = [f"{name}={tmp_path / name}.nii.gz" for name in ("T1W", "T2W")]
    words = ["--model", str(folder), "--out", str(tmp_path / "map.png")]
    place = ["--place", "2", "30", "25", "20", "20"]
    assert main(["explain", *files, *words, *place]) == 0
    assert read(tmp_path / "map.png").shape == (60, 50)
    capsys.readouterr()
    for given, reason in (
        (files, "place"),
        ([*files, "--place", "2", "30"], "A place has three numbers"),
        ([*files[:1], *place], "The case lacks T2W"),
        ([str(tmp_path / "T1W.nii.gz"), *place], "it reads T1W=FILE T2W=FILE"),
        ([*files, *place, "--of", "mask"], "no mask"),
    ):
        assert main(["explain", *given, *words]) == 2
        told = capsys.readouterr().err
        assert told.startswith("inference: ")
        assert reason in told


def test_a_model_without_a_heat_map_says_so(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, model = settled("s2-single")
    outputs = [one for one in spec.to_document()["outputs"] if one["kind"] != Heatmap.tag]
    folder = folder_with(
        tmp_path / "model", type(spec).from_document({**spec.to_document(), "outputs": outputs}), model
    )
    assert main(["explain", str(film), "--model", str(folder), "--out", str(tmp_path / "map.png")]) == 2
    assert "asks for no heat map" in capsys.readouterr().err


def test_a_model_is_exported_and_measured(segmenting: Path, film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(segmenting)]) == 0
    told = capsys.readouterr().out
    assert "lateral → logit, mask, opset 18; largest difference from torch" in told
    assert Export.read(segmenting, Card.load(segmenting)) is not None
    assert main(["bench", str(segmenting), "--batch", "2", "--rounds", "1"]) == 0
    told = capsys.readouterr().out
    assert "s3-pfnet, 128 × 64" in told
    assert told.count("← taken") == 1
    assert told.splitlines()[1].split()[0] == "onnxruntime"
    manifest = segmenting / "manifest.csv"
    manifest.write_text(f"case,patient,role,site,input,file,truth\na,a,control,x,,{film},1\n")
    assert main(["export", str(segmenting), "--cases", str(manifest)]) == 0
    (segmenting / MODEL).write_bytes(b"")
    assert main(["bench", str(segmenting)]) == 2
    assert "SHA-256 differs" in capsys.readouterr().err


def test_a_faint_map_leaves_the_image_as_it_is(tmp_path: Path) -> None:
    image = np.linspace(0, 1000, 400, dtype=np.float32).reshape(20, 20)
    plane = np.full((20, 20), 0.1, dtype=np.float32)
    plane[5, 5] = 1
    (tmp_path / "over.png").write_bytes(over_png(image, plane))
    (tmp_path / "grey.png").write_bytes(grey_png(plane))
    over, grey = read(tmp_path / "over.png").astype(int), read(tmp_path / "grey.png")
    faint = plane < 0.15
    assert (over[faint].min(axis=1) == over[faint].max(axis=1)).all()
    assert over[5, 5, 0] > over[5, 5, 1] + 80
    assert (grey[5, 5], grey[0, 0]) == (255, 26)
