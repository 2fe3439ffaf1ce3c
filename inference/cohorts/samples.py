"""A cohort in memory: read, prepared, and known by its digests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from inference.cohorts.cases import BadCohort, CohortCase, check_unseen
from inference.cohorts.levels import CODES
from inference.imaging.images import Image, MissingInput, pixel_digest, read_image, read_labels
from inference.imaging.pixels import UnreadableInput
from inference.imaging.preparing import Geometry, Prepared, prepare
from inference.outputs import LOOKS_AT, Level, Mask, PlaceLoss, Probability
from inference.prediction import Place
from inference.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class Samples:
    """Cases as a network reads them.

    Attributes
    ----------
    cases : tuple of CohortCase
    inputs : mapping of str to Tensor
        By name of the input: float32, shape (n, channels, *size).
    positive : Tensor or None
        float32, shape (n,); None where the truth of a case is not known.
    mask : Tensor or None
        uint8 of 0 and 1, shape (n, 1, *size); None where no loss looks at it.
    level : Tensor or None
        uint8, shape (n, *size): 0 is background, i the i-th level of the specification.
    digests : tuple of str
        Of all images of a case together.
    image_digests : tuple of tuple of str
        Of its single images, for the leak check.
    geometries : tuple of Geometry
    """

    cases: tuple[CohortCase, ...]
    inputs: dict[str, Tensor]
    positive: Tensor | None
    mask: Tensor | None
    level: Tensor | None
    digests: tuple[str, ...]
    image_digests: tuple[tuple[str, ...], ...]
    geometries: tuple[Geometry, ...]

    def __len__(self) -> int:
        return len(self.cases)

    def subset(self, indices: Sequence[int] | NDArray[np.int64]) -> Samples:
        """The cases at those places, in that order."""
        places = [int(index) for index in indices]
        chosen = torch.tensor(places, dtype=torch.long)
        return Samples(
            cases=tuple(self.cases[place] for place in places),
            inputs={name: tensor[chosen] for name, tensor in self.inputs.items()},
            positive=None if self.positive is None else self.positive[chosen],
            mask=None if self.mask is None else self.mask[chosen],
            level=None if self.level is None else self.level[chosen],
            digests=tuple(self.digests[place] for place in places),
            image_digests=tuple(self.image_digests[place] for place in places),
            geometries=tuple(self.geometries[place] for place in places),
        )


def load_samples(spec: ModelSpec, cases: Sequence[CohortCase], *, taught: bool = True) -> Samples:
    """Read and prepare all images of the cases; masks and levels where a loss of the specification looks at them.

    Parameters
    ----------
    spec : ModelSpec
    cases : sequence of CohortCase
    taught : bool
        False for cases that are only answered: no truth is needed, no mask or level is read.

    Raises
    ------
    BadCohort
        Naming the case: truth, mask (or place, for a loss of the place) or levels that a loss needs are not there, or
        lie on another grid.
    MissingInput
        Naming case and input.
    UnreadableInput
        Naming the case.
    """
    taught_by = spec.train.losses if taught else ()
    wanted = {LOOKS_AT[type(loss)] for loss in taught_by}
    by_place = any(isinstance(loss, PlaceLoss) for loss in taught_by)
    level = spec.output(Level)
    codes = _classes(level) if level is not None and Level in wanted else None
    inputs = _room_for(spec, len(cases))
    masks = torch.zeros((len(cases), 1, *spec.size), dtype=torch.uint8) if Mask in wanted else None
    levels = None if codes is None else torch.zeros((len(cases), *spec.size), dtype=torch.uint8)
    digests, geometries = [], []
    for place, case in enumerate(tqdm(cases, desc="images", unit="case", leave=False)):
        if Probability in wanted and case.positive is None:
            raise BadCohort(f"Case {case.case} has no truth, which the model is taught.")
        prepared, of_images, first = _prepared(spec, case)
        for name, values in prepared.inputs.items():
            inputs[name][place] = torch.from_numpy(values)
        if masks is not None:
            masks[place, 0] = torch.from_numpy(_mask(case, prepared.geometry, first, by_place))
        if levels is not None and codes is not None:
            levels[place] = torch.from_numpy(_level(case, prepared.geometry, first, codes))
        digests.append(of_images)
        geometries.append(prepared.geometry)
    known = [case.positive for case in cases]
    positive = None if None in known else torch.tensor([float(bool(one)) for one in known])
    together = tuple(one[0] if len(one) == 1 else hashlib.sha256("".join(one).encode()).hexdigest() for one in digests)
    return Samples(tuple(cases), inputs, positive, masks, levels, together, tuple(digests), tuple(geometries))


def refuse_seen(samples: Samples, folder: Path, sha256: str) -> None:
    """Refuse control and external cases that a model was made with, by patient or by image.

    Parameters
    ----------
    samples : Samples
        Those of the role ``develop`` may have been seen.
    folder, sha256
        As in `inference.cohorts.cases.check_unseen`.

    Raises
    ------
    BadCohort
        Naming the patient or the case.
    """
    pairs = [
        (case, digest)
        for case, own in zip(samples.cases, samples.image_digests, strict=True)
        for digest in own
        if case.role != "develop"
    ]
    check_unseen([case for case, _ in pairs], [digest for _, digest in pairs], folder, sha256)


def true_mask(spec: ModelSpec, case: CohortCase, geometry: Geometry) -> NDArray[np.bool_]:
    """The mask of a case as the network's input shows it; raises BadCohort where it lies on another grid."""
    first = read_image(case.images.get(spec.inputs[0].name) or case.images[""])
    shown: NDArray[np.bool_] = _labels(case, geometry, first, "mask") != 0
    return shown


def _room_for(spec: ModelSpec, cases: int) -> dict[str, Tensor]:
    flat = len(spec.size) == 2
    return {one.name: torch.empty((cases, len(one.slices) if flat else 1, *spec.size)) for one in spec.inputs}


def _prepared(spec: ModelSpec, case: CohortCase) -> tuple[Prepared, tuple[str, ...], Image]:
    """What a network reads of the case, the digests of its images, and the image of the first input."""
    try:
        images = {name: read_image(path) for name, path in case.images.items()}
        prepared = prepare(spec, images, case.place)
        digests = tuple(pixel_digest(image) for image in images.values())
        return prepared, digests, images.get(spec.inputs[0].name) or images[""]
    except (UnreadableInput, MissingInput) as error:
        raise type(error)(f"Case {case.case}: {error}") from error


def _mask(case: CohortCase, geometry: Geometry, first: Image, by_place: bool) -> NDArray[np.uint8]:
    if case.mask is not None:
        inside: NDArray[np.uint8] = (_labels(case, geometry, first, "mask") != 0).astype(np.uint8)
        return inside
    if case.positive is False:
        return np.zeros(geometry.size, np.uint8)
    if not by_place:
        raise BadCohort(f"Case {case.case} has no mask and is not negative; only a negative case may lack one.")
    if case.place is None or min(case.place.height, case.place.width) <= 0:
        raise BadCohort(f"Case {case.case} has neither a mask nor a place with height and width, and is not negative.")
    return geometry.onto(_ellipse(case.place, geometry.shape))


def _ellipse(place: Place, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """1 within the ellipse that the box of the place holds, in its slice; shape (slices, rows, columns)."""
    rows, columns = np.ogrid[: shape[1], : shape[2]]
    far = ((rows - place.row) / (place.height / 2)) ** 2 + ((columns - place.column) / (place.width / 2)) ** 2
    volume = np.zeros(shape, np.uint8)
    volume[round(place.slice)] = far <= 1
    return volume


def _level(case: CohortCase, geometry: Geometry, first: Image, codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if case.levels is None:
        raise BadCohort(f"Case {case.case} has no label image of its levels, which the model is taught.")
    labels = _labels(case, geometry, first, "levels").astype(np.int64)
    return codes[np.where((labels < 0) | (labels >= len(codes)), 0, labels)]


def _labels(case: CohortCase, geometry: Geometry, first: Image, column: str) -> NDArray[np.generic]:
    path = case.mask if column == "mask" else case.levels
    assert path is not None
    try:
        return geometry.onto(read_labels(path, first).values)
    except UnreadableInput as error:
        raise BadCohort(f"Case {case.case}, {column}: {error}") from error


def _classes(level: Level) -> NDArray[np.uint8]:
    """Class of every code: i for the i-th level of the output, 0 for all others."""
    unknown = [name for name in level.levels if name not in CODES]
    if unknown:
        raise BadCohort(f"{unknown[0]} is no vertebral level; known are {', '.join(CODES)}.")
    classes = np.zeros(max(CODES.values()) + 1, np.uint8)
    for number, name in enumerate(level.levels, start=1):
        classes[CODES[name]] = number
    return classes
