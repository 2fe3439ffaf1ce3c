"""What the database itself refuses, in the same migration as the tables."""

from django.db import migrations

from readerstudy.audit.guards import append_only, frozen_when

NOTHING_AFTER_THE_LOCK = migrations.RunSQL(
    sql="""
    -- The share of the study's row makes a lock wait for readings under way, and them for a lock under way.
    CREATE OR REPLACE FUNCTION reading_study_of_slot_is_locked(slot bigint) RETURNS boolean LANGUAGE sql VOLATILE AS $$
        SELECT studies_study.phase = 'locked' FROM allocation_slot
        JOIN studies_enrolment ON studies_enrolment.id = allocation_slot.reader_id
        JOIN studies_study ON studies_study.id = studies_enrolment.study_id
        WHERE allocation_slot.id = slot FOR SHARE OF studies_study
    $$;
    CREATE OR REPLACE FUNCTION reading_reading_unlocked() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF reading_study_of_slot_is_locked(NEW.slot_id) THEN
            RAISE EXCEPTION 'The study is locked.' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER reading_reading_unlocked BEFORE INSERT OR UPDATE ON reading_reading
        FOR EACH ROW EXECUTE FUNCTION reading_reading_unlocked();
    CREATE OR REPLACE FUNCTION reading_answer_unlocked() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT reading_study_of_slot_is_locked(slot_id) FROM reading_reading WHERE id = NEW.reading_id) THEN
            RAISE EXCEPTION 'The study is locked.' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER reading_answer_unlocked BEFORE INSERT ON reading_answer
        FOR EACH ROW EXECUTE FUNCTION reading_answer_unlocked();
    """,
    reverse_sql="""
    DROP TRIGGER IF EXISTS reading_answer_unlocked ON reading_answer;
    DROP TRIGGER IF EXISTS reading_reading_unlocked ON reading_reading;
    DROP FUNCTION IF EXISTS reading_answer_unlocked();
    DROP FUNCTION IF EXISTS reading_reading_unlocked();
    DROP FUNCTION IF EXISTS reading_study_of_slot_is_locked(bigint);
    """,
)

GUARDS = [
    append_only("reading_answer"),
    append_only("reading_exposure"),
    append_only("reading_look"),
    append_only("reading_externalsource"),
    frozen_when("reading_reading", "OLD.phase = 'submitted'", "A submitted reading is never changed."),
    NOTHING_AFTER_THE_LOCK,
]
