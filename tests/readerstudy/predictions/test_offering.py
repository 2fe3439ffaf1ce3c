"""A model's findings as marks before the truthers: where they lie, and that they are offered once."""

import pytest
from django.urls import reverse

from inference.prediction import Box, Plane, Vertebra
from inference.prediction import Prediction as Outcome
from readerstudy.audit.errors import Denied, Refused
from readerstudy.cases.models import Case
from readerstudy.predictions import offering, working
from readerstudy.predictions.models import Algorithm, PredictionRun
from readerstudy.reference.models import Proposal
from tests.planes import spot
from tests.world import People, client_of

# Row and column from the centre of the first pixel.
CORNERS = ((1.5, 2.5), (1.5, 9.5), (7.5, 9.5), (7.5, 2.5))
FOUND = {
    "vertebrae": (Vertebra("L1", 0.9, True, corners=CORNERS), Vertebra("X9", 0.1, False, corners=CORNERS)),
    "boxes": (Box(0, 0, row=3, column=4, height=6, width=5, label="Cleft"),),
    # 12 x 12 over 24 x 24 pixels: rows and columns 3 to 5 of it are set.
    "masks": (Plane.of(spot(shape=(12, 12))),),
}


def answered(run: PredictionRun, algorithm: Algorithm) -> Case:
    """The first case of the run with findings; the others stay unanswered."""
    row = run.run_cases.select_related("prediction", "case").order_by("case__label")[0]
    said = Outcome(
        probability=0.9,
        positive=True,
        operating_point=0.5,
        card_digest=algorithm.digest,
        input_digest=row.prediction.input_digest,
        **FOUND,  # type: ignore[arg-type]
    )
    assert working.record(row.prediction.token, "", said.to_message())
    return row.case


def test_findings_become_marks_of_the_same_places(run: PredictionRun, algorithm: Algorithm, people: People) -> None:
    case = answered(run, algorithm)

    assert offering.offer(run=run, by=people.alice) == 1

    proposal = Proposal.objects.get(case=case)
    named, other, box, mask = proposal.marks
    assert (named["kind"], named["label"], other["label"]) == ("vertebra", "L1", "")
    assert named["points"] == [[3.0, 2.0], [10.0, 2.0], [10.0, 8.0], [3.0, 8.0]]
    # The first pixel's centre at column 4, so its edge at 4, and five pixels wide.
    assert (box["points"], box["label"]) == ([[4.0, 3.0], [9.0, 9.0]], "Cleft")
    assert sum(mask["runs"][1::2]) == 6 * 6
    assert proposal.source == str(algorithm)


def test_marks_are_offered_once_and_by_the_coordinator(
    run: PredictionRun, algorithm: Algorithm, people: People
) -> None:
    with pytest.raises(Refused, match="nothing to offer"):
        offering.offer(run=run, by=people.alice)
    answered(run, algorithm)
    with pytest.raises(Denied):
        offering.offer(run=run, by=people.tess)
    client = client_of(people.alice)
    address = reverse("predictions:offer", args=[run.study.token, run.token])

    first, second = (client.post(address, follow=True).content.decode() for _ in range(2))

    assert "truthers of 1 cases have new marks" in first
    assert "truthers of 0 cases have new marks" in second
    assert Proposal.objects.count() == 1
