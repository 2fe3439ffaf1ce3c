"""A cohort as a specification reads it: noise, and for the positives a bright disc with its mask and its level."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inference.models import registry
from inference.spec import ModelSpec

SIZE = 32
COLUMNS = ("case", "patient", "role", "site", "file", "truth", "row", "column", "mask", "levels")


def write_discs(
    folder: Path, *, patients: int, role: str = "develop", seed: int = 1, prefix: str = "p", contrast: float = 90.0
) -> Path:
    """Two films a patient, one of them with a disc: a large one is L1, a small one T12."""
    chance = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    manifest = folder / "manifest.csv"
    exists = manifest.is_file()
    with manifest.open("a", newline="") as stream:
        table = csv.writer(stream)
        if not exists:
            table.writerow(COLUMNS)
        for number in range(patients):
            for film in range(2):
                positive = (number + film) % 2
                row, column = chance.integers(8, SIZE - 8, 2)
                level = int(chance.choice([19, 20]))
                disc = (np.hypot(rows - row, columns - column) < (4.5 if level == 19 else 7.5)) * positive
                pixels = chance.normal(120, 25, (SIZE, SIZE)) + contrast * disc
                name = f"{prefix}{number}-{film}"
                write(folder / f"{name}.png", pixels)
                write(folder / f"{name}-mask.png", disc)
                write(folder / f"{name}-levels.png", disc * level)
                table.writerow(
                    [name, f"{prefix}{number}", role, "A", f"{name}.png", positive]
                    + ([row, column] if positive else ["", ""])
                    + [f"{name}-mask.png", f"{name}-levels.png"]
                )
    return manifest


def write(path: Path, values: "np.ndarray[Any, Any]") -> None:
    Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(path)


def unet(**train: Any) -> ModelSpec:
    """Probability, mask and level from one small U-Net."""
    return specification(
        "unet",
        {"widths": [4, 8, 16]},
        [
            {"kind": "probability", "target": "disc", "negative": "no disc", "positive": "disc"},
            {"kind": "mask", "target": "disc"},
            {"kind": "level", "levels": ["T12", "L1"]},
        ],
        {"losses": [{"kind": "dice_ce"}, {"kind": "level_ce"}], "select": "dice", **train},
    )


def located(**train: Any) -> ModelSpec:
    """Probability and the place of the disc."""
    return specification(
        "located",
        {"widths": [8, 12, 16], "dropout": 0.1},
        [
            {"kind": "probability", "target": "disc", "negative": "no disc", "positive": "disc"},
            {"kind": "mask", "target": "disc"},
        ],
        {"losses": [{"kind": "bce", "smoothing": 0.02}, {"kind": "dice_ce"}], "select": "auc", **train},
    )


def blind(**train: Any) -> ModelSpec:
    """Probability alone, and no loss that looks at a mask."""
    spec = located(losses=[{"kind": "bce"}], **train)
    return replace(spec, name="discs-blind", outputs=spec.outputs[:1])


def specification(
    family: str, architecture: Mapping[str, Any], outputs: list[dict[str, Any]], train: Mapping[str, Any]
) -> ModelSpec:
    document = {
        "name": f"discs-{family}",
        "family": family,
        "architecture": dict(architecture),
        "inputs": [{"modality": "DX", "view": "AP"}],
        "preprocess": [{"op": "percentile"}, {"op": "zscore"}, {"op": "resize_pad", "size": [SIZE, SIZE]}],
        "outputs": outputs,
        "train": {"rate": 1e-2, "epochs": 4, "batch": 16, "seed": 3, **train},
    }
    return registry.checked(ModelSpec.from_document(document))


def as_toml(spec: ModelSpec, path: Path, **train: Any) -> Path:
    """The same specification as a file that the command line reads."""
    path.write_text(toml_of(replace(spec, train=replace(spec.train, **train))), encoding="utf-8")
    return path


def toml_of(spec: ModelSpec) -> str:
    """The specification written as TOML."""
    document = spec.to_document()
    fields = ("name", "family", "architecture", "inputs", "preprocess", "outputs", "train")
    return "".join(f"{name} = {value(document[name])}\n" for name in fields)


def value(given: object) -> str:
    """Written as TOML."""
    match given:
        case bool():
            return str(given).lower()
        case str():
            return f'"{given}"'
        case Mapping():
            return "{" + ", ".join(f"{name} = {value(item)}" for name, item in given.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(value, given)) + "]"
    return repr(given)
