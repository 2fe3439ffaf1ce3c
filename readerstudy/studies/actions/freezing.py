from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.studies.models import ProtocolVersion, Study
from readerstudy.studies.permissions import check_coordinates
from readerstudy.studies.phases import target_of
from readerstudy.studies.protocol import Difference, differences, digest
from readerstudy.studies.queries import current_version, gaps_of, plan_of, protocol_of

from .rows import locked, stored

REFUSED_MOVES = {
    "freeze": gettext_noop("The protocol is frozen already."),
    "open": gettext_noop("Reading opens once, after the protocol is frozen."),
    "lock": gettext_noop("A study is locked once, while it is open."),
}


@dataclass(frozen=True)
class Changes:
    """What an amendment changes. None, or a key that is absent, leaves things as they are."""

    title: str | None = None
    question: str | None = None
    instructions: str | None = None
    helps: Mapping[str, str] = field(default_factory=dict, metadata={"meaning": "help text by the question's key"})
    ranks: Mapping[int, str] = field(default_factory=dict, metadata={"meaning": "rank by the endpoint's position"})
    washouts: Mapping[int, int] = field(default_factory=dict, metadata={"meaning": "days by the period's number"})


@transaction.atomic
def freeze(*, study: Study, by: User) -> ProtocolVersion:
    """Protocol and analysis plan become version 1, with their digests; the study leaves its draft."""
    check_coordinates(by, study)
    held = locked(study)
    if held.phase != Study.Phase.DRAFT:
        raise Refused(_(REFUSED_MOVES["freeze"]))
    if missing := gaps_of(held):
        raise Refused(" ".join(missing))
    version = new_version(held, 1, "", by)
    facts = {"number": 1, "protocol_digest": version.protocol_digest, "plan_digest": version.plan_digest}
    record(actor=by, verb="protocol.frozen", target=version, facts=facts, study=held)
    move(study=held, name="freeze", by=by)
    study.refresh_from_db()
    return version


@transaction.atomic
def amend(*, study: Study, changes: Changes, reason: str, by: User) -> ProtocolVersion:
    """A new version of a frozen protocol, with a reason; the versions before it stay as they were."""
    check_coordinates(by, study)
    held = locked(study)
    before = current_version(held)
    if before is None:
        raise Refused(_("The protocol is a draft; change it directly."))
    if held.phase == Study.Phase.LOCKED:
        raise Refused(_("The study is locked; its protocol is not amended any more."))
    if not reason.strip():
        raise Refused(_("An amendment needs its reason."))
    if held.phase != Study.Phase.FROZEN and (changes.ranks or changes.washouts):
        raise Refused(_("Endpoints and washout are not amended after reading has opened."))
    carry_out(held, changes)
    if missing := gaps_of(held):
        raise Refused(" ".join(missing))
    changed = differences(before.protocol, protocol_of(held)) + differences(before.plan, plan_of(held))
    if not changed:
        raise Refused(_("Nothing is different from the version that is in force."))
    version = new_version(held, before.number + 1, reason.strip(), by)
    facts = facts_of_amendment(version, changed)
    record(actor=by, verb="protocol.amended", target=version, facts=facts, study=held)
    study.refresh_from_db()
    return version


def facts_of_amendment(version: ProtocolVersion, changed: list[Difference]) -> dict[str, object]:
    return {
        "number": version.number,
        "reason": version.reason,
        "changes": [vars(difference) for difference in changed],
        "protocol_digest": version.protocol_digest,
        "plan_digest": version.plan_digest,
    }


def carry_out(study: Study, changes: Changes) -> None:
    study.title = study.title if changes.title is None else changes.title.strip()
    study.question = study.question if changes.question is None else changes.question
    study.instructions = study.instructions if changes.instructions is None else changes.instructions
    stored(study)
    for question in study.questions.filter(key__in=changes.helps):
        question.help = changes.helps[question.key].strip()
        stored(question)
    # Two endpoints may exchange ranks, and only one is primary at any moment: those that step down go first.
    endpoints = study.endpoints.filter(position__in=changes.ranks)
    for endpoint in sorted(endpoints, key=lambda row: changes.ranks[row.position] == "primary"):
        endpoint.rank = changes.ranks[endpoint.position]
        stored(endpoint)
    for period in study.periods.filter(number__in=changes.washouts):
        period.washout_days = changes.washouts[period.number]
        stored(period)


def new_version(study: Study, number: int, reason: str, by: User) -> ProtocolVersion:
    protocol, plan = protocol_of(study), plan_of(study)
    return stored(
        ProtocolVersion(
            study=study,
            number=number,
            protocol=protocol,
            plan=plan,
            protocol_digest=digest(protocol),
            plan_digest=digest(plan),
            reason=reason,
            frozen_by=by,
        )
    )


@transaction.atomic
def move(*, study: Study, name: str, by: User) -> None:
    """One move of the study's phase, by compare-and-set: of two at once one is refused."""
    check_coordinates(by, study)
    old = Study.objects.values_list("phase", flat=True).get(pk=study.pk)
    new = target_of(name, old)
    if new is None or not Study.objects.filter(pk=study.pk, phase=old).update(phase=new):
        raise Refused(_(REFUSED_MOVES[name]))
    record(actor=by, verb=f"study.{new}", target=study, facts={"old": old, "new": new}, study=study)
    study.phase = new


def open_study(*, study: Study, by: User) -> None:
    """Frozen to open. What else must hold is asked by reading, which calls this in its own transaction."""
    move(study=study, name="open", by=by)


def mark_locked(*, study: Study, by: User) -> None:
    """Open to locked. Called when the data set is signed, in that transaction."""
    move(study=study, name="lock", by=by)
