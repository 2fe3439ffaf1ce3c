"""What a set's command ends with: its numbers beside the bars, and one self-contained page with its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from inference.reports import page
from inference.reports.contract import Report, Table
from inference.reports.words import number

# Pictures of a page of reports are thumbnails; here they are what is shown.
LARGER = (
    ".panel .row { flex-wrap: nowrap; } .panel .row div { flex: 1 1 0; max-width: 260px; } "
    ".panel img { width: 100%; max-height: none; }\n</style>"
)
NO_BAR = "–"


@dataclass(frozen=True)
class Reached:
    """One number.

    Attributes
    ----------
    what : str
    here : str
        As it was measured, with its interval where there is one.
    wanted : str
        The bar in words; "" where none is set.
    holds : bool or None
        None where no bar is set.
    known : str
        What others measured and where it stands.
    """

    what: str
    here: str
    wanted: str = ""
    holds: bool | None = None
    known: str = ""

    @property
    def verdict(self) -> str:
        return NO_BAR if self.holds is None else "holds" if self.holds else "falls short"

    @property
    def sentence(self) -> str:
        """As the command prints it."""
        bar = f", wanted {self.wanted}: {self.verdict}" if self.wanted else ""
        return f"{self.what}: {self.here}{bar}" + (f" ({self.known})" if self.known else "")


class Measured(NamedTuple):
    """The page of a set and its numbers."""

    page: Path
    numbers: tuple[Reached, ...]


def at_least(what: str, value: float, bar: float, *, known: str = "", said: str = "", digits: int = 3) -> Reached:
    """A number that must not lie below its bar; ``said`` stands instead of the plain number."""
    return Reached(what, said or number(value, digits), f"≥ {bar:g}", value >= bar, known)


def at_most(
    what: str, value: float, bar: float, unit: str, *, known: str = "", said: str = "", digits: int = 2
) -> Reached:
    """A number that must not lie above its bar, with its unit."""
    return Reached(what, said or f"{number(value, digits)} {unit}", f"≤ {bar:g} {unit}", value <= bar, known)


def interval(value: float, low: float, high: float, digits: int = 3) -> str:
    """An estimate and its limits.

    >>> interval(0.8, 0.7, 0.9, 2)
    '0.80 (0.70–0.90)'
    """
    return f"{number(value, digits)} ({number(low, digits)}–{number(high, digits)})"


@dataclass(frozen=True)
class About:
    """What stands around the figures: name of the page's file, title, lead, facts in boxes, whose images they are."""

    name: str
    title: str
    lead: str
    facts: Mapping[str, str]
    rights: str


def written(about: About, folder: Path, numbers: Sequence[Reached], reports: Sequence[Report]) -> Measured:
    """``NAME.html`` in the folder, and every table as CSV in ``NAME_files`` beside it."""
    files = folder / f"{about.name}_files"
    whole = (numbered(numbers), *reports)
    around = page.Page(
        title=about.title, kicker="Real images through manifest and commands", lead=about.lead, facts=about.facts,
        exports=files.name, footer=about.rights,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    page.export(whole, files)
    target = folder / f"{about.name}.html"
    target.write_text(page.rendered(around, whole).replace("</style>", LARGER, 1), encoding="utf-8")
    return Measured(target, tuple(numbers))


def numbered(numbers: Sequence[Reached]) -> Report:
    """The numbers as the first table of the page."""
    frame = pd.DataFrame(
        [
            {"number": one.what, "here": one.here, "wanted": one.wanted or NO_BAR, "bar": one.verdict,
             "known from elsewhere": one.known or NO_BAR}
            for one in numbers
        ]
    )  # fmt: skip
    return Report("I", "What it reaches", tables=(Table("numbers", "Numbers beside their bars", frame),))
