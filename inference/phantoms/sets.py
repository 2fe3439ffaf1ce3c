"""The cohort of each of the five studies in a folder: images, manifest, truth, and a digest of every byte."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from inference.cohorts.cases import BadCohort
from inference.phantoms.plans import FILM_STUDIES, PRESETS, SCAN_STUDIES, STUDIES
from inference.phantoms.radiographs import FilmOrder, film_orders, write_film_case
from inference.phantoms.records import (
    COLUMNS,
    DIGESTS,
    FEATURES,
    MANIFEST,
    ORACLE,
    VERTEBRA_COLUMNS,
    VERTEBRAE,
    Made,
    Record,
)
from inference.phantoms.scans import ScanOrder, scan_orders, write_scan_case

Order = FilmOrder | ScanOrder
FOLDERS = ("images", "masks", "levels")


@dataclass(frozen=True)
class BuiltSet:
    """Where a cohort lies, how many cases and images it has, and the SHA-256 of all its files together."""

    manifest: Path
    cases: int
    images: int
    digest: str


def build_set(
    study: str, folder: Path, preset: str = "small", seed: int = 7, *, workers: int = 1, quiet: bool = True
) -> BuiltSet:
    """Write the cohort of a study.

    Parameters
    ----------
    study : {"s0", "s1", "s2", "s3", "s4"}
    folder : Path
        Made if missing; must hold nothing else.
    preset : {"tiny", "ci", "small", "full"}
        Numbers of cases and size of the images.
    seed : int
        The same seed gives the same bytes, whatever the number of workers.
    workers : int
        Processes.
    quiet : bool
        Without a progress bar.

    Returns
    -------
    BuiltSet

    Raises
    ------
    BadCohort
        For a study or preset that does not exist, and for a folder with something in it.
    """
    orders = orders_of(study, preset, seed)
    if folder.exists() and any(folder.iterdir()):
        raise BadCohort(f"{folder} is not empty; a set gets a folder of its own.")
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    made = list(progress(written(orders, folder, workers), len(orders), study, quiet=quiet))
    rows = [row for one in made for row in one.rows]
    write_table(folder / MANIFEST, rows, COLUMNS)
    write_table(folder / VERTEBRAE, [row for one in made for row in one.vertebrae], VERTEBRA_COLUMNS)
    write_table(folder / ORACLE, [row for one in made for row in one.oracle], ())
    write_table(folder / FEATURES, [row for one in made for row in one.features], ())
    for name in FOLDERS:
        if not any((folder / name).iterdir()):
            (folder / name).rmdir()
    return BuiltSet(folder / MANIFEST, len({row["case"] for row in rows}), len(rows), write_digests(folder))


def orders_of(study: str, preset: str, seed: int) -> Sequence[Order]:
    """Everything that the study's set is made of, in the order of its manifest."""
    if preset not in PRESETS:
        raise BadCohort(f"There is no preset {preset!r}; there are {', '.join(PRESETS)}.")
    for films in FILM_STUDIES:
        if study == films:
            return tuple(film_orders(films, preset, seed))
    for scans in SCAN_STUDIES:
        if study == scans:
            return tuple(scan_orders(scans, preset, seed))
    raise BadCohort(f"There is no study {study!r}; there are {', '.join(STUDIES)}.")


def write_case(order: Order, folder: Path) -> Made:
    """Write the images of one case."""
    return write_film_case(order, folder) if isinstance(order, FilmOrder) else write_scan_case(order, folder)


def written(orders: Sequence[Order], folder: Path, workers: int) -> Iterator[Made]:
    """In the order of the orders, however many processes work."""
    work: Callable[[Order], Made] = partial(write_case, folder=folder)
    if workers <= 1:
        yield from map(work, orders)
        return
    # A fresh interpreter for each: whoever asks may have threads that a fork would break.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, orders, chunksize=max(1, min(8, len(orders) // workers)))


def progress(made: Iterable[Made], total: int, study: str, *, quiet: bool) -> Iterable[Made]:
    from tqdm import tqdm

    bar: Iterable[Made] = tqdm(made, total=total, desc=f"{study}: synthetic cases", disable=quiet)
    return bar


def write_table(path: Path, rows: Sequence[Record], first: Sequence[str]) -> None:
    """CSV with the columns ``first``, then every further one in the order of its appearance; none without rows."""
    if not rows:
        return
    columns = dict.fromkeys([*first, *(name for row in rows for name in row)])
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, list(columns), restval="")
        table.writeheader()
        table.writerows(rows)


def write_digests(folder: Path) -> str:
    """Write digests.json, SHA-256 of every file by its path; its own digest comes back."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != DIGESTS)
    digests = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    content = json.dumps(digests, indent=1, sort_keys=True).encode()
    (folder / DIGESTS).write_bytes(content)
    return hashlib.sha256(content).hexdigest()
