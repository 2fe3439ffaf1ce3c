"""A toy cohort: grey noise, and for the positives a bright disc somewhere; two films a patient."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.cards import Card
from inference.classifier import Training, train
from inference.cohort import Member, read_manifest

SIZE = 48


def make_cohort(folder: Path, *, patients: int, seed: int, prefix: str = "p") -> Path:
    chance = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    with (folder / "manifest.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["case", "patient", "file", "truth"])
        for number in range(patients):
            for film in range(2):
                positive = (number + film) % 2
                pixels = chance.normal(120, 25, (SIZE, SIZE))
                row, column = chance.integers(10, SIZE - 10, 2)
                pixels += 90 * positive * (np.hypot(rows - row, columns - column) < 7)
                name = f"{prefix}{number}-{film}"
                Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / f"{name}.png")
                table.writerow([name, f"{prefix}{number}", f"{name}.png", "yes" if positive else "no"])
    return folder / "manifest.csv"


RECIPE = """
family = "small_cnn"
[architecture]
width = 8
stages = 3
grid = 1
dropout = 0.1
peaks = true
[preprocessing]
rows = 48
columns = 48
low = 1.0
high = 99.0
[training]
epochs = 8
patience = 0
batch = 16
rate = 1e-2
decay = 0.01
smoothing = 0.02
flip = true
[explanation]
method = "grad-cam"
stage = "last convolution"
"""


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with 60 patients, 120 films, their manifest, and a quick recipe."""
    folder = tmp_path_factory.mktemp("toy")
    make_cohort(folder, patients=60, seed=1)
    (folder / "quick.toml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="session")
def members(toy: Path) -> list[Member]:
    return read_manifest(toy / "manifest.csv", toy)


@pytest.fixture(scope="session")
def plan(toy: Path) -> Training:
    return Training(
        name="discs", version="1", labels=("none", "disc"), preset=str(toy / "quick.toml"), seed=3, licence="CC0-1.0"
    )


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, members: list[Member], plan: Training) -> tuple[Path, Card]:
    folder = tmp_path_factory.mktemp("model")
    return folder, train(members, plan, folder)


@pytest.fixture(scope="session")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another 40 patients."""
    folder = tmp_path_factory.mktemp("strangers")
    make_cohort(folder, patients=40, seed=2, prefix="s")
    return folder
