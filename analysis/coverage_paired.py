"""Questions to methods for one reader in two arms, and for two ratings of different cases."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from scipy import stats

from analysis.bootstrapped import Part, bootstrap_test
from analysis.cochran import cochran_q
from analysis.conversions import bivariate_normal
from analysis.coverage import (
    ALPHA,
    CONSERVATIVE,
    LEVEL,
    Estimated,
    Outcomes,
    Question,
    Tested,
    Worlds,
    covers,
    each_reader,
    first_reader,
    holds,
    of_cohort,
    rejects,
    seed_of,
    whole,
)
from analysis.delong import delong_test, delong_test_unpaired
from analysis.margins import MarginTest, auc_margin_test, paired_margin_test
from analysis.operating_tests import bootstrap_test_unpaired, sensitivity_test, specificity_test
from analysis.paired import METHODS, TESTS, PairedTable, mcnemar, odds_ratio, paired_table
from analysis.predictive import METHODS as PREDICTIVE_METHODS
from analysis.predictive import SIGNS, Sign, predictive_test, relative_likelihood_ratio, relative_predictive_values
from analysis.relative import (
    PairedCalls,
    Ratio,
    paired_calls,
    relative_false_positives,
    relative_sensitivity,
    relative_specificity,
)
from analysis.simulation import RoeMetz, Study
from analysis.venkatraman import venkatraman_test, venkatraman_test_unpaired

REPLICATES = 500
PERMUTATIONS = 200
PART = Part("specificity", 0.8, 1.0)
AT = 0.9
SMALL = ALPHA / 2
Ask = Callable[[np.random.Generator], Outcomes]
# A number of both arms of one reader, given sensitivities and specificities of both.
Truth = Callable[[tuple[float, float], tuple[float, float]], float]


def found_cases(study: Study, reader: int) -> PairedTable:
    """Diseased cases found by one reader in the two arms."""
    first, second = study.decisions.values[reader][:, study.decisions.truth]
    return paired_table(first, second)


def calls_of(study: Study, reader: int) -> PairedCalls:
    return paired_calls(study.decisions.truth, *study.decisions.values[reader])


def areas(study: Study, reader: int) -> tuple[float, float]:
    first, second = study.auc[reader]
    return float(first), float(second)


def gap(study: Study, reader: int) -> float:
    first, second = study.sensitivity[reader]
    return float(second - first)


def area_questions(worlds: Worlds) -> Iterator[Question]:
    """Areas of one reader; where methods draw by themselves, of the first reader only."""

    def compared(study: Study, reader: int) -> Estimated:
        return delong_test(study.ratings.truth, *study.ratings.values[reader])

    yield Question(
        "paired DeLong test of one reader", "type-I error",
        each_reader(worlds.same, lambda study, reader: delong_test(
            study.ratings.truth, *study.ratings.values[reader]).p < ALPHA),
    )  # fmt: skip
    yield Question(
        "paired DeLong interval of one reader", "coverage",
        each_reader(worlds.different, lambda study, reader: covers(
            compared(study, reader), areas(study, reader)[1] - areas(study, reader)[0])),
    )  # fmt: skip


def drawing_questions(worlds: Worlds) -> Iterator[Question]:
    def drawn(of: Callable[..., Tested], *given: object, replicates: int = REPLICATES) -> Ask:
        return first_reader(worlds.same, lambda study, seed: rejects(
            of(study.ratings.truth, *study.ratings.values[0], *given, replicates=replicates, seed=seed)
        ))  # fmt: skip

    yield Question("bootstrap test of two AUCs", "type-I error", drawn(bootstrap_test))
    interval = first_reader(worlds.different, lambda study, seed: covers(
        bootstrap_test(study.ratings.truth, *study.ratings.values[0], replicates=REPLICATES, seed=seed),
        areas(study, 0)[1] - areas(study, 0)[0],
    ))  # fmt: skip
    yield Question("difference of two AUCs, bootstrap", "coverage", interval)
    yield Question("bootstrap test of two partial AUCs", "type-I error", drawn(bootstrap_test, PART))
    yield Question("test of sensitivities at specificity 0.9, bootstrap", "type-I error", drawn(sensitivity_test, AT))
    yield Question("test of specificities at sensitivity 0.9, bootstrap", "type-I error", drawn(specificity_test, AT))
    permuted = drawn(venkatraman_test, replicates=PERMUTATIONS)
    yield Question("Venkatraman's permutation test", "type-I error", permuted)


def share_questions(worlds: Worlds) -> Iterator[Question]:
    """Sensitivities of one reader in two arms."""
    for test in TESTS:
        remark = CONSERVATIVE if test in ("exact", "corrected") else ""
        ask = each_reader(
            worlds.same, lambda study, reader, test=test: rejects(mcnemar(found_cases(study, reader), test))
        )
        yield Question(f"McNemar's test of one reader, {test}", "type-I error", ask, remark)
    for method in METHODS:
        ask = each_reader(worlds.different, lambda study, reader, method=method: holds(
            mcnemar(found_cases(study, reader)).confidence_interval(LEVEL, method), gap(study, reader)
        ))  # fmt: skip
        yield Question(f"difference of sensitivities, {method} interval", "coverage", ask)
    exact, middle = (partial(odds_hold, worlds.different, midp) for midp in (False, True))
    name = "odds ratio of discordant pairs, exact interval"
    yield Question(name, "coverage", each_reader(worlds.different, exact), CONSERVATIVE)
    # Its limits are searched for, which takes time.
    ask = first_reader(worlds.different, lambda study, _: middle(study, 0))
    yield Question("odds ratio of discordant pairs, mid-p interval", "coverage", ask)


def odds_hold(model: RoeMetz, midp: bool, study: Study, reader: int) -> bool:
    """Readings of a case by one reader correlate by case and reader x case."""
    first, second = study.sensitivity[reader]
    low, high = stats.norm.ppf(first), stats.norm.ppf(second)
    both = float(bivariate_normal(low, high, model.variances.case + model.variances.reader_case))
    return covers(odds_ratio(found_cases(study, reader), midp=midp), float((second - both) / (first - both)))


def margin_questions(worlds: Worlds) -> Iterator[Question]:
    """The second arm is worse by exactly the margin."""

    def area(study: Study, reader: int) -> MarginTest:
        first, second = areas(study, reader)
        return auc_margin_test(delong_test(study.ratings.truth, *study.ratings.values[reader]), first - second)

    def share(study: Study, reader: int) -> MarginTest:
        return paired_margin_test(found_cases(study, reader), -gap(study, reader))

    for name, of in (("AUC", area), ("sensitivity", share)):
        ask = each_reader(worlds.apart, lambda study, reader, of=of: of(study, reader).p < SMALL)
        where = "true difference at the margin"
        yield Question(f"non-inferiority of the {name} of one reader, {where}", "type-I error", ask, nominal=SMALL)
        ask = each_reader(far_apart(worlds.apart), lambda study, reader, of=of: of(study, reader).p_equivalence < SMALL)
        yield Question(f"equivalence of the {name} of one reader, {where}", "type-I error", ask, nominal=SMALL)


def far_apart(model: RoeMetz) -> RoeMetz:
    """So far that the other of the two tests of equivalence rejects always, and the promise is met and not undercut."""
    return replace(model, auc=(0.9, 0.65))


RELATIVE: tuple[tuple[str, Callable[[PairedCalls], Ratio], Truth], ...] = (
    ("relative sensitivity", relative_sensitivity, lambda sens, spec: sens[1] / sens[0]),
    ("relative specificity", relative_specificity, lambda sens, spec: spec[1] / spec[0]),
    ("relative false-positive fraction", relative_false_positives, lambda sens, spec: (1 - spec[1]) / (1 - spec[0])),
    (
        "relative positive likelihood ratio", partial(relative_likelihood_ratio, sign="positive"),
        lambda sens, spec: sens[1] / (1 - spec[1]) / (sens[0] / (1 - spec[0])),
    ),
    (
        "relative negative likelihood ratio", partial(relative_likelihood_ratio, sign="negative"),
        lambda sens, spec: (1 - sens[1]) / spec[1] / ((1 - sens[0]) / spec[0]),
    ),
)  # fmt: skip
VALUES: tuple[tuple[Sign, Callable[[float, float], float]], ...] = (
    ("positive", lambda sens, spec: sens / (sens + 1 - spec)),
    ("negative", lambda sens, spec: spec / (spec + 1 - sens)),
)


def rates(study: Study, reader: int) -> tuple[tuple[float, float], tuple[float, float]]:
    (a, b), (c, d) = study.sensitivity[reader], study.specificity[reader]
    return (float(a), float(b)), (float(c), float(d))


def relative_questions(worlds: Worlds) -> Iterator[Question]:
    for name, of, truth in RELATIVE:
        test = each_reader(worlds.same, lambda study, reader, of=of: rejects(of(calls_of(study, reader))))
        yield Question(name, "type-I error", test)
        interval = each_reader(worlds.different, lambda study, reader, of=of, truth=truth: covers(
            of(calls_of(study, reader)), truth(*rates(study, reader))
        ))  # fmt: skip
        yield Question(name, "coverage", interval)


def predictive_questions(worlds: Worlds) -> Iterator[Question]:
    """In a cohort, half of whose cases are diseased on average."""
    for sign in SIGNS:
        for method in PREDICTIVE_METHODS:
            ask = of_cohort(worlds.same, lambda study, reader, sign=sign, method=method: rejects(
                predictive_test(calls_of(study, reader), sign, method)
            ))  # fmt: skip
            yield Question(f"{sign} predictive values, {method}", "type-I error", ask)
    for sign, value in VALUES:

        def ratio(study: Study, reader: int, sign: Sign = sign) -> Ratio:
            found = relative_predictive_values(calls_of(study, reader))
            return found.positive if sign == "positive" else found.negative

        def truth(study: Study, reader: int, value: Callable[[float, float], float] = value) -> tuple[float, float]:
            sens, spec = rates(study, reader)
            return value(sens[0], spec[0]), value(sens[1], spec[1])

        name = f"relative {sign} predictive value"
        yield Question(name, "type-I error", of_cohort(worlds.same, lambda s, r, ratio=ratio: rejects(ratio(s, r))))
        ask = of_cohort(worlds.different, lambda s, r, ratio=ratio, truth=truth: covers(
            ratio(s, r), truth(s, r)[1] / truth(s, r)[0]
        ))  # fmt: skip
        yield Question(name, "coverage", ask)
        ask = of_cohort(worlds.different, lambda s, r, sign=sign, truth=truth: covers(
            predictive_test(calls_of(s, r), sign), truth(s, r)[1] - truth(s, r)[0]
        ))  # fmt: skip
        yield Question(f"difference of {sign} predictive values", "coverage", ask)


def readers_alike(model: RoeMetz) -> RoeMetz:
    return replace(model, variances=replace(model.variances, reader=0.0, arm_reader=0.0))


def readers_differ(study: Study) -> bool:
    """Cochran's Q over the readers of one arm, on diseased cases."""
    return rejects(cochran_q(study.decisions.values[:, 0][:, study.decisions.truth].T))


def unpaired(model: RoeMetz, of: Callable[..., Tested], **given: int) -> Ask:
    """The first reader of one study against the first reader of another, both of the same area."""

    def ask(generator: np.random.Generator) -> Outcomes:
        one, two = (model.draw(generator).ratings for _ in range(2))
        own = {"seed": seed_of(generator), **given} if given else {}
        return [rejects(of(one.truth, one.values[0, 0], two.truth, two.values[0, 0], **own))]

    return ask


def unpaired_questions(model: RoeMetz) -> Iterator[Question]:
    yield Question("unpaired DeLong test", "type-I error", unpaired(model, delong_test_unpaired))
    yield Question("difference of unpaired AUCs, DeLong", "coverage", partial(unpaired_holds, model))
    drawn = unpaired(model, bootstrap_test_unpaired, replicates=REPLICATES)
    yield Question("unpaired bootstrap test of AUCs", "type-I error", drawn)
    permuted = unpaired(model, venkatraman_test_unpaired, replicates=PERMUTATIONS // 2)
    yield Question("unpaired permutation test of Venkatraman", "type-I error", permuted)


def unpaired_holds(model: RoeMetz, generator: np.random.Generator) -> Outcomes:
    one, two = (model.draw(generator).ratings for _ in range(2))
    return [covers(delong_test_unpaired(one.truth, one.values[0, 0], two.truth, two.values[0, 0]), 0.0)]


def paired_questions(worlds: Worlds) -> Iterator[Question]:
    """Tests and intervals of one reader between two arms; in the world of tests no reader responds to the arm."""
    yield from area_questions(worlds)
    yield from drawing_questions(worlds)
    yield from share_questions(worlds)
    yield from margin_questions(worlds)
    yield from relative_questions(worlds)
    yield from predictive_questions(worlds)
    alike = readers_alike(worlds.same)
    yield Question("Cochran's Q over readers", "type-I error", whole(alike, readers_differ))
    yield from unpaired_questions(alike)
