"""The function behind the task: stored frames answer as files do; the task tells the site by name."""

import hashlib
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.cards import CARD, WEIGHTS, Card
from inference.cohorts.cases import CohortCase
from inference.imaging.images import read_image
from inference.imaging.preparing import prepare
from inference.learning.predicting import answers_to as logits_to
from inference.models.weights import load_declared
from inference.predict import answers_to
from inference.prediction import Frame, Item, Prediction, Request, Series
from inference.serving.statement import probability_of
from readerstudy.cases import frames

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def request_for_three(trained: tuple[Path, Card], cases: tuple[CohortCase, ...], tmp_path: Path) -> Request:
    items = []
    for number, case in enumerate(cases[:3]):
        (pixels,) = read_image(case.images[""]).values.astype(np.uint16)
        content = frames.encode(pixels)
        path = tmp_path / f"{number}.f16"
        path.write_bytes(content)
        frame = Frame(path.as_uri(), hashlib.sha256(content).hexdigest(), *pixels.shape)
        items.append(Item(f"prediction-{number}", "lease", f"input-{number}", (Series("", "DX", (frame,)),)))
    folder, card = trained
    return Request((folder / CARD).as_uri(), (folder / WEIGHTS).as_uri(), card.digest, True, tuple(items))


def outcomes(request: Request) -> list[Prediction | str]:
    return [outcome for _, outcome in answers_to(request)]


def test_stored_frames_and_files_give_the_same_answer(
    request_for_three: Request, trained: tuple[Path, Card], cases: tuple[CohortCase, ...]
) -> None:
    card, model = load_declared(trained[0])
    said = outcomes(request_for_three)
    assert len(said) == 3
    for outcome, case in zip(said, cases[:3], strict=True):
        assert isinstance(outcome, Prediction)
        (raw,) = logits_to(model, [prepare(card.spec, {"": read_image(case.images[""])}, None)])
        assert raw.logit is not None
        assert outcome.probability == pytest.approx(probability_of(card.decision, raw.logit), abs=1e-5)
        assert outcome.positive == case.positive
        assert outcome.card_digest == card.digest


def test_a_heat_map_is_a_small_grey_png_that_covers_the_image(request_for_three: Request) -> None:
    first = outcomes(request_for_three)[0]
    assert isinstance(first, Prediction)
    assert first.heatmap_png is not None
    with Image.open(io.BytesIO(first.heatmap_png)) as image:
        assert (image.mode, image.size) == ("L", (40, 48))
        assert np.asarray(image).std() > 1
    without = outcomes(replace(request_for_three, heatmap=False))[0]
    assert isinstance(without, Prediction)
    assert without.heatmap_png is None
    assert without.probability == first.probability


def test_one_damaged_case_does_not_take_the_others_with_it(request_for_three: Request) -> None:
    good, bad, empty = request_for_three.items
    (series,) = bad.series
    damaged = replace(bad, series=(replace(series, frames=(replace(series.frames[0], sha256="0" * 64),)),))
    first, second, third = outcomes(replace(request_for_three, items=(good, damaged, replace(empty, series=()))))
    assert isinstance(first, Prediction)
    assert second == "A stored frame is damaged: its SHA-256 differs from the one recorded at import."
    assert third == "The case lacks lateral; the model reads lateral."


def test_another_model_than_the_registered_one_answers_nothing(request_for_three: Request) -> None:
    wrong = outcomes(replace(request_for_three, card_digest="0" * 64))
    assert wrong == ["The card in the storage is not the one that was registered: its digest differs."] * 3
    missing = outcomes(replace(request_for_three, card="file:///nowhere/card.json", card_digest="1" * 64))
    assert {str(outcome)[:32] for outcome in missing} == {"A stored file cannot be fetched:"}


def test_the_task_sends_a_heartbeat_and_one_outcome_a_case(request_for_three: Request, tmp_path: Path) -> None:
    """In a process of its own, for the worker's application is made at import; the broker is kombu's in memory."""
    (tmp_path / "request.json").write_text(json.dumps(request_for_three.to_message()))
    code = """
import json, sys
from inference.worker import app
app.conf.broker_url = "memory://"
app.conf.broker_transport_options = {}
from inference.tasks import predict
with open(sys.argv[1]) as stream:
    count = predict(json.load(stream))
with app.connection_for_read() as connection:
    queue = connection.SimpleQueue("readerstudy")
    sent = [queue.get(block=False) for _ in range(len(queue))]
    print(json.dumps([count, [[one.headers["task"], one.decode()[1]] for one in sent]]))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "request.json")]
    environment = os.environ | {"BROKER_URL": "redis://127.0.0.1:1/0"}
    count, sent = json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)
    assert count == 3
    assert sent[0] == ["predictions.heartbeat", {"prediction": "prediction-0", "lease": "lease"}]
    records = [arguments for task, arguments in sent if task == "predictions.record"]
    assert [record["prediction"] for record in records] == ["prediction-0", "prediction-1", "prediction-2"]
    for record, direct in zip(records, outcomes(request_for_three), strict=True):
        assert isinstance(direct, Prediction)
        answer = Prediction.from_message(record["outcome"])
        assert replace(answer, seconds={}) == replace(direct, seconds={})
