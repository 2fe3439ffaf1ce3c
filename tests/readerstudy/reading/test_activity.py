from itertools import starmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.reading.activity import KINDS, Happening, Times, Toggled, shown_times, times

moments = st.floats(-1e12, 1e12, allow_nan=False)
logs = st.lists(st.builds(Happening, t=moments, kind=st.sampled_from(KINDS)), max_size=30)


def log(*events: tuple[int, str]) -> list[Happening]:
    return [Happening(t, kind) for t, kind in events]


def test_a_reading_without_events_is_active_from_end_to_end() -> None:
    assert times([], duration_ms=5000, bound_ms=9000) == Times(0, 5000, 0, 0)


def test_each_stretch_counts_where_it_belongs() -> None:
    events = log((400, "loaded"), (2000, "idle"), (3000, "active"), (5000, "hidden"), (9000, "visible"), (9500, "blur"))
    assert times(events, duration_ms=10_000, bound_ms=20_000) == Times(
        load_ms=400, active_ms=1600 + 2000 + 500, idle_ms=1000 + 500, hidden_ms=4000
    )


def test_hidden_wins_over_idle_and_an_unknown_end_of_idleness_does_not_linger_after_a_reload() -> None:
    events = log((0, "loaded"), (1000, "idle"), (1500, "hidden"), (4000, "loaded"))
    assert times(events, duration_ms=6000, bound_ms=6000) == Times(0, 1000 + 2000, 500, 2500)


def test_the_servers_stamps_bound_what_the_browser_claims() -> None:
    assert times(log((0, "loaded")), duration_ms=3_600_000, bound_ms=60_000) == Times(0, 60_000, 0, 0)
    assert times(log((0, "loaded")), duration_ms=3000, bound_ms=-5) == Times(0, 0, 0, 0)


@given(logs, moments, st.integers(-10, 10**7))
def test_the_parts_add_up_to_the_duration_within_the_bound_whatever_the_clock_did(
    events: list[Happening], duration: float, bound: int
) -> None:
    spent = times(events, duration_ms=duration, bound_ms=bound)
    assert min(spent.load_ms, spent.active_ms, spent.idle_ms, spent.hidden_ms) >= 0
    assert spent.duration_ms == int(min(max(duration, 0), max(bound, 0)))


@given(logs, st.integers(0, 10**6))
def test_events_after_the_end_change_nothing(events: list[Happening], bound: int) -> None:
    later = [Happening(2e12, kind) for kind in ("hidden", "idle", "blur")]
    assert times([*log((0, "loaded")), *events, *later], duration_ms=bound, bound_ms=bound) == times(
        [*log((0, "loaded")), *events], duration_ms=bound, bound_ms=bound
    )


@pytest.mark.parametrize(
    ("happened", "first", "total"),
    [
        ([], None, 0),
        ([("map", True, 100), ("map", False, 400)], 100, 300),
        ([("map", True, 100), ("box", True, 200), ("map", False, 300), ("box", False, 400)], 100, 300),
        ([("map", True, 100), ("map", False, 150), ("map", True, 900)], 100, 150),
        ([("map", False, 50), ("map", True, 100), ("map", False, 90)], 100, 0),
        # Fainter, and still there.
        ([("map", True, 100), ("map", True, 200), ("map", False, 300)], 100, 200),
    ],
)
def test_output_is_in_sight_from_its_first_to_its_last_moment(
    happened: list[tuple[str, bool, int]], first: int | None, total: int
) -> None:
    assert shown_times(starmap(Toggled, happened), until_ms=1000) == (first, total)
