"""Questions to tests of one number against chance, in a world where readers, scores and decisions know nothing."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import get_args

import numpy as np

from analysis.binormal import binormal_auc
from analysis.bootstrapped import bootstrap_area
from analysis.coverage import (
    Outcomes,
    Question,
    Tested,
    Worlds,
    covers,
    each_reader,
    first_reader,
    of_cohort,
    rejected,
    rejects,
    seed_of,
)
from analysis.decision_bootstrap import NULLS, bootstrap_decisions
from analysis.delong import Auc, IntervalMethod, delong_auc
from analysis.multiclass import hand_till, one_versus_rest
from analysis.proportions import (
    ConfusionTable,
    accuracy,
    apparent_prevalence,
    balanced_accuracy,
    confusion_table,
    false_negative_fraction,
    false_positive_fraction,
    negative_predictive_value,
    positive_predictive_value,
    prevalence,
    proportion,
    sensitivity,
    specificity,
    youden,
)
from analysis.ratings import Bools, Floats
from analysis.ratios import (
    diagnostic_odds_ratio,
    negative_likelihood_ratio,
    number_needed_to_diagnose,
    positive_likelihood_ratio,
)
from analysis.resampling import bootstrap
from analysis.simulation import RoeMetz, Study

REPLICATES = 500
FEW = 200
EXACT = "an exact test of counts, conservative by construction"
REMARKS = {"number needed to diagnose": "refused where an index is exactly 0, in 105 studies"}
SHARES: tuple[tuple[str, Callable[[ConfusionTable], Tested]], ...] = (
    ("sensitivity", sensitivity),
    ("specificity", specificity),
    ("false-positive fraction", false_positive_fraction),
    ("false-negative fraction", false_negative_fraction),
    ("positive predictive value", positive_predictive_value),
    ("negative predictive value", negative_predictive_value),
    ("accuracy", accuracy),
    ("apparent prevalence", apparent_prevalence),
    ("prevalence", prevalence),
)
OF_BOTH: tuple[tuple[str, Callable[[ConfusionTable], Tested]], ...] = (
    ("Youden's index", youden),
    ("balanced accuracy", balanced_accuracy),
    ("positive likelihood ratio", positive_likelihood_ratio),
    ("negative likelihood ratio", negative_likelihood_ratio),
    ("diagnostic odds ratio", partial(diagnostic_odds_ratio, zero_cells="add half")),
    ("number needed to diagnose", number_needed_to_diagnose),
)


def knowing_nothing(worlds: Worlds) -> RoeMetz:
    """All readers call half of either class diseased."""
    parts = replace(worlds.same.variances, reader=0.0, arm_reader=0.0)
    return replace(worlds.same, auc=(0.5, 0.5), variances=parts)


def area(method: IntervalMethod, study: Study, reader: int) -> Auc:
    return delong_auc(study.ratings.truth, study.ratings.values[reader, 0], method)


def area_questions(model: RoeMetz) -> Iterator[Question]:
    methods: tuple[IntervalMethod, ...] = get_args(IntervalMethod)
    for method in methods:
        ask = each_reader(model, rejected(partial(area, method)))
        yield Question(f"AUC of one reader against 1/2, {method}", "type-I error", ask)

    def drawn(study: Study, seed: int) -> Tested:
        return bootstrap_area(study.ratings.truth, study.ratings.values[0, 0], replicates=REPLICATES, seed=seed)

    yield Question("AUC against 1/2, bootstrap", "type-I error", first_reader(model, rejected(drawn)))

    def smooth(study: Study, _: int) -> Tested:
        return binormal_auc(study.ratings.truth, study.ratings.values[0, 0])

    yield Question("binormal AUC against 1/2", "type-I error", first_reader(model, rejected(smooth)))


def of_table(of: Callable[[ConfusionTable], Tested], study: Study, reader: int) -> Tested:
    return of(confusion_table(study.decisions.truth, study.decisions.values[reader, 0]))


def table_questions(model: RoeMetz) -> Iterator[Question]:
    """In cohorts, half of whose cases are diseased on average."""
    for tests, remark in ((SHARES, EXACT), (OF_BOTH, "")):
        for name, of in tests:
            ask = of_cohort(model, rejected(partial(of_table, of)))
            yield Question(f"{name} of one reader against chance", "type-I error", ask, REMARKS.get(name, remark))
    yield Question("share of successes against one half", "type-I error", partial(share_rejects, 100), EXACT)
    for measure in NULLS:
        drawn = partial(bootstrap_decisions, measure=measure, replicates=REPLICATES)
        ask = of_cohort(model, rejected(partial(of_table, drawn)))
        yield Question(f"{measure} of one reader against chance, bootstrap", "type-I error", ask)


def share_rejects(cases: int, generator: np.random.Generator) -> Outcomes:
    return [rejects(proportion(int(generator.binomial(cases, 0.5)), cases))]


def classes_reject(of: Callable[..., Tested], generator: np.random.Generator) -> Outcomes:
    """Three classes of 40 cases whose scores are alike."""
    labels, scores = np.repeat(np.arange(3), 40), generator.normal(size=(120, 3))
    return [rejects(of(labels, scores, (0, 1, 2), replicates=REPLICATES, seed=seed_of(generator)))]


def means_apart(truth: Bools, ratings: Floats) -> float:
    return float(ratings[0][truth].mean() - ratings[0][~truth].mean())


def statistic_questions() -> Iterator[Question]:
    """The bootstrap of any number: here the difference of the means of 60 and 60 ratings."""

    def drawn(generator: np.random.Generator, apart: float) -> Outcomes:
        truth = np.arange(120) < 60
        ratings = generator.normal(size=(1, 120)) + apart * truth
        found = bootstrap(truth, ratings, means_apart, replicates=FEW, seed=seed_of(generator))
        return [covers(found, apart) if apart else rejects(found)]

    yield Question("difference of means, bootstrap", "type-I error", partial(drawn, apart=0.0))
    yield Question("difference of means, bootstrap", "coverage", partial(drawn, apart=math.sqrt(2)))


def chance_questions(worlds: Worlds) -> Iterator[Question]:
    model = knowing_nothing(worlds)
    yield from area_questions(model)
    yield from table_questions(model)
    for name, of in (("one versus rest", one_versus_rest), ("Hand and Till's M", hand_till)):
        ask = partial(classes_reject, of)
        yield Question(f"mean area of three classes against 1/2, {name}", "type-I error", ask)
    yield from statistic_questions()
