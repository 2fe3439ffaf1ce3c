"""What moves an import, what stops it, and who may: leases, drops, refusals, the record."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import storages
from django.db import DatabaseError, connection
from django.utils import timezone

from readerstudy.audit.errors import Denied, Refused
from readerstudy.audit.models import Event
from readerstudy.cases import actions, delivery, frames, importing
from readerstudy.cases.leasing import Interrupted, leased
from readerstudy.cases.models import Case, CaseImport, Image
from readerstudy.reference.actions import import_at_once
from readerstudy.reference.importing import take_truths
from readerstudy.studies.models import Study
from tests.readerstudy.cases.material import folder_of, packed, with_cases
from tests.world import People

Phase = CaseImport.Phase


def test_a_frame_file_that_was_cut_off_is_written_anew(tmp_path: Path) -> None:
    storage = storages["default"]
    content = frames.encode(np.arange(100, dtype=np.uint16).reshape(10, 10))
    digest = frames.digest_of(content)
    key = delivery.keep_at(delivery.key_of(delivery.FRAME, digest), content[:20])
    (tmp_path / digest).write_bytes(content)

    assert delivery.keep(delivery.FRAME, digest, tmp_path) == key
    with storage.open(key) as file:
        assert file.read() == content
    # It was moved to its place; for another slice with the same pixels it need not be there again.
    assert not (tmp_path / digest).exists()
    assert delivery.keep(delivery.FRAME, digest, tmp_path) == key


def test_a_frame_that_is_nowhere_stops_the_import(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        delivery.keep(delivery.FRAME, "0" * 64, tmp_path)


def test_a_file_that_vanished_after_the_check_stops_and_the_import_resumes(
    study: Study, people: People, tmp_path: Path
) -> None:
    folder, manifest = folder_of(tmp_path, 3)
    found = import_at_once(study=study, manifest=manifest, folder=folder, by=people.alice, dry_run=True)
    content = (folder / "c2.png").read_bytes()
    (folder / "c2.png").unlink()
    actions.confirm_import(of=found, by=people.alice, queue=False)

    assert not importing.run(found.token)
    found.refresh_from_db()
    assert (found.phase, found.cases_done) == (Phase.STOPPED, 1)
    assert found.message.startswith("Row 3, case C2: The file cannot be opened")

    (folder / "c2.png").write_bytes(content)
    actions.resume_import(of=found, by=people.alice, queue=False)
    assert importing.run(found.token)
    assert Case.objects.filter(study=study).count() == 3


def test_a_lease_that_went_to_another_worker_ends_the_work(study: Study, people: People, tmp_path: Path) -> None:
    folder, manifest = folder_of(tmp_path, 2)
    found = import_at_once(study=study, manifest=manifest, folder=folder, by=people.alice, dry_run=True)
    actions.confirm_import(of=found, by=people.alice, queue=False)
    with leased(found.token, Phase.RUNNING) as held:
        assert held is not None
        CaseImport.objects.filter(pk=found.pk).update(lease_until=timezone.now() + timedelta(hours=1))
        with pytest.raises(Interrupted):
            held.beat()

    assert not importing.work(found.token)


def test_a_dropped_import_leaves_no_files(study: Study, people: People, tmp_path: Path, work_folder: Path) -> None:
    folder, manifest = folder_of(tmp_path / "pictures", 2)
    started = actions.start_import(
        study=study, manifest=manifest, archive=packed(folder), source="a.zip", by=people.alice, queue=False
    )
    importing.check(started.token)
    key = started.archive_key

    actions.drop_import(of=started, by=people.alice)
    importing.staging.forget(started)

    started.refresh_from_db()
    assert (started.phase, started.manifest, started.archive_key) == (Phase.STOPPED, [], "")
    assert not storages["default"].exists(key)
    with pytest.raises(Refused, match="start a new one"):
        actions.resume_import(of=started, by=people.alice)


@pytest.mark.parametrize(
    ("phase", "words"), [(Study.Phase.OPEN, "Reading has been opened"), (Study.Phase.LOCKED, "Reading has been opened")]
)
def test_an_open_or_locked_study_takes_no_cases(
    phase: str, words: str, study: Study, people: People, tmp_path: Path
) -> None:
    study.phase = phase
    folder, manifest = folder_of(tmp_path, 1)
    moved = Study(title="Open", phase=phase, created_by=people.alice, question="", instructions="")
    moved.save()
    moved.enrolments.create(user=people.alice, role="coordinator")

    with pytest.raises(Refused, match=words):
        import_at_once(study=moved, manifest=manifest, folder=folder, by=people.alice)


def test_two_imports_do_not_run_at_once(study: Study, people: People, tmp_path: Path) -> None:
    folder, manifest = folder_of(tmp_path, 1)
    actions.start_import(study=study, manifest=manifest, folder=folder, source="a", by=people.alice, queue=False)

    with pytest.raises(Refused, match="under way"):
        actions.start_import(study=study, manifest=manifest, folder=folder, source="b", by=people.alice, queue=False)


def test_only_a_clean_dry_run_can_be_confirmed(study: Study, people: People, tmp_path: Path) -> None:
    text = b"case,patient,file\nA,1,gone.png\n"
    found = import_at_once(study=study, manifest=text, folder=tmp_path, by=people.alice, dry_run=True)

    with pytest.raises(Refused, match="without faults"):
        actions.confirm_import(of=found, by=people.alice)


def test_readers_truthers_statisticians_and_strangers_cannot_import(
    study: Study, people: People, tmp_path: Path
) -> None:
    folder, manifest = folder_of(tmp_path, 1)

    for person in (people.bob, people.tess, people.stan, people.charlie):
        with pytest.raises(Denied):
            actions.start_import(study=study, manifest=manifest, folder=folder, source="a", by=person)
    assert not CaseImport.objects.exists()


def test_every_step_is_on_record(study: Study, people: People, tmp_path: Path) -> None:
    with_cases(study, people.alice, tmp_path, 2)

    verbs = [v for v in Event.objects.order_by("pk").values_list("verb", flat=True) if v.startswith("case")]
    assert verbs == [
        "cases.import_started",
        "cases.import_checked",
        "cases.import_confirmed",
        "case.imported",
        "case.imported",
        "cases.import_finished",
    ]


NO_MORE_EVENTS = """
CREATE FUNCTION no_more_events() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no more'; END $$;
CREATE TRIGGER no_more_events BEFORE INSERT ON audit_event FOR EACH ROW
    WHEN (NEW.verb = 'case.imported') EXECUTE FUNCTION no_more_events();
"""


def test_without_its_audit_event_no_case_comes_in(study: Study, people: People, tmp_path: Path) -> None:
    folder, manifest = folder_of(tmp_path, 1)
    found = import_at_once(study=study, manifest=manifest, folder=folder, by=people.alice, dry_run=True)
    actions.confirm_import(of=found, by=people.alice, queue=False)
    with connection.cursor() as cursor:
        cursor.execute(NO_MORE_EVENTS)

    with pytest.raises(DatabaseError, match="no more"):
        importing.run(found.token)

    assert not Case.objects.exists()
    assert not Image.objects.exists()


def test_truth_goes_to_the_reference_and_leaves_the_import(study: Study, people: People, tmp_path: Path) -> None:
    done = with_cases(study, people.alice, tmp_path, 3)

    assert done.manifest == []
    assert take_truths() == 0
