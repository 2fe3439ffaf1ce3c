"""Marks of what a model has seen: enough to recognise a patient or an image, not enough to name one."""

from dataclasses import replace
from pathlib import Path

import pytest

from inference.cards import Card
from inference.cohorts.cases import BadCohort, CohortCase, check_unseen, digest_of, seen
from inference.imaging.images import read_image


def test_what_a_model_has_seen_is_refused(trained: tuple[Path, Card], cases: tuple[CohortCase, ...]) -> None:
    folder, card = trained
    digest = card.data["seen_sha256"]
    stranger = replace(cases[0], patient="new")
    check_unseen([stranger], ["new"], folder, digest)
    with pytest.raises(BadCohort, match=f"patient {cases[0].patient} stands in the model's"):
        check_unseen([cases[0]], ["new"], folder, digest)
    pixels = read_image(cases[0].images[""]).values
    with pytest.raises(BadCohort, match=f"image of {cases[0].case} stands in the model's"):
        check_unseen([stranger], [digest_of(pixels)], folder, digest)
    with pytest.raises(BadCohort, match=r"seen\.json is not the one of this card"):
        check_unseen([cases[0]], ["new"], folder, "0" * 64)
    with pytest.raises(BadCohort, match=r"seen\.json is missing"):
        check_unseen([cases[0]], ["new"], folder / "elsewhere", digest)


def test_the_list_of_the_seen_names_nobody(cases: tuple[CohortCase, ...]) -> None:
    marks = seen(cases, [case.case for case in cases])
    assert len(marks["patients"]) == 20
    assert not {case.patient for case in cases} & set(marks["patients"])
