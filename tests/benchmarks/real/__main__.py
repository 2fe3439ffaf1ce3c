"""`make real-data`: real images through manifest and commands; a page of figures and its numbers for every set.

`python -m tests.benchmarks.real [chest | lumbar | totalsegmentator | tptbox | cervical …] [--out FOLDER]`; without a
name all of them, one after the other. A command that was stopped goes on where it was.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from analysis.errors import CannotAnalyse
from inference.imaging.pixels import UnreadableInput
from inference.reports.statistics import NoStatistics
from tests.benchmarks.real import cervical, chest, lumbar, totalsegmentator, tptbox
from tests.benchmarks.real.calling import CannotMeasure
from tests.benchmarks.real.page import Measured

SETS: dict[str, Callable[[Path], Measured]] = {
    "chest": chest.measure,
    "lumbar": lumbar.measure,
    "totalsegmentator": totalsegmentator.measure,
    "tptbox": tptbox.measure,
    "cervical": cervical.measure,
}
REFUSALS = (CannotMeasure, CannotAnalyse, NoStatistics, UnreadableInput)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.real", description=__doc__.partition("\n")[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"{', '.join(SETS)}; without one, all of them")
    parser.add_argument("--out", type=Path, default=Path("var/real"), help="folder of models, answers and pages")
    options = parser.parse_args(words)
    unknown = [name for name in options.sets if name not in SETS]
    if unknown:
        return refuse(f"There is no set {unknown[0]!r}; there are {', '.join(SETS)}.")
    for name in options.sets or SETS:
        began = time.perf_counter()
        try:
            measured = SETS[name](options.out)
        except REFUSALS as error:
            return refuse(str(error))
        print(f"\n{name}, {time.perf_counter() - began:.0f} s: {measured.page}")
        for number in measured.numbers:
            print(f"  {number.sentence}")
    return 0


def refuse(sentence: str) -> int:
    print(f"real: {sentence}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
