"""The pages of cases and imports in Chinese: no sentence of theirs stays untranslated."""

import pytest
from django.utils import translation

from readerstudy.studies.models import Study
from tests.readerstudy import test_languages as languages
from tests.world import People, client_of


def test_every_marked_sentence_is_there_in_chinese() -> None:
    known = languages.catalogue("cases")
    sentences = languages.sentences_of_python("cases") | languages.sentences_of_pages(languages.pages("cases"))

    assert len(sentences) > 90
    assert [text for text in sentences if known.ngettext(text, text, 2) == text and known.gettext(text) == text] == []


@pytest.mark.parametrize("page", ["cases/", "cases/import/"])
def test_a_coordinator_who_reads_chinese_gets_the_pages_in_chinese(study: Study, people: People, page: str) -> None:
    answer = client_of(people.alice).get(f"/studies/{study.token}/{page}", headers={"accept-language": "zh-hans"})

    assert answer.status_code == 200
    assert "病例" in answer.content.decode()
    assert "The study has no cases yet" not in answer.content.decode()
    assert "Nothing is imported before" not in answer.content.decode()
    translation.deactivate()
