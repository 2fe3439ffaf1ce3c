"""A plan carried out: the valid test for every design, exclusions counted, claims judged in the order of the plan."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from analysis.clustered import cluster_counts, clustered_mcnemar
from analysis.clustered_auc import clustered_auc_test
from analysis.delong import delong_test
from analysis.mrmc import obuchowski_rockette
from analysis.ratings import table_to_ratings
from analysis.ustatistics import u_statistics
from tests.analysis.oracle_entries import agree, crossed, golden
from tests.analysis.plan_texts import carried_out, claim, endpoint, findings, model_of, plan_text


def test_the_crossed_study_is_that_of_the_oracle() -> None:
    row = claim(carried_out(plan_text(), crossed())).row
    theirs = golden()["ORH_auc_RRRC_DeLong"]["test_diffs"][0]
    agree(row.estimate, 0.07175, "difference")
    for key, name in (("se", "StdErr"), ("df", "df"), ("p", "p-value")):
        agree(getattr(row, key), theirs[name], key)


@pytest.mark.parametrize("metric", ["sensitivity", "specificity"])
def test_decisions_go_by_the_same_analysis(metric: str) -> None:
    row = claim(carried_out(plan_text(endpoint(metric=metric)), crossed())).row
    wanted = crossed().query(f"truth == {int(metric == 'sensitivity')}")
    right = wanted["decision"] == wanted["truth"]
    means = right.groupby(wanted["arm"]).mean()
    assert row.estimate == pytest.approx(means["aided"] - means["unaided"], abs=1e-12)
    assert (row.first_value, row.second_value) == pytest.approx((means["unaided"], means["aided"]))


def test_missing_cells_change_the_covariance_and_are_told() -> None:
    frame = crossed().drop(index=[3, 500])
    outcome = carried_out(plan_text(), frame)
    whole = obuchowski_rockette(table_to_ratings(frame, arms=("unaided", "aided")), "auc", "unbiased")
    assert claim(outcome).row.p == whole.p
    assert "Gallas's unbiased covariance" in findings(outcome).method
    assert any("2 of 800 readings" in text for text in outcome.deviations)
    assert any(
        "declares the design fully crossed; the data are: Not every reader" in text for text in outcome.deviations
    )


def test_delong_covariance_is_refused_where_cells_are_missing() -> None:
    outcome = carried_out(plan_text(endpoint(more='covariance = "delong"\n')), crossed().drop(index=[3]))
    assert not outcome.endpoints[0].valid
    assert "missing, and the DeLong covariance" in outcome.endpoints[0].sentence
    assert any("was not computed" in text for text in outcome.deviations)


def split_plot() -> pd.DataFrame:
    frame = crossed()
    half = frame["case"].str.removeprefix("C").astype(int) % 2 == 0
    return frame[np.where(frame["reader"].isin(["R1", "R2"]), half, ~half)]


def test_a_split_plot_study() -> None:
    text = plan_text(endpoint(), endpoint("u-statistics", role="secondary"), design="split-plot")
    outcome = carried_out(text, split_plot())
    assert outcome.design is not None
    assert outcome.design.kind == "split-plot"
    ratings = table_to_ratings(split_plot(), arms=("unaided", "aided"))
    assert claim(outcome).row.p == obuchowski_rockette(ratings, "auc", "unbiased").p
    assert claim(outcome, 1).row.p == u_statistics(ratings).differences[0].p
    assert not any("declares the design" in text for text in outcome.deviations)


def test_readers_nested_in_arms() -> None:
    whole = crossed()
    frame = whole.loc[(whole["arm"] == "aided") == whole["reader"].isin(["R1", "R2"])]
    outcome = carried_out(plan_text(endpoint("u-statistics"), design="readers nested in arms"), frame)
    assert claim(outcome).row.estimate == pytest.approx(
        u_statistics(table_to_ratings(frame, arms=("unaided", "aided"))).estimate
    )


def test_a_single_reader_is_tested_alone() -> None:
    frame = crossed().query("reader == 'R1'").drop(columns="reader")
    text = plan_text(
        endpoint("delong per reader"), endpoint("mcnemar per reader", "accuracy", "secondary"), design="single reader"
    )
    outcome = carried_out(text, frame.assign(reader="reader"))
    wide = frame.pivot(index="case", columns="arm", values="rating").sort_index()
    truth = frame.drop_duplicates("case").set_index("case")["truth"].sort_index().to_numpy() == 1
    expected = delong_test(truth, wide["unaided"].to_numpy(float), wide["aided"].to_numpy(float))
    assert claim(outcome).row.p == expected.p
    over = carried_out(plan_text(), frame.assign(reader="R1"))
    assert "only one reader" in over.endpoints[0].sentence


def clustered() -> pd.DataFrame:
    """Two cases to a patient."""
    number = crossed()["case"].str.removeprefix("C").astype(int)
    return crossed().assign(patient="P" + ((number + 1) // 2).astype(str))


def test_clustered_units_are_refused_unless_declared() -> None:
    refused = carried_out(plan_text(), clustered()).endpoints[0]
    assert not refused.valid
    assert "40 patients have 80 cases" in refused.sentence
    assert "nested = true" in refused.sentence


def test_clustered_units_per_reader_and_per_patient() -> None:
    text = plan_text(
        endpoint("clustered per reader"),
        endpoint("clustered per reader", "accuracy", "secondary"),
        endpoint(role="secondary", more='unit = "patient"\n'),
        more="[cases]\nnested = true\n",
    )
    outcome = carried_out(text, clustered())
    frame = clustered().query("reader == 'R1'").sort_values("case")
    one, two = (frame[frame["arm"] == arm] for arm in ("unaided", "aided"))
    expected = clustered_auc_test(
        one["truth"].to_numpy() == 1,
        one["rating"].to_numpy(float),
        two["rating"].to_numpy(float),
        one["patient"].tolist(),
    )
    assert claim(outcome).row.p == pytest.approx(expected.p, rel=1e-12)
    assert len(findings(outcome).claims) == 5
    assert "adjusted for clusters" in findings(outcome, 1).method
    assert "40 cases" in findings(outcome, 2).method


@pytest.mark.parametrize(
    ("condition", "gone"),
    [
        ('equals = "bad"', {"C001"}),
        ('differs = "good"', {"C001"}),
        ('one_of = ["bad", "worse"]', {"C001", "C002"}),
        ("missing = true", {"C003"}),
    ],
)
def test_exclusions_by_rule(condition: str, gone: set[str]) -> None:
    quality = crossed()["case"].map({"C001": "bad", "C002": "worse"}).fillna("good")
    if condition.startswith("differs"):
        quality = quality.replace("worse", "good")
    frame = crossed().assign(q=quality.where(crossed()["case"] != "C003"))
    text = plan_text(more=f'[[exclusions]]\nreason = "why"\ncolumn = "q"\nof = "cases"\n{condition}\n')
    flow = carried_out(text, frame).flow
    assert flow.cases_analysed == 80 - len(gone)
    assert (flow.steps[0].reason, flow.steps[0].cases, flow.steps[0].readings) == ("why", len(gone), 10 * len(gone))


@pytest.mark.parametrize(("condition", "left"), [("below = 3", 6), ("above = 3", 3), ("equals = 5", 7)])
def test_exclusions_by_number(condition: str, left: int) -> None:
    frame = crossed()[lambda rows: rows["case"].isin([f"C{n:03d}" for n in range(1, 9)])]
    frame = frame.assign(number=frame["case"].str.removeprefix("C").astype(int))
    text = plan_text(more=f'[[exclusions]]\nreason = "why"\ncolumn = "number"\nof = "cases"\n{condition}\n')
    assert carried_out(text, frame).flow.cases_analysed == left


def test_readers_are_excluded_whole() -> None:
    frame = crossed().assign(trained=lambda rows: (rows["reader"] != "R4") | (rows["case"] != "C001"))
    text = plan_text(
        more='[[exclusions]]\nreason = "not trained"\ncolumn = "trained"\nof = "readers"\nequals = "False"\n'
    )
    outcome = carried_out(text, frame.assign(trained=frame["trained"].astype(str)))
    assert outcome.flow.steps[0].readers == 1
    assert outcome.flow.readers_analysed == 4
    assert any(text == "Left out: 160 readings, 1 reader: not trained." for text in outcome.deviations)


def test_cases_that_are_excluded_leave_the_scores_too() -> None:
    frame = crossed().assign(poor=lambda rows: (rows["case"] == "C001").astype(int))
    text = plan_text(
        endpoint("model against readers", more='arms = ["aided"]\n'),
        more='[scores]\nfile = "x"\n[[exclusions]]\nreason = "poor"\ncolumn = "poor"\nof = "cases"\nequals = 1\n',
    )
    outcome = carried_out(text, frame, model_of(crossed()))
    assert outcome.flow.scores_left_out == 1
    assert claim(outcome).row.n == 79


def test_complete_cases_restore_the_crossed_design() -> None:
    frame = crossed().drop(index=[3, 500])
    outcome = carried_out(plan_text(more='[missing]\nrule = "complete cases"\n'), frame)
    assert outcome.design is not None
    assert outcome.design.kind == "fully crossed"
    assert outcome.flow.cases_analysed == 78
    assert "DeLong's covariance" in findings(outcome).method


def test_worst_case_is_worse_than_what_was_read() -> None:
    frame = crossed()
    lost = frame.index[(frame["arm"] == "aided") & (frame["reader"] == "R1") & (frame["truth"] == 1)][:5]
    kept = frame.drop(index=lost)
    read = claim(carried_out(plan_text(endpoint(metric="sensitivity")), kept)).row
    worst = carried_out(plan_text(endpoint(metric="sensitivity"), more='[missing]\nrule = "worst case"\n'), kept)
    assert worst.design is not None
    assert worst.design.missing == 0
    filled = frame.assign(decision=np.where(frame.index.isin(lost), 0, frame["decision"]))
    assert (
        claim(worst).row.estimate == claim(carried_out(plan_text(endpoint(metric="sensitivity")), filled)).row.estimate
    )
    assert claim(worst).row.estimate < read.estimate
    assert any(text.startswith("5 missing readings counted as right in the first arm") for text in worst.deviations)


def test_the_model_against_the_readers() -> None:
    text = plan_text(
        endpoint("model against readers", more='arms = ["aided"]\nhypothesis = "non-inferiority"\nmargin = 0.1\n'),
        endpoint("model against each reader", "accuracy", "secondary", more='arms = ["aided"]\n'),
        more='[scores]\nfile = "x"\n',
    )
    outcome = carried_out(text, crossed(), model_of(crossed()))
    model = model_of(crossed())
    mean = np.mean(
        [
            roc_auc_score(rows["truth"], rows["rating"])
            for _, rows in crossed().query("arm == 'aided'").groupby("reader")
        ]
    )
    first = claim(outcome)
    assert first.row.estimate == pytest.approx(roc_auc_score(model["truth"], model["score"]) - mean)
    assert first.one_sided
    assert len(findings(outcome, 1).claims) == 5
    assert findings(outcome, 1).claims[0].row.second == "net"


def test_a_model_against_each_reader_where_patients_have_several_cases() -> None:
    text = plan_text(
        endpoint("model against each reader", "accuracy", more='arms = ["aided"]\n'),
        endpoint("model against each reader", role="secondary", more='arms = ["aided"]\n'),
        more='[cases]\nnested = true\n[scores]\nfile = "x"\n',
    )
    outcome = carried_out(text, clustered(), model_of(crossed()))
    read = clustered().query("reader == 'R1' and arm == 'aided'").sort_values("case")
    model = model_of(crossed()).sort_values("case")
    right = [(frame["decision"] == frame["truth"]).to_numpy(float) for frame in (read, model)]
    expected = clustered_mcnemar(cluster_counts(right[0], right[1], read["patient"].to_numpy()))
    first = claim(outcome).row
    assert (first.reader, first.estimate) == ("R1", pytest.approx(right[1].mean() - right[0].mean()))
    assert first.p == pytest.approx(expected.p, rel=1e-12)
    area = clustered_auc_test(
        read["truth"].to_numpy() == 1, read["rating"].to_numpy(float), model["score"].to_numpy(float),
        read["patient"].tolist(),
    )  # fmt: skip
    assert claim(outcome, 1).row.p == pytest.approx(area.p, rel=1e-12)
    assert "Obuchowski's clustered test" in findings(outcome).method


def test_seniority_subgroups_and_interaction() -> None:
    text = plan_text(
        endpoint(), endpoint(role="secondary", name="juniors", more='seniority = "junior"\n'),
        endpoint("interaction", role="secondary"), more='[[subgroups]]\ncolumn = "seniority"\n',
    )  # fmt: skip
    outcome = carried_out(text, crossed())
    only = carried_out(plan_text(), crossed().query("seniority == 'junior'"))
    assert claim(outcome, 1).row.p == claim(only).row.p
    assert outcome.endpoints[2].valid
    names = [item.name for item in outcome.subgroups]
    assert names == [
        "obuchowski-rockette, auc, primary, seniority junior",
        "obuchowski-rockette, auc, primary, seniority senior",
    ]
    assert all(item.role == "exploratory" for item in outcome.subgroups)
    found = outcome.subgroups[0].findings
    assert found is not None
    assert (found.claims[0].row.p, found.claims[0].verdict) == (claim(only).row.p, "described")


def better(steps: float) -> pd.DataFrame:
    """The crossed study, its aided arm improved."""
    frame = crossed()
    gain = np.where(frame["arm"] == "aided", steps * np.where(frame["truth"] == 1, 1, -1), 0)
    return frame.assign(rating=frame["rating"] + gain)


def test_secondary_endpoints_wait_for_the_primary_one() -> None:
    text = plan_text(endpoint(), endpoint(role="secondary", name="juniors", more='seniority = "junior"\n'))
    closed = carried_out(text, crossed())
    assert claim(closed).verdict == "not met"
    assert (claim(closed, 1).verdict, claim(closed, 1).p_adjusted) == ("not tested", None)
    opened = carried_out(text, better(15))
    assert (claim(opened).verdict, claim(opened, 1).verdict) == ("met", "met")
    assert (claim(opened, 1).p_adjusted or 0) >= claim(opened).p
    free = carried_out(
        text.replace("[[endpoints]]", "[multiplicity]\ngatekeeping = false\n[[endpoints]]", 1), crossed()
    )
    assert claim(free, 1).p_adjusted == claim(free, 1).p


def test_holm_is_one_family_over_all_primary_claims() -> None:
    outcome = carried_out(plan_text(endpoint("delong per reader")), better(12))
    claims = findings(outcome).claims
    values = sorted(item.p for item in claims)
    assert min(item.p_adjusted or 0 for item in claims) == pytest.approx(5 * values[0])


def test_co_primary_endpoints_are_met_together_or_not() -> None:
    text = plan_text(endpoint(), endpoint(metric="specificity"), more='[multiplicity]\nprimary = "co-primary"\n')
    outcome = carried_out(text, better(15))
    assert claim(outcome).p_adjusted == claim(outcome, 1).p_adjusted == max(claim(outcome).p, claim(outcome, 1).p)


def test_a_fixed_sequence_stops_at_the_first_that_is_not_met() -> None:
    names = ["one", "two", "three"]
    metrics = ["auc", "specificity", "auc"]
    ends = [endpoint(metric=metric, name=name) for name, metric in zip(names, metrics, strict=True)]
    outcome = carried_out(plan_text(*ends, more='[multiplicity]\nprimary = "fixed sequence"\n'), better(15))
    assert [claim(outcome, place).verdict for place in range(3)] == ["met", "not met", "not tested"]


def test_a_refused_endpoint_closes_what_comes_after_it() -> None:
    text = plan_text(
        endpoint(name="one", more='covariance = "delong"\n'), endpoint(name="two"),
        more='[multiplicity]\nprimary = "fixed sequence"\n',
    )  # fmt: skip
    outcome = carried_out(text, better(15).drop(index=[3]))
    assert not outcome.endpoints[0].valid
    assert claim(outcome, 1).verdict == "not tested"


def test_a_margin_is_held_one_sided_and_superiority_waits_for_it() -> None:
    more = 'hypothesis = "non-inferiority then superiority"\nmargin = 0.05\n'
    outcome = carried_out(plan_text(endpoint(more=more)), better(15))
    first, second = findings(outcome).claims
    assert (first.hypothesis, first.one_sided, first.verdict) == ("non-inferiority", True, "met")
    assert (second.hypothesis, second.verdict) == ("superiority", "met")
    worse = carried_out(plan_text(endpoint(more=more)), better(-15))
    assert [item.verdict for item in findings(worse).claims] == ["not met", "not tested"]
    # The one-sided test at half the error and the interval at the whole one say the same.
    assert (first.row.low > -0.05) == (first.p < 0.025)


def test_equivalence_is_shown_where_the_interval_lies_within_the_margin() -> None:
    found = claim(carried_out(plan_text(endpoint(more='hypothesis = "equivalence"\nmargin = 0.2\n')), crossed()))
    assert found.verdict == "met"
    assert found.row.low > -0.2
    assert found.row.high < 0.2


def test_what_is_worse_is_not_met_however_significant() -> None:
    found = claim(carried_out(plan_text(), better(-25)))
    assert found.p < 0.05
    assert (found.verdict, found.sentence) == ("not met", "Aided did worse than unaided.")


def test_pooled_tests_show_their_warning_and_no_claim() -> None:
    outcome = carried_out(plan_text(endpoint(), endpoint("delong pooled over readers", role="exploratory")), crossed())
    assert findings(outcome, 1).claims == ()
    assert "type-I error at a nominal 5 % was 36 %" in findings(outcome, 1).warnings[0]
    assert "not valid" in findings(outcome, 1).tables[0].columns[-1]


def test_times_reliance_and_agreement() -> None:
    seconds = np.where(crossed()["arm"] == "aided", 20.0, 40.0) * np.exp(
        np.random.default_rng(1).normal(0, 0.2, len(crossed()))
    )
    text = plan_text(
        endpoint(), endpoint("reading time", "accuracy", "secondary", more="longest = 500\n"),
        endpoint("reliance", "accuracy", "exploratory"), endpoint("agreement", "accuracy", "exploratory"),
        more='[scores]\nfile = "x"\n',
    )  # fmt: skip
    outcome = carried_out(text, better(15).assign(seconds=seconds), model_of(crossed()))
    time = claim(outcome, 1)
    assert time.row.estimate == pytest.approx(0.5, abs=0.05)
    assert (time.verdict, time.sentence) == ("met", "Aided was faster than unaided.")
    switches = findings(outcome, 2).tables[0]
    assert sum(sum(int(cell or 0) for cell in row[2:]) for row in switches.rows) == 400
    assert {item.metric for item in findings(outcome, 3).estimates} == {"kappa"}


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda frame: frame.drop(columns="seconds", errors="ignore"), "no reading times"),
        (lambda frame: frame.assign(seconds=0.0), "not positive seconds"),
    ],
)
def test_times_that_do_not_exist_are_refused(spoil: Callable[[pd.DataFrame], pd.DataFrame], sentence: str) -> None:
    outcome = carried_out(plan_text(endpoint(), endpoint("reading time", "accuracy", "secondary")), spoil(crossed()))
    assert sentence in outcome.endpoints[1].sentence
