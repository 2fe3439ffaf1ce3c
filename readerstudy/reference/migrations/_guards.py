"""What the database itself refuses, in the same migration as the tables."""

from readerstudy.audit.guards import append_only

GUARDS = [
    append_only(f"reference_{name}")
    for name in (
        "standard",
        "truth",
        "opinion",
        "annotation",
        "proposal",
        "proposaldecision",
        "adjudicator",
        "standardannotation",
    )
]
