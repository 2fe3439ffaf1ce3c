"""The families that are built from a specification. Each declares what it offers; the rest is refused by field.

Importing this module imports no torch; a family's module is imported when the family is first asked for, MONAI when a
model that needs it is built.

>>> names()
['baseline', 'located', 'mbconv', 'pfnet', 'resnet', 'unet']
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from inference.declared import SpecError, Variant, document_of, frozen, parsed
from inference.outputs import Heatmap, Mask
from inference.spec import ModelSpec
from inference.steps import ResizePad

if TYPE_CHECKING:
    from inference.models.contract import Model

STUDIES = Path(__file__).parents[1] / "recipes" / "studies"
BUILT_IN = {
    "baseline": "inference.models.baselines",
    "located": "inference.models.located",
    "mbconv": "inference.models.mbconv",
    "pfnet": "inference.models.pfnet",
    "resnet": "inference.models.resnet",
    "unet": "inference.models.unet",
}

# Under which an installed package announces its families: NAME = "its.module", whose import calls `register`.
OUTSIDE = "inference.models"


@dataclass(frozen=True)
class Architecture(ABC):
    """Base of what a family lets a specification choose under ``[architecture]``; fields are declared by subclasses."""

    @abstractmethod
    def stages(self) -> Mapping[str, str]:
        """Names of the stages that can be explained, each with the path of its module; the last is the default."""

    def multiple(self) -> int:
        """Of which every number of the input's size must be a multiple."""
        return 1

    def check(self, spec: ModelSpec) -> None:  # noqa: B027 - most architectures can do all that a specification may ask
        """Raise SpecError for what this architecture cannot do."""


A = TypeVar("A", bound=Architecture)


@dataclass(frozen=True)
class Family:
    """What a family offers.

    Attributes
    ----------
    name : str
    architecture : type
        The dataclass that reads ``[architecture]``.
    outputs : frozenset of type
        Kinds of output (`inference.outputs`).
    dimensions : frozenset of int
        2, 3 or both.
    build : callable
        From specification and architecture to the model.
    """

    name: str
    architecture: type[Architecture]
    outputs: frozenset[type[Variant]]
    dimensions: frozenset[int]
    build: Callable[[ModelSpec, Any], Model]


_FAMILIES: dict[str, Family] = {}


def register(
    name: str, *, architecture: type[A], outputs: Collection[type[Variant]], dimensions: Collection[int] = (2,)
) -> Callable[[Callable[[ModelSpec, A], Model]], Callable[[ModelSpec, A], Model]]:
    """Enter a family under its name; packages outside this one may do so too, and announce it as an entry point."""

    def enter(builder: Callable[[ModelSpec, A], Model]) -> Callable[[ModelSpec, A], Model]:
        _FAMILIES[name] = Family(name, architecture, frozenset(outputs), frozenset(dimensions), builder)
        return builder

    return enter


def names() -> list[str]:
    """Names of all families that a specification may ask for."""
    return sorted({*BUILT_IN, *_FAMILIES, *(point.name for point in entry_points(group=OUTSIDE))})


def family(name: str) -> Family:
    """The family of that name.

    Raises
    ------
    SpecError
        Where none is registered under it.
    """
    if name not in _FAMILIES and name in BUILT_IN:
        import_module(BUILT_IN[name])
    if name not in _FAMILIES:
        for point in entry_points(group=OUTSIDE, name=name):
            point.load()
    if name not in _FAMILIES:
        raise SpecError("family", f"{name!r} is not registered; known are {', '.join(names())}.")
    return _FAMILIES[name]


def studies() -> list[str]:
    """Names of the specifications that come with the package."""
    return sorted(path.stem for path in STUDIES.glob("*.toml"))


def load(name: str, preset: str = "") -> ModelSpec:
    """A specification by the name of a study's recipe or the path of a TOML file, checked against its family.

    Parameters
    ----------
    name : str
        One of `studies()`, or a path.
    preset : str
        ``small`` for two processor cores; "" for the published sizes.

    Raises
    ------
    SpecError
        With the path of the field that cannot be satisfied.

    Examples
    --------
    >>> load("s1-resnet50", "small").architecture["depth"]
    10
    """
    if name in studies():
        return checked(ModelSpec.read(STUDIES / f"{name}.toml", preset))
    if "." not in name and not Path(name).exists():
        raise SpecError(name, f"is no recipe and no file; there are the recipes {', '.join(studies())}.")
    return checked(ModelSpec.read(Path(name), preset))


def checked(spec: ModelSpec) -> ModelSpec:
    """The specification with the defaults of its architecture filled in, so that its digest holds them.

    Raises
    ------
    SpecError
        With the path of the field that the family cannot satisfy.
    """
    offered = family(spec.family)
    architecture = architecture_of(spec)
    architecture.check(spec)
    for number, output in enumerate(spec.outputs):
        if type(output) not in offered.outputs:
            raise SpecError(f"outputs[{number}]", f"the family {spec.family} has no {output.tag}.")
        if isinstance(output, Heatmap) and output.stage not in {"", *architecture.stages()}:
            known = ", ".join(architecture.stages())
            raise SpecError(f"outputs[{number}].stage", f"{output.stage!r} is not one of {known}.")
    where = f"preprocess[{next(n for n, step in enumerate(spec.preprocess) if isinstance(step, ResizePad))}].size"
    if len(spec.size) not in offered.dimensions:
        wanted = " or ".join(map(str, sorted(offered.dimensions)))
        raise SpecError(where, f"the family {spec.family} works in {wanted} dimensions, not in {len(spec.size)}.")
    if any(number % architecture.multiple() for number in spec.size):
        raise SpecError(where, f"the family {spec.family} needs multiples of {architecture.multiple()}.")
    return replace(spec, architecture=frozen(document_of(architecture)))


def architecture_of(spec: ModelSpec) -> Architecture:
    return parsed(family(spec.family).architecture, spec.architecture, "architecture")


def cam_layer(spec: ModelSpec, architecture: Architecture) -> str:
    """Path of the module that the specification's heat map is taken from, or the family's default."""
    stages = architecture.stages()
    heatmap = spec.output(Heatmap)
    return stages[heatmap.stage] if heatmap is not None and heatmap.stage else list(stages.values())[-1]


def needs_mask(spec: ModelSpec) -> None:
    """For families that read everything from their mask."""
    if spec.output(Mask) is None:
        raise SpecError("outputs", f"the family {spec.family} reads its answers from a mask, which is not asked for.")


def build(spec: ModelSpec) -> Model:
    """A fresh model; the same specification gives the same weights, whatever was drawn before.

    Raises
    ------
    SpecError
        With the path of the field that cannot be satisfied.
    """
    import torch

    whole = checked(spec)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(whole.train.seed)
        return family(whole.family).build(whole, architecture_of(whole))
