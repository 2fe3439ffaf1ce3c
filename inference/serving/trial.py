"""Inputs on which the forms of a model are compared: noise and images prepared as those of a case."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from inference.imaging.images import Image
from inference.imaging.preparing import prepare
from inference.prediction import Place
from inference.spec import Input, ModelSpec

Arrays = Mapping[str, NDArray[np.float32]]
# Slices, rows, columns and their distances in mm, of images as they come from hospitals, small.
SHAPES = {
    "DX": ((1, 480, 320), (1.0, 0.8, 0.8)),
    "CT": ((40, 100, 100), (2.5, 1.0, 1.0)),
    "MR": ((7, 192, 192), (4.0, 1.0, 1.0)),
}
# Of the shown values: HU, or the numbers of a detector or scanner.
RANGES = {"DX": (0.0, 4095.0), "CT": (-1000.0, 1500.0), "MR": (0.0, 1800.0)}


def noise(spec: ModelSpec, cases: int, seed: int = 0) -> Arrays:
    """Standard normal numbers in the shape of the network's input.

    Examples
    --------
    >>> from inference.models import registry
    >>> {name: array.shape for name, array in noise(registry.load("s1-resnet50", "small"), 2).items()}
    {'T1W': (2, 3, 48, 48), 'T2W': (2, 3, 48, 48)}
    """
    chance = np.random.default_rng(seed)
    return {one.name: chance.standard_normal((cases, *shape_of(spec, one)), dtype=np.float32) for one in spec.inputs}


def prepared(spec: ModelSpec, cases: int, seed: int = 0) -> Arrays:
    """What the specification's own preparation makes of smooth images with a bright spot, in the range of real ones.

    Parameters
    ----------
    spec : ModelSpec
    cases : int
    seed : int

    Returns
    -------
    mapping of str to ndarray of float32
        Name of an input to (cases, channels, *size), or (cases, 1, slices, rows, columns).
    """
    chance = np.random.default_rng(seed)
    made = [_case(spec, chance) for _ in range(cases)]
    return {one.name: np.stack([case[one.name] for case in made]) for one in spec.inputs}


def trials(spec: ModelSpec, cases: int, seed: int = 0) -> Arrays:
    """``cases`` of noise, one of noise four times as strong, and as many prepared images as of noise.

    No empty input: preparation refuses an image of one grey value, and an instance normalisation makes rounding errors
    as large as signals of it, in torch too.
    """
    strong = {name: 4 * array for name, array in noise(spec, 1, seed + 1).items()}
    parts = noise(spec, cases, seed), strong, prepared(spec, cases, seed)
    return {one.name: np.concatenate([part[one.name] for part in parts]) for one in spec.inputs}


def shape_of(spec: ModelSpec, one: Input) -> tuple[int, ...]:
    """Of one case's tensor."""
    return (1 if len(spec.size) == 3 else len(one.slices), *spec.size)


def _case(spec: ModelSpec, chance: np.random.Generator) -> Arrays:
    shape, _ = SHAPES[spec.inputs[0].modality]
    middle = [(side - 1) / 2 + chance.uniform(-0.1, 0.1) * (side > 1) * side for side in shape]
    place = Place(round(middle[0]), middle[1], middle[2], height=0.2 * shape[1], width=0.2 * shape[2])
    return prepare(spec, {one.name: _image(one, chance, middle) for one in spec.inputs}, place).inputs


def _image(one: Input, chance: np.random.Generator, middle: list[float]) -> Image:
    shape, spacing = SHAPES[one.modality]
    low, high = RANGES[one.modality]
    axes = np.ogrid[tuple(slice(0.0, side) for side in shape)]
    values = np.zeros(shape)
    # A few waves of some centimetres and a spot.
    for _ in range(4):
        phase = sum(axis * rise for axis, rise in zip(axes, chance.normal(0, 0.08, 3), strict=True))
        values += np.sin(phase + chance.uniform(0, 2 * np.pi))
    far = sum(np.square((axis - centre) / 12) for axis, centre in zip(axes, middle, strict=True))
    values += 3 * np.exp(-far) + chance.normal(0, 0.3, shape)
    share = (values - values.min()) / np.ptp(values)
    return Image((low + (high - low) * share).astype(np.float32), spacing)
