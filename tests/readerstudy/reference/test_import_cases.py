"""`manage.py import_cases`: the same import from the command line."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from readerstudy.cases.models import Case
from readerstudy.reference.queries import truth_by_case
from readerstudy.studies.models import Study
from tests.readerstudy.cases.material import folder_of
from tests.world import People

# Pictures have no pixel spacing.
UNMEASURED = "Rows 2, 3, 4: There is no pixel spacing; lengths are not measured."


def manifest_in(folder: Path, count: int) -> Path:
    _, content = folder_of(folder, count)
    (folder / "cases.csv").write_bytes(content)
    return folder / "cases.csv"


def test_cases_and_truth_come_in(study: Study, tmp_path: Path) -> None:
    out = io.StringIO()

    call_command("import_cases", study.token, manifest_in(tmp_path, 3), stdout=out)

    assert out.getvalue() == f"3 cases are in the study. {UNMEASURED}\n"
    assert sorted(truth_by_case(study).values()) == [False, True, True]


def test_a_dry_run_says_so_and_imports_nothing(study: Study, tmp_path: Path) -> None:
    out = io.StringIO()

    call_command("import_cases", study.token, manifest_in(tmp_path, 3), "--dry-run", stdout=out)

    assert out.getvalue() == f"3 cases can be imported. {UNMEASURED}\n"
    assert not Case.objects.exists()


def test_the_command_can_be_given_again_after_a_dry_run(study: Study, tmp_path: Path) -> None:
    manifest = manifest_in(tmp_path, 2)
    for arguments in (["--dry-run"], ["--dry-run"], [], []):
        call_command("import_cases", study.token, manifest, *arguments, stdout=io.StringIO())

    assert Case.objects.count() == 2


def test_faults_are_told_by_row_column_and_value(study: Study, tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("case,patient,file,truth\nA,1,gone.png,maybe\n")
    errors = io.StringIO()

    with pytest.raises(CommandError, match="2 faults; nothing was imported"):
        call_command("import_cases", study.token, tmp_path / "cases.csv", stderr=errors)

    first, second = errors.getvalue().splitlines()
    assert first.startswith("row 2, column truth 'maybe': The truth must be one of")
    assert second == "row 2, column file 'gone.png': The file is not there."


def test_wrong_arguments_are_sentences(study: Study, people: People, tmp_path: Path) -> None:
    manifest = manifest_in(tmp_path, 1)

    with pytest.raises(CommandError, match="There is no study"):
        call_command("import_cases", "nothing", manifest)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_cases", study.token, tmp_path / "gone.csv")
    with pytest.raises(CommandError, match="nobody called nobody"):
        call_command("import_cases", study.token, manifest, "--by", "nobody")
    with pytest.raises(CommandError, match="Only the coordinator"):
        call_command("import_cases", study.token, manifest, "--by", people.bob.username)


def test_the_folder_may_be_another(study: Study, tmp_path: Path) -> None:
    folder, content = folder_of(tmp_path / "pictures", 2)
    (tmp_path / "cases.csv").write_bytes(content)

    call_command("import_cases", study.token, tmp_path / "cases.csv", "--folder", folder, stdout=io.StringIO())

    assert Case.objects.count() == 2
