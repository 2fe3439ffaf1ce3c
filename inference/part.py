"""A part of a cohort in memory: read, prepared, and known by its digests."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from inference.cohort import Member, digest_of
from inference.declared import canonical
from inference.pixels import read_file
from inference.preprocess import Preprocessing


@dataclass
class Part:
    """A part of the cohort in memory: inputs (n, 1, rows, columns), labels (n,), pixel digests."""

    members: list[Member]
    inputs: Tensor
    labels: Tensor
    digests: list[str] = field(default_factory=list)
    # Row and column of the finding in the input, shape (n, 2); not a number where nobody said.
    places: Tensor = field(default_factory=lambda: torch.zeros(0, 2))

    @property
    def positive(self) -> NDArray[np.bool_]:
        result: NDArray[np.bool_] = self.labels.numpy().astype(bool)
        return result

    def digest(self) -> str:
        rows = sorted((m.patient, d, m.positive, str(m.place)) for m, d in zip(self.members, self.digests, strict=True))
        return hashlib.sha256(canonical(rows)).hexdigest()


def load_part(members: Sequence[Member], preprocessing: Preprocessing, *, title: str) -> Part:
    """Read and preprocess all images of a part."""
    inputs, digests, places = [], [], []
    for member in tqdm(members, desc=title, unit="image", leave=False):
        pixels = read_file(member.path)
        digests.append(digest_of(pixels))
        inputs.append(torch.from_numpy(preprocessing(pixels)))
        places.append(place_of(member, preprocessing, pixels.shape))
    labels = torch.tensor([float(member.positive) for member in members])
    return Part(list(members), torch.stack(inputs)[:, None], labels, digests, torch.tensor(places))


def place_of(member: Member, preprocessing: Preprocessing, shape: tuple[int, ...]) -> tuple[float, float]:
    """Where the finding lies in the prepared input; not numbers where nobody said."""
    if member.place is None:
        return math.nan, math.nan
    row, column = member.place
    return preprocessing.placed(row, column, shape[0], shape[1])


def augmented(images: Tensor, chance: torch.Generator, *, flip: bool) -> Tensor:
    """Small turns (±6°), scales and shifts (±10 %), contrast and brightness; mirrored where the finding has no side."""
    n = len(images)
    turn = (torch.rand(n, generator=chance) - 0.5) * 0.2
    scale = 1 + (torch.rand(n, generator=chance) - 0.5) * 0.2
    grid = torch.zeros(n, 2, 3)
    grid[:, 0, 0], grid[:, 0, 1] = scale * torch.cos(turn), -scale * torch.sin(turn)
    grid[:, 1, 0], grid[:, 1, 1] = scale * torch.sin(turn), scale * torch.cos(turn)
    grid[:, :, 2] = (torch.rand(n, 2, generator=chance) - 0.5) * 0.2
    places = F.affine_grid(grid, list(images.shape), align_corners=False)
    moved = F.grid_sample(images, places, align_corners=False, padding_mode="border")
    contrast = 1 + (torch.rand(n, 1, 1, 1, generator=chance) - 0.5) * 0.3
    brightness = (torch.rand(n, 1, 1, 1, generator=chance) - 0.5) * 0.2
    # A second channel holds marks, which move with the image but have no contrast.
    changed = torch.cat([moved[:, :1] * contrast + brightness, moved[:, 1:]], dim=1)
    if flip:
        mirror = torch.rand(n, generator=chance) < 0.5
        changed[mirror] = changed[mirror].flip(-1)
    return changed
