"""The audit chain in the language of the page. It is stored, and downloaded, in English."""

from collections.abc import Mapping

from django import template
from django.utils.translation import gettext, pgettext

from readerstudy.audit.actions import SYSTEM
from readerstudy.studies.stored import in_language

from .figures import NOTHING

register = template.Library()
# Facts whose values come from lists of the program, and those that are sentences of it; all others are people's words.
CODED = {
    *("assistance", "decisions", "design", "kind", "light", "method", "metric", "new", "old", "phase", "rank"),
    *("readers", "role", "scale", "seniority", "site_role", "source", "verdict"),
}
SENTENCES = {"error", "message", "method", "why"}


@register.filter
def acted(actor: str) -> str:
    return pgettext("audit", SYSTEM) if actor == SYSTEM else actor


@register.filter
def happened(verb: str) -> str:
    return pgettext("audit", verb)


@register.filter
def fact_name(name: str) -> str:
    return pgettext("audit", name)


@register.filter
def fact_value(value: object, name: str) -> str:
    """A value of a JSON document as one line of text."""
    match value:
        case Mapping():
            told = ((key, fact_value(inner, name if name in CODED else key)) for key, inner in value.items())
            return "; ".join(f"{fact_name(key)}: {text}" for key, text in told)
        case list():
            return ", ".join(fact_value(inner, name) for inner in value)
        case str() if value:
            return said(value, name)
    return plain(value)


def plain(value: object) -> str:
    match value:
        case None:
            return NOTHING
        case bool():
            return gettext("yes") if value else gettext("no")
        case float():
            return f"{value:.6g}"
    return str(value)


def said(text: str, name: str) -> str:
    if name == "signature":
        return gettext(text)
    if name in SENTENCES and " " in text:
        return in_language(text)
    return pgettext("audit value", text) if name in CODED else text
