"""The whole way on real chest films: train, import, predict, allocate, read twice, lock, analyse, export."""

import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect
from sklearn.metrics import cohen_kappa_score, confusion_matrix, roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar

from readerstudy.audit.models import Event
from readerstudy.reading.models import Reading
from tests.journeys import films
from tests.journeys.reading_room import Read, begin, read_period
from tests.journeys.visits import (
    TASK,
    check_page,
    choose,
    lock_and_analyse,
    look,
    manage,
    open_browser,
    real_people,
    saved,
    study_address,
    visit,
)
from tests.servers import Server

pytestmark = pytest.mark.journey
CASES = 12
EXACT = 1e-12
AFTER_THE_WASHOUT = timedelta(days=29)
READERS = ("bob", "rita")


@dataclass
class Journey:
    """What came of it, file by file."""

    folder: Path
    home: str = ""
    read: list[Read] = field(default_factory=list)
    design: str = ""

    @property
    def results(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "results.json").read_text())
        return document["results"]

    def table(self, name: str) -> pd.DataFrame:
        with zipfile.ZipFile(self.folder / "bundle.zip") as bundle:
            [path] = [path for path in bundle.namelist() if path.endswith(f"{name}.csv")]
            return pd.read_csv(io.BytesIO(bundle.read(path)), dtype={"reader": str})


@pytest.fixture(scope="module")
def journey(lasting_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """Two servers on one database: the second one lives 29 days later."""
    folder = tmp_path_factory.mktemp("chest")
    way, material = Journey(folder), films.material_in(folder)
    with ThreadPoolExecutor(2) as trainings:
        findings = ("Abnormal", "Effusion")
        abnormal, effusion = trainings.map(lambda name: films.train(material.cohort, name, folder / name), findings)
    real_people("alice", "bob", "rita", "dev")
    environment = lasting_environment | {"WORK_FOLDER": str(folder / "work")}
    with open_browser() as browser:
        with Server(environment) as server:
            with visit(browser, server.address, "dev") as page:
                register(page, server.address, abnormal)
                register(page, server.address, effusion)
            with visit(browser, server.address, "alice") as page:
                home = create_study(page, server.address)
                import_films(page, home, material)
                run_over_cases(page, home, "chest-abnormal", assists=True)
                run_over_cases(page, home, "chest-effusion", assists=False)
                import_radiologists(lasting_environment, home, material)
                draw_and_open(page, home)
            way.read += read_all(browser, server, period=1)
        with Server(environment, clock_offset=AFTER_THE_WASHOUT) as later:
            way.read += read_all(browser, later, period=2)
            with visit(browser, later.address, "alice") as page:
                way.home = home.replace(server.address, later.address)
                way.design = finish(page, way.home, folder)
    yield way


def register(page: Page, address: str, model: Path) -> None:
    page.goto(f"{address}/algorithms/")
    page.get_by_label("Card (card.json)").set_input_files(model / "card.json")
    page.get_by_label("Weights (weights.safetensors)").set_input_files(model / "weights.safetensors")
    page.get_by_role("button", name="Check and register").click()
    expect(page.get_by_role("status")).to_contain_text("is registered", timeout=TASK)


def create_study(page: Page, address: str) -> str:
    page.goto(f"{address}/studies/new/")
    page.get_by_label("Title").fill("Abnormal chest films")
    page.get_by_label("Clinical question").fill("Does the model help radiologists to see that a film is abnormal?")
    page.get_by_label("Instructions").fill("Decide first, then say how sure you are.")
    page.get_by_role("button", name="Create the study").click()
    page.wait_for_url("**/studies/*/**")
    home = study_address(page)
    for username in READERS:
        page.goto(f"{home}/people/")
        page.get_by_label("User name").fill(username)
        choose(page, "Role", "reader")
        page.get_by_role("button", name="Enrol").click()
        expect(page.get_by_role("row").filter(has_text=username)).to_contain_text("active")
    page.goto(f"{home}/protocol/freeze/")
    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_role("link", name="Amend")).to_be_visible()
    return home


def import_films(page: Page, home: str, material: films.Material) -> None:
    page.goto(f"{home}/cases/")
    page.get_by_role("link", name="Import cases").first.click()
    page.get_by_label("Manifest (CSV)").set_input_files(material.manifest)
    page.get_by_label("Images").set_input_files(material.archive)
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Import 401 cases").click(timeout=TASK)
    page.get_by_role("link", name="Show the cases").wait_for(timeout=TASK)


def run_over_cases(page: Page, home: str, algorithm: str, *, assists: bool) -> None:
    page.goto(f"{home}/predictions/")
    page.get_by_label("Algorithm").select_option(label=f"{algorithm} 1")
    page.get_by_label("Its output assists the readers").set_checked(assists)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#progress [role=status]")).to_contain_text("Complete", timeout=TASK)


def import_radiologists(environment: dict[str, str], home: str, material: films.Material) -> None:
    """Five radiologists said yes or no; they gave no rating and no time."""
    columns = ("reader=Reader ID", "case=Image ID", "decision=Abnormal")
    words = [word for column in columns for word in ("--column", column)]
    constants = ["--constant", "arm=unaided", "--constant", "seniority=senior"]
    told = manage(
        environment, "import_readings", home.rsplit("/", maxsplit=1)[-1], str(material.answers), *words, *constants
    )
    assert "Imported 2005 readings of 5 readers over 401 cases." in told


def draw_and_open(page: Page, home: str) -> None:
    page.goto(f"{home}/allocation/")
    page.get_by_label("Cases to be read").fill(str(CASES))
    page.get_by_role("button", name="Draw the allocation").click()
    expect(page.get_by_text(f"{CASES} of the study’s 401")).to_be_visible()
    look(page, "allocation")
    page.goto(f"{home}/readings/")
    page.get_by_role("button", name="Open the reading").click()
    expect(page.get_by_role("button", name="Open the reading")).to_be_hidden()


def read_all(browser: Browser, server: Server, *, period: int) -> list[Read]:
    read = []
    for username in READERS:
        with visit(browser, server.address, username) as page:
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            begin(page, server.address)
            read += read_period(page, username, period, CASES, look_for_the_model)
            expect(page.get_by_text("All cases are read" if period == 2 else "The next case is due on")).to_be_visible()
            # The heat map of every aided case comes, and there is nothing else to come.
            assert sum(url.endswith("/heatmap/1") for url in asked) == CASES // 2
    return read


def look_for_the_model(page: Page, read: Read) -> None:
    """Its heat map is there at once in aided cases alone; its key does nothing in the others."""
    heatmap = page.get_by_role("button", name="Heat map")
    if not read.aided:
        page.keyboard.press("h")
    if read.aided:
        expect(heatmap).to_have_attribute("aria-pressed", "true")
        look(page, "aided")
        # Nobody reads faster; what was on the screen for less than a fifth of a second does not count as seen.
        page.wait_for_timeout(500)
    else:
        expect(heatmap).to_have_count(0)
        assert "chest-abnormal" not in page.content()


def finish(page: Page, home: str, folder: Path) -> str:
    lock_and_analyse(page, home)
    check_page(page, "results-chest")
    design = page.get_by_role("region", name="Design and what it allows").inner_text()
    saved(page, "results.json", folder)
    page.goto(f"{home}/data/")
    saved(page, "Download the bundle", folder)
    return design


# What came of it


def test_the_readers_read_half_of_the_cases_aided_and_the_other_half_later(journey: Journey) -> None:
    for username, period in itertools.product(READERS, (1, 2)):
        aided = [read.aided for read in journey.read if (read.reader, read.period) == (username, period)]
        assert (len(aided), sum(aided)) == (CASES, CASES // 2)


def test_only_aided_cases_show_the_model(journey: Journey) -> None:
    for read in journey.read:
        assert ("chest-abnormal 1" in read.model_said) is read.aided
        assert ("probability" in read.model_said) is read.aided
        assert read.aided or read.model_said == ""


def test_nothing_of_the_readers_is_lost(journey: Journey) -> None:
    rows = journey.table("readings")
    own = rows[rows["external"] == 0]
    codes = dict(zip(READERS, ("R01", "R02"), strict=True))
    typed = {
        (codes[r.reader], r.period, r.position, "aided" if r.aided else "unaided", int(r.decision), r.rating)
        for r in journey.read
    }
    columns = ["reader", "period", "position", "arm", "decision", "rating"]
    stored = {tuple(row) for row in own[columns].itertuples(index=False)}
    assert stored == typed
    assert len(own) == 4 * CASES
    assert set(own["seniority"]) == {"senior", "junior"}
    assert own.groupby("reader")["case"].nunique().tolist() == [CASES, CASES]
    assert (own["probability_shown"] == (own["arm"] == "aided")).all()
    assert (own["heatmap_shown"] == (own["arm"] == "aided")).all()
    assert (own["seconds"] > 0).all()


def test_the_second_period_lies_behind_the_washout(journey: Journey) -> None:
    rows = journey.table("readings")
    own = rows[rows["external"] == 0]
    opened = pd.to_datetime(own.pivot(index=["reader", "case"], columns="period", values="opened_at")[2])
    before = pd.to_datetime(own.pivot(index=["reader", "case"], columns="period", values="submitted_at")[1])
    assert ((opened - before) >= timedelta(days=28)).all()


def test_the_model_knows_patients_that_it_never_saw(journey: Journey) -> None:
    predictions = journey.table("predictions")
    labels = films.truths(films.STUDY).set_index("Image ID")
    auc = {}
    for name, finding in (("chest-abnormal", "Abnormal"), ("chest-effusion", "Effusion")):
        rows = predictions[predictions["algorithm"] == name].set_index("case")
        assert set(rows.index) == set(labels.index)
        auc[finding] = roc_auc_score(labels.loc[rows.index, finding] == "YES", rows["probability"])
    assert auc["Abnormal"] > 0.70
    assert auc["Effusion"] > 0.65
    model = journey.results["model"]
    assert model["cases"] == 401
    assert model["discrimination"]["auc"]["estimate"] == pytest.approx(auc["Abnormal"], abs=EXACT)


def radiologists() -> dict[str, pd.DataFrame]:
    """Straight from the two files: by case, what each one said and what was true."""
    labels = films.truths(films.STUDY).set_index("Image ID")["Abnormal"] == "YES"
    answers = films.readings(films.STUDY)
    return {
        str(reader): pd.DataFrame({"said": rows.set_index("Image ID")["Abnormal"], "true": labels.astype(int)})
        for reader, rows in answers.groupby("Reader ID")
    }


def test_every_radiologist_has_the_sensitivity_and_specificity_of_the_file(journey: Journey) -> None:
    found = {reader["reader"]: reader for reader in journey.results["readers"]}
    for reader, rows in radiologists().items():
        tn, fp, fn, tp = confusion_matrix(rows["true"], rows["said"]).ravel()
        [unaided] = [cell for cell in found[reader]["arms"] if cell["cases"]]
        decisions = unaided["decisions"]
        assert (unaided["arm"], unaided["cases"]) == ("unaided", 401)
        assert decisions["confusion"] == {"tp": tp, "fp": fp, "tn": tn, "fn": fn}
        assert decisions["sensitivity"]["estimate"] == pytest.approx(tp / (tp + fn), abs=EXACT)
        assert decisions["specificity"]["estimate"] == pytest.approx(tn / (tn + fp), abs=EXACT)
    assert len(found) == 5 + 2


def test_mcnemar_of_the_model_against_each_radiologist_is_that_of_statsmodels(journey: Journey) -> None:
    rows = journey.table("predictions")
    model = rows[rows["algorithm"] == "chest-abnormal"].set_index("case")["positive"]
    against = {(pair["reader"], pair["arm"]): pair["mcnemar"] for pair in journey.results["model"]["against_readers"]}
    for reader, answers in radiologists().items():
        for name, cases in (
            ("sensitivity", answers["true"] == 1),
            ("specificity", answers["true"] == 0),
            ("accuracy", answers["true"] >= 0),
        ):
            truth = answers.loc[cases, "true"]
            right = pd.crosstab(answers.loc[cases, "said"] == truth, model[truth.index] == truth)
            table = right.reindex(index=[True, False], columns=[True, False], fill_value=0)
            compared = against[reader, "unaided"][name]
            counts = sorted((compared["table"]["first_only"], compared["table"]["second_only"]))
            assert counts == sorted((table.loc[True, False], table.loc[False, True]))
            assert compared["test"]["p"] == pytest.approx(mcnemar(table, exact=True).pvalue, abs=EXACT)


def test_radiologists_agree_as_the_source_says(journey: Journey) -> None:
    """SOURCE.md: .41 to .71 on all 810 films; on the films of the study, what was stored says the same as the file."""
    everything = films.readings().pivot(index="Image ID", columns="Reader ID", values="Abnormal")
    pairs = list(itertools.combinations(everything.columns, 2))
    kappas = sorted(cohen_kappa_score(everything[one], everything[two]) for one, two in pairs)
    assert (round(kappas[0], 2), round(kappas[-1], 2)) == (0.41, 0.71)
    rows = journey.table("readings")
    stored = rows[rows["external"] == 1].pivot(index="case", columns="reader", values="decision")
    said = films.readings(films.STUDY).pivot(index="Image ID", columns="Reader ID", values="Abnormal")
    for one, two in pairs:
        kappa = cohen_kappa_score(stored[str(one)], stored[str(two)])
        assert kappa == pytest.approx(cohen_kappa_score(said[one], said[two]), abs=EXACT)


def test_the_page_says_what_the_incomplete_design_allows(journey: Journey) -> None:
    assert "Not every reader read every case in every arm" in journey.design
    assert "not allowed" in journey.design


def test_the_bundle_proves_itself_and_the_audit_chain_holds(
    journey: Journey, lasting_environment: dict[str, str]
) -> None:
    with zipfile.ZipFile(journey.folder / "bundle.zip") as bundle:
        names = [name.rsplit("/", 1)[-1] for name in bundle.namelist()]
    assert {"readings.csv", "readings.parquet", "answers.csv", "codebook.csv"} <= set(names)
    manage(lasting_environment, "verify_audit")
    assert Reading.objects.filter(phase=Reading.Phase.SUBMITTED).count() == 4 * CASES + 5 * 401
    assert Event.objects.filter(verb="reading.submitted").count() == 4 * CASES
