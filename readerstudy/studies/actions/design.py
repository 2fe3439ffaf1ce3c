from django.db import transaction

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.studies.models import Arm, Endpoint, Enrolment, Period, Study
from readerstudy.studies.outline import CROSSOVER, Outline
from readerstudy.studies.permissions import check_creates_studies

from .questions import add_outlined_question
from .rows import draft_for, facts_of, free_code, last_position, recorded, stored, swap


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
def add_arm(
    *,
    study: Study,
    label: str,
    by: User,
    code: str = "",
    assistance: str = "none",
    shows_probability: bool = False,
    shows_heatmap: bool = False,
    shows_mask: bool = False,
    shows_boxes: bool = False,
    shows_levels: bool = False,
) -> Arm:
    held = draft_for(study, by)
    taken = set(held.arms.values_list("code", flat=True))
    arm = Arm(
        study=held,
        position=last_position(held.arms.all()) + 1,
        code=code or free_code(label, "arm", taken, 24),
        label=label.strip(),
        assistance=assistance,
        shows_probability=shows_probability,
        shows_heatmap=shows_heatmap,
        shows_mask=shows_mask,
        shows_boxes=shows_boxes,
        shows_levels=shows_levels,
    )
    return recorded(stored(arm), "arm.added", by)


@transaction.atomic
def edit_arm(
    *,
    arm: Arm,
    label: str,
    assistance: str,
    by: User,
    shows_probability: bool = False,
    shows_heatmap: bool = False,
    shows_mask: bool = False,
    shows_boxes: bool = False,
    shows_levels: bool = False,
) -> Arm:
    draft_for(arm.study, by)
    held = Arm.objects.get(pk=arm.pk)
    old = facts_of(held)
    held.label, held.assistance = label.strip(), assistance
    held.shows_probability, held.shows_heatmap = shows_probability, shows_heatmap
    held.shows_mask, held.shows_boxes, held.shows_levels = shows_mask, shows_boxes, shows_levels
    return recorded(stored(held), "arm.edited", by, old=old)


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
        raise Refused("The first period has no washout before it.")
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
        raise Refused("Remove the last period first: periods are numbered without gaps.")
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
