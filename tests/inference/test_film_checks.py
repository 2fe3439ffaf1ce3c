"""`phantoms check`: what is promised of films is measured, and what falls short ends with status 1."""

import csv
from pathlib import Path

import pytest

from inference.commands.phantoms import told
from inference.phantoms.check import Check
from inference.phantoms.check_films import best_reader, cube_checks
from inference.phantoms.oracle import best_logit
from inference.phantoms.sets import orders_of


def test_cubes_hold() -> None:
    found = list(cube_checks())
    assert len(found) == 4
    assert all(one.holds for one in found)


def test_what_falls_short_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(list(cube_checks()))
    assert not told([*cube_checks(), Check("height loss of grade 1", "31%", "20% to 25%", False)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].endswith("falls short")
    assert all(line.endswith("holds") for line in lines[:-1])


def test_the_best_reader_of_a_set_is_measured_from_its_file(tmp_path: Path) -> None:
    with (tmp_path / "oracle.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["case", "role", "truth", "logit"])
        table.writerows(
            [("a", "control", 1, 2.0), ("b", "control", 0, 1.0), ("c", "control", 1, 0.5), ("d", "control", 0, -1)]
        )
    (found,) = best_reader(tmp_path)
    # Three of the four pairs of a positive and a negative stand right.
    assert (found.found, found.holds) == ("0.750", False)


def test_the_best_reader_knows_as_much_as_the_signs_say() -> None:
    """All signs of a fresh fracture and none of an old one: with 8 % of appearances swapped, at most log(.92/.08)."""
    fresh, old = {"impaction", "cortical_step", "swelling"}, {"spurs", "sclerosis", "remodelled"}
    sure = best_logit("age", [fresh], modality="DX", ambiguity=0.08)
    assert 2.0 < sure < 2.4424
    assert best_logit("age", [old], modality="DX", ambiguity=0.08) < -2.0
    # One of two is fresh, each as likely.
    both = best_logit("age", [fresh, old], modality="DX", ambiguity=0.08)
    assert sure - 0.70 < both < sure
    # Every sign that tells a fresh from an old fracture is drawn, and orders of a set do not depend on each other.
    assert len({order.patient for order in orders_of("s0", "tiny", 7)}) > 20
