"""The words of a stored figure in the language of the page; its numbers stay."""

from typing import Any

from readerstudy.studies.stored import in_language

# Where a figure of plotly holds words; rows of a forest are named on its axis.
WORDS = {"text", "name", "hovertemplate", "y", "categoryarray"}


def captioned(part: Any, name: str = "") -> Any:
    match part:
        case dict():
            return {key: captioned(inner, key) for key, inner in part.items()}
        case list():
            return [captioned(inner, name) for inner in part]
        case str() if name in WORDS:
            return in_language(part)
    return part
