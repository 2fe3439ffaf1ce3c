"""Adjusted p values: statsmodels, by hand, and families that wait for each other."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from analysis.errors import CannotAnalyse
from analysis.multiplicity import ADJUSTMENTS, Adjustment, adjusted, gatekept

NAMES: dict[Adjustment, str] = {
    "holm": "holm",
    "hochberg": "simes-hochberg",
    "bonferroni": "bonferroni",
    "benjamini-hochberg": "fdr_bh",
    "benjamini-yekutieli": "fdr_by",
}


@pytest.mark.parametrize("method", list(NAMES))
@pytest.mark.parametrize("size", [1, 2, 7, 40])
def test_adjustment_is_that_of_statsmodels(method: Adjustment, size: int) -> None:
    values = np.random.default_rng(size).random(size) ** 3
    values[size // 2] = values[0]
    expected = multipletests(values, method=NAMES[method])[1]
    assert adjusted(values.tolist(), method) == pytest.approx(expected.tolist(), rel=1e-12)


@pytest.mark.parametrize("method", ADJUSTMENTS)
def test_what_every_adjustment_keeps(method: Adjustment) -> None:
    values = np.random.default_rng(2).random(12)
    found = np.array(adjusted(values.tolist(), method))
    assert (found >= values).all() and (found <= 1).all()
    assert adjusted([], method) == ()
    assert adjusted([0.03], method) == pytest.approx((0.03,))
    if method != "fixed sequence":
        order = np.random.default_rng(3).permutation(12)
        assert adjusted(values[order].tolist(), method) == pytest.approx(found[order].tolist())
        assert (np.diff(found[np.argsort(values)]) >= 0).all()


def test_the_methods_in_their_order_of_caution() -> None:
    values = [0.004, 0.011, 0.02, 0.03, 0.9]
    bonferroni, holm, hochberg, bh = (
        np.array(adjusted(values, m)) for m in ("bonferroni", "holm", "hochberg", "benjamini-hochberg")
    )
    assert (bonferroni >= holm).all() and (holm >= hochberg).all() and (hochberg >= bh).all()


def test_a_fixed_sequence_stops_at_the_first_that_fails() -> None:
    assert adjusted([0.01, 0.2, 0.001], "fixed sequence") == (0.01, 0.2, 0.2)


def test_families_wait_for_each_other() -> None:
    found = gatekept([[0.01], [0.03, 0.02], [0.001]], ["holm", "holm", "fixed sequence"])
    assert found[0] == (0.01,)
    assert found[1] == pytest.approx((0.04, 0.04))
    assert found[2] == pytest.approx((0.04,))
    assert gatekept([[0.3], [0.001]])[1] == (0.3,)
    assert gatekept([]) == ()
    assert gatekept([[], [0.02]]) == ((), (0.02,))


def test_families_waiting_keep_the_error_over_all() -> None:
    # All hypotheses true: any claim at all is false.
    generator = np.random.default_rng(6)
    claims = sum(
        any(p < 0.05 for family in gatekept([values[:2].tolist(), values[2:].tolist()]) for p in family)
        for values in generator.random((4000, 5))
    )
    # Four Monte-Carlo errors of 4000 studies are 1.4 %.
    assert claims / 4000 < 0.05 + 0.014


def test_what_is_refused() -> None:
    with pytest.raises(CannotAnalyse, match="between 0 and 1"):
        adjusted([0.1, 1.2])
    with pytest.raises(CannotAnalyse, match="between 0 and 1"):
        adjusted([float("nan")])
    with pytest.raises(CannotAnalyse, match="controlled by holm"):
        adjusted([0.1], "sidak")  # type: ignore[arg-type]
    with pytest.raises(CannotAnalyse, match="family-wise error"):
        gatekept([[0.1]], "benjamini-hochberg")
    with pytest.raises(CannotAnalyse, match="2 families of tests and 1 methods"):
        gatekept([[0.1], [0.2]], ["holm"])
