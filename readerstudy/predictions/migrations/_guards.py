"""What the database itself refuses, in the same migration as the tables."""

from django.db import migrations

from readerstudy.audit.guards import append_only, frozen_when

NOTHING_JOINS_A_FROZEN_RUN = migrations.RunSQL(
    sql="""
    CREATE OR REPLACE FUNCTION predictions_runcase_open() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM predictions_predictionrun WHERE id = NEW.run_id AND frozen_at IS NOT NULL) THEN
            RAISE EXCEPTION 'The predictions of this run are frozen.' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER predictions_runcase_open BEFORE INSERT ON predictions_runcase
        FOR EACH ROW EXECUTE FUNCTION predictions_runcase_open();
    """,
    reverse_sql="""
    DROP TRIGGER IF EXISTS predictions_runcase_open ON predictions_runcase;
    DROP FUNCTION IF EXISTS predictions_runcase_open();
    """,
)

GUARDS = [
    append_only("predictions_algorithm"),
    append_only("predictions_runcase"),
    frozen_when("predictions_prediction", "OLD.phase = 'done'", "A finished prediction is never changed."),
    frozen_when("predictions_predictionrun", "OLD.frozen_at IS NOT NULL", "The predictions of this run are frozen."),
    NOTHING_JOINS_A_FROZEN_RUN,
]
