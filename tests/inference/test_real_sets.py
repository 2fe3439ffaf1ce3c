"""The commands on real images: what they hold against what, small and whole; the full ones are `make real-data`."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score

from inference.models import registry
from inference.outputs import Mask
from inference.reports.statistics import Statistics
from tests.benchmarks.real import chest, chest_readers, lumbar, totalsegmentator
from tests.benchmarks.real.__main__ import SETS, main
from tests.benchmarks.real.calling import declared
from tests.journeys import films
from tests.shared_data import shared

LUMBAR = "data/spider_lumbar_mri"


@pytest.mark.parametrize("name", SETS)
def test_absent_images_are_one_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHARED_DATA", str(tmp_path))
    assert main([name, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "SHARED_DATA names the folder" in said
    assert not (tmp_path / "out").exists()


def test_a_set_that_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knees"]) == 2
    assert "There is no set 'knees'; there are chest, lumbar" in capsys.readouterr().err


def test_what_was_made_from_other_words_is_made_again(tmp_path: Path) -> None:
    made = tmp_path / "model"
    path = declared(tmp_path / "spec.toml", "one", made)
    (made / "1").mkdir(parents=True)
    declared(path, "one", made)
    assert made.is_dir()
    declared(path, "two", made)
    assert not made.exists()
    assert path.read_text() == "two"


@pytest.mark.parametrize("name", ["totalsegmentator", "tptbox", "cervical"])
def test_volumes_keep_their_bars(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shared("data")
    assert main([name, "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "falls short" not in told
    assert told.count(": holds") >= 4
    page = (tmp_path / name / f"{name}.html").read_text(encoding="utf-8")
    assert page.count("<figure>") >= 2
    assert 'src="http' not in page
    numbers = pd.read_csv(tmp_path / name / f"{name}_files" / "I-numbers.csv")
    assert len(numbers) == told.count("\n  ")


def test_limits_of_agreement_are_mean_and_deviation_of_the_differences(tmp_path: Path) -> None:
    chance = np.random.default_rng(3)
    places = [(level, place) for level in totalsegmentator.LEVELS for place in totalsegmentator.PLACES]
    heights = [totalsegmentator.Height(*one, 25.0 + at, 25.0 + at + chance.normal()) for at, one in enumerate(places)]
    limits = totalsegmentator.limits_of(heights, Statistics(tmp_path))
    off = np.array([one.ours - one.theirs for one in heights])
    wanted = off.mean() + 1.96 * off.std(ddof=1) * np.array([0, -1, 1])
    assert [limits[name] for name in ("mean difference", "lower limit", "upper limit")] == pytest.approx(
        wanted, abs=1e-3
    )


def test_lumbar_patients_kept_apart_are_in_no_training(tmp_path: Path) -> None:
    folder = shared(LUMBAR)
    discs, rows = list(lumbar.discs(folder)), list(lumbar.vertebrae(folder, tmp_path / "drawn"))
    assert (len(discs), len({row[1] for row in discs})) == (311, 41)
    roles = {role: {row[1] for row in rows if row[2] == role} for role in ("develop", "control")}
    assert roles["develop"].isdisjoint(roles["control"])
    assert (len(rows), len(roles["develop"]), len(roles["control"])) == (123, 32, 9)
    with (folder / "radiological_gradings.csv").open() as stream:
        graded = {f"{row['Patient']}-{row['IVD label']}": row["Disc narrowing"] for row in csv.DictReader(stream)}
    assert all(graded[str(row[0])] == row[4] for row in discs)


@pytest.fixture(scope="module")
def said() -> pd.DataFrame:
    return chest_readers.votes(films.truths(films.STUDY)["Image ID"])


def test_no_radiologist_has_a_part_in_the_truth_that_judges_him(said: pd.DataFrame) -> None:
    published = (films.truths(films.STUDY)["Abnormal"] == "YES").to_numpy()
    for name in said.columns:
        truth = chest_readers.truth_without(said, name)
        turned = said.assign(**{name: ~said[name]})
        assert (chest_readers.truth_without(turned, name) == truth).all()
        assert (truth == published).all() == (name not in chest_readers.TRUTHERS)


def test_radiologists_stand_where_scikit_learn_puts_them(said: pd.DataFrame) -> None:
    readers = chest_readers.judged(said)
    assert [reader.outside for reader in readers] == [True, True, False, False, False]
    for reader in readers:
        assert reader.sensitivity == pytest.approx(recall_score(reader.truth, reader.said))
        assert reader.specificity == pytest.approx(recall_score(~reader.truth, ~reader.said))
        assert reader.point.sensitivity_limits is not None
        low, high = reader.point.sensitivity_limits
        assert low < reader.sensitivity <= high


def test_the_threshold_at_a_specificity_is_the_lowest_that_has_it() -> None:
    chance = np.random.default_rng(5)
    truth = chance.random(200) < 0.4
    score = np.round(chance.random(200) + 0.3 * truth.astype(float), 2)
    for wanted in (0.0, 0.5, 0.83, 1.0):
        threshold = chest_readers.threshold_at(score, truth, wanted)
        assert (score[~truth] < threshold).mean() >= wanted
        lower = score[score < threshold]
        assert not len(lower) or (score[~truth] < lower.max()).mean() < wanted


def test_the_families_of_s0_are_adapted_by_their_declaration() -> None:
    for family, recipe in chest.FAMILIES.items():
        small, spec = registry.load(recipe, "small"), chest.adapted("chest", recipe)
        assert spec.architecture == small.architecture, family
        assert spec.inputs[0].view == "frontal"
        assert spec.output(Mask) is None
        assert spec.output(registry.Heatmap) == small.output(registry.Heatmap)


def test_the_way_of_the_chest_films_small(tmp_path: Path) -> None:
    shared("data/nih_cxr_810_five_readers")
    few = {"MnasNet": chest.FAMILIES["MnasNet"]}
    measured = chest.measure(tmp_path, families=few, epochs=1, patients=40, explained=1)
    home = tmp_path / "chest"
    taught = pd.read_csv(home / "cohort" / "manifest.csv", dtype=str)
    said = pd.read_csv(home / "answers" / "chest-mnasnet" / "predictions.csv", dtype={"patient": str})
    assert set(said["patient"]) == set(taught.loc[taught["role"] == "control", "patient"])
    assert set(said["patient"]).isdisjoint(taught.loc[taught["role"] == "develop", "patient"])
    at_readers = pd.read_csv(home / "chest_files" / "III-at-readers.csv")
    assert len(at_readers) == 5
    assert (at_readers["model's specificity"] >= at_readers["reader's specificity"] - 1e-9).all()
    difference = at_readers["model's sensitivity"] - at_readers["reader's sensitivity"]
    assert difference.to_numpy() == pytest.approx(at_readers["difference"].to_numpy(), abs=1e-9)
    page = measured.page.read_text(encoding="utf-8")
    assert chest_readers.OUTSIDE in page
    assert page.count("data:image/png;base64,") >= 2
    weights = home / "models" / "chest-mnasnet" / "1" / "weights.safetensors"
    before = weights.stat().st_mtime_ns
    chest.answers(home, chest.cohort(home, 40), "MnasNet", few["MnasNet"], 1)
    assert weights.stat().st_mtime_ns == before
