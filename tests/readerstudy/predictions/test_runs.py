"""A run over a study: one row per case, shared where input and model are the same; complete before it is frozen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction

from readerstudy.audit.errors import Denied, Refused
from readerstudy.audit.models import Event
from readerstudy.cases.models import Case
from readerstudy.predictions import working
from readerstudy.predictions.actions import freeze_run, retry_failed, start_run
from readerstudy.predictions.findings import findings_in
from readerstudy.predictions.models import Algorithm, Prediction, PredictionRun, RunCase
from readerstudy.predictions.queries import prediction_for_reader, progress_of, storage
from readerstudy.studies.models import Study
from tests.planes import spot
from tests.readerstudy.cases.material import with_cases
from tests.readerstudy.predictions.workshop import outcome_for, rows_of
from tests.world import People, client_of, close_audit, make_study


def finish(run: PredictionRun) -> None:
    for number, row in enumerate(rows_of(run)):
        assert working.record(row.token, "", outcome_for(row, probability=0.2 * number))


def test_every_case_gets_a_row(run: PredictionRun, study: Study, people: People) -> None:
    assert [row.case.label for row in run.run_cases.order_by("case__label")] == ["C1", "C2", "C3", "C4"]
    assert {row.phase for row in rows_of(run)} == {"queued"}
    assert len({row.input_digest for row in rows_of(run)}) == 4
    event = Event.objects.get(verb="predictions.started")
    assert (event.actor, event.facts["cases"], event.chain_id) == ("alice", 4, study.token)


def test_a_second_study_with_the_same_pictures_shares_the_rows(
    run: PredictionRun, algorithm: Algorithm, people: People, tmp_path: Path
) -> None:
    finish(run)
    other = make_study(people, title="Another study")
    with_cases(other, people.alice, tmp_path / "more", 5)
    second = start_run(study=other, algorithm=algorithm, assists=False, by=people.alice)
    assert [row.phase for row in rows_of(second)] == ["done"] * 4 + ["queued"]
    assert Prediction.objects.count() == 5
    assert {row.pk for row in rows_of(run)} < {row.pk for row in rows_of(second)}


def test_the_database_holds_one_row_per_model_and_input(run: PredictionRun) -> None:
    row = rows_of(run)[0]
    twin = Prediction(algorithm=row.algorithm, input_digest=row.input_digest, parameters_digest=row.parameters_digest)
    with pytest.raises(DatabaseError, match="prediction_once_per_input"), transaction.atomic():
        Prediction.objects.bulk_create([twin])


def test_refusals_of_a_start(study: Study, algorithm: Algorithm, people: People) -> None:
    empty = make_study(people, title="Empty")
    with pytest.raises(Refused, match="no cases with images yet"):
        start_run(study=empty, algorithm=algorithm, assists=True, by=people.alice)
    for person in (people.bob, people.stan, people.dev, people.charlie):
        with pytest.raises(Denied, match="Only the coordinator"):
            start_run(study=study, algorithm=algorithm, assists=True, by=person)
    run = start_run(study=study, algorithm=algorithm, assists=True, by=people.alice)
    with pytest.raises(Refused, match="has been run over this study already"):
        start_run(study=study, algorithm=algorithm, assists=False, by=people.alice)
    assert PredictionRun.objects.get() == run


def test_one_run_assists(study: Study, run: PredictionRun, people: People) -> None:
    other = Algorithm.objects.create(
        name="Other", version="1", digest="d" * 64, card={}, folder_key="algorithms/none", registered_by=people.dev
    )
    with pytest.raises(Refused, match="Another run assists the readers already"):
        start_run(study=study, algorithm=other, assists=True, by=people.alice)
    assert start_run(study=study, algorithm=other, assists=False, by=people.alice).pk
    with pytest.raises(DatabaseError, match="run_one_assists"), transaction.atomic():
        PredictionRun.objects.update(assists=True)


def test_no_run_without_its_event(study: Study, algorithm: Algorithm, people: People) -> None:
    close_audit()
    with pytest.raises(DatabaseError, match="audit_is_closed"), transaction.atomic():
        start_run(study=study, algorithm=algorithm, assists=True, by=people.alice)
    assert not PredictionRun.objects.exists()
    assert not Prediction.objects.exists()


def test_only_a_complete_run_is_frozen_and_only_a_frozen_one_is_shown(
    run: PredictionRun, study: Study, people: People
) -> None:
    case = study.cases.order_by("label")[1]
    with pytest.raises(Refused, match="0 of 4 predictions of"):
        freeze_run(run=run, by=people.alice)
    finish(run)
    assert prediction_for_reader(study, case) is None
    with pytest.raises(Denied):
        freeze_run(run=run, by=people.stan)
    freeze_run(run=run, by=people.alice)
    shown = prediction_for_reader(study, case)
    assert shown is not None
    assert shown.probability == 0.2
    facts = Event.objects.get(verb="predictions.frozen").facts
    assert facts["predictions"] == 4
    # A second freezing is no second event.
    freeze_run(run=run, by=people.alice)
    assert Event.objects.filter(verb="predictions.frozen").count() == 1


def test_failed_cases_hinder_the_freezing_and_can_be_tried_again(run: PredictionRun, people: People) -> None:
    first, *others = rows_of(run)
    working.record(first.token, "", {"error": "The image has one grey value only."})
    for row in others:
        working.record(row.token, "", outcome_for(row))
    progress = progress_of(run)
    assert (progress.done, progress.failed, progress.finished, progress.complete) == (3, 1, True, False)
    with pytest.raises(Refused, match="3 of 4 predictions"):
        freeze_run(run=run, by=people.alice)
    with pytest.raises(Denied):
        retry_failed(run=run, by=people.bob)
    assert retry_failed(run=run, by=people.alice) == 1
    first.refresh_from_db()
    assert (first.phase, first.attempts, first.error, first.finished_at) == ("queued", 0, "", None)
    working.record(first.token, "", outcome_for(first))
    freeze_run(run=run, by=people.alice)
    with pytest.raises(Refused, match="are frozen"):
        retry_failed(run=run, by=people.alice)


def test_what_is_done_or_frozen_the_database_keeps(
    run: PredictionRun, study: Study, people: People, tmp_path: Path
) -> None:
    finish(run)
    row = rows_of(run)[0]
    freeze_run(run=run, by=people.alice)
    other = make_study(people, title="Another study")
    with_cases(other, people.alice, tmp_path / "more", 1)
    extra = RunCase(run=run, case=other.cases.get(), prediction=row)
    attempts: list[tuple[str, Callable[[], object]]] = [
        ("A finished prediction is never changed", lambda: Prediction.objects.update(probability=0.5)),
        ("A finished prediction is never changed", lambda: Prediction.objects.filter(pk=row.pk).update(phase="queued")),
        ("A finished prediction is never changed", lambda: Prediction.objects.filter(pk=row.pk)._raw_delete("default")),
        ("The predictions of this run are frozen", lambda: PredictionRun.objects.update(frozen_at=None)),
        ("The predictions of this run are frozen", lambda: PredictionRun.objects.update(assists=False)),
        ("The predictions of this run are frozen", lambda: RunCase.objects.bulk_create([extra])),
        ("never changed or removed", lambda: RunCase.objects.filter(run=run)._raw_delete("default")),
        ("never changed or removed", lambda: RunCase.objects.update(prediction=rows_of(run)[1])),
    ]
    for sentence, attempt in attempts:
        with pytest.raises(DatabaseError, match=sentence), transaction.atomic():
            attempt()


def test_pages_of_runs(study: Study, algorithm: Algorithm, people: People) -> None:
    address = f"/studies/{study.token}/predictions/"
    alice = client_of(people.alice)
    assert "No algorithm has been run" in alice.get(address).text
    for user, status in ((people.bob, 403), (people.stan, 403), (people.charlie, 404), (people.dev, 404)):
        client = client_of(user)
        assert client.get(address).status_code == status
        assert client.post(address, {"algorithm": algorithm.token}).status_code == status
    for wrong in ({"algorithm": ""}, {"algorithm": "nothing"}, {"algorithm": "\x00"}):
        assert alice.post(address, wrong).status_code == 400
    answer = alice.post(address, {"algorithm": algorithm.token, "assists": "on"})
    run = PredictionRun.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{address}{run.token}/")
    assert alice.post(address, {"algorithm": algorithm.token}).status_code == 400
    assert "0 / 4" in alice.get(address).text


def test_the_page_of_a_run_moves_on_while_it_works(run: PredictionRun, study: Study, people: People) -> None:
    address = f"/studies/{study.token}/predictions/{run.token}/"
    alice = client_of(people.alice)
    part = alice.get(address, headers={"HX-Request": "true"}).text
    assert "0 of 4 done" in part
    assert 'hx-trigger="every 2s"' in part
    assert "<h1" not in part
    finish(run)
    part = alice.get(address, headers={"HX-Request": "true"}).text
    assert "4 of 4 done" in part
    assert "hx-trigger" not in part
    page = alice.get(address).text
    assert "60.0 %" in page
    assert page.count("output for C") == 4
    assert client_of(people.stan).get(address).status_code == 200
    assert client_of(people.bob).get(address).status_code == 403
    assert client_of(people.charlie).get(address).status_code == 404
    assert alice.get(f"/studies/{study.token}/predictions/nothing/").status_code == 404


def test_output_is_for_the_coordinator_alone(run: PredictionRun, study: Study, people: People) -> None:
    first, second = rows_of(run)[:2]
    working.record(first.token, "", outcome_for(first))
    working.record(second.token, "", outcome_for(second, heatmaps=None))
    base = f"/studies/{study.token}/predictions/{run.token}/output/"
    alice = client_of(people.alice)
    answer = alice.get(f"{base}{first.token}/heatmap-1.png")
    assert (answer.content, answer.headers["Content-Type"]) == (spot(), "image/png")
    for missing in (f"{first.token}/heatmap-2", f"{first.token}/mask-1", f"{second.token}/heatmap-1", "none/heatmap-1"):
        assert alice.get(f"{base}{missing}.png").status_code == 404
    assert f"{base}{first.token}/heatmap-1.png" in alice.get(f"{base}{first.token}/").text
    document = alice.get(f"{base}{first.token}/output.json").json()
    case = Case.objects.get(run_cases__prediction=first)
    (frame,) = alice.get(f"/studies/{study.token}/cases/{case.token}/case.json").json()["series"][0]["frames"]
    assert document["heatmaps"] == [{"frame": frame["url"], "url": f"{base}{first.token}/heatmap-1.png"}]
    assert (document["probability"], document["positive"], document["masks"], document["boxes"]) == (
        0.75,
        True,
        None,
        None,
    )
    assert "Heat maps" not in alice.get(f"{base}{second.token}/").text
    for user, status in ((people.bob, 403), (people.rita, 403), (people.stan, 403), (people.tess, 403)):
        assert client_of(user).get(f"{base}{first.token}/heatmap-1.png").status_code == status
        assert client_of(user).get(f"{base}{first.token}/").status_code == status
        assert client_of(user).get(f"{base}{first.token}/output.json").status_code == status
    assert client_of(people.charlie).get(f"{base}{first.token}/heatmap-1.png").status_code == 404


def test_the_button_tries_the_failed_ones_again(run: PredictionRun, study: Study, people: People) -> None:
    working.record(rows_of(run)[0].token, "", {"error": "No such frame."})
    address = f"/studies/{study.token}/predictions/{run.token}/"
    alice = client_of(people.alice)
    assert "No such frame." in alice.get(address).text
    assert client_of(people.stan).post(f"{address}retry/").status_code == 403
    assert alice.get(f"{address}retry/").status_code == 405
    assert alice.post(f"{address}retry/").headers["Location"] == address
    assert progress_of(run).waiting == 4


def test_a_heat_map_that_a_dead_worker_left_cut_off_is_written_anew(run: PredictionRun) -> None:
    first, second = rows_of(run)[:2]
    working.record(first.token, "", outcome_for(first))
    first.refresh_from_db()
    key = findings_in(first.findings).planes("heatmap")[0].key
    Path(storage().path(key)).write_bytes(b"\x89P")
    working.record(second.token, "", outcome_for(second))
    second.refresh_from_db()
    assert second.findings == first.findings
    assert storage().open(key).read() == spot()
