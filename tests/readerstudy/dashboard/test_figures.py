"""Numbers as text, in one place."""

import pytest
from django.template import Context, Template

from readerstudy.dashboard.templatetags.figures import (
    duration,
    estimate,
    interval,
    percent,
    probability,
    pvalue,
    share,
)
from readerstudy.dashboard.templatetags.happenings import fact_value


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.07175, "0.072"), (-0.0714, "−0.071"), (-0.0001, "0.000"), (1, "1.000"), (None, "–"), (0.0, "0.000")],
)
def test_estimates_have_three_decimals_and_no_minus_zero(value: float | None, text: str) -> None:
    assert estimate(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9997, ">99.9 %"),
        (1.0, ">99.9 %"),
        (0.99949, "99.9 %"),
        (0.6, "60.0 %"),
        (0.0005, "0.1 %"),
        (0.00049, "<0.1 %"),
        (0.0, "<0.1 %"),
        (None, "–"),
    ],
)
def test_no_probability_is_shown_as_none_or_all(value: float | None, text: str) -> None:
    assert probability(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.119929, "0.120"), (0.001, "0.001"), (0.00099, "< 0.001"), (0.0, "< 0.001"), (1.0, "1.000"), (None, "–")],
)
def test_p_values_stop_at_a_thousandth(value: float | None, text: str) -> None:
    assert pvalue(value) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0.0 s"),
        (4_240, "4.2 s"),
        (59_999, "60.0 s"),
        (60_000, "1 min 00 s"),
        (3_725_000, "1 h 02 min"),
        (None, "–"),
    ],
)
def test_durations_are_read_aloud(milliseconds: float | None, text: str) -> None:
    assert duration(milliseconds) == text


def test_intervals_shares_and_percents() -> None:
    assert interval(-0.01, 0.2) == "−0.010 to 0.200"
    assert interval(None, 0.2) == "–"
    assert percent(0.98765) == "98.8 %"
    # Halves as the browser rounds them, which an even digit before does not change.
    assert [percent(value) for value in (0.8125, 0.8135, 0.0625, 0.3335)] == ["81.3 %", "81.4 %", "6.3 %", "33.4 %"]
    assert (share(0, 0), share(999, 1000), share(1000, 1000)) == (0, 99, 100)


def test_facts_of_an_event_become_one_line() -> None:
    assert fact_value({"threshold": 0.5, "labels": ["a", "b"], "frozen": True, "note": None}, "") == (
        "threshold: 0.5; labels: a, b; frozen: yes; note: –"
    )


def test_templates_have_the_filters_without_loading_them() -> None:
    assert Template("{{ x|estimate }} {{ p|pvalue }}").render(Context({"x": 0.5, "p": 0.2})) == "0.500 0.200"
