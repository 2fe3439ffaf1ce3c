"""Agreement of truthers: against numbers worked out by hand and by other libraries."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from django.urls import reverse
from sklearn.metrics import cohen_kappa_score

from readerstudy.cases.models import Case, CaseImport
from readerstudy.reference import actions
from readerstudy.results.truthing import Agreement, agreements_of
from readerstudy.studies.actions import enrol
from readerstudy.studies.models import Enrolment, Study
from tests.world import People, client_of, make_study, person

# Columns and rows of 2 x 0.5 mm, slices 4 mm apart.
AFFINE = np.diag([4.0, 2.0, 0.5, 1.0])
SIX = [[3.0, 3.0], [8.0, 4.0], [13.0, 3.0], [13.0, 23.0], [8.0, 22.0], [3.0, 23.0]]
LOW = [[3.0, 3.0], [8.0, 4.0], [13.0, 3.0], [13.0, 23.0], [8.0, 22.0], [3.0, 15.0]]


@pytest.fixture
def study(db: None, tmp_path: Path) -> Study:
    people = People()
    study = make_study(people)
    enrol(study=study, username=person("ugo").username, role=Enrolment.Role.TRUTHER, by=people.alice)
    rows = ["case,patient,file"]
    for number in range(1, 6):
        values = np.full((3, 32, 40), number, dtype=np.int16)
        values[0, 0, 0] = 100 + number
        nibabel.save(nibabel.Nifti1Image(values, AFFINE), tmp_path / f"c{number}.nii.gz")
        rows.append(f"C{number},{number},c{number}.nii.gz")
    manifest = "\n".join(rows).encode()
    done = actions.import_at_once(study=study, manifest=manifest, folder=tmp_path, by=people.alice)
    assert done.phase == CaseImport.Phase.DONE, done.faults or done.message
    return study


def box(
    left: float, top: float, right: float, bottom: float, slice: int = 1, label: str = "Fracture"
) -> dict[str, Any]:
    points = [[left, top], [right, bottom]]
    return {"key": f"b{slice}{label}", "kind": "box", "series": 0, "slice": slice, "label": label, "points": points}


def six(points: list[list[float]]) -> dict[str, Any]:
    return {"key": "six", "kind": "morphometry", "series": 0, "slice": 0, "label": "L1", "points": points}


def say(study: Study, who: str, label: str, verdict: str, *marks: dict[str, Any]) -> None:
    truther = study.enrolments.get(user__username=who)
    case = Case.objects.get(study=study, label=label)
    assert truther.user is not None
    work = {"marks": list(marks), "rejected": [], "verdict": "", "note": "", "place": None}
    revision = actions.save_draft(truther=truther, case=case, work=work, revision=0, by=truther.user)
    actions.give_opinion(truther=truther, case=case, verdict=verdict, note="", by=truther.user, revision=revision)


def found(study: Study) -> Agreement:
    (pair,) = agreements_of(study)
    return pair


def test_opinions_agree_beyond_chance_as_scikit_learn_counts(study: Study) -> None:
    tess = ["positive", "positive", "negative", "negative", "undecided"]
    ugo = ["positive", "negative", "negative", "negative", "positive"]
    for number, (one, other) in enumerate(zip(tess, ugo, strict=True), start=1):
        say(study, "tess", f"C{number}", one)
        say(study, "ugo", f"C{number}", other)

    verdicts = found(study).verdicts.found

    assert verdicts is not None
    # The case that one of them could not decide is left out.
    assert verdicts.n == 4
    assert verdicts.estimate == pytest.approx(cohen_kappa_score(tess[:4], ugo[:4]))


def test_areas_overlap_in_three_dimensions_with_distances_in_millimetres(study: Study) -> None:
    """10 x 8 pixels on two slices against the same moved by two columns of 2 mm on one of them."""
    say(study, "tess", "C1", "positive", box(2, 2, 12, 10, 1), box(2, 2, 12, 10, 2))
    say(study, "ugo", "C1", "positive", box(4, 2, 14, 10, 1))

    (area,) = found(study).areas

    assert area.dice == pytest.approx(2 * 64 / (160 + 80))
    assert area.iou == pytest.approx(64 / (160 + 80 - 64))
    assert area.unit == "mm"
    # The farthest pixel of the second slice: 4 mm through the stack, and at the left edge two columns besides.
    assert area.hausdorff is not None
    assert 4.0 <= area.hausdorff <= np.hypot(4, 4)


def test_what_one_truther_left_out_shares_nothing(study: Study) -> None:
    say(study, "tess", "C1", "positive", box(2, 2, 12, 10, label="Cleft"))
    say(study, "ugo", "C1", "negative")

    (area,) = found(study).areas

    assert (area.name, area.dice, area.iou, area.distance) == ("Cleft", 0.0, 0.0, None)


def test_points_and_grades_of_the_same_vertebra(study: Study) -> None:
    """Half a column of 2 mm apart everywhere; then 8 of 20 rows lower in front, grade 3 against 0."""
    moved = [[x + 0.5, y] for x, y in SIX]
    for label, ours, theirs in (("C1", SIX, moved), ("C2", LOW, LOW)):
        say(study, "tess", label, "positive", six(ours))
        say(study, "ugo", label, "positive", six(theirs))

    pair = found(study)

    assert [(one.case, one.name, one.unit) for one in pair.points] == [
        ("C1", "morphometry L1", "mm"),
        ("C2", "morphometry L1", "mm"),
    ]
    assert [one.distance for one in pair.points] == pytest.approx([1.0, 0.0])
    assert pair.grades.found is not None
    assert pair.grades.found.estimate == pytest.approx(1.0)


def test_the_page_is_for_those_who_analyse(study: Study) -> None:
    say(study, "tess", "C1", "positive", box(2, 2, 12, 10))
    say(study, "ugo", "C1", "positive", box(2, 2, 12, 10))
    address = reverse("results:truthers", args=[study.token])
    people = {one.user.username: one.user for one in study.enrolments.all() if one.user}

    for who in ("alice", "stan"):
        text = client_of(people[who]).get(address).content.decode()
        assert "Agreement of the truthers" in text
        assert "Fracture" in text
    for who in ("tess", "ugo", "bob"):
        assert client_of(people[who]).get(address).status_code == 403


def test_without_opinions_it_says_so(study: Study) -> None:
    pair = found(study)

    assert (pair.cases, pair.areas, pair.points, pair.mean_dice) == (0, (), (), None)
    assert "Nothing was judged by both" in pair.verdicts.refused
