"""One reader in one arm: figures of merit that compare marks with marks, and their value without each case."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.localisation.lesions import Ints
from analysis.localisation.marks import UNMARKED, Marks
from analysis.ratings import Bools, Floats

# Scores held at once where every pair of cases is compared mark by mark.
BLOCK = 4_000_000


@dataclass(frozen=True, eq=False)
class Cell:
    """What one reader did in one arm; places of cases and lesions are those of `Marks`.

    read, truth, lesions: (case,); false_case, false_rating: (mark,); hits, lesion_case, weight: (lesion,), lesions of
    cases that were read; highest_false, highest_hit: (case,) the highest rating, -inf without such a mark.
    """

    read: Bools
    truth: Bools
    lesions: Ints
    false_case: Ints
    false_rating: Floats
    hits: Floats
    lesion_case: Ints
    weight: Floats
    highest_false: Floats
    highest_hit: Floats

    @property
    def diseased(self) -> Bools:
        return self.read & self.truth

    @property
    def healthy(self) -> Bools:
        return self.read & ~self.truth


@dataclass(frozen=True, eq=False)
class Without:
    """A figure of one cell and (case,) its value without each case."""

    value: float
    left_out: Floats


def cell_of(marks: Marks, reader: int, arm: int) -> Cell:
    """What one reader did in one arm."""
    read = marks.read[reader, arm]
    false_case, false_rating = marks.false_marks(reader, arm)
    hits = marks.hits[reader, arm]
    highest_false = np.full(len(read), UNMARKED)
    np.maximum.at(highest_false, false_case, false_rating)
    highest_hit = np.full(len(read), UNMARKED)
    np.maximum.at(highest_hit, marks.lesion_case, hits)
    seen = read[marks.lesion_case]
    return Cell(
        read, marks.truth, np.where(read, marks.lesions, 0), false_case, false_rating, hits[seen],
        marks.lesion_case[seen], marks.weight[seen], highest_false, highest_hit,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Units:
    """What is compared: ratings, cases of x and y, weights of y; x_size, y_size: (case,) what each case counts."""

    x: Floats
    x_case: Ints
    y: Floats
    y_case: Ints
    weight: Floats
    x_size: Floats
    y_size: Floats


def pair_mean(units: Units) -> Without:
    """Sum of weight × psi(x, y) over all pairs, per product of sizes; a case left out takes its x and y with it."""
    by_x, by_y = pair_sums(units)
    cases = len(units.x_size)
    lost = np.bincount(units.x_case, by_x, cases) + np.bincount(units.y_case, by_y, cases) - same_case(units)
    total, x_size, y_size = float(by_y.sum()), float(units.x_size.sum()), float(units.y_size.sum())
    if x_size == 0:
        raise CannotAnalyse("There is no mark on no lesion, and this figure compares lesions with such marks.")
    left = (x_size - units.x_size) * (y_size - units.y_size)
    left_out = np.divide(total - lost, left, out=np.full(cases, np.nan), where=left > 0)
    return Without(total / (x_size * y_size), left_out)


def pair_sums(units: Units) -> tuple[Floats, Floats]:
    """Sums of weight × psi over all y for each x, and over all x for each y."""
    x, order = np.sort(units.x), np.argsort(units.y, kind="stable")
    y = units.y[order]
    by_y = units.weight * (np.searchsorted(x, units.y, "left") + np.searchsorted(x, units.y, "right")) / 2
    sums = np.concatenate(([0.0], np.cumsum(units.weight[order])))
    reached = sums[np.searchsorted(y, units.x, "left")] + sums[np.searchsorted(y, units.x, "right")]
    return sums[-1] - reached / 2, by_y


def same_case(units: Units) -> Floats:
    """(case,) sum of weight × psi over the pairs within the case."""
    order = np.argsort(units.x_case, kind="stable")
    sorted_cases = units.x_case[order]
    first = np.searchsorted(sorted_cases, units.y_case, "left")
    counts = np.searchsorted(sorted_cases, units.y_case, "right") - first
    of_y = np.repeat(np.arange(len(units.y)), counts)
    of_x = order[np.arange(len(of_y)) - np.repeat(np.cumsum(counts) - counts - first, counts)]
    scores = psi(units.x[of_x], units.y[of_y]) * units.weight[of_y]
    return np.bincount(units.y_case[of_y], scores, len(units.x_size)).astype(float)


def psi(x: Floats, y: Floats) -> Floats:
    return np.asarray((x < y) + 0.5 * (x == y))


def rated_cases(cell: Cell, cases: Bools, rating: Floats) -> tuple[Floats, Ints, Floats]:
    """Ratings and places of these cases, and what each case counts: one."""
    chosen = np.flatnonzero(cases)
    return rating[chosen], chosen, cases.astype(float)


def against_lesions(all_cases: bool, weighted: bool) -> Callable[[Cell], Without]:
    """Highest mark on no lesion of a case against lesions: the AFROC family."""

    def compute(cell: Cell) -> Without:
        x, x_case, x_size = rated_cases(cell, cell.read if all_cases else cell.healthy, cell.highest_false)
        weight = cell.weight if weighted else np.ones(len(cell.hits))
        y_size = cell.diseased.astype(float) if weighted else cell.lesions.astype(float)
        return pair_mean(Units(x, x_case, cell.hits, cell.lesion_case, weight, x_size, y_size))

    return compute


def all_marks(per_case: bool) -> Callable[[Cell], Without]:
    """Every mark on no lesion against lesions, per case read (FROC) or per such mark (ROI)."""

    def compute(cell: Cell) -> Without:
        per_mark = np.bincount(cell.false_case, minlength=len(cell.read)).astype(float)
        x_size = cell.read.astype(float) if per_case else per_mark
        ones = np.ones(len(cell.hits))
        return pair_mean(
            Units(
                cell.false_rating,
                cell.false_case,
                cell.hits,
                cell.lesion_case,
                ones,
                x_size,
                cell.lesions.astype(float),
            )
        )

    return compute


def of_cases(rating: Callable[[Cell], Floats]) -> Callable[[Cell], Without]:
    """One rating per case, diseased against others."""

    def compute(cell: Cell) -> Without:
        rated = rating(cell)
        x, x_case, x_size = rated_cases(cell, cell.healthy, rated)
        y, y_case, y_size = rated_cases(cell, cell.diseased, rated)
        return pair_mean(Units(x, x_case, y, y_case, np.ones(len(y)), x_size, y_size))

    return compute


def highest(cell: Cell) -> Floats:
    return np.maximum(cell.highest_false, cell.highest_hit)


def song_mean(cell: Cell) -> Floats:
    """The larger of the mean ratings on no lesion and on lesions."""
    cases = len(cell.read)
    marked = np.isfinite(cell.hits)
    means = (
        mean_by_case(cell.false_case, cell.false_rating, cases),
        mean_by_case(cell.lesion_case[marked], cell.hits[marked], cases),
    )
    return np.maximum(*means)


def mean_by_case(case: Ints, rating: Floats, cases: int) -> Floats:
    count = np.bincount(case, minlength=cases)
    total = np.bincount(case, rating, cases)
    return np.asarray(np.divide(total, count, out=np.full(cases, UNMARKED), where=count > 0))


@dataclass(frozen=True, eq=False)
class CaseMarks:
    """Marks ordered by case: ratings, first mark and number of marks of each case."""

    rating: Floats
    first: Ints
    count: Ints


def marks_of(case: Ints, rating: Floats, chosen: Ints) -> CaseMarks:
    """The marks of the chosen cases, in their order."""
    place = np.searchsorted(chosen, case)
    mine = np.isin(case, chosen)
    place, rating = place[mine], rating[mine]
    order = np.argsort(place, kind="stable")
    count = np.bincount(place, minlength=len(chosen))
    return CaseMarks(rating[order], np.cumsum(count) - count, count)


def song_pairs(cell: Cell) -> Without:
    """Pairs of cases, of which one wins that has the higher mark in more than half of its pairs of marks."""
    marked = np.isfinite(cell.hits)
    case = np.concatenate((cell.false_case, cell.lesion_case[marked]))
    rating = np.concatenate((cell.false_rating, cell.hits[marked]))
    x_cases, y_cases = np.flatnonzero(cell.healthy), np.flatnonzero(cell.diseased)
    y = marks_of(case, rating, y_cases)
    by_x, by_y = np.zeros(len(x_cases)), np.zeros(len(y_cases))
    most = max(1, int(np.bincount(case, minlength=1).max()))
    step = max(1, BLOCK // (most * max(1, len(y.rating), len(y_cases))))
    for start in range(0, len(x_cases), step):
        x = marks_of(case, rating, x_cases[start : start + step])
        score = song_scores(x, y)
        by_x[start : start + step] = score.sum(axis=1)
        by_y += score.sum(axis=0)
    cases, total = len(cell.read), float(by_y.sum())
    lost = np.zeros(cases)
    lost[x_cases], lost[y_cases] = by_x, by_y
    left = (len(x_cases) - cell.healthy) * (len(y_cases) - cell.diseased)
    left_out = np.divide(total - lost, left, out=np.full(cases, np.nan), where=left > 0)
    return Without(total / (len(x_cases) * len(y_cases)), left_out)


def song_scores(x: CaseMarks, y: CaseMarks) -> Floats:
    """(x case, y case) 1, 1/2 or 0; an unmarked case lies below a marked one."""
    scores = psi(x.rating[:, None], y.rating[None, :])
    sums = summed(summed(scores, x, 0), y, 1)
    pairs = np.multiply.outer(x.count, y.count).astype(float)
    unmarked = psi((x.count > 0)[:, None].astype(float), (y.count > 0)[None, :].astype(float))
    return np.where(pairs > 0, psi(pairs, 2 * sums), unmarked)


def summed(scores: Floats, marks: CaseMarks, axis: int) -> Floats:
    """Sums over the marks of each case; 0 for a case without marks."""
    shape = list(scores.shape)
    shape[axis] = 1
    running = np.concatenate((np.zeros(shape), np.cumsum(scores, axis=axis)), axis)
    return np.asarray(running.take(marks.first + marks.count, axis) - running.take(marks.first, axis))


def share(counted: Callable[[Cell], tuple[Floats, Floats]]) -> Callable[[Cell], Without]:
    """Sum of a count over cases per sum of what each case offers."""

    def compute(cell: Cell) -> Without:
        count, size = counted(cell)
        left = size.sum() - size
        left_out = np.divide(count.sum() - count, left, out=np.full(len(size), np.nan), where=left > 0)
        return Without(float(count.sum() / size.sum()), left_out)

    return compute


def lesions_marked(cell: Cell) -> tuple[Floats, Floats]:
    marked = np.bincount(cell.lesion_case, np.isfinite(cell.hits).astype(float), len(cell.read)).astype(float)
    return marked, cell.lesions.astype(float)


def false_marks_of_healthy(cell: Cell) -> tuple[Floats, Floats]:
    count = np.bincount(cell.false_case, minlength=len(cell.read)) * cell.healthy
    return count.astype(float), cell.healthy.astype(float)


def false_marks_of_all(cell: Cell) -> tuple[Floats, Floats]:
    return np.bincount(cell.false_case, minlength=len(cell.read)).astype(float), cell.read.astype(float)


def diseased_marked(cell: Cell) -> tuple[Floats, Floats]:
    return (cell.diseased & np.isfinite(highest(cell))).astype(float), cell.diseased.astype(float)


def healthy_unmarked(cell: Cell) -> tuple[Floats, Floats]:
    return (cell.healthy & ~np.isfinite(cell.highest_false)).astype(float), cell.healthy.astype(float)


def healthy_free(cell: Cell) -> Without:
    """exp(-marks per case without disease): the share of such cases without a mark if marks came at random."""
    found = share(false_marks_of_healthy)(cell)
    return Without(float(np.exp(-found.value)), np.exp(-found.left_out))
