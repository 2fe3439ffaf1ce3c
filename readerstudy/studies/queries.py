from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from readerstudy.accounts.models import User

from .models import Arm, Enrolment, ProtocolVersion, Question, Rules, Study
from .protocol import Difference, differences, gaps, plan_document, protocol_document


def studies_of(user: User) -> QuerySet[Study]:
    return Study.objects.filter(enrolments__user=user, enrolments__active=True).distinct()


def study_for(user: User, token: str) -> Study:
    """The study, for its members; for everybody else it does not exist."""
    study = studies_of(user).filter(token=token).first()
    if study is None:
        raise Http404
    return study


def enrolment_of(user: User, study: Study) -> Enrolment:
    enrolment = Enrolment.objects.filter(user=user, study=study, active=True).select_related("study", "user").first()
    if enrolment is None:
        raise Http404
    return enrolment


def readers_of(study: Study) -> QuerySet[Enrolment]:
    return study.enrolments.filter(role=Enrolment.Role.READER, active=True).order_by("code")


def protocol_of(study: Study) -> dict[str, Any]:
    """The protocol as it stands now, as a document."""
    return protocol_document(
        {"title": study.title, "question": study.question, "instructions": study.instructions},
        [arm_row(arm) for arm in study.arms.all()],
        list(study.periods.values("number", "washout_days")),
        [question_row(question) for question in questions_of(study)],
        rules_row(rules_of(study)),
    )


def plan_of(study: Study) -> dict[str, Any]:
    return plan_document(protocol_of(study), list(study.endpoints.values("rank", "metric", "method", "margin")))


def arm_row(arm: Arm) -> dict[str, Any]:
    return {
        "code": arm.code,
        "label": arm.label,
        "assistance": arm.assistance,
        "shows_probability": arm.shows_probability,
        "shows_heatmap": arm.shows_heatmap,
        "heatmap_at_once": arm.heatmap_at_once,
        "shows_mask": arm.shows_mask,
        "shows_boxes": arm.shows_boxes,
        "shows_levels": arm.shows_levels,
        "unaided_share": arm.unaided_share,
        "sham_share": arm.sham_share,
    }


def rules_of(study: Study) -> Rules:
    """What holds for its readers; the defaults where nothing was set."""
    try:
        return study.rules
    except Rules.DoesNotExist:
        return Rules(study=study)


def rules_row(rules: Rules) -> dict[str, Any]:
    return {
        "hanging": rules.hanging,
        "unreadable_reasons": rules.unreadable_reasons,
        "may_revise": rules.may_revise,
        "break_minutes": rules.break_minutes,
        "display_check": rules.display_check,
        "training_pass_mark": rules.training_pass_mark,
    }


def question_row(question: Question) -> dict[str, Any]:
    return {
        "key": question.key,
        "kind": question.kind,
        "text": question.text,
        "help": question.help,
        "required": question.required,
        "minimum": question.minimum,
        "maximum": question.maximum,
        "unit": question.unit,
        "agrees_with": question.agrees_with.key if question.agrees_with else None,
        "threshold": question.threshold,
        "choices": [{"value": choice.value, "label": choice.label} for choice in question.choices.all()],
        "scale": question.scale,
        "items": [{"value": item.value, "label": item.label} for item in question.items.all()],
        "depends_on": question.depends_on.key if question.depends_on else None,
        "depends_on_values": question.depends_on_values,
    }


def questions_of(study: Study) -> QuerySet[Question]:
    return (
        study.questions.select_related("agrees_with", "depends_on")
        .prefetch_related("choices", "items")
        .order_by("position")
    )


def gaps_of(study: Study) -> list[str]:
    """What stands between this draft and its freezing."""
    return gaps(protocol_of(study), plan_of(study))


def current_version(study: Study) -> ProtocolVersion | None:
    return study.protocol_versions.select_related("frozen_by").order_by("-number").first()


@dataclass(frozen=True)
class Amended:
    version: ProtocolVersion
    changes: list[Difference]


def versions_of(study: Study) -> list[Amended]:
    """All versions, newest first, each with what it changed."""
    versions = list(study.protocol_versions.select_related("frozen_by").order_by("number"))
    changes: list[list[Difference]] = [[]]
    for old, new in pairwise(versions):
        changes.append(differences(old.protocol, new.protocol) + differences(old.plan, new.plan))
    return [Amended(*pair) for pair in zip(versions, changes, strict=False)][::-1]


def enrolments_of(study: Study) -> QuerySet[Enrolment]:
    return study.enrolments.select_related("user", "user__reader_profile").order_by("-active", "role", "code", "pk")
