"""A declared plan: read as written, refused by name and line, never valid for what is not."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import analysis
from analysis.errors import CannotAnalyse
from analysis.plan import POOLED
from analysis.plans import declared
from analysis.plans.catalogue import ENTRIES
from analysis.plans.declared import StudyPlan
from analysis.plans.endpoints import PLACES, runner_of
from analysis.plans.files import plan_of, read_plan
from tests.analysis.plan_texts import PLANS, endpoint, plan_text


@pytest.mark.parametrize("name", ["S0", "S1", "S2", "S3", "S4"])
def test_every_example_is_a_plan(name: str) -> None:
    plan = read_plan(PLANS / f"{name}.toml")
    assert plan.of_role("primary")
    assert plan.seed > 0


def test_what_is_not_said_has_its_default() -> None:
    plan = plan_of(plan_text())
    assert (plan.level, plan.missing.rule, plan.multiplicity.primary) == (0.95, "as read", "holm")
    assert (plan.readers.sampling, plan.cases.nested, plan.endpoints[0].covariance) == ("random", False, "by design")
    assert plan.arms == ("unaided", "aided")


def test_a_plan_is_read_whole() -> None:
    text = plan_text(
        endpoint(metric="specificity", more='hypothesis = "non-inferiority"\nmargin = 0.05\n'),
        endpoint("delong per reader", role="secondary", more='seniority = "junior"\n'),
        more='level = 0.9\nseed = 7\n[columns]\nreader = "rater"\n'
        '[[exclusions]]\nreason = "poor"\ncolumn = "q"\nbelow = 2\n'
        '[missing]\nrule = "worst case"\n[multiplicity]\nsecondary = "hochberg"\ngatekeeping = false\n'
        '[[subgroups]]\ncolumn = "seniority"\n',
    )
    plan = plan_of(text)
    assert (plan.level, plan.seed, plan.columns.reader, plan.exclusions[0].below) == (0.9, 7, "rater", 2.0)
    assert plan.endpoints[0].margin == 0.05
    assert plan.endpoints[1].seniority == "junior"
    assert (plan.missing.rule, plan.multiplicity.secondary, plan.multiplicity.gatekeeping) == (
        "worst case",
        "hochberg",
        False,
    )
    assert plan.subgroups[0].column == "seniority"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            ("metric", "metrik"),
            r"plan, line 9, endpoints\[1\].metrik: a plan knows no key metrik here \(is metric meant\?\)",
        ),
        (("title", "titel"), r"plan, line 1, titel: a plan knows no key titel here \(is title meant\?\)"),
        (('title = "A study"', ""), "plan: title must be given"),
        (('"fully crossed"', '"crossed"'), "line 2, design: this is fully crossed or split-plot or"),
        (('title = "A study"', "title = 3"), "line 1, title: this is a text in quotes, not 3"),
        (
            ('arms = ["unaided", "aided"]', 'arms = "both"'),
            "line 3, arms: this is a list in square brackets, not 'both'",
        ),
        (('["unaided", "aided"]', '["unaided", 2]'), r"arms\[2\]: this is a text in quotes, not 2"),
        (('"auc"', '"f2"'), r"endpoints\[1\].metric: this is auc or sensitivity or specificity or accuracy, not 'f2'"),
        (('"primary"', '"main"'), r"role: this is primary or secondary or exploratory, not 'main'"),
        (('"primary"', '"secondary"'), "at least one primary endpoint"),
        (('["unaided", "aided"]', '["unaided", "unaided"]'), "names every arm once; it names unaided"),
        (
            ('["unaided", "aided"]', '["unaided"]'),
            r"endpoints\[1\]: Obuchowski-rockette compares two arms, and the plan",
        ),
        (('["unaided", "aided"]', '["a", "b", "c"]'), "compares two arms, and the plan names more"),
        (("title", "= title"), "plan is no TOML file"),
    ],
)
def test_a_fault_is_named_with_its_place(change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        plan_of(plan_text().replace(*change, 1))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("level = 95\n", "between 0 and 1, not at 95"),
        ("seed = true\n", "line 4, seed: this is a whole number, not True"),
        ('[readers]\nsampling = "fixed"\n[cases]\nsampling = "fixed"\n', "nothing varies"),
        ('[[exclusions]]\nreason = "r"\ncolumn = "c"\n', r"exclusions\[1\]: An exclusion has one condition .* not 0"),
        ('[[exclusions]]\nreason = "r"\ncolumn = "c"\nbelow = 1\nabove = 2\n', "one condition .* not 2"),
        ('[missing]\nrule = "drop"\n', "missing.rule: this is as read or complete cases or worst case"),
        ("missing = 3\n", "missing: this is a section with keys of its own, not 3"),
        (
            "[cases]\nnested = true\n",
            "takes cases as independent, and the plan says that several come from one patient",
        ),
    ],
)
def test_a_faulty_section_is_refused(more: str, sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        plan_of(plan_text(more=more))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ('hypothesis = "non-inferiority"\n', "needs a margin"),
        ("margin = 0.05\n", "has a margin, so its hypothesis is non-inferiority or equivalence"),
        ('hypothesis = "equivalence"\nmargin = 5\n', "lies between 0 and 1, not at 5"),
        ('arms = ["unaided", "other"]\n', "names the arm 'other', which the plan does not"),
        ('unit = "patient"\n', r"speaks of patients; say nested = true in \[cases\]"),
    ],
)
def test_a_faulty_endpoint_is_refused(more: str, sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        plan_of(plan_text(endpoint(more=more)))


@pytest.mark.parametrize(
    ("analysis", "metric", "sentence"),
    [
        ("t test", "auc", "knows no analysis 't test'; it knows obuchowski-rockette"),
        ("delong per reader", "accuracy", "Delong per reader has the metric auc only, not accuracy"),
        ("mcnemar per reader", "auc", "Mcnemar per reader has the metrics sensitivity, specificity, accuracy, not auc"),
        ("calibration", "auc", "describes and tests nothing, so it is no primary analysis"),
        ("model against readers", "auc", r"needs the models' scores; name their table in \[scores\] file"),
        ("clustered per reader", "auc", r"say nested = true in \[cases\]"),
    ],
)
def test_an_analysis_that_could_not_be_valid_is_refused(analysis: str, metric: str, sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        plan_of(plan_text(endpoint(analysis, metric)))


@pytest.mark.parametrize("role", ["primary", "secondary"])
@pytest.mark.parametrize(
    ("analysis", "metric"), [("delong pooled over readers", "auc"), ("mcnemar pooled over readers", "accuracy")]
)
def test_a_pooled_test_carries_no_claim(analysis: str, metric: str, role: str) -> None:
    with pytest.raises(CannotAnalyse, match=f"no valid {role} analysis .* was {POOLED[analysis]} % in simulation"):
        plan_of(plan_text(endpoint(), endpoint(analysis, metric, role)))
    allowed = plan_of(plan_text(endpoint(), endpoint(analysis, metric, "exploratory")))
    assert "pooled" in allowed.endpoints[1].analysis


def test_a_test_on_reader_averages_has_no_place_at_all() -> None:
    with pytest.raises(CannotAnalyse, match="was 12 % in simulation"):
        plan_of(plan_text(endpoint(), endpoint("delong on reader averages", "auc", "exploratory")))


@pytest.mark.parametrize(
    ("design", "analysis", "sentence"),
    [
        ("single reader", "obuchowski-rockette", "needs several readers, and the design is a single reader"),
        ("single reader", "interaction", "needs several readers"),
        ("models only", "delong per reader", "needs readers, and the design is models only"),
    ],
)
def test_a_design_permits_only_what_is_valid_for_it(design: str, analysis: str, sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        plan_of(plan_text(endpoint(analysis), design=design))


def test_worst_case_needs_to_know_what_is_missing() -> None:
    with pytest.raises(CannotAnalyse, match="it is not known which readings are missing"):
        plan_of(plan_text(endpoint("u-statistics"), design="split-plot", more='[missing]\nrule = "worst case"\n'))


def test_a_plan_that_is_not_there() -> None:
    with pytest.raises(CannotAnalyse, match="There is no file"):
        read_plan(PLANS / "S9.toml")


def test_every_analysis_of_the_catalogue_can_be_run() -> None:
    assert {entry.name for entry in ENTRIES} == set(PLACES)
    assert all(callable(runner_of(entry.name)) for entry in ENTRIES)


def test_plans_are_frozen() -> None:
    plan = plan_of(plan_text())
    assert isinstance(plan, StudyPlan)
    assert hash(plan.endpoints) == hash(plan_of(plan_text()).endpoints)


def section_of_readme() -> str:
    text = (Path(analysis.__file__).parent / "README.md").read_text()
    return text.split("### Plans and reports")[1].split("\n### ")[0]


def test_the_readme_names_every_key_and_every_analysis() -> None:
    prose = re.sub(r"```.*?```", "", section_of_readme(), flags=re.S)
    named = set(re.findall(r"`([^`]+)`", prose)) | set(re.findall(r"\[\[?(\w+)\]", prose))
    kinds = [item for item in vars(declared).values() if isinstance(item, type) and dataclasses.is_dataclass(item)]
    keys = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert keys - named == set()
    assert {entry.name for entry in ENTRIES} - named == set()


def test_the_example_of_the_readme_is_a_plan() -> None:
    text = section_of_readme().split("```toml")[1].split("```")[0]
    assert [item.role for item in plan_of(text).endpoints] == ["primary", "secondary"]


def test_the_tables_of_the_examples_come_from_their_script(tmp_path: Path) -> None:
    subprocess.run([sys.executable, PLANS / "make_tables.py", tmp_path], check=True)
    tables = sorted(PLANS.glob("*.csv"))
    assert [path.name for path in tables] == sorted(path.name for path in tmp_path.glob("*.csv"))
    for path in tables:
        pd.testing.assert_frame_equal(pd.read_csv(path), pd.read_csv(tmp_path / path.name))
