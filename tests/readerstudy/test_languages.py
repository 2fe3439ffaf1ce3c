"""No sentence of the site's pages stays untranslated, whether it is marked or kept in English."""

import ast
import gettext
import json
import re
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

import pytest
from django.utils.translation import template

from readerstudy.embedded.places import REPOSITORY

APPS = ("reading", "studies")
MARKED = {"_", "gettext", "gettext_lazy", "gettext_noop", "wrong", "Sentence"}
REFUSALS = {"Refused", "Denied", "Conflict"}
# A command, which speaks to who administers the site.
SPOKEN_ELSEWHERE = {"import_readings.py"}
STRING = r"""(u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*")"""
# What stands around every page, and the pages on a reader's way to the work list; in the catalogue of the dashboard.
CHROME = (
    *("base.html", "403.html", "404.html", "429.html", "500.html", "sentence.html", "account/login.html"),
    *("components/field.html", "dashboard/overview_reader.html"),
)
# Pages over all stages, whose sentences stand in the catalogue of the dashboard.
SITE = ("dashboard", "account", "accounts", "allocation", "audit", "datasets", "mfa", "predictions", "results")
ABBREVIATED = {"Dice", "IoU", "SE", "df", "SVG", "PNG", "TP", "FN", "TN", "FP", "AUC", "SHA", "json", "csv"}
NAMES_OF_FILES = {"results", "estimates"}
# Code without Django that writes sentences which are kept, or shown as they stand.
PURE = {
    "readerstudy/cases": (
        *("archive", "checking", "decoding", "dicom", "dicom_header", "dicomweb", "fetching", "importing", "kinds"),
        *("manifest", "nifti", "pictures", "raster", "sandbox", "stacking", "values"),
    ),
    "readerstudy/reading": ("external", "submissions"),
    "readerstudy/allocation": ("designs", "queries"),
    "readerstudy/predictions": ("working", "findings"),
    "readerstudy/reference": ("marks", "outlines", "runs"),
    "analysis": (
        *("agreement", "agreement_weights", "binormal", "chance_corrected", "covariance", "curve_merits", "delong"),
        *("interval", "judgements", "merit_names", "mrmc", "multiplicity", "paired", "per_model", "per_reader", "plan"),
        *("proportions", "ratings", "roc"),
    ),
    "analysis/localisation": ("overlap",),
    "inference": ("cards",),
}
SCRIPTS = REPOSITORY / "readerstudy" / "reading" / "static" / "reading"
# What a JavaScript module says: directly, by a choice of two, or in a table whose rows are said later.
SAID = re.compile(r'\bsay\(\s*"((?:[^"\\]|\\.)*)"')
CHOSEN = re.compile(r"\b(?:say\(|const (?:sentence|label) = )([^;\n]*\?[^;\n]*)")
TABLED = re.compile(r'\b(?:label|none|missing|does|group): "((?:[^"\\]|\\.)*)"')
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def modules(app: str) -> Iterator[Path]:
    for path in sorted((REPOSITORY / "readerstudy" / app).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path


def calls(path: Path) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            yield node.func.id, node.args[0]


def sentences_of_python(app: str) -> set[str]:
    return {
        argument.value
        for path in modules(app)
        for name, argument in calls(path)
        if name in MARKED and isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def pages(app: str) -> list[Path]:
    return sorted((REPOSITORY / "templates" / app).glob("*.html"))


def sentences_of_pages(paths: Iterable[Path]) -> set[str]:
    found = set()
    for path in paths:
        extracted = template.templatize(path.read_text())
        found |= set(re.findall(rf"\b(?:_|gettext|ngettext)\({STRING}", extracted))
    return {ast.literal_eval(text) for text in found}


def bare_words(path: Path) -> list[str]:
    """What a page says outside the marks of translation."""
    text = re.sub(r"\{% (blocktranslate|comment).*?\{% end\1 %\}", "", path.read_text(), flags=re.S)
    text = re.sub(r"\{% block body_class %\}.*?\{% endblock %\}", "", text)
    text = re.sub(r"<(kbd|span class=\"mono\")>.*?</[a-z]+>|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", text, flags=re.S)
    # Names of files stand as they are, and a language is offered in its own words.
    plain = re.sub(r"\w+-\s*\.json|\bEnglish\b", "", text)
    return [f"{path.name}: {word}" for word in re.findall(r"[A-Za-z]{2,}", plain)]


def catalogue(app: str) -> gettext.GNUTranslations:
    path = REPOSITORY / "readerstudy" / app / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.mo"
    with path.open("rb") as stream:
        return gettext.GNUTranslations(stream)


@pytest.mark.parametrize("app", APPS)
def test_every_marked_sentence_is_there_in_chinese(app: str) -> None:
    known = catalogue(app)
    sentences = sentences_of_python(app) | sentences_of_pages(pages(app))
    assert len(sentences) > 200
    # Of words with a plural the catalogue has the one form that Chinese has.
    silent = [text for text in sentences if known.gettext(text) == text and known.ngettext(text, text, 2) == text]
    assert silent == []


@pytest.mark.parametrize("app", APPS)
def test_the_catalogue_that_is_read_is_the_one_that_is_written(app: str) -> None:
    known = catalogue(app)
    written = (Path(REPOSITORY) / "readerstudy" / app / "locale/zh_Hans/LC_MESSAGES/django.po").read_text()
    pairs = re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', written, re.M)
    unescaped = [(ast.literal_eval(f'"{english}"'), ast.literal_eval(f'"{chinese}"')) for english, chinese in pairs]
    assert len(unescaped) > 200
    assert [english for english, chinese in unescaped if known.gettext(english) != chinese] == []
    for english, chinese in unescaped:
        assert sorted(re.findall(r"%\(\w+\)s", english)) == sorted(re.findall(r"%\(\w+\)s", chinese))


@pytest.mark.parametrize("app", APPS)
def test_no_refusal_is_said_in_english_alone(app: str) -> None:
    bare = [
        f"{path.name}: {ast.unparse(argument)[:60]}"
        for path in modules(app)
        if path.name not in SPOKEN_ELSEWHERE
        for name, argument in calls(path)
        if name in REFUSALS and isinstance(argument, ast.Constant | ast.JoinedStr)
    ]
    assert bare == []


@pytest.mark.parametrize("app", APPS)
def test_no_page_holds_words_outside_the_marks(app: str) -> None:
    assert [word for path in pages(app) for word in bare_words(path)] == []


def test_what_stands_around_every_page_is_there_in_chinese() -> None:
    paths, known = [REPOSITORY / "templates" / name for name in CHROME], catalogue("dashboard")
    sentences = sentences_of_pages(paths)
    assert len(sentences) > 20
    assert [text for text in sentences if known.gettext(text) == text] == []
    assert [word for path in paths for word in bare_words(path)] == []


def test_what_the_browser_says_is_there_in_chinese() -> None:
    chinese = set(re.findall(r'^\s*"((?:[^"\\]|\\.)*)":', (SCRIPTS / "zh.js").read_text(), re.M))
    missing = []
    for path in sorted(SCRIPTS.glob("*.js")):
        code = re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.M)
        chosen = [text for choice in CHOSEN.findall(code) for text in QUOTED.findall(choice)]
        said = [*SAID.findall(code), *TABLED.findall(code), *(text for text in chosen if " " in text)]
        missing += [f"{path.name}: {text}" for text in said if re.search(r"[A-Za-z]{2}", text) and text not in chinese]
    assert len(chinese) > 150
    assert missing == []


def test_both_catalogues_keep_the_values_of_a_sentence() -> None:
    pairs = re.findall(r'^\s*"((?:[^"\\]|\\.)*)":\s*"((?:[^"\\]|\\.)*)"', (SCRIPTS / "zh.js").read_text(), re.M)
    for english, chinese in pairs:
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese)), english


def test_what_the_sites_pages_say_is_there_in_chinese() -> None:
    paths = [page for folder in SITE for page in sorted((REPOSITORY / "templates" / folder).rglob("*.html"))]
    marked = sentences_of_pages(paths) | {text for app in SITE[:7] for text in sentences_of_python(app)}
    apps = ("dashboard", *APPS, "cases", "reference")
    known = [catalogue(app) for app in apps]

    assert len(marked) > 250
    silent = [text for text in marked if all(one.gettext(text) == one.ngettext(text, text, 2) == text for one in known)]
    assert silent == []
    bare = [word for path in paths for word in bare_words(path)]
    assert [word for word in bare if word.split(": ")[1] not in ABBREVIATED | NAMES_OF_FILES] == []


def kept(node: ast.expr) -> str:
    """A text as the catalogue of kept sentences has it: the values of an f-string are numbered places."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
    numbers = count()
    return re.sub(r"\{[^}]*\}", lambda _: f"{{{next(numbers)}}}", text)


def sentences_kept(path: Path) -> set[str]:
    """Whole sentences of the code, which are neither said about it nor part of a longer one."""
    tree = ast.parse(path.read_text())
    apart = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    apart |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = (
        kept(node)
        for node in ast.walk(tree)
        if id(node) not in apart
        and (isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)))
    )
    return {text for text in texts if re.match(r"(?:[A-Z“]|\{0\} ).* .*[a-z\d})][.]$", text)}


@pytest.mark.parametrize("folder", PURE)
def test_every_sentence_that_is_kept_in_english_is_known_in_chinese(folder: str) -> None:
    known: dict[str, str] = {}
    for path in sorted((REPOSITORY / "readerstudy").glob("*/locale/zh_Hans/stored.json")):
        known |= json.loads(path.read_text())
    said = {text for name in PURE[folder] for text in sentences_kept(REPOSITORY / folder / f"{name}.py")}

    assert said
    assert sorted(said - known.keys()) == []


def test_kept_sentences_keep_their_values_in_chinese() -> None:
    for path in sorted((REPOSITORY / "readerstudy").glob("*/locale/zh_Hans/stored.json")):
        for english, chinese in json.loads(path.read_text()).items():
            assert sorted(re.findall(r"\{\d+\}", english)) == sorted(re.findall(r"\{\d+\}", chinese)), english
