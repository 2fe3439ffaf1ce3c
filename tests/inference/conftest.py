"""A small model, taught and decided once, with the cohort that it was taught on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.cards import Card
from inference.cohorts.cases import CohortCase, read_cohort
from inference.serving.opening import models_folder
from tests.models import toy_films, trained_model


@pytest.fixture(scope="session")
def toy() -> Path:
    """Manifest of 40 films of 20 patients: noise, and a bright disc where positive."""
    return toy_films()


@pytest.fixture(scope="session")
def cases(toy: Path) -> tuple[CohortCase, ...]:
    return read_cohort(toy)


@pytest.fixture(scope="session")
def trained() -> tuple[Path, Card]:
    """Folder and card of a classifier, through the commands."""
    folder = trained_model()
    return folder, Card.load(folder)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A machine that keeps no model yet."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("INFERENCE_CACHE", str(folder))
        models_folder.cache_clear()
        yield folder
    models_folder.cache_clear()
