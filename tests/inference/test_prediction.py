"""What crosses the queue: read back exactly, refused where it contradicts itself, without torch."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from inference.prediction import Prediction, Request

ANSWER = Prediction(
    probability=0.734512,
    positive=True,
    operating_point=0.41,
    card_digest="c" * 64,
    input_digest="i" * 64,
    heatmap_png=b"\x89PNG\r\n\x1a\n rest",
    seconds={"load": 0.01, "forward": 0.2},
    device="cpu",
)


def test_an_answer_survives_json_exactly() -> None:
    for answer in (ANSWER, replace(ANSWER, heatmap_png=None)):
        assert Prediction.from_message(json.loads(json.dumps(answer.to_message()))) == answer


@pytest.mark.parametrize("probability", [-0.001, 1.001, float("nan")])
def test_a_probability_lies_between_0_and_1(probability: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Prediction.from_message(ANSWER.to_message() | {"probability": probability, "positive": probability >= 0.41})


def test_the_decision_follows_from_the_operating_point() -> None:
    with pytest.raises(ValueError, match="decision does not follow"):
        replace(ANSWER, positive=False)
    assert replace(ANSWER, probability=0.41).positive


@pytest.mark.parametrize("missing", ["probability", "positive", "card_digest", "heatmap_png", "seconds"])
def test_an_answer_without_a_part_is_none(missing: str) -> None:
    message = ANSWER.to_message()
    message.pop(missing)
    with pytest.raises(KeyError, match=missing):
        Prediction.from_message(message)


def test_a_request_is_read_from_plain_data() -> None:
    frame = {
        "uri": "file:///a",
        "sha256": "0" * 64,
        "rows": 2,
        "columns": 3,
        "slope": 1,
        "intercept": 0,
        "inverted": True,
    }
    item = {"prediction": "p", "lease": "l", "input_digest": "d", "frames": [frame]}
    model = {"card": "file:///m/card.json", "weights": "file:///m/weights.safetensors"}
    request = Request.from_message({"model": model, "card_digest": "c", "heatmap": True, "items": [item]})
    assert request.card == "file:///m/card.json"
    assert request.items[0].frames[0].columns == 3
    assert request.items[0].frames[0].inverted is True


@pytest.mark.parametrize("module", ["prediction", "cards", "pixels", "preprocess", "recipes", "cohort", "__main__"])
def test_parts_for_the_web_import_no_torch(module: str) -> None:
    code = f"import sys, inference.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_worker_imports_no_torch_before_its_first_task() -> None:
    code = "import sys, inference.worker, inference.tasks; sys.exit('torch' in sys.modules)"
    environment = {"BROKER_URL": "redis://127.0.0.1:1/0", "PATH": ""}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=environment).returncode == 0


@pytest.mark.parametrize("url", ["", "http://somewhere", "sqla+sqlite:///x"])
def test_a_worker_without_a_broker_says_what_is_missing(url: str) -> None:
    environment = {"BROKER_URL": url, "PATH": ""}
    run = [sys.executable, "-c", "import inference.worker"]
    ended = subprocess.run(run, check=False, env=environment, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "BROKER_URL is not set" in ended.stderr
    assert "Traceback" not in ended.stderr
