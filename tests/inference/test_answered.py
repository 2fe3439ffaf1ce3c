"""What a model with a specification says of stored cases: one function for one, many and a worker; bad input told."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image as Picture

from inference.cards import CARD, WEIGHTS, Card
from inference.deciding.calibration import calibrated
from inference.imaging.images import image_of
from inference.imaging.preparing import prepare
from inference.models import registry
from inference.models.weights import load_declared, save_weights
from inference.outputs import Decision, Platt
from inference.predict import answers_to
from inference.prediction import Frame, Item, Place, Prediction, Request, Series
from inference.serving.export import RECORD
from inference.serving.trial import trials
from readerstudy.cases import frames

DECISION = Decision(Platt(1.5, -0.2), 0.4, "youden", "0" * 64, 40, abstain=(0.3, 0.5))
Made = Callable[[str], Path]
pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Folder of a small model of a study whose normalisations have seen images."""

    def make(study: str) -> Path:
        torch.set_num_threads(1)
        spec = registry.load(study, "small")
        model = registry.build(spec)
        with torch.no_grad():
            for _ in range(8):
                model({name: torch.from_numpy(array) for name, array in trials(spec, 3, seed=5).items()})
        folder = tmp_path_factory.mktemp(study)
        words = {"licence": "CC0-1.0", "intended_use": "tests", "limits": "none"}
        weights = save_weights(model.eval(), folder, spec)
        Card("1", weights, {}, {}, **words, spec=spec.frozen(DECISION)).save(folder)
        return folder

    return make


def stored(folder: Path, name: str, pixels: NDArray[np.uint16], **facts: object) -> Frame:
    content = frames.encode(pixels)
    path = folder / f"{name}.f16"
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return Frame(path.as_uri(), digest, *pixels.shape, spacing=(0.5, 0.5), **facts)  # type: ignore[arg-type]


def stack(folder: Path, name: str, modality: str, count: int, size: int = 64, seed: int = 0) -> Series:
    chance = np.random.default_rng(seed)
    across = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    planes = tuple(
        stored(
            folder,
            f"{name}{number}",
            chance.normal(1200, 250, (size, size)).clip(0).astype(np.uint16),
            intercept=-1000.0 if modality == "CT" else 0.0,
            origin=(0.0, 0.0, 2.0 * number),
            orientation=across,
        )
        for number in range(count)
    )
    return Series(name, modality, planes)


def request_for(folder: Path, *items: Item) -> Request:
    digest = Card.read(folder).digest
    return Request((folder / CARD).as_uri(), (folder / WEIGHTS).as_uri(), digest, True, items)


def outcomes(request: Request) -> list[Prediction | str]:
    return [outcome for _, outcome in answers_to(request)]


def said(request: Request) -> Prediction:
    (outcome,) = outcomes(request)
    assert isinstance(outcome, Prediction), outcome
    return outcome


def by_torch(folder: Path, item: Item) -> float:
    """The probability without the runtimes: the network itself, over the same preparation."""
    card, model = load_declared(folder)
    images = {one.name: image_of(series.frames) for one, series in zip(card.spec.inputs, item.series, strict=True)}
    prepared = prepare(card.spec, images, item.place)  # type: ignore[arg-type]
    with torch.inference_mode():
        answer = model({name: torch.from_numpy(array[None]) for name, array in prepared.inputs.items()})
    assert answer.logit is not None
    return float(calibrated(DECISION.calibration, np.array([float(answer.logit)]))[0])


def test_a_film_is_answered_with_probability_mask_levels_and_heat_map(made: Made, cache: Path, tmp_path: Path) -> None:
    folder = made("s2-multitask")
    chance = np.random.default_rng(3)
    film = stored(tmp_path, "film", chance.normal(1500, 300, (400, 260)).clip(0, 4095).astype(np.uint16))
    item = Item("p", "l", "i" * 64, (Series("", "DX", (film,)),))
    answer = said(request_for(folder, item))
    assert answer.probability == pytest.approx(by_torch(folder, item), abs=1e-4)
    assert answer.positive == (answer.probability >= DECISION.threshold)
    assert answer.abstain == (0.3, 0.5)
    assert answer.masks is not None and answer.vertebrae is not None
    (heatmap,) = answer.heatmaps or ()
    with Picture.open(io.BytesIO(heatmap.content)) as picture:
        assert picture.mode == "L"
        assert picture.width / picture.height == pytest.approx(260 / 400, abs=0.01)
    assert set(answer.seconds) == {"load", "preprocess", "forward", "post", "explain"}
    assert (answer.device, answer.card_digest) == ("cpu", Card.read(folder).digest)
    assert answer.runtime in answer.versions
    # Kept on this machine under its digest, exported once.
    assert (cache / answer.card_digest / RECORD).is_file()
    again = said(request_for(folder, item))
    assert replace(again, seconds=answer.seconds) == answer


def test_two_sequences_are_found_by_name_and_a_missing_one_is_named(made: Made, tmp_path: Path) -> None:
    folder = made("s1-resnet50")
    t1, t2 = (stack(tmp_path, name, "MR", 5, seed=seed) for seed, name in enumerate(("T1W", "T2W")))
    place = Place(2.0, 30.0, 31.0, 24.0, 26.0)
    whole = Item("p", "l", "i" * 64, (t1, t2), place)
    turned, alone = replace(whole, series=(t2, t1)), replace(whole, series=(t1,))
    nowhere = replace(whole, place=None)
    outside = replace(whole, place=replace(place, slice=7.0))
    first, second, third, fourth, fifth = outcomes(request_for(folder, whole, turned, alone, nowhere, outside))
    assert isinstance(first, Prediction) and isinstance(second, Prediction)
    assert first.probability == pytest.approx(by_torch(folder, whole), abs=1e-4)
    assert second.probability == pytest.approx(first.probability, abs=1e-5)
    assert third == "The case lacks T2W; the model reads T1W, T2W."
    assert isinstance(fourth, str) and "finding" in fourth
    assert (
        fifth == "The place of the finding (slice 7, row 30, column 31) lies outside the image of 5 × 64 × 64 voxels."
    )
    (heatmap,) = first.heatmaps or ()
    assert (heatmap.series, heatmap.slice) == (0, 2)
    (heatmap,) = second.heatmaps or ()
    assert (heatmap.series, heatmap.slice) == (1, 2)


def test_a_volume_has_heat_maps_on_its_own_slices(made: Made, tmp_path: Path) -> None:
    folder = made("s4-3d")
    volume = stack(tmp_path, "", "CT", 24)
    item = Item("p", "l", "i" * 64, (volume,), Place(12.0, 32.0, 32.0, 20.0, 20.0))
    answer = said(request_for(folder, item))
    assert answer.probability == pytest.approx(by_torch(folder, item), abs=1e-4)
    slices = [plane.slice for plane in answer.heatmaps or ()]
    assert slices == sorted(set(slices))
    assert set(slices) <= set(range(24))
    assert Prediction.from_message(answer.to_message()) == answer


def test_damaged_and_unreadable_cases_do_not_take_the_others_with_them(made: Made, tmp_path: Path) -> None:
    folder = made("s0-mobilenet")
    chance = np.random.default_rng(1)
    good = stored(tmp_path, "good", chance.normal(1500, 300, (90, 70)).clip(0).astype(np.uint16))
    flat = stored(tmp_path, "flat", np.full((90, 70), 9, np.uint16))
    gone = replace(good, uri=(tmp_path / "gone.f16").as_uri())
    damaged = replace(good, sha256="0" * 64)
    cut = tmp_path / "cut.f16"
    cut.write_bytes((tmp_path / "good.f16").read_bytes()[:-20])
    shorter = replace(good, uri=cut.as_uri(), sha256=hashlib.sha256(cut.read_bytes()).hexdigest())
    items = [Item("p", "l", "i", (Series("", "DX", (frame,)),)) for frame in (good, flat, gone, damaged, shorter, good)]
    items.append(Item("p", "l", "i", (Series("", "CT", (good,)),)))
    first, second, third, fourth, fifth, sixth, seventh = outcomes(request_for(folder, *items))
    assert second == "The image has one grey value only."
    assert isinstance(third, str) and third.startswith("A stored file cannot be fetched")
    assert fourth == "A stored frame is damaged: its SHA-256 differs from the one recorded at import."
    assert isinstance(fifth, str) and "stored frame" in fifth
    assert seventh == "The case lacks lateral; the model reads lateral."
    assert isinstance(first, Prediction) and isinstance(sixth, Prediction)
    assert replace(first, seconds={}) == replace(sixth, seconds={})


def test_what_this_machine_keeps_is_checked_and_fetched_anew(made: Made, cache: Path, tmp_path: Path) -> None:
    folder = made("s0-mnasnet")
    pixels = np.random.default_rng(1).normal(1500, 300, (90, 70)).clip(0).astype(np.uint16)
    request = request_for(folder, Item("p", "l", "i", (Series("", "DX", (stored(tmp_path, "film", pixels),)),)))
    kept = cache / request.card_digest
    kept.mkdir()
    for name in (CARD, WEIGHTS):
        (kept / name).write_bytes((folder / name).read_bytes()[:-1])
    assert isinstance(outcomes(request)[0], str)
    assert isinstance(outcomes(request)[0], Prediction)
    wrong = replace(request, card_digest="0" * 64)
    assert outcomes(wrong) == ["The card in the storage is not the one that was registered: its digest differs."]
