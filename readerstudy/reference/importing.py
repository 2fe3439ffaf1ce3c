"""Takes the truth that an import's manifest gave out of the import's row and into the reference standard."""

from django.db import transaction

from readerstudy.audit.errors import Refused
from readerstudy.cases.models import Case, CaseImport

from .models import Standard
from .queries import truth_by_case
from .standards import write_standard

METHOD = "As given in the manifest of the cases"
REASON = "Cases were imported with their truth."


def take_truths() -> int:
    """Every finished import whose truth still waits; a message that comes twice finds nothing."""
    waiting = CaseImport.objects.filter(phase=CaseImport.Phase.DONE).exclude(manifest=[])
    return sum(take_truths_of(token) is not None for token in waiting.values_list("token", flat=True))


@transaction.atomic
def take_truths_of(token: str) -> Standard | None:
    row = CaseImport.objects.select_for_update(of=("self",)).select_related("study", "started_by").get(token=token)
    if row.phase != CaseImport.Phase.DONE or not row.manifest:
        return None
    given = {entry["case"]: entry["truth"] for entry in row.manifest}
    CaseImport.objects.filter(pk=row.pk).update(manifest=[])
    cases = {case.pk: case for case in Case.objects.filter(study=row.study)}
    before = truth_by_case(row.study)
    after = before | {pk: given[case.label] for pk, case in cases.items() if case.label in given}
    if after == before:
        return None
    truths = {cases[pk]: positive for pk, positive in after.items()}
    reason = REASON if before else ""
    try:
        return write_standard(study=row.study, truths=truths, method=METHOD, reason=reason, by=row.started_by)
    except Refused as refused:
        # The study was locked between the import and this.
        CaseImport.objects.filter(pk=row.pk).update(message=f"The truth was not taken over: {refused}")
        return None
