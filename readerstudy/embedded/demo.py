"""python -m readerstudy.embedded.demo: the whole site on this machine until Ctrl-C."""

import argparse
import fcntl
import hashlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import django
from django.core.management import CommandError, call_command

from . import processes
from .application import Application
from .places import DEFAULT_FOLDER, LOOPBACK, CannotStart, Folder, is_free
from .servers import Servers

FIRST_PORT, LAST_PORT = 8000, 8099
# In the command line of every demo.
MARK = "readerstudy.embedded.demo"
PEOPLE = [
    ("alice", "coordinator"),
    ("bob", "senior reader"),
    ("rita", "junior reader"),
    ("tess", "truther"),
    ("stan", "statistician"),
]


class Interrupted(Exception):
    """Somebody asked the demo to end."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m readerstudy.embedded.demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--port", default=os.environ.get("PORT", ""), help=f"default: the first free from {FIRST_PORT}")
    parser.add_argument("--stop", action="store_true", help="end a demo that runs in another terminal")
    words = parser.parse_args()
    try:
        servers = Servers(words.folder)
        return end_running(servers) if words.stop else run(servers, words.port)
    except (CannotStart, CommandError) as reason:
        print(f"\n{reason}", file=sys.stderr)
        return 1


def run(servers: Servers, wanted_port: str) -> int:
    with only_one(servers.folder) as first:
        if not first:
            port = servers.folder.remembered_port("demo_port")
            print(f"The demo runs already at http://{LOOPBACK}:{port} (`make stop` ends it).")
            return 0
        signal.signal(signal.SIGTERM, interrupt)
        signal.signal(signal.SIGINT, interrupt)
        application = application_of(servers)
        try:
            application.port = choose_port(wanted_port)
            servers.folder.remember(demo_port=application.port)
            prepare(servers, application)
            servers.folder.remember(demo_ready=os.getpid())
            greet(servers, application)
            return watch(servers, application)
        except Interrupted:
            print("\nStopping; everything that was saved stays.")
            return 0
        finally:
            application.stop()
            # `python -m readerstudy.embedded start` asked for servers that outlive a demo.
            if not servers.folder.remembered().get("kept_running"):
                servers.stop()


def interrupt(number: int, frame: FrameType | None) -> None:
    # A second Ctrl-C must not break the orderly end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Interrupted


@contextmanager
def only_one(folder: Folder) -> Iterator[bool]:
    with (folder.root / "demo.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        folder.remember(demo_pid=os.getpid())
        yield True


def application_of(servers: Servers) -> Application:
    node = "demo-" + servers.postgres.mark
    # What a demo that was killed left behind would answer in place of the new one.
    leftover = [part for part in processes.marked(node) if part.pid != os.getpid()]
    processes.end(leftover, signal.SIGTERM, 20)
    processes.end(processes.marked(node), signal.SIGKILL, 5)
    return Application(environment_of(servers), FIRST_PORT, servers.folder.logs, node=node)


def environment_of(servers: Servers) -> dict[str, str]:
    folders = {"STATIC_ROOT": servers.folder.root / "static", "INFERENCE_CACHE": servers.folder.root / "models"}
    return servers.environment() | {name: str(folder) for name, folder in folders.items()}


def enter(environment: dict[str, str]) -> None:
    """Makes this process a part of the site that has these settings."""
    os.environ.update(environment | {"LOG_LEVEL": "WARNING"})
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.settings")
    django.setup()


def choose_port(wanted: str) -> int:
    if wanted:
        if not wanted.isdecimal() or not 1 <= int(wanted) <= 65535:
            raise CannotStart(f"PORT is {wanted!r}; it must be a number between 1 and 65535.")
        if not is_free(int(wanted)):
            raise CannotStart(f"Port {wanted} is taken; try another: make demo PORT={int(wanted) % 65535 + 1}")
        return int(wanted)
    for port in range(FIRST_PORT, LAST_PORT + 1):
        if is_free(port):
            if port != FIRST_PORT:
                print(f"Port {FIRST_PORT} is taken; the demo takes {port}.")
            return port
    raise CannotStart(f"Ports {FIRST_PORT} to {LAST_PORT} are all taken; choose one: make demo PORT=9000")


def prepare(servers: Servers, application: Application) -> None:
    step("PostgreSQL and the broker", servers.start)
    application.environment |= servers.environment()
    step("Program", lambda: enter(application.environment))
    step("Tables", lambda: call_command("migrate", verbosity=0, interactive=False))
    step("Style sheets and scripts", lambda: collect_static(servers.folder))
    step("Web server and workers", application.start)
    films = servers.folder.root / "demo"
    step("Demo study", lambda: call_command("load_demo_study", password=password(servers.folder), folder=films))


def step(name: str, work: Callable[[], object]) -> None:
    print(f"  {name} …", end="", flush=True)
    began = time.monotonic()
    work()
    print(f" {time.monotonic() - began:.1f} s", flush=True)


def password(folder: Folder) -> str:
    return folder.secret("demo_password", 9)


def collect_static(folder: Folder) -> None:
    """Compressing takes seconds, so it is left out where no file changed."""
    from django.apps import apps
    from django.contrib.staticfiles.finders import get_finders

    left_out = apps.get_app_config("staticfiles").ignore_patterns  # type: ignore[attr-defined]
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list(left_out):
            digest.update(f"{path} {storage.get_modified_time(path)} {storage.size(path)}\n".encode())
    stamp = folder.root / "static.stamp"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(digest.hexdigest())


def greet(servers: Servers, application: Application) -> None:
    rows = "\n".join(f"    {name:8} {role}" for name, role in PEOPLE)
    print(
        f"\nThe demo runs at {application.address}\n\n{rows}\n\n"
        f"  The password of all is  {password(servers.folder)}\n"
        "  Ctrl-C stops it and loses nothing.\n",
        flush=True,
    )


def watch(servers: Servers, application: Application) -> int:
    while True:
        time.sleep(1)
        for part in application.dead():
            log = application.log(part)
            print(f"The {part} process ended by itself. The end of {log} says:\n{processes.tail(log)}", file=sys.stderr)
            return 1
        if not (servers.postgres.is_running() and servers.valkey.is_running()):
            print("PostgreSQL or the broker ended by itself; starting it again.", flush=True)
            servers.start()


def end_running(servers: Servers) -> int:
    with only_one(servers.folder) as first:
        if first:
            servers.stop()
            print("Nothing runs any more.")
            return 0
    pid = servers.folder.remembered().get("demo_pid")
    launcher = [part for part in processes.marked(MARK) if part.pid == pid]
    if not processes.end(launcher, signal.SIGTERM, 60):
        raise CannotStart(f"The demo (process {pid}) does not stop.")
    print("The demo is stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
