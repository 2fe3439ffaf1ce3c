"""Write where a model looked: in the images of one case as a picture, or in every case of a cohort."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from inference.cohorts.cases import BadCohort
from inference.commands.words import add_roles, asked
from inference.imaging.pixels import UnreadableInput

if TYPE_CHECKING:
    from inference.imaging.images import Image
    from inference.prediction import Place
    from inference.spec import ModelSpec

MANIFEST, PICTURE = ".csv", ".png"


def add_arguments(command: argparse.ArgumentParser) -> None:
    from inference.explain import METHODS

    command.add_argument(
        "files", nargs="+", metavar="FILE",
        help="image or series, of several inputs NAME=FILE each; or the manifest of a cohort (.csv)",
    )  # fmt: skip
    command.add_argument("--model", type=Path, required=True, help="folder of card and weights")
    command.add_argument(
        "--out", type=Path, required=True,
        help="PNG file, of a volume its strongest slice; of a cohort the folder in which heatmaps/ is made",
    )  # fmt: skip
    command.add_argument("--over", action="store_true", help="in colours over the image, instead of grey by itself")
    command.add_argument("--method", choices=METHODS, help="instead of the one that the card names")
    command.add_argument("--of", choices=("case", "mask"), help="explain the case's logit or the mask it marks")
    command.add_argument(
        "--place", type=float, nargs="+", metavar="NUMBER",
        help="of the finding in voxels: SLICE ROW COLUMN, and HEIGHT WIDTH of its box",
    )  # fmt: skip
    add_roles(command)


def run(options: argparse.Namespace) -> None:
    import torch

    torch.set_num_threads(1)
    if [Path(word).suffix.lower() for word in options.files] == [MANIFEST]:
        explain_cohort(Path(options.files[0]), options)
    else:
        explain_case(options)


def explain_cohort(manifest: Path, options: argparse.Namespace) -> None:
    from inference.serving.explaining import HEATMAPS, write_heatmaps

    if options.over or options.place:
        raise BadCohort("--over and --place are for the images of one case; a manifest names the places itself.")
    if options.out.suffix.lower() == PICTURE:
        raise BadCohort(f"{options.out} is a picture; the heat maps of a cohort go to a folder.")
    card, model, samples = asked(options.model, manifest, options.roles)
    count = write_heatmaps(card.spec, model, samples, options.out, of=options.of, method=options.method)
    print(
        f"{options.out / HEATMAPS}: {count} cases explained by {card.name}, version {card.version}, {model.cam_layer}"
    )


def explain_case(options: argparse.Namespace) -> None:
    import torch

    from inference.explain.cam import heat_maps
    from inference.explain.picture import grey_png, over_png, strongest_slice
    from inference.imaging.preparing import prepare
    from inference.models.weights import load_declared

    if options.roles:
        raise BadCohort("--roles chooses cases of a manifest, and images were given.")
    card, model = load_declared(options.model, draft=True)
    spec = card.spec
    images = images_of(spec, options.files)
    prepared = prepare(spec, images, place_of(options.place))
    tensors = {name: torch.from_numpy(array)[None] for name, array in prepared.inputs.items()}
    (plane,) = heat_maps(model, spec, tensors, of=options.of, method=options.method)
    laid, shown = prepared.geometry.back(plane), images[spec.inputs[0].name].values
    number = strongest_slice(laid) if laid.ndim == 3 else prepared.geometry.slice or 0
    flat = laid[number] if laid.ndim == 3 else laid
    options.out.write_bytes(over_png(shown[number], flat) if options.over else grey_png(flat))
    print(f"{options.out}: {card.name}, version {card.version}, {model.cam_layer}, slice {number}")


def images_of(spec: ModelSpec, files: list[str]) -> dict[str, Image]:
    """By name of the input; a model with one input needs no name."""
    from inference.imaging.images import read_image

    names = [one.name for one in spec.inputs]
    given = {}
    for word in files:
        name, equals, path = word.partition("=")
        if not equals or name not in names:
            name, path = (names[0] if len(names) == 1 else ""), word
        if not name or name in given:
            wanted = " ".join(f"{one}=FILE" for one in names)
            raise UnreadableInput(f"{word} is no single input of the model; it reads {wanted}.")
        given[name] = read_image(Path(path))
    return given


def place_of(numbers: list[float] | None) -> Place | None:
    from inference.prediction import Place

    if numbers is not None and len(numbers) not in (3, 5):
        raise UnreadableInput("A place has three numbers, slice, row and column, or five, with height and width.")
    return None if numbers is None else Place(*numbers)
