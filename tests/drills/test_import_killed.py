"""kill -9 of the worker while it imports: what is in stays, nothing comes twice, the rest follows by itself."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from readerstudy.audit.queries import all_faults
from readerstudy.cases import actions, importing
from readerstudy.cases.models import Case, CaseImport, Image
from readerstudy.reference.actions import import_at_once
from tests.readerstudy.cases.material import folder_of
from tests.world import People, make_study

ROOT = Path(__file__).resolve().parents[2]
WORK = "import sys, django; django.setup(); from readerstudy.cases import importing; importing.work(sys.argv[1])"
CASES = 400


def worker(token: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WORK, token],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "readerstudy.settings", **environment},
        start_new_session=True,
    )


def wait_for_cases(count: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while Case.objects.count() < count and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)


@pytest.mark.drill
def test_a_worker_killed_again_and_again_imports_everything_once(
    server_environment: dict[str, str], tmp_path: Path, settings: Any
) -> None:
    settings.WORK_FOLDER = tmp_path / "work"
    environment = server_environment | {"WORK_FOLDER": str(tmp_path / "work"), "IMPORT_LEASE_SECONDS": "2"}
    people = People()
    study = make_study(people)
    folder, manifest = folder_of(tmp_path / "pictures", CASES)
    found = import_at_once(study=study, manifest=manifest, folder=folder, by=people.alice, dry_run=True)
    actions.confirm_import(of=found, by=people.alice, queue=False)
    tokens: set[str] = set()

    for _ in range(5):
        # The killed worker's lease runs out; until then nobody else touches the import.
        while not importing.due():
            time.sleep(0.05)
        process = worker(found.token, environment)
        wait_for_cases(len(tokens) + 1, process)
        assert process.poll() is None, "the worker ended before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        now = set(Case.objects.values_list("token", flat=True))
        assert tokens < now, "what was in stays, and more came"
        tokens = now

    while not importing.due():
        time.sleep(0.05)
    assert worker(found.token, environment).wait(60) == 0

    found.refresh_from_db()
    assert (found.phase, found.cases_done) == (CaseImport.Phase.DONE, CASES)
    assert Case.objects.count() == Image.objects.count() == CASES
    assert not list(all_faults())
    assert not (tmp_path / "work" / "imports" / found.token).exists()
    connection.close()
