from typing import Any

from django import template

register = template.Library()
NAMES = {"auc": "AUC", "sensitivity": "sensitivity", "specificity": "specificity"}


ANALYSES = {
    "obuchowski-rockette": "Obuchowski–Rockette over readers and cases",
    "delong per reader": "DeLong’s test per reader",
    "mcnemar per reader": "McNemar’s test per reader",
}


@register.filter
def figure_name(figure: str) -> str:
    return NAMES.get(figure, figure)


@register.filter
def analysis_name(analysis: str) -> str:
    return ANALYSES.get(analysis, analysis)


@register.filter
def figures_of_merit(group: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(name if name == "AUC" else name.capitalize(), group[figure]) for figure, name in NAMES.items()]


@register.filter
def primary_result(found: dict[str, Any]) -> dict[str, Any]:
    """The primary endpoint's result over readers, or the sentence why there is none."""
    test = next(test for test in found["planned"] if test["is_primary"])
    if test["endpoint"]["analysis"] != "obuchowski-rockette":
        return {"refused": "The primary analysis is per reader: see the tables of each reader, with Holm's correction."}
    result: dict[str, Any] = found["study"][test["endpoint"]["figure"]]
    return result
