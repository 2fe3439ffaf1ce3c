"""A study that is being read: images of noise, a model's output with a mark of its own, everything drawn and open."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client

from readerstudy.allocation.actions import draw
from readerstudy.allocation.models import Slot
from readerstudy.cases import frames
from readerstudy.cases.models import Case, Image, Series
from readerstudy.predictions.findings import Box, Findings, StoredPlane, Vertebra
from readerstudy.predictions.models import Algorithm, Prediction, PredictionRun, RunCase
from readerstudy.reading.actions import open_reading
from readerstudy.reading.models import Reading
from readerstudy.reference.models import Standard, Truth
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.outline import CROSSOVER, ArmOutline, Outline
from tests.world import People, make_study

# An arm that shows whatever there is to be shown.
ALL_SHOWN = replace(
    CROSSOVER,
    arms=(
        CROSSOVER.arms[0],
        ArmOutline("Aided", "aided", "concurrent", True, True, shows_mask=True, shows_boxes=True, shows_levels=True),
    ),
)
SEED = "5eed5eed5eed5eed5eed5eed5eed5eed"
ROWS, COLUMNS = 24, 20


@dataclass(frozen=True)
class Hidden:
    """What no reader may learn."""

    truth: Sequence[bool] = (True, False, True, False)
    scores: Sequence[float] = (0.8125, 0.1875, 0.6875, 0.3125)
    labels: Sequence[str] = ("spine-1", "spine-2", "spine-3", "spine-4")
    site: str = "Northern Hospital"
    heatmap: bytes = b"\x89PNG heat map 4711"
    mask: bytes = b"\x89PNG mask 4712"
    level: str = "L1"
    corner: float = 6.25
    box: str = "cleft"
    findings: Findings | None = None
    algorithm: str = "Vertebra-net"
    version: str = "7.3.1"
    ritas_answer: tuple[bool, int] = (True, 90)
    order: Sequence[int] = (0, 1, 2, 3)


@dataclass
class Room:
    people: People
    study: Study
    hidden: Hidden = field(default_factory=Hidden)

    def reader(self, username: str = "bob") -> Enrolment:
        return self.study.enrolments.get(user__username=username)

    def slots(self, username: str = "bob") -> list[Slot]:
        own = Slot.objects.filter(reader=self.reader(username)).order_by("period__number", "-training", "position")
        return list(own.select_related("reader__study", "arm", "period", "case"))


def put(content: bytes, ending: str) -> str:
    digest = hashlib.sha256(content).hexdigest()
    key = f"frames/{digest[:2]}/{digest}.{ending}"
    if not storages["default"].exists(key):
        storages["default"].save(key, ContentFile(content))
    return key


def add_series(case: Case, label: str = "Second", noise: int = 0, images: int = 1) -> Series:
    position = case.series.count() + 1
    series = Series.objects.create(case=case, position=position, label=label, modality="DX", plane="sagittal")
    for number in range(1, images + 1):
        pixels = np.random.default_rng(noise + 100 * number).integers(0, 4096, (ROWS, COLUMNS), dtype=np.uint16)
        packed = frames.encode(pixels)
        Image.objects.create(
            series=series,
            position=number,
            source_digest=hashlib.sha256(case.label.encode()).hexdigest(),
            frame_digest=hashlib.sha256(packed).hexdigest(),
            frame_key=put(packed, "f16"),
            preview_key=put(frames.encode(pixels[::4, ::4]), "f16"),
            rows=ROWS,
            columns=COLUMNS,
            bits=12,
            window_center=2048.0,
            window_width=4096.0,
            spacing=[0.2, 0.2],
            calibrated=True,
        )
    return series


def add_case(study: Study, label: str, site: str, noise: int, images: int = 1) -> Case:
    patient = hashlib.sha256(label.encode()).hexdigest()
    token = hashlib.sha256(f"case {noise}".encode()).hexdigest()[:22]
    case = Case.objects.create(study=study, label=label, patient=patient, site=site, token=token)
    add_series(case, label="Lateral", noise=noise, images=images)
    return case


def set_truth(study: Study, cases: Sequence[Case], truth: Sequence[bool], by: Any) -> Standard:
    standard = Standard.objects.create(study=study, number=1, method="Two truthers", digest="0" * 64, made_by=by)
    Truth.objects.bulk_create(
        Truth(standard=standard, case=case, positive=positive) for case, positive in zip(cases, truth, strict=True)
    )
    return standard


def findings_for(case: Case, hidden: Hidden) -> Findings:
    if hidden.findings is not None:
        return hidden.findings
    top, bottom = hidden.corner, hidden.corner + 5
    corners = ((top, 4.0), (top, 12.0), (bottom, 12.0), (bottom, 4.0))
    return Findings(
        operating_point=0.4375,
        heatmaps=(StoredPlane(0, 0, put(hidden.heatmap + case.token.encode(), "png")),),
        masks=(StoredPlane(0, 0, put(hidden.mask + case.token.encode(), "png")),),
        vertebrae=(Vertebra(hidden.level, hidden.scores[0], True, 0, 0, corners, (20.0, 18.0, 22.0)),),
        boxes=(Box(0, 0, hidden.corner, 3.0, 7.0, 9.0, hidden.box, hidden.scores[0]),),
    )


def predict(study: Study, cases: Sequence[Case], hidden: Hidden, by: Any) -> PredictionRun:
    algorithm = Algorithm.objects.create(
        name=hidden.algorithm,
        version=hidden.version,
        digest=hashlib.sha256(hidden.algorithm.encode()).hexdigest(),
        card={"operating_point": {"threshold": 0.4375}},
        folder_key="algorithms/none",
        registered_by=by,
    )
    run = PredictionRun.objects.create(study=study, algorithm=algorithm, assists=True, started_by=by)
    for case, score in zip(cases, hidden.scores, strict=True):
        prediction = Prediction.objects.create(
            algorithm=algorithm,
            input_digest=hashlib.sha256(case.token.encode()).hexdigest(),
            parameters_digest="0" * 64,
            phase=Prediction.Phase.DONE,
            probability=score,
            positive=score >= 0.4375,
            findings=findings_for(case, hidden).to_document(),
        )
        RunCase.objects.create(run=run, case=case, prediction=prediction)
    return run


def prepared_room(people: People, hidden: Hidden | None = None, outline: Outline = CROSSOVER, images: int = 1) -> Room:
    """Frozen, with cases, truth and predictions; neither drawn nor open."""
    hidden = hidden or Hidden()
    study = make_study(people, phase=Study.Phase.FROZEN, outline=outline)
    made = {number: add_case(study, hidden.labels[number], hidden.site, number, images) for number in hidden.order}
    cases = [made[number] for number in sorted(made)]
    set_truth(study, cases, hidden.truth, people.tess)
    predict(study, cases, hidden, people.alice)
    return Room(people, study, hidden)


def open_room(people: People, hidden: Hidden | None = None, outline: Outline = CROSSOVER, images: int = 1) -> Room:
    return start(prepared_room(people, hidden, outline, images))


def start(room: Room) -> Room:
    draw(study=room.study, by=room.people.alice, seed=SEED)
    open_reading(study=room.study, by=room.people.alice)
    return room


def body(decision: bool = True, confidence: float = 80, **changes: Any) -> dict[str, Any]:
    return {
        "client_key": str(uuid4()),
        "answers": {"decision": decision, "confidence": confidence},
        "activity": {"events": [{"t": 0, "kind": "loaded"}], "duration_ms": 0},
        "exposures": [],
    } | changes


def post(client: Client, slot: Slot, door: str, content: Any) -> Any:
    return client.post(f"/reading/{slot.token}/{door}", content, content_type="application/json")


def read_slot(client: Client, slot: Slot, **answers: Any) -> dict[str, Any]:
    """Open a case and submit it, as the page does."""
    assert client.get(f"/reading/{slot.token}/case.json").status_code == 200
    response = post(client, slot, "submit", body(**answers))
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


def reading_of(slot: Slot) -> Reading:
    return Reading.objects.get(slot=slot)
