from pathlib import Path
from typing import Any

import pytest

from readerstudy.studies.models import Study
from tests.world import People, make_study


@pytest.fixture(autouse=True)
def work_folder(tmp_path: Path, settings: Any) -> Path:
    settings.WORK_FOLDER = tmp_path / "work"
    return tmp_path / "work"


@pytest.fixture
def people(db: None) -> People:
    return People()


@pytest.fixture
def study(people: People) -> Study:
    return make_study(people)
