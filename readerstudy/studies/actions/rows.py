"""What the actions of this stage share: the locked draft, a checked row, places in an order."""

from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.forms.models import model_to_dict
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.studies.models import Arm, Endpoint, Period, Question, Rules, Study
from readerstudy.studies.permissions import check_coordinates

Row = TypeVar("Row", bound=models.Model)
Part = TypeVar("Part", Arm, Period, Question, Endpoint, Rules)
Ordered = TypeVar("Ordered", Arm, Question)
FROZEN = gettext_noop("The protocol is frozen; it changes only by an amendment with a reason.")


def locked(study: Study) -> Study:
    """The study's row, held until the transaction ends: two changes of one study happen one after the other."""
    return Study.objects.select_for_update().get(pk=study.pk)


def draft_for(study: Study, by: User) -> Study:
    check_coordinates(by, study)
    held = locked(study)
    if held.phase != Study.Phase.DRAFT:
        raise Refused(_(FROZEN))
    return held


def stored(row: Row) -> Row:
    """Save what is valid; say in sentences what is not."""
    try:
        row.full_clean()
    except ValidationError as error:
        raise Refused(" ".join(sentences(row, error))) from error
    row.save()
    return row


def sentences(row: models.Model, error: ValidationError) -> list[str]:
    labels = {field.name: f"{_(str(field.verbose_name).capitalize())}: " for field in row._meta.concrete_fields}
    return [labels.get(name, "") + message for name, told in error.message_dict.items() for message in told]


def facts_of(row: models.Model) -> dict[str, Any]:
    return model_to_dict(row, exclude=["study", "agrees_with", "depends_on"])


def recorded(
    part: Part, verb: str, by: User, *, facts: dict[str, Any] | None = None, old: dict[str, Any] | None = None
) -> Part:
    """Write the event of a part of the protocol: its values now, and before where it had others."""
    content = facts_of(part) if facts is None else facts
    record(actor=by, verb=verb, target=part, facts=content | ({"old": old} if old else {}), study=part.study)
    return part


def last_position(rows: models.QuerySet[Any]) -> int:
    return rows.aggregate(last=models.Max("position"))["last"] or 0


def swap(rows: models.QuerySet[Ordered], row: Ordered, *, up: bool) -> bool:
    """Exchange the row with its neighbour; False where there is none."""
    before = rows.filter(position__lt=row.position).order_by("-position")
    neighbour = (before if up else rows.filter(position__gt=row.position).order_by("position")).first()
    if neighbour is None:
        return False
    # A position is unique at every moment, so one of the two steps aside.
    rows.filter(pk=row.pk).update(position=last_position(rows) + 1)
    rows.filter(pk=neighbour.pk).update(position=row.position)
    rows.filter(pk=row.pk).update(position=neighbour.position)
    return True


def free_code(wanted: str, fallback: str, taken: set[str], length: int) -> str:
    """A code that is not taken; letters of any script may leave nothing of a label, hence the fallback."""
    base = slugify(wanted)[: length - 3].strip("-_") or fallback
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    return base if base not in taken else next(code for code in numbered if code not in taken)
