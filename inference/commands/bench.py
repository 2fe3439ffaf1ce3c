"""How fast a model answers here, by every runtime that is installed, and how far each is from torch."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

# Of a process that does nothing but answer, in which torch is not imported unless it runs the model.
ALONE = """
import sys
from pathlib import Path
import psutil
from inference.serving.runtimes import runtime
from inference.serving.trial import noise
run = runtime(Path(sys.argv[1]), sys.argv[2], draft=True)
run(noise(run.card.spec, int(sys.argv[3])))
print(psutil.Process().memory_info().rss)
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", type=Path, help="folder of card and weights")
    command.add_argument("--batch", type=int, default=16, help="cases at once, beside one alone; 16")
    command.add_argument("--rounds", type=int, default=3, help="of which the shortest time counts; 3")


def run(options: argparse.Namespace) -> None:
    from functools import partial

    from inference.cards import Card
    from inference.serving.choosing import fastest
    from inference.serving.export import Export
    from inference.serving.running import Runtime, furthest, runnable
    from inference.serving.timing import shortest
    from inference.serving.trial import noise

    card = Card.load(options.model, draft=True)
    spec = card.spec
    record = Export.read(options.model, card)
    runtimes = {kind: Runtime(options.model, card, kind, draft=True) for kind in runnable(record)}
    one, many = noise(spec, 1), noise(spec, options.batch)
    single = shortest({kind: partial(call, one) for kind, call in runtimes.items()}, rounds=options.rounds)
    batch = shortest({kind: partial(call, many) for kind, call in runtimes.items()}, rounds=options.rounds)
    chosen = fastest(options.model, card, record, draft=True)
    truth = runtimes["torch"](many)
    print(f"{card.name}, {' × '.join(map(str, spec.size))}: one, of {options.batch}: ms a case; MB of a worker")
    for kind, call in runtimes.items():
        words = [sys.executable, "-c", ALONE, str(options.model), kind, str(options.batch)]
        memory = int(subprocess.run(words, capture_output=True, text=True, check=True).stdout) / 1e6
        times = f"{single[kind].processor * 1e3:8.1f} {batch[kind].processor / options.batch * 1e3:8.1f} {memory:6.0f}"
        told = " ← taken" if kind == chosen else ""
        print(f"  {kind:12s}{times}   within {furthest(call(many), truth):.1e} of torch{told}")
