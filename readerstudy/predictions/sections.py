"""The card of an algorithm as sections for a page, in the order in which people ask. No Django here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inference import card_page
from inference.card_page import Section
from inference.cards import Card


def sections_of(document: Mapping[str, Any]) -> tuple[Section, ...]:
    """Of a card as it was registered."""
    return card_page.sections(Card.from_document(document))
