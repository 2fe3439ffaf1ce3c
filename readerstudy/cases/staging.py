"""Where the files of an import lie while it lasts, on whichever machine works at it."""

import shutil
from pathlib import Path

from django.conf import settings
from django.core.files.storage import storages

from .manifest import Row
from .models import CaseImport
from .sandbox import Sandbox


def archive_key(of: CaseImport) -> str:
    return f"imports/{of.token}"


def work_folder(of: CaseImport) -> Path:
    return Path(settings.WORK_FOLDER) / "imports" / of.token


def files_folder(of: CaseImport, rows: tuple[Row, ...], sandbox: Sandbox) -> Path:
    """The folder from which the manifest's paths count; unpacks the archive where this machine has not yet."""
    if of.folder:
        return Path(of.folder)
    complete = work_folder(of) / "files"
    if not complete.exists():
        # Unpacked beside and renamed, so that a process killed half-way leaves nothing that looks complete.
        shutil.rmtree(work_folder(of), ignore_errors=True)
        work_folder(of).mkdir(parents=True)
        packed, half = work_folder(of) / "archive", work_folder(of) / "unpacking"
        with storages["default"].open(of.archive_key) as source, packed.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        sandbox.unpack(packed, half)
        packed.unlink()
        half.rename(complete)
    return _inner(complete, rows)


def _inner(folder: Path, rows: tuple[Row, ...]) -> Path:
    """An archive of one folder is taken for that folder, unless the manifest names it."""
    inside = list(folder.iterdir())
    named = any(row.file.split("/")[0] == found.name for row in rows for found in inside)
    return inside[0] if len(inside) == 1 and inside[0].is_dir() and not named else folder


def forget(of: CaseImport) -> None:
    shutil.rmtree(work_folder(of), ignore_errors=True)
    if of.archive_key:
        storages["default"].delete(of.archive_key)
