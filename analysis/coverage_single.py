"""Questions to methods for one reader in one arm: areas, parts and points of the curve, shares of decisions."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import get_args

import numpy as np
from scipy import stats

from analysis.binormal import BinormalCurve, binormal_auc
from analysis.bootstrapped import Part, bootstrap_area
from analysis.coverage import (
    CONSERVATIVE,
    Estimated,
    Outcomes,
    Question,
    Worlds,
    covers,
    each_reader,
    first_reader,
    holds,
    of_cohort,
    per_reader,
    seed_of,
)
from analysis.decision_bootstrap import Measure, bootstrap_decisions
from analysis.delong import IntervalMethod, delong_auc
from analysis.errors import CannotAnalyse
from analysis.multiclass import hand_till, one_versus_rest
from analysis.operating import choose_point, sensitivity_at_specificity, specificity_at_sensitivity, threshold_table
from analysis.proportions import (
    ConfusionTable,
    accuracy,
    apparent_prevalence,
    balanced_accuracy,
    confusion_table,
    f1,
    false_negative_fraction,
    false_positive_fraction,
    negative_predictive_value,
    positive_predictive_value,
    prevalence,
    sensitivity,
    specificity,
    youden,
)
from analysis.proportions import Method as ShareMethod
from analysis.ratios import (
    diagnostic_odds_ratio,
    negative_likelihood_ratio,
    number_needed_to_diagnose,
    positive_likelihood_ratio,
)
from analysis.simulation import RoeMetz, Study

REPLICATES = 500
PART = Part("specificity", 0.8, 1.0)
AT = 0.9
SHORT = "percentiles of few cases are a little narrow, as for any bootstrap of 60 cases or fewer"
REMARKS = {
    "clopper-pearson": CONSERVATIVE,
    "wilson-corrected": CONSERVATIVE,
    "wald": "the normal interval is too short for shares near 0 and 1; take Wilson's",
    "AUC of one reader, delong interval": "symmetric where the area is skewed; the logit interval lies nearer",
    "partial AUC, specificity 0.8 to 1, bootstrap": SHORT,
    "largest Youden index, bootstrap": "the threshold is chosen on the same cases, which flatters, as each result says",
    "Youden's index of one reader, limits interval": "adds both limits of both shares, conservative by construction",
    "sensitivity of one reader, bootstrap": "percentiles of a share are as short as Wald's interval; take Wilson's",
}
# What a measure of decisions is, given sensitivity, specificity and the share of diseased cases, here one half.
Truth = Callable[[float, float, float], float]


def curve_of(study: Study, reader: int, arm: int) -> BinormalCurve:
    """The reader's true curve: two normal distributions of variance 1."""
    return BinormalCurve(math.sqrt(2) * float(stats.norm.ppf(study.auc[reader, arm])), 1.0)


def measure_holds(of: Callable[[ConfusionTable], Estimated], truth: Truth, study: Study, reader: int) -> bool:
    table = confusion_table(study.decisions.truth, study.decisions.values[reader, 0])
    return covers(of(table), truth(float(study.sensitivity[reader, 0]), float(study.specificity[reader, 0]), 0.5))


def measured(
    model: RoeMetz, of: Callable[[ConfusionTable], Estimated], truth: Truth
) -> Callable[[np.random.Generator], Outcomes]:
    """All readers in the first arm, the numbers of cases of both classes fixed."""
    return each_reader(model, partial(measure_holds, of, truth))


def in_cohort(
    model: RoeMetz, of: Callable[[ConfusionTable], Estimated], truth: Truth
) -> Callable[[np.random.Generator], Outcomes]:
    """All readers in the first arm, half of all cases diseased on average."""
    return of_cohort(model, partial(measure_holds, of, truth))


def area_holds(method: IntervalMethod, study: Study, reader: int, arm: int) -> bool:
    found = delong_auc(study.ratings.truth, study.ratings.values[reader, arm], method)
    return covers(found, float(study.auc[reader, arm]))


def area_questions(model: RoeMetz) -> Iterator[Question]:
    methods: tuple[IntervalMethod, ...] = get_args(IntervalMethod)
    for method in methods:
        name = f"AUC of one reader, {method} interval"
        yield Question(name, "coverage", per_reader(model, partial(area_holds, method)), REMARKS.get(name, ""))


def curve_questions(model: RoeMetz) -> Iterator[Question]:
    """One reader in one arm, as each method draws or climbs by itself."""

    def ask(
        of: Callable[[Study, int], Estimated], truth: Callable[[BinormalCurve], float]
    ) -> Callable[[np.random.Generator], Outcomes]:
        return first_reader(model, lambda study, seed: covers(of(study, seed), truth(curve_of(study, 0, 0))))

    def rated(
        of: Callable[..., Estimated], *given: object, replicates: int = REPLICATES
    ) -> Callable[[Study, int], Estimated]:
        return lambda study, seed: of(
            study.ratings.truth, study.ratings.values[0, 0], *given, replicates=replicates, seed=seed
        )

    yield Question("AUC, bootstrap", "coverage", ask(rated(bootstrap_area), lambda curve: curve.area))
    name = "partial AUC, specificity 0.8 to 1, bootstrap"
    part = ask(rated(bootstrap_area, PART), lambda curve: curve.partial_area("specificity", 0.8, 1.0))
    yield Question(name, "coverage", part, REMARKS[name])
    high = ask(rated(sensitivity_at_specificity, AT), lambda curve: curve.sensitivity_at(AT))
    yield Question("sensitivity at specificity 0.9, bootstrap", "coverage", high)
    back = ask(rated(specificity_at_sensitivity, AT), lambda curve: curve.specificity_at(AT))
    yield Question("specificity at sensitivity 0.9, bootstrap", "coverage", back)
    best = ask(rated(choose_point, replicates=200), lambda curve: 2 * float(stats.norm.cdf(curve.a / 2)) - 1)
    name = "largest Youden index, bootstrap"
    yield Question(name, "coverage", best, REMARKS[name])
    smooth = ask(
        lambda study, _: binormal_auc(study.ratings.truth, study.ratings.values[0, 0]), lambda curve: curve.area
    )
    yield Question("binormal AUC", "coverage", smooth)


def share_questions(model: RoeMetz) -> Iterator[Question]:
    methods: tuple[ShareMethod, ...] = get_args(ShareMethod)
    for method in methods:
        ask = measured(model, partial(sensitivity, method=method), both_classes(lambda sens, spec: sens))
        yield Question(f"sensitivity of one reader, {method} interval", "coverage", ask, REMARKS.get(method, ""))
    for method in methods:
        ask = measured(model, partial(specificity, method=method), both_classes(lambda sens, spec: spec))
        yield Question(f"specificity of one reader, {method} interval", "coverage", ask, REMARKS.get(method, ""))
    ask = measured(model, false_positive_fraction, both_classes(lambda sens, spec: 1 - spec))
    yield Question("false-positive fraction of one reader, wilson interval", "coverage", ask)
    ask = measured(model, false_negative_fraction, both_classes(lambda sens, spec: 1 - sens))
    yield Question("false-negative fraction of one reader, wilson interval", "coverage", ask)


def both_classes(of: Callable[[float, float], float]) -> Truth:
    """What does not depend on the share of diseased cases."""
    return lambda sens, spec, share: of(sens, spec)


FIXED: tuple[tuple[str, Callable[[ConfusionTable], Estimated], Callable[[float, float], float]], ...] = (
    ("Youden's index of one reader, newcombe interval", youden, lambda sens, spec: sens + spec - 1),
    ("Youden's index of one reader, limits interval", partial(youden, method="limits"), lambda a, b: a + b - 1),
    ("balanced accuracy of one reader", balanced_accuracy, lambda sens, spec: (sens + spec) / 2),
    ("positive likelihood ratio of one reader", positive_likelihood_ratio, lambda sens, spec: sens / (1 - spec)),
    ("negative likelihood ratio of one reader", negative_likelihood_ratio, lambda sens, spec: (1 - sens) / spec),
    (
        "diagnostic odds ratio of one reader", partial(diagnostic_odds_ratio, zero_cells="add half"),
        lambda sens, spec: sens * spec / ((1 - sens) * (1 - spec)),
    ),
    ("number needed to diagnose of one reader", number_needed_to_diagnose, lambda a, b: 1 / (a + b - 1)),
)  # fmt: skip

OF_COHORT: tuple[tuple[str, Callable[[ConfusionTable], Estimated], Truth], ...] = (
    ("accuracy", accuracy, lambda sens, spec, p: sens * p + spec * (1 - p)),
    (
        "positive predictive value", positive_predictive_value,
        lambda sens, spec, p: sens * p / (sens * p + (1 - spec) * (1 - p)),
    ),
    (
        "negative predictive value", negative_predictive_value,
        lambda sens, spec, p: spec * (1 - p) / (spec * (1 - p) + (1 - sens) * p),
    ),
    ("apparent prevalence", apparent_prevalence, lambda sens, spec, p: sens * p + (1 - spec) * (1 - p)),
    ("prevalence", prevalence, lambda sens, spec, p: p),
    ("F1", f1, lambda sens, spec, p: 2 * sens * p / (sens * p + (1 - spec) * (1 - p) + p)),
)  # fmt: skip

DRAWN: tuple[tuple[Measure, Truth], ...] = (
    ("sensitivity", lambda sens, spec, p: sens),
    ("Youden's index", lambda sens, spec, p: sens + spec - 1),
    ("F1", lambda sens, spec, p: 2 * sens * p / (sens * p + (1 - spec) * (1 - p) + p)),
)


def first_holds(of: Callable[[ConfusionTable], Estimated], truth: Truth, study: Study, _: int) -> bool:
    return measure_holds(of, truth, study, 0)


def measure_questions(model: RoeMetz) -> Iterator[Question]:
    """Measures of the confusion table; those that rest on the prevalence in a cohort."""
    for name, of, both in FIXED:
        ask = first_reader(model, partial(first_holds, of, both_classes(both)))
        yield Question(name, "coverage", ask, REMARKS.get(name, ""))
    for name, of, truth in OF_COHORT:
        yield Question(f"{name} of one reader, wilson interval", "coverage", in_cohort(model, of, truth))
    for measure, truth in DRAWN:
        of = partial(bootstrap_decisions, measure=measure, replicates=REPLICATES)
        name = f"{measure} of one reader, bootstrap"
        yield Question(name, "coverage", in_cohort(model, of, truth), REMARKS.get(name, ""))


TABLED: tuple[tuple[str, Truth], ...] = (
    ("sensitivity", lambda sens, spec, p: sens),
    ("specificity", lambda sens, spec, p: spec),
    ("positive_predictive_value", OF_COHORT[1][2]),
    ("negative_predictive_value", OF_COHORT[2][2]),
)


def row_holds(name: str, truth: Truth, threshold: float, study: Study, reader: int) -> bool:
    """The row of the table that decides as a threshold fixed beforehand."""
    rows = threshold_table(study.ratings.truth, study.ratings.values[reader, 0])
    share = getattr([row for row in rows if row.threshold > threshold][-1], name)
    if share is None:
        raise CannotAnalyse("Nothing is called so, and the share does not exist.")
    sens, spec = float(study.sensitivity[reader, 0]), float(study.specificity[reader, 0])
    return holds(share.interval, truth(sens, spec, 0.5))


def table_questions(model: RoeMetz) -> Iterator[Question]:
    for name, truth in TABLED:
        ask = of_cohort(replace(model, readers=2), partial(row_holds, name, truth, model.threshold))
        yield Question(f"{name.replace('_', ' ')} in the table of thresholds", "coverage", ask)


def of_classes(of: Callable[..., Estimated], generator: np.random.Generator) -> Outcomes:
    """Three classes of 40 cases; the score of the own class lies 1 higher, so that every area is Phi(1 / sqrt 2)."""
    labels = np.repeat(np.arange(3), 40)
    scores = generator.normal(size=(120, 3)) + np.eye(3)[labels]
    found = of(labels, scores, (0, 1, 2), replicates=REPLICATES, seed=seed_of(generator))
    return [covers(found, float(stats.norm.cdf(1 / math.sqrt(2))))]


def single_reader_questions(worlds: Worlds) -> Iterator[Question]:
    """Intervals of one reader in one arm."""
    model = worlds.different
    yield from area_questions(model)
    yield from curve_questions(model)
    yield from share_questions(model)
    yield from measure_questions(model)
    yield from table_questions(model)
    yield Question(
        "mean area of three classes, one versus rest", "coverage", partial(of_classes, one_versus_rest), SHORT
    )
    yield Question("Hand and Till's M of three classes", "coverage", partial(of_classes, hand_till), SHORT)
