"""Questions to methods for one reader: areas, proportions, paired comparisons, units within patients."""

from collections.abc import Iterator
from functools import partial

from analysis.coverage import LEVEL, Question, Worlds, each_reader, holds, per_reader
from analysis.delong import METHODS, IntervalMethod, delong_auc, delong_test
from analysis.paired import TESTS, Method, PairedTable, Test, mcnemar, paired_table
from analysis.proportions import Method as ShareMethod
from analysis.proportions import confusion_table, sensitivity, specificity
from analysis.simulation import Study

ALPHA = 1 - LEVEL
CONSERVATIVE = "conservative by construction: never below what it promises"


def area_holds(method: IntervalMethod, study: Study, reader: int, arm: int) -> bool:
    found = delong_auc(study.ratings.truth, study.ratings.values[reader, arm], method)
    return holds(found.confidence_interval(LEVEL), float(study.auc[reader, arm]))


def share_holds(method: ShareMethod, diseased: bool, study: Study, reader: int, arm: int) -> bool:
    table = confusion_table(study.decisions.truth, study.decisions.values[reader, arm])
    found = sensitivity(table, method) if diseased else specificity(table, method)
    truth = study.sensitivity if diseased else study.specificity
    return holds(found.confidence_interval(LEVEL), float(truth[reader, arm]))


def table_of(study: Study, reader: int) -> PairedTable:
    """Diseased cases found by one reader in the two arms."""
    first, second = study.decisions.values[reader][:, study.decisions.truth]
    return paired_table(first, second)


def delong_rejects(study: Study, reader: int) -> bool:
    return delong_test(study.ratings.truth, *study.ratings.values[reader]).p < ALPHA


def delong_holds(study: Study, reader: int) -> bool:
    found = delong_test(study.ratings.truth, *study.ratings.values[reader])
    return holds(found.confidence_interval(LEVEL), float(study.auc[reader, 1] - study.auc[reader, 0]))


def mcnemar_rejects(test: Test, study: Study, reader: int) -> bool:
    return mcnemar(table_of(study, reader), test).p < ALPHA


def difference_holds(method: Method, study: Study, reader: int) -> bool:
    found = mcnemar(table_of(study, reader)).confidence_interval(LEVEL, method)
    return holds(found, float(study.sensitivity[reader, 1] - study.sensitivity[reader, 0]))


def single_reader_questions(worlds: Worlds) -> Iterator[Question]:
    """Intervals of one reader in one arm."""
    model = worlds.different
    for method in METHODS:
        name = f"AUC of one reader, {method} interval"
        yield Question(name, "coverage", per_reader(model, partial(area_holds, method)))
    methods: tuple[ShareMethod, ...] = ("wilson", "clopper-pearson")
    for way in methods:
        remark = CONSERVATIVE if way == "clopper-pearson" else ""
        for diseased, word in ((True, "sensitivity"), (False, "specificity")):
            ask = per_reader(model, partial(share_holds, way, diseased))
            yield Question(f"{word} of one reader, {way} interval", "coverage", ask, remark)


def paired_questions(worlds: Worlds) -> Iterator[Question]:
    """Tests and intervals of one reader between two arms; in the world of tests no reader responds to the arm."""
    yield Question("paired DeLong test of one reader", "type-I error", each_reader(worlds.same, delong_rejects))
    yield Question("paired DeLong interval of one reader", "coverage", each_reader(worlds.different, delong_holds))
    for test in TESTS:
        remark = CONSERVATIVE if test in ("exact", "corrected") else ""
        ask = each_reader(worlds.same, partial(mcnemar_rejects, test))
        yield Question(f"McNemar's test of one reader, {test}", "type-I error", ask, remark)
    methods: tuple[Method, ...] = ("newcombe", "tango", "wald")
    for method in methods:
        ask = each_reader(worlds.different, partial(difference_holds, method))
        yield Question(f"difference of sensitivities, {method} interval", "coverage", ask)
