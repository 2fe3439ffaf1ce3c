from pathlib import Path

import pytest

from readerstudy.predictions.actions import start_run
from readerstudy.predictions.models import Algorithm, PredictionRun
from readerstudy.studies.models import Study
from tests.readerstudy.cases.material import with_cases
from tests.readerstudy.predictions.workshop import registered
from tests.world import People, make_study


@pytest.fixture
def people(db: None) -> People:
    return People()


@pytest.fixture
def study(people: People, tmp_path: Path) -> Study:
    made = make_study(people)
    with_cases(made, people.alice, tmp_path / "pictures", 4)
    return made


@pytest.fixture
def algorithm(people: People) -> Algorithm:
    return registered(people.dev)


@pytest.fixture
def run(study: Study, algorithm: Algorithm, people: People) -> PredictionRun:
    return start_run(study=study, algorithm=algorithm, assists=True, by=people.alice)
