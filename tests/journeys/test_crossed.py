"""Five readers, 80 cases, both arms: imported, locked and analysed in a browser; numbers of MRMCaov, pROC and R."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.journeys.answers import document_in, freeze, import_answers, new_study
from tests.journeys.visits import check_page, lock_and_analyse, open_browser, real_people, saved, visit
from tests.servers import WEB, WORKER, Server
from tests.shared_data import shared

pytestmark = pytest.mark.journey
# golden.json: results of R, mrmcaov and pROC, which give the first arm minus the second.
GOLDEN = "oracles/crossed/golden.json"
DIGITS = 1e-8


@dataclass
class Outcome:
    page: str
    results: dict[str, Any]


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared(GOLDEN).read_text())
    return found


@pytest.fixture(scope="module")
def outcome(
    lasting_environment: dict[str, str], golden: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outcome]:
    folder = tmp_path_factory.mktemp("crossed")
    real_people("alice")
    with (
        Server(lasting_environment, parts=(WEB, WORKER)) as server,
        open_browser() as browser,
        visit(browser, server.address, "alice") as page,
    ):
        home = new_study(page, server.address, "Five readers, eighty cases")
        freeze(page, home)
        import_answers(page, home, shared("oracles/crossed/crossed.csv"), 800, {})
        lock_and_analyse(page, home)
        page.get_by_text(re.compile(r"^\d+ estimates$")).click()
        check_page(page, "results-crossed")
        text = page.locator("main").inner_text()
        yield Outcome(text, document_in(saved(page, "results.json", folder))["results"])


def difference(results: dict[str, Any]) -> dict[str, Any]:
    [row] = [row for row in results["study"]["auc"]["differences"] if row["reader"] is None]
    return dict(row)


def test_obuchowski_rockette_is_that_of_mrmcaov(outcome: Outcome, golden: dict[str, Any]) -> None:
    row = difference(outcome.results)
    expected = golden["ORH_auc_RRRC_DeLong"]["test_diffs"][0]
    assert row["estimate"] == pytest.approx(-expected["Estimate"], rel=DIGITS)
    assert row["se"] == pytest.approx(expected["StdErr"], rel=DIGITS)
    assert row["df"] == pytest.approx(expected["df"], rel=DIGITS)
    assert row["p"] == pytest.approx(expected["p-value"], rel=DIGITS)
    assert [row["high"], row["low"]] == pytest.approx([-bound for bound in expected["CI"]], rel=DIGITS)


def test_the_page_shows_the_same_numbers_to_eight_digits(outcome: Outcome) -> None:
    [line] = [
        line
        for line in outcome.page.splitlines()
        if line.startswith("Obuchowski–Rockette difference") and "\tAUC\t" in line and "all readers" in line
    ]
    _, arm, _, _, *numbers = line.split("\t")
    assert arm == "aided − unaided"
    # The numbers that the issue of this study names, to eight digits.
    for shown, named in zip(numbers, ("0.07175", "0.0397100223", "6.1080791", "0.1199290"), strict=False):
        assert float(shown) == pytest.approx(float(named), abs=5.1 * 10 ** -(len(named.split(".")[1]) + 1))
        assert len(shown.replace(".", "").lstrip("0")) >= min(8, len(named.replace(".", "").lstrip("0")))
    assert "+0.072, 95 % interval −0.025 to +0.169" in outcome.page


def test_each_reader_has_the_delong_of_proc(outcome: Outcome, golden: dict[str, Any]) -> None:
    found = {reader["reader"]: reader for reader in outcome.results["readers"]}
    assert len(found) == 5
    for expected in golden["per_reader"]:
        reader = found[expected["reader"]]
        for cell in reader["arms"]:
            auc = cell["discrimination"]["auc"]["estimate"]
            assert auc == pytest.approx(expected[f"auc_{cell['arm']}"], rel=DIGITS)
        [pair] = reader["comparisons"]
        assert pair["delong"]["statistic"] == pytest.approx(-expected["Z"], rel=DIGITS)
        assert pair["delong"]["p"] == pytest.approx(expected["p"], rel=DIGITS)


def test_each_reader_has_the_mcnemar_of_r(outcome: Outcome, golden: dict[str, Any]) -> None:
    found = {reader["reader"]: reader["comparisons"][0] for reader in outcome.results["readers"]}
    for expected in golden["per_reader"]:
        accuracy = found[expected["reader"]]["mcnemar"]["accuracy"]
        table = accuracy["table"]
        assert (table["first_only"], table["second_only"]) == (expected["mcnemar_b"], expected["mcnemar_c"])
        assert accuracy["test"]["p"] == pytest.approx(expected["mcnemar_exact_p"], rel=DIGITS)
        line = f"{table['both']} / {table['first_only']} / {table['second_only']} / {table['neither']}"
        assert line in outcome.page
