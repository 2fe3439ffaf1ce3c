"""Makes .venv and fills it from a lock file; runs by path, before anything is installed."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

LEAST = (3, 11)
REPOSITORY = Path(__file__).resolve().parent.parent.parent
VENV = REPOSITORY / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = REPOSITORY / "var" / "log" / "pip.log"
LOCKS = ("requirements.txt", "requirements-test.txt", "requirements-bench.txt")
CPU_BUILD = "+cpu"


def main() -> None:
    lock = sys.argv[1]
    if sys.version_info < LEAST:
        found = ".".join(str(part) for part in sys.version_info[:2])
        sys.exit(f"Python 3.11 or newer is needed, this is {found}; say which: make PYTHON=python3.12 …")
    stamp = VENV / f"{lock}.stamp"
    digest = digest_of(LOCKS[: LOCKS.index(lock) + 1])
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == digest:
        return
    LOG.parent.mkdir(parents=True, exist_ok=True)
    if not PYTHON.exists():
        make_venv()
    if not install(lock) and not (CPU_BUILD in LOG.read_text() and install(without_cpu_builds(lock))):
        end = "\n".join(LOG.read_text().splitlines()[-5:])
        sys.exit(f"pip could not install {lock}; the reason stands at the end of {LOG}:\n{end}")
    stamp.write_text(digest)


def digest_of(names: tuple[str, ...]) -> str:
    return hashlib.sha256(b"".join((REPOSITORY / name).read_bytes() for name in names)).hexdigest()


def make_venv() -> None:
    # Debian keeps ensurepip in a package of its own; the pip that is there can fill a folder without one.
    for extra in ([], ["--clear", "--without-pip"]):
        made = subprocess.run([sys.executable, "-m", "venv", *extra, str(VENV)], capture_output=True, check=False)
        if made.returncode == 0:
            return
    sys.exit("Python cannot make .venv; on Debian install the package python3-venv first.")


def pip() -> list[str]:
    if (VENV / "bin" / "pip").exists():
        return [str(PYTHON), "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", str(PYTHON)]


def without_cpu_builds(lock: str) -> str:
    """The same pins for a pip that knows no place with torch's CPU build, which is not in every index."""
    print("  pip finds no CPU build of torch and takes the full one, several GB; PIP_EXTRA_INDEX_URL may name a place.")
    copy = LOG.with_name(lock)
    copy.write_text("".join(f"{pin.replace(CPU_BUILD, '')}\n" for pin in pins_of(lock)))
    return str(copy)


def pins_of(lock: str) -> list[str]:
    names = LOCKS[: LOCKS.index(lock) + 1]
    return [line for name in names for line in lines_of(name) if "==" in line]


def install(lock: str) -> bool:
    wanted = len(pins_of(Path(lock).name))
    command = [*pip(), "install", "--no-compile", "--disable-pip-version-check", "--progress-bar", "off", "-r", lock]
    began, seen = time.monotonic(), 0
    with LOG.open("w") as log, subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:  # fmt: skip
        assert running.stdout is not None
        for line in running.stdout:
            log.write(line)
            seen += line.startswith(("Collecting", "Requirement already satisfied"))
            stage = "unpacking" if line.startswith("Installing") else f"package {min(seen, wanted)} of {wanted}"
            show(f"  Packages … {stage}, {time.monotonic() - began:.0f} s")
    if running.returncode == 0:
        make_bytecode()
    show(f"  Packages … {time.monotonic() - began:.0f} s\n")
    return running.returncode == 0


def make_bytecode() -> None:
    """By all processors at once, where pip uses one. A few packages bring files that are no Python 3.

    A fifth of all is tests of the packages, which nobody imports here.
    """
    command = [str(PYTHON), "-m", "compileall", "-q", "-j", "0", "-x", "site-packages/.*/tests/", str(VENV / "lib")]
    subprocess.run(command, capture_output=True, check=False)


def lines_of(name: str) -> list[str]:
    return (REPOSITORY / name).read_text().splitlines()


def show(text: str) -> None:
    # One line that changes on a terminal; elsewhere only its last state.
    if sys.stdout.isatty() or text.endswith("\n"):
        sys.stdout.write(("\r\033[K" if sys.stdout.isatty() else "") + text)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
