from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.studies.hanging import HangingError, hanging_of
from readerstudy.studies.models import Arm, Endpoint, Enrolment, Period, Rules, Study
from readerstudy.studies.outline import CROSSOVER, ArmOutline, Outline
from readerstudy.studies.permissions import check_creates_studies

from .questions import add_outlined_question
from .rows import draft_for, facts_of, free_code, last_position, recorded, stored, swap

LONGEST_REASON = 120


@transaction.atomic
def create_study(
    *,
    title: str,
    by: User,
    question: str = "",
    instructions: str = "",
    outline: Outline = CROSSOVER,
    synthetic: bool = False,
) -> Study:
    """A draft that starts from the outline; whoever creates it coordinates it."""
    check_creates_studies(by)
    study = stored(
        Study(title=title.strip(), question=question, instructions=instructions, synthetic=synthetic, created_by=by)
    )
    coordinator = stored(Enrolment(study=study, user=by, role=Enrolment.Role.COORDINATOR))
    facts = {"title": study.title, "question": question, "instructions": instructions, "synthetic": synthetic}
    record(actor=by, verb="study.created", target=study, facts=facts, study=study)
    enrolled = {"user": by.get_username(), "role": coordinator.role}
    record(actor=by, verb="person.enrolled", target=coordinator, facts=enrolled, study=study)
    for arm in outline.arms:
        add_arm(study=study, by=by, **vars(arm))
    for days in outline.washouts:
        add_period(study=study, washout_days=days, by=by)
    for asked in outline.questions:
        add_outlined_question(study=study, outline=asked, by=by)
    for endpoint in outline.endpoints:
        add_endpoint(study=study, by=by, **vars(endpoint))
    set_rules(study=study, by=by, **vars(outline.rules))
    return study


@transaction.atomic
def describe(*, study: Study, title: str, question: str, instructions: str, by: User) -> Study:
    """Title, clinical question and instructions of a draft."""
    held = draft_for(study, by)
    old = {"title": held.title, "question": held.question, "instructions": held.instructions}
    held.title, held.question, held.instructions = title.strip(), question, instructions
    stored(held)
    new = {"title": held.title, "question": question, "instructions": instructions}
    record(actor=by, verb="study.described", target=held, facts={"old": old, "new": new}, study=held)
    return held


@transaction.atomic
def add_arm(*, study: Study, label: str, by: User, code: str = "", **words: Any) -> Arm:
    """An arm in the words of ArmOutline."""
    held = draft_for(study, by)
    taken = set(held.arms.values_list("code", flat=True))
    outline = ArmOutline(label=label, code=code or free_code(label, "arm", taken, 24), **words)
    arm = Arm(study=held, position=last_position(held.arms.all()) + 1, code=outline.code)
    return recorded(stored(filled(arm, outline)), "arm.added", by)


@transaction.atomic
def edit_arm(*, arm: Arm, by: User, **words: Any) -> Arm:
    draft_for(arm.study, by)
    held = Arm.objects.get(pk=arm.pk)
    old = facts_of(held)
    outline = ArmOutline(**words)
    return recorded(stored(filled(held, outline)), "arm.edited", by, old=old)


def filled(arm: Arm, outline: ArmOutline) -> Arm:
    arm.label, arm.assistance = outline.label.strip(), outline.assistance
    arm.shows_probability, arm.shows_heatmap = outline.shows_probability, outline.shows_heatmap
    arm.heatmap_at_once = outline.heatmap_at_once
    arm.shows_mask, arm.shows_boxes, arm.shows_levels = outline.shows_mask, outline.shows_boxes, outline.shows_levels
    arm.unaided_share, arm.sham_share = outline.unaided_share or 0, outline.sham_share or 0
    return arm


@transaction.atomic
def set_rules(
    *,
    study: Study,
    by: User,
    hanging: dict[str, Any] | None = None,
    unreadable_reasons: Sequence[str] = (),
    may_revise: bool = False,
    break_minutes: int = 30,
    display_check: bool = False,
    training_pass_mark: float | None = None,
) -> Rules:
    """How readers sit and what they may do; one row a study."""
    held = draft_for(study, by)
    before = Rules.objects.filter(study=held).first()
    old = facts_of(before) if before else None
    rules = before or Rules(study=held)
    try:
        rules.hanging = hanging_of(hanging).to_document() if hanging else None
    except HangingError as error:
        raise Refused(str(error)) from error
    rules.unreadable_reasons = [reason.strip() for reason in unreadable_reasons if reason.strip()]
    if any(len(reason) > LONGEST_REASON for reason in rules.unreadable_reasons):
        raise Refused(_("A reason has at most 120 characters."))
    rules.may_revise, rules.display_check = may_revise, display_check
    rules.break_minutes, rules.training_pass_mark = break_minutes, training_pass_mark
    return recorded(stored(rules), "rules.set", by, old=old)


@transaction.atomic
def move_arm(*, arm: Arm, up: bool, by: User) -> None:
    held = draft_for(arm.study, by)
    if swap(held.arms.all(), held.arms.get(pk=arm.pk), up=up):
        order = list(held.arms.values_list("code", flat=True))
        record(actor=by, verb="arm.moved", target=arm, facts={"order": order}, study=held)


@transaction.atomic
def remove_arm(*, arm: Arm, by: User) -> None:
    draft_for(arm.study, by)
    recorded(arm, "arm.removed", by)
    Arm.objects.filter(pk=arm.pk).delete()


@transaction.atomic
def add_period(*, study: Study, washout_days: int, by: User) -> Period:
    """The next period; days must pass since the reader last saw the case before it is shown again."""
    held = draft_for(study, by)
    number = held.periods.count() + 1
    if number == 1 and washout_days:
        raise Refused(_("The first period has no washout before it."))
    return recorded(stored(Period(study=held, number=number, washout_days=washout_days)), "period.added", by)


@transaction.atomic
def edit_period(*, period: Period, washout_days: int, by: User) -> Period:
    draft_for(period.study, by)
    held = Period.objects.get(pk=period.pk)
    old = facts_of(held)
    held.washout_days = washout_days
    return recorded(stored(held), "period.edited", by, old=old)


@transaction.atomic
def remove_period(*, period: Period, by: User) -> None:
    held = draft_for(period.study, by)
    if held.periods.filter(number__gt=period.number).exists():
        raise Refused(_("Remove the last period first: periods are numbered without gaps."))
    recorded(period, "period.removed", by)
    Period.objects.filter(pk=period.pk).delete()


@transaction.atomic
def add_endpoint(
    *, study: Study, rank: str, metric: str, method: str, by: User, margin: float | None = None
) -> Endpoint:
    held = draft_for(study, by)
    position = last_position(held.endpoints.all()) + 1
    endpoint = Endpoint(study=held, position=position, rank=rank, metric=metric, method=method, margin=margin)
    return recorded(stored(endpoint), "endpoint.added", by)


@transaction.atomic
def edit_endpoint(
    *, endpoint: Endpoint, rank: str, metric: str, method: str, by: User, margin: float | None = None
) -> Endpoint:
    draft_for(endpoint.study, by)
    held = Endpoint.objects.get(pk=endpoint.pk)
    old = facts_of(held)
    held.rank, held.metric, held.method, held.margin = rank, metric, method, margin
    return recorded(stored(held), "endpoint.edited", by, old=old)


@transaction.atomic
def remove_endpoint(*, endpoint: Endpoint, by: User) -> None:
    draft_for(endpoint.study, by)
    recorded(endpoint, "endpoint.removed", by)
    Endpoint.objects.filter(pk=endpoint.pk).delete()
