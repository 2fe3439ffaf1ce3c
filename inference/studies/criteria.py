"""What a study must reach, read from its stored tables alone: criterion, found, wanted, holds or falls short.

Which of two models wins is never a criterion. Bars are those of the small cohorts; a figure that is only stated has no
bar and no verdict.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inference.studies.plans import StudyPlan
from inference.studies.results import UNSEEN, Results, area, highest_likely, position_alone, specificity

if TYPE_CHECKING:
    import pandas as pd

CRITERIA = "criteria.csv"
STATED = "stated"
# Above the best possible reader by so much is more than luck at these numbers of cases; nothing reaches 1.
OVER_CEILING, HIGHEST = 0.04, 0.999
SHIFT = 0.10
TIMES_CHANCE = 3.0


@dataclass(frozen=True)
class Criterion:
    """One line: what was asked, what was found, what was wanted ("stated" where nothing is), whether it holds."""

    name: str
    found: str
    wanted: str
    holds: bool

    @property
    def is_bar(self) -> bool:
        return not self.wanted.startswith(STATED)


def criteria_of(plan: StudyPlan, folder: Path) -> tuple[Criterion, ...]:
    """All criteria of a study whose tables are there."""
    return tuple(OF_STUDY[plan.key](plan, Results(folder)))


def write_criteria(criteria: tuple[Criterion, ...], folder: Path) -> str:
    """``criteria.csv`` and the same as text, one line each."""
    with (folder / CRITERIA).open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["criterion", "found", "wanted", "verdict"])
        table.writerows([one.name, one.found, one.wanted, verdict(one)] for one in criteria)
    wide = [max(len(one.name) for one in criteria), max(len(one.found) for one in criteria)]
    lines = [f"{one.name:<{wide[0]}}  {one.found:<{wide[1]}}  {verdict(one):<11}  {one.wanted}" for one in criteria]
    bars = [one for one in criteria if one.is_bar]
    held = sum(one.holds for one in bars)
    return "\n".join([*lines, f"{held} of {len(bars)} hold; {len(criteria) - len(bars)} figures are stated"])


def verdict(one: Criterion) -> str:
    return ("holds" if one.holds else "falls short") if one.is_bar else STATED


def at_least(name: str, value: float, bar: float) -> Criterion:
    return Criterion(name, f"{value:.3f}", f"at least {bar:.2f}", value >= bar)


def stated(name: str, found: str, why: str = "") -> Criterion:
    return Criterion(name, found, f"{STATED}{why and ': '}{why}", holds=True)


def below_ceiling(results: Results, model: str, role: str, value: float) -> Iterator[Criterion]:
    """Above what the planted signs allow on these very cases, a model has learnt from a leak."""
    best = results.ceiling(role)
    name = f"{model}, {role}: no more than the planted signs allow"
    if best is None:
        yield Criterion(name, f"{value:.3f}", "oracle.csv beside the manifest", holds=False)
        return
    bar = min(best + OVER_CEILING, HIGHEST)
    yield Criterion(name, f"{value:.3f}", f"at most {bar:.3f} (best reader {best:.3f})", value <= bar)


def shift(results: Results, model: str, own: str, other: str) -> Criterion:
    """Specificity at the frozen threshold, here and there; a shift is flagged, never hidden."""
    first, second = (specificity(results.answers(model, role)) for role in (own, other))
    flag = ", SHIFTED by more than 0.10" if abs(first - second) > SHIFT else ""
    return stated(f"{model}: specificity at the frozen threshold", f"{first:.3f} {own}, {second:.3f} {other}{flag}")


def pointing(results: Results, model: str, *, claimed: bool = True) -> Iterator[Criterion]:
    """The heat maps' peaks in the finding, beside chance and beside a model whose weights are random."""
    frame = results.table(model, "randomisation.csv")
    bar = f"at least {TIMES_CHANCE:.0f} × chance"
    if frame.empty:
        yield Criterion(f"{model}: pointing game", "no heat maps", bar, holds=False)
        return
    trained, random = frame.iloc[0], frame.iloc[-1]
    rate, chance, left = trained.hits / trained.cases, trained.chance, random.hits / random.cases
    name, found = f"{model}: pointing game at {trained.layer}", f"{rate:.3f}, chance {chance:.3f}"
    if not claimed:
        why = "nothing is claimed of these maps, and readers are not shown them"
        yield stated(name, f"{found}, random weights {left:.3f}", why)
        return
    yield Criterion(name, found, bar, rate >= TIMES_CHANCE * chance)
    yield Criterion(f"{model}: pointing game with random weights", f"{left:.3f}", f"below {rate:.3f}", left < rate)


def fresh_fractures(plan: StudyPlan, results: Results) -> Iterator[Criterion]:
    """S0."""
    areas = {model: results.area(model, "control") for model in plan.models}
    for model, value in areas.items():
        yield at_least(f"{model}: AUC on the control set", value, 0.76)
        yield from below_ceiling(results, model, "control", value)
        yield stated(f"{model}: AUC on external films", f"{results.area(model, 'external'):.3f}")
    yield at_least("best AUC on the control set", max(areas.values()), 0.80)
    for model in plan.models:
        yield from pointing(results, model)


def cross_validated(plan: StudyPlan, results: Results) -> Iterator[Criterion]:
    """S1."""
    model = plan.models[0]
    frame = results.answers(model, "develop")
    value = area(frame)
    yield at_least(f"{model}: out-of-fold AUC", value, 0.92)
    yield from below_ceiling(results, model, "develop", value)
    folds = frame.groupby("patient")["fold"].nunique()
    yield Criterion(
        "patients in exactly one test fold", f"{(folds == 1).sum()} of {len(folds)}", "all", bool((folds == 1).all())
    )
    found = frame[frame["truth"] == 1]["positive"].mean()
    yield stated("sensitivity and specificity, out of fold", f"{found:.3f} and {specificity(frame):.3f}")
    yield by_slice(results.table(model, "slice_predictions.csv"))
    fresh = results.answers(model, "control")
    if not fresh.empty:
        yield stated(f"{model}: AUC on patients who were in no fold", f"{area(fresh):.3f} ({len(fresh)} cases)")
        yield from pointing(results, model, claimed=False)


def by_slice(frame: pd.DataFrame) -> Criterion:
    """Every slice by itself, and the highest of each case as the answer of its patient."""
    if frame.empty:
        return Criterion("AUC per slice and by the highest slice", "no slices", "both", holds=False)
    frame = frame[frame["role"] == "develop"]
    highest = frame.loc[frame.groupby("case")["probability"].idxmax()]
    return stated("AUC per slice and by the highest slice", f"{area(frame):.3f} and {area(highest):.3f}")


def levels_and_fractures(plan: StudyPlan, results: Results) -> Iterator[Criterion]:
    """S2."""
    own = plan.models[0]
    for role, vertebra, level in (("control", 0.95, 0.93), ("external", 0.90, 0.85)):
        frame = results.table(own, "vertebrae_predictions.csv")
        true = frame[(frame["role"] == role) & frame["true_level"].notna()]
        yield at_least(f"{own}: AUC per vertebra, {role}", area(true), vertebra)
        right = float((true["level"] == true["true_level"]).mean())
        yield at_least(f"{own}: level success of all bodies, {role}", right, level)
        yield stated(f"{own}: AUC per patient, {role}", f"{results.area(own, role):.3f}")
    alone = position_alone(results)
    yield Criterion("level from position alone, control", f"{alone:.3f}", "at most 0.60", alone <= 0.60)
    yield from mild_ones_hardest(results, own)
    for model in plan.models[1:]:
        yield stated(f"{model}: AUC per patient, control", f"{results.area(model, 'control'):.3f}")
    yield shift(results, own, "control", "external")
    for model in plan.models:
        yield from pointing(results, model)


def mild_ones_hardest(results: Results, model: str) -> Iterator[Criterion]:
    """Sensitivity for grade 1 lies below that for grades 2 and 3; both unseen sets, or there are too few."""
    counted = results.found_by_grade(model, ("control", "external"))
    mild, more = (
        counted.get(1, (0, 0)),
        [sum(pair) for pair in zip(*(counted.get(g, (0, 0)) for g in (2, 3)), strict=True)],
    )
    name = f"{model}: fractures of grade 1 found, and of grades 2 and 3"
    if not mild[1] or not more[1]:
        yield Criterion(name, "no grades", "grade 1 fewer", holds=False)
        return
    shares = mild[0] / mild[1], more[0] / more[1]
    found = f"{shares[0]:.3f} of {mild[1]}, {shares[1]:.3f} of {more[1]}"
    yield Criterion(name, found, "grade 1 fewer", shares[0] < shares[1])


def outlined(plan: StudyPlan, results: Results) -> Iterator[Criterion]:
    """S3."""
    own = plan.models[0]
    for model in plan.models:
        frame = results.table(model, "segmentation.csv")
        for site, part in frame[frame["role"] != "develop"].groupby(["role", "site"]):
            name = " ".join(map(str, site))
            dice, beside = part["dice"][part["truth"] == 1].mean(), part["background_accuracy"].mean()
            told = f"Dice {dice:.3f}, pixel accuracy {part['pixel_accuracy'].mean():.4f}, of an empty mask {beside:.4f}"
            yield stated(f"{model}, {name}", told)
    frame = results.table(own, "segmentation.csv")
    unseen = frame[frame["role"].isin(UNSEEN)]
    # Validation and three sites together; each by itself stands above.
    yield at_least(f"{own}: Dice of positives, unseen films", float(unseen["dice"][unseen["truth"] == 1].mean()), 0.75)
    calm = unseen["false_positive_area"][unseen["truth"] == 0].mean()
    yield stated(f"{own}: false-positive area on negatives", f"{calm:.4%} of the film")
    for model in plan.models:
        value = results.area(model, "control")
        yield stated(f"{model}: AUC per patient, control", f"{value:.3f}")
        yield from below_ceiling(results, model, "control", value)
        apart = results.told_apart_from_old(model)
        name = f"{model}: AUC, acute or old fracture, unseen films"
        yield at_least(name, area(apart), 0.74) if model == own else stated(name, f"{area(apart):.3f}")
    for model in plan.models:
        yield from pointing(results, model)


def dimensions(plan: StudyPlan, results: Results) -> Iterator[Criterion]:
    """S4."""
    areas = {(model, role): results.area(model, role) for model in plan.models for role in ("control", "external")}
    between, flat = areas["s4-25d", "control"], areas["s4-2d", "control"]
    yield Criterion("2.5D − 2D on the control set", f"{between - flat:+.3f}", "at least +0.02", between - flat >= 0.02)
    for (model, role), value in areas.items():
        yield stated(f"{model}: AUC, {role}", f"{value:.3f}")
        yield from below_ceiling(results, model, role, value)
    own = plan.models[0]
    bar, outside = highest_likely(results.answers(own, "control")), areas[own, "external"]
    name = f"{own}: external AUC below the control set's or within its interval"
    yield Criterion(name, f"{outside:.3f}", f"at most {bar:.3f}", outside <= bar)
    yield shift(results, own, "control", "external")
    for model in plan.models:
        yield from pointing(results, model, claimed=False)


Criteria = Callable[[StudyPlan, Results], Iterator[Criterion]]
OF_STUDY: Mapping[str, Criteria] = {
    "s0": fresh_fractures,
    "s1": cross_validated,
    "s2": levels_and_fractures,
    "s3": outlined,
    "s4": dimensions,
}
