"""Files that rows name on a DICOMweb server, brought into the work folder: a study, a series of it, or an accession."""

import shutil
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from . import staging
from .dicomweb import Client, server_of
from .manifest import Row
from .models import CaseImport
from .pictures import Unreadable

ACCESSION = "accession"


def fetched_folder(of: CaseImport) -> Path:
    return staging.work_folder(of) / "fetched"


def fetch(of: CaseImport, rows: tuple[Row, ...], beat: Callable[[], None]) -> dict[str, str]:
    """Answers a sentence for each file of a row that cannot be had. What a killed worker brought is not asked again."""
    address = settings.DICOMWEB_SERVERS.get(of.server)
    if address is None:
        raise Unreadable(f"The server {of.server} is no longer among those that the administrator has allowed.")
    refused: dict[str, str] = {}
    with Client(server_of(of.server, address), beat=beat) as client:
        for name in dict.fromkeys(row.file for row in rows if row.file):
            complete = fetched_folder(of) / name
            if complete.exists():
                continue
            half = staging.work_folder(of) / "fetching"
            shutil.rmtree(half, ignore_errors=True)
            try:
                _fetch(client, name, half)
            except Unreadable as error:
                refused[name] = str(error)
                continue
            complete.parent.mkdir(parents=True, exist_ok=True)
            half.rename(complete)
    shutil.rmtree(staging.work_folder(of) / "fetching", ignore_errors=True)
    return refused


def _fetch(client: Client, name: str, target: Path) -> None:
    parts = name.split("/")
    if len(parts) > 2 or (parts[0] == ACCESSION and len(parts) != 2):
        raise Unreadable(
            "From a server, file is a Study Instance UID, a study and a series UID with a slash between, or "
            "accession/ and the accession number."
        )
    study = client.study_of(parts[1]) if parts[0] == ACCESSION else parts[0]
    wanted = parts[1] if len(parts) == 2 and parts[0] != ACCESSION else None
    series = [one for one in client.series_of(study) if wanted in (None, one.uid)]
    if not series:
        raise Unreadable("The study has no series of this UID that holds pictures.")
    for one in series:
        count = client.fetch(study, one.uid, target / one.uid)
        if one.count is not None and count != one.count:
            raise Unreadable(f"The server says that a series has {one.count} files and sends {count}.")
