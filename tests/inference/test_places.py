"""Taught by the place of a finding where nobody drew its outline."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from inference.cohorts.cases import BadCohort, read_cohort
from inference.cohorts.samples import Samples, load_samples
from inference.learning.losses import place_loss
from inference.learning.predicting import answers_of
from inference.learning.training import fit
from inference.spec import ModelSpec
from tests.inference.discs import located, write_discs


def by_place(**train: object) -> ModelSpec:
    losses = [{"kind": "bce"}, {"kind": "place", "weight": 4.0}]
    return located(losses=losses, **train)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """Boxes of 12 × 16 around the discs, no masks."""
    manifest = write_discs(tmp_path_factory.mktemp("places"), patients=30)
    rewrite(manifest, height="12", width="16")
    return load_samples(by_place(), read_cohort(manifest))


def rewrite(manifest: Path, **told: str) -> None:
    with manifest.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row.pop("mask")
        row |= told if row["truth"] == "1" else dict.fromkeys(told, "")
    with manifest.open("w", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def test_a_box_becomes_its_ellipse(samples: Samples) -> None:
    assert samples.mask is not None
    assert samples.positive is not None
    assert (samples.mask.flatten(1).amax(1) == samples.positive).all()
    for case, mask in zip(samples.cases, samples.mask[:, 0], strict=True):
        if case.place is not None:
            assert float(mask.sum()) == pytest.approx(math.pi / 4 * 12 * 16, rel=0.06)
            rows, columns = np.nonzero(mask.numpy())
            assert (rows.mean(), columns.mean()) == pytest.approx((case.place.row, case.place.column), abs=0.5)


def test_the_place_is_found_in_other_films(samples: Samples, tmp_path: Path) -> None:
    taught, others = samples.subset(range(40)), samples.subset(range(40, 60))
    model = fit(by_place(epochs=10), taught, None, tmp_path)
    hits = []
    for answer, case in zip(answers_of(model, others), others.cases, strict=True):
        if case.place is not None and answer.mask is not None:
            row, column = np.unravel_index(answer.mask.argmax(), answer.mask.shape)
            hits.append(abs(row - case.place.row) <= 6 and abs(column - case.place.column) <= 8)
    # By chance about one in six.
    assert np.mean(hits) > 0.8


def test_the_loss_by_hand() -> None:
    """One pixel inside at p = 1/2, one outside at p = 1/2: (10 ln 2 + ln 2) / 2."""
    found = place_loss(torch.zeros(1, 1, 1, 2), torch.tensor([[[[1.0, 0.0]]]]), 10.0)
    assert float(found) == pytest.approx(5.5 * math.log(2))


def test_a_positive_case_without_place_or_mask_is_named(tmp_path: Path) -> None:
    manifest = write_discs(tmp_path, patients=4)
    rewrite(manifest, height="12", width="")
    with pytest.raises(BadCohort, match="Case p0-1 has neither a mask nor a place"):
        load_samples(by_place(), read_cohort(manifest))
    with pytest.raises(BadCohort, match="Case p0-1 has no mask"):
        load_samples(located(), read_cohort(manifest))
