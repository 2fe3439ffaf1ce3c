"""Areas of more than two classes against scikit-learn, against two classes, and refused."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from analysis.delong import delong_auc
from analysis.errors import CannotAnalyse
from analysis.multiclass import hand_till, one_versus_rest
from analysis.ratings import Floats
from analysis.resampling import Ints


def scored(classes: int = 4, n: int = 200, seed: int = 1) -> tuple[Ints, Floats]:
    """Labels and probabilities with ties."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, n)
    scores = generator.normal(size=(n, classes))
    scores[np.arange(n), labels] += 1
    likelihoods = np.exp(np.round(scores, 1))
    return labels, likelihoods / likelihoods.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("classes", [3, 5])
def test_areas_are_those_of_scikit_learn(classes: int) -> None:
    labels, scores = scored(classes)
    names = range(classes)
    assert hand_till(labels, scores, names, replicates=2).estimate == pytest.approx(
        roc_auc_score(labels, scores, multi_class="ovo"), rel=1e-12
    )
    for average in ("macro", "weighted"):
        found = one_versus_rest(labels, scores, names, average, replicates=2)
        expected = roc_auc_score(labels, scores, multi_class="ovr", average=average)
        assert found.estimate == pytest.approx(expected, rel=1e-12)
        assert found.average == average


def test_two_classes_are_one_area() -> None:
    labels, scores = scored(2)
    scores = np.stack([-scores[:, 1], scores[:, 1]], axis=1)
    area = delong_auc(labels == 1, scores[:, 1])
    for found in (hand_till(labels, scores, [0, 1]), one_versus_rest(labels, scores, [0, 1])):
        assert found.estimate == pytest.approx(area.estimate, rel=1e-12)
        assert found.se == pytest.approx(area.se, rel=0.1)
        assert found.p is not None
        assert found.p < 0.001


def test_each_class_has_its_delong_area() -> None:
    labels, scores = scored(3)
    found = one_versus_rest(labels, scores, ["0", "1", "2"], replicates=20)
    assert found.classes == ("0", "1", "2")
    for place, area in enumerate(found.areas):
        assert area == delong_auc(labels == place, scores[:, place])


def test_pairs_of_hand_and_till() -> None:
    labels, scores = scored(3)
    found = hand_till(labels, scores, range(3), replicates=20)
    for i, j in ((0, 1), (1, 0), (2, 1)):
        chosen = (labels == i) | (labels == j)
        assert found.areas[i, j] == pytest.approx(delong_auc(labels[chosen] == i, scores[chosen, i]).estimate)
    assert found.areas.diagonal().tolist() == [0.5] * 3
    assert found.estimate == pytest.approx((found.areas.sum() - 1.5) / 6)


def test_intervals_repeat_with_the_seed_and_hold_the_estimate() -> None:
    labels, scores = scored()
    for method in (hand_till, one_versus_rest):
        one, two = (method(labels, scores, range(4), replicates=200, seed=3) for _ in range(2))
        np.testing.assert_array_equal(one.bootstrap.replicates, two.bootstrap.replicates)
        interval = one.confidence_interval()
        assert interval.low < one.estimate < interval.high
        assert one.bootstrap.seed == 3


def test_columns_follow_the_classes_named() -> None:
    labels, scores = scored(3)
    order = [2, 0, 1]
    one, two = (
        hand_till(labels, scores, range(3), replicates=2),
        hand_till(labels, scores[:, order], order, replicates=2),
    )
    assert one.estimate == pytest.approx(two.estimate)


def test_ties_and_perfect_scores_are_told() -> None:
    labels = [0, 0, 1, 1, 2, 2]
    ties = hand_till(labels, np.ones((6, 3)), range(3), replicates=5)
    assert (ties.estimate, ties.se, ties.p) == (0.5, 0.0, 1.0)
    assert ties.warnings
    perfect = one_versus_rest(labels, np.eye(3)[labels], range(3), replicates=5)
    assert (perfect.estimate, perfect.se, perfect.p) == (1.0, 0.0, None)
    assert perfect.warnings[0].startswith("0: The variance is zero")


def test_what_has_no_area_is_refused() -> None:
    labels, scores = scored(3)
    for wrong, message in (
        (lambda: hand_till(labels, scores, [0, 1]), "not 200 x 3"),
        (lambda: hand_till(labels, scores, [0, 1, 1]), "different names"),
        (lambda: hand_till(labels, scores[:, :1], [0]), "two or more"),
        (lambda: hand_till(labels, scores, [0, 1, 7]), "label 2 is not among"),
        (lambda: hand_till(labels, np.full_like(scores, np.nan), [0, 1, 2]), "missing or infinite"),
        (lambda: hand_till(labels % 2, scores, [0, 1, 2]), "class 2 has no case"),
        (lambda: one_versus_rest([0, 1, 1], np.ones((3, 2)), [0, 1]), "only one diseased case"),
        (lambda: one_versus_rest(labels, scores, [0, 1, 2], "micro"), "not as micro"),  # type: ignore[arg-type]
        (lambda: hand_till(labels, scores, [0, 1, 2], replicates=1), "at least two replicates"),
    ):
        with pytest.raises(CannotAnalyse, match=message):
            wrong()
