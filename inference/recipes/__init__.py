"""Recipes: what a model is made of and how it is trained, as data. The seed and the cohort decide the rest."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from inference.saliency import METHODS

FOLDER = Path(__file__).parent
TABLES = {
    "architecture": None,
    "preprocessing": {"rows", "columns", "low", "high"},
    "training": {"epochs", "patience", "batch", "rate", "decay", "smoothing", "flip"},
    "explanation": {"method", "stage"},
}


class BadRecipe(ValueError):
    """A recipe that cannot be followed; the text names the table or the field."""


def presets() -> list[str]:
    """Names of the recipes that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_recipe(name: str) -> dict[str, Any]:
    """A recipe by the name of a preset or by the path of a TOML file.

    Raises
    ------
    BadRecipe
        Where there is no such recipe, or a table or field is missing or unknown.

    Examples
    --------
    >>> read_recipe("small")["family"]
    'small_cnn'
    """
    path = FOLDER / f"{name}.toml" if name in presets() else Path(name)
    try:
        recipe = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadRecipe(
            f"There is no recipe {name!r}; presets are {', '.join(presets())}, others are files."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadRecipe(f"The recipe {name} cannot be read: {error}.") from error
    return checked(recipe, name)


def checked(recipe: dict[str, Any], name: str) -> dict[str, Any]:
    for table, fields in TABLES.items():
        if not isinstance(recipe.get(table), dict):
            raise BadRecipe(f"The recipe {name} has no table [{table}].")
        if fields is not None and set(recipe[table]) != fields:
            wrong = ", ".join(sorted(set(recipe[table]) ^ fields))
            raise BadRecipe(f"The recipe {name}, table [{table}]: missing or unknown: {wrong}.")
    if "places" in recipe and set(recipe["places"]) != {"weight", "radius"}:
        raise BadRecipe(f"The recipe {name}, table [places]: weight and radius, no more and no less.")
    if recipe["explanation"]["method"] not in METHODS:
        raise BadRecipe(f"The recipe {name}, explanation: method is one of {', '.join(METHODS)}.")
    if not isinstance(recipe.get("family"), str):
        raise BadRecipe(f"The recipe {name} names no family.")
    return recipe
