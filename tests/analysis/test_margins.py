"""Non-inferiority, equivalence, superiority afterwards: the reference of many readers, identities, edges."""

import json

import numpy as np
import pytest
from scipy import stats

from analysis.delong import delong_test
from analysis.errors import CannotAnalyse
from analysis.margins import auc_margin_test, margin_test, paired_margin_test
from analysis.paired import PairedTable, mcnemar, tango
from tests.analysis.oracle_entries import agree
from tests.shared_data import shared


def test_the_margins_of_the_reference() -> None:
    # Their estimates, errors and degrees of freedom go in; their tests must come out.
    content = json.loads(shared("oracles/reference/mrmc_noninferiority.json").read_text())
    seen = 0
    for item in content["entries"]:
        values = item["values"]
        if "margins" not in values:
            continue
        df = np.inf if values["df"] == "Inf" else values["df"]
        for name, theirs in values["margins"].items():
            found = margin_test(values["estimate"], values["se"], float(name.removeprefix("margin")), df)
            agree(found.statistic, theirs["noninferiority_t"], f"{item['id']} {name}")
            agree(found.p, theirs["noninferiority_p"], f"{item['id']} {name}")
            agree(found.upper_statistic, theirs["upper_t"], f"{item['id']} {name}", absolute=1e-12)
            agree(found.p_equivalence, theirs["tost_p"], f"{item['id']} {name}")
            agree(found.p_superiority, theirs["superiority_p_one_sided"], f"{item['id']} {name}")
            seen += 1
    assert seen > 20


@pytest.mark.parametrize("counts", [(60, 10, 8, 22), (20, 0, 0, 5), (9, 4, 0, 3), (5, 0, 4, 9), (0, 3, 3, 0)])
@pytest.mark.parametrize("margin", [0.05, 0.1, 0.2, 0.4])
def test_the_score_test_and_tangos_interval_say_the_same(counts: tuple[int, int, int, int], margin: float) -> None:
    table = PairedTable(*counts)
    found = paired_margin_test(table, margin)
    for level in (0.8, 0.9, 0.95, 0.99):
        interval = tango(table, level)
        assert (found.p < (1 - level) / 2) is (interval.low > -margin)
        assert found.equivalent(level) is (interval.low > -margin and interval.high < margin)
        assert (found.verdict(level) != "not shown") is (interval.low > -margin)


def test_superiority_is_the_one_sided_asymptotic_test() -> None:
    table = PairedTable(60, 8, 20, 22)
    found = paired_margin_test(table, 0.1)
    assert found.p_superiority == pytest.approx(mcnemar(table, "asymptotic", "greater").p, rel=1e-12)
    assert found.verdict() == "superior"


def test_a_margin_towards_zero_is_the_test_of_superiority() -> None:
    found = margin_test(0.03, 0.02, 1e-12, 12.0)
    assert found.p == pytest.approx(found.p_superiority, rel=1e-9)
    assert found.p_superiority == pytest.approx(float(stats.t.sf(1.5, 12)))


def test_swapping_the_arms_swaps_both_tests() -> None:
    one, two = margin_test(0.03, 0.02, 0.05), margin_test(-0.03, 0.02, 0.05)
    assert one.statistic == pytest.approx(-two.upper_statistic)
    assert one.p_equivalence == pytest.approx(two.p_equivalence)
    tables = paired_margin_test(PairedTable(9, 4, 1, 3), 0.3), paired_margin_test(PairedTable(9, 1, 4, 3), 0.3)
    assert tables[0].statistic == pytest.approx(-tables[1].upper_statistic, rel=1e-12)


def test_verdicts_follow_the_fixed_sequence() -> None:
    assert margin_test(-0.2, 0.02, 0.05).verdict() == "not shown"
    assert margin_test(0.0, 0.02, 0.05).verdict() == "non-inferior"
    assert margin_test(0.1, 0.02, 0.05).verdict() == "superior"
    # Superior alone is not enough where the margin is not met at that level: it always is, as -margin < 0.
    assert margin_test(0.1, 0.02, 0.05).p < margin_test(0.1, 0.02, 0.05).p_superiority


def test_the_interval_of_areas_is_walds() -> None:
    truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    found = delong_test(truth, np.array([1.0, 2, 3, 2, 3, 4]), np.array([1.0, 1, 3, 2, 4, 4]))
    tested = auc_margin_test(found, 0.05)
    assert tested.confidence_interval() == found.confidence_interval()
    assert tested.statistic == pytest.approx((found.estimate + 0.05) / found.se)


@pytest.mark.parametrize("margin", [0.0, -0.05, float("nan"), float("inf")])
def test_a_margin_is_positive(margin: float) -> None:
    with pytest.raises(CannotAnalyse, match="positive number"):
        margin_test(0.0, 0.1, margin)
    with pytest.raises(CannotAnalyse, match="positive number"):
        paired_margin_test(PairedTable(1, 1, 1, 1), margin)


def test_what_cannot_be_held_against_a_margin() -> None:
    with pytest.raises(CannotAnalyse, match="Nothing varies"):
        margin_test(0.0, 0.0, 0.05)
    with pytest.raises(CannotAnalyse, match="below 1"):
        paired_margin_test(PairedTable(1, 1, 1, 1), 1.0)
    with pytest.raises(CannotAnalyse, match="no cases"):
        paired_margin_test(PairedTable(0, 0, 0, 0), 0.1)
    with pytest.raises(CannotAnalyse, match="confidence level"):
        margin_test(0.0, 0.1, 0.05).verdict(95)
