"""A card and its weights: every byte counts."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from inference.cards import CARD, TUNING, WEIGHTS, Card, CardError, sha256_of
from inference.models.weights import load_declared


@pytest.fixture
def model(trained: tuple[Path, Card], tmp_path: Path) -> Path:
    for name in (CARD, WEIGHTS):
        shutil.copy(trained[0] / name, tmp_path / name)
    return tmp_path


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_a_card_read_again_is_the_card(model: Path, trained: tuple[Path, Card]) -> None:
    assert Card.load(model) == trained[1]
    assert Card.load(model).digest == trained[1].digest


def test_the_card_tells_what_must_be_known(trained: tuple[Path, Card]) -> None:
    document = trained[1].to_document()
    decision = document["spec"]["decision"]
    assert decision["fitted_on"] == document["predictions_sha256"] == sha256_of(trained[0] / TUNING)
    assert decision["threshold"] == trained[1].threshold
    assert document["spec"]["train"]["seed"] == 3
    assert document["data"]["training"]["patients"] + document["data"]["tuning"]["patients"] == 20
    assert document["metrics"]["tuning"]["auc_low"] <= document["metrics"]["tuning"]["auc"]
    assert document["weights_sha256"] == sha256_of(trained[0] / WEIGHTS)
    assert document["licence"] == "for research"
    assert trained[1].labels == ("no disc", "disc")


def test_no_changed_byte_of_the_card_is_accepted(model: Path, trained: tuple[Path, Card]) -> None:
    """White space aside, which carries nothing."""
    original = (model / CARD).read_bytes()
    chance = np.random.default_rng(0)
    for at in chance.choice(len(original), 150, replace=False):
        if original[at : at + 1].isspace():
            continue
        flip(model / CARD, int(at))
        with pytest.raises(CardError):
            Card.load(model)
        (model / CARD).write_bytes(original)
    assert Card.load(model) == trained[1]


def test_no_changed_byte_of_the_weights_is_accepted(model: Path) -> None:
    original = (model / WEIGHTS).read_bytes()
    for at in (0, 9, len(original) // 2, len(original) - 1):
        flip(model / WEIGHTS, at)
        with pytest.raises(CardError, match="SHA-256 differs"):
            Card.load(model)
        (model / WEIGHTS).write_bytes(original)


def test_a_pickle_is_refused_even_under_its_own_digest(model: Path) -> None:
    (model / WEIGHTS).write_bytes(b"\x80\x05\x95" + bytes(200))
    document = json.loads((model / CARD).read_text())
    document.pop("digest")
    document["weights_sha256"] = sha256_of(model / WEIGHTS)
    Card.from_document(document).save(model)
    with pytest.raises(CardError, match="no safetensors"):
        Card.load(model)


def test_weights_of_another_architecture_are_refused(model: Path) -> None:
    document = json.loads((model / CARD).read_text())
    document.pop("digest")
    document["spec"]["architecture"]["widths"] = [8, 12, 20]
    Card.from_document(document).save(model)
    with pytest.raises(CardError, match="not made for the specification"):
        load_declared(model)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"digest": 1}', "\xff", '{"digest": "x", "name": "only"}'])
def test_what_is_no_card_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / CARD).write_text(text, encoding="latin-1")
    with pytest.raises(CardError, match=r"\.$"):
        Card.read(tmp_path)


def test_missing_files_are_named(tmp_path: Path, model: Path) -> None:
    with pytest.raises(CardError, match="card cannot be read"):
        Card.load(tmp_path / "nowhere")
    (model / WEIGHTS).unlink()
    with pytest.raises(CardError, match=r"no weights\.safetensors beside the card"):
        Card.load(model)
