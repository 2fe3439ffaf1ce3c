"""What must hold is in the database: every list of choices has its constraint, every guarded table its trigger."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection, models

STAGES = "readerstudy."
APPEND_ONLY = {
    "audit_event",
    "studies_protocolversion",
    "cases_image",
    "reference_standard",
    "reference_truth",
    "reference_opinion",
    "reference_annotation",
    "reference_proposal",
    "reference_proposaldecision",
    "reference_adjudicator",
    "reference_standardannotation",
    "predictions_algorithm",
    "predictions_runcase",
    "allocation_allocation",
    "allocation_slot",
    "reading_answer",
    "reading_exposure",
    "reading_externalsource",
    "reading_look",
    "datasets_dataset",
}
FROZEN_LATER = {
    "predictions_prediction",
    "predictions_predictionrun",
    "reading_reading",
    "results_analysisrun",
}


def our_models() -> Iterator[type[models.Model]]:
    for config in apps.get_app_configs():
        if config.name.startswith(STAGES):
            yield from config.get_models()


def lookups(condition: object) -> Iterator[tuple[str, object]]:
    if isinstance(condition, models.Q):
        for child in condition.children:
            yield from lookups(child)
    elif isinstance(condition, tuple):
        yield condition


def fields_with_choices() -> list[tuple[str, str]]:
    return sorted(
        (model._meta.label, field.name)
        for model in our_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.Field) and field.choices
    )


@pytest.mark.parametrize(("label", "name"), fields_with_choices())
def test_every_choice_is_a_constraint(label: str, name: str) -> None:
    model = apps.get_model(label)
    field = model._meta.get_field(name)
    allowed = {value for value, _ in field.choices}  # type: ignore[union-attr]
    conditions = [c.condition for c in model._meta.constraints if isinstance(c, models.CheckConstraint)]
    lists = [set(values) for c in conditions for key, values in lookups(c) if key == f"{name}__in"]  # type: ignore[call-overload]
    assert allowed in lists, f"{label}.{name} accepts {allowed}, but no constraint of the table lists exactly these"


@pytest.mark.django_db
def test_every_guarded_table_has_its_triggers() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT tgisinternal"
        )
        triggers = set(cursor.fetchall())
    for table in APPEND_ONLY:
        assert (table, f"{table}_append_only") in triggers
        assert (table, f"{table}_no_truncate") in triggers
    for table in FROZEN_LATER:
        assert (table, f"{table}_frozen") in triggers


def test_no_table_is_saved_through_overrides_or_signals() -> None:
    from django.db.models.signals import post_save, pre_save

    for model in our_models():
        assert "save" not in vars(model), model
        assert not [
            r for signal in (pre_save, post_save) for r in signal._live_receivers(model)[0] if "readerstudy" in str(r)
        ]
