import hashlib
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import storages
from django.db import transaction
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError as BrokerError

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.studies.models import Study
from readerstudy.studies.permissions import check_coordinates

from . import manifest as manifests
from . import staging, tasks
from .models import CaseImport
from .permissions import check_takes_cases
from .queries import running_import, stored_faults, stored_rows

Phase = CaseImport.Phase


@transaction.atomic
def start_import(
    *,
    study: Study,
    manifest: bytes,
    source: str,
    by: User,
    archive: BinaryIO | None = None,
    folder: Path | None = None,
    server: str = "",
    queue: bool = True,
) -> CaseImport:
    """Judge the manifest at once and have the files checked; nothing is imported before it is confirmed."""
    check_coordinates(by, study)
    Study.objects.select_for_update().get(pk=study.pk)
    check_takes_cases(study)
    if running_import(study) is not None:
        raise Refused(_("An import of this study is under way; wait until it is done, or drop it."))
    if [archive is not None, folder is not None, bool(server)].count(True) != 1:
        raise Refused(_("Give one of an archive, a folder of the server, and a DICOMweb server."))
    if server and server not in settings.DICOMWEB_SERVERS:
        raise Refused(_("There is no such DICOMweb server among those that the administrator has allowed."))
    started = CaseImport(study=study, source=source[:200], folder=str(folder or ""), server=server, started_by=by)
    if archive is not None:
        started.archive_key = storages["default"].save(staging.archive_key(started), File(archive))
    _judge(started, manifest)
    started.save()
    kind = "archive" if archive else f"server {server}" if server else "folder"
    facts = {"source": kind, "manifest": started.manifest_digest}
    record(actor=by, verb="cases.import_started", target=started, facts=facts, study=study)
    if queue and started.phase == Phase.CHECKING:
        _wake(started)
    return started


@transaction.atomic
def replace_manifest(*, of: CaseImport, manifest: bytes, by: User, queue: bool = True) -> CaseImport:
    """The same files with a corrected manifest."""
    check_coordinates(by, of.study)
    check_takes_cases(of.study)
    row = CaseImport.objects.select_for_update().get(pk=of.pk)
    if row.phase not in (Phase.FAULTY, Phase.CHECKED, Phase.STOPPED) or not row.has_files:
        raise Refused(_("Only an import that waits can be given another manifest; start a new one."))
    _judge(row, manifest)
    row.cases_done, row.message, row.lease_until = 0, "", None
    row.save()
    facts = {"manifest": row.manifest_digest}
    record(actor=by, verb="cases.manifest_replaced", target=row, facts=facts, study=row.study)
    if queue and row.phase == Phase.CHECKING:
        _wake(row)
    return row


def _judge(row: CaseImport, content: bytes) -> None:
    read = manifests.parse(content)
    row.manifest_digest = hashlib.sha256(content).hexdigest()
    row.manifest = stored_rows(row.study, read)
    row.faults = stored_faults(list(read.faults))
    row.cases_total = len(read.cases)
    # Faults of the manifest do not end the dry run: it lists those of the files as well.
    row.phase = Phase.CHECKING if read.rows else Phase.FAULTY


@transaction.atomic
def confirm_import(*, of: CaseImport, by: User, queue: bool = True) -> None:
    """After a clean dry run: import."""
    check_coordinates(by, of.study)
    check_takes_cases(of.study)
    _move(
        of, (Phase.CHECKED,), by, "cases.import_confirmed", _("Only a checked import without faults can begin."), queue
    )


@transaction.atomic
def resume_import(*, of: CaseImport, by: User, queue: bool = True) -> None:
    """Go on where a stopped import ended; what is in the study already is passed over."""
    check_coordinates(by, of.study)
    check_takes_cases(of.study)
    if not of.manifest:
        raise Refused(_("This import was dropped; start a new one."))
    _move(of, (Phase.STOPPED,), by, "cases.import_resumed", _("Only a stopped import can be resumed."), queue)
    # Why it stopped; what the dry run noted stays where an import was confirmed.
    CaseImport.objects.filter(pk=of.pk).update(message="")


def _move(of: CaseImport, phases: tuple[str, ...], by: User, verb: str, otherwise: str, queue: bool) -> None:
    moved = CaseImport.objects.filter(pk=of.pk, phase__in=phases).update(
        phase=Phase.RUNNING, cases_done=0, lease_until=None
    )
    if not moved:
        raise Refused(otherwise)
    record(actor=by, verb=verb, target=of, facts={"cases": of.cases_total}, study=of.study)
    if queue:
        _wake(of)


@transaction.atomic
def drop_import(*, of: CaseImport, by: User) -> None:
    """Delete the uploaded files; cases that are in the study already stay."""
    check_coordinates(by, of.study)
    dropped = CaseImport.objects.filter(pk=of.pk).exclude(phase=Phase.DONE)
    if not dropped.update(
        phase=Phase.STOPPED,
        message="Dropped; its files were deleted.",
        manifest=[],
        faults=[],
        folder="",
        server="",
        archive_key="",
        lease_until=None,
    ):
        raise Refused(_("The import is done; there is nothing to drop."))
    record(actor=by, verb="cases.import_dropped", target=of, facts={}, study=of.study)
    transaction.on_commit(lambda: staging.forget(of))


def _wake(of: CaseImport) -> None:
    """Only a nudge: the tick of the worker finds the row by itself when the broker is away."""

    def send() -> None:
        with suppress(BrokerError):
            tasks.import_cases.delay(of.token)

    transaction.on_commit(send)
