"""python -m inference as a person would use it: words in, a sentence out where something is wrong."""

import csv
import io
import json
from pathlib import Path

import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from inference.__main__ import main
from inference.cards import CARD, Card


def test_evaluate_prints_what_scikit_learn_finds_in_its_table(
    trained: tuple[Path, Card], strangers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", str(strangers / "manifest.csv"), "--images", str(strangers), "--model", str(trained[0])]
    assert main([*words, "--out", str(tmp_path / "predictions.csv")]) == 0
    rows = list(csv.DictReader((tmp_path / "predictions.csv").open()))
    area = roc_auc_score([int(row["truth"]) for row in rows], [float(row["probability"]) for row in rows])
    assert len(rows) == 80
    assert f"n 80 (40 positive), AUC {area:.3f}" in capsys.readouterr().out


def test_evaluate_refuses_patients_of_the_training(
    trained: tuple[Path, Card], toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", str(toy / "manifest.csv"), "--images", str(toy), "--model", str(trained[0])]
    assert main(words) == 2
    assert "inference: Leak: patient p" in capsys.readouterr().err


def test_predict_and_explain(
    trained: tuple[Path, Card], toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(toy / "p0-0.png"), str(toy / "p0-1.png"), "--model", str(trained[0])]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert float(rows[1]["probability"]) > float(rows[0]["probability"])
    assert {row["card_digest"] for row in rows} == {trained[1].digest}
    assert main(["explain", str(toy / "p0-1.png"), "--model", str(trained[0]), "--out", str(tmp_path / "map.png")]) == 0
    with Image.open(tmp_path / "map.png") as image:
        assert image.mode == "L"


def test_faults_end_with_a_sentence_and_status_2(
    trained: tuple[Path, Card], toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ["classifier", str(toy / "manifest.csv"), "--images", str(toy), "--out", str(tmp_path / "out")]
    changed = json.loads((trained[0] / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps(changed | {"name": "another"}))
    for words, reason in (
        ([*train, "--finding", "fracture"], "has no column fracture"),
        ([*train, "--preset", "large"], "There is no recipe 'large'"),
        (["predict", str(toy / "p0-0.png"), "--model", str(tmp_path)], "digest does not fit its content"),
        (["predict", str(toy / "manifest.csv"), "--model", str(trained[0])], "is no image that can be read"),
        (["predict", str(toy / "absent.png"), "--model", str(trained[0])], "absent.png"),
    ):
        assert main(words) == 2
        said = capsys.readouterr().err
        assert said.startswith("inference: ")
        assert reason in said


def test_phantoms_and_their_readers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["phantoms", "films", "--cases", "2", "--seed", "1", "--out", str(tmp_path)]) == 0
    (tmp_path / "p.csv").write_text("case,probability\nP001,0.2\nP002,0.9\n")
    words = ["readers", str(tmp_path / "manifest.csv"), "--predictions", str(tmp_path / "p.csv")]
    assert main([*words, "--out", str(tmp_path / "answers.csv")]) == 0
    assert "24 answers of simulated readers" in capsys.readouterr().out
    (tmp_path / "p.csv").write_text("case,probability\nP001,0.2\n")
    assert main([*words, "--out", str(tmp_path / "answers.csv")]) == 2
    assert "P002" in capsys.readouterr().err
