"""Questions to methods for probabilities, in a world where the probabilities are right."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from scipy import integrate, stats

from analysis.calibration import (
    brier,
    calibration_in_the_large,
    expected_observed,
    hosmer_lemeshow,
    logistic,
    recalibration,
)
from analysis.calibration_curve import calibration_curve, likelihood_indices
from analysis.coverage import Estimated, Outcomes, Question, Tested, covers, rejects, seed_of, several
from analysis.decision_curve import decision_curve
from analysis.ratings import Bools, Floats

CASES = 400
MEAN, SPREAD = -0.5, 1.2
REPLICATES = 500
REMARKS = {
    "expected over observed": "the published error takes all cases for equally likely diseased: on the safe side"
}
THRESHOLDS = (0.2, 0.5)


@dataclass(frozen=True, eq=False)
class Forecast:
    """Probabilities with normal logits, and a truth that comes up with just these."""

    truth: Bools
    probability: Floats


def forecast(generator: np.random.Generator) -> Forecast:
    probability = 1 / (1 + np.exp(-generator.normal(MEAN, SPREAD, CASES)))
    return Forecast(generator.random(CASES) < probability, probability)


@cache
def expected(of: Callable[[float], float], low: float = -math.inf) -> float:
    """Mean of a function of the probability over cases whose logit is above `low`, counted over all cases."""

    def weighed(logit: float) -> float:
        return of(1 / (1 + math.exp(-logit))) * float(stats.norm.pdf(logit, MEAN, SPREAD))

    return float(integrate.quad(weighed, max(low, MEAN - 12 * SPREAD), MEAN + 12 * SPREAD)[0])


def uncertain(probability: float) -> float:
    return probability * (1 - probability)


def net_benefit(threshold: float) -> float:
    odds = threshold / (1 - threshold)
    low = math.log(odds)
    return expected(float, low) - odds * expected(lambda probability: 1 - probability, low)


def holds_points(generator: np.random.Generator) -> Outcomes:
    """The share in a group, against the mean probability of its cases."""
    drawn = forecast(generator)
    points = calibration_curve(drawn.truth, drawn.probability).points
    return [covers(point, point.probability) for point in points]


def holds_benefits(generator: np.random.Generator) -> Outcomes:
    drawn = forecast(generator)
    found = decision_curve(drawn.truth, drawn.probability, THRESHOLDS, REPLICATES, seed_of(generator))
    return [covers(point, net_benefit(point.threshold)) for point in found.points]


def covering(of: Callable[[Bools, Floats], Estimated], truth: float, generator: np.random.Generator) -> Outcomes:
    drawn = forecast(generator)
    return [covers(of(drawn.truth, drawn.probability), truth)]


def rejecting(of: Callable[[Bools, Floats], Tested], generator: np.random.Generator) -> Outcomes:
    drawn = forecast(generator)
    return [rejects(of(drawn.truth, drawn.probability))]


TESTS: tuple[tuple[str, Callable[[Bools, Floats], Tested]], ...] = (
    ("Brier score, Spiegelhalter's test", brier),
    ("Hosmer and Lemeshow's test, probabilities from elsewhere", partial(hosmer_lemeshow, fitted=False)),
    ("calibration slope and intercept together", recalibration),
    ("calibration slope", lambda truth, probability: recalibration(truth, probability).slope),
    ("calibration in the large", calibration_in_the_large),
    ("expected over observed", expected_observed),
    ("unreliability index", likelihood_indices),
)


def calibration_questions() -> Iterator[Question]:
    for name, test in TESTS:
        yield Question(name, "type-I error", partial(rejecting, test), REMARKS.get(name, ""))
    intervals: tuple[tuple[str, Callable[[Bools, Floats], Estimated], float], ...] = (
        ("Brier score", brier, expected(uncertain)),
        ("calibration slope", recalibration, 1.0),
        ("calibration intercept", lambda truth, probability: recalibration(truth, probability).intercept, 0.0),
        ("calibration in the large", calibration_in_the_large, 0.0),
        ("expected over observed", expected_observed, 1.0),
    )
    for name, of, truth in intervals:
        yield Question(name, "coverage", partial(covering, of, truth), REMARKS.get(name, ""))


def fitted_rejects(generator: np.random.Generator) -> Outcomes:
    """Probabilities from a logistic regression on two features of these very cases, which is the right model."""
    features = generator.normal(size=(CASES, 2))
    truth = generator.random(CASES) < 1 / (1 + np.exp(-(MEAN + features @ np.array([1.0, 0.5]))))
    design = np.column_stack([np.ones(CASES), features])
    coefficients = logistic(truth, design, None)[0]
    return [rejects(hosmer_lemeshow(truth, 1 / (1 + np.exp(-design @ np.array(coefficients)))))]


# Risk of cases whose probability is low and high; probabilities given; threshold at which the model is worth as much as
# the better of treating none and all, because the cases that they disagree on have just the risk of the threshold.
WORTHLESS = {"none": ((0.1, 0.5), (0.05, 0.6), 0.5), "all": ((0.2, 0.6), (0.1, 0.6), 0.2)}


def benefit_rejects(rival: str, generator: np.random.Generator) -> Outcomes:
    risks, given, threshold = WORTHLESS[rival]
    high = (generator.random(CASES) < 0.4).astype(int)
    truth = generator.random(CASES) < np.array(risks)[high]
    found = decision_curve(truth, np.array(given)[high], (threshold,), REPLICATES, seed_of(generator))
    return [rejects(found.points[0])]


def probability_questions() -> Iterator[Question]:
    yield from several(calibration_questions(), 2)
    yield Question("points of the calibration curve", "coverage", holds_points)
    yield from several(
        iter([Question("Hosmer and Lemeshow's test, probabilities fitted", "type-I error", fitted_rejects)]), 2
    )
    yield Question("net benefit at 0.2 and 0.5, bootstrap", "coverage", holds_benefits)
    for rival in WORTHLESS:
        name = f"net benefit against treating {rival}, bootstrap"
        yield Question(name, "type-I error", partial(benefit_rejects, rival))
