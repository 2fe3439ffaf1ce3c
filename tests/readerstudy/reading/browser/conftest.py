from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings
from playwright.sync_api import Browser, Page

from tests.once import made_once
from tests.readerstudy.reading.browser.page_server import Desk, open_browser, open_desk

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "readerstudy.assets.Assets"},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as started:
        yield started


def collect(folder: Path) -> None:
    with override_settings(STATIC_ROOT=folder, STORAGES=STORAGES, DEBUG=False):
        call_command("collectstatic", verbosity=0, interactive=False)


@pytest.fixture(scope="session")
def collected() -> Path:
    """The modules as production serves them: packed."""
    return made_once("static", collect)


@pytest.fixture
def desk(collected: Path) -> Iterator[Desk]:
    with open_desk() as opened:
        opened.static = collected
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose scripts may raise nothing and whose policy nothing may violate."""
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    yield opened
    opened.close()
    assert faults == []
