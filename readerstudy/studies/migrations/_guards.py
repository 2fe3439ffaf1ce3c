"""What the database itself refuses, in the same migration as the tables."""

from django.db import migrations

from readerstudy.audit.guards import append_only

PHASES_ONLY_FORWARD = migrations.RunSQL(
    sql="""
    CREATE OR REPLACE FUNCTION studies_study_phase() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (OLD.phase, NEW.phase) NOT IN (('draft', 'frozen'), ('frozen', 'open'), ('open', 'locked')) THEN
            RAISE EXCEPTION 'A study does not go from % to %.', OLD.phase, NEW.phase USING ERRCODE = 'restrict_violation';
        END IF;
        IF NOT EXISTS (SELECT 1 FROM studies_protocolversion WHERE study_id = NEW.id) THEN
            RAISE EXCEPTION 'A study without a frozen protocol stays a draft.' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER studies_study_phase BEFORE UPDATE OF phase ON studies_study
        FOR EACH ROW WHEN (OLD.phase IS DISTINCT FROM NEW.phase) EXECUTE FUNCTION studies_study_phase();
    """,
    reverse_sql="""
    DROP TRIGGER IF EXISTS studies_study_phase ON studies_study;
    DROP FUNCTION IF EXISTS studies_study_phase();
    """,
)

# Each table names the one column that an amendment may still change, and the last phase in which it may.
DESIGN_FROZEN = migrations.RunSQL(
    sql="""
    CREATE OR REPLACE FUNCTION studies_design_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        part jsonb := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
        of_study bigint := (part->>'study_id')::bigint;
        phase_now text;
    BEGIN
        IF TG_TABLE_NAME IN ('studies_choice', 'studies_item') THEN
            SELECT study_id INTO of_study FROM studies_question WHERE id = (part->>'question_id')::bigint;
        END IF;
        SELECT phase INTO phase_now FROM studies_study WHERE id = of_study;
        IF phase_now <> 'draft' AND NOT (
            TG_OP = 'UPDATE'
            AND (phase_now = 'frozen' OR (phase_now = 'open' AND TG_ARGV[1] = 'open'))
            AND to_jsonb(NEW) - TG_ARGV[0] = to_jsonb(OLD) - TG_ARGV[0]
        ) THEN
            RAISE EXCEPTION 'The protocol of this study is frozen.' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END $$;
    CREATE TRIGGER studies_arm_frozen BEFORE INSERT OR UPDATE OR DELETE ON studies_arm
        FOR EACH ROW EXECUTE FUNCTION studies_design_frozen('', '');
    CREATE TRIGGER studies_choice_frozen BEFORE INSERT OR UPDATE OR DELETE ON studies_choice
        FOR EACH ROW EXECUTE FUNCTION studies_design_frozen('', '');
    CREATE TRIGGER studies_item_frozen BEFORE INSERT OR UPDATE OR DELETE ON studies_item
        FOR EACH ROW EXECUTE FUNCTION studies_design_frozen('', '');
    CREATE TRIGGER studies_rules_frozen BEFORE INSERT OR UPDATE OR DELETE ON studies_rules
        FOR EACH ROW EXECUTE FUNCTION studies_design_frozen('', '');
    CREATE TRIGGER studies_period_frozen BEFORE INSERT OR UPDATE OR DELETE ON studies_period
        FOR EACH ROW EXECUTE FUNCTION studies_design_frozen('washout_days', 'frozen');
    CREATE TRIGGER studies_endpoint_frozen BEFORE INSERT OR UPDATE OR DELETE ON studies_endpoint
        FOR EACH ROW EXECUTE FUNCTION studies_design_frozen('rank', 'frozen');
    CREATE TRIGGER studies_question_frozen BEFORE INSERT OR UPDATE OR DELETE ON studies_question
        FOR EACH ROW EXECUTE FUNCTION studies_design_frozen('help', 'open');
    """,
    reverse_sql="""
    DROP TRIGGER IF EXISTS studies_arm_frozen ON studies_arm;
    DROP TRIGGER IF EXISTS studies_choice_frozen ON studies_choice;
    DROP TRIGGER IF EXISTS studies_item_frozen ON studies_item;
    DROP TRIGGER IF EXISTS studies_rules_frozen ON studies_rules;
    DROP TRIGGER IF EXISTS studies_period_frozen ON studies_period;
    DROP TRIGGER IF EXISTS studies_endpoint_frozen ON studies_endpoint;
    DROP TRIGGER IF EXISTS studies_question_frozen ON studies_question;
    DROP FUNCTION IF EXISTS studies_design_frozen();
    """,
)

GUARDS = [append_only("studies_protocolversion"), PHASES_ONLY_FORWARD, DESIGN_FROZEN]
