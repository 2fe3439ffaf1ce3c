from collections.abc import Iterator
from typing import Any

from django import template
from django.utils.translation import gettext, gettext_noop

register = template.Library()
NAMES = {"auc": "AUC", "sensitivity": gettext_noop("sensitivity"), "specificity": gettext_noop("specificity")}


ANALYSES = {
    "obuchowski-rockette": gettext_noop("Obuchowski–Rockette over readers and cases"),
    "delong per reader": gettext_noop("DeLong’s test per reader"),
    "mcnemar per reader": gettext_noop("McNemar’s test per reader"),
    "model against each reader": gettext_noop("The model against each reader"),
}


@register.filter
def figure_name(figure: str) -> str:
    return gettext(NAMES.get(figure, figure))


@register.filter
def analysis_name(analysis: str) -> str:
    return gettext(ANALYSES.get(analysis, analysis))


@register.filter
def figures_of_merit(group: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(name if name == "AUC" else gettext(name).capitalize(), group[figure]) for figure, name in NAMES.items()]


@register.filter
def primary_result(found: dict[str, Any]) -> dict[str, Any]:
    """The primary endpoint's result over readers, or the sentence why there is none."""
    test = next(test for test in found["planned"] if test["is_primary"])
    if not test["valid"]:
        return {"refused": test["sentence"]}
    if test["endpoint"]["analysis"] != "obuchowski-rockette":
        return {"by_reader": list(tests_by_reader(found, **test["endpoint"]))}
    result: dict[str, Any] = found["study"][test["endpoint"]["figure"]]
    return result


def tests_by_reader(found: dict[str, Any], analysis: str, figure: str) -> Iterator[dict[str, Any]]:
    """Reader, what was subtracted from what, and the row of the test or its refusal."""
    if analysis == "model against each reader":
        pairs = [
            (pair["reader"], f"model − {pair['reader']}, {pair['arm']}", pair)
            for pair in found["model"]["against_readers"]
            if pair["arm"] == found["arms"][0]
        ]
    else:
        pairs = [
            (reader["reader"], f"{pair['second']} − {pair['first']}", pair)
            for reader in found["readers"]
            for pair in reader["comparisons"]
        ]
    for reader, difference, pair in pairs:
        compared = pair["delong"] if figure == "auc" else pair["mcnemar"][figure]
        yield {"reader": reader, "difference": difference, "row": compared.get("test", compared)}
