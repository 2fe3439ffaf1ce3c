"""What every report answers: tables, figures, pictures, text, and a footer that says what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inference.reports.study import Source

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Table:
    """A table under its name; numbers in full precision, an estimate followed by its columns ``low`` and ``high``.

    ``shown`` is False for the numbers of a figure that are exported with it but not printed.
    """

    name: str
    title: str
    frame: pd.DataFrame
    note: str = ""
    shown: bool = True


@dataclass(frozen=True)
class Figure:
    """A plotly figure under its name; ``table`` names the table that holds the same numbers."""

    name: str
    title: str
    plot: Any
    table: str = ""


@dataclass(frozen=True)
class Picture:
    """A PNG with what stands under it."""

    png: bytes
    caption: str


@dataclass(frozen=True)
class Panel:
    """Pictures side by side, row by row."""

    title: str
    rows: tuple[tuple[Picture, ...], ...]


@dataclass(frozen=True)
class Footer:
    """What a report rests on.

    Attributes
    ----------
    seed : int or None
        Of every random draw; None where nothing was drawn.
    counts : mapping of str to int
        Cases, patients, positives and the like.
    interval : str
        How intervals were found; "" where there are none.
    sources : tuple of Source
        Input files with their SHA-256.
    links : mapping of str to str
        What was called to its full report, relative to the folder of exports.
    """

    seed: int | None
    counts: Mapping[str, int]
    interval: str
    sources: tuple[Source, ...]
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """One of R01 to R22.

    Attributes
    ----------
    id, title : str
    text : tuple of str
        Paragraphs in plain words.
    missing : str
        A sentence that says which part of the study is not there; then there are no tables.
    """

    id: str
    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    panels: tuple[Panel, ...] = ()
    footer: Footer | None = None
    missing: str = ""

    def table(self, name: str) -> pd.DataFrame:
        """The frame of the table of that name; raises KeyError where there is none."""
        for one in self.tables:
            if one.name == name:
                return one.frame
        raise KeyError(name)


def empty(id: str, title: str, sentence: str) -> Report:
    """A report of which the study has no part; nothing is invented."""
    return Report(id, title, missing=sentence)


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows by the names of their columns."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
