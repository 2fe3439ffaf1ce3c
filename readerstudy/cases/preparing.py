"""From the rows of the manifest to decoded series: what dry run and import share."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from . import fetching, manifest, staging
from .decoded import File, Outcome, Refusal
from .manifest import CaseRows, Row, SeriesRows
from .models import CaseImport
from .pictures import Scale, Unreadable
from .queries import manifest_of
from .sandbox import Decoders, Order
from .stacking import Stack, by_plane, by_series, stacked
from .values import together

# One order to a decoder: small enough to spread over the processors, large enough not to be talk only.
FILES_OF_AN_ORDER = 16
BYTES_OF_AN_ORDER = 32 << 20


class Files:
    """The files that rows mean, looked up once."""

    def __init__(self, folder: Path, decoders: Decoders, refused: Mapping[str, str] | None = None) -> None:
        """`refused` has a sentence for what could not be brought here."""
        self.folder, self._decoders, self.refused = folder, decoders, refused or {}
        self._known: dict[str, list[Path]] = {}
        self._folders: dict[str, bool] = {}

    def of(self, row: Row) -> list[Path]:
        if row.file in self.refused:
            raise Unreadable(self.refused[row.file])
        if row.file not in self._known:
            path = manifest.located(self.folder, row.file)
            is_directory = path.name.upper() == manifest.DICOMDIR and path.is_file()
            self._known[row.file] = self._listed(path) if is_directory else manifest.files_of(self.folder, row.file)
        return self._known[row.file]

    def is_folder(self, row: Row) -> bool:
        if row.file not in self._folders:
            self._folders[row.file] = self.of(row) != [manifest.located(self.folder, row.file)]
        return self._folders[row.file]

    def _listed(self, directory: Path) -> list[Path]:
        found = []
        for name in self._decoders.listed_files(directory):
            parts = PurePosixPath(name)
            if parts.is_absolute() or ".." in parts.parts:
                raise Unreadable("The DICOMDIR names a file outside its folder.")
            # Discs have names in capitals; what is copied from them often has not.
            exact, small = directory.parent / name, directory.parent / name.lower()
            found.append(exact if exact.exists() or not small.exists() else small)
        return found


def files_for(row: CaseImport, decoders: Decoders, beat: Callable[[], None]) -> Files:
    rows = manifest_of(row).rows
    if row.server:
        refused = fetching.fetch(row, rows, beat)
        return Files(fetching.fetched_folder(row), decoders, refused)
    return Files(staging.files_folder(row, rows, decoders), decoders)


@dataclass
class PreparedCase:
    case: CaseRows
    files: Files
    outcomes: dict[Path, Outcome] = field(default_factory=dict)
    missing: int = 0
    # Its series have one scale each.
    is_even: bool = False

    @property
    def sources(self) -> set[str]:
        """Digests of the files that pictures are read from."""
        return {file.digest for row in self.case.rows for _, file in self._used(row)}

    def pictures(self) -> Iterator[tuple[Row, Path, str]]:
        for row in self.case.rows:
            for path, file in self._used(row):
                yield row, path, file.digest

    def refusals(self) -> Iterator[tuple[Row, Path, str]]:
        for row in self.case.rows:
            beside = set(self.beside(row))
            for path in self.files.of(row):
                outcome = self.outcomes.get(path)
                if isinstance(outcome, Refusal) and path not in beside:
                    yield row, path, outcome.sentence

    def beside(self, row: Row) -> list[Path]:
        """What lies in a folder of DICOM files and is no picture of theirs; what a row names is never passed over."""
        if not self.files.is_folder(row):
            return []
        found = {path: self.outcomes.get(path) for path in self.files.of(row)}
        if not any(_is_dicom(outcome) for outcome in found.values()):
            return []
        return [
            path
            for path, outcome in found.items()
            if (isinstance(outcome, Refusal) and outcome.no_picture)
            or (isinstance(outcome, File) and not _is_dicom(outcome))
        ]

    def _used(self, row: Row) -> list[tuple[Path, File]]:
        beside = set(self.beside(row))
        paths = [path for path in self.files.of(row) if path not in beside]
        return [(path, outcome) for path in paths if isinstance(outcome := self.outcomes.get(path), File)]

    def files_in(self, series: SeriesRows) -> list[tuple[Path, File]]:
        return [found for row in series.rows for found in self._used(row)]

    def stacks(self, series: SeriesRows) -> list[Stack]:
        """One of each series and plane; what the manifest calls one series is one."""
        groups = self._groups(series)
        return [stacked(part) for group in groups for part in ([group] if series.label else by_plane(group))]

    def _groups(self, series: SeriesRows) -> list[list[File]]:
        """The files of one series; of a folder without a name of as many as it holds."""
        found = [file for _, file in self.files_in(series)]
        if not found:
            return []
        if series.label or len(series.rows) > 1 or not self.files.is_folder(series.rows[0]):
            return [found]
        return by_series(found)

    def uneven(self, series: SeriesRows) -> Iterator[tuple[Scale, list[Path]]]:
        """What was scaled otherwise than all files of its stack together must be, so that equal values are equal."""
        used = {id(file): path for path, file in self.files_in(series)}
        for group in self._groups(series):
            common = together(file.scale for file in group)
            others = [used[id(file)] for file in group if common and file.scale and file.scale.line != common.line]
            if common and others:
                yield common, others


def _is_dicom(outcome: Outcome | None) -> bool:
    return isinstance(outcome, File) and outcome.facts.kind == "dicom"


class _Orders(Iterator[Order]):
    """What was put back comes before what is next, even when that had come to its end."""

    def __init__(self, orders: Iterator[Order]) -> None:
        self._orders = orders
        self.again: deque[Order] = deque()

    def __next__(self) -> Order:
        return self.again.popleft() if self.again else next(self._orders)


def prepared(row: CaseImport, cases: Iterable[CaseRows], files: Files, decoders: Decoders) -> Iterator[PreparedCase]:
    """The cases in their order, each with all its files decoded; what the dry run decoded is not decoded again."""
    waiting: deque[PreparedCase] = deque()

    def first_orders() -> Iterator[Order]:
        for case in cases:
            one = PreparedCase(case, files)
            waiting.append(one)
            yield from _orders(row, one, len(decoders.sandboxes))

    orders = _Orders(first_orders())
    for order, outcomes in decoders.decode(orders):
        one: PreparedCase = order.of
        one.outcomes.update(zip(order.paths, outcomes, strict=True))
        one.missing -= len(order.paths)
        if not one.missing and not one.is_even:
            one.is_even = True
            orders.again.extend(_evening(row, one, len(decoders.sandboxes)))
        if not one.missing and order.paths:
            staging.remember(row, one.case, one.outcomes)
        while waiting and not waiting[0].missing:
            yield waiting.popleft()


def _orders(row: CaseImport, one: PreparedCase, decoders: int) -> Iterator[Order]:
    known = staging.remembered(row, one.case)
    made: list[Order] = []
    for series in one.case.series:
        paths = [path for rows in series.rows for path in one.files.of(rows)]
        one.outcomes.update((path, known[path]) for path in paths if path in known)
        unknown = [path for path in paths if path not in known]
        one.missing += len(unknown)
        for some in _portions(unknown, decoders):
            made.append(Order(some, staging.frames_folder(row), modality_of(series), len(paths) == 1, one))
    # An empty order comes back at once: a case of which everything is known waits for no decoder.
    yield from made or [Order((), staging.frames_folder(row), of=one)]


def _evening(row: CaseImport, one: PreparedCase, decoders: int) -> Iterator[Order]:
    """Slices whose values were scaled one by one, once more over the range of all of them."""
    for series in one.case.series:
        for scale, paths in one.uneven(series):
            one.missing += len(paths)
            for some in _portions(paths, decoders):
                yield Order(some, staging.frames_folder(row), modality_of(series), of=one, scale=scale)


def _portions(paths: list[Path], decoders: int) -> Iterator[tuple[Path, ...]]:
    some: list[Path] = []
    size, left = 0, len(paths)
    for path in paths:
        some.append(path)
        # One that has gone meanwhile is refused by its decoder, in words.
        size += path.stat().st_size if path.exists() else 0
        # Smaller towards the end, so that all decoders end together.
        if len(some) >= min(FILES_OF_AN_ORDER, left / (2 * decoders)) or size >= BYTES_OF_AN_ORDER:
            yield tuple(some)
            left -= len(some)
            some, size = [], 0
    if some:
        yield tuple(some)


def modality_of(series: SeriesRows) -> str:
    """What a column `modality` says; only NIfTI, which does not say it itself, needs it."""
    said = next((value for row in series.rows for name, value in row.covariates.items() if name == "modality"), "")
    return said.upper()[:8]
