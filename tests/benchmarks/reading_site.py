"""A site on which radiographs and CT stacks wait to be read, with the database and web server of production."""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from readerstudy.embedded.application import WEB, Application
from readerstudy.embedded.places import free_port
from tests.benchmarks.__main__ import site

# Django is set up by the site, so its models cannot be imported before.
if TYPE_CHECKING:
    from readerstudy.accounts.models import User
    from readerstudy.cases.models import Case
    from readerstudy.studies.models import Study
    from tests.world import People

FILM = (3000, 2500)
SLICES, SIDE = 300, 512
DIFFERENT_FILMS = 4
Pixels = NDArray[np.uint16]


@dataclass(frozen=True)
class Desk:
    """Where somebody has a study to read, and the session by which the browser is theirs."""

    address: str
    session: str
    reader: str


@dataclass(frozen=True)
class Stored:
    """A frame in storage, with its quarter where it is large."""

    rows: int
    columns: int
    key: str
    quarter: str
    digest: str


@contextmanager
def reading_site(films: int, stacks: int) -> Iterator[tuple[Desk, Desk]]:
    """Bob's films and Rita's stacks."""
    with tempfile.TemporaryDirectory(prefix="readerstudy-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with site(folder):
            desks = studies_to_read(films, stacks)
            with served(folder) as address:
                yield replace(desks[0], address=address), replace(desks[1], address=address)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    names = ("DATABASE_URL", "BROKER_URL", "STORAGE_URL", "SECRET_KEY", "ALLOWED_HOSTS", "SECURE")
    environment = {name: os.environ[name] for name in names}
    environment |= {"LOG_LEVEL": "ERROR", "STATIC_ROOT": str(folder / "static"), "STATIC_MANIFEST": "true"}
    own = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | environment
    subprocess.run([sys.executable, "manage.py", "collectstatic", "--no-input", "-v0"], check=True, env=own)
    application = Application(environment, free_port(), folder, (WEB,))
    application.start()
    try:
        yield application.address
    finally:
        application.stop()


def studies_to_read(films: int, stacks: int) -> tuple[Desk, Desk]:
    from tests.world import People

    people = People()
    pictures = [stored(film(seed)) for seed in range(DIFFERENT_FILMS)]
    volume = [stored(pixels) for pixels in stack()]
    one_film_each = [[pictures[number % DIFFERENT_FILMS]] for number in range(films)]
    return (
        desk_with(people, "Radiographs", "DX", one_film_each, people.bob),
        desk_with(people, "CT", "CT", [volume] * stacks, people.rita),
    )


def film(seed: int) -> Pixels:
    """Bright columns of bone over soft tissue, with the noise of a detector: 12 bits, as compressible as a real one."""
    rows, columns = FILM
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    tissue = 1400 + 900 * np.exp(-(((x - columns / 2 - 40 * seed) / 500) ** 2))
    bone = 500 * (np.sin(y / 60) > -0.4) * np.exp(-(((x - columns / 2) / 180) ** 4))
    noise = np.random.default_rng(seed).normal(0, 12, FILM)
    pixels: Pixels = np.clip(tissue + bone + noise, 0, 4095).astype(np.uint16)
    return pixels


def stack() -> Iterator[Pixels]:
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) - SIDE / 2
    body = ((x / 230) ** 2 + (y / 170) ** 2 < 1) * 1064
    draws = np.random.default_rng(0)
    for n in range(SLICES):
        bone = 700 * ((x**2 + (y - 80) ** 2 < 1600) & (n % 20 < 16))
        yield np.clip(body + bone + draws.normal(0, 15, body.shape), 0, 4095).astype(np.uint16)


def stored(pixels: Pixels) -> Stored:
    from readerstudy.cases import frames

    digest, key = put(frames.encode(pixels))
    quarter = frames.quarter(pixels, 16)
    rows, columns = pixels.shape
    return Stored(rows, columns, key, put(frames.encode(quarter))[1] if quarter is not None else "", digest)


def put(content: bytes) -> tuple[str, str]:
    from readerstudy.cases import delivery, frames

    digest = frames.digest_of(content)
    return digest, delivery.keep_at(delivery.key_of(delivery.FRAME, digest), content)


def desk_with(people: "People", title: str, modality: str, cases: list[list[Stored]], reader: "User") -> Desk:
    """An open study of these cases, in which no model says anything."""
    from readerstudy.allocation.actions import draw
    from readerstudy.reading.actions import open_reading
    from readerstudy.reference.models import Standard, Truth
    from readerstudy.studies.models import Study
    from readerstudy.studies.outline import CROSSOVER, ArmOutline
    from tests.world import client_of, make_study

    arms = (ArmOutline("First look", "first"), ArmOutline("Second look", "second"))
    study = make_study(people, phase=Study.Phase.FROZEN, outline=replace(CROSSOVER, arms=arms), title=title)
    standard = Standard.objects.create(study=study, number=1, method="None", digest="0" * 64, made_by=people.tess)
    for number, images in enumerate(cases):
        case = case_of(study, f"{modality} {number}", modality, images)
        Truth.objects.create(standard=standard, case=case, positive=number % 2 == 0)
    draw(study=study, by=people.alice)
    open_reading(study=study, by=people.alice)
    own = study.enrolments.get(user=reader)
    return Desk("", client_of(reader).cookies["sessionid"].value, own.token)


def case_of(study: "Study", label: str, modality: str, images: list[Stored]) -> "Case":
    from readerstudy.cases.models import Case, Image, Series

    patient = hashlib.sha256(label.encode()).hexdigest()
    case = Case.objects.create(study=study, label=label, patient=patient)
    plane, unit = ("axial", "HU") if modality == "CT" else ("", "")
    series = Series.objects.create(case=case, position=1, label=modality, modality=modality, plane=plane, unit=unit)
    placed = {"orientation": [1, 0, 0, 0, 1, 0], "intercept": -1024} if modality == "CT" else {}
    Image.objects.bulk_create(
        Image(
            series=series,
            position=number,
            source_digest=image.digest,
            frame_digest=image.digest,
            frame_key=image.key,
            preview_key=image.quarter,
            rows=image.rows,
            columns=image.columns,
            bits=12,
            window_center=40 if modality == "CT" else 1800,
            window_width=400 if modality == "CT" else 2400,
            spacing=[0.75, 0.75] if modality == "CT" else [0.143, 0.143],
            calibrated=modality == "CT",
            origin=[-192, -192, 1.5 * number] if modality == "CT" else None,
            **placed,
        )
        for number, image in enumerate(images, start=1)
    )
    return case
