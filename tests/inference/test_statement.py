"""What is said of vertebrae: which side of a film or slice the front lies on, whoever says so."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.cards import Card
from inference.imaging.images import Image, read_image
from inference.imaging.preparing import Geometry, prepare
from inference.measures.bodies import Side
from inference.models import registry
from inference.outputs import Decision, Level, Platt
from inference.phantoms import mr
from inference.phantoms.column import make_patient
from inference.phantoms.film import make_film
from inference.phantoms.volume import write
from inference.serving.statement import Site, Spoken, front_in, vertebrae_of
from inference.spec import Input

DECISION = Decision(Platt(1.0, 0.0), 0.5, "youden", "0" * 64, 10)


def card_for(modality: str) -> Card:
    spec = registry.load("s2-multitask", "small").frozen(DECISION)
    if modality != "DX":
        spec = replace(spec, inputs=(Input("MR", sequence="T1W"),))
    return Card("1", "0" * 64, {}, {}, "CC0-1.0", "tests", "none", spec)


def column(card: Card, geometry: Geometry) -> Spoken:
    """Two bodies of the lumbar spine, too few to judge a lordosis by."""
    level = card.spec.output(Level)
    assert level is not None
    rows, columns = card.spec.size
    maps = np.zeros((1 + len(level.levels), rows, columns), np.float32)
    maps[0] = 0.5
    for place, name in enumerate(("L1", "L2")):
        top = rows // 4 + place * rows // 4
        maps[1 + level.levels.index(name), top : top + rows // 6, columns // 3 : 2 * columns // 3] = 1.0
    return Spoken(0.0, None, maps)


@pytest.mark.parametrize(
    ("modality", "told", "front"),
    [("DX", None, "right"), ("MR", None, "left"), ("DX", "left", "left"), ("MR", "right", "right")],
)
def test_the_first_corner_lies_in_front(modality: str, told: Side | None, front: Side) -> None:
    card = card_for(modality)
    image = Image(np.random.default_rng(0).normal(500, 100, (1, 128, 64)).astype(np.float32))
    geometry = prepare(card.spec, {"": image}, None).geometry
    found = vertebrae_of(card, column(card, geometry), Site(0, geometry, (1.0, 1.0), True, told)) or ()
    assert [one.level for one in found] == ["L1", "L2"]
    for one in found:
        assert one.corners is not None
        anterior, posterior = one.corners[0][1], one.corners[1][1]
        assert (anterior < posterior) == (front == "left")


def test_a_slice_says_where_its_front_lies_and_a_film_does_not(tmp_path: Path) -> None:
    """Of one patient: his film shows the front on the right, his sagittal slices on the left."""
    patient = make_patient(5, "P1", fractured=True)
    assert patient.fracture is not None
    film = make_film(patient, "A")
    corners = film.truth.bodies[2].corners
    assert corners[0].column > corners[1].column
    assert front_in(Image(film.pixels[None].astype(np.float32))) is None
    scan = mr.around(patient, "A", patient.fracture.level)["T1W"]
    write(tmp_path / "t1.nii.gz", scan.values, scan)
    image = read_image(tmp_path / "t1.nii.gz")
    assert front_in(image) == "left"
    assert image.affine is not None
    mirrored = image.affine @ np.diag([1.0, 1.0, -1.0, 1.0])
    assert front_in(replace(image, affine=mirrored)) == "right"
    # Axial: columns run to the patient's left.
    axial = np.array([[0.0, 0, 1, 0], [0, 1, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1]])
    assert front_in(replace(image, affine=axial)) is None
