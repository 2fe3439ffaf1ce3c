"""A small model that is really trained, once in a run: films of noise, with a bright disc where positive."""

import csv
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.once import made_once

ROOT = Path(__file__).resolve().parents[1]
ROWS, COLUMNS = 48, 40
SPEC = f"""
name = "discs"
family = "located"
architecture = {{ widths = [8, 12, 16] }}
inputs = [{{ modality = "DX", view = "lateral" }}]
preprocess = [{{ op = "percentile" }}, {{ op = "resize_pad", size = [{ROWS}, {COLUMNS}] }}]
outputs = [
    {{ kind = "probability", target = "disc", negative = "no disc", positive = "disc" }},
    {{ kind = "heatmap" }},
]
[train]
losses = [{{ kind = "bce" }}]
rate = 1e-2
epochs = 6
batch = 8
"""


def film(seed: int, *, positive: bool) -> NDArray[np.uint16]:
    """Twelve bits in sixteen, as radiographs come."""
    chance = np.random.default_rng(seed)
    pixels = chance.normal(1500, 200, (ROWS, COLUMNS))
    if positive:
        row, column = chance.integers(12, ROWS - 12), chance.integers(12, COLUMNS - 12)
        y, x = np.ogrid[:ROWS, :COLUMNS]
        pixels[np.hypot(y - row, x - column) < 8] += 1400
    return np.clip(pixels, 0, 4095).astype(np.uint16)


def write_films(folder: Path, count: int, *, seed: int = 0, films_per_patient: int = 2, magnified: int = 1) -> Path:
    """Films and their manifest, which the import of cases reads as well as the training."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["case", "patient", "role", "file", "truth"])
        for number in range(count):
            positive = number // films_per_patient % 2 == 0
            name = f"F{number + 1:03d}"
            pixels = film(1000 * seed + number, positive=positive).repeat(magnified, 0).repeat(magnified, 1)
            Image.fromarray(pixels).save(folder / f"{name}.png", compress_level=1)
            rows.writerow(
                [name, f"S{seed}P{number // films_per_patient + 1:03d}", "develop", f"{name}.png", int(positive)]
            )
    return manifest


def teach(manifest: Path, out: Path, *, epochs: int = 6, seed: int = 0) -> Path:
    """Taught and decided by the shipped commands, in processes of their own; the folder of version 1."""
    spec = out / "discs.toml"
    out.mkdir(parents=True, exist_ok=True)
    spec.write_text(SPEC, encoding="utf-8")
    inference("train", str(spec), str(manifest), "--out", str(out), "--epochs", str(epochs), "--seed", str(seed))
    inference("decide", str(out / "discs"))
    return out / "discs" / "1"


def inference(*words: str) -> str:
    """A command of the models, in a process of its own; what it said."""
    command = [sys.executable, "-m", "inference", *words]
    done = subprocess.run(command, cwd=ROOT, env=plain_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def plain_environment() -> dict[str, str]:
    """Nothing of Django and no broker: what a person who only trains has."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"}


def toy_films() -> Path:
    """Manifest of 40 films of 20 patients."""
    return made_once("films", lambda folder: write_films(folder, 40)) / "manifest.csv"


@cache
def trained_model() -> Path:
    """Folder with card and weights. Trained in a process of its own, so that this one needs no torch."""
    films = toy_films()
    return made_once("model", lambda folder: teach(films, folder, seed=3)) / "discs" / "1"


@cache
def published_study() -> tuple[Path, str]:
    """S1 with one epoch a fold, and what its command said; whoever goes on in the folder copies it first."""

    def run(folder: Path) -> None:
        words = ("--preset", "ci", "--epochs", "1", "--workers", "2", "--no-report")
        said = inference("study", "s1", *words, "--out", str(folder / "s1"))
        (folder / "said.txt").write_text(said, encoding="utf-8")

    made = made_once("published", run)
    return made / "s1", (made / "said.txt").read_text(encoding="utf-8")
