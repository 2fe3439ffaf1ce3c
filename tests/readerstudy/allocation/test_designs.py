import hashlib
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from readerstudy.allocation.designs import DesignError, DrawnReader, DrawnSlot, Shape, crossed, crossover, key, of_size

SEED = "00112233445566778899aabbccddeeff"
SENIORITIES = ["senior", "intermediate", "junior"]
seeds = st.text("0123456789abcdef", min_size=32, max_size=32)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    seniorities = draw(st.lists(st.sampled_from(SENIORITIES), min_size=1, max_size=9))
    truths = draw(st.lists(st.booleans(), min_size=1, max_size=40))
    return Shape(
        readers=[DrawnReader(f"R{number}", seniority) for number, seniority in enumerate(seniorities)],
        truth={f"case-{number}": truth for number, truth in enumerate(truths)},
        arms=["unaided", "aided"],
        periods=[1, 2],
    )


def shape(readers: int = 4, positive: int = 10, negative: int = 10, seniority: str = "senior") -> Shape:
    truth = {f"p{n}": True for n in range(positive)} | {f"n{n}": False for n in range(negative)}
    return Shape([DrawnReader(f"R{n}", seniority) for n in range(readers)], truth, ["unaided", "aided"], [1, 2])


def unaided_first(slots: list[DrawnSlot]) -> set[tuple[str, str]]:
    return {(slot.reader, slot.case) for slot in slots if slot.period == 1 and slot.arm == "unaided"}


@given(seeds, shapes())
@settings(deadline=None)
def test_every_reader_reads_every_case_exactly_once_in_each_arm_and_in_each_period(seed: str, drawn: Shape) -> None:
    slots = crossover(seed, drawn)
    everything = {(reader.code, case) for reader in drawn.readers for case in drawn.truth}
    for arm in drawn.arms:
        assert Counter((slot.reader, slot.case) for slot in slots if slot.arm == arm) == Counter(everything)
    for period in drawn.periods:
        assert Counter((slot.reader, slot.case) for slot in slots if slot.period == period) == Counter(everything)


@given(seeds, shapes())
@settings(deadline=None)
def test_positions_count_from_one_without_a_gap(seed: str, drawn: Shape) -> None:
    slots = crossover(seed, drawn)
    for reader in drawn.readers:
        for period in drawn.periods:
            own = [slot.position for slot in slots if (slot.reader, slot.period) == (reader.code, period)]
            assert sorted(own) == list(range(1, len(drawn.truth) + 1))


@given(seeds, shapes())
@settings(deadline=None)
def test_half_of_the_cases_and_half_of_each_truth_come_unaided_first_for_every_reader(seed: str, drawn: Shape) -> None:
    earlier = unaided_first(crossover(seed, drawn))
    for reader in drawn.readers:
        own = [case for code, case in earlier if code == reader.code]
        assert abs(2 * len(own) - len(drawn.truth)) <= 1
        for truth in (True, False):
            of_truth = [case for case, value in drawn.truth.items() if value is truth]
            assert abs(2 * len([case for case in own if drawn.truth[case] is truth]) - len(of_truth)) <= 1


@given(seeds, shapes())
@settings(deadline=None)
def test_every_case_comes_unaided_first_for_half_of_the_readers_of_a_seniority(seed: str, drawn: Shape) -> None:
    earlier = unaided_first(crossover(seed, drawn))
    for seniority in SENIORITIES:
        stratum = [reader.code for reader in drawn.readers if reader.seniority == seniority]
        for case in drawn.truth:
            assert abs(2 * len([code for code in stratum if (code, case) in earlier]) - len(stratum)) <= 1


@given(seeds, shapes(), st.sampled_from(SENIORITIES))
@settings(deadline=None)
def test_a_reader_who_joins_moves_nobody(seed: str, drawn: Shape, seniority: str) -> None:
    larger = Shape([*drawn.readers, DrawnReader("late", seniority)], drawn.truth, drawn.arms, drawn.periods)
    assert [slot for slot in crossover(seed, larger) if slot.reader != "late"] == crossover(seed, drawn)


@given(seeds, shapes())
@settings(deadline=None)
def test_swapping_diseased_and_healthy_draws_the_same_slots(seed: str, drawn: Shape) -> None:
    swapped = Shape(drawn.readers, {case: not truth for case, truth in drawn.truth.items()}, drawn.arms, drawn.periods)
    assert crossover(seed, swapped) == crossover(seed, drawn)


@given(seeds, shapes(), st.data())
@settings(deadline=None)
def test_a_part_of_the_cases_has_each_truth_in_proportion_and_at_least_one(
    seed: str, drawn: Shape, data: st.DataObject
) -> None:
    kinds = set(drawn.truth.values())
    number = data.draw(st.integers(len(kinds), len(drawn.truth)))
    part = of_size(seed, drawn, number)
    assert len(part.truth) == number
    assert part.truth.items() <= drawn.truth.items()
    assert set(part.truth.values()) == kinds
    for kind in kinds:
        share = number * list(drawn.truth.values()).count(kind) / len(drawn.truth)
        found = list(part.truth.values()).count(kind)
        # The nearest whole number, except where one truth would have no case at all.
        assert abs(found - share) <= 0.5 or 1 in (found, number - found)
    swapped = Shape(drawn.readers, {case: not truth for case, truth in drawn.truth.items()}, drawn.arms, drawn.periods)
    assert of_size(seed, swapped, number).truth.keys() == part.truth.keys()


def test_every_case_is_drawn_into_a_part_equally_often() -> None:
    drawn = Counter(case for n in range(1000) for case in of_size(f"{n:032x}", shape(), 6).truth)
    # 3 of 10 of each truth: 300 of 1,000 draws, standard deviation 14.5.
    assert len(drawn) == 20
    assert max(abs(count - 300) for count in drawn.values()) < 60


@pytest.mark.parametrize("number", [-1, 0, 1, 21])
def test_a_part_that_cannot_be_is_refused_with_a_sentence(number: int) -> None:
    with pytest.raises(DesignError, match=f"From 2 to 20 cases can be read; {number} cannot"):
        of_size(SEED, shape(), number)


def test_the_orders_of_a_readers_two_periods_are_independent_over_1000_readers() -> None:
    slots = crossover(SEED, shape(readers=1000, positive=10, negative=10))
    place = {(slot.reader, slot.period, slot.case): slot.position for slot in slots}
    cases = list(shape().truth)
    taus = [
        kendalltau([place[f"R{n}", 1, case] for case in cases], [place[f"R{n}", 2, case] for case in cases]).statistic
        for n in range(1000)
    ]
    # The variance of tau under independence is 2 (2n + 5) / (9 n (n - 1)); n = 20 cases, 1,000 readers: SE 0.0051.
    assert abs(sum(taus) / len(taus)) < 0.02
    assert 0.8 < sum(tau * tau for tau in taus) / len(taus) / (2 * 45 / (9 * 20 * 19)) < 1.2


def test_two_readers_orders_are_independent_and_a_case_has_no_favoured_place() -> None:
    slots = crossover(SEED, shape(readers=1000))
    places = [slot.position for slot in slots if slot.case == "p0" and slot.period == 1]
    # Uniform on 1..20: mean 10.5, standard deviation sqrt((400 - 1) / 12) = 5.77, so SE 0.18 over 1,000 readers.
    assert abs(sum(places) / len(places) - 10.5) < 0.7
    orders = {tuple(slot.case for slot in slots if slot.reader == f"R{n}" and slot.period == 1) for n in range(20)}
    assert len(orders) == 20


def test_whether_a_case_is_aided_says_nothing_about_where_it_stands() -> None:
    slots = [slot for slot in crossover(SEED, shape(readers=1000)) if slot.period == 1]
    aided = [slot.position for slot in slots if slot.arm == "aided"]
    assert len(aided) == 10_000
    assert abs(sum(aided) / len(aided) - 10.5) < 0.2


def test_the_draw_is_a_sort_by_sha256_that_anybody_can_repeat() -> None:
    slots = crossover(SEED, shape(readers=1, positive=2, negative=1))
    text = "32:" + SEED + "5:order" + "2:R0" + "1:1"
    by_hand = sorted(
        ["p0", "p1", "n0"], key=lambda case: hashlib.sha256(f"{text}{len(case)}:{case}".encode()).hexdigest()
    )
    assert [slot.case for slot in slots if slot.period == 1] == by_hand
    assert key(SEED, "order", "a", "bc") != key(SEED, "order", "ab", "c")


def test_another_process_with_another_hash_seed_draws_the_same() -> None:
    program = (
        "from tests.readerstudy.allocation.test_designs import *; import hashlib;"
        "print(hashlib.sha256(repr(crossover(SEED, shape())).encode()).hexdigest())"
    )
    root = Path(__file__).parents[3]
    environments = ({"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2"})
    printed = {
        subprocess.run([sys.executable, "-c", program], env=env, cwd=root, capture_output=True, check=True).stdout
        for env in environments
    }
    assert printed == {hashlib.sha256(repr(crossover(SEED, shape())).encode()).hexdigest().encode() + b"\n"}


def test_crossed_reads_the_arms_in_the_order_of_the_periods() -> None:
    slots = crossed(SEED, shape(readers=2))
    assert {(slot.arm, slot.period) for slot in slots} == {("unaided", 1), ("aided", 2)}
    assert len(slots) == 2 * 2 * 20
    single = Shape(shape().readers, shape().truth, ["only"], [1])
    assert [slot.position for slot in crossed(SEED, single) if slot.reader == "R0"][:1] == [1]


@pytest.mark.parametrize(
    ("design", "faulty", "sentence"),
    [
        (crossover, Shape([], {"a": True}, ["x", "y"], [1, 2]), "no reader"),
        (crossover, Shape([DrawnReader("R", "senior")], {}, ["x", "y"], [1, 2]), "no case"),
        (crossover, Shape([DrawnReader("R", "senior")] * 2, {"a": True}, ["x", "y"], [1, 2]), "same code"),
        (crossover, Shape([DrawnReader("R", "senior")], {"a": True}, ["x"], [1]), "two arms and two periods"),
        (crossed, Shape([DrawnReader("R", "senior")], {"a": True}, ["x", "y"], [1]), "one period for each arm"),
    ],
)
def test_a_design_that_does_not_fit_is_refused_with_a_sentence(
    design: Callable[[str, Shape], list[DrawnSlot]], faulty: Shape, sentence: str
) -> None:
    with pytest.raises(DesignError, match=sentence):
        design(SEED, faulty)
