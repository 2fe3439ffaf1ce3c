"""Questions to measures of agreement, each in its world: hidden classes, two-way ratings, pairs of measurements."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from analysis.agreement import CohenKappa, Weights, cohen_kappa, fleiss_kappa, light_kappa
from analysis.bland_altman import METHODS as LIMIT_METHODS
from analysis.bland_altman import USUAL, LimitMethod, bland_altman, repeatability
from analysis.chance_corrected import (
    Level,
    brennan_prediger,
    conger_kappa,
    gwet_ac1,
    krippendorff_alpha,
    percent_agreement,
    scott_pi,
    weighted_fleiss,
)
from analysis.concordance import concordance, kendall_w, mean_correlation
from analysis.coverage import LEVEL, Estimated, Outcomes, Question, Tested, covers, holds, rejects, several
from analysis.icc import MODELS, UNITS, Model, Unit, icc
from analysis.ratings import Floats
from analysis.rereads import rereads

LARGE = "a normal interval for large samples; weighted kappas of 100 cases are skewed"
SATTERTHWAITE = "McGraw and Wong's degrees of freedom are approximate where the five readers' levels are drawn anew"
CASES, READERS = 100, 4
# Hidden classes, and what readers call a case of each class (reader, class, category); the readers' habits differ.
CLASSES = np.array([0.5, 0.3, 0.2])
HABIT = np.array([[0.8, 0.15, 0.05], [0.15, 0.7, 0.15], [0.05, 0.15, 0.8]])
OTHER = np.array([[0.7, 0.25, 0.05], [0.1, 0.7, 0.2], [0.05, 0.1, 0.85]])
ALIKE = np.stack([HABIT] * READERS)
UNLIKE = np.stack([HABIT, OTHER, HABIT, OTHER])
PLACES = np.arange(3.0)
LINEAR = 1 - np.abs(PLACES[:, None] - PLACES) / 2
QUADRATIC = 1 - (PLACES[:, None] - PLACES) ** 2 / 4
WEIGHTS: dict[Weights, Floats] = {"none": np.eye(3), "linear": LINEAR, "quadratic": QUADRATIC}
Ask = Callable[[np.random.Generator], Outcomes]


def judged(habits: Floats, generator: np.random.Generator, cases: int = CASES) -> Floats:
    """(reader, case) categories, independent given the hidden class."""
    hidden = generator.choice(len(CLASSES), cases, p=CLASSES)
    chance = generator.random((len(habits), cases, 1))
    return np.asarray((chance > habits.cumsum(axis=2)[:, hidden, :-1]).sum(axis=2), dtype=float)


def joint(first: Floats, second: Floats) -> Floats:
    """Probability of every pair of categories of two readers."""
    return np.asarray(np.einsum("c,ca,cb->ab", CLASSES, first, second))


def kappa_of(first: Floats, second: Floats, weights: Floats) -> float:
    """Cohen's kappa of the population."""
    table = joint(first, second)
    chance = float((weights * np.outer(table.sum(axis=1), table.sum(axis=0))).sum())
    return (float((weights * table).sum()) - chance) / (1 - chance)


def mean_pairs(of: Callable[[Floats, Floats], float], habits: Floats) -> float:
    pairs = [(i, j) for i in range(len(habits)) for j in range(i)]
    return float(np.mean([of(habits[i], habits[j]) for i, j in pairs]))


def corrected(weights: Floats, chance: Callable[[Floats], float], habits: Floats = ALIKE) -> float:
    """(observed - chance) / (1 - chance), chance from the mean shares of the categories."""
    observed = mean_pairs(lambda one, two: float((weights * joint(one, two)).sum()), habits)
    expected = chance(np.einsum("c,rca->a", CLASSES, habits) / len(habits))
    return (observed - expected) / (1 - expected)


def of_shares(weights: Floats) -> Callable[[Floats], float]:
    return lambda shares: float(shares @ weights @ shares)


def conger(habits: Floats) -> float:
    observed = mean_pairs(lambda one, two: float(np.trace(joint(one, two))), habits)
    expected = mean_pairs(lambda one, two: float((CLASSES @ one) @ (CLASSES @ two)), habits)
    return (observed - expected) / (1 - expected)


def ordinal_weights() -> Floats:
    """1 minus Krippendorff's ordinal difference over its largest value, from the shares of the population."""
    shares = CLASSES @ HABIT
    middle = shares.cumsum() - shares / 2
    apart = (middle[:, None] - middle) ** 2
    return np.asarray(1 - apart / apart.max())


def answers(habits: Floats, of: Callable[[Floats], Estimated], truth: float) -> Ask:
    return lambda generator: [covers(of(judged(habits, generator)), truth)]


def kappa_between(weights: Weights, values: Floats) -> CohenKappa:
    first, second = values
    return cohen_kappa(first, second, weights)


def null_rejects(of: Callable[[Floats], Tested], generator: np.random.Generator) -> Outcomes:
    return [rejects(of(apart(generator)))]


def kappa_questions() -> Iterator[Question]:
    for weights, matrix in WEIGHTS.items():
        word = "" if weights == "none" else f", {weights} weights"
        truth = kappa_of(HABIT, OTHER, matrix)
        found = partial(kappa_between, weights)
        yield Question(f"Cohen's kappa{word}", "coverage", answers(UNLIKE[:2], found, truth), LARGE if word else "")
        yield Question(f"Cohen's kappa{word}", "type-I error", partial(null_rejects, found))
    fleiss = corrected(np.eye(3), of_shares(np.eye(3)))
    yield Question("Fleiss' kappa", "coverage", answers(ALIKE, fleiss_kappa, fleiss))
    yield Question(
        "Fleiss' kappa", "type-I error", lambda generator: [rejects(fleiss_kappa(apart(generator, READERS)))]
    )
    yield Question("Fleiss' kappa of one category", "coverage", category_holds)


def mean_questions() -> Iterator[Question]:
    """Means of kappas, which cost more."""
    light = mean_pairs(lambda one, two: kappa_of(one, two, np.eye(3)), UNLIKE)
    yield Question("Light's kappa of four readers", "coverage", answers(UNLIKE, light_kappa, light))
    yield Question("mean kappa of readers with themselves", "coverage", rereads_hold)


def apart(generator: np.random.Generator, readers: int = 2) -> Floats:
    """(reader, case) categories without any agreement beyond chance."""
    return generator.choice(3, (readers, CASES), p=CLASSES).astype(float)


def category_holds(generator: np.random.Generator) -> Outcomes:
    found = fleiss_kappa(judged(ALIKE, generator)).by_category
    shares = CLASSES @ HABIT
    truth = (CLASSES @ HABIT**2 - shares**2) / (shares * (1 - shares))
    return [covers(row, float(truth[int(row.category)])) for row in found]


def rereads_hold(generator: np.random.Generator) -> Outcomes:
    values = judged(np.concatenate([ALIKE, ALIKE]), generator)
    found = rereads(tuple("ABCD"), values[:READERS], values[READERS:])
    return [covers(found, kappa_of(HABIT, HABIT, np.eye(3)))]


def coefficient_questions() -> Iterator[Question]:
    """Of four readers with the same habits, where not said otherwise."""
    agree = mean_pairs(lambda one, two: float(np.trace(joint(one, two))), ALIKE)
    same = np.eye(3)
    rare: Callable[[Floats], float] = lambda shares: float((shares * (1 - shares)).sum()) / 2  # noqa: E731
    wide: Callable[[Floats], float] = lambda shares: (  # noqa: E731
        float(QUADRATIC.sum()) * float((shares * (1 - shares)).sum()) / 6
    )
    table: tuple[tuple[str, Callable[[Floats], Estimated], float], ...] = (
        ("percent agreement", percent_agreement, agree),
        ("Gwet's AC1", gwet_ac1, corrected(same, rare)),
        ("Gwet's AC2, quadratic weights", partial(gwet_ac1, weights="quadratic"), corrected(QUADRATIC, wide)),
        (
            "Fleiss' kappa, quadratic weights", partial(weighted_fleiss, weights="quadratic"),
            corrected(QUADRATIC, of_shares(QUADRATIC)),
        ),
        ("Brennan and Prediger's coefficient", brennan_prediger, corrected(same, lambda shares: 1 / 3)),
    )  # fmt: skip
    for name, of, truth in table:
        yield Question(name, "coverage", answers(ALIKE, of, truth))
    yield Question(
        "Conger's kappa, readers of different habits", "coverage", answers(UNLIKE, conger_kappa, conger(UNLIKE))
    )
    pi = corrected(same, of_shares(same), UNLIKE[:2])
    yield Question("Scott's pi", "coverage", answers(UNLIKE[:2], lambda values: scott_pi(*values), pi))
    levels: tuple[tuple[Level, Floats], ...] = (
        ("nominal", same), ("ordinal", ordinal_weights()), ("interval", QUADRATIC),
    )  # fmt: skip
    for level, matrix in levels:
        ask = answers(ALIKE, partial(krippendorff_alpha, level=level), corrected(matrix, of_shares(matrix)))
        yield Question(f"Krippendorff's alpha, {level}", "coverage", ask)


# Variances of cases, readers and error.
CASE, READER, ERROR = 2.0, 0.5, 1.0


def two_way(generator: np.random.Generator, case: float = CASE, reader: float = READER) -> Floats:
    """(reader, case) of five readers drawn anew and forty cases."""
    values = generator.normal(0, math.sqrt(case), 40) + generator.normal(0, math.sqrt(reader), (5, 1))
    return np.asarray(values + generator.normal(0, math.sqrt(ERROR), (5, 40)))


def icc_questions() -> Iterator[Question]:
    for model in MODELS:
        for unit in UNITS:
            name = f"intraclass correlation, {model}, {unit}"
            remark = SATTERTHWAITE if model == "agreement" else ""
            yield Question(name, "coverage", partial(icc_holds, model, unit), remark)
        yield Question(f"intraclass correlation, {model}", "type-I error", partial(icc_rejects, model))


def icc_rejects(model: Model, generator: np.random.Generator) -> Outcomes:
    return [rejects(icc(two_way(generator, 0.0, 0.0 if model == "one-way" else READER), model))]


def icc_holds(model: Model, unit: Unit, generator: np.random.Generator) -> Outcomes:
    """Readers of one level each where the model knows no levels."""
    reader = 0.0 if model == "one-way" else READER
    noise = (ERROR + (reader if model == "agreement" else 0.0)) / (1 if unit == "single" else 5)
    return [covers(icc(two_way(generator, CASE, reader), model, unit), CASE / (CASE + noise))]


def pairs(generator: np.random.Generator, n: int = 50) -> Floats:
    """(2, n) measurements: spreads 1 and 1.2, correlation 0.8, means 0 and 0.3."""
    shared = generator.normal(0, math.sqrt(0.8), n)
    own = generator.normal(0, math.sqrt(0.2), (2, n))
    return np.asarray(np.array([[0.0], [0.3]]) + np.array([[1.0], [1.2]]) * (shared + own))


def limits_hold(method: LimitMethod, generator: np.random.Generator) -> Outcomes:
    found = bland_altman(*pairs(generator)).limit_intervals(LEVEL, method)
    spread = math.sqrt(1 + 1.44 - 2 * 0.8 * 1.2)
    return [holds(found[0], 0.3 - USUAL * spread), holds(found[1], 0.3 + USUAL * spread)]


def ranks_reject(of: Callable[[Floats], Tested], generator: np.random.Generator) -> Outcomes:
    return [rejects(of(generator.normal(size=(READERS, 30))))]


def measurement_questions() -> Iterator[Question]:
    lin = 2 * 0.8 * 1.2 / (1 + 1.44 + 0.09)
    yield Question("Lin's concordance correlation", "coverage", lambda g: [covers(concordance(*pairs(g)), lin)])
    bias: Ask = lambda g: [covers(bland_altman(*pairs(g)), 0.3)]  # noqa: E731
    yield Question("Bland and Altman's mean difference", "coverage", bias)
    for method in LIMIT_METHODS:
        name = f"Bland and Altman's limits of agreement, {method}"
        yield Question(name, "coverage", partial(limits_hold, method))
    repeated: Ask = lambda g: [covers(repeatability(two_way(g, CASE, 0.0)), 1.0)]  # noqa: E731
    yield Question("repeatability, spread within cases", "coverage", repeated)
    for name, of in RANKED:
        remark = "the chi-square approximation is on the safe side with four readers" if of is kendall_w else ""
        yield Question(name, "type-I error", partial(ranks_reject, of), remark)


RANKED: tuple[tuple[str, Callable[[Floats], Tested]], ...] = (
    ("Kendall's W", kendall_w),
    ("mean correlation of pairs of readers", mean_correlation),
)


def agreement_questions() -> Iterator[Question]:
    yield from several(kappa_questions(), 4)
    yield from mean_questions()
    yield from several(coefficient_questions(), 4)
    yield from several(icc_questions(), 4)
    yield from several(measurement_questions(), 4)
