"""Questions about whole studies: margins, the model, groups of readers, order, times, reliance, multiplicity, power."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from scipy import stats

from analysis.conversions import RatingModel, roe_metz_to_obuchowski_rockette
from analysis.coverage import ALPHA, Outcomes, Question, Worlds, covers, rejects, several, whole
from analysis.delong import delong_auc, delong_test
from analysis.error_terms import Components
from analysis.limits import between_readers, within_readers
from analysis.margins import MarginTest, margin_test
from analysis.mrmc import obuchowski_rockette
from analysis.multiplicity import ADJUSTMENTS, Adjustment, adjusted
from analysis.paired import PairedTable, Test, mcnemar
from analysis.power import mrmc_power, variation
from analysis.power_auc import auc_power, binormal_spread, paired_auc_power
from analysis.power_models import PairedTest, mcnemar_power
from analysis.ratings import Ratings
from analysis.seniority import interaction
from analysis.simulation import RoeMetz, Study
from analysis.standalone import Standalone, model_against_readers

SMALL = ALPHA / 2
WIDE = "the published variance leaves out how intercept and slope go together, and plans for more cases than needed"
REPLICATES = 500
Ask = Callable[[np.random.Generator], Outcomes]


def against_margin(model: RoeMetz, study: Study) -> MarginTest:
    """The second arm is worse by exactly the margin."""
    found = obuchowski_rockette(study.ratings).differences[0]
    return margin_test(found.estimate, found.se, abs(model.auc[0] - model.auc[1]), found.df)


def with_model(model: RoeMetz, generator: np.random.Generator) -> Standalone:
    """A model whose area is the mean of the readers' and whose errors are its own."""
    study = model.draw(generator)
    truth = study.ratings.truth
    score = generator.normal(size=len(truth)) + truth * model.mu[0] / np.sqrt(model.spread)
    return model_against_readers(study.ratings.restricted(arms=("first",)), score)


def margin_questions(worlds: Worlds) -> Iterator[Question]:
    model = worlds.margin
    name = "non-inferiority of the AUC, true difference at the margin"
    ask = whole(model, lambda study: against_margin(model, study).p < SMALL)
    yield Question(name, "type-I error", ask, nominal=SMALL)


def model_questions(worlds: Worlds) -> Iterator[Question]:
    model = worlds.equal
    name = "model against the readers' mean"
    yield Question(name, "type-I error", lambda generator: [rejects(with_model(model, generator))])
    yield Question(name, "coverage", lambda generator: [covers(with_model(model, generator), 0.0)])


def groups_of(ratings: Ratings) -> dict[str, str]:
    half = len(ratings.readers) // 2
    return {name: "senior" if place < half else "junior" for place, name in enumerate(ratings.readers)}


def any_group(study: Study) -> bool:
    """At least one group is found to respond, p values adjusted by Holm."""
    found = interaction(study.ratings, groups_of(study.ratings))
    return any(row.p_adjusted < ALPHA for row in found.groups)


def seniority_questions(worlds: Worlds) -> Iterator[Question]:
    equal = worlds.equal
    name = "seniority x arm interaction"
    test = whole(equal, lambda study: rejects(interaction(study.ratings, groups_of(study.ratings))))
    yield Question(name, "type-I error", test)
    interval = whole(equal, lambda study: covers(interaction(study.ratings, groups_of(study.ratings)), 0.0))
    yield Question(name, "coverage", interval)
    remark = "three readers in a group: with so few, Hillis's degrees of freedom give 6.5 % for 5 %"
    yield Question("effect in any group of seniority, Holm", "type-I error", whole(equal, any_group), remark)


def limits_questions(worlds: Worlds) -> Iterator[Question]:
    """Mean difference of the ratings of diseased cases in two arms."""
    model = worlds.different
    truth = model.mu[1] - model.mu[0]

    def diseased(study: Study) -> Ratings:
        ratings, keep = study.ratings, study.ratings.truth
        cases = tuple(name for name, kept in zip(ratings.cases, keep, strict=True) if kept)
        return Ratings(ratings.readers, ratings.arms, cases, keep[keep], ratings.values[:, :, keep])

    def within(study: Study) -> bool:
        return covers(within_readers(diseased(study), *study.ratings.arms), truth)

    def between(study: Study) -> bool:
        return covers(between_readers(diseased(study), *study.ratings.arms), truth)

    name = "mean difference beside limits of agreement"
    yield Question(f"{name}, within readers", "coverage", whole(model, within))
    yield Question(f"{name}, between readers", "coverage", whole(model, between))


def any_false(method: Adjustment, generator: np.random.Generator) -> Outcomes:
    """Five independent tests without any effect."""
    return [min(adjusted(generator.random(5).tolist(), method)) < ALPHA]


def multiplicity_questions() -> Iterator[Question]:
    for method in ADJUSTMENTS[:-1]:
        remark = ""
        if method == "benjamini-yekutieli":
            remark = "holds under any dependence, so it lies below where tests are independent"
        name = f"any false rejection among five, {method}"
        yield Question(name, "type-I error", partial(any_false, method), remark)


def as_components(model: RoeMetz) -> Components:
    """What Obuchowski and Rockette's model is of such ratings (Hillis 2018)."""
    parts = model.variances
    deltas = model.mu
    found = roe_metz_to_obuchowski_rockette(
        RatingModel(
            model.negatives, model.positives, deltas, parts.reader, parts.arm_reader,
            parts.case, parts.arm_case, parts.reader_case, parts.error,
        )
    )  # fmt: skip
    return Components(found.reader, found.arm_reader, found.error, found.cov1, found.cov2, found.cov3)


def binormal_study(mu: float, cases: int, generator: np.random.Generator) -> Outcomes:
    truth = np.arange(2 * cases) < cases
    return [rejects(delong_auc(truth, generator.normal(size=2 * cases) + mu * truth))]


def discordant(shares: tuple[float, float], pairs: int, test: Test, generator: np.random.Generator) -> Outcomes:
    first, second, neither = (int(n) for n in generator.multinomial(pairs, (*shares, 1 - sum(shares))))
    return [rejects(mcnemar(PairedTable(neither, first, second, 0), test))]


def power_questions(worlds: Worlds) -> Iterator[Question]:
    """Studies of the planned size against the power that the plan promised."""
    model = worlds.different
    cases = model.positives + model.negatives
    plan = mrmc_power(variation(as_components(model), cases), model.readers, cases, model.auc[1] - model.auc[0])
    ask = whole(model, lambda study: rejects(obuchowski_rockette(study.ratings)))
    yield Question("power of Obuchowski-Rockette, auc", "power", ask, nominal=plan.estimate)
    mu = math.sqrt(2) * float(stats.norm.ppf(0.7))
    one = partial(binormal_study, mu, 40)
    yield Question("power of one AUC against 1/2", "power", one, nominal=auc_power(0.7, 40, 40).estimate)
    spread = binormal_spread((1.2, 1.0), (1.7, 1.0), 0.5, 0.5)
    two = partial(two_ratings, 120)
    name = "power of two AUCs of the same cases"
    yield Question(name, "power", two, WIDE, paired_auc_power(spread, 120).estimate)
    tests: tuple[tuple[PairedTest, Test], ...] = (("connor", "asymptotic"), ("exact", "exact"))
    for planned, test in tests:
        pairs = partial(discordant, (0.05, 0.15), 150, test)
        nominal = mcnemar_power(0.05, 0.15, 150, test=planned).estimate
        remark = "Connor's formula is on the safe side of the asymptotic test" if planned == "connor" else ""
        yield Question(f"power of McNemar's test, {planned}", "power", pairs, remark, nominal)


def two_ratings(cases: int, generator: np.random.Generator) -> Outcomes:
    """Correlation one half, separations 1.2 and 1.7."""
    truth = np.arange(2 * cases) < cases
    shared = generator.normal(0, math.sqrt(0.5), 2 * cases)
    own = generator.normal(0, math.sqrt(0.5), (2, 2 * cases))
    return [rejects(delong_test(truth, shared + own[0] + 1.2 * truth, shared + own[1] + 1.7 * truth))]


def study_questions(worlds: Worlds) -> Iterator[Question]:
    yield from margin_questions(worlds)
    yield from model_questions(worlds)
    yield from seniority_questions(worlds)
    yield from limits_questions(worlds)


def planning_questions(worlds: Worlds) -> Iterator[Question]:
    yield from several(multiplicity_questions(), 20)
    yield from power_questions(worlds)
