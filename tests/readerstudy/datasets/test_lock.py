"""Lock and data set: complete or explained, signed, frozen, the same bytes for the same data."""

import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from axes.models import AccessAttempt
from django.db import DatabaseError, transaction

from readerstudy.audit.chain import faults
from readerstudy.audit.errors import Denied, Refused
from readerstudy.datasets import queries
from readerstudy.datasets.actions import lock
from readerstudy.datasets.forms import LockForm
from readerstudy.datasets.models import Dataset
from readerstudy.datasets.tidy import Cell, Column, Table, csv_bytes
from readerstudy.reading.actions import import_readings, open_reading
from readerstudy.reading.external import Source
from readerstudy.reading.models import Answer
from readerstudy.studies.actions import create_study, freeze
from readerstudy.studies.models import Study
from tests.readerstudy.reading.room import ALL_SHOWN, Hidden, Room, body, open_room, post, read_slot
from tests.world import PASSWORD, People, client_of

pytestmark = pytest.mark.django_db
CROSSED = Path(__file__).resolve().parents[3] / "fixtures" / "crossed" / "crossed.csv"


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def study(people: People) -> Study:
    made = create_study(title="Crossed", question="Does it help?", by=people.alice)
    freeze(study=made, by=people.alice)
    content = CROSSED.read_bytes()
    import_readings(study=made, content=content, name="crossed.csv", source=Source(), by=people.alice, new_cases=True)
    open_reading(study=made, by=people.alice)
    return made


def half_read(people: People, labels: tuple[str, ...] = ("a", "b", "c", "d")) -> Room:
    """Bob reads all of his first period, Rita nothing."""
    room = open_room(people, Hidden(labels=labels))
    client = client_of(people.bob)
    for slot in room.slots("bob")[:4]:
        read_slot(
            client, slot, decision=slot.case.label in labels[:2], confidence=80 if slot.case.label in labels[:2] else 20
        )
    return room


def files(dataset: Dataset) -> dict[str, bytes]:
    return {file.name: queries.content_of(file) for file in queries.files_of(dataset)}


def test_the_locked_files_hold_every_answer(study: Study, people: People) -> None:
    dataset = lock(study=study, password=PASSWORD, reasons={}, by=people.alice)
    assert study.phase == Study.Phase.LOCKED
    held = files(dataset)
    original = list(csv.DictReader(CROSSED.read_text().splitlines()))
    readings = list(csv.DictReader(io.StringIO(held["readings.csv"].decode())))
    key = ("reader", "seniority", "arm", "case", "truth", "rating", "decision")
    assert sorted(tuple(row[k] for k in key) for row in readings) == sorted(tuple(r[k] for k in key) for r in original)
    answers = list(csv.DictReader(io.StringIO(held["answers.csv"].decode())))
    assert len(answers) == dataset.rows == 2 * len(original)
    assert dataset.digest == hashlib.sha256(held["answers.csv"]).hexdigest()
    table = parquet.read_table(io.BytesIO(held["readings.parquet"]))
    assert table.column("rating").to_pylist() == [float(row["rating"]) for row in readings]
    assert table.column("decision").to_pylist() == [row["decision"] == "1" for row in readings]


def test_the_bundle_proves_itself(study: Study, people: People, tmp_path: Path) -> None:
    dataset = lock(study=study, password=PASSWORD, reasons={}, by=people.alice)
    with zipfile.ZipFile(io.BytesIO(files(dataset)["bundle.zip"])) as bundle:
        bundle.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    lines = [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]
    rows = [(line["event"]["number"], line["previous"], line["digest"], line["event"]) for line in lines]
    assert list(faults(study.token, rows)) == []
    assert lines[-1]["digest"] == dataset.chain_head == json.loads((folder / "dataset.json").read_text())["chain_head"]
    root = Path(__file__).resolve().parents[3]
    words = [sys.executable, "analyse.py"]
    again = subprocess.run(words, cwd=folder, env={"PYTHONPATH": str(root)}, capture_output=True, check=True)
    difference = json.loads(again.stdout)["study"]["auc"]["differences"][0]
    assert difference["estimate"] == pytest.approx(0.07175, abs=1e-12)
    assert difference["p"] == pytest.approx(0.1199290055768, rel=1e-9)


def test_same_data_same_bytes(study: Study, people: People) -> None:
    source = queries.source_of(study)
    first = {table.name: csv_bytes(table) for table in queries.tables_of(source)}
    second = {table.name: csv_bytes(table) for table in queries.tables_of(source)}
    assert first == second


def test_every_column_is_in_the_codebook(study: Study, people: People) -> None:
    held = files(lock(study=study, password=PASSWORD, reasons={}, by=people.alice))
    book = {(entry["table"], entry["column"]): entry for entry in json.loads(held["codebook.json"])["columns"]}
    for name in ("answers", "readings", "cases", "predictions", "vertebrae", "exposures"):
        header = held[f"{name}.csv"].decode().splitlines()[0].split(",")
        assert all(book[name, column]["meaning"] for column in header)


def test_all_that_the_models_said_is_in_the_tables(people: People) -> None:
    hidden = Hidden(level="T12", corner=6.25)
    room = open_room(people, hidden, ALL_SHOWN)
    switched = [{"kind": kind, "event": "shown", "t": 5} for kind in ("heatmap", "mask", "levels")]
    exposed: dict[str, Any] = {"exposures": [*switched, {"kind": "mask", "event": "shown", "t": 6, "image": 1}]}
    bob = client_of(people.bob)
    aided = next(slot for slot in room.slots() if slot.arm.aided)
    for slot in room.slots():
        bob.get(f"/reading/{slot.token}/case.json")
        assert post(bob, slot, "submit", body(**exposed)).status_code == 200
        if slot == aided:
            break
    tables = {table.name: table.rows for table in queries.tables_of(queries.source_of(room.study))}
    assert [row["case"] for row in tables["vertebrae"]] == sorted(hidden.labels)
    first = tables["vertebrae"][0]
    assert (first["level"], first["probability"], first["positive"], first["image"]) == ("T12", 0.8125, True, 1)
    assert (first["anterior_superior_row"], first["anterior_superior_column"]) == (6.25, 4.0)
    assert (first["posterior_inferior_row"], first["posterior_inferior_column"]) == (11.25, 12.0)
    assert (first["ha"], first["hm"], first["hp"]) == (20.0, 18.0, 22.0)
    said = tables["predictions"][0]
    assert (said["uncertain"], said["masked_images"]) == (False, 1)
    assert said["findings_digest"] != tables["predictions"][1]["findings_digest"]
    shown = {row["arm"]: [row[f"{kind}_shown"] for kind in queries.OUTPUTS] for row in tables["readings"]}
    assert shown["aided"] == [False, False, True, False, True]
    seen = [(row["arm"], row["output"], row["image_number"]) for row in tables["exposures"]]
    assert seen == [("aided", "heatmap", 0), ("aided", "levels", 0), ("aided", "mask", 0), ("aided", "mask", 1)]
    # A browser's word is no proof that an unaided reader saw anything.
    assert shown.get("unaided", [False] * 5) == [False] * 5


def test_a_wrong_password_locks_nothing(study: Study, people: People) -> None:
    with pytest.raises(Refused, match="password is not right"):
        lock(study=study, password="guess", reasons={}, by=people.alice)
    study.refresh_from_db()
    assert study.phase == Study.Phase.OPEN
    assert not Dataset.objects.exists()


def test_others_do_not_lock(study: Study, people: People) -> None:
    with pytest.raises(Denied):
        lock(study=study, password=PASSWORD, reasons={}, by=people.charlie)


def test_the_database_takes_no_answer_after_the_lock(study: Study, people: People) -> None:
    lock(study=study, password=PASSWORD, reasons={}, by=people.alice)
    answer = Answer.objects.first()
    assert answer is not None
    late = Answer(reading=answer.reading, question=answer.question, number=2, value=99, reason="late")
    with pytest.raises(DatabaseError, match="The study is locked"), transaction.atomic():
        Answer.objects.bulk_create([late])
    with pytest.raises(Refused, match="before the lock"):
        content = CROSSED.read_bytes() + b"\n"
        import_readings(study=study, content=content, name="x", source=Source(), by=people.alice)


def test_the_page_locks_and_offers_the_files(study: Study, people: People) -> None:
    client = client_of(people.alice)
    address = f"/studies/{study.token}/data/"
    wrong = client.post(address, {"agrees": "on", "password": "guess"})
    assert wrong.status_code == 400
    assert "The password is not right" in wrong.content.decode()
    for _guess in range(7):
        guessed = client.post(address, {"agrees": "on", "password": "guess"})
    stopped = client.post(address, {"agrees": "on", "password": PASSWORD})
    assert (guessed.status_code, stopped.status_code) == (429, 429)
    assert not Dataset.objects.exists()
    AccessAttempt.objects.all().delete()
    done = client.post(address, {"agrees": "on", "password": PASSWORD}, follow=True)
    assert "Locked data set" in done.content.decode()
    bundle = client.get(f"{address}files/bundle.zip")
    assert hashlib.sha256(bundle.content).hexdigest() == bundle["X-Content-SHA256"]
    assert client.get(f"{address}files/none.csv").status_code == 404
    assert client_of(people.charlie).get(f"{address}files/bundle.zip").status_code == 404


def test_no_cell_becomes_a_formula() -> None:
    table = Table("t", "", (Column("a", "text", ""), Column("b", "number", "")), ({"a": "=1+1", "b": -2.5}, {"a": "x"}))
    assert csv_bytes(table) == b"a,b\n'=1+1,-2.5\nx,\n"


def test_missing_readings_need_a_reason_for_each_reader(people: People) -> None:
    room = half_read(people)
    with pytest.raises(Refused, match="has 4 readings missing; give the reason"):
        lock(study=room.study, password=PASSWORD, reasons={}, by=people.alice)
    codes = {name: room.reader(name).code for name in ("bob", "rita")}
    with pytest.raises(Refused, match=f"{codes['rita']} has 8 readings missing"):
        lock(study=room.study, password=PASSWORD, reasons={codes["bob"]: "Ill.", codes["rita"]: " "}, by=people.alice)
    assert not Dataset.objects.exists()
    reasons = {codes["bob"]: "Ill.", codes["rita"]: "Left."}
    dataset = lock(study=room.study, password=PASSWORD, reasons=reasons, by=people.alice)
    assert dataset.missing == {
        codes["bob"]: {"readings": 4, "reason": "Ill."},
        codes["rita"]: {"readings": 8, "reason": "Left."},
    }
    page = client_of(people.alice).get(f"/studies/{room.study.token}/data/").content.decode()
    assert "8 readings: Left." in page


def test_a_reason_stays_with_its_reader_when_another_finishes_meanwhile(people: People) -> None:
    room = half_read(people)
    first, second = queries.completeness_of(room.study)
    posted = {f"reason-{first.token}": "Ill.", f"reason-{second.token}": "Left.", "agrees": "on", "password": PASSWORD}
    form = LockForm(posted, incomplete=[second])
    assert form.is_valid()
    assert form.reasons() == {second.code: "Left."}


def test_labels_that_look_like_numbers_or_formulas_survive_the_bundle(people: People, tmp_path: Path) -> None:
    """A spreadsheet or a careless script reads 001 as 1 and =3 as a formula; the model's rows must still be found."""
    room = half_read(people, ("001", "002", "=3", "-4"))
    reasons = {reader.code: "Not read." for reader in queries.completeness_of(room.study)}
    held = files(lock(study=room.study, password=PASSWORD, reasons=reasons, by=people.alice))
    for name in (name for name in held if name.endswith(".csv")):
        cells = [cell for row in csv.reader(io.StringIO(held[name].decode())) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "-4", "@"))], name
    with zipfile.ZipFile(io.BytesIO(held["bundle.zip"])) as bundle:
        bundle.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    root = Path(__file__).resolve().parents[3]
    words = [sys.executable, "analyse.py"]
    again = subprocess.run(words, cwd=folder, env={"PYTHONPATH": str(root)}, capture_output=True, check=True)
    model = json.loads(again.stdout)["model"]
    assert model["cases"] == 4
    assert model["discrimination"]["auc"]["estimate"] == pytest.approx(1.0)  # scores .81 .19 .69 .31, truth 1 0 1 0


def test_the_order_of_rows_is_that_of_code_points_not_of_the_database() -> None:
    rows: list[dict[str, Cell]] = [{"reader": name} for name in ("b", "a", "B", "Ä", "R10", "R2")]
    assert [row["reader"] for row in queries.in_order(rows, "reader")] == ["B", "R10", "R2", "a", "b", "Ä"]
