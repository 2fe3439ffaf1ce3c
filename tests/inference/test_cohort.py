"""Manifests refused by row and column; no patient and no image in two parts."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.cards import Card
from inference.cohort import BadCohort, Member, check_no_leak, check_unseen, read_manifest, seen, split_by_patient


def test_a_manifest_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "m.csv").write_text("Image ID,Who,Path,Effusion\n1,x,a.png,YES\n2,y,a.png,no\n", encoding="utf-8-sig")
    read = read_manifest(tmp_path / "m.csv", tmp_path, case="Image ID", patient="Who", file="Path", finding="Effusion")
    assert [(member.case, member.patient, member.positive) for member in read] == [("1", "x", True), ("2", "y", False)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no rows"),
        ("case,patient,file,truth\n", "has no rows"),
        ("case,patient,file\n1,p,a.png\n", "no column truth; it has case, patient, file"),
        ("case,patient,file,truth\n1,p,a.png,maybe\n", "Row 2, column truth: 'maybe' is neither yes nor no"),
        ("case,patient,file,truth\n1,p,a.png,1\n2,p,b.png,0\n", "Row 3, column file: there is no file 'b.png'"),
        ("case,patient,file,truth\n1,p,a.png,1\n2,p,a.png,1\n", "same truth; a classifier needs both"),
    ],
)
def test_faults_of_a_manifest_are_named(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(BadCohort, match=reason):
        read_manifest(tmp_path / "m.csv", tmp_path)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(30, 60))
def test_no_patient_stands_in_both_parts_and_classes_are_balanced(seed: int, patients: int) -> None:
    films = [Member(f"{p}-{f}", f"p{p}", Path(), (p + f) % 3 == 0) for p in range(patients) for f in range(p % 3 + 1)]
    training, validation = split_by_patient(films, seed=seed)
    assert not {member.patient for member in training} & {member.patient for member in validation}
    assert Counter(training + validation) == Counter(films)
    share = sum(member.positive for member in validation) / len(validation)
    assert share == pytest.approx(sum(member.positive for member in films) / len(films), abs=0.12)
    assert split_by_patient(films, seed=seed) == (training, validation)


def test_too_few_patients_cannot_be_split() -> None:
    with pytest.raises(BadCohort, match="2 patients cannot be split into 4 parts"):
        split_by_patient([Member(str(i), f"p{i % 2}", Path(), i < 5) for i in range(10)])


def test_a_shared_patient_is_refused_by_name() -> None:
    one, two = Member("c1", "Meier", Path(), True), Member("c2", "Meier", Path(), False)
    with pytest.raises(BadCohort, match="patient Meier stands in control and training"):
        check_no_leak({"training": [(one, "a")], "control": [(two, "b")]})


def test_a_shared_image_is_refused_by_the_names_of_its_cases() -> None:
    one, two = Member("c1", "Meier", Path(), True), Member("c2", "Schmidt", Path(), False)
    with pytest.raises(BadCohort, match=r"c2 \(control\), c1 \(training\)"):
        check_no_leak({"training": [(one, "same")], "control": [(two, "same")]})
    check_no_leak({"training": [(one, "same"), (replace(one, case="c3"), "same")], "control": [(two, "other")]})


def test_what_a_model_has_seen_is_refused(trained: tuple[Path, Card], members: list[Member]) -> None:
    folder, card = trained
    digest = card.data["seen_sha256"]
    check_unseen([replace(members[0], patient="new")], ["new"], folder, digest)
    with pytest.raises(BadCohort, match=f"patient {members[0].patient} stands in the model's"):
        check_unseen([members[0]], ["new"], folder, digest)
    with pytest.raises(BadCohort, match=r"seen\.json is not the one of this card"):
        check_unseen([members[0]], ["new"], folder, "0" * 64)
    with pytest.raises(BadCohort, match=r"seen\.json is missing"):
        check_unseen([members[0]], ["new"], folder / "elsewhere", digest)


def test_the_list_of_the_seen_names_nobody(members: list[Member]) -> None:
    marks = seen(members, [member.case for member in members])
    assert len(marks["patients"]) == 60
    assert not {member.patient for member in members} & set(marks["patients"])
