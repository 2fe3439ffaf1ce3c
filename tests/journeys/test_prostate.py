"""Nine readers of three levels of experience, five arms, cells missing: what such a study allows, and its AUCs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page, expect
from sklearn.metrics import roc_auc_score

from tests.journeys.answers import document_in, freeze, import_answers, new_study
from tests.journeys.visits import check_page, lock_and_analyse, open_browser, real_people, saved, visit
from tests.servers import WEB, WORKER, Server
from tests.shared_data import shared

pytestmark = pytest.mark.journey
FILE = "data/prostate_mri_seniority/prostate_mri_long.csv"
COLUMNS = {"arm": "modality", "rating": "score", "seniority": "experience"}
SENIORITY = {"High": "senior", "Med": "intermediate", "Medium": "intermediate", "Low": "junior"}


@dataclass
class Outcome:
    design: str
    readers: str
    results: dict[str, Any]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.read_csv(shared(FILE))


@pytest.fixture(scope="module")
def outcome(
    lasting_environment: dict[str, str], rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outcome]:
    folder = tmp_path_factory.mktemp("prostate")
    real_people("alice")
    with (
        Server(lasting_environment, parts=(WEB, WORKER)) as server,
        open_browser() as browser,
        visit(browser, server.address, "alice") as page,
    ):
        home = new_study(page, server.address, "Colour maps in prostate MRI")
        design_study(page, home, sorted(rows["modality"].unique()))
        freeze(page, home)
        import_answers(page, home, shared(FILE), len(rows), COLUMNS)
        lock_and_analyse(page, home)
        check_page(page, "results-prostate")
        design = page.get_by_role("region", name="Design and what it allows").inner_text()
        readers = page.get_by_role("region", name="Each reader in each arm").inner_text()
        yield Outcome(design, readers, document_in(saved(page, "results.json", folder))["results"])


def design_study(page: Page, home: str, arms: list[str]) -> None:
    """Five arms in one period, and one question: how suspicious, without a decision."""
    for label in arms:
        page.goto(f"{home}/protocol/arms/new/")
        page.get_by_label("Label").fill(label)
        page.get_by_role("button", name="Add the arm").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Protocol")
    for name in (r"^Remove ?: Unaided$", r"^Remove ?: Aided$", "^Remove period 2$"):
        button = page.get_by_role("button", name=re.compile(name))
        button.click()
        expect(button).to_be_hidden()
    page.goto(f"{home}/protocol/questions/confidence/")
    page.get_by_label("Threshold").fill("")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name=re.compile(r"^Remove ?: Is the finding present")).click()
    for figure in ("Sensitivity", "Specificity"):
        page.get_by_role("button", name=re.compile(f"^Remove.*{figure}")).click()


def cells(results: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(reader["reader"], cell["arm"]): cell for reader in results["readers"] for cell in reader["arms"]}


def test_every_auc_is_that_of_scikit_learn(outcome: Outcome, rows: pd.DataFrame) -> None:
    found = cells(outcome.results)
    read = {(reader, arm.lower()): given for (reader, arm), given in rows.groupby(["reader", "modality"])}
    for key, cell in found.items():
        if key not in read:
            assert cell["cases"] == 0
            continue
        auc = roc_auc_score(read[key]["truth"], read[key]["score"])
        assert cell["cases"] == len(read[key])
        assert cell["discrimination"]["auc"]["estimate"] == pytest.approx(auc, abs=1e-12)
    assert set(read) <= set(found)


def test_readers_have_the_seniority_of_the_file(outcome: Outcome, rows: pd.DataFrame) -> None:
    given = rows.groupby("reader")["experience"].first().map(SENIORITY).to_dict()
    assert {reader["reader"]: reader["seniority"] for reader in outcome.results["readers"]} == given


def test_the_page_says_what_the_missing_cells_allow(outcome: Outcome) -> None:
    assert "Not every reader read every case in every arm (9 readers, 5 arms, 165 cases" in outcome.design
    permissions = outcome.results["design"]["permissions"]
    assert {item["permitted"] for item in permissions} == {True, False}
    for item in permissions:
        word = "allowed" if item["permitted"] else "not allowed"
        assert f"{word} {item['sentence']}" in outcome.design.replace("\n", " ")


def test_the_page_shows_every_auc_that_there_is(outcome: Outcome) -> None:
    for (reader, arm), cell in cells(outcome.results).items():
        if cell["cases"]:
            [line] = [
                row for row in outcome.readers.splitlines() if row.startswith(f"{reader}\t") and f"\t{arm}\t" in row
            ]
            assert f"{cell['discrimination']['auc']['estimate']:.3f}" in line
