"""A family in a package of its own, announced as an entry point: the commands find it by its name."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

FAMILY = '''
"""Logit of the mean of a film: no network anybody needs."""

from dataclasses import dataclass

import torch
from inference.models.contract import Answer, Model
from inference.models.registry import Architecture, cam_layer, register
from inference.outputs import Heatmap, Probability


@dataclass(frozen=True)
class Choices(Architecture):
    channels: int = 4

    def stages(self):
        return {"only": "maps"}


class Brightness(Model):
    def __init__(self, spec, chosen):
        super().__init__(spec, cam_layer(spec, chosen))
        self.maps = torch.nn.Conv2d(spec.channels, chosen.channels, 1)
        self.head = torch.nn.Linear(chosen.channels, 1)

    def forward_features(self, images):
        return self.maps(images)

    def answer(self, images):
        return Answer(logit=self.head(self.forward_features(images).mean(dim=(2, 3)))[:, 0])


@register("brightness", architecture=Choices, outputs=(Probability, Heatmap))
def build(spec, architecture):
    return Brightness(spec, architecture)
'''
SPEC = """
name = "bright-films"
family = "brightness"
inputs = [{ modality = "DX", view = "lateral" }]
preprocess = [{ op = "standardise", mean = 128, deviation = 64 }, { op = "resize_pad", size = [16, 16] }]
outputs = [{ kind = "probability", target = "bright", negative = "dark", positive = "bright" }]

[train]
losses = [{ kind = "bce" }]
rate = 0.05
epochs = 12
batch = 8
"""


def installed(folder: Path) -> dict[str, str]:
    """The environment in which the package can be imported; its folder is what an installation leaves."""
    (folder / "brightness_family.py").write_text(FAMILY, encoding="utf-8")
    facts = folder / "brightness_family-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: brightness-family\nVersion: 1.0\n", encoding="utf-8")
    (facts / "entry_points.txt").write_text("[inference.models]\nbrightness = brightness_family\n", encoding="utf-8")
    return os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}


def cohort(folder: Path) -> Path:
    folder.mkdir()
    chance = np.random.default_rng(3)
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["case", "patient", "role", "file", "truth"])
        for number in range(60):
            truth, role = number % 2, "develop" if number < 40 else "control"
            film = np.clip(chance.normal(90 + 60 * truth, 40, (24, 20)), 0, 255).astype(np.uint8)
            Image.fromarray(film).save(folder / f"{number}.png")
            table.writerow([f"c{number}", f"p{number}", role, f"{number}.png", truth])
    return folder / "manifest.csv"


def command(environment: dict[str, str], *words: str | Path) -> str:
    call = [sys.executable, "-m", "inference", *map(str, words)]
    done = subprocess.run(call, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_family_of_another_package_is_taught_decided_exported_and_asked(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    environment, manifest = installed(tmp_path / "site"), cohort(tmp_path / "cohort")
    spec, model = tmp_path / "bright.toml", tmp_path / "models" / "bright-films"
    spec.write_text(SPEC, encoding="utf-8")

    command(environment, "train", spec, manifest, "--out", tmp_path / "models")
    command(environment, "decide", model)
    command(environment, "export", model / "1")
    command(environment, "predict", manifest, "--model", model / "1", "--out", tmp_path / "answers")

    rows = list(csv.DictReader((tmp_path / "answers" / "predictions.csv").open(encoding="utf-8")))
    assert len(rows) == 20
    assert all(row["positive"] == row["truth"] for row in rows)


def test_without_the_package_its_name_is_refused(tmp_path: Path) -> None:
    spec = tmp_path / "bright.toml"
    spec.write_text(SPEC, encoding="utf-8")
    call = [
        sys.executable,
        "-m",
        "inference",
        "train",
        str(spec),
        str(cohort(tmp_path / "cohort")),
        "--out",
        str(tmp_path),
    ]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "family: 'brightness' is not registered" in done.stderr
