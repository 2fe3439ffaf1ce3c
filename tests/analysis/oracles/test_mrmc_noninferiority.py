"""Margins held against the differences of many readers: every entry of the reference file."""

import pytest

from analysis.interval import wald
from analysis.margins import margin_test, upper_tail
from analysis.mrmc import ArmDifference
from tests.analysis.mrmcaov_tables import request_of
from tests.analysis.oracle_entries import Entry
from tests.analysis.walk import Compare, Walk

walk = Walk("mrmc_noninferiority")


def difference_of(entry: Entry) -> ArmDifference:
    """The id is that of MRMCaov's analysis; the decisions of binary_* are rated 3 or more."""
    noted = Entry(entry.id, entry.dataset, entry.call, entry.values, "binary rating = (rating >= 3)")
    return request_of(noted).analyse().differences[0]


@walk.covers("*", ignores=("difference",))
def margins(entry: Entry, compare: Compare) -> None:
    found, values = difference_of(entry), entry.values
    compare(found.estimate, values["estimate"], "estimate")
    compare(found.se, values["se"], "se")
    compare(found.df, values["df"], "df")
    for name, level in (("ci90", 0.90), ("ci95", 0.95)):
        # The reference does not clip at 1.
        interval = wald(found.estimate, found.se, level, found.df)
        compare.all([interval.low, interval.high], values["ci"][name], name)
    for name, expected in values["margins"].items():
        test = margin_test(found.estimate, found.se, float(name.removeprefix("margin")), found.df)
        compare(test.statistic, expected["noninferiority_t"], f"{name} statistic")
        compare(test.p, expected["noninferiority_p"], f"{name} p")
        compare(test.upper_statistic, expected["upper_t"], f"{name} upper statistic")
        compare(upper_tail(-test.upper_statistic, found.df), expected["upper_p"], f"{name} upper p")
        compare(test.p_equivalence, expected["tost_p"], f"{name} equivalence")
        compare(test.p_superiority, expected["superiority_p_one_sided"], f"{name} superiority")


@pytest.mark.parametrize("entry", walk.entries(), ids=str)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
