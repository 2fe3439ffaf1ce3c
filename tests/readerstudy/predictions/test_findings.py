"""What a worker sends is checked against the case before it is kept; what is kept is in every digest."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.db import DatabaseError, transaction

from inference.declared import document_of
from inference.prediction import Box, Place, Plane, Request, Vertebra
from readerstudy.audit.chain import digest_of
from readerstudy.audit.models import Event
from readerstudy.cases.models import Case
from readerstudy.predictions import working
from readerstudy.predictions.actions import freeze_run
from readerstudy.predictions.findings import NOTHING, Findings, findings_in
from readerstudy.predictions.models import Algorithm, Prediction, PredictionRun
from readerstudy.predictions.queries import (
    cases_with_pixels,
    frames_of,
    input_digest_of,
    place_of,
    request_for,
    storage,
)
from readerstudy.studies.models import Study
from tests.planes import png_of, spot
from tests.readerstudy.predictions.workshop import empty_queue, outcome_for, requests_sent, rows_of
from tests.world import People, client_of

CORNERS = ((2.0, 3.0), (2.0, 9.0), (8.0, 9.5), (8.5, 3.0))
L1 = Vertebra("L1", 0.875, True, 0, 0, CORNERS, (20.5, 18.0, 24.0))
BOX = Box(0, 0, 2.0, 3.0, 6.0, 6.0, "L1", 0.5)
COLOURS = np.zeros((4, 4, 3), np.uint8)


def recorded(row: Prediction, **changes: Any) -> Prediction:
    assert working.record(row.token, "", outcome_for(row, **document_of(changes)))
    row.refresh_from_db()
    return row


def test_all_that_was_found_is_kept_and_read_back(run: PredictionRun) -> None:
    row = recorded(
        rows_of(run)[0],
        heatmaps=(Plane.of(spot(90)),),
        masks=(Plane.of(spot()),),
        vertebrae=(L1,),
        boxes=(),
        abstain=(0.1, 0.9),
        runtime="onnxruntime",
        versions={"onnxruntime": "1.22"},
    )
    assert (row.phase, row.uncertain, row.runtime, row.versions) == ("done", True, "onnxruntime", row.versions)
    found = findings_in(row.findings)
    assert (found.vertebrae, found.boxes, found.abstain) == ((L1,), (), (0.1, 0.9))
    assert storage().open(found.planes("mask")[0].key).read() == spot()
    assert found.planes("heatmap")[0].key != found.planes("mask")[0].key
    assert findings_in({}) == NOTHING
    facts = Event.objects.get(verb="prediction.finished").facts
    assert facts["uncertain"] is True
    assert len(facts["findings"]) == 64


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"masks": (Plane.of(spot(), slice=1),)}, "no image 2 in a series 1"),
        ({"heatmaps": (Plane.of(spot(), series=1),)}, "no image 1 in a series 2"),
        ({"masks": (Plane.of(b"\x89PNG\r\n\x1a\n but no picture"),)}, "cannot be read"),
        ({"masks": (Plane.of(png_of(COLOURS)),)}, "is grey, not RGB"),
        ({"masks": (Plane.of(png_of(np.zeros((1, 4097), np.uint8))),)}, "more than 4096 pixels"),
        ({"vertebrae": (replace(L1, slice=3),)}, "no image 4"),
        ({"vertebrae": (replace(L1, corners=(*CORNERS[:3], (9999.0, 3.0))),)}, "A corner of L1 lies outside"),
        ({"vertebrae": (replace(L1, corners=((-3.0, 3.0), *CORNERS[1:])),)}, "A corner of L1 lies outside"),
        ({"boxes": (replace(BOX, width=9999.0),)}, "A corner of L1 lies outside"),
        ({"boxes": (replace(BOX, series=7),)}, "no image 1 in a series 8"),
    ],
)
def test_what_does_not_fit_the_case_fails_with_a_sentence(
    run: PredictionRun, changes: dict[str, Any], sentence: str
) -> None:
    row = recorded(rows_of(run)[0], **changes)
    assert row.phase == "failed"
    assert sentence in row.error
    assert row.findings == {}


def test_nothing_of_a_file_but_its_picture_is_kept(run: PredictionRun) -> None:
    grey = np.full((6, 5), 40, np.uint8)
    hidden = png_of(grey).replace(b"IEND", b"IEND") + b"a name behind the end"
    row = recorded(rows_of(run)[0], masks=(Plane.of(hidden),))
    kept = storage().open(findings_in(row.findings).planes("mask")[0].key).read()
    assert kept == png_of(grey)


def test_findings_are_never_changed(run: PredictionRun) -> None:
    row = recorded(rows_of(run)[0], vertebrae=(L1,))
    with pytest.raises(DatabaseError, match="A finished prediction is never changed"), transaction.atomic():
        Prediction.objects.filter(pk=row.pk).update(findings=Findings(0.5).to_document())


def test_what_was_found_is_part_of_the_frozen_digest(run: PredictionRun, people: People) -> None:
    for number, row in enumerate(rows_of(run)):
        recorded(row, vertebrae=(replace(L1, corners=((2.0 + number / 8, 3.0), *CORNERS[1:])),))
    freeze_run(run=run, by=people.alice)
    rows = run.run_cases.select_related("case", "prediction").order_by("case__token")
    content = [[row.case.token, 0.75, True, False, digest_of(row.prediction.findings)] for row in rows]
    assert len({found for *_, found in content}) == 4
    assert Event.objects.get(verb="predictions.frozen").facts["digest"] == digest_of(content)


@pytest.mark.parametrize(
    ("covariates", "place"),
    [
        ({"slice": "4", "row": "61.5", "column": "40", "height": "24", "width": "30"}, Place(4, 61.5, 40, 24, 30)),
        ({"row": "61.5", "column": "40"}, Place(0, 61.5, 40)),
        ({"row": "61.5", "column": ""}, None),
        ({"row": "third", "column": "2"}, None),
        ({"row": "nan", "column": "2"}, None),
        ({}, None),
    ],
)
def test_the_place_of_the_finding_stands_in_the_manifest(covariates: dict[str, str], place: Place | None) -> None:
    assert place_of(Case(covariates=covariates)) == place


def test_another_place_or_name_of_a_series_is_another_input(run: PredictionRun, study: Study, people: People) -> None:
    before = {row.input_digest for row in rows_of(run)}
    case = study.cases.order_by("label")[0]
    Case.objects.filter(pk=case.pk).update(covariates={"row": "3", "column": "4"})
    other = study.cases.order_by("label")[1]
    other.series.update(label="T2W")
    after = {input_digest_of(one) for one in cases_with_pixels([case.pk, other.pk])}
    assert len(after) == 2
    assert not after & before


def test_a_batch_is_asked_for_in_a_constant_number_of_queries(
    run: PredictionRun, algorithm: Algorithm, django_assert_num_queries: Callable[..., Any]
) -> None:
    rows = rows_of(run)
    for count in (1, 4):
        with django_assert_num_queries(4):
            request = request_for(algorithm, rows[:count])
        assert len(request.items) == count
    message = json.dumps(request.to_message())
    assert Request.from_message(json.loads(message)) == request
    # Addresses and geometry, no pixels.
    assert len(message) < 1000 * len(rows)


def test_no_request_holds_more_frames_than_its_limit(run: PredictionRun, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(run)
    assert frames_of(rows) == {row.pk: 1 for row in rows}
    sizes = {rows[0].pk: 900, rows[1].pk: 900, rows[2].pk: 900, rows[3].pk: 5000}
    assert [len(batch) for batch in working.in_batches(rows, sizes)] == [2, 1, 1]
    monkeypatch.setattr(working, "MOST_FRAMES", 3)
    empty_queue()
    assert working.dispatch() == 4
    requests = requests_sent()
    assert [len(request["items"]) for request in requests] == [3, 1]
    assert len({item["lease"] for request in requests for item in request["items"]}) == 2
    assert {request["lease_seconds"] for request in requests} == {60.0}


def test_the_pages_show_what_was_found(run: PredictionRun, study: Study, people: People) -> None:
    first, second = rows_of(run)[:2]
    recorded(first, masks=(), vertebrae=(L1,), boxes=(BOX,), abstain=(0.1, 0.9))
    recorded(second, vertebrae=(), boxes=())
    base = f"/studies/{study.token}/predictions/{run.token}/"
    alice = client_of(people.alice)
    assert "uncertain" in alice.get(base).text
    page = alice.get(f"{base}output/{first.token}/").text
    for words in ("Uncertain: between 10.0 % and 90.0 %", "87.5 %", "L1", "18.0", "The model marks nothing"):
        assert words in page
    assert "The model names no vertebra" in alice.get(f"{base}output/{second.token}/").text
    assert alice.get(f"{base}output/{rows_of(run)[2].token}/").status_code == 404
