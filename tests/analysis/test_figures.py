"""The figures hold the numbers of the results and nothing that was refused."""

import json
from typing import Any

import pandas as pd

from analysis.plan import Plan
from analysis.study import analyse_study
from analysis.study_figures import figures_of
from tests.analysis.oracle_entries import crossed
from tests.analysis.test_study import model_frame


def drawn(frame: pd.DataFrame, model: pd.DataFrame | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Stored results, and the figures as the browser gets them."""
    results = json.loads(json.dumps(analyse_study(frame, model, Plan()).to_dict()))
    return results, {name: json.loads(figure.to_json()) for name, figure in figures_of(results).items()}


def test_a_full_study_has_every_figure() -> None:
    _, figures = drawn(crossed(), model_frame())
    assert list(figures) == ["model", "roc 1", "roc 2", "forest auc", "forest sensitivity", "forest specificity"]


def test_readers_are_points_on_the_plane_of_the_model() -> None:
    results, figures = drawn(crossed(), model_frame())
    traces = {trace["name"]: trace for trace in figures["model"]["data"] if "name" in trace}
    points = traces["readers, aided"]
    sensitivity = [reader["arms"][1]["decisions"]["sensitivity"]["estimate"] for reader in results["readers"]]
    assert points["y"] == sensitivity
    assert points["text"][0] == "R1 (senior), aided"
    area = results["model"]["discrimination"]["auc"]["estimate"]
    assert f"model (AUC {area:.3f})" in traces


def test_the_forest_ends_with_the_mean_over_readers() -> None:
    results, figures = drawn(crossed(), None)
    readers, mean = figures["forest auc"]["data"][:2]
    assert readers["y"] == ["R1 (senior)", "R2 (senior)", "R3 (junior)", "R4 (junior)", "R5 (junior)"]
    row = results["study"]["auc"]["differences"][0]
    assert mean["x"] == [row["estimate"]]
    assert mean["x"][0] + mean["error_x"]["array"][0] == row["high"]


def test_what_was_refused_is_not_drawn() -> None:
    _, figures = drawn(crossed().drop(columns="decision").query("arm == 'unaided'"), None)
    assert list(figures) == ["roc 1"]
    _, figures = drawn(crossed().drop(columns="rating"), None)
    assert list(figures) == ["forest sensitivity", "forest specificity"]


def test_readers_of_one_arm_are_drawn_against_the_model() -> None:
    results, figures = drawn(crossed().query("arm == 'unaided'"), model_frame())
    forest = figures["forest sensitivity"]
    assert forest["layout"]["title"]["text"] == "Difference in sensitivity, model minus reader, unaided"
    tests = [pair["mcnemar"]["sensitivity"]["test"] for pair in results["model"]["against_readers"]]
    assert forest["data"][0]["x"] == [test["estimate"] for test in tests]
