"""python -m readerstudy.embedded.loading s0 … s4: published systems as studies of the demo that runs in this folder."""

import argparse
import sys
from pathlib import Path

from django.core.management import CommandError, call_command

from . import processes
from .demo import MARK, enter, environment_of, password
from .places import DEFAULT_FOLDER, LOOPBACK, CannotStart, Folder
from .servers import Servers


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m readerstudy.embedded.loading", description=__doc__)
    parser.add_argument("studies", nargs="+", metavar="STUDY", help="s0, s1, s2, s3 or s4")
    parser.add_argument("--preset", default="small", help="small, or full with the published sizes")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="of the demo")
    words = parser.parse_args()
    try:
        folder = Folder(words.folder)
        address = address_of(folder)
        enter(environment_of(Servers(folder.root)))
        for study in words.studies:
            print(f"{study.upper()} …", flush=True)
            given = {"--preset": words.preset, "--password": password(folder), "--address": address}
            call_command("load_study", study, *(f"{name}={value}" for name, value in given.items()))
    except (CannotStart, CommandError) as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; the same command goes on where it was.", file=sys.stderr)
        return 130
    return 0


def address_of(folder: Folder) -> str:
    """Of the demo that runs; raises CannotStart where none does, or where it has not come far enough."""
    known = folder.remembered()
    pid = known.get("demo_pid")
    if not isinstance(pid, int) or not processes.is_live(pid, MARK):
        raise CannotStart("No demo runs here; start it in another terminal, `make demo`, then load again.")
    if known.get("demo_ready") != pid:
        raise CannotStart("The demo is still starting; load again when it has printed its address.")
    return f"http://{LOOPBACK}:{folder.remembered_port('demo_port')}"


if __name__ == "__main__":
    sys.exit(main())
