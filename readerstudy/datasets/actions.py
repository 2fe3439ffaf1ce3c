from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.audit.queries import head_of
from readerstudy.studies.actions import mark_locked
from readerstudy.studies.models import Study
from readerstudy.studies.permissions import check_coordinates

from . import bundling
from .models import Dataset
from .queries import completeness_of, hindrances, source_of

NOT_SIGNED = "The password is not right; nothing was locked."
MEANING = "I have checked that the data are complete as stated, and lock them for analysis."


@transaction.atomic
def lock(*, study: Study, password: str, reasons: Mapping[str, str], by: User) -> Dataset:
    """Freeze the data of a study under a signature; readers with missing readings need a reason each."""
    check_coordinates(by, study)
    if not by.check_password(password):
        raise Refused(NOT_SIGNED)
    held = Study.objects.select_for_update().get(pk=study.pk)
    if found := hindrances(held):
        raise Refused(" ".join(found))
    missing = {}
    for reader in completeness_of(held):
        if reader.missing:
            reason = reasons.get(reader.code, "").strip()
            if not reason:
                raise Refused(
                    f"{reader.code} has {reader.missing} readings missing; give the reason, or wait for them."
                )
            missing[reader.code] = {"readings": reader.missing, "reason": reason}
    source = source_of(held)
    signed_at = timezone.now()
    head = head_of(held.token)
    facts = {
        "study": held.title,
        "protocol": {"number": source.protocol.number, "digest": source.protocol.protocol_digest},
        "plan": {"digest": source.protocol.plan_digest},
        "standard": {"number": source.standard.number, "digest": source.standard.digest},
        "missing": missing,
        "signed_by": by.get_username(),
        "signed_at": signed_at.isoformat(timespec="seconds"),
        "meaning": MEANING,
        "chain_head": head,
    }
    files, answers = bundling.make_files(source, facts)
    stored = bundling.keep(files)
    dataset = Dataset.objects.create(
        study=held,
        protocol=source.protocol,
        standard=source.standard,
        rows=len(answers.rows),
        missing=missing,
        codebook={"columns": answers.codebook()},
        digest=bundling.sha256(files["answers.csv"]),
        files=stored,
        chain_head=head,
        signed_by=by,
        signature_meaning=MEANING,
        locked_at=signed_at,
    )
    digests = {file["name"]: file["sha256"] for file in stored}
    mark_locked(study=held, by=by)
    told = {"digest": dataset.digest, "rows": dataset.rows, "missing": missing, "signature": MEANING, "files": digests}
    record(actor=by, verb="dataset.locked", target=dataset, facts=told, study=held)
    study.refresh_from_db()
    return dataset
