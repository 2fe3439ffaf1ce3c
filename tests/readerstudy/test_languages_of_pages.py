"""What pages show of stored English: refusals, happenings, columns of the data set, figures, words of scripts."""

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest
from django.utils import translation

from readerstudy.dashboard.templatetags.happenings import fact_name, fact_value, happened
from readerstudy.datasets import codebook
from readerstudy.embedded.places import REPOSITORY
from readerstudy.results.captions import captioned
from readerstudy.studies.stored import in_language
from tests.readerstudy import test_languages as languages

APPS = REPOSITORY / "readerstudy"
# Commands, which speak to who administers the site.
ELSEWHERE = {"management", "embedded", "demonstration.py", "published.py"}
RAISED = languages.REFUSALS | {"BodyError", "DesignError", "MarksError", "Unfitting"}
VERBS = re.compile(r'\bverb="([a-z_.]+)"')
# Where a script gives words to a page without `say`.
SHOWN = re.compile(
    r'(?:\.(?:textContent|innerText|title|placeholder|ariaLabel|alt) = |"aria-label", )"([^"]*[a-z] [^"]*)"'
)


@cache
def known() -> dict[str, str]:
    files = sorted(APPS.glob("*/locale/zh_Hans/stored.json"))
    return {english: chinese for path in files for english, chinese in json.loads(path.read_text()).items()}


def python_of_pages() -> list[Path]:
    return [path for path in sorted(APPS.rglob("*.py")) if not ELSEWHERE & set(path.parts)]


def said_by(call: ast.Call) -> ast.expr | None:
    """The sentence of a refusal, or of a message over the next page."""
    match call.func:
        case ast.Name(id=name) if name in RAISED and call.args:
            return call.args[0]
        case ast.Attribute(value=ast.Name(id="messages")) if len(call.args) > 1:
            return call.args[1]
    return None


def test_every_refusal_and_every_message_is_known_in_chinese() -> None:
    said = {
        languages.kept(sentence)
        for path in python_of_pages()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(sentence := said_by(node), ast.Constant | ast.JoinedStr)
    }
    assert len(said) > 60
    with translation.override("zh-hans"):
        assert sorted(text for text in said if text not in known() and in_language(text) == text) == []


def test_every_happening_of_the_audit_has_a_chinese_name() -> None:
    verbs = {verb for path in python_of_pages() for verb in VERBS.findall(path.read_text())}
    assert len(verbs) > 40
    with translation.override("zh-hans"):
        assert [verb for verb in sorted(verbs) if happened(verb) == verb] == []
        facts = {"old": "draft", "reason": "open", "changes": [{"where": "title"}], "why": "The file is empty."}
        assert {fact_name(name): fact_value(value, name) for name, value in facts.items()} == {
            "更改前": "草稿",
            # People's own words stay.
            "原因": "open",
            "更改": "位置: title",
            "原因说明": "文件为空。",
        }


def test_every_column_of_the_data_set_is_explained_in_chinese() -> None:
    columns = (*codebook.ANSWERS, *codebook.READINGS, *codebook.PREDICTIONS, *codebook.VERTEBRAE, *codebook.EXPOSURES)
    with translation.override("zh-hans"):
        told = {column.meaning: in_language(column.meaning) for column in columns}
        assert [text for text, chinese in told.items() if re.search(r"[a-z]{2,} [a-z]{2,}", chinese)] == []
        assert all(column.kind in known() for column in columns)


@pytest.mark.parametrize(
    ("words", "chinese"),
    [
        ("Difference in sensitivity, aided minus unaided", "灵敏度之差，aided 减 unaided"),
        ("Difference in AUC, model minus reader, unaided", "AUC 之差，模型减阅片者，unaided"),
        ("R3 (junior) (AUC 0.729)", "R3（低年资）（AUC 0.729）"),
        ("Δ sensitivity", "Δ 灵敏度"),
    ],
)
def test_a_figure_speaks_the_language_of_its_page(words: str, chinese: str) -> None:
    with translation.override("zh-hans"):
        figure = {"layout": {"title": {"text": words}}, "data": [{"name": words, "x": [0.5], "type": "scatter"}]}
        assert captioned(figure) == {
            "layout": {"title": {"text": chinese}},
            "data": [{"name": chinese, "x": [0.5], "type": "scatter"}],
        }


def test_every_key_of_the_help_page_is_explained_in_chinese() -> None:
    keys = (languages.SCRIPTS / "keys.js").read_text()
    rows = re.findall(r'^ {4}\["[\w:]*", "[^"]*", "([^"]+)"', keys, re.M)
    shown = [
        text for text in re.findall(r'"([^"]+)"\]?[,}]', keys) if re.search(r" (?:wheel|drag)|(?:Wheel|fingers)", text)
    ]
    chinese = set(re.findall(r'^\s*"((?:[^"\\]|\\.)*)":', (languages.SCRIPTS / "zh.js").read_text(), re.M))
    assert len(rows) > 50
    assert [text for text in (*rows, *shown) if text not in chinese] == []


def test_no_script_shows_words_that_are_not_looked_up() -> None:
    scripts = [path for path in sorted(APPS.glob("*/static/**/*.js")) if path.name != "zh.js"]
    assert len(scripts) > 40
    assert [f"{path.name}: {text}" for path in scripts for text in SHOWN.findall(path.read_text())] == []
