"""One call, three ways to run it: the same answers, in any process, thread and batch; the fastest is taken."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from inference.cards import Card, CardError
from inference.imaging.images import MissingInput
from inference.imaging.pixels import UnreadableInput
from inference.models import registry
from inference.outputs import Level
from inference.serving import choosing
from inference.serving.export import RECORD, Export, export
from inference.serving.runtimes import KINDS, Kind, Runtime, runtime
from inference.serving.trial import trials
from tests.inference.settled import folder_with, settled


@pytest.fixture(scope="module", params=["s1-resnet50", "s2-multitask"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec, model = settled(request.param)
    folder = folder_with(tmp_path_factory.mktemp("models") / spec.name, spec, model)
    export(folder)
    return folder


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    spec, model = settled("s4-2d")
    return folder_with(tmp_path / "model", spec, model)


@pytest.mark.parametrize("kind", ["onnxruntime", "openvino"])
def test_all_runtimes_give_the_answers_of_torch(exported: Path, kind: Kind) -> None:
    spec = Card.load(exported).spec
    inputs = trials(spec, 2, seed=11)
    answer, expected = runtime(exported, kind)(inputs), runtime(exported, "torch")(inputs)
    level = spec.output(Level)
    classes = 0 if level is None else 1 + len(level.levels)
    for ours, theirs, shape in zip(answer, expected, ((), spec.size, (classes, *spec.size)), strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            assert ours.dtype == theirs.dtype == np.float32
            assert ours.shape == theirs.shape == (5, *shape)
            assert np.abs(ours - theirs).max() < 1e-4


def test_pieces_batches_and_threads_leave_no_trace(exported: Path) -> None:
    run = runtime(exported, "onnxruntime")
    spec = run.card.spec
    many = {name: np.concatenate([array] * 14) for name, array in trials(spec, 1, seed=2).items()}
    whole = run(many).logit
    assert whole is not None
    assert len(whole) == 42
    with ThreadPoolExecutor(4) as threads:
        single = threads.map(lambda i: run({name: x[i : i + 1] for name, x in many.items()}).logit, range(42))
        assert np.abs(whole - np.concatenate([one for one in single if one is not None])).max() < 1e-5


CHILD = """
import os, sys
from pathlib import Path
import numpy as np
from inference.serving.runtimes import runtime
from inference.serving.trial import noise
run = runtime(Path(sys.argv[1]), "onnxruntime")
inputs = noise(run.card.spec, 1)
before = float(run(inputs).logit[0])
opened = run.session()
child = os.fork()
if child == 0:
    same = abs(float(run(inputs).logit[0]) - before) < 1e-6
    os._exit(0 if same and run.session() is not opened else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), "torch" in sys.modules)
"""


def test_a_fork_opens_its_own_network_and_needs_no_torch(exported: Path) -> None:
    words = [sys.executable, "-c", CHILD, str(exported)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["0", "False"], done.stderr


def test_without_an_export_torch_answers_and_others_say_what_they_need(classifier: Path) -> None:
    chosen = runtime(classifier)
    assert chosen.kind == "torch"
    logit = chosen(trials(chosen.card.spec, 1)).logit
    assert logit is not None
    assert logit.shape == (3,)
    with pytest.raises(CardError, match=r"cannot be run by onnxruntime: it needs model\.onnx, which was not exported"):
        runtime(classifier, "onnxruntime")


def test_a_changed_network_is_refused_when_it_is_opened(classifier: Path) -> None:
    export(classifier)
    record = json.loads((classifier / RECORD).read_text())
    (classifier / RECORD).write_text(json.dumps({**record, "model_sha256": "0" * 64}))
    for kind in (None, "torch", "onnxruntime"):
        with pytest.raises(CardError, match="export model again"):
            runtime(classifier, kind)


def test_what_does_not_fit_is_refused_with_a_sentence(exported: Path) -> None:
    run = runtime(exported, "onnxruntime")
    inputs = trials(run.card.spec, 1)
    first = next(iter(inputs))
    with pytest.raises(MissingInput, match=f"The case lacks {first}"):
        run({name: array for name, array in inputs.items() if name != first})
    with pytest.raises(UnreadableInput, match=f"The input {first} has the shape"):
        run({**inputs, first: inputs[first][..., :-1]})
    with pytest.raises(UnreadableInput, match=r"has the shape \(0, "):
        run({name: array[:0] for name, array in inputs.items()})


def test_the_default_is_left_for_a_clear_gain_only(classifier: Path, tmp_path: Path) -> None:
    record = export(classifier)
    card = Card.load(classifier)
    here = choosing.place_of(record)
    rivals = [kind for kind in KINDS if kind != "torch" and find_spec(kind) is not None]
    for seconds, expected in ((0.5, "openvino"), (0.95, "onnxruntime"), (2.0, "onnxruntime")):
        choosing.keep(classifier, here, {"onnxruntime": 1.0, "openvino": seconds})
        wanted = expected if expected in rivals else "onnxruntime"
        assert choosing.fastest(classifier, card, record) == wanted
    assert choosing.fastest(classifier, card, None) == "torch"


def test_a_measurement_is_taken_once_and_kept_for_this_machine_and_network(classifier: Path) -> None:
    record = export(classifier)
    assert choosing.recorded(classifier) == {}
    first = runtime(classifier).kind
    measured = choosing.recorded(classifier)
    ((place, seconds),) = measured.items()
    assert record.model_sha256[:16] in place
    assert set(seconds) == {"onnxruntime", "openvino"}
    assert all(0 < one < 60 for one in seconds.values())
    assert runtime(classifier).kind == first
    assert choosing.recorded(classifier) == measured
    (classifier / choosing.MEASURED).write_text("{")
    assert choosing.recorded(classifier) == {}


def test_where_a_measurement_cannot_be_kept_it_is_taken_each_time(classifier: Path) -> None:
    export(classifier)
    # Not even root writes a file over a folder.
    (classifier / choosing.MEASURED).mkdir()
    assert choosing.recorded(classifier) == {}
    assert runtime(classifier).kind in KINDS
    assert (classifier / choosing.MEASURED).is_dir()
    assert not list(classifier.glob("*.partial"))


def test_torch_is_held_to_one_thread_and_its_answer_is_the_models(exported: Path) -> None:
    run: Runtime = runtime(exported, "torch")
    inputs = trials(run.card.spec, 1)
    answer = run(inputs)
    assert torch.get_num_threads() == 1
    _, model = settled(run.card.name)
    with torch.inference_mode():
        expected = model({name: torch.from_numpy(array) for name, array in inputs.items()}).logit
    assert answer.logit is not None
    assert expected is not None
    assert np.abs(answer.logit - expected.numpy()).max() < 1e-5
    assert registry.load(run.card.name, "small").size == run.card.spec.size
    assert isinstance(Export.read(exported, run.card), Export)
