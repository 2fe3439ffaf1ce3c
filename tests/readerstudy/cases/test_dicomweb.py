"""Imports from a DICOMweb server: a real one over real files on loopback, and what it must not be able to do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from readerstudy.audit.errors import Refused
from readerstudy.audit.models import Event
from readerstudy.cases import actions, delivery, frames, importing
from readerstudy.cases.dicomweb import Client, Limits, server_of
from readerstudy.cases.models import Case, CaseImport, Image, Series
from readerstudy.cases.pictures import Unreadable
from readerstudy.studies.models import Study
from tests.readerstudy.cases.dicomweb_server import Archive, serving
from tests.world import People, client_of

INSTALLED = Path(pydicom.__file__).parent / "data" / "test_files"
STUDY, OTHER = "1.2.840.1", "1.2.840.2"
Phase = CaseImport.Phase


def slice_of(path: Path, study: str, series: str, number: int, **tags: object) -> None:
    data = pydicom.dcmread(INSTALLED / "CT_small.dcm")
    data.StudyInstanceUID, data.SeriesInstanceUID, data.SOPInstanceUID = study, series, f"{series}.{number}"
    data.AccessionNumber, data.ImagePositionPatient = f"A{study[-1]}", [0, 0, 10.0 * number]
    data.PixelData = (data.pixel_array + number + int(series[-1]) * 100).tobytes()
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    data.save_as(path)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """A study with two series of CT and a report, another with one series."""
    folder = tmp_path / "pacs"
    folder.mkdir()
    for number in (3, 1, 2):
        slice_of(folder / f"a{number}.dcm", STUDY, f"{STUDY}.1", number, SeriesNumber=2)
        slice_of(folder / f"b{number}.dcm", STUDY, f"{STUDY}.2", number, SeriesNumber=1, Modality="MR")
        slice_of(folder / f"c{number}.dcm", OTHER, f"{OTHER}.3", number)
    slice_of(folder / "r.dcm", STUDY, f"{STUDY}.9", 1, Modality="SR")
    return Archive(folder)


@pytest.fixture
def address(archive: Archive) -> Iterator[str]:
    with serving(archive) as found:
        yield f"{found}/dicom-web"


def started(study: Study, people: People, settings: Any, address: str, *files: str) -> CaseImport:
    settings.DICOMWEB_SERVERS = {"pacs": address}
    rows = "".join(f"C{number},{number},{file}\n" for number, file in enumerate(files))
    made = actions.start_import(
        study=study,
        manifest=f"case,patient,file\n{rows}".encode(),
        source="pacs",
        server="pacs",
        by=people.alice,
        queue=False,
    )
    importing.check(made.token)
    made.refresh_from_db()
    return made


def test_studies_come_from_a_server_by_uid_and_by_accession_number(
    study: Study, people: People, settings: Any, address: str, archive: Archive, work_folder: Path
) -> None:
    made = started(study, people, settings, address.replace("//", "//reader:se%40cret@"), STUDY, "accession/A2")
    assert (made.phase, made.faults) == (Phase.CHECKED, [])

    actions.confirm_import(of=made, by=people.alice, queue=False)
    assert importing.run(made.token)

    first, second = Series.objects.filter(case__label="C0")
    assert (first.modality, second.modality) == ("MR", "CT")  # by series number; the report is no picture
    assert Series.objects.get(case__label="C1").images.count() == 3
    values = []
    for image in Image.objects.filter(series=second):
        pixels = frames.decode(delivery.frame_bytes(image), image.rows, image.columns)
        values.append(pixels * image.slope + image.intercept)
    ct = pydicom.dcmread(INSTALLED / "CT_small.dcm").pixel_array
    assert [np.array_equal(shown, ct + n + 100 - 1024.0) for n, shown in enumerate(values, start=1)] == [True] * 3
    assert {authorization for _, authorization in archive.asked} == {"Basic cmVhZGVyOnNlQGNyZXQ="}
    assert not any((work_folder / "imports").iterdir())
    facts = Event.objects.get(verb="cases.import_started").facts
    assert facts["source"] == "server pacs"
    assert "cret" not in str(facts)


def test_one_series_of_a_study(study: Study, people: People, settings: Any, address: str, archive: Archive) -> None:
    made = started(study, people, settings, address, f"{STUDY}/{STUDY}.1")

    assert (made.phase, made.faults) == (Phase.CHECKED, [])
    assert [path for path, _ in archive.asked if path.endswith(".2")] == []


def test_what_was_brought_is_not_asked_for_again(
    study: Study, people: People, settings: Any, address: str, archive: Archive
) -> None:
    made = started(study, people, settings, address, OTHER)
    asked = len(archive.asked)

    actions.confirm_import(of=made, by=people.alice, queue=False)
    assert importing.run(made.token)

    assert len(archive.asked) == asked
    assert Case.objects.count() == 1


def test_what_the_server_does_not_have_is_a_fault_of_its_row(
    study: Study, people: People, settings: Any, address: str
) -> None:
    made = started(study, people, settings, address, STUDY, "1.2.3", "accession/none", f"{STUDY}/1.9", "a b", "x/y/z")

    assert made.phase == Phase.FAULTY
    assert [(fault["row"], fault["sentence"]) for fault in made.faults] == [
        (3, "The server has no study of this UID."),
        (4, "The server has no study with this accession number."),
        (5, "The study has no series of this UID that holds pictures."),
        (6, "A UID has digits and points only, 64 at most."),
        (
            7,
            "From a server, file is a Study Instance UID, a study and a series UID with a slash between, or accession/ "
            "and the accession number.",
        ),
    ]


def test_a_server_that_is_not_in_the_settings_is_never_asked(
    study: Study, people: People, settings: Any, archive: Archive, address: str
) -> None:
    made = started(study, people, settings, address, STUDY)
    archive.asked.clear()
    importing.staging.clear(made)
    settings.DICOMWEB_SERVERS = {"another": "https://elsewhere.example"}
    with pytest.raises(Refused, match="no such DICOMweb server"):
        actions.start_import(
            study=study, manifest=b"case,patient,file\nA,1,1.2\n", source="pacs", server=address, by=people.alice
        )
    actions.confirm_import(of=made, by=people.alice, queue=False)

    assert not importing.run(made.token)

    made.refresh_from_db()
    assert "no longer among those" in made.message
    assert archive.asked == []


def fetched(address: str, target: Path, limits: Limits | None = None) -> int:
    with Client(server_of("pacs", address), limits) as client:
        return client.fetch(OTHER, f"{OTHER}.3", target)


def test_files_arrive_byte_for_byte(address: str, archive: Archive, tmp_path: Path) -> None:
    assert fetched(address, tmp_path / "out") == 3

    sent = [path.read_bytes() for path in archive.files[OTHER, f"{OTHER}.3"]]
    assert [path.read_bytes() for path in sorted((tmp_path / "out").iterdir())] == sent


def test_a_redirect_to_another_host_is_not_followed(address: str, archive: Archive, tmp_path: Path) -> None:
    seen: list[str] = []

    def other(environ: dict[str, Any], start: Any) -> list[bytes]:
        seen.append(environ["PATH_INFO"])
        start("200 OK", [])
        return []

    with serving(other) as elsewhere:
        archive.elsewhere = elsewhere
        with pytest.raises(Unreadable, match="another one, which is not allowed"):
            fetched(address.replace("//", "//reader:secret@"), tmp_path)

    assert seen == []


def test_a_redirect_in_a_circle_ends(address: str, archive: Archive, tmp_path: Path) -> None:
    archive.elsewhere = address.removesuffix("/dicom-web")

    with pytest.raises(Unreadable, match="in a circle"):
        fetched(address, tmp_path)


@pytest.mark.parametrize(
    ("fault", "limits", "words"),
    [
        ("cut", Limits(), "broke off in the middle"),
        ("kind", Limits(), "does not send DICOM files"),
        ("endless", Limits(file_bytes=1 << 20), "a file of more than"),
        ("", Limits(file_bytes=20_000), "a file of more than"),
        ("", Limits(series_bytes=50_000), "for one series"),
        ("", Limits(files=2), "more than 2 files"),
    ],
)
def test_bad_and_oversized_answers_are_refused(
    fault: str, limits: Limits, words: str, address: str, archive: Archive, tmp_path: Path
) -> None:
    archive.fault = fault

    with pytest.raises(Unreadable, match=words):
        fetched(address, tmp_path / "out", limits)


def test_a_list_that_is_too_long_or_no_list_is_refused(address: str) -> None:
    with Client(server_of("pacs", address), Limits(json_bytes=10)) as client, pytest.raises(Unreadable, match="longer"):
        client.series_of(STUDY)

    def page(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/html")])
        return [b"<html>log in"]

    with (
        serving(page) as login,
        Client(server_of("pacs", login)) as client,
        pytest.raises(Unreadable, match="no DICOM"),
    ):
        client.series_of(STUDY)


@pytest.mark.parametrize(("status", "words"), [("401 No", "refuses the name"), ("500 Oops", "status 500")])
def test_a_server_that_refuses_or_fails_is_a_sentence(status: str, words: str, tmp_path: Path) -> None:
    def failing(environ: dict[str, Any], start: Any) -> list[bytes]:
        start(status, [])
        return []

    with serving(failing) as address, pytest.raises(Unreadable, match=words):
        fetched(address, tmp_path)


def test_a_server_that_is_away_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="does not answer"):
        fetched("http://127.0.0.1:9", tmp_path)


def test_a_series_that_came_short_is_refused(
    study: Study, people: People, settings: Any, address: str, archive: Archive
) -> None:
    archive.more_than_there = 1

    made = started(study, people, settings, address, OTHER)

    assert made.faults[0]["sentence"] == "The server says that a series has 4 files and sends 3."


def test_the_form_offers_the_servers_of_the_settings_only(study: Study, people: People, settings: Any) -> None:
    page = client_of(people.alice).get(f"/studies/{study.token}/cases/import/").content.decode()
    assert "DICOMweb" not in page

    settings.DICOMWEB_SERVERS = {"pacs": "https://reader:secret@pacs.example/dicom-web"}
    page = client_of(people.alice).get(f"/studies/{study.token}/cases/import/").content.decode()

    assert "or a DICOMweb server" in page
    assert '<option value="pacs">' in page
    assert "secret" not in page
