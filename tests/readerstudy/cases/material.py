"""Files and manifests for the tests of the import."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from readerstudy.accounts.models import User
from readerstudy.cases.models import CaseImport
from readerstudy.reference.actions import import_at_once
from readerstudy.studies.models import Study

HEADER = "case,patient,file,truth,site,age\n"


def picture(path: Path, seed: int, side: int = 24) -> Path:
    """A small grey picture that differs from every other seed's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def folder_of(folder: Path, count: int) -> tuple[Path, bytes]:
    """Pictures c1.png … and a good manifest; every second case is positive."""
    rows = []
    for number in range(1, count + 1):
        picture(folder / f"c{number}.png", number)
        rows.append(f"C{number},patient-{number},c{number}.png,{number % 2},{'NS'[number % 2]},{40 + number}\n")
    return folder, (HEADER + "".join(rows)).encode()


def packed(folder: Path) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    target.seek(0)
    return target


def with_cases(study: Study, by: User, folder: Path, count: int) -> CaseImport:
    where, manifest = folder_of(folder, count)
    done = import_at_once(study=study, manifest=manifest, folder=where, by=by)
    assert done.phase == CaseImport.Phase.DONE, done.faults or done.message
    return done
