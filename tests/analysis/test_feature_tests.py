"""Features: identities, exactness by enumeration, edges, the table."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from analysis.contingency import Counts, chi_square, cross_table, fisher, g_test
from analysis.delong import delong_auc
from analysis.errors import CannotAnalyse
from analysis.feature_table import Declared, Kind, feature_table
from analysis.feature_tests import (
    hodges_lehmann,
    kolmogorov_smirnov,
    kruskal_wallis,
    mann_whitney,
    signed_rank,
    standardised_difference,
    welch_t,
)
from analysis.ratings import Floats


def two_samples(seed: int = 1, ties: bool = True) -> tuple[Floats, Floats]:
    generator = np.random.default_rng(seed)
    one, two = generator.normal(0, 2, 23), generator.normal(1, 3, 31)
    return (one.round(0), two.round(0)) if ties else (one, two)


def exact_p(counts: Counts) -> float:
    """Freeman and Halton's p by listing every table of whole numbers with these margins."""
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    weights, own = [], None
    for cells in itertools.product(*(range(int(min(r, c)) + 1) for r in rows[:-1] for c in columns[:-1])):
        table = np.zeros(counts.shape)
        table[:-1, :-1] = np.reshape(cells, (len(rows) - 1, len(columns) - 1))
        table[:-1, -1] = rows[:-1] - table[:-1, :-1].sum(axis=1)
        table[-1] = columns - table[:-1].sum(axis=0)
        if (table >= 0).all():
            weights.append(-special.gammaln(table + 1).sum())
            own = weights[-1] if (table == counts).all() else own
    relative = np.exp(np.array(weights) - max(weights))
    assert own is not None
    return float(relative[np.array(weights) <= own + 1e-7].sum() / relative.sum())


@pytest.mark.parametrize(
    "rows", [[[3, 1, 2], [1, 4, 0], [2, 2, 5]], [[1, 5], [4, 0], [2, 3]], [[0, 3, 2], [4, 1, 0]], [[7, 2], [1, 6]]]
)
def test_fishers_test_lists_every_table(rows: list[list[int]]) -> None:
    counts = np.array(rows)
    assert fisher(counts).p == pytest.approx(exact_p(counts), rel=1e-9)
    assert fisher(counts.T).p == pytest.approx(exact_p(counts), rel=1e-9)


def test_drawn_tables_agree_with_listed_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.array([[8, 3, 4], [2, 9, 6], [5, 5, 9]])
    listed = fisher(counts)
    monkeypatch.setattr("analysis.contingency.MOST_TABLES", 1)
    drawn = fisher(counts)
    assert drawn.seed is not None and listed.seed is None and "Monte-Carlo" in drawn.warnings[0]
    assert drawn.p == pytest.approx(listed.p, abs=4 * math.sqrt(listed.p / 100_000))
    assert fisher(counts).p == drawn.p


def test_the_odds_ratio_solves_its_likelihood() -> None:
    # Where R's fisher.test stops within 1e-4 (2.149103 for this table), this is the root itself.
    counts = np.array([[50, 21], [22, 20]])
    ratio = fisher(counts).estimate
    assert ratio is not None
    expected = stats.nchypergeom_fisher(113, 72, 71, ratio).mean()
    assert expected == pytest.approx(50, rel=1e-9)
    empty = fisher(np.array([[5, 0], [1, 4]]))
    assert empty.estimate == math.inf and empty.warnings
    with pytest.raises(CannotAnalyse, match="two rows and two columns"):
        fisher(np.array([[5, 1], [1, 4], [2, 2]])).confidence_interval()


def test_tables_of_counts() -> None:
    counts, rows, columns = cross_table(["b", "a", "b", "c"], [1, 0, 0, 1])
    assert rows == ("a", "b", "c") and columns == ("0", "1") and counts.tolist() == [[1, 0], [1, 1], [0, 1]]
    table = np.array([[30, 12, 8], [10, 25, 15]])
    found, other = chi_square(table), g_test(table)
    assert found.p == chi_square(table.T).p and found.estimate == pytest.approx(other.estimate)
    assert chi_square(np.vstack([table, [0, 0, 0]])).statistic == found.statistic
    assert found.expected.sum() == pytest.approx(100) and found.df == 2
    assert chi_square(table, corrected=True).p == found.p and not chi_square(table, corrected=True).corrected
    small = chi_square(np.array([[3, 1], [1, 3]]), corrected=True)
    assert small.corrected and small.warnings and small.p > chi_square(np.array([[3, 1], [1, 3]])).p
    assert chi_square(np.array([[5, 0], [0, 5]])).estimate == 1


@pytest.mark.parametrize(
    "counts", [np.array([[3, 4]]), np.array([[3], [4]]), np.array([[3, 0], [4, 0]]), np.zeros((2, 2), dtype=int)]
)
def test_tables_that_compare_nothing(counts: Counts) -> None:
    for test in (chi_square, g_test, fisher):
        with pytest.raises(CannotAnalyse, match="nothing to compare"):
            test(counts)


def test_tables_that_are_none() -> None:
    for wrong in (np.array([[-1, 2], [3, 4]]), np.array([[0.5, 2], [3, 4]]), np.array([1, 2])):
        with pytest.raises(CannotAnalyse, match="whole numbers"):
            chi_square(wrong)
    with pytest.raises(CannotAnalyse, match="not 1 and 2"):
        cross_table(["a"], [1, 2])


def test_mann_whitney_is_the_area_under_the_curve() -> None:
    one, two = two_samples()
    found = mann_whitney(one, two)
    area = delong_auc(np.repeat([False, True], (len(one), len(two))), np.concatenate([one, two]))
    assert found.estimate == pytest.approx(area.estimate) and found.se == area.se
    assert found.confidence_interval() == area.confidence_interval()
    turned = mann_whitney(two, one)
    assert turned.estimate == pytest.approx(1 - found.estimate) and turned.p == pytest.approx(found.p)
    assert mann_whitney(np.exp(one), np.exp(two)).p == found.p
    assert kruskal_wallis([one, two]).p == pytest.approx(mann_whitney(one, two, corrected=False).p)


def test_exact_ranks_by_all_orders() -> None:
    one, two = np.array([0.3, 2.0, 3.1]), np.array([1.0, 4.0, 5.0, 6.0])
    found = mann_whitney(one, two, "exact")
    pooled = np.concatenate([one, two])
    sums = [
        sum((pooled[list(chosen)][:, None] > np.delete(pooled, list(chosen))[None, :]).ravel())
        for chosen in itertools.combinations(range(7), 4)
    ]
    upper = np.mean(np.array(sums) >= found.statistic)
    assert found.p == pytest.approx(min(2 * upper, 1))


def test_the_shift_moves_with_the_values() -> None:
    one, two = two_samples(ties=False)
    found, moved = hodges_lehmann(one, two), hodges_lehmann(one, two + 3)
    assert moved.estimate == pytest.approx(found.estimate + 3) and moved.low == pytest.approx(found.low + 3)
    turned = hodges_lehmann(two, one)
    assert (turned.estimate, turned.low, turned.high) == pytest.approx((-found.estimate, -found.high, -found.low))
    assert found.confidence_interval().low == found.low
    # The test at a shift just inside the interval does not reject, just outside it does.
    for edge, sign in ((found.low, 1), (found.high, -1)):
        assert mann_whitney(one, two - (edge + sign * 1e-9)).p > 0.05 > mann_whitney(one, two - (edge - sign * 1e-9)).p
    with pytest.raises(CannotAnalyse, match="level"):
        found.confidence_interval(0.9)


def test_few_values_have_the_whole_range_as_interval() -> None:
    found = hodges_lehmann(np.array([1.0, 2.0]), np.array([3.0, 5.0]))
    assert (found.low, found.estimate, found.high) == (1, 2.5, 4)
    same = hodges_lehmann(np.ones(5), np.ones(5))
    assert (same.low, same.estimate, same.high) == (0, 0, 0)


def test_means() -> None:
    one, two = two_samples()
    found = welch_t(one, two)
    assert found.estimate == pytest.approx(two.mean() - one.mean())
    assert welch_t(two, one).statistic == pytest.approx(-found.statistic)
    interval = found.confidence_interval(1 - found.p)
    assert interval.low == pytest.approx(0, abs=1e-9) or interval.high == pytest.approx(0, abs=1e-9)
    d = standardised_difference(10 * one + 3, 10 * two + 3)
    assert d.estimate == pytest.approx(standardised_difference(one, two).estimate)
    assert d.confidence_interval().low < d.estimate < d.confidence_interval().high


def test_distributions() -> None:
    one, two = two_samples(ties=False)
    exact, rough = kolmogorov_smirnov(one, two, "exact"), kolmogorov_smirnov(one, two)
    assert exact.estimate == rough.estimate and exact.p == pytest.approx(rough.p, abs=0.1) and not rough.warnings
    assert kolmogorov_smirnov(*two_samples()).warnings


def test_paired_ranks() -> None:
    one = np.array([1.0, 2, 3, 4, 5, 6])
    two = np.array([2.0, 2, 5, 3, 9, 8])
    found, turned = signed_rank(one, two), signed_rank(two, one)
    assert found.zeros == 1 and found.n == 6 and found.estimate == 1.5
    assert found.statistic + turned.statistic == 15 and found.p == pytest.approx(turned.p)
    same = signed_rank(one, one)
    assert same.p == same.sign_p == 1 and same.warnings


def test_values_that_are_all_equal() -> None:
    assert mann_whitney(np.ones(4), np.ones(5)).p == 1
    assert kruskal_wallis([np.ones(4), np.ones(5)]).p == 1
    single = mann_whitney(np.array([1.0]), np.array([2.0, 3.0]))
    assert single.estimate == 1 and single.se is None
    with pytest.raises(CannotAnalyse, match="at least two values"):
        single.confidence_interval()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: mann_whitney(np.array([]), np.ones(2)), "no value"),
        (lambda: mann_whitney(np.array([math.nan]), np.ones(2)), "missing"),
        (lambda: mann_whitney(np.ones(2), np.ones(2), "exact"), "without ties"),
        (lambda: kolmogorov_smirnov(np.ones(2), np.ones(2), "exact"), "without ties"),
        (lambda: mann_whitney(np.ones(2), np.ones(2), "other"), "asymptotic or exact"),  # type: ignore[arg-type]
        (lambda: welch_t(np.ones(1), np.ones(2)), "at least two values"),
        (lambda: welch_t(np.ones(2), np.ones(2)), "do not vary"),
        (lambda: standardised_difference(np.ones(2), np.ones(2)), "no unit"),
        (lambda: standardised_difference(np.ones(1), np.ones(2)), "at least two"),
        (lambda: kruskal_wallis([np.ones(3)]), "two classes"),
        (lambda: signed_rank(np.ones(3), np.ones(2)), "same cases"),
        (lambda: hodges_lehmann(np.ones(6000), np.ones(6000)), "too many"),
    ],
)
def test_features_that_cannot_be_tested(call: object, sentence: str) -> None:
    assert callable(call)
    with pytest.raises(CannotAnalyse, match=sentence):
        call()


def cases() -> pd.DataFrame:
    generator = np.random.default_rng(9)
    n = 80
    truth = np.repeat([0, 1], n // 2)
    return pd.DataFrame(
        {
            "truth": truth,
            "age in years": generator.normal(60 + 8 * truth, 10, n).round(),
            "bone density": generator.normal(0.9 - 0.1 * truth, 0.1, n),
            "sex": generator.choice(["f", "m"], n),
            "site": generator.choice(["A", "B", "C"], n),
            "constant": 1,
        }
    )


def test_a_table_of_features() -> None:
    frame = cases()
    frame.loc[:4, "age in years"] = np.nan
    kinds: dict[str, Declared | Kind] = {
        "age in years": "ordinal",
        "bone density": "normal",
        "sex": "categorical",
        "site": Declared("categorical", "chi-square"),
        "constant": "categorical",
    }
    table = feature_table(frame, kinds)
    age, density, sex, site = table.rows
    assert (age.missing, age.negatives, age.positives) == (5, 35, 40) and sex.missing == 0
    assert [row.test for row in table.rows] == ["mann-whitney", "welch-t", "fisher", "chi-square"]
    known = frame.dropna()
    well, sick = (known.loc[known["truth"] == value, "age in years"].to_numpy(float) for value in (0, 1))
    assert age.p == mann_whitney(well, sick).p and age.low is not None and site.low is None
    assert all(row.p_adjusted >= row.p for row in table.rows)
    assert [name for name, _ in table.refused] == ["constant"] and "constant is not tested" in table.warnings[0]
    shuffled = feature_table(frame.sample(frac=1, random_state=1), kinds)
    assert [row.p for row in shuffled.rows] == pytest.approx([row.p for row in table.rows])
    assert density.estimate < 0


@pytest.mark.parametrize(
    ("frame", "kinds", "sentence"),
    [
        (cases().assign(truth=1), {"sex": "categorical"}, "only one class"),
        (cases().assign(truth=np.nan), {"sex": "categorical"}, "0 or 1 in every row"),
        (cases().assign(truth=2), {"sex": "categorical"}, "0 or 1 in every row"),
        (cases().iloc[:0], {"sex": "categorical"}, "needs cases"),
        (cases(), {}, "needs cases and features"),
        (cases(), {"colour": "categorical"}, "no column colour"),
        (cases(), {"sex": "binary"}, "kind binary; known are"),
    ],
)
def test_tables_of_features_that_are_none(frame: pd.DataFrame, kinds: dict[str, str], sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        feature_table(frame, kinds)  # type: ignore[arg-type]


def test_features_that_are_refused_one_by_one() -> None:
    frame = cases().assign(empty=np.nan, half=np.where(cases()["truth"] == 1, 3.0, np.nan))
    table = feature_table(frame, {"sex": "ordinal", "empty": "ordinal", "half": "categorical", "constant": "ordinal"})
    assert table.rows == () and len(table.refused) == 4
    assert "text" in table.refused[0][1].sentence
