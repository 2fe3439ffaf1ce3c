"""Simulated readers: seniors see more, a good model helps juniors most, and everything is repeatable."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from inference.phantoms.column import chance_for
from inference.phantoms.readers import write_answers

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
