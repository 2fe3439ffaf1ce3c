from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from readerstudy.cases.models import Case
from readerstudy.studies.models import Study
from tests.readerstudy.cases.material import with_cases
from tests.readerstudy.reading.browser.page_server import open_browser, open_desk
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


@pytest.fixture
def cases(study: Study, people: People, tmp_path: Path) -> list[Case]:
    with_cases(study, people.alice, tmp_path, 2)
    return list(Case.objects.filter(study=study).order_by("label"))


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with open_desk() as desk, open_browser() as browser:
        opened = browser.new_page()
        faults: list[str] = []
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.goto(f"{desk.address}/other/")
        yield opened
        assert faults == []
