"""What every interval has in common: its level, what a higher level does to it, and the range it is clipped to."""

from dataclasses import dataclass
from typing import Protocol, get_args

import numpy as np
import pytest

from analysis.delong import METHODS as AREAS
from analysis.delong import AucDifference, delong_auc, delong_test, delong_test_unpaired
from analysis.interval import Interval
from analysis.mrmc import ArmDifference, ArmMean, CellMean, obuchowski_rockette
from analysis.paired import METHODS as DIFFERENCES
from analysis.paired import PairedTable, agresti_min, bonett_price, mcnemar, newcombe, odds_ratio, tango, wald_interval
from analysis.proportions import (
    ConfusionTable,
    Method,
    Proportion,
    SumMethod,
    balanced_accuracy,
    f1,
    proportion,
    youden,
)
from analysis.ratings import Ratings

GENERATOR = np.random.default_rng(17)
TRUTH = np.arange(40) % 2 == 0
ONE, TWO = GENERATOR.normal(size=(2, 40)) + TRUTH
AREA = delong_auc(TRUTH, ONE)
TABLE, PAIRS = ConfusionTable(tp=41, fp=22, tn=47, fn=4), PairedTable(20, 7, 3, 10)
STUDY = Ratings(
    ("R", "S", "T"), ("A", "B"), tuple(map(str, range(40))), TRUTH, GENERATOR.normal(size=(3, 2, 40)) + TRUTH
)


class Estimated(Protocol):
    def confidence_interval(self, level: float = 0.95) -> Interval: ...


@dataclass(frozen=True)
class Turned:
    """The share of failures, so that it is the lower limit again that the level moves."""

    share: Proportion

    def confidence_interval(self, level: float = 0.95) -> Interval:
        interval = self.share.confidence_interval(level)
        assert interval.level == level
        return Interval(1 - interval.high, 1 - interval.low, level)


RANDOM, FIXED = obuchowski_rockette(STUDY), obuchowski_rockette(STUDY, readers="fixed")
RESULTS: dict[str, Estimated] = {
    **{f"area {method}": delong_auc(TRUTH, ONE, method) for method in AREAS},  # type: ignore[arg-type]
    "areas paired": delong_test(TRUTH, ONE, TWO),
    "areas unpaired": delong_test_unpaired(TRUTH, ONE, TRUTH[:30], TWO[:30]),
    **{f"share {method}": proportion(7, 12, method) for method in get_args(Method)},
    **{f"share of all {method}": proportion(12, 12, method) for method in get_args(Method) if method != "wald"},
    **{f"turned {method}": Turned(proportion(0, 12, method)) for method in get_args(Method) if method != "wald"},
    **{f"Youden {method}": youden(TABLE, method) for method in get_args(SumMethod)},
    "balanced accuracy": balanced_accuracy(TABLE),
    "F1": f1(TABLE),
    "paired difference": mcnemar(PAIRS),
    "odds ratio": odds_ratio(PAIRS),
    "odds ratio midp": odds_ratio(PAIRS, midp=True),
    "arms": RANDOM,
    "arms, fixed readers": FIXED,
    "difference of arms": RANDOM.differences[0],
    "difference of one reader": FIXED.reader_differences[2],
    "arm": RANDOM.arms[1],
    "cell": RANDOM.cells[3],
}


@pytest.mark.parametrize("what", RESULTS)
def test_a_higher_level_is_wider_and_every_interval_says_its_own(what: str) -> None:
    found = RESULTS[what]
    usual, narrow, wide = found.confidence_interval(), found.confidence_interval(0.5), found.confidence_interval(0.97)
    assert usual == found.confidence_interval(0.95)
    assert (usual.level, narrow.level, wide.level) == (0.95, 0.5, 0.97)
    assert wide.low < usual.low < narrow.low <= narrow.high
    # Above a share of one there is nothing but rounding.
    assert narrow.high < usual.high < wide.high or wide.high == pytest.approx(narrow.high) == 1


@pytest.mark.parametrize("method", DIFFERENCES)
def test_every_interval_of_a_paired_difference_says_its_level(method: str) -> None:
    found = mcnemar(PAIRS)
    usual, wide = found.confidence_interval(method=method), found.confidence_interval(0.99, method)  # type: ignore[arg-type]
    assert (usual.level, wide.level) == (0.95, 0.99)
    assert wide.low < usual.low < usual.high < wide.high


@pytest.mark.parametrize("interval", [newcombe, tango, wald_interval, agresti_min, bonett_price])
def test_the_usual_level_is_95(interval: object) -> None:
    assert callable(interval)
    assert interval(PAIRS) == interval(PAIRS, 0.95)


def ends(found: Estimated) -> tuple[float, float]:
    interval = found.confidence_interval()
    return interval.low, interval.high


def test_limits_beyond_what_the_quantity_can_take_are_those_of_its_range() -> None:
    for df in (None, 5.0):
        assert ends(AucDifference(0.1, 1.0, 0.1, 0.9, df, AREA, AREA, 0.0)) == (-1.0, 1.0)
    assert ends(ArmMean("A", 0.5, 9.0, 4.0, None)) == ends(CellMean("R", "A", 0.5, 9.0)) == (0.0, 1.0)
    assert ends(ArmDifference("A", "B", None, 0.1, 9.0, 4.0, 0.0, 1.0)) == (-1.0, 1.0)
    assert ends(ArmMean("A", 0.5, 90.0, 4.0, None, limits=(-3.0, 7.0))) == (-3.0, 7.0)
    for interval in (wald_interval, agresti_min, bonett_price):
        assert interval(PairedTable(0, 0, 2, 1), 0.999).high == 1.0
        assert interval(PairedTable(0, 2, 0, 1), 0.999).low == -1.0
