"""SQL for tables in which rows are only ever added: the database itself refuses the rest."""

from django.db import migrations


def append_only(table: str, *, allow_delete: bool = False) -> migrations.RunSQL:
    events = "UPDATE" if allow_delete else "UPDATE OR DELETE"
    return migrations.RunSQL(
        sql=f"""
        CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'Rows of {table} are never changed or removed.' USING ERRCODE = 'restrict_violation';
        END $$;
        CREATE TRIGGER {table}_append_only BEFORE {events} ON {table}
            FOR EACH ROW EXECUTE FUNCTION {table}_append_only();
        CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only();
        """,
        reverse_sql=f"""
        DROP TRIGGER IF EXISTS {table}_append_only ON {table};
        DROP TRIGGER IF EXISTS {table}_no_truncate ON {table};
        DROP FUNCTION IF EXISTS {table}_append_only();
        """,
    )


def frozen_when(table: str, condition: str, sentence: str) -> migrations.RunSQL:
    """Refuse UPDATE and DELETE of rows for which `condition` (about OLD) holds."""
    return migrations.RunSQL(
        sql=f"""
        CREATE OR REPLACE FUNCTION {table}_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '{sentence}' USING ERRCODE = 'restrict_violation';
        END $$;
        CREATE TRIGGER {table}_frozen BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {table}_frozen();
        CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION {table}_frozen();
        """,
        reverse_sql=f"""
        DROP TRIGGER IF EXISTS {table}_frozen ON {table};
        DROP TRIGGER IF EXISTS {table}_no_truncate ON {table};
        DROP FUNCTION IF EXISTS {table}_frozen();
        """,
    )
