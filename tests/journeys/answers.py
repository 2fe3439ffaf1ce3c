"""A study whose answers were given elsewhere, from its protocol to its results, by a coordinator at a browser."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.journeys.visits import TASK, study_address


def new_study(page: Page, address: str, title: str) -> str:
    page.goto(f"{address}/studies/new/")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Question").or_(page.get_by_label("Clinical question")).first.fill("Does it help the readers?")
    page.get_by_role("button", name="Create the study").click()
    page.wait_for_url("**/studies/*/**")
    return study_address(page)


def freeze(page: Page, home: str) -> None:
    page.goto(f"{home}/protocol/freeze/")
    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_role("link", name="Amend")).to_be_visible()


def import_answers(page: Page, home: str, file: Path, readings: int, columns: dict[str, str]) -> None:
    """Check the file, then import it, then open the reading: nobody reads here."""
    page.goto(f"{home}/readings/")
    page.get_by_role("link", name="Import existing answers").click()
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_label("Names of columns").fill("\n".join(f"{name}={column}" for name, column in columns.items()))
    page.get_by_label("Add cases the study lacks").check()
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("button", name=f"Import {readings} readings").click(timeout=TASK)
    page.get_by_role("button", name="Open the reading").click(timeout=TASK)
    expect(page.get_by_role("button", name="Open the reading")).to_be_hidden()


def document_in(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text())
    return document
