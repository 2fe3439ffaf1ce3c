"""Write a model's card as a page."""

from __future__ import annotations

import argparse
from pathlib import Path

from inference.cards import Card, CardError


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", type=Path, help="folder of a version of the model, or of its draft")
    command.add_argument("--out", type=Path, required=True, help="file, .html or .md")


def run(options: argparse.Namespace) -> None:
    from inference.card_page import as_html, as_markdown

    pages = {".html": as_html, ".md": as_markdown}
    if options.out.suffix not in pages:
        raise CardError(f"{options.out.name} ends neither in .html nor in .md.")
    card = Card.load(options.model, draft=True)
    options.out.write_text(pages[options.out.suffix](card), encoding="utf-8")
    print(options.out)
