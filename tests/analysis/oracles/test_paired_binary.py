"""Two binary tests of the same cases against R (stats, exact2x2, contingencytables, ratesci, PropCIs, DTComPair ...).

Their first test is our second arm where they subtract the second from the first.
"""

import re
from typing import Any, get_args

import numpy as np
import pytest
from scipy import stats

from analysis.clustered import ClusterCounts, ClusteredTest, cluster_counts, clustered_mcnemar
from analysis.cochran import cochran_q
from analysis.gee import Correlation, Gee, gee
from analysis.mrmc import obuchowski_rockette
from analysis.paired import (
    Method,
    PairedTable,
    Test,
    mcnemar,
    newcombe_correlation,
    odds_ratio,
    paired_table,
    tango_score,
)
from analysis.proportions import (
    proportion,
)
from analysis.ratings import Columns, Floats, Ratings, table_to_ratings
from tests.analysis.oracle_entries import Entry, oracle_data
from tests.analysis.oracles.paired_binary_dtcompair import walk
from tests.analysis.walk import Compare

# ratesci prints twelve decimals.
TWELVE = 2e-12
# contingencytables and PropCIs stop their search for Tango's limits at a step of 1e-7.
STEP = 2e-7


def table_of(entry: Entry) -> PairedTable:
    """The counts that the entry's own table entry holds."""
    name = entry.id.split("/", 1)[1]
    counts = next(item for item in walk.all_entries() if item.id == f"table/{name}").values
    return PairedTable(counts["n11"], counts["n01"], counts["n10"], counts["n00"])


@walk.covers("table/*")
def counted(entry: Entry, compare: Compare) -> None:
    kind, rest = entry.dataset, entry.id.split("/", 2)[2]
    first, second = outcomes(kind, rest)
    found = paired_table(second, first)
    ours = (found.both, found.second_only, found.first_only, found.neither)
    compare.all(ours, [entry.values[key] for key in ("n11", "n10", "n01", "n00")], "counts")


def outcomes(dataset: str, rest: str) -> tuple[Floats, Floats]:
    """Successes of the two tests that an identifier such as r1_truth0_gt2.5 means."""
    frame = oracle_data(dataset)
    if dataset == "dtcompair_paired1":
        part = frame[frame["truth"] == (rest == "diseased")]
        return part["y1"].to_numpy(float), part["y2"].to_numpy(float)
    reader, truth, *_ = rest.split("_")
    threshold = {"vandyke": 2.5, "mitotic_binary": 0.5, "viper_challengeHighP": 100.0}[dataset]
    arms = {
        "vandyke": ("1", "2"),
        "mitotic_binary": ("microscope", "scanner.A"),
        "viper_challengeHighP": ("FFDM", "SFM"),
    }
    ratings = table_to_ratings(frame, Columns(arm="treatment"))
    classes, one, two = ratings.pair(reader.removeprefix("r") if dataset == "vandyke" else reader, *arms[dataset])
    chosen = classes == (truth == "truth1")
    return (one[chosen] > threshold).astype(float), (two[chosen] > threshold).astype(float)


@walk.covers("mcnemar_asymptotic/*", "mcnemar_cc/*")
def chi_square(entry: Entry, compare: Compare) -> None:
    test: Test = "asymptotic" if entry.id.startswith("mcnemar_asymptotic") else "corrected"
    found = mcnemar(table_of(entry), test)
    compare(found.statistic, entry.values["statistic"], "statistic")
    compare(found.p, entry.values["p.value"], "p")
    compare(1, entry.values["parameter"], "degrees of freedom")


@walk.covers("mcnemar_exact/*", "mcnemar_midp/*", ignores=("null.value",))
def exact(entry: Entry, compare: Compare) -> None:
    """Odds ratio with its interval."""
    table, midp = table_of(entry), entry.id.startswith("mcnemar_midp")
    found = odds_ratio(table, midp=midp)
    interval = found.confidence_interval()
    compare.all([table.second_only, table.first_only], [entry.values["statistic"], entry.values["parameter"]], "counts")
    compare(found.p, entry.values["p.value"], "p")
    compare(found.estimate, entry.values["estimate"], "odds ratio")
    if not midp:
        compare.all([interval.low, interval.high], entry.values["conf.int"], "interval")
        return
    # exact2x2 finds mid-p limits of the share by R's uniroot with its default step of 1.2e-4; see also test_paired.
    for ours, theirs in zip((interval.low, interval.high), entry.values["conf.int"], strict=True):
        compare(ours / (1 + ours), theirs / (1 + theirs), "limit of the share", absolute=1.3e-4)


@walk.covers("mcnemar_exact_one_sided/*", ignores=("null.value",))
def one_sided(entry: Entry, compare: Compare) -> None:
    table = table_of(entry)
    compare.all([table.second_only, table.first_only], [entry.values["statistic"], entry.values["parameter"]], "counts")
    compare(mcnemar(table, "exact", "greater").p, entry.values["p.value"], "p")
    found = odds_ratio(table)
    compare(found.estimate, entry.values["estimate"], "odds ratio")
    # A one-sided limit at 95 % is the lower end of the two-sided interval at 90 %.
    compare.all([found.confidence_interval(0.9).low, np.inf], entry.values["conf.int"], "limit")


@walk.covers("mcnemar_binom/*")
def binomial(entry: Entry, compare: Compare) -> None:
    table = table_of(entry)
    found = proportion(table.second_only, table.second_only + table.first_only, "clopper-pearson")
    interval = found.confidence_interval()
    compare.all([found.successes, found.n], [entry.values["statistic"], entry.values["parameter"]], "counts")
    compare(mcnemar(table, "exact").p, entry.values["p.value"], "p")
    compare(found.estimate, entry.values["estimate"], "share")
    compare.all([interval.low, interval.high], entry.values["conf.int"], "interval")
    compare(0.5, entry.values["null.value"], "null")


@walk.covers("mcnemar_midp_ct/*")
def midp_of_contingencytables(entry: Entry, compare: Compare) -> None:
    table = table_of(entry)
    b, c = table.first_only, table.second_only
    found = mcnemar(table, "midp").p
    # Where both counts are equal contingencytables lowers a p of 1 by half of the observed probability.
    lowered = float(stats.binom.pmf(b, b + c, 0.5)) / 2 if b == c else 0.0
    compare(found - lowered, entry.values["midP"], "p")


INTERVALS: dict[str, Method] = {
    "newcombe_paired_ci": "newcombe",
    "wald": "wald",
    "wald_cc": "wald-corrected",
    "agresti_min": "agresti-min",
    "bonett_price": "bonett-price",
}


@walk.covers(*(f"{name}/*" for name in INTERVALS))
def interval(entry: Entry, compare: Compare) -> None:
    found = mcnemar(table_of(entry))
    limits = found.confidence_interval(method=INTERVALS[entry.id.split("/")[0]])
    compare(limits.low, entry.values["lower"], "lower")
    compare(limits.high, entry.values["upper"], "upper")
    compare(found.estimate, entry.values["estimate"], "estimate")


@walk.covers("tango_ct/*")
def tango_of_contingencytables(entry: Entry, compare: Compare) -> None:
    found = mcnemar(table_of(entry))
    limits = found.confidence_interval(method="tango")
    compare(limits.low, entry.values["lower"], "lower", absolute=STEP)
    compare(limits.high, entry.values["upper"], "upper", absolute=STEP)
    compare(found.estimate, entry.values["estimate"], "estimate")


@walk.covers("tango_propcis/*")
def tango_of_propcis(entry: Entry, compare: Compare) -> None:
    limits = mcnemar(table_of(entry)).confidence_interval(method="tango")
    compare.all([limits.low, limits.high], list(entry.values), "interval", absolute=STEP)


def columns_of(block: dict[str, Any]) -> dict[str, float]:
    return dict(zip(block["cols"], block["values"][0], strict=True))


def check_data(entry: Entry, table: PairedTable, compare: Compare) -> None:
    ours = [[table.both, table.second_only], [table.first_only, table.neither]]
    compare.all(ours, entry.values["data"]["values"], "counts")


RATESCI = ("call.*", "data.rows", "data.cols", "estimates.rows", "pval.rows")


@walk.covers("newcombe_moverci/*", ignores=RATESCI)
def newcombe_of_ratesci(entry: Entry, compare: Compare) -> None:
    table = table_of(entry)
    check_data(entry, table, compare)
    found, theirs = mcnemar(table), columns_of(entry.values["estimates"])
    limits = found.confidence_interval()
    ours = [limits.low, found.estimate, limits.high, 0.95, found.second, found.first, newcombe_correlation(table)]
    compare.all(ours, list(theirs.values()), "estimates", absolute=TWELVE)


@walk.covers("tango_score/*", ignores=RATESCI)
def tango_of_ratesci(entry: Entry, compare: Compare) -> None:
    table = table_of(entry)
    check_data(entry, table, compare)
    found, theirs = mcnemar(table), columns_of(entry.values["estimates"])
    limits = found.confidence_interval(method="tango")
    # The remaining columns (maximum likelihood margins, correlations) are not part of Tango's interval.
    ours = {"lower": limits.low, "est": found.estimate, "upper": limits.high, "level": 0.95}
    for name, value in (ours | {"p1hat": found.second, "p2hat": found.first}).items():
        # ratesci's own search ends at about 1e-10.
        compare(value, theirs[name], name, absolute=2e-10)
    tested, score = columns_of(entry.values["pval"]), tango_score(table, 0.0)
    compare(score, tested["scorenull"], "score", absolute=1e-12)
    compare(score**2, tested["chisq"], "chi-square", absolute=1e-12)
    compare(mcnemar(table, "asymptotic").p, tested["pval2sided"], "p")
    compare(mcnemar(table, "asymptotic", "greater").p, tested["pval_right"], "upper p")
    compare(mcnemar(table, "asymptotic", "less").p, tested["pval_left"], "lower p")


PRINTED: dict[str, Method] = {
    "Wald ": "wald",
    "Wald w/continuity correction": "wald-corrected",
    "Wald w/Agresti-Min adjustment": "agresti-min",
    "Wald w/Bonett-Price adjustment": "bonett-price",
    "Newcombe square-and-add": "newcombe",
    "Tango asymptotic score": "tango",
}


@walk.covers("all_difference_cis_printed/*")
def printed(entry: Entry, compare: Compare) -> None:
    found, seen = mcnemar(table_of(entry)), 0
    for line in list(entry.values):
        for start, method in PRINTED.items():
            if line.startswith(start) and "adjustment" not in line.removeprefix(start):
                row = re.fullmatch(rf"{re.escape(start)}\s+(-?[\d.]+) to\s+(-?[\d.]+)\s+[\d.]+", line)
                if row is None:
                    continue
                limits = found.confidence_interval(method=method)
                # Four decimals are printed.
                compare.all([limits.low, limits.high], [float(row[1]), float(row[2])], method, absolute=5.1e-5)
                seen += 1
    assert seen == len(PRINTED)


@walk.covers("cochran_q_*")
def cochran(entry: Entry, compare: Compare) -> None:
    ratings = table_to_ratings(entry.frame(), Columns(arm="treatment"))
    threshold = {"mitotic_binary": 0.5, "vandyke": 2.5, "penedo_roc": 1.5}[entry.dataset]
    cube = ratings.values[0] if "treatments" in entry.id else ratings.values[:, ratings.arms.index(first_arm(entry))]
    labels = ratings.arms if "treatments" in entry.id else ratings.readers
    found = cochran_q((cube[:, ratings.truth] > threshold).astype(float).T)
    compare.all([found.statistic, found.df, found.p, found.n], [entry.values[k] for k in ("Q", "df", "p", "n")], "Q")
    coin = entry.values["check_coin"]
    compare.all([found.statistic, found.p], [coin["statistic"], coin["p"]], "coin")
    counts = entry.values["successes"]
    compare.all(found.successes, [counts[label] for label in labels], "successes")


def first_arm(entry: Entry) -> str:
    return {"mitotic_binary": "microscope", "vandyke": "1", "penedo_roc": "0"}[entry.dataset]


def success(truth: int) -> tuple[Ratings, Floats]:
    """Success = rating > 2.5 of all readers and arms of vandyke among the cases of one class."""
    ratings = table_to_ratings(oracle_data("vandyke"), Columns(arm="treatment"))
    return ratings, (ratings.values[:, :, ratings.truth == (truth == 1)] > 2.5).astype(float)


def counts_of(name: str) -> ClusterCounts:
    if name == "thyroids":
        frame = oracle_data(name)
        return cluster_counts(frame["pet"].to_numpy(float), frame["spect"].to_numpy(float), frame["patient"].to_numpy())
    if name == "psychiatry":
        frame = oracle_data(name)
        return ClusterCounts(*(frame[key].to_numpy(float) for key in ("ah", "bh", "ch", "dh")))
    _, cube = success(int(name[-1]))
    readers, _, cases = cube.shape
    places = np.indices((readers, cases))[0 if "reader" in name else 1]
    return cluster_counts(cube[:, 0].ravel(), cube[:, 1].ravel(), places.ravel())


@walk.covers("clustered_mcnemar/*")
def clustered(entry: Entry, compare: Compare) -> None:
    _, test, *rest = entry.id.split("/")
    counts = counts_of(rest[0])
    compare(1, entry.values["parameter"], "degrees of freedom")
    if test == "mcnemar":
        plain = mcnemar(counts.table, "asymptotic")
        compare.all([plain.statistic, plain.p], [entry.values["statistic"], entry.values["p.value"]], test)
        return
    kinds: dict[str, ClusteredTest] = {name: name for name in get_args(ClusteredTest)}
    found = clustered_mcnemar(counts, kinds[test])
    compare.all([found.statistic, found.p], [entry.values["statistic"], entry.values["p.value"]], test)


def fitted(entry: Entry) -> Gee:
    parts = entry.id.split("/")
    truth = int("sens" in parts)
    ratings, cube = success(truth)
    right = cube if truth else 1 - cube
    reader, arm, case = np.indices(right.shape).reshape(3, -1)
    correlation: Correlation = "independence" if "independence" in parts else "exchangeable"
    return gee(
        right.ravel(),
        arm == 1,
        reader if "cluster_reader" in parts else case,
        "identity" if parts[0] == "gee_identity_link" else "logit",
        correlation,
        np.array(ratings.readers)[reader] if parts[0] == "gee_reader_fixed" else None,
    )


def compare_coefficients(entry: Entry, compare: Compare, rel: float = 1e-8) -> Gee:
    found, theirs = fitted(entry), entry.values["coef"]
    rows = found.coefficients
    compare.all([row.estimate for row in rows], theirs["Estimate"], "estimates", rel=rel)
    compare.all([row.se for row in rows], theirs["Std.err"], "standard errors", rel=rel)
    compare.all([row.statistic for row in rows], theirs["Wald"], "chi-square", rel=rel)
    compare.all([row.p for row in rows], theirs["Pr(>|W|)"], "p", rel=max(rel, 1e-8) * 20 if rel > 1e-8 else rel)
    return found


@walk.covers(
    "gee/*",
    ignores=("alpha._row", "scale._row"),
    leaves={"alpha.Std.err": "statsmodels has none", "scale.Std.err": "statsmodels has none"},
)
def estimating_equations(entry: Entry, compare: Compare) -> None:
    found = compare_coefficients(entry, compare)
    compare.all(
        [] if found.working is None else [found.working], np.ravel(entry.values["alpha"]["Estimate"]).tolist(), "alpha"
    )
    if "scale" in entry.values:
        # A saturated model of the arms has a Pearson scale of 1.
        compare.all([1.0], np.ravel(entry.values["scale"]["Estimate"]).tolist(), "scale")


@walk.covers("gee_identity_link/*")
def estimating_equations_of_shares(entry: Entry, compare: Compare) -> None:
    compare_coefficients(entry, compare)


@walk.covers("gee_reader_fixed/*")
def estimating_equations_of_readers(entry: Entry, compare: Compare) -> None:
    # geepack stops at a step of 1e-4 by default, which leaves 7e-7 here; ours is iterated to 1e-12.
    compare_coefficients(entry, compare, rel=1e-6)


@walk.covers(
    "wilcoxon_signed_rank_reader_props/*",
    leaves={"wilcoxon.*": "not named"},
    ignores=("*.null.value", "means.rows", "means.cols"),
)
def readers_means(entry: Entry, compare: Compare) -> None:
    # A t test over the readers' shares is the Obuchowski-Rockette analysis with fixed cases.
    truth = int("/sens/" in entry.id)
    ratings, _ = success(truth)
    decided = Ratings(ratings.readers, ratings.arms, ratings.cases, ratings.truth, (ratings.values > 2.5).astype(float))
    found = obuchowski_rockette(decided, "sensitivity" if truth else "specificity", cases="fixed").differences[0]
    theirs, limits = entry.values["t_test"], found.confidence_interval()
    compare.all([found.statistic, found.df, found.p], [theirs[k] for k in ("statistic", "parameter", "p.value")], "t")
    compare.all([limits.low, limits.high], theirs["conf.int"], "interval")
    compare.all([found.estimate, found.se], [theirs["estimate"], theirs["stderr"]], "difference")
    part = decided.values[:, :, decided.truth == (truth == 1)]
    means = (part if truth else 1 - part).mean(axis=2)
    compare.all(means, entry.values["means"]["values"], "means")


@pytest.mark.parametrize("entry", walk.entries(), ids=lambda entry: entry.id)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
