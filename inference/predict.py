"""What a worker says of the cases of a request, one after the other; what cannot be answered is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import MappingProxyType

import numpy as np

from inference.cards import CardError
from inference.declared import SpecError
from inference.imaging.images import Image, image_of
from inference.imaging.pixels import UnreadableInput
from inference.imaging.preparing import prepare
from inference.outputs import Heatmap
from inference.prediction import Item, Place, Prediction, Request
from inference.serving.matching import Unmatched, matches
from inference.serving.opening import Opened, folder_of, opened
from inference.serving.statement import Site, Spoken, front_in, heatmaps_of, masks_of, probability_of, vertebrae_of


def answers_to(request: Request) -> Iterator[tuple[Item, Prediction | str]]:
    """Work off a request case by case; a case that cannot be read yields the reason instead of an answer."""
    try:
        folder = folder_of(request.card, request.weights, request.card_digest)
        model = opened(folder, request.card_digest)
    except (CardError, UnreadableInput) as error:
        yield from ((item, str(error)) for item in request.items)
        return
    for item in request.items:
        yield item, answer_to(item, model, heatmap=request.heatmap)


def answer_to(item: Item, model: Opened, *, heatmap: bool) -> Prediction | str:
    """The answer to one case, or why there is none."""
    try:
        return answered(model, item, heatmap=heatmap)
    except (UnreadableInput, Unmatched, SpecError) as error:
        return str(error)
    except MemoryError:
        return "The case does not fit into the memory of this worker."


def answered(model: Opened, item: Item, *, heatmap: bool = True) -> Prediction:
    """All that a model says of one case.

    Parameters
    ----------
    model : Opened
    item : Item
        Its series, and the place of its finding in voxels of the first input.
    heatmap : bool
        Whether a heat map is computed too, where the specification names one.

    Raises
    ------
    Unmatched
        Where the case lacks an input, or has two series for one.
    UnreadableInput
        Where a frame is damaged or the case cannot be prepared.
    """
    card, spec = model.card, model.card.spec
    clock = Clock()
    found = matches(spec.inputs, item.series)
    images = {name: image_of(match.series.frames) for name, match in found.items()}
    clock.lap("load")
    first = found[spec.inputs[0].name]
    prepared = prepare(spec, images, place_in(item, images[spec.inputs[0].name]))
    inputs = {name: array[np.newaxis] for name, array in prepared.inputs.items()}
    clock.lap("preprocess")
    said = model.runtime(inputs)
    clock.lap("forward")
    if said.logit is None:
        raise UnreadableInput("The model answers no probability.")
    parts = (None if part is None else part[0] for part in (said.mask, said.level))
    spoken = Spoken(float(said.logit[0]), *parts)
    shown, known = images[spec.inputs[0].name], first.series.frames[0].spacing is not None
    site = Site(first.place, prepared.geometry, shown.spacing[1:], known, front_in(shown))
    probability = probability_of(card.decision, spoken.logit)
    masks, vertebrae = masks_of(card, spoken, site), vertebrae_of(card, spoken, site)
    clock.lap("post")
    wanted = heatmap and spec.output(Heatmap) is not None
    heatmaps = heatmaps_of(card, model.heat_map(inputs) if wanted else None, site)
    clock.lap("explain")
    return Prediction(
        probability=probability,
        positive=probability >= card.decision.threshold,
        operating_point=card.decision.threshold,
        card_digest=card.digest,
        input_digest=item.input_digest,
        abstain=card.decision.abstain,
        heatmaps=heatmaps,
        masks=masks,
        vertebrae=vertebrae,
        seconds=MappingProxyType(clock.seconds),
        device=model.device,
        runtime=model.runtime.kind,
        versions=model.versions,
    )


class Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        now = time.perf_counter()
        self.seconds[step] = round(now - self._last, 6)
        self._last = now


def place_in(item: Item, image: Image) -> Place | None:
    """The place of the finding, where there is one and it lies in the image."""
    if item.place is None:
        return None
    at = (item.place.slice, item.place.row, item.place.column)
    if not all(-0.5 <= here <= size - 0.5 for here, size in zip(at, image.shape, strict=True)):
        words = ", ".join(f"{name} {here:g}" for name, here in zip(("slice", "row", "column"), at, strict=True))
        shape = " × ".join(map(str, image.shape))
        raise UnreadableInput(f"The place of the finding ({words}) lies outside the image of {shape} voxels.")
    return Place(*at, height=item.place.height, width=item.place.width)
