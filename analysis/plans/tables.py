"""The tables of a plan: read, with their digests, under the column names of this package."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import CannotAnalyse
from analysis.plans.declared import Columns, StudyPlan
from analysis.ratings import check_columns, natural
from analysis.table_files import read_file

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("reader", "arm", "case", "patient", "model", "set", "fold", "seniority")


@dataclass(frozen=True)
class Source:
    """One file that results rest on, with its digest."""

    role: str
    name: str
    sha256: str
    rows: int


@dataclass(frozen=True, eq=False)
class Tables:
    """All tables of a plan under canonical column names; None where the plan has none of that kind."""

    readings: "pd.DataFrame | None"
    scores: "pd.DataFrame | None"
    features: "pd.DataFrame | None"
    marks: "pd.DataFrame | None"
    lesions: "pd.DataFrame | None"
    sources: tuple[Source, ...]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def loaded(path: Path, columns: Columns) -> "pd.DataFrame":
    """One file with labels as text and canonical names; every failure is one sentence."""
    frame = read_file(path, [getattr(columns, name) for name in LABELS])
    if len(frame) == 0:
        raise CannotAnalyse(f"{path.name} has no rows.")
    return renamed(frame, columns, path.name)


def renamed(frame: "pd.DataFrame", columns: Columns, name: str) -> "pd.DataFrame":
    """Columns under their canonical names; two columns of one name are refused."""
    theirs = {getattr(columns, ours): ours for ours in Columns.__dataclass_fields__}
    moved = {column: theirs[column] for column in frame.columns if column in theirs}
    found = frame.rename(columns=moved)
    twice = found.columns[found.columns.duplicated()]
    if len(twice):
        raise CannotAnalyse(f"{name} has two columns that mean {twice[0]}; rename one of them in [columns].")
    return found


def read_tables(plan: StudyPlan, path: Path, folder: Path) -> Tables:
    """Every table of the plan; `path` is the TABLE of the command line, `folder` that of the plan."""
    main = loaded(path, plan.columns)
    sources = [Source("table", path.name, digest(path), len(main))]
    found: dict[str, pd.DataFrame] = {}
    wanted = {"scores": plan.scores.file, "features": plan.features.file}
    wanted |= {"marks": plan.marks.file, "lesions": plan.marks.lesions}
    for role, file in wanted.items():
        if file:
            found[role] = loaded(folder / file, plan.columns)
            sources.append(Source(role, file, digest(folder / file), len(found[role])))
    readings = with_labels(main, plan) if plan.has_readers else None
    if readings is None:
        found["scores"] = main
    scores = found.get("scores")
    if scores is not None:
        scores = with_model(scores, plan)
    others = (found.get("features"), found.get("marks"), found.get("lesions"))
    return Tables(readings, scores, *others, tuple(sources))


def with_labels(frame: "pd.DataFrame", plan: StudyPlan) -> "pd.DataFrame":
    """A table of one reader or one arm needs no such column."""
    if "reader" not in frame.columns and plan.design == "single reader":
        frame = frame.assign(reader="reader")
    if "arm" not in frame.columns and len(plan.arms) == 1:
        frame = frame.assign(arm=plan.arms[0])
    check_columns(frame, ("reader", "arm", "case", "truth"))
    return frame


def with_model(frame: "pd.DataFrame", plan: StudyPlan) -> "pd.DataFrame":
    if "model" not in frame.columns:
        frame = frame.assign(model="model")
    check_columns(frame, ("case", "truth") if not plan.has_readers else ("case",))
    wanted = plan.scores.models
    known = sorted(frame["model"].astype(str).unique(), key=natural)
    strange = [name for name in wanted if name not in known]
    if strange:
        raise CannotAnalyse(f"The table of scores has no model {strange[0]!r}; it has {', '.join(known)}.")
    return frame[frame["model"].astype(str).isin(wanted)] if wanted else frame
