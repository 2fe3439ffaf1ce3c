from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.chain import digest_of
from readerstudy.audit.errors import Conflict, Refused
from readerstudy.cases import actions as case_actions
from readerstudy.cases import importing as case_importing
from readerstudy.cases.models import Case, CaseImport
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.permissions import check_coordinates
from readerstudy.studies.stored import in_language

from . import importing
from .drawn import documents_of, marks_of, planes_of, proposal_for, shapes_of
from .marks import Mark, MarksError, Work, work_in
from .models import (
    Adjudicator,
    Annotation,
    AnnotationDraft,
    Opinion,
    Proposal,
    ProposalDecision,
    Standard,
)
from .outlines import fault_of
from .permissions import check_own, check_still_open
from .queries import OpinionTable, adjudicates, is_contested, named, opinion_table, truth_by_case
from .standards import write_standard

CONSENSUS = "Consensus of the truthers"
ADJUDICATED = "Consensus of the truthers; disagreements adjudicated"
SINGLE = "Opinion of one truther"
NOT_SENT = gettext_noop("The marks of this case were not sent with the opinion; reload the page and record it again.")
NOT_THE_SAME = gettext_noop("Another window has saved this case since; reload the page to go on from there.")


@dataclass(frozen=True)
class Decided:
    key: str
    verdict: str


@transaction.atomic
def record_standard(*, study: Study, truths: Mapping[Case, bool], method: str, reason: str, by: User) -> Standard:
    """A new version of the reference standard with all its values."""
    check_coordinates(by, study)
    return write_standard(study=study, truths=truths, method=method, reason=reason, by=by)


@transaction.atomic
def save_draft(*, truther: Enrolment, case: Case, work: Mapping[str, object], revision: int, by: User) -> int:
    """Keeps unfinished work, checked like finished work; the answer is its new revision."""
    check_own(by, truther)
    check_still_open(truther.study)
    check_is_task(truther, case)
    checked = read_work(work, case)
    Enrolment.objects.select_for_update().get(pk=truther.pk)
    known = AnnotationDraft.objects.filter(truther=truther, case=case).first()
    if revision != (known.revision if known else 0):
        raise Conflict(_(NOT_THE_SAME))
    if known is None:
        AnnotationDraft.objects.create(truther=truther, case=case, work=checked.to_document())
        return 1
    known.revision, known.work = revision + 1, checked.to_document()
    known.save(update_fields=["revision", "work", "saved_at"])
    return known.revision


def read_work(work: Mapping[str, object], case: Case) -> Work:
    try:
        return work_in(work, shapes_of(planes_of(case)))
    except MarksError as error:
        raise Refused(in_language(str(error))) from error


def check_is_task(truther: Enrolment, case: Case) -> None:
    if case.study_id != truther.study_id:
        raise Refused(_("The case belongs to another study."))
    decided = Opinion.objects.filter(truther=truther, case=case, adjudicates=True)
    if adjudicates(truther) and not decided.exists() and not is_contested(case):
        raise Refused(_("The adjudicator decides cases that two truthers have judged and do not agree on."))


@transaction.atomic
def give_opinion(
    *, truther: Enrolment, case: Case, verdict: str, note: str, by: User, revision: int | None = None
) -> Opinion:
    """A truther's opinion of a case; the newest counts, the earlier ones stay.

    With a revision, the marks of that draft go with it and the draft is done.
    """
    check_own(by, truther)
    if verdict not in Opinion.Verdict.values:
        raise Refused(_("The opinion is positive, negative or cannot decide."))
    Enrolment.objects.select_for_update().get(pk=truther.pk)
    check_still_open(truther.study)
    check_is_task(truther, case)
    work = _drafted(truther, case, revision)
    proposal = proposal_for(case)
    # An opinion without the page of marks says nothing of the model's.
    decisions = decided_on(work, proposal) if revision else []
    last = Opinion.objects.filter(truther=truther, case=case).order_by("-number").first()
    opinion = Opinion.objects.create(
        truther=truther,
        case=case,
        number=last.number + 1 if last else 1,
        verdict=verdict,
        note=note.strip(),
        adjudicates=adjudicates(truther),
    )
    documents = documents_of(work.marks, planes_of(case)) if work.marks else []
    annotation = Annotation.objects.create(opinion=opinion, marks=documents, digest=digest_of(documents))
    ProposalDecision.objects.bulk_create(
        [
            ProposalDecision(annotation=annotation, proposal=proposal, key=one.key, verdict=one.verdict)
            for one in decisions
        ]
    )
    AnnotationDraft.objects.filter(truther=truther, case=case).delete()
    facts = {"case": case.token, "number": opinion.number, "verdict": verdict, "note": opinion.note}
    facts |= {"adjudicates": opinion.adjudicates, "marks": documents}
    facts |= {"decisions": {one.key: one.verdict for one in decisions}}
    record(actor=by, verb="reference.opinion_given", target=opinion, facts=facts, study=truther.study)
    return opinion


def _drafted(truther: Enrolment, case: Case, revision: int | None) -> Work:
    draft = AnnotationDraft.objects.filter(truther=truther, case=case).first()
    if not revision:
        if draft is not None and (draft.work["marks"] or draft.work["rejected"]):
            raise Refused(_(NOT_SENT))
        return Work()
    if draft is None or draft.revision != revision:
        raise Conflict(_(NOT_THE_SAME))
    return read_work(draft.work, case)


def decided_on(work: Work, proposal: Proposal | None) -> list[Decided]:
    """What became of every mark of the model; refused while one is neither kept nor rejected."""
    if proposal is None:
        return []
    kept = {mark.proposed: mark for mark in work.marks if mark.proposed}
    offered = {entry["key"]: entry for entry in proposal.marks}
    waiting = [key for key in offered if key not in kept and key not in work.rejected]
    if waiting:
        sentence = _("Accept, edit or reject all marks of the model first; %(count)d are undecided.")
        raise Refused(sentence % {"count": len(waiting)})
    return [Decided(key, _became(kept.get(key), entry)) for key, entry in offered.items()]


def _became(mark: Mark | None, offered: Mapping[str, object]) -> str:
    verdicts = ProposalDecision.Verdict
    if mark is None:
        return verdicts.REJECTED
    now = mark.to_document()
    same = all(now[name] == offered[name] for name in ("kind", "series", "slice", "label", "points"))
    return verdicts.ACCEPTED if same and now.get("runs") == offered.get("runs") else verdicts.EDITED


@transaction.atomic
def appoint_adjudicator(*, truther: Enrolment, by: User) -> Adjudicator:
    """Whoever has judged cases by themselves cannot decide between their own and others' opinions."""
    check_coordinates(by, truther.study)
    Enrolment.objects.select_for_update().get(pk=truther.pk)
    check_still_open(truther.study)
    if truther.role != Enrolment.Role.TRUTHER:
        raise Refused(_("The adjudicator is enrolled as a truther first."))
    if adjudicates(truther):
        raise Refused(_("%(truther)s adjudicates already.") % {"truther": truther})
    if Opinion.objects.filter(truther=truther).exists():
        sentence = _("%(truther)s has given opinions in this study and cannot adjudicate them.")
        raise Refused(sentence % {"truther": truther})
    AnnotationDraft.objects.filter(truther=truther).delete()
    appointed = Adjudicator.objects.create(truther=truther, appointed_by=by)
    facts = {"truther": truther.token}
    record(actor=by, verb="reference.adjudicator_appointed", target=appointed, facts=facts, study=truther.study)
    return appointed


@transaction.atomic
def offer_marks(*, case: Case, source: str, source_digest: str, marks: Sequence[Mark], by: User) -> Proposal | None:
    """Marks of a model for the truthers to accept, edit or reject; None where the same are offered already.

    What no truther could draw, such as a vertebra whose sides cross, is left out and counted in the audit.
    """
    check_coordinates(by, case.study)
    check_still_open(case.study)
    plain = [mark.to_document() for mark in marks if not fault_of(mark.kind, mark.points)]
    digest = digest_of([source_digest, plain])
    if not plain or Proposal.objects.filter(case=case, digest=digest).exists():
        return None
    named = [entry | {"key": f"{digest[:8]}-{number}"} for number, entry in enumerate(plain, start=1)]
    try:
        marks_of(named, planes_of(case))
    except MarksError as error:
        sentence = _("What %(source)s marks in %(case)s does not fit its images: %(why)s")
        raise Refused(sentence % {"source": source, "case": case, "why": in_language(str(error))}) from error
    proposal = Proposal.objects.create(
        case=case, source=source, source_digest=source_digest, marks=named, digest=digest, offered_by=by
    )
    facts: dict[str, Any] = {"case": case.token, "source": source, "source_digest": source_digest, "marks": named}
    facts |= {"left_out": len(marks) - len(plain)} if len(plain) < len(marks) else {}
    record(actor=by, verb="reference.marks_offered", target=proposal, facts=facts, study=case.study)
    return proposal


@transaction.atomic
def adopt_opinions(
    *, study: Study, adjudicated: Mapping[str, bool], reason: str, by: User, single_stands: bool = False
) -> Standard:
    """A new version from what the truthers say; where they do not agree, from the adjudicated value.

    One opinion alone is no consensus: it counts where the coordinator says so (`single_stands`); the method tells it.
    Cases that no truther has seen keep the truth they have. Marks come in where all drew the same or the adjudicator
    decided.
    """
    check_coordinates(by, study)
    Study.objects.select_for_update().get(pk=study.pk)
    table = opinion_table(study)
    open_cases = named([entry for entry in table.open_questions if entry.case.token not in adjudicated])
    if open_cases:
        raise Refused(_("Without agreement and without an adjudicated value: %(cases)s.") % {"cases": open_cases})
    if table.unseen == len(table.cases):
        raise Refused(_("No truther has given an opinion yet."))
    if table.single and not single_stands:
        raise Refused(_("Only one truther has given an opinion: %(cases)s.") % {"cases": named(table.single)})
    before = truth_by_case(study)
    truths: dict[Case, bool] = {}
    for entry in table.cases:
        value = entry.consensus if entry.given else before.get(entry.case.pk)
        if entry.adjudicated is not None and entry.adjudicated.verdict != Opinion.Verdict.UNDECIDED:
            value = entry.adjudicated.verdict == Opinion.Verdict.POSITIVE
        elif entry.disagrees:
            value = adjudicated[entry.case.token]
        if value is not None:
            truths[entry.case] = value
    standing = {entry.standing.pk: entry.case for entry in table.cases if entry.standing and entry.case in truths}
    drawn = Annotation.objects.filter(opinion__in=standing).exclude(marks=[])
    annotations = {standing[annotation.opinion_id]: annotation for annotation in drawn}
    method = method_of(table)
    return write_standard(study=study, truths=truths, method=method, reason=reason, by=by, annotations=annotations)


def method_of(table: OpinionTable) -> str:
    """As a report would say it: one opinion alone is never called a consensus."""
    if len(table.single) == len(table.cases) - table.unseen:
        return SINGLE
    method = ADJUDICATED if table.disagreements or any(entry.adjudicated for entry in table.cases) else CONSENSUS
    return f"{method}; in {len(table.single)} of the cases one opinion alone" if table.single else method


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
