"""Questions to methods for one reader in two arms, and for two ratings of different cases."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import get_args

import numpy as np
from scipy import stats

from analysis.binormal import BinormalCurve
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
    covered,
    covers,
    each_reader,
    first_reader,
    holds,
    rejected,
    rejects,
    seed_of,
    several,
    whole,
)
from analysis.coverage_ratios import predictive_questions, relative_questions
from analysis.coverage_single import curve_of
from analysis.delong import AucDifference, delong_covariance, delong_test, delong_test_unpaired
from analysis.interval import wald
from analysis.margins import MarginTest, auc_margin_test, paired_margin_test
from analysis.operating_tests import bootstrap_test_unpaired, sensitivity_test, specificity_test
from analysis.paired import (
    Alternative,
    McNemar,
    Method,
    OddsRatio,
    PairedTable,
    Test,
    mcnemar,
    odds_ratio,
    paired_table,
)
from analysis.ratings import Floats
from analysis.simulation import RoeMetz, Study
from analysis.venkatraman import venkatraman_test, venkatraman_test_unpaired

REPLICATES = 500
PERMUTATIONS = 200
PART = Part("specificity", 0.8, 1.0)
AT = 0.9
SMALL = ALPHA / 2
SPARSE = "on the safe side: few of 60 cases lie near one point of a curve, and the bootstrap is too wide there"
FEW = "a dozen discordant pairs are few, and counts jump; less so than the exact interval"
REMARKS = {"bonett-price": "adds a case to both discordant counts, which is on the safe side where these are few"}
ONE_OR_TWO: tuple[tuple[Alternative, str], ...] = (("two-sided", ""), ("greater", ", one-sided"))
FEW_CASES = "six areas at once from 60 cases of a class: the chi-square takes their covariance for known"
Ask = Callable[[np.random.Generator], Outcomes]


def found_cases(study: Study, reader: int) -> PairedTable:
    """Diseased cases found by one reader in the two arms."""
    first, second = study.decisions.values[reader][:, study.decisions.truth]
    return paired_table(first, second)


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

    def interval(of: Callable[..., Estimated], truth: Callable[[BinormalCurve], float], *given: object) -> Ask:
        def ask(study: Study, seed: int) -> bool:
            one, two = (truth(curve_of(study, 0, arm)) for arm in (0, 1))
            first, second = study.ratings.values[0]
            found = of(study.ratings.truth, first, second, *given, replicates=REPLICATES, seed=seed)
            return covers(found, two - one)

        return first_reader(worlds.different, ask)

    yield Question("bootstrap test of two AUCs", "type-I error", drawn(bootstrap_test))
    name = "difference of two AUCs, bootstrap"
    yield Question(name, "coverage", interval(bootstrap_test, lambda curve: curve.area))
    yield Question("bootstrap test of two partial AUCs", "type-I error", drawn(bootstrap_test, PART))
    name = "test of sensitivities at specificity 0.9, bootstrap"
    yield Question(name, "type-I error", drawn(sensitivity_test, AT), SPARSE)
    name = "test of specificities at sensitivity 0.9, bootstrap"
    yield Question(name, "type-I error", drawn(specificity_test, AT), SPARSE)
    name = "difference of sensitivities at specificity 0.9, bootstrap"
    yield Question(name, "coverage", interval(sensitivity_test, lambda curve: curve.sensitivity_at(AT), AT), SPARSE)
    name = "difference of specificities at sensitivity 0.9, bootstrap"
    yield Question(name, "coverage", interval(specificity_test, lambda curve: curve.specificity_at(AT), AT), SPARSE)
    permuted = drawn(venkatraman_test, replicates=PERMUTATIONS)
    yield Question("Venkatraman's permutation test", "type-I error", permuted)


def tested_shares(test: Test, alternative: Alternative, study: Study, reader: int) -> McNemar:
    return mcnemar(found_cases(study, reader), test, alternative)


def difference_holds(method: Method, study: Study, reader: int) -> bool:
    found = mcnemar(found_cases(study, reader)).confidence_interval(LEVEL, method)
    return holds(found, gap(study, reader))


def share_questions(worlds: Worlds) -> Iterator[Question]:
    """Sensitivities of one reader in two arms."""
    tests: tuple[Test, ...] = get_args(Test)
    methods: tuple[Method, ...] = get_args(Method)
    for test in tests:
        remark = CONSERVATIVE if test in ("exact", "corrected") else ""
        for alternative, word in ONE_OR_TWO:
            ask = each_reader(worlds.same, rejected(partial(tested_shares, test, alternative)))
            yield Question(f"McNemar's test of one reader, {test}{word}", "type-I error", ask, remark)
    for method in methods:
        ask = each_reader(worlds.different, partial(difference_holds, method))
        yield Question(f"difference of sensitivities, {method} interval", "coverage", ask, REMARKS.get(method, ""))
    for midp, word in ((False, "exact"), (True, "mid-p")):
        ask = each_reader(worlds.same, rejected(partial(odds_of, midp)))
        remark = "" if midp else CONSERVATIVE
        yield Question(f"odds ratio of discordant pairs, {word} test", "type-I error", ask, remark)
    exact, middle = (partial(odds_hold, worlds.different, midp) for midp in (False, True))
    name = "odds ratio of discordant pairs, exact interval"
    yield Question(name, "coverage", each_reader(worlds.different, exact), CONSERVATIVE)
    # Its limits are searched for, which takes time.
    ask = first_reader(worlds.different, lambda study, _: middle(study, 0))
    yield Question("odds ratio of discordant pairs, mid-p interval", "coverage", ask, FEW)


def odds_of(midp: bool, study: Study, reader: int) -> OddsRatio:
    return odds_ratio(found_cases(study, reader), midp=midp)


def odds_hold(model: RoeMetz, midp: bool, study: Study, reader: int) -> bool:
    """Readings of a case by one reader correlate by case and reader x case."""
    first, second = study.sensitivity[reader]
    low, high = stats.norm.ppf(first), stats.norm.ppf(second)
    both = float(bivariate_normal(low, high, model.variances.case + model.variances.reader_case))
    return covers(odds_of(midp, study, reader), float((second - both) / (first - both)))


def area_margin(study: Study, reader: int, margin: float) -> MarginTest:
    return auc_margin_test(compared(study, reader), margin)


def share_margin(study: Study, reader: int, margin: float) -> MarginTest:
    return paired_margin_test(found_cases(study, reader), margin)


AgainstMargin = Callable[[Study, int, float], MarginTest]
MARGINS: tuple[tuple[str, AgainstMargin, Callable[[Study, int], float]], ...] = (
    ("AUC", area_margin, area_gap),
    ("sensitivity", share_margin, gap),
)


def at_margin(of: AgainstMargin, truth: Callable[[Study, int], float], study: Study, reader: int) -> MarginTest:
    """Against a margin by which the second arm is worse in truth."""
    return of(study, reader, -truth(study, reader))


def inferior(of: Callable[[Study, int], MarginTest], study: Study, reader: int) -> bool:
    """A second arm that lies at the margin is called non-inferior."""
    return of(study, reader).p < SMALL


def unequal(of: Callable[[Study, int], MarginTest], study: Study, reader: int) -> bool:
    """A second arm that lies at the margin is called equivalent."""
    return of(study, reader).p_equivalence < SMALL


def better(of: AgainstMargin, study: Study, reader: int) -> bool:
    """A second arm that is as good is called better."""
    return of(study, reader, 0.1).p_superiority < SMALL


def margin_questions(worlds: Worlds) -> Iterator[Question]:
    """The second arm is worse by exactly the margin; for superiority it is as good as the first."""
    where = "true difference at the margin"
    for name, of, truth in MARGINS:
        found = partial(at_margin, of, truth)
        ask = each_reader(worlds.apart, partial(inferior, found))
        yield Question(f"non-inferiority of the {name} of one reader, {where}", "type-I error", ask, nominal=SMALL)
        ask = each_reader(far_apart(worlds.apart), partial(unequal, found))
        yield Question(f"equivalence of the {name} of one reader, {where}", "type-I error", ask, nominal=SMALL)
        ask = each_reader(worlds.same, partial(better, of))
        yield Question(f"superiority of the {name} of one reader", "type-I error", ask, nominal=SMALL)
        interval = each_reader(worlds.apart, covered(found, truth))
        yield Question(f"difference of the {name} of one reader beside its margin", "coverage", interval)


def far_apart(model: RoeMetz) -> RoeMetz:
    """So far that the other of the two tests of equivalence rejects always, and the promise is met and not undercut."""
    return replace(model, auc=(0.9, 0.65))


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
    name = "difference of unpaired AUCs, bootstrap"
    yield Question(name, "coverage", partial(unpaired_holds, model, replicates=REPLICATES))
    drawn = unpaired(model, bootstrap_test_unpaired, replicates=REPLICATES)
    yield Question("unpaired bootstrap test of AUCs", "type-I error", drawn)
    permuted = unpaired(model, venkatraman_test_unpaired, replicates=PERMUTATIONS // 2)
    yield Question("unpaired permutation test of Venkatraman", "type-I error", permuted)


def unpaired_holds(model: RoeMetz, generator: np.random.Generator, replicates: int = 0) -> Outcomes:
    """By the bootstrap where replicates are asked for."""
    one, two = (model.draw(generator).ratings for _ in range(2))
    both = (one.truth, one.values[0, 0], two.truth, two.values[0, 0])
    if replicates:
        return [covers(bootstrap_test_unpaired(*both, replicates=replicates, seed=seed_of(generator)), 0.0)]
    return [covers(delong_test_unpaired(*both), 0.0)]


def several_areas(study: Study) -> tuple[Floats, Floats]:
    """AUCs of all readers in the first arm, less the first reader's, with their covariance."""
    areas, covariance = delong_covariance(study.ratings.truth, study.ratings.values[:, 0])
    less = np.hstack([-np.ones((len(areas) - 1, 1)), np.eye(len(areas) - 1)])
    return less @ areas, less @ covariance @ less.T


def areas_equal(study: Study) -> bool:
    """DeLong et al. (1988), eq. 8: chi-square of all contrasts together."""
    steps, covariance = several_areas(study)
    return float(stats.chi2.sf(steps @ np.linalg.solve(covariance, steps), len(steps))) < ALPHA


def contrast_holds(study: Study) -> bool:
    """The mean of all other readers less the first."""
    steps, covariance = several_areas(study)
    found = wald(float(steps.mean()), math.sqrt(float(covariance.mean())), LEVEL)
    return holds(found, 0.0)


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
    yield Question("equality of six AUCs, DeLong's chi-square", "type-I error", whole(alike, areas_equal), FEW_CASES)
    yield Question("contrast of six AUCs, DeLong's covariance", "coverage", whole(alike, contrast_holds))
    yield from unpaired_questions(alike)
