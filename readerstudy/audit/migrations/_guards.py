"""What the database itself refuses, in the same migration as the tables."""

from readerstudy.audit.guards import append_only

GUARDS = [append_only("audit_event")]
