"""Bootstrap intervals and tests of areas and partial areas under the ROC curve."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Floats
from analysis.resampling import REPLICATES, SEED, Bootstrap, Ints, blocks, check_replicates, drawn_counts, summary
from analysis.roc import Axis, check_two_classes, partial_areas

# A number for each curve, from fpr and tpr (..., points) that ascend from (0, 0) to (1, 1).
Measure = Callable[[Floats, Floats], Floats]
BELOW_CHANCE = "The partial area lies below that of chance, so McClish's correction gives less than one half."


@dataclass(frozen=True)
class Part:
    """Which part of the area is meant; None in its place means the whole."""

    axis: Axis
    low: float
    high: float
    corrected: bool = False


@dataclass(frozen=True, eq=False)
class Steps:
    """The way from counts of the kinds of cases of one class to one rating's curve.

    order: kinds from the highest rating down; starts: where another rating begins in it; place: (start,) which point
    of the curve that rating is, of `points`.
    """

    order: Ints
    starts: Ints
    place: Ints
    points: int

    def shares(self, counts: Ints) -> Floats:
        """Share of the drawn cases rated at or above each level, from none to all: (replicate, point)."""
        counts = counts[:, self.order]
        found = np.zeros((len(counts), self.points))
        found[:, self.place] = np.add.reduceat(counts, self.starts, axis=1)
        np.cumsum(found, axis=1, out=found)
        return found / found[:, -1:]


@dataclass(frozen=True, eq=False)
class Kinds:
    """The distinct ratings of both classes: how many cases each kind has, and the steps of each rating's curve."""

    positive: Ints
    negative: Ints
    steps: tuple[tuple[Steps, Steps], ...]


def area_measure(part: Part | None) -> Measure:
    """The whole area by the trapezoidal rule, or the part."""
    if part is None:
        return lambda fpr, tpr: np.asarray(np.trapezoid(tpr, fpr, axis=-1))
    return lambda fpr, tpr: partial_areas(fpr, tpr, part.axis, part.low, part.high, part.corrected)


def area(truth: Bools, rating: Floats, part: Part | None) -> float:
    """AUC or partial area of one rating."""
    return float(estimates(truth, rating[None, :], area_measure(part))[0])


def bootstrap_area(
    truth: Bools,
    rating: Floats,
    part: Part | None = None,
    replicates: int = REPLICATES,
    seed: int = SEED,
    stratified: bool = True,
) -> Bootstrap:
    """How large is the area (or a part of it), with a bootstrap interval?

    truth: (n,); rating: (n,) without NaN. See `curve_replicates`, `roc.partial_area`. p tests the whole AUC against
    1/2; a part has none. A corrected part below chance carries a warning. One class: refused.
    Source: Efron & Tibshirani (1993), ch. 13; Carpenter & Bithell (2000), Stat. Med. 19:1141-1164.

    >>> found = bootstrap_area(np.array([0, 0, 0, 1, 1, 1], dtype=bool), np.array([1.0, 2, 3, 2, 3, 4]), replicates=99)
    >>> round(found.estimate, 6)
    0.777778
    """
    measure = area_measure(part)
    found = curve_bootstrap(truth, rating, measure, None if part else 0.5, replicates, seed, stratified)
    if part is None or not part.corrected or found.estimate >= 0.5:
        return found
    return summary(found.estimate, found.replicates, None, seed, (*found.warnings, BELOW_CHANCE))


def bootstrap_test(
    truth: Bools,
    first: Floats,
    second: Floats,
    part: Part | None = None,
    replicates: int = REPLICATES,
    seed: int = SEED,
    stratified: bool = True,
) -> Bootstrap:
    """Do two ratings of the same cases have different areas (or parts of them)?

    truth: (n,); first, second: (n,) without NaN, same cases; second minus first. The cases are drawn for both
    ratings together. Source: Hanley & McNeil (1983) as in pROC's roc.test(method = "bootstrap"). One class, or a
    difference without variation: refused.

    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> found = bootstrap_test(truth, np.array([1.0, 2, 3, 2, 3, 4]), np.array([1.0, 1, 3, 2, 4, 4]), replicates=99)
    >>> round(found.estimate, 6)
    0.111111
    """
    ratings, measure = np.stack([first, second]), area_measure(part)
    drawn, warnings = curve_replicates(truth, ratings, measure, replicates, seed, stratified)
    one, two = estimates(truth, ratings, measure)
    found = summary(float(two - one), drawn[:, 1] - drawn[:, 0], 0.0, seed, warnings)
    if found.p is None:
        raise CannotAnalyse("The two areas differ without any variation, so their difference cannot be tested.")
    return found


def curve_bootstrap(
    truth: Bools,
    rating: Floats,
    measure: Measure,
    null: float | None = None,
    replicates: int = REPLICATES,
    seed: int = SEED,
    stratified: bool = True,
) -> Bootstrap:
    """How does a number read from the ROC curve vary over the bootstrap?  See `curve_replicates`.

    >>> truth, rating = np.array([0, 0, 0, 1, 1, 1], dtype=bool), np.array([1.0, 2, 3, 2, 3, 4])
    >>> youden = lambda fpr, tpr: (tpr - fpr).max(axis=-1)
    >>> round(curve_bootstrap(truth, rating, youden, replicates=99).estimate, 6)
    0.333333
    """
    drawn, warnings = curve_replicates(truth, rating[None, :], measure, replicates, seed, stratified)
    estimate = float(estimates(truth, rating[None, :], measure)[0])
    return summary(estimate, drawn[:, 0], null, seed, warnings)


def curve_replicates(
    truth: Bools,
    ratings: Floats,
    measure: Measure,
    replicates: int = REPLICATES,
    seed: int = SEED,
    stratified: bool = True,
) -> tuple[Floats, tuple[str, ...]]:
    """What does a number read from the ROC curve become when the cases are drawn anew, with replacement?

    truth: (n,); ratings: (rating, n) without NaN, all of the same cases, which are drawn for all ratings together;
    stratified: each class keeps its size, else all cases are drawn at once. Answer: (replicate, rating), and a
    warning where an unstratified draw held one class only and was left out. Drawn are counts of the distinct
    ratings, not cases, so that curves come from sums: 2,000 replicates of 100,000 cases take seconds.

    >>> truth, ratings = np.array([0, 0, 1, 1], dtype=bool), np.array([[1.0, 2, 2, 3]])
    >>> found, _ = curve_replicates(truth, ratings, area_measure(None), replicates=3, seed=1)
    >>> found.shape
    (3, 1)
    """
    check_two_classes(truth)
    check_replicates(replicates)
    kinds = kinds_of(truth, ratings)
    found = [measured(kinds, counts, measure) for counts in both_counts(kinds, replicates, seed, stratified)]
    answer = np.concatenate(found)
    if len(answer) < 2:
        raise CannotAnalyse("Almost every bootstrap sample holds one class only; draw the classes apart.")
    return answer, told(truth, replicates, replicates - len(answer))


def told(truth: Bools, replicates: int, lost: int) -> tuple[str, ...]:
    """What weakens a bootstrap of these cases."""
    warnings = [f"{lost} of {replicates} bootstrap samples held one class only and are left out."] if lost else []
    for count, word in ((int(truth.sum()), "diseased"), (int((~truth).sum()), "non-diseased")):
        if count == 1:
            warnings.append(f"There is only one {word} case, so the interval cannot show how such cases vary.")
    return tuple(warnings)


def estimates(truth: Bools, ratings: Floats, measure: Measure) -> Floats:
    """The number itself, for each rating."""
    check_two_classes(truth)
    kinds = kinds_of(truth, ratings)
    return np.asarray(measured(kinds, (kinds.positive[None, :], kinds.negative[None, :]), measure)[0])


def kinds_of(truth: Bools, ratings: Floats) -> Kinds:
    """Distinct columns of the ratings (rating, case) in each class."""
    positive, of_positive = np.unique(ratings[:, truth], axis=1, return_counts=True)
    negative, of_negative = np.unique(ratings[:, ~truth], axis=1, return_counts=True)
    steps = []
    for one, two in zip(positive, negative, strict=True):
        levels = np.unique(np.concatenate([one, two]))
        steps.append((steps_of(one, levels), steps_of(two, levels)))
    return Kinds(of_positive.astype(np.int64), of_negative.astype(np.int64), tuple(steps))


def steps_of(rating: Floats, levels: Floats) -> Steps:
    """levels: all ratings of both classes, ascending."""
    place = len(levels) - np.searchsorted(levels, rating)
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=0))
    return Steps(order, starts, place[order][starts], len(levels) + 1)


def both_counts(kinds: Kinds, replicates: int, seed: int, stratified: bool) -> Iterator[tuple[Ints, Ints]]:
    """Blocks of drawn counts of the diseased and of the non-diseased kinds."""
    generator = np.random.default_rng(seed)
    together, split = np.concatenate([kinds.positive, kinds.negative]), len(kinds.positive)
    for rows in blocks(replicates, together):
        if stratified:
            yield drawn_counts(kinds.positive, rows, generator), drawn_counts(kinds.negative, rows, generator)
            continue
        counts = drawn_counts(together, rows, generator)
        diseased = counts[:, :split].sum(axis=1)
        both = counts[(diseased > 0) & (diseased < int(together.sum()))]
        yield both[:, :split], both[:, split:]


def measured(kinds: Kinds, counts: tuple[Ints, Ints], measure: Measure) -> Floats:
    """The measure of each drawn curve: (replicate, rating)."""
    columns = [measure(negative.shares(counts[1]), positive.shares(counts[0])) for positive, negative in kinds.steps]
    return np.stack(columns, axis=-1)
