"""One function behind every way of predicting: the command line, a batch, a worker.

A card with a specification is answered by `answered`; one of the families `wavelet`, `small_cnn` and `located` by
`predict`, on the middle frame of the first series.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from inference.calibration import Calibration
from inference.cards import Card, CardError
from inference.cohort import Place
from inference.declared import SpecError
from inference.images import Image, image_of
from inference.matching import Unmatched, matches
from inference.opening import MODELS_IN_MEMORY, OTHER_CARD, Opened, folder_of, opened
from inference.outputs import Heatmap
from inference.pixels import Pixels, UnreadableInput, read_frame
from inference.prediction import Item, Plane, Prediction, Request
from inference.preparing import prepare
from inference.preprocess import Preprocessing
from inference.statement import Site, Spoken, heatmaps_of, masks_of, probability_of, vertebrae_of

if TYPE_CHECKING:
    from torch import nn


@lru_cache(maxsize=MODELS_IN_MEMORY)
def model_from(folder: Path, digest: str) -> tuple[Card, nn.Module]:
    """Check and build a model once per process; raises CardError where it is not the one asked for."""
    import torch

    from inference.weights import load_model

    torch.set_num_threads(1)
    loaded, model = load_model(folder)
    if loaded.digest != digest:
        raise CardError(OTHER_CARD)
    return loaded, model


def model_in(folder: Path) -> tuple[Card, nn.Module]:
    """The model of a local folder, through the same door."""
    return model_from(folder.absolute(), Card.load(folder).digest)


def predict(
    card: Card, model: nn.Module, images: Sequence[Pixels], input_digests: Sequence[str], *, heatmap: bool = True
) -> list[Prediction]:
    """Predict some images together.

    Parameters
    ----------
    card, model
        From ``model_in`` or ``model_from``.
    images : sequence of ndarray, each of shape (rows, columns)
        Shown values.
    input_digests : sequence of str
        Identity of each input, repeated in its answer.
    heatmap : bool
        Whether a heat map is computed too, by the method that the card names.

    Returns
    -------
    list of Prediction
        In the order of ``images``; batches of another composition differ by less than 1e-5.

    Raises
    ------
    UnreadableInput
        Where an image cannot be preprocessed.
    """
    import torch

    from inference.saliency import class_activation, heatmap_png

    preprocessing = Preprocessing.from_recipe(card.recipe["preprocessing"])
    started = time.perf_counter()
    inputs = torch.from_numpy(np.stack([preprocessing(image) for image in images]))[:, None]
    prepared = time.perf_counter()
    with torch.inference_mode():
        logits = model(inputs).numpy().astype(np.float64)
    forwarded = time.perf_counter()
    calibration = Calibration(card.calibration["slope"], card.calibration["intercept"], card.calibration["n"])
    probabilities = calibration.probability(logits)
    method = card.recipe["explanation"]["method"]
    maps = class_activation(model, inputs, method) if heatmap else [None] * len(images)
    explained = time.perf_counter()
    share = 1 / len(images)
    seconds = {
        "preprocess": round((prepared - started) * share, 6),
        "forward": round((forwarded - prepared) * share, 6),
        "explain": round((explained - forwarded) * share, 6),
    }
    heatmaps = [
        heatmap_png(preprocessing.back(plane, *image.shape)) if plane is not None else None
        for image, plane in zip(images, maps, strict=True)
    ]
    return [
        frozen_answer(card, float(probability), digest, png, seconds)
        for probability, digest, png in zip(probabilities, input_digests, heatmaps, strict=True)
    ]


def frozen_answer(
    card: Card, probability: float, input_digest: str, heatmap: bytes | None, seconds: dict[str, float]
) -> Prediction:
    """The answer at the card's operating point, rounded so that the composition of a batch leaves no trace."""
    rounded = round(probability, 6)
    return Prediction(
        probability=rounded,
        positive=rounded >= card.threshold,
        operating_point=card.threshold,
        card_digest=card.digest,
        input_digest=input_digest,
        heatmaps=(Plane.of(heatmap),) if heatmap else None,
        seconds=seconds,
    )


def answers_to(request: Request) -> Iterator[tuple[Item, Prediction | str]]:
    """Work off a request case by case; a case that cannot be read yields the reason instead of an answer."""
    try:
        folder = folder_of(request.card, request.weights, request.card_digest)
        first = Card.read(folder).spec is None
        model = model_from(folder, request.card_digest) if first else opened(folder, request.card_digest)
    except (CardError, UnreadableInput) as error:
        yield from ((item, str(error)) for item in request.items)
        return
    for item in request.items:
        yield item, answer_to(item, model, heatmap=request.heatmap)


def answer_to(item: Item, model: Opened | tuple[Card, nn.Module], *, heatmap: bool) -> Prediction | str:
    """The answer to one case, or why there is none."""
    try:
        return answered(model, item, heatmap=heatmap) if isinstance(model, Opened) else of_film(item, *model, heatmap)
    except (UnreadableInput, Unmatched, SpecError) as error:
        return str(error)
    except MemoryError:
        return "The case does not fit into the memory of this worker."


def answered(model: Opened, item: Item, *, heatmap: bool = True) -> Prediction:
    """All that a model with a specification says of one case.

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
    card, spec = model.card, model.card.declared
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
    spacing, known = images[spec.inputs[0].name].spacing, first.series.frames[0].spacing is not None
    site = Site(first.place, prepared.geometry, (spacing[1], spacing[2]), known)
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


def of_film(item: Item, card: Card, model: nn.Module, heatmap: bool) -> Prediction:
    frames = item.series[0].frames if item.series else ()
    if not frames:
        raise UnreadableInput("The case has no images.")
    middle = len(frames) // 2
    started = time.perf_counter()
    pixels = read_frame(frames[middle])
    loaded = round(time.perf_counter() - started, 6)
    (answer,) = predict(card, model, [pixels], [item.input_digest], heatmap=heatmap)
    heatmaps = None if answer.heatmaps is None else tuple(replace(plane, slice=middle) for plane in answer.heatmaps)
    return replace(answer, heatmaps=heatmaps, seconds={"load": loaded, **answer.seconds})
