"""Sentences that are kept in English, said in Chinese: whole, around values, several in a row, one within another."""

from collections.abc import Iterator

import pytest
from django.utils import translation

from readerstudy.studies.stored import in_language


@pytest.fixture
def chinese() -> Iterator[None]:
    with translation.override("zh-hans"):
        yield


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("english", "said"),
    [
        ("The file is empty.", "文件为空。"),
        ("The row has 3 cells, the header 4.", "该行有 3 个单元格，表头有 4 个。"),
        ("The file is empty. The file is not there.", "文件为空。文件不存在。"),
        # The longer of two that fit: a row, not rows.
        ("Rows 2, 3 and 5 more: The slices have 2 different sizes.", "第 2, 3 行及另外 5 行：各层有 2 种不同的大小。"),
        ("The file is a PDF document; PNG, JPEG, TIFF, DICOM and NIfTI can be read.", "该文件是PDF 文档；可以读取"),
        ("The worker's answer cannot be read: A heat map or mask is grey, not RGB.", "无法读取工作进程的应答：热图"),
        ("A positive decision needs a confidence of at least 50.", "50"),
    ],
)
def test_what_is_kept_in_english_is_said_in_chinese(english: str, said: str) -> None:
    assert said in in_language(english)
    assert "The " not in in_language(english)


@pytest.mark.usefixtures("chinese")
def test_what_is_not_known_stays_as_it_was_written() -> None:
    assert in_language("") == ""
    assert in_language("Nobody ever wrote this. Nor this.") == "Nobody ever wrote this. Nor this."
    assert in_language("The file is empty. Nobody wrote this.") == "文件为空。 Nobody wrote this."


def test_english_pages_say_it_as_it_was_written() -> None:
    assert in_language("The row has 3 cells, the header 4.") == "The row has 3 cells, the header 4."
