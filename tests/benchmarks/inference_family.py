"""One family of `make bench-inference` in a process of its own: timed (`family`), or answering (`worker`)."""

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from inference.cards import Card
from inference.models import registry
from inference.outputs import Decision, Platt
from inference.spec import ModelSpec
from inference.steps import ResizePad

if TYPE_CHECKING:
    from inference.imaging.images import Image
    from inference.models.contract import Model

# Slower networks answer fewer cases at once, so that all is over in three minutes.
BATCH, SLOW_BATCH = 16, 2
ENOUGH = 1.5
FILM, MR, CT = "a film of 2500 × 2048, PNG", "two series of 15 × 384 × 384, NIfTI", "a volume of 60 × 512 × 512, NIfTI"
SHAPES = {"DX": (1, 2500, 2048), "MR": (15, 384, 384), "CT": (60, 512, 512)}


class Family(NamedTuple):
    """A network of the table: its study, the size of its input, whether it answers a probability alone."""

    label: str
    study: str
    size: tuple[int, ...]
    classifies: bool
    batch: int
    file: str


FAMILIES = (
    Family("EfficientNet-B0", "s0-efficientnet", (224, 224), True, BATCH, FILM),
    Family("MobileNetV3-Large", "s0-mobilenet", (224, 224), True, BATCH, FILM),
    Family("MnasNet-1.0", "s0-mnasnet", (224, 224), True, BATCH, FILM),
    Family("ResNet50, 6 channels", "s1-resnet50", (224, 224), True, BATCH, MR),
    Family("ResNet18, 3-D", "s4-3d", (96, 96, 96), True, SLOW_BATCH, CT),
    Family("U-Net, two decoders", "s2-multitask", (512, 256), False, SLOW_BATCH, FILM),
    Family("PFNet", "s3-pfnet", (416, 416), False, SLOW_BATCH, FILM),
)


class Found(NamedTuple):
    """Milliseconds a case by runtime: processor time of one case and of a batch, the clock of one; steps by name.

    ``taken`` is the runtime that a worker on this machine takes, by its own measurement (`serving.choosing`).
    """

    single: dict[str, float]
    batch: dict[str, float]
    clock: dict[str, float]
    steps: dict[str, float]
    taken: str


def sized(study: str) -> ModelSpec:
    """The published specification at the size of the table."""
    family = next(one for one in FAMILIES if one.study == study)
    spec = registry.load(study)
    preparing = (
        dataclasses.replace(step, size=family.size) if isinstance(step, ResizePad) else step for step in spec.preprocess
    )
    return dataclasses.replace(spec, preprocess=tuple(preparing))


def save(model: "Model", spec: ModelSpec, folder: Path) -> None:
    """A folder as a training leaves it; how fast weights are does not depend on what they learnt."""
    from inference.models.weights import save_weights

    folder.mkdir(parents=True)
    decided = spec.frozen(Decision(Platt(1.0, 0.0), 0.5, "youden", "0" * 64, 1))
    card = Card(
        version="1",
        weights_sha256=save_weights(model, folder, spec),
        data={},
        metrics={},
        licence="none",
        intended_use="a benchmark",
        limits="random weights",
        spec=decided,
    )
    card.save(folder)


def family(study: str, folder: Path) -> Found:
    """Make the model, export it, time it."""
    import torch

    from inference.serving.choosing import fastest
    from inference.serving.export import export
    from inference.serving.running import Runtime, runnable
    from inference.serving.timing import shortest
    from inference.serving.trial import noise

    torch.set_num_threads(1)
    spec = sized(study)
    model = registry.build(spec).eval()
    save(model, spec, folder)
    record, card = export(folder), Card.load(folder)
    kinds, taken = runnable(record), fastest(folder, card, record)

    def eager(arrays: dict[str, np.ndarray]) -> object:
        with torch.inference_mode():
            return model({name: torch.from_numpy(array) for name, array in arrays.items()})

    runtimes = {kind: Runtime(folder, card, kind) for kind in kinds}
    times = []
    for cases in (1, next(one.batch for one in FAMILIES if one.study == study)):
        inputs = dict(noise(spec, cases))
        calls: dict[str, Callable[[], object]] = {"eager": partial(eager, inputs)}
        calls |= {kind: partial(run, inputs) for kind, run in runtimes.items()}
        found = shortest(calls, rounds=10, enough=ENOUGH, warm=cases > 1)
        times.append({kind: one.processor / cases * 1e3 for kind, one in found.items()})
        if cases == 1:
            clock = {kind: one.clock * 1e3 for kind, one in found.items()}
    return Found(times[0], times[1], clock, steps(spec, model, folder, times[0][taken]), taken)


def steps(spec: ModelSpec, model: "Model", folder: Path, forward: float) -> dict[str, float]:
    """Milliseconds of one case from its files to its heat map, the heat map in torch."""
    import torch

    from inference.cohorts.cases import Place
    from inference.explain.cam import heat_maps
    from inference.imaging.images import read_image
    from inference.imaging.preparing import prepare
    from inference.serving.timing import shortest

    files = {one.name: write(folder / one.name, SHAPES[one.modality], seed) for seed, one in enumerate(spec.inputs)}
    shape = SHAPES[spec.inputs[0].modality]
    place = Place(shape[0] // 2, shape[1] / 2, shape[2] / 2, 0.2 * shape[1], 0.2 * shape[2])

    def decode() -> "dict[str, Image]":
        return {name: read_image(path) for name, path in files.items()}

    images = decode()
    inputs = {name: torch.from_numpy(x)[None] for name, x in prepare(spec, images, place).inputs.items()}
    calls: dict[str, Callable[[], object]] = {
        "decode": decode,
        "preprocess": lambda: prepare(spec, images, place),
        "explain": lambda: heat_maps(model, spec, inputs),
    }
    found = {name: one.processor * 1e3 for name, one in shortest(calls, rounds=3, enough=ENOUGH).items()}
    return {
        "decode": found["decode"],
        "preprocess": found["preprocess"],
        "forward": forward,
        "explain": found["explain"],
    }


def write(path: Path, shape: tuple[int, int, int], seed: int) -> Path:
    """Smooth structures with noise in the lowest bits, twelve in sixteen, as scanners and detectors give them."""
    chance = np.random.default_rng(seed)
    slices, rows, columns = np.ogrid[: shape[0], : shape[1], : shape[2]]
    waves = np.sin(rows / 90) * np.cos(columns / 70) + 0.3 * np.sin(slices / 5)
    values = (2000 + 1200 * waves + chance.normal(0, 12, shape)).astype(np.int16)
    if shape[0] == 1:
        from PIL import Image as Picture

        file = path.with_suffix(".png")
        Picture.fromarray(values[0].astype(np.uint16)).save(file)
    else:
        import nibabel as nib

        file = path.with_suffix(".nii.gz")
        nib.save(nib.Nifti1Image(values.transpose(2, 1, 0), np.diag([-0.6, -0.6, 3.0, 1.0])), file)
    return file


def worker(folder: Path, study: str, kind: str, seconds: float) -> dict[str, float]:
    """Answer batches for so long, one at least, after a line on standard input."""
    import psutil

    from inference.serving.runtimes import runtime
    from inference.serving.trial import noise

    # As a worker opens it, or torch, which every worker holds besides once it has drawn a heat map.
    run = runtime(folder, "torch" if kind == "torch" else None)
    cases = next(one.batch for one in FAMILIES if one.study == study)
    inputs = noise(run.card.spec, cases)
    run(inputs)
    print("ready", flush=True)
    sys.stdin.readline()
    began, processor, images = time.perf_counter(), time.process_time(), 0
    while images == 0 or time.perf_counter() - began < seconds:
        run(inputs)
        images += cases
    clock, processor = time.perf_counter() - began, time.process_time() - processor
    return {
        "images": images,
        "clock": clock,
        "processor": processor,
        "resident": psutil.Process().memory_info().rss / 1e6,
    }


def main() -> None:
    if sys.argv[1] == "family":
        told = family(sys.argv[2], Path(sys.argv[3]))._asdict()
    else:
        told = worker(Path(sys.argv[2]), sys.argv[3], sys.argv[4], float(sys.argv[5]))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
