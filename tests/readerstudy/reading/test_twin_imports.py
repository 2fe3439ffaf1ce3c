"""Two worlds whose films came in other files, under other names and in another order: a reader sees the same bytes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pydicom
import pytest

from readerstudy.allocation.actions import draw
from readerstudy.cases.models import Case, CaseImport, Image
from readerstudy.reading.actions import open_reading
from readerstudy.reference.actions import import_at_once
from readerstudy.studies.actions import freeze
from readerstudy.studies.outline import CROSSOVER, Outline
from tests.readerstudy.cases.test_dicomweb import slice_of
from tests.readerstudy.reading.room import SEED, Room, body, post
from tests.readerstudy.reading.test_blinding import content_of, everything
from tests.readerstudy.reading.test_twin_worlds import repeatable
from tests.world import People, client_of, make_study

UNAIDED: Outline = replace(CROSSOVER, arms=CROSSOVER.arms[:1], washouts=(0,))


@dataclass(frozen=True)
class Origin:
    """What the files say besides their pictures."""

    root: str
    patient: str
    names: Sequence[str]
    labels: Sequence[str]
    words: str
    turned: bool


HERE = Origin("1.2.840.7", "SMITH^JOHN", ("im1", "im2"), ("A", "B"), "T1W sag", turned=False)
THERE = Origin("1.2.840.99", "TWINMARK^ANNA MARIA", ("zz-last", "aa-first"), ("Z", "K"), "T1W TWINMARK", turned=True)


def write(folder: Path, origin: Origin) -> bytes:
    """Two cases of two slices each."""
    rows = []
    for number, label in enumerate(origin.labels, start=1):
        here = folder / f"{origin.names[number - 1]}-{label}"
        here.mkdir(parents=True)
        for place in (1, 2):
            path = here / origin.names[place - 1]
            slice_of(path, origin.root, f"{origin.root}.{number}", place, Modality="MR", SeriesDescription=origin.words)
            data = pydicom.dcmread(path)
            data.PatientName = data.PatientID = data.InstitutionName = origin.patient
            data.FrameOfReferenceUID = f"{origin.root}.5"
            data.StudyDate = "20010101" if origin.turned else "20190317"
            data.private_block(0x0011, origin.patient, create=True).add_new(1, "LO", origin.patient)
            data.save_as(path)
        rows.append(f"{label},{origin.patient}-{number},{here.name},{number % 2}\n")
    return ("case,patient,file,truth\n" + "".join(rows[::-1] if origin.turned else rows)).encode()


def transcript(origin: Origin, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    said: list[bytes] = []
    with repeatable(monkeypatch):
        people = People()
        study = make_study(people, outline=UNAIDED)
        manifest = write(folder, origin)
        done = import_at_once(study=study, manifest=manifest, folder=folder, by=people.alice)
        assert done.phase == CaseImport.Phase.DONE, done.faults or done.message
        for case in Case.objects.all():
            # The token is drawn by chance; here it names the picture, so that both worlds draw the same cases.
            first = Image.objects.filter(series__case=case).order_by("position")[0]
            Case.objects.filter(pk=case.pk).update(token=first.frame_digest[:22])
        freeze(study=study, by=people.alice)
        draw(study=study, by=people.alice, seed=SEED)
        open_reading(study=study, by=people.alice)
        bob = client_of(people.bob)
        for number, slot in enumerate(Room(people, study).slots()):
            said += [content_of(response) for response in everything(bob, slot)]
            said.append(
                content_of(post(bob, slot, "submit", body(client_key=f"00000000-0000-4000-8000-{number:012d}")))
            )
    return said


@pytest.mark.django_db
def test_what_files_are_called_and_say_of_people_changes_no_byte_of_a_reading(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any
) -> None:
    settings.WORK_FOLDER = tmp_path / "work"
    first = transcript(HERE, tmp_path / "here", monkeypatch)
    second = transcript(THERE, tmp_path / "there", monkeypatch)
    assert len(first) == len(second) > 20
    for one, other in zip(first, second, strict=True):
        assert one == other
    # The walk has seen the films: it holds their geometry and their kind.
    assert any(b'"T1W"' in one and b'"orientation"' in one for one in first)
    assert not [one for one in second if b"TWINMARK" in one]
