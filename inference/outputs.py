"""What a model answers, the losses that teach it, the decision that is frozen. Declarations alone, free of torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from inference.declared import SpecError, Variant, Within
from inference.steps import Count, Positive, Share


@dataclass(frozen=True)
class Probability(Variant):
    """One logit a case; ``target`` is the question, the labels its two answers."""

    tag: ClassVar[str] = "probability"
    target: str
    negative: str
    positive: str


@dataclass(frozen=True)
class Mask(Variant):
    """One logit a pixel: does it belong to ``target``?"""

    tag: ClassVar[str] = "mask"
    target: str


@dataclass(frozen=True)
class Level(Variant):
    """A class a pixel: background, then the vertebral levels from the head down."""

    tag: ClassVar[str] = "level"
    levels: tuple[str, ...]


@dataclass(frozen=True)
class Heatmap(Variant):
    """Where the model looked, by class activation at a stage that the family names; "" for its own choice."""

    tag: ClassVar[str] = "heatmap"
    method: Literal["grad-cam", "grad-cam++", "hires-cam"] = "grad-cam"
    stage: str = ""


Output = Probability | Mask | Level | Heatmap


@dataclass(frozen=True)
class CaseLoss(Variant):
    """Binary cross-entropy of the case's logit; ``balance`` weighs the classes alike."""

    tag: ClassVar[str] = "bce"
    weight: Positive = 1.0
    smoothing: Annotated[float, Within(0.0, 0.4)] = 0.0
    balance: bool = True


@dataclass(frozen=True)
class DiceLoss(Variant):
    """Dice and cross-entropy of the mask."""

    tag: ClassVar[str] = "dice_ce"
    weight: Positive = 1.0


@dataclass(frozen=True)
class StructureLoss(Variant):
    """Structure loss of the mask at every supervised depth; cases with a mask count ``balance`` times."""

    tag: ClassVar[str] = "structure"
    weight: Positive = 1.0
    balance: Positive = 1.0


@dataclass(frozen=True)
class LevelLoss(Variant):
    """Cross-entropy over levels and background."""

    tag: ClassVar[str] = "level_ce"
    weight: Positive = 1.0


@dataclass(frozen=True)
class PlaceLoss(Variant):
    """Cross-entropy of the mask where the truth is the place and the box of a finding rather than its outline.

    Pixels inside weigh ``balance`` times as much as others, which are far more.
    """

    tag: ClassVar[str] = "place"
    weight: Positive = 1.0
    balance: Positive = 10.0


Loss = CaseLoss | DiceLoss | StructureLoss | LevelLoss | PlaceLoss
# What each loss looks at.
LOOKS_AT: dict[type[Variant], type[Variant]] = {
    CaseLoss: Probability,
    DiceLoss: Mask,
    StructureLoss: Mask,
    LevelLoss: Level,
    PlaceLoss: Mask,
}


@dataclass(frozen=True)
class Platt(Variant):
    """p = sigmoid(slope · logit + intercept)."""

    tag: ClassVar[str] = "platt"
    slope: float
    intercept: float


@dataclass(frozen=True)
class Temperature(Variant):
    """p = sigmoid(logit / temperature)."""

    tag: ClassVar[str] = "temperature"
    temperature: Positive


@dataclass(frozen=True)
class Isotonic(Variant):
    """p rises in straight lines between these points."""

    tag: ClassVar[str] = "isotonic"
    logits: tuple[float, ...]
    probabilities: tuple[Share, ...]


@dataclass(frozen=True)
class Decision:
    """From logit to answer, frozen before any control or external case is seen.

    Attributes
    ----------
    calibration : Calibration
    threshold : float
        Calibrated probability from which the answer is positive.
    rule : str
        How it was chosen: ``youden``, ``sensitivity>=0.95``, ``specificity>=0.95``.
    fitted_on : str
        Digest of the tuning or out-of-fold predictions that were used.
    cases : int
        How many those were.
    abstain : tuple of float or None
        Between these two probabilities the answer is "uncertain".
    """

    calibration: Platt | Temperature | Isotonic
    threshold: Share
    rule: str
    fitted_on: str
    cases: Count
    abstain: tuple[Share, Share] | None = None


def place_of(kind: type[Variant], outputs: tuple[Output, ...]) -> int | None:
    """Place of the output of that kind; None where it is not asked for."""
    return next((number for number, one in enumerate(outputs) if isinstance(one, kind)), None)


def check_outputs(outputs: tuple[Output, ...]) -> None:
    if all(isinstance(one, Heatmap) for one in outputs):
        raise SpecError("outputs", "a probability, a mask or levels are wanted; a heat map alone answers nothing.")
    for number, one in enumerate(outputs):
        where = f"outputs[{number}]"
        if place_of(type(one), outputs) != number:
            raise SpecError(where, f"{one.tag} is asked for twice.")
        if isinstance(one, Probability) and one.negative == one.positive:
            raise SpecError(f"{where}.positive", "the two labels are the same.")
        if isinstance(one, Level) and (len(one.levels) < 2 or len(set(one.levels)) < len(one.levels)):
            raise SpecError(f"{where}.levels", "two levels at least, each once.")


def check_losses(losses: tuple[Loss, ...], outputs: tuple[Output, ...]) -> None:
    if not losses:
        raise SpecError("train.losses", "without a loss nothing is learnt.")
    for number, loss in enumerate(losses):
        where, wanted = f"train.losses[{number}]", LOOKS_AT[type(loss)]
        if place_of(wanted, outputs) is None:
            raise SpecError(where, f"{loss.tag} looks at the output {wanted.tag}, which is not asked for.")
        if any(LOOKS_AT[type(other)] is wanted for other in losses[:number]):
            raise SpecError(where, f"a loss of the output {wanted.tag} stands before it.")


def check_decision(decision: Decision | None, outputs: tuple[Output, ...]) -> None:
    if decision is None:
        return
    if place_of(Probability, outputs) is None:
        raise SpecError("decision", "a probability is decided on, and none is among the outputs.")
    if not re.fullmatch(r"youden|(sensitivity|specificity)>=(0?\.\d+|1(\.0*)?)", decision.rule):
        raise SpecError("decision.rule", f"{decision.rule!r} is not youden, sensitivity>=0.95 or specificity>=0.95.")
    if not re.fullmatch(r"[0-9a-f]{64}", decision.fitted_on):
        raise SpecError("decision.fitted_on", "the SHA-256 of the predictions that it was fitted on is wanted.")
    if decision.abstain is not None and not decision.abstain[0] <= decision.threshold <= decision.abstain[1]:
        raise SpecError("decision.abstain", f"the threshold {decision.threshold} lies between its two numbers.")
    points = decision.calibration
    if isinstance(points, Isotonic):
        rising = list(points.probabilities) == sorted(points.probabilities)
        if len(points.logits) != len(points.probabilities) or len(points.logits) < 2 or not rising:
            raise SpecError("decision.calibration", "two points at least, a probability for each logit, none falling.")
