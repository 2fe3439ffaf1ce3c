"""Every slice in the middle of its stack: which slices, what is said of them, and the table."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from inference.cards import Card
from inference.cohorts.cases import CohortCase
from inference.cohorts.samples import load_samples
from inference.deciding.logits import CaseLogit, read_logits, write_logits
from inference.imaging.images import read_image
from inference.imaging.preparing import prepare
from inference.learning.predicting import answers_to
from inference.learning.slices import answers_by_slice, around_each, reads_neighbours
from inference.models import registry
from inference.serving.answering import COLUMNS, SLICES, Answered, answer_slices
from inference.spec import ModelSpec
from tests.inference.settled import folder_with, scanned, settled


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> CohortCase:
    return scanned(tmp_path_factory.mktemp("mr"))


def numbers(spec: ModelSpec, case: CohortCase) -> list[float]:
    return [one.place.slice for one in around_each(spec, case) if one.place is not None]


def test_the_slices_are_those_of_the_stack_and_lie_in_the_image(case: CohortCase) -> None:
    spec = registry.load("s1-resnet50", "small")
    assert read_image(case.images["T1W"]).shape[0] == 6
    assert numbers(spec, case) == [2, 3, 4]
    assert case.place is not None
    assert numbers(spec, replace(case, place=replace(case.place, slice=0.0))) == [0, 1]
    assert numbers(spec, replace(case, place=None)) == [1, 2, 3]
    apart = tuple(replace(one, apart=8.0) for one in spec.inputs)
    assert numbers(replace(spec, inputs=apart), case) == [1, 3, 5]


@pytest.mark.parametrize(("study", "several"), [("s1-resnet50", True), ("s4-25d", True), ("s4-2d", False),
                                                ("s4-3d", False), ("s0-mobilenet", False)])  # fmt: skip
def test_films_single_slices_and_volumes_have_none(study: str, several: bool) -> None:
    assert reads_neighbours(registry.load(study, "small")) == several


def test_each_is_answered_as_if_the_finding_lay_there(case: CohortCase) -> None:
    spec, model = settled("s1-resnet50")
    images = {name: read_image(path) for name, path in case.images.items()}
    assert case.place is not None
    found = answers_by_slice(spec, model, [case])
    assert [(one.case, number) for one, number, _ in found] == [("c1", 2), ("c1", 3), ("c1", 4)]
    for one, number, raw in found:
        assert one == case
        (alone,) = answers_to(model, [prepare(spec, images, replace(case.place, slice=float(number)))])
        assert raw.logit == pytest.approx(alone.logit, abs=1e-5)
    assert len({raw.logit for *_, raw in found}) == 3
    assert answers_by_slice(spec, model, []) == []


def test_the_table_has_a_row_for_each_at_the_frozen_decision(case: CohortCase, tmp_path: Path) -> None:
    spec, model = settled("s1-resnet50")
    card = Card.load(folder_with(tmp_path / "model", spec, model))
    samples = load_samples(spec, [case], taught=False)
    known = Answered(replace(case, case="c0"), 1.0, 0.9, True, False, "d", 0.0, fold=2, slice=7)
    rows = answer_slices(card, model, samples, tmp_path, besides=[known])
    with (tmp_path / SLICES).open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert tuple(table[0]) == (*COLUMNS, "slice")
    assert [(row["case"], row["slice"], row["fold"]) for row in table] == [
        ("c0", "7", "2"), ("c1", "2", ""), ("c1", "3", ""), ("c1", "4", ""),
    ]  # fmt: skip
    for row, said in zip(table, rows, strict=True):
        assert float(row["logit"]) == said.logit
        assert int(row["positive"]) == (float(row["probability"]) >= card.threshold)
        assert row["input_digest"] in ("d", samples.digests[0])


def test_no_table_without_slices(tmp_path: Path) -> None:
    spec, model = settled("s0-mobilenet")
    card = Card.load(folder_with(tmp_path / "model", spec, model))
    assert answer_slices(card, model, None, tmp_path / "out") == ()
    assert not (tmp_path / "out").exists()


def test_logits_of_slices_read_again_are_the_same(tmp_path: Path) -> None:
    rows = (CaseLogit("a", "p", 1, True, 0.25, 3), CaseLogit("a", "p", 1, True, -0.5, 4))
    write_logits(tmp_path / "slices.csv", rows)
    assert read_logits(tmp_path / "slices.csv") == rows
