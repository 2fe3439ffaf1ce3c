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
LOCKS = ("requirements.txt", "requirements-test.txt")


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
    install(lock)
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


def install(lock: str) -> None:
    wanted = sum("==" in line for name in LOCKS[: LOCKS.index(lock) + 1] for line in lines_of(name))
    command = [*pip(), "install", "--disable-pip-version-check", "--progress-bar", "off", "-r", lock]
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
    show(f"  Packages … {time.monotonic() - began:.0f} s\n")
    if running.returncode != 0:
        end = "\n".join(LOG.read_text().splitlines()[-5:])
        sys.exit(
            f"pip could not install {lock}; the reason stands at the end of {LOG}:\n{end}\n"
            "If it is torch's CPU build, tell pip where PyTorch keeps it (PIP_EXTRA_INDEX_URL; see README.md)."
        )


def lines_of(name: str) -> list[str]:
    return (REPOSITORY / name).read_text().splitlines()


def show(text: str) -> None:
    # One line that changes on a terminal; elsewhere only its last state.
    if sys.stdout.isatty() or text.endswith("\n"):
        sys.stdout.write(("\r\033[K" if sys.stdout.isatty() else "") + text)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
