"""Which runtime is fastest on this machine, measured once for a network and kept beside it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path

from inference.cards import Card
from inference.serving.export import Export
from inference.serving.running import Kind, Runtime, runnable
from inference.serving.timing import shortest
from inference.serving.trial import noise

MEASURED = "runtimes.json"
ROUNDS = 5
# A measurement on a machine that does other work scatters by this much; the default is left for a clear gain only.
GAIN = 1.1


def fastest(folder: Path, card: Card, record: Export | None, *, draft: bool = False) -> Kind:
    """Torch on a GPU, else the quickest of what can run the exported network here, else torch.

    The measurement is taken when there is a choice for the first time, and kept in ``runtimes.json`` under the
    processor, the versions and the network; where the folder cannot be written it is taken again by each process.
    """
    if record is None or has_gpu():
        return "torch"
    rivals = tuple(kind for kind in runnable(record) if kind != "torch")
    if len(rivals) < 2:
        return rivals[0] if rivals else "torch"
    here = place_of(record)
    known = recorded(folder).get(here)
    if known is None or not set(rivals) <= set(known):
        known = seconds_of(folder, card, rivals, draft=draft)
        keep(folder, here, known)
    quickest = min(rivals, key=lambda kind: known[kind])
    return quickest if known[quickest] * GAIN < known["onnxruntime"] else "onnxruntime"


def seconds_of(folder: Path, card: Card, kinds: tuple[Kind, ...], *, draft: bool = False) -> dict[str, float]:
    """Seconds for one case, the shortest of some rounds in which all take turns."""
    runtimes = {kind: Runtime(folder, card, kind, draft) for kind in kinds}
    inputs = noise(card.spec, 1)
    found = shortest({kind: partial(run, inputs) for kind, run in runtimes.items()}, rounds=ROUNDS)
    return {kind: round(time.processor, 6) for kind, time in found.items()}


def place_of(record: Export) -> str:
    """Processor, versions and network: what a measurement holds for."""
    installed = " ".join(f"{kind} {version(kind)}" for kind in runnable(record) if kind != "torch")
    return f"{processor()}; {installed}; {record.model_sha256[:16]}"


def processor() -> str:
    """Name of the processor as the system tells it, and how many of them this process may use."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    return f"{name} × {os.cpu_count()}"


def has_gpu() -> bool:
    """Whether torch may find a GPU; it is asked only where the system shows one, since importing it takes seconds."""
    if not Path("/dev/nvidiactl").exists() and not Path("/dev/kfd").exists():
        return False
    import torch

    return bool(torch.cuda.is_available())


def recorded(folder: Path) -> Mapping[str, Mapping[str, float]]:
    """All measurements beside the network; none where the file cannot be read."""
    try:
        document = json.loads((folder / MEASURED).read_text(encoding="utf-8"))
        return {str(place): {str(k): float(s) for k, s in found.items()} for place, found in document.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def keep(folder: Path, place: str, seconds: Mapping[str, float]) -> None:
    """Add a measurement; a folder that cannot be written is left as it is."""
    text = json.dumps({**recorded(folder), place: dict(seconds)}, indent=2, sort_keys=True)
    partial = folder / f"{MEASURED}.{os.getpid()}.partial"
    try:
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(folder / MEASURED)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
