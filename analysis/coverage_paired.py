"""Questions to methods for one reader in two arms, and for two ratings of different cases."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import get_args

import numpy as np
from scipy import stats

from analysis.bootstrapped import Part, bootstrap_test
from analysis.cochran import cochran_q
from analysis.conversions import bivariate_normal
from analysis.coverage import (
    ALPHA,
    CONSERVATIVE,
    LEVEL,
    Outcomes,
    Question,
    Tested,
    Worlds,
    covered,
    covers,
    each_reader,
    first_reader,
    holds,
    of_cohort,
    rejected,
    rejects,
    seed_of,
    several,
    whole,
)
from analysis.delong import AucDifference, delong_test, delong_test_unpaired
from analysis.margins import MarginTest, auc_margin_test, paired_margin_test
from analysis.operating_tests import bootstrap_test_unpaired, sensitivity_test, specificity_test
from analysis.paired import McNemar, Method, PairedTable, Test, mcnemar, odds_ratio, paired_table
from analysis.predictive import Method as PredictiveMethod
from analysis.predictive import (
    PredictiveDifference,
    Sign,
    predictive_test,
    relative_likelihood_ratio,
    relative_predictive_values,
)
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
SPARSE = "on the safe side: few cases lie near one point of a curve, and the bootstrap's standard error is too large"
FEW = "a dozen discordant pairs are few, and counts jump; less so than the exact interval"
REMARKS = {"bonett-price": "adds a case to both discordant counts, which is on the safe side where these are few"}
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


def compared(study: Study, reader: int) -> AucDifference:
    one, two = study.ratings.values[reader]
    return delong_test(study.ratings.truth, one, two)


def area_gap(study: Study, reader: int) -> float:
    first, second = areas(study, reader)
    return second - first


def area_questions(worlds: Worlds) -> Iterator[Question]:
    yield Question("paired DeLong test of one reader", "type-I error", each_reader(worlds.same, rejected(compared)))
    interval = each_reader(worlds.different, covered(compared, area_gap))
    yield Question("paired DeLong interval of one reader", "coverage", interval)


def drawing_questions(worlds: Worlds) -> Iterator[Question]:
    def drawn(of: Callable[..., Tested], *given: object, replicates: int = REPLICATES) -> Ask:
        def ask(study: Study, seed: int) -> bool:
            return rejects(of(study.ratings.truth, *study.ratings.values[0], *given, replicates=replicates, seed=seed))

        return first_reader(worlds.same, ask)

    def interval(study: Study, seed: int) -> bool:
        first, second = study.ratings.values[0]
        found = bootstrap_test(study.ratings.truth, first, second, replicates=REPLICATES, seed=seed)
        return covers(found, area_gap(study, 0))

    yield Question("bootstrap test of two AUCs", "type-I error", drawn(bootstrap_test))
    yield Question("difference of two AUCs, bootstrap", "coverage", first_reader(worlds.different, interval))
    yield Question("bootstrap test of two partial AUCs", "type-I error", drawn(bootstrap_test, PART))
    name = "test of sensitivities at specificity 0.9, bootstrap"
    yield Question(name, "type-I error", drawn(sensitivity_test, AT), SPARSE)
    name = "test of specificities at sensitivity 0.9, bootstrap"
    yield Question(name, "type-I error", drawn(specificity_test, AT), SPARSE)
    permuted = drawn(venkatraman_test, replicates=PERMUTATIONS)
    yield Question("Venkatraman's permutation test", "type-I error", permuted)


def tested_shares(test: Test, study: Study, reader: int) -> McNemar:
    return mcnemar(found_cases(study, reader), test)


def difference_holds(method: Method, study: Study, reader: int) -> bool:
    found = mcnemar(found_cases(study, reader)).confidence_interval(LEVEL, method)
    return holds(found, gap(study, reader))


def share_questions(worlds: Worlds) -> Iterator[Question]:
    """Sensitivities of one reader in two arms."""
    tests: tuple[Test, ...] = get_args(Test)
    methods: tuple[Method, ...] = get_args(Method)
    for test in tests:
        remark = CONSERVATIVE if test in ("exact", "corrected") else ""
        ask = each_reader(worlds.same, rejected(partial(tested_shares, test)))
        yield Question(f"McNemar's test of one reader, {test}", "type-I error", ask, remark)
    for method in methods:
        ask = each_reader(worlds.different, partial(difference_holds, method))
        yield Question(f"difference of sensitivities, {method} interval", "coverage", ask, REMARKS.get(method, ""))
    exact, middle = (partial(odds_hold, worlds.different, midp) for midp in (False, True))
    name = "odds ratio of discordant pairs, exact interval"
    yield Question(name, "coverage", each_reader(worlds.different, exact), CONSERVATIVE)
    # Its limits are searched for, which takes time.
    ask = first_reader(worlds.different, lambda study, _: middle(study, 0))
    yield Question("odds ratio of discordant pairs, mid-p interval", "coverage", ask, FEW)


def odds_hold(model: RoeMetz, midp: bool, study: Study, reader: int) -> bool:
    """Readings of a case by one reader correlate by case and reader x case."""
    first, second = study.sensitivity[reader]
    low, high = stats.norm.ppf(first), stats.norm.ppf(second)
    both = float(bivariate_normal(low, high, model.variances.case + model.variances.reader_case))
    return covers(odds_ratio(found_cases(study, reader), midp=midp), float((second - both) / (first - both)))


def area_margin(study: Study, reader: int) -> MarginTest:
    return auc_margin_test(compared(study, reader), -area_gap(study, reader))


def share_margin(study: Study, reader: int) -> MarginTest:
    return paired_margin_test(found_cases(study, reader), -gap(study, reader))


def inferior(of: Callable[[Study, int], MarginTest], study: Study, reader: int) -> bool:
    """A second arm that lies at the margin is called non-inferior."""
    return of(study, reader).p < SMALL


def unequal(of: Callable[[Study, int], MarginTest], study: Study, reader: int) -> bool:
    """A second arm that lies at the margin is called equivalent."""
    return of(study, reader).p_equivalence < SMALL


def margin_questions(worlds: Worlds) -> Iterator[Question]:
    """The second arm is worse by exactly the margin."""
    where = "true difference at the margin"
    for name, of in (("AUC", area_margin), ("sensitivity", share_margin)):
        ask = each_reader(worlds.apart, partial(inferior, of))
        yield Question(f"non-inferiority of the {name} of one reader, {where}", "type-I error", ask, nominal=SMALL)
        ask = each_reader(far_apart(worlds.apart), partial(unequal, of))
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
VALUES: dict[Sign, Callable[[float, float], float]] = {
    "positive": lambda sens, spec: sens / (sens + 1 - spec),
    "negative": lambda sens, spec: spec / (spec + 1 - sens),
}


def rates(study: Study, reader: int) -> tuple[tuple[float, float], tuple[float, float]]:
    (a, b), (c, d) = study.sensitivity[reader], study.specificity[reader]
    return (float(a), float(b)), (float(c), float(d))


def relative_of(of: Callable[[PairedCalls], Ratio], study: Study, reader: int) -> Ratio:
    return of(calls_of(study, reader))


def true_ratio(truth: Truth, study: Study, reader: int) -> float:
    return truth(*rates(study, reader))


def relative_questions(worlds: Worlds) -> Iterator[Question]:
    for name, of, truth in RELATIVE:
        found = partial(relative_of, of)
        yield Question(name, "type-I error", each_reader(worlds.same, rejected(found)))
        interval = each_reader(worlds.different, covered(found, partial(true_ratio, truth)))
        yield Question(name, "coverage", interval)


def tested_values(sign: Sign, method: PredictiveMethod, study: Study, reader: int) -> PredictiveDifference:
    return predictive_test(calls_of(study, reader), sign, method)


def value_ratio(sign: Sign, study: Study, reader: int) -> Ratio:
    found = relative_predictive_values(calls_of(study, reader))
    return found.positive if sign == "positive" else found.negative


def true_values(sign: Sign, study: Study, reader: int) -> tuple[float, float]:
    first, second = zip(*rates(study, reader), strict=True)
    return VALUES[sign](*first), VALUES[sign](*second)


def true_value_ratio(sign: Sign, study: Study, reader: int) -> float:
    first, second = true_values(sign, study, reader)
    return second / first


def true_value_difference(sign: Sign, study: Study, reader: int) -> float:
    first, second = true_values(sign, study, reader)
    return second - first


def predictive_questions(worlds: Worlds) -> Iterator[Question]:
    """In a cohort, half of whose cases are diseased on average."""
    signs: tuple[Sign, ...] = get_args(Sign)
    ways: tuple[PredictiveMethod, ...] = get_args(PredictiveMethod)
    for sign in signs:
        for method in ways:
            ask = of_cohort(worlds.same, rejected(partial(tested_values, sign, method)))
            yield Question(f"{sign} predictive values, {method}", "type-I error", ask)
    for sign in signs:
        name, ratio = f"relative {sign} predictive value", partial(value_ratio, sign)
        yield Question(name, "type-I error", of_cohort(worlds.same, rejected(ratio)))
        interval = of_cohort(worlds.different, covered(ratio, partial(true_value_ratio, sign)))
        yield Question(name, "coverage", interval)
        difference = covered(partial(tested_values, sign, "kosinski"), partial(true_value_difference, sign))
        name = f"difference of {sign} predictive values"
        yield Question(name, "coverage", of_cohort(worlds.different, difference))


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
    several_readers = Question("Cochran's Q over readers", "type-I error", whole(alike, readers_differ))
    yield from several(iter([several_readers]), 4)
    yield from unpaired_questions(alike)
