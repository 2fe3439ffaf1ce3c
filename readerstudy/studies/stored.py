"""Sentences that stay English in the database and in documents, said in the language of who reads them.

They are written by code that knows no Django: faults of files, ends of runs, refusals of the statistics. Each app keeps
them in `locale/<language>/stored.json`, with numbered places for the values, as the f-strings of the code have them.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.apps import apps
from django.utils.translation import get_language, to_locale

PLACE = re.compile(r"\{(\d+)\}")
ENDS = re.compile(r"(?<=[.?]) (?=\S)")


class Template(NamedTuple):
    pattern: re.Pattern[str]
    said: str


class Phrases(NamedTuple):
    """What is said as it stands, and what is said around values; where two fit, the one of more words comes first."""

    plain: dict[str, str]
    templates: tuple[Template, ...]


def in_language(sentence: str) -> str:
    """What is not known is left as it was written."""
    phrases = phrases_of(to_locale(get_language() or "en"))
    if not phrases.plain or not sentence:
        return sentence
    parts = ENDS.split(sentence)
    said: list[str] = []
    at = 0
    while at < len(parts):
        for end in range(len(parts), at, -1):
            if found := _whole(" ".join(parts[at:end]), phrases):
                break
        # Chinese sentences follow each other without a space.
        said.append(found or (" " if at else "") + parts[at])
        at = end
    return "".join(said)


@cache
def phrases_of(locale: str) -> Phrases:
    found: dict[str, str] = {}
    for app in apps.get_app_configs():
        path = Path(app.path) / "locale" / locale / "stored.json"
        if path.is_file():
            found |= json.loads(path.read_text(encoding="utf-8"))
    longest = sorted(found, key=lambda english: -len(PLACE.sub("", english)))
    templates = tuple(Template(_pattern(text), found[text]) for text in longest if PLACE.search(text))
    return Phrases(found, templates)


def _pattern(english: str) -> re.Pattern[str]:
    words = PLACE.split(english)
    return re.compile(
        "".join(f"(?P<v{word}>.*?)" if at % 2 else re.escape(word) for at, word in enumerate(words)), re.S
    )


def _whole(sentence: str, phrases: Phrases) -> str:
    if sentence in phrases.plain:
        return phrases.plain[sentence]
    for template in phrases.templates:
        if found := template.pattern.fullmatch(sentence):
            # A value may be a sentence itself: why a worker's answer cannot be read.
            values = {name: _whole(value, phrases) or value for name, value in found.groupdict().items()}
            return PLACE.sub(r"{v\1}", template.said).format_map(values)
    return ""
