"""Results: from the locked data set only, equal to the outside numbers, in results.json and on the page."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.html import escape
from sklearn.metrics import roc_auc_score

from readerstudy.audit.errors import Denied, Refused
from readerstudy.datasets.actions import lock
from readerstudy.reading.actions import correct, import_readings, open_reading
from readerstudy.reading.external import Source
from readerstudy.reading.models import Reading
from readerstudy.results import analysing, queries
from readerstudy.results.actions import start_run
from readerstudy.results.models import AnalysisRun
from readerstudy.results.templatetags.results_pages import primary_result
from readerstudy.studies.actions import amend, create_study, freeze
from readerstudy.studies.actions.freezing import Changes
from readerstudy.studies.models import Study
from readerstudy.studies.outline import CROSSOVER, ArmOutline, EndpointOutline, Outline, QuestionOutline
from tests.shared_data import shared
from tests.world import PASSWORD, People, client_of

pytestmark = pytest.mark.django_db
FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "crossed"
GOLDEN = json.loads((FIXTURES / "golden.json").read_text())
DIGITS = 5e-9


@pytest.fixture
def people() -> People:
    return People()


def locked(people: People, content: bytes, source: Source, outline: Outline = CROSSOVER) -> Study:
    study = create_study(title="Imported", question="Does it help?", by=people.alice, outline=outline)
    freeze(study=study, by=people.alice)
    import_readings(study=study, content=content, name="answers.csv", source=source, by=people.alice, new_cases=True)
    open_reading(study=study, by=people.alice)
    lock(study=study, password=PASSWORD, reasons={}, by=people.alice)
    return study


def analysed(study: Study, people: People) -> dict[str, Any]:
    run = start_run(study=study, by=people.alice)
    analysing.analyse(run.token)
    run.refresh_from_db()
    assert run.phase == AnalysisRun.Phase.DONE, run.message
    return queries.results_of(run)


@pytest.fixture
def crossed(people: People) -> Study:
    return locked(people, (FIXTURES / "crossed.csv").read_bytes(), Source())


def test_obuchowski_rockette_equals_mrmcaov(crossed: Study, people: People) -> None:
    auc = analysed(crossed, people)["study"]["auc"]
    # golden.json, ORH_auc_RRRC_DeLong: MRMCaov reports first minus second.
    expected = GOLDEN["ORH_auc_RRRC_DeLong"]["test_diffs"][0]
    (row,) = [row for row in auc["differences"] if row["reader"] is None]
    assert row["estimate"] == pytest.approx(-expected["Estimate"], rel=DIGITS)
    assert row["se"] == pytest.approx(0.0397100223, abs=5e-11)
    assert row["se"] == pytest.approx(expected["StdErr"], rel=DIGITS)
    assert row["df"] == pytest.approx(expected["df"], rel=DIGITS)
    assert row["p"] == pytest.approx(expected["p-value"], rel=DIGITS)
    assert [row["high"], row["low"]] == pytest.approx([-bound for bound in expected["CI"]], rel=DIGITS)
    for arm, mean in zip(auc["arms"], GOLDEN["ORH_auc_RRRC_DeLong"]["means"], strict=True):
        assert arm["arm"] == mean["_row"]
        assert [arm["estimate"], arm["se"], arm["df"]] == pytest.approx(
            [mean["Estimate"], mean["StdErr"], mean["df"]], rel=DIGITS
        )


def test_each_reader_equals_proc_and_r(crossed: Study, people: People) -> None:
    found = analysed(crossed, people)["readers"]
    # golden.json, per_reader: pROC's DeLong test and R's McNemar tests on right and wrong decisions.
    for reader, expected in zip(found, GOLDEN["per_reader"], strict=True):
        assert reader["reader"] == expected["reader"]
        for cell in reader["arms"]:
            auc = cell["discrimination"]["auc"]
            assert auc["estimate"] == pytest.approx(expected[f"auc_{cell['arm']}"], rel=DIGITS)
        unaided = reader["arms"][0]["discrimination"]["auc"]
        assert [unaided["low"], unaided["estimate"], unaided["high"]] == pytest.approx(
            expected["ci_unaided"], rel=DIGITS
        )
        (pair,) = reader["comparisons"]
        assert pair["delong"]["statistic"] == pytest.approx(-expected["Z"], rel=DIGITS)
        assert pair["delong"]["p"] == pytest.approx(expected["p"], rel=DIGITS)
        accuracy = pair["mcnemar"]["accuracy"]
        counts = [accuracy["table"]["first_only"], accuracy["table"]["second_only"]]
        assert counts == [expected["mcnemar_b"], expected["mcnemar_c"]]
        assert accuracy["test"]["p"] == pytest.approx(expected["mcnemar_exact_p"], rel=DIGITS)


def test_page_and_files_carry_the_numbers(crossed: Study, people: People) -> None:
    analysed(crossed, people)
    client = client_of(people.alice)
    address = f"/studies/{crossed.token}/results/"
    page = client.get(address).content.decode()
    for digits in ("0.07175", "0.0397100222", "6.10807914", "0.119929005"):
        assert digits in page, digits
    assert "+0.072" in page
    document = json.loads(client.get(f"{address}results.json").content)
    (row,) = [row for row in document["results"]["study"]["auc"]["differences"] if row["reader"] is None]
    assert row["p"] == pytest.approx(0.1199290055768, rel=DIGITS)
    assert document["dataset"]["digest"] == crossed.dataset.digest
    table = list(csv.DictReader(io.StringIO(client.get(f"{address}estimates.csv").content.decode())))
    means = [row for row in table if row["method"] == "Obuchowski–Rockette difference" and row["figure"] == "auc"]
    assert float(next(row["estimate"] for row in means if row["reader"] == "all readers")) == pytest.approx(0.07175)
    figure = json.loads(client.get(f"{address}figures/roc-2.json").content)
    assert len(figure["data"]) == 1 + 5
    assert client.get(f"{address}figures/none.json").status_code == 404


def test_there_are_no_results_before_the_lock(people: People) -> None:
    study = create_study(title="Open", question="?", by=people.alice)
    with pytest.raises(Refused, match="not locked yet"):
        start_run(study=study, by=people.alice)
    client = client_of(people.alice)
    page = client.get(f"/studies/{study.token}/results/")
    assert "locked data set only" in page.content.decode()
    assert client.post(f"/studies/{study.token}/results/start/").status_code == 400
    assert client.get(f"/studies/{study.token}/results/results.json").status_code == 404


def test_readers_and_strangers_see_no_results(crossed: Study, people: People) -> None:
    with pytest.raises(Denied):
        start_run(study=crossed, by=people.bob)
    assert client_of(people.charlie).get(f"/studies/{crossed.token}/results/").status_code == 404


def test_a_finished_run_is_never_changed(crossed: Study, people: People) -> None:
    first = analysed(crossed, people)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        AnalysisRun.objects.update(results={})
    second = analysed(crossed, people)
    assert first == second
    assert list(AnalysisRun.objects.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_a_run_is_carried_out_once(crossed: Study, people: People) -> None:
    run = start_run(study=crossed, by=people.alice)
    with pytest.raises(Refused, match="under way"):
        start_run(study=crossed, by=people.alice)
    analysing.analyse(run.token)
    analysing.analyse(run.token)
    run.refresh_from_db()
    assert run.phase == AnalysisRun.Phase.DONE


def test_a_run_that_a_dead_worker_left_is_taken_up_again(crossed: Study, people: People) -> None:
    run = start_run(study=crossed, by=people.alice)
    assert analysing.claim(run.token) is not None
    analysing.analyse(run.token)
    run.refresh_from_db()
    assert run.phase == AnalysisRun.Phase.RUNNING
    assert analysing.waiting() == []
    AnalysisRun.objects.filter(pk=run.pk).update(claimed_at=timezone.now() - analysing.PATIENCE)
    assert analysing.waiting() == [run.token]
    analysing.analyse(run.token)
    run.refresh_from_db()
    assert run.phase == AnalysisRun.Phase.DONE


def test_a_run_that_takes_its_workers_down_is_stopped_with_a_sentence(crossed: Study, people: People) -> None:
    run = start_run(study=crossed, by=people.alice)
    for _ in range(analysing.ATTEMPTS):
        assert analysing.claim(run.token) is not None
        AnalysisRun.objects.filter(pk=run.pk).update(claimed_at=timezone.now() - analysing.PATIENCE)
    analysing.analyse(run.token)
    run.refresh_from_db()
    assert (run.phase, run.attempts) == (AnalysisRun.Phase.FAILED, analysing.ATTEMPTS + 1)
    assert run.message == "Stopped after 3 attempts: no worker finished this analysis."
    assert analysing.waiting() == []


def with_margin(margin: float | None) -> Outline:
    endpoint = EndpointOutline(rank="primary", metric="auc", method="mrmc", margin=margin)
    return Outline(CROSSOVER.arms, CROSSOVER.washouts, CROSSOVER.questions, (endpoint,))


@pytest.mark.parametrize(("margin", "shown", "words"), [(0.03, True, "not inferior"), (0.025, False, "not shown")])
def test_a_margin_of_the_plan_is_held_against_the_interval(
    people: People, margin: float, shown: bool, words: str
) -> None:
    study = locked(people, (FIXTURES / "crossed.csv").read_bytes(), Source(), with_margin(margin))
    analysed(study, people)
    client = client_of(people.alice)
    document = json.loads(client.get(f"/studies/{study.token}/results/results.json").content)
    (row,) = document["noninferiority"]
    # golden.json: the interval of unaided minus aided ends at 0.02500167519799.
    assert row["low"] == pytest.approx(-0.02500167519799, rel=DIGITS)
    assert row["shown"] is shown
    assert f"<strong>{words}</strong>" in client.get(f"/studies/{study.token}/results/").content.decode()


def test_a_primary_test_per_reader_stands_first_on_the_page(people: People) -> None:
    endpoint = EndpointOutline(rank="primary", metric="sensitivity", method="per_reader")
    outline = Outline(CROSSOVER.arms, CROSSOVER.washouts, CROSSOVER.questions, (endpoint,))
    study = locked(people, (FIXTURES / "crossed.csv").read_bytes(), Source(), outline)
    found = analysed(study, people)
    lines = primary_result(found)["by_reader"]
    assert [line["reader"] for line in lines] == ["R1", "R2", "R3", "R4", "R5"]
    tests = [reader["comparisons"][0]["mcnemar"]["sensitivity"]["test"] for reader in found["readers"]]
    assert [line["row"] for line in lines] == tests
    page = client_of(people.alice).get(f"/studies/{study.token}/results/").content.decode()
    assert page.index("<td>aided − unaided</td>") < page.index('id="design"')


def test_a_model_that_nobody_asked_cannot_be_held_against_readers(people: People) -> None:
    endpoint = EndpointOutline(rank="primary", metric="auc", method="model")
    outline = Outline(CROSSOVER.arms[:1], (0,), CROSSOVER.questions, (endpoint,))
    rows = (FIXTURES / "crossed.csv").read_text().splitlines()
    unaided = [rows[0], *(row for row in rows if ",unaided," in row)]
    study = locked(people, "\n".join(unaided).encode(), Source(), outline)
    found = analysed(study, people)
    assert primary_result(found) == {"refused": "The study has no model predictions."}
    page = client_of(people.alice).get(f"/studies/{study.token}/results/").content.decode()
    assert "The model against each reader, AUC" in page


def test_the_page_says_where_the_data_come_from_and_what_was_changed(people: People) -> None:
    study = create_study(title="Imported", question="Does it help?", by=people.alice)
    freeze(study=study, by=people.alice)
    content = (FIXTURES / "crossed.csv").read_bytes()
    import_readings(
        study=study,
        content=content,
        name="crossed.csv",
        source=Source(),
        by=people.alice,
        new_cases=True,
        simulated=True,
    )
    amend(study=study, changes=Changes(title="Imported answers"), reason="Plainer title.", by=people.alice)
    open_reading(study=study, by=people.alice)
    reading = Reading.objects.filter(slot__reader__code="R1", slot__case__label="C002").earliest("pk")
    correct(reading=reading, values={"confidence": 8}, reason="Slip of the key.", by=people.alice)
    lock(study=study, password=PASSWORD, reasons={}, by=people.alice)
    analysed(study, people)
    client = client_of(people.alice)
    told = json.loads(client.get(f"/studies/{study.token}/results/results.json").content)["deviations"]
    assert [sentence.split(" on ")[0] for sentence in told] == [
        "Protocol amended",
        "Corrected answers: 1, each with a reason; the audit chain holds the earlier ones.",
        "800 readings of crossed.csv were given elsewhere by simulated readers and imported.",
    ]
    page = client.get(f"/studies/{study.token}/results/").content.decode()
    assert all(escape(sentence) in page for sentence in told)


def test_a_reader_called_like_a_formula_is_none_in_the_table(people: People) -> None:
    content = (FIXTURES / "crossed.csv").read_text().replace("R1,", "=R1,").encode()
    study = locked(people, content, Source())
    analysed(study, people)
    table = client_of(people.alice).get(f"/studies/{study.token}/results/estimates.csv").content.decode()
    cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
    assert "'=R1" in cells
    assert not [cell for cell in cells if cell.startswith("=")]


def test_one_class_only_is_a_sentence(people: People) -> None:
    rows = ["reader,seniority,arm,case,truth,rating,decision"]
    rows += [f"X{r},senior,{arm},C{c},1,80,1" for r in (1, 2) for arm in ("unaided", "aided") for c in range(5)]
    study = locked(people, "\n".join(rows).encode(), Source())
    run = start_run(study=study, by=people.alice)
    analysing.analyse(run.token)
    page = client_of(people.alice).get(f"/studies/{study.token}/results/")
    assert page.status_code == 200
    run.refresh_from_db()
    assert run.phase == AnalysisRun.Phase.DONE
    found = queries.results_of(run)
    assert "refused" in found["study"]["auc"]
    assert escape(found["study"]["auc"]["refused"]) in page.content.decode()
    assert found["study"]["sensitivity"]["arms"][0]["estimate"] == 1.0


HOW_SUSPICIOUS = QuestionOutline(kind="confidence", key="confidence", text="How suspicious?", minimum=0, maximum=100)


def test_a_split_plot_study_with_missing_cells(people: People) -> None:
    content = shared("data/prostate_mri_seniority/prostate_mri_long.csv").read_bytes()
    rows = list(csv.DictReader(content.decode().splitlines()))
    names = sorted({row["modality"] for row in rows})
    arms, endpoints = tuple(ArmOutline(label=name) for name in names), with_margin(None).endpoints
    outline = Outline(arms, (0,), (HOW_SUSPICIOUS,), endpoints)
    columns = {"arm": "modality", "rating": "score", "seniority": "experience"}
    study = locked(people, content, Source(columns), outline)
    found = analysed(study, people)
    codes = {arm.label: arm.code for arm in study.arms.all()}
    for reader in found["readers"]:
        for cell in reader["arms"]:
            mine = [r for r in rows if r["reader"] == reader["reader"] and codes[r["modality"]] == cell["arm"]]
            assert cell["cases"] == len(mine)
            truth, score = [int(r["truth"]) for r in mine], [float(r["score"]) for r in mine]
            auc = cell["discrimination"]["auc"]
            if not mine:
                assert "refused" in auc
                continue
            assert auc["estimate"] == pytest.approx(roc_auc_score(truth, score), abs=1e-12)
    assert found["design"]["missing"] > 0
    assert not all(item["permitted"] for item in found["design"]["permissions"])
    page = client_of(people.alice).get(f"/studies/{study.token}/results/").content.decode()
    for item in found["design"]["permissions"]:
        assert item["sentence"].split("'")[0] in page
