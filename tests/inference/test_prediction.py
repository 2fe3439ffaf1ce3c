"""What crosses the queue: read back exactly, refused where it contradicts itself, without torch."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from inference.declared import SpecError
from inference.prediction import Box, Frame, Item, Place, Plane, Prediction, Request, Series, Vertebra

PNG = b"\x89PNG\r\n\x1a\n rest"
CORNERS = ((10.0, 4.5), (10.5, 20.0), (22.0, 19.5), (21.0, 5.0))
ANSWER = Prediction(
    probability=0.734512,
    positive=True,
    operating_point=0.41,
    card_digest="c" * 64,
    input_digest="i" * 64,
    abstain=(0.3, 0.5),
    heatmaps=(Plane.of(PNG, slice=3), Plane.of(PNG, slice=4)),
    masks=(),
    vertebrae=(Vertebra("L1", 0.9, True, 0, 3, CORNERS, (20.5, 18.0, 24.0)),),
    boxes=(Box(0, 3, 10.0, 4.0, 12.0, 16.0, "L1", 0.9),),
    seconds={"load": 0.01, "forward": 0.2},
    device="cpu",
    runtime="onnxruntime",
    versions={"onnxruntime": "1.22"},
)


def test_an_answer_survives_json_exactly() -> None:
    for answer in (ANSWER, replace(ANSWER, heatmaps=None, abstain=None), replace(ANSWER, vertebrae=None, masks=None)):
        read = Prediction.from_message(json.loads(json.dumps(answer.to_message())))
        assert read == answer
        assert read.heatmap_png == (PNG if answer.heatmaps else None)


@pytest.mark.parametrize("probability", [-0.001, 1.001, float("nan"), None, "0.5"])
def test_a_probability_lies_between_0_and_1(probability: object) -> None:
    with pytest.raises(ValueError, match="probability"):
        Prediction.from_message(ANSWER.to_message() | {"probability": probability})


def test_the_decision_follows_from_the_operating_point() -> None:
    with pytest.raises(ValueError, match="decision does not follow"):
        replace(ANSWER, positive=False)
    assert replace(ANSWER, probability=0.41).positive


@pytest.mark.parametrize(
    ("probability", "uncertain"), [(0.299999, False), (0.3, True), (0.41, True), (0.499999, True), (0.5, False)]
)
def test_within_the_band_of_the_card_the_answer_is_uncertain(probability: float, uncertain: bool) -> None:
    answer = replace(ANSWER, probability=probability, positive=probability >= 0.41)
    assert answer.uncertain is uncertain
    assert not replace(answer, abstain=None).uncertain


@pytest.mark.parametrize("missing", ["probability", "positive", "card_digest", "input_digest"])
def test_an_answer_without_a_part_is_none(missing: str) -> None:
    message = ANSWER.to_message()
    message.pop(missing)
    with pytest.raises(SpecError, match=f"{missing}: is missing"):
        Prediction.from_message(message)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"heatmaps": [{"series": 0, "slice": 0, "png": "§"}]}, r"heatmaps\[0\].png: is not base64"),
        ({"masks": [{"series": 0, "slice": 0, "png": "aGVsbG8="}]}, r"masks\[0\].png: is not a PNG"),
        ({"masks": [{"series": -1, "slice": 0, "png": ""}]}, r"masks\[0\].series: -1 is not at least 0"),
        ({"heatmaps": [ANSWER.to_message()["heatmaps"][0]] * 2}, "slice 3 of series 0 has one already"),
        ({"vertebrae": [ANSWER.to_message()["vertebrae"][0] | {"corners": [[0, 0]] * 3}]}, "4 entries are wanted"),
        ({"vertebrae": [ANSWER.to_message()["vertebrae"][0] | {"probability": 1.2}]}, "1.2 is not at least"),
        ({"vertebrae": [ANSWER.to_message()["vertebrae"][0] | {"level": "<b>"}]}, "no level of a vertebra"),
        ({"vertebrae": [ANSWER.to_message()["vertebrae"][0] | {"heights": [1, -1, 1]}]}, "-1.0 is not at least 0"),
        ({"vertebrae": [ANSWER.to_message()["vertebrae"][0]] * 257}, "more than 256"),
        ({"boxes": [ANSWER.to_message()["boxes"][0] | {"row": float("inf")}]}, "a number is wanted"),
        ({"boxes": [ANSWER.to_message()["boxes"][0] | {"label": "x" * 201}]}, "longer than 200"),
        ({"seconds": {"forward": -1}}, "a time is wanted"),
        ({"seconds": {"forward": "soon"}}, "a time is wanted"),
        ({"versions": {"torch": 2}}, "words of at most 200"),
        ({"abstain": [0.5, 0.9]}, "lies between its two numbers"),
        ({"positive": 1}, "true or false is wanted"),
        ({"surprise": 1}, "there is no such field"),
    ],
)
def test_whatever_does_not_fit_is_told_by_its_field(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        Prediction.from_message(ANSWER.to_message() | changes)


def test_planes_have_a_size_together(monkeypatch: pytest.MonkeyPatch) -> None:
    from inference import prediction

    monkeypatch.setattr(prediction, "LARGEST_PLANES", 2 * len(ANSWER.heatmaps[0].png) - 1)  # type: ignore[index]
    with pytest.raises(SpecError, match="all planes together are larger"):
        Prediction.from_message(ANSWER.to_message())


def test_a_request_is_read_from_plain_data() -> None:
    across = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
    frame = Frame("file:///a", "0" * 64, 2, 3, 1, 1.0, 0.0, True, (0.5, 0.4), (1.0, 2.0, -12.5), across)
    item = Item("p", "l", "d", (Series("T1W", "MR", (frame,)),), Place(3, 10.0, 12.5, 24, 30))
    request = Request("file:///m/card.json", "file:///m/weights.safetensors", "c", True, (item,))
    message = json.loads(json.dumps(request.to_message()))
    assert Request.from_message(message) == request
    message["items"][0]["series"][0]["frames"][0]["rows"] = 0
    with pytest.raises(SpecError, match=r"request.items\[0\].series\[0\].frames\[0\].rows: 0 is not at least 1"):
        Request.from_message(message)


@pytest.mark.parametrize(
    "module", ["prediction", "cards", "card_page", "imaging.preparing", "cohorts.cases", "serving.matching", "__main__"]
)
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
