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


class Migration(migrations.Migration):
    dependencies = [("studies", "0001_initial")]
    operations = [append_only("studies_protocolversion"), PHASES_ONLY_FORWARD]
