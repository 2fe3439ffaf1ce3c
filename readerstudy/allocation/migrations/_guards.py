"""What the database itself refuses, in the same migration as the tables."""

from readerstudy.audit.guards import append_only

GUARDS = [append_only("allocation_allocation"), append_only("allocation_slot")]
