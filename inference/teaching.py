"""Teaching a family where a finding lies, where a manifest says so and the recipe asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference.models import UnknownFamily
from inference.part import Part, augmented

# Far fewer places are positive than negative.
BALANCE = 10.0


@dataclass(frozen=True)
class Teaching:
    """Weight of the loss over places, and the radius of a finding as a share of the input's rows."""

    weight: float
    radius: float

    def augmented(self, part: Part, chosen: Tensor, chance: torch.Generator, *, flip: bool) -> tuple[Tensor, Tensor]:
        """Augmented images with the marks that moved along, both (n, 1, rows, columns)."""
        images = part.inputs[chosen]
        moved = augmented(torch.cat([images, self.marks(part.places[chosen], images)], dim=1), chance, flip=flip)
        return moved[:, :1], moved[:, 1:]

    def marks(self, places: Tensor, images: Tensor) -> Tensor:
        """Discs of 1 around the places, 0 elsewhere and where there is no place."""
        rows, columns = images.shape[2:]
        row = torch.arange(rows)[None, :, None] + 0.5 - places[:, 0, None, None]
        column = torch.arange(columns)[None, None, :] + 0.5 - places[:, 1, None, None]
        return (torch.hypot(row, column) < self.radius * rows).float()[:, None]

    def loss(self, model: nn.Module, images: Tensor, marks: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the cases, and the weighted loss over the places of those whose places are known."""
        places = model.places(model.features(images))  # type: ignore[operator]
        target = F.interpolate(marks, places.shape[2:], mode="area")
        by_place = F.binary_cross_entropy_with_logits(
            places, target, pos_weight=torch.tensor(BALANCE), reduction="none"
        )
        known = ((labels == 0) | (marks.amax(dim=(1, 2, 3)) > 0)).float()
        mean = (by_place.mean(dim=(1, 2, 3)) * known).sum() / known.sum().clamp(min=1)
        return model.head_of_places(places), self.weight * mean  # type: ignore[operator]


def teaching_for(recipe: Mapping[str, Any], model: nn.Module, part: Part) -> Teaching | None:
    """The teaching that a recipe asks for; None where it asks for none or no case has a place.

    Raises
    ------
    UnknownFamily
        Where the family cannot be taught places.
    """
    if "places" not in recipe or not torch.isfinite(part.places).any():
        return None
    if not callable(getattr(model, "places", None)):
        raise UnknownFamily(f"places: the family {recipe['family']} has no logits of places.")
    return Teaching(**recipe["places"])
