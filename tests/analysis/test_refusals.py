"""Every refusal of the core methods, whole: the sentence is all that the person who asked gets to see."""

from collections.abc import Callable

import numpy as np
import pytest

from analysis.case_bootstrap import bootstrap_covariance
from analysis.covariance import covariance, figures_of_merit
from analysis.delong import delong_auc, delong_test
from analysis.errors import CannotAnalyse
from analysis.merit_names import merit_named
from analysis.merits import Auc
from analysis.mrmc import Estimates, analyse, obuchowski_rockette
from analysis.paired import PairedTable, mcnemar, newcombe, odds_ratio, padded, paired_table, tango
from analysis.proportions import ConfusionTable, confusion_table, f1, proportion, youden
from analysis.ratings import Floats, Ratings
from analysis.roc import operating_point, partial_area, roc_curve, sensitivity_at

TRUTH = np.array([False, False, True, True])
RATING = np.array([1.0, 2, 2, 3])
SICK, HEALTHY = np.ones(2, dtype=bool), np.zeros(2, dtype=bool)
CURVE = roc_curve(TRUTH, RATING)
NONE = PairedTable(0, 0, 0, 0)
NAN = np.nan


def rated(*cells: list[list[float]], truth: "list[bool] | None" = None) -> Ratings:
    """Readers R, S, ... in arms A, B, ...: one list of arms per reader, one list of cases per arm."""
    values = np.array(cells, dtype=float)
    cases = tuple(str(place) for place in range(values.shape[2]))
    right = TRUTH if truth is None else np.array(truth)
    return Ratings(tuple("RSTU"[: len(values)]), tuple("ABC"[: values.shape[1]]), cases, right, values)


PLAIN = rated([[1, 2, 2, 3], [1, 2, 3, 4]], [[2, 1, 1, 3], [1, 1, 2, 1]])


def dice(values: list[list[float]], matrix: Floats) -> Estimates:
    return Estimates("dice", tuple("RSTU"[: len(values)]), ("A", "B"), np.array(values), matrix)


REFUSALS: dict[str, tuple[Callable[[], object], str]] = {
    "curve of nothing": (
        lambda: roc_curve(np.zeros(0, dtype=bool), np.zeros(0)),
        "There are no rated cases.",
    ),
    "curve of healthy cases": (
        lambda: roc_curve(HEALTHY, np.ones(2)),
        "There is no diseased case among those rated, so the ROC curve does not exist.",
    ),
    "curve of diseased cases": (
        lambda: operating_point(SICK, np.ones(2), 1.0),
        "There is no non-diseased case among those rated, so the ROC curve does not exist.",
    ),
    "axis": (
        lambda: partial_area(CURVE, "threshold", 0, 1),  # type: ignore[arg-type]
        "A partial area runs over specificity or sensitivity, not over threshold.",
    ),
    "range": (
        lambda: partial_area(CURVE, "specificity", 0.8, 0.25),
        "A partial area needs 0 <= low < high <= 1, not 0.8 and 0.25.",
    ),
    "place": (
        lambda: sensitivity_at(CURVE, 1.25),
        "A specificity or sensitivity lies between 0 and 1, not at 1.25.",
    ),
    "interval of an area": (
        lambda: delong_auc(TRUTH, RATING, "wald"),  # type: ignore[arg-type]
        "An AUC has a delong, logit, hanley-mcneil interval, not wald.",
    ),
    "one diseased case": (
        lambda: delong_auc(np.array([True, False, False]), np.arange(3.0)),
        "There is only one diseased case, and the variance of an AUC needs at least two.",
    ),
    "one non-diseased case": (
        lambda: delong_auc(np.array([True, True, False]), np.arange(3.0)),
        "There is only one non-diseased case, and the variance of an AUC needs at least two.",
    ),
    "areas without variance": (
        lambda: delong_test(TRUTH, np.ones(4), np.array([1.0, 1, 2, 2])),
        "The AUCs 0.5 and 1 differ without any variance, so their difference cannot be tested.",
    ),
    "interval of a paired difference": (
        lambda: mcnemar(PairedTable(1, 1, 1, 1)).confidence_interval(method="exact"),  # type: ignore[arg-type]
        "The paired difference has a newcombe, tango, wald, wald-corrected, agresti-min, bonett-price interval, "
        "not exact.",
    ),
    "McNemar's test": (
        lambda: mcnemar(PairedTable(1, 1, 1, 1), "yates"),  # type: ignore[arg-type]
        "McNemar's test is exact, midp, asymptotic, corrected, not yates.",
    ),
    "alternative": (
        lambda: mcnemar(PairedTable(1, 1, 1, 1), "exact", "larger"),  # type: ignore[arg-type]
        "The alternative is two-sided, greater, less, not larger.",
    ),
    "paired outcomes of other cases": (
        lambda: paired_table(np.ones(1), np.ones(2)),
        "Paired outcomes must be of the same cases, not 1 and 2.",
    ),
    "paired outcomes that are none": (
        lambda: paired_table(np.ones(1), np.array([2.0])),
        "A paired outcome must be 0 or 1; at least one is neither.",
    ),
    "test of no pairs": (
        lambda: mcnemar(NONE),
        "There are no cases decided in both arms, so no paired test exists.",
    ),
    "difference of no pairs": (
        lambda: tango(NONE),
        "There are no cases decided in both arms, so the difference does not exist.",
    ),
    "padded difference of no pairs": (
        lambda: padded(NONE, 1.0, 0.95),
        "There are no cases decided in both arms, so the difference does not exist.",
    ),
    "proportions of no pairs": (
        lambda: newcombe(NONE),
        "There are no pairs, so the proportion does not exist.",
    ),
    "odds ratio": (
        lambda: odds_ratio(PairedTable(5, 0, 0, 5)),
        "No case was decided differently, so the odds ratio of the discordant pairs does not exist.",
    ),
    "interval of a share": (
        lambda: proportion(1, 2, "jeffreys"),  # type: ignore[arg-type]
        "A proportion has a wilson, clopper-pearson, wilson-corrected, agresti-coull, logit, cloglog, wald interval, "
        "not jeffreys.",
    ),
    "share of nothing": (
        lambda: proportion(0, 0),
        "There are no cases, so the proportion does not exist.",
    ),
    "more than all": (
        lambda: proportion(3, 2, of="calls"),
        "3 successes among 2 calls are not possible.",
    ),
    "decision": (
        lambda: confusion_table(np.array([True]), np.array([0.5])),
        "A decision must be 0 or 1; at least one is neither.",
    ),
    "F1": (
        lambda: f1(ConfusionTable(tp=0, fp=0, tn=5, fn=0)),
        "There is neither a diseased case nor a positive call, so F1 does not exist.",
    ),
    "interval of Youden's index": (
        lambda: youden(ConfusionTable(1, 1, 1, 1), "wald"),  # type: ignore[arg-type]
        "Youden's index has a newcombe or a limits interval, not wald.",
    ),
    "covariance": (
        lambda: covariance(figures_of_merit(PLAIN), "hanley"),  # type: ignore[arg-type]
        "The covariance is delong, jackknife, unbiased, bootstrap, not hanley.",
    ),
    "DeLong of a figure that is no mean": (
        lambda: covariance(figures_of_merit(PLAIN, "eu:1"), "delong"),
        "The DeLong covariance exists for the AUC and for shares of decisions, not for eu:1; "
        "use the jackknife or the bootstrap.",
    ),
    "unbiased of a figure that is no mean": (
        lambda: covariance(figures_of_merit(PLAIN, "eu:1"), "unbiased"),
        "The unbiased covariance exists for the AUC and for shares of decisions, not for eu:1; "
        "use the jackknife or the bootstrap.",
    ),
    "DeLong with gaps": (
        lambda: covariance(figures_of_merit(rated([[1, 2, 2, 3]], [[NAN, 2, NAN, 3]])), "delong"),
        "2 readings are missing, and the DeLong covariance needs every reader to have read every case in every arm; "
        "use the jackknife or the unbiased covariance.",
    ),
    "covariance over one diseased case": (
        lambda: covariance(figures_of_merit(rated([[1, 2, 2, 3]], [[1, 2, NAN, 3]])), "jackknife"),
        "The covariance needs at least two diseased cases from every reader in every arm.",
    ),
    "covariance over one non-diseased case": (
        lambda: covariance(figures_of_merit(rated([[1, 2, 2, 3]], [[1, NAN, 2, 3]])), "unbiased"),
        "The covariance needs at least two non-diseased cases from every reader in every arm.",
    ),
    "a reader without a class": (
        lambda: figures_of_merit(rated([[1, 2, 2, 3], [1, 2, 2, 3]], [[1, 2, 2, 3], [1, 2, NAN, NAN]])),
        "Reader S in arm B: There is no diseased case among those rated, so the ROC curve does not exist.",
    ),
    "random single reader": (
        lambda: obuchowski_rockette(rated([[1, 2, 2, 3], [1, 2, 3, 4]])),
        "There is only one reader, so readers cannot be random; analyse them as fixed.",
    ),
    "unread arm": (
        lambda: obuchowski_rockette(rated([[1, 2, 2, 3], [NAN] * 4], [[1, 2, 2, 3], [NAN] * 4])),
        "Nobody read in arm B.",
    ),
    "one gap": (
        lambda: obuchowski_rockette(rated([[1, 2, 2, 3], [1, 2, 2, 3]], [[1, 2, 2, 3], [NAN] * 4])),
        "Reader S read nothing in arm B, and this analysis needs every reader in every arm.",
    ),
    "two gaps": (
        lambda: obuchowski_rockette(
            rated([[1, 2, 2, 3], [1, 2, 2, 3]], [[1, 2, 2, 3], [NAN] * 4], [[NAN] * 4, [1, 2, 2, 3]])
        ),
        "Reader S read nothing in arm B (and 1 more such gaps), and this analysis needs every reader in every arm.",
    ),
    "readers that are arms": (
        lambda: obuchowski_rockette(rated([[1, 2, 2, 3], [NAN] * 4], [[NAN] * 4, [1, 2, 1, 3]])),
        "Every arm has one reader of its own, so readers cannot be told from arms.",
    ),
    "sampling of readers": (
        lambda: obuchowski_rockette(PLAIN, readers="mixed"),  # type: ignore[arg-type]
        "Readers and cases are random or fixed.",
    ),
    "sampling of cases": (
        lambda: obuchowski_rockette(PLAIN, cases="mixed"),  # type: ignore[arg-type]
        "Readers and cases are random or fixed.",
    ),
    "nothing random": (
        lambda: obuchowski_rockette(PLAIN, readers="fixed", cases="fixed"),
        "With readers and cases both fixed nothing varies, so there is no test.",
    ),
    "arms that differ without variation": (
        lambda: analyse(dice([[0.5, 0.7], [0.5, 0.7]], np.zeros((4, 4)))),
        "The arms differ, but the error term of their difference is estimated as 0, so there is no test.",
    ),
    "negative variance of the difference": (
        lambda: analyse(dice([[0.5, 0.6]], np.array([[1.0, 2.0], [2.0, 1.0]])), readers="fixed"),
        "The estimated variance over cases is negative, as an unbiased estimate can be, so there is no test; "
        "use the jackknife covariance.",
    ),
    "bootstrap of one": (
        lambda: bootstrap_covariance(PLAIN, Auc(), 1),
        "A bootstrap needs at least two replicates.",
    ),
    "bootstrap of one class": (
        lambda: bootstrap_covariance(rated([[1, 2, 2, 3]], truth=[True] * 4), Auc()),
        "A stratified bootstrap needs diseased and non-diseased cases.",
    ),
    "bootstrap of rare classes": (
        lambda: bootstrap_covariance(
            rated(
                [[1, NAN, NAN, 1, 2]], [[NAN, 1, NAN, 1, 2]], [[NAN, NAN, 1, 2, 1]],
                truth=[True] * 3 + [False] * 2,
            ),
            Auc(), 200,
        ),
        "In most bootstrap draws some reader has no case of a class, so there is no covariance.",
    ),
    "jackknife of one case": (
        lambda: Auc().without_each(np.array([True, False, False]), np.arange(3.0)),
        "The jackknife needs at least two cases of each class that the figure rests on.",
    ),
    "jackknife of one decision": (
        lambda: merit_named("specificity").without_each(np.array([True, True, False]), np.ones(3)),
        "The jackknife needs at least two cases of each class that the figure rests on.",
    ),
    "sensitivity without diseased cases": (
        lambda: merit_named("sensitivity").value(HEALTHY, np.ones(2)),
        "There are no diseased cases.",
    ),
    "specificity without non-diseased cases": (
        lambda: merit_named("specificity").value(SICK, np.ones(2)),
        "There are no non-diseased cases.",
    ),
    "decisions that are none": (
        lambda: merit_named("accuracy").value(TRUTH, RATING),
        "The accuracy needs decisions of 0 or 1, and some values are neither.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_says_in_one_sentence_what_is_missing(what: str) -> None:
    ask, sentence = REFUSALS[what]
    with pytest.raises(CannotAnalyse) as refusal:
        ask()
    assert str(refusal.value) == sentence
