"""Cohorts by manifest: every fault is named by row and column; folds keep patients together; leaks stop by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.cohorts.cases import BadCohort, CohortCase, Place, assert_no_leak, folds, read_cohort

HEAD = "case,patient,role,site,input,file,truth,slice,row,column,height,width,mask,levels,age"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png", "t1.nii.gz", "t2.nii.gz", "m.png", "l.png"):
        (tmp_path / name).touch()
    (tmp_path / "series").mkdir()
    return tmp_path


def manifest(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "manifest.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8-sig")
    return path


def test_a_case_is_put_together_from_its_rows(folder: Path) -> None:
    path = manifest(
        folder,
        "c1,p1,develop,A,T1W,t1.nii.gz,Yes,3,10.5,20,8,9,m.png,l.png,71",
        "c1,p1,develop,A,T2W,series,yes,,,,,,,,",
        "c2,p2,external,B,T1W,t1.nii.gz,0,,,,,,,,66",
    )
    first, second = read_cohort(path)
    assert first.images == {"T1W": folder / "t1.nii.gz", "T2W": folder / "series"}
    assert (first.positive, first.role, first.site, dict(first.facts)) == (True, "develop", "A", {"age": "71"})
    assert first.place == Place(3, 10.5, 20, 8, 9)
    assert (first.mask, first.levels) == (folder / "m.png", folder / "l.png")
    assert (second.positive, second.place, second.mask) == (False, None, None)


def test_only_four_columns_are_needed(folder: Path) -> None:
    (case,) = read_cohort(manifest(folder, "c1,p1,control,a.png", head="case,patient,role,file"))
    assert case == CohortCase("c1", "p1", "control", "", {"": folder / "a.png"}, None)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ((), "has no rows"),
        (("c1,p1,develop,A,,x.png,1,,,,,,,,",), "Row 2, column file: there is no file 'x.png'"),
        ((f"c1,p1,develop,A,,{'x' * 300},1,,,,,,,,",), "Row 2, column file: there is no file 'xxx"),
        (("c1,p1,develop,A,,a.png,1,,,,,,x.png,,",), "Row 2, column mask: there is no file 'x.png'"),
        (("c1,p1,develop,A,,a.png,1,,,,,,,x.png,",), "Row 2, column levels: there is no file 'x.png'"),
        (("c1,p1,develop,A,,a.png,maybe,,,,,,,,",), "Row 2, column truth: 'maybe' is neither yes nor no"),
        (("c1,p1,test,A,,a.png,1,,,,,,,,",), "Row 2, column role: 'test' is not one of develop, control, external"),
        (("c1,,develop,A,,a.png,1,,,,,,,,",), "Row 2, column patient: is empty"),
        (("c1,p1,develop,A,,a.png,1,,x,3,,,,,",), "Row 2, column row: 'x' is no number"),
        (("c1,p1,develop,A,,a.png,1,,2,nan,,,,,",), "Row 2, column column: 'nan' is no place"),
        (("c1,p1,develop,A,,a.png,1,,2,3,-4,,,,",), "Row 2, column height: '-4' is no place"),
        (("c1,p1,develop,A,,a.png,1,,2,,,,,,",), "Row 2, column column: is empty, and a place has"),
        (
            ("c1,p1,develop,A,T1W,a.png,1,,,,,,,,", "c1,p1,develop,A,T3W,b.png,1,,,,,,,,"),
            "Row 3, column input: the model has no input 'T3W'; it reads T1W, T2W",
        ),
        (
            ("c1,p1,develop,A,T1W,a.png,1,,,,,,,,", "c1,p1,develop,A,T1W,b.png,1,,,,,,,,"),
            "Row 3, column input: case c1 has the input 'T1W' already",
        ),
        (
            ("c1,p1,develop,A,T1W,a.png,1,,,,,,,,", "c1,p2,develop,A,T2W,b.png,1,,,,,,,,"),
            "Row 3, column patient: case c1 has 'p1' in another row",
        ),
        (
            ("c1,p1,develop,A,,a.png,1,,,,,,,,", "c2,p1,control,A,,b.png,1,,,,,,,,"),
            r"Row 3, column role: patient p1 stands in develop \(case c1\) and in control \(case c2\)",
        ),
    ],
)
def test_faults_are_named_by_row_and_column(folder: Path, rows: Sequence[str], reason: str) -> None:
    with pytest.raises(BadCohort, match=reason):
        read_cohort(manifest(folder, *rows), ("T1W", "T2W"))


def test_a_table_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(BadCohort, match="no column role; it has case, patient, file"):
        read_cohort(manifest(folder, "c,p,a.png", head="case,patient,file"))
    with pytest.raises(BadCohort, match="cannot be read"):
        read_cohort(folder / "absent.csv")
    (folder / "x.csv").write_bytes(b"case,patient\xff\xfe\n1,2\n")
    with pytest.raises(BadCohort, match="cannot be read"):
        read_cohort(folder / "x.csv")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(
            st.sampled_from(
                ["c1", "p1", "develop", "control", "a.png", "", "1", "no", "3.5", "-2", '"', "\n", "x" * 300]
            )
            | st.text(max_size=6),
            max_size=16,
        ).map(",".join),
        max_size=5,
    )
)
def test_any_table_is_read_or_refused_with_a_sentence(folder: Path, rows: list[str]) -> None:
    (folder / "manifest.csv").write_text("\n".join([HEAD, *rows]), encoding="utf-8", errors="surrogatepass")
    try:
        cases = read_cohort(folder / "manifest.csv")
    except BadCohort as error:
        assert str(error).endswith(".")
    else:
        assert all(path.exists() for case in cases for path in case.images.values())


def cases_of(patients: int, seed: int, share: float = 0.4) -> list[CohortCase]:
    chance = np.random.default_rng(seed)
    return [
        CohortCase(f"c{patient}-{film}", f"p{patient}", "develop", "", {}, bool(chance.random() < share))
        for patient in range(patients)
        for film in range(chance.integers(1, 4))
    ]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(30, 80), st.integers(2, 5))
def test_every_patient_is_tested_once_and_never_trained_on(seed: int, patients: int, k: int) -> None:
    cases = cases_of(patients, seed)
    parts = folds(cases, k, seed)
    assert sorted(index for _, test in parts for index in test) == list(range(len(cases)))
    for train, test in parts:
        assert {cases[i].patient for i in train}.isdisjoint(cases[i].patient for i in test)
        assert len(train) + len(test) == len(cases)
    again = folds(cases, k, seed)
    assert all(np.array_equal(one[1], other[1]) for one, other in zip(parts, again, strict=True))


def test_folds_that_cannot_be_are_refused() -> None:
    with pytest.raises(BadCohort, match="3 patients cannot be split into 4 parts"):
        folds(cases_of(3, 0), 4, 0)
    rare = [CohortCase(f"c{n}", f"p{n}", "develop", "", {}, n < 2) for n in range(20)]
    with pytest.raises(BadCohort, match="rarer answer has 2 cases, too few for 3 folds"):
        folds(rare, 3, 0)


@dataclass(frozen=True)
class Seen:
    cases: tuple[CohortCase, ...]
    image_digests: tuple[tuple[str, ...], ...]


def seen(*cases: tuple[str, str, tuple[str, ...]]) -> Seen:
    return Seen(
        tuple(CohortCase(case, patient, "develop", "", {}, True) for case, patient, _ in cases),
        tuple(digests for *_, digests in cases),
    )


def test_a_shared_patient_stops_by_name() -> None:
    # A repeat film: the same patient, another image.
    with pytest.raises(BadCohort, match=r"Leak: patient Meier stands in training and tuning\."):
        assert_no_leak({"training": seen(("a", "Meier", ("1",))), "tuning": seen(("b", "Meier", ("2",)))})


def test_a_copied_image_stops_by_the_names_of_its_cases() -> None:
    # Of two sequences only one was copied, under another patient's name.
    training, control = seen(("a", "Meier", ("1", "2"))), seen(("x", "Roth", ("3", "4")), ("b", "Huber", ("5", "2")))
    with pytest.raises(BadCohort, match=r"Leak: a \(training\) and b \(control\) are the same image"):
        assert_no_leak({"training": training, "control": control})
    assert_no_leak({"training": training, "control": seen(("x", "Roth", ("3", "4")))})
    assert_no_leak({"training": seen(("a", "Meier", ("1",)), ("b", "Meier", ("1",)))})
