"""The coordinator's pages in a client; who may see what; the bytes that leave."""

import gzip
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from PIL import Image as PillowImage

from readerstudy.cases import frames, importing
from readerstudy.cases.models import Case, CaseImport, Series
from readerstudy.reference.actions import import_at_once
from readerstudy.studies.models import Study
from tests.readerstudy.cases.material import folder_of, packed, with_cases
from tests.world import People, client_of, make_study

INSTALLED = Path(pydicom.__file__).parent / "data" / "test_files"


def upload(client: Client, study: Study, manifest: bytes, archive: io.BytesIO | None, **more: str) -> HttpResponse:
    files: dict[str, Any] = {"manifest": SimpleUploadedFile("cases.csv", manifest)}
    if archive is not None:
        files["archive"] = SimpleUploadedFile("pictures.zip", archive.read())
    return client.post(reverse("cases:start", args=[study.token]), files | more)


def test_a_coordinator_brings_an_archive_from_the_form_to_the_cases(
    study: Study, people: People, tmp_path: Path
) -> None:
    folder, manifest = folder_of(tmp_path, 3)
    client = client_of(people.alice)

    answer = upload(client, study, manifest, packed(folder))
    started = CaseImport.objects.get()
    page = reverse("cases:import", args=[study.token, started.token])
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert "<progress" in client.get(page).content.decode()

    importing.work(started.token)
    assert "Import 3 cases" in client.get(page).content.decode()

    assert client.post(reverse("cases:confirm", args=[study.token, started.token])).status_code == 302
    importing.work(started.token)
    assert "3 cases imported" in client.get(page).content.decode()
    listed = client.get(reverse("cases:cases", args=[study.token])).content.decode()
    assert all(f">C{number}<" in listed for number in (1, 2, 3))


def test_the_progress_part_is_asked_for_alone_and_at_the_end_the_page_reloads(
    study: Study, people: People, tmp_path: Path
) -> None:
    folder, manifest = folder_of(tmp_path, 1)
    client = client_of(people.alice)
    upload(client, study, manifest, packed(folder))
    page = reverse("cases:import", args=[study.token, CaseImport.objects.get().token])

    part = client.get(page, headers={"HX-Request": "true"})
    importing.work(CaseImport.objects.get().token)
    end = client.get(page, headers={"HX-Request": "true"})

    assert part.content.decode().startswith('<div id="progress"')
    assert end["HX-Refresh"] == "true"


def test_faults_stand_in_a_table_with_row_column_and_value(study: Study, people: People, tmp_path: Path) -> None:
    folder, _ = folder_of(tmp_path, 1)
    manifest = b"case,patient,file,truth\nA,1,gone.png,perhaps <b>\n"
    client = client_of(people.alice)
    page = upload(client, study, manifest, packed(folder))["Location"]
    importing.work(CaseImport.objects.get().token)

    text = client.get(page).content.decode()
    assert "2 faults" in text
    assert "The file is not there." in text
    assert "<td>truth</td>" in text
    assert "perhaps &lt;b&gt;" in text
    assert '<td class="number">2</td>' in text


def test_a_form_without_files_or_with_both_says_what_is_wrong(
    study: Study, people: People, tmp_path: Path, settings: Any
) -> None:
    settings.IMPORT_FOLDERS = [tmp_path]
    folder, manifest = folder_of(tmp_path, 1)
    client = client_of(people.alice)

    neither = upload(client, study, manifest, None)
    both = upload(client, study, manifest, packed(folder), folder=str(folder))

    for answer in (neither, both):
        assert answer.status_code == 400
        assert "Give either an archive or a folder" in answer.content.decode()
    assert not CaseImport.objects.exists()


def test_only_folders_opened_for_imports_can_be_named(
    study: Study, people: People, tmp_path: Path, settings: Any
) -> None:
    allowed = tmp_path / "allowed"
    _, manifest = folder_of(allowed / "study", 1)
    (tmp_path / "secret").mkdir()
    (allowed / "away").symlink_to(tmp_path / "secret")
    settings.IMPORT_FOLDERS = [allowed]
    client = client_of(people.alice)

    answers = [
        upload(client, study, manifest, None, folder=str(place))
        for place in (
            "/etc",
            allowed / ".." / "secret",
            allowed / "away",
            allowed / "nowhere",
            tmp_path / "allowed-not",
            "relative",
        )
    ]

    assert [answer.status_code for answer in answers] == [400] * 6
    assert len({answer.content.decode().count("There is no such folder") for answer in answers}) == 1
    assert upload(client, study, manifest, None, folder=str(allowed / "study")).status_code == 302


def test_a_corrected_manifest_is_taken_by_the_same_page(study: Study, people: People, tmp_path: Path) -> None:
    folder, manifest = folder_of(tmp_path, 2)
    client = client_of(people.alice)
    upload(client, study, b"case,file\n", packed(folder))
    started = CaseImport.objects.get()

    replace = reverse("cases:replace", args=[study.token, started.token])
    assert client.post(replace, {}).status_code == 400
    client.post(replace, {"manifest": SimpleUploadedFile("again.csv", manifest)})
    importing.work(started.token)

    started.refresh_from_db()
    assert (started.phase, started.faults) == (CaseImport.Phase.CHECKED, [])


def test_cases_are_filtered_by_covariate_and_by_site(study: Study, people: People, tmp_path: Path) -> None:
    with_cases(study, people.alice, tmp_path, 4)
    client = client_of(people.alice)
    address = reverse("cases:cases", args=[study.token])

    def shown(**query: str) -> list[str]:
        text = client.get(address, query).content.decode()
        return [label for label in ("C1", "C2", "C3", "C4") if f">{label}<" in text]

    assert shown() == ["C1", "C2", "C3", "C4"]
    assert shown(covariate="age", value="42") == ["C2"]
    assert shown(covariate="site", value="N") == ["C2", "C4"]
    assert shown(covariate="age", value="1") == []
    assert "No case has age equal to 1" in client.get(address, {"covariate": "age", "value": "1"}).content.decode()


def test_an_empty_study_says_what_to_do_next(study: Study, people: People) -> None:
    text = client_of(people.alice).get(reverse("cases:cases", args=[study.token])).content.decode()

    assert "no cases yet" in text
    assert reverse("cases:start", args=[study.token]) in text


@pytest.fixture
def ct(study: Study, people: People, tmp_path: Path) -> Case:
    (tmp_path / "ct.dcm").write_bytes((INSTALLED / "CT_small.dcm").read_bytes())
    import_at_once(study=study, manifest=b"case,patient,file\nCT,1,ct.dcm\n", folder=tmp_path, by=people.alice)
    return Case.objects.get(study=study)


def test_the_case_page_hands_the_viewer_its_addresses(study: Study, people: People, ct: Case) -> None:
    client = client_of(people.alice)

    page = client.get(reverse("cases:case", args=[study.token, ct.token])).content.decode()
    address = reverse("cases:document", args=[study.token, ct.token])
    assert f'data-case-url="{address}"' in page

    document = client.get(address).json()
    frame = client.get(document["series"][0]["frames"][0]["url"])
    assert (frame["Content-Type"], frame.has_header("Content-Encoding")) == ("application/octet-stream", False)
    assert frame["Cache-Control"].startswith("private")
    data = pydicom.dcmread(INSTALLED / "CT_small.dcm")
    assert len(gzip.decompress(frame.content)) == 2 * 128 * 128
    assert np.array_equal(frames.decode(frame.content, 128, 128) - 32768.0, data.pixel_array)


def test_thumbnails_are_small_jpegs_without_metadata(study: Study, people: People, ct: Case) -> None:
    answer = client_of(people.alice).get(reverse("cases:thumbnail", args=[study.token, ct.token]))

    image = PillowImage.open(io.BytesIO(answer.content))
    assert (image.format, image.size, len(image.getexif())) == ("JPEG", (192, 192), 0)
    assert answer["Cache-Control"].startswith("private")


def test_a_small_frame_has_no_preview_and_a_missing_frame_is_missing(study: Study, people: People, ct: Case) -> None:
    client = client_of(people.alice)
    series = Series.objects.get(case=ct)

    for name, position in (("cases:preview", 1), ("cases:frame", 2), ("cases:frame", 0)):
        assert client.get(reverse(name, args=[study.token, series.token, position])).status_code == 404


def addresses(study: Study, case: Case, run: str) -> list[str]:
    series = Series.objects.get(case=case)
    return [
        reverse("cases:cases", args=[study.token]),
        reverse("cases:start", args=[study.token]),
        reverse("cases:import", args=[study.token, run]),
        reverse("cases:case", args=[study.token, case.token]),
        reverse("cases:document", args=[study.token, case.token]),
        reverse("cases:thumbnail", args=[study.token, case.token]),
        reverse("cases:frame", args=[study.token, series.token, 1]),
        reverse("cases:preview", args=[study.token, series.token, 1]),
    ]


def page_of(answer: HttpResponse) -> bytes:
    """The page without the form's token, which differs in every answer."""
    return re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", answer.content)


def test_for_strangers_nothing_of_the_study_exists(study: Study, people: People, ct: Case) -> None:
    run = CaseImport.objects.get().token
    stranger, missing = client_of(people.charlie), reverse("cases:cases", args=["x" * 22])
    nothing = page_of(stranger.get(missing))

    for address in addresses(study, ct, run):
        answer = stranger.get(address)
        assert (answer.status_code, page_of(answer)) == (404, nothing)


def test_readers_and_statisticians_reach_no_case_here(study: Study, people: People, ct: Case) -> None:
    run = CaseImport.objects.get().token
    for person in (people.bob, people.rita, people.stan):
        for address in addresses(study, ct, run):
            assert client_of(person).get(address).status_code == 403


def test_truthers_reach_the_pixels_but_neither_names_nor_imports(study: Study, people: People, ct: Case) -> None:
    truther = client_of(people.tess)

    statuses = [truther.get(address).status_code for address in addresses(study, ct, CaseImport.objects.get().token)]

    assert statuses == [403, 403, 403, 403, 200, 200, 200, 404]


def test_a_case_of_another_study_is_not_reached_through_ones_own(study: Study, people: People, ct: Case) -> None:
    other = make_study(people, title="Another")
    client = client_of(people.alice)
    series = Series.objects.get(case=ct)

    for name, rest in (
        ("cases:case", [ct.token]),
        ("cases:document", [ct.token]),
        ("cases:thumbnail", [ct.token]),
        ("cases:frame", [series.token, 1]),
        ("cases:import", [CaseImport.objects.get().token]),
    ):
        assert client.get(reverse(name, args=[other.token, *rest])).status_code == 404


@pytest.mark.parametrize("name", ["confirm", "resume", "drop", "replace"])
def test_only_the_coordinator_moves_an_import(name: str, study: Study, people: People, ct: Case) -> None:
    address = reverse(f"cases:{name}", args=[study.token, CaseImport.objects.get().token])

    assert client_of(people.bob).post(address).status_code == 403
    assert client_of(people.charlie).post(address).status_code == 404
    # The import is done: there is nothing to move, and a sentence says so.
    assert client_of(people.alice).post(address).status_code == 400
