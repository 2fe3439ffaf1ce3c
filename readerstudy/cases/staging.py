"""Where the files of an import lie while it lasts, on whichever machine works at it."""

import hashlib
import json
import shutil
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import storages

from .decoded import File, Outcome, as_json, from_json
from .manifest import CaseRows, Row
from .models import CaseImport
from .sandbox import Decoders


def archive_key(of: CaseImport) -> str:
    return f"imports/{of.token}"


def work_folder(of: CaseImport) -> Path:
    return Path(settings.WORK_FOLDER) / "imports" / of.token


def frames_folder(of: CaseImport) -> Path:
    """Where the dry run leaves the frames, so that the import need not decode again."""
    return work_folder(of) / "frames"


def files_folder(of: CaseImport, rows: tuple[Row, ...], decoders: Decoders) -> Path:
    """The folder from which the manifest's paths count; unpacks the archive where this machine has not yet."""
    if of.folder:
        return Path(of.folder)
    complete = work_folder(of) / "files"
    if not complete.exists():
        # Unpacked beside and renamed, so that a process killed half-way leaves nothing that looks complete.
        clear(of)
        packed, half = work_folder(of) / "archive", work_folder(of) / "unpacking"
        with storages["default"].open(of.archive_key) as source, packed.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        decoders.unpack(packed, half)
        packed.unlink()
        half.rename(complete)
    return _inner(complete, rows)


def _inner(folder: Path, rows: tuple[Row, ...]) -> Path:
    """An archive of one folder is taken for that folder, unless the manifest names it."""
    inside = list(folder.iterdir())
    first = {unicodedata.normalize("NFC", row.file).split("/")[0] for row in rows}
    named = any(unicodedata.normalize("NFC", found.name) in first for found in inside)
    return inside[0] if len(inside) == 1 and inside[0].is_dir() and not named else folder


def clear(of: CaseImport) -> None:
    shutil.rmtree(work_folder(of), ignore_errors=True)
    work_folder(of).mkdir(parents=True)


def remember(of: CaseImport, case: CaseRows, outcomes: Mapping[Path, Outcome]) -> None:
    """What became of the case's files, with what shows whether they were changed since."""
    record = [[str(path), _state(path), outcome] for path, outcome in outcomes.items() if isinstance(outcome, File)]
    place = _place(of, case)
    place.parent.mkdir(parents=True, exist_ok=True)
    half = place.with_suffix(".half")
    half.write_text(as_json(record))
    half.rename(place)


def remembered(of: CaseImport, case: CaseRows) -> dict[Path, File]:
    """The files of the case that were decoded already, are as they were, and whose frames still lie here."""
    place = _place(of, case)
    if not place.exists():
        return {}
    frames = frames_folder(of)
    found: dict[Path, File] = {}
    for name, state, outcome in json.loads(place.read_text()):
        path, file = Path(name), from_json(outcome)
        is_whole = isinstance(file, File) and all((frames / frame.digest).exists() for frame in file.frames)
        if isinstance(file, File) and is_whole and _state(path) == state:
            found[path] = file
    return found


def _place(of: CaseImport, case: CaseRows) -> Path:
    modality = "".join(row.covariates.get("modality", "") for row in case.rows)
    name = hashlib.sha256(f"{case.case}\0{modality}".encode()).hexdigest()
    return work_folder(of) / "decoded" / f"{name}.json"


def _state(path: Path) -> Any:
    try:
        state = path.stat()
    except OSError:
        return None
    return [state.st_size, state.st_mtime_ns, state.st_ino]


def forget(of: CaseImport) -> None:
    shutil.rmtree(work_folder(of), ignore_errors=True)
    if of.archive_key:
        storages["default"].delete(of.archive_key)
