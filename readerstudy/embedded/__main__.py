"""python -m readerstudy.embedded {start,stop,status,env}"""

import argparse
import shlex
import sys
from pathlib import Path

from .places import DEFAULT_FOLDER, CannotStart
from .servers import Servers


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m readerstudy.embedded", description=__doc__)
    parser.add_argument("order", choices=["start", "stop", "status", "env"])
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where data, ports and passwords stand")
    words = parser.parse_args()
    try:
        return carry_out(words.order, Servers(words.folder))
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 1


def carry_out(order: str, servers: Servers) -> int:
    match order:
        case "start":
            keep(servers)
            print(f"PostgreSQL and the broker run; their data stand in {servers.folder.root}.")
        case "stop":
            servers.folder.remember(kept_running=0)
            servers.stop()
            print("PostgreSQL and the broker are stopped.")
        case "status":
            running = servers.answer()
            print("PostgreSQL and the broker answer." if running else "PostgreSQL and the broker do not both answer.")
            return 0 if running else 3
        case "env":
            keep(servers)
            for name, value in (servers.environment() | {"DEBUG": "true"}).items():
                print(f"export {name}={shlex.quote(value)}")
    return 0


def keep(servers: Servers) -> None:
    """Start them for as long as nobody says stop: a demo that ends leaves them running."""
    servers.folder.remember(kept_running=1)
    servers.start()


if __name__ == "__main__":
    sys.exit(main())
