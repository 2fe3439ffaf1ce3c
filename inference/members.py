"""Manifests with one film a case, as the first loop of training reads them."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

YES = {"1", "yes", "positive", "true"}
NO = {"0", "no", "negative", "false"}


class BadCohort(ValueError):
    """A manifest, a split or a mixture of cohorts that must not be used; the text says why."""


@dataclass(frozen=True)
class Member:
    """One case of a cohort."""

    case: str
    patient: str
    path: Path
    positive: bool
    # Row and column of the finding in the image, where the manifest has the columns row and column.
    place: tuple[float, float] | None = None


def read_manifest(
    manifest: Path,
    images: Path,
    *,
    case: str = "case",
    patient: str = "patient",
    file: str = "file",
    finding: str = "truth",
) -> list[Member]:
    """Read a CSV with one row per image.

    Parameters
    ----------
    manifest, images : Path
        The table, and the folder against which its column of files is read.
    case, patient, file, finding : str
        Names of the columns. ``finding`` holds yes/no, positive/negative or 1/0.

    Raises
    ------
    BadCohort
        Naming row and column.
    """
    try:
        with manifest.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadCohort(f"{manifest} cannot be read: {error}.") from error
    if not rows:
        raise BadCohort(f"{manifest} has no rows.")
    missing = [name for name in (case, patient, file, finding) if name not in rows[0]]
    if missing:
        raise BadCohort(f"{manifest} has no column {', '.join(missing)}; it has {', '.join(rows[0])}.")
    members = []
    for number, row in enumerate(rows, start=2):
        label = (row[finding] or "").strip().lower()
        if label not in YES | NO:
            raise BadCohort(f"Row {number}, column {finding}: {row[finding]!r} is neither yes nor no.")
        path = images / row[file]
        if not path.is_file():
            raise BadCohort(f"Row {number}, column {file}: there is no file {row[file]!r} in {images}.")
        members.append(Member(row[case], row[patient], path, label in YES, place_in(row, number)))
    if len({member.positive for member in members}) < 2:
        raise BadCohort(f"All cases of {manifest} have the same {finding}; a classifier needs both.")
    return members


def place_in(row: dict[str, str], number: int) -> tuple[float, float] | None:
    """Where the finding lies, or None where the manifest does not say."""
    written = (row.get("row") or "").strip(), (row.get("column") or "").strip()
    if not all(written):
        return None
    try:
        return float(written[0]), float(written[1])
    except ValueError:
        raise BadCohort(f"Row {number}, columns row and column: {written} are not two numbers.") from None


def split_by_patient(
    members: Sequence[Member], *, share: float = 0.25, seed: int = 0
) -> tuple[list[Member], list[Member]]:
    """Training and validation part; no patient stands in both, and both have both classes.

    The folds are scikit-learn's ``StratifiedGroupKFold``; the first of ``round(1 / share)`` is kept for validation.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    folds = max(2, round(1 / share))
    groups = [member.patient for member in members]
    labels = np.array([member.positive for member in members])
    if len(set(groups)) < folds:
        raise BadCohort(f"{len(set(groups))} patients cannot be split into {folds} parts.")
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    training, validation = next(iter(splitter.split(np.zeros(len(labels)), labels, groups)))
    return [members[i] for i in training], [members[i] for i in validation]


def digest_of(pixels: NDArray[np.float32]) -> str:
    """Identity of an image by its pixels, whatever its file is called."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes() + str(pixels.shape).encode()).hexdigest()


def check_no_leak(parts: dict[str, Iterable[tuple[Member, str]]]) -> None:
    """Refuse a patient or an image (by pixel digest) that stands in two parts.

    Parameters
    ----------
    parts : dict of name to (member, pixel digest)

    Raises
    ------
    BadCohort
        Naming the patient or the case and the parts.
    """
    patients: dict[str, set[str]] = defaultdict(set)
    images: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for name, members in parts.items():
        for member, digest in members:
            patients[member.patient].add(name)
            images[digest].add((name, member.case))
    for patient, names in patients.items():
        if len(names) > 1:
            raise BadCohort(f"Leak: patient {patient} stands in {' and '.join(sorted(names))}.")
    for places in images.values():
        if len({name for name, _ in places}) > 1:
            listed = ", ".join(f"{case} ({name})" for name, case in sorted(places))
            raise BadCohort(f"Leak: the same image stands in two parts: {listed}.")
