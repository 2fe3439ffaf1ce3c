"""Every entry of iMRMC's R package: U-statistics, percent correct, mean ROC curves, limits of agreement."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from analysis.components import effect_coefficients, effects
from analysis.errors import CannotAnalyse
from analysis.interval import quantile, two_sided_p
from analysis.limits import MultiReaderLimits, between_readers, between_readers_within_arm, within_readers
from analysis.mean_roc import DIRECTIONS, mean_curve
from analysis.moments import METRICS, Moments, moments
from analysis.ratings import Columns, Ratings, table_to_ratings
from analysis.roc import roc_curve
from analysis.unbiased import unbiased_auc
from analysis.ustatistics import Variance, difference_of_arms, mean_of_arm, satterthwaite
from tests.analysis.oracle_entries import Entry
from tests.analysis.walk import Compare, Walk

walk = Walk("mrmc_ustat_imrmc")
# iMRMC's words for the two variances: nothing, or .biased, behind the name.
KINDS: tuple[tuple[Variance, str], ...] = (("unbiased", ""), ("mle", ".biased"))
AREA_EFFECTS = ("N", "D", "ND", "R", "NR", "DR", "RND")
# Order of ours: same case and reader, other case, other reader, both other.
SHARE_MOMENTS = ("c1r1", "c0r1", "c1r0", "c0r0")
COUNTED_TWICE = {
    "summary.nC.pos": "iMRMC 2.1.2 prints the number of non-diseased cases twice (vandyke: 69, where 45 are diseased)."
}


def study(entry: Entry, value: str = "rating", arms: Sequence[str] | None = None) -> Ratings:
    return table_to_ratings(entry.frame(), Columns("reader", "treatment", "case", "truth", value), arms)


@walk.covers("auc/*", leaves=COUNTED_TWICE)
def areas(entry: Entry, compare: Compare) -> None:
    whole(study(entry), entry.values, compare)


@walk.covers("sensitivity/uStat11*", "specificity/uStat11*", "percent_correct/*")
def shares(entry: Entry, compare: Compare) -> None:
    named, how, _ = entry.id.split("/")
    metric = "accuracy" if named == "percent_correct" else named
    limit, arms = re.search(r"pc\(d\d?, ([\d.]+)\)", entry.call), re.search(r'c\("(.+?)", "(.+?)"\)', entry.call)
    assert limit and arms
    frame = entry.frame().assign(decision=lambda rows: (rows["rating"] > float(limit[1])).astype(float))
    ratings = table_to_ratings(frame, Columns("reader", "treatment", "case", "truth", "decision"), arms.groups())
    found = moments(ratings, next(m for m in METRICS if m == metric), "joint" if "joint" in how else "conditional")
    found = with_their_weights(found, ratings, compare) if how.endswith("conditionalD") else found
    values, pairs = entry.values, ((0, 0), (1, 1), (0, 1))
    for place, name in enumerate(SHARE_MOMENTS):
        compare.all([found.unbiased[pair][place] for pair in pairs], values["moments"][name], name)
        compare.all([found.coefficients[pair][place] for pair in pairs], values["coeff"][name], f"{name} coefficient")
    variances = [found.covariance(0, 0), found.covariance(1, 1), found.variance_of_difference(0, 1)]
    single = [float(found.unbiased[pair][0] - found.unbiased[pair][3]) for pair in pairs]
    single[2] = single[0] + single[1] - 2 * single[2]
    means = [*found.means, found.means[0] - found.means[1]]
    for place, label in enumerate(("A", "B", "AminusB")):
        compare(means[place], values["mean"][label], f"mean {label}")
        compare(variances[place], values["var"][label], f"variance {label}")
        compare(single[place], values["var.1obs"][label], f"variance of one score {label}")
    for place, label in enumerate(("A", "B")):
        compare.all(found.figures[:, place], values["meanPerR"][label], f"readers {label}")
    compare(found.sizes[1], values["nR"], "readers")
    compare(found.sizes[0], values["nC"], "cases")


def with_their_weights(found: Moments, ratings: Ratings, compare: Compare) -> Moments:
    """Where two readers share no case iMRMC 2.1.2 drops the moment and keeps its weight: the mean comes out smaller.

    Their number is ours times the share of the weight that has a moment (vandyke_splitplot: 0.3088 of 0.7719), and
    its variances come out negative (-0.00121; ours 0.00139).
    """
    unbiased = found.unbiased.copy()
    read = ~np.isnan(ratings.values)
    read = read[:, :, {"sensitivity": ratings.truth, "specificity": ~ratings.truth}.get(found.metric, slice(None))]
    for one in range(2):
        for two in range(2):
            weights = np.outer(read[:, one].sum(axis=1), read[:, two].sum(axis=1)).astype(float)
            np.fill_diagonal(weights, 0)
            shared = read[:, one].astype(float) @ read[:, two].T.astype(float) > 0
            unbiased[one, two, 2] *= weights[shared].sum() / weights.sum()
    found.unbiased[:] = unbiased
    return found


@walk.covers("sensitivity/*", "specificity/*", leaves=COUNTED_TWICE)
def shares_as_areas(entry: Entry, compare: Compare) -> None:
    """iMRMC gives the other class 1/2 and takes the area; ours direct is the same where everybody read everything."""
    metric = next(m for m in METRICS if entry.id.startswith(m))
    limit = re.search(r"threshold = ([\d.]+)", entry.call)
    assert limit
    raw = study(entry, "recall" if '"recall"' in entry.call else "rating")
    called = np.where(np.isnan(raw.values), np.nan, (raw.values > float(limit[1])).astype(float))
    decisions = Ratings(raw.readers, raw.arms, raw.cases, raw.truth, called)
    kept = raw.truth if metric == "sensitivity" else ~raw.truth
    halves = np.where(np.isnan(called) | kept, called, 0.5)
    whole(Ratings(raw.readers, raw.arms, raw.cases, raw.truth, halves), entry.values, compare)
    if not raw.missing:
        table = entry.values["Ustat_full"]
        direct = moments(decisions, metric)
        for row in range(len(table["NR"])):
            one, two = arms_of(direct, table, row)
            compare(direct.covariance(one, two), table["covAUC"][row], f"direct covariance {row}")
            compare(direct.covariance(one, two, True), table["covAUC.biased"][row], f"direct V covariance {row}")


def arms_of(found: Moments, table: Any, row: int) -> tuple[int, int]:
    return found.arms.index(str(table["modalityID.1"][row])), found.arms.index(str(table["modalityID.2"][row]))


def whole(ratings: Ratings, values: Any, compare: Compare) -> None:
    """One answer of doAUCmrmc."""
    found = moments(ratings)
    compare(len(ratings.arms), values["summary"]["nM"], "arms")
    compare(len(ratings.readers), values["summary"]["nR"], "readers")
    compare(ratings.negatives, values["summary"]["nC.neg"], "non-diseased")
    table = values["Ustat_full"]
    for row in range(len(table["NR"])):
        one, two = arms_of(found, table, row)
        counts(ratings, one, two, table, row, compare)
        representations(found, one, two, table, row, compare)
        for variance, ending in KINDS:
            df_of_products(found, one, two, table, row, ending, compare)
            both_tests(found, one, two, variance, ending, table, row, compare)
    per_reader(ratings, values, compare)


def counts(ratings: Ratings, one: int, two: int, table: Any, row: int, compare: Compare) -> None:
    read = ~np.isnan(ratings.values[:, [one, two]])
    cases = read.any(axis=(0, 1))
    compare(int(read.any(axis=(1, 2)).sum()), table["NR"][row], "readers of the arms")
    compare(int((cases & ~ratings.truth).sum()), table["N0"][row], "non-diseased of the arms")
    compare(int((cases & ratings.truth).sum()), table["N1"][row], "diseased of the arms")


def representations(found: Moments, one: int, two: int, table: Any, row: int, compare: Compare) -> None:
    """Moments, their coefficients, the components of cases and readers."""
    compare(found.means[one], table["AUC.1"][row], "first mean")
    compare(found.means[two], table["AUC.2"][row], "second mean")
    compare(found.covariance(one, two), table["covAUC"][row], "covariance")
    compare(found.covariance(one, two, biased=True), table["covAUC.biased"][row], "V covariance")
    for place in range(8):
        name = f"M{place + 1}"
        compare(found.unbiased[one, two, place], table[name][row], name)
        compare(found.biased[one, two, place], table[f"{name}.b"][row], f"{name}.b")
        compare(found.coefficients[one, two, place], table[f"{name}.coeff"][row], f"{name}.coeff")
        # The V moments are their sums over their numbers.
        share = table[f"numer{place + 1}"][row] / table[f"denom{place + 1}"][row]
        compare(found.biased[one, two, place], share, f"numer{place + 1}")
    coefficients = effect_coefficients(found.coefficients)[one, two]
    for place, name in enumerate(AREA_EFFECTS):
        # A difference of four moments of order 1 keeps some 1e-16 of them.
        compare(effects(found)[one, two, place], table[f"BCK.{name}"][row], name, absolute=1e-14)
        compare(effects(found, True)[one, two, place], table[f"BCK.{name}.b"][row], f"{name}.b", absolute=1e-14)
        compare(coefficients[place], table[f"BCK.{name}.coeff"][row], f"{name}.coeff")


def df_of_products(found: Moments, one: int, two: int, table: Any, row: int, ending: str, compare: Compare) -> None:
    """iMRMC also gives the covariance of two arms degrees of freedom, as if it were the variance of one arm."""
    coefficients = effect_coefficients(found.coefficients)[one : one + 1, two : two + 1]
    for place, name in ((0, "dfN"), (1, "dfD"), (3, "dfR")):
        compare(round(1 / coefficients[0, 0, place] - 1), table[name][row], name)
    covariance, expected = found.covariance(one, two, ending == ".biased"), table[f"dfBDG{ending}"][row]
    if expected == "NA":
        assert covariance < 0
        return
    own = effects(found, biased=True)[one : one + 1, two : two + 1]
    compare(satterthwaite(own, coefficients, covariance, 0), expected, f"dfBDG{ending}")


def both_tests(
    found: Moments, one: int, two: int, variance: Variance, ending: str, table: Any, row: int, compare: Compare
) -> None:
    """The tests, with iMRMC's df: cut to a whole number, and normal above 50."""
    names = [f"{word}{ending}" for word in ("pValueNormal", "botCInormal", "topCInormal", "rejectNormal")]
    theirs = [table[name][row] for name in names]
    theirs += [table[f"{word}{ending}"][row] for word in ("pValueBDG", "botCIBDG", "topCIBDG", "rejectBDG")]
    between = [table[f"{word}"][row] for word in ("dfN.diff", "dfD.diff", "dfR.diff", "AUC1minusAUC2")]
    between += [table[f"varAUC1minusAUC2{ending}"][row], table[f"dfBDG{ending}.diff"][row]]
    if one == two:
        assert set(between) == {"NA"}
        mean = mean_of_arm(found, one, variance)
        decided(mean.estimate, mean.estimate - 0.5, mean.se, mean.df, theirs, compare)
        return
    coefficients = effect_coefficients(found.coefficients)
    for place, expected in zip((0, 1, 3), between[:3], strict=True):
        compare(min(round(1 / coefficients[a, a, place] - 1) for a in (one, two)), expected, "df of a factor")
    compare(found.means[one] - found.means[two], between[3], "difference")
    compare(found.variance_of_difference(one, two, variance == "mle"), between[4], "variance of the difference")
    if between[4] < 0:
        assert set(theirs) == {"NA"} and between[5] == "NA"
        compare.refused(lambda: difference_of_arms(found, one, two, variance), "a negative variance")
        return
    difference = difference_of_arms(found, two, one, variance)
    compare(difference.df, between[5], "dfBDG of the difference")
    decided(difference.estimate, difference.estimate, difference.se, difference.df, theirs, compare)


def decided(estimate: float, distance: float, se: float, df: float, theirs: Sequence[Any], compare: Compare) -> None:
    for cut, expected in ((math.inf, theirs[:4]), (math.inf if df > 50 else math.floor(df), theirs[4:])):
        p, half = two_sided_p(distance / se, cut), quantile(0.95, cut) * se
        compare(p, expected[0], "p")
        compare(estimate - half, expected[1], "low")
        compare(estimate + half, expected[2], "high")
        compare(float(p <= 0.05), expected[3], "rejected")


def per_reader(ratings: Ratings, values: Any, compare: Compare) -> None:
    """Areas of the readers and how they vary together over cases."""
    matrix = unbiased_auc(ratings).reshape(*ratings.values.shape[:2], *ratings.values.shape[:2])
    figures = moments(ratings).figures
    read = ~np.isnan(ratings.values)
    # Readers without a case of each class in common: iMRMC divides nothing by nothing, their covariance is 0.
    shared = np.all(
        [np.einsum("rac,sbc->rasb", read[:, :, c], read[:, :, c]) for c in (ratings.truth, ~ratings.truth)], 0
    )
    for table, second in ((values["perReader_same"], "readerID.1"), (values["reader_covariances"], "readerID.2")):
        for row in range(len(table["readerID.1"])):
            one = ratings.readers.index(str(table["readerID.1"][row]))
            two = ratings.readers.index(str(table[second][row]))
            arms = [ratings.arms.index(str(table[name][row])) for name in ("modalityID.1", "modalityID.2")]
            compare(figures[one, arms[0]], table["AUC.1"][row], "area of the first reader")
            compare(figures[two, arms[1]], table["AUC.2"][row], "area of the second reader")
            if table["covAUC"][row] == "NaN":
                assert not shared[one, arms[0], two, arms[1]]
                continue
            found = matrix[one, arms[0], two, arms[1]]
            # A difference of two products of areas.
            compare(found, table["covAUC"][row], "covariance of two readers", absolute=1e-14)


@walk.covers("roc_average/*")
def mean_curves(entry: Entry, compare: Compare) -> None:
    """iMRMC looks for the arm's name anywhere in READER.ARM, so a reader "1" of arm "2" is averaged into arm "1" too.

    With his curve among the others ours is theirs; without it the vertical mean of arm 1 begins at 0.1822, not 0.2741.
    """
    ratings = study(entry)
    for place, arm in enumerate(ratings.arms):
        curves = [roc_curve(*ratings.cell(reader, arm)) for reader in ratings.readers]
        namesakes = [(r, a) for r in ratings.readers for a in ratings.arms if a != arm and arm in f"{a}.{r}"]
        curves += [roc_curve(*ratings.cell(reader, other)) for reader, other in namesakes]
        for direction in DIRECTIONS:
            theirs = entry.values[f"{arm}.{direction}Avg"]
            found = mean_curve(curves, direction)
            # Their steps are 2e-15 wide; every point of either curve is one of the other.
            ours = np.column_stack([found.fpr, found.tpr])
            points = np.column_stack([theirs["fpf"], theirs["tpf"]])
            apart = np.abs(ours[:, None] - points[None]).max(axis=2)
            compare.all(points[apart.argmin(axis=1)].ravel(), ours.ravel(), f"{arm} {direction}", absolute=1e-12)
            on = np.array([distance_to(point, ours) for point in points])
            compare.all(on, np.zeros(len(points)), f"{arm} {direction} back", absolute=1e-12)
        pooled = roc_curve(np.tile(ratings.truth, len(ratings.readers)), ratings.values[:, place].ravel())
        compare.all(pooled.fpr, entry.values[f"{arm}.pooled"]["fpf"], f"{arm} pooled fpf")
        compare.all(pooled.tpr, entry.values[f"{arm}.pooled"]["tpf"], f"{arm} pooled tpf")


def distance_to(point: Any, line: Any) -> float:
    """Of a point to a line of straight pieces."""
    start, along = line[:-1], np.diff(line, axis=0)
    share = np.clip(((point - start) * along).sum(axis=1) / (along**2).sum(axis=1), 0, 1)
    return float(np.hypot(*(start + share[:, None] * along - point).T).min())


@walk.covers("limits_of_agreement/*")
def limits(entry: Entry, compare: Compare) -> None:
    frame = entry.frame().assign(truth=0)
    ratings = table_to_ratings(frame, Columns("reader", "treatment", "case", "truth", "count"))
    kind = entry.id.split("/")[1]
    found: dict[str, MultiReaderLimits] = {
        "laWRBM": within_readers(ratings, "scanner.A", "microscope"),
        "laBRBM": between_readers(ratings, "scanner.A", "microscope"),
        "laBRWM": between_readers_within_arm(ratings, "microscope"),
    }
    ours, theirs = found[kind], entry.values["limits.of.agreement"]
    interval, limit = ours.confidence_interval(), ours.limits()
    assert ours.se is not None
    for name, number in (
        ("meanDiff", ours.estimate),
        ("var.MeanDiff", ours.se**2),
        ("var.1obs", ours.spread**2),
        ("ci95meanDiff.bot", interval.low),
        ("ci95meanDiff.top", interval.high),
        ("la.bot", limit.low),
        ("la.top", limit.high),
    ):
        compare(number, theirs[name][0], name)
    table = entry.values["three.way.ANOVA" if kind == "laBRBM" else "two.way.ANOVA"]
    compare.all([effect.df for effect in ours.effects], table["df"], "df")
    compare.all([effect.sum_of_squares for effect in ours.effects], table["SS"], "SS")
    for effect, expected in zip(ours.effects, table["var"], strict=True):
        assert (effect.variance is None) == (expected == "NA")
        if effect.variance is not None:
            # A difference of mean squares of order 1.
            compare(effect.variance, expected, effect.source, absolute=1e-14)


@pytest.mark.parametrize("entry", walk.entries(), ids=lambda entry: entry.id)
def test_entry(entry: Entry) -> None:
    walk.check(entry)


def test_a_negative_variance_offers_the_other() -> None:
    entry = next(item for item in walk.all_entries() if item.id == "auc/prostate_colorscale")
    found = moments(study(entry))
    with pytest.raises(CannotAnalyse, match=r"negative .* V-statistic"):
        difference_of_arms(found, found.arms.index("Grayscale"), found.arms.index("HotGSDF"))
