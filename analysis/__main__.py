"""`python -m analysis`: the same statistics from the command line.

Exit status 0 with a result, 2 with one sentence on standard error for input that cannot be analysed.
"""

import os
import sys
from collections.abc import Sequence

from analysis.commands.asked import answer
from analysis.errors import CannotAnalyse

EXIT_REFUSED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        if said := answer(list(sys.argv[1:] if arguments is None else arguments)):
            print(said, flush=True)
    except CannotAnalyse as refusal:
        print(refusal, file=sys.stderr)
        return EXIT_REFUSED
    except BrokenPipeError:
        # Whoever reads the answer, such as head, has had enough of it; Python must not write the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
