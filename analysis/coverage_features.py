"""Questions to tests of features and to their estimates: two classes of 60 and 40 cases."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from scipy import stats

from analysis.contingency import Counts, chi_square, fisher, g_test
from analysis.coverage import ALPHA, CONSERVATIVE, Estimated, Outcomes, Question, Tested, covers, rejects, several
from analysis.feature_table import Declared, FeatureTable, feature_table
from analysis.feature_tests import (
    hodges_lehmann,
    kolmogorov_smirnov,
    kruskal_wallis,
    mann_whitney,
    signed_rank,
    standardised_difference,
    welch_t,
)
from analysis.ratings import Floats

SIZES = (60, 40)
APART, WIDE = 0.7, 1.5
Two = Callable[[Floats, Floats], Tested]

UNEQUAL = "its standard error takes both classes for equally spread; here they are not"
NULL: tuple[tuple[str, Two, str], ...] = (
    ("Mann and Whitney's test, corrected", mann_whitney, ""),
    ("Mann and Whitney's test, uncorrected", partial(mann_whitney, corrected=False), ""),
    ("Mann and Whitney's test, exact", partial(mann_whitney, method="exact"), ""),
    ("Welch's t test", welch_t, ""),
    ("Kolmogorov and Smirnov's test, asymptotic", kolmogorov_smirnov, "on the safe side in small classes"),
    ("Kolmogorov and Smirnov's test, exact", partial(kolmogorov_smirnov, method="exact"), ""),
    ("Kruskal and Wallis's test", lambda one, two: kruskal_wallis([one[:30], one[30:], two]), ""),
    ("Wilcoxon's signed-rank test", lambda one, two: signed_rank(one[:40], two), ""),
)
COUNTED: tuple[tuple[str, Callable[[Counts], Tested], str], ...] = (
    ("chi-square test of a feature", chi_square, ""),
    ("chi-square test of a feature, corrected", partial(chi_square, corrected=True), CONSERVATIVE),
    ("G test of a feature", g_test, ""),
    ("Fisher's exact test of a feature", fisher, CONSERVATIVE),
)


def same(of: Two, generator: np.random.Generator) -> Outcomes:
    return [rejects(of(*(generator.normal(size=size) for size in SIZES)))]


def counts(generator: np.random.Generator, shares: tuple[float, float]) -> Counts:
    """Class by feature present or not."""
    present = generator.binomial(SIZES, shares)
    return np.stack([present, np.array(SIZES) - present], axis=1).astype(np.int64)


def shifted(generator: np.random.Generator, wide: float = 1.0) -> tuple[Floats, Floats]:
    return generator.normal(size=SIZES[0]), generator.normal(APART, wide, SIZES[1])


def signs_reject(generator: np.random.Generator) -> Outcomes:
    return [signed_rank(generator.normal(size=50), generator.normal(size=50)).sign_p < ALPHA]


def odds_hold(generator: np.random.Generator) -> Outcomes:
    table = counts(generator, (0.3, 0.5))
    return [covers(fisher(table), 0.3 / 0.7 / (0.5 / 0.5))]


def any_feature(generator: np.random.Generator) -> Outcomes:
    """Five features without a difference, two of them yes or no, adjusted by Holm."""
    import pandas as pd

    truth = np.arange(sum(SIZES)) < SIZES[0]
    measured = {f"m{place}": generator.normal(size=len(truth)) for place in range(3)}
    present = {f"p{place}": generator.random(len(truth)) < 0.4 for place in range(2)}
    frame = pd.DataFrame({"truth": truth.astype(int), **measured, **{k: v.astype(int) for k, v in present.items()}})
    kinds = {
        **{name: Declared("normal") for name in measured},
        **{name: Declared("categorical", "chi-square") for name in present},
    }
    found = feature_table(frame, kinds)
    return [any(row.p_adjusted < ALPHA for row in found.rows)]


def table_of(generator: np.random.Generator, apart: float) -> FeatureTable:
    """A feature with a shift tested by Welch's and by Mann and Whitney's test, and one that is there or not."""
    import pandas as pd

    truth = np.arange(sum(SIZES)) < SIZES[0]
    measured = generator.normal(size=(2, len(truth))) + apart * truth
    frame = pd.DataFrame({"truth": truth.astype(int), "mean": measured[0], "rank": measured[1]})
    frame["there"] = (generator.random(len(truth)) < 0.4).astype(int)
    return feature_table(frame, {"mean": "normal", "rank": "ordinal", "there": Declared("categorical", "chi-square")})


def rows_reject(generator: np.random.Generator) -> Outcomes:
    return [rejects(row) for row in table_of(generator, 0.0).rows]


def rows_hold(generator: np.random.Generator) -> Outcomes:
    """Difference of means and area; Cramér's V has no interval."""
    truths = (APART, float(stats.norm.cdf(APART / math.sqrt(2))))
    rows = zip(table_of(generator, APART).rows, truths, strict=False)
    return [row.low is not None and row.high is not None and row.low <= true <= row.high for row, true in rows]


def feature_questions() -> Iterator[Question]:
    yield from several(null_questions(), 3)
    yield Question("any of five features, Holm", "type-I error", any_feature)
    yield Question("one row of a table of features", "type-I error", rows_reject)
    yield Question("one row of a table of features", "coverage", rows_hold)
    yield from several(estimate_questions(), 3)
    yield Question("odds ratio beside Fisher's test", "coverage", odds_hold, CONSERVATIVE)


def counted_rejects(test: Callable[[Counts], Tested], generator: np.random.Generator) -> Outcomes:
    return [rejects(test(counts(generator, (0.4, 0.4))))]


def shift_holds(
    of: Callable[[Floats, Floats], Estimated], truth: float, wide: float, generator: np.random.Generator
) -> Outcomes:
    return [covers(of(*shifted(generator, wide)), truth)]


def null_questions() -> Iterator[Question]:
    for name, of, remark in NULL:
        yield Question(name, "type-I error", partial(same, of), remark)
    yield Question("sign test", "type-I error", signs_reject, CONSERVATIVE)
    for name, test, remark in COUNTED:
        yield Question(name, "type-I error", partial(counted_rejects, test), remark)


def estimate_questions() -> Iterator[Question]:
    area = float(stats.norm.cdf(APART / math.sqrt(1 + WIDE**2)))
    gap = APART / math.sqrt((1 + WIDE**2) / 2)
    held: tuple[tuple[str, Callable[[Floats, Floats], Estimated], float, float], ...] = (
        ("area of a feature beside Mann and Whitney's test", mann_whitney, area, WIDE),
        ("Hodges and Lehmann's shift", hodges_lehmann, APART, 1.0),
        ("difference of means, Welch", welch_t, APART, WIDE),
        ("standardised difference", standardised_difference, gap, WIDE),
    )
    for name, of, truth, wide in held:
        remark = UNEQUAL if of is standardised_difference else ""
        yield Question(name, "coverage", partial(shift_holds, of, truth, wide), remark)
