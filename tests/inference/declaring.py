"""Specifications for tests of reading and preparing: what a model reads, nothing of how it is built."""

from inference.outputs import CaseLoss, DiceLoss, Level, LevelLoss, Mask, Probability
from inference.spec import Input, ModelSpec, Roi, Train, Whole
from inference.steps import Preprocess

FILM = Input("DX", view="lateral")
CT = Input("CT")
WHOLE = Whole()


def spec_of(
    *steps: Preprocess, inputs: tuple[Input, ...] = (FILM,), roi: Roi = WHOLE, levels: tuple[str, ...] = ()
) -> ModelSpec:
    """A specification with these steps; with levels also taught masks and levels."""
    taught = (CaseLoss(), DiceLoss(), LevelLoss()) if levels else (CaseLoss(),)
    maps = (Mask("fracture"), Level(levels)) if levels else ()
    return ModelSpec(
        name="reader",
        family="unet",
        inputs=inputs,
        preprocess=steps,
        outputs=(Probability("fracture", "no", "yes"), *maps),
        train=Train(losses=taught, rate=1e-3, epochs=1, batch=2),
        roi=roi,
    )
