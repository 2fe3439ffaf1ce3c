"""Every slice of a finding by itself: each in turn the middle of the stack that the network reads.

A network that reads a slice with its neighbours answers a case by the stack around the finding. Asked for each of these
slices it gives several answers a case, whose highest is that of the patient (Yeh et al., Eur Spine J 2022; Li et al.,
Eur Radiol 2021).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from inference.cohorts.cases import CohortCase
from inference.cohorts.samples import Samples, load_samples
from inference.imaging.images import read_image
from inference.imaging.regions import beside, on_each_slice
from inference.learning.predicting import Raw, answers_of
from inference.measures.aggregation import case_logit, parts_of
from inference.models.contract import Model
from inference.outputs import Probability
from inference.spec import ModelSpec


def reads_neighbours(spec: ModelSpec) -> bool:
    """Whether the model answers a probability by a slice with its neighbours."""
    return len(spec.size) == 2 and len(spec.inputs[0].slices) > 1 and spec.output(Probability) is not None


def around_each(spec: ModelSpec, case: CohortCase) -> list[CohortCase]:
    """The case once for every slice that the model reads of its first input, that slice as the finding's."""
    first = spec.inputs[0]
    image = read_image(case.images.get(first.name) or case.images[""])
    return [replace(case, place=place) for place in on_each_slice(image, case.place, first)]


def answers_by_slice(spec: ModelSpec, model: Model, cases: Sequence[CohortCase]) -> list[tuple[CohortCase, int, Raw]]:
    """Case, slice and raw answer, slices in order; none where the model reads no neighbours.

    Raises
    ------
    BadCohort, UnreadableInput
        Naming the case.
    """
    if not cases or not reads_neighbours(spec):
        return []
    turned = [one for case in cases for one in around_each(spec, case)]
    own = {case.case: case for case in cases}
    said = answers_of(model, load_samples(spec, turned, taught=False))
    return [
        (own[one.case], int(one.place.slice), raw)
        for one, raw in zip(turned, said, strict=True)
        if one.place is not None
    ]


def answers_by_case(spec: ModelSpec, model: Model, samples: Samples) -> Iterator[Raw]:
    """One answer for every case, in order; its logit is joined from those of its parts as the specification says."""
    others = logits_beside(spec, model, samples.cases) if parts_of(spec) > 1 else {}
    for case, raw in zip(samples.cases, answers_of(model, samples), strict=True):
        if raw.logit is not None:
            logits = [raw.logit, *others.get(case.case, ())]
            raw = replace(raw, logit=case_logit(spec, logits, raw.mask, raw.level))
        yield raw


def logits_beside(spec: ModelSpec, model: Model, cases: Sequence[CohortCase]) -> Mapping[str, list[float]]:
    """Of each case the logits of the slices beside that of the finding, each in the middle of its stack."""
    first = spec.inputs[0]
    turned = [
        replace(case, place=place)
        for case in cases
        for place in beside(read_image(case.images.get(first.name) or case.images[""]), case.place, first)
    ]
    found: dict[str, list[float]] = defaultdict(list)
    if turned:
        said = answers_of(model, load_samples(spec, turned, taught=False))
        for case, raw in zip(turned, said, strict=True):
            if raw.logit is not None:
                found[case.case].append(raw.logit)
    return found
