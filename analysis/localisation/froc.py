"""Figures of merit of localisation studies, with their value when each case is left out."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, wald
from analysis.localisation import marked_cells as cells
from analysis.localisation.lroc import lroc_figure
from analysis.localisation.marked_cells import Cell, Without, cell_of
from analysis.localisation.marks import Marks
from analysis.ratings import Floats

# JAFROC is the name of the method and of its older program; the figure it reported is the area under the AFROC.
OTHER_NAMES = {"jafroc": "afroc", "jafroc1": "afroc1", "wjafroc": "wafroc", "wjafroc1": "wafroc1", "roc": "hrauc"}
LROC_LIMITS = {"alroc": 1.0, "pcl": 0.2}


@dataclass(frozen=True)
class Definition:
    """How a figure is computed and what it is: the cases that it rests on and its range."""

    compute: Callable[[Cell], Without]
    meaning: str
    needs: tuple[bool, ...]
    rests_on: tuple[bool, ...] = (True, False)
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, eq=False)
class LocalisedFigures:
    """Figures of merit of all readers and arms.

    values: (reader, arm), NaN where nothing was read; left_out: (reader, arm, case) the figure without each case, of
    the cases that it rests on; low, high: the range of the figure.
    """

    figure: str
    readers: tuple[str, ...]
    arms: tuple[str, ...]
    values: Floats
    left_out: Floats
    low: float
    high: float
    warnings: tuple[str, ...]

    @property
    def cases(self) -> int:
        """Number of cases in the jackknife."""
        return int(self.left_out.shape[2])

    @property
    def covariance(self) -> Floats:
        """(reader x arm, reader x arm) jackknife covariance over cases."""
        steps = self.left_out.reshape(-1, self.cases)
        steps = steps - steps.mean(axis=1, keepdims=True)
        return np.asarray((self.cases - 1) / self.cases * (steps @ steps.T))


@dataclass(frozen=True)
class LocalisedFigure:
    """Figure of merit of one reader in one arm with its jackknife standard error; n cases are in the jackknife."""

    figure: str
    reader: str
    arm: str
    estimate: float
    se: float
    n: int
    low: float
    high: float
    warnings: tuple[str, ...]

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Estimate ± quantile × se, within the range of the figure."""
        return wald(self.estimate, self.se, level).clipped(self.low, self.high)


def localised_figures(marks: Marks, figure: str = "wafroc") -> LocalisedFigures:
    """How well did every reader find and rate the lesions in every arm, and how much does each case matter?

    marks: from `marks.read_marks`. figure (upper or lower case), with psi = 1, 1/2, 0 for a first rating below, equal
    to, above a second, an unmarked lesion or case rated below every mark, K1 cases without disease, K2 with, L lesions:
    wafroc: mean over cases without disease of the highest mark x, and over diseased cases, of sum of weights psi(x,
    lesion); afroc (also jafroc): the same over lesions, unweighted; wafroc1, afroc1: x also of the diseased cases;
    hrauc (roc): psi of the highest marks of cases; hrse, hrsp: shares of diseased cases with, other cases without any
    mark; maxllf: share of lesions marked; maxnlf, maxnlfallcases: marks on no lesion per case without disease, per
    case; exptrnsfmsp: exp(-maxnlf); songa1: psi of mean marks of cases (of a diseased case the larger of its two
    means); songa2: psi of 1/2 and the share of pairs of marks with the diseased case's higher; froc: area under the
    FROC, sum of psi(mark on no lesion, lesion) / (K1 + K2) / L; roi: mean of the same psi, every region rated;
    alroc[:limit]: area under the LROC up to a false-positive fraction (1); pcl[:limit]: its height there (0.2).
    The jackknife leaves out diseased cases for hrse, maxllf, others for hrsp, maxnlf, exptrnsfmsp, else all cases.
    Refused: an unknown figure, no lesions or no cases without disease where the figure needs them.
    Source: Chakraborty (2017), Observer Performance Methods for Diagnostic Imaging, chapters 13, 14, 16; Chakraborty &
    Zhai (2016), Med. Phys. 43:2297-2310 (wAFROC); Song et al. (2008), Stat. Med. 27:1347-1361 (A1, A2); Swensson
    (1996), Med. Phys. 23:1709-1725 (LROC); Popescu (2011), Med. Phys. 38:5690-5702 (exptrnsfmsp); Obuchowski, Lieber &
    Powell (2000), Acad. Radiol. 7:516-525 (roi).

    >>> import pandas as pd
    >>> from analysis.localisation.marks import read_marks
    >>> cases = pd.DataFrame({"case": [1, 2, 3, 4], "truth": [0, 0, 1, 1], "lesion": [0, 0, 1, 1]})
    >>> table = pd.DataFrame({"reader": "R", "arm": "A", "case": [1, 3], "lesion": [0, 1], "rating": [2, 5]})
    >>> localised_figures(read_marks(table, cases), "wAFROC").values.tolist()
    [[0.625]]
    """
    name, definition = definition_of(figure)
    readers, arms, cases = marks.read.shape
    values = np.full((readers, arms), np.nan)
    left_out = np.full((readers, arms, cases), np.nan)
    for reader, arm in np.argwhere(marks.read.any(axis=2)).tolist():
        cell = cell_of(marks, reader, arm)
        try:
            check_cell(cell, name, definition)
            found = definition.compute(cell)
        except CannotAnalyse as refusal:
            raise CannotAnalyse(f"Reader {marks.readers[reader]} in arm {marks.arms[arm]}: {refusal}") from refusal
        values[reader, arm], left_out[reader, arm] = found.value, found.left_out
    chosen = np.isin(marks.truth, definition.rests_on)
    return LocalisedFigures(
        name, marks.readers, marks.arms, values, left_out[:, :, chosen], definition.low, definition.high, marks.warnings
    )


def localised_figure(marks: Marks, reader: str, arm: str, figure: str = "wafroc") -> LocalisedFigure:
    """How well did one reader find and rate the lesions in one arm?

    figure and sources: see `localised_figures`. se² = (n - 1)/n times the sum of squares of the figures without each
    of the n cases about their mean. No variation: se 0 with a warning. Refused: fewer than two cases of a class that
    the figure needs, a reader who read nothing there.

    >>> import pandas as pd
    >>> from analysis.localisation.marks import read_marks
    >>> cases = pd.DataFrame({"case": [1, 2, 3, 4], "truth": [0, 0, 1, 1], "lesion": [0, 0, 1, 1]})
    >>> table = pd.DataFrame({"reader": "R", "arm": "A", "case": [1, 3], "lesion": [0, 1], "rating": [2, 5]})
    >>> found = localised_figure(read_marks(table, cases), "R", "A")
    >>> round(found.estimate, 6), round(found.se, 6)
    (0.625, 0.484123)
    """
    found = localised_figures(marks.restricted([reader], [arm]), figure)
    return jackknifed(found, 0, 0)


def jackknifed(figures: LocalisedFigures, reader: int, arm: int) -> LocalisedFigure:
    """One cell of `localised_figures` with its standard error."""
    name = f"Reader {figures.readers[reader]} in arm {figures.arms[arm]}"
    if np.isnan(figures.values[reader, arm]):
        raise CannotAnalyse(f"{name} read nothing.")
    check_left_out(figures)
    left_out = figures.left_out[reader, arm]
    n = len(left_out)
    se = math.sqrt((n - 1) / n * float(((left_out - left_out.mean()) ** 2).sum()))
    warnings = figures.warnings
    if se < 1e-12:
        se, warnings = 0.0, (*warnings, f"{name}: the figure does not vary over cases, so its interval has no width.")
    return LocalisedFigure(
        figures.figure, figures.readers[reader], figures.arms[arm], float(figures.values[reader, arm]), se, n,
        figures.low, figures.high, warnings,
    )  # fmt: skip


def check_left_out(figures: LocalisedFigures) -> None:
    """Refuse a jackknife in which a cell loses its figure with one case."""
    lost = np.isnan(figures.left_out).any(axis=2) & ~np.isnan(figures.values)
    if lost.any():
        reader, arm = (int(place) for place in np.argwhere(lost)[0])
        raise CannotAnalyse(
            f"Reader {figures.readers[reader]} in arm {figures.arms[arm]}: the {figures.figure} does not exist without "
            "one of the cases, so it has no jackknife standard error; it takes two cases of each class at least."
        )


def definition_of(figure: str) -> tuple[str, Definition]:
    """The name in use and the definition, also of names such as alroc:0.2."""
    name = OTHER_NAMES.get(figure.strip().lower(), figure.strip().lower())
    kind, _, limit_text = name.partition(":")
    if kind in LROC_LIMITS:
        limit = limit_of(limit_text, figure) if limit_text else LROC_LIMITS[kind]
        area = kind == "alroc"
        meaning = f"{'area under the LROC up to' if area else 'height of the LROC at'} {limit:g}"
        compute = lroc_figure(limit, area)
        return f"{kind}:{limit:g}", Definition(compute, meaning, (True, False), high=limit if area else 1.0)
    if name not in DEFINITIONS:
        raise CannotAnalyse(f"The figure of merit is {', '.join((*DEFINITIONS, *LROC_LIMITS))}, not {figure}.")
    return name, DEFINITIONS[name]


def limit_of(text: str, figure: str) -> float:
    try:
        limit = float(text)
    except ValueError:
        limit = math.nan
    if not 0 < limit <= 1:
        raise CannotAnalyse(f"The limit of an LROC figure is a false-positive fraction above 0, not {figure}.")
    return limit


def check_cell(cell: Cell, name: str, definition: Definition) -> None:
    for kind, word in ((True, "diseased cases"), (False, "cases without disease")):
        if kind in definition.needs and not (cell.read & (cell.truth == kind)).any():
            raise CannotAnalyse(f"There are no {word}, and the {name} needs them.")


BOTH, DISEASED, HEALTHY = (True, False), (True,), (False,)
DEFINITIONS = {
    "wafroc": Definition(cells.against_lesions(all_cases=False, weighted=True), "area under the wAFROC", BOTH),
    "afroc": Definition(cells.against_lesions(all_cases=False, weighted=False), "area under the AFROC", BOTH),
    "wafroc1": Definition(cells.against_lesions(all_cases=True, weighted=True), "area under the wAFROC1", DISEASED),
    "afroc1": Definition(cells.against_lesions(all_cases=True, weighted=False), "area under the AFROC1", DISEASED),
    "hrauc": Definition(cells.of_cases(cells.highest), "AUC of highest ratings", BOTH),
    "hrse": Definition(cells.share(cells.diseased_marked), "diseased cases with a mark", DISEASED, DISEASED),
    "hrsp": Definition(cells.share(cells.healthy_unmarked), "cases without disease or mark", HEALTHY, HEALTHY),
    "maxllf": Definition(cells.share(cells.lesions_marked), "lesions marked", DISEASED, DISEASED),
    "maxnlf": Definition(
        cells.share(cells.false_marks_of_healthy), "marks per case without disease", HEALTHY, HEALTHY, high=math.inf
    ),
    "maxnlfallcases": Definition(
        cells.share(cells.false_marks_of_all), "marks on no lesion per case", (), high=math.inf
    ),
    "exptrnsfmsp": Definition(cells.healthy_free, "exp(-marks per case without disease)", HEALTHY, HEALTHY),
    "songa1": Definition(cells.of_cases(cells.song_mean), "Song's A1", BOTH),
    "songa2": Definition(cells.song_pairs, "Song's A2", BOTH),
    "froc": Definition(cells.all_marks(per_case=True), "area under the FROC", DISEASED, high=math.inf),
    "roi": Definition(cells.all_marks(per_case=False), "AUC of regions", DISEASED),
}
