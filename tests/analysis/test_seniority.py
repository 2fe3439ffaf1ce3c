"""Interaction of reader groups with arms: identities that theory demands, multiplicity, edges."""

import numpy as np
import pytest
from scipy import stats

from analysis.error_terms import Sampling
from analysis.errors import CannotAnalyse
from analysis.mrmc import obuchowski_rockette
from analysis.multiplicity import adjusted
from analysis.ratings import Columns, Ratings, table_to_ratings
from analysis.seniority import interaction
from tests.analysis.oracle_entries import crossed, oracle_data

ARMS = ("unaided", "aided")


def ratings() -> Ratings:
    return table_to_ratings(crossed(), arms=ARMS)


def groups(found: Ratings, seniors: int = 3) -> dict[str, str]:
    return {name: "senior" if place < seniors else "junior" for place, name in enumerate(found.readers)}


@pytest.mark.parametrize(("readers", "cases"), [("random", "random"), ("fixed", "random"), ("random", "fixed")])
def test_each_group_is_the_analysis_of_its_readers(readers: Sampling, cases: Sampling) -> None:
    table = ratings()
    found = interaction(table, groups(table), readers=readers, cases=cases)
    for row in found.groups:
        own = obuchowski_rockette(table.restricted(readers=row.readers), readers=readers, cases=cases)
        assert row.estimate == pytest.approx(own.estimate, abs=1e-12)
        assert [row.se, row.difference.df, row.p] == pytest.approx([own.se, own.differences[0].df, own.p], rel=1e-9)


def test_the_contrast_is_the_difference_of_the_groups() -> None:
    table = ratings()
    found = interaction(table, groups(table))
    senior, junior = found.groups
    assert found.estimate == pytest.approx(junior.estimate - senior.estimate)
    assert found.contrasts[0].statistic ** 2 == pytest.approx(found.overall.f)
    assert found.p == pytest.approx(found.contrasts[0].p)


def test_fixed_cases_are_students_t_of_the_readers_differences() -> None:
    table = ratings()
    found = interaction(table, groups(table), cases="fixed")
    figures = obuchowski_rockette(table).figures
    d = figures[:, 1] - figures[:, 0]
    expected = stats.ttest_ind(d[3:], d[:3])
    assert found.contrasts[0].statistic == pytest.approx(expected.statistic)
    assert [found.p, found.overall.df2] == pytest.approx([expected.pvalue, 3])


def test_three_groups_with_fixed_cases_are_an_analysis_of_variance() -> None:
    table = ratings()
    of = dict(zip(table.readers, ["a", "a", "b", "b", "c"], strict=True))
    found = interaction(table, of, cases="fixed")
    figures = obuchowski_rockette(table).figures
    d = figures[:, 1] - figures[:, 0]
    expected = stats.f_oneway(d[:2], d[2:4], d[4:])
    assert [found.overall.f, found.p] == pytest.approx([expected.statistic, expected.pvalue])
    assert len(found.contrasts) == 3


def test_fixed_readers_have_the_variance_of_the_contrast() -> None:
    # Equal groups: the components' mean is the plain quadratic form.
    table = ratings().restricted(readers=ratings().readers[:4])
    found = interaction(table, groups(table, 2), readers="fixed")
    matrix = obuchowski_rockette(table).covariance
    assert matrix is not None
    weights = np.kron([-0.5, -0.5, 0.5, 0.5], [-1, 1])
    assert found.se**2 == pytest.approx(float(weights @ matrix @ weights), rel=1e-9)


def test_swapping_groups_or_arms_negates_the_contrast() -> None:
    table = ratings()
    of = groups(table)
    found = interaction(table, of)
    turned = interaction(table, dict(reversed(of.items())))
    assert turned.estimate == pytest.approx(-found.estimate)
    assert turned.p == pytest.approx(found.p)
    back = interaction(table.restricted(arms=ARMS[::-1]), of)
    assert back.estimate == pytest.approx(-found.estimate)
    assert back.p == pytest.approx(found.p)


def test_multiplicity_over_groups() -> None:
    table = ratings()
    of = groups(table)
    plain = [row.p for row in interaction(table, of, control="none").groups]
    for control in ("holm", "hochberg"):
        found = interaction(table, of, control=control)
        assert [row.p_adjusted for row in found.groups] == pytest.approx(adjusted(plain, control))
    sequence = interaction(table, of, control="fixed sequence")
    assert [row.p_adjusted for row in sequence.groups] == pytest.approx([plain[0], max(plain)])
    interval = sequence.groups[0].confidence_interval()
    assert interval.low < sequence.groups[0].estimate < interval.high
    assert sequence.confidence_interval().low < sequence.estimate


def test_no_interaction_where_both_groups_are_the_same_readers_twice() -> None:
    table = ratings().restricted(readers=ratings().readers[:3])
    doubled = Ratings(
        tuple("ABCDEF"), table.arms, table.cases, table.truth, np.concatenate([table.values, table.values])
    )
    found = interaction(doubled, groups(doubled))
    assert found.estimate == pytest.approx(0.0, abs=1e-12)
    assert found.p == pytest.approx(1.0)


def test_a_group_of_one_reader_says_so() -> None:
    table = ratings()
    found = interaction(table, groups(table, 4))
    assert "The group junior has one reader, so its effect does not extend to other readers." in found.warnings
    own = obuchowski_rockette(table.restricted(readers=table.readers[4:]), readers="fixed")
    assert found.groups[1].se == pytest.approx(own.se)


def test_refusals() -> None:
    table = ratings()
    of = groups(table)
    with pytest.raises(CannotAnalyse, match="belongs to no group"):
        interaction(table, {name: of[name] for name in table.readers[1:]})
    with pytest.raises(CannotAnalyse, match=r"one group \(senior\)"):
        interaction(table, groups(table, 5))
    with pytest.raises(CannotAnalyse, match="two arms, not 1"):
        interaction(table.restricted(arms=["aided"]), of)
    with pytest.raises(CannotAnalyse, match="controlled by holm, hochberg, fixed sequence, none"):
        interaction(table, of, control="bonferroni")  # type: ignore[arg-type]
    with pytest.raises(CannotAnalyse, match="one reader of its own"):
        interaction(table.restricted(readers=table.readers[2:4]), of)
    frame = oracle_data("vandyke")
    frame["reader"] = frame["treatment"].astype(str) + frame["reader"].astype(str)
    nested = table_to_ratings(frame, Columns(arm="treatment"))
    with pytest.raises(CannotAnalyse, match="no reader has a difference"):
        interaction(nested, groups(nested))
