"""Degenerate studies of many readers, on the walk of test_edge_cases.py."""

from collections.abc import Callable
from typing import Any

from analysis.covariance import Covariance
from analysis.dbm import dbm
from analysis.moments import moments
from analysis.mrmc import ArmDifference, Mrmc, obuchowski_rockette
from analysis.ratings import Columns, Ratings, table_to_ratings
from analysis.ustatistics import u_statistics
from tests.analysis.oracle_entries import Entry
from tests.analysis.rjafroc_tables import LABELS, compare_anova, compare_or_tests, compare_pseudo_tests
from tests.analysis.rjafroc_tables import compare_figures as compare_foms
from tests.analysis.walk import Compare, Walk

EQUAL = ("edge_mrmc_all_ties", "edge_mrmc_perfect", "edge_mrmc_identical_modalities")
ALONE, GAP = "edge_mrmc_one_reader", "edge_mrmc_missing_class_cell"
NOISE = "MRMCaov divides rounding noise by rounding noise here (F = 1, p = 0.42); ours says difference 0 and p 1."
NO_TEST = "RJafroc answers NaN where nothing varies; ours says difference 0 and p 1."
NOT_THERE = "MRMCaov answers NaN for a reader who has no case of a class in an arm; ours names him and refuses."
WHOLE_DF = "iMRMC cuts its degrees of freedom to a whole number before the t distribution; see mrmc_ustat_imrmc."
# What is zero but for rounding.
ZERO = 1e-15
ROOTED = 2e-8
CUT = ("dfBDG", "dfBDG.diff", "pValueBDG", "botCIBDG", "topCIBDG", "pValueNormal")
IDS = ("modalityID.*",)
LABELLED = ("*Correlation", "*Comparison")


def study(entry: Entry) -> Ratings:
    return table_to_ratings(entry.frame(), Columns(arm="treatment"))


def analysed(entry: Entry) -> Mrmc:
    """The call of MRMCaov as a call of ours."""
    method = entry.id.split("/")[1]
    methods: dict[str, Covariance] = {"jackknife": "jackknife", "unbiased": "unbiased"}
    fixed = method.endswith("fixed_readers")
    return obuchowski_rockette(study(entry), "auc", methods.get(method, "delong"), "fixed" if fixed else "random")


def nothing_varies(found: Any) -> None:
    row = found.differences[0]
    assert (row.estimate, row.se, row.p) == (0.0, 0.0, 1.0) and found.warnings


def compare_components(table: Any, found: Mrmc, compare: Compare) -> None:
    parts = found.components
    assert parts is not None
    ours = {
        "reader": parts.reader, "treatment:reader": parts.arm_reader, "Error": parts.error, "Cov1": parts.cov1,
        "Cov2": parts.cov2, "Cov3": parts.cov3,
    }  # fmt: skip
    for name, value in zip(table["_row"], table["Estimate"], strict=True):
        compare(ours[name], value, name, absolute=ZERO)


def compare_difference(table: Any, row: ArmDifference, compare: Compare) -> None:
    """MRMCaov subtracts the other way round."""
    interval = row.confidence_interval()
    compare(-row.estimate, table["Estimate"][0], "difference")
    compare(row.se, table["StdErr"][0], "se")
    compare(row.p, table["p-value"][0], "p")
    compare(-row.statistic, table["t" if "t" in table else "z"][0], "statistic")
    compare.all([-interval.high, -interval.low], [table["lo"][0], table["hi"][0]], "limits", absolute=1e-12)
    if "df" in table:
        compare(row.df, table["df"][0], "df")


def compare_equality(table: Any, found: Mrmc, compare: Compare) -> None:
    overall, parts = found.overall, found.components
    assert overall is not None and parts is not None
    ours = {
        "MS(T)": found.mean_squares.arms, "MS(T:R)": found.mean_squares.interaction, "Cov1": parts.cov1,
        "Cov2": parts.cov2, "Cov3": parts.cov3, "Denominator": found.error_term.denominator, "F": overall.f,
        "df1": overall.df1, "df2": overall.df2, "X2": overall.f * overall.df1, "df": overall.df1,
        "p-value": overall.p,
    }  # fmt: skip
    for name in table:
        compare(ours[name], table[name][0], name)


def compare_means(table: Any, found: Mrmc, compare: Compare) -> None:
    compare.all([mean.estimate for mean in found.arms], table["Estimate"], "mean")
    compare.all([mean.se for mean in found.arms], table["StdErr"], "mean se")
    compare.all([mean.cov2 for mean in found.arms], table["Cov2"], "mean cov2")
    limits = [mean.confidence_interval() for mean in found.arms]
    compare.all([interval.low for interval in limits], table["lo"], "mean low", absolute=ZERO)
    compare.all([interval.high for interval in limits], table["hi"], "mean high", absolute=ZERO)
    for name, values in (
        ("MS(R)", [mean.mean_square for mean in found.arms]),
        ("Var(Error)", [mean.error for mean in found.arms]),
        ("df", [mean.df for mean in found.arms]),
    ):
        if name in table:
            compare.all(values, table[name], f"mean {name}")


def cover(walk: Walk) -> None:
    """Add the checkers of studies of many readers."""
    cover_refusals(walk)
    cover_equal_arms(walk)
    cover_two_readers(walk)


def cover_refusals(walk: Walk) -> None:
    @walk.covers(f"iMRMC/*/{GAP}", ignores=IDS, leaves=dict.fromkeys(CUT, WHOLE_DF))
    def moments_without_a_class(entry: Entry, compare: Compare) -> None:
        compare_moments(entry, compare)

    @walk.covers(f"*/{GAP}", ignores=("error",), leaves=dict.fromkeys(("vcov*", "test*", "means*"), NOT_THERE))
    def no_case_of_a_class(entry: Entry, compare: Compare) -> None:
        ratings = study(entry)
        for compute in (obuchowski_rockette, dbm):
            compare.refused(lambda how=compute: how(ratings), compute.__name__)  # type: ignore[misc]

    @walk.covers(f"MRMCaov/DeLong_fixed_readers/{ALONE}", ignores=(*LABELLED, "test_equality", "means"))
    def one_fixed_reader(entry: Entry, compare: Compare) -> None:
        found = analysed(entry)
        compare_components(entry.values["vcov"], found, compare)
        compare_difference(entry.values["test_diffs"], found.differences[0], compare)

    @walk.covers(f"*/{ALONE}", ignores=("error",))
    def one_random_reader(entry: Entry, compare: Compare) -> None:
        """All stop; ours with a sentence."""
        assert "error" in entry.values
        ratings = study(entry)
        refusals = {"MRMCaov": obuchowski_rockette, "RJafroc": dbm, "iMRMC": u_statistics}
        compute: Callable[[Ratings], object] = refusals[entry.id.split("/")[0]]
        compare.refused(lambda: compute(ratings), entry.id)


def numbers_of(table: Any) -> dict[str, list[float]]:
    """The columns that hold numbers; where nothing varies the peers write NaN or NA into others."""
    columns = {name: table[name] for name in table}
    return {name: values for name, values in columns.items() if all(isinstance(v, int | float) for v in values)}


def cover_equal_arms(walk: Walk) -> None:
    noise = dict.fromkeys(("test_equality.F", "test_equality.X2", "test_equality.df2", "test_equality.p-value"), NOISE)

    @walk.covers(*(f"MRMCaov/*/{name}" for name in EQUAL), ignores=LABELLED, leaves=noise | {"test_diffs.df": NOISE})
    def equal_arms(entry: Entry, compare: Compare) -> None:
        found, values = analysed(entry), entry.values
        nothing_varies(found)
        compare_components(values["vcov"], found, compare)
        parts, row, squares = found.components, found.differences[0], found.mean_squares
        assert parts is not None
        equality = {
            "MS(T)": squares.arms, "MS(T:R)": squares.interaction, "Cov1": parts.cov1, "Cov2": parts.cov2,
            "Cov3": parts.cov3, "Denominator": found.error_term.denominator, "df1": 1, "df": 1,
        }  # fmt: skip
        table = values["test_equality"]
        for name in equality.keys() & table.keys():
            compare(equality[name], table[name][0], name, absolute=ZERO)
        ours = {"Estimate": 0.0, "StdErr": 0.0, "t": row.statistic, "p-value": row.p, "lo": 0.0, "hi": 0.0}
        for name, expected in numbers_of(values["test_diffs"]).items():
            if name in ours:
                compare(ours[name], expected[0], name, absolute=ROOTED)
        compare_still_means(values["means"], found, compare)

    no_test = dict.fromkeys(("RRRC.ciAvgRdrEachTrt.DF", "RRRC.FTests.DF"), NO_TEST)

    @walk.covers(*(f"RJafroc/OR/{name}" for name in EQUAL), ignores=(*LABELS, "*.Rhos"), leaves=no_test)
    def equal_arms_of_rjafroc(entry: Entry, compare: Compare) -> None:
        found, values = obuchowski_rockette(study(entry), "auc", "jackknife"), entry.values
        nothing_varies(found)
        compare_foms(values["FOMs"], found, compare)
        compare_equal_anova(values["ANOVA"], found, compare)
        tests = values["RRRC"]
        compare.all([0.0, 0.0], tests["FTests"]["MS"], "mean squares")
        # NaN where nothing varies; ours is p = 1.
        assert {tests["FTests"]["FStat"][0], tests["FTests"]["p"][0]} == {"NaN"}
        for expected in numbers_of(tests["ciDiffTrt"]).values():
            compare(0.0, expected[0], "difference and its error")
        compare_still_means(tests["ciAvgRdrEachTrt"], found, compare)

    @walk.covers(*(f"{peer}/*/{name}" for peer in ("RJafroc", "iMRMC") for name in EQUAL), ignores=("error",))
    def peers_that_stop(entry: Entry, compare: Compare) -> None:
        """DBM and iMRMC stop without a word; ours answers difference 0."""
        assert "error" in entry.values
        found = dbm(study(entry)) if entry.id.startswith("RJafroc") else u_statistics(study(entry), variance="mle")
        compare(found.estimate, 0.0, "difference")
        assert found.p == 1 and found.warnings


def compare_still_means(table: Any, found: Mrmc, compare: Compare) -> None:
    """Means whose readers do not differ: their error is zero, their interval has no width."""
    for place, mean in enumerate(found.arms):
        interval = mean.confidence_interval()
        ours = {
            "Estimate": mean.estimate, "StdErr": mean.se, "MS(R)": mean.mean_square, "Cov2": mean.cov2,
            "Var(Error)": mean.error, "lo": interval.low, "hi": interval.high,
        }  # fmt: skip
        for name, expected in numbers_of(table).items():
            if name in ours:
                # The root of a variance that is 1e-17 from rounding.
                compare(ours[name], expected[place], f"mean {name}", absolute=ROOTED if name != "MS(R)" else ZERO)


def compare_equal_anova(content: Any, found: Mrmc, compare: Compare) -> None:
    """Mean squares are zero, variances those of the arms and readers."""
    table, own = content["TRanova"], content["IndividualTrt"]
    squares = found.mean_squares
    compare.all([squares.arms, squares.readers, squares.interaction], table["MS"], "MS", absolute=ZERO)
    compare.all([0.0, 0.0, 0.0], table["SS"], "SS", absolute=ZERO)
    compare.all([mean.mean_square for mean in found.arms], own["msREachTrt"], "msREachTrt", absolute=ZERO)
    compare.all([mean.error for mean in found.arms], own["varEachTrt"], "varEachTrt")
    compare.all([mean.cov2 for mean in found.arms], own["cov2EachTrt"], "cov2EachTrt")
    r, t = found.figures.shape
    parts = found.components
    assert parts is not None
    ours = [parts.reader, parts.arm_reader, parts.cov1, parts.cov2, parts.cov3, parts.error]
    compare.all(ours, content["VarCom"]["Estimates"], "VarCom", absolute=ZERO)
    compare.all([t - 1, r - 1, (t - 1) * (r - 1)], table["DF"], "DF")
    compare.all([r - 1] * t, own["DF"], "IndividualTrt DF")
    assert found.covariance is not None
    cube, readers = found.covariance.reshape(r, t, r, t), content["IndividualRdr"]
    compare.all([t - 1] * r, readers["DF"], "IndividualRdr DF")
    compare.all([0.0] * r, readers["msTEachRdr"], "msTEachRdr", absolute=ZERO)
    compare.all([cube[j, :, j, :].trace() / t for j in range(r)], readers["varEachRdr"], "varEachRdr")
    compare.all([cube[j, 0, j, 1] for j in range(r)], readers["cov1EachRdr"], "cov1EachRdr")


def cover_two_readers(walk: Walk) -> None:
    @walk.covers("MRMCaov/*/edge_mrmc_two_readers", ignores=LABELLED)
    def two_readers(entry: Entry, compare: Compare) -> None:
        found, values = analysed(entry), entry.values
        compare_components(values["vcov"], found, compare)
        compare_equality(values["test_equality"], found, compare)
        compare_difference(values["test_diffs"], found.differences[0], compare)
        compare_means(values["means"], found, compare)

    @walk.covers("RJafroc/OR/edge_mrmc_two_readers", ignores=LABELS)
    def two_readers_of_rjafroc(entry: Entry, compare: Compare) -> None:
        found = obuchowski_rockette(study(entry), "auc", "jackknife")
        compare_foms(entry.values["FOMs"], found, compare)
        compare_anova(entry.values["ANOVA"], found, compare)
        compare_or_tests(entry.values["RRRC"], found, "RRRC", compare)

    @walk.covers("RJafroc/DBM/edge_mrmc_two_readers", ignores=LABELS)
    def pseudovalues_of_two_readers(entry: Entry, compare: Compare) -> None:
        found = dbm(study(entry))
        compare_foms(entry.values["FOMs"], found, compare)
        compare_pseudo_tests(entry.values["RRRC"], found, "RRRC", compare)

    @walk.covers("iMRMC/*/edge_mrmc_two_readers", ignores=IDS, leaves=dict.fromkeys(CUT, WHOLE_DF))
    def moments_of_two_readers(entry: Entry, compare: Compare) -> None:
        compare_moments(entry, compare)


def compare_moments(entry: Entry, compare: Compare) -> None:
    """Means and both variances; the variance of the difference is negative, so there is no test."""
    ratings, table = study(entry), entry.values
    found = moments(ratings)
    pairs = ((0, 0), (1, 1), (0, 1))
    compare.all([found.means[one] for one, _ in pairs], table["AUC.1"], "AUC.1")
    compare.all([found.means[two] for _, two in pairs], table["AUC.2"], "AUC.2")
    compare.all([found.covariance(*pair) for pair in pairs], table["covAUC"], "covariance")
    compare.all([found.covariance(*pair, True) for pair in pairs], table["covAUC.biased"], "V covariance")
    compare(found.means[0] - found.means[1], table["AUC1minusAUC2"][2], "difference")
    compare(found.variance_of_difference(0, 1), table["varAUC1minusAUC2"][2], "variance")
    compare(found.variance_of_difference(0, 1, True), table["varAUC1minusAUC2.biased"][2], "V variance")
    assert table["varAUC1minusAUC2"][2] < 0 and table["pValueNormal"][2] == "NA"
    compare.refused(lambda: u_statistics(ratings), "negative variance")
