"""Every command on every strange table: a right result or one sentence, never a traceback, never NaN."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from tests.analysis.degenerate import FILES, TABLES, crossed, write

COMMANDS = {
    "auc": ("auc",),
    "auc logit": ("auc", "--interval", "logit"),
    "auc bootstrap": ("auc", "--interval", "bootstrap"),
    "auc partial": ("auc", "--interval", "bootstrap", "--partial", "specificity:0.8:1", "--mcclish"),
    "compare": ("compare", "--arms", "A0,A1"),
    "compare bootstrap": ("compare", "--arms", "A0,A1", "--method", "bootstrap"),
    "mrmc": ("mrmc",),
    "mrmc jackknife": ("mrmc", "--covariance", "jackknife"),
    "mrmc unbiased": ("mrmc", "--covariance", "unbiased"),
    "mrmc fixed readers": ("mrmc", "--readers", "fixed"),
    "mrmc fixed cases": ("mrmc", "--cases", "fixed"),
    "mrmc sensitivity": ("mrmc", "--metric", "sensitivity"),
    "mcnemar": ("mcnemar", "--arms", "A0,A1"),
    "mcnemar sensitivity": ("mcnemar", "--arms", "A0,A1", "--metric", "sensitivity", "--test", "midp"),
    "agreement": ("agreement",),
    "agreement fleiss": ("agreement", "--kind", "fleiss"),
}
DIFFERENCE = ("estimate", "se", "statistic", "p", "low", "high")


def numbers(content: object) -> Iterator[float]:
    if isinstance(content, dict):
        for value in content.values():
            yield from numbers(value)
    elif isinstance(content, list):
        for value in content:
            yield from numbers(value)
    elif isinstance(content, int | float):
        yield float(content)


def check_answer(content: dict[str, Any]) -> None:
    assert all(math.isfinite(value) for value in numbers(content))
    rows = content["estimates"] + content["arms"] + content["differences"]
    assert rows, "an answer of nothing"
    for row in rows:
        assert row["estimate"] is not None
        if row.get("low") is not None:
            assert row["low"] <= row["estimate"] <= row["high"] or math.isclose(row["low"], row["high"])
    for row in content["differences"]:
        assert row["p"] is not None and 0 <= row["p"] <= 1
        assert row["first"] and row["second"]


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("name", [*TABLES, *FILES])
def test_a_right_result_or_one_sentence(
    name: str, words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(name, tmp_path)
    status = main([words[0], str(path), *words[1:], "--format", "json"])
    said = capsys.readouterr()
    if status == 0:
        assert said.err == ""
        check_answer(json.loads(said.out))
        return
    assert status == 2 and said.out == ""
    sentence = said.err.rstrip("\n")
    assert "\n" not in sentence and sentence.endswith(".") and 20 < len(sentence) < 600
    assert not any(word in sentence for word in ("Traceback", "nan", "NaN", "None", "<class", "dtype", "Error"))


# What has no answer must not get one, and what has one must not be refused.
REFUSED = {
    "auc": (
        "one class",
        "no rows",
        "duplicated with another value",
        "contradictory truth",
        "unknown truth",
        "no truth",
    ),
    "mrmc": ("one class", "a reader without a class", "duplicated with another value", "no rating", "infinite rating"),
    "mcnemar": ("decision of two", "single arm", "cases nested in arms"),
    "compare": ("one class", "single arm", "cases nested in arms", "a word as rating"),
}
ANSWERED = {
    "auc": ("all ties", "perfect", "single arm", "three arms", "spaces in names", "missing values", "huge ratings"),
    "mrmc": (
        *("crossed", "identical arms", "perfect", "all ties", "missing cells", "cases nested in readers", "single arm"),
        *("two readers", "single reader", "three arms", "other scripts in names", "tiny ratings", "truth as booleans"),
    ),
    "mcnemar": ("all ties", "perfect", "identical arms", "missing cells", "commas and quotes in names", "one class"),
    "compare": ("all ties", "perfect", "identical arms", "missing cells", "single reader", "cases nested in readers"),
    "agreement": ("one class", "no truth", "truth in words", "missing cells", "three arms"),
}


def pairs(cases: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(command, name) for command, names in cases.items() for name in names]


@pytest.mark.parametrize(("command", "name"), pairs(REFUSED))
def test_what_has_no_answer_gets_none(
    command: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = COMMANDS[command]
    assert main([words[0], str(write(name, tmp_path)), *words[1:]]) == 2, capsys.readouterr().out


@pytest.mark.parametrize(("command", "name"), pairs(ANSWERED))
def test_what_has_an_answer_gets_it(
    command: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = COMMANDS[command]
    assert main([words[0], str(write(name, tmp_path)), *words[1:]]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [COMMANDS[name] for name in ("auc", "compare", "mrmc", "mrmc jackknife", "mcnemar", "agreement")],
    ids=" ".join,
)
def test_a_hundred_thousand_cases(words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "large.parquet"
    crossed(readers=2, cases=100_000).to_parquet(path)
    assert main([words[0], str(path), *words[1:], "--format", "json"]) == 0
    check_answer(json.loads(capsys.readouterr().out))
