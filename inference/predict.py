"""What a worker says of the cases of a request: read one by one, asked together, told one by one.

A case that cannot be read or answered is told alone; it takes no other with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.cards import CardError
from inference.declared import SpecError
from inference.imaging.images import Image, image_of
from inference.imaging.pixels import UnreadableInput
from inference.imaging.preparing import prepare
from inference.imaging.regions import beside
from inference.measures.aggregation import case_logit, parts_of
from inference.outputs import Heatmap
from inference.prediction import Item, Place, Prediction, Request
from inference.serving.batching import asked, at_once
from inference.serving.matching import Unmatched, matches
from inference.serving.opening import Opened, folder_of, opened
from inference.serving.running import Answer
from inference.serving.statement import Site, Spoken, front_in, heatmaps_of, masks_of, probability_of, vertebrae_of

Made = TypeVar("Made")
TOO_LARGE = "The case does not fit into the memory of this worker."


@dataclass(frozen=True)
class Clock:
    """Seconds by step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def times(self, step: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - began, 6)


@dataclass(frozen=True, eq=False)
class Ready:
    """A case as the network reads it.

    Attributes
    ----------
    stacks : tuple of mapping of str to ndarray of float32
        Name of an input to (channels, *size), or (1, slices, rows, columns). The first is that of the finding; where
        the specification joins slices, each of the others follows.
    site : Site
        Where they lie in the images of the case.
    """

    item: Item
    stacks: tuple[Mapping[str, NDArray[np.float32]], ...]
    site: Site
    clock: Clock


def answers_to(
    request: Request, works_on: Callable[[Item], object] = lambda item: None
) -> Iterator[tuple[Item, Prediction | str]]:
    """Work off a request in its order; a case that cannot be answered yields the reason instead of an answer.

    Parameters
    ----------
    request : Request
    works_on : callable
        Told of a case before its images are read, and again before its answer is put into words.
    """
    try:
        folder = folder_of(request.card, request.weights, request.card_digest)
        model = opened(folder, request.card_digest)
    except (CardError, UnreadableInput) as error:
        yield from ((item, str(error)) for item in request.items)
        return
    step = at_once(model.card.spec)
    for start in range(0, len(request.items), step):
        yield from together(request.items[start : start + step], model, works_on, heatmap=request.heatmap)


def together(
    items: Sequence[Item], model: Opened, works_on: Callable[[Item], object], *, heatmap: bool
) -> Iterator[tuple[Item, Prediction | str]]:
    """Some cases in one forward pass."""
    cases: list[Ready | str] = []
    for item in items:
        works_on(item)
        cases.append(tried(partial(ready, model, item)))
    asking = [case for case in cases if isinstance(case, Ready)]
    began = time.perf_counter()
    said = iter(asked(model.runtime, [stack for case in asking for stack in case.stacks]))
    share = (time.perf_counter() - began) / max(1, len(asking))
    for item, case in zip(items, cases, strict=True):
        if isinstance(case, str):
            yield item, case
            continue
        works_on(item)
        case.clock.seconds["forward"] = round(share, 6)
        found = [next(said) for _ in case.stacks]
        answers = [answer for answer in found if answer is not None]
        whole = len(answers) == len(found)
        yield item, tried(partial(told, model, case, answers, heatmap=heatmap)) if whole else TOO_LARGE


def tried(step: Callable[[], Made]) -> Made | str:
    """What a step makes of a case, or why it cannot."""
    try:
        return step()
    except (UnreadableInput, Unmatched, SpecError) as error:
        return str(error)
    except MemoryError:
        return TOO_LARGE


def ready(model: Opened, item: Item) -> Ready:
    """A case read and prepared; its images are let go.

    Raises
    ------
    Unmatched
        Where the case lacks an input, or has two series for one.
    UnreadableInput
        Where a frame is damaged or the case cannot be prepared.
    """
    spec, clock = model.card.spec, Clock()
    first = spec.inputs[0].name
    with clock.times("load"):
        found = matches(spec.inputs, item.series)
        images = {name: image_of(match.series.frames) for name, match in found.items()}
    with clock.times("preprocess"):
        place = place_in(item, images[first])
        prepared = prepare(spec, images, place)
        others = beside(images[first], place, spec.inputs[0]) if parts_of(spec) > 1 else ()
        stacks = (prepared.inputs, *(prepare(spec, images, at).inputs for at in others))
    shown, known = images[first], found[first].series.frames[0].spacing is not None
    site = Site(found[first].place, prepared.geometry, shown.spacing[1:], known, front_in(shown))
    return Ready(item, stacks, site, clock)


def told(model: Opened, case: Ready, said: Sequence[Answer], *, heatmap: bool) -> Prediction:
    """All that a model says of one case.

    Parameters
    ----------
    model : Opened
    case : Ready
    said : sequence of Answer
        Of this case alone, to each of its stacks.
    heatmap : bool
        Whether a heat map is computed too, where the specification names one: of each case by itself, so that its
        bytes do not depend on the others of a batch.
    """
    logits = [float(one.logit[0]) for one in said if one.logit is not None]
    if len(logits) < len(said):
        raise UnreadableInput("The model answers no probability.")
    card, site, clock = model.card, case.site, case.clock
    with clock.times("post"):
        mask, level = (None if part is None else part[0] for part in (said[0].mask, said[0].level))
        spoken = Spoken(case_logit(card.spec, logits, mask, level), mask, level)
        probability = probability_of(card.decision, spoken.logit)
        masks, vertebrae = masks_of(card, spoken, site), vertebrae_of(card, spoken, site)
    with clock.times("explain"):
        wanted = heatmap and card.spec.output(Heatmap) is not None
        alone = {name: array[np.newaxis] for name, array in case.stacks[0].items()}
        heatmaps = heatmaps_of(card, model.heat_map(alone) if wanted else None, site)
    return Prediction(
        probability=probability,
        positive=probability >= card.decision.threshold,
        operating_point=card.decision.threshold,
        card_digest=card.digest,
        input_digest=case.item.input_digest,
        abstain=card.decision.abstain,
        heatmaps=heatmaps,
        masks=masks,
        vertebrae=vertebrae,
        seconds=MappingProxyType(clock.seconds),
        device=model.device,
        runtime=model.runtime.kind,
        versions=model.versions,
    )


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
