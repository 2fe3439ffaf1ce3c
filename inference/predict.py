"""One function behind every way of predicting: the command line, a batch, a worker."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from inference.calibration import Calibration
from inference.cards import CARD, WEIGHTS, Card, CardError
from inference.pixels import Pixels, UnreadableInput, fetch, read_frame
from inference.prediction import Item, Plane, Prediction, Request
from inference.preprocess import Preprocessing

if TYPE_CHECKING:
    from torch import nn

MODELS_IN_MEMORY = 2


@lru_cache(maxsize=MODELS_IN_MEMORY)
def model_from(card: str, weights: str, digest: str) -> tuple[Card, nn.Module]:
    """Fetch, check and build a model once per process; raises CardError where it is not the one asked for."""
    import torch

    from inference.weights import load_model

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / CARD).write_bytes(fetch(card))
        (folder / WEIGHTS).write_bytes(fetch(weights))
        loaded, model = load_model(folder)
    if loaded.digest != digest:
        raise CardError("The card in the storage is not the one that was registered: its digest differs.")
    return loaded, model


def model_in(folder: Path) -> tuple[Card, nn.Module]:
    """The model of a local folder, through the same door."""
    digest = Card.load(folder).digest
    return model_from((folder / CARD).absolute().as_uri(), (folder / WEIGHTS).absolute().as_uri(), digest)


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
        card, model = model_from(request.card, request.weights, request.card_digest)
    except (CardError, UnreadableInput) as error:
        yield from ((item, str(error)) for item in request.items)
        return
    for item in request.items:
        yield item, answer_to(item, card, model, heatmap=request.heatmap)


def answer_to(item: Item, card: Card, model: nn.Module, *, heatmap: bool) -> Prediction | str:
    frames = item.series[0].frames if item.series else ()
    if not frames:
        return "The case has no images."
    # A two-dimensional model reads the middle frame of a series.
    middle = len(frames) // 2
    started = time.perf_counter()
    try:
        pixels = read_frame(frames[middle])
        loaded = time.perf_counter() - started
        (answer,) = predict(card, model, [pixels], [item.input_digest], heatmap=heatmap)
    except UnreadableInput as error:
        return str(error)
    return on_slice(answer, middle, loaded)


def on_slice(answer: Prediction, middle: int, seconds: float) -> Prediction:
    heatmaps = tuple(replace(plane, slice=middle) for plane in answer.heatmaps or ()) or answer.heatmaps
    return replace(answer, heatmaps=heatmaps, seconds={"load": round(seconds, 6), **answer.seconds})
