"""Google-Health, yandex, MLstatkit and scikit-learn: every entry of the reference file."""

import math

import numpy as np
import pytest

from analysis.delong import delong_auc, delong_test
from analysis.margins import auc_margin_test, margin_test
from analysis.merit_names import merit_named
from analysis.merits import Custom, Merit
from analysis.mrmc import obuchowski_rockette
from analysis.ratings import Bools, Columns, Floats, table_to_ratings
from analysis.roc import partial_area, roc_curve
from analysis.standalone import model_against_readers
from tests.analysis.oracle_entries import Entry
from tests.analysis.walk import Compare, Walk

walk = Walk("python_peers")
# Google-Health holds the figures of merit and their jackknife in single precision: 6e-8 of each of them.
SINGLE = 1e-7
# It leaves out every case in turn, also those on which sensitivity does not rest: N is 114 and not 45 (MRMCaov's).
FIGURES: dict[str, str | Merit] = {
    "auc": "auc",
    "sens": Custom("sensitivity", merit_named("sensitivity").value, limits=(0.0, 1.0)),
    "spec": Custom("specificity", merit_named("specificity").value, limits=(0.0, 1.0)),
}


def margin_of(entry: Entry) -> float:
    return next(float(part.removeprefix("margin")) for part in entry.id.split("/") if part.startswith("margin"))


def scores(entry: Entry, names: str) -> tuple[Bools, list[Floats]]:
    frame = entry.frame()
    return frame["truth"].to_numpy() == 1, [frame[name].to_numpy(float) for name in names.split("_")]


@walk.covers("dual_modality_orh/*", ignores=("effect_size_constituents.model_fom", "*.average_reader_fom"))
def two_arms(entry: Entry, compare: Compare) -> None:
    frame, values, figure = entry.frame(), entry.values, FIGURES[entry.id.split("/")[1]]
    if "/auc/" not in entry.id:
        frame["rating"] = (frame["rating"] >= 3).astype(float)
    ratings = table_to_ratings(frame, Columns(arm="treatment"))
    found = obuchowski_rockette(ratings, figure, "jackknife").differences[0]
    margin, interval = margin_of(entry), found.confidence_interval()
    tolerance = {"rel": 2e-5, "absolute": 20 * SINGLE}
    compare(found.estimate, values["effect"], "effect", absolute=2 * SINGLE)
    compare.all([interval.low, interval.high], values["ci"], "interval", **tolerance)
    compare(found.df, values["dof"], "df", **tolerance)
    means = obuchowski_rockette(ratings, figure, "jackknife").arms
    expected = values["effect_size_constituents"]["modality_foms"]
    compare.all([mean.estimate for mean in means], expected, "figures", absolute=SINGLE)
    if margin == 0:
        compare(found.statistic, values["statistic"], "statistic", **tolerance)
        compare(found.p, values["pvalue"], "p", **tolerance)
        return
    test = margin_test(found.estimate, found.se, margin, found.df)
    compare(test.statistic, values["statistic"], "statistic", **tolerance)
    compare(test.p, values["pvalue"], "p", **tolerance)


@walk.covers("model_vs_readers_orh/*", ignores=("*.modality_foms",))
def model_against_readers_of_google(entry: Entry, compare: Compare) -> None:
    ratings, values = table_to_ratings(entry.frame(), Columns(arm="treatment")), entry.values
    readers = ratings.restricted(readers=ratings.readers[1:], arms=ratings.arms[:1])
    found = model_against_readers(readers, ratings.values[0, 0])
    interval, margin = found.confidence_interval(), margin_of(entry)
    compare(found.estimate, values["effect"], "effect")
    compare.all([interval.low, interval.high], values["ci"], "interval")
    compare(found.df, values["dof"], "df")
    compare(found.model, values["effect_size_constituents"]["model_fom"], "model")
    compare(found.readers_mean, values["effect_size_constituents"]["average_reader_fom"], "readers")
    if margin == 0:
        compare(found.statistic, values["statistic"], "statistic")
        compare(found.p, values["pvalue"], "p")
        return
    test = margin_test(found.estimate, found.se, margin, found.df)
    compare(test.statistic, values["statistic"], "statistic")
    compare(test.p, values["pvalue"], "p")


@walk.covers("yandex/delong_roc_variance/*")
def variance(entry: Entry, compare: Compare) -> None:
    truth, (rating,) = scores(entry, entry.id.split("/")[-1])
    found = delong_auc(truth, rating)
    compare(found.estimate, entry.values["auc"], "auc")
    compare(found.se**2, entry.values["var"], "variance")


@walk.covers("google/delong_interval/*", "google/delong_interval90/*")
def interval(entry: Entry, compare: Compare) -> None:
    truth, (rating,) = scores(entry, entry.id.split("/")[-1])
    found = delong_auc(truth, rating).confidence_interval(0.9 if "interval90" in entry.id else 0.95)
    compare.all([found.low, found.high], entry.values, "interval")


@walk.covers("sklearn/roc_curve/*")
def curve(entry: Entry, compare: Compare) -> None:
    truth, (rating,) = scores(entry, entry.id.split("/")[-1])
    found = roc_curve(truth, rating)
    compare.all(found.fpr, entry.values["fpr"], "fpr")
    compare.all(found.tpr, entry.values["tpr"], "tpr")
    assert entry.values["thresholds"][0] == "inf" and math.isinf(found.thresholds[0])
    compare.all(found.thresholds[1:], entry.values["thresholds"][1:], "thresholds")


@walk.covers("sklearn/max_fpr/*")
def corrected_partial_area(entry: Entry, compare: Compare) -> None:
    truth, (rating,) = scores(entry, entry.id.split("/")[-1])
    found = partial_area(roc_curve(truth, rating), "specificity", 0.8, 1.0, corrected=True)
    compare(found, entry.values, "corrected partial area")


@walk.covers("yandex/delong_roc_test/*")
def difference_by_yandex(entry: Entry, compare: Compare) -> None:
    truth, (first, second) = scores(entry, entry.id.split("/")[-1])
    found = math.log10(delong_test(truth, first, second).p)
    compare(found, np.asarray(entry.values["log10_p"]).item(), "log10 p")


@walk.covers("google/delong_test/*")
def difference_by_google(entry: Entry, compare: Compare) -> None:
    truth, (first, second) = scores(entry, entry.id.split("/")[-1])
    found, values, margin = delong_test(truth, first, second), entry.values, margin_of(entry)
    limits = found.confidence_interval()
    compare(found.estimate, values["effect"], "effect")
    compare.all([limits.low, limits.high], values["ci"], "interval")
    test = auc_margin_test(found, margin) if margin else found
    compare(test.statistic, values["statistic"], "statistic")
    compare(test.p, values["pvalue"], "p")


@walk.covers("mlstatkit/Delong_test/*", ignores=("info.method", "info.n_boot", "info.messages"))
def difference_by_mlstatkit(entry: Entry, compare: Compare) -> None:
    """It also says B minus A, and which share of each score is tied with another case."""
    truth, ratings = scores(entry, entry.id.split("/")[-1])
    found, values = delong_test(truth, *ratings), entry.values
    compare(found.statistic, values["z"], "z")
    compare(found.p, values["p"], "p")
    for name, area, rating in zip("AB", (found.first, found.second), ratings, strict=True):
        limits = area.confidence_interval()
        compare(area.estimate, values[f"auc_{name}"], "auc")
        compare.all([limits.low, limits.high], values[f"ci_{name}"], "interval")
        _, counts = np.unique(rating, return_counts=True)
        compare(1 - len(counts) / len(rating), values["info"][f"tie_rate_{name}"], "ties")
    compare(found.se**2, values["info"]["var_diff"], "variance")
    compare.all([found.first.positives, found.first.negatives], [values["info"]["n_pos"], values["info"]["n_neg"]], "n")


@pytest.mark.parametrize("entry", walk.entries(), ids=str)
def test_entry(entry: Entry) -> None:
    walk.check(entry)
