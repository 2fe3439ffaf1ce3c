"""Heat maps of a cohort and the check by random weights: the commands write what a study writes, by one function."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from inference.__main__ import main
from inference.phantoms.sets import build_set
from inference.studies.plans import plan_of
from inference.studies.teaching import model_of_study

NAME = "s0-mnasnet"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model of a tiny study with its answers."""
    folder = tmp_path_factory.mktemp("s0")
    build_set("s0", folder / "cohort", "tiny", 3)
    model_of_study(plan_of("s0"), NAME, folder, preset="small", seed=3, epochs=1)
    return folder


def grey(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture).astype(int)


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(words) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("inference: ")
    return told


def test_evaluate_writes_the_table_of_random_weights_that_the_study_wrote(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = study / "answers" / NAME / "randomisation.csv"
    before = table.read_bytes()
    frame = pd.read_csv(table)
    assert frame["share"].iloc[0] == 0 and frame["share"].iloc[-1] == 1
    table.unlink()
    assert main(["evaluate", str(study)]) == 0
    assert not table.exists(), "asked for by name alone"
    assert main(["evaluate", str(study), "--randomise"]) == 0
    assert f"{table}: {len(frame)} rows" in capsys.readouterr().out
    assert table.read_bytes() == before
    # Elsewhere the models must be named.
    elsewhere = (study / "models").rename(tmp_path / "models")
    try:
        told = refused(["evaluate", str(study), "--randomise"], capsys)
        assert f"{NAME}, version 1, whose card is not found; name its folder with --models." in told
        assert main(["evaluate", str(study), "--randomise", "--models", str(elsewhere)]) == 0
    finally:
        elsewhere.rename(study / "models")
    assert table.read_bytes() == before
    assert "needed for --randomise alone" in refused(["evaluate", str(study), "--models", str(study)], capsys)


def test_without_an_outlined_finding_there_is_nothing_to_point_at(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.read_csv(study / "cohort" / "manifest.csv", dtype=str).drop(columns=["mask", "levels"], errors="ignore")
    frame["file"] = frame["file"].map(lambda name: str(study / "cohort" / name))
    frame.to_csv(tmp_path / "manifest.csv", index=False)
    (tmp_path / "predictions.csv").write_bytes((study / "answers" / NAME / "predictions.csv").read_bytes())
    words = ["evaluate", str(tmp_path), "--randomise", "--models", str(study / "models")]
    assert main(words) == 0
    assert "randomisation.csv: not written" in capsys.readouterr().out
    assert not (tmp_path / "randomisation.csv").exists()


def test_a_manifest_is_explained_case_by_case(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest, model = study / "cohort" / "manifest.csv", study / "models" / NAME
    words = ["explain", str(manifest), "--model", str(model / "1"), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    cases = pd.read_csv(manifest, dtype=str)
    unseen = cases[cases["role"] != "develop"]
    written = {path.stem: path for path in (tmp_path / "out" / "heatmaps").iterdir()}
    assert set(written) == set(unseen["case"])
    assert f"{len(written)} cases explained by {NAME}, version 1" in capsys.readouterr().out
    # The study explains its positive cases; which others are explained with them leaves no more than a rounding.
    of_study = [path for path in (study / "answers" / NAME / "heatmaps").iterdir() if path.stem in written]
    assert {path.stem for path in of_study} == set(unseen["case"][unseen["truth"] == "1"])
    for path in of_study:
        assert np.abs(grey(path) - grey(written[path.stem])).max() <= 1


def test_what_cannot_be_explained_is_one_sentence(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, model = str(study / "cohort" / "manifest.csv"), study / "models" / NAME
    out = ["--out", str(tmp_path / "out")]
    for words, reason in (
        ([manifest, "--model", str(model / "draft"), *out], "Nothing is decided in s0-mnasnet yet, and case"),
        ([manifest, "--model", str(model / "1"), "--over", *out], "--over and --place are for the images of one case"),
        ([manifest, "--model", str(model / "1"), "--out", str(tmp_path / "map.png")], "go to a folder"),
        (["film.png", "--model", str(model / "1"), "--roles", "control", *out], "--roles chooses cases of a manifest"),
        ([str(tmp_path / "no.csv"), "--model", str(model / "1"), *out], "no.csv"),
    ):
        assert reason in refused(["explain", *words], capsys)
    assert not (tmp_path / "map.png").exists()
