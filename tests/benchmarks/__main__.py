"""`make bench`: what the project does beside a peer or the physical limit, each pair in one run."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from readerstudy.embedded.servers import Servers

FILMS = 40
READINGS = 400
COMMITS = 2000


def main() -> None:
    subprocess.run([sys.executable, "-m", "tests.benchmarks.statistics"], check=True)
    with tempfile.TemporaryDirectory(prefix="readerstudy-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with site(folder):
            films = make_films(folder / "films")
            print(inference_line(films))
            imported, decoded = import_times(films)
            print(
                f"import of {FILMS} films: {imported:.2f} s; decoding alone {decoded:.2f} s: {decoded / imported:.2f}"
            )
            saved, committed = saves_and_commits()
            print(
                f"audited submissions in one process: {saved:.0f}/s; bare durable commits {committed:.0f}/s; "
                f"ratio {committed / saved:.1f}"
            )


@contextmanager
def site(folder: Path) -> Iterator[None]:
    """A database and broker of their own, migrated, in this process's Django."""
    servers = Servers(folder)
    servers.start()
    os.environ.update(servers.environment() | {"DATABASE_POOL": "0", "LOG_LEVEL": "ERROR", "STATIC_MANIFEST": "false"})
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.settings")
    import django
    from django.core.management import call_command
    from django.db import connections

    try:
        django.setup()
        call_command("migrate", verbosity=0)
        yield
    finally:
        connections.close_all()
        servers.stop()


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def make_films(folder: Path) -> Path:
    words = ["phantoms", "films", "--cases", str(FILMS), "--seed", "5", "--prefix", "B", "--out", str(folder)]
    seconds = timed(
        lambda: subprocess.run([sys.executable, "-m", "inference", *words], check=True, capture_output=True)
    )
    print(f"{FILMS} synthetic radiographs: {seconds:.1f} s, {seconds / FILMS * 1000:.0f} ms each")
    return folder / "manifest.csv"


def inference_line(films: Path) -> str:
    """In a process of its own: the site imports no torch."""
    code = """
import sys, time
from pathlib import Path
import torch
from inference.explain.cam import heat_maps
from inference.imaging.images import read_image
from inference.learning.predicting import answers, stacked
from inference.imaging.preparing import prepare
from inference.models.weights import load_declared
torch.set_num_threads(1)
card, model = load_declared(Path(sys.argv[1]))
images = [read_image(path) for path in sorted(Path(sys.argv[2]).glob("*.png"))]
whole = bare = 0.0
for start in range(0, len(images), 16):
    began = time.perf_counter()
    inputs = stacked([prepare(card.spec, {"": image}, None) for image in images[start:start + 16]])
    ready = time.perf_counter()
    list(answers(model, inputs))
    forward = time.perf_counter()
    heat_maps(model, card.spec, inputs)
    whole, bare = whole + time.perf_counter() - began, bare + forward - ready
n = len(images)
print(f"prediction with heat map: {n / whole:.0f} films/s; the bare network {n / bare:.0f}/s; ratio {whole / bare:.1f}")
"""
    model = Path(__file__).resolve().parents[2] / "fixtures" / "demo" / "model"
    words = [sys.executable, "-c", code, str(model), str(films.parent / "films")]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def import_times(films: Path) -> tuple[float, float]:
    import numpy as np
    from PIL import Image

    from readerstudy.reference.actions import import_at_once
    from readerstudy.studies.models import Study
    from tests.world import People, make_study

    def decode() -> None:
        for path in (films.parent / "films").glob("*.png"):
            np.asarray(Image.open(path))

    study: Study = make_study(People(), phase=Study.Phase.DRAFT)
    by = study.created_by
    content = films.read_bytes()
    seconds = timed(lambda: import_at_once(study=study, manifest=content, folder=films.parent, by=by))
    return seconds, timed(decode)


def saves_and_commits() -> tuple[float, float]:
    from uuid import uuid4

    from django.db import connection

    from readerstudy.allocation.actions import draw
    from readerstudy.reading.actions import open_reading, open_slot, submit
    from readerstudy.reading.queries import open_slots
    from readerstudy.reading.submissions import submission
    from readerstudy.studies.actions import freeze
    from readerstudy.studies.models import Arm, Study

    study = Study.objects.get()
    by = study.created_by
    Arm.objects.filter(study=study, code="aided").update(
        assistance="none", shows_probability=False, shows_heatmap=False
    )
    freeze(study=study, by=by)
    draw(study=study, by=by)
    open_reading(study=study, by=by)
    readers = list(study.enrolments.filter(role="reader").select_related("user"))

    def read_period() -> int:
        count = 0
        for reader in readers:
            assert reader.user is not None
            for slot in list(open_slots(reader).filter(period__number=1))[:READINGS]:
                open_slot(slot=slot, by=reader.user)
                sent = {
                    "client_key": str(uuid4()),
                    "answers": {"decision": True, "confidence": 80},
                    "activity": {"events": [], "duration_ms": 1000},
                    "exposures": [],
                }
                submit(slot=slot, submission=submission(json.dumps(sent).encode()), by=reader.user)
                count += 1
        return count

    began = time.perf_counter()
    count = read_period()
    saved = count / (time.perf_counter() - began)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_commits (id bigint)")
        seconds = timed(lambda: [cursor.execute("INSERT INTO bench_commits VALUES (1)") for _ in range(COMMITS)])
    return saved, COMMITS / seconds


if __name__ == "__main__":
    main()
