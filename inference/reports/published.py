"""A study's own numbers beside those of its paper, and in what the two differ, as far as facts say."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from inference.reports.contract import Footer, Report, Table, empty
from inference.reports.study import SEEN, BadStudy, Study
from inference.reports.words import listed, number

if TYPE_CHECKING:
    import pandas as pd

FILE = Path(__file__).with_name("published.toml")
ID, TITLE = "P", "Beside the published numbers"
# Columns of our tables for measures that stand there under another name.
COLUMNS = {"Dice": "mean", "pixel accuracy": "mean", "level success": "share"}


@dataclass(frozen=True)
class Fact:
    """One number of a paper; ``value`` is None where it is not in the text that was read."""

    study: str
    measure: str
    of: str
    where: str
    value: float | None = None
    set: str = ""
    recipe: str = ""
    unit: str = ""
    reader: str = ""
    group: str = ""
    arm: str = ""


@dataclass(frozen=True)
class Paper:
    """One of the five studies as published.

    ``sizes`` are cases by set, ``positives`` where they are known; ``remark`` is what the arithmetic of the
    abstract says.
    """

    title: str
    paper: str
    source: str
    images: str
    sizes: Mapping[str, int] = field(default_factory=dict)
    positives: Mapping[str, int] = field(default_factory=dict)
    taught: int | None = None
    remark: str = ""


def read(study: str) -> tuple[Paper, tuple[Fact, ...]]:
    """Paper and facts of a study.

    Raises
    ------
    BadStudy
        Where no study has that name.

    Examples
    --------
    >>> paper, facts = read("s1")
    >>> paper.sizes["cross-validation"], facts[0].value
    (190, 0.92)
    """
    content = tomllib.loads(FILE.read_text(encoding="utf-8"))
    if study not in content["studies"]:
        raise BadStudy(f"There is no study {study!r}; known are {', '.join(content['studies'])}.")
    known = {one.name for one in fields(Fact)}
    facts = tuple(
        Fact(**{k: v for k, v in one.items() if k in known}) for one in content["facts"] if one["study"] == study
    )
    return Paper(**content["studies"][study]), facts


def beside(study: Study, reports: Sequence[Report]) -> Report:
    """The published numbers with ours from the tables of the other reports, and what differs."""
    import pandas as pd

    paper, facts = read(study.key)
    found = {one.id: one for one in reports if not one.missing}
    rows = []
    for fact in facts:
        ours = own_value(fact, found)
        low, high = (None, None) if ours is None else ours[1:]
        rows.append(
            {
                "of": fact.of, "set": fact.set or ", ".join(p for p in (fact.arm,) if p), "unit": fact.unit,
                "measure": fact.measure, "published": fact.value, "read in": fact.where,
                "here": None if ours is None else ours[0], "here low": low, "here high": high,
            }
        )  # fmt: skip
    frame = pd.DataFrame(rows)
    frame = frame.drop(columns=[name for name in ("unit", "set") if (frame[name] == "").all()])
    if frame["here"].isna().all():
        return empty(
            ID, TITLE, "None of the published measures was computed here, so there is nothing to set beside them."
        )
    note = (
        f"Published: {paper.paper}, {paper.source}. Ours with 95 % intervals; a dash is a number that does not exist."
    )
    table = Table("published", paper.title, frame, note)
    footer = Footer(None, {"facts": len(facts)}, "as in the reports that the numbers come from", ())
    return Report(ID, TITLE, tuple(differs(study, paper, frame)), (table,), footer=footer)


def own_value(fact: Fact, found: Mapping[str, Report]) -> tuple[float, float | None, float | None] | None:
    """Our number with its limits; None where it was not computed."""
    for report, name, chosen in places(fact):
        if report not in found:
            continue
        try:
            frame = found[report].table(name)
        except KeyError:
            continue
        column = COLUMNS.get(fact.measure, fact.measure)
        if column not in frame.columns:
            continue
        rows = frame[chosen(frame)].dropna(subset=[column])
        if len(rows):
            row = rows.iloc[0]
            return float(row[column]), limit(row, f"{column} low"), limit(row, f"{column} high")
    return None


def limit(row: pd.Series, name: str) -> float | None:
    """A limit where the table has one."""
    value = row.get(name)
    return None if value is None or value != value else float(value)


Chosen = Callable[["pd.DataFrame"], "pd.Series[bool]"]


def places(fact: Fact) -> list[tuple[str, str, Chosen]]:
    """Report, table and rows in which our number may stand, the likeliest first."""

    def of_model(frame: pd.DataFrame) -> pd.Series[bool]:
        return frame["model"].astype(str).str.startswith(fact.recipe) & sets(frame["set"], fact.set)

    def of_reader(frame: pd.DataFrame) -> pd.Series[bool]:
        # Readers are known by their seniority; where several have it, their mean is what is printed.
        chosen = (frame["seniority"] == fact.reader) & (frame["arm"] == (fact.arm or "unaided"))
        return chosen & (int(chosen.sum()) == 1)

    def of_group(frame: pd.DataFrame) -> pd.Series[bool]:
        return (frame["seniority"] == fact.group) & (frame["arm"] == fact.arm)

    if fact.reader:
        return [("R07", "readers", of_reader), ("R07", "seniority", of_reader)]
    if fact.group:
        return [("R17", "groups", of_group), ("R07", "seniority", of_group)]
    if fact.measure == "level success":
        return [("R11", "levels", lambda frame: of_model(frame) & (frame["of"] == fact.unit))]
    if fact.measure in ("Dice", "pixel accuracy"):
        return [("R14", "masks", lambda frame: of_model(frame) & (frame["measure"] == fact.measure))]
    if fact.unit:
        return [("R10", "vertebrae" if fact.unit == "vertebra" else "patients", of_model)]
    return [("R02", "models", of_model), ("R09", "pooled", of_model)]


def sets(column: pd.Series[str], wanted: str) -> pd.Series[bool]:
    """The set of that name; any external one for "external", that which was chosen on for "validation"."""
    known = column.astype(str)
    return known.str.startswith(wanted) if wanted in ("external", "validation") else known == wanted


def differs(study: Study, paper: Paper, frame: pd.DataFrame) -> list[str]:
    """In what our study differs from the paper's, from sizes, images and prevalence, in sentences."""
    return [
        sentence
        for sentence in (images_sentence(study, paper), sizes_sentence(study, paper), prevalence_sentence(study, paper),
                         taught_sentence(study, paper), paper.remark, both_sentence(frame))
        if sentence
    ]  # fmt: skip


def is_synthetic(study: Study) -> bool:
    """Whether every case of the manifest says that it is synthetic."""
    frame = study.manifest
    if frame is None or "synthetic" not in frame.columns:
        return False
    return bool(frame["synthetic"].astype(str).isin(("yes", "1", "1.0", "True")).all())


def images_sentence(study: Study, paper: Paper) -> str:
    if is_synthetic(study):
        return (
            f"The paper's cases are {paper.images}; ours are synthetic, drawn with a known and deliberately ambiguous "
            "appearance, so agreement of numbers shows that the machinery runs and says nothing of patients."
        )
    return f"The paper's cases are {paper.images}; whether ours are alike is not said in the manifest."


def own_counts(study: Study) -> dict[str, tuple[int, int]]:
    """Cases and positives of every set."""
    frame = study.predictions if study.predictions is not None else study.masks
    frame = frame if frame is not None else study.manifest
    if frame is None:
        return {}
    single = frame.drop_duplicates(["set", "case"])
    return {
        str(name): (len(part), int((part["truth"].astype(float) == 1).sum())) for name, part in single.groupby("set")
    }


def sizes_sentence(study: Study, paper: Paper) -> str:
    ours = own_counts(study)
    both = {name: (size, ours[name][0]) for name, size in paper.sizes.items() if name in ours}
    said = [f"{name}: {there} there, {here} here" for name, (there, here) in both.items() if there != here]
    same = [f"{name}: {there}" for name, (there, here) in both.items() if there == here]
    return " ".join(
        [f"Cases differ ({listed(said)}), and with them the width of every interval."] * bool(said)
        + [f"Cases are as many as in the paper ({listed(same)})."] * bool(same)
    )


def prevalence_sentence(study: Study, paper: Paper) -> str:
    ours = own_counts(study)
    both = {
        name: (f"{positive / paper.sizes[name]:.0%}", f"{ours[name][1] / ours[name][0]:.0%}")
        for name, positive in paper.positives.items()
        if name in ours and name in paper.sizes
    }
    said = [f"{name} {there} there, {here} here" for name, (there, here) in both.items() if there != here]
    shares = [f"{name} {part[1] / part[0]:.0%}" for name, part in ours.items() if name != SEEN]
    if said:
        return f"Prevalence differs ({listed(said)}), which moves accuracy, precision and F1 but not the AUC."
    if both:
        return f"Prevalence is that of the paper ({listed([f'{name} {there}' for name, (there, _) in both.items()])})."
    return (
        f"Prevalence here is {listed(shares)}; the paper's, per set, is not in the text that was read."
        if shares
        else ""
    )


def taught_sentence(study: Study, paper: Paper) -> str:
    counts = [part.get("cases") for one in study.trained for part in one.card.data.values() if isinstance(part, dict)]
    taught = max((int(count) for count in counts if isinstance(count, int)), default=None)
    if taught is None or paper.taught is None:
        return ""
    small = [one.card.parameters for one in study.trained if one.card.parameters]
    between = list(dict.fromkeys(number(value / 1e6, 2) for value in (min(small), max(small)))) if small else []
    size = f" Our networks have {' to '.join(between)} million parameters." if between else ""
    if taught == paper.taught:
        return f"Networks learnt from as many images as the paper's, {taught}.{size}"
    return f"The paper's networks learnt from {paper.taught} images, ours from {taught} at most.{size}"


def both_sentence(frame: pd.DataFrame) -> str:
    known = frame.dropna(subset=["published", "here", "here low", "here high"])
    if known.empty:
        return ""
    inside = known[(known["here low"] <= known["published"]) & (known["published"] <= known["here high"])]
    return (
        f"Of {len(known)} numbers that exist in both, {len(inside)} published ones lie within our 95 % interval; that "
        "is no test of either."
    )
