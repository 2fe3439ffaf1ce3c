"""Taught where a finding lies, a family learns it from fewer films; marks move with the films."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inference.classifier import Training, train
from inference.cohort import BadCohort, read_manifest
from inference.models import UnknownFamily, build
from inference.part import Part, augmented, load_part
from inference.preprocess import Preprocessing
from inference.recipes import BadRecipe, read_recipe
from inference.teaching import Teaching, teaching_for

TEACHING = Teaching(weight=4.0, radius=0.1)


def part_of(places: list[tuple[float, float]], labels: list[float]) -> Part:
    return Part([], torch.rand(len(labels), 1, 40, 30), torch.tensor(labels), [], torch.tensor(places))


def test_a_mark_is_a_disc_around_its_place_and_nothing_without_one() -> None:
    part = part_of([(10.0, 20.0), (float("nan"), float("nan"))], [1.0, 0.0])
    marks = TEACHING.marks(part.places, part.inputs)
    rows, columns = torch.nonzero(marks[0, 0], as_tuple=True)
    assert marks.shape == (2, 1, 40, 30)
    assert (rows.float().mean() + 0.5, columns.float().mean() + 0.5) == (10.0, 20.0)
    assert int(marks[0].sum()) == pytest.approx(np.pi * 4**2, rel=0.1)
    assert marks[1].sum() == 0


def test_marks_move_with_their_film() -> None:
    """The film is its own mark here, so after the same movement both must still agree up to contrast."""
    spots = torch.zeros(6, 1, 64, 64)
    for number in range(6):
        spots[number, 0, 20 + number : 30 + number, 25:40] = 1
    moved = augmented(torch.cat([spots, spots], dim=1), torch.Generator().manual_seed(1), flip=True)
    for film, mark in moved:
        assert np.corrcoef(film.flatten(), mark.flatten())[0, 1] > 0.999
        assert mark.amax() <= 1
    assert not torch.equal(moved[:, 1:], spots)


def test_the_place_in_a_manifest_becomes_the_place_in_the_input(tmp_path: Path, toy: Path) -> None:
    members = read_manifest(toy / "manifest.csv", toy)[:2]
    placed = [replace(members[0], place=(47.0, 0.0)), members[1]]
    part = load_part(placed, Preprocessing(rows=96, columns=144), title="")
    assert part.places[0].tolist() == [95.0, 25.0]
    assert torch.isnan(part.places[1]).all()
    assert part.digest() != load_part(members, Preprocessing(rows=96, columns=144), title="").digest()


def test_places_that_are_no_numbers_are_refused_by_row(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "m.csv").write_text("case,patient,file,truth,row,column\n1,p,a.png,0,,\n2,q,a.png,1,middle,3\n")
    with pytest.raises(BadCohort, match="Row 3, columns row and column"):
        read_manifest(tmp_path / "m.csv", tmp_path)


def test_positives_without_a_place_teach_nothing_of_places() -> None:
    torch.manual_seed(0)
    model = build("located", {"dropout": 0.0})
    images, unknown = torch.rand(2, 1, 64, 64), torch.zeros(2, 1, 64, 64)
    _, loss = TEACHING.loss(model, images, unknown, torch.tensor([1.0, 1.0]))
    assert loss == 0
    _, loss = TEACHING.loss(model, images, unknown, torch.tensor([1.0, 0.0]))
    assert loss > 0


def test_who_is_taught_nothing_and_who_cannot_be() -> None:
    recipe, model = read_recipe("spine"), build("located", {})
    nowhere = part_of([(float("nan"), float("nan"))] * 2, [0.0, 1.0])
    somewhere = part_of([(1.0, 1.0), (float("nan"), float("nan"))], [1.0, 0.0])
    assert teaching_for(recipe, model, nowhere) is None
    assert teaching_for(read_recipe("small"), model, somewhere) is None
    assert teaching_for(recipe, model, somewhere) == Teaching(**recipe["places"])
    with pytest.raises(UnknownFamily, match="places: the family small_cnn has no logits of places"):
        teaching_for(recipe | {"family": "small_cnn"}, build("small_cnn", {}), somewhere)


def test_a_table_of_places_is_checked(tmp_path: Path) -> None:
    from inference.recipes import FOLDER

    (tmp_path / "mine.toml").write_text((FOLDER / "spine.toml").read_text().replace("radius = 0.045", ""))
    with pytest.raises(BadRecipe, match=r"table \[places\]: weight and radius"):
        read_recipe(str(tmp_path / "mine.toml"))


def test_taught_training_is_deterministic_too(tmp_path: Path, toy: Path) -> None:
    manifest = tmp_path / "placed.csv"
    rows = list(csv.DictReader((toy / "manifest.csv").open()))
    with manifest.open("w", newline="") as stream:
        table = csv.DictWriter(stream, [*rows[0], "row", "column"])
        table.writeheader()
        table.writerows(row | ({"row": 24, "column": 24} if row["truth"] == "yes" else {}) for row in rows)
    from inference.recipes import FOLDER

    recipe = (FOLDER / "spine.toml").read_text().replace("rows = 192\ncolumns = 128", "rows = 48\ncolumns = 48")
    (tmp_path / "quick.toml").write_text(recipe.replace("epochs = 25", "epochs = 2"))
    plan = Training(name="n", version="1", labels=("a", "b"), preset=str(tmp_path / "quick.toml"))
    members = read_manifest(manifest, toy)
    assert train(members, plan, tmp_path / "one") == train(members, plan, tmp_path / "two")
