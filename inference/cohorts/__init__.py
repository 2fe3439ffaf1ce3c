"""Cohorts: cases by patient and role, folds, leak check, marks of what was seen; a cohort in memory."""
