"""How often intervals hold the truth and tests reject what is true, over simulated studies of known truth."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.interval import Interval
from analysis.simulation import RoeMetz, Study, structure

Kind = Literal["coverage", "type-I error", "power"]
LEVEL = 0.95
ALPHA = 1 - LEVEL
CONSERVATIVE = "conservative by construction: never less safe than it promises"
INVALID = "not valid; never a primary result"
SEED = 20260101
STUDIES = 2000
# What one study answers: one yes or no for each reader or arm asked about.
Outcomes = Sequence[bool]


class Estimated(Protocol):
    """A result with an interval."""

    def confidence_interval(self, level: float = 0.95, /) -> Interval: ...


class Tested(Protocol):
    """A result with a test; p is None where nothing varies."""

    @property
    def p(self) -> float | None: ...


@dataclass(frozen=True)
class Frequency:
    """Share of yes over all studies; `error` is its Monte-Carlo standard error from the spread between studies."""

    method: str
    kind: Kind
    nominal: float
    estimate: float
    error: float
    studies: int
    refused: int
    remark: str = ""

    @property
    def as_promised(self) -> bool:
        """Within one percentage point of what is promised."""
        return abs(self.estimate - self.nominal) <= 0.01 + 1e-12


@dataclass(frozen=True)
class Question:
    """One method in one world: what is asked of every study, and what the answer should be."""

    method: str
    kind: Kind
    ask: Callable[[np.random.Generator], Outcomes]
    remark: str = ""
    nominal: float | None = None

    @property
    def promised(self) -> float:
        if self.nominal is not None:
            return self.nominal
        return LEVEL if self.kind == "coverage" else 1 - LEVEL


def frequency(question: Question, studies: int = STUDIES, seed: int = SEED) -> Frequency:
    """How often is the answer yes?

    Every study has its own generator, spawned from the seed, so that the same study comes up in the same place for
    all questions that share a world. A study that the method refuses is counted apart, not as a no. error =
    standard deviation of the studies' shares / sqrt(studies). All studies refused: refused.

    >>> found = frequency(Question("a fair coin", "coverage", lambda g: [g.random() < 0.5], nominal=0.5), 400, 1)
    >>> found.estimate, round(found.error, 4), found.as_promised
    (0.525, 0.025, False)
    """
    if studies < 2:
        raise CannotAnalyse("A simulation needs at least two studies.")
    shares, refused = [], 0
    for stream in np.random.SeedSequence(seed).spawn(studies):
        try:
            outcomes = question.ask(np.random.default_rng(stream))
        except CannotAnalyse:
            refused += 1
            continue
        shares.append(float(np.mean(outcomes)))
    if len(shares) < 2:
        raise CannotAnalyse(f"{question.method} refused {refused} of {studies} simulated studies.")
    error = float(np.std(shares, ddof=1)) / math.sqrt(len(shares))
    return Frequency(
        question.method, question.kind, question.promised, float(np.mean(shares)), error, len(shares), refused,
        question.remark,
    )  # fmt: skip


def holds(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def covers(found: Estimated, truth: float) -> bool:
    return holds(found.confidence_interval(LEVEL), truth)


def rejects(found: Tested, alpha: float = ALPHA) -> bool:
    """A test without a p value has found nothing."""
    return found.p is not None and found.p < alpha


def rejected(of: Callable[[Study, int], Tested]) -> Callable[[Study, int], bool]:
    """Does this test of a reader reject?"""
    return lambda study, reader: rejects(of(study, reader))


def covered(
    of: Callable[[Study, int], Estimated], truth: Callable[[Study, int], float]
) -> Callable[[Study, int], bool]:
    """Does this interval of a reader hold his truth?"""
    return lambda study, reader: covers(of(study, reader), truth(study, reader))


def seed_of(generator: np.random.Generator) -> int:
    """A seed for a method that draws by itself."""
    return int(generator.integers(2**32))


@dataclass(frozen=True)
class Worlds:
    """The models behind the questions.

    different: the second arm is better, readers respond differently; equal: arms are equal on average; same: equal for
    every reader; margin: the second is worse, readers respond differently; apart: worse alike for every reader.
    """

    different: RoeMetz
    equal: RoeMetz
    same: RoeMetz
    margin: RoeMetz
    apart: RoeMetz

    @staticmethod
    def of(
        name: str = "HL", readers: int = 6, positives: int = 60, negatives: int = 60, spread: float = 0.03
    ) -> "Worlds":
        """Worlds of one structure; `spread` is the variance of readers, and of their response to the arm."""
        parts, still = structure(name, spread), structure(name, spread, 0.0)
        size = (readers, positives, negatives)
        return Worlds(
            RoeMetz((0.8, 0.85), parts, *size),
            RoeMetz((0.82, 0.82), parts, *size),
            RoeMetz((0.82, 0.82), still, *size),
            RoeMetz((0.85, 0.80), parts, *size),
            RoeMetz((0.85, 0.80), still, *size),
        )


def per_reader(model: RoeMetz, ask: Callable[[Study, int, int], bool]) -> Callable[[np.random.Generator], Outcomes]:
    """One answer for every reader in every arm."""

    def outcomes(generator: np.random.Generator) -> Outcomes:
        study = model.draw(generator)
        readers, arms, _ = study.ratings.values.shape
        return [ask(study, reader, arm) for reader in range(readers) for arm in range(arms)]

    return outcomes


def whole(model: RoeMetz, ask: Callable[[Study], bool]) -> Callable[[np.random.Generator], Outcomes]:
    """One answer for the study."""
    return lambda generator: [ask(model.draw(generator))]


def each_reader(model: RoeMetz, ask: Callable[[Study, int], bool]) -> Callable[[np.random.Generator], Outcomes]:
    """One answer for every reader."""

    def outcomes(generator: np.random.Generator) -> Outcomes:
        study = model.draw(generator)
        return [ask(study, reader) for reader in range(len(study.auc))]

    return outcomes


def first_reader(model: RoeMetz, ask: Callable[[Study, int], bool]) -> Callable[[np.random.Generator], Outcomes]:
    """One answer for the first reader, with a seed: for methods that draw many samples of their own."""
    return lambda generator: [ask(model.draw(generator), seed_of(generator))]


def of_cohort(
    model: RoeMetz, ask: Callable[[Study, int], bool], prevalence: float = 0.5
) -> Callable[[np.random.Generator], Outcomes]:
    """One answer for every reader, where cases come as they are: the number of diseased is itself drawn."""
    total = model.positives + model.negatives

    def outcomes(generator: np.random.Generator) -> Outcomes:
        positives = int(np.clip(generator.binomial(total, prevalence), 1, total - 1))
        study = replace(model, positives=positives, negatives=total - positives).draw(generator)
        return [ask(study, reader) for reader in range(len(study.auc))]

    return outcomes


def several(questions: Iterator[Question], times: int) -> Iterator[Question]:
    """The same questions, each asked of several independent draws in every study: for methods that cost little."""

    def ask(question: Question) -> Callable[[np.random.Generator], Outcomes]:
        return lambda generator: [answer for _ in range(times) for answer in question.ask(generator)]

    for question in questions:
        yield replace(question, ask=ask(question))
