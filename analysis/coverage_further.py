"""Questions about whole studies: margins, the model, groups of readers, limits of agreement."""

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from scipy import stats

from analysis.coverage import ALPHA, Outcomes, Question, Worlds, covers, rejects, whole
from analysis.delong import delong_covariance
from analysis.limits import between_readers, within_readers
from analysis.margins import MarginTest, margin_test
from analysis.mrmc import obuchowski_rockette
from analysis.ratings import Ratings
from analysis.seniority import interaction
from analysis.simulation import RoeMetz, Study, named
from analysis.standalone import Standalone, model_against_readers

SMALL = ALPHA / 2
THREE = "three readers in a group: with so few, Hillis's degrees of freedom give 3.5 % where Holm asks for 2.5 %"


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


def on_fixed_cases(model: RoeMetz, generator: np.random.Generator) -> tuple[Standalone, float]:
    """A model as good as readers like these are on just these cases, and its true difference from them.

    A reader's area on given cases is on average the share of pairs that his own effects leave in order. The model's
    scores are the cases' own values with so much noise that its area is next to that; areas go by steps.
    """
    parts = model.variances
    truth = np.arange(model.positives + model.negatives) < model.positives
    cases = generator.normal(0, math.sqrt(parts.case + parts.arm_case), len(truth)) + model.mu[0] * truth
    shift = model.reader_effects(generator, 1)
    own = generator.normal(0, math.sqrt(parts.reader_case + parts.error), (model.readers, 1, len(truth)))
    values = cases + np.where(truth, shift[1][:, :, None], shift[0][:, :, None]) + own
    spread = parts.reader + parts.arm_reader + parts.reader_case + parts.error
    mean = float(stats.norm.cdf((cases[truth][:, None] - cases[~truth]) / math.sqrt(2 * spread)).mean())
    scores = cases + np.linspace(0, 4, 81)[:, None] * generator.normal(size=len(truth))
    away = delong_covariance(truth, scores)[0] - mean
    nearest = int(np.abs(away).argmin())
    found = model_against_readers(named(truth, values, ("alone",)), scores[nearest], cases="fixed")
    return found, float(away[nearest])


def margin_questions(worlds: Worlds) -> Iterator[Question]:
    model = worlds.margin
    name = "non-inferiority of the AUC, true difference at the margin"
    ask = whole(model, lambda study: against_margin(model, study).p < SMALL)
    yield Question(name, "type-I error", ask, nominal=SMALL)
    far = replace(model, auc=(0.9, 0.6))
    name = "equivalence of the AUC, true difference at the margin"
    ask = whole(far, lambda study: against_margin(far, study).p_equivalence < SMALL)
    yield Question(name, "type-I error", ask, nominal=SMALL)
    ask = whole(worlds.equal, lambda study: against_margin(model, study).p_superiority < SMALL)
    yield Question("superiority of the AUC", "type-I error", ask, nominal=SMALL)
    ask = whole(model, lambda study: covers(against_margin(model, study), model.auc[1] - model.auc[0]))
    yield Question("difference of the AUC beside its margin", "coverage", ask)


def model_questions(worlds: Worlds) -> Iterator[Question]:
    model = worlds.equal
    name = "model against the readers' mean"
    yield Question(name, "type-I error", lambda generator: [rejects(with_model(model, generator))])
    yield Question(name, "coverage", lambda generator: [covers(with_model(model, generator), 0.0)])
    name = "model against the readers' mean, fixed cases"
    yield Question(name, "type-I error", lambda generator: [rejects(on_fixed_cases(model, generator)[0])])
    yield Question(name, "coverage", lambda generator: [covers(*on_fixed_cases(model, generator))])


def groups_of(ratings: Ratings) -> dict[str, str]:
    half = len(ratings.readers) // 2
    return {name: "senior" if place < half else "junior" for place, name in enumerate(ratings.readers)}


def any_group(study: Study) -> bool:
    """At least one group is found to respond, p values adjusted by Holm."""
    found = interaction(study.ratings, groups_of(study.ratings))
    return any(row.p_adjusted < ALPHA for row in found.groups)


def groups_reject(model: RoeMetz, generator: np.random.Generator) -> Outcomes:
    ratings = model.draw(generator).ratings
    return [rejects(row) for row in interaction(ratings, groups_of(ratings)).groups]


def groups_hold(model: RoeMetz, generator: np.random.Generator) -> Outcomes:
    ratings = model.draw(generator).ratings
    return [covers(row, 0.0) for row in interaction(ratings, groups_of(ratings)).groups]


def seniority_questions(worlds: Worlds) -> Iterator[Question]:
    equal = worlds.equal
    name = "seniority x arm interaction"
    test = whole(equal, lambda study: rejects(interaction(study.ratings, groups_of(study.ratings))))
    yield Question(name, "type-I error", test)
    interval = whole(equal, lambda study: covers(interaction(study.ratings, groups_of(study.ratings)), 0.0))
    yield Question(name, "coverage", interval)
    yield Question("effect in one group of seniority", "type-I error", partial(groups_reject, equal))
    yield Question("effect in one group of seniority", "coverage", partial(groups_hold, equal))
    yield Question("effect in any group of seniority, Holm", "type-I error", whole(equal, any_group), THREE)


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


def study_questions(worlds: Worlds) -> Iterator[Question]:
    yield from margin_questions(worlds)
    yield from model_questions(worlds)
    yield from seniority_questions(worlds)
    yield from limits_questions(worlds)
