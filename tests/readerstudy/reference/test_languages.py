"""No sentence of the truthers' pages stays untranslated."""

import re

import pytest
from django.utils import translation

from readerstudy.embedded.places import REPOSITORY
from readerstudy.reference.actions import ADJUDICATED, CONSENSUS, SINGLE
from readerstudy.reference.importing import METHOD
from readerstudy.studies.stored import in_language
from tests.readerstudy import test_languages as languages

SCRIPTS = REPOSITORY / "readerstudy" / "reference" / "static" / "reference"


def test_every_sentence_of_actions_forms_and_pages_is_there_in_chinese() -> None:
    known = languages.catalogue("reference")
    sentences = languages.sentences_of_python("reference") | languages.sentences_of_pages(languages.pages("reference"))

    assert len(sentences) > 80
    assert [text for text in sentences if known.ngettext(text, text, 2) == text and known.gettext(text) == text] == []
    languages.test_no_refusal_is_said_in_english_alone("reference")
    languages.test_no_page_holds_words_outside_the_marks("reference")


@pytest.mark.parametrize(
    "method", [CONSENSUS, ADJUDICATED, SINGLE, f"{ADJUDICATED}; in 3 of the cases one opinion alone", METHOD]
)
def test_how_the_truth_was_found_is_told_in_chinese(method: str) -> None:
    with translation.override("zh-hans"):
        assert not re.search("[a-z]", in_language(method))


def test_every_sentence_of_the_browser_is_there_in_chinese() -> None:
    pairs = re.findall(r'^\s*"((?:[^"\\]|\\.)*)":\s*"((?:[^"\\]|\\.)*)"', (SCRIPTS / "zh.js").read_text(), re.M)
    chinese = dict(pairs)
    missing = []
    for path in sorted(SCRIPTS.glob("*.js")):
        code = re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.M)
        said = [*languages.SAID.findall(code), *languages.TABLED.findall(code)]
        missing += [f"{path.name}: {text}" for text in said if text and text not in chinese]

    assert len(chinese) > 60
    assert missing == []
    assert [english for english, text in pairs if re.findall(r"\{\w+\}", english) != re.findall(r"\{\w+\}", text)] == []
