from collections.abc import Mapping
from pathlib import Path

from django.db import transaction

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.cases import actions as case_actions
from readerstudy.cases import importing as case_importing
from readerstudy.cases.models import Case, CaseImport
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.permissions import check_coordinates, check_truths

from . import importing
from .models import Opinion, Standard
from .permissions import check_still_open
from .queries import opinion_table, truth_by_case
from .standards import write_standard

CONSENSUS = "Consensus of the truthers"
ADJUDICATED = "Consensus of the truthers; disagreements adjudicated"


@transaction.atomic
def record_standard(*, study: Study, truths: Mapping[Case, bool], method: str, reason: str, by: User) -> Standard:
    """A new version of the reference standard with all its values."""
    check_coordinates(by, study)
    return write_standard(study=study, truths=truths, method=method, reason=reason, by=by)


@transaction.atomic
def give_opinion(*, truther: Enrolment, case: Case, verdict: str, note: str, by: User) -> Opinion:
    """A truther's opinion of a case; the newest counts, the earlier ones stay."""
    check_truths(by, truther.study)
    if truther.user_id != by.pk:
        raise Refused("An opinion is given in one's own name.")
    if case.study_id != truther.study_id:
        raise Refused("The case belongs to another study.")
    if verdict not in Opinion.Verdict.values:
        raise Refused("The opinion is positive, negative or cannot decide.")
    Enrolment.objects.select_for_update().get(pk=truther.pk)
    check_still_open(truther.study)
    last = Opinion.objects.filter(truther=truther, case=case).order_by("-number").first()
    number = last.number + 1 if last else 1
    opinion = Opinion.objects.create(truther=truther, case=case, number=number, verdict=verdict, note=note.strip())
    facts = {"case": case.token, "number": number, "verdict": verdict, "note": opinion.note}
    record(actor=by, verb="reference.opinion_given", target=opinion, facts=facts, study=truther.study)
    return opinion


@transaction.atomic
def adopt_opinions(*, study: Study, adjudicated: Mapping[str, bool], reason: str, by: User) -> Standard:
    """A new version from what the truthers say; where they do not agree, from the adjudicated value.

    Cases that no truther has seen keep the truth they have.
    """
    check_coordinates(by, study)
    Study.objects.select_for_update().get(pk=study.pk)
    table = opinion_table(study)
    open_cases = [entry.case.label for entry in table.disagreements if entry.case.token not in adjudicated]
    if open_cases:
        shown = ", ".join(open_cases[:10]) + (" …" if len(open_cases) > 10 else "")
        raise Refused(f"Without agreement and without an adjudicated value: {shown}.")
    if table.unseen == len(table.cases):
        raise Refused("No truther has given an opinion yet.")
    before = truth_by_case(study)
    truths: dict[Case, bool] = {}
    for entry in table.cases:
        value = entry.consensus if entry.given else before.get(entry.case.pk)
        if entry.disagrees:
            value = adjudicated[entry.case.token]
        if value is not None:
            truths[entry.case] = value
    method = ADJUDICATED if table.disagreements else CONSENSUS
    return record_standard(study=study, truths=truths, method=method, reason=reason, by=by)


def import_at_once(*, study: Study, manifest: bytes, folder: Path, by: User, dry_run: bool = False) -> CaseImport:
    """The whole import in this process, for commands and demonstrations; the row holds faults or the result."""
    started = case_actions.start_import(
        study=study, manifest=manifest, folder=folder, source=folder.name, by=by, queue=False
    )
    case_importing.check(started.token)
    started.refresh_from_db()
    if dry_run or started.phase != CaseImport.Phase.CHECKED:
        return started
    case_actions.confirm_import(of=started, by=by, queue=False)
    if case_importing.run(started.token):
        importing.take_truths_of(started.token)
    started.refresh_from_db()
    return started
