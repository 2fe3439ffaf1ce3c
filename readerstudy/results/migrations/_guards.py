"""What the database itself refuses, in the same migration as the tables."""

from readerstudy.audit.guards import frozen_when

GUARDS = [frozen_when("results_analysisrun", "OLD.phase = 'done'", "The results of a finished run are never changed.")]
