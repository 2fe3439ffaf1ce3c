"""Cohorts from manifests: cases, patients, truth, place of the finding; patient-grouped folds; the leak check."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from inference.prediction import Place
from inference.reasons import why

SEEN = "seen.json"
YES = {"1", "yes", "positive", "true"}
NO = {"0", "no", "negative", "false"}
Role = Literal["develop", "control", "external"]
ROLES: tuple[Role, ...] = get_args(Role)
NEEDED = ("case", "patient", "role", "file")
PLACES = ("slice", "row", "column", "height", "width")
OF_THE_CASE = ("patient", "role", "site", "truth", *PLACES, "mask", "levels")


class BadCohort(ValueError):
    """A manifest, a split or a mixture of cohorts that must not be used; the text says why."""


@dataclass(frozen=True)
class CohortCase:
    """One case of a cohort.

    Attributes
    ----------
    images : mapping of str to Path
        Name of the input to its file, or to the folder of its series; "" for the model's only input.
    positive : bool or None
        None where the manifest does not say.
    place : Place or None
        Of the finding.
    mask, levels : Path or None
        Label images on the grid of the first input's image: nonzero is the target; `inference.cohorts.levels.CODES`.
    facts : mapping of str to str
        Every other column.
    """

    case: str
    patient: str
    role: Role
    site: str
    images: Mapping[str, Path]
    positive: bool | None
    place: Place | None = None
    mask: Path | None = None
    levels: Path | None = None
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class Named(Protocol):
    """What is known by the names of its case and its patient."""

    @property
    def case(self) -> str: ...

    @property
    def patient(self) -> str: ...


class Part(Protocol):
    """Cases with the pixel digests of their images."""

    @property
    def cases(self) -> Sequence[CohortCase]: ...

    @property
    def image_digests(self) -> Sequence[Collection[str]]: ...


def read_cohort(manifest: Path, inputs: Collection[str] = ()) -> tuple[CohortCase, ...]:
    """Cases of a CSV with one row for every image of a case.

    Columns: ``case``, ``patient``, ``role`` and ``file`` are needed; ``site``, ``input``, ``truth``, ``slice``,
    ``row``, ``column``, ``height``, ``width``, ``mask`` and ``levels`` may be there; every other is kept as a fact.
    What belongs to the case may stand in one of its rows or, alike, in several.

    Parameters
    ----------
    manifest : Path
        Files are named relative to its folder.
    inputs : collection of str
        Names that the column ``input`` may hold; empty for any.

    Raises
    ------
    BadCohort
        Naming row and column.
    """
    rows = _rows(manifest)
    lacking = [name for name in NEEDED if name not in rows[0]]
    if lacking:
        raise BadCohort(f"{manifest} has no column {', '.join(lacking)}; it has {', '.join(rows[0])}.")
    grouped: dict[str, list[tuple[int, dict[str, str]]]] = defaultdict(list)
    for number, row in enumerate(rows, start=2):
        for name in NEEDED:
            if not row[name]:
                raise BadCohort(f"Row {number}, column {name}: is empty.")
        if inputs and row.get("input") and row["input"] not in inputs:
            raise BadCohort(
                f"Row {number}, column input: the model has no input {row['input']!r}; it reads {', '.join(inputs)}."
            )
        grouped[row["case"]].append((number, row))
    cases = tuple(_case(name, own, manifest.parent) for name, own in grouped.items())
    roles: dict[str, CohortCase] = {}
    for case in cases:
        before = roles.setdefault(case.patient, case)
        if before.role != case.role:
            raise BadCohort(
                f"Row {grouped[case.case][0][0]}, column role: patient {case.patient} stands in {before.role} "
                f"(case {before.case}) and in {case.role} (case {case.case})."
            )
    return cases


def folds(cases: Sequence[CohortCase], k: int, seed: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Indices for training and for testing, ``k`` times; every patient is tested once, with all his cases.

    scikit-learn's ``StratifiedGroupKFold``: the share of positives is about the same in all folds.

    Raises
    ------
    BadCohort
        Where there are fewer patients than folds, or fewer than two cases of either answer.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    patients = np.array([case.patient for case in cases])
    truth = np.array([bool(case.positive) for case in cases])
    if len(set(patients)) < k or k < 2:
        raise BadCohort(f"{len(set(patients))} patients cannot be split into {k} parts.")
    rarer = min(int(truth.sum()), int((~truth).sum()))
    if 0 < rarer < k:
        raise BadCohort(f"The rarer answer has {rarer} cases, too few for {k} folds.")
    splitter = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    return [(train, test) for train, test in splitter.split(np.zeros(len(cases)), truth, patients)]


def assert_no_leak(parts: Mapping[str, Part]) -> None:
    """Refuse a patient, or an image by its pixels, that stands in two parts.

    Parameters
    ----------
    parts : mapping of str to Part
        Such as ``{"training": samples, "tuning": samples}``.

    Raises
    ------
    BadCohort
        Naming the patient, or both cases, and the parts.
    """
    patients: dict[str, str] = {}
    images: dict[str, tuple[str, str]] = {}
    for name, part in parts.items():
        for case, digests in zip(part.cases, part.image_digests, strict=True):
            before = patients.setdefault(case.patient, name)
            if before != name:
                raise BadCohort(f"Leak: patient {case.patient} stands in {before} and {name}.")
            for digest in digests:
                other, there = images.setdefault(digest, (case.case, name))
                if there != name:
                    raise BadCohort(f"Leak: {other} ({there}) and {case.case} ({name}) are the same image.")


def _rows(manifest: Path) -> list[dict[str, str]]:
    try:
        with manifest.open(newline="", encoding="utf-8-sig") as stream:
            table = csv.DictReader(stream, strict=True)
            rows = [{name: (value or "") for name, value in row.items() if name} for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadCohort(f"{manifest} cannot be read: {why(error)}.") from error
    if not rows:
        raise BadCohort(f"{manifest} has no rows.")
    return [{name: value.strip() for name, value in row.items()} for row in rows]


def _case(name: str, rows: Sequence[tuple[int, dict[str, str]]], folder: Path) -> CohortCase:
    told = _agreed(name, rows)
    number = rows[0][0]
    role = told.get("role", "")
    if role not in ROLES:
        raise BadCohort(f"Row {number}, column role: {role!r} is not one of {', '.join(ROLES)}.")
    images: dict[str, Path] = {}
    for at, row in rows:
        given = row.get("input", "")
        if given in images or (images and "" in (given, *images)):
            raise BadCohort(f"Row {at}, column input: case {name} has the input {given!r} already.")
        images[given] = _file(row["file"], folder, at, "file")
    facts = {key: value for _, row in reversed(rows) for key, value in row.items() if value or key not in row}
    own = {*NEEDED, *OF_THE_CASE, "input"}
    return CohortCase(
        case=name,
        patient=told["patient"],
        role=role,
        site=told.get("site", ""),
        images=MappingProxyType(images),
        positive=_truth(told.get("truth", ""), number),
        place=_place(told, number),
        mask=_file(told["mask"], folder, number, "mask") if told.get("mask") else None,
        levels=_file(told["levels"], folder, number, "levels") if told.get("levels") else None,
        facts=MappingProxyType({key: value for key, value in facts.items() if key not in own}),
    )


def _agreed(name: str, rows: Sequence[tuple[int, dict[str, str]]]) -> dict[str, str]:
    """What the rows of a case say of it; refused where two say different things."""
    told: dict[str, str] = {}
    for number, row in rows:
        for column in OF_THE_CASE:
            given = row.get(column, "")
            if given and told.setdefault(column, given).lower() != given.lower():
                raise BadCohort(f"Row {number}, column {column}: case {name} has {told[column]!r} in another row.")
    return told


def _file(given: str, folder: Path, number: int, column: str) -> Path:
    path = folder / given
    try:
        there = path.exists()
    except (OSError, ValueError):
        # A name that is too long, or none that a file can have.
        there = False
    if not there:
        raise BadCohort(f"Row {number}, column {column}: there is no file {given!r} in {folder}.")
    return path


def _truth(given: str, number: int) -> bool | None:
    if not given:
        return None
    if given.lower() not in YES | NO:
        raise BadCohort(f"Row {number}, column truth: {given!r} is neither yes nor no.")
    return given.lower() in YES


def _place(told: Mapping[str, str], number: int) -> Place | None:
    numbers = {}
    for column in PLACES:
        try:
            numbers[column] = float(told.get(column) or 0)
        except ValueError:
            raise BadCohort(f"Row {number}, column {column}: {told[column]!r} is no number.") from None
        if not np.isfinite(numbers[column]) or (column in ("height", "width") and numbers[column] < 0):
            raise BadCohort(f"Row {number}, column {column}: {told[column]!r} is no place in an image.")
    if not told.get("row") and not told.get("column"):
        return None
    lacking = [column for column in ("row", "column") if not told.get(column)]
    if lacking:
        raise BadCohort(f"Row {number}, column {lacking[0]}: is empty, and a place has a row and a column.")
    return Place(**numbers)


def digest_of(pixels: NDArray[np.float32]) -> str:
    """Identity of an image by its pixels, whatever its file is called."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes() + str(pixels.shape).encode()).hexdigest()


def mark_of(name: str) -> str:
    """What is kept of a patient's name or an image's digest: enough to recognise, not enough to tell."""
    return hashlib.sha256(f"seen:{name}".encode()).hexdigest()[:16]


def seen(members: Sequence[Named], digests: Sequence[str]) -> dict[str, list[str]]:
    """Marks of the patients and images that a model was made with, as they stand in ``seen.json`` beside its card."""
    return {
        "patients": sorted({mark_of(member.patient) for member in members}),
        "images": sorted({mark_of(digest) for digest in digests}),
    }


def check_unseen(members: Sequence[Named], digests: Sequence[str], folder: Path, sha256: str) -> None:
    """Refuse to measure a model on what it was made with.

    Parameters
    ----------
    members, digests
        The cohort to be measured on, and the digests of its pixels.
    folder : Path
        Of the model; ``seen.json`` there lists the marks of its training and validation parts.
    sha256 : str
        Digest of that list, from the card.

    Raises
    ------
    BadCohort
        Naming the patient or the case, or where the list is missing or changed.
    """
    try:
        content = (folder / SEEN).read_bytes()
    except OSError as error:
        raise BadCohort(
            f"{SEEN} is missing beside the card, so nobody can tell whether these cases are new."
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BadCohort(f"{SEEN} is not the one of this card: its SHA-256 differs.")
    for part, marks in json.loads(content).items():
        for member, digest in zip(members, digests, strict=True):
            if mark_of(member.patient) in marks["patients"]:
                raise BadCohort(f"Leak: patient {member.patient} stands in the model's {part} part.")
            if mark_of(digest) in marks["images"]:
                raise BadCohort(f"Leak: the image of {member.case} stands in the model's {part} part.")
