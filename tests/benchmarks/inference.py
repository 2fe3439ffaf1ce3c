"""`make bench-inference`: the families at their published sizes, ours beside eager torch, all in one run.

Every family has a process of its own (`tests.benchmarks.inference_family`). Times are of the processor, the shortest
of some rounds in which all runtimes take turns: with one thread that is the time on the clock where nothing else runs,
and work of others lengthens it least.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from inference.serving.choosing import processor
from tests.benchmarks.inference_family import FAMILIES, Family, Found

KINDS = ("eager", "torch", "onnxruntime", "openvino")
TAKEN = "taken"
WORKERS_RUN = 4.0
# Two workers and the one that waits for them; more is other work.
QUIET = 3.0
LEAST_RATIO, MOST_MS, LEAST_SCALING = 3.0, 60.0, 1.7


class Bar(NamedTuple):
    """What the project asks of itself."""

    what: str
    measured: str
    holds: bool
    wanted: str


class Rate(NamedTuple):
    """Images a second: on the clock, and of the processor, as on a machine that does nothing else."""

    clock: float
    processor: float


def main() -> None:
    began = time.perf_counter()
    print(
        f"{processor()}; one thread a process. Milliseconds a case, in brackets how many times as fast as eager torch; "
        "→ is what a worker here takes."
    )
    print(f"{'':27s}{'':6s}{'eager':>8s}" + "".join(f"{kind:>17s}" for kind in KINDS[1:]) + "   MB of a worker")
    found = []
    with tempfile.TemporaryDirectory(prefix="bench-inference-") as name:
        for family in FAMILIES:
            folder = Path(name) / family.study
            found.append(Found(**json.loads(child("family", family.study, str(folder)))))
            memory = [resident(folder, family, kind) for kind in (TAKEN, "torch")]
            tell(family, found[-1], memory)
        print("\nThe steps of one case, milliseconds (no bar is set for them, nor for the memory of a worker):")
        for family, one in zip(FAMILIES, found, strict=True):
            steps = "".join(f"{step:>11s} {ms:6.1f}" for step, ms in one.steps.items())
            print(f"{family.label:21s}{steps}   ({family.file})")
        alone, both = rates(Path(name) / FAMILIES[0].study)
    print(
        f"\nFrom one worker to two, {FAMILIES[0].label} in batches, images a second: {alone.processor:.0f} → "
        f"{both.processor:.0f} by the time of the processor, {alone.clock:.0f} → {both.clock:.0f} on the clock\n"
    )
    # On the clock, as the bar means it: independent processes scale by processor time whatever the machine does.
    for bar in bars(found, both.clock / alone.clock):
        print(f"{'kept' if bar.holds else 'NOT KEPT':10s}{bar.what}: {bar.measured}; wanted {bar.wanted}")
    print(f"\n{time.perf_counter() - began:.0f} s; {os.getloadavg()[0]:.1f} processes on {os.cpu_count()} processors")
    if os.getloadavg()[0] > QUIET:
        print(
            "Other work ran on this machine: what is told by the clock is to be measured again where nothing else does."
        )


def tell(family: Family, found: Found, memory: list[float]) -> None:
    for cases, times in ((1, found.single), (family.batch, found.batch)):
        cells = [
            f"{'→' if kind == found.taken else ''}{times[kind]:.1f} ({times['eager'] / times[kind]:4.1f}×)"
            if kind in times
            else "not installed"
            for kind in KINDS[1:]
        ]
        label, tail = (family.label, f"   {memory[0]:.0f}, torch {memory[1]:.0f}") if cases == 1 else ("", "")
        row = "".join(f"{cell:>17s}" for cell in cells)
        print(f"{label:27s}{f'of {cases}':>6s}{times['eager']:8.1f}{row}{tail}", flush=True)


def bars(found: list[Found], scaling: float) -> list[Bar]:
    """Batches of all classifiers, one image of the first, two workers; each by the runtime that a worker takes."""
    rows = []
    for family, one in zip(FAMILIES, found, strict=True):
        if family.classifies:
            ratio = one.batch["eager"] / one.batch[one.taken]
            what, wanted = f"{family.label} in batches of {family.batch}", f"at least {LEAST_RATIO:g} times"
            told = f"{ratio:.1f} times as fast as eager torch, by {one.taken}"
            rows.append(Bar(what, told, ratio >= LEAST_RATIO, wanted))
    clock = found[0].clock[found[0].taken]
    what, wanted = f"one image by {FAMILIES[0].label}, on the clock", f"at most {MOST_MS:g} ms"
    rows.append(Bar(what, f"{clock:.1f} ms", clock <= MOST_MS, wanted))
    wanted = f"at least {LEAST_SCALING} times"
    return [
        *rows,
        Bar("two workers beside one, on the clock", f"{scaling:.2f} times", scaling >= LEAST_SCALING, wanted),
    ]


def resident(folder: Path, family: Family, kind: str) -> float:
    """MB of a process that does nothing but answer a batch."""
    return float(json.loads(child("worker", str(folder), family.study, kind, "0"))["resident"])


def rates(folder: Path) -> tuple[Rate, Rate]:
    """Of one worker and of two at once, the better of two rounds."""
    words = ("worker", str(folder), FAMILIES[0].study, TAKEN, str(WORKERS_RUN))
    rounds = [(together([words]), together([words, words])) for _ in range(2)]
    alone, both = zip(*rounds, strict=True)
    return best(alone), best(both)


def best(rates: Sequence[Rate]) -> Rate:
    return Rate(max(one.clock for one in rates), max(one.processor for one in rates))


def together(commands: list[tuple[str, ...]]) -> Rate:
    """Images a second of all, which begin when the last is ready."""
    workers = [started(words) for words in commands]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    told = [json.loads(worker.communicate()[0].splitlines()[-1]) for worker in workers]
    return Rate(*(sum(one["images"] / one[kind] for one in told) for kind in Rate._fields))


def child(*words: str) -> str:
    """Last line of a process of its own."""
    worker = started(words)
    told, faults = worker.communicate("go\n")
    if worker.returncode:
        sys.exit(f"{' '.join(words)}: {faults}")
    return told.splitlines()[-1]


def started(words: tuple[str, ...]) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.inference_family", *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, text=True, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)


if __name__ == "__main__":
    main()
