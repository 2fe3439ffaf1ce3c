"""What a Chinese page says in English, but for people's own words and the names of files, columns and methods."""

import re
from collections.abc import Iterable

from playwright.sync_api import Page

from readerstudy.accounts.models import User
from readerstudy.cases.models import Case, CaseImport
from readerstudy.predictions.models import Algorithm
from readerstudy.reading.models import ExternalSource
from readerstudy.reference.models import Standard
from readerstudy.studies.models import Arm, Question, Study

WHOSE = (
    *((User, field) for field in ("username", "first_name")),
    *((Study, field) for field in ("title", "question", "instructions")),
    *((Arm, field) for field in ("label", "code")),
    *((Question, field) for field in ("text", "help", "key")),
    *((Algorithm, "name"), (Case, "label"), (CaseImport, "source"), (ExternalSource, "name"), (Standard, "method")),
)
# What stands as files and cards have it, which the pages say.
AS_DECLARED = {
    "algorithms:card": "main dd, main .lead",
    "audit:events": "dl.facts dd",
    "cases:case": ".facts dd",
    "cases:cases": "option",
    "cases:import": "td",
    "cases:start": "dt",
    "datasets:data": "#codebook ~ table td",
    "studies:set_rules": ".help",
}
NAMES = {"English", "AUC", "PNG", "SVG", "DeLong", "McNemar", "CSV", "Genant", "Dice", "IoU", "COCO", "df"}
WRITTEN = ".mono, code, kbd, pre, script, style, noscript, [data-figure] .legendtext, [data-figure] .gtitle"
ATTRIBUTES = ("title", "aria-label", "placeholder", "alt", "data-missing", "data-unsent")
GATHER = """([exempt, attributes]) => {
    const skipped = (element) => !element || element.closest(exempt) !== null;
    const found = [];
    const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (!skipped(walker.currentNode.parentElement)) found.push(walker.currentNode.data);
    for (const name of attributes)
        for (const element of document.querySelectorAll(`[${name}]`))
            if (!skipped(element)) found.push(element.getAttribute(name));
    return found.map((text) => text.replace(/\\s+/g, " ").trim()).filter((text) => /[A-Za-z]{2}/.test(text));
}"""
SENTENCE = re.compile(r"[A-Za-z]{2,},? [a-z]{2,}")
WORD = re.compile(r"[A-Z]?[a-z]{2,}")


def words_of_people() -> list[str]:
    """The longest first, so that none is cut by a shorter one."""
    words = {word for model, field in WHOSE for word in model._default_manager.values_list(field, flat=True) if word}
    words |= {column for found in Case.objects.values_list("covariates", flat=True) for column in found}
    return sorted(words, key=lambda word: (-len(word), word))


def left_in_english(page: Page, name: str, own_words: Iterable[str]) -> list[str]:
    exempt = f"{WRITTEN}, {AS_DECLARED[name]}" if name in AS_DECLARED else WRITTEN
    own = re.compile("|".join(rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])" for word in own_words))
    runs = ((text, own.sub(" ", text).strip()) for text in page.evaluate(GATHER, [exempt, ATTRIBUTES]))
    return [text for text, rest in runs if SENTENCE.search(rest) or (WORD.fullmatch(rest) and rest not in NAMES)]
