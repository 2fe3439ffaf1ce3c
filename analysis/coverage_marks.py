"""Questions to figures of marks, over studies from a search model: marks on lesions and elsewhere."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import special, stats

from analysis.coverage import LEVEL, Outcomes, Question, covers, holds, rejects, several
from analysis.localisation.froc import localised_figure
from analysis.localisation.marks import UNMARKED, Marks
from analysis.localisation.overlap import LevelIdentification, level_identification
from analysis.localisation.rockette import localised_dbm, localised_obuchowski_rockette
from analysis.simulation import ARMS

FIGURES = ("wafroc", "afroc", "hrauc")
OTHERS = (
    "wafroc1", "afroc1", "hrse", "hrsp", "maxllf", "maxnlf", "maxnlfallcases", "exptrnsfmsp", "songa1", "songa2",
    "roi", "alroc", "pcl",
)  # fmt: skip
REMARKS = {"hrse": "nearly every diseased case is marked, so that the share hardly varies; on the safe side"}


@dataclass(frozen=True)
class Search:
    """How do readers mark cases?

    A case has a Poisson number of places that attract a reader, of mean `rate`, each with a standard normal rating; a
    lesion is found with probability `found` and rated around `apart`. Ratings of a lesion share an effect over all
    readers and arms and one over all readers of an arm; readers' separations vary, and vary between arms. Arms do not
    differ on average. Source: Chakraborty (2006), Phys. Med. Biol. 51:3449-3462, without a threshold.
    """

    readers: int = 5
    positives: int = 40
    negatives: int = 40
    lesions: int = 2
    rate: float = 1.0
    found: float = 0.8
    apart: float = 1.5
    reader: float = 0.1
    arm_reader: float = 0.05
    shared: float = 0.3
    arm_shared: float = 0.2

    def draw(self, generator: np.random.Generator) -> tuple[Marks, np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
        """Marks of one study, and the separation of each reader in each arm."""
        cells, cases = (self.readers, 2), self.positives + self.negatives
        truth = np.arange(cases) < self.positives
        of_lesion = np.repeat(np.arange(self.positives), self.lesions)
        apart = self.apart + generator.normal(0, math.sqrt(self.reader), (self.readers, 1))
        apart = apart + generator.normal(0, math.sqrt(self.arm_reader), cells)
        own = 1 - self.shared - self.arm_shared
        size = (*cells, len(of_lesion))
        rating = apart[:, :, None] + generator.normal(0, math.sqrt(self.shared), (1, 1, len(of_lesion)))
        rating = rating + generator.normal(0, math.sqrt(self.arm_shared), (1, 2, len(of_lesion)))
        rating = rating + generator.normal(0, math.sqrt(own), size)
        hits = np.where(generator.random(size) < self.found, rating, UNMARKED)
        number = generator.poisson(self.rate, (self.readers * 2, cases))
        cell, case = (np.repeat(places.ravel(), number.ravel()) for places in np.indices(number.shape))
        marks = Marks(
            tuple(f"R{place + 1}" for place in range(self.readers)), ARMS, tuple(str(place) for place in range(cases)),
            truth, of_lesion, np.full(len(of_lesion), 1 / self.lesions), hits, cell, case,
            generator.normal(size=len(cell)), np.ones((*cells, cases), dtype=bool),
        )  # fmt: skip
        return marks, apart

    def truth_of(self, apart: float) -> float:
        """wAFROC and AFROC of a reader: a lesion against the highest mark of a case without disease."""
        rating = np.linspace(apart - 8, apart + 8, 801)
        nothing_above = np.exp(-self.rate * special.ndtr(-rating))
        marked = float(np.trapezoid(nothing_above * stats.norm.pdf(rating - apart), rating))
        return self.found * marked + (1 - self.found) * math.exp(-self.rate) / 2


def analysed(search: Search, figure: str, interval: bool, generator: np.random.Generator) -> Outcomes:
    found = localised_obuchowski_rockette(search.draw(generator)[0], figure)
    return [covers(found, 0.0) if interval else rejects(found)]


def analysed_pseudovalues(search: Search, generator: np.random.Generator) -> Outcomes:
    return [rejects(localised_dbm(search.draw(generator)[0]))]


def one_reader(search: Search, figure: str, generator: np.random.Generator) -> Outcomes:
    marks, apart = search.draw(generator)
    return [covers(localised_figure(marks, "R1", ARMS[0], figure), search.truth_of(float(apart[0, 0])))]


def mark_questions(search: Search) -> Iterator[Question]:
    for figure in FIGURES:
        name = f"Obuchowski-Rockette on marks, {figure}"
        yield Question(name, "type-I error", partial(analysed, search, figure, False))
        yield Question(name, "coverage", partial(analysed, search, figure, True))
    yield Question("Dorfman-Berbaum-Metz on marks, wafroc", "type-I error", partial(analysed_pseudovalues, search))
    alone = Search(readers=1)
    for figure in FIGURES[:2]:
        yield Question(f"{figure} of one reader, jackknife", "coverage", partial(one_reader, alone, figure))
    yield from of_figures(search, OTHERS)
    # From more draws, as those of one each came out on the far side of chance.
    yield from several(of_figures(search, ("froc",)), 3)
    for levels in (1, 5):
        word = "one level" if levels == 1 else "five levels"
        yield Question(f"share of levels identified, {word} per case", "coverage", partial(share_holds, levels))
        yield Question(f"mean error of levels, {word} per case", "coverage", partial(error_holds, levels))


def of_figures(search: Search, figures: tuple[str, ...]) -> Iterator[Question]:
    for figure in figures:
        name = f"Obuchowski-Rockette on marks, {figure}"
        yield Question(name, "type-I error", partial(analysed, search, figure, False), REMARKS.get(figure, ""))


# Levels 30 mm apart along the spine, each named in 19 of 20 cases, with errors of 8 mm along every axis.
CASES, STEP, NAMED, ERROR, LIMIT = 150, 30.0, 0.95, 8.0, 20.0


def levels_of(levels: int, generator: np.random.Generator) -> LevelIdentification:
    cases = CASES // levels
    truth = np.zeros((cases, levels, 3))
    truth[:, :, 2] = STEP * np.arange(levels)
    found = truth + generator.normal(0, ERROR, truth.shape)
    found[generator.random((cases, levels)) >= NAMED] = np.nan
    names = np.repeat(np.arange(cases), levels).tolist()
    return level_identification(found.reshape(-1, 3), truth.reshape(-1, 3), names, LIMIT)


def identified(levels: int) -> float:
    """A point within the limit, and on its own side of the middle between two levels."""
    along = np.linspace(-LIMIT, LIMIT, 8001)
    within = -np.expm1((along**2 - LIMIT**2) / (2 * ERROR**2)) * stats.norm.pdf(along / ERROR) / ERROR
    if levels == 1:
        return NAMED * float(np.trapezoid(within, along))
    first = float(np.trapezoid(within * (along < STEP / 2), along))
    middle = float(np.trapezoid(within * (abs(along) < STEP / 2), along))
    return NAMED * (2 * first + (levels - 2) * middle) / levels


def share_holds(levels: int, generator: np.random.Generator) -> Outcomes:
    return [covers(levels_of(levels, generator), identified(levels))]


def error_holds(levels: int, generator: np.random.Generator) -> Outcomes:
    """The length of three normal errors is 2 sqrt(2 / pi) of their standard deviation on average."""
    return [holds(levels_of(levels, generator).error_interval(LEVEL), 2 * math.sqrt(2 / math.pi) * ERROR)]
