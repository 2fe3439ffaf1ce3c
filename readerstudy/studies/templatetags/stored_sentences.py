"""A stored English sentence in the language of the page."""

from django import template

from readerstudy.studies.stored import in_language

register = template.Library()


@register.filter
def told(sentence: object) -> str:
    return in_language(str(sentence)) if sentence else ""
