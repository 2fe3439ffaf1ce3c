"""python -m inference as a person would use it: words in, a sentence out where something is wrong."""

import csv
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from inference.__main__ import main
from inference.cards import CARD, Card


def test_predict_and_explain(
    trained: tuple[Path, Card], toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    positive, negative = (str(toy.parent / f"F{number:03d}.png") for number in (1, 3))
    assert main(["predict", positive, negative, "--model", str(trained[0])]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert float(rows[0]["probability"]) > float(rows[1]["probability"])
    assert [int(row["positive"]) for row in rows] == [1, 0]
    assert {row["card_digest"] for row in rows} == {trained[1].digest}
    assert len({row["input_digest"] for row in rows}) == 2
    assert main(["explain", positive, "--model", str(trained[0]), "--out", str(tmp_path / "map.png")]) == 0
    with Image.open(tmp_path / "map.png") as image:
        assert image.mode == "L"


def test_faults_end_with_a_sentence_and_status_2(
    trained: tuple[Path, Card], toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = json.loads((trained[0] / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps(changed | {"limits": "none"}))
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / CARD).write_text(json.dumps({"digest": "x", "family": "located", "version": "1"}))
    film = str(toy.parent / "F001.png")
    for words, reason in (
        (["predict", film, "--model", str(tmp_path)], "digest does not fit its content"),
        (["predict", film, "--model", str(tmp_path / "old")], "card cannot be read"),
        (["predict", str(toy), "--model", str(trained[0])], "is a manifest; say with --out"),
        (["predict", str(toy.parent / "absent.png"), "--model", str(trained[0])], "absent.png"),
        (["predict", film, "--model", str(toy.parent)], "card cannot be read"),
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
