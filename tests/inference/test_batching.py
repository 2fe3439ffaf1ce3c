"""Cases asked together: one forward pass, and what it says of each is what is said of it alone."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Picture

from inference.cards import CARD, WEIGHTS, Card
from inference.models import registry
from inference.outputs import Decision
from inference.predict import answers_to
from inference.prediction import Frame, Item, Plane, Prediction, Request, Series
from inference.serving.batching import BATCH, asked, at_once
from inference.serving.running import Answer, Runtime
from inference.serving.trial import noise
from readerstudy.cases import frames
from tests.inference.settled import DECISION, folder_with, settled

NINE = 9
BANDED: Decision = replace(DECISION, abstain=(0.3, 0.5))
pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture(scope="module", params=["classifier", "s3-basic-unet", "s2-multitask"])
def folder(
    request: pytest.FixtureRequest, trained: tuple[Path, Card], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    if request.param == "classifier":
        return trained[0]
    spec, model = settled(request.param)
    return folder_with(tmp_path_factory.mktemp(request.param), spec, model, BANDED)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Item, ...]:
    folder, chance = tmp_path_factory.mktemp("films"), np.random.default_rng(4)
    items = []
    for number in range(NINE):
        rows, columns = (int(side) for side in chance.integers(120, 260, 2))
        waves = np.sin(np.arange(rows)[:, None] / (9 + number)) * np.cos(np.arange(columns) / 13)
        pixels = (1500 + 700 * waves + chance.normal(0, 120, (rows, columns))).clip(0).astype(np.uint16)
        content = frames.encode(pixels)
        path = folder / f"{number}.f16"
        path.write_bytes(content)
        frame = Frame(path.as_uri(), hashlib.sha256(content).hexdigest(), rows, columns, spacing=(0.7, 0.7))
        items.append(Item(f"p{number}", "lease", f"{number}" * 8, (Series("", "DX", (frame,)),)))
    return tuple(items)


def request_for(folder: Path, *items: Item) -> Request:
    names = ((folder / CARD).as_uri(), (folder / WEIGHTS).as_uri())
    return Request(*names, Card.read(folder).digest, True, items)


def said(request: Request) -> list[Prediction | str]:
    return [outcome for _, outcome in answers_to(request)]


def greys(planes: tuple[Plane, ...] | None) -> Iterator[NDArray[np.int16]]:
    for plane in planes or ():
        with Picture.open(io.BytesIO(plane.content)) as picture:
            yield np.asarray(picture, np.int16)


def assert_one_record(one: Prediction | str, other: Prediction | str) -> None:
    """Probabilities within a hundred-thousandth, masks within a grey of 255, all else to the byte."""
    assert isinstance(one, Prediction), one
    assert isinstance(other, Prediction), other
    assert abs(one.probability - other.probability) < 1e-5
    for ours, theirs in zip(greys(one.masks), greys(other.masks), strict=True):
        assert np.abs(ours - theirs).max() <= 1
    for body, same in zip(one.vertebrae or (), other.vertebrae or (), strict=True):
        assert (body.level, body.slice) == (same.level, same.slice)
        assert abs(body.probability - same.probability) < 1e-5
    left = {"probability": 0.5, "positive": True, "operating_point": 0.4, "abstain": None}
    left |= {"masks": None, "vertebrae": None, "seconds": {}}
    assert replace(one, **left) == replace(other, **left)  # type: ignore[arg-type]


def test_alone_in_a_batch_of_nine_and_twice_at_once_give_one_record(folder: Path, films: tuple[Item, ...]) -> None:
    together = said(request_for(folder, *films))
    alone = [said(request_for(folder, film))[0] for film in films]
    with ThreadPoolExecutor(2) as threads:
        twice = list(threads.map(said, [request_for(folder, *films)] * 2))
    for one, *others in zip(together, alone, *twice, strict=True):
        for other in others:
            assert_one_record(one, other)
    assert len({one.probability for one in together if isinstance(one, Prediction)}) > 1, "films tell nothing apart"


def test_a_faulty_case_of_a_batch_fails_alone_with_its_sentence(
    folder: Path, films: tuple[Item, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    (series,) = films[3].series
    damaged = replace(films[3], series=(replace(series, frames=(replace(series.frames[0], sha256="0" * 64),)),))
    nothing = replace(films[8], series=())
    mixed = (*films[:3], damaged, *films[4:8], nothing)
    whole = said(request_for(folder, *films))
    for cases in (16, 4, 1):
        monkeypatch.setenv(BATCH, str(cases))
        outcomes = said(request_for(folder, *mixed))
        assert outcomes[3] == "A stored frame is damaged: its SHA-256 differs from the one recorded at import."
        assert outcomes[8] == "The case lacks lateral; the model reads lateral."
        for place in (0, 1, 2, 4, 5, 6, 7):
            assert_one_record(outcomes[place], whole[place])


def test_a_case_is_told_of_before_it_is_read_and_before_it_is_answered(
    folder: Path, films: tuple[Item, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BATCH, "2")
    gone = replace(films[1], series=())
    events: list[str] = []
    for item, _ in answers_to(
        request_for(folder, films[0], gone, films[2]), lambda item: events.append(item.prediction)
    ):
        events.append(f"{item.prediction} answered")
    assert events == ["p0", "p1", "p0", "p0 answered", "p1 answered", "p2", "p2", "p2 answered"]


@dataclass(eq=False)
class Narrow(Runtime):
    """A network on a machine whose memory holds some cases at once."""

    most: int = 1
    passes: list[int] = field(default_factory=list)

    def __call__(self, inputs: Mapping[str, NDArray[np.float32]]) -> Answer:
        count = len(next(iter(inputs.values())))
        self.passes.append(count)
        if count > self.most:
            raise MemoryError
        return super().__call__(inputs)


def test_a_batch_is_one_pass_and_one_that_memory_does_not_hold_is_halved(folder: Path) -> None:
    card = Card.load(folder)
    many = noise(card.spec, NINE)
    cases = [{name: array[place] for name, array in many.items()} for place in range(NINE)]
    passes = {}
    for most in (NINE, 3, 0):
        runtime = Narrow(folder, card, "torch", most=most)
        answers = asked(runtime, cases)
        passes[most] = runtime.passes
        if most:
            logits = [float(one.logit[0]) for one in answers if one is not None and one.logit is not None]
            whole = Runtime(folder, card, "torch")(many).logit
            assert whole is not None
            assert logits == pytest.approx(whole.tolist(), abs=1e-5)
        else:
            assert answers == [None] * NINE
    assert passes[NINE] == [9]
    assert passes[3] == [9, 4, 2, 2, 5, 2, 3]
    assert asked(Narrow(folder, card, "torch"), []) == []


def test_a_batch_is_bounded_by_the_setting_and_by_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = registry.load("s0-mobilenet"), registry.load("s2-multitask")
    wide = replace(
        large, preprocess=tuple(replace(s, size=(2048, 2048)) if hasattr(s, "size") else s for s in large.preprocess)
    )
    assert (at_once(small), at_once(wide)) == (16, 1)
    for given, cases in (("5", 5), ("64", 64), ("0", 1), ("many", 16), ("", 16)):
        monkeypatch.setenv(BATCH, given)
        assert at_once(small) == cases
