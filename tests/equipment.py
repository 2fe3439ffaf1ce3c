"""What tests need besides Python packages: a browser, a C compiler, outside servers. `make test` runs this file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FIREFOXES = ("firefox-esr", "firefox")
DEBIAN_SERVERS = Path("/usr/lib/postgresql")


def browser() -> Path | None:
    """An installed Chromium or Chrome, else the one that Playwright downloaded."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return Path(found)
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return next(iter(sorted(folder.glob("chromium-*/chrome-linux*/chrome"), reverse=True)), None)


def firefox() -> Path | None:
    """The Firefox of the system, the ESR before a newer one."""
    return next((Path(found) for name in FIREFOXES if (found := shutil.which(name))), None)


def compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def outside_postgres() -> Path | None:
    """The folder of the newest PostgreSQL server that the system itself has."""
    servers = [path.parent for path in DEBIAN_SERVERS.glob("*/bin/postgres")]
    return max(servers, key=lambda folder: int(folder.parent.name), default=None)


def outside_broker() -> str | None:
    return shutil.which("redis-server")


def main() -> int:
    missing = {
        "chromium": browser() is None,
        "gcc": compiler() is None,
        "libc6-dev": compiler() is None,
        "postgresql": outside_postgres() is None,
        "redis-server": outside_broker() is None,
    }
    packages = [name for name, is_missing in missing.items() if is_missing]
    is_debian = os.geteuid() == 0 and shutil.which("apt-get") is not None
    if packages and is_debian:
        debian_install(packages)
    # By itself, since distributions differ in what they call it: one unknown name stops the whole order.
    for name in FIREFOXES:
        if firefox() is None and is_debian:
            debian_install([name])
    if browser() is None:
        print("  Playwright's Chromium …", flush=True)
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if browser() is None:
        print("No browser was found and none could be installed; install Chromium or Chrome and run again.")
        return 1
    if firefox() is None:
        print("No Firefox was found and none could be installed; install Firefox ESR or Firefox and run again.")
        return 1
    return 0


def debian_install(packages: list[str]) -> None:
    print(f"  Debian packages: {', '.join(packages)} …", flush=True)
    # Servers are started by the tests alone, as their own processes; the package's service must not start.
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    for command in (install, ["apt-get", "update", "-q"], install):
        if (
            subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0
            and command is install
        ):
            return


if __name__ == "__main__":
    sys.exit(main())
