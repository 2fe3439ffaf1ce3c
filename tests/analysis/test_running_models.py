"""Plans of models, marks and measures: pair by pair, folds, sets, faulty tables of scores."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, precision_score

from analysis.cluster_bootstrap import cluster_bootstrap
from analysis.delong import delong_test
from analysis.errors import CannotAnalyse
from analysis.localisation.marks import read_marks
from analysis.localisation.rockette import localised_obuchowski_rockette
from analysis.plans.drawings import thinned
from analysis.plans.endpoints.pairs import estimated
from analysis.plans.files import plan_of
from analysis.plans.running import run_plan
from analysis.plans.tables import Tables
from analysis.ratings import Bools, Floats
from tests.analysis.oracle_entries import crossed
from tests.analysis.plan_texts import carried_out, claim, endpoint, findings, model_of, plan_text


def marked() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Readings, marks and lesions of a small localisation study in which the aided arm finds more."""
    generator = np.random.default_rng(3)
    cases = pd.DataFrame({"case": [f"K{number}" for number in range(40)], "truth": np.repeat([0, 1], 20)})
    lesions = cases.assign(lesion=cases["truth"])
    readers, arms = pd.DataFrame({"reader": ["A", "B", "C"]}), pd.DataFrame({"arm": ["unaided", "aided"]})
    readings = readers.merge(arms, how="cross").merge(cases, how="cross")
    readings["rating"] = generator.normal(size=len(readings)) + readings["truth"]
    rows = []
    for row in readings.itertuples():
        if row.truth and generator.uniform() < (0.9 if row.arm == "aided" else 0.5):
            rows.append((row.reader, row.arm, row.case, 1, 3 + generator.normal()))
        if generator.uniform() < 0.3:
            rows.append((row.reader, row.arm, row.case, 0, 1 + generator.normal()))
    return readings, pd.DataFrame(rows, columns=["reader", "arm", "case", "lesion", "rating"]), lesions


def test_a_localisation_study() -> None:
    readings, marks, lesions = marked()
    plan = plan_of(plan_text(endpoint("froc")))
    outcome = run_plan(plan, Tables(readings, None, None, marks, lesions, ()))
    expected = localised_obuchowski_rockette(
        read_marks(marks, lesions, readings[["reader", "arm", "case"]]).restricted(arms=("unaided", "aided"))
    )
    assert claim(outcome).row.p == pytest.approx(expected.p, rel=1e-12)
    assert claim(outcome).verdict == "met"
    assert [drawing.name for drawing in findings(outcome).drawings] == ["froc", "forest"]
    absent = run_plan(plan, Tables(readings, None, None, None, None, ()))
    assert "[marks] file" in absent.endpoints[0].sentence


def scored(models: dict[str, float]) -> pd.DataFrame:
    """Scores of several models on the crossed cases, as good as said."""
    parts = []
    for place, (name, gain) in enumerate(models.items()):
        frame = model_of(crossed(), seed=20 + place)
        latent = np.log(frame["score"] / (1 - frame["score"])) + gain * frame["truth"]
        parts.append(frame.assign(model=name, score=1 / (1 + np.exp(-latent))))
    return pd.concat(parts)


MODELS_ONLY = """title = "Models"
design = "models only"
[scores]
models = ["a", "b"]
"""


def test_models_are_compared_pair_by_pair() -> None:
    frame = scored({"a": 0.0, "b": 3.0})
    outcome = carried_out(MODELS_ONLY + endpoint("models compared"), None, frame)
    a, b = (frame[frame["model"] == name] for name in "ab")
    expected = delong_test(a["truth"].to_numpy() == 1, a["score"].to_numpy(), b["score"].to_numpy())
    assert claim(outcome).row.p == expected.p
    assert (claim(outcome).verdict, claim(outcome).sentence) == ("met", "B did better than a.")
    assert outcome.overview is None
    assert outcome.design is None


def test_one_set_is_no_external_validation() -> None:
    text = MODELS_ONLY + endpoint("models compared") + endpoint("external sets", role="exploratory")
    outcome = carried_out(text, None, scored({"a": 0.0, "b": 3.0}))
    assert "only one set" in outcome.endpoints[1].sentence


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda frame: frame.drop(columns="fold"), "no column fold"),
        (lambda frame: frame.assign(patient="P1"), "Patient P1 is in the folds"),
    ],
)
def test_folds_that_leak_or_are_not_there(spoil: Callable[[pd.DataFrame], pd.DataFrame], sentence: str) -> None:
    frame = scored({"a": 0.0, "b": 1.0})
    frame = frame.assign(fold=np.arange(len(frame)) % 5, patient="P" + frame["case"])
    text = MODELS_ONLY + endpoint("models compared") + endpoint("cross-validation", role="exploratory")
    plain = carried_out(text, None, frame)
    assert plain.endpoints[1].valid
    assert findings(plain, 1).claims == ()
    spoilt = carried_out(text.replace("[scores]", "[cases]\nnested = true\n[scores]"), None, spoil(frame))
    assert sentence in spoilt.endpoints[1].sentence


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda frame: frame.assign(decision=2), "must be 0 or 1"),
        (lambda frame: pd.concat([frame, frame.iloc[[0]]]), "more than one score for case"),
        (lambda frame: frame.assign(truth=1 - frame["truth"]), "contradicts that of the readings"),
        (lambda frame: frame.drop(columns=["score", "decision"]), "neither a column score nor a column decision"),
        (
            lambda frame: frame.assign(case="X" + frame["case"]).drop(columns="truth"),
            "No case of model net .* has a truth",
        ),
    ],
)
def test_a_faulty_table_of_scores(spoil: Callable[[pd.DataFrame], pd.DataFrame], sentence: str) -> None:
    text = plan_text(endpoint(), more='[scores]\nfile = "x"\n')
    with pytest.raises(CannotAnalyse, match=sentence):
        carried_out(text, crossed(), spoil(model_of(crossed())))


def test_cases_without_a_score_are_told() -> None:
    text = plan_text(endpoint("model against each reader", more='arms = ["aided"]\n'), more='[scores]\nfile = "x"\n')
    outcome = carried_out(text, crossed(), model_of(crossed()).iloc[:70])
    assert claim(outcome).row.n == 70
    assert "10 cases that were read have no score of net." in outcome.deviations


def test_a_primary_test_of_several_models_is_refused() -> None:
    text = plan_text(endpoint("model against each reader", more='arms = ["aided"]\n'), more='[scores]\nfile = "x"\n')
    outcome = carried_out(text, crossed(), scored({"a": 0.0, "b": 1.0}))
    assert "would test 2 models; name one" in outcome.endpoints[0].sentence


def test_a_column_that_is_not_there() -> None:
    text = plan_text(endpoint(), endpoint("mean of column", "accuracy", "exploratory", more='column = "dice"\n'))
    assert "no column dice" in carried_out(text, crossed()).endpoints[1].sentence
    means = carried_out(text, crossed().assign(dice=0.5))
    assert {item.estimate for item in findings(means, 1).estimates} == {0.5}


def test_curves_of_many_cases_are_thinned_for_the_eye_only() -> None:
    x = np.linspace(0, 1, 100_001)
    kept_x, kept_y = thinned(x.tolist(), np.sqrt(x).tolist())
    assert 500 < len(kept_x) <= 2002
    assert (kept_x[0], kept_x[-1], kept_y[-1]) == (0.0, 1.0, 1.0)
    assert np.abs(np.sqrt(kept_x) - kept_y).max() == 0
    assert thinned([0.0, 0.0, 1.0], [0.0, 0.0, 1.0]) == ((0.0, 0.0, 1.0), (0.0, 0.0, 1.0))


def test_readers_who_read_nothing_in_an_arm_are_no_readers_of_it() -> None:
    whole = crossed()
    frame = whole.loc[(whole["arm"] == "aided") == whole["reader"].isin(["R1", "R2"])]
    text = plan_text(
        endpoint(), endpoint("model against readers", role="secondary", more='arms = ["aided"]\n'),
        design="readers nested in arms", more='[scores]\nfile = "x"\n',
    )  # fmt: skip
    outcome = carried_out(text, frame, model_of(crossed()))
    assert findings(outcome, 1).tables[0].rows[0][2] == 2
    assert np.isfinite(claim(outcome, 1).p)


def test_repeated_readings_are_refused_before_readings_are_counted() -> None:
    frame = pd.concat([crossed(), crossed().iloc[[3]]])
    for rule in ("complete cases", "worst case"):
        with pytest.raises(CannotAnalyse, match="more than one reading of case C004"):
            carried_out(plan_text(more=f'[missing]\nrule = "{rule}"\n'), frame)


def test_features_of_other_cases() -> None:
    text = plan_text(endpoint(), endpoint("features", "accuracy", "exploratory"), more='[features]\nfile = "x"\n')
    features = crossed().drop_duplicates("case")[["case"]].assign(mass=lambda rows: np.arange(len(rows)) % 2)
    other = carried_out(text, crossed(), None, features.assign(case="X" + features["case"]))
    assert "No case of the table of features" in other.endpoints[1].sentence
    found = carried_out(text, crossed(), None, features)
    assert len(findings(found, 1).tables[0].rows) == 1


@pytest.mark.parametrize("metric", ["sensitivity", "specificity", "accuracy"])
def test_patients_are_drawn_with_all_their_units(metric: str) -> None:
    generator = np.random.default_rng(4)
    truth, patients = generator.random(300) < 0.4, [f"P{number}" for number in np.repeat(np.arange(60), 5)]
    calls = (generator.normal(size=300) + truth + np.repeat(generator.normal(size=60), 5) > 0.7).astype(float)
    found = estimated(truth, calls, metric, "m", "s", 0.95, patients)
    right = np.where(truth, calls, 1 - calls)[None, :]
    part = {"sensitivity": 1.0, "specificity": 0.0}.get(metric)

    def share(drawn: Bools, values: Floats) -> float:
        return float(values[0][np.ones_like(drawn) if part is None else drawn == part].mean())

    peer = cluster_bootstrap(truth, right, patients, share, seed=9)
    assert found.estimate == pytest.approx(peer.estimate, abs=1e-12)
    assert found.se == pytest.approx(peer.se, rel=0.08)
    assert found.low == pytest.approx(peer.confidence_interval().low, abs=0.01)
    assert estimated(truth, calls, "f1", "m", "s", 0.95, patients).estimate == pytest.approx(f1_score(truth, calls))
    assert estimated(truth, calls, "ppv", "m", "s", 0.95).estimate == pytest.approx(precision_score(truth, calls))


def test_one_patient_gives_no_interval() -> None:
    truth = np.array([True, False, True])
    with pytest.raises(CannotAnalyse, match="rests on one patient"):
        estimated(truth, np.ones(3), "accuracy", "m", "s", 0.95, ["P", "P", "P"])
    with pytest.raises(CannotAnalyse, match="no cases that the precision of m in s could rest on"):
        estimated(truth, np.zeros(3), "ppv", "m", "s", 0.95, ["P", "Q", "P"])
