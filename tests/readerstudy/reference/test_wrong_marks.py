"""Marks that no truther could draw, sent to the server directly or found by a model."""

import json

from django.utils import translation

from readerstudy.audit.models import Event
from readerstudy.cases.models import Case
from readerstudy.reference import actions, outlines
from readerstudy.reference.drawn import marks_of, planes_of
from readerstudy.reference.marks import Mark
from readerstudy.reference.models import AnnotationDraft
from readerstudy.studies.models import Study
from tests.readerstudy.reference.test_annotation import BOX, address, post, work
from tests.world import People, client_of

UPPER, LOWER = [[2.0, 3.0], [12.0, 3.0]], [[12.0, 9.0], [2.0, 9.0]]
VERTEBRA = BOX | {"kind": "vertebra", "label": "L1", "points": [*UPPER, *LOWER]}


def test_a_vertebra_whose_sides_cross_is_refused_in_both_languages_and_loses_nothing(
    study: Study, people: People, cases: list[Case]
) -> None:
    client, where = client_of(people.tess), address("draft", study, cases[0])
    post(client, where, work(VERTEBRA))
    bow = work(VERTEBRA | {"points": [*UPPER, *reversed(LOWER)]}) | {"revision": 1}

    answer = post(client, where, bow)
    body, headers = json.dumps(bow), {"accept-language": "zh-hans"}
    # A request leaves its language to whatever runs after it.
    with translation.override("en"):
        chinese = client.post(where, body, content_type="application/json", headers=headers)

    assert (answer.status_code, chinese.status_code) == (400, 400)
    assert answer.json()["error"] == outlines.OUT_OF_ORDER
    assert chinese.json()["error"].startswith("椎体的边线相互交叉")
    assert AnnotationDraft.objects.get().work["marks"] == [VERTEBRA]


def test_what_a_truther_could_not_draw_is_not_offered(cases: list[Case], people: People) -> None:
    """A model's vertebra that is a bow-tie is left out, and the audit counts it."""
    bow = Mark("v", "vertebra", 0, 0, "L1", ((2.0, 3.0), (12.0, 3.0), (2.0, 9.0), (12.0, 9.0)))
    marks = [*marks_of([BOX], planes_of(cases[0])), bow]

    proposal = actions.offer_marks(
        case=cases[0], source="spine-net", source_digest="d" * 64, marks=marks, by=people.alice
    )

    assert proposal is not None
    assert [mark["kind"] for mark in proposal.marks] == ["box"]
    assert Event.objects.get(verb="reference.marks_offered").facts["left_out"] == 1
    assert actions.offer_marks(case=cases[1], source="x", source_digest="e" * 64, marks=[bow], by=people.alice) is None
