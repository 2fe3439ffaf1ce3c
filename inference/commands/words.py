"""Options that several commands share, and the cohort and specification that they name."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from inference.cohorts.cases import BadCohort
from inference.models import registry
from inference.spec import ModelSpec

if TYPE_CHECKING:
    from inference.cards import Card
    from inference.cohorts.cases import CohortCase, Role
    from inference.cohorts.samples import Samples
    from inference.learning.drafts import Notes
    from inference.models.contract import Model

ROLES = ("develop", "control", "external")
UNSEEN: tuple[Role, ...] = ("control", "external")


def add_teaching(command: argparse.ArgumentParser) -> None:
    command.add_argument("spec", help=f"{', '.join(registry.studies())}, or the path of a TOML file")
    command.add_argument("manifest", type=Path, help="CSV with one row per image; only the role develop is taught")
    command.add_argument("--out", type=Path, required=True, help="folder in which the model gets a folder of its name")
    command.add_argument("--preset", default="", help="small: for two processor cores; without it, published sizes")
    command.add_argument("--epochs", type=int, help="instead of the number in the specification")
    command.add_argument("--seed", type=int, help="instead of the one in the specification")
    command.add_argument("--weights", help="safetensors file to start from")


def add_notes(command: argparse.ArgumentParser) -> None:
    command.add_argument("--licence", default="for research", help="as it will stand in the card")
    command.add_argument(
        "--intended-use", default="Assistance in reader studies; not for the care of patients.", help="so too"
    )
    command.add_argument("--limits", default="Taught on one cohort; see data and metrics.", help="so too")


def add_decision(command: argparse.ArgumentParser) -> None:
    from inference.deciding.decision import METHODS

    command.add_argument("--rule", default="youden", help="youden, sensitivity>=0.95 or specificity>=0.95")
    command.add_argument("--calibration", choices=METHODS, default="platt", help="of logits to probabilities; platt")
    command.add_argument(
        "--certain", type=float, default=0.0, metavar="SHARE",
        help="answer 'uncertain' where neither this share of the positives nor of the negatives is settled",
    )  # fmt: skip


def add_roles(command: argparse.ArgumentParser) -> None:
    command.add_argument("--roles", nargs="+", choices=ROLES, help="of the manifest; by default control and external")


def spec_of(options: argparse.Namespace) -> ModelSpec:
    """The specification with what the words change in its training."""
    spec = registry.load(options.spec, options.preset)
    given = {"epochs": options.epochs, "seed": options.seed, "weights": options.weights}
    changes = {name: value for name, value in given.items() if value is not None}
    return ModelSpec.from_document(replace(spec, train=replace(spec.train, **changes)).to_document())


def notes_of(options: argparse.Namespace) -> Notes:
    from inference.learning.drafts import Notes

    return Notes(options.licence, options.intended_use, options.limits)


def samples_of(spec: ModelSpec, manifest: Path) -> Samples:
    """The cases of development, read and prepared."""
    from inference.cohorts.samples import load_samples

    roles: tuple[Role, ...] = ("develop",)
    return load_samples(spec, cases_of(spec, manifest, roles))


def cases_of(spec: ModelSpec, manifest: Path, roles: Collection[Role]) -> list[CohortCase]:
    """The cases of these roles; no patient of the manifest may stand in two.

    Raises
    ------
    BadCohort
        Where there is none, or a patient stands in two roles.
    """
    from inference.cohorts.cases import read_cohort

    chosen = [case for case in read_cohort(manifest, [one.name for one in spec.inputs]) if case.role in roles]
    if not chosen:
        raise BadCohort(f"{manifest} has no case of the role {' or '.join(roles)}.")
    return chosen


def asked(folder: Path, manifest: Path, roles: Collection[Role] | None) -> tuple[Card, Model, Samples]:
    """A model and the cases that are put to it, control and external ones unless roles are named.

    Of another role than ``develop`` none is before the decision is frozen, and none that the model was made with.

    Raises
    ------
    BadCohort, CardError
        Naming the case.
    """
    from inference.cohorts.samples import load_samples, refuse_seen
    from inference.deciding.decision import check_decided
    from inference.models.weights import load_declared

    card, model = load_declared(folder, draft=True)
    cases = cases_of(card.spec, manifest, roles or UNSEEN)
    check_decided(card, cases)
    samples = load_samples(card.spec, cases, taught=False)
    refuse_seen(samples, folder, card.data["seen_sha256"])
    return card, model, samples
