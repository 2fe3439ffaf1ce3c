"""Who reads what, where and when: drawn from a seed by SHA-256 alone.

Every draw is a sort by the digest of (seed, purpose, names), so the same seed gives the same slots on any machine, in
any version of any language; no draw depends on another one; and a reader who joins at the end moves nobody.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace


class DesignError(ValueError):
    """The design does not fit; the text says why."""


@dataclass(frozen=True)
class DrawnReader:
    code: str
    seniority: str


@dataclass(frozen=True)
class DrawnSlot:
    reader: str
    arm: str
    case: str
    period: int
    position: int


@dataclass(frozen=True)
class Shape:
    """What is drawn over. Readers stand in the order of their enrolment; truth by case balances, and does no more."""

    readers: Sequence[DrawnReader]
    truth: Mapping[str, bool]
    arms: Sequence[str]
    periods: Sequence[int]


def key(seed: str, purpose: str, *names: object) -> bytes:
    # Length before each name, so that ("a", "bc") and ("ab", "c") differ.
    parts = [seed, purpose, *(str(name) for name in names)]
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).digest()


def shuffled(seed: str, purpose: str, names: Iterable[object], of: Iterable[str]) -> list[str]:
    prefix = tuple(names)
    return sorted(of, key=lambda item: key(seed, purpose, *prefix, item))


def check(shape: Shape) -> None:
    if not shape.readers:
        raise DesignError("There is no reader to draw for.")
    if len({reader.code for reader in shape.readers}) != len(shape.readers):
        raise DesignError("Two readers have the same code.")
    if not shape.truth:
        raise DesignError("There is no case to draw.")


def of_size(seed: str, shape: Shape, number: int) -> Shape:
    """The same study over this many of its cases: each truth in proportion, to the nearest case, and at least one.

    Every reader reads the same ones. As in the halves, truths are told apart and never named.
    """
    order = shuffled(seed, "subset", (), shape.truth)
    by_truth: dict[bool, list[str]] = defaultdict(list)
    for case in order:
        by_truth[shape.truth[case]].append(case)
    if not len(by_truth) <= number <= len(order):
        raise DesignError(f"From {len(by_truth)} to {len(order)} cases can be read; {number} cannot.")
    if len(by_truth) == 1:
        return replace(shape, truth={case: shape.truth[case] for case in order[:number]})
    first, second = by_truth.values()
    # Whole numbers only: the nearest to number * first / all, where a half goes to the truth that was drawn first.
    nearest = (2 * number * len(first) + len(order)) // (2 * len(order))
    share = min(max(nearest, 1), number - 1)
    return replace(shape, truth={case: shape.truth[case] for case in (*first[:share], *second[: number - share])})


def crossover(seed: str, shape: Shape) -> list[DrawnSlot]:
    """Two arms, two periods: every reader reads every case in both arms, half of the cases in the first arm first."""
    check(shape)
    if (len(shape.arms), len(shape.periods)) != (2, 2):
        raise DesignError("A crossover needs two arms and two periods.")
    first, second = shape.arms
    slots: list[DrawnSlot] = []
    for reader, earlier in first_arm_first(seed, shape).items():
        for index, period in enumerate(shape.periods):
            for position, case in enumerate(shuffled(seed, "order", (reader, period), shape.truth), start=1):
                arm = first if (case in earlier) == (index == 0) else second
                slots.append(DrawnSlot(reader, arm, case, period, position))
    return slots


def crossed(seed: str, shape: Shape) -> list[DrawnSlot]:
    """As many arms as periods: every reader reads every case in the first arm in the first period, and so on."""
    check(shape)
    if not shape.arms or len(shape.arms) != len(shape.periods):
        raise DesignError("A crossed design needs one period for each arm.")
    return [
        DrawnSlot(reader.code, arm, case, period, position)
        for reader in shape.readers
        for arm, period in zip(shape.arms, shape.periods, strict=True)
        for position, case in enumerate(shuffled(seed, "order", (reader.code, period), shape.truth), start=1)
    ]


def sequential(seed: str, shape: Shape) -> list[DrawnSlot]:
    """Two arms, one period: every case is read once; the answer before the output is the first arm's."""
    check(shape)
    if (len(shape.arms), len(shape.periods)) != (2, 1):
        raise DesignError("A sequential design needs two arms and one period.")
    (period,) = shape.periods
    return [
        DrawnSlot(reader.code, shape.arms[1], case, period, position)
        for reader in shape.readers
        for position, case in enumerate(shuffled(seed, "order", (reader.code, period), shape.truth), start=1)
    ]


DESIGNS = {"crossover": crossover, "crossed": crossed, "sequential": sequential}


def drawn_share(seed: str, purpose: str, arm: str, cases: Iterable[str], share: float) -> frozenset[str]:
    """So many of the cases, to the nearest one; the same for every reader, so that readers stay comparable."""
    order = shuffled(seed, purpose, (arm,), cases)
    return frozenset(order[: round(share * len(order))])


def training_round(
    seed: str, number: int, reader: str, arms: Sequence[str], cases: Iterable[str]
) -> list[tuple[str, str]]:
    """Case and arm in the order of one reader's round; arms take turns, so that every arm is known before it counts."""
    order = shuffled(seed, "training", (reader, number), cases)
    return [(case, arms[place % len(arms)]) for place, case in enumerate(order)]


def first_arm_first(seed: str, shape: Shape) -> dict[str, frozenset[str]]:
    """Per reader the cases that he reads in the first arm first.

    Within a seniority readers come in pairs, and the second of a pair has the other half of the first one's cases: so
    each case is first-arm-first for half of the stratum, one more or less where the number of its readers is odd.
    """
    everything = frozenset(shape.truth)
    seen: dict[str, int] = defaultdict(int)
    earlier: dict[str, frozenset[str]] = {}
    for reader in shape.readers:
        pair, second_of_pair = divmod(seen[reader.seniority], 2)
        seen[reader.seniority] += 1
        half = balanced_half(seed, (reader.seniority, pair), shape.truth)
        earlier[reader.code] = everything - half if second_of_pair else half
    return earlier


def balanced_half(seed: str, names: tuple[object, ...], truth: Mapping[str, bool]) -> frozenset[str]:
    """Half of the cases, and half of each truth, each within one case.

    Truths are told apart, never named: swapping diseased and healthy throughout draws the same half, so nothing can be
    read from a reader's list about which is which.
    """
    order = shuffled(seed, "half", names, truth)
    by_truth: dict[bool, list[str]] = defaultdict(list)
    for case in order:
        by_truth[truth[case]].append(case)
    round_up = key(seed, "odd", *names)[0] % 2
    half: set[str] = set()
    # Dicts keep the order of insertion: the truth of the first case drawn comes first, whichever it is.
    for cases in by_truth.values():
        half.update(cases[: (len(cases) + round_up) // 2])
        round_up = (round_up + len(cases)) % 2
    return frozenset(half)
