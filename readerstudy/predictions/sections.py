"""The card of an algorithm as sections for a page, in the order in which people ask. No Django here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inference import card_page
from inference.card_page import Section, told, word
from inference.cards import Card

FIGURES = ("auc", "sensitivity", "specificity", "accuracy")


def sections_of(document: Mapping[str, Any]) -> tuple[Section, ...]:
    """Of a card as it was registered: with a specification, or of one of the first families."""
    card = Card.from_document(document)
    return card_page.sections(card) if card.spec is not None else first_sections(card)


def first_sections(card: Card) -> tuple[Section, ...]:
    negative, positive = card.labels
    point, calibration = card.operating_point, card.calibration
    chosen = f"{point.get('n', '?')} {point.get('chosen_on', '')} cases".replace("  ", " ")
    return (
        Section("What it answers", (("Probability", f"negative {negative}; positive {positive}"),)),
        Section("Use", (("Intended use", card.intended_use), ("Limits", card.limits), ("Licence", card.licence))),
        Section("What it reads", (("Input", "the middle image of the first series"), *pairs(card, "preprocessing"))),
        Section("Architecture", (("Family", card.family), *pairs(card, "architecture"), ("After", told(card.paper)))),
        Section(
            "Decision",
            (
                ("Threshold", f"positive where the calibrated probability is at least {card.threshold:g}"),
                ("Chosen by", told(point.get("rule", ""))),
                ("Chosen on", chosen),
                ("Calibration", "; ".join(f"{name} {told(value)}" for name, value in calibration.items())),
            ),
        ),
        Section("Measured, with 95 % intervals", measured(card), ("Cases", "n (positive)", *map(figure_word, FIGURES))),
        Section("Made from", made_from(card), ("Part", "Cases", "Patients", "Positive", "Digest")),
        Section("Training", (*pairs(card, "training"), *pairs(card, "explanation"))),
        Section("Identity", (("Card", f"SHA-256 {card.digest}"), ("Weights", f"SHA-256 {card.weights_sha256}"))),
    )


def figure_word(name: str) -> str:
    return "AUC" if name == "auc" else word(name)


def pairs(card: Card, part: str) -> tuple[tuple[str, str], ...]:
    found = card.recipe.get(part)
    return tuple((word(name), told(value)) for name, value in found.items()) if isinstance(found, Mapping) else ()


def measured(card: Card) -> tuple[tuple[str, ...], ...]:
    rows = tuple(
        (name, f"{told(found.get('n'))} ({told(found.get('positives'))})", *(figure(found, one) for one in FIGURES))
        for name, found in card.metrics.items()
        if isinstance(found, Mapping)
    )
    return rows or (("nothing yet", *[""] * (1 + len(FIGURES))),)


def figure(found: Mapping[str, Any], name: str) -> str:
    value, low, high = (found.get(key) for key in (name, f"{name}_low", f"{name}_high"))
    if not isinstance(value, int | float):
        return "–"
    interval = isinstance(low, int | float) and isinstance(high, int | float)
    return f"{value:.3f} ({low:.3f}–{high:.3f})" if interval else f"{value:.3f}"


def made_from(card: Card) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (name, *(told(facts.get(key)) for key in ("cases", "patients", "positives", "digest")))
        for name, facts in card.data.items()
        if isinstance(facts, Mapping)
    )
