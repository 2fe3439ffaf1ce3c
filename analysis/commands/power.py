"""Power of a study of many readers and many cases, from a pilot or from published components."""

import argparse
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.commands.words import add_columns, add_format, listed, names_of
from analysis.errors import CannotAnalyse

if TYPE_CHECKING:
    from analysis.answer import Answer
    from analysis.covariance import Covariance
    from analysis.power import Generalised, PowerGrid, Variation
    from analysis.tables import TableFacts

GENERALISED: "dict[str, Generalised]" = {"none": "readers and cases", "readers": "cases", "cases": "readers"}
OBUCHOWSKI = ("arm_reader", "error", "cov1", "cov2", "cov3", "cases")
DORFMAN = ("arm_reader", "arm_case", "error")
# A range becomes at most so many numbers, and a grid so many designs.
READERS_SHOWN, CASES_SHOWN, DESIGNS = 30, 10, 5000
DECISIONS = ("sensitivity", "specificity", "accuracy")


@dataclass(frozen=True)
class Source:
    """Where the variation comes from: in words, its facts, and what it gives."""

    words: str
    table: "TableFacts"
    spread: "Variation"
    warnings: tuple[str, ...] = ()


def add_arguments(command: argparse.ArgumentParser) -> None:
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--pilot", type=Path, metavar="TABLE", help="readings of a pilot study, CSV or Parquet")
    source.add_argument(
        "--components", type=Path, metavar="FILE",
        help="TOML or JSON with arm_reader, error, cov1, cov2, cov3, cases; or arm_reader, arm_case, error of Dorfman, "
        "Berbaum and Metz; or what `mrmc --format json` printed",
    )  # fmt: skip
    command.add_argument("--readers", required=True, metavar="5:20", help="a number, a:b, a:b:step, or a,b,c")
    command.add_argument("--cases", required=True, metavar="50:500", help="a number, a:b, a:b:step, or a,b,c")
    command.add_argument("--effect", type=float, help="difference of the arms; by default that of the pilot")
    command.add_argument("--alpha", type=float, default=0.05, help="level of the two-sided test")
    command.add_argument("--power", type=float, default=0.8, help="power aimed at")
    command.add_argument("--fixed", choices=tuple(GENERALISED), default="none", help="what is not generalised to")
    command.add_argument("--ratio", type=float, help="non-diseased per diseased case, by default as in the pilot")
    command.add_argument("--arms", type=listed, help="two arms of the pilot as A,B")
    command.add_argument("--metric", default="auc", help="figure of merit, as in mrmc")
    command.add_argument("--covariance", choices=("delong", "jackknife", "unbiased", "bootstrap"))
    add_columns(command)
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer":
    readers = numbers(options.readers, "--readers", READERS_SHOWN)
    cases = numbers(options.cases, "--cases", CASES_SHOWN)
    if len(readers) * len(cases) > DESIGNS:
        raise CannotAnalyse(f"More than {DESIGNS} designs are too many for one answer; widen the steps of the ranges.")
    from analysis.answer import Answer, CellRow
    from analysis.power import power_grid

    source = from_pilot(options) if options.pilot else from_components(options)
    effect, told = effect_of(options, source)
    generalised = GENERALISED[options.fixed]
    grid = power_grid(source.spread, readers, cases, effect, options.power, options.alpha, generalised)
    rows = tuple(
        CellRow(counted(plan.readers, "reader"), counted(plan.cases, "case"), plan.estimate, None, None, None)
        for plan in grid.plans
    )
    method = (
        f"Power of Obuchowski and Rockette's test after Hillis, generalising to {generalised}, "
        f"effect {effect:g}, alpha {options.alpha:g}, {source.words}; {smallest(grid)}"
    )
    warnings = (*source.warnings, *told, *grid.warnings)
    return Answer(method, source.table, rows, components=source.spread.components, warnings=warnings)


def counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def smallest(grid: "PowerGrid") -> str:
    """The designs that just suffice, in words."""
    if not grid.sufficient:
        return f"no design here reaches a power of {grid.target:g}"
    fewest_readings = min(grid.sufficient, key=lambda plan: plan.readers * plan.cases)
    chosen = {
        "with the fewest readings": fewest_readings,
        "with the fewest readers": min(grid.sufficient, key=lambda plan: (plan.readers, plan.cases)),
        "with the fewest cases": min(grid.sufficient, key=lambda plan: (plan.cases, plan.readers)),
    }
    if len({(plan.readers, plan.cases) for plan in chosen.values()}) == 1:
        chosen = {"": fewest_readings}
    parts = [f"{plan.readers} readers and {plan.cases} cases {words}".rstrip() for words, plan in chosen.items()]
    return f"a power of {grid.target:g} is reached by {', '.join(parts)}"


def effect_of(options: argparse.Namespace, source: Source) -> tuple[float, tuple[str, ...]]:
    if options.effect is not None:
        return float(options.effect), ()
    if source.spread.difference is None:
        raise CannotAnalyse("Published components have no difference of arms; name the effect with --effect.")
    found = source.spread.difference
    told = f"The effect is the difference seen in the pilot, {found:.4g}; an effect that matters should be named."
    return found, (told,)


def numbers(text: str, option: str, shown: int) -> tuple[int, ...]:
    """'5:20', '50:500:25', '8' or '5,10,20' as ascending whole numbers.

    >>> numbers("50:500", "--cases", 10)
    (50, 100, 150, 200, 250, 300, 350, 400, 450, 500)
    """
    wrong = CannotAnalyse(f"{option} is written as 8, 5:20, 5:20:5 or 5,10,20, not as {text}.")
    if not re.fullmatch(r"\d{1,7}(:\d{1,7}){0,2}|\d{1,7}(,\d{1,7})+", text):
        raise wrong
    if "," in text:
        return tuple(sorted({int(piece) for piece in text.split(",")}))
    first, *rest = (int(piece) for piece in text.split(":"))
    if not rest:
        return (first,)
    last = rest[0]
    step = rest[1] if len(rest) > 1 else step_of(last - first, shown)
    if last < first or step < 1:
        raise wrong
    found = range(first, last + 1, step)
    if len(found) > DESIGNS:
        raise CannotAnalyse(f"{option} names more than {DESIGNS} numbers; widen the step.")
    return (*found,) if found[-1] == last else (*found, last)


def step_of(span: int, shown: int) -> int:
    """The smallest of 1, 2, 5, 10, ... that leaves at most so many numbers."""
    step, multiples = 1, (2, 2.5, 2)
    place = 0
    while span // step + 1 > shown:
        step, place = int(step * multiples[place % 3]), place + 1
    return step


def from_pilot(options: argparse.Namespace) -> Source:
    """Components of the readings of a pilot study."""
    from analysis.commands.rows import decision_column
    from analysis.power import pilot_variation
    from analysis.tables import facts, rated, read_table

    names = names_of(options)
    frame = read_table(options.pilot, names)
    value = decision_column(list(frame.columns), names) if options.metric in DECISIONS else names.rating
    ratings = rated(frame, names, value, options.arms)
    method: Covariance = options.covariance or ("delong" if options.ratio is not None else "jackknife")
    spread = pilot_variation(ratings, options.metric, method, options.ratio)
    many = f"The pilot has {len(ratings.arms)} arms; its components are the mean over all, for a plan of two."
    told = (many,) if len(ratings.arms) > 2 else ()
    words = f"components of the pilot, {options.metric}, {method} covariance"
    if options.ratio is not None:
        words += f", {options.ratio:g} non-diseased per diseased case"
    return Source(words, facts(ratings), spread, told)


def from_components(options: argparse.Namespace) -> Source:
    """Components named in a file."""
    from analysis.error_terms import Components
    from analysis.power import Variation, variation
    from analysis.tables import TableFacts

    for option in ("ratio", "arms", "covariance"):
        if getattr(options, option) is not None:
            raise CannotAnalyse(f"--{option} is about a pilot table, and --components has none.")
    given = component_values(options.components)
    table = TableFacts(0, (), int(given.get("cases", 0)), None, None, 0)
    if "arm_case" in given:
        spread = Variation(given["arm_reader"], given["arm_case"], given["error"])
        return Source("published components of Dorfman, Berbaum and Metz", table, spread)
    values = (given["arm_reader"], given["error"], given["cov1"], given["cov2"], given["cov3"])
    parts = Components(given.get("reader"), *values)
    words = f"published components of {table.cases} cases"
    return Source(words, table, variation(parts, table.cases))


def component_values(path: Path) -> dict[str, float]:
    """The numbers of a components file; everything wrong with it is one sentence."""
    content = content_of(path)
    inner = content.get("components")
    if isinstance(inner, Mapping):
        size = content.get("table")
        cases = size.get("cases") if isinstance(size, Mapping) else content.get("cases")
        content = {key: value for key, value in {"cases": cases, **inner}.items() if value is not None}
        content = with_shared_kept(content)
    needed = DORFMAN if "arm_case" in content else OBUCHOWSKI
    missing = [name for name in needed if name not in content]
    if missing:
        raise CannotAnalyse(f"{path} does not name {', '.join(missing)}.")
    unknown = [name for name in content if name not in (*needed, "reader")]
    if unknown:
        raise CannotAnalyse(f"{path} names {', '.join(unknown)}, which is no component of the kind given there.")
    for name, value in content.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise CannotAnalyse(f"{name} in {path} is not a number.")
    if "cases" in content and (content["cases"] < 1 or content["cases"] != int(content["cases"])):
        raise CannotAnalyse(f"cases in {path} is the whole number of cases of that study.")
    return {name: float(value) for name, value in content.items()}


def with_shared_kept(content: dict[str, Any]) -> dict[str, Any]:
    """`mrmc` lets cov2 - cov3 lower arm_reader where it is negative; a plan counts it as 0."""
    if all(isinstance(content.get(name), int | float) for name in ("arm_reader", "cov2", "cov3")):
        return {**content, "arm_reader": content["arm_reader"] - min(content["cov2"] - content["cov3"], 0.0)}
    return content


def content_of(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CannotAnalyse(f"There is no file {path}.") from None
    except (OSError, UnicodeDecodeError):
        raise CannotAnalyse(f"{path} cannot be read as text.") from None
    try:
        content = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as failure:
        raise CannotAnalyse(f"{path} is neither TOML nor JSON: {str(failure).rstrip('.')}.") from None
    return dict(content)
