"""Faults of files are told in sentences of ours, on the command line and on the pages in both languages."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest
from django.utils.translation import override

from inference.__main__ import main
from inference.imaging.pixels import UnreadableInput, fetch
from inference.reasons import sentence_of, why
from readerstudy.studies.stored import in_language


def fault_of(act: Callable[[], object]) -> Exception:
    with pytest.raises((OSError, ValueError, KeyError)) as told:
        act()
    return told.value


def test_what_the_system_refuses_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    for act, words in (
        (lambda: (tmp_path / "none").read_text(), "there is no such file"),
        (lambda: tmp_path.read_text(), "it is a folder, not a file"),
        (lambda: (tmp_path / "file" / "below").read_text(), "a part of its path is a file, not a folder"),
        (lambda: (tmp_path / "file").read_text(encoding="utf-8"), "it is not text in UTF-8"),
        (lambda: (tmp_path / ("x" * 300)).read_text(), "its name is too long"),
        (lambda: (tmp_path / "round").read_text(), "its path is a link to itself"),
        (lambda: tmp_path.mkdir(), "something of that name is there already"),
        (lambda: json.loads('{"a":'), "it is no JSON document, line 1, column 6"),
        (lambda: {}["digest"], "it has no field digest"),
    ):
        assert why(fault_of(act)) == words
    for number, words in ((errno.EACCES, "its permissions do not allow it"), (errno.ENOSPC, "the disk is full")):
        assert why(OSError(number, os.strerror(number))) == words
    assert why(HTTPError("http://a/b", 404, "Not Found", {}, None)) == "the server answered 404"  # type: ignore[arg-type]
    assert why(URLError(ConnectionRefusedError(111, "refused"))) == "nobody answers at this address"
    assert sentence_of(FileNotFoundError(2, "No such", "a.csv")) == "a.csv cannot be used: there is no such file."


def test_no_command_ends_with_the_words_of_the_system(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "out")]
    (tmp_path / "file").touch()
    for words, sentence in (
        (["train", "s0-nothing", "m.csv", *out], "s0-nothing: is no recipe and no file; there are the recipes s0-"),
        (["train", str(tmp_path / "none.toml"), "m.csv", *out], "none.toml: cannot be read: there is no such file."),
        (["train", "s0-mobilenet", str(tmp_path), *out], "cannot be read: it is a folder, not a file."),
        (
            ["decide", str(tmp_path / "none")],
            "none holds no draft: name the folder of a model that was taught by train",
        ),
        (
            ["card", str(tmp_path / "none"), "--out", str(tmp_path / "card.md")],
            "none holds no card.json.",
        ),
        (["phantoms", "films", "--cases", "1", "--seed", "1", "--out", str(tmp_path / "file" / "a")], "not a folder."),
    ):
        assert main(words) == 2
        told = capsys.readouterr().err.splitlines()[-1]
        assert told.startswith("inference: ")
        assert sentence in told
        assert "Errno" not in told


def test_a_file_that_a_worker_cannot_fetch_is_told_in_chinese_too(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput) as told:
        fetch((tmp_path / "gone").as_uri())
    assert str(told.value) == "A stored file cannot be fetched: there is no such file."
    with override("zh-hans"):
        assert in_language(str(told.value)) == "存储的文件无法取得：没有此文件。"
