"""Questions about plans: false rejections among several tests, and the power foretold against studies of that size."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial

import numpy as np
from scipy import stats

from analysis.contingency import chi_square
from analysis.conversions import AucModel, RatingModel, roe_metz_to_obuchowski_rockette
from analysis.coverage import ALPHA, LEVEL, Outcomes, Question, Worlds, rejects, several, whole
from analysis.coverage_many import split_plot
from analysis.delong import delong_auc, delong_test
from analysis.error_terms import Components
from analysis.feature_tests import welch_t
from analysis.moments import Moments, moments
from analysis.mrmc import obuchowski_rockette
from analysis.multiplicity import ADJUSTMENTS, Adjustment, adjusted
from analysis.paired import PairedTable, Test, mcnemar
from analysis.power import mrmc_power, variation
from analysis.power_auc import auc_power, binormal_spread, delong_spread, paired_auc_power
from analysis.power_models import (
    ConjecturedPlan,
    PairedTest,
    conjectured_precision,
    conjectured_study,
    expected_maximum,
    mcnemar_power,
    two_means_sample_size,
    two_proportions_power,
)
from analysis.proportions import proportion
from analysis.ratings import Bools, Floats, Ratings
from analysis.simulation import RoeMetz, structure
from analysis.sizing import StudySize, power_from_moments
from analysis.ustatistics import u_statistics

UNDER_EQUALITY = (
    "the published formula takes two equal tests for as variable as the first, the less accurate one; "
    "DeLong's test does not"
)
WIDE = (
    "the published variance leaves out how intercept and slope go together, and two equal tests are taken for as "
    "variable as the first: more cases than needed"
)
LARGE = "the published variance of an area is larger than that of an empirical one: more cases than needed"
OWN_DF = (
    "each study estimates its own degrees of freedom, mostly more than the plan's: a little more power than foretold"
)
AT_BOUND = (
    "the published formula takes the variance at the expected share, Wilson's interval the larger one at the bound"
)


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


def as_figures(model: RoeMetz) -> AucModel:
    """What Obuchowski and Rockette's model is of such ratings (Hillis 2018)."""
    parts = model.variances
    deltas = model.mu
    return roe_metz_to_obuchowski_rockette(
        RatingModel(
            model.negatives, model.positives, deltas, parts.reader, parts.arm_reader,
            parts.case, parts.arm_case, parts.reader_case, parts.error,
        )
    )  # fmt: skip


def as_components(model: RoeMetz) -> Components:
    found = as_figures(model)
    return Components(found.reader, found.arm_reader, found.error, found.cov1, found.cov2, found.cov3)


def binormal(mu: float, cases: int, generator: np.random.Generator) -> tuple[Bools, Floats]:
    """As many diseased cases as others, `mu` apart."""
    truth = np.arange(2 * cases) < cases
    return truth, generator.normal(size=2 * cases) + mu * truth


def binormal_study(mu: float, cases: int, generator: np.random.Generator) -> Outcomes:
    return [rejects(delong_auc(*binormal(mu, cases, generator)))]


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
    name = "power of two AUCs of the same cases"
    yield Question(name, "power", partial(two_areas_differ, 120), WIDE, paired_auc_power(spread, 120).estimate)
    pilot = delong_spread(*two_ratings(50_000, np.random.default_rng(1)))
    ask, name = partial(two_areas_differ, 60), "power of two AUCs of the same cases, from a large pilot"
    yield Question(name, "power", ask, UNDER_EQUALITY, paired_auc_power(pilot, 60).estimate)
    tests: tuple[tuple[PairedTest, Test], ...] = (
        ("connor", "asymptotic"), ("miettinen", "asymptotic"), ("exact", "exact"),
    )  # fmt: skip
    for planned, test in tests:
        pairs = partial(discordant, (0.05, 0.15), 150, test)
        nominal = mcnemar_power(0.05, 0.15, 150, test=planned).estimate
        remark = "Connor's formula is on the safe side of the asymptotic test" if planned == "connor" else ""
        yield Question(f"power of McNemar's test, {planned}", "power", pairs, remark, nominal)


def two_ratings(cases: int, generator: np.random.Generator) -> tuple[Bools, Floats, Floats]:
    """Correlation one half, separations 1.2 and 1.7."""
    truth = np.arange(2 * cases) < cases
    shared = generator.normal(0, math.sqrt(0.5), 2 * cases)
    own = generator.normal(0, math.sqrt(0.5), (2, 2 * cases))
    return truth, shared + own[0] + 1.2 * truth, shared + own[1] + 1.7 * truth


def two_areas_differ(cases: int, generator: np.random.Generator) -> Outcomes:
    return [rejects(delong_test(*two_ratings(cases, generator)))]


def conjectured(model: RoeMetz) -> ConjecturedPlan:
    """What Obuchowski's formula plans from the model's own spread of readers and correlations."""
    parts = as_figures(model)
    between = parts.reader + parts.arm_reader
    return conjectured_study(
        "auc", model.readers, model.auc[1] - model.auc[0], model.auc[0],
        2 * expected_maximum(model.readers) * math.sqrt(between), 0.0,
        same_reader=parts.cov1 / parts.error, same_arm=parts.cov2 / parts.error, neither=parts.cov3 / parts.error,
        reader_arms=parts.reader / between,
    )  # fmt: skip


def conjecture_questions() -> Iterator[Question]:
    model = RoeMetz((0.8, 0.85), structure("HL"), 10)
    plan = conjectured(model)
    sized = replace(model, positives=plan.diseased, negatives=plan.controls)
    ask = whole(sized, lambda study: rejects(obuchowski_rockette(study.ratings)))
    yield Question("power of a study of ten readers from conjectures", "power", ask, LARGE, plan.estimate)
    one = conjectured_precision("auc", 0.8, 0.08)
    mu = math.sqrt(2) * float(stats.norm.ppf(0.8))
    name = "power to show an AUC of 0.8 above 0.72, from conjectures"
    yield Question(name, "power", partial(area_above, mu, 0.72, one.diseased), LARGE, one.estimate)
    share = conjectured_precision("sensitivity", 0.8, 0.1)
    name = "power to show a sensitivity of 0.8 above 0.7, from conjectures"
    yield Question(name, "power", partial(share_above, 0.8, 0.7, share.diseased), AT_BOUND, share.estimate)


def area_above(mu: float, bound: float, cases: int, generator: np.random.Generator) -> Outcomes:
    truth, rating = binormal(mu, cases, generator)
    return [delong_auc(truth, rating).confidence_interval(LEVEL).low > bound]


def share_above(share: float, bound: float, cases: int, generator: np.random.Generator) -> Outcomes:
    found = proportion(int(generator.binomial(cases, share)), cases)
    return [found.confidence_interval(LEVEL).low > bound]


@cache
def typical_pilot(model: RoeMetz, pilots: int = 200) -> Moments:
    """Moments that very many cases and readers would give: the mean of many pilots."""
    streams = np.random.SeedSequence(1).spawn(pilots)
    found = [moments(model.draw(np.random.default_rng(stream)).ratings) for stream in streams]
    mean = {name: np.mean([getattr(item, name) for item in found], axis=0) for name in ("unbiased", "biased")}
    return replace(found[0], **mean)


def moments_questions(worlds: Worlds) -> Iterator[Question]:
    """Twice the readers and cases of the worlds, crossed and in two groups; planned from the mean of many pilots."""
    model = worlds.different
    pilot, effect = (
        typical_pilot(replace(model, readers=2 * model.readers, positives=40, negatives=40)),
        model.auc[1] - model.auc[0],
    )
    large = replace(model, readers=2 * model.readers, positives=2 * model.positives, negatives=2 * model.negatives)
    for groups, word, draw in ((1, "crossed", drawn_crossed), (2, "split-plot", split_plot)):
        size = StudySize(large.readers, (large.negatives, large.positives), groups)
        nominal = power_from_moments(pilot, 0, 1, size, effect).estimate
        ask = partial(arranged_finds, large, draw)
        yield Question(f"power of U-statistics from the moments of many pilots, {word}", "power", ask, OWN_DF, nominal)


def drawn_crossed(model: RoeMetz, generator: np.random.Generator) -> Ratings:
    return model.draw(generator).ratings


def arranged_finds(
    model: RoeMetz, of: Callable[[RoeMetz, np.random.Generator], Ratings], generator: np.random.Generator
) -> Outcomes:
    return [rejects(u_statistics(of(model, generator)))]


def group_questions() -> Iterator[Question]:
    """Two groups of different cases."""
    nominal = two_proportions_power(0.7, 0.85, 100).estimate
    yield Question("power of two proportions", "power", partial(shares_differ, (0.7, 0.85), 100), nominal=nominal)
    plan = two_means_sample_size(0.5)
    yield Question("power of two means", "power", partial(means_differ, 0.5, math.ceil(plan.n)), nominal=plan.estimate)


def shares_differ(shares: tuple[float, float], cases: int, generator: np.random.Generator) -> Outcomes:
    found = generator.binomial(cases, shares)
    return [rejects(chi_square(np.stack([found, cases - found], axis=1).astype(np.int64)))]


def means_differ(effect: float, cases: int, generator: np.random.Generator) -> Outcomes:
    return [rejects(welch_t(generator.normal(size=cases), generator.normal(effect, 1, cases)))]


def planning_questions(worlds: Worlds) -> Iterator[Question]:
    yield from several(multiplicity_questions(), 20)
    yield from power_questions(worlds)
    yield from conjecture_questions()
    yield from several(moments_questions(worlds), 3)
    yield from group_questions()
