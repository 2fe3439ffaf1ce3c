"""Questions about readings: the order of arms and cases, reading times, reliance on the model."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.complementarity import complementarity
from analysis.coverage import Outcomes, Question, covers, rejects, seed_of, several
from analysis.errors import CannotAnalyse
from analysis.interval import Refusal
from analysis.order_effects import Crossover, OrderEffect, crossover, position_difference, position_effect
from analysis.ratings import Bools, Floats
from analysis.reliance import rates_of, reliance, switch_table
from analysis.timing import InterruptionRule, time_ratio, time_ratio_by_seniority
from analysis.timing_mixed import MixedTimeRatio, mixed_time_ratio

REPLICATES = 500
CARRIED = "within readers it cannot be told from a difference of both groups of cases; described, never a gate"
CHANCE = "by chance: on the complete times of these same draws Student's t rejects 4.1 %, on four times as many 4.8 %"
Ask = Callable[[np.random.Generator], Outcomes]


def measured(generator: np.random.Generator, readers: int = 8, cases: int = 60, arm_case: float = 0.0) -> Floats:
    """(reader, arm, case): readers, their responses, cases and errors vary; arms do not differ."""
    values = generator.normal(0, 0.5, (readers, 1, 1)) + generator.normal(0, 0.2, (readers, 2, 1))
    values = values + generator.normal(0, 0.5, (1, 1, cases)) + generator.normal(0, arm_case, (1, 2, cases))
    return np.asarray(values + generator.normal(0, 0.5, (readers, 2, cases)))


def crossed_over(within: bool, generator: np.random.Generator) -> Crossover:
    """The order of the arms changes between readers, or between the cases of each reader."""
    values = measured(generator)
    readers, _, cases = values.shape
    swapped = np.tile(np.arange(cases) % 2, (readers, 1)) if within else np.repeat(np.arange(readers) % 2, cases)
    first = 1.0 + swapped.reshape(readers, cases)
    return crossover(values, np.stack([first, 3 - first], axis=1))


def effect_rejects(within: bool, part: str, generator: np.random.Generator) -> Outcomes:
    found = crossed_over(within, generator)
    return [rejects({"arm": found.arm, "period": found.period, "carry_over": found.carry_over}[part])]


def arm_holds(within: bool, generator: np.random.Generator) -> Outcomes:
    return [covers(crossed_over(within, generator).arm, 0.0)]


def order_questions() -> Iterator[Question]:
    for within, word in ((False, "between readers"), (True, "within readers")):
        for part in ("arm", "period", "carry_over"):
            name = f"crossover {word}, {part.replace('_', '-')}"
            remark = CARRIED if within and part == "carry_over" else ""
            yield Question(name, "type-I error", partial(effect_rejects, within, part), remark)
        yield Question(f"crossover {word}, arm", "coverage", partial(arm_holds, within))


def position_questions() -> Iterator[Question]:
    for both, word in ((False, ""), (True, ", difference of arms")):
        name = f"position in the session{word}"
        yield Question(name, "type-I error", partial(position_rejects, both))
        yield Question(name, "coverage", partial(position_holds, both))


def position_rejects(both: bool, generator: np.random.Generator) -> Outcomes:
    return [rejects(by_position(both, generator))]


def position_holds(both: bool, generator: np.random.Generator) -> Outcomes:
    return [covers(by_position(both, generator), 0.0)]


def by_position(both: bool, generator: np.random.Generator) -> OrderEffect:
    values = measured(generator)
    position = generator.permuted(np.broadcast_to(np.arange(60.0), values.shape), axis=2)
    if both:
        return position_difference(values, position)
    return position_effect(values[:, 0], position[:, 0])


NAMES = tuple("ABCDEFGH")
RULE = InterruptionRule(longest=1e9)


def seconds_of(generator: np.random.Generator, arm_case: float = 0.0) -> Floats:
    """Lognormal times; the ratio of both arms is one on average over readers."""
    return np.asarray(np.exp(3 + measured(generator, len(NAMES), 60, arm_case)))


def time_questions() -> Iterator[Question]:
    name = "ratio of reading times"
    yield Question(name, "type-I error", lambda g: [rejects(time_ratio(NAMES, seconds_of(g), RULE))])
    yield Question(name, "coverage", lambda g: [covers(time_ratio(NAMES, seconds_of(g), RULE), 1.0)])
    yield Question(
        "ratio of reading times, cases respond to the arm", "type-I error",
        lambda g: [rejects(time_ratio(NAMES, seconds_of(g, 0.5), RULE))],
        "t over readers speaks for readers like these on these cases, not for other cases",
    )  # fmt: skip
    yield Question("ratio of reading times of one reader", "coverage", own_ratios_hold)
    groups = ("junior",) * 4 + ("senior",) * 4
    name = "ratio of reading times, junior against senior"
    yield Question(
        name, "type-I error", lambda g: [rejects(time_ratio_by_seniority(NAMES, groups, seconds_of(g), RULE))]
    )
    yield Question(
        name, "coverage", lambda g: [covers(time_ratio_by_seniority(NAMES, groups, seconds_of(g), RULE), 1.0)]
    )


def own_ratios_hold(generator: np.random.Generator) -> Outcomes:
    """Each reader's own ratio, where none responds to the arm."""
    case = generator.normal(0, 0.5, (1, 1, 60))
    seconds = np.exp(3 + case + generator.normal(0, 0.5, (len(NAMES), 2, 60)))
    return [covers(row, 1.0) for row in time_ratio(NAMES, seconds, RULE).by_reader]


def mixed(generator: np.random.Generator) -> MixedTimeRatio:
    """By the mixed model, one reading in five missing; with all of them it is `time_ratio`."""
    seconds = seconds_of(generator)
    return mixed_time_ratio(NAMES, np.where(generator.random(seconds.shape) < 0.2, np.nan, seconds), RULE)


def mixed_questions() -> Iterator[Question]:
    name = "ratio of reading times, mixed model, one reading in five missing"
    yield Question(name, "type-I error", lambda g: [rejects(mixed(g))], CHANCE)
    yield Question(name, "coverage", lambda g: [covers(mixed(g), 1.0)], CHANCE)


# Shares right unaided and of the model; who follows a wrong model, and who refuses a right one, over readers.
ADVISED = tuple("ABCDE")
UNAIDED, MODEL, FOLLOWS, REFUSES = 0.7, 0.8, (0.1, 0.5), (0.2, 0.6)


@dataclass(frozen=True, eq=False)
class Advised:
    """Decisions unaided and aided (reader, case), of the model and truth (case,), and each reader's own rates."""

    unaided: Floats
    aided: Floats
    model: Floats
    truth: Bools
    follows: Floats
    refuses: Floats


def advised(generator: np.random.Generator, cases: int = 200, even: bool = False) -> Advised:
    """even: readers refuse just so much right advice that aided they are as good as the model."""
    readers = len(ADVISED)
    truth = np.arange(cases) % 2 == 0
    unaided, model = generator.random((readers, cases)) < UNAIDED, generator.random(cases) < MODEL
    follows, refuses = generator.uniform(*FOLLOWS, readers), generator.uniform(*REFUSES, readers)
    if even:
        refuses = (1 - follows) * UNAIDED * (1 - MODEL) / ((1 - UNAIDED) * MODEL)
    chance = generator.random((readers, cases))
    kept = np.where(unaided, chance >= follows[:, None], chance >= refuses[:, None])
    aided = np.where(unaided == model, unaided, kept)
    one, two, three = (np.where(values, truth, ~truth).astype(float) for values in (unaided, aided, model))
    return Advised(one, two, three, truth, follows, refuses)


def rate_holds(rate: str, mean: Callable[[float], float], generator: np.random.Generator) -> Outcomes:
    """The mean over readers like these on these very cases, in some of which the model is right."""
    study = advised(generator)
    found = reliance(ADVISED, study.unaided, study.aided, study.model, study.truth).mean(rate)
    if isinstance(found, Refusal):
        raise CannotAnalyse(found.sentence)
    right = float((study.model == study.truth).mean())
    return [covers(found, mean(right))]


def own_rate_holds(generator: np.random.Generator) -> Outcomes:
    study = advised(generator)
    rate = rates_of(switch_table(study.unaided[0], study.aided[0], study.model, study.truth)).over_reliance
    if isinstance(rate, Refusal):
        raise CannotAnalyse(rate.sentence)
    return [covers(rate, float(study.follows[0]))]


def gain_holds(generator: np.random.Generator) -> Outcomes:
    """Aided minus the model, which is better than every reader alone by far."""
    study = advised(generator)
    found = complementarity(
        ADVISED, study.unaided, study.aided, study.model, study.truth, "accuracy", REPLICATES, seed_of(generator)
    )
    both, lost = UNAIDED * MODEL, UNAIDED * (1 - MODEL) * (1 - study.follows)
    aided = both + lost + (1 - UNAIDED) * MODEL * (1 - study.refuses)
    return [covers(found, float((aided - MODEL).mean()))]


def gain_rejects(generator: np.random.Generator) -> Outcomes:
    study = advised(generator, even=True)
    found = complementarity(
        ADVISED, study.unaided, study.aided, study.model, study.truth, "accuracy", REPLICATES, seed_of(generator)
    )
    return [rejects(found)]


FOLLOWED, REFUSED = (sum(ends) / 2 for ends in (FOLLOWS, REFUSES))
# Each rate by the share of cases in which the model is right.
RATE_MEANS: tuple[tuple[str, Callable[[float], float]], ...] = (
    ("over_reliance", lambda right: FOLLOWED),
    ("under_reliance", lambda right: REFUSED),
    ("follows_wrong", lambda right: 1 - UNAIDED + UNAIDED * FOLLOWED),
    ("refuses_right", lambda right: (1 - UNAIDED) * REFUSED),
    ("beneficial", lambda right: (1 - UNAIDED) * right * (1 - REFUSED)),
    ("harmful", lambda right: UNAIDED * (1 - right) * FOLLOWED),
)
EVENLY = "Student's t over five readers, whose rates spread evenly and not as a normal distribution"


def reliance_questions() -> Iterator[Question]:
    for rate, mean in RATE_MEANS:
        name = f"{rate.replace('_', '-')}, mean of readers"
        yield Question(name, "coverage", partial(rate_holds, rate, mean), EVENLY)
    yield Question("over-reliance of one reader, wilson interval", "coverage", own_rate_holds)
    name = "gain over the better of reader and model, bootstrap"
    yield Question(name, "coverage", gain_holds)
    yield Question(name, "type-I error", gain_rejects)


def reading_questions() -> Iterator[Question]:
    """Order, times and reliance."""
    yield from several(order_questions(), 4)
    yield from several(time_questions(), 4)
    yield from mixed_questions()
    yield from position_questions()
    yield from reliance_questions()
