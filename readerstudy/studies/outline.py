"""What a new study starts from, as data. Everything in it can be changed while the study is a draft."""

from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext, gettext_noop

LEVELS = (*(f"T{number}" for number in range(1, 13)), *(f"L{number}" for number in range(1, 6)))


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
    unaided_share: float = 0
    sham_share: float = 0
    heatmap_at_once: bool = True


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
    scale: str = "slider"
    items: tuple[str, ...] = field(default=(), metadata={"meaning": "rows of a grid"})
    depends_on: str = field(default="", metadata={"meaning": "key of the question after which this one is asked"})
    depends_on_values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class RulesOutline:
    """How readers sit and what they may do."""

    hanging: dict[str, Any] | None = None
    unreadable_reasons: tuple[str, ...] = ()
    may_revise: bool = False
    break_minutes: int = 30
    display_check: bool = False
    training_pass_mark: float | None = None


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
    rules: RulesOutline = RulesOutline()


EMPTY = Outline()
DECISION = QuestionOutline(kind="decision", key="decision", text=gettext_noop("Is the finding present?"))
CONFIDENCE = QuestionOutline(
    kind="confidence",
    key="confidence",
    text=gettext_noop("How sure are you that the finding is present?"),
    help=gettext_noop("0: certainly absent; 100: certainly present. The number must agree with your decision."),
    minimum=0,
    maximum=100,
    threshold=50,
)
CROSSOVER = Outline(
    arms=(
        ArmOutline(label=gettext_noop("Unaided"), code="unaided"),
        ArmOutline(
            label=gettext_noop("Aided"),
            code="aided",
            assistance="concurrent",
            shows_probability=True,
            shows_heatmap=True,
        ),
    ),
    washouts=(0, 28),
    questions=(DECISION, CONFIDENCE),
    endpoints=(
        EndpointOutline(rank="primary", metric="auc", method="mrmc"),
        EndpointOutline(rank="secondary", metric="sensitivity", method="per_reader"),
        EndpointOutline(rank="secondary", metric="specificity", method="per_reader"),
    ),
)
GENANT = QuestionOutline(
    kind="grid",
    key="genant",
    text="Genant grade of each vertebra",
    help="0: none; 1: 20 to 25 %; 2: 25 to 40 %; 3: more than 40 % loss of height.",
    choices=("0", "1", "2", "3"),
    items=LEVELS,
)
UNREADABLE = (
    gettext_noop("Poor image quality"),
    gettext_noop("Anatomy not covered"),
    gettext_noop("Wrong or missing image"),
    gettext_noop("Other"),
)
# What the page that creates a study starts from: the crossover, with a display check and a way out of unreadable cases.
SITTING = replace(CROSSOVER, rules=RulesOutline(unreadable_reasons=UNREADABLE, display_check=True))


def in_language(outline: Outline) -> Outline:
    """The same in the language of who creates the study; codes, keys and all that is computed stay."""
    reasons = tuple(gettext(reason) for reason in outline.rules.unreadable_reasons)
    return replace(
        outline,
        arms=tuple(replace(arm, label=gettext(arm.label)) for arm in outline.arms),
        questions=tuple(
            replace(asked, text=gettext(asked.text), help=asked.help and gettext(asked.help))
            for asked in outline.questions
        ),
        rules=replace(outline.rules, unreadable_reasons=reasons),
    )
