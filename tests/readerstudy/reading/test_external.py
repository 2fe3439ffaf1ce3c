"""Existing answers: the file is judged row by row, and all of it is imported or nothing."""

import csv
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from readerstudy.allocation.models import Slot
from readerstudy.audit.errors import Denied, Refused
from readerstudy.audit.models import Event
from readerstudy.reading.actions import import_readings
from readerstudy.reading.external import Source, judge
from readerstudy.reading.models import Answer, Reading
from readerstudy.reading.sources import known_for
from readerstudy.reference.queries import truth_by_case
from readerstudy.studies.models import Enrolment, Study
from tests.world import People, client_of, make_study

pytestmark = pytest.mark.django_db
CROSSED = Path(__file__).resolve().parents[3] / "fixtures" / "crossed" / "crossed.csv"
HEADER = "reader,seniority,arm,case,truth,rating,decision\n"


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def study(people: People) -> Study:
    return make_study(people, phase=Study.Phase.FROZEN)


def sentences(
    study: Study, text: str, source: Source | None = None, *, new_cases: bool = True
) -> list[tuple[int, str, str]]:
    found = judge(text.encode(), source or Source(), known_for(study, new_cases=new_cases))
    return [(fault.row, fault.column, fault.sentence) for fault in found.faults]


def test_a_whole_file_becomes_readings(study: Study, people: People) -> None:
    content = CROSSED.read_bytes()
    source = import_readings(
        study=study, content=content, name="crossed.csv", source=Source(), by=people.alice, new_cases=True
    )
    rows = list(csv.DictReader(content.decode().splitlines()))
    assert source.rows == len(rows) == Reading.objects.filter(source=source).count()
    assert Slot.objects.filter(external=True, allocation=None).count() == len(rows)
    assert study.cases.count() == 80
    truth = {row["case"]: row["truth"] == "1" for row in rows}
    labels = dict(study.cases.values_list("pk", "label"))
    assert {labels[pk]: positive for pk, positive in truth_by_case(study).items()} == truth
    stored = {
        (a.reading.slot.reader.code, a.reading.slot.arm.code, a.reading.slot.case.label, a.question.key): a.value
        for a in Answer.objects.select_related(
            "reading__slot__reader", "reading__slot__arm", "reading__slot__case", "question"
        )
    }
    assert stored == {
        (row["reader"], row["arm"], row["case"], key): value
        for row in rows
        for key, value in (("confidence", int(row["rating"])), ("decision", row["decision"] == "1"))
    }
    readers = Enrolment.objects.filter(study=study, external=True)
    assert dict(readers.values_list("code", "seniority")) == {row["reader"]: row["seniority"] for row in rows}
    event = Event.objects.get(verb="readings.imported")
    assert event.facts["rows"] == len(rows)
    assert event.facts["digest"] == source.digest


def test_the_same_file_is_not_counted_twice(study: Study, people: People) -> None:
    content = CROSSED.read_bytes()
    import_readings(study=study, content=content, name="a.csv", source=Source(), by=people.alice, new_cases=True)
    with pytest.raises(Refused, match="imported already"):
        import_readings(study=study, content=content, name="b.csv", source=Source(), by=people.alice)
    assert Reading.objects.count() == 800


@pytest.mark.parametrize(
    ("row", "column", "sentence"),
    [
        ("X1,senior,unaided,C1,1,80,0", "rating", "A negative decision needs a confidence below 50."),
        ("X1,senior,unaided,C1,1,20,1", "rating", "A positive decision needs a confidence of at least 50."),
        ("X1,senior,unaided,C1,1,101,1", "rating", "The number must lie from 0 to 100."),
        ("X1,senior,unaided,C1,1,high,1", "rating", "“high” is no number."),
        ("X1,senior,unaided,C1,1,nan,1", "rating", "“nan” is no finite number."),
        (
            "X1,senior,unaided,C1,1,,1",
            "rating",
            "The cell is empty; leave the whole row out where nothing was answered.",
        ),
        (
            "X1,expert,unaided,C1,1,80,1",
            "seniority",
            "“expert” is no seniority; use senior, intermediate or junior, or map the word.",
        ),
        ("X1,senior,helped,C1,1,80,1", "arm", "The study has no arm “helped”; it has aided, unaided."),
        ("X1,senior,unaided,,1,80,1", "case", "The cell is empty."),
        ("R01,senior,unaided,C1,1,80,1", "reader", "“R01” is the code of a reader of this study with an account."),
        (
            "X1,senior,unaided,C1,2,80,1",
            "truth",
            "“2” is neither yes nor no; use 1 and 0, yes and no, or positive and negative.",
        ),
    ],
)
def test_every_fault_names_row_and_column(study: Study, row: str, column: str, sentence: str) -> None:
    good = "X0,senior,unaided,C0,1,80,1\n"
    assert sentences(study, HEADER + good + row + "\n") == [(3, column, sentence)]


def test_faults_that_show_only_beside_another_row(study: Study) -> None:
    text = HEADER + "X1,senior,unaided,C1,1,80,1\nX1,senior,unaided,C1,1,70,1\nX1,junior,aided,C1,0,70,1\n"
    assert sentences(study, text) == [
        (3, "case", "X1 read C1 in arm unaided already, in row 2."),
        (4, "seniority", "X1 is senior in row 2 and junior here."),
        (4, "truth", "The truth of C1 differs from row 2."),
    ]


def test_rows_are_numbered_as_a_spreadsheet_shows_them(study: Study) -> None:
    text = HEADER + "X1,senior,unaided,C1,1,80,1\n\n,,,,,,\n" + 'X1,"senior",aided,"C1",1,80,0\n'
    assert [row for row, _, _ in sentences(study, text)] == [5]


def test_a_decimal_comma_is_a_fault_and_moves_no_answer(study: Study) -> None:
    text = HEADER + "X1,senior,unaided,C1,1,79,5,1\n"
    assert sentences(study, text) == [(2, "", "The row has 8 cells; the header has 7.")]


def test_what_the_database_cannot_keep_is_a_fault_and_no_crash(study: Study, people: People) -> None:
    text = HEADER + "X\x001,senior,unaided,C1,1,80,1\n"
    assert sentences(study, text) == [(2, "reader", "The cell holds a character that cannot be stored.")]
    file = SimpleUploadedFile("a.csv", text.encode())
    page = client_of(people.alice).post(f"/studies/{study.token}/readings/import/", {"file": file, "new_cases": "on"})
    assert page.status_code == 400


def test_truth_in_the_file_must_be_that_of_the_study(study: Study, people: People) -> None:
    first = HEADER + "X1,senior,unaided,C1,1,80,1\n"
    import_readings(study=study, content=first.encode(), name="1", source=Source(), by=people.alice, new_cases=True)
    second = HEADER + "X2,senior,unaided,C1,0,80,1\n"
    told = "C1 is negative here and positive in the study's reference standard."
    assert sentences(study, second, new_cases=False) == [(2, "truth", told)]


def test_an_answer_cannot_hold_for_all_rows(study: Study) -> None:
    found = sentences(
        study, HEADER + "X1,senior,unaided,C1,1,80,1\n", Source(constants={"rating": "80", "colour": "x"})
    )
    assert [column for _, column, _ in found] == ["rating", "colour"]


def test_a_file_without_its_columns_says_which(study: Study) -> None:
    found = sentences(study, "Reader ID,Image\n1,2\n", new_cases=False)
    assert [column for _, column, _ in found] == ["reader", "case", "seniority", "arm", "rating, decision"]
    assert sentences(study, "", new_cases=False)[0][0] in (0, 1)


def test_columns_may_have_other_names_and_constants(study: Study, people: People) -> None:
    text = "Reader ID;Image;Abnormal\n77;a.png;YES\n77;b.png;NO\n"
    source = Source(
        {"reader": "Reader ID", "case": "Image", "decision": "Abnormal"}, {"arm": "unaided", "seniority": "high"}
    )
    assert sentences(study, text, source, new_cases=False) == [
        (2, "Image", "The study has no case “a.png”."),
        (3, "Image", "The study has no case “b.png”."),
    ]


def test_what_was_not_collected_is_said(study: Study, people: People) -> None:
    text = HEADER.replace(",rating", "") + "X1,senior,unaided,C1,1,1\n"
    source = import_readings(
        study=study, content=text.encode(), name="d.csv", source=Source(), by=people.alice, new_cases=True
    )
    assert source.collected == ["decision"]
    assert Event.objects.get(verb="readings.imported").facts["not_collected"] == ["confidence"]


def test_a_file_with_a_fault_changes_nothing(study: Study, people: People) -> None:
    text = HEADER + "X1,senior,unaided,C1,1,80,1\nX1,senior,unaided,C2,1,80,0\n"
    before = Event.objects.count()
    with pytest.raises(Refused, match="row 3, column rating"):
        import_readings(
            study=study, content=text.encode(), name="f.csv", source=Source(), by=people.alice, new_cases=True
        )
    assert (study.cases.count(), Reading.objects.count(), Event.objects.count()) == (0, 0, before)


def test_only_the_coordinator_imports_and_only_against_a_frozen_protocol(people: People) -> None:
    draft = make_study(people)
    content = CROSSED.read_bytes()
    with pytest.raises(Denied):
        import_readings(study=draft, content=content, name="c.csv", source=Source(), by=people.bob)
    with pytest.raises(Refused, match="once it is frozen"):
        import_readings(study=draft, content=content, name="c.csv", source=Source(), by=people.alice)


def test_the_page_checks_then_imports(study: Study, people: People) -> None:
    client = client_of(people.alice)
    address = f"/studies/{study.token}/readings/import/"
    with CROSSED.open("rb") as file:
        checked = client.post(address, {"file": file, "new_cases": "on"})
    assert checked.status_code == 200
    assert Reading.objects.count() == 0
    ticket = checked.context["ticket"]
    done = client.post(f"{address}confirm/", {"ticket": ticket}, follow=True)
    assert "800 readings of crossed.csv are imported" in done.content.decode()
    assert client.post(f"{address}confirm/", {"ticket": ticket[:-2]}).status_code == 400
    assert client.post(f"{address}confirm/", {"ticket": ticket}).status_code == 400
    assert Reading.objects.count() == 800


def test_the_page_lists_faults_by_row(study: Study, people: People, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(HEADER + "X1,senior,unaided,C1,1,80,0\n")
    with file.open("rb") as stream:
        answer = client_of(people.alice).post(
            f"/studies/{study.token}/readings/import/", {"file": stream, "new_cases": "on"}
        )
    assert answer.status_code == 400
    assert "A negative decision needs a confidence below 50." in answer.content.decode()


def test_the_command_does_the_same(study: Study, people: People, tmp_path: Path) -> None:
    call_command("import_readings", study.token, CROSSED, with_cases=True, dry_run=True)
    assert Reading.objects.count() == 0
    call_command("import_readings", study.token, CROSSED, with_cases=True)
    assert Reading.objects.count() == 800
    with pytest.raises(CommandError, match="800 faults; nothing was imported"):
        call_command("import_readings", study.token, CROSSED, with_cases=True)
    assert Reading.objects.count() == 800


def test_a_second_file_of_the_same_readers_goes_on_where_the_first_ended(study: Study, people: People) -> None:
    lines = CROSSED.read_text().splitlines()
    arms = {
        arm: "\n".join([lines[0], *(line for line in lines[1:] if f",{arm}," in line)]) for arm in ("unaided", "aided")
    }
    for arm, text in arms.items():
        import_readings(study=study, content=text.encode(), name=arm, source=Source(), by=people.alice, new_cases=True)
    assert Reading.objects.count() == 800
    assert Enrolment.objects.filter(study=study, external=True).count() == 5
    positions = Slot.objects.filter(reader__code="R1").values_list("position", flat=True)
    assert sorted(positions) == list(range(1, 161))
