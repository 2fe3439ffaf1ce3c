"""McNemar and the intervals of the paired difference against R (stats, exact2x2, contingencytables, ratesci)."""

import pytest

from analysis.errors import CannotAnalyse
from analysis.paired import PairedTable, Test, mcnemar, newcombe, paired_table, tango
from tests.analysis.oracle_entries import agree, agree_all, entries, entry, oracle_data

TESTS: tuple[tuple[Test, str], ...] = (
    ("asymptotic", "mcnemar_asymptotic"),
    ("corrected", "mcnemar_cc"),
    ("exact", "mcnemar_exact"),
    ("midp", "mcnemar_midp"),
)


def tables() -> dict[str, PairedTable]:
    """Every table of the reference; their first test is our second arm, as they subtract second from first."""
    found = {}
    for item in entries("paired_binary", "table/"):
        counts = item.values
        found[item.id.removeprefix("table/")] = PairedTable(counts["n11"], counts["n01"], counts["n10"], counts["n00"])
    assert len(found) == 8
    return found


def test_p_values_of_the_four_tests() -> None:
    for name, table in tables().items():
        for test, key in TESTS:
            agree(mcnemar(table, test).p, entry("paired_binary", f"{key}/{name}").values["p.value"], f"{key} {name}")


def test_statistics_of_the_chi_square_tests() -> None:
    for name, table in tables().items():
        for test, key in TESTS[:2]:
            expected = entry("paired_binary", f"{key}/{name}").values["statistic"]
            agree(mcnemar(table, test).statistic, expected, f"{key} {name}")


def test_newcombe_interval() -> None:
    for name, table in tables().items():
        expected = entry("paired_binary", f"newcombe_paired_ci/{name}").values
        found = newcombe(table)
        agree_all(
            [found.low, found.high, mcnemar(table).estimate],
            [expected["lower"], expected["upper"], expected["estimate"]],
            name,
        )


def test_tango_interval() -> None:
    # contingencytables and PropCIs stop their root search at 1e-7; ratesci prints 12 digits.
    for name, table in tables().items():
        expected = entry("paired_binary", f"tango_score/{name}").values["estimates"]
        columns = {column: place for place, column in enumerate(expected["cols"])}
        found, row = tango(table), expected["values"][0]
        agree(found.low, row[columns["lower"]], name, absolute=2e-10)
        agree(found.high, row[columns["upper"]], name, absolute=2e-10)


def test_wald_interval_of_the_test() -> None:
    for name, table in tables().items():
        expected = entry("paired_binary", f"wald/{name}").values
        found = mcnemar(table).confidence_interval(method="wald")
        agree_all([found.low, found.high], [expected["lower"], expected["upper"]], name)


def test_sensitivity_and_specificity_of_dtcompair() -> None:
    frame = oracle_data("dtcompair_paired1")
    expected = entry("paired_binary", "dtcompair_sesp.mcnemar").values
    for truth, name in ((1, "sensitivity"), (0, "specificity")):
        part = frame[frame["truth"] == truth]
        found = mcnemar(
            paired_table((part["y1"] == truth).to_numpy(float), (part["y2"] == truth).to_numpy(float)), "asymptotic"
        )
        agree(found.first, expected[name]["test1"], name)
        agree(found.second, expected[name]["test2"], name)
        agree(found.estimate, expected[name]["diff"], name)
        agree(found.p, expected[name]["p.value"], name)


@pytest.mark.parametrize("counts", ["5_0_0_5", "0_5_0_5", "10_0_0_0", "3_1_1_3"])
def test_edges_of_r(counts: str) -> None:
    expected = entry("edge_cases", f"mcnemar/{counts}/edge_two_cases").values
    n11, n10, n01, n00 = (int(count) for count in counts.split("_"))
    table = PairedTable(n11, n01, n10, n00)
    names: tuple[tuple[Test, str], ...] = (
        ("exact", "exact"),
        ("midp", "midp"),
        ("asymptotic", "asym"),
        ("corrected", "cc"),
    )
    for test, name in names:
        # R answers NaN without discordant pairs; we say that nothing speaks against equality.
        agree(mcnemar(table, test).p, 1.0 if expected[name] == "NaN" else expected[name], f"{counts} {test}")


def test_without_discordant_pairs_there_is_a_warning_and_width() -> None:
    table = PairedTable(6, 0, 0, 4)
    found = mcnemar(table)
    assert (found.estimate, found.p, found.statistic) == (0.0, 1.0, None)
    assert found.warnings
    for interval in (newcombe(table), tango(table)):
        assert interval.low == pytest.approx(-interval.high)
        assert interval.high > 0
    # Score of 0 discordant among n: z² / (n + z²).
    assert tango(table).high == pytest.approx(1.959963984540054**2 / (10 + 1.959963984540054**2), rel=1e-10)


def test_everything_discordant_one_way_ends_at_one() -> None:
    table = PairedTable(0, 0, 7, 0)
    assert (newcombe(table).high, tango(table).high) == (1.0, 1.0)
    assert 0 < tango(table).low < 1


def test_swapping_the_arms_mirrors_the_interval() -> None:
    one, two = PairedTable(20, 7, 3, 10), PairedTable(20, 3, 7, 10)
    for interval in (newcombe, tango):
        agree_all([interval(one).low, interval(one).high], [-interval(two).high, -interval(two).low], interval.__name__)


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [([1.0], [1.0, 0.0], "not 1 and 2"), ([2.0], [1.0], "0 or 1"), ([float("nan")], [1.0], "0 or 1")],
)
def test_outcomes_that_are_not_pairs_of_decisions(first: list[float], second: list[float], sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        paired_table(first, second)


def test_no_cases_and_unknown_words_are_refused() -> None:
    empty = PairedTable(0, 0, 0, 0)
    for compute in (mcnemar, newcombe, tango):
        with pytest.raises(CannotAnalyse, match="There are no"):
            compute(empty)
    with pytest.raises(CannotAnalyse, match="not yates"):
        mcnemar(PairedTable(1, 1, 1, 1), "yates")
    with pytest.raises(CannotAnalyse, match="not exact"):
        mcnemar(PairedTable(1, 1, 1, 1)).confidence_interval(method="exact")
    with pytest.raises(CannotAnalyse, match="between 0 and 1"):
        newcombe(PairedTable(1, 1, 1, 1), 95)
