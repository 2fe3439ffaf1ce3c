"""Agreement of truthers: against numbers worked out by hand and by other libraries."""

import time
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from django.urls import reverse
from scipy import ndimage
from sklearn.metrics import cohen_kappa_score

from analysis.localisation.overlap import overlap, surface_distance
from readerstudy.audit.chain import digest_of
from readerstudy.cases.geometry import Geometry
from readerstudy.cases.models import Case, CaseImport, Image, Series
from readerstudy.reference import actions
from readerstudy.reference.exporting.filling import filled
from readerstudy.reference.marks import Mark
from readerstudy.reference.measuring import Plane
from readerstudy.reference.models import Annotation, Opinion
from readerstudy.reference.runs import encode
from readerstudy.results import comparing
from readerstudy.results.comparing import Both, compare, found_in
from readerstudy.results.models import CaseAgreement
from readerstudy.results.tasks import compare_truthers
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
    compare(study)
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


def test_what_was_compared_is_kept_until_somebody_draws_anew(study: Study, django_assert_max_num_queries: Any) -> None:
    for label in ("C1", "C2"):
        say(study, "tess", label, "positive", box(2, 2, 12, 10))
        say(study, "ugo", label, "positive", box(4, 2, 14, 10))
    stan = study.enrolments.get(role="statistician").user
    assert stan is not None
    client, address = client_of(stan), reverse("results:truthers", args=[study.token])
    first = client.get(address).content.split(b"<section", 1)[1]
    kept = set(CaseAgreement.objects.values_list("digest", "made_at"))
    assert len(kept) == 2

    # Neither images nor marks are read again, however many cases there are.
    with django_assert_max_num_queries(24):
        assert client.get(address).content.split(b"<section", 1)[1] == first
    assert set(CaseAgreement.objects.values_list("digest", "made_at")) == kept

    say(study, "ugo", "C2", "positive", box(2, 2, 12, 10))
    assert b"1.000" in client.get(address).content
    assert [area.dice for area in found(study).areas] == pytest.approx([0.8, 1.0])
    assert CaseAgreement.objects.count() == 3


def test_large_cases_are_left_to_a_worker_and_the_page_waits(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    say(study, "tess", "C1", "positive", box(2, 2, 12, 10, 0), box(2, 2, 12, 10, 2))
    say(study, "ugo", "C1", "positive", box(4, 2, 14, 10, 0))
    say(study, "tess", "C2", "positive", box(2, 2, 12, 10, 0))
    say(study, "ugo", "C2", "positive", box(4, 2, 14, 10, 0))
    # Three slices of 32 x 40 pixels are too many, one is not.
    monkeypatch.setattr(comparing, "AT_ONCE", 2000)
    alice = study.enrolments.get(role="coordinator").user
    assert alice is not None
    client, address = client_of(alice), reverse("results:truthers", args=[study.token])

    assert "1 of 2 cases" in client.get(address).content.decode()
    polled = client.get(address, headers={"hx-request": "true"})
    assert "every 2s" in polled.content.decode()
    assert "HX-Refresh" not in polled.headers

    compare_truthers(study.token)

    assert client.get(address, headers={"hx-request": "true"}).headers["HX-Refresh"] == "true"
    assert "every 2s" not in client.get(address).content.decode()
    assert [area.case for area in found(study).areas] == ["C1", "C2"]


def plane_at(depth: float) -> Plane:
    geometry = Geometry((0.0, 0.0, depth), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), (0.5, 2.0), calibrated=True)
    return Plane(40, 50, geometry)


def test_no_distance_is_told_where_slices_lie_unevenly() -> None:
    """What is shared is counted in pixels; how far surfaces lie apart would need one step between slices."""
    ours = [Mark(f"a{n}", "box", 0, n, "body", ((5.0, 5.0), (15.0, 15.0))) for n in range(3)]
    theirs = [Mark(f"b{n}", "box", 0, n, "body", ((5.0, 5.0), (15.0, 10.0))) for n in range(3)]
    even, uneven = ([[plane_at(depth) for depth in depths]] for depths in ((0, 3, 6), (0, 3, 9)))
    unplaced = [[Plane(40, 50, Geometry(spacing=(0.5, 2.0), calibrated=True))] * 3]

    (known,), (one,), (other,) = (
        found_in(Both(planes, tuple(ours), tuple(theirs)))["areas"] for planes in (even, uneven, unplaced)
    )

    assert known["dice"] == one["dice"] == other["dice"] == pytest.approx(2 / 3)
    assert known["distance"] > 0
    assert [(area["distance"], area["hausdorff"]) for area in (one, other)] == [(None, None)] * 2


@pytest.mark.parametrize("seed", range(3))
def test_cut_to_what_was_drawn_the_overlap_is_that_of_the_whole_images(seed: int) -> None:
    chance = np.random.default_rng(seed)
    planes = [[plane_at(depth) for depth in range(6)]]
    sides: list[tuple[Mark, ...]] = []
    for _side in range(2):
        runs = [
            encode(ndimage.binary_opening(chance.random((40, 50)) < 0.8, iterations=2)) for _slice in range(seed + 1)
        ]
        drawn = [Mark(f"k{n}", "mask", 0, n + _side, "body", (), one) for n, one in enumerate(runs) if len(one) > 1]
        sides.append((*drawn, Mark("b", "box", 0, 2, "body", ((1.0, 2.0), (5.0 + _side, 9.0)))))

    (area,) = found_in(Both(planes, *sides))["areas"]

    whole = [np.zeros((6, 40, 50), dtype=bool) for _side in range(2)]
    for volume, marks in zip(whole, sides, strict=True):
        for one in marks:
            volume[one.slice] |= filled(one, 40, 50)
    spacing = (1.0, 0.5, 2.0)
    assert area["dice"] == pytest.approx(overlap(whole[0], whole[1], spacing).estimate)
    assert area["distance"] == pytest.approx(surface_distance(whole[0], whole[1], spacing).estimate)
    assert area["hausdorff"] == pytest.approx(surface_distance(whole[0], whole[1], spacing).hausdorff_95)


def test_two_hundred_cases_open_at_once_when_they_have_been_compared(study: Study) -> None:
    """Each with masks of both truthers; the second opening takes less than a second."""
    tess, ugo = (study.enrolments.get(user__username=name) for name in ("tess", "ugo"))
    body = np.zeros((128, 128), dtype=bool)
    body[50:80, 40:100] = True
    make_cases(study, 200, (128, 128, 2))
    for case in Case.objects.filter(study=study, label__startswith="L"):
        for n, truther in enumerate((tess, ugo)):
            runs = list(encode(np.roll(body, n, axis=1)))
            marks = [
                {"key": f"m{z}", "kind": "mask", "series": 0, "slice": z, "label": "body", "points": [], "runs": runs}
                for z in range(2)
            ]
            opinion = Opinion.objects.create(truther=truther, case=case, number=1, verdict="positive")
            Annotation.objects.create(opinion=opinion, marks=marks, digest=digest_of(marks))
    stan = study.enrolments.get(role="statistician").user
    assert stan is not None
    client, address = client_of(stan), reverse("results:truthers", args=[study.token])

    began = time.process_time()
    assert client.get(address).status_code == 200
    assert time.process_time() - began < 10
    compare_truthers(study.token)
    began = time.process_time()
    text = client.get(address).content.decode()
    assert time.process_time() - began < 1
    assert text.count('<th scope="row">L') == 200


def make_cases(study: Study, count: int, shape: tuple[int, int, int]) -> None:
    rows, columns, slices = shape
    facts: dict[str, Any] = {"source_digest": "s", "frame_digest": "f", "frame_key": "k", "bits": 12}
    facts |= {"rows": rows, "columns": columns, "window_center": 40, "window_width": 400}
    facts |= {"spacing": [0.5, 0.5], "orientation": [1, 0, 0, 0, 1, 0], "calibrated": True}
    for number in range(count):
        case = Case.objects.create(study=study, label=f"L{number:03}", patient=f"l{number}")
        own = Series.objects.create(case=case, position=1, modality="CT")
        Image.objects.bulk_create(Image(series=own, position=z, origin=[0, 0, 4 * z], **facts) for z in range(slices))
