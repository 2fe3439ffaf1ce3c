"""What a new study starts from, as data. Everything in it can be changed while the study is a draft."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ArmOutline:
    label: str
    code: str = ""
    assistance: str = "none"
    shows_probability: bool = False
    shows_heatmap: bool = False
    shows_mask: bool = False
    shows_boxes: bool = False
    shows_levels: bool = False


@dataclass(frozen=True)
class QuestionOutline:
    kind: str
    text: str
    key: str = ""
    help: str = ""
    required: bool = True
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    threshold: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class EndpointOutline:
    rank: str
    metric: str
    method: str
    margin: float | None = None


@dataclass(frozen=True)
class Outline:
    arms: tuple[ArmOutline, ...] = ()
    washouts: tuple[int, ...] = field(default=(), metadata={"meaning": "days before each period, the first being 0"})
    questions: tuple[QuestionOutline, ...] = ()
    endpoints: tuple[EndpointOutline, ...] = ()


EMPTY = Outline()
DECISION = QuestionOutline(kind="decision", key="decision", text="Is the finding present?")
CONFIDENCE = QuestionOutline(
    kind="confidence",
    key="confidence",
    text="How sure are you that the finding is present?",
    help="0: certainly absent; 100: certainly present. The number must agree with your decision.",
    minimum=0,
    maximum=100,
    threshold=50,
)
CROSSOVER = Outline(
    arms=(
        ArmOutline(label="Unaided", code="unaided"),
        ArmOutline(label="Aided", code="aided", assistance="concurrent", shows_probability=True, shows_heatmap=True),
    ),
    washouts=(0, 28),
    questions=(DECISION, CONFIDENCE),
    endpoints=(
        EndpointOutline(rank="primary", metric="auc", method="mrmc"),
        EndpointOutline(rank="secondary", metric="sensitivity", method="per_reader"),
        EndpointOutline(rank="secondary", metric="specificity", method="per_reader"),
    ),
)
