"""Questions to measures of agreement, each in its world: hidden classes, two-way ratings, pairs of measurements."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from analysis.agreement import CohenKappa, Weights, cohen_kappa, fleiss_kappa, light_kappa, pairwise_kappa
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
from analysis.coverage import ALPHA, LEVEL, Estimated, Outcomes, Question, Tested, covers, holds, rejects, several
from analysis.icc import MODELS, UNITS, Icc, Model, Unit, icc
from analysis.ratings import Floats
from analysis.rereads import rereads

LARGE = "a normal interval for large samples; weighted kappas of 100 cases are skewed"
SATTERTHWAITE = "McGraw and Wong's degrees of freedom are approximate where the five readers' levels are drawn anew"
FIVE = "Student's t for large samples, and 100 cases of unlike categories are skewed; {} % of 400 cases"
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
RATIO = 1 - ((PLACES[:, None] - PLACES) / (PLACES[:, None] + PLACES + 2)) ** 2
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
    yield Question("Fleiss' kappa of one category", "type-I error", category_rejects)


def mean_questions() -> Iterator[Question]:
    """Means of kappas, which cost more."""
    light = mean_pairs(lambda one, two: kappa_of(one, two, np.eye(3)), UNLIKE)
    yield Question("Light's kappa of four readers", "coverage", answers(UNLIKE, light_kappa, light))
    yield Question("Cohen's kappa of each pair of four readers", "coverage", pairs_hold)
    yield Question("Cohen's kappa of each pair of four readers", "type-I error", pairs_reject)
    name = "Light's kappa of four readers"
    yield Question(name, "type-I error", lambda g: [rejects(light_kappa(apart(g, READERS)))], FIVE.format("5.0"))
    yield Question("mean kappa of readers with themselves", "coverage", rereads_hold)
    yield Question("mean kappa of readers with themselves", "type-I error", rereads_reject)


def apart(generator: np.random.Generator, readers: int = 2, shares: Floats = CLASSES) -> Floats:
    """(reader, case) categories without any agreement beyond chance."""
    return generator.choice(3, (readers, CASES), p=shares).astype(float)


def pairs_hold(generator: np.random.Generator) -> Outcomes:
    rows = pairwise_kappa(tuple("0123"), judged(UNLIKE, generator))
    return [covers(row, kappa_of(UNLIKE[int(one)], UNLIKE[int(two)], np.eye(3))) for one, two, row in rows]


def pairs_reject(generator: np.random.Generator) -> Outcomes:
    return [rejects(row) for _, _, row in pairwise_kappa(tuple("0123"), apart(generator, READERS))]


def category_rejects(generator: np.random.Generator) -> Outcomes:
    return [rejects(row) for row in fleiss_kappa(apart(generator, READERS)).by_category]


def rereads_reject(generator: np.random.Generator) -> Outcomes:
    return [rejects(rereads(tuple("ABCD"), apart(generator, READERS), apart(generator, READERS)))]


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
    ask = answers(ALIKE, lambda values: krippendorff_alpha(values + 1, "ratio"), corrected(RATIO, of_shares(RATIO)))
    yield Question("Krippendorff's alpha, ratio", "coverage", ask)


def null_questions() -> Iterator[Question]:
    """Coefficients of readers who agree by chance; where chance is taken as even, so are their categories."""
    even = np.full(3, 1 / 3)
    levels: tuple[Level, ...] = ("nominal", "ordinal", "interval")
    table: tuple[tuple[str, Callable[[Floats], Tested], int, Floats], ...] = (
        ("Gwet's AC1", gwet_ac1, READERS, even),
        ("Gwet's AC2, quadratic weights", partial(gwet_ac1, weights="quadratic"), READERS, even),
        ("Fleiss' kappa, quadratic weights", partial(weighted_fleiss, weights="quadratic"), READERS, CLASSES),
        ("Brennan and Prediger's coefficient", brennan_prediger, READERS, even),
        ("Conger's kappa", conger_kappa, READERS, CLASSES),
        ("Scott's pi", lambda values: scott_pi(*values), 2, CLASSES),
        *(
            (f"Krippendorff's alpha, {level}", partial(krippendorff_alpha, level=level), READERS, CLASSES)
            for level in levels
        ),
        ("Krippendorff's alpha, ratio", lambda values: krippendorff_alpha(values + 1, "ratio"), READERS, CLASSES),
    )  # fmt: skip
    for name, of, readers, shares in table:
        remark = FIVE.format("4.9") if name.startswith("Fleiss") else ""
        yield Question(name, "type-I error", partial(coefficient_rejects, of, readers, shares), remark)


def coefficient_rejects(
    of: Callable[[Floats], Tested], readers: int, shares: Floats, generator: np.random.Generator
) -> Outcomes:
    return [rejects(of(apart(generator, readers, shares)))]


# Variances of cases, readers and error.
CASE, READER, ERROR = 2.0, 0.5, 1.0


def two_way(generator: np.random.Generator, case: float = CASE, reader: float = READER) -> Floats:
    """(reader, case) of five readers drawn anew and forty cases."""
    values = generator.normal(0, math.sqrt(case), 40) + generator.normal(0, math.sqrt(reader), (5, 1))
    return np.asarray(values + generator.normal(0, math.sqrt(ERROR), (5, 40)))


def icc_questions() -> Iterator[Question]:
    for model in MODELS:
        remark = SATTERTHWAITE if model == "agreement" else ""
        for unit in UNITS:
            name = f"intraclass correlation, {model}, {unit}"
            yield Question(name, "coverage", partial(icc_holds, model, unit), remark)
        yield Question(f"intraclass correlation, {model}", "type-I error", partial(icc_rejects, model))
        for unit in UNITS:
            name = f"intraclass correlation, {model}, {unit}, against its true value"
            yield Question(name, "type-I error", partial(icc_rejects_truth, model, unit), remark)


def icc_rejects(model: Model, generator: np.random.Generator) -> Outcomes:
    return [rejects(icc(two_way(generator, 0.0, 0.0 if model == "one-way" else READER), model))]


def icc_truth(model: Model, unit: Unit) -> float:
    noise = (ERROR + (READER if model == "agreement" else 0.0)) / (1 if unit == "single" else 5)
    return CASE / (CASE + noise)


def of_model(model: Model, unit: Unit, generator: np.random.Generator) -> Icc:
    """Readers of one level each where the model knows no levels."""
    return icc(two_way(generator, CASE, 0.0 if model == "one-way" else READER), model, unit)


def icc_holds(model: Model, unit: Unit, generator: np.random.Generator) -> Outcomes:
    return [covers(of_model(model, unit, generator), icc_truth(model, unit))]


def icc_rejects_truth(model: Model, unit: Unit, generator: np.random.Generator) -> Outcomes:
    return [rejects(of_model(model, unit, generator).test(icc_truth(model, unit)))]


def pairs(
    generator: np.random.Generator, n: int = 50, shift: float = 0.3, wide: float = 1.2, shared: float = 0.8
) -> Floats:
    """(2, n) measurements: spreads 1 and `wide`, correlation `shared`, means 0 and `shift`."""
    common = generator.normal(0, math.sqrt(shared), n)
    own = generator.normal(0, math.sqrt(1 - shared), (2, n))
    return np.asarray(np.array([[0.0], [shift]]) + np.array([[1.0], [wide]]) * (common + own))


def slope_rejects(generator: np.random.Generator) -> Outcomes:
    p = bland_altman(*pairs(generator, wide=1.0)).slope_p
    return [p is not None and p < ALPHA]


def limits_hold(method: LimitMethod, generator: np.random.Generator) -> Outcomes:
    found = bland_altman(*pairs(generator)).limit_intervals(LEVEL, method)
    spread = math.sqrt(1 + 1.44 - 2 * 0.8 * 1.2)
    return [holds(found[0], 0.3 - USUAL * spread), holds(found[1], 0.3 + USUAL * spread)]


def unlike(generator: np.random.Generator) -> Floats:
    """Measurements that have nothing in common."""
    return pairs(generator, shared=0.0)


def ranks_reject(of: Callable[[Floats], Tested], generator: np.random.Generator) -> Outcomes:
    return [rejects(of(generator.normal(size=(READERS, 30))))]


def measurement_questions() -> Iterator[Question]:
    lin = 2 * 0.8 * 1.2 / (1 + 1.44 + 0.09)
    yield Question("Lin's concordance correlation", "coverage", lambda g: [covers(concordance(*pairs(g)), lin)])
    bias: Ask = lambda g: [covers(bland_altman(*pairs(g)), 0.3)]  # noqa: E731
    yield Question("Lin's concordance correlation", "type-I error", lambda g: [rejects(concordance(*unlike(g)))])
    yield Question("Bland and Altman's mean difference", "coverage", bias)
    equal: Ask = lambda g: [rejects(bland_altman(*pairs(g, shift=0.0)))]  # noqa: E731
    yield Question("Bland and Altman's mean difference", "type-I error", equal)
    yield Question("slope of Bland and Altman's differences", "type-I error", slope_rejects)
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
    yield from several(null_questions(), 4)
    yield from several(icc_questions(), 4)
    yield from several(measurement_questions(), 4)
