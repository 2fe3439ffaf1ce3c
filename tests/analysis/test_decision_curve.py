"""Decision curves: identities, the bootstrap, edges."""

import numpy as np
import pytest

from analysis.decision_curve import decision_curve
from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Floats


def drawn(n: int = 300, seed: int = 5) -> tuple[Bools, Floats]:
    generator = np.random.default_rng(seed)
    p = generator.beta(1, 2, n)
    return generator.random(n) < p, p


def test_a_threshold_below_all_probabilities_treats_all() -> None:
    truth, p = drawn()
    (point,) = decision_curve(truth, p, (float(p.min()) / 2,), 50).points
    assert point.estimate == pytest.approx(point.all) and point.none == 0
    assert point.p == 1.0 and point.true_positives == pytest.approx(truth.mean())


def test_a_threshold_above_all_probabilities_treats_none() -> None:
    truth, p = drawn()
    (point,) = decision_curve(truth, np.minimum(p, 0.9), (0.95,), 50).points
    assert point.estimate == 0 and point.se == 0 and point.p == 1.0
    assert point.confidence_interval().low == point.confidence_interval().high == 0


def test_net_benefit_by_counting() -> None:
    truth, p = drawn()
    for point in decision_curve(truth, p, (0.7, 0.1, 0.3), 10).points:
        treated = p >= point.threshold
        tp, fp = (treated & truth).mean(), (treated & ~truth).mean()
        assert point.estimate == pytest.approx(tp - fp * point.threshold / (1 - point.threshold))


def test_a_case_at_the_threshold_is_treated() -> None:
    truth, p = np.array([True, False, True]), np.array([0.3, 0.1, 0.2])
    (point,) = decision_curve(truth, p, (0.3,), 10).points
    assert point.true_positives == pytest.approx(1 / 3)


def test_the_bootstrap_has_the_standard_error_of_the_mean_benefit() -> None:
    truth, p = drawn(1000)
    (point,) = decision_curve(truth, p, (0.25,), 20_000).points
    benefit = (p >= 0.25) * (truth - (~truth) * 0.25 / 0.75)
    # The bootstrap error of a standard error from 20,000 replicates is 0.5 %.
    assert point.se == pytest.approx(benefit.std() / np.sqrt(1000), rel=0.02)
    interval = point.confidence_interval()
    assert interval.low < point.estimate < interval.high


def test_same_seed_same_curve_and_the_seed_is_kept() -> None:
    truth, p = drawn()
    one, two, other = (decision_curve(truth, p, (0.2, 0.5), 30, seed=s) for s in (1, 1, 2))
    assert one.seed == 1
    assert [point.se for point in one.points] == [point.se for point in two.points]
    assert [point.se for point in one.points] != [point.se for point in other.points]


def test_a_hundred_thousand_cases_are_no_burden() -> None:
    truth, p = drawn(100_000)
    assert len(decision_curve(truth, p, np.linspace(0.01, 0.99, 99).tolist()).points) == 99


@pytest.mark.parametrize(
    ("thresholds", "replicates", "sentence"),
    [((), 10, "between 0 and 1"), ((0.0,), 10, "between 0 and 1"), ((1.0,), 10, "between 0 and 1"), ((0.5,), 1, "two")],
)
def test_what_is_no_curve(thresholds: tuple[float, ...], replicates: int, sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        decision_curve(*drawn(), thresholds, replicates)


def test_one_class_has_no_curve() -> None:
    with pytest.raises(CannotAnalyse, match="only one class"):
        decision_curve(np.array([True, True]), np.array([0.3, 0.4]), (0.5,))
