"""Simulated readers: seniors see more, a good model helps juniors most, and everything is repeatable."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from inference.__main__ import main
from inference.cohorts.cases import BadCohort
from inference.phantoms.column import chance_for
from inference.phantoms.readers import PANELS, ReadCase, SimulatedAnswer, simulate, write_answers

CASES = 400


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    folder = tmp_path_factory.mktemp("readers")
    write_answers(manifest(folder), model(), folder / "answers.csv", seed=3, per_group=3)
    return list(csv.DictReader((folder / "answers.csv").open()))


def manifest(folder: Path) -> Path:
    path = folder / "manifest.csv"
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["case", "grade"])
        table.writerows((f"C{number:03d}", grade_of(number)) for number in range(CASES))
    return path


def grade_of(number: int) -> int:
    return 0 if number % 2 else number // 2 % 3 + 1


def model() -> dict[str, float]:
    """A model with an AUC of about .87."""
    chance = chance_for("a model")
    logits = [1.6 * (1 if grade_of(number) else -1) / 2 + chance.normal() for number in range(CASES)]
    return {f"C{number:03d}": float(1 / (1 + np.exp(-1.6 * logit))) for number, logit in enumerate(logits)}


def areas(answers: list[dict[str, str]]) -> dict[tuple[str, str], float]:
    """Mean AUC over the readers of each seniority and arm."""
    by_reader: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
    for row in answers:
        truth = int(grade_of(int(row["case"][1:])) > 0)
        by_reader[row["seniority"], row["arm"], row["reader"]].append((truth, int(row["rating"])))
    means: dict[tuple[str, str], list[float]] = defaultdict(list)
    for (seniority, arm, _), pairs in by_reader.items():
        truths, ratings = zip(*pairs, strict=True)
        means[seniority, arm].append(roc_auc_score(truths, ratings))
    return {key: float(np.mean(values)) for key, values in means.items()}


def test_every_reader_answers_every_case_once_in_each_arm(answers: list[dict[str, str]]) -> None:
    cells = {(row["reader"], row["arm"], row["case"]) for row in answers}
    assert len(cells) == len(answers) == 6 * 2 * CASES


def test_the_table_names_the_model_that_aided_and_how_sure_each_reader_is(tmp_path: Path) -> None:
    out, table = tmp_path / "readings.csv", tmp_path / "predictions.csv"
    with table.open("w", newline="") as stream:
        csv.writer(stream).writerows([("case", "model", "probability"), *((c, "m", p) for c, p in model().items())])
    words = ["readers", str(manifest(tmp_path)), "--predictions", str(table), "--readers", "1", "--out", str(out)]
    assert main(words) == 0
    rows = list(csv.DictReader(out.open()))
    assert {(row["arm"], row["model"]) for row in rows} == {("unaided", ""), ("aided", "m")}
    assert {int(row["confidence"]) for row in rows} == {1, 2, 3, 4, 5}
    assert all((int(row["confidence"]) == 5) == (abs(int(row["rating"]) - 50) >= 40) for row in rows)
    # Where a gain is planted no model was seen.
    assert main([*words, "--gain", "0.05"]) == 0
    assert {row["model"] for row in csv.DictReader(out.open())} == {""}


def test_decision_agrees_with_rating(answers: list[dict[str, str]]) -> None:
    for row in answers:
        assert 0 <= int(row["rating"]) <= 100
        assert int(row["decision"]) == int(int(row["rating"]) >= 50)
        assert float(row["seconds"]) > 0


def test_seniors_see_more_and_juniors_gain_more(answers: list[dict[str, str]]) -> None:
    area = areas(answers)
    assert area["senior", "unaided"] > area["junior", "unaided"] + 0.05
    assert area["junior", "aided"] > area["junior", "unaided"] + 0.03
    assert area["junior", "aided"] - area["junior", "unaided"] > area["senior", "aided"] - area["senior", "unaided"]


def test_the_same_seed_gives_the_same_answers(tmp_path: Path, answers: list[dict[str, str]]) -> None:
    write_answers(manifest(tmp_path), model(), tmp_path / "again.csv", seed=3)
    write_answers(manifest(tmp_path), model(), tmp_path / "other.csv", seed=4)
    assert list(csv.DictReader((tmp_path / "again.csv").open())) == answers
    assert list(csv.DictReader((tmp_path / "other.csv").open())) != answers


def read_cases(count: int, positive: int) -> list[ReadCase]:
    return [ReadCase(f"C{number:04d}", "", number < positive) for number in range(count)]


def rates(answers: list[SimulatedAnswer]) -> dict[str, tuple[float, float, float]]:
    """Accuracy, sensitivity, specificity by seniority."""
    found = {}
    for seniority in dict.fromkeys(one.seniority for one in answers):
        own = [one for one in answers if one.seniority == seniority]
        right = np.array([one.decision == one.case.positive for one in own])
        positive = np.array([one.case.positive for one in own])
        found[seniority] = (right.mean(), right[positive].mean(), right[~positive].mean())
    return found


def test_readers_of_s1_are_as_accurate_as_those_of_the_study() -> None:
    """Yeh et al. 2022: .98, .96 and .66; the first-year resident has sensitivity .78 and specificity .61."""
    cases = read_cases(190, 50)
    answers = [one for seed in range(25) for one in simulate(PANELS["s1"], cases, seed=seed)]
    found = rates(answers)
    assert found["senior"][0] == pytest.approx(0.98, abs=0.015)
    assert found["intermediate"][0] == pytest.approx(0.96, abs=0.015)
    assert found["junior"] == pytest.approx((0.66, 0.78, 0.61), abs=0.03)
    assert {one.arm for one in answers} == {"unaided"}


def test_surgeons_of_s0_stay_below_the_models_of_the_study() -> None:
    found = rates([one for seed in range(20) for one in simulate(PANELS["s0"], read_cases(155, 78), seed=seed)])
    assert found["junior"][0] < found["senior"][0] < 0.781


def mean_areas(gain: float) -> tuple[float, float]:
    """Mean AUC of the readers of S4 unaided and aided, over some studies."""
    cases, areas = read_cases(160, 80), defaultdict(list)
    for seed in range(12):
        by_reader = defaultdict(list)
        for one in simulate(PANELS["s4"], cases, seed=seed, gain=gain):
            by_reader[one.reader, one.arm].append((one.case.positive, one.rating))
        for (_, arm), pairs in by_reader.items():
            areas[arm].append(roc_auc_score(*zip(*pairs, strict=True)))
    return float(np.mean(areas["unaided"])), float(np.mean(areas["aided"]))


def test_the_planted_gain_is_what_the_readers_gain() -> None:
    unaided, aided = mean_areas(0.0)
    assert aided == pytest.approx(unaided, abs=0.012)
    # Seniors .83, juniors .69.
    assert unaided == pytest.approx(0.76, abs=0.02)
    unaided, aided = mean_areas(0.08)
    assert aided - unaided == pytest.approx(0.08, abs=0.015)


def test_readers_follow_the_model_as_far_as_they_rely_on_it() -> None:
    cases = read_cases(300, 150)
    wrong = {case.case: 0.05 if case.positive else 0.95 for case in cases}
    right = {case.case: 0.95 if case.positive else 0.05 for case in cases}
    accuracy = {}
    for name, said, reliance in (("wrong", wrong, 1.0), ("right", right, 1.0), ("deaf", wrong, 0.0)):
        answers = list(simulate(PANELS["s4"], cases, seed=2, probabilities=said, reliance=reliance))
        accuracy[name] = rates([one for one in answers if one.arm == "aided"])["junior"][0]
    assert accuracy["wrong"] < accuracy["deaf"] - 0.1 < accuracy["right"] - 0.2


def test_an_answer_hangs_on_nothing_but_its_reader_case_and_arm() -> None:
    cases = read_cases(6, 3)
    few = list(simulate(PANELS["s4"].sized(2), cases[2:4], seed=5, gain=0.0))
    many = {
        (one.reader, one.arm, one.case.case): one for one in simulate(PANELS["s4"].sized(3), cases, seed=5, gain=0.0)
    }
    assert all(many[one.reader, one.arm, one.case.case] == one for one in few)


def test_faults_of_readers_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadCohort, match=r"takes the AUC of senior readers from 0\.83"):
        list(simulate(PANELS["s4"], read_cases(4, 2), seed=1, gain=0.4))
    words = ["readers", str(manifest(tmp_path)), "--out", str(tmp_path / "answers.csv")]
    assert main([*words, "--panel", "s9"]) == 2
    assert "no panel 's9'" in capsys.readouterr().err
    assert main([*words, "--panel", "s4"]) == 2
    assert "aided readers need one of every case" in capsys.readouterr().err
    assert main([*words, "--panel", "s4", "--gain", "0.05", "--readers", "2"]) == 0
    assert f"{2 * 2 * 2 * CASES} answers" in capsys.readouterr().out
