"""Between the site and the models: what each reads of the other, and what it leaves alone."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.phantoms import build
from readerstudy.cases import manifest
from tests.models import ROOT, inference, teach, trained_model, write_films


@pytest.mark.parametrize("program", ["readerstudy.wsgi", "readerstudy.celery"])
def test_no_process_of_the_site_loads_what_is_heavy(program: str) -> None:
    code = (
        f"import sys, {program}, django; django.setup(); from django.urls import get_resolver; "
        "get_resolver().url_patterns; from readerstudy.celery import app; app.loader.import_default_modules(); "
        "heavy = {'torch', 'monai', 'pandas', 'scipy', 'statsmodels', 'sklearn', 'plotly', 'pyarrow'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"


def test_the_manifest_of_the_phantoms_is_read_by_the_import(tmp_path: Path) -> None:
    read = manifest.parse(build(tmp_path, cases=2, seed=3, prefix="X").read_bytes())
    assert read.faults == ()
    assert [case.case for case in read.cases] == ["X001", "X002"]
    assert sorted(case.truth for case in read.cases if case.truth is not None) == [False, True]
    assert all((tmp_path / row.file).is_file() for row in read.rows)
    assert {case.covariates["synthetic"] for case in read.cases} == {"yes"}


def test_the_heat_map_follows_the_weights(tmp_path: Path) -> None:
    films = write_films(tmp_path / "films", 20, seed=4, films_per_patient=1)
    other = teach(films, tmp_path / "other", epochs=2, seed=5)
    maps = []
    for number, folder in enumerate((trained_model(), other)):
        out = tmp_path / f"map{number}.png"
        inference("explain", str(films.parent / "F001.png"), "--model", str(folder), "--out", str(out))
        with Image.open(out) as image:
            maps.append(np.asarray(image))
    assert all(plane.dtype == np.uint8 and plane.std() > 0 for plane in maps)
    assert not np.array_equal(maps[0], maps[1])
