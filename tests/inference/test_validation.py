"""Out of fold: every patient once, no leak, nothing learnt from shuffled truths; a killed one goes on by folds."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inference.cohorts.cases import BadCohort, read_cohort
from inference.cohorts.samples import Samples, load_samples
from inference.deciding.logits import BadLogits, CaseLogit, read_logits, write_logits
from inference.learning.history import read_history
from inference.learning.validation import (
    assert_tested_once,
    check_predictions,
    crossval,
    epochs_for,
    fixed_split,
    pooled_area,
    refit,
)
from inference.models import registry
from inference.outputs import Probability
from inference.spec import ModelSpec
from tests.inference.discs import blind, specification, write_discs


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return load_samples(blind(), read_cohort(write_discs(tmp_path_factory.mktemp("discs"), patients=30)))


@pytest.fixture(scope="module")
def folded(samples: Samples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folds")
    crossval(blind(epochs=6), samples, folder, 4)
    return folder


def test_every_patient_is_tested_in_one_fold(samples: Samples, folded: Path) -> None:
    rows = read_logits(folded / "oof.csv")
    assert [row.case for row in rows] == [case.case for case in samples.cases]
    folds = defaultdict(set)
    for row in rows:
        folds[row.patient].add(row.fold)
    assert len(folds) == 30
    assert all(len(numbers) == 1 for numbers in folds.values())
    assert {row.fold for row in rows} == {1, 2, 3, 4}
    area = pooled_area(rows)
    assert area is not None
    assert area > 0.95


def test_folds_that_are_done_are_not_done_again(samples: Samples, folded: Path) -> None:
    """The second fold is as a kill leaves it; the others keep their very files."""
    before = (folded / "oof.csv").read_bytes()
    stamps = {number: (folded / f"fold-{number}" / "logits.csv").stat().st_mtime_ns for number in (1, 2, 3, 4)}
    (folded / "fold-2" / "done").unlink()
    crossval(blind(epochs=6), samples, folded, 4)
    assert (folded / "oof.csv").read_bytes() == before
    for number, stamp in stamps.items():
        again = (folded / f"fold-{number}" / "logits.csv").stat().st_mtime_ns
        assert (again == stamp) == (number != 2)


@pytest.mark.parametrize("recipe", ["", "s0-mnasnet", "s0-efficientnet", "s4-2d", "s2-single", "s3-pfnet"])
def test_nothing_is_learnt_from_shuffled_truths(samples: Samples, recipe: str, tmp_path: Path) -> None:
    """Mean of three shufflings, for every family of networks."""
    assert samples.positive is not None
    spec = small_network(recipe) if recipe else blind(epochs=3)
    areas = []
    for seed in range(3):
        order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(seed))
        truth = samples.positive[order]
        cases = tuple(replace(case, positive=bool(one)) for case, one in zip(samples.cases, truth, strict=True))
        shuffled = replace(samples, cases=cases, positive=truth)
        area = pooled_area(crossval(spec, shuffled, tmp_path / str(seed), 2 if recipe else 4))
        assert area is not None
        areas.append(area)
    assert np.mean(areas) == pytest.approx(0.5, abs=0.12)


def small_network(recipe: str) -> ModelSpec:
    """The network of a study's small preset on the discs, taught labels alone."""
    spec = registry.load(recipe, "small")
    (probability,) = [one for one in blind().outputs if isinstance(one, Probability)]
    mask = [{"kind": "mask", "target": "disc"}] if spec.family in ("unet", "pfnet") else []
    return specification(
        spec.family,
        dict(spec.architecture),
        [{"kind": "probability", **vars(probability)}, *mask],
        {"losses": [{"kind": "bce"}], "epochs": 2, "rate": 1e-3},
    )


def test_tuning_and_training_share_no_patient(samples: Samples) -> None:
    train, tune = fixed_split(blind(), samples)
    assert {case.patient for case in train.cases}.isdisjoint(case.patient for case in tune.cases)
    assert len(train) + len(tune) == 60
    assert len(tune) == pytest.approx(12, abs=2)


def test_one_image_of_two_patients_is_refused_by_name(samples: Samples, tmp_path: Path) -> None:
    copies = replace(
        samples,
        cases=tuple(replace(case, case=f"copy-{case.case}", patient=f"copy-{case.patient}") for case in samples.cases),
    )
    both = samples.subset(range(60))
    both = replace(
        both,
        cases=both.cases + copies.cases,
        inputs={name: torch.cat([tensor, tensor]) for name, tensor in both.inputs.items()},
        positive=None if both.positive is None else torch.cat([both.positive, both.positive]),
        digests=both.digests * 2,
        image_digests=both.image_digests * 2,
        geometries=both.geometries * 2,
    )
    with pytest.raises(BadCohort, match=r"copy-p.* are the same image"):
        crossval(blind(), both, tmp_path, 4)


def test_a_patient_in_two_test_parts_is_refused(samples: Samples) -> None:
    first, second, rest = np.array([0]), np.array([1]), np.arange(2, 60)
    with pytest.raises(BadCohort, match="patient p0 stands in more than one"):
        assert_tested_once(samples.cases, [(rest, first), (rest, second)])
    with pytest.raises(BadCohort, match="no test part"):
        assert_tested_once(samples.cases, [(rest, np.array([0, 1]))])


def test_the_final_model_runs_as_long_as_the_folds_said(samples: Samples, tmp_path: Path) -> None:
    spec = blind(epochs=12, patience=2, select="loss", schedule="constant")
    crossval(spec, samples, tmp_path / "folds", 3)
    best = []
    for number in (1, 2, 3):
        losses = [line.tune_loss for line in read_history(tmp_path / "folds" / f"fold-{number}" / "history.jsonl")]
        best.append(int(np.argmin(np.array(losses, dtype=float))) + 1)
    assert epochs_for(spec, tmp_path / "folds") == sorted(best)[1]
    final, model = refit(spec, samples, tmp_path / "final", tmp_path / "folds")
    assert (final.train.epochs, final.train.patience) == (sorted(best)[1], 0)
    assert len(read_history(tmp_path / "final" / "history.jsonl")) == sorted(best)[1]
    assert not model.training
    with pytest.raises(BadCohort, match="no cross-validation"):
        epochs_for(spec, tmp_path / "nowhere")


def test_predictions_of_other_cases_are_refused(samples: Samples, folded: Path, tmp_path: Path) -> None:
    check_predictions(folded / "oof.csv", samples)
    with pytest.raises(BadCohort, match="Case p29-1 stands in the predictions alone"):
        check_predictions(folded / "oof.csv", samples.subset(range(59)))
    with pytest.raises(BadCohort, match="cross-validate first"):
        check_predictions(tmp_path / "oof.csv", samples)


def test_logits_read_again_are_the_logits(tmp_path: Path) -> None:
    rows = (CaseLogit("a", "p, 1", 1, True, -1.25), CaseLogit("b", "q", 0, None, None))
    write_logits(tmp_path / "oof.csv", rows)
    assert read_logits(tmp_path / "oof.csv") == rows
    for text, reason in (
        ("case,patient\na,b\n", "no column fold, truth, logit"),
        ("case,patient,fold,truth,logit\na,p,1,yes,0\n", "row 2, column truth: 'yes'"),
        ("case,patient,fold,truth,logit\na,p,1,1,high\n", "row 2: could not convert"),
        ("", "has no rows"),
    ):
        (tmp_path / "oof.csv").write_text(text)
        with pytest.raises(BadLogits, match=reason):
            read_logits(tmp_path / "oof.csv")
