"""Questions to methods for many readers, with the pooled tests beside them that a study must not use."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from scipy import stats

from analysis.binormal import BinormalCurve
from analysis.covariance import Covariance
from analysis.coverage import (
    ALPHA,
    INVALID,
    Estimated,
    Outcomes,
    Question,
    Tested,
    Worlds,
    covers,
    rejects,
    seed_of,
    whole,
)
from analysis.dbm import Dbm, dbm
from analysis.delong import delong_test
from analysis.mrmc import ArmMean, Mrmc, Sampling, obuchowski_rockette
from analysis.paired import mcnemar, paired_table
from analysis.ratings import Ratings
from analysis.simulation import RoeMetz, Study, Variances
from analysis.ustatistics import Metric, UStatistics, Variance, u_statistics

METHODS: tuple[Covariance, ...] = ("delong", "jackknife", "unbiased")
REPLICATES = 200
SKEWED = "symmetric where the area is skewed; the logit interval of one reader lies nearer"
NORMAL = "a normal test, as Obuchowski and Rockette's, though its variance is estimated from 60 cases"
BIASED = "its variance is too large on purpose, so that it is never negative"
GAPS = (
    "moments over different readings do not cancel (the variance is negative in 35 studies); "
    "with such gaps take Obuchowski-Rockette with the jackknife"
)
PARTIAL = "pauc:specificity:0.8:1"
DECIDED = ("sensitivity", "specificity", "accuracy")
Ask = Callable[[np.random.Generator], Outcomes]


def values_of(study: Study, figure: str) -> Ratings:
    return study.decisions if figure in DECIDED else study.ratings


def population(model: RoeMetz, figure: str) -> tuple[float, float]:
    """Means of both arms over all readers."""
    if figure == "auc":
        return model.auc
    if figure == PARTIAL:
        # The mean over readers of shifted binormal curves is binormal again.
        wide = math.sqrt(1 + 2 * (model.variances.reader + model.variances.arm_reader))
        first, second = (BinormalCurve(mu / wide, 1 / wide).partial_area("specificity", 0.8, 1.0) for mu in model.mu)
        return first, second
    if figure == "sensitivity":
        return model.sensitivity
    healthy = float(stats.norm.cdf(model.threshold / math.sqrt(model.spread)))
    if figure == "specificity":
        return healthy, healthy
    share = model.positives / (model.positives + model.negatives)
    first, second = (share * found + (1 - share) * healthy for found in model.sensitivity)
    return first, second


def compared(
    study: Study,
    figure: str = "auc",
    method: Covariance = "delong",
    readers: Sampling = "random",
    cases: Sampling = "random",
) -> Mrmc:
    return obuchowski_rockette(values_of(study, figure), figure, method, readers, cases)


def difference(model: RoeMetz, figure: str) -> float:
    first, second = population(model, figure)
    return second - first


def own_difference_holds(figure: str, study: Study) -> bool:
    """Against the mean over the readers of this very study."""
    own = study.auc if figure == "auc" else study.sensitivity
    return covers(compared(study, figure, readers="fixed"), float((own[:, 1] - own[:, 0]).mean()))


def random_questions(worlds: Worlds) -> Iterator[Question]:
    """Random readers and cases: every figure and covariance, where readers respond differently."""
    model = worlds.different
    asked: tuple[tuple[str, Covariance], ...] = (
        *((figure, method) for figure in ("auc", "sensitivity") for method in METHODS),
        ("specificity", "delong"),
        ("accuracy", "delong"),
        (PARTIAL, "jackknife"),
    )
    for figure, method in asked:
        name = f"Obuchowski-Rockette, {figure}, {method}"
        of = partial(compared, figure=figure, method=method)
        yield Question(name, "type-I error", whole(worlds.equal, rejected(of)))
        yield Question(name, "coverage", whole(model, covered(of, difference(model, figure))))
    for figure in ("auc", "sensitivity"):
        ask = whole(model, covered(partial(first_arm, figure), population(model, figure)[0]))
        yield Question(f"mean of one arm, {figure}, delong", "coverage", ask)
    ask = whole(at_chance(worlds), rejected(partial(first_arm, "auc")))
    yield Question("mean of one arm against chance, auc, delong", "type-I error", ask)


def at_chance(worlds: Worlds) -> RoeMetz:
    """Readers who know nothing on average."""
    return replace(worlds.equal, auc=(0.5, 0.5))


def first_arm(figure: str, study: Study) -> ArmMean:
    return compared(study, figure).arms[0]


def rejected(of: Callable[[Study], Tested]) -> Callable[[Study], bool]:
    return lambda study: rejects(of(study))


def covered(of: Callable[[Study], Estimated], truth: float) -> Callable[[Study], bool]:
    return lambda study: covers(of(study), truth)


def drawn(model: RoeMetz, generator: np.random.Generator) -> Mrmc:
    ratings = model.draw(generator).ratings
    return obuchowski_rockette(ratings, "auc", "bootstrap", replicates=REPLICATES, seed=seed_of(generator))


def bootstrap_questions(worlds: Worlds) -> Iterator[Question]:
    name = "Obuchowski-Rockette, auc, bootstrap"
    truth = difference(worlds.different, "auc")
    yield Question(name, "type-I error", lambda generator: [rejects(drawn(worlds.equal, generator))])
    yield Question(name, "coverage", lambda generator: [covers(drawn(worlds.different, generator), truth)])


def fixed_questions(worlds: Worlds) -> Iterator[Question]:
    """Readers or cases fixed, single readers within the study, and designs that are not crossed."""
    for figure in ("auc", "sensitivity"):
        name = f"Obuchowski-Rockette, {figure}, fixed readers"
        test = rejected(partial(compared, figure=figure, readers="fixed"))
        remark = NORMAL if figure == "sensitivity" else ""
        yield Question(name, "type-I error", whole(worlds.same, test), remark)
        yield Question(name, "coverage", whole(worlds.different, partial(own_difference_holds, figure)), remark)
    still, fixed = still_cases(worlds.equal), partial(compared, cases="fixed")
    name = "Obuchowski-Rockette, auc, fixed cases"
    yield Question(name, "type-I error", whole(still, rejected(fixed)))
    yield Question(name, "coverage", whole(still, covered(fixed, 0.0)))
    yield Question("one reader within the study, auc", "type-I error", partial(each_difference, worlds.same))
    yield Question("one reader within the study, auc", "coverage", partial(own_differences_hold, worlds.different))
    yield Question(
        "one reader in one arm within the study, auc", "coverage", partial(each_cell, worlds.different), SKEWED
    )
    for name, of in (
        ("readers nested in arms", nested_readers),
        ("cases nested in readers", nested_cases),
        ("one reading in ten missing", with_gaps),
    ):
        ask = partial(arranged_rejects, worlds.equal, of)
        yield Question(f"Obuchowski-Rockette, auc, {name}, jackknife", "type-I error", ask)


def each_difference(model: RoeMetz, generator: np.random.Generator) -> Outcomes:
    return [rejects(row) for row in compared(model.draw(generator), readers="fixed").reader_differences]


def own_differences_hold(model: RoeMetz, generator: np.random.Generator) -> Outcomes:
    study = model.draw(generator)
    rows = compared(study, readers="fixed").reader_differences
    return [covers(row, float(own[1] - own[0])) for row, own in zip(rows, study.auc, strict=True)]


def each_cell(model: RoeMetz, generator: np.random.Generator) -> Outcomes:
    study = model.draw(generator)
    cells = compared(study).cells
    return [covers(cell, float(truth)) for cell, truth in zip(cells, study.auc.ravel(), strict=True)]


def still_cases(model: RoeMetz) -> RoeMetz:
    """Cases do not respond to the arm, as where they are fixed no difference may come from them."""
    parts = model.variances
    frozen = Variances(parts.reader, parts.arm_reader, parts.case + parts.arm_case, 0.0, parts.reader_case, parts.error)
    return replace(model, variances=frozen)


def nested_readers(model: RoeMetz, generator: np.random.Generator) -> Ratings:
    """Twice the readers, half of them in each arm."""
    ratings = replace(model, readers=2 * model.readers).draw(generator).ratings
    values = ratings.values.copy()
    values[: model.readers, 1] = np.nan
    values[model.readers :, 0] = np.nan
    return replace(ratings, values=values)


def nested_cases(model: RoeMetz, generator: np.random.Generator) -> Ratings:
    """Every reader has cases of his own, as many as the model says for all readers together, thrice over."""
    many = replace(model, positives=3 * model.positives, negatives=3 * model.negatives)
    ratings = many.draw(generator).ratings
    values = np.full_like(ratings.values, np.nan)
    cases = len(ratings.cases)
    for reader in range(model.readers):
        own = np.arange(cases) % model.readers == reader
        values[reader][:, own] = ratings.values[reader][:, own]
    return replace(ratings, values=values)


def split_plot(model: RoeMetz, generator: np.random.Generator) -> Ratings:
    """Half of the readers read half of the cases, the others the other half."""
    ratings = model.draw(generator).ratings
    values = np.full_like(ratings.values, np.nan)
    group, half = np.arange(len(ratings.readers)) % 2, np.arange(len(ratings.cases)) % 2
    for part in range(2):
        read = np.ix_(group == part, [True, True], half == part)
        values[read] = ratings.values[read]
    return replace(ratings, values=values)


def with_gaps(model: RoeMetz, generator: np.random.Generator) -> Ratings:
    """One reading in ten is missing."""
    ratings = model.draw(generator).ratings
    lost = generator.random(ratings.values.shape) < 0.1
    return replace(ratings, values=np.where(lost, np.nan, ratings.values))


def arranged_rejects(
    model: RoeMetz, of: Callable[[RoeMetz, np.random.Generator], Ratings], generator: np.random.Generator
) -> Outcomes:
    return [rejects(obuchowski_rockette(of(model, generator), "auc", "jackknife"))]


def obuchowski_rockette_questions(worlds: Worlds) -> Iterator[Question]:
    """Random readers in a world where they respond differently, fixed readers in one where none responds."""
    yield from random_questions(worlds)
    yield from bootstrap_questions(worlds)
    yield from fixed_questions(worlds)
    truth = difference(worlds.different, "auc")
    name = "Dorfman-Berbaum-Metz, auc"
    yield Question(name, "type-I error", whole(worlds.equal, lambda study: rejects(dbm(study.ratings))))
    ask = whole(worlds.different, lambda study: covers(dbm(study.ratings).differences[0], truth))
    yield Question(name, "coverage", ask)
    ask = whole(worlds.different, lambda study: covers(dbm(study.ratings).arms[0], worlds.different.auc[0]))
    yield Question("Dorfman-Berbaum-Metz, mean of one arm, auc", "coverage", ask)
    for name, of in (("Obuchowski-Rockette", obuchowski_rockette), ("Dorfman-Berbaum-Metz", dbm)):
        three = partial(three_arms_differ, worlds.equal, of)
        yield Question(f"{name}, auc, three arms together", "type-I error", three)


def three_arms_differ(model: RoeMetz, of: Callable[[Ratings], Mrmc | Dbm], generator: np.random.Generator) -> Outcomes:
    overall = of(model.draw_alike(generator, 3)).overall
    return [overall is not None and rejects(overall)]


def u_found(metric: Metric, study: Study, variance: Variance = "unbiased") -> UStatistics:
    return u_statistics(values_of(study, metric), metric, variance)


def u_statistics_questions(worlds: Worlds) -> Iterator[Question]:
    """Fully crossed, beside Obuchowski and Rockette's analysis of the same studies, and other designs."""
    metrics: tuple[Metric, ...] = ("auc", "sensitivity", "specificity", "accuracy")
    model = worlds.different
    for metric in metrics:
        name = f"U-statistics, {metric}"
        of = partial(u_found, metric)
        yield Question(name, "type-I error", whole(worlds.equal, rejected(of)))
        yield Question(name, "coverage", whole(model, covered(of, difference(model, metric))))
    mean = whole(model, lambda study: covers(u_found("auc", study).arms[0], model.auc[0]))
    yield Question("U-statistics, mean of one arm, auc", "coverage", mean)
    ask = whole(at_chance(worlds), lambda study: rejects(u_found("auc", study).arms[0]))
    yield Question("U-statistics, mean of one arm against chance, auc", "type-I error", ask)
    ask = whole(worlds.equal, hillis_rejects)
    yield Question("U-statistics, auc, Hillis's degrees of freedom", "type-I error", ask)
    ask = whole(worlds.equal, lambda study: rejects(u_found("auc", study, "mle")))
    yield Question("V-statistics (variance mle), auc", "type-I error", ask, BIASED)
    for word, arranged, remark in (("split-plot", split_plot, ""), ("one reading in ten missing", with_gaps, GAPS)):
        name = f"U-statistics, auc, {word}"
        yield Question(name, "type-I error", partial(u_arranged, worlds.equal, arranged, False), remark)
        yield Question(name, "coverage", partial(u_arranged, worlds.equal, arranged, True), remark)


def hillis_rejects(study: Study) -> bool:
    p = u_found("auc", study).differences[0].p_hillis()
    return p is not None and p < ALPHA


def u_arranged(
    model: RoeMetz,
    of: Callable[[RoeMetz, np.random.Generator], Ratings],
    interval: bool,
    generator: np.random.Generator,
) -> Outcomes:
    found = u_statistics(of(model, generator), "auc")
    return [covers(found, 0.0) if interval else rejects(found)]


def pooled_delong(study: Study) -> bool:
    values = study.ratings.values
    truth = np.tile(study.ratings.truth, len(values))
    return delong_test(truth, values[:, 0].ravel(), values[:, 1].ravel()).p < ALPHA


def averaged_delong(study: Study) -> bool:
    return delong_test(study.ratings.truth, *study.ratings.values.mean(axis=0)).p < ALPHA


def pooled_mcnemar(study: Study) -> bool:
    found = study.decisions.values[:, :, study.decisions.truth]
    return mcnemar(paired_table(found[:, 0].ravel(), found[:, 1].ravel()), "asymptotic").p < ALPHA


def pooled_questions(worlds: Worlds) -> Iterator[Question]:
    """What a study with several readers must not do."""
    for name, ask in (
        ("DeLong pooled over readers", pooled_delong),
        ("DeLong on the readers' averages", averaged_delong),
        ("McNemar pooled over readers", pooled_mcnemar),
    ):
        yield Question(name, "type-I error", whole(worlds.equal, ask), INVALID)
