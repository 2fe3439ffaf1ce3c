"""One published system on the site, from nothing to its results: cohort, model, simulated readers, lock, analysis."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from readerstudy.dashboard.published import PUBLISHED, load, rows_of
from readerstudy.embedded.places import REPOSITORY
from readerstudy.predictions.queries import predictions_in, runs_of
from readerstudy.results.models import AnalysisRun
from readerstudy.results.queries import latest_run, results_of
from readerstudy.results.templatetags.results_pages import primary_result
from readerstudy.studies.models import Study
from tests.models import published_study
from tests.servers import INFERENCE, WORKER, Server

PASSWORD = "correct-horse-battery"


def test_only_cases_that_readers_read_come_in_and_nothing_of_the_training() -> None:
    manifest = "case,patient,role,file,mask,levels,truth\nA,1,develop,a.png,m.png,l.png,1\nB,2,control,b.png,,l.png,0\n"
    assert rows_of(manifest, "control") == b"case,patient,file,truth\nB,2,b.png,0\n"


def test_every_published_study_can_be_loaded_by_its_name() -> None:
    from inference.studies.plans import PLANS

    assert {key: plan.models for key, plan in PUBLISHED.items()} == {key: plan.models for key, plan in PLANS.items()}
    # Readers of the site read what the final models were not taught; a cross-validation leaves no such cases.
    assert {published.read for published in PUBLISHED.values()} <= {"control", "external"}
    read = {key: plan.read for key, plan in PLANS.items() if plan.read and not plan.crossvalidated}
    assert read == {key: PUBLISHED[key].read for key in read}


@pytest.mark.drill
def test_a_published_study_is_loaded_to_its_report_and_twice_is_harmless(
    server_environment: dict[str, str], tmp_path: Path
) -> None:
    ran, _ = published_study()
    folder = shutil.copytree(ran, tmp_path / "s1")
    said: list[str] = []
    with Server(server_environment, parts=(WORKER, INFERENCE)):
        study = load(key="S1", folder=folder, preset="ci", password=PASSWORD, tell=said.append)
        again = load_by_command(server_environment, folder)
        (run,) = runs_of(study)
        wait_for_results(study)
    assert said[-1] == f"{run.algorithm}: 40 of 40 cases answered" == again[0].strip()
    assert again[1:] == [f"{study.title}: https://studies.example.org/studies/{study.token}/"]
    assert Study.objects.count() == 1 and study.cases.count() == 40
    answered = predictions_in(run)
    assert len(answered) == 40 and all(row.prediction.probability is not None for row in answered)
    analysis = latest_run(study)
    assert analysis is not None and analysis.phase == AnalysisRun.Phase.DONE, analysis and analysis.message
    # The paper held its network against three radiologists: that is the primary endpoint, one test a reader.
    lines = primary_result(results_of(analysis))["by_reader"]
    assert len(lines) == 3 and all("p_adjusted" in line["row"] for line in lines)


def load_by_command(environment: dict[str, str], folder: Path) -> list[str]:
    order = [sys.executable, "manage.py", "load_study", "S1", "--preset", "ci", "--folder", str(folder)]
    order += ["--password", PASSWORD, "--address", "https://studies.example.org"]
    ended = subprocess.run(
        order, cwd=REPOSITORY, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def wait_for_results(study: Study) -> None:
    import time

    until = time.monotonic() + 240
    while (run := latest_run(study)) is None or run.phase not in (AnalysisRun.Phase.DONE, AnalysisRun.Phase.FAILED):
        assert time.monotonic() < until, "the analysis does not end"
        time.sleep(0.2)
