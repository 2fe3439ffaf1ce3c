"""Questions to relative measures of one reader in two arms: rates, likelihood ratios, predictive values."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import get_args

from analysis.coverage import Question, Worlds, covered, each_reader, of_cohort, rejected
from analysis.predictive import Method as PredictiveMethod
from analysis.predictive import (
    PredictiveDifference,
    Sign,
    predictive_test,
    relative_likelihood_ratio,
    relative_predictive_values,
)
from analysis.relative import (
    PairedCalls,
    Ratio,
    paired_calls,
    relative_false_positives,
    relative_sensitivity,
    relative_specificity,
)
from analysis.simulation import Study

# A number of both arms of one reader, given sensitivities and specificities of both.
Truth = Callable[[tuple[float, float], tuple[float, float]], float]


def calls_of(study: Study, reader: int) -> PairedCalls:
    return paired_calls(study.decisions.truth, *study.decisions.values[reader])


RELATIVE: tuple[tuple[str, Callable[[PairedCalls], Ratio], Truth], ...] = (
    ("relative sensitivity", relative_sensitivity, lambda sens, spec: sens[1] / sens[0]),
    ("relative specificity", relative_specificity, lambda sens, spec: spec[1] / spec[0]),
    ("relative false-positive fraction", relative_false_positives, lambda sens, spec: (1 - spec[1]) / (1 - spec[0])),
    (
        "relative positive likelihood ratio", partial(relative_likelihood_ratio, sign="positive"),
        lambda sens, spec: sens[1] / (1 - spec[1]) / (sens[0] / (1 - spec[0])),
    ),
    (
        "relative negative likelihood ratio", partial(relative_likelihood_ratio, sign="negative"),
        lambda sens, spec: (1 - sens[1]) / spec[1] / ((1 - sens[0]) / spec[0]),
    ),
)  # fmt: skip
VALUES: dict[Sign, Callable[[float, float], float]] = {
    "positive": lambda sens, spec: sens / (sens + 1 - spec),
    "negative": lambda sens, spec: spec / (spec + 1 - sens),
}


def rates(study: Study, reader: int) -> tuple[tuple[float, float], tuple[float, float]]:
    (a, b), (c, d) = study.sensitivity[reader], study.specificity[reader]
    return (float(a), float(b)), (float(c), float(d))


def relative_of(of: Callable[[PairedCalls], Ratio], study: Study, reader: int) -> Ratio:
    return of(calls_of(study, reader))


def true_ratio(truth: Truth, study: Study, reader: int) -> float:
    return truth(*rates(study, reader))


def relative_questions(worlds: Worlds) -> Iterator[Question]:
    for name, of, truth in RELATIVE:
        found = partial(relative_of, of)
        yield Question(name, "type-I error", each_reader(worlds.same, rejected(found)))
        interval = each_reader(worlds.different, covered(found, partial(true_ratio, truth)))
        yield Question(name, "coverage", interval)


def tested_values(sign: Sign, method: PredictiveMethod, study: Study, reader: int) -> PredictiveDifference:
    return predictive_test(calls_of(study, reader), sign, method)


def value_ratio(sign: Sign, study: Study, reader: int) -> Ratio:
    found = relative_predictive_values(calls_of(study, reader))
    return found.positive if sign == "positive" else found.negative


def true_values(sign: Sign, study: Study, reader: int) -> tuple[float, float]:
    first, second = zip(*rates(study, reader), strict=True)
    return VALUES[sign](*first), VALUES[sign](*second)


def true_value_ratio(sign: Sign, study: Study, reader: int) -> float:
    first, second = true_values(sign, study, reader)
    return second / first


def true_value_difference(sign: Sign, study: Study, reader: int) -> float:
    first, second = true_values(sign, study, reader)
    return second - first


def predictive_questions(worlds: Worlds) -> Iterator[Question]:
    """In a cohort, half of whose cases are diseased on average."""
    signs: tuple[Sign, ...] = get_args(Sign)
    ways: tuple[PredictiveMethod, ...] = get_args(PredictiveMethod)
    for sign in signs:
        for method in ways:
            ask = of_cohort(worlds.same, rejected(partial(tested_values, sign, method)))
            yield Question(f"{sign} predictive values, {method}", "type-I error", ask)
    for sign in signs:
        name, ratio = f"relative {sign} predictive value", partial(value_ratio, sign)
        yield Question(name, "type-I error", of_cohort(worlds.same, rejected(ratio)))
        interval = of_cohort(worlds.different, covered(ratio, partial(true_value_ratio, sign)))
        yield Question(name, "coverage", interval)
        difference = covered(partial(tested_values, sign, "kosinski"), partial(true_value_difference, sign))
        name = f"difference of {sign} predictive values"
        yield Question(name, "coverage", of_cohort(worlds.different, difference))
