"""From manifest to table: the whole way on the command line, and what it refuses."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from inference.__main__ import main
from inference.cards import CARD, Card
from inference.cohorts.cases import CohortCase, read_cohort
from inference.cohorts.samples import load_samples
from inference.imaging.images import read_image
from inference.imaging.preparing import prepare
from inference.learning.predicting import Raw, answers, answers_to, stacked
from inference.models import registry
from inference.models.weights import load_declared
from inference.serving.answering import COLUMNS, answered
from inference.spec import ModelSpec
from tests.inference.discs import as_toml, unet, write_discs


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cases of development and control, and a model that is taught, not decided."""
    folder = tmp_path_factory.mktemp("world")
    write_discs(folder, patients=30)
    write_discs(folder, patients=15, role="control", seed=2, prefix="c")
    as_toml(unet(epochs=8), folder / "spec.toml")
    words = [str(folder / "spec.toml"), str(folder / "manifest.csv"), "--out", str(folder / "models")]
    assert main(["train", *words]) == 0
    return folder


@pytest.fixture(scope="module")
def frozen(world: Path) -> Path:
    assert main(["decide", str(world / "models" / "discs-unet"), "--certain", "0.9"]) == 0
    return world / "models" / "discs-unet" / "1"


@pytest.fixture(scope="module")
def table(world: Path, frozen: Path) -> list[dict[str, str]]:
    out = world / "answers"
    assert main(["predict", str(world / "manifest.csv"), "--model", str(frozen), "--out", str(out)]) == 0
    with (out / "predictions.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(words) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("inference: ")
    return told


def test_the_table_holds_every_control_case_at_the_frozen_decision(table: list[dict[str, str]], frozen: Path) -> None:
    card = Card.load(frozen)
    assert tuple(table[0]) == COLUMNS
    assert len(table) == 30
    for row in table:
        assert (row["role"], row["model"], row["version"], row["card_digest"]) == (
            "control",
            card.name,
            "1",
            card.digest,
        )
        assert int(row["positive"]) == (float(row["probability"]) >= card.threshold)
        assert len(row["probability"].partition(".")[2]) == 6
    truth, logit = ([float(row[name]) for row in table] for name in ("truth", "logit"))
    assert roc_auc_score(truth, logit) > 0.95
    assert roc_auc_score(truth, [float(row["probability"]) for row in table]) > 0.95


def test_masks_and_levels_lie_over_the_images(world: Path, table: list[dict[str, str]]) -> None:
    shares = []
    for row in table:
        mask = np.asarray(Image.open(world / "answers" / "masks" / f"{row['case']}.png"))
        level = np.asarray(Image.open(world / "answers" / "levels" / f"{row['case']}.png"))
        truth = np.asarray(Image.open(world / f"{row['case']}-mask.png")) > 0
        assert mask.shape == level.shape == truth.shape
        assert set(np.unique(level)) <= {0, 19, 20}
        if truth.any():
            shares.append(2 * (mask[truth] >= 128).sum() / ((mask >= 128).sum() + truth.sum()))
    assert np.mean(shares) > 0.5


def test_control_cases_wait_for_the_decision(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draft = str(world / "models" / "discs-unet" / "draft")
    words = ["predict", str(world / "manifest.csv"), "--model", draft, "--out", str(world / "early")]
    assert "case c0-0 is control" in refused(words, capsys)
    assert not (world / "early").exists()
    assert main([*words, "--roles", "develop"]) == 0


def test_cases_that_the_model_knows_are_no_control(
    world: Path, frozen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A patient of the training, and an image of it under another name."""
    header, first, *_ = (world / "manifest.csv").read_text().splitlines()
    for name, row, reason in (
        ("patient", first.replace("develop", "control"), "patient p0 stands in the model's"),
        ("image", first.replace("p0,develop", "stranger,control"), "image of p0-0 stands in the model's"),
    ):
        path = world / f"{name}.csv"
        path.write_text(f"{header}\n{row}\n")
        words = ["predict", str(path), "--model", str(frozen), "--out", str(tmp_path / name)]
        assert reason in refused(words, capsys)


def test_a_planted_patient_in_two_roles_stops_every_command_by_name(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (world / "manifest.csv").read_text().replace(",c3,control", ",p7,control")
    (world / "leak.csv").write_text(text)
    for command in ("train", "crossval"):
        words = [command, str(world / "spec.toml"), str(world / "leak.csv"), "--out", str(tmp_path)]
        assert "p7" in refused(words, capsys)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_card_changed_by_a_byte_answers_nothing(
    world: Path, frozen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "changed"
    folder.mkdir()
    for path in frozen.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    text = (folder / CARD).read_text()
    document = json.loads(text)
    threshold = str(document["spec"]["decision"]["threshold"])
    (folder / CARD).write_text(text.replace(threshold, str(float(threshold) / 2), 1))
    words = ["predict", str(world / "manifest.csv"), "--model", str(folder), "--out", str(tmp_path / "out")]
    assert "digest does not fit its content" in refused(words, capsys)


def test_alone_or_in_a_batch_within_a_hundred_thousandth(world: Path, frozen: Path) -> None:
    card, model = load_declared(frozen)
    cases = [case for case in read_cohort(world / "manifest.csv") if case.role == "control"][:9]
    prepared = [prepare(card.spec, {n: read_image(p) for n, p in case.images.items()}, None) for case in cases]
    samples = load_samples(card.spec, cases, taught=False)
    together, alone = list(answers(model, samples.inputs, 9)), list(answers_to(model, prepared, 1))
    for case, one, batched in zip(cases, alone, together, strict=True):
        single, of_many = (answered(card, case, raw, "d").probability for raw in (one, batched))
        assert single is not None
        assert of_many is not None
        assert abs(single - of_many) < 1e-5
        assert round(single, 6) == single
        assert np.abs(np.asarray(one.mask) - np.asarray(batched.mask)).max() < 1e-4
    assert stacked(prepared)["AP"].shape == (9, 1, 32, 32)


def test_the_band_is_told_beside_the_answer(frozen: Path) -> None:
    card = Card.load(frozen)
    case = CohortCase("a", "p", "control", "A", {}, None)
    low, high = card.decision.abstain or (card.threshold, card.threshold)
    for logit in np.linspace(-3, 9, 40):
        found = answered(card, case, Raw(float(logit)), "d")
        assert found.probability is not None
        assert found.uncertain == (low <= found.probability < high)
    assert answered(card, case, Raw(), "d").probability is None


def test_a_volume_comes_back_on_its_own_grid(tmp_path: Path) -> None:
    """Slices, rows and columns of the mask are those of the image, as the reader of volumes sees both."""
    import nibabel as nib

    from inference.serving.answering import write_map

    values = np.zeros((3, 40, 36), np.uint8)
    values[1, 5:9, 20:31] = 200
    image = np.random.default_rng(0).normal(0, 100, (36, 40, 3)).astype(np.int16)
    nib.save(nib.Nifti1Image(image, np.diag([-0.8, -0.8, 3.0, 1.0])), tmp_path / "ct.nii.gz")
    case = CohortCase("a", "p", "control", "A", {"": tmp_path / "ct.nii.gz"}, None)
    write_map(tmp_path / "masks", case, values)
    again, original = read_image(tmp_path / "masks" / "a.nii.gz"), read_image(tmp_path / "ct.nii.gz")
    assert again.spacing == pytest.approx(original.spacing)
    assert np.array_equal(again.values, values)


def test_a_card_as_a_page(world: Path, frozen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = Card.load(frozen)
    for name in ("card.md", "card.html"):
        assert main(["card", str(frozen), "--out", str(tmp_path / name)]) == 0
        page = (tmp_path / name).read_text()
        for words in (
            card.digest,
            card.weights_sha256,
            card.decision.fitted_on,
            f"{card.parameters:,}",
            f"{card.macs:,}",
            f"{card.threshold:g}",
            "12 tuning cases of development",
            f"{card.metrics['tuning']['auc']:.3f}",
            "Assistance in reader studies",
            "T12, L1",
        ):
            assert words in page
    assert "<script" not in (tmp_path / "card.html").read_text()
    assert "ends neither in" in refused(["card", str(frozen), "--out", str(tmp_path / "card.pdf")], capsys)
    draft = world / "models" / "discs-unet" / "draft"
    assert main(["card", str(draft), "--out", str(tmp_path / "draft.html")]) == 0
    assert "nothing is decided" in (tmp_path / "draft.html").read_text()


def test_faults_end_with_a_sentence(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, manifest, out = str(world / "spec.toml"), str(world / "manifest.csv"), ["--out", str(tmp_path / "out")]
    (world / "none.csv").write_text("case,patient,role,file\na,p,external,p0-0.png\n")
    (world / "lost.csv").write_text("case,patient,role,file\na,p,external,lost.png\n")
    for words, reason in (
        (["train", "s9-unknown", manifest, *out], "s9-unknown"),
        (["train", spec, manifest, *out, "--preset", "large"], "has no such preset"),
        (["train", spec, str(world / "none.csv"), *out], "has no case of the role develop"),
        (["train", spec, str(world / "lost.csv"), *out], "lost.png"),
        (["train", spec, manifest, *out, "--epochs", "0"], "train.epochs: 0 is not at least 1"),
        (["train", spec, manifest, *out, "--weights", str(world / "no.safetensors")], "train.weights"),
        (["refit", spec, manifest, *out], "cross-validate first"),
        (["decide", str(tmp_path)], "holds no draft: name the folder of a model"),
        (["predict", manifest, manifest, "--model", str(tmp_path), *out], "One manifest"),
        (["predict", str(world / "p0-0.png"), "--model", str(tmp_path), *out], "One manifest (.csv) is wanted"),
        (["predict", manifest, "--model", str(tmp_path)], "is a manifest; say with --out"),
        (
            ["predict", manifest, "--model", str(world / "models" / "discs-unet"), *out],
            "holds no card.json; name one of the versions in it: ",
        ),
    ):
        assert reason in refused(words, capsys)


def test_crossval_refit_and_decide_end_in_a_version(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(world / "spec.toml"), str(world / "manifest.csv"), "--out", str(tmp_path), "--epochs", "4"]
    assert main(["crossval", *words, "--folds", "3"]) == 0
    assert "60 cases in 3 folds" in capsys.readouterr().out
    assert main(["refit", *words]) == 0
    assert main(["decide", str(tmp_path / "discs-unet"), "--calibration", "temperature"]) == 0
    card = Card.load(tmp_path / "discs-unet" / "1")
    assert card.metrics["out-of-fold"]["n"] == 60
    assert card.data["training"]["patients"] == 30
    with (tmp_path / "discs-unet" / "1" / "oof.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    area = roc_auc_score([int(row["truth"]) for row in rows], [float(row["logit"]) for row in rows])
    assert card.metrics["out-of-fold"]["auc"] == pytest.approx(area, abs=1e-6)
    page = (tmp_path / "discs-unet" / "curves.html").read_text()
    assert all(f"fold-{number}: Dice" in page for number in (1, 2, 3))


@pytest.mark.parametrize("name", registry.studies())
def test_multiplications_are_counted_for_every_study(name: str) -> None:
    from inference.learning.drafts import macs_of

    spec = registry.load(name, "small")
    assert isinstance(spec, ModelSpec)
    assert macs_of(spec, registry.build(spec)) > 1e6
