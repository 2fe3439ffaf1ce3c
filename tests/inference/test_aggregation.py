"""From slices and vertebrae to the case: the same in a cohort and in a worker, joined as the specification says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.cohorts.cases import CohortCase
from inference.cohorts.samples import load_samples
from inference.learning.slices import answers_by_case, answers_by_slice
from inference.measures.aggregation import case_logit
from inference.measures.vertebrae import body_logit
from inference.models import registry
from inference.prediction import Item, Place
from inference.spec import Aggregate
from tests.inference.settled import DECISION, folder_with, scanned, settled
from tests.inference.test_answered import request_for, said, stack

WAYS: tuple[Aggregate, ...] = ("none", "max_slice", "mean_slice")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> CohortCase:
    return scanned(tmp_path_factory.mktemp("mr"))


@pytest.mark.parametrize("slice", [3.0, 0.0])
def test_a_case_of_a_cohort_has_the_highest_or_the_mean_of_its_slices(case: CohortCase, slice: float) -> None:
    assert case.place is not None
    at_the_edge = replace(case, place=replace(case.place, slice=slice))
    spec, model = settled("s1-resnet50")
    logits = [raw.logit for *_, raw in answers_by_slice(spec, model, [at_the_edge])]
    known = [logit for logit in logits if logit is not None]
    # Beyond the volume there is no slice.
    assert len(known) == (3 if slice else 2)
    samples = load_samples(spec, [at_the_edge], taught=False)
    found = [next(answers_by_case(replace(spec, aggregate=way), model, samples)).logit for way in WAYS]
    own = known[1] if slice else known[0]
    assert found == pytest.approx([own, max(known), float(np.mean(known))], abs=1e-5)
    assert len({round(one, 4) for one in known}) == len(known)


@pytest.mark.usefixtures("cache")
def test_a_worker_says_the_same_of_stored_slices(tmp_path: Path) -> None:
    spec, model = settled("s1-resnet50")
    folders = {way: folder_with(tmp_path / way, replace(spec, aggregate=way), model) for way in WAYS}
    series = tuple(stack(tmp_path, name, "MR", 6, seed=seed) for seed, name in enumerate(("T1W", "T2W")))
    place = Place(3.0, 30.0, 31.0, 24.0, 26.0)
    items = [Item("p", "l", "i" * 64, series, replace(place, slice=at)) for at in (3.0, 2.0, 4.0)]
    alone = [said(request_for(folders["none"], item)).probability for item in items]
    # Undoes Platt's slope of 1.5 and intercept of -0.2.
    logits = (np.log(alone) - np.log1p(-np.array(alone)) + 0.2) / 1.5
    highest, mean = (said(request_for(folders[way], items[0])) for way in ("max_slice", "mean_slice"))
    assert highest.probability == pytest.approx(max(alone), abs=1e-5)
    assert highest.positive == (highest.probability >= DECISION.threshold)
    assert mean.probability == pytest.approx(1 / (1 + np.exp(0.2 - 1.5 * logits.mean())), abs=1e-5)


def test_the_highest_vertebra_speaks_for_the_case_and_the_network_where_it_names_none() -> None:
    spec = replace(registry.load("s2-multitask", "small"), aggregate="max_vertebra")
    size = (60, 40)
    level = np.zeros((1 + 3, *size), np.float32)
    level[1, 5:20, 8:30] = level[2, 25:40, 8:30] = 1
    level[0] = 1 - level[1:].sum(axis=0)
    mask = np.where(level[2] > 0, 0.9, 0.1).astype(np.float32)
    assert case_logit(spec, [-3.0], mask, level) == pytest.approx(np.log(9), abs=1e-5)
    level[0], level[1:] = 1, 0
    assert case_logit(spec, [-3.0], mask, level) == -3.0


def test_certainty_has_a_finite_logit() -> None:
    assert [-body_logit(0.0), body_logit(1.0)] == pytest.approx([np.log(1e6 - 1)] * 2, rel=1e-9)
