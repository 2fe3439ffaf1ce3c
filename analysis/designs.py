"""Which design do the ratings have, and which analyses does it permit?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.ratings import Bools, Ratings, are_missing

Kind = Literal["fully crossed", "split-plot", "missing cells", "single reader", "readers nested in arms"]
Nesting = Literal["crossed", "in readers", "in arms"]

PER_READER = "AUC, sensitivity and specificity per reader and arm"
DELONG = "DeLong test between arms per reader"
MCNEMAR = "McNemar test between arms per reader"
OR_DELONG = "Obuchowski-Rockette with DeLong covariance"
OR_MISSING = "Obuchowski-Rockette with jackknife or unbiased covariance"


@dataclass(frozen=True)
class Permission:
    """One analysis, whether the design permits it, and the reason in a sentence."""

    analysis: str
    permitted: bool
    sentence: str


@dataclass(frozen=True)
class Design:
    """What was read by whom; counts, the kind of design, and what follows from it."""

    kind: Kind
    cases_nested: Nesting
    readers: int
    arms: int
    cases: int
    positives: int
    negatives: int
    missing: int
    sentence: str
    permissions: tuple[Permission, ...]

    def allows(self, analysis: str) -> bool:
        return any(item.permitted for item in self.permissions if item.analysis == analysis)

    def reason(self, analysis: str) -> str:
        return next(item.sentence for item in self.permissions if item.analysis == analysis)


def study_design(ratings: Ratings) -> Design:
    """Are the readings fully crossed, and if not, how are they arranged?

    ratings: values (reader, arm, case), NaN = not read. Fully crossed: every reader read every case in every arm.
    Split-plot: the case sets of any two readers are equal or disjoint and each reader read the same cases in all
    arms. Single reader: one reader only. Readers nested in arms: no reader read more than one of several arms.
    Everything else has missing cells. Source of the terms: Obuchowski, Gallas & Hillis (2012), Acad. Radiol.
    19:1508-1517. Every analysis of the list is named with a sentence, permitted or not.
    """
    read = ~np.isnan(ratings.values)
    kind = kind_of(read)
    nesting = nesting_of(read)
    return Design(
        kind=kind,
        cases_nested=nesting,
        readers=len(ratings.readers),
        arms=len(ratings.arms),
        cases=len(ratings.cases),
        positives=ratings.positives,
        negatives=ratings.negatives,
        missing=ratings.missing,
        sentence=describe(kind, ratings),
        permissions=permissions(ratings, read),
    )


def kind_of(read: Bools) -> Kind:
    if read.shape[0] == 1:
        return "single reader"
    if bool(read.all()):
        return "fully crossed"
    if read.shape[1] > 1 and bool((read.any(axis=2).sum(axis=1) <= 1).all()):
        return "readers nested in arms"
    by_reader = read[:, 0]
    same_in_arms = bool((read == by_reader[:, None]).all())
    # Cases in common, as a product: readers x readers x cases at once would not fit into memory.
    common = by_reader.astype(np.float32) @ by_reader.astype(np.float32).T
    own = np.diagonal(common)
    equal = (common == own[:, None]) & (common == own[None, :])
    if same_in_arms and bool((equal | (common == 0)).all()):
        return "split-plot"
    return "missing cells"


def nesting_of(read: Bools) -> Nesting:
    """Whether no case is shared between readers, or none between arms; the covariances between them are then zero."""
    if read.shape[0] > 1 and bool((read.any(axis=1).sum(axis=0) <= 1).all()):
        return "in readers"
    if read.shape[1] > 1 and bool((read.any(axis=0).sum(axis=0) <= 1).all()):
        return "in arms"
    return "crossed"


def describe(kind: Kind, ratings: Ratings) -> str:
    readers, arms, cases = ratings.values.shape
    size = ", ".join((counted(readers, "reader"), counted(arms, "arm"), counted(cases, "case")))
    cells = ratings.values.size
    share = f"{ratings.missing} of {cells} cells are empty"
    sentences = {
        "fully crossed": f"Fully crossed: every reader read every case in every arm ({size}).",
        "split-plot": f"Split-plot: groups of readers read separate groups of cases ({size}; {share}).",
        "missing cells": f"Not every reader read every case in every arm ({size}; {share}).",
        "single reader": f"A single reader: results do not extend to other readers ({size}; {share}).",
        "readers nested in arms": f"Each reader read in one arm only ({size}; {share}).",
    }
    return sentences[kind]


def counted(number: int, thing: str) -> str:
    return f"one {thing}" if number == 1 else f"{number} {thing}s"


def permissions(ratings: Ratings, read: Bools) -> tuple[Permission, ...]:
    rules: tuple[tuple[str, Callable[[Ratings, Bools], str]], ...] = (
        (PER_READER, lambda r, _: "" if r.positives and r.negatives else one_class(r)),
        (DELONG, no_pair),
        (MCNEMAR, no_pair),
        (OR_DELONG, no_delong_covariance),
        (OR_MISSING, no_obuchowski_rockette),
    )
    found = []
    for analysis, rule in rules:
        fault = rule(ratings, read)
        found.append(Permission(analysis, not fault, fault or f"{analysis}: permitted by this design."))
    return tuple(found)


def one_class(ratings: Ratings) -> str:
    absent = "diseased" if not ratings.positives else "non-diseased"
    return f"The table has no {absent} case, so neither AUC nor the missing half of the confusion table exists."


def no_pair(ratings: Ratings, read: Bools) -> str:
    if read.shape[1] < 2:
        return "There is only one arm, so there is nothing to compare it with."
    in_two = (read.sum(axis=1) >= 2).any()
    return "" if in_two else "No reader read the same case in two arms, so no paired test exists."


def no_obuchowski_rockette(ratings: Ratings, read: Bools) -> str:
    """Empty where every reader's figure of merit exists in every arm."""
    if read.shape[0] < 2:
        return "Obuchowski-Rockette with random readers needs at least two readers."
    nested = kind_of(read) == "readers nested in arms"
    needed = read.any(axis=2) if nested else np.ones(read.shape[:2], dtype=bool)
    if nested and needed.sum() <= read.shape[1]:
        return "Every arm has one reader of its own, so readers cannot be told from arms."
    for truth, word in ((True, "diseased"), (False, "non-diseased")):
        counts = read[:, :, ratings.truth == truth].sum(axis=2)
        if (needed & (counts < 2)).any():
            reader, arm = (int(i) for i in np.argwhere(needed & (counts < 2))[0])
            return (
                f"Reader {ratings.readers[reader]} read {int(counts[reader, arm])} {word} cases in arm "
                f"{ratings.arms[arm]}, and Obuchowski-Rockette needs at least two from every reader in every arm."
            )
    return ""


def no_delong_covariance(ratings: Ratings, read: Bools) -> str:
    fault = no_obuchowski_rockette(ratings, read)
    if fault:
        return fault
    nested = kind_of(read) == "readers nested in arms"
    missing = ~read & read.any(axis=2, keepdims=True) if nested else ~read
    if bool(missing.any()):
        return (
            f"{are_missing(int(missing.sum()))}, and the DeLong covariance needs every reader to have read "
            "every case in every arm; the jackknife and the unbiased covariance do not."
        )
    return ""
