"""Agreement beside irr, irrCAC, psych, psy, BlandAltmanLeh and epiR."""

import math
from itertools import combinations

import numpy as np
import pytest

from analysis.agreement import cohen_kappa, fleiss_kappa, light_kappa
from analysis.bland_altman import bland_altman
from analysis.chance_corrected import (
    Agreement,
    brennan_prediger,
    conger_kappa,
    gwet_ac1,
    krippendorff_alpha,
    percent_agreement,
    scott_pi,
    weighted_fleiss,
)
from analysis.concordance import concordance, kendall_w, mean_correlation
from analysis.icc import Icc, icc, icc_forms, mean_squares
from analysis.ratings import Floats
from tests.analysis.agreement_data import complete, from_table, judged
from tests.analysis.oracle_entries import Entry, oracle_data
from tests.analysis.walk import Compare, Walk

walk = Walk("agreement")

IRR_WEIGHTS = {"unweighted": "none", "equal": "linear", "squared": "quadratic"}
# irr and irrCAC print these; the digits beyond were never stored.
THREE_DECIMALS, FIVE_DECIMALS = 0.5001e-3, 0.5001e-5


def data_of(entry: Entry) -> Floats:
    return judged(entry.id.rsplit("/", 1)[-1])


@walk.covers("cohen_kappa/*", ignores=("irr.name", "stat.name"))
def cohen(entry: Entry, compare: Compare) -> None:
    values = data_of(entry)
    found = cohen_kappa(values[0], values[1], IRR_WEIGHTS[entry.id.split("/")[1]])
    compare(found.estimate, entry.values["value"], "kappa")
    compare(found.statistic, entry.values["statistic"], "z")
    compare(found.p, entry.values["p.value"], "p")
    assert (found.n, 2) == (entry.values["subjects"], entry.values["raters"])


def unweighted_by_psych(entry: Entry, compare: Compare) -> None:
    values = data_of(entry)
    plain, weighted = cohen_kappa(values[0], values[1]), cohen_kappa(values[0], values[1], "quadratic")
    compare(plain.estimate, entry.values["kappa"], "kappa")
    compare(weighted.estimate, entry.values["weighted"], "weighted")
    compare(plain.se**2, entry.values["var.kappa"], "var.kappa")
    interval = plain.confidence_interval()
    limits = entry.values["confid"]["values"]
    compare.all([interval.low, plain.estimate, interval.high], limits[0], "interval")
    compare(weighted.estimate, limits[1][1], "weighted in the table")


# Two categories: the only case in which psych's weighted variance is right.
@walk.covers("cohen_kappa_psych/mitotic_binary+microscope", ignores=("confid.rows", "confid.cols"))
def psych_of_two_categories(entry: Entry, compare: Compare) -> None:
    unweighted_by_psych(entry, compare)
    values = data_of(entry)
    weighted = cohen_kappa(values[0], values[1], "quadratic")
    interval = weighted.confidence_interval()
    compare(weighted.se**2, entry.values["var.weighted"], "var.weighted")
    limits = entry.values["confid"]["values"][1]
    compare.all([interval.low, weighted.estimate, interval.high], limits, "weighted interval")


PSYCH = "the variance of weighted kappa in psych is wrong"


@walk.covers(
    "cohen_kappa_psych/*",
    ignores=("confid.rows", "confid.cols"),
    leaves={"var.weighted": PSYCH, "confid.values": PSYCH},
)
def psych(entry: Entry, compare: Compare) -> None:
    unweighted_by_psych(entry, compare)
    # Weighted kappa varies on these data and psych's variance is 0 on some; Fleiss, Cohen & Everitt's is as irrCAC's.
    values = data_of(entry)
    assert cohen_kappa(values[0], values[1], "quadratic").se > 0


@walk.covers("percent_agreement/*", "percent_agreement_2/*", ignores=("irr.name",))
def percent(entry: Entry, compare: Compare) -> None:
    values = data_of(entry)[:2] if "_2/" in entry.id else data_of(entry)
    kept = complete(values)
    compare(100 * percent_agreement(kept).unanimous, entry.values["value"], "unanimous")
    assert kept.shape == (entry.values["raters"], entry.values["subjects"])


@walk.covers("fleiss_kappa/*", ignores=("irr.name", "stat.name", "detail.cols"))
def fleiss(entry: Entry, compare: Compare) -> None:
    kept = complete(data_of(entry))
    found = fleiss_kappa(kept)
    compare(found.estimate, entry.values["value"], "kappa")
    compare(found.statistic, entry.values["statistic"], "z")
    compare(found.p, entry.values["p.value"], "p")
    assert (found.readers, found.n) == (entry.values["raters"], entry.values["subjects"])
    # Digits that irr prints.
    detail = entry.values["detail"]
    assert len(detail["rows"]) == len(found.by_category)
    for row, expected in zip(found.by_category, detail["values"], strict=True):
        compare.all([row.estimate, row.statistic, row.p], expected, "detail", absolute=THREE_DECIMALS)


@walk.covers("fleiss_kappa_exact_conger/*", ignores=("irr.name",))
def exact(entry: Entry, compare: Compare) -> None:
    found = conger_kappa(complete(data_of(entry)))
    compare(found.estimate, entry.values["value"], "kappa")
    assert (found.readers, found.n) == (entry.values["raters"], entry.values["subjects"])


LIGHT = "irr's chance of agreement is no probability"


@walk.covers("light_kappa/*", ignores=("irr.name", "stat.name"), leaves={"statistic": LIGHT, "p.value": LIGHT})
def light(entry: Entry, compare: Compare) -> None:
    kept = complete(data_of(entry))
    found = light_kappa(kept)
    compare(found.estimate, entry.values["value"], "kappa")
    assert (found.readers, found.n) == (entry.values["raters"], entry.values["subjects"])
    # What irr calls chance, rebuilt to show that its z follows from it and that it may be negative.
    chance = irr_chance(kept)
    if chance < 0:
        assert entry.values["statistic"] == "NaN"
    else:
        statistic = found.estimate / math.sqrt(chance / (found.n * (1 - chance)))
        assert statistic == pytest.approx(entry.values["statistic"], rel=1e-8)


def irr_chance(values: Floats) -> float:
    counts = np.stack([(values == category).sum(axis=1) for category in np.unique(values)], axis=1)
    n = values.shape[1]
    apart = [1 - float(counts[one] @ counts[two]) / n**2 for one, two in combinations(range(len(values)), 2)]
    return 1 - len(apart) * math.prod(apart)


# irr's alpha is right where a judgement is missing; elsewhere with more than two raters it is not (README).
@walk.covers("krippendorff_alpha/*/cac_raw4raters")
def alpha_of_irr(entry: Entry, compare: Compare) -> None:
    values = data_of(entry)
    compare(krippendorff_alpha(values, entry.id.split("/")[1]).estimate, entry.values["value"], "alpha")
    assert (len(values), values.shape[1]) == (entry.values["raters"], entry.values["subjects"])


COEFFICIENTS = {
    "gwet.ac1.raw": gwet_ac1,
    "fleiss.kappa.raw": weighted_fleiss,
    "conger.kappa.raw": conger_kappa,
    "krippen.alpha.raw": lambda values, weights: krippendorff_alpha(values, weights=weights),
    "pa.coeff.raw": percent_agreement,
    "bp.coeff.raw": brennan_prediger,
}


def limits_in(text: str) -> list[float]:
    return [float(part) for part in text.strip("()").split(",")]


@walk.covers("irrCAC/*", ignores=("coeff.name", "w.name"))
def irrcac(entry: Entry, compare: Compare) -> None:
    _, name, weights, _ = entry.id.split("/")
    found: Agreement = COEFFICIENTS[name](data_of(entry), weights.replace("unweighted", "identity"))
    values = {key: entry.values[key][0] for key in ("pa", "pe", "coeff.val", "coeff.se", "conf.int", "p.value")}
    compare(found.observed, values["pa"], "pa")
    compare(found.chance, values["pe"], "pe")
    compare(found.estimate, (values["pa"] - values["pe"]) / (1 - values["pe"]), "(pa - pe) / (1 - pe)")
    compare(found.estimate, values["coeff.val"], "coefficient", absolute=FIVE_DECIMALS)
    compare(found.se, values["coeff.se"], "se", absolute=FIVE_DECIMALS)
    compare(found.p, values["p.value"], "p")
    interval = found.confidence_interval()
    compare.all([interval.low, interval.high], limits_in(values["conf.int"]), "interval", absolute=THREE_DECIMALS)


TABLES = {
    "scott2": scott_pi,
    "gwet.ac1": lambda one, two, weights: gwet_ac1(np.stack([one, two]), weights),
    "krippen2": lambda one, two, weights: krippendorff_alpha(np.stack([one, two]), weights=weights),
    "pa2": lambda one, two, weights: percent_agreement(np.stack([one, two]), weights),
    "bp2": lambda one, two, weights: brennan_prediger(np.stack([one, two]), weights),
}


@walk.covers("irrCAC_table/*", ignores=("coeff.name",))
def irrcac_table(entry: Entry, compare: Compare) -> None:
    name, weights = entry.id.split("/")[1].removesuffix(".table"), entry.id.split("/")[2].removesuffix(".weights")
    one, two = from_table(oracle_data("cont3x3abstractors").drop(columns="rater").to_numpy())
    if name == "kappa2":
        kappa = cohen_kappa(one, two, weights.replace("unweighted", "none"))
        estimate, se = kappa.estimate, kappa.se
    else:
        found = TABLES[name](one, two, weights.replace("unweighted", "identity"))
        # irrCAC's functions of tables divide by n, its functions of raw data and Gwet's book by n - 1.
        estimate, se = found.estimate, found.se * math.sqrt((found.n - 1) / found.n)
    compare(estimate, entry.values["coeff.val"][0], "coefficient")
    compare(se, entry.values["coeff.se"][0], "se")
    # The interval of a table is printed with three decimals and rests on the se divided by n.
    reach = 1.9842169515864165 * se  # qt(0.975, 99)
    low, high = limits_in(entry.values["coeff.ci"][0])
    compare.all([estimate - reach, estimate + reach], [low, high], "interval", absolute=THREE_DECIMALS)
    compare(conger_kappa(np.stack([one, two])).p, float(entry.values["coeff.pval"][0]), "p")


IRR_MODELS = {"oneway_consistency": "one-way", "twoway_consistency": "consistency", "twoway_agreement": "agreement"}


def irr_form(entry: Entry) -> Icc:
    name, unit = entry.id.split("/")[1].rsplit("_", 1)
    return icc(data_of(entry), IRR_MODELS[name], unit)


def common_of_irr(entry: Entry, compare: Compare) -> Icc:
    found = irr_form(entry)
    compare(found.estimate, entry.values["value"], "icc")
    test = found.test(entry.values["r0"])
    compare(test.statistic, entry.values["Fvalue"], "F")
    compare(test.df1, entry.values["df1"], "df1")
    assert (found.squares.readers, found.n) == (entry.values["raters"], entry.values["subjects"])
    return found


ICC_LABELS = ("model", "type", "unit", "conf.level")
ICC_TEST = "irr takes degrees of freedom of the estimate for a test of 0"
ICC_AVERAGE = "irr puts the average into the formula of the single measure"


@walk.covers("icc_irr/twoway_agreement_single/*", ignores=ICC_LABELS, leaves={"df2": ICC_TEST, "p.value": ICC_TEST})
def icc_agreement(entry: Entry, compare: Compare) -> None:
    found = common_of_irr(entry, compare)
    interval = found.confidence_interval()
    compare.all([interval.low, interval.high], [entry.values["lbound"], entry.values["ubound"]], "interval")


@walk.covers(
    "icc_irr/twoway_agreement_average/*",
    ignores=ICC_LABELS,
    leaves={"df2": ICC_TEST, "p.value": ICC_TEST, "?bound": ICC_AVERAGE},
)
def icc_agreement_average(entry: Entry, compare: Compare) -> None:
    found = common_of_irr(entry, compare)
    # With k ICC(A,k) in place of ICC(A,k) Satterthwaite's formula gives irr's number.
    squares, n = found.squares, found.n
    odds = squares.readers * found.estimate / (1 - found.estimate)
    parts = odds / n * squares.reader, (1 + odds * (n - 1) / n) * squares.error
    wrong = sum(parts) ** 2 / (
        parts[0] ** 2 / (squares.readers - 1) + parts[1] ** 2 / ((n - 1) * (squares.readers - 1))
    )
    assert wrong == pytest.approx(entry.values["df2"], rel=1e-8)


@walk.covers("icc_irr/*", ignores=ICC_LABELS)
def icc_irr(entry: Entry, compare: Compare) -> None:
    found = common_of_irr(entry, compare)
    test, interval = found.test(), found.confidence_interval()
    compare(test.df2, entry.values["df2"], "df2")
    compare(test.p, entry.values["p.value"], "p")
    compare.all([interval.low, interval.high], [entry.values["lbound"], entry.values["ubound"]], "interval")


def icc_table(entry: Entry, compare: Compare, rel: float, wider: float) -> None:
    # psych lists ICC1, ICC2, ICC3 and their averages: one-way, agreement, consistency.
    for place, found in enumerate(icc_forms(data_of(entry))):
        test, interval = found.test(), found.confidence_interval()
        numbers = {
            "ICC": found.estimate,
            "F": test.statistic,
            "df1": test.df1,
            "df2": test.df2,
            "lower bound": interval.low,
            "upper bound": interval.high,
        }
        for key, number in numbers.items():
            compare(number, entry.values[key][place], f"{found.name} {key}", rel=rel)
        compare(test.p, entry.values["p"][place], f"{found.name} p", rel=wider)


@walk.covers("icc_psych/*", ignores=("type",))
def icc_psych(entry: Entry, compare: Compare) -> None:
    icc_table(entry, compare, 1e-8, 1e-8)


@walk.covers("icc_psych_lmer/*", ignores=("type",))
def icc_psych_lmer(entry: Entry, compare: Compare) -> None:
    # lme4 finds the variances by an optimiser that stops at about six digits; F and p follow from them.
    icc_table(entry, compare, 1e-5, 5e-5)


@walk.covers("icc_psy/*")
def icc_psy(entry: Entry, compare: Compare) -> None:
    squares, _ = mean_squares(data_of(entry))
    compare(squares.case_variance, entry.values["subject.variance"], "subject")
    compare(squares.reader_variance, entry.values["rater.variance"], "rater")
    compare(squares.error, entry.values["residual"], "residual")
    compare(icc(data_of(entry), "consistency").estimate, entry.values["icc.consistency"], "consistency")
    compare(icc(data_of(entry)).estimate, entry.values["icc.agreement"], "agreement")
    assert (squares.readers, squares.cases) == (entry.values["nb.raters"], entry.values["nb.subjects"])


@walk.covers("kendall_w/*", ignores=("irr.name", "stat.name"))
def kendall(entry: Entry, compare: Compare) -> None:
    found = kendall_w(data_of(entry))
    compare(found.estimate, entry.values["value"], "W")
    compare(found.statistic, entry.values["statistic"], "chi-square")
    compare(found.p, entry.values["p.value"], "p")
    assert (found.readers, found.n) == (entry.values["raters"], entry.values["subjects"])


MEANCOR = "irr multiplies the correlation and not its Fisher transform"


@walk.covers("meancor/*", ignores=("irr.name", "stat.name"), leaves={"statistic": MEANCOR, "p.value": MEANCOR})
def meancor(entry: Entry, compare: Compare) -> None:
    found = mean_correlation(data_of(entry))
    compare(found.estimate, entry.values["value"], "R")
    assert (found.readers, found.n) == (entry.values["raters"], entry.values["subjects"])
    assert found.estimate * math.sqrt(found.n - 3) == pytest.approx(entry.values["statistic"], rel=1e-8)


def counts(reader: str, arm: str) -> Floats:
    frame = oracle_data("mitotic_counts_roi")
    chosen = frame[(frame["reader"] == reader) & (frame["treatment"] == arm)]
    return chosen.sort_values("case")["count"].to_numpy(dtype=float)


@walk.covers("bland_altman/*")
def limits(entry: Entry, compare: Compare) -> None:
    one = counts("observer.1", "microscope")
    two = counts("observer.1", "scanner.A") if "vs_A" in entry.id else counts("observer.2", "microscope")
    found = bland_altman(two, one, entry.values["two"])
    assert found.n == entry.values["based.on"]
    compare(found.estimate, entry.values["mean.diffs"], "mean")
    compare.all([found.low, found.high], [entry.values["lower.limit"], entry.values["upper.limit"]], "limits")
    compare(found.multiplier * found.spread, entry.values["critical.diff"], "critical")
    lower, upper = found.limit_intervals(method="1986")
    mean = found.confidence_interval()
    lines = entry.values["CI.lines"]
    for name, interval in (("lower.limit", lower), ("mean.diff", mean), ("upper.limit", upper)):
        compare(interval.low, lines[f"{name}.ci.lower"], f"{name} lower")
        compare(interval.high, lines[f"{name}.ci.upper"], f"{name} upper")


@walk.covers("ccc/*")
def lin(entry: Entry, compare: Compare) -> None:
    found = concordance(counts("observer.1", "microscope"), counts("observer.2", "microscope"))
    expected, interval = entry.values["rho.c"], found.confidence_interval()
    compare.all(
        [found.estimate, interval.low, interval.high],
        [expected["est"][0], expected["lower"][0], expected["upper"][0]],
        "rho.c",
    )
    compare(found.scale_shift, entry.values["s.shift"], "scale")
    compare(found.location_shift, entry.values["l.shift"], "location")
    compare(found.accuracy, entry.values["C.b"], "C.b")


@pytest.mark.parametrize("entry", walk.entries(), ids=str)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
