import re
import secrets
from collections.abc import Sequence

from django.db import connection, transaction

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.reference.queries import current_standard
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.permissions import check_coordinates
from readerstudy.studies.queries import rules_of

from .designs import DESIGNS, DesignError, DrawnSlot, drawn_share, of_size, training_round
from .models import Allocation, Slot
from .queries import designs_for, digest_of_slots, missing_for_draw, readers_to_draw, shape_of

SEED = re.compile(r"[0-9a-f]{32}")


@transaction.atomic
def draw(
    *,
    study: Study,
    by: User,
    design: str = "",
    seed: str = "",
    cases: int | None = None,
    training: Sequence[str] = (),
) -> Allocation:
    """Draw every slot of the study, once. Without a seed, 128 bits of the system's randomness are taken.

    With a number of cases, the readers read so many, drawn from the same seed; the others stay for the model and for
    readers from elsewhere. Cases whose labels stand in `training` come first and are no part of the study.
    """
    check_coordinates(by, study)
    locked = Study.objects.select_for_update().get(pk=study.pk)
    if Allocation.objects.filter(study=study).exists():
        raise Refused("The allocation of this study is drawn; it is never drawn again.")
    if locked.phase not in (Study.Phase.DRAFT, Study.Phase.FROZEN):
        raise Refused("The allocation is drawn before reading opens; this study is open or locked.")
    if missing := missing_for_draw(locked):
        raise Refused(" ".join(missing))
    seed = seed.strip().lower() or secrets.token_hex(16)
    if not SEED.fullmatch(seed):
        raise Refused("A seed has 32 hexadecimal digits, or stays empty.")
    fitting = designs_for(study)
    design = design or next(iter(fitting), "crossover")
    if design not in DESIGNS:
        raise Refused(f"The designs are {', '.join(DESIGNS)}; {design} is not among them.")
    standard = current_standard(study)
    assert standard is not None
    check_training(study, training)
    whole = shape_of(study, training)
    try:
        shape = whole if cases is None else of_size(seed, whole, cases)
        slots = DESIGNS[design](seed, shape)
    except DesignError as error:
        raise Refused(str(error)) from error
    allocation = Allocation.objects.create(
        study=study,
        design=design,
        seed=seed,
        parameters={
            "readers": [[reader.code, reader.seniority] for reader in shape.readers],
            "cases": len(shape.truth),
            "cases_of_study": len(whole.truth),
            "arms": list(shape.arms),
            "periods": list(shape.periods),
            "standard": standard.token,
            "training": sorted(training),
        },
        digest=digest_of_slots(slots),
        drawn_by=by,
    )
    store(allocation, slots)
    for reader in readers_to_draw(study):
        add_training_round(allocation=allocation, reader=reader, number=1)
    facts = {"design": design, "seed": seed, "slots": len(slots), "digest": allocation.digest}
    record(actor=by, verb="allocation.drawn", target=allocation, facts=facts | allocation.parameters, study=study)
    return allocation


def check_training(study: Study, training: Sequence[str]) -> None:
    known = set(study.cases.values_list("label", flat=True))
    for label in training:
        if label not in known:
            raise Refused(f"The study has no case “{label}” for the training.")
    if rules_of(study).training_pass_mark is not None and not training:
        raise Refused("The protocol asks for a training: name the cases that are read in it.")


@transaction.atomic
def add_training_round(*, allocation: Allocation, reader: Enrolment, number: int) -> int:
    """The training cases once more in a new order; returns how many there are."""
    study, labels = allocation.study, allocation.parameters.get("training", [])
    cases = {case.token: case for case in study.cases.filter(label__in=labels)}
    arms = {arm.code: arm for arm in study.arms.order_by("position")}
    period = study.periods.order_by("number").first()
    assert period is not None, "a drawn study has a period"
    drawn = training_round(allocation.seed, number, reader.code, list(arms), cases)
    rows = (
        Slot(
            allocation=allocation,
            reader=reader,
            arm=arms[arm],
            case=cases[case],
            period=period,
            position=position,
            training=number,
        )
        for position, (case, arm) in enumerate(drawn, start=1)
    )
    return len(Slot.objects.bulk_create(rows))


def store(allocation: Allocation, slots: list[DrawnSlot]) -> None:
    study = allocation.study
    drawn_cases = {slot.case for slot in slots}
    withheld = {
        arm.code: drawn_share(allocation.seed, "withheld", arm.code, drawn_cases, arm.unaided_share)
        for arm in study.arms.all()
    }
    sham = {
        arm.code: drawn_share(allocation.seed, "sham", arm.code, drawn_cases, arm.sham_share)
        for arm in study.arms.all()
    }
    readers = {reader.code: reader for reader in readers_to_draw(study)}
    arms = {arm.code: arm for arm in study.arms.all()}
    cases = {case.token: case for case in study.cases.all()}
    periods = {period.number: period for period in study.periods.all()}
    rows = (
        Slot(
            allocation=allocation,
            reader=readers[slot.reader],
            arm=arms[slot.arm],
            case=cases[slot.case],
            period=periods[slot.period],
            position=slot.position,
            withheld=slot.case in withheld[slot.arm],
            sham=slot.case in sham[slot.arm],
        )
        for slot in slots
    )
    Slot.objects.bulk_create(rows, batch_size=2000)
    with connection.cursor() as cursor:
        # The planner hears of so many new rows by itself only minutes later.
        cursor.execute("ANALYZE allocation_slot")
